"""Plain SQL straight to SQLite, inside a connection's own transaction: for paths on which a brief that was just saved waits.

SQLAlchemy takes several times as long over a small statement as SQLite does. Only the syncs of content and the first
feeds after them use this.
"""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import pysqlite
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


class Prepared:
    """A query of SQLAlchemy's as text, made once; its rows have its columns by their names, in the same types."""

    def __init__(self, query: sa.Select[Any]) -> None:
        """``query`` may leave values open by name, but no list of them."""
        dialect = pysqlite.dialect(paramstyle="qmark")
        compiled: Any = query.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        columns = query.selected_columns
        self._text = str(compiled)
        self._order: Sequence[str] = compiled.positiontup
        self._fixed: Mapping[str, object] = compiled.params
        self._writes = {name: bind.type.bind_processor(dialect) for bind, name in compiled.bind_names.items()}
        self._reads = [column.type.result_processor(dialect, None) for column in columns]
        made: Any = namedtuple  # of fields that the query names
        self._row = made("Row", [column.name for column in columns])

    def rows(self, connection: sa.Connection, values: Mapping[str, object]) -> list[Any]:
        """What it finds. Raises as ``Direct.rows``."""
        given = {**self._fixed, **values}
        bound = [write(given[name]) if (write := self._writes.get(name)) else given[name] for name in self._order]
        found = Direct(connection).rows(self._text, bound)
        return [
            self._row._make(read(value) if read else value for read, value in zip(self._reads, row, strict=True))
            for row in found
        ]
