"""How fast an edition goes, from what the pages saw of its books: nothing is written for it, and a sender pays nothing."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

_WINDOW: Final = timedelta(minutes=1)
_LEAST: Final = timedelta(seconds=3)  # two looks closer than this say nothing about a rate
_MOST: Final = 64  # editions that are remembered


@dataclass(frozen=True, kw_only=True, slots=True)
class Going:
    """How an edition goes."""

    rate: float  # settled a second
    left: timedelta | None  # until nothing is open, at this rate; None: it does not move
    ends: datetime | None


class Pace:
    """What was seen of each running edition in the last minute."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._lock = threading.Lock()
        self._seen: dict[int, deque[tuple[datetime, int]]] = {}

    def saw(self, edition: int, settled: int, still_open: int, began: datetime, now: datetime) -> Going:
        """Remember how many are settled now; say how fast that goes, since a minute ago or, at first sight, since it began."""
        with self._lock:
            seen = self._seen.setdefault(edition, deque())
            while seen and now - seen[0][0] > _WINDOW:
                seen.popleft()
            since, before = seen[0] if seen and now - seen[0][0] >= _LEAST else (began, 0)
            if not seen or seen[-1][0] < now:
                seen.append((now, settled))
            while len(self._seen) > _MOST:
                del self._seen[next(iter(self._seen))]
        passed = (now - since).total_seconds()
        rate = max(0.0, (settled - before) / passed) if passed > 0 else 0.0
        left = timedelta(seconds=still_open / rate) if rate > 0 else None
        return Going(rate=rate, left=left, ends=None if left is None else now + left)
