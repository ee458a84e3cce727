"""The day's quote: chosen when its civil day begins, shown at the quote slot (Q13, Q14, Q23).

What a day shows is frozen in the store, so that no later change of the pool rewrites it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from syndicate.errors import Fault, Held
from syndicate.model import Quote, Slot
from syndicate.plan import rotation
from syndicate.publish import approval
from syndicate.sources import calendar

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.publish.approval import Heard

_CARRIED: Final = frozenset({"chosen", "carried", "shown"})


def day_of(app: App, instant: datetime) -> date:
    """The civil day of ``instant`` in the site's zone: the day whose quote may stand in an edition."""
    return instant.astimezone(ZoneInfo(app.settings.site.zone)).date()


def admissible(app: App, now: datetime) -> tuple[list[Quote], list[Fault]]:
    """The quotes that the gate admits, and why it refuses the others."""
    pool = list(judged(app, now, approval.hear(app)))
    refused = [Fault(file=approval.file_of(app, quote), rule=held.rule, what=str(held)) for quote, held in pool if held]
    return [quote for quote, held in pool if held is None], refused


def judged(app: App, now: datetime, heard: Heard) -> Iterator[tuple[Quote, Held | None]]:
    """Each quote of the pool, with why the gate refuses it; ``None`` where it admits it."""
    for quote in app.content.quotes(now=now):
        try:
            approval.admit(app, quote, now, heard)
        except Held as held:
            yield quote, held
        else:
            yield quote, None


def choose(app: App, day: date, now: datetime) -> rotation.Choice:
    """Decide a day's quote from what the gate admits; writes nothing."""
    pool, _ = admissible(app, now)
    return rotation.choose(
        day,
        pool,
        app.content.quote_history(before=day),
        seed=app.settings.quotes.seed or app.settings.site.tag_authority,
        spacing=app.settings.quotes.spacing,
        hold_days=hold_days(app, day, day),
    )


def hold_days(app: App, first: date, last: date) -> tuple[str, ...]:
    """The hold days of the settings, and those of the calendar from ``first`` to ``last``.

    Raises
    ------
    SourceError
        The calendar cannot be read: better no quote than one on a wrong day.
    """
    quotes = app.settings.quotes
    if not quotes.hold_calendar:
        return quotes.hold_days
    found = calendar.held_days(app.root, quotes.hold_calendar, first, last, zone=app.settings.site.zone)
    return (*quotes.hold_days, *found)


def settle_day(app: App, day: date, now: datetime) -> Quote | None:
    """The quote of ``day``, chosen and recorded if it was not yet; ``None``: no quote, and never a repeat."""
    known = app.content.day_quote(day)
    if known is not None:
        return known.quote
    choice = choose(app, day, now)
    reason = "" if choice.quote else f"no quote may run: {summary(choice)}"
    chosen = choice.quote
    key = app.content.keys([chosen.id])[chosen.id] if chosen else None
    app.store.write(
        lambda connection: app.content.record_day(
            connection, day, item=key, shown_at=None, state="chosen" if chosen else "none", reason=reason
        )
    )
    return chosen


def summary(choice: rotation.Choice) -> str:
    """Why a day has no quote, by rule: ``12 excluded by Q13, 1 by Q14``."""
    counts: dict[str, int] = {}
    for _, rule, _ in choice.excluded:
        counts[rule] = counts.get(rule, 0) + 1
    return ", ".join(f"{n} excluded by {rule}" for rule, n in sorted(counts.items())) or "the pool is empty"


def carried_by(app: App, due: datetime) -> Quote | None:
    """The quote that an edition due at ``due`` may carry: its own day's, chosen and neither skipped nor stopped."""
    known = app.content.day_quote(day_of(app, due))
    return known.quote if known and known.state in _CARRIED else None


def slot_day(slot: Slot) -> date:
    """The civil day to which a quote slot belongs."""
    return slot.local.date()
