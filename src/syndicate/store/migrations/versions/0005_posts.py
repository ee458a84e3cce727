"""Posts that are corrected, spaced and paid for."""

from typing import Final

from alembic import op

revision = "0005"
down_revision = "0004"

# Frozen as it was made: the tables of today stand in store/schema.py.
_STATEMENTS: Final[tuple[str, ...]] = (
    "ALTER TABLE payload ADD COLUMN made INTEGER DEFAULT 0 NOT NULL",
    "ALTER TABLE payload ADD COLUMN sha TEXT DEFAULT '' NOT NULL",
    """
CREATE TABLE correction (
    item INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    severity TEXT NOT NULL,
    text TEXT NOT NULL,
    day TEXT NOT NULL,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    told INTEGER DEFAULT 0 NOT NULL,
    planned INTEGER,
    open INTEGER DEFAULT 1 NOT NULL,
    CONSTRAINT pk_correction PRIMARY KEY (item, revision),
    CONSTRAINT fk_correction_item_item FOREIGN KEY(item) REFERENCES item ("key")
)
 WITHOUT ROWID,
 STRICT
""",
    "CREATE INDEX ix_correction_open ON correction (open) WHERE open = 1",
    """
CREATE TABLE rendition (
    sending INTEGER NOT NULL,
    lang TEXT NOT NULL,
    frozen TEXT NOT NULL,
    CONSTRAINT pk_rendition PRIMARY KEY (sending, lang)
)
 WITHOUT ROWID,
 STRICT
""",
    """
CREATE TABLE look (
    sending INTEGER NOT NULL,
    place INTEGER NOT NULL,
    hours INTEGER NOT NULL,
    at INTEGER NOT NULL,
    stands INTEGER NOT NULL,
    CONSTRAINT pk_look PRIMARY KEY (sending, place, hours)
)
 WITHOUT ROWID,
 STRICT
""",
    """
CREATE TABLE charge (
    channel TEXT NOT NULL,
    month TEXT NOT NULL,
    what TEXT NOT NULL,
    sending INTEGER NOT NULL,
    place INTEGER NOT NULL,
    n INTEGER NOT NULL,
    micros INTEGER NOT NULL,
    CONSTRAINT pk_charge PRIMARY KEY (channel, month, what, sending, place)
)
 WITHOUT ROWID,
 STRICT
""",
)


def upgrade() -> None:
    """Make the tables and columns."""
    for statement in _STATEMENTS:
        op.execute(statement)
