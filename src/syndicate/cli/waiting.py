"""Sending by hand: done here where no ``run`` is going, else left to it and waited for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from syndicate.cli.output import note, progress

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.store.books import Balance

_LOOK_SECONDS: Final = 0.5


def deliver(app: App, balance: Callable[[], Balance]) -> Balance:
    """Send what is due, or wait while another process does, until nothing of ``balance`` is open."""
    from syndicate.press import Press
    from syndicate.store.lock import RunLock

    lock = RunLock(app.store.path)
    if lock.take():
        lock.free()
        press = Press(app)
        press.deliver()
        if press.fenced:
            note(f"everything is on hold: {press.fenced}; if this copy is the one that sends, run `syndicate claim`")
        return balance()
    note("a `syndicate run` is going: it sends, this command waits")
    found = balance()
    with progress("sent", found.audience) as done:
        while found.open:
            done(found.audience - found.open)
            time.sleep(_LOOK_SECONDS)
            found = balance()
    return found
