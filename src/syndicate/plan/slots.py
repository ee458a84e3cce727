"""Schedules as people write them become slots. Pure: the window is an argument, no clock is read.

A slot is a civil date and time in an IANA zone. A wall time that a spring gap skips moves forward by the gap
(02:30 happens at 03:30); one that an autumn overlap doubles happens once, at the first. Two civil times of one
schedule that fall on one instant are one slot: the one whose wall time exists.
"""

from __future__ import annotations

import calendar
import heapq
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from difflib import get_close_matches
from functools import lru_cache
from typing import Final

from syndicate.model import Slot, require_aware
from syndicate.plan.civil import (
    DAY_MINUTES,
    DAYS,
    GROUPS,
    Cron,
    Every,
    Never,
    OnDays,
    OnMonthDay,
    Rule,
    instant,
    offset,
    zone_of,
)

__all__ = ["Schedule", "instant", "parse", "parse_duration"]

_LAST: Final = 31  # clamped to each month's own last day
_CRON_FIELDS: Final = 5
_LOOK_BACK: Final = timedelta(hours=26)  # longer than any gap (Apia once skipped a whole day)
_FORMS: Final = (
    '"daily at 07:00", "weekdays at 07:00", "weekends at 09:00", "weekly on Mon at 06:30", "monthly on 1st at 09:00", '
    '"every 15 minutes", "hourly at :05", a cron line such as "0 7 * * 1-5", or "when published"'
)
_UNITS: Final = {
    **dict.fromkeys(("s", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86400),
    **dict.fromkeys(("w", "week", "weeks"), 604800),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """When something is due, made by ``parse``."""

    text: str  # as written, spaces tidied
    zone: str  # IANA name
    rule: Rule

    @property
    def when_published(self) -> bool:
        """Whether each item's own release is its due time: such a schedule has no slots."""
        return isinstance(self.rule, Never)

    def slots(self, name: str, after: datetime, to: datetime) -> Iterator[Slot]:
        """Every slot due in ``(after, to]`` (aware), ascending; ``name`` is the schedule's name in their identity."""
        require_aware("after", after)
        require_aware("to", to)
        if to > after:
            for slot in self._from(name, after):
                if slot.due > to:
                    return
                yield slot

    def next(self, name: str, after: datetime) -> Slot | None:
        """The first slot due after ``after`` (aware), or ``None`` where there will be none."""
        require_aware("after", after)
        return next(self._from(name, after), None)

    def at_hour(self, hour: int | None, weekday: int | None, zone: str) -> Schedule:
        """This schedule at a reader's own hour (0-23), weekday (0 Monday; for weekly ones) and zone.

        ``None`` and ``""`` keep what is written here.

        Raises
        ------
        ValueError
            The schedule has no hour of the day to move ("every 15 minutes", a monthly or cron one), or the zone is unknown.
        """
        zone = zone or self.zone
        zone_of(zone)
        if hour is None and weekday is None:
            return Schedule(text=self.text, zone=zone, rule=self.rule)
        if not isinstance(self.rule, OnDays):
            msg = f'"{self.text}" has no hour that a reader could choose, as "daily at 07:00" has'
            raise ValueError(msg)  # noqa: TRY004 - a schedule of another kind, not a value of another type
        text, rule = self.rule.moved(hour, weekday)
        return Schedule(text=text, zone=zone, rule=rule)

    def _from(self, name: str, after: datetime) -> Iterator[Slot]:
        """All slots after an instant, for ever.

        In the order of the wall times that exist, instants ascend; only times inside a gap step out of line, so those
        wait until the walk has passed the time to which they move.
        """
        zone = zone_of(self.zone)
        here = after.astimezone(zone)
        gap = offset(here) - offset((after.astimezone(UTC) - _LOOK_BACK).astimezone(zone))
        start = here.replace(tzinfo=None, fold=0) - max(gap, timedelta())
        waiting: list[tuple[datetime, int, Slot]] = []  # (wall time that exists, 1 where moved to it, slot)
        last = after
        for local in self.rule.civil(start):
            while waiting and waiting[0][0] < local:
                slot = heapq.heappop(waiting)[2]
                if slot.due > last:
                    last = slot.due
                    yield slot
            due, note = instant(local, self.zone)
            wall = due.astimezone(zone).replace(tzinfo=None, fold=0) if note == "gap" else local
            slot = Slot(schedule=name, zone=self.zone, local=local, due=due, note=note)
            heapq.heappush(waiting, (wall, int(note == "gap"), slot))


@lru_cache(maxsize=1024)
def parse(text: str, zone: str) -> Schedule:
    """Read a schedule as written in the settings.

    ``monthly on 31st`` falls on the last day of a shorter month; ``every 40 minutes`` counts anew from each civil
    midnight; letters' case does not matter.

    Raises
    ------
    ValueError
        With one sentence that says what would be right.
    """
    tidy = " ".join(text.split())
    zone_of(zone)
    if tidy.lower() == "when published":
        return Schedule(text=tidy, zone=zone, rule=Never())
    if re.match(r"[\d*]", tidy):
        return Schedule(text=tidy, zone=zone, rule=_cron(tidy))
    for pattern, make in _GRAMMAR:
        match = re.fullmatch(pattern, tidy, re.IGNORECASE)
        if match:
            return Schedule(text=tidy, zone=zone, rule=make(*match.groups()))
    raise ValueError(_advice(tidy))


def parse_duration(text: str) -> timedelta:
    """A length of time: ``12h``, ``90m``, ``3 days``, ``1h 30m``.

    Raises
    ------
    ValueError
        With one sentence that says what would be right.
    """
    parts = re.findall(r"(\d+)\s*([a-z]+)", text.lower())
    rest = re.sub(r"(\d+)\s*([a-z]+)|[\s,]", "", text.lower())
    units = [_UNITS.get(unit) for _, unit in parts]
    if not parts or rest or None in units:
        msg = f'"{text}" is not a length of time; write a number and a unit, such as "12h", "90m" or "3 days"'
        raise ValueError(msg)
    return timedelta(seconds=sum(int(number) * (unit or 0) for (number, _), unit in zip(parts, units, strict=True)))


def _clock(text: str) -> time:
    match = re.fullmatch(r"(\d{1,2}):(\d\d)", text)
    if not match or int(match[1]) > 23 or int(match[2]) > 59:  # noqa: PLR2004 - the clock's own figures
        msg = f'"{text}" is not a time of day; write hours and minutes from 00:00 to 23:59, such as "07:00"'
        raise ValueError(msg)
    return time(int(match[1]), int(match[2]))


def _weekdays(text: str) -> frozenset[int]:
    full = [name.lower() for name in calendar.day_name]
    found = set()
    for word in re.split(r"[\s,]+and[\s,]+|[\s,]+", text.lower().strip(", ")):
        day = next((number for number, name in enumerate(full) if len(word) > 2 and name.startswith(word)), None)  # noqa: PLR2004
        if day is None:
            near = get_close_matches(word, full, n=1, cutoff=0.5)
            hint = f'did you mean "{DAYS[full.index(near[0])]}"?' if near else f"write {', '.join(DAYS)}"
            msg = f'"{word}" is not a day of the week, {hint}'
            raise ValueError(msg)
        found.add(day)
    return frozenset(found)


def _grouped(group: str, at: str) -> Rule:
    return OnDays(GROUPS[group.lower()], _clock(at))


def _weekly(days: str, at: str) -> Rule:
    return OnDays(_weekdays(days), _clock(at), weekly=True)


def _monthly(day: str, at: str) -> Rule:
    number = _LAST if day.lower().startswith("last") else int(re.sub(r"\D", "", day) or 0)
    if not 1 <= number <= _LAST:
        msg = f'"{day}" is not a day of the month; write "1st" to "31st", or "last"'
        raise ValueError(msg)
    return OnMonthDay(number, _clock(at))


def _every(number: str | None, unit: str) -> Rule:
    minutes = int(number or 1) * (60 if unit.lower().startswith("hour") else 1)
    if not 1 <= minutes <= DAY_MINUTES:
        msg = f'"every {number} {unit}" is not between a minute and a day; for longer write "weekly on Mon at 07:00"'
        raise ValueError(msg)
    return Every(minutes)


def _hourly(minute: str | None) -> Rule:
    offset = int(minute or 0)
    if offset > 59:  # noqa: PLR2004 - the clock's own figure
        msg = f'":{minute}" is not a minute of the hour; write ":00" to ":59"'
        raise ValueError(msg)
    return Every(60, offset)


def _cron(line: str) -> Rule:
    if len(line.split()) != _CRON_FIELDS:
        msg = f'"{line}" is not a schedule: a cron line has five fields, minute hour day month weekday; write {_FORMS}'
        raise ValueError(msg)
    try:
        return Cron(line)
    except ValueError as error:
        msg = f'"{line}" is not a cron line ({error}): minute, hour, day, month and weekday, such as "0 7 * * 1-5"'
        raise ValueError(msg) from error


_GRAMMAR: Final = (
    (r"(daily|weekdays|weekends) at (\S+)", _grouped),
    (r"weekly on (.+?) at (\S+)", _weekly),
    (r"monthly on (?:the )?(last(?: day)?|\d+(?:st|nd|rd|th)?) at (\S+)", _monthly),
    (r"every (?:(\d+) )?(minutes?|hours?)", _every),
    (r"hourly(?: at :(\d\d))?", _hourly),
)


def _advice(text: str) -> str:
    heads = ("daily at", "weekdays at", "weekends at", "weekly on", "monthly on", "every", "hourly", "when published")
    words = text.lower().split()
    near = get_close_matches(words[0], [head.split()[0] for head in heads], n=1, cutoff=0.6) if words else []
    if near and near[0] != words[0]:
        rest = text.split(maxsplit=1)[1:]
        return f'"{text}" is not a schedule, did you mean "{" ".join([near[0], *rest])}"?'
    return f'"{text}" is not a schedule; write {_FORMS}'
