"""At which hours and in which zones a newsletter's readers want it. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from syndicate.model import Frequency

_MINE: Final = "newsletter = (SELECT key FROM newsletter WHERE name = :name) AND state = 'active' AND frequency = :frequency"
# From one zone to the next in the index, and of each only what is there: no walk over the readers.
_CLOCKS: Final = sa.text(
    f"""WITH RECURSIVE
    near(zone) AS (SELECT min(zone) FROM subscription WHERE {_MINE} AND zone >= '' UNION ALL
        SELECT (SELECT min(s.zone) FROM subscription s WHERE {_MINE} AND s.zone > near.zone)
        FROM near WHERE near.zone IS NOT NULL),
    hours(hour) AS (SELECT NULL UNION ALL SELECT coalesce(hour + 1, 0) FROM hours WHERE hour IS NULL OR hour < 23),
    days(weekday) AS (SELECT NULL UNION ALL SELECT coalesce(weekday + 1, 0) FROM days WHERE weekday IS NULL OR weekday < 6)
    SELECT near.zone, hours.hour, days.weekday FROM near CROSS JOIN hours CROSS JOIN days WHERE near.zone IS NOT NULL
    AND EXISTS (SELECT 1 FROM subscription s
        WHERE {_MINE} AND s.zone = near.zone AND s.hour IS hours.hour AND s.weekday IS days.weekday)"""  # noqa: S608
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """When a group of readers wants an edition; ``None`` and ``""`` are the newsletter's."""

    zone: str
    hour: int | None
    weekday: int | None


def clocks(connection: sa.Connection, newsletter: str, frequency: Frequency) -> list[Clock]:
    """The distinct hours and zones that active readers chose: a few looks into the index, however many the readers."""
    rows = connection.execute(_CLOCKS, {"name": newsletter, "frequency": str(frequency)})
    return [Clock(zone=row.zone, hour=row.hour, weekday=row.weekday) for row in rows]
