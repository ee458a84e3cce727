"""The register of deliveries, fifty lines at a time, and what is known of one of them. Reads only; shows no address.

Pages follow a key, never a number: what is read for the thousandth page is as little as for the first. Which sendings are
looked into is asked of the tallies, so that a state of which there are ten is found among a million rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from syndicate.model import State
from syndicate.store import board
from syndicate.store.addresses import normalised
from syndicate.store.board import Sent
from syndicate.store.clauses import LEASED, NOT_BEFORE
from syndicate.store.database import Connection
from syndicate.store.schema import from_micros, to_micros

PAGE: Final = 50
_CHUNK: Final = 200  # sendings asked for at once
_FIRST: Final = (1 << 62, -1)  # before every line
_COLUMNS: Final = f"""d.sending, d.place, c.name AS channel, d.state, d.attempt, {NOT_BEFORE} AS not_before,
    d.intent_at, d.done_at, d.remote_url,
    (SELECT CASE WHEN a.detail = '' THEN a.code ELSE a.detail END FROM attempt a
     WHERE a.sending = d.sending AND a.place = d.place ORDER BY a.key DESC LIMIT 1) AS said"""  # noqa: S608 - fixed text
_BUSY: Final = frozenset({State.CLAIMED, State.SENDING})  # a handful at any time
_ASTRAY: Final = frozenset({State.DEFERRED, State.FAILED, State.SUPPRESSED, State.UNCERTAIN, State.CANCELLED})
# Whether a sending goes through a channel: an account is the place itself, the readers of one mail share their channel.
_THROUGH: Final = """(EXISTS (SELECT 1 FROM delivery x WHERE x.sending = s.key AND x.place = :channel)
    OR (SELECT x.channel FROM delivery x WHERE x.sending = s.key LIMIT 1) = :channel)"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """Which deliveries are wanted."""

    state: State | None = None
    channel: str = ""
    since: datetime | None = None  # due
    until: datetime | None = None
    sending: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One line."""

    sending: int
    place: int
    channel: str
    state: State
    attempt: int
    not_before: datetime
    at: datetime | None  # when it was settled or went on the wire
    remote_url: str
    said: str  # the last answer

    @property
    def id(self) -> str:
        """As people name it."""
        return f"{self.sending}.{self.place}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Try:
    """What was said of one delivery at one time."""

    at: datetime
    outcome: str
    code: str
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Explained:
    """What became of one edition for one reader."""

    subscriber: str  # the random id; "" where nobody has this address
    subscription: str  # its state; "" where there is none
    frequency: str
    since: datetime | None
    changed: datetime | None
    entries: tuple[Entry, ...]
    tries: tuple[Try, ...]


def page(connection: Connection, wanted: Filter, after: tuple[int, int] | None, *, limit: int = PAGE) -> list[Entry]:
    """The newest sendings first, at most ``limit`` lines after ``after``, a line's (sending, place)."""
    channel = None
    if wanted.channel:
        query = sa.text("SELECT key FROM place WHERE kind = 'account' AND name = :name")
        channel = connection.execute(query, {"name": wanted.channel}).scalar()
        if channel is None:
            return []
    found: list[Entry] = []
    last = after or _FIRST
    for sending in _sendings(connection, wanted, channel, last[0]):
        beyond = last[1] if sending == last[0] else None
        found += _of(connection, sending, wanted.state, channel, beyond, limit - len(found))
        if len(found) >= limit:
            break
    return found


def tries(connection: Connection, sending: int, place: int) -> list[Try]:
    """All that was said of one delivery, in the order of time."""
    query = sa.text("SELECT at, outcome, code, detail FROM attempt WHERE sending = :s AND place = :p ORDER BY at, key")
    rows = connection.execute(query, {"s": sending, "p": place})
    return [Try(at=from_micros(row.at), outcome=row.outcome, code=row.code, detail=row.detail) for row in rows]


def explained(connection: Connection, address: str, edition: int) -> Explained:
    """Whether one person got an edition, and why not.

    Raises
    ------
    ValueError
        ``address`` is not one.
    """
    _, key, _ = normalised(address)
    who = sa.text(
        """SELECT r.key, r.id, u.state, u.frequency, u.since, u.changed FROM subscriber r
        LEFT JOIN edition e ON e.key = :edition LEFT JOIN subscription u ON u.subscriber = r.key AND u.newsletter = e.newsletter
        WHERE r.address_key = :key"""
    )
    row = connection.execute(who, {"key": key, "edition": edition}).first()
    if row is None:
        return Explained(subscriber="", subscription="", frequency="", since=None, changed=None, entries=(), tries=())
    query = sa.text(
        f"SELECT {_COLUMNS} FROM delivery d JOIN place c ON c.key = d.channel WHERE d.sending = :s AND d.place = :p"  # noqa: S608 - fixed text
    )
    entries: list[Entry] = []
    said: list[Try] = []
    for sent in board.of_edition(connection, edition):
        rows = connection.execute(query, {"s": sent.key, "p": row.key})
        for one in rows.mappings():
            entries.append(_entry(one))
            said += tries(connection, sent.key, row.key)
    return Explained(
        subscriber=row.id,
        subscription=row.state or "",
        frequency=row.frequency or "",
        since=None if row.since is None else from_micros(row.since),
        changed=None if row.changed is None else from_micros(row.changed),
        entries=tuple(entries),
        tries=tuple(said),
    )


def about(connection: Connection, entries: Sequence[Entry]) -> dict[int, Sent]:
    """The sendings of some lines."""
    return board.sendings(connection, {entry.sending for entry in entries})


# -- which sendings ---------------------------------------------------------------------------------


def _sendings(connection: Connection, wanted: Filter, channel: int | None, first: int) -> Iterator[int]:
    """Keys, newest first, of the sendings that may hold what is wanted."""
    low, high = _range(connection, wanted)
    below = min(first, high)
    table = "tally t INDEXED BY ix_tally_state JOIN sending s ON s.key = t.sending" if wanted.state else "sending s"
    conditions = ["s.key <= :below", "s.key >= :low"]
    conditions += ["t.state = :state", "t.n > 0", "t.sending <= :below", "t.sending >= :low"] if wanted.state else []
    conditions += ["s.due >= :since"] if wanted.since else []
    conditions += ["s.due < :until"] if wanted.until else []
    conditions += [_THROUGH] if channel is not None else []
    key = "t.sending" if wanted.state else "s.key"
    text = f"SELECT DISTINCT {key} FROM {table} WHERE {' AND '.join(conditions)} ORDER BY {key} DESC LIMIT {_CHUNK}"  # noqa: S608 - fixed text
    values: dict[str, Any] = {
        "state": wanted.state,
        "since": to_micros(wanted.since) if wanted.since else None,
        "until": to_micros(wanted.until) if wanted.until else None,
        "low": low,
        "channel": channel,
    }
    while True:
        keys = connection.execute(sa.text(text), {**values, "below": below}).scalars().all()
        yield from keys
        if len(keys) < _CHUNK:
            return
        below = keys[-1] - 1


def _range(connection: Connection, wanted: Filter) -> tuple[int, int]:
    """Between which keys the wanted sendings lie."""
    if wanted.sending is not None:
        return wanted.sending, wanted.sending
    if wanted.since is None and wanted.until is None:
        return 0, _FIRST[0]
    query = sa.text("SELECT min(key), max(key) FROM sending WHERE due >= :since AND due < :until")
    low, high = connection.execute(
        query,
        {
            "since": to_micros(wanted.since) if wanted.since else 0,
            "until": to_micros(wanted.until) if wanted.until else _FIRST[0],
        },
    ).one()
    return (low, high) if low is not None else (1, 0)


# -- which lines ------------------------------------------------------------------------------------


def _of(
    connection: Connection, sending: int, state: State | None, channel: int | None, beyond: int | None, limit: int
) -> list[Entry]:
    """Lines of one sending after the place ``beyond``.

    Duties are done in the order of their places, so those that wait are looked for from the end.
    """
    down = state is State.PENDING
    order, past = ("DESC", "<") if down else ("ASC", ">")
    index = "ix_delivery_leased" if state in _BUSY else "ix_delivery_astray" if state in _ASTRAY else ""
    table = f"delivery d INDEXED BY {index}" if index else "delivery d"
    conditions = ["d.sending = :sending"]
    conditions += [f"d.state = '{state}'"] if state else []
    conditions += [LEASED] if state in _BUSY else []
    conditions += ["d.channel = :channel"] if channel is not None else []
    conditions += [f"d.place {past} :beyond"] if beyond is not None else []
    query = sa.text(
        f"""SELECT {_COLUMNS} FROM {table} JOIN place c ON c.key = d.channel WHERE {" AND ".join(conditions)}
        ORDER BY d.place {order} LIMIT :limit"""  # noqa: S608 - fixed text
    )
    values = {"sending": sending, "channel": channel, "beyond": beyond, "limit": limit}
    return [_entry(row) for row in connection.execute(query, values).mappings().all()]


def _entry(row: sa.RowMapping) -> Entry:
    at = row["done_at"] if row["done_at"] is not None else row["intent_at"]
    return Entry(
        sending=row["sending"],
        place=row["place"],
        channel=row["channel"],
        state=State(row["state"]),
        attempt=row["attempt"],
        not_before=from_micros(row["not_before"]),
        at=None if at is None else from_micros(at),
        remote_url=row["remote_url"],
        said=row["said"] or "",
    )
