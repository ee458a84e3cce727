"""What the desk's board shows: channels, a day's sendings and their states. Reads only; totals come from tallies.

Every function works on a given connection, and none walks the deliveries of an edition.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from syndicate.store.clauses import OPEN
from syndicate.store.database import Connection
from syndicate.store.schema import from_micros


@dataclass(frozen=True, kw_only=True, slots=True)
class Traffic:
    """What happens on one channel."""

    uncertain: int  # deliveries
    sending: bool
    deferred: datetime | None  # when the first of those that wait is tried again


def traffic(connection: Connection, channel: str) -> Traffic:
    """What one channel does now: three looks into partial indexes, whatever the size of the ledger."""
    key = connection.execute(
        sa.text("SELECT key FROM place WHERE kind = 'account' AND name = :name"), {"name": channel}
    ).scalar()
    if key is None:
        return Traffic(uncertain=0, sending=False, deferred=None)
    uncertain = connection.execute(
        sa.text("SELECT count(*) FROM delivery INDEXED BY ix_delivery_uncertain WHERE channel = :key AND state = 'uncertain'"),
        {"key": key},
    ).scalar_one()
    first = sa.text(
        f"""SELECT not_before FROM delivery INDEXED BY ix_delivery_open
        WHERE channel = :key AND state = :state AND state IN {OPEN} LIMIT 1"""  # noqa: S608 - fixed text
    )
    found = {
        state: connection.execute(first, {"key": key, "state": state}).scalar() for state in ("claimed", "sending", "deferred")
    }
    return Traffic(
        uncertain=int(uncertain),
        sending=found["claimed"] is not None or found["sending"] is not None,
        deferred=None if found["deferred"] is None else from_micros(found["deferred"]),
    )
