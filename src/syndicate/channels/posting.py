"""When an account posts and what it may spend: keys that every social channel's table takes. No channel."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from syndicate.config import values
from syndicate.config.schedules import ScheduleSettings
from syndicate.plan import pacing


def _quiet(text: str) -> str:
    if text:
        pacing.quiet_hours(text)
    return text


class PostingSettings(BaseModel):
    """What the settings of every social channel begin with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    briefs: ScheduleSettings | None = None  # None: as [posts] says
    quotes: bool = True  # whether this account shows the day's quote
    spacing: values.Duration | None = None  # at least this between two posts; None: no rule
    quiet: Annotated[str, AfterValidator(_quiet)] = ""  # "22:00-07:00": nothing is posted; "": no rule
    zone: values.ZoneOrSites = ""  # of the quiet hours, an IANA name; "" means the site's
    hashtags: Annotated[int, Field(ge=0, le=8)] = 0  # how many of a brief's topics become hashtags, at most
    hashtag_names: Mapping[str, str] = Field(default_factory=dict)  # topic -> its hashtag where not its own name; "": none
    pictures: bool = True  # whether a brief's picture goes with its post
    renew_by: date | None = None  # the day on which the credentials end, where a person knows it

    def earliest(self, site_zone: str, *, last: datetime | None, now: datetime) -> datetime:
        """The first instant from ``now`` on at which this account may post; ``last`` is its last post."""
        quiet = pacing.quiet_hours(self.quiet) if self.quiet else None
        return pacing.earliest(now, last=last, spacing=self.spacing, quiet=quiet, zone=self.zone or site_zone)
