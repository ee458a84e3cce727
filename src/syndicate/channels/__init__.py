"""Outlets: one file each, found by entry point. Nothing here knows the ledger.

A channel's file holds a frozen settings class, and a class that satisfies ``Channel``. The line
``name = "module:Class"`` under ``[project.entry-points."syndicate.channels"]`` makes it known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

from syndicate.model import Finding, Limits, Parcel, Receipt, Request


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


@runtime_checkable
class RunChannel(Channel, Protocol):
    """A channel that takes a run of parcels over one connection and asks for each intent itself."""

    def send_run(
        self, parcels: Iterable[tuple[str, Parcel]], intend: Callable[[Sequence[str]], set[str]]
    ) -> Iterator[tuple[str, Receipt | Exception | None]]:
        """Send ``(key, parcel)`` pairs in order.

        ``intend(keys)`` commits the intents before the first byte that could take effect and returns
        the keys that were granted; a key that was not granted must not take effect and yields
        ``(key, None)``. Every key yields exactly one result; errors are ``DeliveryError``.
        """
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


@cache  # reading the metadata of every installed package takes tens of milliseconds
def kinds() -> Kinds:
    """Every known kind of channel: ours and those that other packages register."""
    return Kinds({point.name: point for point in entry_points(group="syndicate.channels")})
