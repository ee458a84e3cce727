"""Moves of delivery states inside one transaction, and what they do to the tallies. For ``ledger`` alone.

Leases, intents and acceptances move many rows by one statement; everything else moves row by row.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from syndicate.model import OPEN_STATES, State
from syndicate.store.clauses import CONSENTED, CONSENTED_HERE, HELD, HELD_HERE, JOINED
from syndicate.store.database import driver
from syndicate.store.duties import Duty, Result
from syndicate.store.schema import to_micros

LEASE: Final = timedelta(minutes=5)
# The hot statements; `tests/integration/test_ledger.py` looks at their plans. ``places`` is a JSON list.
CLAIM: Final = """UPDATE delivery SET state = 'claimed', epoch = epoch + 1, attempt = attempt + 1, lease_until = :lease
    WHERE sending = :s AND place IN (SELECT value FROM json_each(:places)) AND (state = 'pending' OR state = 'deferred')"""
# Consent and holds are read inside the statement that grants: what changes a moment before it wins.
INTEND: Final = f"""UPDATE delivery SET state = 'sending', intent_at = :now
    WHERE sending = :s AND place IN (SELECT value FROM json_each(:places)) AND state = 'claimed' AND epoch = :epoch
    AND {CONSENTED_HERE} AND NOT {HELD_HERE}"""  # noqa: S608 - fixed text
SENT: Final = """UPDATE delivery SET state = 'sent', lease_until = NULL, done_at = ?, remote_id = ?, remote_url = ?
    WHERE sending = ? AND place = ? AND state = 'sending' AND epoch = ?"""
_WHY_NOT: Final = f"""SELECT {CONSENTED} AS consented, {HELD} AS held FROM {JOINED.format(index="")}
    WHERE d.sending = :sending AND d.place = :place AND d.state = 'claimed' AND d.epoch = :epoch"""  # noqa: S608 - fixed text
_MOVE: Final = """UPDATE delivery SET state = :new, attempt = attempt - (:old = 'claimed' AND :new = 'pending'),
        not_before = CASE WHEN :new IN ('pending', 'deferred') THEN coalesce(:when, not_before) ELSE not_before END,
        lease_until = CASE :new WHEN 'uncertain' THEN :when WHEN 'sending' THEN lease_until WHEN 'claimed' THEN lease_until END,
        intent_at = CASE :new WHEN 'sending' THEN :now ELSE intent_at END,
        done_at = CASE WHEN :done THEN :now END, remote_id = :remote_id, remote_url = :remote_url
    WHERE sending = :s AND place = :p AND state = :old AND epoch = :epoch"""
# An edition of which something is open again is not finished.
_REOPEN: Final = sa.text(
    """UPDATE edition SET state = 'sending' WHERE state = 'finished'
    AND key = (SELECT CAST(subject AS INTEGER) FROM sending WHERE key = :s AND kind = 'edition')"""
)
_TALLY: Final = """INSERT INTO tally (sending, place_kind, state, n) VALUES (?, ?, ?, ?)
    ON CONFLICT (sending, place_kind, state) DO UPDATE SET n = n + excluded.n"""


class Moves:
    """State changes of one transaction and what they do to the tallies."""

    def __init__(self, connection: sa.Connection, now: datetime) -> None:
        """Change nothing yet."""
        self._connection = connection
        self._driver = driver(connection)
        self._now = to_micros(now)
        self._changes: Counter[tuple[int, str, State]] = Counter()  # (sending, kind of place, state) -> n
        self._kinds: dict[int, str] = {}
        self._reopened: set[int] = set()

    def claim(self, rows: Sequence[tuple[Duty, State]]) -> None:
        """Lease duties, each with the state (``pending`` or ``deferred``) that it was found in."""
        groups: dict[tuple[int, str, State], list[int]] = {}
        for duty, old in rows:
            groups.setdefault((duty.sending, duty.place_kind, old), []).append(duty.place)
        lease = self._now + LEASE // timedelta(microseconds=1)
        for (sending, kind, old), places in groups.items():
            self._driver.execute(CLAIM, {"s": sending, "places": json.dumps(places), "lease": lease})
            self._count(sending, kind, old, State.CLAIMED, len(places))

    def intend(self, duties: Iterable[Duty]) -> set[tuple[int, int]]:
        """Move claimed duties to ``sending``; those whose reader has left to ``suppressed``, held ones back to ``pending``."""
        groups: dict[tuple[int, int | None, int, str], dict[int, Duty]] = {}
        for duty in duties:
            groups.setdefault((duty.sending, duty.variant, duty.epoch, duty.place_kind), {})[duty.place] = duty
        granted: set[tuple[int, int]] = set()
        for (sending, _, _, kind), group in groups.items():
            places = self._grant(group)
            self._count(sending, kind, State.CLAIMED, State.SENDING, len(places))
            granted.update((sending, place) for place in places)
            for place in group.keys() - places:
                self._stop(group[place])
        return granted

    def _grant(self, group: Mapping[int, Duty]) -> Set[int]:
        """Move what may go of duties that have all but their places in common; return the places of those.

        Nearly always it is all of them, and their number says so. To have each row returned costs half as much again, so
        it is asked for only where some are missing, of a table as it was before.
        """
        duty = next(iter(group.values()))
        values = {"s": duty.sending, "v": duty.variant, "c": duty.channel, "n": duty.newsletter, "epoch": duty.epoch}
        values |= {"now": self._now, "places": json.dumps(list(group))}
        self._driver.execute("SAVEPOINT intent")
        places: Set[int] = group.keys()
        if self._driver.execute(INTEND, values).rowcount < len(group):
            self._driver.execute("ROLLBACK TO intent")
            places = {row[0] for row in self._driver.execute(f"{INTEND} RETURNING place", values).fetchall()}
        self._driver.execute("RELEASE intent")
        return places

    def _stop(self, duty: Duty) -> None:
        """A duty whose intent was not granted goes where it belongs; one that somebody else has moved stays there."""
        values = {"sending": duty.sending, "place": duty.place, "epoch": duty.epoch}
        found = self._connection.execute(sa.text(_WHY_NOT), values).first()
        if found is not None:
            self.settle(Result(duty=duty, state=State.PENDING if found.consented else State.SUPPRESSED), State.CLAIMED)

    def sent(self, results: Sequence[Result]) -> int:
        """Record acceptances of what is in ``sending``; return how many took."""
        taken = 0
        by_sending: dict[tuple[int, str], list[Result]] = {}
        for result in results:
            by_sending.setdefault((result.duty.sending, result.duty.place_kind), []).append(result)
        for (sending, kind), group in by_sending.items():
            rows = [
                (self._now, result.remote_id, result.remote_url, sending, result.duty.place, result.duty.epoch)
                for result in group
            ]
            n = self._driver.executemany(SENT, rows).rowcount
            self._count(sending, kind, State.SENDING, State.SENT, n)
            taken += n
        return taken

    def settle(self, result: Result, old: State) -> bool:
        """Record a result if the row still is in ``old`` and of this claim."""
        duty, new = result.duty, result.state
        self._kinds[duty.place] = duty.place_kind
        moved = self.move(
            duty.sending,
            duty.place,
            duty.epoch,
            old,
            new,
            not_before=result.not_before,
            done=new not in OPEN_STATES,
            remote=(result.remote_id, result.remote_url),
        )
        if moved and (result.code or result.detail):
            self.note(duty.sending, duty.place, str(new), result.code, result.detail)
        return moved

    def move(
        self,
        sending: int,
        place: int,
        epoch: int,
        old: State,
        new: State,
        *,
        not_before: datetime | None = None,
        done: bool = False,
        remote: tuple[str, str] = ("", ""),
    ) -> bool:
        """Compare-and-set one row's state. A claim that is given back was no attempt."""
        taken = self._driver.execute(
            _MOVE,
            {
                "new": str(new),
                "old": str(old),
                "when": None if not_before is None else to_micros(not_before),
                "now": self._now,
                "done": done,
                "remote_id": remote[0],
                "remote_url": remote[1],
                "s": sending,
                "p": place,
                "epoch": epoch,
            },
        ).rowcount
        if taken:
            self._count(sending, self._kind(place), old, new)
        return bool(taken)

    def note(self, sending: int, place: int, outcome: str, code: str, detail: str) -> None:
        """Keep what was said about one delivery."""
        self._connection.execute(
            sa.text("INSERT INTO attempt (sending, place, at, outcome, code, detail) VALUES (:s, :p, :at, :o, :c, :d)"),
            {"s": sending, "p": place, "at": self._now, "o": outcome, "c": code, "d": detail},
        )

    def finish(self) -> None:
        """Move the tallies as the states moved; a sending of which something is open again is open again."""
        rows = [(sending, kind, str(state), n) for (sending, kind, state), n in self._changes.items() if n]
        if rows:
            self._driver.executemany(_TALLY, rows)
        for sending in self._reopened:
            self._connection.execute(sa.text("UPDATE sending SET state = 'open' WHERE key = :s"), {"s": sending})
            self._connection.execute(_REOPEN, {"s": sending})

    def _count(self, sending: int, kind: str, old: State, new: State, n: int = 1) -> None:
        self._changes[sending, kind, old] -= n
        self._changes[sending, kind, new] += n
        if new in OPEN_STATES and old not in OPEN_STATES:
            self._reopened.add(sending)

    def _kind(self, place: int) -> str:
        """Whether a place is a subscriber or an account."""
        if place not in self._kinds:
            query = sa.text("SELECT kind FROM place WHERE key = :p")
            self._kinds[place] = self._connection.execute(query, {"p": place}).scalar_one()
        return self._kinds[place]
