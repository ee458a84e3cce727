"""What becomes of slots that were missed while nothing ran. Pure: decides, and does nothing about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

from syndicate.model import Slot, require_aware

Policy: TypeAlias = Literal["latest", "coalesce", "all", "skip"]
ON_TIME: Final = timedelta(minutes=5)  # a slot that a tick reaches within this is not a missed one


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """Each due slot stands in exactly one of the two."""

    run: tuple[Slot, ...]  # ascending by due time
    skipped: tuple[tuple[Slot, str], ...]  # with a sentence that says why, ascending


def catch_up(due: Sequence[Slot], *, now: datetime, policy: Policy, window: timedelta) -> Decision:
    """Decide which of the due slots of ONE schedule (for readers: of one hour, weekday and zone) still happen.

    ``latest``: the newest; ``coalesce``: the newest, which carries what the earlier ones would have; ``all``: each;
    ``skip``: only those on time. Whatever is later than ``window`` does not happen at all.

    Raises
    ------
    ValueError
        A slot lies in the future: it is not due.
    """
    require_aware("now", now)
    slots = sorted(due, key=lambda slot: slot.due)
    if slots and slots[-1].due > now:
        msg = f"the slot {slots[-1].local:%Y-%m-%d %H:%M} {slots[-1].zone} is not due yet"
        raise ValueError(msg)
    run: list[Slot] = []
    skipped: list[tuple[Slot, str]] = []
    for slot in slots:
        reason = _reason(slot, slots[-1], now - slot.due, policy, window)
        if reason:
            skipped.append((slot, reason))
        else:
            run.append(slot)
    return Decision(run=tuple(run), skipped=tuple(skipped))


def _reason(slot: Slot, newest: Slot, lateness: timedelta, policy: Policy, window: timedelta) -> str:
    """Why a slot does not happen, as a sentence; "" where it does."""
    if lateness > window:
        return f"missed by {spoken(lateness)}, which is more than the window of {spoken(window)}"
    if policy == "skip" and lateness > ON_TIME:
        return f"missed by {spoken(lateness)}, and this schedule does not make up for missed times"
    if policy == "latest" and slot is not newest:
        return f"missed by {spoken(lateness)}, and the slot of {newest.local:%Y-%m-%d %H:%M} takes its place"
    if policy == "coalesce" and slot is not newest:
        return f"missed by {spoken(lateness)}, and the slot of {newest.local:%Y-%m-%d %H:%M} carries what it would have carried"
    return ""


def spoken(length: timedelta) -> str:
    """A length of time for people, in its two largest units: ``3 d 4 h``, ``12 h``, ``40 s``."""
    seconds = int(length.total_seconds())
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        parts.append((count, unit))
    while parts[0][0] == 0 and len(parts) > 1:
        parts.pop(0)
    return " ".join(f"{count} {unit}" for position, (count, unit) in enumerate(parts[:2]) if count or position == 0)
