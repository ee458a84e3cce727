"""Credentials that will end are announced before: by ``status``, by the doctor and in the log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from syndicate.log import logger
from syndicate.model import Finding
from syndicate.publish import rhythm
from syndicate.store import agenda

if TYPE_CHECKING:
    from syndicate.app import App

AHEAD: Final = timedelta(days=14)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """An account whose credentials end soon, or have ended."""

    channel: str
    until: date  # the first day on which they do not work
    what: str


def ending(app: App, now: datetime) -> list[Ending]:
    """Accounts whose credentials end within two weeks, as their settings tell."""
    today = now.astimezone(ZoneInfo(app.settings.site.zone)).date()
    found = []
    for name, channel in rhythm.accounts(app).items():
        until = rhythm.posting(channel).renew_by
        if until is not None and until - today <= AHEAD:
            left = (until - today).days
            when = f"end on {until} (in {left} days)" if left > 0 else f"have ended on {until}"
            what = f"its credentials {when}: make new ones, set them in the environment, then `renew_by`"
            found.append(Ending(channel=name, until=until, what=what))
    return found


def finding(app: App, name: str, now: datetime) -> Finding | None:
    """What the doctor says of an account's ``renew_by``; ``None`` where none is set."""
    until = rhythm.posting(app.channels[name]).renew_by
    if until is None:
        return None
    soon = next((one for one in ending(app, now) if one.channel == name), None)
    if soon is None:
        return Finding(ok=True, what=f"the credentials last until {until}")
    return Finding(
        ok=False, what=soon.what.partition(":")[0], advice="Make new ones, set them in the environment, then `renew_by`."
    )


def announce(app: App, now: datetime) -> None:
    """One line of the log for each, at the first tick of a day."""
    zone = ZoneInfo(app.settings.site.zone)
    midnight = datetime.combine(now.astimezone(zone).date(), time(), zone).astimezone(UTC)
    with app.store.read() as connection:
        before = agenda.ticked(connection, "quotes")
    if before is not None and before >= midnight:
        return
    for one in ending(app, now):
        logger().warning("credentials_ending", channel=one.channel, until=one.until.isoformat())
