"""The pace of sending: rates, breakers, what an hour brought."""

from typing import Final

from alembic import op

revision = "0005"
down_revision = "0004"

# Frozen as it was made: the tables of today stand in store/schema.py.
_STATEMENTS: Final[tuple[str, ...]] = ()


def upgrade() -> None:
    """Make the tables and columns."""
    for statement in _STATEMENTS:
        op.execute(statement)
