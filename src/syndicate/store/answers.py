"""What the books know of one reader and one edition: for the question whether it reached them. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from syndicate.model import State
from syndicate.store import board, schema
from syndicate.store.agenda import Edition
from syndicate.store.clauses import NOT_BEFORE
from syndicate.store.database import Connection
from syndicate.store.schema import from_micros
from syndicate.store.wishes import Wishes, of_row

_DELIVERIES: Final = sa.text(
    f"""SELECT d.sending, d.place, c.name AS channel, s.due, l.zone, l.local_time, d.state, d.attempt,
        {NOT_BEFORE} AS not_before, d.intent_at, d.done_at, d.remote_id, v.quote_display
    FROM sending s JOIN delivery d ON d.sending = s.key JOIN place c ON c.key = d.channel
    LEFT JOIN slot l ON l.key = s.slot LEFT JOIN variant v ON v.key = d.variant
    WHERE s.kind = 'edition' AND s.subject = :edition AND d.place = :place ORDER BY s.due, s.key"""  # noqa: S608 - fixed text
)
_SAID: Final = sa.text("SELECT at, outcome, code, detail FROM attempt WHERE sending = :s AND place = :p ORDER BY key")
_OPEN: Final = sa.text("SELECT count(*) FROM sending WHERE kind = 'edition' AND subject = :edition AND state = 'forgotten'")
_LAST: Final = sa.text("SELECT max(due) FROM sending WHERE kind = 'edition' AND subject = :edition")


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """One thing that was said about a delivery."""

    at: datetime
    outcome: str
    code: str
    words: str  # the far side's or ours; no address


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """The edition as it was owed to this reader."""

    id: str  # "12.34", as `deliveries` shows it
    channel: str
    due: datetime
    local: str  # "2026-11-23T07:00 Europe/Berlin"; "" where no slot caused it
    state: State
    attempts: int
    not_before: datetime
    done: datetime | None
    remote_id: str
    quote: str  # how the quote stood in it
    said: tuple[Said, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Membership:
    """The reader's subscription to the newsletter, as it is now."""

    state: str
    since: datetime | None
    changed: datetime
    wishes: Wishes
    covered_to: datetime
    paused_to: datetime | None
    ended: str  # when and how, as the consent record tells; "" while it has not


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """All that is known."""

    edition: Edition
    deliveries: tuple[Told, ...]
    membership: Membership | None
    forgotten: bool  # details of this edition were dropped as ``[privacy]`` says
    last_due: datetime | None  # of its latest slot


def answer(connection: Connection, place: int, edition: int) -> Answer | None:
    """What became of an edition for one reader; ``None`` where there is no such edition."""
    found = board.edition(connection, edition)
    if found is None:
        return None
    key = {"edition": str(edition)}
    rows = connection.execute(_DELIVERIES, {**key, "place": place}).mappings().all()
    last = connection.execute(_LAST, key).scalar()
    return Answer(
        edition=found,
        deliveries=tuple(_told(connection, row) for row in rows),
        membership=_membership(connection, place, found.newsletter),
        forgotten=bool(connection.execute(_OPEN, key).scalar_one()),
        last_due=None if last is None else from_micros(last),
    )


def _told(connection: Connection, row: sa.RowMapping) -> Told:
    said: Sequence[Any] = connection.execute(_SAID, {"s": row["sending"], "p": row["place"]}).all()
    return Told(
        id=f"{row['sending']}.{row['place']}",
        channel=row["channel"],
        due=from_micros(row["due"]),
        local=f"{row['local_time']} {row['zone']}" if row["local_time"] else "",
        state=State(row["state"]),
        attempts=row["attempt"],
        not_before=from_micros(row["not_before"]),
        done=None if row["done_at"] is None else from_micros(row["done_at"]),
        remote_id=row["remote_id"],
        quote=row["quote_display"] or "",
        said=tuple(Said(at=from_micros(one.at), outcome=one.outcome, code=one.code, words=one.detail) for one in said),
    )


def _membership(connection: Connection, place: int, newsletter: str) -> Membership | None:
    query = (
        sa.select(schema.subscription, sa.func.json_extract(schema.subscription.c.consent, "$.ended").label("ended"))
        .join(schema.newsletter, schema.newsletter.c.key == schema.subscription.c.newsletter)
        .where(schema.subscription.c.subscriber == place, schema.newsletter.c.name == newsletter)
    )
    row = connection.execute(query).mappings().first()
    if row is None:
        return None
    return Membership(
        state=row["state"],
        since=row["since"],
        changed=row["changed"],
        wishes=of_row(row),
        covered_to=row["covered_to"],
        paused_to=row["paused_to"],
        ended=row["ended"] or "",
    )
