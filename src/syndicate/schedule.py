"""APScheduler, the clock only: it wakes the tick. What is due is the plan's to say, what was done the ledger's."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from syndicate.log import logger

EVERY_SECONDS: Final = 5
# While a watcher tells what was saved, looking at every file is for what it missed (a network disk, a folder that
# was replaced): a hundredth of the time is enough for that, and once a minute in any case.
_SHARE: Final = 100
_RAREST_SECONDS: Final = 60
# A save is told once nothing more came for a step: editors write a file in several strokes.
_STEP_MILLIS: Final = 15
_DEBOUNCE_MILLIS: Final = 100
_BEAT_MILLIS: Final = 1000


class Clock:
    """Calls ``tick`` every five seconds, at the next due time, and as soon as a watched file is saved."""

    def __init__(self, tick: Callable[[Collection[str] | None], datetime | None], folders: list[Path]) -> None:
        """``tick`` is told which paths changed, ``None`` where that is not known; it returns the next due time.

        That is the next instant (aware UTC) at which something is due, if it knows one.
        """
        self._tick = tick
        self._folders = folders
        self._stop = threading.Event()
        self._busy = threading.Lock()
        self._watching = False
        self._look_again = 0.0  # monotonic seconds
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(2)},
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
            timezone="UTC",
        )
        self._watcher = threading.Thread(target=self._watch, name="watcher", daemon=True)
        self._keeper = threading.Thread(target=self._keep_time, name="timekeeper", daemon=True)

    def start(self) -> None:
        """Tick from now on; the first one at once."""
        self._scheduler.add_job(self._run, "interval", seconds=EVERY_SECONDS, id="tick")
        self._scheduler.start()
        self._watcher.start()
        self._keeper.start()

    def stop(self) -> None:
        """Wait for a running tick, then tick no more."""
        self._stop.set()
        self._scheduler.shutdown(wait=True)
        self._watcher.join(timeout=EVERY_SECONDS)
        self._keeper.join(timeout=EVERY_SECONDS)

    def _run(self, changed: Collection[str] | None = None) -> None:
        with self._busy:
            if self._stop.is_set():
                return
            began = time.monotonic()
            if changed is None and self._watching and began < self._look_again:
                changed = ()
            upcoming = self._tick(changed)
            if changed is None:
                ended = time.monotonic()
                self._look_again = ended + min(_RAREST_SECONDS, _SHARE * (ended - began))
        if upcoming is not None and not self._stop.is_set():
            self._scheduler.add_job(self._run, "date", run_date=upcoming, id="slot", replace_existing=True)

    def _keep_time(self) -> None:
        """Where somebody has set the machine's clock back by an hour, the next tick would be due in an hour."""
        while not self._stop.wait(EVERY_SECONDS):
            job = self._scheduler.get_job("tick")
            if job is not None and job.next_run_time - datetime.now(UTC) > timedelta(seconds=2 * EVERY_SECONDS):
                logger().warning("clock_went_back")
                self._scheduler.reschedule_job("tick", trigger="interval", seconds=EVERY_SECONDS)

    def _watch(self) -> None:
        """A saved file wakes the tick; without a folder to watch, or a way to, the interval is enough."""
        from watchfiles import watch

        present = [folder for folder in self._folders if folder.is_dir()]
        if not present:
            return
        batches = watch(
            *present,
            stop_event=self._stop,
            debounce=_DEBOUNCE_MILLIS,
            step=_STEP_MILLIS,
            rust_timeout=_BEAT_MILLIS,
            yield_on_timeout=True,
            raise_interrupt=False,
        )
        try:
            for batch in batches:
                if not self._watching and len(present) == len(self._folders):
                    self._watching, self._look_again = True, 0.0
                    self._run()  # what was saved until now, nobody has told
                if batch:
                    self._run({path for _, path in batch})
        except (OSError, RuntimeError) as error:
            logger().warning("watch_failed", error=str(error))
        finally:
            self._watching = False
