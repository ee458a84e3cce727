"""Editions: a slot becomes editions, variants and deliveries in ONE transaction. Rendering follows in ``messages``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from syndicate.failpoint import fail_at
from syndicate.model import Brief, Frequency, Quote, QuoteDisplay, Slot
from syndicate.plan import due, slots, timetable
from syndicate.plan.catchup import catch_up
from syndicate.publish import approval, corrections, dailyquote
from syndicate.settings import BRIEF_LATENESS, DIGEST_LATENESS, NewsletterSettings, ScheduleSettings
from syndicate.store import agenda, duties
from syndicate.store.agenda import Clock, Group
from syndicate.store.database import Connection
from syndicate.store.holds import holding
from syndicate.store.subscribers import newsletter_key, place_key
from syndicate.store.timetable import changes

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.store.wishes import Wishes

_RANK: Final = {QuoteDisplay.NONE: 0, QuoteDisplay.LINK: 1, QuoteDisplay.INLINE: 2}
_PRIORITY: Final[Mapping[str, int]] = {"instant": 2, "now": 2, "quote": 1}  # breaking briefs pass digests


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """What became of one slot."""

    slot: Slot
    state: str  # expanded | skipped | cancelled
    reason: str
    duties: int  # deliveries recorded


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """What one group of readers gets in one edition."""

    group: Group
    briefs: tuple[Brief, ...] = ()
    quote: Quote | None = None
    display: QuoteDisplay = QuoteDisplay.NONE
    corrections: tuple[tuple[int, str], ...] = ()  # (a brief's key, a correction's mark), beside all this


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """One edition of one slot, gathered and not yet recorded."""

    newsletter: str
    channel: str
    frequency: due.EditionKind
    period: str
    due: datetime
    shares: tuple[Share, ...]
    keys: Mapping[str, int]  # item id -> key

    def record(self, connection: Connection, slot: int, letter: int) -> int:
        """Edition, variants, sending and deliveries; returns how many deliveries."""
        wanted = [share for share in self.shares if share.briefs or share.quote]
        if not wanted:
            return 0
        edition = agenda.open_edition(connection, letter, self.frequency, self.period, self.due)
        sending = duties.open_sending(
            connection,
            kind="edition",
            subject=str(edition),
            due=self.due,
            targets=f"all {self.newsletter} edition:{edition}",
            slot=slot,
            newsletter=letter,
        )
        if sending is None:
            return 0
        channel = place_key(connection, "account", self.channel)
        for share in wanted:
            variant = self._variant(connection, edition, share)
            priority = _PRIORITY.get(self.frequency, 0)
            duties.owe(connection, sending, share.group.places, channel=channel, variant=variant, priority=priority)
        return sum(len(share.group.places) for share in wanted)

    def _variant(self, connection: Connection, edition: int, share: Share) -> int:
        quotes = (share.quote,) if share.quote else ()
        ids = [item.id for item in (*share.briefs, *quotes)]
        targets = " ".join([*("quotes" for _ in quotes), *ids])
        display = share.display if quotes else QuoteDisplay.NONE
        return agenda.open_variant(
            connection, edition, [self.keys[i] for i in ids], display, share.group.lang, targets, share.corrections
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Cover:
    """Whose marks move, and to where."""

    places: tuple[int, ...]
    to: datetime | None = None  # items released up to here are dealt with
    quoted_to: str = ""  # the civil day of the quote carried


def record(
    connection: Connection,
    newsletter: str,
    slot: Slot,
    sheets: Sequence[Sheet],
    covers: Sequence[Cover],
    *,
    reason: str = "",
) -> Planned:
    """One slot, all that comes of it, and the readers' marks: all or nothing, and once."""
    key = agenda.record_slot(connection, slot, "expanded", reason)
    if key is None:
        return Planned(slot=slot, state="expanded", reason="it was expanded before", duties=0)
    made = fill(connection, newsletter, key, sheets, covers)
    return Planned(slot=slot, state="expanded", reason="" if made else "nothing was due to anybody", duties=made)


def _write(app: App, name: str, slot: Slot, sheets: Sequence[Sheet], covers: Sequence[Cover], reason: str = "") -> Planned:
    sheets = corrections.added(app, name, sheets, slot.due)
    quotes = {share.quote.id: share.quote for sheet in sheets for share in sheet.shares if share.quote}
    stamps = [approval.stamp(app, quote, slot.due, f"{slot.schedule} of {slot.local}") for quote in quotes.values()]

    def work(connection: Connection) -> Planned:
        made = record(connection, name, slot, sheets, covers, reason=reason)
        for stamp in stamps if made.duties else ():
            stamp(connection)
        return made

    planned = app.store.write(work)
    fail_at("editions.after_slot")
    return planned


def fill(connection: Connection, newsletter: str, slot: int, sheets: Sequence[Sheet], covers: Sequence[Cover]) -> int:
    """What one newsletter makes of a recorded slot; returns how many deliveries."""
    letter = newsletter_key(connection, newsletter)
    made = sum(sheet.record(connection, slot, letter) for sheet in sheets)
    for cover in covers:
        agenda.cover(connection, letter, cover.places, to=cover.to, quoted_to=cover.quoted_to)
        if cover.quoted_to:
            agenda.carry_day(connection, cover.quoted_to)
    return made


def expand(app: App, now: datetime, starts: Mapping[str, datetime]) -> list[Planned]:
    """Deal with every slot of every newsletter that has come due."""
    planned: list[Planned] = []
    for name, settings in app.settings.newsletters.items():
        planned += _instant(app, name, settings, now)
        for frequency, setting in ((Frequency.DAILY, settings.daily), (Frequency.WEEKLY, settings.weekly)):
            if setting is not None:
                planned += _scheduled(app, name, frequency, setting, now, starts[f"newsletter:{name}"])
    return planned


def schedule_for(app: App, setting: ScheduleSettings, clock: Clock | None = None) -> slots.Schedule:
    """A schedule in its zone; for a group of readers moved to their own hour, weekday and zone."""
    schedule = setting.parsed(app.settings.site.zone)
    if clock is None or clock == Clock(zone="", hour=None, weekday=None):
        return schedule
    return schedule.at_hour(clock.hour, clock.weekday, clock.zone or schedule.zone)


def begins(app: App, newsletter: str, wishes: Wishes, after: datetime) -> datetime | None:
    """When the first edition after ``after`` is due to a daily or weekly reader; ``None`` for others."""
    letter = app.settings.newsletters[newsletter]
    setting = {Frequency.DAILY: letter.daily, Frequency.WEEKLY: letter.weekly}.get(wishes.frequency)
    if setting is None:
        return None
    weekday = wishes.weekday if wishes.frequency is Frequency.WEEKLY else None
    found = schedule_for(app, setting, Clock(zone=wishes.zone, hour=wishes.hour, weekday=weekday)).next(newsletter, after)
    return found.due if found else None


def shown_as(wish: QuoteDisplay | None, settings: NewsletterSettings) -> QuoteDisplay:
    """How a reader is shown the quote: as the newsletter does, or less where they chose less."""
    standard = QuoteDisplay(settings.quote)
    return standard if wish is None or _RANK[wish] > _RANK[standard] else wish


# -- daily and weekly -----------------------------------------------------------------------------


def _scheduled(
    app: App, name: str, frequency: Frequency, setting: ScheduleSettings, now: datetime, start: datetime
) -> list[Planned]:
    title, lateness = f"{name}.{frequency}", setting.policy(DIGEST_LATENESS)
    with app.store.read() as connection:
        clocks = agenda.clocks(connection, name, frequency)
        after = max(start, agenda.ticked(connection, title) or start)
        stopped = holding(connection, name, app.settings.newsletters[name].channel)
        changed = changes(connection, title, after)
    run: dict[Slot, list[Clock]] = {}
    lost: dict[Slot, str] = {}
    for clock in clocks:
        found = timetable.slots(schedule_for(app, setting, clock), title, after, now, changed)
        decision = catch_up(found, now=now, policy=lateness.catchup, window=lateness.window)
        for slot in decision.run:
            run.setdefault(slot, []).append(clock)
        lost.update(decision.skipped)
    planned = lose(app, {slot: why for slot, why in lost.items() if slot not in run}, "skipped")
    planned += lose(app, timetable.orphans(title, changed, {*run, *lost}, now), "cancelled")
    if stopped:
        planned += lose(app, dict.fromkeys(run, stopped), "cancelled")
    else:
        for slot in sorted(run, key=lambda slot: (slot.due, slot.zone)):
            sheet, covers = _gather(app, name, slot, frequency, run[slot], now)
            planned.append(_write(app, name, slot, [sheet], covers))
    app.store.write(lambda connection: agenda.tick_to(connection, title, now))
    return planned


def lose(app: App, slots: Mapping[Slot, str], state: str) -> list[Planned]:
    """Record slots that do not happen, with their reasons: nothing is skipped silently."""

    def work(connection: Connection) -> None:
        for slot, reason in slots.items():
            agenda.record_slot(connection, slot, state, reason)

    if slots:
        app.store.write(work)
    return [Planned(slot=slot, state=state, reason=reason, duties=0) for slot, reason in slots.items()]


def _gather(
    app: App, name: str, slot: Slot, frequency: Frequency, clocks: Sequence[Clock], now: datetime
) -> tuple[Sheet, list[Cover]]:
    """What each group of a slot's readers is owed."""
    settings = app.settings.newsletters[name]
    with app.store.read() as connection:
        groups = agenda.groups(connection, name, frequency, clocks=clocks, before=slot.due, now=now)
        got = {group.extras: agenda.carried(connection, name, group.extras) for group in groups if group.extras}
        stopped = holding(connection, "quotes")
    quote = None if stopped else dailyquote.carried_by(app, slot.due)
    day = dailyquote.day_of(app, slot.due).isoformat()
    briefs = app.content.released(min((group.covered_to for group in groups), default=slot.due), slot.due)
    keys = app.content.keys([brief.id for brief in briefs] + ([quote.id] if quote else []))
    shares = []
    for group in groups:
        display = shown_as(group.quote_display, settings)
        shares.append(
            Share(
                group=group,
                briefs=_owed(briefs, group, slot.due, keys, got),
                quote=quote if quote and display is not QuoteDisplay.NONE and group.quoted_to < day else None,
                display=display,
            )
        )
    sheet = Sheet(
        newsletter=name,
        channel=settings.channel,
        frequency="daily" if frequency is Frequency.DAILY else "weekly",
        period=due.period("daily" if frequency is Frequency.DAILY else "weekly", slot=slot),
        due=slot.due,
        shares=tuple(shares),
        keys=keys,
    )
    covers = [Cover(places=share.group.places, to=slot.due, quoted_to=day if share.quote else "") for share in shares]
    return sheet, covers


def _owed(
    briefs: Sequence[Brief], group: Group, to: datetime, keys: Mapping[str, int], got: Mapping[tuple[int, ...], set[int]]
) -> tuple[Brief, ...]:
    already = got.get(group.extras, set())
    had = frozenset(brief.id for brief in briefs if keys[brief.id] in already)
    return due.owed(briefs, group.covered_to, to, frozenset(group.topics), had)


# -- instant --------------------------------------------------------------------------------------


def _instant(app: App, name: str, settings: NewsletterSettings, now: datetime) -> list[Planned]:
    """An edition of its own for each brief released since an instant reader was last covered, in one sweep.

    A brief that came out while nothing ran, longer ago than the window, is no news any more and is left
    out; one that a reader is owed because they were a digest reader until now is not.
    """
    if not settings.instant:
        return []
    title = f"{name}.instant"
    with app.store.read() as connection:
        swept = agenda.ticked(connection, title) or now
        groups = agenda.groups(connection, name, Frequency.INSTANT, clocks=None, before=now, now=now)
        got = {group.extras: agenda.carried(connection, name, group.extras) for group in groups if group.extras}
        stopped = holding(connection, name, settings.channel)
    if stopped:
        return _lose_instant(app, name, title, groups, swept, now, stopped)
    briefs = app.content.released(min(group.covered_to for group in groups), now) if groups else []
    app.store.write(lambda connection: agenda.tick_to(connection, title, now))
    if not briefs:
        return []
    keys = app.content.keys([brief.id for brief in briefs])
    window = app.settings.posts.briefs.policy(BRIEF_LATENESS).window
    sheets = [
        Sheet(
            newsletter=name,
            channel=settings.channel,
            frequency="instant",
            period=due.period("instant", item=brief.id),
            due=brief.release or now,
            shares=tuple(Share(group=group, briefs=_owed([brief], group, now, keys, got)) for group in groups),
            keys=keys,
        )
        for brief in briefs
        if (brief.release or now) <= swept or now - (brief.release or now) <= window
    ]
    missed = len(briefs) - len(sheets)
    reason = f"{missed} released longer ago than {window} and left out" if missed else ""
    slot = Slot(schedule=title, zone="UTC", local=now.replace(tzinfo=None), due=now)
    last = max(brief.release or now for brief in briefs)
    covers = [Cover(places=group.places, to=last) for group in groups]
    return [_write(app, name, slot, sheets, covers, reason)]


def _lose_instant(
    app: App, name: str, title: str, groups: Sequence[Group], swept: datetime, now: datetime, why: str
) -> list[Planned]:
    """What comes out while instant editions are stopped is told of and not made up for (Q15); older debts stay owed."""
    missed = app.content.released(swept, now) if groups else []
    owed = app.content.released(min(group.covered_to for group in groups), swept) if missed else []
    free = [group for group in groups if not any(group.covered_to < (brief.release or now) for brief in owed)]
    slot = Slot(schedule=title, zone="UTC", local=now.replace(tzinfo=None), due=now)
    reason = f"{why}; left out: {', '.join(brief.slug for brief in missed)}"

    def work(connection: Connection) -> None:
        if missed:
            agenda.record_slot(connection, slot, "cancelled", reason)
            for group in free:
                agenda.cover(connection, newsletter_key(connection, name), group.places, to=now)
        agenda.tick_to(connection, title, now)

    app.store.write(work)
    return [Planned(slot=slot, state="cancelled", reason=reason, duties=0)] if missed else []


# -- the quote's own edition, and `editions send` ---------------------------------------------------


def quote_sheet(app: App, name: str, slot: Slot, quote: Quote, now: datetime) -> tuple[Sheet, list[Cover]]:
    """The day's quote for instant readers who show quotes: an edition of its own (Q23)."""
    settings = app.settings.newsletters[name]
    day = dailyquote.slot_day(slot).isoformat()
    with app.store.read() as connection:
        groups = agenda.groups(connection, name, Frequency.INSTANT, clocks=None, before=None, now=now)
    shares = [
        Share(group=group, quote=quote, display=shown_as(group.quote_display, settings))
        for group in groups
        if group.quoted_to < day
    ]
    shares = [share for share in shares if share.display is not QuoteDisplay.NONE]
    sheet = Sheet(
        newsletter=name,
        channel=settings.channel,
        frequency="quote",
        period=day,
        due=slot.due,
        shares=tuple(shares),
        keys=app.content.keys([quote.id]),
    )
    return sheet, [Cover(places=share.group.places, quoted_to=day) for share in shares]


def send_now(app: App, name: str, now: datetime, start: datetime) -> Planned | None:
    """One edition, to every active reader, of what no earlier edition carried, late briefs too."""
    settings = app.settings.newsletters[name]
    with app.store.read() as connection:
        carried = agenda.carried(connection, name)
        groups = agenda.groups(connection, name, None, clocks=None, before=None, now=now)
    briefs = app.content.released(start, now, late=True)
    keys = app.content.keys([brief.id for brief in briefs])
    fresh = [brief for brief in briefs if keys[brief.id] not in carried]
    if not fresh or not groups:
        return None
    shares = tuple(Share(group=group, briefs=due.owed(fresh, start, now, frozenset(group.topics))) for group in groups)
    slot = Slot(schedule=f"{name}.now", zone="UTC", local=now.replace(tzinfo=None), due=now)
    period = due.period("now", at=now)
    sheet = Sheet(newsletter=name, channel=settings.channel, frequency="now", period=period, due=now, shares=shares, keys=keys)
    return _write(app, name, slot, [sheet], [])
