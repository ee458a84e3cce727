"""A person's word that an item is withdrawn: kept beside what its file says, and stronger. Works inside a given transaction.

What has left on networks that can delete becomes a duty to delete; the ledger moves it like any other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from syndicate.model import State, Status
from syndicate.store import duties
from syndicate.store.audit import audit
from syndicate.store.direct import Direct
from syndicate.store.schema import from_micros, to_micros

_URGENT: Final = 9  # before anything that waits: the clock of a removal order is one hour


@dataclass(frozen=True, kw_only=True, slots=True)
class Withdrawn:
    """One item that a person has withdrawn."""

    id: str
    kind: str  # brief | quote
    source: str
    path: str
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Posted:
    """One post of an item, and what became of its deletion."""

    slot: int
    revision: int
    place: int
    channel: str
    state: State
    remote_id: str
    url: str
    deletion: State | None  # None: no duty to delete it yet


def withdraw(connection: sa.Connection, item: str, *, who: str, reason: str, now: datetime) -> bool:
    """Mark an item withdrawn; ``False`` where a person has done so before."""
    done = connection.execute(
        sa.text(
            """UPDATE item SET withdrawn = :now, status = :withdrawn, updated = :now, revision = revision + 1,
            change = (SELECT max(change) + 1 FROM item) WHERE id = :id AND withdrawn IS NULL"""
        ),
        {"now": to_micros(now), "withdrawn": Status.WITHDRAWN.value, "id": item},
    ).rowcount
    if done:
        audit(connection, who=who, act="withdraw", subject=item, detail={"reason": reason}, at=now)
    return bool(done)


def keep(connection: sa.Connection) -> None:
    """After a sync: a person's word wins over a file that still says something else."""
    Direct(connection).rows(
        """UPDATE item SET status = ?1, updated = withdrawn
        WHERE withdrawn IS NOT NULL AND (status <> ?1 OR updated <> withdrawn)""",
        (Status.WITHDRAWN.value,),
    )


def listed(connection: sa.Connection) -> list[Withdrawn]:
    """What people have withdrawn and whose files are still there."""
    query = sa.text("SELECT id, kind, source, path, withdrawn FROM item WHERE withdrawn IS NOT NULL AND gone = 0 ORDER BY id")
    return [
        Withdrawn(id=row.id, kind=row.kind, source=row.source, path=row.path, at=from_micros(row.withdrawn))
        for row in connection.execute(query)
    ]


def stopped(connection: sa.Connection) -> list[str]:
    """The ids of all withdrawn items, by a person's word or by their files."""
    query = sa.text("SELECT id FROM item WHERE status = :withdrawn ORDER BY id")
    return list(connection.execute(query, {"withdrawn": Status.WITHDRAWN.value}).scalars())


def stale(connection: sa.Connection) -> list[int]:
    """Renderings that wait and hold what was taken back, which would stop them for good."""
    query = sa.text(
        """SELECT DISTINCT v.key FROM sending s JOIN variant v ON v.edition = CAST(s.subject AS INTEGER)
        JOIN item i ON i.status = :withdrawn AND instr(' ' || v.targets || ' ', ' ' || i.id || ' ')
        WHERE s.state = 'open' AND s.kind = 'edition' AND v.state = 'frozen' AND EXISTS (SELECT 1 FROM tally t
            WHERE t.sending = s.key AND t.n > 0 AND t.state IN ('pending', 'claimed', 'deferred'))"""
    )
    return list(connection.execute(query, {"withdrawn": Status.WITHDRAWN.value}).scalars())


def posted(connection: sa.Connection, item: str) -> list[Posted]:
    """Where an item was, or may have been, posted."""
    query = sa.text(
        """SELECT s.slot, s.revision, d.place, c.name AS channel, d.state, d.remote_id, d.remote_url,
             (SELECT x.state FROM delivery x JOIN sending t ON t.key = x.sending WHERE t.kind = 'delete'
              AND t.subject = s.subject AND t.slot = s.slot AND t.revision = s.revision AND x.place = d.place) AS deletion
        FROM delivery d JOIN sending s ON s.key = d.sending JOIN place c ON c.key = d.channel
        LEFT JOIN payload k ON k.sending = d.sending AND k.place = d.place
        WHERE s.subject = :item AND (s.kind = 'post' OR (s.kind = 'edit'
            AND d.remote_id IS NOT json_extract(k.parcel, '$.remote_id')))
        ORDER BY c.name, s.due"""
    )
    return [
        Posted(
            slot=row.slot,
            revision=row.revision,
            place=row.place,
            channel=row.channel,
            state=State(row.state),
            remote_id=row.remote_id,
            url=row.remote_url,
            deletion=State(row.deletion) if row.deletion else None,
        )
        for row in connection.execute(query, {"item": item})
    ]


def owe(connection: sa.Connection, item: str, posts: Iterable[Posted], now: datetime) -> int:
    """Record the duty to delete each post that has left, once; returns how many are new."""
    new = 0
    for post in posts:
        if post.state is not State.SENT or post.deletion is not None:
            continue
        made = duties.open_sending(
            connection, kind="delete", subject=item, due=now, targets="all", slot=post.slot, revision=post.revision
        )
        key = made or duties.sending_key(connection, "delete", item, post.slot, post.revision)
        new += duties.owe_once(connection, key, post.place, due=now, priority=_URGENT)
    return new


def remote(connection: sa.Connection, sending: int, place: int) -> str:
    """What the network calls the post that a deletion is about; ``""`` where nobody knows."""
    query = sa.text(
        """SELECT d.remote_id FROM sending x
        JOIN sending s ON s.kind IN ('post', 'edit') AND s.subject = x.subject AND s.slot = x.slot AND s.revision = x.revision
        JOIN delivery d ON d.sending = s.key AND d.place = :place WHERE x.key = :sending"""
    )
    return str(connection.execute(query, {"sending": sending, "place": place}).scalar() or "")


def mailed(connection: sa.Connection, item: str) -> dict[State, int]:
    """How many messages carry an item, by state."""
    query = sa.text(
        """SELECT d.state, count(*) AS n FROM delivery d JOIN variant v ON v.key = d.variant
        WHERE instr(' ' || v.targets || ' ', ' ' || :item || ' ') GROUP BY d.state"""
    )
    return {State(row.state): row.n for row in connection.execute(query, {"item": item})}
