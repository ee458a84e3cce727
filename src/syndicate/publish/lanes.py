"""Mail in hand: the duties of one channel are claimed here and dealt out to its connections, a lane for each.

Slices are small, so that no connection is left idle, and what is urgent passes what waits. Sends nothing itself.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from syndicate.failpoint import fail_at
from syndicate.publish.exchange import Exchange
from syndicate.publish.lane import Lane
from syndicate.store.breaker import Breaker
from syndicate.store.claims import Claimed
from syndicate.store.duties import Duty, Result
from syndicate.store.pace import Pace

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.channels import RunChannel

SLICE: Final = 25  # duties dealt to a lane at once
PER_LANE: Final = 8  # duties that wait for each further connection
RESERVED: Final = 4  # one connection in so many takes short slices, so that it is soon free for what is urgent
LOOK_SECONDS: Final = 1.0  # between looks for what is urgent, while there is enough in hand
_STEP_SECONDS: Final = 0.1  # between looks whether the program is to end


@dataclass(frozen=True, kw_only=True, slots=True)
class Office:
    """What the lanes of one channel share."""

    app: App
    channel: RunChannel
    place: int  # the channel's
    breaker: Breaker  # of its host
    now: Callable[[], datetime]
    stopping: Callable[[], bool]  # whether the program is to end
    settled: Callable[[Result], None]  # told of each result that is on the disk


class Dealer:
    """Claims duties and deals them out: ``work`` in a thread of its own, ``deal`` in those of the lanes."""

    def __init__(self, office: Office) -> None:
        """Claim nothing yet."""
        self._office = office
        channel = office.channel
        self._pace = Pace(per_second=channel.per_second, domains=channel.domains, ceilings=tuple(channel.ceilings))
        self._most = channel.connections
        self._news = threading.Condition()
        self._hand: deque[Duty] = deque()  # claimed, dealt to nobody
        self._dealt = 0  # duties that lanes have not settled yet
        self._idle = 0  # lanes that wait for duties
        self._over = False
        self._dry = False  # all that is due is in hand: it is shared out evenly
        self._lanes: dict[Future[None], int] = {}
        self._exchange = Exchange(office, self.settled)

    def work(self, threads: ThreadPoolExecutor) -> None:
        """Until nothing is runnable, the breaker opens or the program ends; every lane has ended then.

        Raises
        ------
        StoreError
            The database failed; what was in hand is as after a crash.
        """
        try:
            while not self._ends() and self._turn(threads):
                pass
        finally:
            self.halt()
            errors = [error for lane in list(self._lanes) if (error := lane.exception()) is not None]
        if errors:
            raise errors[0]
        self._office.app.ledger.give_back(list(self._hand), self._office.now())

    def deal(self, most: int, *, wait: bool) -> list[Duty]:
        """Up to ``most`` duties, the most urgent first. ``wait``: until there is one; none then means that the run is over."""
        with self._news:
            if wait and not self._hand and not self._over:
                self._idle += 1
                self._news.notify_all()
                self._news.wait_for(lambda: self._hand or self._over)
                self._idle -= 1
            share = max(1, len(self._hand) // max(1, len(self._lanes))) if self._dry else most
            found = [] if self._over else [self._hand.popleft() for _ in range(min(most, share, len(self._hand)))]
            self._dealt += len(found)
            if len(self._hand) < SLICE:
                self._news.notify_all()
            return found

    @property
    def over(self) -> bool:
        """Whether it deals no more."""
        return self._over

    def settled(self, n: int) -> None:
        """So many of those dealt are settled, or given back."""
        with self._news:
            self._dealt -= n
            if not self._dealt:
                self._news.notify_all()

    def halt(self) -> None:
        """Deal no more."""
        with self._news:
            self._over = True
            self._news.notify_all()

    # -- the dealer's own thread --------------------------------------------------------------------

    def _ends(self) -> bool:
        for lane in [lane for lane in self._lanes if lane.done()]:
            if lane.exception() is not None:
                return True
            del self._lanes[lane]
            self._most = max(1, self._most - 1)  # it could not connect: the others go on without it
        return self._over or self._office.stopping() or self._office.breaker.open_until(self._office.now()) is not None

    def _turn(self, threads: ThreadPoolExecutor) -> bool:
        """Claim, deal, wait for news; ``False`` when there is nothing left to do."""
        with self._news:
            waiting, dealt = len(self._hand), self._dealt
        most = SLICE * self._most
        if self._office.breaker.half_open:
            most = 0 if waiting or dealt else 1
        full = waiting * 2 >= most
        found = self._claim(most, urgent=full) if most else Claimed(duties=())
        self._dry = dry = len(found.duties) < most
        with self._news:
            if not (self._hand or self._dealt or found.duties or found.again):
                return False
        self._open(threads)
        seconds = LOOK_SECONDS
        if found.again is not None:
            seconds = min(seconds, max(0.0, (found.again - self._office.now()).total_seconds()))
        self._rest(seconds, low=0 if dry and not full else SLICE)
        return True

    def _claim(self, most: int, *, urgent: bool) -> Claimed:
        with self._news:
            in_hand = len(self._hand) + self._dealt
        office = self._office
        found = office.app.ledger.claim_at(office.place, office.now(), most, pace=self._pace, in_hand=in_hand, urgent=urgent)
        fail_at("runtime.after_claim")
        with self._news:
            self._hand.extend(found.duties)
            if any(duty.priority for duty in found.duties):
                self._hand = deque(sorted(self._hand, key=lambda duty: -duty.priority))
            self._news.notify_all()
        return found

    def _open(self, threads: ThreadPoolExecutor) -> None:
        """As many lanes as what is in hand is worth."""
        with self._news:
            waiting, busy = len(self._hand), len(self._lanes) - self._idle
        wanted = min(self._most, busy + max(1, waiting // PER_LANE)) if waiting else 0
        while len(self._lanes) < wanted:
            number = min(set(range(len(self._lanes) + 1)) - set(self._lanes.values()))
            lane = Lane(self._office, self, self._exchange, brief=number % RESERVED == RESERVED - 1)
            self._lanes[threads.submit(lane.work)] = number

    def _rest(self, seconds: float, *, low: int) -> None:
        """Until fewer than ``low`` are in hand, nothing is in hand or dealt, or the time is over."""
        give_up = time.monotonic() + seconds
        with self._news:
            while not self._over and (self._dealt or self._hand or seconds < LOOK_SECONDS) and not len(self._hand) < low:
                left = give_up - time.monotonic()
                if left <= 0 or self._office.stopping() or any(lane.done() for lane in self._lanes):
                    return
                self._news.wait(min(left, _STEP_SECONDS))
