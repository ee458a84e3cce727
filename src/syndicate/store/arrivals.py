"""Readers who come from elsewhere, many in one transaction. Works inside a given one.

Revives nobody: whoever left here, or is on the suppression list, stays out.
"""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import sqlalchemy as sa

from syndicate.store import schema
from syndicate.store.database import Connection
from syndicate.store.ledger import suppress_open
from syndicate.store.places import newsletter_key
from syndicate.store.suppression import ERASED, suppress, suppressions
from syndicate.store.wishes import Wishes, columns

State = Literal["active", "pending", "ended", "suppressed", "cleaned"]
Count = Literal["new", "known", "suppressed", "ended", "cleaned"]
_PLACES: Final = sa.text(
    "SELECT key, name FROM place WHERE kind = 'subscriber' AND name IN (SELECT value FROM json_each(:them))"
)
_S: Final = schema.subscription.c


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """One reader of one newsletter, as another system knew them."""

    address: str  # as written
    compared: str  # as ``addresses.normalised`` compares it
    domain: str
    name: str
    newsletter: str
    state: State  # cleaned: nobody writes to this address any more, and nothing but its hash is kept
    wishes: Wishes
    consent: Mapping[str, Any]  # when, how and to what
    since: datetime | None = None  # when it became active; None: now
    known_since: datetime | None = None  # None: now
    paused_to: datetime | None = None
    left: datetime | None = None  # when they left the other system
    reason: str = ""  # why the address is on the suppression list


def take(connection: Connection, arrivals: Sequence[Arrival], now: datetime) -> Counter[Count]:
    """Take them in; returns how many were new, known, kept out by the list, ended or put on the list.

    A subscription that is there stays as it is, except that whoever has left the other system since they agreed here, or
    never confirmed here, is ended here too.
    """
    listed = suppressions(connection)
    counts: Counter[Count] = Counter()
    welcome = []
    for one in arrivals:
        why = listed(one.compared)
        if one.reason and not why:
            suppress(connection, one.address, one.reason, now)
        if ERASED in {why, one.reason} or ((why or one.reason) and one.state in {"active", "pending"}):
            counts["suppressed"] += 1
        elif one.state == "cleaned" and why:
            counts["known"] += 1
        else:
            welcome.append(one)
    letters = {name: newsletter_key(connection, name) for name in {one.newsletter for one in welcome}}
    keys = _keys(connection, [one.compared for one in welcome])
    there = _subscriptions(connection, keys.values())
    kept: list[Arrival] = []
    for one in welcome:
        place = keys.get(one.compared)
        row = there.get((place or 0, letters[one.newsletter]))
        if one.state == "cleaned":
            counts["cleaned" if _clean(connection, one, place, now) else "known"] += 1
        elif row is None:
            kept.append(one)
        elif one.state in {"ended", "suppressed"} and row.state in {"active", "pending"} and _left_since(row, one.left):
            _end(connection, row, one.state, now, one.newsletter)
            counts["ended"] += 1
        else:
            counts["known"] += 1
    _insert(connection, kept, keys, letters, now)
    for one in kept:
        counts["new" if one.state in {"active", "pending"} else "ended"] += 1
    return counts


def _keys(connection: Connection, compared: Iterable[str]) -> dict[str, int]:
    query = sa.text("SELECT address_key, key FROM subscriber WHERE address_key IN (SELECT value FROM json_each(:them))")
    rows = connection.execute(query, {"them": json.dumps(list(compared))})
    return {row.address_key: row.key for row in rows}


def _subscriptions(connection: Connection, places: Iterable[int]) -> dict[tuple[int, int], sa.Row[Any]]:
    query = sa.text(
        """SELECT key, subscriber, newsletter, state, since, json_extract(consent, '$.confirmed') AS confirmed
        FROM subscription WHERE subscriber IN (SELECT value FROM json_each(:them))"""
    ).columns(_S.key, _S.subscriber, _S.newsletter, _S.state, _S.since)
    rows = connection.execute(query, {"them": json.dumps(list(places))})
    return {(row.subscriber, row.newsletter): row for row in rows}


def _left_since(row: sa.Row[Any], left: datetime | None) -> bool:
    """Whether leaving elsewhere is the later word: without its time, only against those who never confirmed here."""
    if left is None or row.since is None:
        return row.confirmed is None
    return bool(left > row.since)


def _clean(connection: Connection, one: Arrival, place: int | None, now: datetime) -> bool:
    """Put an address that does not take mail on the list, unless its owner has shown here since that it does."""
    rows = [row for (who, _), row in _subscriptions(connection, [place] if place else []).items() if who == place]
    if any(row.state == "active" and not _left_since(row, one.left) for row in rows):
        return False
    suppress(connection, one.address, "cleaned elsewhere", now)
    for row in rows:
        if row.state in {"active", "pending"}:
            _end(connection, row, "suppressed", now, "")
    return True


def _end(connection: Connection, row: sa.Row[Any], state: str, now: datetime, how: str) -> None:
    told = f"{now.isoformat(timespec='seconds')} import: left {how or 'the list'} elsewhere"
    connection.execute(
        schema.subscription.update()
        .where(_S.key == row.key)
        .values(state=state, changed=now, consent=sa.func.json_set(_S.consent, "$.ended", told))
    )
    suppress_open(connection, row.subscriber, row.newsletter, now, "the reader had left elsewhere")


def _insert(
    connection: Connection, kept: Sequence[Arrival], keys: dict[str, int], letters: Mapping[str, int], now: datetime
) -> None:
    """The rows of all of them, table by table."""
    people = {one.compared: one for one in reversed(kept) if one.compared not in keys}
    ids = {compared: secrets.token_urlsafe(12) for compared in people}
    if people:
        connection.execute(schema.place.insert(), [{"kind": "subscriber", "name": name} for name in ids.values()])
        rows = connection.execute(_PLACES, {"them": json.dumps(list(ids.values()))})
        places = {row.name: row.key for row in rows}
        keys.update({compared: places[name] for compared, name in ids.items()})
        connection.execute(
            schema.subscriber.insert(),
            [
                {
                    "key": keys[compared],
                    "id": ids[compared],
                    "address": one.address,
                    "address_key": compared,
                    "domain": one.domain,
                    "name": one.name,
                    "at": one.known_since or now,
                }
                for compared, one in people.items()
            ],
        )
    if kept:
        connection.execute(schema.subscription.insert(), [_row(one, keys[one.compared], letters, now) for one in kept])


def _row(one: Arrival, place: int, letters: Mapping[str, int], now: datetime) -> dict[str, Any]:
    begun = one.since or (None if one.state == "pending" else now)
    return {
        "subscriber": place,
        "newsletter": letters[one.newsletter],
        "state": one.state,
        "covered_to": now,
        "since": begun if one.state == "active" else one.since,
        "consent": json.dumps(dict(one.consent), ensure_ascii=False),
        "paused_to": one.paused_to,
        "changed": now,
        **columns(one.wishes),
    }
