"""Runs what the ledger says is due: one worker per channel, and its connections, until nothing is runnable.

At start and at each tick it asks the ledger, so that there is no queue to lose. A parcel is made
after its duty is claimed, its intent is committed before the first byte that could take effect,
and its result is settled compare-and-set.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from syndicate.channels import Channel, RunChannel
from syndicate.errors import DeliveryError, Refused, SyndicateError, Throttled, Uncertain, Unreachable
from syndicate.failpoint import fail_at
from syndicate.log import logger
from syndicate.model import Receipt, Removal, State
from syndicate.publish import effect, messages, outcomes, second_look, vigil, websub
from syndicate.publish.lanes import SLICE, Dealer, Office
from syndicate.publish.outcomes import LOOKS, UNREACHABLE, compose
from syndicate.store.breaker import Breaker
from syndicate.store.duties import Duty, Result
from syndicate.store.subscribers import place_key

if TYPE_CHECKING:
    from syndicate.app import App

T = TypeVar("T")

LINES: Final = 25  # of the log for sent parcels in a second; those beyond are counted


@dataclass(slots=True)
class Counts:
    """What a drain did, by state."""

    states: dict[State, int]
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, state: State) -> None:
        """Count one settled duty. Any thread may."""
        with self._lock:
            self.states[state] = self.states.get(state, 0) + 1


class Runtime:
    """Workers over one publication."""

    def __init__(self, app: App) -> None:
        """Start no thread yet."""
        self._app = app
        lanes = sum(channel.connections for channel in app.channels.values() if isinstance(channel, RunChannel))
        self._pool = ThreadPoolExecutor(max_workers=len(app.channels) + lanes + 1, thread_name_prefix="channel")
        self._running: dict[str, Future[None]] = {}
        self._pinging: Future[None] | None = None  # tells hubs of changed feeds
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._began = (app.now(), time.monotonic())
        self._lines = _Lines()
        self.stopped: set[str] = set()  # channels whose last worker lost the database
        self.counts = Counts(states={})

    def recover(self) -> int:
        """Once, at the start of a run: take back leases, and ask each channel about what a crash left in doubt."""
        returned = self._app.ledger.recover(self._app.now())
        for channel in self._app.channels.values():
            self._look(channel, crashed=True)
        return returned

    def kick(self) -> None:
        """Wake a worker for every channel that has none. Returns at once."""
        with self._lock:
            for name, channel in self._app.channels.items():
                if name not in self._running or self._running[name].done():
                    self._running[name] = self._pool.submit(self._work, channel)
            if self._pinging is None or self._pinging.done():
                self._pinging = self._pool.submit(self._ping)

    def drain(self) -> None:
        """Run until nothing that is due now is left."""
        self.kick()
        for future in [*self._running.values(), *([self._pinging] if self._pinging else [])]:
            future.result()
        self._app.ledger.finish()

    def stop(self) -> None:
        """Let every worker finish the parcel in its hands and settle it, then end."""
        self._stop.set()
        wait(self._running.values())  # one of them may be about to open a lane: the pool must take it
        self._pool.shutdown(wait=True)
        self._app.ledger.finish()

    def _ping(self) -> None:
        try:
            websub.ping(self._app, self._stop.is_set)
        except (SyndicateError, OSError) as error:
            logger().error("pings_stopped", error=str(error))

    def _work(self, channel: Channel) -> None:
        try:
            place = self._app.store.write(lambda connection: place_key(connection, "account", channel.name))
            if channel.name in self.stopped:
                self._app.ledger.recover(self._app.now(), place)
            # No other worker serves this channel: what stands on the wire now was left there, by a crash or behind a hold.
            self._look(channel, crashed=True)
            self.stopped.discard(channel.name)
            breaker = Breaker(self._app.store, channel.host if isinstance(channel, RunChannel) else channel.name)
            if isinstance(channel, RunChannel):
                Dealer(self._office(channel, place, breaker)).work(self._pool)
            else:
                self._one_by_one(channel, place, breaker)
                vigil.watch(self._app, channel, self._app.now())
            self._app.ledger.finish()
        except SyndicateError as error:
            self.stopped.add(channel.name)  # what it had in hand is as after a crash
            logger().error("channel_stopped", channel=channel.name, error=str(error))
        except Exception as error:  # noqa: BLE001 - nobody reads a worker's future: a bug must not be silent
            self.stopped.add(channel.name)
            logger().exception("channel_stopped", channel=channel.name, error=type(error).__name__)
        self._lines.rest(channel.name)

    def _office(self, channel: RunChannel, place: int, breaker: Breaker) -> Office:
        return Office(
            app=self._app,
            channel=channel,
            place=place,
            breaker=breaker,
            now=self._moment,
            stopping=self._stop.is_set,
            settled=self._told,
        )

    def _moment(self) -> datetime:
        """Now; where a pretended time stands still, that and what has passed since: a rate is no rate without it."""
        began, started = self._began
        now = self._app.now()
        return now if now != began else now + timedelta(seconds=time.monotonic() - started)

    def _one_by_one(self, channel: Channel, place: int, breaker: Breaker) -> None:
        while not self._stop.is_set() and breaker.open_until(self._app.now()) is None:
            duties = self._app.ledger.claim(place, self._app.now(), 1 if breaker.half_open else SLICE)
            fail_at("runtime.after_claim")
            if not duties:
                break
            self._carry(channel, duties, breaker)

    def _carry(self, channel: Channel, duties: Sequence[Duty], breaker: Breaker) -> None:
        """Make, intend, send and settle one slice, up to where the breaker opens."""
        wanted, lapsed = second_look.sort(self._app, duties, self._app.now())
        for result in lapsed:
            self._settle(result)
        made = compose(self._app, wanted)
        for duty in wanted:
            parcel = made.get((duty.sending, duty.place))
            if isinstance(parcel, Exception) or parcel is None:
                self._settle(outcomes.failure(duty, parcel or Refused("nothing to send"), self._app.now()))
                continue
            if self._stop.is_set() or not self._intend([duty], [parcel[0]]):
                continue
            found = attempt(lambda parcel=parcel: effect.act(channel, parcel[1], parcel[0]))  # type: ignore[misc]
            result = outcomes.outcome(self._app, channel, duty, found)
            self._settle(result)
            if result.code != UNREACHABLE:
                breaker.worked()
            elif breaker.failed(self._app.now()):
                logger().warning("channel_rested", channel=channel.name, error=result.detail)
                break
        # What was claimed and not begun is pending again; for the others this changes nothing.
        self._app.ledger.give_back(duties, self._app.now())

    def _intend(self, duties: Sequence[Duty], keys: Sequence[str]) -> set[str]:
        granted = self._app.ledger.intend(duties, self._app.now())
        fail_at("runtime.after_intent")
        return {key for key, duty in zip(keys, duties, strict=True) if (duty.sending, duty.place) in granted}

    def _settle(self, result: Result) -> None:
        fail_at("runtime.before_settle")
        self._app.ledger.settle([result], self._app.now())
        self._told(result)

    def _told(self, result: Result) -> None:
        self.counts.add(result.state)
        if result.state is not State.SENT or self._lines.free(result.duty.channel):
            outcomes.told(result)

    def _look(self, channel: Channel, *, crashed: bool) -> None:
        place = self._app.store.write(lambda connection: place_key(connection, "account", channel.name))
        for duty in self._app.ledger.doubtful(place, self._app.now(), crashed=crashed):
            self._reconcile(channel, duty)

    def _reconcile(self, channel: Channel, duty: Duty) -> None:
        """Ask the network whether an uncertain parcel has left; adopt it, send it again, or leave it to a person."""
        now = self._app.now()
        made = compose(self._app, [duty])[duty.sending, duty.place]
        if isinstance(made, Exception):
            self._settle(Result(duty=duty, state=State.UNCERTAIN, code="uncertain", detail=str(made)))
            return
        key, parcel = made
        if isinstance(parcel, Removal):  # deleting again does no harm
            self._settle(Result(duty=duty, state=State.PENDING, not_before=now, code="again", detail="it is deleted again"))
            return
        found = attempt(lambda: effect.ask(channel, parcel, key, duty.intent_at or now))
        if isinstance(found, Receipt):
            self._settle(outcomes.sent(duty, found))
        elif found is None:
            self._settle(Result(duty=duty, state=State.PENDING, not_before=now, code="reconciled", detail="it had not left"))
        elif isinstance(found, Uncertain) and channel.carries == "message":
            self._settle(outcomes.discreet(self._app, messages.unanswered(self._app, duty, found, now)))
        elif isinstance(found, Throttled | Unreachable):
            # The question did not get through: that is no look, and says nothing about the parcel.
            again = found.retry_at if isinstance(found, Throttled) else now + timedelta(seconds=LOOKS[-1])
            self._settle(Result(duty=duty, state=State.UNCERTAIN, not_before=again))
        else:
            looks = self._app.ledger.looks(duty)
            later = now + timedelta(seconds=LOOKS[looks]) if looks < len(LOOKS) else None
            result = Result(duty=duty, state=State.UNCERTAIN, not_before=later, code="uncertain", detail=str(found))
            self._settle(outcomes.discreet(self._app, result))


def attempt(act: Callable[[], T]) -> T | Exception:
    """What ``act`` returns, or the error that says what to do next; a bug in a channel is uncertain, not fatal."""
    try:
        return act()
    except DeliveryError as error:
        return error
    except Exception as error:  # noqa: BLE001 - after an intent, whatever happens must be recorded
        logger().exception("channel_failed", error=type(error).__name__)
        return Uncertain(f"the channel failed with {type(error).__name__}")


class _Lines:
    """How much of the log sent parcels may fill: at full speed it would be the slowest part of sending."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._second = 0
        self._written = 0
        self._more: dict[str, int] = {}

    def free(self, channel: str) -> bool:
        """Whether one more line may be written; else the parcel is counted."""
        with self._lock:
            if int(time.monotonic()) != self._second:
                self._second, self._written = int(time.monotonic()), 0
                self._tell(channel)
            self._written += 1
            if self._written > LINES:
                self._more[channel] = self._more.get(channel, 0) + 1
            return self._written <= LINES

    def rest(self, channel: str) -> None:
        """Say how many were not told of one by one."""
        with self._lock:
            self._tell(channel)

    def _tell(self, channel: str) -> None:
        more = self._more.pop(channel, 0)
        if more:
            logger().info("deliveries_sent", channel=channel, more=more)
