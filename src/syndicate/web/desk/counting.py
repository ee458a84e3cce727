"""Counts that take longer than a page may: made beside the pages, one at a time, and shown with their time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeVar

from syndicate.errors import SyndicateError
from syndicate.log import logger

T = TypeVar("T")

FRESH: Final = timedelta(minutes=1)  # how old a count may be before it is made anew
_MOST: Final = 256  # counts that are kept


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted(Generic[T]):
    """One count."""

    value: T | None  # None: it is being made for the first time
    at: datetime | None  # when it was made
    stamp: object = None  # what it was made of


class Counting:
    """The counts of one desk, by name."""

    def __init__(self) -> None:
        """Count nothing yet."""
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="desk-count")
        self._lock = threading.Lock()
        self._known: dict[str, Counted[Any]] = {}
        self._under_way: dict[str, Future[Counted[Any]]] = {}
        self._closed = False

    def get(
        self,
        name: str,
        count: Callable[[], T],
        now: datetime,
        *,
        fresh: timedelta = FRESH,
        stamp: object = None,
        patience: float = 0.0,
    ) -> Counted[T]:
        """The newest count called ``name``; one older than ``fresh``, or of another ``stamp``, is made anew beside the page.

        A first count, and one of another stamp, is waited for, for ``patience`` seconds.
        """
        with self._lock:
            known: Counted[T] = self._known.get(name, Counted(value=None, at=None))
            same = known.at is not None and known.stamp == stamp
            if (same and known.at is not None and timedelta(0) <= now - known.at < fresh) or self._closed:
                return known
            made: Future[Counted[T]] | None = self._under_way.get(name)
            if made is None:
                made = self._under_way[name] = self._thread.submit(self._make, name, count, now, stamp)
        if not same:
            with suppress(TimeoutError, CancelledError):
                fresh_one = made.result(patience)
                return fresh_one if fresh_one.at is not None else known
        return known

    def seen(self, name: str) -> Counted[Any]:
        """The newest count called ``name``, as it is; makes none."""
        with self._lock:
            return self._known.get(name, Counted(value=None, at=None))

    def forget(self, name: str) -> None:
        """Make a count anew at the next look: an act has changed it."""
        with self._lock:
            self._known.pop(name, None)

    def close(self) -> None:
        """Begin no count any more; what is under way is finished."""
        with self._lock:
            self._closed = True
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _make(self, name: str, count: Callable[[], T], now: datetime, stamp: object) -> Counted[T]:
        made: Counted[T] = Counted(value=None, at=None)
        try:
            made = Counted(value=count(), at=now, stamp=stamp)
        except SyndicateError as error:
            logger().warning("desk_count_failed", error=str(error))
        except Exception as error:  # noqa: BLE001 - a page that cannot count shows the rest
            logger().exception("desk_count_failed", error=type(error).__name__)
        finally:
            with self._lock:
                self._under_way.pop(name, None)
                if made.at is not None:
                    self._known.pop(name, None)
                    self._known[name] = made
                    while len(self._known) > _MOST:
                        del self._known[next(iter(self._known))]
        return made
