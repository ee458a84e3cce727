"""Archives of a feed (RFC 5005 §4): what has left the subscription document, in documents whose entries never change place.

Only an archive that holds something new or changed is made again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from syndicate import __version__
from syndicate.channels.files import Files
from syndicate.model import Brief, Quote
from syndicate.publish import catalogue
from syndicate.publish.catalogue import Planned
from syndicate.render.feed import Entry, Feed
from syndicate.store.shelves import Mark, Shelf, Shelves

if TYPE_CHECKING:
    from syndicate.app import App

_QUOTE_TEMPLATE: Final = "pages/_quote_feed.html.j2"
_OFTEN_ENOUGH: Final = 200  # changed items after which a mark moves on although no archive changed


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """The items of one document: briefs or quotes."""

    briefs: Sequence[Brief] = ()
    quotes: Sequence[tuple[Quote, datetime]] = ()  # and when each was first shown


@dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """The archives of one feed, and which of them are to be written."""

    planned: Planned
    shelf: Shelf
    stale: tuple[int, ...]
    mark: Mark  # how it stands once they are written
    behind: bool  # whether the mark is to move although nothing is stale


def settle(app: App, one: Planned, now: datetime, files: Files | None = None, *, anew: bool = False) -> History:
    """Decide which archive holds what and which to write: with ``files`` also those not on the disk, or all ``anew``."""
    shelves, made = _shelves(app), _made(app, one)
    mark = shelves.mark(one.name)
    shelf = shelves.settle(one.members, one.setting.window, mark, now)
    every = range(1, shelf.pages + 1)
    stale = set(every) if anew or mark.made != made else set(shelf.stale)
    if files is not None:
        about = catalogue.feed(app, one)
        stale |= {page for page in every if not files.holds(about.path(form, page) for form in about.urls)}
    return History(
        planned=one,
        shelf=shelf,
        stale=tuple(sorted(stale)),
        mark=Mark(change=shelf.change, at=now, pages=shelf.pages, made=made),
        behind=mark.made != made or shelf.touched is None or shelf.touched > _OFTEN_ENOUGH,
    )


def standing(app: App, history: History, files: Files) -> bool:
    """Whether the newest archive is there to be led to, or there is none to lead to."""
    about, newest = catalogue.feed(app, history.planned), history.shelf.pages
    return not newest or files.holds(about.path(form, newest) for form in about.urls)


def write(app: App, history: History, put: Callable[[Feed], bool], entries: Callable[[Planned, int], Iterable[Entry]]) -> None:
    """Write the stale archives, the newest first. ``put`` is false where the disk or the gate refused: then they stay stale."""
    if not history.stale and not history.behind:
        return
    about = replace(catalogue.feed(app, history.planned), pages=history.shelf.pages)
    done = [put(replace(about, page=page, entries=tuple(entries(history.planned, page)))) for page in reversed(history.stale)]
    if all(done):
        _shelves(app).done(history.planned.name, history.mark)


def newest(app: App, one: Planned, now: datetime, *, with_body: bool = True) -> Batch:
    """The items of the subscription document: the newest, and those in no archive yet."""
    setting = one.setting
    if setting.items == "quotes":
        return Batch(quotes=_shelves(app).newest_quotes(one.members, setting.window, now))
    briefs = app.content.briefs(
        now=now, limit=setting.window, topic=setting.topic, author=setting.author, series=setting.series, with_body=with_body
    )
    return Batch(briefs=[*briefs, *_shelves(app).briefs(one.members, 0, now, besides=[brief.id for brief in briefs])])


def page(app: App, one: Planned, number: int, now: datetime) -> Batch:
    """The items of one archive."""
    if one.setting.items == "quotes":
        return Batch(quotes=_shelves(app).quotes(one.members, number, now))
    return Batch(briefs=_shelves(app).briefs(one.members, number, now))


def paths(app: App, listed: Iterable[Planned]) -> Iterator[str]:
    """The files of every archive that there is, below the feeds folder."""
    pages = _shelves(app).pages()
    for one in listed:
        about = catalogue.feed(app, one)
        for number in range(1, pages.get(one.name, 0) + 1):
            yield from (about.path(form, number) for form in about.urls)


def _shelves(app: App) -> Shelves:
    return Shelves(app.store, public_url=app.settings.web.public_url)


def _made(app: App, one: Planned) -> str:
    """What archives are made with beside their items: where that changes, every one of them is made again."""
    parts = [__version__, repr(catalogue.feed(app, one))]
    if one.setting.items == "quotes":
        parts += [
            _shelves(app).consents(),
            app.settings.quotes.model_dump_json(),
            app.settings.site.model_dump_json(),
            app.templates.source(_QUOTE_TEMPLATE),
        ]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
