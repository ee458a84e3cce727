"""Holds: an editor's stop, which survives restart and is recorded in the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from syndicate.store import schema
from syndicate.store.audit import audit
from syndicate.store.database import Store
from syndicate.store.marks import FENCE
from syndicate.store.schema import to_micros


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """One stop."""

    target: str  # all, quotes, a channel, a newsletter, edition:N, an item's id
    reason: str
    who: str
    at: datetime


class Holds:
    """The stops in force."""

    def __init__(self, store: Store) -> None:
        """Use ``store``."""
        self._store = store

    def list(self) -> list[Hold]:
        """All of them, by target."""
        with self._store.read() as connection:
            return [
                Hold(target=row.target, reason=row.reason, who=row.who, at=row.at)
                for row in connection.execute(sa.select(schema.hold).order_by(schema.hold.c.target))
            ]

    def place(self, target: str, reason: str, *, who: str, now: datetime) -> None:
        """Stop ``target`` from the next message on; placing it again changes the reason."""

        def work(connection: sa.Connection) -> None:
            connection.execute(
                sa.text(
                    """INSERT INTO hold VALUES (:t, :r, :w, :at)
                    ON CONFLICT (target) DO UPDATE SET reason = excluded.reason, who = excluded.who, at = excluded.at
                    WHERE hold.who <> :fence"""
                ),
                {"t": target, "r": reason, "w": who, "at": to_micros(now), "fence": FENCE},
            )
            audit(connection, who=who, act="hold", subject=target, detail={"reason": reason}, at=now)

        self._store.write(work)

    def lift(self, target: str, *, who: str, now: datetime, detail: Mapping[str, object]) -> bool:
        """Lift a stop; ``False`` where there was none."""

        def work(connection: sa.Connection) -> bool:
            lifted = connection.execute(schema.hold.delete().where(schema.hold.c.target == target)).rowcount
            if lifted:
                audit(connection, who=who, act="release", subject=target, detail=detail, at=now)
            return bool(lifted)

        return self._store.write(work)


def holding(connection: sa.Connection, *targets: str) -> str:
    """The reason why one of ``targets`` is stopped, or ``""``."""
    found = connection.execute(
        sa.select(schema.hold.c.target, schema.hold.c.reason).where(schema.hold.c.target.in_(("all", *targets)))
    ).first()
    return f"{found.target} is on hold: {found.reason}" if found else ""
