"""Briefs and quotes as the store knows them: one incremental sync, and what readers may see at a moment.

Whoever asks with ``now`` never learns of a draft, of an embargo that lasts, or of a date ahead.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, Final

import sqlalchemy as sa

from syndicate.errors import Fault
from syndicate.links import name_slug
from syndicate.model import Brief, Quote, Status, require_aware
from syndicate.plan.rotation import Shown
from syndicate.settings import SiteSettings
from syndicate.sources import Source
from syndicate.store import amendments, items, schema, withdrawals
from syndicate.store.database import Store
from syndicate.store.direct import Prepared
from syndicate.store.intake import Intake, SyncReport, merged
from syndicate.store.items import ITEM, LISTED, WHOLE
from syndicate.store.scan import Gathered, batches, gather, gather_at, standing, turn

_DAY: Final = schema.day_quote.c
_FACET: Final = schema.facet.c
_AT_ONCE: Final = 500  # values in one IN list
_AT_FIRST: Final = 2_000  # files that a beginning holds in memory
_UPSERT_DAY: Final = sa.text(
    "INSERT INTO day_quote (day, item, shown_at, state, reason) VALUES (:day, :item, :shown_at, :state, :reason) "
    "ON CONFLICT (day) DO UPDATE SET item = coalesce(excluded.item, item), shown_at = excluded.shown_at, "
    "state = CASE WHEN day_quote.state = 'carried' AND excluded.state <> 'shown' THEN 'carried' ELSE excluded.state END, "
    "reason = excluded.reason"
).bindparams(sa.bindparam("shown_at", type_=schema.Instant))


@dataclass(frozen=True, kw_only=True, slots=True)
class DayQuote:
    """The quote of one civil day of the site's zone (Q23)."""

    day: date
    quote: Quote | None  # None: no quote that day
    key: int | None  # the item's key
    shown_at: datetime | None  # aware UTC; the quote slot's due time
    state: str  # chosen | carried (by an edition before its slot) | shown | skipped | cancelled | none
    reason: str


class ContentStore:
    """The items of a publication."""

    def __init__(self, store: Store, *, site: SiteSettings, public_url: str, windows: Mapping[str, timedelta]) -> None:
        """``windows``: how far back an item first seen late may be dated and still be sent, by kind (``"brief"``)."""
        self._store = store
        self._site = site
        self._public_url = public_url
        self._windows = windows
        self._settled: dict[str, tuple[str, int]] = {}  # source -> its fingerprint at the end of which turn

    # -- taking in --------------------------------------------------------------------------------

    def sync(self, sources: Iterable[Source], now: datetime, *, only: Collection[str] | None = None) -> SyncReport:
        """Read what is new or changed in ``sources`` and record it in one transaction; a beginning, in several.

        A faulty file is reported and its last good version stays. A source that cannot be reached is
        reported and nothing of it is taken away. Where nothing changed, nothing is written. ``only`` are
        absolute paths at which something changed: where these are known files, no other is looked at.

        Raises
        ------
        StoreError
            The database cannot be used.
        """
        require_aware("now", now)
        wanted = list(sources)
        begun: list[SyncReport] = []
        found = self._changed(wanted, only) if only is not None else None
        if found is None:
            begun = self._begun(wanted, now)
            with self._store.read() as connection:
                found = [self._scanned(connection, source) for source in wanted]
        if any(one.news for one in found):
            return merged([*begun, self._taken_in(found, now)])
        with self._store.read() as connection:
            faults, advice = standing(connection)
        return merged([*begun, SyncReport(faults=faults, advice=advice)])

    def _begun(self, sources: Sequence[Source], now: datetime) -> list[SyncReport]:
        """Into an empty store, a few files at a time, so that the memory does not grow with the publication.

        Where this is cut short, the next sync goes on as the first one.
        """
        with self._store.read() as connection:
            if connection.execute(sa.select(ITEM.key).limit(1)).first() is not None:
                return []
        return [self._taken_in([found], now) for source in sources for found in batches(source, _AT_FIRST)]

    def _taken_in(self, found: Sequence[Gathered], now: datetime) -> SyncReport:
        def take_in(connection: sa.Connection) -> SyncReport:
            report = Intake(connection, site=self._site, windows=self._windows, now=now).run(found)
            amendments.keep(connection)
            withdrawals.keep(connection)
            return report

        return self._store.write(take_in)

    def _changed(self, sources: Sequence[Source], places: Collection[str]) -> list[Gathered] | None:
        """What changed at ``places``; ``None`` where only a full scan can tell, or no source knows a place."""
        nobodys = set(places)
        found = []
        with self._store.read() as connection:
            for source in sources:
                if (one := gather_at(connection, source, places)) is None:
                    return None
                nobodys &= one.elsewhere
                found.append(one)
        return None if nobodys else found

    def _scanned(self, connection: sa.Connection, source: Source) -> Gathered:
        """A full scan; while neither the files nor the database have changed since the last one, a look is enough."""
        known, now = self._settled.get(source.name), turn(connection)
        if known is not None and known == (now, source.fingerprint()):
            return Gathered(source=source.name, first=False)
        found = gather(connection, source)
        if found.fingerprint is not None:
            self._settled[source.name] = (now, found.fingerprint)
        return found

    def faults(self) -> list[Fault]:
        """Every fault that the last sync left standing, by file and line."""
        with self._store.read() as connection:
            return list(standing(connection)[0])

    def advice(self) -> list[Fault]:
        """What is worth mending in files that pass."""
        with self._store.read() as connection:
            return list(standing(connection)[1])

    # -- briefs -----------------------------------------------------------------------------------

    def briefs(
        self,
        *,
        now: datetime,
        limit: int | None = None,
        offset: int = 0,
        topic: str = "",
        author: str = "",
        series: str = "",
        with_body: bool = False,
    ) -> list[Brief]:
        """What is out at ``now``, newest first by ``published``, then by id; withdrawn ones with their status.

        ``topic``, ``author`` and ``series`` are names or slugs. The bodies are empty unless ``with_body``.
        """
        slugs = _slugs(topic, author, series)
        query = _listing(tuple(slugs), with_body=with_body)
        values = {**slugs, "now": now, "most": -1 if limit is None else limit, "past": offset}
        with self._store.read() as connection:
            return [items.brief(row, self._public_url, now) for row in connection.execute(query, values)]

    def briefs_by_ids(
        self, ids: Collection[str], *, now: datetime, topic: str = "", author: str = "", series: str = ""
    ) -> list[Brief]:
        """Of these, whole, what ``briefs`` would find: a reader waits for the one that was just saved."""
        slugs = _slugs(topic, author, series)
        query = _single(tuple(slugs))
        with self._store.read() as connection:
            rows = (row for name in ids for row in query.rows(connection, {**slugs, "now": now, "id": name}))
            return [items.brief(row, self._public_url, now) for row in rows]

    def brief(self, name: str, *, now: datetime | None) -> Brief | None:
        """A whole brief by its slug, id or file; ``None`` where there is none, or none yet at ``now``.

        ``now=None`` is for an editor's eyes: drafts, embargoed and future ones too.
        """
        seen = sa.and_(ITEM.kind == "brief", ITEM.gone == 0) if now is None else items.out("brief", now)
        found = self._briefs(sa.select(*WHOLE).where(seen, items.named(name)).order_by(ITEM.id != name).limit(1), now)
        return found[0] if found else None

    def released(self, after: datetime, to: datetime, *, late: bool = False) -> list[Brief]:
        """Whole briefs that became owed to readers in ``(after, to]``, in the order of their release.

        ``to`` may lie ahead. Withdrawn ones are left out, and late ones unless ``late``.
        """
        query = sa.select(*WHOLE).where(items.released_in("brief", after, to, late=late))
        return self._briefs(query.order_by(ITEM.release, ITEM.id), to)

    def late(self, now: datetime) -> list[Brief]:
        """Briefs dated too far back to go out by themselves: a person sends them or lets them be."""
        query = sa.select(*LISTED).where(items.out("brief", now, withdrawn=False), ITEM.late == 1)
        return self._briefs(query.order_by(ITEM.release, ITEM.id), now)

    def next_release(self, after: datetime) -> datetime | None:
        """The first instant after ``after`` at which a brief leaves: a due time of its own."""
        ahead = sa.and_(ITEM.kind == "brief", ITEM.gone == 0, ITEM.late == 0, ITEM.release > after)
        with self._store.read() as connection:
            return connection.execute(sa.select(sa.func.min(ITEM.release, type_=schema.Instant)).where(ahead)).scalar()

    def brief_by_key(self, key: int) -> Brief:
        """A whole brief by its key, whatever its status; its file may have vanished since.

        Raises
        ------
        KeyError
            There is no such brief.
        """
        return self.briefs_by_keys([key])[key]

    def briefs_by_keys(self, keys: Iterable[int]) -> dict[int, Brief]:
        """Whole briefs by their keys, whatever their status."""
        with self._store.read() as connection:
            rows = _by(connection, ITEM.key, keys, ITEM.kind == "brief")
            return {row.key: items.brief(row, self._public_url, None) for row in rows}

    def bodies(self, ids: Iterable[str]) -> dict[str, str]:
        """The bodies of items, by id."""
        if not (wanted := list(ids)):
            return {}
        with self._store.read() as connection:
            return {row.id: row.body for row in _by(connection, ITEM.id, wanted, sa.true(), (ITEM.id, ITEM.body))}

    def keys(self, ids: Iterable[str]) -> dict[str, int]:
        """The keys of items, by id. What is unknown is left out."""
        with self._store.read() as connection:
            return {row.id: row.key for row in _by(connection, ITEM.id, ids, sa.true(), (ITEM.id, ITEM.key))}

    def topics(self, now: datetime) -> list[tuple[str, str, int]]:
        """Slug, name and number of briefs of each topic that is out at ``now``; most briefs first."""
        count = sa.func.count().label("n")
        seen = sa.and_(items.out("brief", now, withdrawn=False), _FACET.item == ITEM.key, _FACET.kind == "topic")
        query = sa.select(_FACET.slug, sa.func.min(_FACET.name).label("name"), count).where(seen)
        with self._store.read() as connection:
            rows = connection.execute(query.group_by(_FACET.slug).order_by(count.desc(), _FACET.slug))
            return [(row.slug, row.name, row.n) for row in rows]

    # -- quotes -----------------------------------------------------------------------------------

    def quotes(self, *, now: datetime) -> list[Quote]:
        """The pool of the rotation: what is published and under no embargo at ``now``."""
        query = sa.select(*WHOLE).where(items.out("quote", now, withdrawn=False)).order_by(ITEM.id)
        with self._store.read() as connection:
            return [items.quote(row, self._public_url, now) for row in connection.execute(query)]

    def quote(self, name: str, *, now: datetime | None = None) -> Quote | None:
        """A quote by its slug, id or file; with ``now`` only one that readers have been shown, or sent, by then."""
        query = sa.select(*WHOLE).where(ITEM.kind == "quote", ITEM.gone == 0, items.named(name))
        if now is not None:
            query = query.where(ITEM.key.in_(sa.select(_DAY.item).where(sa.or_(_shown(now), _DAY.state == "carried"))))
        with self._store.read() as connection:
            row = connection.execute(query.order_by(ITEM.id != name).limit(1)).first()
        return items.quote(row, self._public_url, now) if row else None

    def quotes_by_keys(self, keys: Iterable[int]) -> dict[int, Quote]:
        """Quotes by their keys, whatever their status."""
        with self._store.read() as connection:
            rows = _by(connection, ITEM.key, keys, ITEM.kind == "quote")
            return {row.key: items.quote(row, self._public_url, None) for row in rows}

    def shown_quotes(self, now: datetime) -> list[tuple[Quote, datetime]]:
        """What readers have been shown by ``now`` and since when, newest first; withdrawn ones with their status."""
        query = sa.select(*WHOLE, _DAY.shown_at).where(_DAY.item == ITEM.key, ITEM.gone == 0, _shown(now))
        with self._store.read() as connection:
            rows = connection.execute(query.order_by(_DAY.shown_at.desc(), _DAY.day.desc()))
            return [(items.quote(row, self._public_url, now), row.shown_at) for row in rows if row.status in _SHOWABLE]

    def day_quote(self, day: date) -> DayQuote | None:
        """What was decided for a day; ``None`` where nothing has been yet."""
        with self._store.read() as connection:
            row = connection.execute(sa.select(schema.day_quote).where(_DAY.day == day.isoformat())).first()
        if row is None:
            return None
        quote = self.quotes_by_keys([row.item]).get(row.item) if row.item else None
        return DayQuote(day=day, quote=quote, key=row.item, shown_at=row.shown_at, state=row.state, reason=row.reason)

    def record_day(
        self, connection: sa.Connection, day: date, *, item: int | None, shown_at: datetime | None, state: str, reason: str
    ) -> None:
        """Record what was decided for a day, inside the caller's write transaction.

        ``item`` is the quote's key; ``None`` keeps the one that was chosen. A day whose quote an edition carried
        stays so, even where its slot is lost: it counts for the rotation.
        """
        values = {"day": day.isoformat(), "item": item, "shown_at": shown_at, "state": state, "reason": reason}
        connection.execute(_UPSERT_DAY, values)

    def reopen_day(self, connection: sa.Connection, day: date) -> None:
        """Take back that a day's quote was skipped: what was chosen stands, and where nothing was, it is chosen anew."""
        values = {"day": day.isoformat()}
        gone = "DELETE FROM day_quote WHERE day = :day AND state = 'skipped' AND item IS NULL"
        kept = "UPDATE day_quote SET state = 'chosen', reason = '' WHERE day = :day AND state = 'skipped'"
        connection.execute(sa.text(gone), values)
        connection.execute(sa.text(kept), values)

    def quote_history(self, *, before: date) -> list[Shown]:
        """What each quote slot before a day showed, in order of the days; a slot without a quote counts too."""
        speaker, ideology = (sa.func.json_extract(ITEM.front, f"$.{name}") for name in ("speaker", "ideology"))
        ran = sa.and_(_DAY.item == ITEM.key, _DAY.state.in_(("chosen", "carried", "shown")))
        query = sa.select(_DAY.day, ITEM.id, speaker.label("speaker"), ideology.label("ideology"))
        query = query.select_from(schema.day_quote.outerjoin(schema.item, ran)).where(_DAY.day < before.isoformat())
        with self._store.read() as connection:
            return [
                Shown(
                    day=date.fromisoformat(row.day),
                    quote_id=row.id or "",
                    speaker=row.speaker or "",
                    ideology=row.ideology or "",
                )
                for row in connection.execute(query.order_by(_DAY.day))
            ]

    def _briefs(self, query: sa.Select[Any], now: datetime | None) -> list[Brief]:
        with self._store.read() as connection:
            return [items.brief(row, self._public_url, now) for row in connection.execute(query)]


def _slugs(topic: str, author: str, series: str) -> dict[str, str]:
    return {kind: name_slug(name) for kind, name in (("topic", topic), ("author", author), ("series", series)) if name}


@cache
def _listing(kinds: tuple[str, ...], *, with_body: bool) -> sa.Select[Any]:
    """What ``briefs`` asks, its values left open: making it takes longer than running it."""
    query = _out(kinds, WHOLE if with_body else LISTED).order_by(ITEM.date.desc(), ITEM.id)
    return query.limit(sa.bindparam("most", type_=sa.Integer)).offset(sa.bindparam("past", type_=sa.Integer))


@cache
def _single(kinds: tuple[str, ...]) -> Prepared:
    """What ``briefs_by_ids`` asks of each."""
    return Prepared(_out(kinds, WHOLE).where(ITEM.id == sa.bindparam("id", "")))


def _out(kinds: tuple[str, ...], columns: Sequence[sa.ColumnElement[Any]]) -> sa.Select[Any]:
    """Briefs that are out at ``now`` and name what is to be told of each of ``kinds``."""
    query = sa.select(*columns).where(items.out("brief", sa.bindparam("now", None, type_=schema.Instant)))
    for kind in kinds:
        slug = sa.bindparam(kind, "", type_=sa.Text)
        query = query.where(sa.exists().where(_FACET.item == ITEM.key, _FACET.kind == kind, _FACET.slug == slug))
    return query


_SHOWABLE: Final = frozenset({Status.PUBLISHED.value, Status.EMBARGOED.value, Status.WITHDRAWN.value})


def _shown(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(_DAY.state == "shown", _DAY.shown_at <= now)


def _by(
    connection: sa.Connection,
    column: sa.Column[Any],
    values: Iterable[Any],
    condition: sa.ColumnElement[bool],
    columns: Sequence[sa.ColumnElement[Any]] = WHOLE,
) -> Iterable[sa.Row[Any]]:
    wanted = list(values)
    for at in range(0, len(wanted), _AT_ONCE):
        yield from connection.execute(sa.select(*columns).where(condition, column.in_(wanted[at : at + _AT_ONCE])))
