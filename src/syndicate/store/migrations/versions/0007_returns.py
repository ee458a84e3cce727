"""What comes back: bounces and complaints."""

from typing import Final

from alembic import op

revision = "0007"
down_revision = "0006"

# Frozen as it was made: the tables of today stand in store/schema.py.
_STATEMENTS: Final[tuple[str, ...]] = ()


def upgrade() -> None:
    """Make the tables and columns."""
    for statement in _STATEMENTS:
        op.execute(statement)
