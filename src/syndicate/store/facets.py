"""Topics, authors and series as the briefs that are out name them. Reads only, and in as many steps as there are names."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias

import sqlalchemy as sa

from syndicate.store import items, schema
from syndicate.store.database import Connection
from syndicate.store.items import ITEM

Kind: TypeAlias = Literal["topic", "author", "series"]

_FACET: Final = schema.facet.c
_SHELF: Final = schema.shelf.c
_AT_ONCE: Final = 500  # values in one IN list


@dataclass(frozen=True, kw_only=True, slots=True)
class Facet:
    """One topic, author or series."""

    kind: Kind
    slug: str
    name: str  # as the brief that was recorded first writes it


def facets(connection: Connection, kind: Kind, now: datetime) -> Iterator[Facet]:
    """Every one that a brief which is out at ``now`` names, by slug; withdrawn briefs count."""
    slug = ""
    while True:
        # The next one by the index: there are few names and many briefs.
        after = sa.select(sa.func.min(_FACET.slug)).where(_FACET.kind == kind, _FACET.slug > slug)
        slug = connection.execute(after).scalar() or ""
        if not slug:
            return
        same = sa.and_(_FACET.kind == kind, _FACET.slug == slug, _FACET.item == ITEM.key, items.out("brief", now))
        name = connection.execute(sa.select(_FACET.name).where(same).order_by(_FACET.item).limit(1)).scalar()
        if name is not None:
            yield Facet(kind=kind, slug=slug, name=name)


def named_by(connection: Connection, keys: Collection[int]) -> set[tuple[str, str]]:
    """Kind and slug of everything that the items with ``keys`` name now."""
    found: set[tuple[str, str]] = set()
    for part in _parts(keys):
        rows = connection.execute(sa.select(_FACET.kind, _FACET.slug).where(_FACET.item.in_(part)))
        found.update((row.kind, row.slug) for row in rows)
    return found


def shelved_in(connection: Connection, keys: Collection[int]) -> set[str]:
    """The feeds that the items with ``keys`` stand in, or stood in once."""
    found: set[str] = set()
    for part in _parts(keys):
        found.update(connection.execute(sa.select(_SHELF.feed).where(_SHELF.item.in_(part))).scalars())
    return found


def _parts(keys: Collection[int]) -> Iterator[list[int]]:
    ordered = sorted(keys)
    return (ordered[at : at + _AT_ONCE] for at in range(0, len(ordered), _AT_ONCE))
