"""What a reader asked for, and how a row of ``subscription`` holds it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from syndicate.model import Frequency, QuoteDisplay


@dataclass(frozen=True, kw_only=True, slots=True)
class Wishes:
    """What a reader asked for; ``None`` or ``""`` leaves it to the newsletter."""

    frequency: Frequency = Frequency.DAILY
    weekday: int | None = None  # 0 Monday … 6 Sunday
    hour: int | None = None  # 0 … 23, the reader's own clock
    zone: str = ""  # IANA name
    quote_display: QuoteDisplay | None = None
    lang: str = ""  # BCP 47
    topics: tuple[str, ...] = ()  # topic slugs; () for all


def columns(wishes: Wishes) -> dict[str, Any]:
    """The columns that hold them."""
    return {
        "topics": json.dumps(wishes.topics) if wishes.topics else "",
        "frequency": wishes.frequency,
        "weekday": wishes.weekday,
        "hour": wishes.hour,
        "zone": wishes.zone,
        "quote_display": wishes.quote_display or "",
        "lang": wishes.lang,
    }


def of_row(row: sa.RowMapping) -> Wishes:
    """Back from a row."""
    return Wishes(
        frequency=Frequency(row["frequency"]),
        weekday=row["weekday"],
        hour=row["hour"],
        zone=row["zone"],
        quote_display=QuoteDisplay(row["quote_display"]) if row["quote_display"] else None,
        lang=row["lang"],
        topics=tuple(json.loads(row["topics"])) if row["topics"] else (),
    )
