"""Faults put into the program on purpose: a harness that passes them is worth nothing.

Each breaks one rule that keeps a delivery from being lost or doubled, in the place where the rule stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from syndicate.channels import mastodon, smtp
from syndicate.failpoint import fail_at
from syndicate.model import Receipt, State
from syndicate.publish import editions
from syndicate.publish.lane import Lane
from syndicate.store import agenda, moves


@dataclass(frozen=True, kw_only=True, slots=True)
class Mutant:
    """One fault."""

    apply: Callable[[], None]
    seen_as: str  # what the harness must count: doubles | losses | complaints
    point: str  # where to kill so that it shows
    faults: float = 0.0  # of the far side


def resend_what_was_on_the_wire() -> None:
    """Recovery puts a mail in ``sending`` back to ``pending``."""
    smtp.Smtp.reconcile = lambda *_: None  # type: ignore[method-assign]


def call_sent_what_was_on_the_wire() -> None:
    """Recovery calls a mail in ``sending`` sent."""
    smtp.Smtp.reconcile = lambda _self, parcel, *_: Receipt(remote_id=parcel.message_id)  # type: ignore[method-assign, attr-defined]


def intend_after_sending() -> None:
    """The intent is committed with the result."""

    def late(self: Lane, results: Any) -> None:
        fail_at("runtime.before_settle")
        self._office.app.ledger.intend([result.duty for result in results], self._office.app.now())
        settle(self, results)

    settle = Lane._settle
    Lane.intend = lambda _self, keys: set(keys)  # type: ignore[method-assign]
    Lane._settle = late  # type: ignore[method-assign]


def settle_blindly() -> None:
    """A result is written whatever the row's state and epoch are by now."""
    move = moves.Moves.move

    def blind(self: Any, sending: int, place: int, _epoch: int, _old: State, new: State, **more: Any) -> bool:
        row = self._connection.exec_driver_sql(
            "SELECT state, epoch FROM delivery WHERE sending = ? AND place = ?", (sending, place)
        ).one()
        return move(self, sending, place, row.epoch, State(row.state), new, **more)

    moves.Moves.move = blind  # type: ignore[method-assign, assignment]
    moves.Moves.sent = lambda *_: 0  # type: ignore[method-assign]  # one by one, all of them


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


def forget_the_key() -> None:
    """A repeated post carries another Idempotency-Key."""
    request = mastodon.Mastodon.request
    mastodon.Mastodon.request = lambda self, parcel, _key: request(self, parcel, uuid4().hex)  # type: ignore[method-assign]


MUTANTS: Final[Mapping[str, Mutant]] = {
    "resend": Mutant(apply=resend_what_was_on_the_wire, seen_as="doubles", point="smtp.after_dot"),
    "called_sent": Mutant(apply=call_sent_what_was_on_the_wire, seen_as="complaints", point="smtp.before_dot"),
    "late_intent": Mutant(apply=intend_after_sending, seen_as="doubles", point="runtime.before_settle"),
    "blind_settle": Mutant(apply=settle_blindly, seen_as="doubles", point="smtp.after_dot"),
    "slot_first": Mutant(apply=record_the_slot_first, seen_as="losses", point="editions.after_slot"),
    "new_key": Mutant(apply=forget_the_key, seen_as="doubles", point="runtime.before_settle"),
}
