"""When each account posts: its own schedule, spacing and quiet hours, or what the publication says for all."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from syndicate.channels import Channel, Posts
from syndicate.channels.posting import PostingSettings
from syndicate.settings import BRIEF_LATENESS, ScheduleSettings
from syndicate.store import watching

if TYPE_CHECKING:
    from syndicate.app import App


def accounts(app: App, *, quotes: bool = False) -> dict[str, Channel]:
    """The channels that carry posts, by name; ``quotes``: of these, those that show the day's quote."""
    found = {name: channel for name, channel in app.channels.items() if channel.carries == "post"}
    return {name: channel for name, channel in found.items() if not quotes or posting(channel).quotes}


def posting(channel: Channel) -> PostingSettings:
    """What an account's table says of its posting."""
    return channel.posting if isinstance(channel, Posts) else PostingSettings()


def schedule(app: App, name: str) -> ScheduleSettings:
    """When an account posts briefs."""
    return posting(app.channels[name]).briefs or app.settings.posts.briefs


def window(app: App, name: str) -> timedelta:
    """The most lateness of a brief's post on an account; on one that is not in the settings any more, as for all."""
    setting = schedule(app, name) if name in app.channels else app.settings.posts.briefs
    return setting.policy(BRIEF_LATENESS).window


class Pace:
    """Spacing and quiet hours over one run of duties: each one that may go on counts for the next."""

    def __init__(self, app: App, now: datetime) -> None:
        """Ask nothing yet."""
        self._app = app
        self._now = now
        self._last: dict[str, datetime | None] = {}

    def wait(self, name: str) -> tuple[datetime, str] | None:
        """Until when a post on an account has to wait, and why; ``None`` where it may leave now."""
        setting = posting(self._app.channels[name])
        if not setting.spacing and not setting.quiet:
            return None
        if name not in self._last:
            with self._app.store.read() as connection:
                self._last[name] = watching.last_post(connection, name)
        at = setting.earliest(self._app.settings.site.zone, last=self._last[name], now=self._now)
        if at > self._now:
            spaced = setting.model_copy(update={"quiet": ""}).earliest("UTC", last=self._last[name], now=self._now) > self._now
            return at, "it waits for its distance to the last post" if spaced else "it waits for the end of the quiet hours"
        self._last[name] = self._now
        return None
