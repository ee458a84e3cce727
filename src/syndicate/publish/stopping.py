"""Stopping and letting go on, whoever asks: the command line and the desk decide here about the same things (Q15)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from syndicate.errors import Held, SyndicateError
from syndicate.publish.tick import settle_slots
from syndicate.render import framing
from syndicate.store.lock import RunLock
from syndicate.store.marks import FENCE

if TYPE_CHECKING:
    from datetime import datetime

    from syndicate.app import App
    from syndicate.store.books import Waiting
    from syndicate.store.holds import Hold

Answer: TypeAlias = Literal["continue", "cancel"]
ANSWERS: Final[tuple[Answer, ...]] = ("continue", "cancel")


def held(app: App, target: str) -> Hold:
    """The hold on ``target``, which a person may lift.

    Raises
    ------
    SyndicateError
        There is none, or it is the instance's own.
    """
    found = next((hold for hold in app.holds.list() if hold.target == target), None)
    if found is None:
        msg = f"{target} is not on hold; `syndicate status` lists what is"
        raise SyndicateError(msg)
    if found.who == FENCE:
        raise SyndicateError(found.reason)
    return found


def hold(app: App, target: str, reason: str, *, who: str, now: datetime) -> None:
    """Stop ``target``. A reason that repeats a quote is withheld, for everybody reads it (Q5); no stop is refused for it."""
    app.holds.place(target, safe(app, reason, now), who=who, now=now)


def safe(app: App, reason: str, now: datetime) -> str:
    """A person's reason as everybody may read it: one that repeats a quote is withheld (Q5)."""
    try:
        framing.guard_outside(reason, app.content.quotes(now=now), style=app.style)
    except Held:
        return "[withheld: it repeats the words of a quote]"
    return reason


def waiting(app: App, target: str) -> dict[str, Waiting]:
    """What a hold on ``target`` stops half-way, by the name that a person uses: ``edition:12``, ``post:SLUG``."""
    return {_name(app, one): one for one in app.books.waiting(target)}


def release(app: App, target: str, answers: Mapping[str, Answer], *, who: str, now: datetime) -> int:
    """Lift the hold on ``target``, with an answer for each of ``waiting``; returns how many deliveries were cancelled.

    Slots that came due under the hold stay cancelled: nothing is made up for.

    Raises
    ------
    SyndicateError
        As ``held``, or something that waits has no answer.
    """
    held(app, target)
    rests = waiting(app, target)
    unanswered = [name for name in rests if answers.get(name) not in ANSWERS]
    if unanswered:
        msg = f"say of each whether it goes on or its rest is cancelled: {', '.join(unanswered)}"
        raise SyndicateError(msg)
    lost = _settle(app, now)
    cancelled = 0
    for name, one in rests.items():
        if answers[name] == "cancel":
            cancelled += app.ledger.cancel(target, now, who=who, of=(one.kind, one.subject))
        else:
            app.ledger.go_on(target, now, of=(one.kind, one.subject))
    app.ledger.finish()
    decided = {name: answers[name] for name in rests}
    app.holds.lift(target, who=who, now=now, detail={"cancelled": cancelled, "decided": decided, "slots_lost": lost})
    return cancelled


def _name(app: App, one: Waiting) -> str:
    if one.kind == "edition":
        return f"edition:{one.subject}"
    item = app.content.brief(one.subject, now=None) or app.content.quote(one.subject)
    return f"{one.kind}:{item.slug if item else one.subject}"


def _settle(app: App, now: datetime) -> int:
    """Where no run is going: let the hold cancel the slots that came due under it, before it is lifted."""
    lock = RunLock(app.store.path)
    if not lock.take():
        return 0  # the run deals with each slot as it comes due
    lock.free()
    return sum(planned.state == "cancelled" for planned in settle_slots(app, now))
