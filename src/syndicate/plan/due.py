"""What a reader is owed, in which order, and what makes two readers' editions one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from syndicate.links import name_slug
from syndicate.model import Brief, Slot, Status, require_aware

EditionKind: TypeAlias = Literal["instant", "daily", "weekly", "quote", "now"]


def owed(
    briefs: Sequence[Brief],
    covered_to: datetime,
    due: datetime,
    topics: frozenset[str] = frozenset(),
    already: frozenset[str] = frozenset(),
) -> tuple[Brief, ...]:
    """The briefs released in ``(covered_to, due]`` that this reader has not had, in the edition's order.

    ``topics`` are slugs, empty for all; ``already`` are the ids that an ``editions send`` carried to this reader.
    What has been withdrawn since is not owed.
    """
    require_aware("covered_to", covered_to)
    require_aware("due", due)
    return in_order(
        brief
        for brief in briefs
        if brief.status is Status.PUBLISHED
        and brief.release is not None
        and covered_to < brief.release <= due
        and brief.id not in already
        and (not topics or topics & {name_slug(topic) for topic in brief.topics})
    )


def in_order(briefs: Iterable[Brief]) -> tuple[Brief, ...]:
    """Newest first by ``published``, then by id: the first is the edition's lead brief."""
    return tuple(sorted(sorted(briefs, key=lambda brief: brief.id), key=lambda brief: brief.published, reverse=True))


def period(kind: EditionKind, *, slot: Slot | None = None, item: str = "", at: datetime | None = None) -> str:
    """What an edition stands for, so that readers of many hours and zones share it and its number.

    ``daily`` and ``quote``: the slot's civil date; ``weekly``: its ISO week (``2026-W47``); ``instant``: the item's id;
    ``now``: the time of the command, to the second, UTC.

    Raises
    ------
    ValueError
        What this kind needs was not given.
    """
    if kind in {"daily", "quote"} and slot:
        return slot.local.date().isoformat()
    if kind == "weekly" and slot:
        year, week, _ = slot.local.isocalendar()
        return f"{year}-W{week:02}"
    if kind == "instant" and item:
        return item
    if kind == "now" and at:
        require_aware("at", at)
        return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    msg = f"an edition of kind {kind} needs its slot, item or time"
    raise ValueError(msg)
