"""Deliveries: what happened to this one? Uncertain ones first, then the ledger by state, channel and time; one person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from syndicate.errors import SyndicateError
from syndicate.model import State
from syndicate.publish import settling
from syndicate.store import agenda, board, register
from syndicate.store.audit import audit
from syndicate.store.register import PAGE, Entry, Explained, Filter, Try
from syndicate.web.desk import alerts
from syndicate.web.desk.visit import wanted
from syndicate.web.desk.ways import EDITORS, act, view

if TYPE_CHECKING:
    from starlette.responses import Response

    from syndicate.store.board import Named, Sent
    from syndicate.store.database import Connection
    from syndicate.web.desk.visit import Visit

_UNCERTAIN: Final = 20  # shown with their evidence; the filter leads to the others
_EDITIONS: Final = 40  # that can be asked about
_DONE: Final[Mapping[settling.Word, str]] = {"sent": "sent", "again": "again", "drop": "dropped"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One delivery as the page writes it."""

    entry: Entry
    title: str
    way: str
    due: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubt:
    """One delivery of which nobody knows whether it left."""

    line: Line
    evidence: tuple[Try, ...]  # in the order of time
    think: str
    because: str


def deliveries(visit: Visit) -> Response:
    """The page."""
    return _page(visit, None, "")


def settle(visit: Visit) -> Response:
    """Record what a person knows of an uncertain delivery."""
    word = visit.said("word")
    if word not in settling.STATES:
        msg = "say whether it was sent, is to be sent again, or is dropped"
        raise SyndicateError(msg)
    settling.settle(visit.app, wanted(visit.said("id"), "the delivery"), word, who=visit.who, now=visit.now)
    return visit.go("/deliveries", did=_DONE[word])


def retry(visit: Visit) -> Response:
    """Try one failed delivery again."""
    settling.settle(visit.app, wanted(visit.said("id"), "the delivery"), "again", who=visit.who, now=visit.now)
    return visit.go("/deliveries", did="again", state="failed")


def explain(visit: Visit) -> Response:
    """Say what became of one edition for one reader. It is written down who asked, and about whom by their random id."""
    address, asked = wanted(visit.said("address"), "the address"), visit.said("edition")
    if not asked.isdecimal():
        msg = "choose an edition"
        raise SyndicateError(msg)
    try:
        with visit.app.store.read() as connection:
            found = register.explained(connection, address, int(asked))
    except ValueError as error:
        raise SyndicateError(str(error)) from error
    detail = {"subscriber": found.subscriber or "unknown"}
    visit.app.store.write(
        lambda connection: audit(
            connection, who=visit.who, act="explain", subject=f"edition:{asked}", detail=detail, at=visit.now
        )
    )
    return _page(visit, found, asked)


def _page(visit: Visit, told: Explained | None, edition: str) -> Response:
    chosen, faults = _filter(visit)
    after = _cursor(visit.asked("after"))
    with visit.app.store.read() as connection:
        doubts = _doubts(connection) if after is None else []
        entries = register.page(connection, chosen, after, limit=PAGE + 1)
        lines = _lines(connection, entries[:PAGE])
        editions = agenda.editions(connection, limit=_EDITIONS)
        uncertain = sum(board.traffic(connection, name).uncertain for name in visit.app.channels)
    return visit.sheet(
        "deliveries",
        here="/deliveries",
        uncertain=uncertain,
        doubts=doubts,
        lines=lines,
        older=_older(visit, entries) if len(entries) > PAGE else "",
        first=after is None,
        chosen=chosen,
        filtered=bool(
            visit.asked("state") or visit.asked("channel") or visit.asked("from") or visit.asked("until") or chosen.sending
        ),
        asked={name: visit.asked(name) for name in ("state", "channel", "from", "until")},
        faults=faults,
        states=[str(state) for state in State],
        channels=list(visit.app.channels),
        editions=editions,
        told=told,
        sentence=_sentence(told) if told else "",
        edition=edition,
    )


# -- what is asked for ------------------------------------------------------------------------------


def _filter(visit: Visit) -> tuple[Filter, list[str]]:
    """The filter that the address holds; what is not understood is told and left out."""
    faults = []
    state = visit.asked("state")
    if state and state not in set(State):
        faults.append(f"there is no state {state!r}")
    days: dict[str, datetime | None] = {}
    for name in ("from", "until"):
        try:
            day = date.fromisoformat(visit.asked(name)) if visit.asked(name) else None
            begin = None if day is None else datetime.combine(day + timedelta(days=name == "until"), time(), visit.zone)
            days[name] = begin
        except (ValueError, OverflowError):
            faults.append(f"{visit.asked(name)!r} is no day; write it like 2026-11-23")
            days[name] = None
    sending = visit.asked("sending")
    known = sending.isascii() and sending.isdecimal() and len(sending) < 18  # noqa: PLR2004 - what SQLite's integers hold
    chosen = Filter(
        state=State(state) if state in set(State) else None,
        channel=visit.asked("channel"),
        since=days["from"],
        until=days["until"],
        sending=int(sending) if known else None,
    )
    return chosen, faults


def _cursor(text: str) -> tuple[int, int] | None:
    try:
        return settling.parsed(text)
    except SyndicateError:
        return None


def _older(visit: Visit, entries: list[Entry]) -> str:
    kept = {name: visit.asked(name) for name in ("state", "channel", "from", "until", "sending") if visit.asked(name)}
    return f"/deliveries?{urlencode({**kept, 'after': entries[PAGE - 1].id})}#all"


# -- what is shown ----------------------------------------------------------------------------------


def _lines(connection: Connection, entries: list[Entry]) -> list[Line]:
    sent = register.about(connection, entries)
    named = board.names(connection, _items(sent))
    return [_line(entry, sent[entry.sending], named) for entry in entries]


def _items(sent: Mapping[int, Sent]) -> set[str]:
    return {one.subject for one in sent.values() if one.kind != "edition"}


def _line(entry: Entry, sent: Sent, named: dict[str, Named]) -> Line:
    way = f"/editions/{sent.edition}" if sent.edition is not None else ""
    kind = "" if sent.kind in {"edition", "post"} else f"{sent.kind}: "
    return Line(entry=entry, title=f"{kind}{alerts.subject(sent, named)}", way=way, due=sent.due)


def _doubts(connection: Connection) -> list[Doubt]:
    entries = register.page(connection, Filter(state=State.UNCERTAIN), None, limit=_UNCERTAIN)
    sent = register.about(connection, entries)
    found = []
    for line in _lines(connection, entries):
        said = register.tries(connection, line.entry.sending, line.entry.place)
        begun = [Try(at=line.entry.at, outcome="sending", code="", detail="request sent")] if line.entry.at else []
        evidence = tuple(sorted([*begun, *said], key=lambda one: one.at))
        think, because = _thought(sent[line.entry.sending], said)
        found.append(Doubt(line=line, evidence=evidence, think=think, because=because))
    return found


def _thought(sent: Sent, said: list[Try]) -> tuple[str, str]:
    """What the evidence amounts to; never a recommendation."""
    if sent.to_readers:
        return "Cannot be known.", "Some such mails arrive. A second copy is a nuisance; a missing one is not seen."
    looks = sum(one.outcome == "uncertain" for one in said) - 1
    if looks > 0:
        times = "once" if looks == 1 else f"{looks} times"
        return (
            "Probably not public.",
            f"The account was looked through {times}; no such post was found. A late one may still appear.",
        )
    return "Not known yet.", "Nobody has looked. Open the account and see whether it stands there."


def _sentence(told: Explained) -> str:
    """The answer, in a sentence."""
    if not told.subscriber:
        return "Nobody with this address is known here."
    if told.entries:
        state = told.entries[-1].state
        words = {
            State.SENT: "Yes. The receiving server took it.",
            State.UNCERTAIN: "Perhaps. The receiving server did not say.",
            State.FAILED: "No. The receiving server refused it.",
            State.SUPPRESSED: "No. The reader had left before it could be sent.",
            State.CANCELLED: "No. It was cancelled.",
        }
        return words.get(state, f"Not yet. It is {state}.")
    if not told.subscription:
        return "No. This person does not subscribe to that newsletter."
    return f"No. It was not owed to this person, whose subscription is {told.subscription} and {told.frequency}."


WAYS: Final = (
    view("/deliveries", deliveries),
    act("/deliveries/settle", settle),
    act("/deliveries/retry", retry),
    act("/deliveries/explain", explain, roles=EDITORS),
)
