"""What editors changed of coming slots: a row of the slot, made ahead of its time. Every function works inside a transaction.

A slot's identity stays its key, so that whoever deals with it first is the only one (delivery.md A2): a moved row is taken
by ``agenda.record_slot`` at the very instant to which it was moved, and a skipped one never.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from syndicate.model import Slot
from syndicate.plan.timetable import Change, Changes
from syndicate.store import schema
from syndicate.store.agenda import civil
from syndicate.store.schema import from_micros, to_micros

_AROUND: Final = timedelta(days=2)  # a slot moves within its civil day
_SLOT: Final = "schedule = :schedule AND zone = :zone AND local_time = :local"
_AHEAD: Final = "slot.state IN ('moved', 'skipped') AND slot.due > :now"  # what a tick has done is not in the future


def changes(connection: sa.Connection, schedule: str, after: datetime) -> Changes:
    """The changed slots of ``schedule`` that may matter after an instant."""
    s = schema.slot.c
    query = sa.select(s.zone, s.local_time, s.state, s.due, s.reason).where(
        s.due > after - _AROUND, s.schedule == schedule, s.state.in_(("moved", "skipped"))
    )
    return {
        (row.zone, datetime.fromisoformat(row.local_time)): Change(state=row.state, due=row.due, reason=row.reason)
        for row in connection.execute(query)
    }


def move(connection: sa.Connection, slot: Slot, to: datetime, reason: str, now: datetime) -> bool:
    """Let a slot happen at another instant; ``False`` where it has begun, or was dealt with."""
    return _put(connection, slot, "moved", to, reason, now)


def skip(connection: sa.Connection, slot: Slot, due: datetime, reason: str, now: datetime) -> bool:
    """Let a slot not happen; ``False`` as for ``move``."""
    return _put(connection, slot, "skipped", due, reason, now)


def restore(connection: sa.Connection, slot: Slot, now: datetime) -> bool:
    """Take a change back; ``False`` where there is none, or it has come true."""
    gone = sa.text(f"DELETE FROM slot WHERE {_SLOT} AND {_AHEAD} RETURNING key")  # noqa: S608 - fixed text
    return connection.execute(gone, {**_named(slot), "now": to_micros(now)}).scalar() is not None


def first_moved(connection: sa.Connection, after: datetime) -> datetime | None:
    """The earliest instant after ``after`` to which a slot was moved."""
    found = connection.execute(
        sa.text("SELECT min(due) FROM slot WHERE due > :after AND state = 'moved'"), {"after": to_micros(after)}
    ).scalar()
    return None if found is None else from_micros(found)


def _put(connection: sa.Connection, slot: Slot, state: str, due: datetime, reason: str, now: datetime) -> bool:
    put = sa.text(
        f"""INSERT INTO slot (schedule, zone, local_time, due, state, reason)
        VALUES (:schedule, :zone, :local, :due, :state, :reason)
        ON CONFLICT (schedule, zone, local_time) DO UPDATE
        SET state = excluded.state, due = excluded.due, reason = excluded.reason
        WHERE {_AHEAD} RETURNING key"""  # noqa: S608 - fixed text
    )
    values = {**_named(slot), "due": to_micros(due), "state": state, "reason": reason, "now": to_micros(now)}
    return connection.execute(put, values).scalar() is not None


def _named(slot: Slot) -> dict[str, str]:
    return {"schedule": slot.schedule, "zone": slot.zone, "local": civil(slot)}
