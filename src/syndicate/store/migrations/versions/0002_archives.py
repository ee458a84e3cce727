"""Archives of feeds, pings to hubs, and the counter of changes that both are kept by."""

from typing import Final

from alembic import op

revision = "0002"
down_revision = "0001"

# Frozen as it was made: the tables of today stand in store/schema.py.
_STATEMENTS: Final = (
    "ALTER TABLE item ADD COLUMN change INTEGER DEFAULT 0 NOT NULL",
    "CREATE INDEX ix_item_change ON item (change)",
    "CREATE INDEX ix_item_updated ON item (updated)",
    """
CREATE TABLE shelf (
    feed TEXT NOT NULL,
    item INTEGER NOT NULL,
    page INTEGER DEFAULT 0 NOT NULL,
    at INTEGER NOT NULL,
    CONSTRAINT pk_shelf PRIMARY KEY (feed, item),
    CONSTRAINT fk_shelf_item_item FOREIGN KEY(item) REFERENCES item ("key")
)
 WITHOUT ROWID,
 STRICT
""",
    "CREATE INDEX ix_shelf_item ON shelf (item)",
    "CREATE INDEX ix_shelf_page ON shelf (feed, page, at)",
    """
CREATE TABLE shelf_mark (
    feed TEXT NOT NULL,
    change INTEGER DEFAULT 0 NOT NULL,
    at INTEGER NOT NULL,
    pages INTEGER DEFAULT 0 NOT NULL,
    made TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_shelf_mark PRIMARY KEY (feed)
)
 WITHOUT ROWID,
 STRICT
""",
    """
CREATE TABLE ping (
    hub TEXT NOT NULL,
    url TEXT NOT NULL,
    stamp TEXT DEFAULT '' NOT NULL,
    sha TEXT DEFAULT '' NOT NULL,
    told INTEGER,
    attempts INTEGER DEFAULT 0 NOT NULL,
    since INTEGER,
    not_before INTEGER,
    detail TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_ping PRIMARY KEY (hub, url)
)
 WITHOUT ROWID,
 STRICT
""",
)


def upgrade() -> None:
    """Add the tables and the counter."""
    for statement in _STATEMENTS:
        op.execute(statement)
