"""A second look at claimed duties before their parcels are made: what was taken back or waited too long does not leave."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from syndicate.model import State
from syndicate.plan.catchup import ON_TIME, spoken
from syndicate.publish import messages, rhythm, thread
from syndicate.settings import BRIEF_LATENESS, DIGEST_LATENESS, QUOTE_LATENESS
from syndicate.store import agenda
from syndicate.store.duties import Duty, Result

if TYPE_CHECKING:
    from syndicate.app import App

_NEWS: Final = frozenset({"edition", "post"})  # an edit or a deletion is never too late


def sort(app: App, duties: Sequence[Duty], now: datetime) -> tuple[list[Duty], list[Result]]:
    """The duties that may go on, and what becomes of those that never will, or only later.

    What is in neither waits: its edition holds something that was taken back and is rendered without it first.
    """
    waiting = messages.reconsider(app, {duty.variant for duty in duties if duty.variant})
    wanted, lapsed, pace = [], [], rhythm.Pace(app, now)
    for duty in duties:
        reason = _late(app, duty, now) or _withdrawn(app, duty)
        if reason:
            lapsed.append(Result(duty=duty, state=State.CANCELLED, code="lapsed", detail=reason))
        elif duty.kind == "post" and (wait := pace.wait(duty.channel)) and thread.number(app, duty) == 1:
            lapsed.append(Result(duty=duty, state=State.PENDING, not_before=wait[0], code="pace", detail=wait[1]))
        elif duty.variant not in waiting:
            wanted.append(duty)
    return wanted, lapsed


def _withdrawn(app: App, duty: Duty) -> str:
    """Why a post is not wanted any more; an item that is not there at all is the renderer's to refuse."""
    if duty.kind != "post":
        return ""
    item = app.content.brief(duty.subject, now=None) or app.content.quote(duty.subject)
    return f"the item was taken back: it is {item.status} now" if item and messages.taken_back(item) else ""


def _late(app: App, duty: Duty, now: datetime) -> str:
    """Why a duty is too late: it was to be tried longer ago than its schedule makes up for. Nothing late leaves silently."""
    lateness = now - (duty.not_before or duty.due)
    if lateness <= ON_TIME or duty.kind not in _NEWS:
        return ""
    window = _window(app, duty)
    if lateness <= window:
        return ""
    return f"it waited {spoken(lateness)}, which is more than the window of {spoken(window)}"


def _window(app: App, duty: Duty) -> timedelta:
    settings = app.settings
    quotes = settings.quotes.schedule.policy(QUOTE_LATENESS).window
    briefs = settings.posts.briefs.policy(BRIEF_LATENESS).window
    if duty.kind == "post":
        return quotes if app.content.quote(duty.subject) else rhythm.window(app, duty.channel)
    if duty.kind != "edition" or not duty.variant:
        return quotes if app.content.quote(duty.subject) else briefs
    with app.store.read() as connection:
        edition = agenda.variants(connection, key=duty.variant)[0].edition
    letter = settings.newsletters.get(edition.newsletter)
    schedule = {"daily": letter.daily, "weekly": letter.weekly}.get(edition.frequency) if letter else None
    if schedule is not None:
        return schedule.policy(DIGEST_LATENESS).window
    return quotes if edition.frequency == "quote" else briefs
