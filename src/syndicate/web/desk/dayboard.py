"""The day board: a slot is a row, a channel is a column, and the cell is what the ledger says. Decides, and reads nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from syndicate.model import Slot, State
from syndicate.plan import timetable
from syndicate.plan.civil import instant
from syndicate.web.desk import slots

if TYPE_CHECKING:
    from syndicate.publish.forecast import Coming
    from syndicate.store.board import Named, Part, Sent

_SETTLED: Final = (State.SENT, State.FAILED, State.SUPPRESSED, State.UNCERTAIN, State.CANCELLED)
_KINDS: Final = {"edit": "correction", "delete": "taken back", "notice": "notice"}
_ABOUT: Final = {
    "daily": "daily edition",
    "weekly": "weekly edition",
    "instant": "to instant readers",
    "quote": "the day's quote, by itself",
    "now": "sent by hand",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """What the ledger says of one slot on one channel."""

    shape: str  # as paper/_shapes draws it
    word: str
    note: str = ""
    tone: str = ""  # a class beside the shape's own


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One slot."""

    due: datetime
    elsewhere: str  # "07:00 New York", for a slot of another zone
    title: str
    way: str  # a path of the desk; "" where no page shows it
    note: str
    cells: Mapping[str, Cell] = field(default_factory=dict)  # by channel
    lock: str = ""  # an embargo, in words
    slot: str = ""  # where its slot can be moved, below /desk


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What rows are made of, beside the ledger."""

    zone: ZoneInfo  # the site's
    now: datetime
    mail: Mapping[str, str]  # newsletter -> the channel that carries it
    named: Mapping[str, Named]  # items by id
    holds: Collection[str]  # targets
    items: Mapping[int, int]  # edition -> how many items it carries
    pages: Collection[str]  # paths that can be looked at
    embargoed: Collection[str] = ()  # slugs


def past(sent: Iterable[Sent], facts: Facts) -> list[Row]:
    """What was due: posts of an item and the editions that carry it alone share its row."""
    gathered = list(sent)
    rows: dict[tuple[datetime, str], list[Sent]] = {}
    shown = {one.due: one.subject for one in gathered if one.kind == "post" and "quotes" in one.targets}
    for one in gathered:
        rows.setdefault((one.due, _of(one, shown)), []).append(one)
    return [_row(group, facts.named.get(subject.rpartition(" ")[2]), facts) for (_, subject), group in rows.items()]


def to_come(coming: Iterable[Coming], facts: Facts) -> list[Row]:
    """What will be due, as the plan of this moment has it."""
    rows = []
    for one in coming:
        held = _held({one.what, *(("quotes",) if one.what.startswith("quote") else (one.of,))}, "", facts)
        cells = {name: _pending(held or _held((), name, facts), _readers(one.readers)) for name in one.channels}
        if one.what == "brief":
            cells |= {name: _pending(held or _held((), name, facts), "instant readers") for name in set(facts.mail.values())}
        edition = one.readers is not None
        rows.append(
            Row(
                due=one.at,
                elsewhere=_elsewhere(one.local, one.zone, facts.zone),
                title=f"{one.of}, {one.what.removesuffix(' edition')}" if edition else _titled(one),
                way=_way("quote" if one.what.startswith("quote") else "brief", one.of, facts) if not edition else "",
                note=" · ".join(part for part in (_ABOUT_COMING.get(one.what, one.what), one.note) if part),
                cells=cells,
                slot=slots.way(one.slot),
                lock=f"embargo until {one.at.astimezone(facts.zone):%H:%M:%S}" if one.of in facts.embargoed else "",
            )
        )
    return rows


_ABOUT_COMING: Final = {"brief": "brief, when published", "quote of the day": ""}


def _titled(one: Coming) -> str:
    if one.what == "brief":
        return one.subject
    return f"Quote of the day, {one.of}" if one.of else "Quote of the day: none may run"


def lost(rows: Iterable[Mapping[Any, Any]], facts: Facts) -> list[Row]:
    """Slots that did not happen, with the reason."""
    found = []
    for row in rows:
        due, schedule, reason = row["due"], str(row["schedule"]), str(row["reason"])
        assert isinstance(due, datetime)
        name, _, rest = schedule.partition(".")
        channels = [rest] if name == "posts" else [facts.mail.get(name, "")] if rest else []
        cell = Cell(shape="cancelled", word=str(row["state"]), tone="cancelled")
        title = {"quotes": "Quote of the day", "posts": "Post"}.get(name, f"{name}, {rest}" if rest else name)
        cells = {channel: cell for channel in channels if channel}
        planned = Slot(schedule=schedule, zone=row["zone"], local=datetime.fromisoformat(row["local_time"]), due=due)
        way = slots.way(timetable.named(planned)) if due > facts.now else ""
        note = reason if reason.startswith(str(row["state"])) else f"{row['state']}: {reason}"
        found.append(Row(due=due, elsewhere="", title=title, way="", note=note, cells=cells, slot=way))
    return found


# -- one row ----------------------------------------------------------------------------------------


def _of(one: Sent, shown: Mapping[datetime, str]) -> str:
    """What a sending is about: an item's id, or itself. ``shown``: the quote that was posted at an instant."""
    if one.kind != "edition":
        return f"{one.kind if one.kind in _KINDS else ''} {one.subject}".strip()
    if one.frequency == "instant":
        return one.period
    if one.frequency == "quote":
        return shown.get(one.due, f"sending {one.key}")
    return f"sending {one.key}"


def _row(group: Sequence[Sent], item: Named | None, facts: Facts) -> Row:
    first = group[0]
    cells: dict[str, Cell] = {}
    for one in group:
        cells |= {part.channel: _part(part, one, facts) for part in one.parts}
        if one.to_readers:
            channel = facts.mail.get(one.newsletter, "mail")
            cells[channel] = _mail(one, channel, facts)
    edition = next((one for one in group if one.edition is not None), None)
    about = [_ABOUT.get(edition.frequency, edition.frequency)] if edition and item is None else []
    if edition and item is None and facts.items.get(edition.edition or 0):
        n = facts.items[edition.edition or 0]
        about.append("1 item" if n == 1 else f"{n} items")
    kind = _KINDS.get(first.kind, "")
    local = datetime.fromisoformat(first.local_time) if first.local_time else None
    moved = local is not None and first.zone != "UTC" and instant(local, first.zone)[0] != first.due
    words = [kind, "brief" if item and item.kind == "brief" and not kind else "", *about]
    words += [f"planned for {local:%H:%M}"] if local and moved else []
    return Row(
        due=first.due,
        elsewhere=_elsewhere(local, first.zone, facts.zone) if local and first.zone != "UTC" else "",
        title=_title(item, edition, first),
        way=_way(item.kind, item.slug, facts) if item else f"/editions/{edition.edition}" if edition else "",
        note=" · ".join(word for word in words if word),
        cells=cells,
    )


def _title(item: Named | None, edition: Sent | None, first: Sent) -> str:
    if item is not None:
        return item.title if item.kind == "brief" else f"Quote of the day, {item.slug}"
    if edition is not None:
        return f"{edition.newsletter} no. {edition.number}"
    return first.subject


def _way(kind: str, slug: str, facts: Facts) -> str:
    """Where the desk shows an item, if it does."""
    path = "/quotes/{slug}" if kind == "quote" else "/briefs/{slug}"
    return path.replace("{slug}", slug) if slug and path in facts.pages else ""


def _elsewhere(local: datetime, zone: str, site: ZoneInfo) -> str:
    if zone in {site.key, ""}:
        return ""
    return f"{local:%H:%M} {zone.rpartition('/')[2].replace('_', ' ')}"


# -- one cell ---------------------------------------------------------------------------------------


def _held(targets: Collection[str], channel: str, facts: Facts) -> str:
    """The hold that stops it, or ``""``."""
    named = [target for target in facts.holds if target in targets or target in {"all", channel}]
    both = f"quotes:{channel}" if "quotes" in targets and f"quotes:{channel}" in facts.holds else ""
    return named[0] if named else both


def _pending(held: str, note: str) -> Cell:
    if held:
        return Cell(shape="hold", word="held", note=note or f"{held} on hold", tone="wait")
    return Cell(shape="pending", word="pending", note=note)


def _part(part: Part, one: Sent, facts: Facts) -> Cell:
    """A post: one delivery."""
    if part.state is State.PENDING:
        return _pending(_held(one.targets, part.channel, facts), "")
    note = ""
    if part.state is State.DEFERRED:
        note = f"to {part.not_before.astimezone(facts.zone):%H:%M}"
    elif part.done is not None:
        note = f"{part.done.astimezone(facts.zone):%H:%M:%S}"
    elif part.state is State.UNCERTAIN:
        note = "no answer"
    return Cell(shape=str(part.state), word=str(part.state), note=note)


def _mail(one: Sent, channel: str, facts: Facts) -> Cell:
    """Many deliveries in one word: what goes on, else what needs a person, else how it ended."""
    states, n = one.states, one.audience
    sent = states.get(State.SENT, 0)
    of = f"{sent:,} of {n:,}"
    if one.open:
        held = _held({*one.targets, one.newsletter, f"edition:{one.edition}"}, channel, facts)
        if held:
            return Cell(shape="hold", word="held", note=of, tone="wait")
        if one.open == states.get(State.DEFERRED, 0):
            return Cell(shape="deferred", word="deferred", note=f"{one.open:,} of {n:,}")
        begun = n - one.open or states.get(State.SENDING) or states.get(State.CLAIMED)
        return Cell(shape="sending", word="sending", note=of) if begun else Cell(shape="pending", word="pending", note=f"{n:,}")
    if states.get(State.UNCERTAIN):
        return Cell(shape="uncertain", word="uncertain", note=f"{states[State.UNCERTAIN]:,} of {n:,}")
    if n and sent == 0:
        worst = next((state for state in (State.FAILED, State.CANCELLED, State.SUPPRESSED) if states.get(state)), State.SENT)
        return Cell(shape=str(worst), word=str(worst), note=f"{states.get(worst, 0):,}")
    failed = states.get(State.FAILED, 0)
    return Cell(shape="sent", word="sent", note=f"{of}, {failed:,} failed" if failed else of if sent < n else f"{sent:,}")


def _readers(n: int | None) -> str:
    return "" if n is None else f"{n:,}"
