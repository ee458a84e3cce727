"""Which duties may be taken in hand now: due, frozen, consented to, held by nobody, within the agreed pace. For ``ledger``.

The walk is by state and priority along the partial index of open rows, never over finished ones, and needs no sorting.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeAlias

import sqlalchemy as sa

from syndicate.model import State
from syndicate.store.clauses import CONSENTED, HELD, WAITING
from syndicate.store.database import driver
from syndicate.store.duties import Duty
from syndicate.store.moves import Moves
from syndicate.store.pace import Pace, Tap
from syndicate.store.schema import from_micros, to_micros

# Sendings and variants that may leave: few, so that holds are asked about once for each and not once for each reader.
_FREE: Final = f"""SELECT s.key, coalesce(v.key, 0), c.name, s.kind, s.subject, s.revision, s.newsletter, s.due
    FROM place c JOIN sending s INDEXED BY ix_sending_open
    LEFT JOIN variant v ON s.kind = 'edition' AND v.edition = CAST(s.subject AS INTEGER)
    WHERE c.key = ? AND s.state = 'open' AND (v.key IS NULL OR v.state = 'frozen') AND NOT {HELD}
    ORDER BY s.due, s.key"""  # noqa: S608 - fixed text
_NEXT_PRIORITY: Final = f"""SELECT max(priority) FROM delivery d INDEXED BY ix_delivery_waiting
    WHERE channel = :c AND {WAITING} AND priority < :below"""  # noqa: S608 - fixed text
NEXT_TIME: Final = f"""SELECT min(not_before) FROM delivery d INDEXED BY ix_delivery_waiting
    WHERE channel = :c AND {WAITING} AND priority = :priority AND not_before > :now"""  # noqa: S608 - fixed text
_VARIANT_BITS: Final = 31
_COLUMNS: Final = f"""SELECT d.sending, d.place, coalesce(d.variant, 0), d.state, d.attempt, d.epoch, d.not_before, p.kind,
        {CONSENTED}, {{domain}}"""
_DUE: Final = f"""d.channel = :c AND {WAITING} AND d.priority = :priority
    AND (d.sending << {_VARIANT_BITS}) + coalesce(d.variant, 0) IN (SELECT value FROM json_each(:free))"""  # noqa: S608 - fixed text
# What was put off, by its time …
PUT_OFF: Final = f"""{_COLUMNS}
    FROM delivery d INDEXED BY ix_delivery_waiting JOIN place p ON p.key = d.place JOIN sending s ON s.key = d.sending
    WHERE {_DUE} AND d.not_before > 0 AND d.not_before <= :now
    ORDER BY d.not_before, d.sending, d.place LIMIT :limit"""
# … and what is due with its sending: one sending after the other, so that those that are held are not walked.
FRESH: Final = f"""{_COLUMNS}
    FROM json_each(:sendings) f CROSS JOIN sending s ON s.key = f.value
    CROSS JOIN delivery d INDEXED BY ix_delivery_waiting ON d.sending = s.key CROSS JOIN place p ON p.key = d.place
    WHERE {_DUE} AND d.not_before = 0 LIMIT :limit"""
_DOMAIN: Final = "(SELECT domain FROM subscriber r WHERE r.key = d.place)"
_Row: TypeAlias = tuple[Any, ...]
_ABOVE_ALL: Final = 1 << 30


class _Facts(NamedTuple):
    """What the duties of one sending and variant have in common."""

    channel: str
    kind: str
    subject: str
    revision: int
    newsletter: int | None
    due: datetime


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
    free = _free(connection, channel)
    if not free:
        return Claimed(duties=())
    tap = Tap(connection, next(iter(free.values())).channel, wish.pace, now)
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
        "sendings": json.dumps(list(dict.fromkeys(sending for (sending, _), facts in free.items() if facts.due <= now))),
    }
    shown = _DOMAIN if wish.pace.domains else "''"
    for row, priority in _candidates(connection, values, shown, urgent=wish.urgent):
        sending, place, variant, state, _, epoch, _, _, consented, domain = row
        if not consented:
            moves.move(sending, place, epoch, State(state), State.SUPPRESSED, done=True)
        elif domain and (later := tap.later(domain)) is not None:
            driver(connection).execute(
                "UPDATE delivery SET not_before = ? WHERE sending = ? AND place = ?", (to_micros(later), sending, place)
            )
            queued += 1
        else:
            taken.append((_duty(row, free[sending, variant], priority), state))
            if len(taken) == room:
                break
    moves.claim(taken)
    tap.took(len(taken))
    again = None if taken else now if queued else tap.next_in_queue()
    return Claimed(duties=tuple(duty for duty, _ in taken), again=again)


def _free(connection: sa.Connection, channel: int) -> dict[tuple[int, int], _Facts]:
    rows = driver(connection).execute(_FREE, (channel,))
    return {(row[0], row[1]): _Facts._make((*row[2:7], from_micros(row[7]))) for row in rows}


def _candidates(connection: sa.Connection, values: dict[str, Any], domain: str, *, urgent: bool) -> Iterator[tuple[_Row, int]]:
    """By priority; within one those that were put off before those that wait for the first time, each by time."""
    for priority in _priorities(connection, values["c"]):
        if urgent and priority <= 0:
            return
        for query in (PUT_OFF, FRESH):
            rows = driver(connection).execute(query.format(domain=domain), {**values, "priority": priority}).fetchall()
            yield from ((row, priority) for row in rows)


def _priorities(connection: sa.Connection, channel: int) -> Iterator[int]:
    """Those of what waits, from the highest: a look into the index for each."""
    below: int | None = _ABOVE_ALL
    while below is not None:
        below = driver(connection).execute(_NEXT_PRIORITY, {"c": channel, "below": below}).fetchone()[0]
        if below is not None:
            yield below


def next_time(connection: sa.Connection, now: datetime) -> int | None:
    """The first instant after ``now`` to which something was put off, in microseconds; what is due is not walked."""
    ask = driver(connection).execute
    found = [
        ask(NEXT_TIME, {"c": channel, "priority": priority, "now": to_micros(now)}).fetchone()[0]
        for (channel,) in ask("SELECT key FROM place WHERE kind = 'account'").fetchall()
        for priority in _priorities(connection, channel)
    ]
    return min((time for time in found if time is not None), default=None)


def _duty(row: _Row, facts: _Facts, priority: int) -> Duty:
    sending, place, variant, _, attempt, epoch, not_before, place_kind, *_ = row
    return Duty(
        sending=sending,
        place=place,
        place_kind=place_kind,
        channel=facts.channel,
        variant=variant or None,
        kind=facts.kind,
        subject=facts.subject,
        revision=facts.revision,
        newsletter=facts.newsletter,
        due=facts.due,
        attempt=attempt + 1,
        epoch=epoch + 1,
        not_before=from_micros(not_before) if not_before else None,
        priority=priority,
    )
