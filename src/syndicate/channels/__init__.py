"""Outlets: one file each, found by entry point. Nothing here knows the ledger.

A channel's file holds a frozen settings class, and a class that satisfies ``Channel``. The line
``name = "module:Class"`` under ``[project.entry-points."syndicate.channels"]`` makes it known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

from syndicate.channels.posting import PostingSettings
from syndicate.config.outlets import known
from syndicate.model import Amendment, Finding, Limits, Parcel, Receipt, Request, Way


@runtime_checkable
class Channel(Protocol):
    """What publish and the runtime ask of an outlet."""

    @property
    def kind(self) -> str:
        """Its kind: ``x``."""
        ...

    @property
    def carries(self) -> str:
        """What it takes: ``post`` or ``message``."""
        ...

    @property
    def name(self) -> str:
        """Its key in [channels]."""
        ...

    @property
    def network(self) -> str:
        """Whose rules its parcels follow: its kind, or what an outbox is like."""
        ...

    @property
    def limits(self) -> Limits:
        """What it can carry."""
        ...

    @property
    def local(self) -> bool:
        """Whether nothing leaves this machine (an outbox, a loopback host)."""
        ...

    def request(self, parcel: Parcel, key: str) -> Request:
        """The exact bytes that ``send`` would put on the wire. No network."""
        ...

    def send(self, parcel: Parcel, key: str) -> Receipt:
        """Send once.

        Raises
        ------
        Refused, Throttled, Unreachable, Uncertain
            By what the caller must do (errors.py).
        """
        ...

    def reconcile(self, parcel: Parcel, key: str, since: datetime) -> Receipt | None:
        """Find out whether a parcel whose intent was recorded at ``since`` has left (delivery.md D).

        A receipt: it has left. ``None``: it has provably not, send again.

        Raises
        ------
        Uncertain
            Nothing can be known: a person decides.
        Throttled, Unreachable
            The question itself did not get through: ask again later.
        """
        ...

    def doctor(self) -> list[Finding]:
        """Check credentials, scopes, limits and clock, and say what to do. Never raises."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class Run(Protocol):
    """What a connection works off: parcels as they come, their intents, and who is told what became of each."""

    def take(self, most: int, *, wait: bool) -> Sequence[tuple[str, Parcel]]:
        """The next parcels with their keys, at most so many. ``wait``: until there is one; none then ends the run."""
        ...

    def intend(self, keys: Sequence[str]) -> set[str]:
        """Commit the intents of ``keys`` before the first byte that could take effect; return those that were granted.

        A key that was not granted must not take effect. One that was granted before and of which nothing has left
        may be asked about again: its intent is taken back first.
        """
        ...

    def meanwhile(self, most: int) -> Mapping[str, float]:
        """Intents that were decided along with another connection's, each told once.

        By key: when it was granted, as ``time.monotonic`` says; 0 where it was not. ``most``: from now on, intents of the
        next parcels may be committed so, as long as no more than so many of this connection's are in doubt.
        """
        ...

    def tell(self, key: str, outcome: Receipt | Exception | None) -> None:
        """What became of a parcel, once for each; errors are ``DeliveryError``. ``None``: nothing of it has left."""
        ...

    def stopping(self) -> bool:
        """Whether to hand back what has not left."""
        ...


@runtime_checkable
class RunChannel(Channel, Protocol):
    """A channel that takes runs of parcels over connections of its own and asks for each intent itself."""

    @property
    def host(self) -> str:
        """Whose failures count together."""
        ...

    @property
    def connections(self) -> int:
        """How many runs it takes at once."""
        ...

    @property
    def per_second(self) -> float:
        """Parcels a second over all of them; 0 for no limit."""
        ...

    @property
    def domains(self) -> Mapping[str, float]:
        """The same by recipient domain."""
        ...

    @property
    def ceilings(self) -> Sequence[int]:
        """The most parcels on the first, second … day of use; no limit after the last."""
        ...

    def send_run(self, run: Run) -> None:
        """Send what ``run`` hands out, in order, until it ends or nothing can be reached. Every key is told of once."""
        ...


@runtime_checkable
class MailChannel(Channel, Protocol):
    """A channel that knows how its mail is signed."""

    def examine(self, data: bytes) -> list[Finding]:
        """Whether a delivered message is signed so that one-click unsubscribing is honoured (RFC 8058 §4)."""
        ...


@runtime_checkable
class Deletes(Protocol):
    """A channel whose network lets a post be deleted."""

    def delete_request(self, remote_id: str) -> Request:
        """The exact bytes that ``delete`` would put on the wire. No network."""
        ...

    def delete(self, remote_id: str) -> Receipt:
        """Delete one post of ours. Deleting it again, or one that is gone, is a success.

        Raises
        ------
        Refused, Throttled, Unreachable, Uncertain
            By what the caller must do (errors.py).
        """
        ...


@runtime_checkable
class Amends(Protocol):
    """A channel whose network lets a post that stands be put right where it stands."""

    def way(self, posted: datetime, now: datetime) -> Way:
        """How a post that left at ``posted`` would be put right now."""
        ...

    def amend_request(self, amendment: Amendment, key: str) -> Request:
        """The bytes that ``amend`` would put on the wire, as far as they are known without asking. No network."""
        ...

    def amend(self, amendment: Amendment, key: str) -> Receipt:
        """Put one post right. The receipt names what now tells the right words.

        Raises
        ------
        Refused, Throttled, Unreachable, Uncertain
            By what the caller must do (errors.py).
        """
        ...

    def find_amendment(self, amendment: Amendment, key: str, since: datetime) -> Receipt | None:
        """As ``reconcile``, of an amendment.

        Raises
        ------
        Uncertain, Throttled, Unreachable
            As ``reconcile``.
        """
        ...


@runtime_checkable
class Watches(Protocol):
    """A channel that can be asked whether a post still stands."""

    def stands(self, remote_id: str) -> bool:
        """Whether the network still shows one post of ours.

        Raises
        ------
        DeliveryError
            It could not be asked.
        """
        ...


@runtime_checkable
class Posts(Protocol):
    """A channel that says when its account posts."""

    @property
    def posting(self) -> PostingSettings:
        """Schedule, spacing and quiet hours."""
        ...


@runtime_checkable
class Charges(Protocol):
    """A channel whose network asks for money."""

    @property
    def budget(self) -> float:
        """US dollars a calendar month (UTC) that may be spent; 0 for no bound."""
        ...

    def price(self, what: str, text: str = "") -> float:
        """US dollars of one ``post`` or ``edit`` of this text, ``delete`` or ``read``."""
        ...

    def reads(self) -> int:
        """How many of its own posts were read since this was last asked."""
        ...


class ChannelFactory(Protocol):
    """A channel's class as the entry point names it."""

    kind: ClassVar[str]
    carries: ClassVar[str]
    Settings: ClassVar[type[Any]]  # a pydantic model that forbids unknown keys

    def __call__(self, name: str, settings: Any, *, folder: Path, now: Callable[[], datetime]) -> Channel:  # noqa: ANN401
        """Build from validated settings; ``folder`` is the publication's root."""
        ...


class Kinds(Mapping[str, ChannelFactory]):
    """The kinds of channel by name; a kind's file is loaded when it is asked for, and not before."""

    def __init__(self, points: Mapping[str, EntryPoint]) -> None:
        """Take the entry points of the group."""
        self._points = points

    def __getitem__(self, kind: str) -> ChannelFactory:
        """The class of one kind."""
        factory: ChannelFactory = self._points[kind].load()
        return factory

    def __iter__(self) -> Iterator[str]:
        """The names, sorted."""
        return iter(sorted(self._points))

    def __len__(self) -> int:
        """How many there are."""
        return len(self._points)


def kinds() -> Kinds:
    """Every known kind of channel: ours and those that other packages register."""
    return Kinds(known())
