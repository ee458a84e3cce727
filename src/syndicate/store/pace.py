"""How fast a channel may send: token buckets of channel and recipient domain, and the ceiling of a day in warm-up.

What was used stands in the database, so that a restart is no way round it. ``ledger.claim`` asks; nobody else does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from syndicate.store.schema import from_micros, to_micros

_DEPTH_SECONDS = 0.1  # of its rate that a bucket holds: sending is spread evenly, and a fast one does not wake for each message
_DAY = timedelta(days=1)
_AHEAD = timedelta(minutes=1)  # a bucket that was used later than this from now: the machine's clock was set back since
_LOOK = timedelta(seconds=1)  # between looks at a queue that is not empty


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """What was agreed for one channel."""

    per_second: float = 0.0  # messages; 0 for no limit
    domains: Mapping[str, float] = field(default_factory=dict)  # recipient domain -> messages a second
    ceilings: tuple[int, ...] = ()  # most messages on the first, second … day of use; none after the last

    def __bool__(self) -> bool:
        """Whether anything was agreed."""
        return bool(self.per_second or self.domains or self.ceilings)


class Tap:
    """One claim's look at the buckets of a channel, inside its transaction."""

    def __init__(self, connection: sa.Connection, channel: str, pace: Pace, now: datetime) -> None:
        """``channel`` is its name."""
        self._connection = connection
        self._channel = channel
        self._pace = pace
        self._now = now
        self.again: datetime | None = None  # when there is room again, where there was too little now

    def room(self, limit: int, in_hand: int) -> int:
        """How many may be claimed now; ``in_hand`` were claimed before and are not sent yet."""
        room = limit
        if self._pace.ceilings:
            room = min(room, self._left_today(in_hand))
        if self._pace.per_second and room:
            tokens = self._tokens(f"rate:{self._channel}", self._pace.per_second)
            if tokens < 1:
                self._wake(self._now + timedelta(seconds=(1 - tokens) / self._pace.per_second))
            room = min(room, int(tokens))
        return max(0, room)

    def took(self, n: int) -> None:
        """``n`` were claimed."""
        if self._pace.per_second and n:
            scope, rate = f"rate:{self._channel}", self._pace.per_second
            self._set(scope, self._tokens(scope, rate) - n, self._now)

    def later(self, domain: str) -> datetime | None:
        """``None`` where a message to ``domain`` may leave now, which takes a token; else its place in the queue for one."""
        rate = self._pace.domains.get(domain)
        if rate is None:
            return None
        scope, queue = f"domain:{self._channel}:{domain}", f"queue:{self._channel}:{domain}"
        tokens = self._tokens(scope, rate)
        if tokens >= 1:
            self._set(scope, tokens - 1, self._now)
            return None
        # Each waits once, behind those that already wait: none is looked at again and again.
        _, tail = self._get(queue) or (0.0, self._now)
        place = max(tail, self._now) + timedelta(seconds=1 / rate)
        self._set(queue, 0.0, place)
        return place

    def next_in_queue(self) -> datetime | None:
        """When to look again while some wait for their domain; ``None`` where none does."""
        tails = [found[1] for domain in self._pace.domains if (found := self._get(f"queue:{self._channel}:{domain}"))]
        ahead = [tail for tail in tails if tail > self._now]
        return min(*ahead, self._now + _LOOK) if ahead else None

    def _left_today(self, in_hand: int) -> int:
        first = self._get(f"first:{self._channel}")
        day = 0 if first is None else max(0, (_midnight(self._now) - _midnight(first[1])) // _DAY)
        if day >= len(self._pace.ceilings):
            return 1 << 30
        used = self._get(f"day:{self._channel}")
        sent = int(used[0]) if used is not None and used[1] == _midnight(self._now) else 0
        return max(0, self._pace.ceilings[day] - sent - in_hand)

    def _tokens(self, scope: str, rate: float) -> float:
        depth = max(1.0, rate * _DEPTH_SECONDS)
        found = self._get(scope)
        if found is None:
            return depth
        tokens, at = found
        if at > self._now + _AHEAD:
            return depth
        return min(depth, tokens + rate * max(0.0, (self._now - at).total_seconds()))

    def _wake(self, at: datetime) -> None:
        self.again = at if self.again is None else min(self.again, at)

    def _get(self, scope: str) -> tuple[float, datetime] | None:
        row = self._connection.exec_driver_sql("SELECT tokens, at FROM bucket WHERE scope = ?", (scope,)).first()
        return None if row is None else (row[0], from_micros(row[1]))

    def _set(self, scope: str, tokens: float, at: datetime) -> None:
        _write(self._connection, scope, tokens, at)


def count_day(connection: sa.Connection, channel: str, n: int, now: datetime) -> None:
    """Count ``n`` messages that leave today (UTC) towards a ceiling; the first ever is the first day of use."""
    today = _midnight(now)
    connection.exec_driver_sql(
        "INSERT INTO bucket VALUES (?, 0, ?) ON CONFLICT DO NOTHING", (f"first:{channel}", to_micros(today))
    )
    row = connection.exec_driver_sql("SELECT tokens, at FROM bucket WHERE scope = ?", (f"day:{channel}",)).first()
    before = row[0] if row is not None and row[1] == to_micros(today) else 0
    _write(connection, f"day:{channel}", before + n, today)


def _write(connection: sa.Connection, scope: str, tokens: float, at: datetime) -> None:
    connection.exec_driver_sql(
        "INSERT INTO bucket VALUES (?, ?, ?) ON CONFLICT (scope) DO UPDATE SET tokens = excluded.tokens, at = excluded.at",
        (scope, float(tokens), to_micros(at)),
    )


def _midnight(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
