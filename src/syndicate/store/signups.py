"""How often sign-ups were made for one mailbox and from one network: keyed hashes, kept at most a day.

Works inside a given transaction. Decides whether one more may go on, and counts it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final, Literal

import sqlalchemy as sa

from syndicate.store import schema
from syndicate.store.addresses import mailbox, normalised
from syndicate.store.database import Connection
from syndicate.store.keys import keyed, secrets_of
from syndicate.store.suppression import is_suppressed

Verdict = Literal["yes", "quiet", "network", "everybody"]
_KEPT: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)
_IPV4_PREFIX: Final = 24
_IPV6_PREFIX: Final = 48
_T: Final = schema.signup.c


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How many sign-ups are answered with a mail."""

    per_address: int  # mails to one mailbox in a day; one that is on the suppression list gets one
    per_network: int  # sign-ups from one network in an hour
    ceiling: int  # sign-ups altogether in an hour


def admit(connection: Connection, limits: Limits, address: str, network: str, now: datetime) -> Verdict:
    """Whether a sign-up may go on; it is counted if it may.

    ``quiet``: the mailbox has had its mails; the person who asks is told the same as ever. ``network``,
    ``everybody``: too many from there, or altogether, which says nothing about the address.

    Raises
    ------
    ValueError
        Not an address.
    """
    compared = normalised(address)[1]
    keys = secrets_of(connection)
    key = keys[max(keys)]
    everybody = keyed(key, "signup", "everybody")
    there = keyed(key, "signup", f"network {network}")
    here = keyed(key, "signup", f"mailbox {mailbox(compared)}")
    if _count(connection, everybody, now - _HOUR) >= limits.ceiling:
        return "everybody"
    if _count(connection, there, now - _HOUR) >= limits.per_network:
        return "network"
    most = 1 if is_suppressed(connection, address) else limits.per_address
    full = _count(connection, here, now - _KEPT) >= most
    marks = [everybody, there] if full else [everybody, there, here]
    connection.execute(schema.signup.insert(), [{"hash": mark, "at": now} for mark in marks])
    return "quiet" if full else "yes"


def tidy(connection: Connection, now: datetime) -> None:
    """Delete what is older than a day."""
    connection.execute(schema.signup.delete().where(_T.at < now - _KEPT))


def untidy(connection: Connection, now: datetime) -> bool:
    """Whether anything is older than a day."""
    return connection.execute(sa.select(_T.key).where(_T.at < now - _KEPT).limit(1)).first() is not None


def network_of(client: str) -> str:
    """The network of an IP address, /24 of IPv4 and /48 of IPv6; what is no IP address is one network of its own."""
    try:
        found = ip_address(client)
    except ValueError:
        return "unknown"
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    prefix = _IPV4_PREFIX if isinstance(found, IPv4Address) else _IPV6_PREFIX
    return str(ip_network(f"{found}/{prefix}", strict=False))


def _count(connection: Connection, mark: str, since: datetime) -> int:
    query = sa.select(sa.func.count()).select_from(schema.signup).where(_T.hash == mark, _T.at > since)
    return int(connection.execute(query).scalar_one())
