"""A person's word on what the machine cannot know or does not try again: the command line and the desk say it here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from syndicate.errors import SyndicateError
from syndicate.model import OPEN_STATES, State
from syndicate.store.audit import audit

if TYPE_CHECKING:
    from datetime import datetime

    from syndicate.app import App

Word: TypeAlias = Literal["sent", "again", "drop"]
STATES: Final[dict[Word, State]] = {"sent": State.SENT, "again": State.PENDING, "drop": State.CANCELLED}


def parsed(text: str) -> tuple[int, int]:
    """A delivery's id as listings print it, ``12.3``: sending and place.

    Raises
    ------
    SyndicateError
        It is not one.
    """
    sending, dot, place = text.partition(".")
    whole = dot and sending.isascii() and place.isascii() and sending.isdecimal() and place.isdecimal()
    if not whole or max(len(sending), len(place)) > 18:  # noqa: PLR2004 - what SQLite's integers hold
        msg = f"{text!r} is not a delivery's id; it looks like 12.3, and `syndicate deliveries list` shows it"
        raise SyndicateError(msg)
    return int(sending), int(place)


def retry(app: App, edition: int, *, who: str, now: datetime) -> int:
    """Let the failed deliveries of one edition be tried again; returns how many. Uncertain ones stay: they may have arrived."""
    tried = app.ledger.retry(edition, now, who=who)
    if tried:
        subject = f"edition:{edition}"
        app.store.write(
            lambda connection: audit(connection, who=who, act="retry", subject=subject, detail={"n": tried}, at=now)
        )
    return tried


def settle(app: App, delivery: str, word: Word, *, who: str, now: datetime) -> State:
    """Settle an uncertain or failed delivery; returns its state. It is recorded who said so.

    Raises
    ------
    SyndicateError
        It is neither uncertain nor failed: somebody was faster, or it never was.
    """
    sending, place = parsed(delivery)
    state = STATES[word]
    if not app.ledger.decide(sending, place, state, now, who=who):
        raise SyndicateError(_unsettled(delivery, app.books.state(sending, place)))
    app.store.write(
        lambda connection: audit(connection, who=who, act="settle", subject=delivery, detail={"state": str(state)}, at=now)
    )
    return state


def _unsettled(delivery: str, state: State | None) -> str:
    """Why there is nothing to settle, and what comes next."""
    if state is None:
        return f"there is no delivery {delivery}; `syndicate deliveries list` shows them"
    if state is State.SENDING:
        after = ": it is on the wire; where the program died, the next `syndicate run` finds out what became of it"
    else:
        after = "; it is still to be sent" if state in OPEN_STATES else ""
    return f"delivery {delivery} is {state}, neither uncertain nor failed{after}"
