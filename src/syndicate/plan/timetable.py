"""Slots as editors changed them: one keeps its identity and happens at another instant, or not at all. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Literal, TypeAlias

from syndicate.model import Slot
from syndicate.plan.civil import instant
from syndicate.plan.slots import Schedule


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What became of one slot ahead of its time."""

    state: Literal["moved", "skipped"]
    due: datetime  # aware UTC: when it happens now; of a skipped one, when it would have
    reason: str  # a sentence with who did it


Changes: TypeAlias = Mapping[tuple[str, datetime], Change]  # by zone and civil time, of the slots of one schedule


def slots(schedule: Schedule, name: str, after: datetime, to: datetime, changes: Changes) -> list[Slot]:
    """Every slot due in ``(after, to]`` as the changes have it, ascending.

    A moved one that is due by ``to`` stands here whatever ``after`` says: nobody has dealt with it, or it would be moved
    no more.
    """
    found = [slot for slot in schedule.slots(name, after, to) if (slot.zone, slot.local) not in changes]
    for (zone, local), change in changes.items():
        planned = of(schedule, name, zone, local) if change.state == "moved" and change.due <= to else None
        found += [replace(planned, due=change.due)] if planned else []
    return sorted(found, key=lambda slot: (slot.due, slot.local))


def skipped(schedule: Schedule, name: str, after: datetime, to: datetime, changes: Changes) -> list[Slot]:
    """The slots due in ``(after, to]`` that will not happen."""
    gone = {key for key, change in changes.items() if change.state == "skipped"}
    return [slot for slot in schedule.slots(name, after, to) if (slot.zone, slot.local) in gone] if gone else []


def of(schedule: Schedule, name: str, zone: str, local: datetime) -> Slot | None:
    """The slot of a schedule at one civil time of ``zone``, as planned; ``None`` where the schedule has none there."""
    if zone != schedule.zone:
        return None
    due, _ = instant(local, zone)
    return next((slot for slot in schedule.slots(name, due - timedelta(microseconds=1), due) if slot.local == local), None)


def orphans(name: str, changes: Changes, known: Collection[Slot], now: datetime) -> dict[Slot, str]:
    """Moved slots that are due and of no schedule any more, with the reason: settings or readers' hours have changed since."""
    dealt = {(slot.zone, slot.local) for slot in known}
    return {
        Slot(schedule=name, zone=zone, local=local, due=change.due): "the schedule has no such time any more"
        for (zone, local), change in changes.items()
        if change.state == "moved" and change.due <= now and (zone, local) not in dealt
    }


def named(slot: Slot) -> str:
    """By which people name a slot: ``digest.daily/2026-11-23T07:00/Europe/Berlin``."""
    return f"{slot.schedule}/{slot.local.isoformat(timespec='minutes')}/{slot.zone}"


def parsed(name: str) -> tuple[str, datetime, str]:
    """Schedule, civil time and zone of a slot's name.

    Raises
    ------
    ValueError
        It is no such name.
    """
    schedule, _, rest = name.partition("/")
    local, _, zone = rest.partition("/")
    return schedule, datetime.fromisoformat(local).replace(tzinfo=None), zone


def clock(text: str) -> time:
    """A time of day, ``09:30``.

    Raises
    ------
    ValueError
        It is none; the message is a sentence for people.
    """
    try:
        return time.fromisoformat(text)
    except ValueError as error:
        msg = f"{text!r} is no time of day; write it like 09:30"
        raise ValueError(msg) from error
