"""Reading the ledger: balances and listings. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from syndicate.model import OPEN_STATES, State
from syndicate.store import schema
from syndicate.store.audit import broken_audit, unheard_consents
from syndicate.store.clauses import AIMED, HELD, JOINED, LEASED, NOT_BEFORE, WAITING
from syndicate.store.database import Store
from syndicate.store.schema import from_micros


@dataclass(frozen=True, kw_only=True, slots=True)
class Balance:
    """The equation of one sending or edition: ``audience = sent + failed + … + open``."""

    states: Mapping[State, int]

    @property
    def audience(self) -> int:
        """How many duties there are."""
        return sum(self.states.values())

    @property
    def open(self) -> int:
        """How many are not settled."""
        return sum(self.states.get(state, 0) for state in OPEN_STATES)


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One delivery as listings show it. No address: ``explain`` answers for one person."""

    id: str  # "12.34": sending and place
    kind: str
    subject: str
    channel: str
    state: State
    due: datetime
    attempt: int
    not_before: datetime
    done_at: datetime | None
    remote_url: str
    code: str
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """Open deliveries of one edition or item."""

    kind: str  # edition | post
    subject: str  # an edition's key or an item's id
    n: int  # deliveries


class Books:
    """What the ledger of one database says."""

    def __init__(self, store: Store) -> None:
        """Use ``store``."""
        self._store = store

    def balance(self, kind: str, subject: str) -> Balance:
        """The tallies of everything sent of one edition or item."""
        query = (
            sa.select(schema.tally.c.state, sa.func.sum(schema.tally.c.n))
            .join(schema.sending, schema.sending.c.key == schema.tally.c.sending)
            .where(schema.sending.c.kind == kind, schema.sending.c.subject == subject)
            .group_by(schema.tally.c.state)
        )
        with self._store.read() as connection:
            return Balance(states={State(state): n for state, n in connection.execute(query) if n})

    def totals(self) -> dict[str, Balance]:
        """The books of all sendings, by kind."""
        query = (
            sa.select(schema.sending.c.kind, schema.tally.c.state, sa.func.sum(schema.tally.c.n))
            .join(schema.sending, schema.sending.c.key == schema.tally.c.sending)
            .group_by(schema.sending.c.kind, schema.tally.c.state)
        )
        found: dict[str, dict[State, int]] = {}
        with self._store.read() as connection:
            for kind, state, n in connection.execute(query):
                if n:
                    found.setdefault(kind, {})[State(state)] = n
        return {kind: Balance(states=states) for kind, states in found.items()}

    def lines(self, *, state: str = "", channel: str = "", kind: str = "", limit: int = 200) -> list[Line]:
        """Deliveries, newest first, with the last thing that was said about each."""
        conditions = ["1"]
        conditions += ["d.state = :state"] if state else []
        conditions += ["c.name = :channel"] if channel else []
        conditions += ["s.kind = :kind"] if kind else []
        query = sa.text(
            f"""SELECT d.*, {NOT_BEFORE} AS due_at, c.name AS channel_name, s.kind, s.subject, s.due,
                 (SELECT code || char(10) || detail FROM attempt a WHERE a.sending = d.sending AND a.place = d.place
                  ORDER BY a.key DESC LIMIT 1) AS said
            FROM {JOINED.format(index="")} WHERE {" AND ".join(conditions)}
            ORDER BY s.due DESC, d.sending DESC, d.place LIMIT :limit"""  # noqa: S608 - fixed text
        )
        with self._store.read() as connection:
            rows = (
                connection.execute(query, {"state": state, "channel": channel, "kind": kind, "limit": limit}).mappings().all()
            )
        return [_line(row) for row in rows]

    def open_by_channel(self) -> dict[str, int]:
        """How many deliveries are not settled, by the name of their channel."""
        query = sa.text(
            f"""SELECT c.name, sum(o.n) FROM (
                SELECT d.channel, count(*) AS n FROM delivery d INDEXED BY ix_delivery_waiting WHERE {WAITING} GROUP BY 1
                UNION ALL SELECT d.channel, count(*) FROM delivery d INDEXED BY ix_delivery_leased
                WHERE {LEASED} AND d.state IN ('claimed', 'sending') GROUP BY 1) o
            JOIN place c ON c.key = o.channel GROUP BY c.name"""  # noqa: S608 - fixed text
        )
        with self._store.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def waiting(self, target: str) -> list[Waiting]:
        """What a hold on ``target`` stops, by edition or item: what ``ledger.cancel`` would cancel.

        Where all of a sending is stopped its tally is asked, so that a hold on everything counts no row.
        """
        states, whole = "('pending', 'claimed', 'deferred')", "instr(' ' || s.targets || ' ', ' ' || :t || ' ')"
        query = sa.text(
            f"""SELECT kind, subject, sum(n) AS n FROM (
                SELECT s.kind, s.subject, s.due, t.n FROM tally t JOIN sending s ON s.key = t.sending
                WHERE t.state IN {states} AND t.n > 0 AND s.kind <> 'delete' AND {whole}
                UNION ALL SELECT s.kind, s.subject, s.due, 1
                FROM (SELECT DISTINCT sending FROM tally WHERE state IN {states} AND n > 0) o
                CROSS JOIN {JOINED.format(index="")}
                WHERE d.sending = o.sending AND d.state IN {states} AND s.kind <> 'delete' AND NOT {whole} AND {AIMED})
            GROUP BY kind, subject ORDER BY min(due), kind, subject"""  # noqa: S608 - fixed text
        )
        with self._store.read() as connection:
            return [Waiting(kind=row.kind, subject=row.subject, n=row.n) for row in connection.execute(query, {"t": target})]

    def resting(self, kind: str, subject: str) -> int:
        """How many open deliveries of one edition or item nobody will send now: they are held, or tried again later."""
        query = sa.text(
            f"""SELECT count(*) FROM {JOINED.format(index="")} WHERE s.kind = :kind AND s.subject = :subject
            AND (d.state = 'deferred' OR (d.state = 'pending' AND {HELD}))"""  # noqa: S608 - fixed text
        )
        with self._store.read() as connection:
            return int(connection.execute(query, {"kind": kind, "subject": subject}).scalar_one())

    def state(self, sending: int, place: int) -> State | None:
        """One delivery's state; ``None`` where there is no such delivery."""
        query = sa.text("SELECT state FROM delivery WHERE sending = :s AND place = :p")
        with self._store.read() as connection:
            found = connection.execute(query, {"s": sending, "p": place}).scalar()
        return None if found is None else State(found)

    def recount(self) -> list[tuple[int, str, int, int]]:
        """Where a tally differs from its rows: (sending, state, tally, rows). Empty in healthy books."""
        query = sa.text(
            """SELECT sending, state, sum(tallied), sum(counted) FROM (
                SELECT t.sending, t.state, n AS tallied, 0 AS counted FROM tally t JOIN sending s ON s.key = t.sending
                WHERE s.state <> 'forgotten' OR s.kind NOT IN ('edition', 'notice')
                UNION ALL SELECT sending, state, 0, count(*) FROM delivery GROUP BY sending, state)
            GROUP BY sending, state HAVING sum(tallied) <> sum(counted)"""
        )
        with self._store.read() as connection:
            return [(row[0], row[1], row[2], row[3]) for row in connection.execute(query)]

    def damage(self) -> list[str]:
        """What is wrong with the database, a sentence each: SQLite's own checks, the tallies, the audit log."""
        with self._store.read() as connection:
            found = [f"SQLite: {row[0]}" for row in connection.execute(sa.text("PRAGMA integrity_check")) if row[0] != "ok"]
            orphans = connection.execute(sa.text("PRAGMA foreign_key_check"))
            found += [f"a row of {row[0]} refers to nothing" for row in orphans]
            altered = broken_audit(connection)
            unheard = unheard_consents(connection)
            lost = connection.execute(
                sa.text("SELECT count(*) FROM delivery WHERE state IN ('claimed', 'sending') AND lease_until IS NULL")
            ).scalar_one()
        counted = self.recount()
        found += [
            f"a consent ({act}) to {item} stands in no line of the audit log: nobody gave it by a command"
            for act, item in unheard
        ]
        found += [f"{lost} deliveries are in hand and have no lease: no start would find them"] if lost else []
        found += [f"sending {sending}: {tally} tallied as {state}, {rows} rows" for sending, state, tally, rows in counted]
        return found + ([f"the audit log was altered at line {altered}"] if altered is not None else [])


def _line(row: sa.RowMapping) -> Line:
    code, _, detail = (row["said"] or "\n").partition("\n")
    return Line(
        id=f"{row['sending']}.{row['place']}",
        kind=row["kind"],
        subject=row["subject"],
        channel=row["channel_name"],
        state=State(row["state"]),
        due=from_micros(row["due"]),
        attempt=row["attempt"],
        not_before=from_micros(row["due_at"]),
        done_at=None if row["done_at"] is None else from_micros(row["done_at"]),
        remote_url=row["remote_url"],
        code=code,
        detail=detail,
    )
