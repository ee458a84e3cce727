"""The hold switch: one click stops, two steps let go on. The acts are those of the command line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, cast

from syndicate.errors import SyndicateError
from syndicate.publish import stopping
from syndicate.store import agenda, board
from syndicate.store.marks import FENCE
from syndicate.web.desk import rail
from syndicate.web.desk.visit import wanted
from syndicate.web.desk.ways import EDITORS, EVERYBODY, act, view

if TYPE_CHECKING:
    from starlette.responses import Response

    from syndicate.publish.stopping import Answer
    from syndicate.store.books import Waiting
    from syndicate.store.holds import Hold
    from syndicate.web.desk.visit import Visit

_SLOTS: Final = 100  # that a release lists


@dataclass(frozen=True, kw_only=True, slots=True)
class Rest:
    """Something half-sent."""

    name: str  # "edition:12": the field's name
    title: str  # "digest no. 12, daily"
    n: int  # deliveries that wait
    sent: int  # that have left


@dataclass(frozen=True, kw_only=True, slots=True)
class Lost:
    """A slot that the hold has cancelled."""

    due: datetime
    schedule: str


def everything(visit: Visit) -> Response:
    """Hold everything, at once; the reason follows. What is on hold already keeps its reason."""
    if all(hold.target != "all" for hold in visit.app.holds.list()):
        _place(visit, "all", rail.FOLLOWS)
    return visit.go("", did="held")


def one_thing(visit: Visit) -> Response:
    """Hold one thing, with its reason."""
    target = wanted(visit.said("target"), "what to hold")
    if target not in rail.targets(visit.app) and not _is_edition(visit, target):
        msg = f"nothing here is called {target!r}"
        raise SyndicateError(msg)
    _place(visit, target, wanted(visit.said("reason"), "the reason"))
    return visit.go("", did="held-one")


def reason(visit: Visit) -> Response:
    """Write the reason of a hold that has begun."""
    hold = _held(visit, visit.said("target") or "all")
    _place(visit, hold.target, wanted(visit.said("reason"), "the reason"))
    return visit.go("", did="reason")


def look(visit: Visit) -> Response:
    """The first step of a release: what it means, and a question for each half-sent edition. No answer stands there before."""
    target = visit.asked("target") or "all"
    if all(hold.target != target for hold in visit.app.holds.list()):
        return visit.go("")  # somebody was faster
    hold = _held(visit, target)
    return visit.sheet(
        "release",
        hold=hold,
        fenced=hold.who == FENCE,
        rests=[_rest(visit, name, one) for name, one in stopping.waiting(visit.app, hold.target).items()],
        slots=_lost(visit, hold),
        wrong="",
    )


def release(visit: Visit) -> Response:
    """The second step: lift it, as each question was answered."""
    hold = _held(visit, visit.said("target"))
    rests = stopping.waiting(visit.app, hold.target)
    answers = {name: visit.said(name) for name in rests}
    if any(answer not in stopping.ANSWERS for answer in answers.values()):
        shown = [_rest(visit, name, one) for name, one in rests.items()]
        wrong = "Answer for each edition or post. Nothing was released."
        lost = _lost(visit, hold)
        return visit.sheet("release", hold=hold, fenced=False, rests=shown, slots=lost, wrong=wrong, status=422)
    stopping.release(visit.app, hold.target, cast("dict[str, Answer]", answers), who=visit.who, now=visit.now)
    return visit.go("", did="released")


def _is_edition(visit: Visit, target: str) -> bool:
    kind, _, number = target.partition(":")
    if kind != "edition" or not number.isdecimal():
        return False
    with visit.app.store.read() as connection:
        return board.edition(connection, int(number)) is not None


def _place(visit: Visit, target: str, why: str) -> None:
    stopping.hold(visit.app, target, why, who=visit.who, now=visit.now)


def _held(visit: Visit, target: str) -> Hold:
    """The hold on ``target``.

    Raises
    ------
    SyndicateError
        There is none.
    """
    found = next((hold for hold in visit.app.holds.list() if hold.target == target), None)
    if found is None:
        msg = f"{target or 'that'} is not on hold any more"
        raise SyndicateError(msg)
    return found


def _rest(visit: Visit, name: str, one: Waiting) -> Rest:
    balance = visit.app.books.balance(one.kind, one.subject)
    kind, _, title = name.partition(":")
    with visit.app.store.read() as connection:
        edition = board.edition(connection, int(one.subject)) if kind == "edition" else None
        item = board.names(connection, {one.subject}).get(one.subject)
    if edition is not None:
        title = f"{edition.newsletter} no. {edition.number}, {edition.frequency}"
    elif item is not None:
        title = f"“{item.title}”" if item.kind == "brief" else f"quote {item.slug}"
    return Rest(name=name, title=title, n=one.n, sent=sum(n for state, n in balance.states.items() if state == "sent"))


def _lost(visit: Visit, hold: Hold) -> list[Lost]:
    with visit.app.store.read() as connection:
        rows = agenda.slots(connection, since=hold.at, states=("cancelled",))[:_SLOTS]
    return [Lost(due=row["due"], schedule=row["schedule"]) for row in reversed(rows)]


WAYS: Final = (
    act("/hold", everything, roles=EVERYBODY),
    act("/hold/one", one_thing, roles=EVERYBODY),
    act("/hold/reason", reason, roles=EVERYBODY),
    view("/release", look),
    act("/release", release, roles=EDITORS),
)
