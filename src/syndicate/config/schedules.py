"""When things are due, as the settings tell it: one string, or a table with zone and lateness."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

from syndicate.config import values
from syndicate.plan import slots

Catchup = Literal["latest", "coalesce", "all", "skip"]
_MONDAY: Final = datetime(2024, 1, 1, tzinfo=UTC)
_TRIAL: Final = timedelta(weeks=9)  # from that Monday they hold every weekday, three ends of months and a leap day


@dataclass(frozen=True, kw_only=True, slots=True)
class Lateness:
    """What happens to slots that were missed while nothing ran (plan/catchup.py)."""

    catchup: Catchup
    window: timedelta  # the most lateness


class ScheduleSettings(BaseModel):
    """When something is due. A bare string is short for ``{at = "…"}``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: values.ScheduleText  # "daily at 07:00", a cron line, or "when published"
    zone: values.ZoneOrSites = ""  # IANA name; "" means the site's
    catchup: Catchup | None = None  # None means the default of its place
    window: values.Duration | None = None  # the most lateness, "12h"; None means the default of its place

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        return {"at": value} if isinstance(value, str) else value

    def parsed(self, site_zone: str) -> slots.Schedule:
        """The schedule in its own zone, or the site's."""
        return slots.parse(self.at, self.zone or site_zone)

    def policy(self, default: Lateness) -> Lateness:
        """What happens to missed slots: as written, the rest by the default of its place."""
        return Lateness(catchup=self.catchup or default.catchup, window=self.window or default.window)


def _once_a(word: str, span: timedelta, example: str) -> AfterValidator:
    """Two slots in one day (or week) would be one edition, or one quote's day: refuse them."""

    def check(schedule: ScheduleSettings | None) -> ScheduleSettings | None:
        if schedule is None:
            return None
        trial = slots.parse(schedule.at, "UTC")
        moments = [slot.due - _MONDAY for slot in trial.slots("trial", _MONDAY - timedelta(seconds=1), _MONDAY + _TRIAL)]
        if trial.when_published:
            msg = f'"{schedule.at}" names no time; write such as "{example}"'
            raise ValueError(msg)
        if any(one // span == other // span for one, other in pairwise(moments)):
            msg = f'"{schedule.at}" comes more than once a {word}; write such as "{example}"'
            raise ValueError(msg)
        return schedule

    return AfterValidator(check)


OnceADay = Annotated[ScheduleSettings, _once_a("day", timedelta(days=1), "daily at 06:00")]
DailyOrNone = Annotated[ScheduleSettings | None, values.Absent, _once_a("day", timedelta(days=1), "weekdays at 07:00")]
WeeklyOrNone = Annotated[ScheduleSettings | None, values.Absent, _once_a("week", timedelta(weeks=1), "weekly on Mon at 07:00")]
