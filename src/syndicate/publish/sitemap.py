"""Sitemaps: every page with a brief of ours for crawlers, and those of the last two days for news search.

Quotations stand in none: their pages ask not to be found (Q20). A crawler comes by the hour, so a long-running
publisher looks once a minute, and makes only the map again in which something changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, MutableMapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from syndicate import __version__
from syndicate.model import Document
from syndicate.render import sitemap
from syndicate.render.sitemap import Page
from syndicate.store import facets, listing
from syndicate.store.items import joined
from syndicate.store.shelves import Mark, Shelves, newest_change, touched

if TYPE_CHECKING:
    from syndicate.app import App

INDEX: Final = "sitemap.xml"
NEWS: Final = "sitemap-news.xml"
FRONT: Final = "sitemap-pages.xml"
_MARK: Final = "/sitemap"  # no feed has such a name
_EVERY: Final = timedelta(minutes=1)
_NEWS_FOR: Final = timedelta(days=2)  # Google takes no older ones
_NEWS_MOST: Final = 1000


def publish(app: App, now: datetime, put: Callable[[Document], bool], memory: MutableMapping[str, str] | None = None) -> None:
    """Write the sitemaps as they stand at ``now``. ``put`` is false where the disk refused: then it is tried again."""
    if memory is not None:
        last = memory.get(_MARK, "")
        if last and timedelta(0) <= now - datetime.fromisoformat(last) < _EVERY:
            return
        memory[_MARK] = now.isoformat()
    shelves, made = Shelves(app.store, public_url=app.settings.web.public_url), _made(app)
    mark = shelves.mark(_MARK)
    with app.store.read() as connection:
        change, count = newest_change(connection), listing.stretches(connection)
        changed = touched(connection, "brief", mark, now)
        every = set(range(1, count + 1))
        fresh = set(range(mark.pages + 1, count + 1))
        stale = every if changed is None or memory is None or mark.made != made else _stretches(changed) | fresh
        maps = {
            _name(number): sitemap.sitemap(_pages(app, listing.stretch(connection, number, now))) for number in sorted(stale)
        }
        maps[FRONT] = sitemap.sitemap(_front(app, now))
        newest = [one for one in listing.since(connection, now - _NEWS_FOR, now, _NEWS_MOST) if _ours(app, one.link)]
    maps[NEWS] = sitemap.news(_pages(app, newest), publication=app.settings.site.title)
    maps[INDEX] = sitemap.index(app.public(name) for name in (FRONT, *map(_name, sorted(every))))
    done = put(Document(name="sitemap", files=maps, updated=now))
    if done and (stale or changed is None):
        shelves.done(_MARK, Mark(change=change, at=now, pages=count, made=made))


def paths(app: App) -> list[str]:
    """The files of all sitemaps, below the feeds folder."""
    with app.store.read() as connection:
        count = listing.stretches(connection)
    return [INDEX, FRONT, NEWS, *(_name(number) for number in range(1, count + 1))]


def _name(number: int) -> str:
    return f"sitemap-{number:04}.xml"


def _stretches(keys: Iterable[int]) -> set[int]:
    return {(key - 1) // listing.STRETCH + 1 for key in keys}


def _ours(app: App, link: str) -> bool:
    """Whether a link leads to our own site: a map may name no other."""
    return joined(app.settings.web.public_url, link).startswith(app.public(""))


def _pages(app: App, addresses: Iterable[listing.Address]) -> list[Page]:
    return [
        Page(
            url=joined(app.settings.web.public_url, one.link),
            changed=one.updated,
            title=one.title,
            published=one.published,
            lang=one.lang or app.settings.site.language,
        )
        for one in addresses
        if _ours(app, one.link)
    ]


def _front(app: App, now: datetime) -> list[Page]:
    """The pages that lead to briefs."""
    with app.store.read() as connection:
        topics = [f"topics/{facet.slug}" for facet in facets.facets(connection, "topic", now)]
        series = [f"series/{facet.slug}" for facet in facets.facets(connection, "series", now)]
    return [Page(url=app.public(path)) for path in ("", "briefs/", "feeds/", *topics, *series)]


def _made(app: App) -> str:
    """What maps are made with beside the briefs."""
    parts = (__version__, app.settings.web.public_url, app.settings.site.model_dump_json())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
