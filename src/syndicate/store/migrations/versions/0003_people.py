"""What an approver saw, and a person's word that an item is withdrawn."""

from typing import Final

from alembic import op

revision = "0003"
down_revision = "0002"

# Frozen as it was made: the tables of today stand in store/schema.py.
_STATEMENTS: Final = (
    "ALTER TABLE approval ADD COLUMN renderings TEXT DEFAULT '' NOT NULL",
    "ALTER TABLE item ADD COLUMN withdrawn INTEGER",
    "CREATE INDEX ix_item_withdrawn ON item (withdrawn) WHERE withdrawn IS NOT NULL",
)


def upgrade() -> None:
    """Add the two columns."""
    for statement in _STATEMENTS:
        op.execute(statement)
