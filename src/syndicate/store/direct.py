"""Plain SQL straight to SQLite, inside a connection's own transaction: for paths on which a brief that was just saved waits.

SQLAlchemy takes several times as long over a small statement as SQLite does. Only the syncs of content use this.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

Row: TypeAlias = tuple[Any, ...]


class Direct:
    """Runs statements for one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        """Use the transaction of ``connection``, begun here where it has done nothing yet."""
        if not connection.in_transaction():
            connection.begin()
        driver: Any = connection.connection.driver_connection
        self._cursor: sqlite3.Cursor = driver.cursor()

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        """What a query finds.

        Raises
        ------
        OperationalError
            SQLite refused; the store translates it, as it does SQLAlchemy's own.
        """
        try:
            return self._cursor.execute(statement, tuple(values)).fetchall()
        except sqlite3.Error as error:
            raise OperationalError(None, None, error) from error

    def value(self, statement: str, values: Sequence[object] = ()) -> Any:  # noqa: ANN401 - a column's
        """The first column of the first row; ``None`` where there is no row."""
        found = self.rows(statement, values)
        return found[0][0] if found else None

    def each(self, statement: str, many: Sequence[Any]) -> None:
        """Run a change once for each of ``many`` sets of values. Raises as ``rows``."""
        try:
            self._cursor.executemany(statement, many)
        except sqlite3.Error as error:
            raise OperationalError(None, None, error) from error
