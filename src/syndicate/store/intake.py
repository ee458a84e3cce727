"""One sync's write: gathered drafts become rows, all in one transaction, in a few statements however many there are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from syndicate.errors import Fault
from syndicate.links import name_slug
from syndicate.settings import SiteSettings
from syndicate.sources import Draft
from syndicate.store import corrections, marks, schema
from syndicate.store.direct import Direct
from syndicate.store.identity import Known, Sighting, assign, fault, minted, sighting, slugs
from syndicate.store.release import Before, Timing, timing
from syndicate.store.scan import Gathered, Note, mark, standing, take_turn

# Plain SQL, for one saved file is a dozen statements: building each from objects would take longer than running it.
_INSTANTS: Final = frozenset(column.name for column in schema.item.columns if isinstance(column.type, schema.Instant))
_KNOWN: Final = tuple(entry.name for entry in fields(Known))
_ROWS: Final = f"SELECT {', '.join(_KNOWN)} FROM item WHERE "  # noqa: S608 - a dataclass's fields
_LIST: Final = "IN (SELECT value FROM json_each(?))"  # any number of values in one parameter
_IDS: Final = f"SELECT id, key FROM item WHERE id {_LIST}"  # noqa: S608 - our own words
_SLUGS: Final = f"SELECT slug, key FROM item WHERE kind = ? AND slug {_LIST}"  # noqa: S608 - our own words


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncReport:
    """What one sync found. Items are named by their ids."""

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()  # other bytes, another path, or back again
    gone: tuple[str, ...] = ()  # the file has vanished
    released: tuple[str, ...] = ()  # owed to readers from this sync on
    late: tuple[str, ...] = ()  # dated too far back to go out by themselves
    faults: tuple[Fault, ...] = ()  # every standing fault, those of unchanged files too
    advice: tuple[Fault, ...] = ()  # worth mending, although the item passes


def merged(reports: Sequence[SyncReport]) -> SyncReport:
    """Several in a row as one; what stands is what stood at their end."""
    lists = ("new", "changed", "gone", "released", "late")
    found = {name: tuple(dict.fromkeys(item for one in reports for item in getattr(one, name))) for name in lists}
    return replace(reports[-1], **found)


class Intake:
    """Turns gathered drafts into rows. Made anew for each write transaction."""

    def __init__(
        self, connection: sa.Connection, *, site: SiteSettings, windows: Mapping[str, timedelta], now: datetime
    ) -> None:
        """``windows``: how far back an item may be dated when it is first seen and still be sent, by kind."""
        self._connection = connection
        self._site = site
        self._windows = windows
        self._now = now
        self._direct = Direct(connection)
        self._names = _Names(self._direct)
        last = self._direct.rows("SELECT (SELECT max(key) FROM item), (SELECT max(change) FROM item)")[0]
        self._next_key, self._change = ((number or 0) + 1 for number in last)
        self._inserts: list[dict[str, Any]] = []
        self._updates: list[dict[str, Any]] = []
        self._touched: list[dict[str, Any]] = []
        self._facets: list[tuple[int, str, str, str]] = []
        self._joined: datetime | None = None  # the start mark, where a source joins a running publication
        self._ids: dict[str, list[str]] = {name: [] for name in ("new", "changed", "gone", "released", "late")}

    def run(self, found: Sequence[Gathered]) -> SyncReport:
        """Decide what each file is and write everything."""
        sightings = [sighting(one.source, draft, self._site.tag_authority) for one in found for draft in one.drafts]
        first = {one.source for one in found if one.first and one.reached and not self._marked(one.source)}
        if first and self._running() and (began := marks.get(self._connection, "start")):
            self._joined = datetime.fromisoformat(began)
        vanished = {(one.source, path) for one in found for path in one.vanished}
        rows = self._rows(found, sightings, first)
        touched = {seen.place for seen in sightings}
        here = {one.source for one in found}
        loose = {row.key for row in rows if row.gone or row.source not in here or (row.source, row.path) in touched | vanished}
        assigned = assign(sightings, rows, loose)
        self._names.load(sightings, self._site)
        refused = []
        for seen in sightings:
            row = assigned.known.get(seen.place)
            wrong = assigned.refused.get(seen.place) or self._take(seen, row, first=seen.source in first)
            if wrong:
                refused.append((seen.source, Note(path=seen.draft.path, stamp="", faults=(wrong,))))
        kept = {row.key for row in assigned.known.values()}
        lost = [row for row in rows if (row.source, row.path) in vanished and not row.gone and row.key not in kept]
        self._write(lost)
        self._note(found, refused, first - {one.source for one in found if one.more})
        take_turn(self._connection)
        faults, advice = standing(self._connection)
        return SyncReport(**{name: tuple(ids) for name, ids in self._ids.items()}, faults=faults, advice=advice)

    def _marked(self, source: str) -> bool:
        return bool(marks.get(self._connection, mark(source)))

    def _running(self) -> bool:
        """Whether a source was read before: this is not the publication's beginning."""
        known = sa.select(schema.meta.c.name).where(schema.meta.c.name.startswith(mark("")))
        return self._connection.execute(known.limit(1)).first() is not None

    def _rows(self, found: Sequence[Gathered], sightings: Sequence[Sighting], first: set[str]) -> list[Known]:
        """Every item that one of the files could be."""
        wanted: list[tuple[str, tuple[str, ...]]] = []
        here = _listed(one.source for one in found)
        for one in found:
            if paths := _listed({draft.path for draft in one.drafts} | one.vanished):
                wanted.append((f"source = ? AND path {_LIST}", (one.source, paths)))
                if one.source in first:
                    # A source that was given another name: its files are still the items that they were.
                    wanted.append((f"source NOT {_LIST} AND path {_LIST}", (here, paths)))
        if named := _listed({seen.id for seen in sightings if seen.id}):
            wanted.append((f"id {_LIST}", (named,)))
        if contents := _listed({seen.draft.content_sha for seen in sightings}):
            wanted.append((f"gone = 1 AND content_sha {_LIST}", (contents,)))
        rows: dict[int, Known] = {}
        for condition, values in wanted:
            for row in self._direct.rows(_ROWS + condition, values):
                rows[row[0]] = _known(row)
        return [rows[key] for key in sorted(rows)]

    def _take(self, seen: Sighting, row: Known | None, *, first: bool) -> Fault | None:
        """Queue what is to be written for one file, or say why it cannot be."""
        draft = seen.draft
        if row and not row.gone and row.content_sha == draft.content_sha and (row.source, row.path) == seen.place:
            self._touched.append({"key": row.key, "stamp": draft.stamp})
            return None
        key = row.key if row else self._next_key
        item_id = self._id(seen, row, key)
        if not item_id:
            stored = f": it was published as {row.id}" if row else " and is taken"
            return fault(draft, f"an id is permanent{stored}", "keep it, or give a new item a file of its own")
        slug = next((text for text in slugs(seen, item_id, row.slug if row else "", self._site.zone)
                     if self._names.slug_free(draft.kind, text, key)), "")  # fmt: skip
        if not slug:
            return fault(draft, "another item has its slug", "write another one: slug: …")
        before = (
            Before(date=row.date, release=row.release, late=bool(row.late), status=row.status, updated=row.updated)
            if row
            else None
        )
        times = timing(
            draft,
            before,
            now=self._now,
            first=first,
            window=self._windows.get(draft.kind, timedelta.max),
            joined=self._joined if first else None,
        )
        self._names.take(draft.kind, item_id, slug, key)
        self._queue(seen, row, key=key, item_id=item_id, slug=slug, times=times)
        return None

    def _id(self, seen: Sighting, row: Known | None, key: int) -> str:
        """The item's id; ``""`` where the front matter asks for one that it may not have."""
        if row and (not seen.id or seen.id == row.id):
            return row.id
        if row and row.release is not None and row.release <= self._now:
            return ""
        if row and not self._names.id_free(seen.id, key):
            return ""
        return next((text for text in minted(seen, self._site.tag_authority) if self._names.id_free(text, key)), "")

    def _queue(self, seen: Sighting, row: Known | None, *, key: int, item_id: str, slug: str, times: Timing) -> None:
        draft = seen.draft
        front = draft.front if row is None else self._dated(row.key, draft)
        values = {
            "id": item_id, "source": seen.source, "path": draft.path, "slug": slug, "stamp": draft.stamp,
            "content_sha": draft.content_sha, "status": draft.status.value, "date": _micros(times.date),
            "embargo": _micros(draft.embargo), "updated": _micros(times.updated), "release": _micros(times.release),
            "late": int(times.late), "gone": 0, "change": self._change,
            "front": json.dumps(front, ensure_ascii=False, sort_keys=True), "body": draft.body,
        }  # fmt: skip
        if row is None:
            self._next_key += 1
            fixed = {"kind": draft.kind, "first_path": draft.path, "first_seen": _micros(self._now), "revision": 0}
            self._inserts.append({"key": key, **fixed, **values})
        else:
            self._updates.append({"key": key, **values})
        self._ids["changed" if row else "new"].append(item_id)
        if times.release is not None and times.release <= self._now and (row is None or row.release != times.release):
            self._ids["late" if times.late else "released"].append(item_id)
        self._facets += _facets(key, draft)

    def _dated(self, key: int, draft: Draft) -> Mapping[str, Any]:
        """The front matter, with the time at which each of its corrections was first seen."""
        if not draft.front.get("corrections"):
            return draft.front
        known = json.loads(self._direct.value("SELECT front FROM item WHERE key = ?", (key,)))
        stamped = corrections.stamped(draft.front["corrections"], known.get("corrections", ()), self._now)
        return {**draft.front, "corrections": stamped}

    def _write(self, lost: Sequence[Known]) -> None:
        run = self._direct.each
        if self._inserts:
            names = tuple(self._inserts[0])
            places = ", ".join(f":{name}" for name in names)
            run(f"INSERT INTO item ({', '.join(names)}) VALUES ({places})", self._inserts)  # noqa: S608 - names as in `_queue`
        if self._updates:
            changes = ", ".join(f"{name} = :{name}" for name in self._updates[0] if name != "key")
            run(f"UPDATE item SET {changes} WHERE key = :key", self._updates)  # noqa: S608 - as above
            run("DELETE FROM facet WHERE item = ?", [(update["key"],) for update in self._updates])
        if self._touched:
            run("UPDATE item SET stamp = :stamp WHERE key = :key", self._touched)
        if lost:
            run("UPDATE item SET gone = 1, change = ? WHERE key = ?", [(self._change, row.key) for row in lost])
            self._ids["gone"] += [row.id for row in lost]
        if self._facets:
            run("INSERT INTO facet (item, kind, slug, name) VALUES (?, ?, ?, ?)", self._facets)

    def _note(self, found: Sequence[Gathered], refused: Sequence[tuple[str, Note]], first: set[str]) -> None:
        settled = [{"source": one.source, "path": path} for one in found for path in one.settled]
        if settled:
            self._connection.execute(sa.text("DELETE FROM fault WHERE source = :source AND path = :path"), settled)
        notes = [(one.source, note) for one in found for note in one.notes.values()]
        if notes or refused:
            self._connection.execute(
                sa.text(
                    "INSERT INTO fault (source, path, stamp, detail) VALUES (:source, :path, :stamp, :detail) "
                    "ON CONFLICT (source, path) DO UPDATE SET stamp = excluded.stamp, detail = excluded.detail"
                ),
                [{"source": s, "path": n.path, "stamp": n.stamp, "detail": n.detail} for s, n in (*notes, *refused)],
            )
        for source in sorted(first):
            marks.put(self._connection, mark(source), self._now.isoformat())


class _Names:
    """Which ids and slugs are taken, asked for in bulk."""

    def __init__(self, direct: Direct) -> None:
        self._direct = direct
        self._ids: dict[str, int] = {}  # id -> item's key; 0: free
        self._slugs: dict[tuple[str, str], int] = {}

    def load(self, sightings: Sequence[Sighting], site: SiteSettings) -> None:
        """Look up the names that these files may get."""
        for seen in sightings:
            item_id = next(minted(seen, site.tag_authority))
            self._ids[item_id] = 0
            for slug in slugs(seen, item_id, "", site.zone):
                self._slugs[seen.draft.kind, slug] = 0
        run = self._direct.rows
        self._ids.update((item_id, key) for item_id, key in run(_IDS, (_listed(self._ids) or "[]",)))
        for wanted in sorted({kind for kind, _ in self._slugs}):
            names = _listed(slug for kind, slug in self._slugs if kind == wanted)
            for slug, key in run(_SLUGS, (wanted, names)):
                self._slugs[wanted, slug] = key

    def id_free(self, item_id: str, key: int) -> bool:
        """Whether ``item_id`` is nobody's but the item's with ``key``."""
        if item_id not in self._ids:
            self._ids[item_id] = self._direct.value("SELECT key FROM item WHERE id = ?", (item_id,)) or 0
        return self._ids[item_id] in {0, key}

    def slug_free(self, kind: str, slug: str, key: int) -> bool:
        """Whether ``slug`` is nobody's but the item's with ``key``."""
        if (kind, slug) not in self._slugs:
            same = "SELECT key FROM item WHERE kind = ? AND slug = ?"
            self._slugs[kind, slug] = self._direct.value(same, (kind, slug)) or 0
        return self._slugs[kind, slug] in {0, key}

    def take(self, kind: str, item_id: str, slug: str, key: int) -> None:
        """Give both names to the item with ``key``."""
        self._ids[item_id] = key
        self._slugs[kind, slug] = key


def _facets(key: int, draft: Draft) -> Iterator[tuple[int, str, str, str]]:
    if draft.kind != "brief":
        return
    front = draft.front
    named = [("topic", name) for name in front["topics"]] + [("author", author["name"]) for author in front["authors"]]
    named += [("series", front["series"])] if front["series"] else []
    seen: set[tuple[str, str]] = set()
    for kind, name in named:
        slug = name_slug(name)
        if (kind, slug) not in seen:
            seen.add((kind, slug))
            yield key, kind, slug, name


def _known(row: Iterable[Any]) -> Known:
    values: dict[str, Any] = dict(zip(_KNOWN, row, strict=True))
    for name in _INSTANTS & values.keys():
        values[name] = None if values[name] is None else schema.from_micros(values[name])
    return Known(**values)


def _micros(instant: datetime | None) -> int | None:
    return None if instant is None else schema.to_micros(instant)


def _listed(values: Iterable[str]) -> str:
    """Values for ``_LIST``; ``""`` where there are none."""
    ordered = sorted(values)
    return json.dumps(ordered) if ordered else ""
