"""What one day added up to: who came and left, and what came back. Numbers alone; reads only."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import sqlalchemy as sa

from syndicate.store.database import Connection
from syndicate.store.schema import to_micros

_CAME = sa.text(
    """SELECT n.name, count(*) FROM subscription s JOIN newsletter n ON n.key = s.newsletter
    WHERE s.state = 'active' AND s.since >= :start AND s.since < :end GROUP BY 1 ORDER BY 1"""
)
_LEFT = sa.text(
    """SELECT n.name, s.state, count(*) FROM subscription s JOIN newsletter n ON n.key = s.newsletter
    WHERE s.state IN ('ended', 'suppressed') AND s.changed >= :start AND s.changed < :end GROUP BY 1, 2 ORDER BY 1, 2"""
)
_ERASED = sa.text("SELECT count(*) FROM suppression WHERE reason = 'erased' AND at >= :start AND at < :end")
_BACK = sa.text("SELECT kind, count(*) FROM returned WHERE at >= :start AND at < :end GROUP BY 1 ORDER BY 1")


def came(connection: Connection, start: datetime, end: datetime) -> dict[str, int]:
    """Subscriptions that became active in ``[start, end)`` and still are, by newsletter."""
    return {row[0]: row[1] for row in connection.execute(_CAME, _span(start, end))}


def left(connection: Connection, start: datetime, end: datetime) -> dict[str, dict[str, int]]:
    """Subscriptions that were ended or suppressed in ``[start, end)``, by newsletter and state."""
    found: dict[str, dict[str, int]] = {}
    for name, state, n in connection.execute(_LEFT, _span(start, end)):
        found.setdefault(name, {})[state] = n
    return found


def erased(connection: Connection, start: datetime, end: datetime) -> int:
    """Readers who were erased in ``[start, end)``."""
    return int(connection.execute(_ERASED, _span(start, end)).scalar_one())


def returned(connection: Connection, start: datetime, end: datetime) -> Counter[str]:
    """What came back in ``[start, end)``, by kind; a walk over an index of its time."""
    return Counter({row[0]: row[1] for row in connection.execute(_BACK, _span(start, end))})


def _span(start: datetime, end: datetime) -> dict[str, int]:
    return {"start": to_micros(start), "end": to_micros(end)}
