"""Recording duties: sendings, deliveries to come, the bytes kept for them. ``ledger`` moves what is recorded here.

Every function works inside a given transaction, beside the slot and the edition that caused the duty.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from syndicate.model import State
from syndicate.store import schema
from syndicate.store.schema import from_micros, to_micros


@dataclass(frozen=True, kw_only=True, slots=True)
class Duty:
    """One claimed delivery: enough to make its parcel and to settle it."""

    sending: int
    place: int
    place_kind: str  # subscriber | account
    channel: str
    variant: int | None
    kind: str  # edition | post | edit | delete | notice
    subject: str  # an edition's key or an item's id
    revision: int
    newsletter: int | None
    due: datetime  # the sending's frozen due time
    attempt: int
    epoch: int
    not_before: datetime | None = None  # when it was to be tried, for what is claimed; ``None``: when it was due
    priority: int = 0  # higher passes lower
    intent_at: datetime | None = None  # when it went to `sending`, for what a crash left behind


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What became of a duty."""

    duty: Duty
    state: State
    remote_id: str = ""
    remote_url: str = ""
    not_before: datetime | None = None  # for `deferred`, and for the next look at an `uncertain` one
    code: str = ""
    detail: str = ""


def add_tally(connection: sa.Connection, sending: int, place: int, state: State, n: int) -> None:
    """Add ``n`` to the tally that the kind of ``place`` belongs to."""
    connection.execute(
        sa.text(
            """INSERT INTO tally (sending, place_kind, state, n) SELECT :s, kind, :state, :n FROM place WHERE key = :p
            ON CONFLICT (sending, place_kind, state) DO UPDATE SET n = n + excluded.n"""
        ),
        {"s": sending, "p": place, "state": state, "n": n},
    )


def open_sending(
    connection: sa.Connection,
    *,
    kind: str,
    subject: str,
    due: datetime,
    targets: str,
    slot: int = 0,
    revision: int = 0,
    newsletter: int | None = None,
) -> int | None:
    """Record one sending; ``None`` where it was recorded before, with its duties."""
    return connection.execute(
        sa.text(
            """INSERT INTO sending (kind, subject, slot, revision, newsletter, targets, due, state)
            VALUES (:kind, :subject, :slot, :revision, :newsletter, :targets, :due, 'open')
            ON CONFLICT DO NOTHING RETURNING key"""
        ),
        {
            "kind": kind,
            "subject": subject,
            "slot": slot,
            "revision": revision,
            "newsletter": newsletter,
            "targets": targets,
            "due": to_micros(due),
        },
    ).scalar()


def owe(
    connection: sa.Connection,
    sending: int,
    places: Sequence[int],
    *,
    channel: int,
    variant: int | None = None,
    priority: int = 0,
    not_before: datetime | None = None,
) -> None:
    """Record the duty to reach each of ``places`` (one kind) once: when the sending is due, or ``not_before`` later."""
    if not places:
        return
    connection.execute(
        sa.text(
            """INSERT INTO delivery (sending, place, channel, variant, state, priority, not_before)
            SELECT :s, value, :c, :v, 'pending', :priority, :at FROM json_each(:places)"""
        ),
        {
            "s": sending,
            "places": json.dumps(places),
            "c": channel,
            "v": variant,
            "priority": priority,
            "at": 0 if not_before is None else to_micros(not_before),
        },
    )
    add_tally(connection, sending, places[0], State.PENDING, len(places))


def owe_once(connection: sa.Connection, sending: int, account: int, *, due: datetime, priority: int = 0) -> bool:
    """Record the duty to post on one account; ``False`` where it was recorded before."""
    made = connection.execute(
        sa.text(
            """INSERT INTO delivery (sending, place, channel, state, priority, not_before)
            VALUES (:s, :a, :a, 'pending', :priority, :due) ON CONFLICT DO NOTHING"""
        ),
        {"s": sending, "a": account, "due": to_micros(due), "priority": priority},
    ).rowcount
    if made:
        add_tally(connection, sending, account, State.PENDING, 1)
        connection.execute(sa.text("UPDATE sending SET state = 'open' WHERE key = :s"), {"s": sending})
    return bool(made)


def sending_key(connection: sa.Connection, kind: str, subject: str, slot: int, revision: int) -> int:
    """The key of a recorded sending."""
    query = sa.select(schema.sending.c.key).where(
        schema.sending.c.kind == kind,
        schema.sending.c.subject == subject,
        schema.sending.c.slot == slot,
        schema.sending.c.revision == revision,
    )
    return int(connection.execute(query).scalar_one())


def is_owed(connection: sa.Connection, kind: str, subject: str, channel: str, *, slot: int | None = None) -> bool:
    """Whether there is, or was, a duty to send ``subject`` on ``channel``, at whatever revision; ``slot``: of that one."""
    query = (
        sa.select(schema.delivery.c.sending)
        .join(schema.sending, schema.sending.c.key == schema.delivery.c.sending)
        .join(schema.place, schema.place.c.key == schema.delivery.c.channel)
        .where(schema.sending.c.kind == kind, schema.sending.c.subject == subject, schema.place.c.name == channel)
        .limit(1)
    )
    if slot is not None:
        query = query.where(schema.sending.c.slot == slot)
    return connection.execute(query).first() is not None


def part(connection: sa.Connection, sending: int) -> int:
    """Which post of a thread a sending is: 1, or 2 and more for those that follow, which have its negative for a slot."""
    slot = connection.execute(sa.select(schema.sending.c.slot).where(schema.sending.c.key == sending)).scalar_one()
    return max(1, -int(slot))


def thread(connection: sa.Connection, duty: Duty) -> dict[int, tuple[State, str]]:
    """How each post of the thread of ``duty`` stands on its account, and the network's name of it; by its number."""
    query = sa.text(
        """SELECT s.slot, d.state, d.remote_id FROM sending s JOIN delivery d ON d.sending = s.key AND d.place = :place
        WHERE s.kind = 'post' AND s.subject = :subject AND s.slot <= 0 ORDER BY s.revision"""
    )
    rows = connection.execute(query, {"place": duty.place, "subject": duty.subject})
    return {max(1, -row.slot): (State(row.state), row.remote_id) for row in rows}


def payload(connection: sa.Connection, duty: Duty) -> tuple[str, str] | None:
    """The key and the bytes kept for a duty before its first attempt."""
    row = connection.execute(
        sa.select(schema.payload.c.key, schema.payload.c.parcel).where(
            schema.payload.c.sending == duty.sending, schema.payload.c.place == duty.place
        )
    ).first()
    return None if row is None else (row.key, row.parcel)


def payloads(connection: sa.Connection, item: str, account: str) -> list[str]:
    """What was kept to be posted of an item on one account, but what will never leave."""
    query = sa.text(
        """SELECT k.parcel FROM sending s JOIN delivery d ON d.sending = s.key JOIN place c ON c.key = d.channel
        JOIN payload k ON k.sending = d.sending AND k.place = d.place WHERE s.kind = 'post' AND s.subject = :item
        AND c.name = :account AND d.state NOT IN ('failed', 'cancelled', 'suppressed')"""
    )
    return list(connection.execute(query, {"item": item, "account": account}).scalars())


def keep_payload(connection: sa.Connection, duty: Duty, key: str, parcel: str, *, made: datetime, sha: str) -> None:
    """Keep what will be sent, when it was ``made``, and the hash of its request: a retry sends the same."""
    values = {"sending": duty.sending, "place": duty.place, "key": key, "parcel": parcel, "made": made, "sha": sha}
    connection.execute(schema.payload.insert().values(values))


def duty_of(row: sa.RowMapping, *, attempt: int, epoch: int) -> Duty:
    """The duty of a joined row."""
    intent, planned = row.get("intent_at"), row.get("not_before")
    return Duty(
        sending=row["sending"],
        place=row["place"],
        place_kind=row["place_kind"],
        channel=row["channel"],
        variant=row["variant"],
        kind=row["kind"],
        subject=row["subject"],
        revision=row["revision"],
        newsletter=row["newsletter"],
        due=from_micros(row["due"]),
        attempt=attempt,
        epoch=epoch,
        not_before=None if planned is None else from_micros(planned),
        intent_at=None if intent is None else from_micros(intent),
    )
