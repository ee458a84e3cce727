"""Corrections of briefs as readers are owed them: since when each is known, who had the brief before, who an edition since."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from syndicate.model import Correction, Severity, Status
from syndicate.store.amendments import notice
from syndicate.store.schema import from_micros, to_micros

_LEAVING: Final = (Status.PUBLISHED.value, Status.EMBARGOED.value)
_NONE: Final = '"corrections": []'  # as `json.dumps` writes it: most briefs have none, and their JSON is not read further
_LOST: Final = "('cancelled', 'suppressed', 'failed')"
_GOT: Final = f"s.kind = 'edition' AND e.frequency <> 'quote' AND d.state NOT IN {_LOST}"
_EDITIONS: Final = """delivery d JOIN sending s ON s.key = d.sending JOIN edition e ON e.key = CAST(s.subject AS INTEGER)
    LEFT JOIN slot ON slot.key = s.slot"""
_TOLD_TO: Final = "max(s.due, coalesce(slot.due, 0))"  # an instant edition may be due before the slot that found it


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """One significant correction of a brief that editions of a newsletter had carried before it was made."""

    item: int  # the brief's key
    mark: str  # tells the corrections of a brief apart: a digest of what is said
    release: datetime  # when readers came to be owed it: its date, or later when it was first seen


def mark(correction: Correction) -> str:
    """A digest of what a correction says, and when."""
    return _mark(correction.date.isoformat(), correction.text)


def _mark(date: str, text: str) -> str:
    return hashlib.sha256(f"{date}\0{text}".encode()).hexdigest()[:16]


def stamped(entries: Sequence[Mapping[str, Any]], before: Sequence[Mapping[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """The corrections of a brief's file with the time at which each was first seen.

    ``before`` are those of its last version: one with the same text is the same, and so is one of the same day whose
    text alone was put in order. What a file holds at first sight was in it before anybody got it: it has no such time.
    """
    left = list(before)
    found: dict[int, Mapping[str, Any]] = {}
    for same in (("date", "severity", "text"), ("date", "severity")):
        for place, entry in enumerate(entries):
            if place in found:
                continue
            old = next((one for one in left if all(one[name] == entry[name] for name in same)), None)
            if old is not None:
                left.remove(old)
                found[place] = old
    told = []
    for place, entry in enumerate(entries):
        old = found.get(place)
        seen = now.isoformat() if old is None else old.get("seen")
        told.append({**entry, **({"seen": seen} if seen else {})})
    return told


def since(connection: sa.Connection, newsletter: str, after: datetime, to: datetime) -> list[Known]:
    """Significant corrections released in ``(after, to]`` of briefs that an edition of the newsletter had carried before."""
    rows = connection.execute(
        sa.text(
            """SELECT i.key, c.value FROM item i, json_each(i.front, '$.corrections') c
            WHERE i.kind = 'brief' AND i.gone = 0 AND i.status IN :leaving AND instr(i.front, :none) = 0"""
        ).bindparams(sa.bindparam("leaving", expanding=True)),
        {"leaving": _LEAVING, "none": _NONE},
    )
    released = [known for row in rows if (known := _known(row.key, json.loads(row.value))) and after < known.release <= to]
    first = _first_carried(connection, newsletter, {known.item for known in released})
    held = (known for known in released if known.item in first and first[known.item] < known.release)
    return sorted(held, key=lambda known: (known.release, known.item, known.mark), reverse=True)


def _known(item: int, entry: Mapping[str, Any]) -> Known | None:
    if entry["severity"] != Severity.SIGNIFICANT:
        return None
    at = max(datetime.fromisoformat(entry[name]) for name in ("at", "seen") if entry.get(name))
    return Known(item=item, mark=_mark(entry["date"], entry["text"]), release=at)


def _first_carried(connection: sa.Connection, newsletter: str, items: Collection[int]) -> dict[int, datetime]:
    """When an edition of the newsletter first carried each of these."""
    if not items:
        return {}
    rows = connection.execute(
        sa.text(
            """SELECT held.value AS item, min(e.at) AS at FROM variant v JOIN edition e ON e.key = v.edition
            JOIN newsletter n ON n.key = e.newsletter, json_each(v.items) held
            WHERE n.name = :newsletter AND v.state <> 'dropped' AND held.type = 'integer' AND held.value IN :items
            GROUP BY held.value"""
        ).bindparams(sa.bindparam("items", expanding=True)),
        {"newsletter": newsletter, "items": sorted(items)},
    )
    return {row.item: from_micros(row.at) for row in rows}


def last_editions(
    connection: sa.Connection, newsletter: str, places: Iterable[int], after: datetime
) -> dict[int, datetime | None]:
    """Up to when each of these readers was told by their last edition of the newsletter, where that is not before ``after``.

    ``None``: it was not; who never had one is left out. The quote's own editions do not count.
    """
    recent = connection.execute(
        sa.text(
            f"""SELECT d.place, max({_TOLD_TO}) AS due FROM {_EDITIONS} JOIN newsletter n ON n.key = s.newsletter
            WHERE n.name = :newsletter AND {_TOLD_TO} >= :after AND {_GOT} GROUP BY d.place"""  # noqa: S608 - our own words
        ),
        {"newsletter": newsletter, "after": to_micros(after)},
    )
    found: dict[int, datetime | None] = {row.place: from_micros(row.due) for row in recent}
    ever = sa.text(
        f"""SELECT EXISTS (SELECT 1 FROM {_EDITIONS} JOIN newsletter n ON n.key = s.newsletter
        WHERE d.place = :place AND n.name = :newsletter AND {_GOT})"""  # noqa: S608 - our own words
    )
    for place in places:
        if place not in found and connection.execute(ever, {"place": place, "newsletter": newsletter}).scalar():
            found[place] = None
    return found


def noticed(connection: sa.Connection, newsletter: str, known: Sequence[Known]) -> set[tuple[int, Known]]:
    """Which readers are told, or were, by a mail of its own (``syndicate correct``): (the reader's key, what they know)."""
    rows = connection.execute(
        sa.text(
            """SELECT c.item, c.day, c.text, c.revision, i.id FROM correction c
            JOIN item i ON i.key = c.item WHERE i.key IN :items"""
        ).bindparams(sa.bindparam("items", expanding=True)),
        {"items": sorted({one.item for one in known})},
    )
    readers = sa.text(
        f"""SELECT d.place FROM sending s JOIN delivery d ON d.sending = s.key
        WHERE s.kind = 'notice' AND s.subject = :subject AND s.revision = :revision AND d.state NOT IN {_LOST}"""  # noqa: S608 - our own words
    )
    by_mark = {(one.item, one.mark): one for one in known}
    found: set[tuple[int, Known]] = set()
    for row in rows:
        one = by_mark.get((row.item, _mark(row.day, row.text)))
        if one is not None:
            subject = {"subject": notice(newsletter, row.id), "revision": row.revision}
            found |= {(place, one) for place in connection.execute(readers, subject).scalars()}
    return found
