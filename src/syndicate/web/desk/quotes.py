"""Quotes: may these words leave? The queue, one quote with all that an approval binds, the rotation and the mix.

Lists never show the words; a quote's own page shows them inside their framing alone, as ``publish/approval`` made it.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, Literal

from syndicate.errors import Held, RenderError, SyndicateError
from syndicate.publish import approval, dailyquote, forecast, selection
from syndicate.render.framing import FramedBlock
from syndicate.store import board
from syndicate.web.desk import pane, queue
from syndicate.web.desk.ways import APPROVERS, EVERYBODY, VERIFIERS, act, view

if TYPE_CHECKING:
    from starlette.responses import Response

    from syndicate.model import Quote
    from syndicate.publish.approval import Seen, Standing
    from syndicate.publish.selection import Share
    from syndicate.store.people import Act
    from syndicate.web.desk.visit import Visit

_DAYS: Final = 10  # of the rotation, after today
_WINDOW: Final = 30  # days of the mix that Q13 limits
_ROTATION: Final = "quotes rotation"  # names of counts
_MIX: Final = "quotes mix"
_RUNGS: Final = {"full": "in full", "short": "the short form", "paraphrase": "the paraphrase", "card": "a link card, no words"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """What one coming day would show."""

    day: date
    slug: str  # "" where no quote may run
    speaker: str
    ideology: str
    rules: tuple[tuple[str, int], ...]  # how many quotes each rule keeps back
    settled: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """One rendering as a follower meets it."""

    name: str
    kind: Literal["html", "text", "post", "nothing"]
    text: str  # as it would leave; of HTML nothing, for that stands in a frame of its own
    notes: tuple[str, ...]  # what goes along: a warning, a label, the rung, or why there is nothing
    was: tuple[tuple[str, str], ...] = ()  # what changed since the voided consent: (out | in | "", words)


def quotes(visit: Visit) -> Response:
    """The queue, the coming days and the mix."""
    app, now = visit.app, visit.now
    pool = queue.pool(visit)
    with app.store.read() as connection:
        stamp = board.stamp(connection)
    rotation = visit.counted(_ROTATION, lambda: _turns(visit), stamp=stamp)
    known = pool.value or ()
    return visit.sheet(
        "quotes",
        here="/quotes",
        solo=app.settings.quotes.approval == "solo",
        counted=pool.value is not None and rotation.value is not None,
        waiting=[one for one in known if one.waits],
        refused=[one for one in known if one.refused or one.standing.rejected],
        pool=len(known),
        turns=rotation.value or (),
        days=_DAYS,
        gap=next((turn.day for turn in rotation.value or () if not turn.slug), None),
        mix=visit.counted(_MIX, lambda: selection.mix(app, now), stamp=stamp).value or {},
        recent=_recent(visit),
        most=app.settings.quotes.spacing.ideology,
        held="quotes" in {hold.target for hold in app.holds.list()},
    )


def quote(visit: Visit) -> Response:
    """One quote: provenance, what was taken out of its words, every rendering, and last the decision."""
    app, now = visit.app, visit.now
    found = _found(visit)
    standing = approval.standing(app, found, now)
    seen, refused = _seen(visit, found)
    before = _voided(standing)
    return visit.sheet(
        "quote",
        here="/quotes",
        quote=found,
        title=approval.told(app, found, found.title),
        provenance=_provenance(visit, found),
        standing=standing,
        solo=app.settings.quotes.approval == "solo",
        seen=seen,
        places=[_place(seen, name, before) for name in seen.texts] if seen else [],
        refused=refused,
        public=app.public(f"/quotes/{found.slug}") if found.release and found.release <= now else "",
    )


def rendering(visit: Visit) -> Response:
    """One HTML rendering, framed as the gate made it, in a document that can do nothing."""
    name = visit.request.path_params["name"]
    found = _found(visit)
    seen, refused = _seen(visit, found)
    made = seen.made.get(name) if seen else None
    if not isinstance(made, FramedBlock) or made.form == "text":
        msg = refused or f"there is no rendering called {name!r}"
        raise SyndicateError(msg)
    return pane.part(made.content, title=f"{found.slug}: {name}", lang=found.lang, css=_styles(visit) if name == "page" else "")


def submit(visit: Visit) -> Response:
    """Say that a quote is ready to be looked at."""
    return _decided(visit, "submitter", "submitted")


def verify(visit: Visit) -> Response:
    """Answer for the content."""
    _require_unchanged(visit)
    return _decided(visit, "verifier", "verified")


def approve(visit: Visit) -> Response:
    """Answer for the content and for every rendering that was on the page."""
    _require_unchanged(visit)
    return _decided(visit, "approver", "approved")


def reject(visit: Visit) -> Response:
    """Take every consent back, and stop what waits."""
    if not visit.said("reason"):
        msg = "a rejection needs its reason"
        raise SyndicateError(msg)
    return _decided(visit, "rejection", "rejected")


def _decided(visit: Visit, what: Act, did: str) -> Response:
    found = _found(visit)
    assert visit.person is not None  # every act needs a session
    approval.decide(visit.app, found, what, visit.person, visit.now, reason=visit.said("reason"))
    return visit.go(f"/quotes/{found.slug}", did=did)


def _require_unchanged(visit: Visit) -> None:
    """What is agreed to is what stood on the page: a change since then is looked at first (Q11)."""
    seen, _ = _seen(visit, _found(visit))
    if seen is None or visit.said("seen") != seen.sha:
        msg = "the quote or one of its renderings has changed since you opened the page; look at it again"
        raise SyndicateError(msg)


def _styles(visit: Visit) -> str:
    """The style sheet of the reader pages."""
    return visit.app.style_sheet.read_text(encoding="utf-8")


def _found(visit: Visit) -> Quote:
    slug = visit.request.path_params["slug"]
    found = visit.app.content.quote(slug)
    if found is None:
        msg = f"no quote is called {slug!r}"
        raise SyndicateError(msg)
    return found


def _seen(visit: Visit, found: Quote) -> tuple[Seen | None, str]:
    """Every rendering, or why there is none."""
    try:
        return approval.renderings(visit.app, found, visit.now), ""
    except Held as held:
        return None, f"{held.rule}: {held}"
    except RenderError as error:
        return None, str(error)


def _turns(visit: Visit) -> list[Turn]:
    app = visit.app
    return [
        Turn(
            day=one.day,
            slug=one.quote.slug if one.quote else "",
            speaker=approval.told(app, one.quote, one.quote.speaker or one.quote.place) if one.quote else "",
            ideology=approval.told(app, one.quote, one.quote.ideology) if one.quote else "",
            rules=tuple(sorted(Counter(rule for _, rule in {(key, rule) for key, rule, _ in one.excluded}).items())),
            settled=one.settled,
        )
        for one in forecast.quote_days(app, visit.now, _DAYS)
    ]


def _recent(visit: Visit) -> list[Share]:
    """How often each ideology ran in the last thirty days: what Q13 limits."""
    today = dailyquote.day_of(visit.app, visit.now)
    ran = [one for one in visit.app.content.quote_history(before=today) if one.day >= today - timedelta(days=_WINDOW)]
    times = Counter(one.ideology or "–" for one in ran if one.quote_id)
    return [selection.Share(value=name, quotes=0, shown=n) for name, n in times.most_common()]


def _voided(standing: Standing) -> dict[str, str]:
    """The renderings of the newest consent that a change has voided, by place; {} where none was."""
    last = max(standing.voided, key=lambda one: one.at, default=None)
    found: dict[str, str] = json.loads(last.renderings or "{}") if last else {}
    return found


def _place(seen: Seen, name: str, before: dict[str, str]) -> Place:
    """One rendering; a post's notes are its rung, its warning and its labels."""
    told, made = seen.texts[name], seen.made.get(name)
    old = before.get(name, told)
    was = tuple(approval.difference(old, told)) if old != told else ()
    if made is None:
        return Place(name=name, kind="nothing", text="", notes=(told,), was=was)
    if made.form == "post":
        notes = (_RUNGS[made.rung], *((f"warning: {made.warning}",) if made.warning else ()), *made.labels)
        return Place(name=name, kind="post", text=made.text, notes=notes, was=was)
    if made.form == "text":
        return Place(name=name, kind="text", text=made.content, notes=(), was=was)
    return Place(name=name, kind="html", text="", notes=(), was=was)


def _provenance(visit: Visit, found: Quote) -> list[tuple[str, str]]:
    """What a quotation must bring (Q12), in the order in which one asks for it."""

    def own(text: str) -> str:
        return approval.told(visit.app, found, text)

    facts = [
        ("Speaker", own(found.speaker)),
        ("Role", own(found.role)),
        ("Role known from", own(found.role_source)),
        ("Place", own(found.place)),
        ("Victims", own(found.victims)),
        ("Said", found.date),
        ("Language", found.lang + (f", from {found.original_lang}" if found.original_lang else "")),
        ("Translator", own(found.translator)),
        ("Source", "kept, never shown (Q8)" if found.source else "missing"),
        ("Archive", found.archive),
        ("Contains", own(found.contains)),
        ("Ideology", own(found.ideology)),
        ("Group", own(found.group)),
        ("Kept away from", ", ".join(found.speaker_dates)),
        ("File", approval.file_of(visit.app, found)),
    ]
    return [(name, text) for name, text in facts if text]


WAYS: Final = (
    view("/quotes", quotes),
    view("/quotes/{slug}", quote),
    view("/quotes/{slug}/renderings/{name}", rendering),
    act("/quotes/{slug}/submit", submit, roles=EVERYBODY),
    act("/quotes/{slug}/verify", verify, roles=VERIFIERS),
    act("/quotes/{slug}/approve", approve, roles=APPROVERS),
    act("/quotes/{slug}/reject", reject, roles=(*VERIFIERS, *APPROVERS)),
)
