"""The corrections section of an edition: what was put right, since a reader's last one, in briefs that they may have read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from syndicate.links import name_slug
from syndicate.model import Brief, Correction, Severity, Status
from syndicate.store import corrections

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.publish.editions import Share, Sheet
    from syndicate.store.agenda import Variant
    from syndicate.store.corrections import Known


def added(app: App, newsletter: str, sheets: Sequence[Sheet], to: datetime) -> list[Sheet]:
    """The sheets of one slot with what each reader is told of corrections made up to ``to``: once, in their first edition.

    Nobody gets an edition for a correction's sake alone.
    """
    kept = timedelta(days=app.settings.privacy.keep_details_days)
    with app.store.read() as connection:
        known = corrections.since(connection, newsletter, to - kept, to)
        if not known:
            return list(sheets)
        places = [place for sheet in sheets for share in sheet.shares for place in share.group.places]
        last = corrections.last_editions(connection, newsletter, places, min(one.release for one in known))
        noticed = corrections.noticed(connection, newsletter, known)
    briefs = app.content.briefs_by_keys({one.item for one in known})
    told: set[int] = set()
    made = []
    for sheet in sheets:
        shares = [part for share in sheet.shares for part in _parts(share, known, last, briefs, told, noticed)]
        told |= {place for share in shares if share.briefs or share.quote for place in share.group.places}
        made.append(replace(sheet, shares=tuple(shares)))
    return made


def _parts(
    share: Share,
    known: Sequence[Known],
    last: Mapping[int, datetime | None],
    briefs: Mapping[int, Brief],
    told: set[int],
    noticed: set[tuple[int, Known]],
) -> Iterator[Share]:
    """One group of readers, parted by what they are told: those who had an edition in between, or a notice, know more."""
    if not (share.briefs or share.quote):
        yield share
        return
    carried = {brief.id for brief in share.briefs}
    topics = frozenset(share.group.topics)
    fitting = [one for one in known if _concerns(briefs[one.item], carried, topics)]
    parts: dict[tuple[Known, ...], list[int]] = {}
    for place in share.group.places:
        had = place in last and place not in told
        owed = tuple(one for one in fitting if had and _after(one.release, last[place]) and (place, one) not in noticed)
        parts.setdefault(owed, []).append(place)
    for owed, places in parts.items():
        marks = tuple((one.item, one.mark) for one in owed)
        yield replace(share, group=replace(share.group, places=tuple(places)), corrections=marks)


def _concerns(brief: Brief, carried: set[str], topics: frozenset[str]) -> bool:
    """Whether a reader of these topics may have the wrong version; a brief that this edition carries is right in it."""
    return brief.id not in carried and (not topics or bool(topics & {name_slug(topic) for topic in brief.topics}))


def _after(release: datetime, last: datetime | None) -> bool:
    return last is None or last < release


def shown(app: App, variant: Variant) -> tuple[tuple[Brief, Correction], ...]:
    """What one rendering says in its section, as the briefs' files have it now; what was taken back is left out."""
    briefs = app.content.briefs_by_keys({item for item, _ in variant.corrections})
    found = []
    for item, mark in variant.corrections:
        brief = briefs.get(item)
        if brief is not None and brief.status not in {Status.WITHDRAWN, Status.DRAFT}:
            found += [
                (brief, one)
                for one in brief.corrections
                if one.severity is Severity.SIGNIFICANT and corrections.mark(one) == mark
            ]
    return tuple(found)
