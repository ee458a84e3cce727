"""Runs what the ledger says is due: one worker per channel, until nothing is runnable.

At start and at each tick it asks the ledger, so that there is no queue to lose. A parcel is made
after its duty is claimed, its intent is committed before the first byte that could take effect,
and its result is settled compare-and-set.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from syndicate.channels import Channel, RunChannel
from syndicate.errors import DeliveryError, Refused, SyndicateError, Throttled, Uncertain, Unreachable
from syndicate.failpoint import fail_at
from syndicate.log import logger
from syndicate.model import Amendment, Receipt, Removal, State
from syndicate.publish import correction, effect, errata, messages, posts, second_look, vigil, websub, withdrawal
from syndicate.publish.effect import Doing
from syndicate.store.duties import Duty, Result
from syndicate.store.subscribers import place_key

if TYPE_CHECKING:
    from syndicate.app import App

T = TypeVar("T")

SLICE: Final = 25  # duties claimed at once: more would leave other connections idle
BREAK_AFTER: Final = 5  # transport errors in a row after which a channel rests until the next tick
BACK_OFF: Final = (30, 120, 600, 1800, 3600)  # seconds before the next try
GIVE_UP: Final = timedelta(hours=72)  # after the due time
LOOKS: Final = (30, 120, 600)  # seconds between looks at an uncertain delivery; then a person decides


@dataclass(slots=True)
class Counts:
    """What a drain did, by state."""

    states: dict[State, int]

    def add(self, state: State) -> None:
        """Count one settled duty."""
        self.states[state] = self.states.get(state, 0) + 1


class Runtime:
    """Workers over one publication."""

    def __init__(self, app: App) -> None:
        """Start no thread yet."""
        self._app = app
        self._pool = ThreadPoolExecutor(max_workers=len(app.channels) + 1, thread_name_prefix="channel")
        self._running: dict[str, Future[None]] = {}
        self._pinging: Future[None] | None = None  # tells hubs of changed feeds
        self._stop = threading.Event()
        self._lock = threading.Lock()
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
            while not self._stop.is_set():
                duties = self._app.ledger.claim(place, self._app.now(), SLICE)
                fail_at("runtime.after_claim")
                if not duties or not self._carry(channel, duties):
                    break
            vigil.watch(self._app, channel, self._app.now())
            self._app.ledger.finish()
        except SyndicateError as error:
            self.stopped.add(channel.name)  # what it had in hand is as after a crash
            logger().error("channel_stopped", channel=channel.name, error=str(error))
        except Exception as error:  # noqa: BLE001 - nobody reads a worker's future: a bug must not be silent
            self.stopped.add(channel.name)
            logger().exception("channel_stopped", channel=channel.name, error=type(error).__name__)

    def _carry(self, channel: Channel, duties: Sequence[Duty]) -> bool:
        """Make, intend, send and settle one slice; ``False`` where the channel should rest."""
        wanted, lapsed = second_look.sort(self._app, duties, self._app.now())
        for result in lapsed:
            self._settle(result)
        made = compose(self._app, wanted)
        ready = []
        for duty in wanted:
            parcel = made.get((duty.sending, duty.place))
            if isinstance(parcel, Exception) or parcel is None:
                self._settle(failure(duty, parcel or Refused("nothing to send"), self._app.now()))
            else:
                ready.append((duty, *parcel))
        in_a_row = 0
        for _, outcome in self._outcomes(channel, ready):
            if outcome is None:
                continue
            self._settle(outcome)
            in_a_row = in_a_row + 1 if outcome.state is State.DEFERRED and outcome.code == "unreachable" else 0
            if in_a_row >= BREAK_AFTER:
                logger().warning("channel_rested", channel=channel.name, error=outcome.detail)
                break
        self._give_back(duties)
        return in_a_row < BREAK_AFTER

    def _outcomes(
        self, channel: Channel, ready: Sequence[tuple[Duty, str, Doing]]
    ) -> Iterator[tuple[Duty, Result | None]]:
        by_key = {key: duty for duty, key, _ in ready}
        if isinstance(channel, RunChannel):
            parcels = ((key, parcel) for _, key, parcel in ready if not self._stop.is_set() and not isinstance(parcel, Removal | Amendment))
            for key, outcome in channel.send_run(parcels, lambda keys: self._intend([by_key[key] for key in keys], keys)):
                yield by_key[key], self._result(channel, by_key[key], outcome)
            return
        for duty, key, parcel in ready:
            if self._stop.is_set():
                return
            if not self._intend([duty], [key]):
                yield duty, None
                continue
            yield duty, self._result(channel, duty, attempt(lambda key=key, parcel=parcel: effect.act(channel, parcel, key)))  # type: ignore[misc]

    def _intend(self, duties: Sequence[Duty], keys: Sequence[str]) -> set[str]:
        granted = self._app.ledger.intend(duties, self._app.now())
        fail_at("runtime.after_intent")
        return {key for key, duty in zip(keys, duties, strict=True) if (duty.sending, duty.place) in granted}

    def _result(self, channel: Channel, duty: Duty, outcome: Receipt | Exception | None) -> Result | None:
        if outcome is None:
            return None
        if isinstance(outcome, Receipt):
            return Result(duty=duty, state=State.SENT, remote_id=outcome.remote_id, remote_url=outcome.url)
        if isinstance(outcome, Uncertain) and channel.carries == "message":
            return messages.unanswered(self._app, duty, outcome, self._app.now())
        if isinstance(outcome, Refused) and duty.kind in {"post", "edit"}:
            self._pause(channel, duty, outcome)
        return failure(duty, outcome, self._app.now())

    def _pause(self, channel: Channel, duty: Duty, error: Refused) -> None:
        """A network that refuses a quote gets no other one until an editor has looked (Q19)."""
        if self._app.content.quote(duty.subject) is None:
            return
        reason = f"{channel.name} refused a quote ({error.code or 'no code'}): look at the account before you release it"
        self._app.holds.place(f"quotes:{channel.name}", reason, who="syndicate", now=self._app.now())
        logger().error("quotes_paused", channel=channel.name, item=duty.subject)

    def _settle(self, result: Result) -> None:
        fail_at("runtime.before_settle")
        self._app.ledger.settle([result], self._app.now())
        self.counts.add(result.state)
        log = logger().info if result.state is State.SENT else logger().warning
        facts = {"channel": result.duty.channel, "delivery": f"{result.duty.sending}.{result.duty.place}"}
        if result.not_before:
            facts["retry_at"] = result.not_before.isoformat()
        if result.detail:
            facts["error"] = result.detail
        log(f"delivery_{result.state}", attempt=result.duty.attempt, **facts)

    def _give_back(self, duties: Sequence[Duty]) -> None:
        """What was claimed and not begun is pending again; for the others this changes nothing."""
        self._app.ledger.give_back(duties, self._app.now())

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
            self._settle(Result(duty=duty, state=State.SENT, remote_id=found.remote_id, remote_url=found.url))
        elif found is None:
            self._settle(Result(duty=duty, state=State.PENDING, not_before=now, code="reconciled", detail="it had not left"))
        elif isinstance(found, Uncertain) and channel.carries == "message":
            self._settle(messages.unanswered(self._app, duty, found, now))
        elif isinstance(found, Throttled | Unreachable):
            # The question did not get through: that is no look, and says nothing about the parcel.
            again = found.retry_at if isinstance(found, Throttled) else now + timedelta(seconds=LOOKS[-1])
            self._settle(Result(duty=duty, state=State.UNCERTAIN, not_before=again))
        else:
            looks = self._app.ledger.looks(duty)
            later = now + timedelta(seconds=LOOKS[looks]) if looks < len(LOOKS) else None
            self._settle(Result(duty=duty, state=State.UNCERTAIN, not_before=later, code="uncertain", detail=str(found)))


def compose(app: App, duties: Sequence[Duty]) -> Mapping[tuple[int, int], tuple[str, Doing] | Exception]:
    """The key and the parcel of each duty, or why it cannot be made."""
    return {
        **messages.compose(app, [duty for duty in duties if duty.kind == "edition"]),
        **errata.compose(app, [duty for duty in duties if duty.kind == "notice" and duty.subject.startswith(errata.PREFIX)]),
        **posts.compose(app, [duty for duty in duties if duty.kind == "post"]),
        **correction.compose(app, [duty for duty in duties if duty.kind == "edit"]),
        **withdrawal.compose(app, [duty for duty in duties if duty.kind == "delete"]),
    }


def attempt(act: Callable[[], T]) -> T | Exception:
    """What ``act`` returns, or the error that says what to do next; a bug in a channel is uncertain, not fatal."""
    try:
        return act()
    except DeliveryError as error:
        return error
    except Exception as error:  # noqa: BLE001 - after an intent, whatever happens must be recorded
        logger().exception("channel_failed", error=type(error).__name__)
        return Uncertain(f"the channel failed with {type(error).__name__}")


def failure(duty: Duty, error: Exception, now: datetime) -> Result:
    """What an error means for a duty (errors.py): stop, wait, or find out."""
    if isinstance(error, Uncertain):
        first = now + timedelta(seconds=LOOKS[0])
        return Result(duty=duty, state=State.UNCERTAIN, not_before=first, code=error.code or "uncertain", detail=str(error))
    if isinstance(error, Throttled | Unreachable) and now - duty.due < GIVE_UP:
        code = "unreachable" if isinstance(error, Unreachable) else error.code or "throttled"
        later = error.retry_at if isinstance(error, Throttled) else now + back_off(duty)
        return Result(duty=duty, state=State.DEFERRED, not_before=later, code=code, detail=str(error))
    code = error.code if isinstance(error, DeliveryError) else type(error).__name__
    advice = f" {error.advice}" if isinstance(error, DeliveryError) and error.advice else ""
    return Result(duty=duty, state=State.FAILED, code=code, detail=f"{error}{advice}")


def back_off(duty: Duty) -> timedelta:
    """How long to wait after this attempt: longer each time, spread by a fifth so that duties do not return together."""
    seconds = BACK_OFF[min(duty.attempt, len(BACK_OFF)) - 1]
    digest = hashlib.sha256(f"{duty.sending}.{duty.place}.{duty.attempt}".encode()).digest()
    return timedelta(seconds=seconds * (0.9 + 0.2 * digest[0] / 255))
