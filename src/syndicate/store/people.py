"""People with a passphrase, and what they agreed to. The door of argon2.

A passphrase is kept as its argon2id hash (RFC 9106) and never leaves this file. Decides nothing about a quote:
``publish/approval.py`` does.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import sqlalchemy as sa

from syndicate.errors import SyndicateError
from syndicate.store import schema
from syndicate.store.audit import audit
from syndicate.store.database import Store

if TYPE_CHECKING:
    import argon2

Act: TypeAlias = Literal["submitter", "verifier", "approver", "rejection"]

ROLES: Final = ("verifier", "approver", "editor", "admin")
SHORTEST: Final = 8  # characters of a passphrase (NIST SP 800-63B §5.1.1.2)
_ACTS: Final = {"submitter": "submit", "verifier": "verify", "approver": "approve", "rejection": "reject"}
_WRONG: Final = "the name or the passphrase is wrong; `syndicate people list` shows the names"


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """Somebody who answers for what leaves."""

    key: int
    id: str
    name: str
    roles: tuple[str, ...]  # of ROLES
    at: datetime  # when they were added


@dataclass(frozen=True, kw_only=True, slots=True)
class Consent:
    """What one person said about one item."""

    person: int  # key
    name: str
    act: Act
    content_sha: str
    renderings_sha: str
    renderings: str  # JSON, by place: what this person saw
    at: datetime


class People:
    """The people of one publication and their consents."""

    def __init__(self, store: Store) -> None:
        """Use ``store``."""
        self._store = store

    # -- people -----------------------------------------------------------------------------------

    def everybody(self) -> list[Person]:
        """All who have not been removed, by name."""
        query = sa.select(schema.person).where(schema.person.c.passphrase != "").order_by(schema.person.c.name)
        with self._store.read() as connection:
            return [_person(row) for row in connection.execute(query)]

    def add(self, name: str, roles: Sequence[str], passphrase: str, *, who: str, now: datetime) -> Person:
        """Add a person, or give one who was removed a new passphrase.

        Raises
        ------
        SyndicateError
            The name is taken or empty, a role is unknown, or the passphrase is too short.
        """
        name, kept = " ".join(name.split()), tuple(role for role in ROLES if role in roles)
        if not name or set(roles) - set(ROLES) or not kept:
            msg = f"a person needs a name and at least one role of {', '.join(ROLES)}"
            raise SyndicateError(msg)
        if len(passphrase) < SHORTEST:
            msg = f"a passphrase has at least {SHORTEST} characters"
            raise SyndicateError(msg)
        hashed = _hasher().hash(passphrase)

        def work(connection: sa.Connection) -> Person:
            known = {_same(row.name): row for row in connection.execute(sa.select(schema.person))}.get(_same(name))
            if known is not None and known.passphrase:
                msg = f"there is a {known.name} already; names must differ in more than their capitals"
                raise SyndicateError(msg)
            values = {"name": name, "roles": " ".join(kept), "passphrase": hashed, "at": now}
            if known is not None:
                connection.execute(schema.person.update().where(schema.person.c.key == known.key).values(**values))
            else:
                count = connection.execute(sa.select(sa.func.count()).select_from(schema.person)).scalar_one()
                connection.execute(schema.person.insert().values(id=f"person-{count + 1}", **values))
            audit(connection, who=who, act="people_add", subject=name, detail={"roles": list(kept)}, at=now)
            return _person(connection.execute(sa.select(schema.person).where(schema.person.c.name == name)).one())

        return self._store.write(work)

    def remove(self, name: str, *, who: str, now: datetime) -> None:
        """Take a person's passphrase and roles away; what they agreed to before stays recorded and stays good.

        Raises
        ------
        SyndicateError
            There is nobody of that name.
        """
        person = self._named(name)
        if person is None:
            msg = f"there is no {name!r}; `syndicate people list` shows the names"
            raise SyndicateError(msg)

        def work(connection: sa.Connection) -> None:
            gone = schema.person.update().where(schema.person.c.key == person.key).values(roles="", passphrase="")
            connection.execute(gone)
            audit(connection, who=who, act="people_remove", subject=person.name, detail={}, at=now)

        self._store.write(work)

    def known(self, name: str, passphrase: str, *, now: datetime) -> Person:
        """The person of that name, if the passphrase is theirs. A wrong one is recorded in the audit log.

        Raises
        ------
        SyndicateError
            It is not; says nothing about which of the two was wrong.
        """
        import argon2

        person = self._named(name)
        with self._store.read() as connection:
            query = sa.select(schema.person.c.passphrase).where(schema.person.c.key == (person.key if person else 0))
            hashed = connection.execute(query).scalar()
        hasher = _hasher()
        try:
            # Where there is nobody of that name a hash is computed all the same, so that the answer takes as long.
            hasher.verify(hashed or hasher.hash("nobody"), passphrase)
            right = person is not None
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            right = False
        if not right or person is None:
            subject = person.name if person else "unknown"
            self._store.write(
                lambda connection: audit(connection, who="?", act="passphrase_refused", subject=subject, detail={}, at=now)
            )
            raise SyndicateError(_WRONG)
        return person

    def _named(self, name: str) -> Person | None:
        return next((person for person in self.everybody() if _same(person.name) == _same(name)), None)

    # -- consents ---------------------------------------------------------------------------------

    def record(
        self,
        item: str,
        act: Act,
        person: Person,
        *,
        content_sha: str,
        sha: str,
        renderings: str,
        now: datetime,
        reason: str = "",
    ) -> None:
        """Keep what a person said about an item, and put it into the audit log."""

        def work(connection: sa.Connection) -> None:
            key = sa.select(schema.item.c.key).where(schema.item.c.id == item).scalar_subquery()
            connection.execute(
                schema.approval.insert().values(
                    item=key,
                    content_sha=content_sha,
                    renderings_sha=sha,
                    person=person.key,
                    role=act,
                    at=now,
                    renderings=renderings,
                )
            )
            detail = {"content": content_sha, "renderings": sha, **({"reason": reason} if reason else {})}
            audit(connection, who=person.name, act=_ACTS[act], subject=item, detail=detail, at=now)

        self._store.write(work)

    def consents(self, item: str) -> list[Consent]:
        """All that was ever said about an item, oldest first."""
        with self._store.read() as connection:
            return [_consent(row) for row in connection.execute(_CONSENTS.where(schema.item.c.id == item))]

    def every_consent(self) -> dict[str, list[Consent]]:
        """All that was ever said, by item, oldest first: one look for a whole pool. What each person saw is left out."""
        found: dict[str, list[Consent]] = {}
        with self._store.read() as connection:
            for row in connection.execute(_EVERY_CONSENT):
                found.setdefault(row.id, []).append(_consent(row))
        return found


def _said(*more: sa.ColumnElement[Any]) -> sa.Select[Any]:
    a, p = schema.approval.c, schema.person.c
    query = sa.select(a.person, p.name, a.role, a.content_sha, a.renderings_sha, a.at, *more)
    query = query.join(schema.person, p.key == a.person).join(schema.item, schema.item.c.key == a.item)
    return query.order_by(a.key)


_CONSENTS: Final = _said(schema.approval.c.renderings)
_EVERY_CONSENT: Final = _said(sa.literal("").label("renderings"), schema.item.c.id)


def _consent(row: sa.Row[Any]) -> Consent:
    return Consent(
        person=row.person,
        name=row.name,
        act=row.role,
        content_sha=row.content_sha,
        renderings_sha=row.renderings_sha,
        renderings=row.renderings,
        at=row.at,
    )


def _person(row: sa.Row[Any]) -> Person:
    return Person(key=row.key, id=row.id, name=row.name, roles=tuple(row.roles.split()), at=row.at)


def _same(name: str) -> str:
    """A name's key: one person however the name is typed."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _hasher() -> argon2.PasswordHasher:
    import argon2

    return argon2.PasswordHasher()
