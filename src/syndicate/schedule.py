"""APScheduler, the clock only: it wakes the tick. What is due is the plan's to say, what was done the ledger's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

EVERY_SECONDS: Final = 5


class Clock:
    """Calls ``tick`` every five seconds, at the next due time, and as soon as a watched file is saved."""

    def __init__(self, tick: Callable[[], datetime | None], folders: list[Path]) -> None:
        """``tick`` returns the next instant (aware UTC) at which something is due, if it knows one."""
        self._tick = tick
        self._folders = [folder for folder in folders if folder.is_dir()]
        self._stop = threading.Event()
        self._busy = threading.Lock()
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(2)},
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
            timezone="UTC",
        )
        self._watcher = threading.Thread(target=self._watch, name="watcher", daemon=True)

    def start(self) -> None:
        """Tick from now on; the first one at once."""
        self._scheduler.add_job(self._run, "interval", seconds=EVERY_SECONDS, id="tick")
        self._scheduler.start()
        self._watcher.start()

    def stop(self) -> None:
        """Wait for a running tick, then tick no more."""
        self._stop.set()
        self._scheduler.shutdown(wait=True)
        self._watcher.join(timeout=EVERY_SECONDS)

    def _run(self) -> None:
        with self._busy:
            if self._stop.is_set():
                return
            upcoming = self._tick()
        if upcoming is not None and not self._stop.is_set():
            self._scheduler.add_job(self._run, "date", run_date=upcoming, id="slot", replace_existing=True)

    def _watch(self) -> None:
        """A saved file wakes the tick; without a folder to watch the interval is enough."""
        from watchfiles import watch

        if not self._folders:
            return
        for _ in watch(*self._folders, stop_event=self._stop, debounce=200, step=50, raise_interrupt=False):
            self._run()
