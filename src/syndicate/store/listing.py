"""The addresses of briefs that are out, in fixed stretches of the table and by date. Reads only, and no bodies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from syndicate.store import items
from syndicate.store.database import Connection
from syndicate.store.items import ITEM

STRETCH: Final = 1000  # keys in one stretch


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Where a brief stands and what a list says of it."""

    link: str  # its own, or its path on our pages
    title: str
    lang: str  # BCP 47; "" for the site's
    published: datetime  # aware UTC
    updated: datetime  # aware UTC


def stretch(connection: Connection, number: int, now: datetime) -> list[Address]:
    """The briefs of one stretch, from 1, in order of their keys; withdrawn ones are gone."""
    low = (number - 1) * STRETCH
    return _addresses(connection, sa.and_(ITEM.key > low, ITEM.key <= low + STRETCH), (ITEM.key,), now)


def stretches(connection: Connection) -> int:
    """How many there are."""
    return -(-(connection.execute(sa.select(sa.func.max(ITEM.key))).scalar() or 0) // STRETCH)


def since(connection: Connection, moment: datetime, now: datetime, limit: int) -> list[Address]:
    """The newest briefs that were published after ``moment``."""
    return _addresses(connection, ITEM.date > moment, (ITEM.date.desc(), ITEM.id), now)[:limit]


def _addresses(connection: Connection, where: sa.ColumnElement[bool], order: tuple[Any, ...], now: datetime) -> list[Address]:
    parts = [sa.func.json_extract(ITEM.front, f"$.{name}").label(name) for name in ("link", "title", "lang")]
    query = sa.select(ITEM.slug, ITEM.date, ITEM.first_seen, ITEM.updated, *parts)
    rows = connection.execute(query.where(where, items.out("brief", now, withdrawn=False)).order_by(*order))
    found = []
    for row in rows:
        published = row.date or row.first_seen
        updated = row.updated if row.updated and row.updated <= now else published
        link = row.link or f"/briefs/{row.slug}"
        found.append(Address(link=link, title=row.title, lang=row.lang or "", published=published, updated=updated))
    return found
