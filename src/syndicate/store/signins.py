"""Who is signed in at the desk, who tried in vain, and the one link with which the first person begins.

Keeps digests only: what a browser holds, or a link carries, is never written. Decides nothing about roles.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from syndicate.store import schema
from syndicate.store.audit import audit
from syndicate.store.database import Store
from syndicate.store.people import Person
from syndicate.store.schema import to_micros

LONGEST: Final = timedelta(hours=12)  # a session, from sign-in
IDLE: Final = timedelta(hours=2)  # a session in which nothing was asked
LINK: Final = timedelta(minutes=15)  # the first link
WINDOW: Final = timedelta(minutes=15)  # in which tries are counted
# Tries in vain in one window: of one name from one network, from one network, of one name from anywhere.
MOST: Final = {"pair": 5, "network": 20, "name": 50}
_SEEN_EVERY: Final = timedelta(minutes=2)  # how exactly idleness is known: a page that is looked at writes nothing
_SESSION: Final = schema.desk_session.c
_TRY: Final = schema.desk_try.c


@dataclass(frozen=True, kw_only=True, slots=True)
class Signed:
    """A person at the desk."""

    person: Person
    at: datetime  # of signing in
    until: datetime  # the latest end


def digest(token: str) -> str:
    """What is kept of a secret that has 256 random bits: no salt is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


class SignIns:
    """Sessions, tries and the first link of one publication."""

    def __init__(self, store: Store) -> None:
        """Use ``store``."""
        self._store = store

    # -- sessions ---------------------------------------------------------------------------------

    def begin(self, person: Person, now: datetime, *, network: str) -> str:
        """Sign a person in; returns what their browser keeps. Ended sessions are swept away."""
        token = secrets.token_urlsafe(32)

        def work(connection: sa.Connection) -> None:
            connection.execute(schema.desk_session.delete().where(sa.or_(_SESSION.until <= now, _SESSION.seen <= now - IDLE)))
            connection.execute(
                schema.desk_session.insert().values(
                    token_sha=digest(token), person=person.key, at=now, seen=now, until=now + LONGEST
                )
            )
            audit(connection, who=person.name, act="desk_sign_in", subject=person.name, detail={"network": network}, at=now)

        self._store.write(work)
        return token

    def who(self, token: str, now: datetime, *, stirs: bool = True) -> Signed | None:
        """The person who holds ``token``, with the roles of this moment; ``None`` where it is unknown or has ended.

        ``stirs``: a person asked, so that the session is not idle.

        A person who was removed, or was given another passphrase, is not signed in any more.
        """
        p = schema.person.c
        query = (
            sa.select(_SESSION.at.label("began"), _SESSION.seen, _SESSION.until, p.key, p.id, p.name, p.roles, p.at)
            .join(schema.person, p.key == _SESSION.person)
            .where(
                _SESSION.token_sha == digest(token),
                _SESSION.until > now,
                _SESSION.seen > now - IDLE,
                p.passphrase != "",
                p.at <= _SESSION.at,
            )
        )
        with self._store.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        if stirs and now - row.seen >= _SEEN_EVERY:
            seen = schema.desk_session.update().where(_SESSION.token_sha == digest(token)).values(seen=now)
            self._store.write(lambda connection: connection.execute(seen).close())
        person = Person(key=row.key, id=row.id, name=row.name, roles=tuple(row.roles.split()), at=row.at)
        return Signed(person=person, at=row.began, until=row.until)

    def end(self, token: str, now: datetime, *, who: str) -> None:
        """Sign out; ending it again is harmless."""

        def work(connection: sa.Connection) -> None:
            if connection.execute(schema.desk_session.delete().where(_SESSION.token_sha == digest(token))).rowcount:
                audit(connection, who=who, act="desk_sign_out", subject=who, detail={}, at=now)

        self._store.write(work)

    # -- tries ------------------------------------------------------------------------------------

    def knock(self, name: str, network: str, now: datetime) -> datetime | None:
        """Count a try before the passphrase is looked at; where there were too many, when the next may be made.

        Tries are counted first and forgiven after, so that many at once are counted one by one.
        """
        scopes = _scopes(name, network)

        def work(connection: sa.Connection) -> datetime | None:
            connection.execute(schema.desk_try.delete().where(_TRY.since <= now - WINDOW))
            known = {row.scope: row for row in connection.execute(sa.select(schema.desk_try).where(_TRY.scope.in_(scopes)))}
            full = [known[scope].since + WINDOW for scope, most in scopes.items() if scope in known and known[scope].n >= most]
            if full:
                latest: datetime = max(full)
                return latest
            connection.execute(
                sa.text("INSERT INTO desk_try VALUES (:scope, 1, :now) ON CONFLICT (scope) DO UPDATE SET n = n + 1"),
                [{"scope": scope, "now": to_micros(now)} for scope in scopes],
            )
            return None

        return self._store.write(work)

    def left(self, name: str, network: str) -> int:
        """How many tries this name has left from this network."""
        scope = next(iter(_scopes(name, network)))
        with self._store.read() as connection:
            n = connection.execute(sa.select(_TRY.n).where(_TRY.scope == scope)).scalar() or 0
        return max(0, MOST["pair"] - n)

    def forgive(self, name: str, network: str) -> None:
        """Forget the tries of a name that were followed by the right passphrase, and one of the network's."""
        pair, near, named = _scopes(name, network)

        def work(connection: sa.Connection) -> None:
            connection.execute(schema.desk_try.delete().where(_TRY.scope.in_((pair, named))))
            connection.execute(sa.text("UPDATE desk_try SET n = n - 1 WHERE scope = :scope AND n > 0"), {"scope": near})

        self._store.write(work)

    # -- the first person -------------------------------------------------------------------------

    def invite(self, now: datetime) -> str:
        """A token that lets one person begin; earlier ones are void. ``""`` where somebody can sign in already."""
        token = secrets.token_urlsafe(32)

        def work(connection: sa.Connection) -> str:
            connection.execute(schema.desk_link.delete())
            if _anybody(connection):
                return ""
            connection.execute(schema.desk_link.insert().values(token_sha=digest(token), until=now + LINK))
            return token

        return self._store.write(work)

    def invited(self, token: str, now: datetime) -> bool:
        """Whether ``token`` still lets somebody begin."""
        with self._store.read() as connection:
            return not _anybody(connection) and bool(connection.execute(_link(token, now)).first())

    def accept(self, token: str, now: datetime) -> datetime | None:
        """Use ``token`` up; returns until when it was good, ``None`` where it is not."""

        def work(connection: sa.Connection) -> datetime | None:
            until = connection.execute(_link(token, now)).scalar()
            if until is None or _anybody(connection):
                return None
            connection.execute(schema.desk_link.delete())
            return until

        return self._store.write(work)

    def restore(self, token: str, until: datetime) -> None:
        """Make a token good again whose person could not be made: the name was empty, the passphrase too short."""
        row = schema.desk_link.insert().values(token_sha=digest(token), until=until)
        self._store.write(lambda connection: connection.execute(row).close())


def _link(token: str, now: datetime) -> sa.Select[datetime]:
    link = schema.desk_link.c
    return sa.select(link.until).where(link.token_sha == digest(token), link.until > now)


def _anybody(connection: sa.Connection) -> bool:
    return (
        connection.execute(sa.select(schema.person.c.key).where(schema.person.c.passphrase != "").limit(1)).first() is not None
    )


def _scopes(name: str, network: str) -> dict[str, int]:
    """What a try is counted under, and how often it may be: names as digests, for somebody may type a passphrase there."""
    named = digest(" ".join(name.casefold().split()))
    return {
        f"pair:{named}:{network}": MOST["pair"],
        f"network:{network}": MOST["network"],
        f"name:{named}": MOST["name"],
    }
