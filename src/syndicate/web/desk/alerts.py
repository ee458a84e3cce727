"""What needs a person, with the next step. Order: hold, uncertain, failed, coming gaps. No words of a quote, no address.

An alert stands as long as its cause; nobody can dismiss one. What puts itself right is no alert.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from syndicate.model import State
from syndicate.store import agenda, board
from syndicate.store.marks import FENCE
from syndicate.web.desk import rail

if TYPE_CHECKING:
    from syndicate.publish.forecast import QuoteDay
    from syndicate.store.agenda import Variant
    from syndicate.store.board import Named, Sent
    from syndicate.store.database import Connection
    from syndicate.store.holds import Hold
    from syndicate.web.desk.visit import Visit

_RECENT: Final = timedelta(days=1)  # how long a refused mail is news; a post that failed stays until somebody decides
_ANEW: Final = timedelta(seconds=20)  # how old the list of editions that cannot be made may be
_MOST: Final = 6  # of one kind


@dataclass(frozen=True, kw_only=True, slots=True)
class Alert:
    """One thing that does not go on by itself."""

    tone: str  # ask | bad | wait
    shape: str
    what: str  # what happened, one sentence
    at: datetime | None
    means: str  # who did not get what, and what was not done
    verb: str  # of the button
    way: str  # where it leads, below /desk


def gathered(visit: Visit, holds: Sequence[Hold], gaps: Sequence[QuoteDay]) -> list[Alert]:
    """All of them."""
    with visit.app.store.read() as connection:
        found = _astray(visit, connection)
    return [*_holds(holds), *found, *_stuck(visit), *_gaps(visit, gaps)]


# -- holds ------------------------------------------------------------------------------------------


def _holds(holds: Sequence[Hold]) -> Iterator[Alert]:
    for hold in sorted(holds, key=lambda one: one.target != "all"):
        name = "Everything" if hold.target == "all" else hold.target
        if hold.who == FENCE:
            means = (
                f"{hold.reason[:1].upper()}{hold.reason[1:]}. Nothing leaves until `syndicate claim` says that this copy sends."
            )
            yield Alert(
                tone="bad",
                shape="hold",
                what="Everything is on hold by itself.",
                at=hold.at,
                means=means,
                verb="Read more",
                way="/release?target=all",
            )
            continue
        means = (
            "Nothing new leaves. What comes due is cancelled and recorded; half-sent editions wait. "
            "At release you say whether their rest leaves."
        )
        if hold.reason == rail.FOLLOWS:
            what = f"{name} is on hold. {hold.who} pressed it; no reason is written yet."
            yield Alert(tone="bad", shape="hold", what=what, at=hold.at, means=means, verb="Say why", way="#hr")
        else:
            what = f"{name} is on hold: {hold.reason}"
            what += "" if what.endswith((".", "!", "?")) else "."
            yield Alert(
                tone="bad",
                shape="hold",
                what=what,
                at=hold.at,
                means=means,
                verb="Release…",
                way=f"/release?{urlencode({'target': hold.target})}",
            )


# -- deliveries -------------------------------------------------------------------------------------


def _astray(visit: Visit, connection: Connection) -> list[Alert]:
    since = board.first_due_after(connection, visit.now - _RECENT)
    uncertain = board.astray(connection, State.UNCERTAIN, limit=_MOST)
    failed = board.astray(connection, State.FAILED, limit=4 * _MOST)
    sent = board.sendings(connection, {key for key, *_ in (*uncertain, *failed)})
    named = board.names(connection, {one.subject for one in sent.values() if one.kind != "edition"})
    shown = [one for one in failed if not sent[one[0]].to_readers or one[0] >= since][:_MOST]
    told = {(key, state): board.last_word(connection, key, state) for key, state in ((one[0], State.FAILED) for one in shown)}
    return [
        *(_uncertain(key, channel, n, at, sent[key], named) for key, channel, n, at in uncertain),
        *(_failed(key, channel, n, at, sent[key], named, told[key, State.FAILED]) for key, channel, n, at in shown),
    ]


def subject(one: Sent, named: dict[str, Named]) -> str:
    """What a sending is called in a sentence: a brief's title, a quote's slug, an edition's number."""
    if one.edition is not None:
        return f"{one.newsletter} no. {one.number}"
    item = named.get(one.subject)
    if item is None:
        return one.subject
    return f"“{item.title}”" if item.kind == "brief" else f"quote {item.slug}"


def _uncertain(_key: int, channel: str, n: int, at: datetime, one: Sent, named: dict[str, Named]) -> Alert:
    name = subject(one, named)
    if one.to_readers:
        what = f"{_counted(n, 'mail')} of {name} got no answer from {channel}."
        begun = "It may have arrived. It was not" if n == 1 else "They may have arrived. None was"
        means = (
            f"{begun} sent again, because a second copy cannot be taken back; say what became of {'it' if n == 1 else 'each'}."
        )
    else:
        what = f"{channel} did not answer for {name}."
        means = (
            "The post may be public. It was not sent again, because a second copy cannot be taken back unseen; say which it is."
        )
    return Alert(tone="ask", shape="uncertain", what=what, at=at, means=means, verb="Settle", way="/deliveries#uncertain")


def _failed(_key: int, channel: str, n: int, at: datetime, one: Sent, named: dict[str, Named], said: str) -> Alert:
    name, words = subject(one, named), _sentence(said)
    if one.to_readers:
        what = f"{_counted(n, 'mail')} of {name} {'was' if n == 1 else 'were'} refused."
        means = f"{words}{'This reader' if n == 1 else 'These readers'} did not get it, and it is not tried again by itself."
    else:
        what = f"{channel} refused {name}."
        means = f"{words}It is not on {channel}, and it is not tried again by itself."
    way = f"/deliveries?state=failed&sending={one.key}#all"
    return Alert(tone="bad", shape="failed", what=what, at=at, means=means, verb="See why", way=way)


def _stuck(visit: Visit) -> Iterator[Alert]:
    """Editions that cannot be rendered, so that nothing of them leaves."""

    def look() -> list[Variant]:
        with visit.app.store.read() as connection:
            return [variant for variant in agenda.variants(connection, state="planned") if variant.fault]

    for variant in (visit.counted("stuck", look, fresh=_ANEW).value or [])[:_MOST]:
        edition = variant.edition
        what = f"{edition.newsletter} no. {edition.number} cannot be made."
        ended = "" if variant.fault.endswith(".") else "."
        means = f"{variant.fault}{ended} Its readers wait; it leaves by itself once that is mended."
        way = f"/editions/{edition.key}"
        yield Alert(tone="bad", shape="failed", what=what, at=None, means=means, verb="See the edition", way=way)


def _sentence(said: str) -> str:
    text = " ".join(said.split())[:160]
    return f"It said: {text}{'' if text.endswith(('.', '!', '?', '…')) else '.'} " if text else ""


def _counted(n: int, word: str) -> str:
    return f"One {word}" if n == 1 else f"{n:,} {word}s"


# -- gaps -------------------------------------------------------------------------------------------


def _gaps(visit: Visit, days: Sequence[QuoteDay]) -> Iterator[Alert]:
    """The first coming day on which no quote may run, and how many there are."""
    empty = [day for day in days if day.quote is None]
    if not empty:
        return
    first, today = empty[0], visit.now.astimezone(visit.zone).date()
    rules: dict[str, set[str]] = {}
    for quote, rule, _ in first.excluded:
        rules.setdefault(rule, set()).add(quote)
    why = ", ".join(f"{len(quotes):,} by {rule}" for rule, quotes in sorted(rules.items()))
    when = "today" if first.day == today else f"on {first.day:%A} {first.day.day} {first.day:%B}"
    more = f" {len(empty) - 1} more of the next {len(days) - 1} days are empty too." if len(empty) > 1 else ""
    reason = f"Excluded: {why}." if why else "No approved quote is there."
    means = f"{reason}{more} The day stays empty; a quote is never repeated to fill it."
    way = "/quotes" if "/quotes" in visit.desk.pages else "/settings"
    yield Alert(tone="wait", shape="none", what=f"No quote can run {when}.", at=None, means=means, verb="Open queue", way=way)
