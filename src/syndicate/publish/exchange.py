"""Results against intents, for all connections of a channel at once: who asks first asks for the others as well.

One transaction holds what the connections have to report and what each will send in the next moment. Sends nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from syndicate.failpoint import fail_at
from syndicate.store.duties import Duty, Result

if TYPE_CHECKING:
    from syndicate.publish.lanes import Office


@dataclass(frozen=True, kw_only=True, slots=True)
class _Offer:
    """What one connection puts into a transaction."""

    results: Sequence[Result]
    wanted: Mapping[str, Duty]  # by key: those whose intent is asked for
    again: Sequence[Duty]  # of them: those whose older intent is taken back first


class Hand:
    """What one connection has in hand. Its own thread uses it, and the one that exchanges for all."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._lock = threading.Lock()
        self._duties: dict[str, Duty] = {}  # by key, in the order taken, until something is told of it
        self._doubtful: set[str] = set()  # of them: those whose intent is recorded
        self._results: list[Result] = []  # not recorded yet
        self._news: dict[str, float] = {}  # intents decided along with another connection's (channels.Run.meanwhile)
        self._asked: Sequence[str] = ()  # it waits for these intents
        self._most = 0  # that may be in doubt at once

    def take(self, key: str, duty: Duty) -> None:
        """One more, the last to leave."""
        with self._lock:
            self._duties[key] = duty

    def part(self, key: str) -> tuple[Duty, bool]:
        """Something is told of it: the duty, and whether its intent is recorded."""
        with self._lock:
            doubtful = key in self._doubtful
            self._doubtful.discard(key)
            self._news.pop(key, None)
            return self._duties.pop(key), doubtful

    def report(self, *results: Result) -> int:
        """Keep results until the next transaction; how many there are."""
        with self._lock:
            self._results += results
            return len(self._results)

    def reported(self) -> list[Result]:
        """The results that wait; they are the caller's now."""
        with self._lock:
            results, self._results = self._results, []
            return results

    def left(self) -> list[str]:
        """The keys of all of which nothing was told."""
        with self._lock:
            return list(self._duties)

    def meanwhile(self, most: int) -> Mapping[str, float]:
        """As channels.Run says."""
        self._most = most
        if not self._news:  # nearly always: what comes just now is found the next time
            return {}
        with self._lock:
            news, self._news = self._news, {}
            return news

    def ask(self, keys: Sequence[str]) -> None:
        """It needs these intents now: whoever has the next turn asks for them."""
        with self._lock:
            self._asked = keys

    def wanting(self) -> list[str]:
        """Those it asked for that are not decided yet."""
        with self._lock:
            return [key for key in self._asked if key not in self._news]

    def granted(self) -> set[str]:
        """Those it asked for that were granted."""
        with self._lock:
            keys, self._asked = self._asked, ()
            return {key for key in keys if self._news.pop(key)}

    def offer(self) -> _Offer:
        """Its results, and what it asked for or sends next: of that no more than may be in doubt at once."""
        results, asked = self.reported(), self.wanting()
        with self._lock:
            room = max(0, self._most - len(self._doubtful))
            open_ = (key for key in self._duties if key not in self._doubtful and key not in self._news)
            wanted = {key: self._duties[key] for key in asked or islice(open_, room)}
            again = [duty for key, duty in wanted.items() if key in self._doubtful]
        return _Offer(results=results, wanted=wanted, again=again)

    def answer(self, offer: _Offer, granted: set[tuple[int, int]], at: float) -> None:
        """What became of an offer; a duty of which something was told meanwhile is in this hand no more."""
        with self._lock:
            for key in offer.wanted.keys() & self._duties.keys():
                duty = offer.wanted[key]
                has = (duty.sending, duty.place) in granted
                (self._doubtful.add if has else self._doubtful.discard)(key)
                self._news[key] = at if has else 0.0


class Exchange:
    """The dealings of all connections of one channel with the ledger."""

    def __init__(self, office: Office, settled: Callable[[int], None]) -> None:
        """``settled`` is told how many results are on the disk."""
        self._office = office
        self._settled = settled
        self._hands: tuple[Hand, ...] = ()
        self.turn = threading.Lock()  # one transaction at a time; who holds it sees none half done

    def join(self) -> Hand:
        """One more connection."""
        hand = Hand()
        with self.turn:
            self._hands += (hand,)
        return hand

    def leave(self, hand: Hand) -> None:
        """It works no more: nothing is asked for it from now on."""
        with self.turn:
            self._hands = tuple(other for other in self._hands if other is not hand)

    def intend(self, hand: Hand, keys: Sequence[str]) -> set[str]:
        """Have these intents of ``hand`` recorded; returns those granted. All hands' results go along, and what leaves next.

        Raises
        ------
        StoreError
            The database does not take it.
        """
        hand.ask(keys)
        with self.turn:
            if hand.wanting():  # and the transaction that was waited for did not decide it
                self._transact()
            return hand.granted()

    def _transact(self) -> None:
        office = self._office
        offers = [(hand, hand.offer()) for hand in self._hands]
        results = [result for _, offer in offers for result in offer.results]
        if results:
            fail_at("lane.before_settle")
        try:
            granted = office.app.ledger.exchange(
                results,
                [duty for _, offer in offers for duty in offer.wanted.values()],
                office.app.now(),
                back=[duty for _, offer in offers for duty in offer.again],
                counted=office.channel.name if office.channel.ceilings else "",
            )
        except BaseException:
            for hand, offer in offers:
                hand.report(*offer.results)
            raise
        fail_at("lane.after_intent")
        at = time.monotonic()
        for hand, offer in offers:
            hand.answer(offer, granted, at)
        self.report(results)

    def report(self, results: Sequence[Result]) -> None:
        """These are on the disk."""
        for result in results:
            self._office.settled(result)
        if results:
            self._settled(len(results))
