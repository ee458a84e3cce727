"""What the desk's board shows: channels, a day's sendings and their states. Reads only; totals come from tallies.

Every function works on a given connection, and none walks the deliveries of an edition.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from syndicate.model import State
from syndicate.store.agenda import Edition
from syndicate.store.books import Balance
from syndicate.store.clauses import LEASED, NOT_BEFORE
from syndicate.store.database import Connection
from syndicate.store.schema import from_micros, to_micros

_BEYOND: Final = 1 << 62  # larger than every key, and still one that SQLite can look up
_SENDINGS: Final = """SELECT s.key, s.kind, s.subject, s.due, s.targets, s.state, e.key AS edition, e.number, e.frequency,
    e.period, n.name AS newsletter, l.zone, l.local_time
    FROM sending s LEFT JOIN edition e ON s.kind = 'edition' AND e.key = CAST(s.subject AS INTEGER)
    LEFT JOIN newsletter n ON n.key = e.newsletter LEFT JOIN slot l ON l.key = s.slot"""
_EDITIONS: Final = """SELECT e.key, n.name AS newsletter, e.number, e.frequency, e.period, e.state, e.at
    FROM edition e JOIN newsletter n ON n.key = e.newsletter"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Traffic:
    """What happens on one channel."""

    uncertain: int  # deliveries
    sending: bool
    deferred: datetime | None  # when the first of those that wait is tried again


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One delivery to an account."""

    channel: str
    state: State
    done: datetime | None
    not_before: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent(Balance):
    """One sending and its books."""

    key: int
    kind: str  # edition | post | edit | delete | notice
    subject: str  # an edition's key or an item's id
    due: datetime
    targets: frozenset[str]  # what a hold can name
    state: str
    edition: int | None  # its key
    number: int | None
    frequency: str  # "" for what is no edition
    period: str
    newsletter: str
    zone: str  # of the slot; "" where none caused it
    local_time: str  # civil, in ``zone``
    states: Mapping[State, int] = field(default_factory=dict)
    to_readers: bool = False
    parts: tuple[Part, ...] = ()  # of what goes to accounts


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """An item as a list may name it: no summary, no words."""

    id: str
    kind: str  # brief | quote
    slug: str
    title: str
    status: str
    release: datetime | None


def stamp(connection: Connection) -> tuple[int, int]:
    """What changes with every change of an item and every act of a person: two looks into indexes."""
    query = sa.text("SELECT coalesce((SELECT max(change) FROM item), 0), coalesce((SELECT max(seq) FROM audit), 0)")
    item, act = connection.execute(query).one()
    return item, act


def traffic(connection: Connection, channel: str) -> Traffic:
    """What one channel does now: looks into partial indexes, whatever the size of the ledger."""
    key = connection.execute(
        sa.text("SELECT key FROM place WHERE kind = 'account' AND name = :name"), {"name": channel}
    ).scalar()
    if key is None:
        return Traffic(uncertain=0, sending=False, deferred=None)
    uncertain = connection.execute(
        sa.text("SELECT count(*) FROM delivery INDEXED BY ix_delivery_uncertain WHERE channel = :key AND state = 'uncertain'"),
        {"key": key},
    ).scalar_one()
    busy = sa.text(
        f"""SELECT EXISTS (SELECT 1 FROM delivery d INDEXED BY ix_delivery_leased
        WHERE d.channel = :key AND {LEASED} AND d.state IN ('claimed', 'sending'))"""  # noqa: S608 - fixed text
    )
    again = sa.text(
        f"""SELECT min({NOT_BEFORE}) FROM delivery d INDEXED BY ix_delivery_astray
        WHERE d.state = 'deferred' AND d.channel = :key"""  # noqa: S608 - fixed text
    )
    deferred = connection.execute(again, {"key": key}).scalar()
    return Traffic(
        uncertain=int(uncertain),
        sending=bool(connection.execute(busy, {"key": key}).scalar()),
        deferred=None if deferred is None else from_micros(deferred),
    )


def day(connection: Connection, start: datetime, end: datetime, *, limit: int = 300) -> list[Sent]:
    """What was or is due in ``[start, end)``, with its books, in the order of its due time."""
    query = sa.text(f"{_SENDINGS} WHERE s.due >= :start AND s.due < :end ORDER BY s.due, s.key LIMIT :limit")
    rows = connection.execute(query, {"start": to_micros(start), "end": to_micros(end), "limit": limit})
    return _with_books(connection, rows.mappings().all())


def sendings(connection: Connection, keys: Collection[int]) -> dict[int, Sent]:
    """Some sendings with their books, by key."""
    query = sa.text(f"{_SENDINGS} WHERE s.key IN :keys").bindparams(sa.bindparam("keys", expanding=True))
    found = _with_books(connection, connection.execute(query, {"keys": list(keys)}).mappings().all())
    return {sent.key: sent for sent in found}


def recount(connection: Connection, sendings: Collection[int]) -> dict[str, tuple[int, int]] | None:
    """What the tallies of some sendings say of each state, and how many rows there are; ``None`` where rows are forgotten.

    One statement, so that both are of one moment; it walks the rows of these sendings.
    """
    query = sa.text(
        """SELECT state, sum(tallied), sum(counted) FROM (
            SELECT state, n AS tallied, 0 AS counted FROM tally WHERE sending IN :keys
            UNION ALL SELECT state, 0, count(*) FROM delivery WHERE sending IN :keys GROUP BY state)
        GROUP BY state"""
    ).bindparams(sa.bindparam("keys", expanding=True))
    gone = sa.text("SELECT 1 FROM sending WHERE key IN :keys AND state = 'forgotten' LIMIT 1")
    if connection.execute(gone.bindparams(sa.bindparam("keys", expanding=True)), {"keys": list(sendings)}).scalar():
        return None
    return {row[0]: (row[1], row[2]) for row in connection.execute(query, {"keys": list(sendings)})}


def running(connection: Connection, *, limit: int = 6) -> list[list[Sent]]:
    """The sendings of each edition of which something is open, oldest edition first."""
    open_ones = sa.text(
        """SELECT DISTINCT CAST(subject AS INTEGER) AS edition FROM sending
        WHERE state = 'open' AND kind = 'edition' ORDER BY edition LIMIT :limit"""
    )
    found = connection.execute(open_ones, {"limit": limit}).scalars().all()
    return [of_edition(connection, edition) for edition in found]


def of_edition(connection: Connection, edition: int) -> list[Sent]:
    """The sendings of one edition, in the order of their due times."""
    query = sa.text(f"{_SENDINGS} WHERE s.kind = 'edition' AND s.subject = :subject ORDER BY s.due, s.key")
    return _with_books(connection, connection.execute(query, {"subject": str(edition)}).mappings().all())


def names(connection: Connection, ids: Collection[str]) -> dict[str, Named]:
    """Items by id, as lists name them."""
    query = sa.text(
        """SELECT id, kind, slug, coalesce(json_extract(front, '$.title'), slug) AS title, status, release
        FROM item WHERE id IN :ids"""
    ).bindparams(sa.bindparam("ids", expanding=True))
    return {row["id"]: _named(row) for row in connection.execute(query, {"ids": list(ids)}).mappings()}


def waiting_briefs(connection: Connection, after: datetime, *, limit: int = 24) -> list[Named]:
    """Drafts, and briefs whose date or embargo lies after ``after``, the nearest first."""
    query = sa.text(
        """SELECT id, kind, slug, coalesce(json_extract(front, '$.title'), slug) AS title, status, release FROM item
        WHERE kind = 'brief' AND gone = 0 AND (status = 'draft' OR (status IN ('published', 'embargoed') AND release > :after))
        ORDER BY release IS NULL, release, slug LIMIT :limit"""
    )
    return [_named(row) for row in connection.execute(query, {"after": to_micros(after), "limit": limit}).mappings()]


def astray(connection: Connection, state: State, *, since: int = 0, limit: int = 20) -> list[tuple[int, str, int, datetime]]:
    """Sendings with deliveries in ``state``, newest first: (sending, channel, how many, when the newest of them was settled).

    ``state`` is one of those that the partial index knows; ``since`` is the first sending that is looked at.
    """
    query = sa.text(
        f"""SELECT d.sending, c.name, count(*) AS n, max(coalesce(d.done_at, d.intent_at, {NOT_BEFORE})) AS at
        FROM delivery d INDEXED BY ix_delivery_astray JOIN place c ON c.key = d.channel
        WHERE d.state = '{state}' AND d.sending >= :since
        GROUP BY d.sending, d.channel ORDER BY d.sending DESC LIMIT :limit"""  # noqa: S608 - fixed text
    )
    rows = connection.execute(query, {"since": since, "limit": limit})
    return [(row.sending, row.name, row.n, from_micros(row.at)) for row in rows]


def first_due_after(connection: Connection, moment: datetime) -> int:
    """The smallest key of the sendings due after ``moment``: what came before it is older."""
    query = sa.text("SELECT min(key) FROM sending WHERE due >= :moment")
    return int(connection.execute(query, {"moment": to_micros(moment)}).scalar() or 1 << 62)


def last_word(connection: Connection, sending: int, state: State) -> str:
    """What the far side said last of one sending's deliveries in ``state``: its code and words, no address."""
    query = sa.text("SELECT code, detail FROM attempt WHERE sending = :sending AND outcome = :state ORDER BY key DESC LIMIT 1")
    row = connection.execute(query, {"sending": sending, "state": state}).first()
    return "" if row is None else row.detail or row.code


def spent(connection: Connection, month: str, keys: Iterable[int]) -> dict[str, tuple[int, int]]:
    """What each channel charges in millionths of a dollar: (this month, for the given sendings)."""
    query = sa.text(
        """SELECT channel, sum(micros) AS month, sum(CASE WHEN sending IN :keys THEN micros ELSE 0 END) AS today
        FROM charge WHERE month = :month GROUP BY channel"""
    ).bindparams(sa.bindparam("keys", expanding=True))
    rows = connection.execute(query, {"month": month, "keys": [*keys, -1]})
    return {row.channel: (int(row.month), int(row.today)) for row in rows}


def largest(connection: Connection, editions: Collection[int]) -> dict[int, int]:
    """How many items the fullest variant of each edition carries."""
    query = sa.text(
        "SELECT edition, max(json_array_length(items)) AS n FROM variant WHERE edition IN :keys GROUP BY edition"
    ).bindparams(sa.bindparam("keys", expanding=True))
    return {row.edition: row.n or 0 for row in connection.execute(query, {"keys": list(editions)})}


def _with_books(connection: Connection, rows: Collection[sa.RowMapping]) -> list[Sent]:
    keys = [row["key"] for row in rows]
    tallies = sa.text("SELECT sending, place_kind, state, n FROM tally WHERE sending IN :keys AND n > 0")
    states: dict[int, dict[State, int]] = {key: {} for key in keys}
    readers: set[int] = set()
    for row in connection.execute(tallies.bindparams(sa.bindparam("keys", expanding=True)), {"keys": keys}):
        states[row.sending][State(row.state)] = states[row.sending].get(State(row.state), 0) + row.n
        readers |= {row.sending} if row.place_kind == "subscriber" else set()
    parts = _parts(connection, [key for key in keys if key not in readers])
    return [
        Sent(
            key=row["key"],
            kind=row["kind"],
            subject=row["subject"],
            due=from_micros(row["due"]),
            targets=frozenset(row["targets"].split()),
            state=row["state"],
            edition=row["edition"],
            number=row["number"],
            frequency=row["frequency"] or "",
            period=row["period"] or "",
            newsletter=row["newsletter"] or "",
            zone=row["zone"] or "",
            local_time=row["local_time"] or "",
            states=states[row["key"]],
            to_readers=row["key"] in readers,
            parts=tuple(parts.get(row["key"], ())),
        )
        for row in rows
    ]


def _parts(connection: Connection, keys: Collection[int]) -> dict[int, list[Part]]:
    query = sa.text(
        f"""SELECT d.sending, c.name, d.state, d.done_at, {NOT_BEFORE} AS not_before FROM delivery d
        JOIN place c ON c.key = d.channel WHERE d.sending IN :keys ORDER BY d.sending, d.place"""  # noqa: S608 - fixed text
    ).bindparams(sa.bindparam("keys", expanding=True))
    found: dict[int, list[Part]] = {}
    for row in connection.execute(query, {"keys": list(keys)}):
        done = None if row.done_at is None else from_micros(row.done_at)
        part = Part(channel=row.name, state=State(row.state), done=done, not_before=from_micros(row.not_before))
        found.setdefault(row.sending, []).append(part)
    return found


def _named(row: sa.RowMapping) -> Named:
    return Named(
        id=row["id"],
        kind=row["kind"],
        slug=row["slug"],
        title=row["title"],
        status=row["status"],
        release=None if row["release"] is None else from_micros(row["release"]),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Rendered:
    """A variant without its bytes."""

    key: int
    quote_display: str
    lang: str  # "" for the site's
    items: int
    state: str
    fault: str


def editions(connection: Connection, *, before: int | None = None, limit: int = 25) -> list[Edition]:
    """Editions, newest first, of those with a smaller key than ``before``."""
    rows = connection.execute(
        sa.text(f"{_EDITIONS} WHERE e.key < :before ORDER BY e.key DESC LIMIT :limit"),
        {"before": before or _BEYOND, "limit": limit},
    )
    return [_edition(row) for row in rows.mappings()]


def edition(connection: Connection, key: int) -> Edition | None:
    """One edition; ``None`` where there is none, whatever number somebody typed."""
    if key >= _BEYOND:
        return None
    row = connection.execute(sa.text(f"{_EDITIONS} WHERE e.key = :key"), {"key": key}).mappings().first()
    return None if row is None else _edition(row)


def variants(connection: Connection, edition: int) -> list[Rendered]:
    """The renderings of one edition."""
    query = sa.text(
        """SELECT key, quote_display, lang, json_array_length(items) AS items, state, fault FROM variant
        WHERE edition = :edition ORDER BY key LIMIT 100"""
    )
    return [Rendered(**row) for row in connection.execute(query, {"edition": edition}).mappings()]


def _edition(row: sa.RowMapping) -> Edition:
    return Edition(**{**row, "at": from_micros(row["at"])})
