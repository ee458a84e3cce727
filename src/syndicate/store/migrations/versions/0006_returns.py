"""What comes back: bounces and complaints."""

from typing import Final

from alembic import op

revision = "0006"
down_revision = "0005"

# Frozen as it was made: the tables of today stand in store/schema.py.
_STATEMENTS: Final[tuple[str, ...]] = (
    """
CREATE TABLE returned (
    sending INTEGER NOT NULL,
    place INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    edition INTEGER DEFAULT 0 NOT NULL,
    domain TEXT DEFAULT '' NOT NULL,
    status TEXT DEFAULT '' NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    form TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_returned PRIMARY KEY (sending, place, kind)
)
 WITHOUT ROWID,
 STRICT
""",
    "CREATE INDEX ix_returned_place ON returned (place, kind, at)",
    "CREATE INDEX ix_returned_edition ON returned (edition, kind)",
    "CREATE INDEX ix_returned_at ON returned (at)",
    """
CREATE TABLE returned_total (
    edition INTEGER NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    n INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT pk_returned_total PRIMARY KEY (edition, kind, reason)
)
 WITHOUT ROWID,
 STRICT
""",
    """
CREATE TABLE seen_return (
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    at INTEGER NOT NULL,
    CONSTRAINT pk_seen_return PRIMARY KEY (source, id)
)
 WITHOUT ROWID,
 STRICT
""",
    "CREATE INDEX ix_seen_return_at ON seen_return (at)",
    """
CREATE TABLE braked (
    edition INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    CONSTRAINT pk_braked PRIMARY KEY (edition, kind)
)
 WITHOUT ROWID,
 STRICT
""",
)


def upgrade() -> None:
    """Make the tables and columns."""
    for statement in _STATEMENTS:
        op.execute(statement)
