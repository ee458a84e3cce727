"""What readers ask for themselves: sign-up, links, limits."""

from typing import Final

from alembic import op

revision = "0004"
down_revision = "0003"

# Frozen as it was made: the tables of today stand in store/schema.py.
_STATEMENTS: Final = (
    "CREATE INDEX ix_subscription_pending ON subscription (changed) WHERE state = 'pending'",
    """
CREATE TABLE signup (
    "key" INTEGER NOT NULL,
    hash TEXT NOT NULL,
    at INTEGER NOT NULL,
    CONSTRAINT pk_signup PRIMARY KEY ("key")
)
 STRICT
""",
    "CREATE INDEX ix_signup_hash ON signup (hash, at)",
    "CREATE INDEX ix_signup_at ON signup (at)",
)


def upgrade() -> None:
    """Add the table and the indexes."""
    for statement in _STATEMENTS:
        op.execute(statement)
