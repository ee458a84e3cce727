"""Moving or skipping one coming slot, whoever asks: what an editor may do to the timetable, and what is written down of it.

A slot moves within its civil day, so that the edition and the day's quote that it stands for stay the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, time
from typing import TYPE_CHECKING, Final

from syndicate.errors import SyndicateError
from syndicate.model import Frequency, Slot
from syndicate.plan import timetable
from syndicate.plan.civil import instant
from syndicate.plan.slots import Schedule
from syndicate.publish import dailyquote
from syndicate.publish.editions import schedule_for
from syndicate.publish.stopping import safe
from syndicate.publish.tick import QUOTES
from syndicate.store import agenda
from syndicate.store import timetable as rows
from syndicate.store.audit import audit
from syndicate.store.database import Connection

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.plan.timetable import Change

_BEGUN: Final = "it has begun, or is over: only what is still to come can be changed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Coming:
    """One slot that has not begun."""

    slot: Slot  # as planned
    change: Change | None  # what an editor made of it

    @property
    def name(self) -> str:
        """By which people name it."""
        return timetable.named(self.slot)

    @property
    def due(self) -> datetime:
        """When it happens as things stand, or would have."""
        return self.change.due if self.change else self.slot.due


def find(app: App, name: str, now: datetime) -> Coming:
    """The slot called ``name``.

    Raises
    ------
    SyndicateError
        There is none, or it has begun.
    """
    try:
        title, local, zone = timetable.parsed(name)
        planned = next((one for one in _of(app, title, zone, local) if one), None)
    except (ValueError, OverflowError):
        planned = None
    if planned is None:
        msg = f"no slot is called {name!r}; one is named like digest.daily/2026-11-23T07:00/Europe/Berlin"
        raise SyndicateError(msg)
    with app.store.read() as connection:
        change = rows.changes(connection, title, planned.due).get((zone, local))
    found = Coming(slot=planned, change=change)
    if found.due <= now:
        raise SyndicateError(_BEGUN)
    return found


def move(app: App, name: str, at: time, reason: str, *, who: str, now: datetime) -> datetime:
    """Let a slot happen at another time of its civil day; returns the instant.

    Raises
    ------
    SyndicateError
        It has begun, or the time has passed, is the one it has, or names a zone.
    """
    one = find(app, name, now)
    if at.tzinfo is not None:
        msg = f"{at.isoformat()} names a zone of its own; give the wall time in {one.slot.zone}, like 09:30"
        raise SyndicateError(msg)
    slot, skipped = one.slot, one.change is not None and one.change.state == "skipped"
    to, _ = instant(datetime.combine(slot.local.date(), at), slot.zone)
    if to <= now:
        msg = f"{at:%H:%M} in {slot.zone} has passed; give a time of the same day that is still to come"
        raise SyndicateError(msg)
    if to == one.due and not skipped:
        msg = f"it is due at {at:%H:%M} already"
        raise SyndicateError(msg)
    if to == slot.due:
        restore(app, name, who=who, now=now)
        return to
    reason = safe(app, reason, now)
    told = f"moved from {slot.local:%H:%M} by {who}{_because(reason)}"

    def work(connection: Connection) -> bool:
        _unskip(app, connection, one)
        return rows.move(connection, slot, to, told, now)

    _act(app, work, "slot_move", one, {"to": to.isoformat(), "reason": reason}, who, now)
    return to


def skip(app: App, name: str, reason: str, *, who: str, now: datetime) -> None:
    """Let a slot not happen. What its edition would have carried is owed by the next one; a quote's day shows none.

    Raises
    ------
    SyndicateError
        It has begun, or is skipped already.
    """
    one = find(app, name, now)
    if one.change and one.change.state == "skipped":
        msg = "it is skipped already"
        raise SyndicateError(msg)
    reason = safe(app, reason, now)
    told = f"skipped by {who}{_because(reason)}"
    due = one.slot.due if one.slot.due > now else one.due

    def work(connection: Connection) -> bool:
        if one.slot.schedule == QUOTES:
            day = dailyquote.slot_day(one.slot)
            app.content.record_day(connection, day, item=None, shown_at=None, state="skipped", reason=told)
        return rows.skip(connection, one.slot, due, told, now)

    _act(app, work, "slot_skip", one, {"reason": reason}, who, now)


def restore(app: App, name: str, *, who: str, now: datetime) -> None:
    """Take a change back: the slot happens when it was planned.

    Raises
    ------
    SyndicateError
        Nothing was changed, it has begun, or its planned time has passed, so that it would not happen at all.
    """
    one = find(app, name, now)
    if one.change is None:
        msg = "nothing was changed about it"
        raise SyndicateError(msg)
    if one.slot.due <= now:
        msg = f"{one.slot.local:%H:%M}, when it was planned, has passed; move it to a time that is still to come"
        raise SyndicateError(msg)

    def work(connection: Connection) -> bool:
        _unskip(app, connection, one)
        return rows.restore(connection, one.slot, now)

    _act(app, work, "slot_restore", one, {}, who, now)


def _act(
    app: App,
    work: Callable[[Connection], bool],
    act: str,
    one: Coming,
    detail: dict[str, object],
    who: str,
    now: datetime,
) -> None:
    """A change and its line in the audit log, in one transaction; nothing at all where a tick was faster."""

    def whole(connection: Connection) -> None:
        if not work(connection):
            raise SyndicateError(_BEGUN)
        audit(connection, who=who, act=act, subject=f"slot:{one.name}", detail=detail, at=now)

    app.store.write(whole)


def _unskip(app: App, connection: Connection, one: Coming) -> None:
    """Let the day of a skipped quote slot be as it was before."""
    if one.slot.schedule == QUOTES and one.change and one.change.state == "skipped":
        app.content.reopen_day(connection, dailyquote.slot_day(one.slot))


def _of(app: App, title: str, zone: str, local: datetime) -> Iterator[Slot | None]:
    """The slot at a civil time of each schedule that goes by a title."""
    return (timetable.of(schedule, title, zone, local) for schedule in _schedules(app, title))


def _schedules(app: App, title: str) -> Iterator[Schedule]:
    if title == QUOTES:
        yield schedule_for(app, app.settings.quotes.schedule)
        return
    name, _, kind = title.rpartition(".")
    letter = app.settings.newsletters.get(name)
    setting = {"daily": letter.daily, "weekly": letter.weekly}.get(kind) if letter else None
    if setting is not None:
        with app.store.read() as connection:
            clocks = agenda.clocks(connection, name, Frequency(kind))
        yield from (schedule_for(app, setting, clock) for clock in clocks)


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""
