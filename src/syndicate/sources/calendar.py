"""Days of mourning and remembrance from an iCalendar file (RFC 5545), as civil days on which no quote may run (Q14).

The door of icalendar and dateutil. Reads the file; decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from syndicate.errors import Fault, SourceError

if TYPE_CHECKING:
    from icalendar import Component

_DAY: Final = timedelta(days=1)
_MOST: Final = 400  # days: no event of a calendar of single days is longer


def held_days(root: Path, path: str, first: date, last: date, *, zone: str) -> tuple[str, ...]:
    """Every day from ``first`` to ``last`` on which an event of the file lies, as ISO dates, in order.

    An event with a time counts on its civil days in ``zone``. Recurrences and their exceptions are followed.

    Raises
    ------
    SourceError
        The file cannot be read as a calendar: nothing is known, so that no quote may be chosen.
    """
    from icalendar import Calendar

    try:
        calendars = Calendar.from_ical((root / path).read_bytes(), multiple=True)
        found = {day for calendar in calendars for event in calendar.walk("VEVENT") for day in _days(event, first, last, zone)}
    except OSError as error:
        raise _fault(path, f"it cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _fault(path, "it is no calendar, or an event in it has no valid date") from error
    return tuple(day.isoformat() for day in sorted(found))


def _days(event: Component, first: date, last: date, zone: str) -> Iterator[date]:
    start = _civil(event.decoded("DTSTART"), zone)
    length = min(_length(event, start, zone), _MOST)
    skipped = {_civil(moment, zone) for moment in _moments(event, "EXDATE")}
    for begin in _begins(event, start, first - length * _DAY, last, zone):
        if begin not in skipped:
            yield from (day for offset in range(length) if first <= (day := begin + offset * _DAY) <= last)


def _length(event: Component, start: date, zone: str) -> int:
    """How many civil days an event touches; the end of a whole day is exclusive (RFC 5545 §3.6.1)."""
    if "DURATION" in event:
        written = event.decoded("DTSTART")
        end = (written if isinstance(written, datetime) else datetime.combine(written, time())) + event.decoded("DURATION")
    elif "DTEND" in event:
        end = event.decoded("DTEND")
    else:
        return 1
    if isinstance(end, datetime):
        end -= timedelta(microseconds=1)
        return max(1, (_civil(end, zone) - start).days + 1)
    whole: timedelta = end - start
    return max(1, whole.days)


def _begins(event: Component, start: date, after: date, last: date, zone: str) -> Iterator[date]:
    """The first day of each occurrence."""
    from dateutil.rrule import rrulestr

    yield start
    yield from (_civil(moment, zone) for moment in _moments(event, "RDATE"))
    rules = event.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        found = rrulestr(rule.to_ical().decode(), dtstart=datetime.combine(start, time()), ignoretz=True)
        between = found.between(datetime.combine(after, time()), datetime.combine(last, time()), inc=True)
        yield from (moment.date() for moment in between)


def _moments(event: Component, name: str) -> Iterator[Any]:
    written = event.get(name, [])
    for part in written if isinstance(written, list) else [written]:
        yield from (moment.dt for moment in part.dts)


def _civil(moment: date | datetime, zone: str) -> date:
    if not isinstance(moment, datetime):
        return moment
    return (moment.astimezone(ZoneInfo(zone)) if moment.tzinfo else moment).date()


def _fault(path: str, what: str) -> SourceError:
    right = "export it again as iCalendar (.ics), or take hold_calendar out of [quotes]; no quote is chosen until then"
    return SourceError(Fault(file=path, rule="Q14", what=what, right=right))
