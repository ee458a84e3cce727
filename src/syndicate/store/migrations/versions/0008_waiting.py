"""A smaller ledger: an index for what waits alone, one for what is in hand, none for places.

A condition of ``OR`` costs a moved row next to nothing; for each ``IN`` of many values SQLite makes a table at each move.
"""

from typing import Final

from alembic import op

revision = "0008"
down_revision = "0007"

# Frozen as it was made: the tables of today stand in store/schema.py.
_STATEMENTS: Final[tuple[str, ...]] = (
    """UPDATE delivery SET lease_until = 0 WHERE state IN ('pending', 'claimed', 'sending', 'deferred')
    AND state IN ('claimed', 'sending') AND lease_until IS NULL""",
    "DROP INDEX ix_delivery_open",
    "DROP INDEX ix_delivery_place",
    "DROP INDEX ix_delivery_astray",
    """CREATE INDEX ix_delivery_waiting ON delivery (channel, priority DESC, not_before)
    WHERE state = 'pending' OR state = 'deferred'""",
    "CREATE INDEX ix_delivery_leased ON delivery (channel) WHERE lease_until IS NOT NULL",
    """CREATE INDEX ix_delivery_astray ON delivery (state, sending, place)
    WHERE state = 'deferred' OR state = 'failed' OR state = 'suppressed' OR state = 'uncertain' OR state = 'cancelled'""",
    "CREATE INDEX ix_edition_now ON edition (at) WHERE frequency = 'now'",
)


def upgrade() -> None:
    """Make the indexes anew."""
    for statement in _STATEMENTS:
        op.execute(statement)
