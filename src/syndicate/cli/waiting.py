"""Sending by hand: done here where no ``run`` is going, else left to it and waited for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from syndicate.cli.output import note, progress

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.store.books import Balance

_LOOK_SECONDS: Final = 0.5


def deliver(app: App, kind: str, subject: str) -> Balance:
    """Send what is due, or wait while another process does, until nothing of it is open but what is held or tried later."""
    from syndicate.press import Press
    from syndicate.store.lock import RunLock

    lock = RunLock(app.store.path)
    if lock.take():
        lock.free()
        press = Press(app)
        press.deliver()
        if press.fenced:
            note(f"everything is on hold: {press.fenced}; if this copy is the one that sends, run `syndicate claim`")
    else:
        note("a `syndicate run` is going: it sends, this command waits")
        _wait(app, kind, subject)
    found = app.books.balance(kind, subject)
    if found.open:
        note(f"{found.open} wait: held, or to be tried again later; `syndicate deliveries list` tells of each")
    return found


def _wait(app: App, kind: str, subject: str) -> None:
    found = app.books.balance(kind, subject)
    with progress("sent", found.audience) as done:
        while found.open > app.books.resting(kind, subject):
            done(found.audience - found.open)
            time.sleep(_LOOK_SECONDS)
            found = app.books.balance(kind, subject)
