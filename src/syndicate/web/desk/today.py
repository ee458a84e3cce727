"""Today: what leaves today, what went wrong, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import HTMLResponse, Response

from syndicate.publish.forecast import Coming, Forecast
from syndicate.store import agenda, board
from syndicate.web.desk import ahead, alerts, books, dayboard, recount
from syndicate.web.desk.dayboard import Facts, Row
from syndicate.web.desk.ways import EVERYBODY, Way, view

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.store.board import Named, Sent
    from syndicate.store.holds import Hold
    from syndicate.web.desk.visit import Visit

AHEAD: Final = 7  # days in which a gap is told
_DOLLAR: Final = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """What one channel took today."""

    channel: str
    used: int  # deliveries that have left
    limit: str  # as its settings say
    today: str  # dollars; "" where nothing is charged
    month: str


def today(visit: Visit) -> Response:
    """The page."""
    return visit.sheet("today", here="", **_facts(visit))


def live(visit: Visit) -> Response:
    """The parts of the page that move, for its script."""
    return HTMLResponse(visit.html("_live", **_facts(visit)))


def _facts(visit: Visit) -> dict[str, Any]:
    app, now = visit.app, visit.now
    start, end = civil_day(visit)
    holds = app.holds.list()
    counted = ahead.plan(visit, older=True)
    plan = counted.value.forecast if counted.value else None
    with app.store.read() as connection:
        sent = board.day(connection, start, end)
        lost = agenda.slots(connection, since=start - timedelta(microseconds=1), states=("skipped", "cancelled"))
        lost = [row for row in lost if row["due"] < end]
        named = board.names(connection, _items(sent))
        sizes = board.largest(connection, {one.edition for one in sent if one.edition is not None})
        later = board.waiting_briefs(connection, now)
        charged = board.spent(connection, f"{now:%Y-%m}", [one.key for one in sent])
        running = board.running(connection)
    facts = Facts(
        zone=visit.zone,
        now=now,
        mail={name: letter.channel for name, letter in app.settings.newsletters.items()},
        named=named,
        holds=frozenset(hold.target for hold in holds),
        items=sizes,
        pages=visit.desk.pages,
        embargoed=frozenset(item.slug for item in later if item.status == "embargoed"),
    )
    later = [item for item in later if item.release is None or item.release >= end]
    coming = [one for one in plan.coming if now < one.at < end] if plan else []
    done = sorted([*dayboard.past(sent, facts), *dayboard.lost(lost, facts)], key=lambda row: row.due)
    coming_rows = sorted([*(row for row in done if row.due > now), *dayboard.to_come(coming, facts)], key=lambda row: row.due)
    done = [row for row in done if row.due <= now]
    return {
        "alerts": alerts.gathered(visit, holds, plan.quotes[: AHEAD + 1] if plan else ()),
        "running": [_books(visit, one, holds, facts) for one in running],
        "done": done,
        "ahead": coming_rows,
        "channels": _columns(app, [*done, *coming_rows]),
        "planned": counted.at,
        "next": _next(plan, now),
        "prices": _prices(visit, sent, charged),
        "withheld": _withheld(plan, later, facts),
        "first": not sent and not app.content.briefs(now=now, limit=1),
    }


def civil_day(visit: Visit) -> tuple[datetime, datetime]:
    """The instants at which the site's day begins and ends, aware UTC; it has 23, 24 or 25 hours."""
    first = datetime.combine(visit.now.astimezone(visit.zone).date(), time(), visit.zone)
    return first, datetime.combine(first.date() + timedelta(days=1), time(), visit.zone)


def _items(sent: Sequence[Sent]) -> set[str]:
    """The items that a day's rows name; editions of one item name it in what can be held."""
    found = {one.subject for one in sent if one.kind != "edition"}
    return found | {one.period for one in sent if one.frequency == "instant"}


def _books(visit: Visit, sent: Sequence[Sent], holds: Sequence[Hold], facts: Facts) -> books.Books:
    channel = facts.mail.get(sent[0].newsletter, "")
    check = recount.checked(visit, sent[0].edition or 0, sent)
    return books.of(sent, [hold.target for hold in holds], channel, visit.desk.pace, visit.now, check)


def _columns(app: App, rows: Sequence[Row]) -> list[str]:
    """Channels that the day uses, in the order of the settings; those that are configured no more come last."""
    used = {name for row in rows for name in row.cells}
    return [name for name in app.channels if name in used] + sorted(used - app.channels.keys())


def _next(plan: Forecast | None, now: datetime) -> Coming | None:
    return next((one for one in plan.coming if one.at > now), None) if plan else None


def _prices(visit: Visit, sent: Sequence[Sent], charged: Mapping[str, tuple[int, int]]) -> list[Price]:
    used: dict[str, int] = {}
    for one in sent:
        for part in one.parts:
            used[part.channel] = used.get(part.channel, 0) + (part.state == "sent")
        if one.to_readers:
            channel = (
                visit.app.settings.newsletters[one.newsletter].channel
                if one.newsletter in visit.app.settings.newsletters
                else "mail"
            )
            used[channel] = used.get(channel, 0) + sum(n for state, n in one.states.items() if state == "sent")
    found = []
    for name in visit.app.channels:
        raw = visit.app.settings.channels[name]
        limit = next((str(raw[key]) for key in ("rate", "budget") if raw.get(key)), "")
        month, day = charged.get(name, (0, 0))
        found.append(Price(channel=name, used=used.get(name, 0), limit=limit, today=_dollars(day), month=_dollars(month)))
    return found


def _dollars(micros: int) -> str:
    return f"${micros / _DOLLAR:,.2f}" if micros else ""


def _withheld(plan: Forecast | None, later: Sequence[Named], facts: Facts) -> list[tuple[str, str, str, str]]:
    """What will not leave today: (what, where the desk shows it, why, a shape)."""
    found = []
    for fault in plan.withheld if plan else ():
        if not fault.file.startswith("hold ") and fault.rule != "skipped":  # both stand elsewhere on the page
            why = " ".join(f"{words[:1].upper()}{words[1:]}." for words in (fault.what, fault.right) if words)
            found.append((fault.file, "", why, ""))
    for item in later:
        way = f"/briefs/{item.slug}" if "/briefs/{slug}" in facts.pages else ""
        if item.release is None:
            found.append((item.title, way, "Draft.", ""))
            continue
        local = item.release.astimezone(facts.zone)
        lock = "lock" if item.status == "embargoed" else ""
        until = f"{local:%a} {local.day} {local:%b}, {local:%H:%M}."
        found.append((item.title, way, f"until {until}" if lock else f"Dated {until}", lock))
    return found


WAYS: Final = (view("", today), Way(path="/live", endpoint=live, method="GET", roles=EVERYBODY, by_itself=True))
