"""Hubs learn of every change of a feed, once its file is there for everybody to fetch.

What is owed is never written down beforehand: a file that is not the one of which the hub was told is the duty.
So a crash between writing a file and telling the hub is made good, and a build that changes nothing tells nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from syndicate.channels import websub
from syndicate.errors import DeliveryError, Throttled
from syndicate.failpoint import fail_at
from syndicate.log import logger
from syndicate.publish import catalogue
from syndicate.store.holds import holding
from syndicate.store.pings import Pings, Told

if TYPE_CHECKING:
    from syndicate.app import App

BACK_OFF: Final = (30, 120, 600, 1800, 3600, 21600)  # seconds before the next try; then always the last
HOLD: Final = "websub"  # what an editor's hold names


@dataclass(frozen=True, kw_only=True, slots=True)
class _Topic:
    """A feed's address and the file behind it."""

    hub: str
    url: str
    path: Path


def ping(app: App, stopped: Callable[[], bool] = lambda: False) -> int:
    """Tell every hub of every feed that changed since it was told last; how many were told. Stops early when ``stopped``."""
    topics = list(_topics(app)) if any(feed.hub for feed in app.settings.feeds.values()) else []
    if not topics:
        return 0
    with app.store.read() as connection:
        if holding(connection, HOLD):
            return 0
    pings, count = Pings(app.store), 0
    known = pings.all()
    for topic in topics:
        if stopped():
            break
        count += _tell(app, pings, topic, known.get((topic.hub, topic.url), Told()))
    return count


def _topics(app: App) -> Iterator[_Topic]:
    for one in catalogue.planned(app, app.now()):
        feed = catalogue.feed(app, one)
        if feed.hub:
            for form, url in feed.urls.items():
                yield _Topic(hub=feed.hub, url=url, path=app.feeds_folder / feed.path(form))


def _tell(app: App, pings: Pings, topic: _Topic, told: Told) -> bool:
    """Tell one hub of one feed, if it is owed that now."""
    now = app.now()
    stamp = _stamp(topic.path)
    if not stamp or (stamp == told.stamp and not told.attempts) or (told.not_before and now < told.not_before):
        return False
    # What is read here is what the hub is told of: if the file changes meanwhile, it differs and is told again.
    sha = hashlib.sha256(topic.path.read_bytes()).hexdigest()
    if sha == told.sha:
        pings.tell(topic.hub, topic.url, stamp=stamp, sha=sha, at=told.told or now)
        return False
    fail_at("websub.before_ping")
    try:
        websub.ping(topic.hub, topic.url, now=app.now)
    except DeliveryError as error:
        later = error.retry_at if isinstance(error, Throttled) else now + _back_off(told.attempts)
        pings.fail(topic.hub, topic.url, at=now, not_before=later, detail=str(error))
        logger().warning("ping_failed", attempt=told.attempts + 1, retry_at=later.isoformat(), error=str(error), feed=topic.url)
        return False
    fail_at("websub.after_ping")
    pings.tell(topic.hub, topic.url, stamp=stamp, sha=sha, at=now)
    logger().info("ping_sent", feed=topic.url)
    return True


def _stamp(path: Path) -> str:
    try:
        found = path.stat()
    except FileNotFoundError:
        return ""
    return f"{found.st_mtime_ns}:{found.st_size}"


def _back_off(attempts: int) -> timedelta:
    return timedelta(seconds=BACK_OFF[min(attempts, len(BACK_OFF) - 1)])
