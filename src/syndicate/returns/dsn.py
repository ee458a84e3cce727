"""Delivery status notifications (RFC 3464) inside their reports (RFC 6522, before that RFC 3462). Pure.

Taken as they come: a report that calls itself multipart/mixed, an encoded status part, one group of fields where two
should be, statuses that stand in the diagnostic text alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from syndicate.returns.parts import Part, blocks_of
from syndicate.returns.verdict import Kind, Verdict, judge

_TYPES: Final = frozenset({"message/delivery-status", "message/global-delivery-status"})
_NAMING: Final = ("x-postfix-sender", "original-envelope-id", "x-original-message-id")
# From the mildest to the worst: a report on several recipients says the mildest of them, for our message had one reader.
_ORDER: Final = (Kind.DELIVERED, Kind.DELAYED, Kind.SOFT, Kind.HARD, Kind.FOREIGN)


@dataclass(frozen=True, kw_only=True, slots=True)
class Status:
    """What a report says."""

    verdict: Verdict
    named: tuple[str, ...]  # fields that may hold our return path


def read(mail: Part) -> Status | None:
    """The delivery status of a mail, or ``None`` where it holds none. One inside a carried mail is not this mail's."""
    part = next((part for part in mail.walk() if part.type in _TYPES), None)
    if part is None:
        return None
    blocks = blocks_of(part.decoded())
    groups = [block for block in blocks if "action" in block or "status" in block or "diagnostic-code" in block]
    verdicts = [
        judge(
            action=group.get("action", "").partition("(")[0],
            status=group.get("status", ""),
            said=f"{group.get('diagnostic-code', '')} {group.get('x-display-name', '')}",
        )
        for group in groups
    ]
    return Status(verdict=_mildest(verdicts), named=_named(blocks))


def _mildest(verdicts: Sequence[Verdict]) -> Verdict:
    return min(verdicts, key=lambda one: _ORDER.index(one.kind), default=Verdict(kind=Kind.FOREIGN))


def _named(blocks: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    return tuple(block[name] for block in blocks for name in _NAMING if name in block)
