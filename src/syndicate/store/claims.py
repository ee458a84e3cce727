"""Which duties may be taken in hand now: due, frozen, consented to, held by nobody, within the agreed pace. For ``ledger``.

The walk is by state and priority along the partial index of open rows, never over finished ones, and needs no sorting.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

import sqlalchemy as sa

from syndicate.model import State
from syndicate.store.clauses import CONSENTED, HELD, OPEN
from syndicate.store.database import driver
from syndicate.store.duties import Duty
from syndicate.store.moves import Moves
from syndicate.store.pace import Pace, Tap
from syndicate.store.schema import from_micros, to_micros

# Sendings and variants that may leave: few, so that holds are asked about once for each and not once for each reader.
_FREE: Final = f"""SELECT s.key, coalesce(v.key, 0), s.kind, s.subject, s.revision, s.newsletter, s.due, c.name
    FROM place c JOIN sending s INDEXED BY ix_sending_open
    LEFT JOIN variant v ON s.kind = 'edition' AND v.edition = CAST(s.subject AS INTEGER)
    WHERE c.key = ? AND s.state = 'open' AND (v.key IS NULL OR v.state = 'frozen') AND NOT {HELD}"""  # noqa: S608 - fixed text
_NEXT_PRIORITY: Final = f"""SELECT max(priority) FROM delivery INDEXED BY ix_delivery_open
    WHERE channel = :c AND state IN {OPEN} AND state = :state AND priority < :below"""  # noqa: S608 - fixed text
_VARIANT_BITS: Final = 31
CANDIDATES: Final = f"""SELECT d.sending, d.place, coalesce(d.variant, 0), d.attempt, d.epoch, d.not_before, p.kind,
        {CONSENTED}, {{domain}}
    FROM delivery d INDEXED BY ix_delivery_open JOIN place p ON p.key = d.place JOIN sending s ON s.key = d.sending
    WHERE d.channel = :c AND d.state IN {OPEN} AND d.state = :state AND d.priority = :priority AND d.not_before <= :now
      AND (d.sending << {_VARIANT_BITS}) + coalesce(d.variant, 0) IN (SELECT value FROM json_each(:free))
    ORDER BY d.not_before, d.sending, d.place LIMIT :limit"""  # noqa: S608 - fixed text
_DOMAIN: Final = "(SELECT domain FROM subscriber r WHERE r.key = d.place)"
_Row: TypeAlias = tuple[Any, ...]
_DUE_STATES: Final = (State.PENDING, State.DEFERRED)
_ABOVE_ALL: Final = 1 << 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What a worker asks for."""

    limit: int  # duties
    pace: Pace
    in_hand: int = 0  # duties claimed before that are not sent yet
    urgent: bool = False  # none of priority 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Claimed:
    """What it gets."""

    duties: tuple[Duty, ...]
    again: datetime | None = None  # when the pace allows more, where it was the pace that allowed none


def take(connection: sa.Connection, moves: Moves, channel: int, now: datetime, wish: Wish) -> Claimed:
    """Lease the most urgent duties; suppress those whose reader has left; queue those whose domain has had enough."""
    free = {(row[0], row[1]): row for row in driver(connection).execute(_FREE, (channel,))}
    if not free:
        return Claimed(duties=())
    name = next(iter(free.values()))[7]
    tap = Tap(connection, name, wish.pace, now)
    room = tap.room(wish.limit, wish.in_hand)
    if not room:
        return Claimed(duties=(), again=tap.again)
    taken: list[tuple[Duty, State]] = []
    queued = 0
    values = {
        "c": channel,
        "now": to_micros(now),
        "limit": room,
        "free": json.dumps([(sending << _VARIANT_BITS) + variant for sending, variant in free]),
    }
    domain = _DOMAIN if wish.pace.domains else "''"
    for old, row, priority in _candidates(connection, values, CANDIDATES.format(domain=domain), urgent=wish.urgent):
        duty = _duty(row, free[row[0], row[2]], priority)
        later = tap.later(row[8]) if wish.pace.domains and row[7] else None
        if not row[7]:
            moves.move(row[0], row[1], row[4], old, State.SUPPRESSED, done=True)
        elif later is not None:
            driver(connection).execute(
                "UPDATE delivery SET not_before = ? WHERE sending = ? AND place = ?", (to_micros(later), row[0], row[1])
            )
            queued += 1
        else:
            taken.append((duty, old))
        if len(taken) == room:
            break
    moves.claim(taken)
    tap.took(len(taken))
    again = None if taken else now if queued else tap.next_in_queue()
    return Claimed(duties=tuple(duty for duty, _ in taken), again=again)


def _candidates(
    connection: sa.Connection, values: dict[str, Any], query: str, *, urgent: bool
) -> Iterator[tuple[State, _Row, int]]:
    """By priority; within one those that were put off before those that wait for the first time, each by time."""
    below = _ABOVE_ALL
    while True:
        tops = {
            state: driver(connection).execute(_NEXT_PRIORITY, {**values, "state": str(state), "below": below}).fetchone()[0]
            for state in _DUE_STATES
        }
        priority = max((top for top in tops.values() if top is not None), default=None)
        if priority is None or (urgent and priority <= 0):
            return
        for state in _DUE_STATES[::-1]:
            if tops[state] == priority:
                rows = driver(connection).execute(query, {**values, "state": str(state), "priority": priority}).fetchall()
                yield from ((state, row, priority) for row in rows)
        below = priority


def _duty(row: _Row, facts: _Row, priority: int) -> Duty:
    return Duty(
        sending=row[0],
        place=row[1],
        place_kind=row[6],
        channel=facts[7],
        variant=row[2] or None,
        kind=facts[2],
        subject=facts[3],
        revision=facts[4],
        newsletter=facts[5],
        due=from_micros(facts[6]),
        attempt=row[3] + 1,
        epoch=row[4] + 1,
        not_before=from_micros(row[5]),
        priority=priority,
    )
