"""Briefs as an editor's list holds them, and what the ledger says of each. Reads only, inside a given transaction."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

import sqlalchemy as sa

from syndicate.store.database import Connection
from syndicate.store.schema import from_micros, to_micros

PAGE: Final = 50
Cursor: TypeAlias = tuple[int, int]  # microseconds and key of the last one shown
_LOOKED_AT: Final = 60  # editions after a brief's release among which it is looked for


@dataclass(frozen=True, kw_only=True, slots=True)
class Shelved:
    """One brief, without its body."""

    key: int
    id: str
    slug: str
    title: str
    date: datetime
    status: str
    late: bool  # a person sends it or lets it be


@dataclass(frozen=True, kw_only=True, slots=True)
class Carrier:
    """An edition that carries an item."""

    key: int
    newsletter: str
    number: int
    frequency: str
    at: datetime  # when it was planned


def page(connection: Connection, now: datetime, after: Cursor | None) -> list[Shelved]:
    """What has come due by ``now``, newest first, from ``after`` on; one more than a page holds where there is more."""
    at, key = after or (to_micros(now), 1 << 62)
    query = sa.text(
        """SELECT key, id, slug, coalesce(json_extract(front, '$.title'), slug) AS title, date, status, late FROM item
        WHERE kind = 'brief' AND gone = 0 AND date <= :at AND (date < :at OR key < :key) AND status <> 'draft'
        AND (release <= :now OR status = 'withdrawn') ORDER BY date DESC, key DESC LIMIT :limit"""
    )
    rows = connection.execute(query, {"at": at, "key": key, "now": to_micros(now), "limit": PAGE + 1})
    return [
        Shelved(
            key=row.key,
            id=row.id,
            slug=row.slug,
            title=row.title,
            date=from_micros(row.date),
            status="withdrawn" if row.status == "withdrawn" else "published",
            late=bool(row.late),
        )
        for row in rows
    ]


def cursor(last: Shelved) -> Cursor:
    """What the next page begins after."""
    return to_micros(last.date), last.key


def posts(connection: Connection, ids: Collection[str]) -> dict[str, dict[str, int]]:
    """How many posts of each item are in which state, from the tallies."""
    query = sa.text(
        """SELECT s.subject, t.state, sum(t.n) AS n FROM sending s JOIN tally t ON t.sending = s.key
        WHERE s.kind = 'post' AND s.subject IN :ids AND t.n > 0 GROUP BY s.subject, t.state"""
    ).bindparams(sa.bindparam("ids", expanding=True))
    found: dict[str, dict[str, int]] = {}
    for row in connection.execute(query, {"ids": list(ids)}):
        found.setdefault(row.subject, {})[row.state] = int(row.n)
    return found


def carriers(connection: Connection, item: int, since: datetime) -> list[Carrier]:
    """The editions that carry an item, oldest first, of the first ones after ``since``."""
    query = sa.text(
        """SELECT e.key, n.name, e.number, e.frequency, e.at
        FROM (SELECT * FROM edition WHERE at >= :since ORDER BY at LIMIT :most) e JOIN newsletter n ON n.key = e.newsletter
        WHERE EXISTS (SELECT 1 FROM variant v, json_each(v.items) j WHERE v.edition = e.key AND v.state <> 'dropped'
            AND j.type = 'integer' AND j.value = :item) ORDER BY e.at, e.key"""
    )
    rows = connection.execute(query, {"since": to_micros(since), "most": _LOOKED_AT, "item": item})
    return [
        Carrier(key=row.key, newsletter=row.name, number=row.number, frequency=row.frequency, at=from_micros(row.at))
        for row in rows
    ]


def books(connection: Connection, start: datetime, end: datetime) -> list[tuple[datetime, dict[str, int]]]:
    """Of each sending due in ``[start, end)``, when it was due and its deliveries by state, from the tallies."""
    query = sa.text(
        """SELECT s.key, s.due, t.state, sum(t.n) AS n FROM sending s JOIN tally t ON t.sending = s.key
        WHERE s.due >= :start AND s.due < :end AND t.n > 0 GROUP BY s.key, t.state ORDER BY s.due, s.key"""
    )
    found: dict[int, tuple[datetime, dict[str, int]]] = {}
    for row in connection.execute(query, {"start": to_micros(start), "end": to_micros(end)}):
        found.setdefault(row.key, (from_micros(row.due), {}))[1][row.state] = int(row.n)
    return list(found.values())
