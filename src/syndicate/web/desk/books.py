"""The books of an edition as the desk draws them: the equation, a meter, how fast it goes. Decides, and reads nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from syndicate.model import OPEN_STATES, State

if TYPE_CHECKING:
    from syndicate.store.board import Sent
    from syndicate.web.desk.pace import Going, Pace
    from syndicate.web.desk.recount import Check

TERMS: Final = (State.SENT, State.FAILED, State.SUPPRESSED, State.UNCERTAIN, State.CANCELLED)
_TONES: Final = {State.FAILED: "bad", State.UNCERTAIN: "ask"}
_FILLS: Final = {
    State.SENT: "f-sent",
    State.SUPPRESSED: "f-mute",
    State.CANCELLED: "f-mute",
    State.FAILED: "f-bad",
    State.UNCERTAIN: "f-ask",
}
_WIDTH: Final = 1000  # of the meter, in its own units
_SEEN: Final = 3  # the least width of a state that is there at all


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """A part of the meter."""

    fill: str
    x: float
    width: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Books:
    """The books of one edition, or of one of its sendings."""

    edition: int
    title: str  # "digest no. 12"
    began: datetime
    terms: tuple[tuple[str, int, str], ...]  # word, number, tone
    audience: int
    open: int
    open_says: str  # "15,041 pending, 28 claimed"
    meter: tuple[Stretch, ...]
    held: str  # the hold that stops it
    going: Going | None
    check: Check | None  # the recount; None while it is made


def of(
    sent: Sequence[Sent],
    holds: Collection[str],
    channel: str,
    pace: Pace | None,
    now: datetime,
    check: Check | None = None,
) -> Books:
    """The books of all ``sent`` together. ``pace``: remember what is seen, and say how fast it goes."""
    states: Counter[State] = Counter()
    for one in sent:
        states.update(one.states)
    first = sent[0]
    audience, still = sum(states.values()), sum(states[state] for state in OPEN_STATES)
    began = min(one.due for one in sent)
    targets = {"all", channel, first.newsletter, f"edition:{first.edition}"}
    held = next((target for target in holds if target in targets), "")
    going = pace.saw(first.edition or 0, audience - still, still, began, now) if pace and still and not held else None
    return Books(
        edition=first.edition or 0,
        title=f"{first.newsletter} no. {first.number}",
        began=began,
        terms=tuple((str(state), states[state], _TONES.get(state, "") if states[state] else "") for state in TERMS),
        audience=audience,
        open=still,
        open_says=", ".join(f"{states[state]:,} {state}" for state in OPEN_STATES if states[state]),
        meter=_meter(states, audience),
        held=held,
        going=going,
        check=check,
    )


def _meter(states: Counter[State], audience: int) -> tuple[Stretch, ...]:
    """Each state its share; what is small and matters is drawn wide enough to be seen."""
    found: list[Stretch] = []
    x = 0.0
    for state, fill in _FILLS.items():
        if states[state]:
            width = round(max(_SEEN, _WIDTH * states[state] / audience), 2)
            found.append(Stretch(fill=fill, x=round(x, 2), width=width))
            x += width
    return tuple(found)
