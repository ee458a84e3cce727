"""Double opt-in: a wish is pending until its owner confirms it, and lapses if they do not. Each step is on record.

Works inside a given transaction; the mails that belong to a step are recorded as duties beside it.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import sqlalchemy as sa

from syndicate.store import duties, schema
from syndicate.store.addresses import normalised
from syndicate.store.database import Connection
from syndicate.store.erasure import forget
from syndicate.store.ledger import suppress_open
from syndicate.store.places import newsletter_key, place_key
from syndicate.store.suppression import lift
from syndicate.store.wishes import Wishes, columns

Purpose = Literal["confirm", "welcome", "known", "export", "erase"]
_PRIORITY: Final = 3  # somebody waits for it, so it passes every edition
_S: Final = schema.subscription.c


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What somebody typed into the sign-up form."""

    address: str  # a mail address
    newsletter: str  # its name
    channel: str  # the mail channel of the newsletter
    wishes: Wishes
    wording: str  # what they agreed to, word for word
    form: str  # where: the path of the page


def ask(connection: Connection, request: Request, now: datetime) -> Purpose:
    """Record a wish and the duty to ask its owner; who is subscribed already is only told so.

    A subscription that its reader ended, or that was suppressed, waits like a new one, and is as before if it lapses.

    Raises
    ------
    ValueError
        Not an address.
    """
    address, compared, domain = normalised(request.address)
    letter = newsletter_key(connection, request.newsletter)
    place = subscriber_key(connection, address, compared, domain, now)
    query = sa.select(_S.key, _S.state, _S.consent).where(_S.subscriber == place, _S.newsletter == letter)
    found = connection.execute(query).first()
    purpose: Purpose = "known" if found and found.state == "active" else "confirm"
    if purpose == "confirm":
        consent = {"asked": now.isoformat(timespec="seconds"), "wording": request.wording, "form": request.form}
        before = _before(found)
        values = {
            **columns(request.wishes),
            "state": "pending",
            "changed": now,
            "paused_to": None,
            "consent": json.dumps({**consent, **({"before": before} if before else {})}, ensure_ascii=False),
        }
        if found:
            connection.execute(schema.subscription.update().where(_S.key == found.key).values(values))
        else:
            whose = {"subscriber": place, "newsletter": letter, "covered_to": now}
            connection.execute(schema.subscription.insert().values({**whose, **values}))
    owe_notice(connection, purpose, place, request.newsletter, request.channel, now)
    return purpose


def _before(found: sa.Row[int, str, str] | None) -> dict[str, Any] | None:
    """What a wish stands in front of: the subscription that ended, which is not lost while nobody confirms."""
    if found is None:
        return None
    consent = json.loads(found.consent or "{}")
    if found.state == "pending":
        kept: dict[str, Any] | None = consent.get("before")
        return kept
    return {"state": found.state, "consent": consent}


def confirm(connection: Connection, subscriber: int, newsletter: int, channel: str, now: datetime) -> bool:
    """Make a pending subscription active from now on, and owe its welcome; ``False`` where none is pending."""
    done = connection.execute(
        schema.subscription.update()
        .where(_S.subscriber == subscriber, _S.newsletter == newsletter, _S.state == "pending")
        .values(
            state="active",
            since=now,
            changed=now,
            covered_to=now,
            consent=sa.func.json_set(_S.consent, "$.confirmed", now.isoformat(timespec="seconds")),
        )
    ).rowcount
    if not done:
        return False
    address = connection.execute(
        sa.select(schema.subscriber.c.address).where(schema.subscriber.c.key == subscriber)
    ).scalar_one()
    lift(connection, address)
    name = connection.execute(sa.select(schema.newsletter.c.name).where(schema.newsletter.c.key == newsletter)).scalar_one()
    owe_notice(connection, "welcome", subscriber, name, channel, now)
    return True


def lapse(connection: Connection, before: datetime, now: datetime) -> int:
    """Delete what was asked for earlier and never confirmed, and whoever is known for nothing else; returns how many."""
    query = sa.select(_S.key, _S.subscriber, _S.newsletter, _S.consent).where(_S.state == "pending", _S.changed < before)
    rows = connection.execute(query).all()
    for row in rows:
        suppress_open(connection, row.subscriber, row.newsletter, now, "the sign-up has lapsed")
        former = json.loads(row.consent or "{}").get("before")
        mine = _S.key == row.key
        if former:
            told = json.dumps(former["consent"], ensure_ascii=False)
            connection.execute(
                schema.subscription.update().where(mine).values(state=former["state"], consent=told, changed=now)
            )
            continue
        connection.execute(schema.subscription.delete().where(mine))
        if connection.execute(sa.select(_S.key).where(_S.subscriber == row.subscriber).limit(1)).first() is None:
            forget(connection, row.subscriber)
    return len(rows)


def waiting(connection: Connection, before: datetime) -> bool:
    """Whether anything was asked for earlier and never confirmed."""
    query = sa.select(_S.key).where(_S.state == "pending", _S.changed < before).limit(1)
    return connection.execute(query).first() is not None


def owe_notice(connection: Connection, purpose: Purpose, place: int, newsletter: str, channel: str, now: datetime) -> None:
    """Record the duty to send one notice to one reader; each call is one more notice."""
    subject = f"{purpose}:{place}:{newsletter}"
    s = schema.sending.c
    latest = connection.execute(sa.select(sa.func.max(s.revision)).where(s.kind == "notice", s.subject == subject)).scalar()
    sending = duties.open_sending(
        connection,
        kind="notice",
        subject=subject,
        due=now,
        targets=f"all {newsletter}",
        revision=0 if latest is None else latest + 1,
        newsletter=newsletter_key(connection, newsletter),
    )
    assert sending is not None  # its revision is new
    carrier = place_key(connection, "account", channel)
    duties.owe(connection, sending, [place], channel=carrier, priority=_PRIORITY)


def subscriber_key(connection: Connection, address: str, compared: str, domain: str, at: datetime, name: str = "") -> int:
    """The key of the person with this address (as ``normalised`` gives it), made where there is none."""
    reader = schema.subscriber.c
    found = connection.execute(sa.select(reader.key).where(reader.address_key == compared)).scalar()
    if found is not None:
        return int(found)
    person = secrets.token_urlsafe(12)
    place = place_key(connection, "subscriber", person)
    connection.execute(
        schema.subscriber.insert().values(
            key=place, id=person, address=address, address_key=compared, domain=domain, name=name, at=at
        )
    )
    return place
