"""An oracle of civil time, independent of the code: it walks UTC minute by minute and reads the clock on the wall."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

ZONES = (
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Asuncion",
    "America/Havana",
    "America/New_York",
    "America/Nuuk",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Jerusalem",
    "Asia/Kolkata",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Europe/London",
    "Europe/Moscow",
    "Pacific/Apia",
    "Pacific/Chatham",
    "UTC",
)
START, END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2041, 1, 1, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def wall(moment: datetime, zone: str) -> datetime:
    """What the clock on the wall shows, naive."""
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)


@cache
def transitions(zone: str) -> list[datetime]:
    """The first instant (to the minute) of every new offset, 2020-2040."""

    def offset(moment: datetime) -> timedelta:
        return wall(moment, zone) - moment.replace(tzinfo=None)

    found = []
    for day in range((END - START).days):
        low, high = START + day * DAY, START + (day + 1) * DAY
        if offset(low) != offset(high):
            while high - low > MINUTE:
                middle = low + (high - low) // MINUTE // 2 * MINUTE
                low, high = (low, middle) if offset(middle) != offset(low) else (middle, high)
            found.append(high)
    return found


def expected(zone: str, change: datetime) -> dict[datetime, datetime]:
    """Every wall-clock minute of the two days around ``change`` with its one instant, by walking UTC."""
    first: dict[datetime, datetime] = {}
    for minute in range(-36 * 60, 36 * 60):
        moment = change + minute * MINUTE
        first.setdefault(wall(moment, zone), moment)
    gap = wall(change, zone) - wall(change - MINUTE, zone) - MINUTE
    middle = wall(change, zone)
    minutes = (middle + minute * MINUTE for minute in range(-24 * 60, 24 * 60))
    return {minute: first.get(minute) or first[minute + gap] for minute in minutes}
