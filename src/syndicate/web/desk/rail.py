"""What stands beside every page: clock, ways, channels, the hold. Reads only, and never a row for each delivery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from syndicate.store import board
from syndicate.store.marks import FENCE
from syndicate.web.desk import queue

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.store.board import Traffic
    from syndicate.store.holds import Hold
    from syndicate.web.desk.visit import Visit

# Path, name, and the key that leads there after `g`. Those whose page is not there stand in no rail: see `frame.PAGES`.
NAV: Final = (
    ("", "Today", "t"),
    ("/calendar", "Calendar", "c"),
    ("/quotes", "Quotes", "q"),
    ("/briefs", "Briefs", "b"),
    ("/editions", "Editions", "e"),
    ("/deliveries", "Deliveries", "d"),
    ("/settings", "Settings", "s"),
)
FOLLOWS: Final = "from the desk, reason to follow"  # the reason of a hold that nobody has given one yet


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One way to a page."""

    path: str
    name: str
    key: str  # pressed after `g`
    here: bool
    badge: int = 0  # decisions that wait there
    badge_says: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelState:
    """One channel in a word."""

    name: str
    shape: str  # as paper/_shapes draws it
    word: str
    title: str  # the same, at length


@dataclass(frozen=True, kw_only=True, slots=True)
class Rail:
    """All of it."""

    entries: tuple[Entry, ...]
    channels: tuple[ChannelState, ...]
    stopped: Hold | None  # the hold on everything
    reason_wanted: bool  # it has none yet
    fenced: bool  # it is the instance's own, which `syndicate claim` lifts
    others: tuple[Hold, ...]
    targets: tuple[str, ...]  # what else can be held by name


def facts(visit: Visit, here: str) -> Rail:
    """The rail of one page."""
    app = visit.app
    holds = app.holds.list()
    stopped = next((hold for hold in holds if hold.target == "all"), None)
    with app.store.read() as connection:
        traffic = {name: board.traffic(connection, name) for name in app.channels}
    uncertain = sum(one.uncertain for one in traffic.values())
    badges = {
        "/quotes": (queue.waiting(visit), "waiting for approval"),
        "/deliveries": (uncertain, "uncertain"),
    }
    return Rail(
        entries=tuple(
            Entry(
                path=path,
                name=name,
                key=key,
                here=path == here,
                badge=badges.get(path, (0, ""))[0],
                badge_says=badges.get(path, (0, ""))[1],
            )
            for path, name, key in NAV
            if path in visit.desk.pages
        ),
        channels=tuple(_state(visit, name, one, holds) for name, one in traffic.items()),
        stopped=stopped,
        reason_wanted=stopped is not None and stopped.reason == FOLLOWS,
        fenced=stopped is not None and stopped.who == FENCE,
        others=tuple(hold for hold in holds if hold.target != "all"),
        targets=tuple(name for name in targets(app) if name not in {hold.target for hold in holds}),
    )


def targets(app: App) -> tuple[str, ...]:
    """What can be held by its name: quotes, each channel, each newsletter."""
    return ("quotes", *app.channels, *app.settings.newsletters)


def _state(visit: Visit, name: str, seen: Traffic, holds: Sequence[Hold]) -> ChannelState:
    zone, app = visit.zone, visit.app
    held = next((hold for hold in holds if hold.target in {"all", name}), None)
    if held:
        return ChannelState(name=name, shape="hold", word="held", title=f"{held.target} is on hold")
    if seen.uncertain:
        return ChannelState(
            name=name, shape="uncertain", word=f"{seen.uncertain:,} to settle", title="uncertain deliveries wait for a word"
        )
    if seen.sending:
        return ChannelState(name=name, shape="sending", word="sending", title="something is on the wire")
    if seen.deferred and seen.deferred > visit.now:
        until = f"{seen.deferred.astimezone(zone):%H:%M}"
        return ChannelState(
            name=name, shape="deferred", word=f"until {until}", title=f"it asked to wait; tries again at {until}"
        )
    kind = "outbox" if app.channels[name].kind == "outbox" else "open"
    return ChannelState(
        name=name,
        shape="sent",
        word=kind,
        title="nothing stops it" if kind == "open" else "what it takes stays on this machine",
    )
