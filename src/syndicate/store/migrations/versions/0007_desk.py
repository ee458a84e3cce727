"""The desk: who is signed in, and what its pages look for."""

from typing import Final

from alembic import op

revision = "0007"
down_revision = "0006"

# Frozen as it was made: the tables of today stand in store/schema.py.
_STATEMENTS: Final[tuple[str, ...]] = (
    """
CREATE TABLE desk_session (
    token_sha TEXT NOT NULL,
    person INTEGER NOT NULL,
    at INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    until INTEGER NOT NULL,
    CONSTRAINT pk_desk_session PRIMARY KEY (token_sha),
    CONSTRAINT fk_desk_session_person_person FOREIGN KEY(person) REFERENCES person ("key")
)
 WITHOUT ROWID,
 STRICT
""",
    """
CREATE TABLE desk_try (
    scope TEXT NOT NULL,
    n INTEGER DEFAULT 0 NOT NULL,
    since INTEGER NOT NULL,
    CONSTRAINT pk_desk_try PRIMARY KEY (scope)
)
 WITHOUT ROWID,
 STRICT
""",
    """
CREATE TABLE desk_link (
    token_sha TEXT NOT NULL,
    until INTEGER NOT NULL,
    CONSTRAINT pk_desk_link PRIMARY KEY (token_sha)
)
 WITHOUT ROWID,
 STRICT
""",
    "CREATE INDEX ix_tally_state ON tally (state, sending) WHERE n > 0",
    """CREATE INDEX ix_delivery_astray ON delivery (state, sending, place)
    WHERE state IN ('deferred', 'failed', 'suppressed', 'uncertain', 'cancelled')""",
)


def upgrade() -> None:
    """Make the tables and indexes."""
    for statement in _STATEMENTS:
        op.execute(statement)
