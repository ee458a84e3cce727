"""Readers and their subscriptions. A reader's wish takes effect in the transaction that records it."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from syndicate.model import Frequency, QuoteDisplay
from syndicate.store import schema
from syndicate.store.database import Store
from syndicate.store.ledger import suppress_open

_ACTIVE: Final = "active"
_DOT_ATOM: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")  # RFC 5321 §4.1.2
_LOCAL_OCTETS: Final = 64  # RFC 5321 §4.5.3.1.1
_ADDRESS_OCTETS: Final = 254  # a path of 256 octets (RFC 5321 §4.5.3.1.3) less its brackets


@dataclass(frozen=True, kw_only=True, slots=True)
class Wishes:
    """What a reader asked for; ``None`` or ``""`` leaves it to the newsletter."""

    frequency: Frequency = Frequency.DAILY
    weekday: int | None = None  # 0 Monday … 6 Sunday
    hour: int | None = None  # 0 … 23, the reader's own clock
    zone: str = ""  # IANA name
    quote_display: QuoteDisplay | None = None
    lang: str = ""  # BCP 47
    topics: tuple[str, ...] = ()  # topic slugs; () for all


@dataclass(frozen=True, kw_only=True, slots=True)
class SubscriptionView:
    """One subscription as its own reader may see it."""

    address: str
    newsletter: str
    state: str
    frequency: Frequency
    quote_display: QuoteDisplay | None
    weekday: int | None
    hour: int | None
    zone: str
    since: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """What the message of one reader is made with."""

    place: int  # the subscriber's key
    id: str  # the subscriber's random id
    address: str
    name: str
    since: datetime | None  # when the subscription became active


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """One line of ``subscribers list``."""

    id: str
    address: str
    newsletter: str
    state: str
    wishes: Wishes = field(default_factory=Wishes)


def normalised(address: str) -> tuple[str, str, str]:
    """An address as written, as compared, and its domain: the domain in IDNA lower case, the rest case-folded.

    Raises
    ------
    ValueError
        Not an address; the message says what is missing.
    """
    import idna

    text = address.strip()
    if any(ord(letter) < 32 or letter in ' <>(),;:"\x7f' for letter in text):  # noqa: PLR2004 - control characters
        msg = "it holds a blank, a control character or punctuation that an address cannot have; write it like name@example.org"
        raise ValueError(msg)
    local, at, domain = text.rpartition("@")
    if not at or not local:
        msg = (
            "the part before @ is missing; write it like name@example.org"
            if at
            else "the @ is missing; write it like name@example.org"
        )
        raise ValueError(msg)
    try:
        host = idna.encode(domain.rstrip("."), uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        msg = f"the part after @ is not a domain ({error}); write it like name@example.org"
        raise ValueError(msg) from error
    if "." not in host:
        msg = "the part after @ needs a dot; write it like name@example.org"
        raise ValueError(msg)
    if not local.isascii():
        msg = "the part before @ has letters that most mail servers refuse; use an ASCII address"
        raise ValueError(msg)
    if not _DOT_ATOM.fullmatch(local) or len(local) > _LOCAL_OCTETS or len(local) + 1 + len(host) > _ADDRESS_OCTETS:
        msg = "the part before @ is not one that mail servers take; write it like name@example.org"
        raise ValueError(msg)
    if host.rpartition(".")[2].isdigit():
        msg = "the part after @ ends in a number, as no domain does; write it like name@example.org"
        raise ValueError(msg)
    return f"{local}@{host}", f"{local.casefold()}@{host}", host


class SubscriberStore:
    """The shelf of readers."""

    def __init__(self, store: Store) -> None:
        """Use ``store``."""
        self._store = store

    def add(
        self,
        address: str,
        newsletter: str,
        wishes: Wishes,
        *,
        at: datetime,
        covered_to: datetime,
        name: str = "",
        consent: Mapping[str, str],
    ) -> bool:
        """Make an active subscription; ``False`` where there was one already, which stays as it is.

        Items released up to ``covered_to`` are not owed. ``consent`` says when, how and to what.

        Raises
        ------
        ValueError
            The address is not one, or it is suppressed.
        """
        written, key, domain = normalised(address)

        def work(connection: sa.Connection) -> bool:
            place = self._subscriber(connection, written, key, domain, name, at)
            found = connection.execute(
                sa.select(schema.subscription.c.key)
                .join(schema.newsletter, schema.newsletter.c.key == schema.subscription.c.newsletter)
                .where(schema.subscription.c.subscriber == place, schema.newsletter.c.name == newsletter)
            ).first()
            if found:
                return False
            connection.execute(
                schema.subscription.insert().values(
                    subscriber=place,
                    newsletter=newsletter_key(connection, newsletter),
                    state=_ACTIVE,
                    topics=json.dumps(wishes.topics) if wishes.topics else "",
                    frequency=wishes.frequency,
                    weekday=wishes.weekday,
                    hour=wishes.hour,
                    zone=wishes.zone,
                    quote_display=wishes.quote_display or "",
                    lang=wishes.lang,
                    covered_to=covered_to,
                    since=at,
                    consent=json.dumps(dict(consent), ensure_ascii=False),
                    changed=at,
                )
            )
            return True

        return self._store.write(work)

    def _subscriber(self, connection: sa.Connection, address: str, key: str, domain: str, name: str, at: datetime) -> int:
        """The key of the person with this address, made where there is none."""
        found = connection.execute(sa.select(schema.subscriber.c.key).where(schema.subscriber.c.address_key == key)).scalar()
        if found is not None:
            return int(found)
        person = secrets.token_urlsafe(12)
        place = place_key(connection, "subscriber", person)
        connection.execute(
            schema.subscriber.insert().values(
                key=place, id=person, address=address, address_key=key, domain=domain, name=name, at=at
            )
        )
        return place

    def end(self, subscriber: int, newsletter: int, at: datetime, how: str) -> bool:
        """End a subscription and suppress what is still open for it, in one transaction (RFC 8058 §3.1).

        ``True`` where it was active; ending it again is harmless.
        """

        def work(connection: sa.Connection) -> bool:
            ended = connection.execute(
                schema.subscription.update()
                .where(
                    schema.subscription.c.subscriber == subscriber,
                    schema.subscription.c.newsletter == newsletter,
                    schema.subscription.c.state.in_((_ACTIVE, "pending")),
                )
                .values(
                    state="ended",
                    changed=at,
                    consent=sa.func.json_set(schema.subscription.c.consent, "$.ended", f"{at.isoformat()} {how}"),
                )
            ).rowcount
            suppress_open(connection, subscriber, newsletter, at, "the reader ended the subscription")
            return bool(ended)

        return self._store.write(work)

    def prefer(
        self, subscriber: int, newsletter: int, *, frequency: Frequency, quote_display: QuoteDisplay, at: datetime
    ) -> bool:
        """Save what the reader chose; ``False`` where there is no active subscription."""

        def work(connection: sa.Connection) -> bool:
            return bool(
                connection.execute(
                    schema.subscription.update()
                    .where(
                        schema.subscription.c.subscriber == subscriber,
                        schema.subscription.c.newsletter == newsletter,
                        schema.subscription.c.state == _ACTIVE,
                    )
                    .values(frequency=frequency, quote_display=quote_display, changed=at)
                ).rowcount
            )

        return self._store.write(work)

    def view(self, subscriber: int, newsletter: int) -> SubscriptionView | None:
        """One subscription, or ``None``."""
        query = (
            sa.select(schema.subscription, schema.subscriber.c.address, schema.newsletter.c.name.label("newsletter_name"))
            .join(schema.subscriber, schema.subscriber.c.key == schema.subscription.c.subscriber)
            .join(schema.newsletter, schema.newsletter.c.key == schema.subscription.c.newsletter)
            .where(schema.subscription.c.subscriber == subscriber, schema.subscription.c.newsletter == newsletter)
        )
        with self._store.read() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        return SubscriptionView(
            address=row["address"],
            newsletter=row["newsletter_name"],
            state=row["state"],
            frequency=Frequency(row["frequency"]),
            quote_display=QuoteDisplay(row["quote_display"]) if row["quote_display"] else None,
            weekday=row["weekday"],
            hour=row["hour"],
            zone=row["zone"],
            since=row["since"],
        )

    def readers(self, places: list[int], newsletter: int) -> dict[int, Reader]:
        """The readers behind ``places``, for making their messages."""
        found: dict[int, Reader] = {}
        with self._store.read() as connection:
            for begin in range(0, len(places), 500):
                query = (
                    sa.select(schema.subscriber, schema.subscription.c.since)
                    .outerjoin(
                        schema.subscription,
                        sa.and_(
                            schema.subscription.c.subscriber == schema.subscriber.c.key,
                            schema.subscription.c.newsletter == newsletter,
                        ),
                    )
                    .where(schema.subscriber.c.key.in_(places[begin : begin + 500]))
                )
                for row in connection.execute(query).mappings():
                    found[row["key"]] = Reader(
                        place=row["key"], id=row["id"], address=row["address"], name=row["name"], since=row["since"]
                    )
        return found

    def listed(self, newsletter: str = "") -> Iterator[Listed]:
        """Every subscription, by address."""
        query = (
            sa.select(
                schema.subscription,
                schema.subscriber.c.id,
                schema.subscriber.c.address,
                schema.newsletter.c.name.label("newsletter_name"),
            )
            .join(schema.subscriber, schema.subscriber.c.key == schema.subscription.c.subscriber)
            .join(schema.newsletter, schema.newsletter.c.key == schema.subscription.c.newsletter)
            .order_by(schema.subscriber.c.address_key, schema.newsletter.c.name)
        )
        if newsletter:
            query = query.where(schema.newsletter.c.name == newsletter)
        with self._store.read() as connection:
            rows = connection.execute(query).mappings().all()
        for row in rows:
            yield Listed(
                id=row["id"], address=row["address"], newsletter=row["newsletter_name"], state=row["state"], wishes=_wishes(row)
            )

    def counts(self) -> dict[tuple[str, str, str], int]:
        """Subscriptions by (newsletter, state, frequency)."""
        query = (
            sa.select(schema.newsletter.c.name, schema.subscription.c.state, schema.subscription.c.frequency, sa.func.count())
            .join(schema.newsletter, schema.newsletter.c.key == schema.subscription.c.newsletter)
            .group_by(schema.newsletter.c.name, schema.subscription.c.state, schema.subscription.c.frequency)
        )
        with self._store.read() as connection:
            return {(row[0], row[1], row[2]): row[3] for row in connection.execute(query)}


def _wishes(row: sa.RowMapping) -> Wishes:
    return Wishes(
        frequency=Frequency(row["frequency"]),
        weekday=row["weekday"],
        hour=row["hour"],
        zone=row["zone"],
        quote_display=QuoteDisplay(row["quote_display"]) if row["quote_display"] else None,
        lang=row["lang"],
        topics=tuple(json.loads(row["topics"])) if row["topics"] else (),
    )


def newsletter_key(connection: sa.Connection, name: str) -> int:
    """A newsletter's small key, made at first use; it stands in reader links for ever."""
    found = connection.execute(sa.select(schema.newsletter.c.key).where(schema.newsletter.c.name == name)).scalar()
    if found is None:
        found = connection.execute(schema.newsletter.insert().values(name=name).returning(schema.newsletter.c.key)).scalar_one()
    return int(found)


def place_key(connection: sa.Connection, kind: str, name: str) -> int:
    """The small key of a place, made at first use."""
    found = connection.execute(
        sa.select(schema.place.c.key).where(schema.place.c.kind == kind, schema.place.c.name == name)
    ).scalar()
    if found is None:
        found = connection.execute(
            schema.place.insert().values(kind=kind, name=name).returning(schema.place.c.key)
        ).scalar_one()
    return int(found)
