"""When an item becomes owed to readers. Decisions only: no database, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from syndicate.model import Status
from syndicate.sources import Draft
from syndicate.store.items import significant


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """The instants of an item, aware UTC."""

    date: datetime | None  # published; never moves once the item is out
    updated: datetime | None  # the last significant change; a withdrawal is one
    release: datetime | None  # owed to readers from here on; may lie ahead; None: a draft
    late: bool  # dated too far back to go out by itself


@dataclass(frozen=True, kw_only=True, slots=True)
class Before:
    """What was decided about an item earlier."""

    date: datetime | None
    release: datetime | None
    late: bool
    status: str
    updated: datetime | None


def timing(
    draft: Draft, before: Before | None, *, now: datetime, first: bool, window: timedelta, joined: datetime | None = None
) -> Timing:
    """Decide, from what the file says, what was decided before, and whether the source is read for the first time.

    An item's release is the later of its date or embargo and the moment when a running publication
    first saw it as published. What the first sync of a source finds is released at its date or
    embargo. An item that is first seen later and dated further back than ``window`` is late; so is
    what a source that ``joined`` a running publication brings along: a new source starts at now.
    ``joined`` is the publication's start mark then, before which nothing is sent anyway.
    """
    if before is not None and before.release is not None and before.release <= now:
        return _timed(draft, before.date, before.release, late=before.late, told=_told(draft, before, now))
    release, late = _release(draft, seen=before is not None, now=now, first=first, window=window)
    late = late or (joined is not None and release is not None and joined < release <= now)
    return _timed(draft, draft.date, release, late=late)


def _release(draft: Draft, *, seen: bool, now: datetime, first: bool, window: timedelta) -> tuple[datetime | None, bool]:
    due = max((instant for instant in (draft.date, draft.embargo) if instant is not None), default=now)
    if draft.status is Status.DRAFT:
        return None, False
    if first:
        return due, False
    if draft.status is Status.WITHDRAWN:
        # Nobody has had it from us: there is nothing to take back.
        return None, False
    return max(due, now), not seen and due < now - window


def _told(draft: Draft, before: Before, now: datetime) -> datetime | None:
    """The change that readers know of already, which is not taken back; or a withdrawal or a return that is news now.

    A withdrawal happened when its file says so, else at the moment at which we noticed it.
    """
    known = before.updated if before.updated is not None and before.updated <= now else None
    withdrawn = draft.status is Status.WITHDRAWN
    if withdrawn == (before.status == Status.WITHDRAWN.value):
        return known
    said = draft.updated
    return said if withdrawn and said is not None and (known or said) < said <= now else now


def _timed(
    draft: Draft, date: datetime | None, release: datetime | None, *, late: bool, told: datetime | None = None
) -> Timing:
    changes = significant(draft.front) if draft.kind == "brief" else []
    said = None if told is not None and draft.status is Status.WITHDRAWN else draft.updated  # a withdrawal happens once
    instants = [instant for instant in (date, said, told, *changes) if instant is not None]
    return Timing(date=date, updated=max(instants, default=None), release=release, late=late)
