"""One coming slot: what it is, and moving or skipping it until it has begun."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote as quoted
from zoneinfo import ZoneInfo

from syndicate.errors import SyndicateError
from syndicate.plan.timetable import clock
from syndicate.publish import timetable
from syndicate.publish.tick import QUOTES
from syndicate.web.desk import ahead
from syndicate.web.desk.visit import wanted
from syndicate.web.desk.ways import act, view

if TYPE_CHECKING:
    from datetime import time

    from starlette.responses import Response

    from syndicate.publish.forecast import Coming
    from syndicate.web.desk.visit import Visit

PATH: Final = "/slots"


def way(slot: str) -> str:
    """Where a slot stands, below /desk; ``""`` for what is none."""
    return f"{PATH}?slot={quoted(slot, safe='/:')}" if slot else ""


def slot(visit: Visit) -> Response:
    """The page."""
    one = timetable.find(visit.app, visit.asked("slot"), visit.now)
    known = _coming(visit, one.name)
    zone = ZoneInfo(one.slot.zone)
    title, _, kind = one.slot.schedule.rpartition(".")
    return visit.sheet(
        "slot",
        here="/calendar",
        slot=one.slot,
        name=one.name,
        title="Quote of the day" if one.slot.schedule == QUOTES else f"{title}, {kind}",
        quotes=one.slot.schedule == QUOTES,
        change=one.change,
        skipped=one.change is not None and one.change.state == "skipped",
        due=one.due,
        local=one.due.astimezone(zone),
        planned_past=one.slot.due <= visit.now,
        known=known,
        away=one.slot.zone != visit.zone.key,
    )


def move(visit: Visit) -> Response:
    """Let it happen at another time of its day."""
    name = wanted(visit.said("slot"), "the slot")
    timetable.move(visit.app, name, _time(visit.said("at")), visit.said("reason"), who=visit.who, now=visit.now)
    return visit.go(PATH, did="moved", slot=name)


def skip(visit: Visit) -> Response:
    """Let it not happen."""
    name = wanted(visit.said("slot"), "the slot")
    timetable.skip(visit.app, name, wanted(visit.said("reason"), "the reason"), who=visit.who, now=visit.now)
    return visit.go(PATH, did="skipped", slot=name)


def restore(visit: Visit) -> Response:
    """Take a change back."""
    name = wanted(visit.said("slot"), "the slot")
    timetable.restore(visit.app, name, who=visit.who, now=visit.now)
    return visit.go(PATH, did="restored", slot=name)


def _time(text: str) -> time:
    """``09:30``, as a time field says it.

    Raises
    ------
    SyndicateError
        It is no time of day.
    """
    try:
        return clock(wanted(text, "the time"))
    except ValueError as error:
        raise SyndicateError(str(error)) from error


def _coming(visit: Visit, name: str) -> Coming | None:
    """What the plan says of it, as far as that is known."""
    plan = ahead.plan(visit).value
    found = (*plan.forecast.coming, *plan.forecast.skipped) if plan else ()
    return next((one for one in found if one.slot == name), None)


WAYS: Final = (
    view(PATH, slot),
    act("/slots/move", move),
    act("/slots/skip", skip),
    act("/slots/restore", restore),
)
