"""Circuit breakers: a host that fails again and again is left alone for a while, across restarts (delivery.md C9)."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from syndicate.store.database import Store
from syndicate.store.schema import from_micros, to_micros

BREAK_AFTER: Final = 5  # transport errors in a row
FIRST: Final = timedelta(seconds=60)  # how long it stays open at first; doubled each time it fails again
LONGEST: Final = timedelta(minutes=15)


@dataclass(frozen=True, kw_only=True, slots=True)
class _State:
    failures: int = 0  # in a row
    opened: int = 0  # how often since it last worked
    until: datetime | None = None


class Breaker:
    """The breaker of one host. Any thread may tell it what happened."""

    def __init__(self, store: Store, host: str) -> None:
        """Read how it stands."""
        self._store = store
        self._host = host
        self._lock = threading.Lock()
        with store.read() as connection:
            row = connection.execute(sa.text("SELECT * FROM breaker WHERE host = :h"), {"h": host}).mappings().first()
        self._state = _State()
        if row is not None:
            until = None if row["open_until"] is None else from_micros(row["open_until"])
            self._state = _State(failures=row["failures"], opened=row["opened"], until=until)

    def open_until(self, now: datetime) -> datetime | None:
        """Until when nothing may be tried; ``None`` where it may: also where the machine's clock was set back since."""
        until = self._state.until
        return until if until is not None and now < until <= now + LONGEST else None

    @property
    def half_open(self) -> bool:
        """Whether it has been open: one may be tried, and the others wait for what becomes of it."""
        return self._state.opened > 0

    def failed(self, now: datetime) -> bool:
        """A transport error; whether the breaker is open now."""
        with self._lock:
            state = self._state
            if self.open_until(now) is not None:
                return True  # a connection that was still at work
            failures, opened, until = state.failures + 1, state.opened, None
            if failures >= BREAK_AFTER or opened:
                until = now + min(FIRST * 2 ** min(opened, 8), LONGEST)
                failures, opened = 0, opened + 1
            self._keep(_State(failures=failures, opened=opened, until=until))
            return until is not None

    def worked(self) -> None:
        """It answered."""
        if self._state != _State():
            with self._lock:
                self._keep(_State())

    def _keep(self, state: _State) -> None:
        self._state = state
        values = {
            "h": self._host,
            "f": state.failures,
            "o": state.opened,
            "u": None if state.until is None else to_micros(state.until),
        }
        self._store.write(
            lambda connection: connection.execute(
                sa.text(
                    """INSERT INTO breaker (host, failures, opened, open_until) VALUES (:h, :f, :o, :u) ON CONFLICT (host)
                    DO UPDATE SET failures = excluded.failures, opened = excluded.opened, open_until = excluded.open_until"""
                ),
                values,
            ).close()
        )
