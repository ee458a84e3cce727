"""A channel that keeps everything in a list: for tests of what comes before the wire."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import Literal

from syndicate.errors import DeliveryError, Uncertain
from syndicate.model import Document, Finding, Limits, Message, Parcel, Post, Receipt, Request


class MemoryChannel:
    """Takes every parcel once per key, and fails as it is told."""

    def __init__(
        self, name: str = "memory", *, carries: Literal["post", "message", "document"] = "post", limits: Limits | None = None
    ) -> None:
        """An outlet of that name which carries that kind of parcel."""
        self.kind = "memory"
        self.network = "memory"
        self.carries = carries
        self.name = name
        self.limits = limits or Limits()
        self.local = True
        self.sent: dict[str, Parcel] = {}  # key -> what was accepted, in order
        self.deleted: list[str] = []  # remote ids, one for each call of ``delete``
        self.attempts: list[str] = []  # keys, one for each call of ``send``
        self.can_be_asked = True  # whether ``reconcile`` knows
        self._failures: deque[tuple[DeliveryError, bool]] = deque()

    def fail_next(self, error: DeliveryError, *, accepted: bool = False) -> None:
        """Let the next send raise ``error``; ``accepted``: after the parcel was taken."""
        self._failures.append((error, accepted))

    def request(self, parcel: Parcel, key: str) -> Request:
        """The parcel's own bytes."""
        return Request(method="KEEP", url=f"memory:{self.name}", headers={"Key": key}, body=_bytes(parcel))

    def send(self, parcel: Parcel, key: str) -> Receipt:
        """Keep the parcel."""
        self.attempts.append(key)
        error, accepted = self._failures.popleft() if self._failures else (None, True)
        if accepted:
            self.sent.setdefault(key, parcel)
        if error is not None:
            raise error
        return self._receipt(key)

    def reconcile(self, parcel: Parcel, key: str, since: datetime) -> Receipt | None:  # noqa: ARG002 - the key says it all
        """Whether the key is known; Uncertain where the channel cannot be asked."""
        if not self.can_be_asked:
            raise Uncertain
        return self._receipt(key) if key in self.sent else None

    def delete_request(self, remote_id: str) -> Request:
        """The post's name."""
        return Request(method="DROP", url=f"memory:{self.name}/{remote_id}", headers={}, body=b"")

    def delete(self, remote_id: str) -> Receipt:
        """Remember what was to go."""
        self.deleted.append(remote_id)
        return Receipt(remote_id=remote_id)

    def doctor(self) -> list[Finding]:
        """Always well."""
        return [Finding(ok=True, what="keeps everything in memory")]

    def close(self) -> None:
        """Nothing is open."""

    def _receipt(self, key: str) -> Receipt:
        return Receipt(remote_id=f"memory-{list(self.sent).index(key)}", url=f"memory:{self.name}/{key}")


def _bytes(parcel: Parcel) -> bytes:
    if isinstance(parcel, Post):
        return parcel.text.encode()
    if isinstance(parcel, Message):
        return parcel.data
    assert isinstance(parcel, Document)
    return b"".join(parcel.files[name] for name in sorted(parcel.files))
