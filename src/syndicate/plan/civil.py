"""Civil time: which wall times a schedule names, and the instant of each. Pure; zones come from ``zoneinfo``.

``zoneinfo`` reads the system's tables where there are any, else those of the ``tzdata`` package.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from typing import Final, Literal, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from cronsim import CronSim, CronSimError

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_EVERY_DAY: Final = frozenset(range(7))
GROUPS: Final = {"daily": _EVERY_DAY, "weekdays": frozenset(range(5)), "weekends": frozenset({5, 6})}
DAY_MINUTES: Final = 24 * 60


def instant(local: datetime, zone: str) -> tuple[datetime, Literal["", "gap", "overlap"]]:
    """The instant (aware UTC) of a naive civil time in ``zone``, and whether a clock change skips or doubles it.

    Raises
    ------
    ValueError
        ``local`` is not naive, or ``zone`` is unknown.
    """
    if local.tzinfo is not None:
        msg = f"a civil time carries no zone of its own: {local!r}"
        raise ValueError(msg)
    first = local.replace(tzinfo=zone_of(zone), fold=0)
    before, behind = offset(first), offset(first.replace(fold=1))
    # PEP 495: fold=0 counts with the offset before the change, which moves a time in a gap forward by the gap.
    due = (local.replace(fold=0) - before).replace(tzinfo=UTC)
    if before == behind:
        return due, ""
    return due, "gap" if before < behind else "overlap"


def offset(moment: datetime) -> timedelta:
    """How far ``moment``'s own clock is ahead of UTC."""
    return moment.utcoffset() or timedelta()


def zone_of(name: str) -> ZoneInfo:
    """The zone of an IANA name, or a ``ValueError`` that suggests one."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        known = {zone.lower(): zone for zone in available_timezones()}
        known |= {zone.rsplit("/", 1)[-1]: full for zone, full in sorted(known.items(), reverse=True)}
        near = get_close_matches(name.lower().replace(" ", "_"), known, n=1, cutoff=0.75)
        hint = f'did you mean "{known[near[0]]}"?' if near else 'write an IANA name such as "Europe/Berlin" or "UTC"'
        msg = f'unknown time zone "{name}", {hint}'
        raise ValueError(msg) from error


class Rule(Protocol):
    """Which civil times a schedule names."""

    def civil(self, start: datetime) -> Iterator[datetime]:
        """Naive local times from ``start`` (inclusive) on, ascending."""
        ...


@dataclass(frozen=True, slots=True)
class OnDays:
    """At one time of day on some days of the week."""

    days: frozenset[int]  # 0 Monday … 6
    at: time
    weekly: bool = False  # written as "weekly on …": a reader's own weekday replaces the days

    def civil(self, start: datetime) -> Iterator[datetime]:
        """See ``Rule``."""
        day = start.date()
        while True:
            moment = datetime.combine(day, self.at)
            if day.weekday() in self.days and moment >= start:
                yield moment
            day += timedelta(days=1)

    def moved(self, hour: int | None, weekday: int | None) -> tuple[str, OnDays]:
        """The same rule at a reader's own hour (and weekday), with the words for it."""
        at = self.at if hour is None else time(hour)
        days = frozenset({weekday}) if self.weekly and weekday is not None else self.days
        names = {value: name for name, value in GROUPS.items()}
        head = f"weekly on {', '.join(DAYS[day] for day in sorted(days))}" if self.weekly else names[days]
        return f"{head} at {at:%H:%M}", OnDays(days, at, self.weekly)


@dataclass(frozen=True, slots=True)
class OnMonthDay:
    """At one time on one day of each month."""

    day: int  # 1 … 31; in a shorter month the last day, so that no month is left out
    at: time

    def civil(self, start: datetime) -> Iterator[datetime]:
        """See ``Rule``."""
        year, month = start.year, start.month
        while True:
            length = calendar.monthrange(year, month)[1]
            moment = datetime.combine(date(year, month, min(self.day, length)), self.at)
            if moment >= start:
                yield moment
            year, month = (year + 1, 1) if month == len(calendar.month_name) - 1 else (year, month + 1)


@dataclass(frozen=True, slots=True)
class Every:
    """Every so many minutes of a civil day."""

    minutes: int  # counted from each civil midnight
    offset: int = 0  # minutes after midnight of the first

    def civil(self, start: datetime) -> Iterator[datetime]:
        """See ``Rule``."""
        day = datetime.combine(start.date(), time())
        passed = (start - day) / timedelta(minutes=1) - self.offset
        first = self.offset + max(0, -int(-passed // self.minutes)) * self.minutes
        while True:
            for minute in range(first, DAY_MINUTES, self.minutes):
                yield day + timedelta(minutes=minute)
            day, first = day + timedelta(days=1), self.offset


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron line, walked over naive local times: the clock changes are ours to handle, not cronsim's."""

    line: str  # five fields

    def __post_init__(self) -> None:
        """Refuse a line that names no time, with a few words on the field at fault."""
        try:
            CronSim(self.line, datetime(2024, 1, 1))  # noqa: DTZ001 - civil time
        except CronSimError as error:
            raise ValueError(str(error).lower()) from error

    def civil(self, start: datetime) -> Iterator[datetime]:
        """See ``Rule``."""
        return CronSim(self.line, start - timedelta(seconds=1))


@dataclass(frozen=True, slots=True)
class Never:
    """No civil time at all: each item's own release is its due time."""

    def civil(self, start: datetime) -> Iterator[datetime]:
        """See ``Rule``."""
        del start
        return iter(())
