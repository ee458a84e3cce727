"""The keys that sign reader links and hash addresses. The newest signs; every older one keeps verifying, for ever."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from syndicate.errors import StoreError
from syndicate.store import schema
from syndicate.store.database import Connection, Store

_OCTETS: Final = 32
_MOST: Final = 255  # a link has one byte for the number


class TokenKeys(Mapping[int, bytes]):
    """The keys by number. A number that is not known is looked up once more: another process may have added it."""

    def __init__(self, store: Store) -> None:
        """Read the keys of ``store``."""
        self._store = store
        self._known = self._read()

    def __getitem__(self, number: int) -> bytes:
        """The secret of one key; ``KeyError`` where there is none."""
        if number not in self._known:
            self._known = self._read()
        return self._known[number]

    def __iter__(self) -> Iterator[int]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def _read(self) -> dict[int, bytes]:
        with self._store.read() as connection:
            return secrets_of(connection)


def secrets_of(connection: Connection) -> dict[int, bytes]:
    """Every key's secret by its number."""
    return {row.number: row.secret for row in connection.execute(sa.select(schema.token_key))}


def listed(connection: Connection) -> list[tuple[int, datetime]]:
    """Each key's number and since when it signs, oldest first."""
    query = sa.select(schema.token_key.c.number, schema.token_key.c.at).order_by(schema.token_key.c.number)
    return [(row.number, row.at) for row in connection.execute(query)]


def rotate(connection: Connection, now: datetime) -> int:
    """Add a key, which signs from now on; returns its number.

    Raises
    ------
    StoreError
        All 255 numbers are taken.
    """
    number = max(secrets_of(connection), default=0) + 1
    if number > _MOST:
        msg = "there are 255 keys already, and a link has room for no higher number"
        raise StoreError(msg)
    connection.execute(schema.token_key.insert().values(number=number, secret=secrets.token_bytes(_OCTETS), at=now))
    return number


def keyed(key: bytes, purpose: str, text: str) -> str:
    """A keyed hash of ``text``, in hexadecimal: who has not the key cannot try texts out."""
    return hmac.digest(key, f"{purpose}\0{text}".encode(), hashlib.sha256).hex()
