"""Rows of the item table as the nouns they stand for. Reads only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final, TypeAlias

import sqlalchemy as sa

from syndicate.model import Author, Brief, Correction, Image, Quote, QuoteKind, Severity, Status, Words
from syndicate.store import schema

Row: TypeAlias = "sa.Row[*tuple[Any, ...]]"

ITEM: Final = schema.item.c


def _twins() -> sa.Label[int]:
    """How many items of the same instant were released before this one; those count too whose file is gone.

    Of those released together, the smaller id comes first: that order outlives the database and every renaming.
    """
    other = schema.item.alias("twin")
    before = sa.or_(other.c.release < ITEM.release, sa.and_(other.c.release == ITEM.release, other.c.id < ITEM.id))
    # Both values of ``gone``, so that SQLite looks into its index by date.
    same = sa.and_(other.c.kind == ITEM.kind, other.c.gone.in_((0, 1)), other.c.date == ITEM.date)
    return sa.select(sa.func.count()).where(same, before).correlate(schema.item).scalar_subquery().label("twins")


_UNLISTED: Final = frozenset({"body", "stamp", "first_path", "source"})
LISTED: Final = (*(column for column in schema.item.columns if column.name not in _UNLISTED), _twins())
WHOLE: Final = (*LISTED, ITEM.body)
_LEAVING: Final = (Status.PUBLISHED.value, Status.EMBARGOED.value)  # an embargo that has passed makes an item published


def out(kind: str, now: datetime | sa.BindParameter[datetime], *, withdrawn: bool = True) -> sa.ColumnElement[bool]:
    """What readers may see at ``now``: released, dated no later, and its file is there."""
    statuses = (*_LEAVING, Status.WITHDRAWN.value) if withdrawn else _LEAVING
    return sa.and_(
        ITEM.kind == kind,
        ITEM.gone == 0,
        ITEM.status.in_(statuses),
        ITEM.release <= now,
        sa.or_(ITEM.date.is_(None), ITEM.date <= now),
    )


def released_in(kind: str, after: datetime, to: datetime, *, late: bool) -> sa.ColumnElement[bool]:
    """What became owed in ``(after, to]``; ``late``: also what only a person sends."""
    rest = sa.true() if late else ITEM.late == 0
    return sa.and_(out(kind, to, withdrawn=False), ITEM.release > after, rest)


def named(text: str) -> sa.ColumnElement[bool]:
    """An item by its slug, its id or its file."""
    return sa.or_(ITEM.slug == text, ITEM.id == text, ITEM.path == text)


def brief(row: Row, public_url: str, now: datetime | None) -> Brief:
    """The brief of a row; ``now`` is the moment at which it is looked at, ``None`` for an editor's eyes."""
    front = json.loads(row.front)
    body = getattr(row, "body", "")  # a listing has none
    published = row.date or row.embargo or row.first_seen
    image = front["image"]
    return Brief(
        id=row.id,
        slug=row.slug,
        link=joined(public_url, front["link"] or f"/briefs/{row.slug}"),
        title=front["title"],
        published=published,
        updated=_updated(row, front, published, now),
        authors=tuple(Author(**author) for author in front["authors"]),
        summary=front["summary"],
        topics=tuple(front["topics"]),
        series=front["series"],
        status=_status(row, now),
        image=Image(**image) if image else None,
        lang=front["lang"],
        corrections=tuple(_correction(entry) for entry in front["corrections"]),
        social=front["social"],
        body=body,
        path=row.path,
        content_sha=row.content_sha,
        release=row.release,
        revision=row.revision,
        guid=front.get("guid", ""),
        twin=row.twins,
    )


def quote(row: Row, public_url: str, now: datetime | None) -> Quote:
    """The quote of a whole row, its words sealed."""
    front = json.loads(row.front)
    return Quote(
        id=row.id,
        slug=row.slug,
        link=joined(public_url, f"/quotes/{row.slug}"),
        words=Words(row.body),
        original=Words(front.pop("original")),
        short=Words(front.pop("short")),
        kind=QuoteKind(front.pop("kind")),
        archive=joined(public_url, front.pop("archive")),
        speaker_dates=tuple(front.pop("speaker_dates")),
        status=_status(row, now),
        first_date=row.embargo,
        updated=row.updated if now is None or row.updated is None or row.updated <= now else None,
        path=row.path,
        content_sha=row.content_sha,
        release=row.release,
        revision=row.revision,
        **front,
    )


def joined(public_url: str, link: str) -> str:
    """An absolute link; a path stands below the public address."""
    return public_url.rstrip("/") + link if link.startswith("/") else link


def significant(front: Mapping[str, Any]) -> list[datetime]:
    """The instants of a brief's significant corrections."""
    entries = (entry for entry in front["corrections"] if entry["severity"] == Severity.SIGNIFICANT)
    return [datetime.fromisoformat(entry["at"]) for entry in entries]


def _updated(row: Row, front: Mapping[str, Any], published: datetime, now: datetime | None) -> datetime:
    """What the row says; a change dated ahead counts when its time has come, not before."""
    if now is None or row.updated is None or row.updated <= now:
        return row.updated or published
    return max([published, *(at for at in significant(front) if at <= now)])


def _correction(entry: Mapping[str, str]) -> Correction:
    return Correction(date=date.fromisoformat(entry["date"]), text=entry["text"], severity=Severity(entry["severity"]))


def _status(row: Row, now: datetime | None) -> Status:
    status = Status(row.status)
    passed = now is not None and row.release is not None and row.release <= now
    return Status.PUBLISHED if status is Status.EMBARGOED and passed else status
