"""Calendar: what leaves when? Days that are past show the books, days to come the plan; and the plan as a file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.responses import Response

from syndicate.errors import SyndicateError
from syndicate.publish.forecast import Coming
from syndicate.store import board, shelf
from syndicate.web.desk import ahead, dayboard, ical, slots
from syndicate.web.desk.ahead import Plan
from syndicate.web.desk.dayboard import Facts, Row
from syndicate.web.desk.ways import view

if TYPE_CHECKING:
    from syndicate.web.desk.visit import Visit

_EXPORT: Final = 60  # days that the file holds
_SHOWN: Final = 4  # entries of a day in a month; its week shows them all
_WEEK_ROWS: Final = 1000  # sendings of a week
_MONTH: Final = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_WEEK: Final = re.compile(r"(\d{4})-W(0[1-9]|[1-4]\d|5[0-3])")
_WORST: Final = ("uncertain", "failed", "deferred", "sending", "hold", "pending", "cancelled", "suppressed", "sent")


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One thing of a day."""

    at: datetime
    shape: str
    tone: str
    word: str  # the state, for who does not see the shape
    title: str
    way: str
    note: str = ""  # what an editor made of it: "was 07:00", "skipped"


@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    """One civil day of the site."""

    day: date
    out: bool  # of another month
    books: tuple[tuple[str, str], ...] = ()  # (shape, words) of what is past
    entries: tuple[Entry, ...] = ()
    hold_day: bool = False
    no_quote: bool = False


def calendar(visit: Visit) -> Response:
    """A month, or a week slot by slot."""
    today = visit.now.astimezone(visit.zone).date()
    asked = visit.asked("week")
    if asked:
        return _week(visit, _monday(asked), today)
    return _month(visit, _first(visit.asked("month")) or today.replace(day=1), today)


def plan(visit: Visit) -> Response:
    """The plan of the coming days as a file for calendar programs: no address, and no quote but by its number."""
    app, now = visit.app, visit.now
    made = ahead.whole(visit)
    until = now + timedelta(days=_EXPORT)
    found = (*made.forecast.coming, *made.forecast.skipped) if made else ()
    # A slot for which there is no quote is no event.
    events = [_event(one) for one in sorted(found, key=lambda one: one.at) if now < one.at <= until and one.of]
    host = urlsplit(app.settings.site.url).hostname or "localhost"
    data = ical.written(events, name=f"{app.settings.site.title}: plan", host=host, now=now)
    headers = {"Content-Type": "text/calendar; charset=utf-8", "Content-Disposition": 'attachment; filename="plan.ics"'}
    return Response(data, headers=headers)


def _month(visit: Visit, first: date, today: date) -> Response:
    begin = first - timedelta(days=first.weekday())
    after = (first + timedelta(days=32)).replace(day=1)
    end = after + timedelta(days=-after.weekday() % 7)
    start, stop = _instant(visit, begin), _instant(visit, end)
    with visit.app.store.read() as connection:
        sent = shelf.books(connection, start, min(stop, visit.now))
        locked = _locked(visit)
    made = ahead.plan(visit).value
    entries = _by_day(visit, _entries(made, visit.now, stop, locked))
    past = _books_by_day(visit, sent)
    days = [_day(begin + timedelta(days=n), first.month, today, past, entries, made) for n in range((end - begin).days)]
    return visit.sheet(
        "calendar",
        here="/calendar",
        today=today,
        first=first,
        weeks=[days[n : n + 7] for n in range(0, len(days), 7)],
        before=f"{first - timedelta(days=1):%Y-%m}",
        after=f"{after:%Y-%m}",
        counted=made is not None,
        shown=_SHOWN,
        far=ahead.FAR,
    )


def _week(visit: Visit, monday: date, today: date) -> Response:
    start, stop = _instant(visit, monday), _instant(visit, monday + timedelta(days=7))
    with visit.app.store.read() as connection:
        sent = board.day(connection, start, min(stop, visit.now), limit=_WEEK_ROWS) if start < visit.now else []
        items = {one.subject for one in sent if one.kind != "edition"} | {
            one.period for one in sent if one.frequency == "instant"
        }
        named = board.names(connection, items)
    facts = Facts(
        zone=visit.zone,
        now=visit.now,
        mail={name: letter.channel for name, letter in visit.app.settings.newsletters.items()},
        named=named,
        holds=frozenset(hold.target for hold in visit.app.holds.list()),
        items={},
        pages=visit.desk.pages,
    )
    made = ahead.plan(visit).value
    coming = _entries(made, max(visit.now, start - timedelta(microseconds=1)), stop, _locked(visit))
    entries = [*map(_past, dayboard.past(sent, facts)), *coming]
    table: dict[str, dict[date, list[Entry]]] = {}
    for one in sorted(entries, key=lambda entry: entry.at):
        local = one.at.astimezone(visit.zone)
        table.setdefault(f"{local:%H:%M}", {}).setdefault(local.date(), []).append(one)
    return visit.sheet(
        "week",
        here="/calendar",
        today=today,
        monday=monday,
        days=[monday + timedelta(days=n) for n in range(7)],
        table=sorted(table.items()),
        held=made.held if made else frozenset(),
        before=_name(monday - timedelta(days=7)),
        after=_name(monday + timedelta(days=7)),
        name=_name(monday),
        counted=made is not None,
    )


def _day(
    day: date,
    month: int,
    today: date,
    past: Mapping[date, tuple[tuple[str, str], ...]],
    entries: Mapping[date, tuple[Entry, ...]],
    made: Plan | None,
) -> Day:
    quotes = {one.day: one.quote for one in made.forecast.quotes} if made else {}
    hold_day = made is not None and day in made.held
    return Day(
        day=day,
        out=day.month != month,
        books=past.get(day, ()),
        entries=entries.get(day, ()) if day >= today else (),
        hold_day=hold_day,
        no_quote=not hold_day and day >= today and day in quotes and quotes[day] is None,
    )


# -- what is past -------------------------------------------------------------------------------------


def _books_by_day(visit: Visit, sent: Iterable[tuple[datetime, Mapping[str, int]]]) -> dict[date, tuple[tuple[str, str], ...]]:
    """Each day's sendings in a word, then how many deliveries went another way."""
    sendings: Counter[date] = Counter()
    states: dict[date, Counter[str]] = {}
    for due, by_state in sent:
        day = due.astimezone(visit.zone).date()
        sendings[day] += 1
        states.setdefault(day, Counter()).update(by_state)
    found = {}
    for day, n in sendings.items():
        other = [(state, f"{states[day][state]:,} {state}") for state in _WORST if state != "sent" and states[day][state]]
        words = f"{n:,} sending{'s' if n > 1 else ''}"
        found[day] = (("sent" if states[day]["sent"] else "cancelled", words), *other)
    return found


def _past(row: Row) -> Entry:
    shapes = {cell.shape: cell for cell in row.cells.values()}
    worst = next((shapes[shape] for shape in _WORST if shape in shapes), None)
    shape, tone, word = (worst.shape, worst.tone, worst.word) if worst else ("sent", "", "sent")
    return Entry(at=row.due, shape=shape, tone=tone, word=word, title=row.title, way=row.way)


# -- what is to come ----------------------------------------------------------------------------------


def _entries(made: Plan | None, after: datetime, before: datetime, locked: Sequence[str]) -> list[Entry]:
    """What lies ahead between two instants, in the order of time."""
    found = sorted((*made.forecast.coming, *made.forecast.skipped), key=lambda one: one.at) if made else []
    return [_coming(one, locked) for one in found if after < one.at < before]


def _coming(one: Coming, locked: Sequence[str]) -> Entry:
    quote = one.what.startswith("quote")
    way = slots.way(one.slot) or (f"/briefs/{one.of}" if one.what == "brief" else "")
    title = one.subject if one.what == "brief" else f"{one.of}, {one.what.removesuffix(' edition')}"
    title = (one.of or "no quote") if quote else title
    shape, tone, word = "pending", "", "pending"
    if one.skipped:
        shape, tone, word = "cancelled", "", "skipped"
        title = "quote of the day" if quote else title
    elif quote and not one.of:
        shape, tone, word, way = "none", "wait", "gap", ""
    elif one.what == "brief" and one.of in locked:
        shape, word = "lock", "embargo"
    note = "skipped" if one.skipped else f"was {one.was:%H:%M}" if one.was else ""
    return Entry(at=one.at, shape=shape, tone=tone, word=word, title=title, way=way, note=note)


def _event(one: Coming) -> ical.Event:
    """One thing of the file; a slot stays the same event when it is moved. Who moved it, and why, stays at the desk."""
    note = f"moved from {one.was:%H:%M}" if one.was else one.note
    key = one.slot or f"{one.what} {one.of} {one.zone} {one.local.isoformat()}"
    return ical.Event(at=one.at, summary=_title(one), about=note, key=key, cancelled=bool(one.skipped))


def _title(one: Coming) -> str:
    """What the file calls it: a quote by its number alone."""
    if one.what == "brief":
        return f"Brief: {one.subject}"
    return f"Quote of the day, {one.of}" if one.what.startswith("quote") else f"{one.subject}, {one.what}"


def _locked(visit: Visit) -> list[str]:
    with visit.app.store.read() as connection:
        return [one.slug for one in board.waiting_briefs(connection, visit.now) if one.status == "embargoed"]


def _by_day(visit: Visit, entries: Iterable[Entry]) -> dict[date, tuple[Entry, ...]]:
    found: dict[date, tuple[Entry, ...]] = {}
    for one in entries:
        day = one.at.astimezone(visit.zone).date()
        found[day] = (*found.get(day, ()), one)
    return found


# -- addresses ----------------------------------------------------------------------------------------


def _first(text: str) -> date | None:
    """``2026-11``: the first day of that month; ``None`` for what is none."""
    found = _MONTH.fullmatch(text)
    return date(int(found[1]), int(found[2]), 1) if found and 1970 < int(found[1]) < 2200 else None  # noqa: PLR2004 - years of the ledger


def _monday(text: str) -> date:
    """``2026-W48``: the Monday of that ISO week.

    Raises
    ------
    SyndicateError
        There is no such week.
    """
    found = _WEEK.fullmatch(text)
    try:
        if found and 1970 < int(found[1]) < 2200:  # noqa: PLR2004 - as above
            return date.fromisocalendar(int(found[1]), int(found[2]), 1)
    except ValueError:
        pass
    msg = f"{text!r} is no week; a week is written 2026-W48"
    raise SyndicateError(msg)


def _name(monday: date) -> str:
    year, week, _ = monday.isocalendar()
    return f"{year}-W{week:02}"


def _instant(visit: Visit, day: date) -> datetime:
    return datetime.combine(day, time(), visit.zone)


WAYS: Final = (view("/calendar", calendar), view("/plan.ics", plan))
