"""Looking into the Maildir and the IMAP mailbox: what is new there is read once, and stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from syndicate.errors import DeliveryError
from syndicate.log import logger
from syndicate.publish import returns
from syndicate.returns import maildir
from syndicate.store import marks
from syndicate.store.database import Connection
from syndicate.store.returns import Returns

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.config.returns import ImapSettings
    from syndicate.returns.imap import Mark

_POLLED: Final = "returns.polled"
_MAILDIR: Final = "maildir"
_AT_ONCE: Final = 100  # mails read before they are remembered; after a crash so many are read again, which changes nothing


def poll(app: App, stopped: Callable[[], bool] = lambda: False) -> int:
    """Look where the settings say, if it is time; how many mails were ours."""
    settings, now = app.settings.returns, app.now()
    if not (settings.maildir or settings.imap.host):
        return 0
    with app.store.read() as connection:
        last = marks.get(connection, _POLLED)
    if last and now - datetime.fromisoformat(last) < settings.every:
        return 0

    def work(connection: Connection) -> None:
        marks.put(connection, _POLLED, now.isoformat())

    app.store.write(work)
    try:
        return fetch(app, stopped)
    except DeliveryError as error:
        logger().error("mailbox_failed", error=f"{error} {error.advice}".strip())
        return 0


def fetch(app: App, stopped: Callable[[], bool] = lambda: False) -> int:
    """Read what is new in both, now; how many mails were ours.

    Raises
    ------
    Unreachable
        One of them cannot be read; what came before was.
    """
    settings = app.settings.returns
    ours = _maildir(app, app.root / settings.maildir, stopped) if settings.maildir else 0
    ours += _imap(app, settings.imap, stopped) if settings.imap.host else 0
    if ours:
        returns.follow_up(app, app.now())
    return ours


def _maildir(app: App, folder: Path, stopped: Callable[[], bool]) -> int:
    shelf, present = Returns(app.store), maildir.names(folder)
    source = f"{_MAILDIR}:{folder}"
    shelf.keep_seen(source, list(present))
    fresh = shelf.unseen(source, list(present))
    ours, read = 0, []
    for name, data in maildir.mails({name: present[name] for name in fresh}, stopped):
        ours += returns.take_mail(app, data, app.now())[1].known
        read.append(name)
        if len(read) == _AT_ONCE:
            shelf.see(source, read, app.now())
            read.clear()
    shelf.see(source, read, app.now())
    return ours


def _imap(app: App, settings: ImapSettings, stopped: Callable[[], bool]) -> int:
    from syndicate.returns.imap import Mailbox

    name = f"returns.imap:{settings.username}@{settings.host}/{settings.folder}"
    mark, found = _mark(app, name), []
    with Mailbox(settings) as mailbox:
        try:
            for place, (reached, data) in enumerate(mailbox.mails(mark), start=1):
                if returns.take_mail(app, data, app.now())[1].known:
                    found.append(reached.uid)
                mark = reached
                if not place % _AT_ONCE:
                    _keep(app, name, mark)
                if stopped():
                    break
        finally:
            _keep(app, name, mark)
        if settings.move_to:
            mailbox.move(found, settings.move_to)
    return len(found)


def _mark(app: App, name: str) -> Mark:
    from syndicate.returns.imap import Mark

    with app.store.read() as connection:
        validity, _, uid = marks.get(connection, name).partition(":")
    return Mark(validity=int(validity or 0), uid=int(uid or 0))


def _keep(app: App, name: str, mark: Mark) -> None:
    def work(connection: Connection) -> None:
        marks.put(connection, name, f"{mark.validity}:{mark.uid}")

    app.store.write(work)
