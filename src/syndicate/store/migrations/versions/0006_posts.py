"""Posts that are corrected, spaced and paid for."""

from typing import Final

from alembic import op

revision = "0006"
down_revision = "0005"

# Frozen as it was made: the tables of today stand in store/schema.py.
_STATEMENTS: Final[tuple[str, ...]] = ()


def upgrade() -> None:
    """Make the tables and columns."""
    for statement in _STATEMENTS:
        op.execute(statement)
