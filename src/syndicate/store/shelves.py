"""Which archive of a feed holds which item: decided once, in the order in which items came out, and kept for good.

So an item that comes late with an old date, one that vanishes, or one whose topics change moves no other one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import sqlalchemy as sa

from syndicate.links import name_slug
from syndicate.model import Brief, Quote, Status
from syndicate.store import items, schema
from syndicate.store.database import Connection, Store
from syndicate.store.items import ITEM, WHOLE
from syndicate.store.schema import to_micros

_SHELF: Final = schema.shelf.c
_DAY: Final = schema.day_quote.c
_FACET: Final = schema.facet.c
_AT_ONCE: Final = 500  # values in one IN list
_MANY: Final = 2_000  # changed items above which everything is looked at anew
_SHOWABLE: Final = (Status.PUBLISHED.value, Status.EMBARGOED.value, Status.WITHDRAWN.value)
_MARK: Final = sa.text(
    "INSERT INTO shelf_mark (feed, change, at, pages, made) VALUES (:feed, :change, :at, :pages, :made) "
    "ON CONFLICT (feed) DO UPDATE SET change = excluded.change, at = excluded.at, pages = excluded.pages, made = excluded.made"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Members:
    """The items that a feed is made of."""

    feed: str  # its name
    kind: Literal["brief", "quote"]
    topic: str = ""  # names or slugs; "" for all
    author: str = ""
    series: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """How far the archives of a feed are written."""

    change: int = -1  # the newest change of an item that is in
    at: datetime | None = None  # aware UTC: what came due by then is in
    pages: int = 0
    made: str = ""  # digest of what else they were made with


@dataclass(frozen=True, kw_only=True, slots=True)
class Shelf:
    """The archives of a feed as they should be."""

    pages: int  # how many; the oldest is 1
    open: tuple[int, ...]  # keys of the items that are in no archive yet
    stale: tuple[int, ...]  # pages that hold a changed item, or were not written yet
    change: int  # the newest change that was looked at
    touched: int | None  # changed items that were looked at; None: all there are


def newest_change(connection: Connection) -> int:
    """The newest change of any item."""
    return connection.execute(sa.select(sa.func.max(ITEM.change))).scalar() or 0


def feeds(connection: Connection) -> Iterator[str]:
    """Every feed that ever held an item."""
    name = ""
    while name := connection.execute(sa.select(sa.func.min(_SHELF.feed)).where(_SHELF.feed > name)).scalar() or "":
        yield name


class Shelves:
    """The archives of every feed."""

    def __init__(self, store: Store, *, public_url: str) -> None:
        """Use ``store``; paths of items stand below ``public_url``."""
        self._store = store
        self._public_url = public_url

    def mark(self, feed: str) -> Mark:
        """How far a feed's archives are written."""
        with self._store.read() as connection:
            row = connection.execute(sa.select(schema.shelf_mark).where(schema.shelf_mark.c.feed == feed)).first()
        return Mark(change=row.change, at=row.at, pages=row.pages, made=row.made) if row else Mark()

    def done(self, feed: str, mark: Mark) -> None:
        """Record that a feed's archives are written up to ``mark``."""
        values = {
            "feed": feed,
            "change": mark.change,
            "at": mark.at and to_micros(mark.at),
            "pages": mark.pages,
            "made": mark.made,
        }
        self._store.write(lambda connection: connection.execute(_MARK, values).close())

    def settle(self, members: Members, window: int, mark: Mark, now: datetime) -> Shelf:
        """Put what came out since ``mark`` on the shelf, and close an archive when more than ``window`` items are open.

        The first two archives are closed together and share one window, so that each document has a neighbour;
        every later one holds ``window`` items.
        """
        with self._store.read() as connection:
            change = newest_change(connection)
            changed = touched(connection, members.kind, mark, now)
            fresh = _fresh(connection, members, changed, now)
            waiting = len(_open(connection, members.feed))
        if fresh or waiting > window:
            self._store.write(lambda connection: _close(connection, members.feed, fresh, window))
        with self._store.read() as connection:
            pages = _pages(connection, members.feed)
            stale = set(range(mark.pages, pages + 1)) if pages > mark.pages else set()  # the last one gets a successor
            stale |= set(range(pages + 1)) if changed is None else _holding(connection, members.feed, changed)
            opened = _open(connection, members.feed)
        return Shelf(
            pages=pages,
            open=opened,
            stale=tuple(sorted(stale - {0})),
            change=change,
            touched=None if changed is None else len(changed),
        )

    def consents(self) -> str:
        """A mark that changes with every consent to a quote that is given or taken back."""
        query = sa.select(sa.func.count(), sa.func.max(schema.approval.c.key))
        with self._store.read() as connection:
            return " ".join(str(value) for value in connection.execute(query).one())

    def pages(self) -> dict[str, int]:
        """How many archives each feed has that ever held an item."""
        with self._store.read() as connection:
            return {feed: _pages(connection, feed) for feed in feeds(connection)}

    def briefs(self, members: Members, page: int, now: datetime, *, besides: Collection[str] = ()) -> list[Brief]:
        """Whole briefs of one archive, or with page 0 those in none, that are out at ``now``; without the ids ``besides``."""
        query = sa.select(*WHOLE).where(_on(members.feed, page), items.out("brief", now), *_facets(members))
        if besides:
            query = query.where(ITEM.id.not_in(list(besides)))
        with self._store.read() as connection:
            return [items.brief(row, self._public_url, now) for row in connection.execute(query.order_by(_SHELF.at, ITEM.id))]

    def quotes(self, members: Members, page: int, now: datetime) -> list[tuple[Quote, datetime]]:
        """The quotes of one archive and when each was first shown."""
        return self._quotes(_quotes_of(members.feed, now).where(_SHELF.page == page).order_by(_SHELF.at, ITEM.id), now)

    def newest_quotes(self, members: Members, limit: int, now: datetime) -> list[tuple[Quote, datetime]]:
        """The quotes that were first shown last, newest first: those in no archive are among them."""
        return self._quotes(_quotes_of(members.feed, now).order_by(_SHELF.at.desc(), ITEM.id).limit(limit), now)

    def _quotes(self, query: sa.Select[Any], now: datetime) -> list[tuple[Quote, datetime]]:
        with self._store.read() as connection:
            return [(items.quote(row, self._public_url, now), row.shown_at) for row in connection.execute(query)]


def _on(feed: str, page: int) -> sa.ColumnElement[bool]:
    return sa.and_(_SHELF.item == ITEM.key, _SHELF.feed == feed, _SHELF.page == page)


def _quotes_of(feed: str, now: datetime) -> sa.Select[Any]:
    there = sa.and_(ITEM.kind == "quote", ITEM.gone == 0, ITEM.status.in_(_SHOWABLE), _SHELF.at <= now)
    return sa.select(*WHOLE, _SHELF.at.label("shown_at")).where(_SHELF.item == ITEM.key, _SHELF.feed == feed, there)


def _facets(members: Members) -> Iterator[sa.ColumnElement[bool]]:
    for kind, name in (("topic", members.topic), ("author", members.author), ("series", members.series)):
        if name:
            same = sa.and_(_FACET.item == ITEM.key, _FACET.kind == kind, _FACET.slug == name_slug(name))
            yield sa.exists().where(same)


def touched(connection: Connection, kind: str, mark: Mark, now: datetime) -> set[int] | None:
    """Keys of the items that are not as they were at ``mark``; ``None`` where that may be any of them."""
    if mark.at is None:
        return None
    ahead = [
        ITEM.change > mark.change,
        sa.and_(ITEM.kind == kind, ITEM.status.in_(_SHOWABLE), ITEM.release > mark.at, ITEM.release <= now),
        sa.and_(ITEM.updated > mark.at, ITEM.updated <= now),
    ]
    found: set[int] = set()
    for condition in ahead:
        found.update(connection.execute(sa.select(ITEM.key).where(condition).limit(_MANY + 1)).scalars())
    return found if len(found) <= _MANY else None


def _fresh(connection: sa.Connection, members: Members, changed: set[int] | None, now: datetime) -> list[dict[str, int]]:
    """Members that are on no shelf of the feed yet, in the order in which they came out."""
    known = sa.exists().where(_SHELF.feed == members.feed, _SHELF.item == ITEM.key)
    if members.kind == "quote":  # at most one a day: all are looked at
        first = sa.func.min(_DAY.shown_at, type_=schema.Instant).label("at")
        shown = sa.and_(_DAY.item == ITEM.key, _DAY.state == "shown", _DAY.shown_at <= now)
        query = sa.select(ITEM.key, first, ITEM.id).where(shown, ~known).group_by(ITEM.key)
        parts: Iterable[sa.Select[Any]] = [query]
    else:
        query = sa.select(ITEM.key, ITEM.release.label("at"), ITEM.id).where(items.out("brief", now), ~known, *_facets(members))
        keys = sorted(changed or ())
        chunks = (keys[at : at + _AT_ONCE] for at in range(0, len(keys), _AT_ONCE))
        parts = [query] if changed is None else [query.where(ITEM.key.in_(chunk)) for chunk in chunks]
    rows = sorted((row.at, row.id, row.key) for part in parts for row in connection.execute(part))
    return [{"item": key, "at": to_micros(at)} for at, _, key in rows]


def _close(connection: sa.Connection, feed: str, fresh: Sequence[dict[str, int]], window: int) -> None:
    if fresh:
        add = sa.text("INSERT OR IGNORE INTO shelf (feed, item, page, at) VALUES (:feed, :item, 0, :at)")
        connection.execute(add, [{"feed": feed, **row} for row in fresh])
    query = sa.select(_SHELF.item).where(_SHELF.feed == feed, _SHELF.page == 0, _SHELF.item == ITEM.key)
    waiting = list(connection.execute(query.order_by(_SHELF.at, ITEM.id)).scalars())
    pages, taken, rows = _pages(connection, feed), 0, []
    while len(waiting) - taken > window:
        sizes = [window] if pages else [(window + 1) // 2, max(window // 2, 1)]
        for size in sizes:
            pages += 1
            rows += [{"feed": feed, "item": key, "page": pages} for key in waiting[taken : taken + size]]
            taken += size
    if rows:
        connection.execute(sa.text("UPDATE shelf SET page = :page WHERE feed = :feed AND item = :item"), rows)


def _pages(connection: sa.Connection, feed: str) -> int:
    return connection.execute(sa.select(sa.func.max(_SHELF.page)).where(_SHELF.feed == feed)).scalar() or 0


def _open(connection: sa.Connection, feed: str) -> tuple[int, ...]:
    return tuple(connection.execute(sa.select(_SHELF.item).where(_SHELF.feed == feed, _SHELF.page == 0)).scalars())


def _holding(connection: sa.Connection, feed: str, keys: Collection[int]) -> set[int]:
    """The pages that hold one of ``keys``."""
    ordered = sorted(keys)
    found: set[int] = set()
    for at in range(0, len(ordered), _AT_ONCE):
        same = sa.and_(_SHELF.feed == feed, _SHELF.item.in_(ordered[at : at + _AT_ONCE]))
        found.update(connection.execute(sa.select(_SHELF.page).where(same)).scalars())
    return found
