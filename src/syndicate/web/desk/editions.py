"""Editions and readers: do the books balance, how did it go out, and who joined and left. Nothing about one person."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from syndicate.store import board, readership
from syndicate.web.desk import books, plots, recount
from syndicate.web.desk.ways import view

if TYPE_CHECKING:
    from starlette.responses import Response

    from syndicate.app import App
    from syndicate.store.agenda import Edition
    from syndicate.store.board import Sent
    from syndicate.store.readership import Details, Readers
    from syndicate.web.desk.books import Books
    from syndicate.web.desk.recount import Check
    from syndicate.web.desk.visit import Visit

_PAGE: Final = 25
_WEEKS: Final = 26
_HOUR: Final = timedelta(hours=1)


def editions(visit: Visit) -> Response:
    """The list, newest first, with the readers of each newsletter below it."""
    before = visit.asked("before")
    first = int(before) if before.isascii() and before.isdecimal() and len(before) < 18 else None  # noqa: PLR2004 - SQLite's
    with visit.app.store.read() as connection:
        found = board.editions(connection, before=first, limit=_PAGE + 1)
        shown = [(edition, board.of_edition(connection, edition.key)) for edition in found[:_PAGE]]
    holds = [hold.target for hold in visit.app.holds.list()]
    return visit.sheet(
        "editions",
        here="/editions",
        rows=[(edition, _books(visit, edition, sent, holds)) for edition, sent in shown],
        older=found[_PAGE - 1].key if len(found) > _PAGE else None,
        first=first is None,
        letters=[(name, letter.title, *_readers(visit, name)) for name, letter in visit.app.settings.newsletters.items()],
    )


def edition(visit: Visit) -> Response:
    """One edition: its books, how it went out, why not, and by domain."""
    key = visit.request.path_params["edition"]
    with visit.app.store.read() as connection:
        found = board.edition(connection, key)
        sent = board.of_edition(connection, key) if found else []
        variants = board.variants(connection, key) if found else []
    if found is None:
        return visit.notice(
            "There is no such edition", "Editions are numbered as they are made.", status=404, way="/desk/editions"
        )
    holds = [hold.target for hold in visit.app.holds.list()]
    shown = _books(visit, found, sent, holds, check=recount.checked(visit, key, sent) if sent else None)
    keys = [one.key for one in sent]
    counted = visit.counted(f"edition:{key}", lambda: _details(visit.app, keys))
    ends = shown.going.ends if shown and shown.going else None
    return visit.sheet(
        "edition",
        here="/editions",
        edition=found,
        books=shown,
        sent=sent,
        variants=variants,
        counted=counted,
        plot=plots.progress(counted.value.minutes, shown.audience, visit.now, ends, visit.zone)
        if counted.value and shown
        else None,
        public=visit.app.public(f"/editions/{found.newsletter}/{found.number}"),
        held=f"edition:{key}" in holds,
        fewest=readership.FEWEST,
        kept=visit.app.settings.privacy.keep_details_days,
    )


def _books(visit: Visit, found: Edition, sent: list[Sent], holds: list[str], check: Check | None = None) -> Books | None:
    letter = visit.app.settings.newsletters.get(found.newsletter)
    return books.of(sent, holds, letter.channel if letter else "", visit.desk.pace, visit.now, check) if sent else None


def _details(app: App, keys: list[int]) -> Details:
    with app.store.read() as connection:
        return readership.details(connection, keys)


def _readers(visit: Visit, name: str) -> tuple[Readers | None, plots.Growth | None]:
    """The readers of one newsletter, counted beside the page, and their plot."""
    today = visit.now.astimezone(visit.zone)
    monday = datetime.combine(today.date() - timedelta(days=today.weekday()), time(), visit.zone)
    first = monday - timedelta(weeks=_WEEKS - 1)

    def count() -> Readers:
        with visit.app.store.read() as connection:
            return readership.readers(connection, name, first, _WEEKS)

    counted = visit.counted(f"readers:{name}", count, fresh=_HOUR)
    return counted.value, plots.growth(counted.value.weeks, visit.zone) if counted.value else None


WAYS: Final = (view("/editions", editions), view("/editions/{edition:int}", edition))
