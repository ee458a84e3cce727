"""One connection's share of the mail: its duties, their messages, intents and results. The channel sends.

Results of the last group and intents of the next are committed together, and with those of the other lanes, so that
after a crash no more than one group of each is in doubt. What is claimed and not begun is given back.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from syndicate.errors import Refused, Uncertain, Unreachable
from syndicate.failpoint import fail_at
from syndicate.model import Amendment, Parcel, Receipt, Removal
from syndicate.publish import outcomes, second_look, splicing
from syndicate.publish.effect import Doing
from syndicate.store.duties import Duty, Result

if TYPE_CHECKING:
    from syndicate.publish.exchange import Exchange
    from syndicate.publish.lanes import Dealer, Office

SLICE: Final = 25  # messages made at once, and results kept at most
BRIEF_SECONDS: Final = 0.25  # a reserved lane is free again after about this time
_Make: TypeAlias = Callable[[], tuple[str, Doing] | Exception]
BRIEF: Final = 2  # the least that a reserved lane takes: one to send and one to send along with it


class Lane:
    """What a run channel is handed for one connection (channels.Run)."""

    def __init__(self, office: Office, dealer: Dealer, exchange: Exchange, *, brief: bool) -> None:
        """``brief``: take few duties at a time."""
        self._office = office
        self._dealer = dealer
        self._exchange = exchange
        self._brief = brief
        self._last = (0.0, 0)  # when a reserved lane last took duties, and how many
        self._unmade: deque[tuple[Duty, _Make]] = deque()  # whose turn has not come
        self._hand = exchange.join()
        self._back: list[Duty] = []  # to be given back
        self._unsaid: list[Duty] = []  # those of them whose intent was recorded: nothing of them has left

    def work(self) -> None:
        """Let the channel work until the run is over; then settle what is left."""
        try:
            self._office.channel.send_run(self)
        finally:
            self._exchange.leave(self._hand)
        self._back += [duty for duty, _ in self._unmade]
        self._unmade.clear()
        self._back += [self._hand.part(key)[0] for key in self._hand.left()]
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
        """Results so far and these intents, in one commit with those of the other lanes."""
        return self._exchange.intend(self._hand, keys)

    def meanwhile(self, most: int) -> Mapping[str, float]:
        """What was decided when another lane asked."""
        return self._hand.meanwhile(most)

    def tell(self, key: str, outcome: Receipt | Exception | None) -> None:
        """Keep a result until the next commit; a host that fails again and again is left alone."""
        if outcome is None:
            self._hand_back(key)
            return
        duty, _ = self._hand.part(key)
        waiting = self._hand.report(outcomes.outcome(self._office.app, self._office.channel, duty, outcome))
        breaker = self._office.breaker
        if not isinstance(outcome, Unreachable | Uncertain):
            breaker.worked()
        elif breaker.failed(self._office.now()):
            self._dealer.halt()
        if waiting >= SLICE:
            self._flush()

    def _hand_back(self, key: str) -> None:
        """Nothing of it has left; its intent may be on its way to the disk just now, at another lane's asking."""
        with self._exchange.turn:
            duty, intended = self._hand.part(key)
        self._back.append(duty)
        if intended:
            self._unsaid.append(duty)

    def stopping(self) -> bool:
        """Whether the program is to end, or the host to be left alone."""
        return self._office.stopping() or self._dealer.over

    def _look(self, duties: Sequence[Duty]) -> None:
        """A second look at what was dealt; what may go on is to be made."""
        app = self._office.app
        wanted, lapsed = second_look.sort(app, duties, self._office.app.now())
        self._hand.report(*lapsed)
        editions = splicing.makers(app, [duty for duty in wanted if duty.kind == "edition"])
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
            self._hand.report(outcomes.failure(duty, made, self._office.app.now()))
        elif not isinstance(made[1], Removal | Amendment):
            self._hand.take(made[0], duty)
            return [(made[0], made[1])]
        return []

    def _flush(self) -> None:
        """Settle what is known, and give back what was not begun."""
        results = self._hand.reported()
        if results:
            fail_at("lane.before_settle")
            self._settle(results)
            self._exchange.report(results)
        if self._back:
            office = self._office
            office.app.ledger.give_back(self._back, office.app.now(), back=self._unsaid)
            self._dealer.settled(len(self._back))
            self._back, self._unsaid = [], []

    def _settle(self, results: Sequence[Result]) -> None:
        self._office.app.ledger.settle(results, self._office.app.now())


def _already(made: tuple[str, Doing] | Exception) -> _Make:
    """For what needs no making any more."""
    return lambda: made
