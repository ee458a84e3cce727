"""What was sent of one item, to where, with what answer: the record behind ``posts show``.

Reads only, inside a given transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from syndicate.model import State
from syndicate.store import schema
from syndicate.store.clauses import NOT_BEFORE
from syndicate.store.schema import from_micros


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """One thing that was said about a delivery."""

    at: datetime
    outcome: str
    code: str
    words: str  # the network's own, and our advice


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """One post, correction or deletion of an item on one account."""

    id: str  # "12.34", as `deliveries` names it
    kind: str  # post | edit | delete
    channel: str
    revision: int
    state: State
    due: datetime
    not_before: datetime
    done: datetime | None
    url: str
    remote_id: str
    sha: str  # SHA-256 of the request; "" where none was made
    cost: float  # US dollars, reserved or spent
    said: tuple[Said, ...]  # oldest first


def sent(connection: sa.Connection, item: str) -> list[Sent]:
    """Everything that was, or is to be, done with an item on accounts, in the order in which it came due."""
    query = sa.text(
        f"""SELECT d.sending, d.place, s.kind, c.name AS channel, s.revision, d.state, s.due, {NOT_BEFORE} AS not_before,
             d.done_at, d.remote_url, d.remote_id, coalesce(k.sha, '') AS sha, coalesce((SELECT sum(g.micros) FROM charge g
             WHERE g.sending = d.sending AND g.place = d.place), 0) AS micros
        FROM sending s JOIN delivery d ON d.sending = s.key JOIN place c ON c.key = d.channel
        LEFT JOIN payload k ON k.sending = d.sending AND k.place = d.place
        WHERE s.kind IN ('post', 'edit', 'delete') AND s.subject = :item ORDER BY s.due, s.key, c.name"""  # noqa: S608 - fixed text
    )
    return [
        Sent(
            id=f"{row.sending}.{row.place}",
            kind=row.kind,
            channel=row.channel,
            revision=row.revision,
            state=State(row.state),
            due=from_micros(row.due),
            not_before=from_micros(row.not_before),
            done=None if row.done_at is None else from_micros(row.done_at),
            url=row.remote_url,
            remote_id=row.remote_id,
            sha=row.sha,
            cost=row.micros / 1_000_000 if row.state not in {"failed", "cancelled"} else 0.0,
            said=_said(connection, row.sending, row.place),
        )
        for row in connection.execute(query, {"item": item})
    ]


def _said(connection: sa.Connection, sending: int, place: int) -> tuple[Said, ...]:
    a = schema.attempt.c
    query = sa.select(a.at, a.outcome, a.code, a.detail).where(a.sending == sending, a.place == place).order_by(a.key)
    return tuple(Said(at=row.at, outcome=row.outcome, code=row.code, words=row.detail) for row in connection.execute(query))
