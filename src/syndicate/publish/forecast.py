"""What will go where and when, and what will not and why. Reads and computes; writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, TypedDict
from zoneinfo import ZoneInfo

from syndicate.errors import Fault
from syndicate.model import Frequency, Quote, Slot
from syndicate.plan import rotation, timetable
from syndicate.plan.slots import Schedule
from syndicate.plan.timetable import Change
from syndicate.publish import dailyquote, rhythm, spending
from syndicate.publish.editions import schedule_for
from syndicate.store import agenda
from syndicate.store.agenda import Clock
from syndicate.store.database import Connection
from syndicate.store.timetable import changes, first_moved

if TYPE_CHECKING:
    from syndicate.app import App


@dataclass(frozen=True, kw_only=True, slots=True)
class Coming:
    """One thing that is due."""

    at: datetime  # aware UTC
    local: datetime  # naive, in ``zone``
    zone: str
    what: str  # "daily edition of digest", "quote of the day", "brief"
    subject: str  # our own words: a title, never a quote's
    to: str  # "3 readers", "x, mastodon"
    note: str = ""  # a gap or overlap of the local clock, a hold
    of: str = ""  # what leads to it: a newsletter's name, a slug; "" where no quote may run
    channels: tuple[str, ...] = ()  # by which it would leave
    readers: int | None = None  # of an edition; None: not counted
    skipped: str = ""  # why it will not happen: an editor's word
    slot: str = ""  # by which an editor names it; "" where it is none
    was: datetime | None = None  # when it was planned, of what an editor has moved; naive, in ``zone``


@dataclass(frozen=True, kw_only=True, slots=True)
class QuoteDay:
    """What a coming day would show."""

    day: date
    quote: Quote | None
    excluded: tuple[tuple[str, str, str], ...]  # (quote id, rule, sentence)
    settled: bool  # already recorded, so that it does not change


@dataclass(frozen=True, kw_only=True, slots=True)
class Forecast:
    """The coming days."""

    coming: tuple[Coming, ...]  # ascending
    skipped: tuple[Coming, ...]  # slots that an editor has skipped, ascending
    quotes: tuple[QuoteDay, ...]
    withheld: tuple[Fault, ...]  # what will not leave, and why


def forecast(app: App, now: datetime, days: int, *, since: datetime | None = None) -> Forecast:
    """Everything due in ``(now, now + days]`` as things stand, and what came due after ``since`` while nothing ran."""
    until, since = now + timedelta(days=days), since or now
    pool, refused = dailyquote.admissible(app, now)
    quotes = _quote_days(app, now, days, pool)
    coming = [*_editions(app, since, until), *_quotes(app, since, until, quotes), *_briefs(app, since, until)]
    held = [
        Fault(file=f"hold {hold.target}", what=hold.reason, right=f"`syndicate release {hold.target}`")
        for hold in app.holds.list()
    ]
    coming.sort(key=lambda line: (line.at, line.what, line.to))
    skipped = tuple(line for line in coming if line.skipped)
    return Forecast(
        coming=tuple(line for line in coming if not line.skipped),
        skipped=skipped,
        quotes=tuple(quotes),
        withheld=(*map(_skipped, skipped), *held, *app.content.faults(), *refused, *_late(app, now), *_unpaid(app, now)),
    )


def next_due(app: App, now: datetime) -> datetime | None:
    """The earliest instant after ``now`` at which a slot, an item or a retry is due."""
    found = [
        schedule.next("next", now)
        for schedule in (
            schedule_for(app, app.settings.quotes.schedule),
            *(schedule for _, _, schedule, _ in _clocks(app)),
            *(schedule_for(app, rhythm.schedule(app, name)) for name in rhythm.accounts(app)),
        )
    ]
    instants = [slot.due for slot in found if slot is not None]
    with app.store.read() as connection:
        moved = first_moved(connection, now)
    others = (app.content.next_release(now), app.ledger.next_due(now), moved)
    return min([*instants, *(instant for instant in others if instant is not None)], default=None)


def quote_days(app: App, now: datetime, days: int) -> list[QuoteDay]:
    """The quote of today and of each of the coming days, as the rotation would choose it."""
    return _quote_days(app, now, days, dailyquote.admissible(app, now)[0])


def _quote_days(app: App, now: datetime, days: int, pool: Sequence[Quote]) -> list[QuoteDay]:
    today = dailyquote.day_of(app, now)
    shown = list(app.content.quote_history(before=today))
    held = dailyquote.hold_days(app, today, today + timedelta(days=days))
    found: list[QuoteDay] = []
    for offset in range(days + 1):
        day = today + timedelta(days=offset)
        known = app.content.day_quote(day)
        if known is not None:
            choice = rotation.Choice(quote=known.quote, excluded=())
        else:
            choice = rotation.choose(
                day,
                pool,
                shown,
                seed=app.settings.quotes.seed or app.settings.site.tag_authority,
                spacing=app.settings.quotes.spacing,
                hold_days=held,
            )
        quote = choice.quote
        shown.append(
            rotation.Shown(
                day=day,
                quote_id=quote.id if quote else "",
                speaker=quote.speaker if quote else "",
                ideology=quote.ideology if quote else "",
            )
        )
        found.append(QuoteDay(day=day, quote=quote, excluded=choice.excluded, settled=known is not None))
    return found


def _clocks(app: App) -> list[tuple[str, Frequency, Schedule, Clock]]:
    """Every (newsletter, frequency, schedule, clock) that readers chose."""
    found = []
    with app.store.read() as connection:
        for name, settings in app.settings.newsletters.items():
            for frequency, setting in ((Frequency.DAILY, settings.daily), (Frequency.WEEKLY, settings.weekly)):
                if setting is not None:
                    clocks = agenda.clocks(connection, name, frequency)
                    found += [(name, frequency, schedule_for(app, setting, clock), clock) for clock in clocks]
    return found


def _editions(app: App, since: datetime, until: datetime) -> list[Coming]:
    merged: dict[tuple[str, Frequency, Slot, Change | None], int] = {}
    with app.store.read() as connection:
        for name, frequency, schedule, clock in _clocks(app):
            readers = agenda.awaiting(connection, name, frequency, clock, since)
            for slot, change in _arranged(connection, schedule, f"{name}.{frequency}", since, until):
                key = (name, frequency, slot, change)
                merged[key] = merged.get(key, 0) + readers
    return [
        Coming(
            at=slot.due,
            zone=slot.zone,
            what=f"{frequency} edition",
            subject=app.settings.newsletters[name].title,
            to=_readers(n),
            of=name,
            channels=(app.settings.newsletters[name].channel,),
            readers=n,
            **_told(slot, change),
        )
        for (name, frequency, slot, change), n in merged.items()
    ]


def _quotes(app: App, since: datetime, until: datetime, days: list[QuoteDay]) -> list[Coming]:
    by_day = {found.day: found.quote for found in days}
    lines = []
    with app.store.read() as connection:
        found = _arranged(connection, schedule_for(app, app.settings.quotes.schedule), "quotes", since, until)
    for slot, change in found:
        quote = by_day.get(dailyquote.slot_day(slot))
        lines.append(
            Coming(
                at=slot.due,
                zone=slot.zone,
                what="quote of the day",
                subject=quote.title if quote else "none may run",
                to=", ".join(["feed", *_times(app, slot.due, quotes=True)]) if quote else "nowhere",
                of=quote.slug if quote else "",
                channels=tuple(rhythm.accounts(app, quotes=True)) if quote else (),
                **_told(slot, change),
            )
        )
    return lines


def _arranged(
    connection: Connection, schedule: Schedule, name: str, since: datetime, until: datetime
) -> list[tuple[Slot, Change | None]]:
    """The slots of a schedule as editors changed them, and the changes that they made."""
    changed = changes(connection, name, since)
    found = timetable.slots(schedule, name, since, until, changed) + timetable.skipped(schedule, name, since, until, changed)
    return [(slot, changed.get((slot.zone, slot.local))) for slot in found]


class _Told(TypedDict):
    local: datetime
    note: str
    skipped: str
    slot: str
    was: datetime | None


def _told(slot: Slot, change: Change | None) -> _Told:
    """What is said of a slot beside its time."""
    skipped = change.reason if change and change.state == "skipped" else ""
    moved = change.reason if change and change.state == "moved" else ""
    local = slot.due.astimezone(ZoneInfo(slot.zone)).replace(tzinfo=None) if moved else slot.local
    was = slot.local if moved else None
    return _Told(local=local, note=moved or _note(slot), skipped=skipped, slot=timetable.named(slot), was=was)


def _skipped(line: Coming) -> Fault:
    what = f"{line.local:%a %d %b %H:%M} is {line.skipped}"
    return Fault(file=line.slot, rule="skipped", what=what, right="`syndicate slots restore` takes it back until then")


def _briefs(app: App, now: datetime, until: datetime) -> list[Coming]:
    zone = app.settings.site.zone
    return [
        Coming(
            at=brief.release,
            local=brief.release.astimezone(ZoneInfo(zone)).replace(tzinfo=None),
            zone=zone,
            what="brief",
            subject=brief.title,
            to=", ".join(["feed", "instant readers", *_times(app, brief.release)]),
            of=brief.slug,
            channels=tuple(rhythm.accounts(app)),
        )
        for brief in app.content.released(now, until)
        if brief.release is not None
    ]


def _times(app: App, due: datetime, *, quotes: bool = False) -> list[str]:
    """The accounts that post something due at ``due``; where quiet hours or slots put it off, with the time."""
    told = []
    for name, channel in rhythm.accounts(app, quotes=quotes).items():
        own = schedule_for(app, rhythm.schedule(app, name))
        slot = None if quotes or own.when_published else own.next(f"posts.{name}", due)
        if slot is None and not quotes and not own.when_published:
            continue
        setting = rhythm.posting(channel)
        at = setting.earliest(app.settings.site.zone, last=None, now=slot.due if slot else due)
        local = at.astimezone(ZoneInfo(setting.zone or app.settings.site.zone))
        told.append(name if at == due else f"{name} ({'from ' if slot else ''}{local:%a %H:%M})")
    return told


def _unpaid(app: App, now: datetime) -> list[Fault]:
    """Accounts whose budget is used up: what is due there waits."""
    waiting = {one.channel for one in app.books.lines(state="deferred", limit=10_000) if one.code == spending.CODE}
    return [
        Fault(
            file=f"channels.{one.channel}",
            rule=spending.CODE,
            what=f"${one.spent:.2f} of ${one.budget:.2f} are spent in {one.month}, and posts wait",
            right=f"raise `budget` in [channels.{one.channel}], or let them lapse",
        )
        for one in spending.standing(app, now)
        if one.channel in waiting
    ]


def _late(app: App, now: datetime) -> list[Fault]:
    return [
        Fault(
            file=brief.path,
            rule="late",
            what="it was first seen long after its date, so it is not sent by itself",
            right=f"`syndicate posts send {brief.slug}`, or let it be",
        )
        for brief in app.content.late(now)
    ]


def _readers(n: int) -> str:
    return "1 reader" if n == 1 else f"{n} readers"


def _note(slot: Slot) -> str:
    return {
        "": "",
        "gap": "the clocks go forward: moved by the gap",
        "overlap": "the clocks go back: sent at the first of the two",
    }[slot.note]
