"""Which item a file is, and what it is called. Decisions only: no database, no disk.

An id is minted once and never used again; a file that was moved stays the item that it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Final
from zoneinfo import ZoneInfo

from syndicate.errors import Fault
from syndicate.links import opaque, slugify, tag_uri
from syndicate.sources import Draft

_URI: Final = re.compile(r"(tag|urn|https?):.+", re.IGNORECASE)
_FALLBACK: Final = 10  # characters of the opaque part that stand in for a slug
_SEGMENT: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._~-]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What the store knows of an item before a sync."""

    key: int
    id: str
    kind: str
    source: str
    path: str
    slug: str
    stamp: str
    content_sha: str
    status: str
    date: datetime | None
    updated: datetime | None
    release: datetime | None
    late: int
    gone: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Sighting:
    """A draft and the source in which it was seen."""

    source: str
    draft: Draft
    id: str  # the front matter's id as a URI; "" where it names none

    @property
    def place(self) -> tuple[str, str]:
        """Source and path."""
        return self.source, self.draft.path


@dataclass(kw_only=True, slots=True)
class Assignment:
    """Which known item each sighting is; what stands in neither map is new."""

    known: dict[tuple[str, str], Known] = field(default_factory=dict)
    refused: dict[tuple[str, str], Fault] = field(default_factory=dict)


def sighting(source: str, draft: Draft, authority: str) -> Sighting:
    """Resolve a bare id token into a tag URI; an id that is a URI already stays as it is."""
    uri = draft.id if not draft.id or _URI.fullmatch(draft.id) else tag_uri(authority, draft.kind, draft.id)
    return Sighting(source=source, draft=draft, id=uri)


def assign(sightings: Sequence[Sighting], rows: Iterable[Known], loose: Collection[int]) -> Assignment:
    """Find out which item each file is: by its own id, by its content, then by its place.

    ``loose`` are the keys of items that may have moved: their file changed, vanished, or was gone
    before. Content goes before place, so that files which swap their names stay the items they were.
    """
    result = Assignment()
    known = list(rows)
    free = {row.key: row for row in known if row.key in loose}
    _by_id(sightings, known, free, result)
    unnamed = [seen for seen in sightings if not seen.id]
    _match(unnamed, free, result, lambda seen: seen.draft.content_sha, lambda row: row.content_sha)
    _match(sightings, free, result, lambda seen: seen.draft.path, lambda row: row.path)
    return result


def _by_id(sightings: Sequence[Sighting], rows: Sequence[Known], free: dict[int, Known], result: Assignment) -> None:
    by_id = {row.id: row for row in rows}
    claims = [seen for seen in sightings if seen.id]
    # Where two files claim one id, the one that had it keeps it.
    claims.sort(key=lambda seen: seen.id not in by_id or by_id[seen.id].path != seen.draft.path)
    holders: dict[str, str] = {}
    for seen in claims:
        row = by_id.get(seen.id)
        fits = row is None or (row.key in free and row.kind == seen.draft.kind)
        holder = holders.get(seen.id) or ("" if fits or row is None else row.path)
        if holder:
            result.refused[seen.place] = fault(
                seen.draft, "its id is the id of another file", f"give each its own: {holder} has it"
            )
            continue
        holders[seen.id] = seen.draft.path
        if row is not None:
            result.known[seen.place] = free.pop(row.key)


def _match(
    sightings: Iterable[Sighting],
    free: dict[int, Known],
    result: Assignment,
    mark: Callable[[Sighting], Hashable],
    row_mark: Callable[[Known], Hashable],
) -> None:
    by_mark: dict[Hashable, list[Known]] = {}
    for row in free.values():
        by_mark.setdefault((row.kind, row_mark(row)), []).append(row)
    for seen in sightings:
        if seen.place in result.known or seen.place in result.refused:
            continue
        candidates = by_mark.get((seen.draft.kind, mark(seen)))
        if candidates:
            # Rather the one at the same place, then a live one, then the one that went last.
            chosen = min(candidates, key=lambda row: ((row.source, row.path) != seen.place, row.gone, -row.key))
            candidates.remove(chosen)
            result.known[seen.place] = free.pop(chosen.key)


def minted(seen: Sighting, authority: str) -> Iterator[str]:
    """Ids for a new item, best first: the front matter's alone, or one from source, path and date.

    The later ones serve where an item of the past stood at this very place with this very date: ids
    are never used again.
    """
    if seen.id:
        yield seen.id
        return
    for number in count():
        path = f"{seen.draft.path}#{number}" if number else seen.draft.path
        yield tag_uri(authority, seen.draft.kind, opaque(seen.source, path, seen.draft.date_text))


def slugs(seen: Sighting, item_id: str, kept: str, zone: str) -> Iterator[str]:
    """Slugs for an item, best first; ``kept`` is the one it has, which only its author changes.

    A quote's is the opaque part of its id: never made from its words (Q5).
    """
    draft = seen.draft
    if kept and not draft.slug_given:
        yield kept
        return
    last = re.split(r"[/:]", item_id)[-1]
    if draft.kind == "quote":
        yield last if _SEGMENT.fullmatch(last) else opaque(seen.source, draft.path, draft.date_text)
        return
    wished = draft.slug or slugify(last)[:_FALLBACK].strip("-") or opaque(seen.source, draft.path, draft.date_text)[:_FALLBACK]
    yield wished
    if draft.date is not None:
        yield f"{wished}-{draft.date.astimezone(ZoneInfo(zone)).date().isoformat()}"


def fault(draft: Draft, what: str, right: str) -> Fault:
    """A fault of a file among others, which no reading of it alone can find."""
    return Fault(file=draft.path, line=1, rule="identity", what=what, right=right)
