"""Dates as people and other publishers write them. A date without a zone keeps its day for ever."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

from syndicate.plan.slots import instant

# RFC 3339, YAML timestamps and Jekyll's "2026-11-22 07:00:00 +0200". Git's date lines repeat the year before the
# offset; Ruby skips it and so do we.
_DATE: Final = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"
    r"(?:(?:[Tt]|[ \t]+)(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d{1,9}))?)?"
    r"(?:[ \t]+(?P=year))?"
    r"(?:[ \t]*(?P<zone>[Zz]|UTC|GMT|(?P<sign>[+-])(?P<ahead>\d{1,2})(?::?(?P<ahead_minutes>\d\d))?))?)?"
)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
RIGHT: Final = "write 2026-11-22, 2026-11-22 07:00 or 2026-11-22T07:00:00+02:00"


def parse_instant(text: str, zone: str) -> datetime:
    """The instant (aware UTC) that ``text`` means; without an offset it is civil time in ``zone``.

    A date without a time is that day's midnight in ``zone``, so that no rebuild and no other machine
    ever moves it to another day.

    Raises
    ------
    ValueError
        ``text`` is no date, or one that no calendar holds; the message is a sentence.
    """
    match = _DATE.fullmatch(text.strip())
    if match is None:
        msg = "is not a date"
        raise ValueError(msg)
    try:
        return _instant(match, zone)
    except (ValueError, OverflowError) as error:
        msg = f"is a date that no calendar holds ({error})"
        raise ValueError(msg) from error


def _instant(match: re.Match[str], zone: str) -> datetime:
    year, month, day, hour, minute, second = (
        int(match[name] or 0) for name in ("year", "month", "day", "hour", "minute", "second")
    )
    micros = int((match["fraction"] or "0")[:6].ljust(6, "0"))
    # Naive on purpose: it is civil time until the zone below.
    local = datetime(year, month, day, hour, minute, second, micros)  # noqa: DTZ001
    if match["zone"] is None:
        return instant(local, zone)[0]
    if match["sign"] is None:
        return local.replace(tzinfo=UTC)
    ahead = timedelta(hours=int(match["ahead"]), minutes=int(match["ahead_minutes"] or 0))
    return local.replace(tzinfo=timezone(ahead if match["sign"] == "+" else -ahead)).astimezone(UTC)


def parse_day(text: str) -> date:
    """A civil day written in full, ``2026-11-22``.

    Raises
    ------
    ValueError
        ``text`` is not one.
    """
    if not _DAY.fullmatch(text):
        msg = "is not a day"
        raise ValueError(msg)
    return date.fromisoformat(text)
