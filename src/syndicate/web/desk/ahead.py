"""What lies ahead, counted beside the pages: one plan for Today, the calendar and the file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from syndicate.publish import dailyquote
from syndicate.publish.forecast import Forecast, forecast
from syndicate.store import board
from syndicate.web.desk.counting import Counted

if TYPE_CHECKING:
    from datetime import datetime

    from syndicate.app import App
    from syndicate.web.desk.visit import Desk, Visit

FAR: Final = 100  # days: what lies further ahead is not planned yet
_BACK: Final = 40  # days of which hold days are told: a month that is nearly over
_NAME: Final = "plan"  # of the count
_ANEW: Final = timedelta(minutes=1)
_WAIT: Final = 60.0  # seconds: a file is whole, or it is nothing


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What is ahead."""

    forecast: Forecast
    held: frozenset[date]  # days without quotes (Q14)


def plan(visit: Visit, *, older: bool = False) -> Counted[Plan]:
    """The plan of this moment; without a value while it is made.

    It is made anew once a minute, and after each change of an item and each act in the audit log. ``older``: meanwhile the
    one before will do.
    """
    stamp = _stamp(visit.desk)
    found = visit.counted(_NAME, partial(_made, visit.app, visit.now), fresh=_ANEW, stamp=stamp)
    return found if older or found.stamp == stamp else Counted(value=None, at=None)


def whole(visit: Visit) -> Plan | None:
    """The plan of this moment, waited for."""
    return _plan(visit.desk, visit.now, _WAIT).value


def warm(desk: Desk, now: datetime) -> None:
    """Begin it before somebody looks."""
    _plan(desk, now, 0)


def _plan(desk: Desk, now: datetime, patience: float) -> Counted[Plan]:
    work = partial(_made, desk.app, now)
    return desk.counting.get(_NAME, work, now, fresh=_ANEW, stamp=_stamp(desk), patience=patience)


def _stamp(desk: Desk) -> object:
    with desk.app.store.read() as connection:
        return board.stamp(connection)


def _made(app: App, now: datetime) -> Plan:
    today = dailyquote.day_of(app, now)
    first, days = today - timedelta(days=_BACK), _BACK + FAR
    written = set(dailyquote.hold_days(app, first, first + timedelta(days=days)))
    span = (first + timedelta(days=n) for n in range(days))
    held = frozenset(day for day in span if day.isoformat() in written or f"{day:%m-%d}" in written)
    return Plan(forecast=forecast(app, now, FAR), held=held)
