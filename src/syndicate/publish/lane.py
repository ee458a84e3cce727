"""One connection's share of the mail: its duties, their messages, intents and results. The channel sends.

Results of the last group and intents of the next are committed together, so that after a crash no more than one
group is in doubt. What is claimed and not begun is given back.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from syndicate.errors import Refused, Uncertain, Unreachable
from syndicate.failpoint import fail_at
from syndicate.model import Amendment, Parcel, Receipt, Removal
from syndicate.publish import outcomes, press, second_look
from syndicate.publish.effect import Doing
from syndicate.store.duties import Duty, Result

if TYPE_CHECKING:
    from syndicate.publish.lanes import Dealer, Office

SLICE: Final = 25  # messages made at once, and results kept at most
BRIEF_SECONDS: Final = 0.25  # a reserved lane is free again after about this time
_Make: TypeAlias = Callable[[], tuple[str, Doing] | Exception]
BRIEF: Final = 2  # the least that a reserved lane takes: one to send and one to send along with it


class Lane:
    """What a run channel is handed for one connection (channels.Run)."""

    def __init__(self, office: Office, dealer: Dealer, *, brief: bool) -> None:
        """``brief``: take few duties at a time."""
        self._office = office
        self._dealer = dealer
        self._brief = brief
        self._last = (0.0, 0)  # when a reserved lane last took duties, and how many
        self._duties: dict[str, Duty] = {}  # by key, until something is told of it
        self._unmade: deque[tuple[Duty, _Make]] = deque()  # whose turn has not come
        self._intended: set[str] = set()
        self._results: list[Result] = []
        self._back: list[Duty] = []  # to be given back
        self._unsaid: list[Duty] = []  # those of them whose intent was recorded: nothing of them has left

    def work(self) -> None:
        """Let the channel work until the run is over; then settle what is left."""
        self._office.channel.send_run(self)
        self._back += [duty for duty, _ in self._unmade]
        self._unmade.clear()
        self._back += self._duties.values()
        self._duties.clear()
        self._flush()

    def take(self, most: int, *, wait: bool) -> Sequence[tuple[str, Parcel]]:
        """Messages, made when their turn comes."""
        found: list[tuple[str, Parcel]] = []
        while not found:
            while self._unmade and len(found) < most:
                found += self._finished(*self._unmade.popleft())
            if found:
                break
            size = self._size()
            duties = self._dealer.deal(size, wait=False)
            if not duties and wait:
                self._flush()
                duties = self._dealer.deal(size, wait=True)
            if not duties:
                return ()
            self._look(duties)
        return found

    def _size(self) -> int:
        """A reserved lane takes what it is done with in a moment."""
        now = time.monotonic()
        if not self._brief:
            return SLICE
        if self._last[1]:
            each = max(1e-6, (now - self._last[0]) / self._last[1])
            size = max(BRIEF, min(SLICE, int(BRIEF_SECONDS / each)))
        else:
            size = BRIEF
        self._last = (now, size)
        return size

    def intend(self, keys: Sequence[str]) -> set[str]:
        """Results so far and these intents, in one commit."""
        duties = {key: self._duties[key] for key in keys}
        again = [duty for key, duty in duties.items() if key in self._intended]
        results = self._taken()
        office = self._office
        granted = office.app.ledger.exchange(
            results,
            list(duties.values()),
            office.app.now(),
            back=again,
            counted=office.channel.name if office.channel.ceilings else "",
        )
        fail_at("lane.after_intent")
        self._report(results)
        found = {key for key, duty in duties.items() if (duty.sending, duty.place) in granted}
        self._intended = (self._intended - duties.keys()) | found
        return found

    def tell(self, key: str, outcome: Receipt | Exception | None) -> None:
        """Keep a result until the next commit; a host that fails again and again is left alone."""
        duty = self._duties.pop(key)
        if outcome is None:
            self._back.append(duty)
            if key in self._intended:
                self._unsaid.append(duty)
        else:
            self._results.append(outcomes.outcome(self._office.app, self._office.channel, duty, outcome))
        self._intended.discard(key)
        breaker = self._office.breaker
        if isinstance(outcome, Unreachable | Uncertain):
            if breaker.failed(self._office.now()):
                self._dealer.halt()
        elif outcome is not None:
            breaker.worked()
        if len(self._results) >= SLICE:
            self._flush()

    def stopping(self) -> bool:
        """Whether the program is to end, or the host to be left alone."""
        return self._office.stopping() or self._dealer.over

    def _look(self, duties: Sequence[Duty]) -> None:
        """A second look at what was dealt; what may go on is to be made."""
        app = self._office.app
        wanted, lapsed = second_look.sort(app, duties, self._office.app.now())
        self._results += lapsed
        editions = press.makers(app, [duty for duty in wanted if duty.kind == "edition"])
        others = outcomes.compose(app, [duty for duty in wanted if duty.kind != "edition"])
        going = set()
        for duty in wanted:
            where = (duty.sending, duty.place)
            made = others.get(where) or Refused("nothing to send")
            self._unmade.append((duty, editions.get(where) or _already(made)))
            going.add(where)
        gone = {(result.duty.sending, result.duty.place) for result in lapsed}
        self._back += [duty for duty in duties if (duty.sending, duty.place) not in going | gone]

    def _finished(self, duty: Duty, make: _Make) -> list[tuple[str, Parcel]]:
        """The message of a duty whose turn has come; none where it cannot be made."""
        made = make()
        if isinstance(made, Exception):
            self._results.append(outcomes.failure(duty, made, self._office.app.now()))
        elif not isinstance(made[1], Removal | Amendment):
            self._duties[made[0]] = duty
            return [(made[0], made[1])]
        return []

    def _taken(self) -> list[Result]:
        if self._results:
            fail_at("lane.before_settle")
        results, self._results = self._results, []
        return results

    def _flush(self) -> None:
        """Settle what is known, and give back what was not begun."""
        office, results = self._office, self._taken()
        if results:
            self._settle(results)
            self._report(results)
        if self._back:
            office.app.ledger.give_back(self._back, office.app.now(), back=self._unsaid)
            self._dealer.settled(len(self._back))
            self._back, self._unsaid = [], []

    def _settle(self, results: Sequence[Result]) -> None:
        self._office.app.ledger.settle(results, self._office.app.now())

    def _report(self, results: Sequence[Result]) -> None:
        for result in results:
            self._office.settled(result)
        if results:
            self._dealer.settled(len(results))


def _already(made: tuple[str, Doing] | Exception) -> _Make:
    """For what needs no making any more."""
    return lambda: made
