"""One tick: sources in, then feeds, the day's quote, editions and posts. A fault in one leaves the others working.

A database that fails ends the tick: a slot dealt with now would be dealt with for good, and from items that were not read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from syndicate.errors import Fault, FaultyError, StoreError, SyndicateError
from syndicate.failpoint import fail_at
from syndicate.log import logger
from syndicate.model import Quote, Slot
from syndicate.plan import timetable
from syndicate.plan.catchup import catch_up
from syndicate.publish import (
    approval,
    correction,
    credentials,
    dailyquote,
    editions,
    feeds,
    messages,
    posts,
    rhythm,
    signup,
    withdrawal,
)
from syndicate.publish.editions import Planned, lose, schedule_for
from syndicate.publish.kept import Memory
from syndicate.publish.returns import follow_up
from syndicate.settings import QUOTE_LATENESS
from syndicate.store import agenda, marks
from syndicate.store.database import Connection
from syndicate.store.holds import holding
from syndicate.store.timetable import changes

if TYPE_CHECKING:
    from syndicate.app import App

QUOTES = "quotes"  # the schedule's name, and a hold's target


@dataclass(kw_only=True, slots=True)
class TickReport:
    """What a tick found and did."""

    at: datetime
    new: int = 0  # items
    changed: int = 0  # items
    feeds: tuple[str, ...] = ()  # files that were written
    planned: list[Planned] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def tick(
    app: App, now: datetime, memory: dict[str, str] | None = None, *, changed: Collection[str] | None = None
) -> TickReport:
    """Read, plan, record and render everything that is due at ``now``; sending is the runtime's.

    ``memory`` outlives the tick and spares the feeds a rendering whose inputs are unchanged. ``changed`` are the
    absolute paths at which a watcher saw a change; ``None`` where everything is to be looked at.
    """
    report = TickReport(at=now)
    try:
        _steps(app, now, report, memory, changed)
    except StoreError as error:
        report.faults.append(Fault(file="tick", what=str(error)))
    return report


def _steps(app: App, now: datetime, report: TickReport, memory: dict[str, str] | None, changed: Collection[str] | None) -> None:
    with_starts: dict[str, datetime] = {}
    _step(report, lambda: _sync(app, now, report, changed, memory))
    _step(report, lambda: credentials.announce(app, now))
    _step(report, lambda: with_starts.update(marks.starts(app.store, subjects(app), now)))
    _step(report, lambda: withdrawal.follow(app, now))
    _step(report, lambda: correction.follow(app, now))
    _step(report, lambda: report.planned.extend(show_quote(app, now, with_starts)))
    _step(report, lambda: report.planned.extend(editions.expand(app, now, with_starts)))
    _step(report, lambda: report.planned.extend(posts.expand(app, now, with_starts)))
    _step(report, lambda: report.faults.extend(messages.freeze(app, now)))
    _step(report, lambda: _feeds(app, now, report, memory))
    _step(report, lambda: signup.tidy(app, now))
    _step(report, lambda: follow_up(app, now))
    _step(report, lambda: app.ledger.forget(now - timedelta(days=app.settings.privacy.keep_details_days)))


def settle_slots(app: App, now: datetime) -> list[Planned]:
    """Deal with every slot that has come due, as things stand: before a hold is lifted, so that it cancels what it stopped."""
    starts = marks.starts(app.store, subjects(app), now)
    return [*show_quote(app, now, starts), *editions.expand(app, now, starts), *posts.expand(app, now, starts)]


def subjects(app: App) -> list[str]:
    """Everything that has a beginning of its own: what is added later starts then, and sends nothing older."""
    return [
        f"schedule:{QUOTES}",
        *(f"newsletter:{name}" for name in app.settings.newsletters),
        *(f"channel:{name}" for name in app.channels),
    ]


def _step(report: TickReport, act: Callable[[], object]) -> None:
    try:
        act()
    except FaultyError as error:
        report.faults += error.faults
    except StoreError:
        raise
    except SyndicateError as error:
        logger().error("step_failed", error=str(error))
        report.faults.append(Fault(file=type(error).__name__, what=str(error)))


def _sync(app: App, now: datetime, report: TickReport, changed: Collection[str] | None, memory: dict[str, str] | None) -> None:
    """Read the sources; a brief that was just saved is out before anything else is done."""
    found = app.content.sync(app.sources, now, only=changed)
    report.new, report.changed = len(found.new), len(found.changed)
    report.faults += found.faults
    if changed and isinstance(memory, Memory):
        alone = not (found.new or found.gone or found.released or found.late)
        _told(report, feeds.first(app, now, memory, found.changed if alone else None))


def _feeds(app: App, now: datetime, report: TickReport, memory: dict[str, str] | None) -> None:
    _told(report, feeds.publish(app, now, memory))


def _told(report: TickReport, done: feeds.FeedsReport) -> None:
    report.feeds += done.changed
    report.faults += (fault for fault in done.faults if fault not in report.faults)


# -- the quote slot (Q23) ---------------------------------------------------------------------------


def show_quote(app: App, now: datetime, starts: dict[str, datetime]) -> list[Planned]:
    """Choose the day's quote when the day begins; at its slot, show it everywhere in one transaction."""
    start, lateness = starts[f"schedule:{QUOTES}"], app.settings.quotes.schedule.policy(QUOTE_LATENESS)
    with app.store.read() as connection:
        after = max(start, agenda.ticked(connection, QUOTES) or start)
        stopped = holding(connection, QUOTES)
        changed = changes(connection, QUOTES, after)
    found = timetable.slots(schedule_for(app, app.settings.quotes.schedule), QUOTES, after, now, changed)
    again = _shown_before(app, found)
    left = [slot for slot in found if slot not in again]
    decision = catch_up(left, now=now, policy=lateness.catchup, window=lateness.window)
    planned = lose(app, again, "skipped")
    planned += lose_days(app, dict(decision.skipped), "skipped")
    planned += lose(app, timetable.orphans(QUOTES, changed, found, now), "cancelled")
    if stopped:
        planned += lose_days(app, dict.fromkeys(decision.run, stopped), "cancelled")
    else:
        planned += [_show(app, slot, now) for slot in decision.run]
    _begin_day(app, now)
    app.store.write(lambda connection: agenda.tick_to(connection, QUOTES, now))
    return planned


def _shown_before(app: App, found: Sequence[Slot]) -> dict[Slot, str]:
    """Slots whose day has shown its quote already: one moved ahead of its time, or the settings name a later one since."""
    days = {slot: app.content.day_quote(dailyquote.slot_day(slot)) for slot in found}
    return {slot: f"the quote of {day.day} was shown before" for slot, day in days.items() if day and day.state == "shown"}


def _begin_day(app: App, now: datetime) -> None:
    """Choose today's quote if its slot is still to come: an edition before it may carry it."""
    today = dailyquote.day_of(app, now)
    ahead = schedule_for(app, app.settings.quotes.schedule).next(QUOTES, now)
    if ahead is not None and dailyquote.slot_day(ahead) == today:
        dailyquote.settle_day(app, today, now)


def lose_days(app: App, lost: dict[Slot, str], state: str) -> list[Planned]:
    """Record quote slots that do not happen; from now on no edition carries their day's quote."""

    def work(connection: Connection) -> None:
        for slot, reason in lost.items():
            app.content.record_day(connection, dailyquote.slot_day(slot), item=None, shown_at=None, state=state, reason=reason)

    if lost:
        app.store.write(work)
    return lose(app, lost, state)


def _show(app: App, slot: Slot, now: datetime) -> Planned:
    day = dailyquote.slot_day(slot)
    quote = dailyquote.settle_day(app, day, now)
    if quote is None:
        return lose(app, {slot: f"no quote may run on {day}"}, "skipped")[0]
    return _record(app, slot, day, quote, now)


def _record(app: App, slot: Slot, day: date, quote: Quote, now: datetime) -> Planned:
    """Slot, day, posts and the quote's own editions: all or nothing."""
    sheets = {name: editions.quote_sheet(app, name, slot, quote, now) for name in app.settings.newsletters}
    key = app.content.keys([quote.id])[quote.id]
    stamp = approval.stamp(app, quote, now, f"quote slot of {day}")

    def work(connection: Connection) -> Planned:
        made = agenda.record_slot(connection, slot, "expanded")
        if made is None:
            return Planned(slot=slot, state="expanded", reason="it was expanded before", duties=0)
        app.content.record_day(connection, day, item=key, shown_at=slot.due, state="shown", reason="")
        stamp(connection)
        names = [name for name in rhythm.accounts(app, quotes=True) if not holding(connection, name, f"{QUOTES}:{name}")]
        duties = posts.owe(app, quote, names, due=slot.due, slot=made, connection=connection)
        for name, (sheet, covers) in sheets.items():
            duties += editions.fill(connection, name, made, [sheet], covers)
        return Planned(slot=slot, state="expanded", reason="", duties=duties)

    planned = app.store.write(work)
    fail_at("tick.after_quote_slot")
    return planned
