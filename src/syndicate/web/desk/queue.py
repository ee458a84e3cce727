"""The pool of quotes between its two people: counted once for the queue and for the badge beside it. Shows no words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from syndicate.publish import approval, dailyquote
from syndicate.store import board

if TYPE_CHECKING:
    from datetime import datetime

    from syndicate.app import App
    from syndicate.publish.approval import Standing
    from syndicate.web.desk.counting import Counted
    from syndicate.web.desk.visit import Visit

_ANEW: Final = timedelta(minutes=5)  # an embargo ends without anybody doing anything


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """One quote of the pool, in our own words."""

    slug: str
    kind: str
    speaker: str
    said: str  # the date as the quote gives it
    standing: Standing
    refused: str  # the gate's rule and sentence; "" where it admits the quote

    @property
    def waits(self) -> bool:
        """Whether somebody has to decide."""
        return bool(self.standing.waits_for) and not self.standing.rejected and not self.refused


def pool(visit: Visit) -> Counted[tuple[Candidate, ...]]:
    """Where each quote stands, of the content, the decisions and the templates of this moment: never of those before."""
    app, now = visit.app, visit.now
    made_from = approval.made_from(app)
    with app.store.read() as connection:
        stamp = (*board.stamp(connection), made_from)
    return visit.counted(f"quotes {stamp}", partial(_made, app, now), fresh=_ANEW)


def waiting(visit: Visit) -> int:
    """How many quotes want a verifier or an approver; 0 while that is counted."""
    if visit.app.settings.quotes.approval == "solo":
        return 0
    return sum(one.waits for one in pool(visit).value or ())


def _made(app: App, now: datetime) -> tuple[Candidate, ...]:
    heard = approval.hear(app)
    return tuple(
        Candidate(
            slug=one.slug,
            kind=str(one.kind),
            speaker=approval.told(app, one, one.speaker or one.place),
            said=one.date,
            standing=approval.standing(app, one, now, heard),
            refused=f"{held.rule}: {held}" if held and held.rule != "Q11" else "",
        )
        for one, held in dailyquote.judged(app, now, heard)
    )
