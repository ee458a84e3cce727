"""What accounts have posted lately: when last, and quotes' posts that are to be looked at again (Q19).

Every function works inside a given transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from syndicate.store.schema import from_micros, to_micros

HOURS: Final = (1, 24)  # after the post
_LONGEST: Final = timedelta(days=14)  # what was not looked at within this is not looked at any more
_AGAIN: Final = timedelta(minutes=10)  # after a look that got no answer
NO_ANSWER: Final = -1  # what `look.stands` says then; 1: it stood, 0: it was gone


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """One post that is due to be looked at."""

    sending: int
    place: int
    item: str  # the quote's id
    remote_id: str  # by its newest name
    hours: int  # the latest of ``HOURS`` that has come


def last_post(connection: sa.Connection, account: str) -> datetime | None:
    """When an account posted last, or may have: what is on the wire or in doubt counts too."""
    query = sa.text(
        """SELECT max(d.intent_at) FROM delivery d JOIN sending s ON s.key = d.sending AND s.kind = 'post'
        WHERE d.place = (SELECT key FROM place WHERE kind = 'account' AND name = :account)
        AND d.state IN ('sent', 'sending', 'uncertain')"""
    )
    found = connection.execute(query, {"account": account}).scalar()
    return None if found is None else from_micros(found)


def due(connection: sa.Connection, account: str, now: datetime) -> list[Look]:
    """Posts of quotes on one account that stand, as far as we know, and are to be looked at an hour and a day after."""
    query = sa.text(
        """SELECT s.key AS sending, s.subject, d.place, d.done_at,
             coalesce((SELECT x.remote_id FROM sending t JOIN delivery x ON x.sending = t.key AND x.place = d.place
                 JOIN payload k ON k.sending = x.sending AND k.place = x.place
                 WHERE t.kind = 'edit' AND t.subject = s.subject AND t.slot = s.slot AND x.state = 'sent'
                 AND json_extract(k.parcel, '$.way') = 'edit' ORDER BY t.revision DESC LIMIT 1), d.remote_id) AS remote_id
        FROM sending s JOIN delivery d ON d.sending = s.key AND d.place =
             (SELECT key FROM place WHERE kind = 'account' AND name = :account)
        WHERE s.due > :since AND s.kind = 'post' AND d.state = 'sent' AND d.done_at <= :first
        AND instr(' ' || s.targets || ' ', ' quotes ') AND NOT EXISTS (SELECT 1 FROM sending t JOIN delivery x
            ON x.sending = t.key AND x.place = d.place WHERE t.kind = 'delete' AND t.subject = s.subject AND t.slot = s.slot)
        AND NOT EXISTS (SELECT 1 FROM look l WHERE l.sending = s.key AND l.place = d.place
            AND (l.stands = 0 OR (l.stands = 1 AND l.hours = :last) OR (l.stands = :none AND l.at > :again)))"""
    )
    values = {
        "account": account,
        "since": to_micros(now - _LONGEST),
        "first": to_micros(now - timedelta(hours=HOURS[0])),
        "last": HOURS[-1],
        "none": NO_ANSWER,
        "again": to_micros(now - _AGAIN),
    }
    looks = [
        Look(sending=row.sending, place=row.place, item=row.subject, remote_id=row.remote_id, hours=_hours(row.done_at, now))
        for row in connection.execute(query, values)
    ]
    return [look for look in looks if not _seen(connection, look)]


def _hours(done: int, now: datetime) -> int:
    return max(hours for hours in HOURS if from_micros(done) + timedelta(hours=hours) <= now)


def _seen(connection: sa.Connection, look: Look) -> bool:
    query = sa.text("SELECT 1 FROM look WHERE sending = :s AND place = :p AND hours >= :h AND stands = 1")
    return connection.execute(query, {"s": look.sending, "p": look.place, "h": look.hours}).first() is not None


def record(connection: sa.Connection, look: Look, stands: int, now: datetime) -> None:
    """Keep what was seen."""
    connection.execute(
        sa.text(
            """INSERT INTO look (sending, place, hours, at, stands) VALUES (:s, :p, :h, :at, :stands)
            ON CONFLICT (sending, place, hours) DO UPDATE SET at = excluded.at, stands = excluded.stands"""
        ),
        {"s": look.sending, "p": look.place, "h": look.hours, "at": to_micros(now), "stands": stands},
    )
