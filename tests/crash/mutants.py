"""Faults put into the program on purpose: a harness that passes them is worth nothing.

Each breaks one rule that keeps a delivery from being lost or doubled, in the place where the rule stands.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from crash import plays
from crash.scenes import Scene
from syndicate.channels import bluesky, mastodon, smtp, x
from syndicate.channels.smtp import sending
from syndicate.channels.smtp.line import Garbled
from syndicate.failpoint import fail_at
from syndicate.model import Receipt, Request, State
from syndicate.publish import editions, messages, thread
from syndicate.publish.lane import Lane
from syndicate.store import agenda, duties, lock, marks, moves
from syndicate.store.clauses import CONSENTED_HERE, HELD_HERE
from syndicate.store.duties import Result
from syndicate.store.ledger import Ledger


@dataclass(frozen=True, kw_only=True, slots=True)
class Mutant:
    """One fault."""

    apply: Callable[[], None]
    seen_as: str = "complaints"  # what the harness must count: doubles | losses | complaints
    point: str = ""  # where to kill so that it shows …
    play: Callable[[Scene], list[str]] | None = None  # … or the scene that shows it
    faults: float = 0.0  # of the far side


def _instead(statement: str, old: str, new: str) -> str:
    """A statement with another condition in the place of one that it has: a mutant that changes nothing would prove nothing."""
    assert old in statement
    return statement.replace(old, new)


def resend_what_was_on_the_wire() -> None:
    """Recovery puts a mail in ``sending`` back to ``pending``."""
    smtp.Smtp.reconcile = lambda *_: None  # type: ignore[method-assign]


def call_sent_what_was_on_the_wire() -> None:
    """Recovery calls a mail in ``sending`` sent."""
    smtp.Smtp.reconcile = lambda _self, parcel, *_: Receipt(remote_id=parcel.message_id)  # type: ignore[method-assign, attr-defined]


def intend_after_sending() -> None:
    """The intent is committed with the result."""

    def late(self: Lane, results: Any) -> None:
        fail_at("lane.before_settle")
        self._office.app.ledger.intend([result.duty for result in results], self._office.app.now())
        settle(self, results)

    settle = Lane._settle
    Lane.intend = lambda _self, keys: set(keys)  # type: ignore[method-assign]
    Lane._settle = late  # type: ignore[method-assign]


def settle_blindly() -> None:
    """A result is written whatever the row's state and epoch are by now."""

    def blind(self: moves.Moves, result: Result, _old: State) -> bool:
        row = self._connection.exec_driver_sql(
            "SELECT state, epoch FROM delivery WHERE sending = ? AND place = ?", (result.duty.sending, result.duty.place)
        ).one()
        return settle(self, replace(result, duty=replace(result.duty, epoch=row.epoch)), State(row.state))

    settle = moves.Moves.settle
    moves.Moves.settle = blind  # type: ignore[method-assign]
    moves.Moves.sent = lambda *_: 0  # type: ignore[method-assign]  # one by one, all of them


def forget_the_epoch() -> None:
    """A late result is taken: one of an earlier claim of a row that another has on the wire by now."""
    moves.SENT = _instead(moves.SENT, "AND epoch = ?", "AND ? > 0")
    moves._MOVE = _instead(moves._MOVE, "AND epoch = :epoch", "AND :epoch > 0")


def record_the_slot_first() -> None:
    """A slot is committed in a transaction of its own, before its deliveries."""

    def write(app: Any, name: str, slot: Any, sheets: Any, covers: Any, reason: str = "") -> Any:
        key = app.store.write(lambda connection: agenda.record_slot(connection, slot, "expanded", reason))
        fail_at("editions.after_slot")
        made = 0
        if key is not None:
            made = app.store.write(lambda connection: editions.fill(connection, name, key, sheets, covers))
        return editions.Planned(slot=slot, state="expanded", reason="", duties=made)

    editions._write = write


def forget_the_slot() -> None:
    """A slot that was expanded is expanded again: no two of its rows are the same."""

    def again(connection: Any, slot: Any, state: str, reason: str = "") -> int | None:
        local = slot.local + timedelta(seconds=1 + secrets.randbelow(59))
        return record(connection, replace(slot, local=local), state, reason)

    record = agenda.record_slot
    agenda.record_slot = again


def grant_blindly() -> None:
    """An intent is granted whatever the row's state and epoch are by now: a lease is worth nothing."""
    moves.INTEND = _instead(moves.INTEND, "AND state = 'claimed' AND epoch = :epoch", "AND :epoch > 0")


def overlook_holds() -> None:
    """Holds are read when a duty is claimed, and not again."""
    moves.INTEND = _instead(moves.INTEND, f"AND NOT {HELD_HERE}", "AND (:v IS NULL OR 1) AND :c <> ''")


def overlook_leavers() -> None:
    """Whether a reader still wants it is asked when a duty is claimed and its message made, and not again."""
    moves.INTEND = _instead(moves.INTEND, f"AND {CONSENTED_HERE}", "AND (:n IS NULL OR 1)")


def keep_intents() -> None:
    """Intents of a group of which nothing has left are not taken back."""

    def exchange(self: Ledger, results: Any, found: Any, now: Any, **more: Any) -> Any:
        return take(self, results, found, now, **{**more, "back": ()})

    take, give = Ledger.exchange, Ledger.give_back
    Ledger.exchange = exchange  # type: ignore[method-assign]
    Ledger.give_back = lambda self, found, now, **_: give(self, found, now)  # type: ignore[method-assign]


def intend_in_memory() -> None:
    """The disk never knows of an intent."""
    Lane.intend = lambda _self, keys: set(keys)  # type: ignore[method-assign]


def forget_the_key() -> None:
    """A repeated post carries another Idempotency-Key."""
    status = mastodon.Mastodon._status
    mastodon.Mastodon._status = lambda self, post, _key, media: status(self, post, uuid4().hex, media)  # type: ignore[method-assign]


def leave_out_the_key() -> None:
    """A post carries no Idempotency-Key."""

    def bare(self: Any, post: Any, key: str, media: list[str]) -> Request:
        made = status(self, post, key, media)
        return replace(made, headers={k: v for k, v in made.headers.items() if k != "Idempotency-Key"})

    status = mastodon.Mastodon._status
    mastodon.Mastodon._status = bare  # type: ignore[method-assign]


def forget_the_record() -> None:
    """A repeated record stands under another id."""
    request = bluesky.Bluesky.request
    bluesky.Bluesky.request = lambda self, parcel, _key: request(self, parcel, uuid4().hex)  # type: ignore[method-assign]


def run_beside_another() -> None:
    """Nobody asks whether another process runs on the database."""
    lock.RunLock.take = lambda _: True  # type: ignore[method-assign]


def trust_any_database() -> None:
    """Nobody asks whether the database is the one that ran last."""
    marks._disagreement = lambda *_: ""


def call_a_lost_answer_a_refusal() -> None:
    """A mail whose answer was cut off is tried again."""

    def unanswered(app: Any, duty: Any, error: Exception, now: datetime) -> Result:
        return Result(duty=duty, state=State.DEFERRED, not_before=now, code="cut", detail=str(error))

    messages.unanswered = unanswered


def doubt_in_silence() -> None:
    """Where the next envelope is not answered, the message before it, which was, is in doubt."""

    def replies(*asked: Any) -> Any:
        try:
            return heard(*asked)
        except TimeoutError as error:
            raise Garbled(str(error)) from error

    heard = sending._replies
    sending._replies = replies


def post_a_thread_at_once() -> None:
    """A post of a thread does not wait for the one before it."""

    def first(app: Any, duty: Any, _number: int) -> tuple[str, ...]:
        with app.store.read() as connection:
            return (duties.thread(connection, duty)[1][1],) * 2

    thread._answered = first


def note_again() -> None:
    """Nobody looks whether the answer that puts a post right stands already."""
    x.X.find_amendment = lambda *_: None  # type: ignore[method-assign]


MUTANTS: Final[Mapping[str, Mutant]] = {
    "resend": Mutant(apply=resend_what_was_on_the_wire, seen_as="doubles", point="smtp.after_dot"),
    "called_sent": Mutant(apply=call_sent_what_was_on_the_wire, seen_as="complaints", point="smtp.before_dot"),
    "late_intent": Mutant(apply=intend_after_sending, seen_as="doubles", point="lane.before_settle"),
    "blind_settle": Mutant(apply=settle_blindly, play=plays.overtaken),
    "old_epoch": Mutant(apply=forget_the_epoch, play=plays.overtaken),
    "slot_first": Mutant(apply=record_the_slot_first, seen_as="losses", point="editions.after_slot"),
    "new_key": Mutant(apply=forget_the_key, seen_as="doubles", point="runtime.before_settle"),
    "no_key": Mutant(apply=leave_out_the_key, seen_as="doubles", point="runtime.before_settle"),
    "new_record": Mutant(apply=forget_the_record, seen_as="doubles", point="runtime.before_settle"),
    "no_intent": Mutant(apply=intend_in_memory, seen_as="doubles", point="smtp.after_dot"),
    "no_slot_key": Mutant(apply=forget_the_slot, seen_as="complaints", point="editions.after_slot"),
    "blind_intent": Mutant(apply=grant_blindly, play=plays.asleep),
    "hold_unread": Mutant(apply=overlook_holds, play=plays.held),
    "leaver_unread": Mutant(apply=overlook_leavers, play=plays.left),
    "no_lock": Mutant(apply=run_beside_another, play=plays.asleep),
    "no_fence": Mutant(apply=trust_any_database, play=plays.restored),
    "cut_again": Mutant(apply=call_a_lost_answer_a_refusal, play=plays.cut_off),
    "silence": Mutant(apply=doubt_in_silence, play=plays.lied_to),
    "whole_thread": Mutant(apply=post_a_thread_at_once, play=plays.threaded),
    "note_again": Mutant(apply=note_again, play=plays.put_right),
    "group_kept": Mutant(apply=keep_intents, play=plays.slowed_down),
}
