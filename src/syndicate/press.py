"""One run of a publication: lock, fence, ticks, workers and pages, started and stopped in the right order."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from os.path import normpath
from typing import TYPE_CHECKING, Final

from syndicate.channels.websub import is_loopback
from syndicate.errors import ConfigError, Fault, SyndicateError
from syndicate.log import logger
from syndicate.publish import mailbox, returns
from syndicate.publish.forecast import next_due
from syndicate.publish.kept import Memory
from syndicate.publish.tick import TickReport, tick
from syndicate.runtime import Runtime
from syndicate.store import marks
from syndicate.store.lock import RunLock

if TYPE_CHECKING:
    from syndicate.app import App

_LOOK_SECONDS: Final = 5  # how often it is asked whether it is time to look for what came back


class Press:
    """The process that sends. One at a time for each database."""

    def __init__(self, app: App, *, environ: Mapping[str, str] | None = None) -> None:
        """Start nothing yet."""
        self._app = app
        self._environ = os.environ if environ is None else environ
        self._lock = RunLock(app.store.path)
        self._runtime = Runtime(app)
        self._stop = threading.Event()
        self._feeds = Memory()  # what each feed was last made of
        self.fenced = ""  # why everything is on hold since the start

    @property
    def counts(self) -> Mapping[str, int]:
        """What was settled so far, by state."""
        return {str(state): n for state, n in self._runtime.counts.states.items()}

    @property
    def stopped(self) -> frozenset[str]:
        """Channels that could not go on for want of the database."""
        return frozenset(self._runtime.stopped)

    def once(self) -> TickReport:
        """One tick, then everything it made due.

        Raises
        ------
        StoreError
            Another process runs on this database.
        """
        with self._lock:
            self._enter()
            if not self.fenced:  # a copy must not take the original's mail away
                mailbox.poll(self._app)
            report = tick(self._app, self._app.now(), self._feeds)
            self._runtime.drain()
            returns.follow_up(self._app, self._app.now())
        return report

    def deliver(self) -> None:
        """Send what is planned and due, without a tick.

        Raises
        ------
        StoreError
            Another process runs on this database.
        """
        with self._lock:
            self._enter()
            self._runtime.drain()
            returns.follow_up(self._app, self._app.now())

    def forever(self, report: Callable[[TickReport], None], upcoming: Callable[[datetime | None], None]) -> None:
        """Tick on schedule until ``stop``; ``report`` sees each tick, ``upcoming`` the next due time once it has changed.

        Raises
        ------
        StoreError
            Another process runs on this database.
        """
        from syndicate.schedule import Clock

        known: list[datetime | None] = []

        def turn(changed: Collection[str] | None = None) -> datetime | None:
            now = self._app.now()
            report(tick(self._app, now, self._feeds, changed=changed))
            self._runtime.kick()
            due = next_due(self._app, now)
            if known != [due]:
                known[:] = [due]
                upcoming(due)
            return due

        with self._lock:
            self._enter()
            turn()
            clock = Clock(turn, [self._app.root / normpath(source.path) for source in self._app.settings.sources.values()])
            looking = threading.Thread(target=self._look, name="returns", daemon=True)  # a mailbox may be slow: not in a tick
            clock.start()
            looking.start()
            self._stop.wait()
            clock.stop()
            looking.join(timeout=_LOOK_SECONDS)
            self._runtime.stop()

    def _look(self) -> None:
        """Read what comes back, as often as the settings say."""
        while not self._stop.wait(_LOOK_SECONDS):
            try:
                if not self.fenced:
                    mailbox.poll(self._app, self._stop.is_set)
            except SyndicateError as error:
                logger().error("mailbox_failed", error=str(error))

    def stop(self) -> None:
        """Ask ``forever`` to finish what is in hand and return. Safe in a signal handler."""
        self._stop.set()

    def _enter(self) -> None:
        self.fenced = marks.enter(self._app.store, self._app.var, environ=self._environ, now=self._app.now())
        self._runtime.recover()


def refuse_pretence(app: App) -> None:
    """``--at`` pretends that it is another time: only where nothing can leave this machine.

    Raises
    ------
    ConfigError
        Some channel reaches out.
    """
    reaching = sorted(name for name, channel in app.channels.items() if not channel.local)
    reaching += sorted({feed.hub for feed in app.settings.feeds.values() if feed.hub and not is_loopback(feed.hub)})
    mailbox_host = app.settings.returns.imap.host
    reaching += [mailbox_host] if mailbox_host and not is_loopback(f"imap://{mailbox_host}") else []
    if reaching:
        fault = Fault(
            file="config/syndicate.toml",
            rule="--at",
            what=f"{', '.join(reaching)} would send to the real world at a pretended time",
            right='pretend only while every channel is `kind = "outbox"` or on loopback',
        )
        raise ConfigError(fault)
