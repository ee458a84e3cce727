"""Whether the books of an edition are true: its rows counted anew beside the page, and laid beside the tallies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from syndicate.store import board

if TYPE_CHECKING:
    from syndicate.store.board import Sent
    from syndicate.web.desk.visit import Visit

_MOVES: Final = timedelta(minutes=1)  # how old the recount of what still moves may be
_RESTS: Final = timedelta(days=1)  # of what is closed, as long as its tallies are the same


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """What a recount found."""

    at: datetime
    kept: bool  # False: the rows are forgotten, and totals alone are left
    differs: tuple[tuple[str, int, int], ...]  # state, as tallied, rows; empty: audience is the sum of its terms


def checked(visit: Visit, edition: int, sent: Sequence[Sent]) -> Check | None:
    """The newest recount of an edition; ``None`` while the first is made."""
    keys = [one.key for one in sent]
    moves = any(one.open for one in sent)
    stamp = None if moves else tuple(sorted((one.key, state, n) for one in sent for state, n in one.states.items()))

    def count() -> dict[str, tuple[int, int]] | bool:
        with visit.app.store.read() as connection:
            found = board.recount(connection, keys)
        return False if found is None else found

    made = visit.counted(f"recount:{edition}", count, fresh=_MOVES if moves else _RESTS, stamp=stamp)
    if made.at is None or made.value is None or made.stamp != stamp:
        return None
    found = made.value if isinstance(made.value, dict) else {}
    differs = tuple((state, tallied, rows) for state, (tallied, rows) in sorted(found.items()) if tallied != rows)
    return Check(at=made.at, kept=made.value is not False, differs=differs)
