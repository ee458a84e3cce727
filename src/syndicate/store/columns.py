"""What every table is made of: columns as SQLite's STRICT tables take them, and the one list of tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def to_micros(instant: datetime) -> int:
    """Microseconds since 1970-01-01T00:00Z, exact (no float)."""
    return (instant - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The aware UTC instant."""
    return _EPOCH + timedelta(microseconds=micros)


class Instant(sa.types.TypeDecorator[datetime]):
    """An aware datetime as INTEGER microseconds UTC: STRICT tables know no DateTime."""

    impl = sa.Integer
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy's
        """Refuse naive values; store microseconds."""
        return None if value is None else to_micros(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ANN401, ARG002 - SQLAlchemy's
        """Back to aware UTC."""
        return None if value is None else from_micros(value)


metadata: Final = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def table(name: str, *parts: sa.schema.SchemaItem, rowid: bool = True) -> sa.Table:
    """A STRICT table of this database."""
    return sa.Table(name, metadata, *parts, sqlite_strict=True, sqlite_with_rowid=rowid)


def key() -> sa.Column[int]:
    """The INTEGER PRIMARY KEY."""
    return sa.Column("key", sa.Integer, primary_key=True)


def text(name: str, default: str | None = "") -> sa.Column[str]:
    """A TEXT column that is never NULL."""
    return sa.Column(name, sa.Text, nullable=False, server_default=None if default is None else sa.text(f"'{default}'"))


def integer(name: str, default: int | None = 0) -> sa.Column[int]:
    """An INTEGER column that is never NULL."""
    return sa.Column(name, sa.Integer, nullable=False, server_default=None if default is None else sa.text(str(default)))


def at(name: str, *, null: bool = False) -> sa.Column[datetime]:
    """An instant."""
    return sa.Column(name, Instant, nullable=null)


def ref(name: str, target: str, *, null: bool = False, **more: Any) -> sa.Column[int]:  # noqa: ANN401 - SQLAlchemy's own
    """A reference to another table's key."""
    return sa.Column(name, sa.Integer, sa.ForeignKey(target), nullable=null, **more)
