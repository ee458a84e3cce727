"""How close together an account posts, and when it keeps quiet. Pure: the moment and the last post are arguments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from syndicate.model import require_aware
from syndicate.plan.civil import instant

_HOURS: Final = re.compile(r"(\d{1,2}):(\d\d)\s*(?:-|–|to)\s*(\d{1,2}):(\d\d)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Quiet:
    """Hours of the local day in which nothing is posted; over midnight where they end before they begin."""

    begin: time
    end: time

    def holds(self, wall: time) -> bool:
        """Whether it is quiet at a wall time."""
        if self.begin < self.end:
            return self.begin <= wall < self.end
        return wall >= self.begin or wall < self.end


def quiet_hours(text: str) -> Quiet:
    """Read ``22:00-07:00``.

    Raises
    ------
    ValueError
        With one sentence that says what would be right.
    """
    found = _HOURS.fullmatch(text.strip())
    try:
        begin, end = (time(int(found[at]), int(found[at + 1])) for at in (1, 3)) if found else (time(), time())
    except ValueError:
        begin = end = time()
    if begin == end:
        msg = f'"{text}" are no hours of a day; write two different times such as "22:00-07:00"'
        raise ValueError(msg)
    return Quiet(begin=begin, end=end)


def earliest(now: datetime, *, last: datetime | None, spacing: timedelta | None, quiet: Quiet | None, zone: str) -> datetime:
    """The first instant from ``now`` on at which an account may post.

    ``last`` is its last post (aware), ``zone`` the IANA zone of its quiet hours. Hours are wall times: the night on
    which clocks change is an hour shorter or longer, and an end that a spring gap skips moves forward by the gap.
    """
    require_aware("now", now)
    moment = now if last is None or spacing is None else max(now, last + spacing)
    here = moment.astimezone(ZoneInfo(zone))
    if quiet is None or not quiet.holds(here.time()):
        return moment
    day = here.date() if here.time() < quiet.end else here.date() + timedelta(days=1)
    local = datetime.combine(day, quiet.end)
    end, _ = instant(local, zone)
    # In the doubled hour of autumn the first of two equal wall times may be over already.
    return end if end > moment else local.replace(tzinfo=ZoneInfo(zone), fold=1).astimezone(UTC)
