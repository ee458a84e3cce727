"""Addresses that nobody writes to or imports again: keyed hashes and reasons, never an address.

Works inside a given transaction. Only its owner's own confirmed sign-up takes an address off the list.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from syndicate.store import schema
from syndicate.store.addresses import normalised
from syndicate.store.database import Connection
from syndicate.store.keys import keyed, secrets_of

ERASED: Final = "erased"
_LIST: Final = schema.suppression.c
_PURPOSE: Final = "suppressed"


def suppress(connection: Connection, address: str, reason: str, now: datetime) -> None:
    """Put an address on the list; one that is on it keeps its first reason.

    Raises
    ------
    ValueError
        Not an address.
    """
    if is_suppressed(connection, address):
        return
    keys = secrets_of(connection)
    made = keyed(keys[max(keys)], _PURPOSE, normalised(address)[1])
    connection.execute(schema.suppression.insert().values(address_hash=made, reason=reason, at=now))


def is_suppressed(connection: Connection, address: str) -> str:
    """Why an address is on the list; ``""`` where it is not.

    Raises
    ------
    ValueError
        Not an address.
    """
    query = sa.select(_LIST.reason).where(_LIST.address_hash.in_(_hashes(connection, address)))
    return str(connection.execute(query).scalar() or "")


def suppressions(connection: Connection) -> Callable[[str], str]:
    """The whole list at once, for an import: asked with a compared address (``normalised``), it says why, or ``""``."""
    keys = list(secrets_of(connection).values())
    known = {row.address_hash: row.reason for row in connection.execute(sa.select(_LIST.address_hash, _LIST.reason))}
    if not known:
        return lambda _: ""
    return lambda compared: next((known[made] for key in keys if (made := keyed(key, _PURPOSE, compared)) in known), "")


def lift(connection: Connection, address: str) -> None:
    """Take an address off the list: its owner has confirmed a sign-up of their own."""
    connection.execute(schema.suppression.delete().where(_LIST.address_hash.in_(_hashes(connection, address))))


def _hashes(connection: Connection, address: str) -> list[str]:
    compared = normalised(address)[1]
    return [keyed(key, _PURPOSE, compared) for key in secrets_of(connection).values()]
