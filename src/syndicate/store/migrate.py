"""Alembic's door: makes a new database's tables and brings an old one up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import sqlalchemy as sa

from syndicate.errors import StoreError
from syndicate.store.database import Store

HEAD: Final = "0008"  # the newest revision; a test compares it with the files


def version(store: Store) -> str:
    """The database's revision; ``""`` where it has no tables yet."""
    with store.read() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return ""
        return str(connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() or "")


def ensure(store: Store) -> None:
    """Make the tables of a new database; refuse one that another version wrote.

    Raises
    ------
    StoreError
        The database is older (says how to upgrade it) or newer than this program.
    """
    found = version(store)
    if not found:
        upgrade(store)
    elif found < HEAD:
        msg = (
            f"database {store.path} is of an older version ({found}); "
            "run `syndicate db backup FILE`, then `syndicate db upgrade`"
        )
        raise StoreError(msg)
    elif found > HEAD:
        msg = f"database {store.path} was written by a newer syndicate ({found}); install that version"
        raise StoreError(msg)


def upgrade(store: Store) -> None:
    """Run every migration that the database lacks, in one transaction."""
    from alembic import command
    from alembic.config import Config

    def run(connection: sa.Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    store.write(run)
