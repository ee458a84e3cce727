"""Every reader of a publication with all that is theirs, for another system or another publication. Reads only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from syndicate.store import schema
from syndicate.store.database import Connection
from syndicate.store.suppression import suppressions

_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_TOGETHER: Final = 1000  # rows in hand


def exported(connection: Connection, newsletter: str = "") -> Iterator[dict[str, Any]]:
    """One document for each subscription, by address, with the columns that an import reads (``sources.roster.PLAIN``).

    Times are ISO 8601; ``topics`` is a list and ``consent`` an object. ``suppressed`` says why nobody writes to the
    address. Of addresses that were erased nothing is left to export.
    """
    listed = suppressions(connection)
    person, wish = schema.subscriber.c, schema.subscription.c
    query = (
        sa.select(
            schema.subscription,
            person.address,
            person.address_key,
            person.name,
            person.at.label("known_since"),
            schema.newsletter.c.name.label("letter"),
        )
        .join(schema.subscriber, person.key == wish.subscriber)
        .join(schema.newsletter, schema.newsletter.c.key == wish.newsletter)
        .order_by(person.address_key, schema.newsletter.c.name)
    )
    if newsletter:
        query = query.where(schema.newsletter.c.name == newsletter)
    for row in connection.execution_options(yield_per=_TOGETHER).execute(query).mappings():
        yield {
            "address": row["address"],
            "name": row["name"],
            "newsletter": row["letter"],
            "frequency": row["frequency"],
            "weekday": "" if row["weekday"] is None else _WEEKDAYS[row["weekday"]],
            "hour": row["hour"],
            "zone": row["zone"],
            "quote": row["quote_display"],
            "lang": row["lang"],
            "topics": json.loads(row["topics"]) if row["topics"] else [],
            "status": row["state"],
            "since": _told(row["since"]),
            "paused_to": _told(row["paused_to"]),
            "known_since": _told(row["known_since"]),
            "suppressed": listed(row["address_key"]),
            "consent": json.loads(row["consent"]) if row["consent"] else {},
        }


def _told(instant: datetime | None) -> str:
    return "" if instant is None else instant.isoformat()
