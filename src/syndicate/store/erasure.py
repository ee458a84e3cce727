"""What is known of one reader: all of it as one JSON document, or nothing any more. Works inside a given transaction."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from syndicate.errors import StoreError
from syndicate.store import schema
from syndicate.store.database import Connection
from syndicate.store.ledger import strip, suppress_open
from syndicate.store.returns import fold, lines_of
from syndicate.store.schema import from_micros
from syndicate.store.suppression import ERASED, suppress

_WHY: Final = "the reader was erased"
_READER: Final = schema.subscriber.c
_SUBSCRIPTION: Final = schema.subscription.c
_SENT: Final = sa.text(
    """SELECT s.kind, n.name AS newsletter, e.number, e.frequency, s.due, d.state, d.done_at
    FROM sending s CROSS JOIN delivery d ON d.sending = s.key AND d.place = :p LEFT JOIN newsletter n ON n.key = s.newsletter
    LEFT JOIN edition e ON s.kind = 'edition' AND e.key = CAST(s.subject AS INTEGER)
    ORDER BY s.due, s.key"""
)


def record(connection: Connection, subscriber: int) -> dict[str, Any] | None:
    """Everything that is kept of one reader, ready for JSON: person, subscriptions with their consent, what was sent.

    ``None`` where there is no such reader. It is what the General Data Protection Regulation calls access and
    portability (Articles 15 and 20).
    """
    person = connection.execute(sa.select(schema.subscriber).where(_READER.key == subscriber)).mappings().first()
    if person is None:
        return None
    named = schema.newsletter.c.name.label("newsletter_name")
    query = (
        sa.select(schema.subscription, named)
        .join(schema.newsletter, schema.newsletter.c.key == _SUBSCRIPTION.newsletter)
        .where(_SUBSCRIPTION.subscriber == subscriber)
        .order_by(named)
    )
    return {
        "id": person["id"],
        "address": person["address"],
        "name": person["name"],
        "language": person["lang"],
        "known_since": _told(person["at"]),
        "subscriptions": [_subscription(row) for row in connection.execute(query).mappings()],
        "sent": [_sent(row) for row in connection.execute(_SENT, {"p": subscriber}).mappings()],
        "returned": [
            {"at": _told(line.at), "edition": line.edition, "kind": line.kind, "status": line.status, "reason": line.reason}
            for line in lines_of(connection, subscriber)
        ],
    }


def _subscription(row: sa.RowMapping) -> dict[str, Any]:
    return {
        "newsletter": row["newsletter_name"],
        "state": row["state"],
        "since": _told(row["since"]),
        "changed": _told(row["changed"]),
        "frequency": row["frequency"],
        "weekday": row["weekday"],
        "hour": row["hour"],
        "zone": row["zone"],
        "topics": json.loads(row["topics"]) if row["topics"] else [],
        "quote": row["quote_display"],
        "language": row["lang"],
        "paused_to": _told(row["paused_to"]),
        "received_up_to": _told(row["covered_to"]),
        "quotation_of": row["quoted_to"],
        "consent": json.loads(row["consent"]) if row["consent"] else {},
    }


def _sent(row: sa.RowMapping) -> dict[str, Any]:
    return {
        "what": row["kind"],
        "newsletter": row["newsletter"] or "",
        "number": row["number"],
        "frequency": row["frequency"] or "",
        "due": _told(from_micros(row["due"])),
        "state": row["state"],
        "done": None if row["done_at"] is None else _told(from_micros(row["done_at"])),
    }


def _told(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat(timespec="seconds")


def erase(connection: Connection, subscriber: int, now: datetime) -> bool:
    """Leave nothing of one reader but a keyed hash on the suppression list; ``False`` where there is no such reader.

    What waits for them is suppressed. Their deliveries stay as rows of a place without a name, so that the books
    still balance and no later reader gets a number that old links of theirs carry.
    """
    address = connection.execute(sa.select(_READER.address).where(_READER.key == subscriber)).scalar()
    if address is None:
        return False
    suppress_open(connection, subscriber, None, now, _WHY)
    suppress(connection, address, ERASED, now)
    forget(connection, subscriber)
    return True


def forget(connection: Connection, subscriber: int) -> None:
    """Take a reader and all their subscriptions out of the database, and their name from the place they had."""
    connection.exec_driver_sql("PRAGMA secure_delete = ON")  # what is deleted is written over
    strip(connection, subscriber)
    fold(connection, "place = :place", {"place": subscriber})
    connection.execute(schema.subscription.delete().where(_SUBSCRIPTION.subscriber == subscriber))
    connection.execute(schema.subscriber.delete().where(_READER.key == subscriber))
    connection.execute(schema.place.update().where(schema.place.c.key == subscriber).values(name=f"nobody {subscriber}"))


def scrub(path: Path) -> None:
    """Take what was deleted out of the journal of the database ``path`` too, as far as nobody is reading it right now."""
    engine = sa.create_engine(f"sqlite:///{path}", isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout = 5000")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").close()
    except DatabaseError as error:
        msg = f"the journal of {path} could not be emptied: {error.orig}; what was erased leaves it with the next checkpoint"
        raise StoreError(msg) from error
    finally:
        engine.dispose()
