"""The ledger: duties, intents, results. The only writer of delivery states.

``pending → claimed → sending → sent | deferred | failed | suppressed | uncertain | cancelled``.
``sending`` (the intent) is committed before the first byte that could take effect; results are
compare-and-set on the epoch, so that a late worker changes nothing; every move of a state also
moves the sending's tally, in the same transaction, so that totals never count rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from syndicate.failpoint import fail_at
from syndicate.model import State
from syndicate.store import claims, schema
from syndicate.store.claims import Claimed
from syndicate.store.clauses import AIMED, HELD, JOINED, LEASED, NOT_BEFORE, ONE, OPEN, WAITING, WITHDRAWN
from syndicate.store.database import Store
from syndicate.store.duties import Duty, Result, duty_of
from syndicate.store.moves import Moves as _Moves
from syndicate.store.pace import Pace, count_day
from syndicate.store.schema import from_micros, to_micros

_TAKEN_BACK: Final = sa.text(
    f"""SELECT d.sending, d.place, d.epoch FROM {JOINED.format(index="INDEXED BY ix_delivery_leased")}
    WHERE {LEASED} AND d.state = 'sending' AND d.channel = coalesce(:channel, d.channel) AND {WITHDRAWN}"""  # noqa: S608
)


class Ledger:
    """Duties in one database."""

    def __init__(self, store: Store) -> None:
        """Use ``store``."""
        self._store = store

    # -- running ----------------------------------------------------------------------------------
    def claim(self, channel: int, now: datetime, limit: int) -> list[Duty]:
        """Lease up to ``limit`` duties of one channel that are due, not held and still consented to.

        Those whose reader has left become ``suppressed`` at once.
        """
        return list(self.claim_at(channel, now, limit).duties)

    def claim_at(
        self, channel: int, now: datetime, limit: int, *, pace: Pace | None = None, in_hand: int = 0, urgent: bool = False
    ) -> Claimed:
        """As ``claim``, at the pace that was agreed, of which ``in_hand`` are still to leave; ``urgent``: none but those."""

        def work(connection: sa.Connection) -> Claimed:
            moves = _Moves(connection, now)
            found = claims.take(
                connection, moves, channel, now, claims.Wish(limit=limit, pace=pace or Pace(), in_hand=in_hand, urgent=urgent)
            )
            moves.finish()
            return found

        return self._store.write(work)

    def intend(self, duties: Sequence[Duty], now: datetime) -> set[tuple[int, int]]:
        """Commit the intents of claimed duties; return those that were granted.

        Consent and holds are read again here: one that is refused is back in ``pending`` (held) or
        ``suppressed`` (the reader has left), and must not take effect.
        """
        return self.exchange((), duties, now)

    def settle(self, results: Iterable[Result], now: datetime) -> int:
        """Record results of duties in ``claimed`` or ``sending``, compare-and-set; return how many took."""
        gathered = list(results)

        def work(connection: sa.Connection) -> int:
            moves = _Moves(connection, now)
            taken = _record(moves, gathered)
            moves.finish()
            return taken

        return self._store.write(work)

    def exchange(
        self, results: Sequence[Result], duties: Sequence[Duty], now: datetime, *, back: Sequence[Duty] = (), counted: str = ""
    ) -> set[tuple[int, int]]:
        """In one transaction: results of what has left, and the intents of what leaves next; returns those granted.

        ``back`` are intents of which provably nothing has left: they are claimed again first. ``counted`` names the
        channel whose messages of a day are counted.
        """

        def work(connection: sa.Connection) -> set[tuple[int, int]]:
            moves = _Moves(connection, now)
            _record(moves, results)
            for duty in back:
                moves.move(duty.sending, duty.place, duty.epoch, State.SENDING, State.CLAIMED)
            fail_at("ledger.within_exchange")
            granted = moves.intend(duties)
            if counted and len(granted) > len(back):
                count_day(connection, counted, len(granted) - len(back), now)
            moves.finish()
            return granted

        return self._store.write(work)

    def give_back(self, duties: Sequence[Duty], now: datetime, *, back: Sequence[Duty] = ()) -> int:
        """Return what was claimed and not begun to ``pending``, ``back`` among it as above; other states stay as they are."""

        def work(connection: sa.Connection) -> int:
            moves = _Moves(connection, now)
            for duty in back:
                moves.move(duty.sending, duty.place, duty.epoch, State.SENDING, State.CLAIMED)
            given = sum(moves.move(duty.sending, duty.place, duty.epoch, State.CLAIMED, State.PENDING) for duty in duties)
            moves.finish()
            return given

        return self._store.write(work)

    def recover(self, now: datetime, channel: int | None = None) -> int:
        """Where no worker lives (of ``channel``, or at all): leases return to ``pending``, for nothing of theirs has left.

        Rows in ``sending`` stay; ``doubtful`` lists them, and their channel is asked. Of what was taken back since nothing
        may be asked, for asking may send it: it is ``uncertain``, and a person settles it. Returns how many leases.
        """

        def work(connection: sa.Connection) -> int:
            moves = _Moves(connection, now)
            rows = connection.execute(
                sa.text(
                    f"""SELECT sending, place, epoch FROM delivery d INDEXED BY ix_delivery_leased
                    WHERE {LEASED} AND state = 'claimed' AND channel = coalesce(:channel, channel)"""  # noqa: S608 - fixed text
                ),
                {"channel": channel},
            ).all()
            for row in rows:
                moves.move(row.sending, row.place, row.epoch, State.CLAIMED, State.PENDING)
            for row in connection.execute(_TAKEN_BACK, {"channel": channel}).all():
                moves.move(row.sending, row.place, row.epoch, State.SENDING, State.UNCERTAIN)
                moves.note(row.sending, row.place, State.UNCERTAIN, "withdrawn", "it was on the wire, and is taken back since")
            moves.finish()
            return len(rows)

        return self._store.write(work)

    def doubtful(self, channel: int, now: datetime, *, crashed: bool) -> list[Duty]:
        """Duties of which nobody knows whether they have left: uncertain ones whose next look is due.

        ``crashed`` (at the start of a run, when no other worker lives) adds those found in ``sending``.
        """
        query = sa.text(
            f"""SELECT d.sending, d.place, p.kind AS place_kind, c.name AS channel, d.variant, s.kind, s.subject, s.revision,
                   s.newsletter, s.due, d.attempt, d.epoch, d.intent_at
            FROM {JOINED.format(index="INDEXED BY ix_delivery_leased")}
            WHERE d.channel = :channel AND {LEASED} AND d.intent_at IS NOT NULL AND NOT {HELD}
              AND (d.state = 'uncertain' AND d.lease_until <= :now OR d.state = 'sending' AND :crashed)"""  # noqa: S608 - fixed text
        )
        with self._store.read() as connection:
            rows = connection.execute(query, {"channel": channel, "now": to_micros(now), "crashed": crashed}).mappings().all()
        return [duty_of(row, attempt=row["attempt"], epoch=row["epoch"]) for row in rows]

    def looks(self, duty: Duty) -> int:
        """How often an uncertain duty was looked at in vain."""
        query = sa.select(sa.func.count()).where(
            schema.attempt.c.sending == duty.sending,
            schema.attempt.c.place == duty.place,
            schema.attempt.c.outcome == State.UNCERTAIN,
        )
        with self._store.read() as connection:
            return int(connection.execute(query).scalar_one())

    def next_due(self, now: datetime) -> datetime | None:
        """The earliest instant after ``now`` at which an open duty may be tried."""
        with self._store.read() as connection:
            ahead = sa.text("SELECT min(due) FROM sending WHERE state = 'open' AND due > :now")
            found = (claims.next_time(connection, now), connection.execute(ahead, {"now": to_micros(now)}).scalar())
        return min((from_micros(time) for time in found if time is not None), default=None)

    def finish(self) -> None:
        """Close the sendings, and then the editions, of which nothing is open any more."""

        def work(connection: sa.Connection) -> None:
            connection.execute(
                sa.text(
                    f"""UPDATE sending SET state = 'finished' WHERE state = 'open'
                    AND NOT EXISTS (SELECT 1 FROM tally t WHERE t.sending = sending.key AND t.n > 0 AND t.state IN {OPEN})"""  # noqa: S608
                )
            )
            connection.execute(
                sa.text(
                    """UPDATE edition SET state = 'finished' WHERE state = 'sending' AND NOT EXISTS
                    (SELECT 1 FROM sending s WHERE s.kind = 'edition' AND s.subject = edition.key AND s.state = 'open')"""
                )
            )

        self._store.write(work)

    def forget(self, before: datetime) -> int:
        """Drop what is known of single readers in sendings that finished and were due earlier; the tallies stay."""
        old = sa.text("SELECT key, kind FROM sending WHERE state = 'finished' AND due < :before")
        with self._store.read() as connection:
            rows = connection.execute(old, {"before": to_micros(before)}).all()

        def work(connection: sa.Connection) -> None:
            for row in rows:
                connection.execute(sa.text("DELETE FROM attempt WHERE sending = :key"), {"key": row.key})
                connection.execute(sa.text("DELETE FROM payload WHERE sending = :key"), {"key": row.key})
                if row.kind in {"edition", "notice"}:
                    connection.execute(sa.text("DELETE FROM delivery WHERE sending = :key"), {"key": row.key})
                connection.execute(sa.text("UPDATE sending SET state = 'forgotten' WHERE key = :key"), {"key": row.key})

        if rows:
            self._store.write(work)
        return len(rows)

    # -- duties ------------------------------------------------------------------------------------
    def cancel(self, target: str, now: datetime, *, who: str, of: tuple[str, str] = ("", "")) -> int:
        """Cancel every open delivery that a hold on ``target`` would stop and that is not on the wire.

        ``of``: only of one edition or item, as (kind of the sending, subject). Deletions are never cancelled.
        """
        return self._cancel(f"{AIMED} AND {ONE}", {"t": target, "kind": of[0], "subject": of[1]}, now, f"cancelled by {who}")

    def go_on(self, target: str, now: datetime, *, of: tuple[str, str] = ("", "")) -> int:
        """A person lets go on what a hold on ``target`` stopped: its time is now, however long it waited. ``of`` as above."""
        query = sa.text(
            f"""UPDATE delivery SET not_before = :now WHERE (sending, place) IN (
            SELECT d.sending, d.place FROM {JOINED.format(index="INDEXED BY ix_delivery_waiting")}
            WHERE {WAITING} AND {NOT_BEFORE} < :now AND {AIMED} AND {ONE})"""  # noqa: S608 - fixed text
        )
        values = {"t": target, "now": to_micros(now), "kind": of[0], "subject": of[1]}
        return self._store.write(lambda connection: connection.execute(query, values).rowcount)

    def cancel_variant(self, variant: int, now: datetime, *, why: str) -> int:
        """Cancel every open delivery of a rendering that may not leave."""
        return self._cancel("d.variant = :variant", {"variant": variant}, now, why)

    def _cancel(self, condition: str, values: Mapping[str, object], now: datetime, why: str) -> int:
        query = sa.text(
            f"""SELECT d.sending, d.place, d.epoch, d.state FROM {JOINED.format(index="")}
            WHERE s.state = 'open' AND d.state IN ('pending', 'claimed', 'deferred') AND {condition}"""  # noqa: S608 - fixed text
        )

        def work(connection: sa.Connection) -> int:
            moves = _Moves(connection, now)
            rows = connection.execute(query, dict(values)).all()
            for row in rows:
                moves.move(row.sending, row.place, row.epoch, State(row.state), State.CANCELLED, done=True)
                moves.note(row.sending, row.place, State.CANCELLED, "cancelled", why)
            moves.finish()
            return len(rows)

        return self._store.write(work)

    # -- a person's word --------------------------------------------------------------------------
    def retry(self, edition: int, now: datetime, *, who: str) -> int:
        """Failed deliveries of one edition go back to ``pending``, never uncertain ones; returns how many."""

        def work(connection: sa.Connection) -> int:
            moves = _Moves(connection, now)
            rows = connection.execute(
                sa.text(
                    """SELECT d.sending, d.place, d.epoch FROM sending s JOIN delivery d ON d.sending = s.key
                    WHERE s.kind = 'edition' AND s.subject = :edition AND d.state = 'failed'"""
                ),
                {"edition": str(edition)},
            ).all()
            for row in rows:
                moves.move(row.sending, row.place, row.epoch, State.FAILED, State.PENDING, not_before=now)
                moves.note(row.sending, row.place, State.PENDING, "person", f"retried by {who}")
            moves.finish()
            return len(rows)

        return self._store.write(work)

    def decide(self, sending: int, place: int, state: State, now: datetime, *, who: str) -> bool:
        """Settle an uncertain or failed delivery by a person's word: sent, pending again, or cancelled."""

        def work(connection: sa.Connection) -> bool:
            row = connection.execute(
                sa.text("SELECT state, epoch FROM delivery WHERE sending = :s AND place = :p"), {"s": sending, "p": place}
            ).first()
            if row is None or row.state not in (State.UNCERTAIN, State.FAILED):
                return False
            moves = _Moves(connection, now)
            moves.move(sending, place, row.epoch, State(row.state), state, not_before=now, done=state is not State.PENDING)
            moves.note(sending, place, str(state), "person", f"decided by {who}")
            moves.finish()
            return True

        return self._store.write(work)


def _record(moves: _Moves, results: Sequence[Result]) -> int:
    """What was accepted in one stroke, the rest one by one; how many took."""
    accepted = [result for result in results if result.state is State.SENT and not result.detail]
    taken = moves.sent(accepted)
    rest = [result for result in results if result.state is not State.SENT or result.detail]
    if taken < len(accepted):
        rest += accepted  # one of them was not in `sending`; the others are settled, and settled they stay
    return taken + sum(
        any(moves.settle(result, old) for old in (State.SENDING, State.CLAIMED, State.UNCERTAIN)) for result in rest
    )


def suppress_open(connection: sa.Connection, place: int, newsletter: int | None, at: datetime, why: str) -> int:
    """Suppress what is due to a reader who has left, in the transaction that ends the subscription.

    What is already in ``sending`` may be on the wire and settles by itself. Without a newsletter: of all of them.
    """
    rows = connection.execute(
        sa.text(
            """SELECT d.sending, d.epoch, d.state FROM sending s INDEXED BY ix_sending_open
            CROSS JOIN delivery d ON d.sending = s.key AND d.place = :p
            WHERE s.state = 'open' AND (s.newsletter = :n OR :n IS NULL) AND d.state IN ('pending', 'claimed', 'deferred')"""
        ),
        {"p": place, "n": newsletter},
    ).all()
    moves = _Moves(connection, at)
    for row in rows:
        moves.move(row.sending, place, row.epoch, State(row.state), State.SUPPRESSED, done=True)
        moves.note(row.sending, place, State.SUPPRESSED, "", why)
    moves.finish()
    return len(rows)


def strip(connection: sa.Connection, place: int) -> None:
    """Take from the records of one place whatever the far side said or named; the rows stay, so that the books balance."""
    one = "place = :p AND sending IN (SELECT key FROM sending)"  # there is no index by place: a look for each sending
    connection.execute(sa.text(f"DELETE FROM attempt WHERE {one}"), {"p": place})  # noqa: S608 - fixed text
    connection.execute(sa.text(f"UPDATE delivery SET remote_id = '', remote_url = '' WHERE {one}"), {"p": place})  # noqa: S608
