"""Which quote a civil day shows (Q13, Q14, Q23). Pure, and it never reads a quote's words.

Each day ranks the whole pool anew by SHA-256 of seed, day and id, and takes the first that no rule excludes. A quote
that joins the pool can therefore change only the days on which it comes first, and what follows from them.
"""

from __future__ import annotations

import calendar
import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, Protocol

from syndicate.model import Quote

RUN: Final = 30  # consecutive quote slots within which one ideology is counted (Q13)
COMMEMORATION: Final = 3  # days either side of a speaker's own dates (Q14)


class Spacing(Protocol):
    """Q13 as data: the settings' ``[quotes] spacing``."""

    @property
    def item(self) -> int:
        """Days between two showings of one quote."""
        ...

    @property
    def speaker(self) -> int:
        """Days between two quotes of one speaker."""
        ...

    @property
    def ideology(self) -> int:
        """Quotes of one ideology in any ``RUN`` consecutive quote slots."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """What another day's quote slot showed. A slot that showed none has an empty ``quote_id`` and counts as a slot."""

    day: date  # civil day of the site's zone
    quote_id: str = ""
    speaker: str = ""
    ideology: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """A day's quote, or none, and why each other quote could not be it."""

    quote: Quote | None
    excluded: tuple[tuple[str, str, str], ...] = ()  # (quote id, rule, sentence), by id


def choose(
    day: date, pool: Sequence[Quote], shown: Sequence[Shown], *, seed: str, spacing: Spacing, hold_days: Sequence[str]
) -> Choice:
    """Choose the quote of ``day``, deterministically, whatever the order of ``pool`` and ``shown``.

    ``shown`` holds the other days' slots, those without a quote too: a pool of one ideology would otherwise never
    come out of its limit. An empty or wholly excluded pool gives no quote: never a repeat.

    Raises
    ------
    ValueError
        A hold day is neither ``2026-07-22`` nor ``07-22``.
    """
    others = sorted((past for past in shown if past.day != day), key=lambda past: (past.day, past.quote_id))
    held = _hold_day(day, hold_days)
    full = _full_ideologies(day, others, spacing.ideology)
    days = _days(others)
    excluded: list[tuple[str, str, str]] = []
    free: list[Quote] = []
    for quote in pool:
        reasons = (
            [("Q14", held)]
            if held
            else [*_spaced(day, quote, days, spacing), *_over(quote, full, spacing), *_own_dates(day, quote)]
        )
        excluded.extend((quote.id, rule, reason) for rule, reason in reasons)
        if not reasons:
            free.append(quote)
    return Choice(quote=min(free, key=lambda quote: _rank(day, seed, quote), default=None), excluded=tuple(sorted(excluded)))


def parse_day(text: str) -> tuple[int, int, int]:
    """``2026-07-22`` or ``07-22`` as (year or 0, month, day).

    Raises
    ------
    ValueError
        With one sentence that says what would be right.
    """
    match = re.fullmatch(r"(?:(\d{4})-)?(\d\d)-(\d\d)", text.strip())
    if match:
        year, month, number = (int(part or 0) for part in match.groups())
        if 1 <= month <= 12 and 1 <= number <= calendar.monthrange(year or 2000, month)[1]:  # noqa: PLR2004 - 2000 has a 29 February
            return year, month, number
    msg = f'"{text}" is not a day; write "2026-07-22" for one day, or "07-22" for every year\'s'
    raise ValueError(msg)


def _rank(day: date, seed: str, quote: Quote) -> bytes:
    return hashlib.sha256("\0".join((seed, day.isoformat(), quote.id)).encode()).digest()


@lru_cache(maxsize=4096)
def _same(name: str) -> str:
    """A name's key: one speaker or ideology however it is typed."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _hold_day(day: date, hold_days: Iterable[str]) -> str:
    for text in hold_days:
        year, month, number = parse_day(text)
        if year in {0, day.year} and day in _anniversary(day.year, month, number):
            return f"{day} is a hold day ({text})"
    return ""


def _anniversary(year: int, month: int, number: int) -> tuple[date, ...]:
    """That day in a year. 29 February stands for its two neighbours in a year without one: rather two days than none."""
    if (month, number) == (2, 29) and not calendar.isleap(year):
        return date(year, 2, 28), date(year, 3, 1)
    return (date(year, month, number),)


def _days(others: Iterable[Shown]) -> tuple[dict[str, list[date]], dict[str, list[date]]]:
    """The other days of each quote, and of each speaker, ascending: looked up once a day, not once a quote."""
    items: dict[str, list[date]] = {}
    speakers: dict[str, list[date]] = {}
    for past in others:
        items.setdefault(past.quote_id, []).append(past.day)
        speakers.setdefault(_same(past.speaker), []).append(past.day)
    return items, speakers


def _spaced(
    day: date, quote: Quote, days: tuple[dict[str, list[date]], dict[str, list[date]]], spacing: Spacing
) -> Iterator[tuple[str, str]]:
    """Q13: the same quote, the same speaker."""
    items, speakers = days
    speaker = _same(quote.speaker)
    same = [past for past in items.get(quote.id, ()) if abs((day - past).days) < spacing.item]
    theirs = [past for past in speakers.get(speaker, ()) if abs((day - past).days) < spacing.speaker] if speaker else []
    if same:
        yield "Q13", f"the same quote has the day {same[-1]}, less than {spacing.item} days away"
    if theirs:
        yield "Q13", f"the same speaker has the day {theirs[-1]}, less than {spacing.speaker} days away"


def _full_ideologies(day: date, others: Sequence[Shown], most: int) -> frozenset[str]:
    """The ideologies of which one more on ``day`` would be too many in some run of consecutive slots around it."""
    before = [_same(past.ideology) for past in others if past.day < day][-(RUN - 1) :]
    behind = [_same(past.ideology) for past in others if past.day > day][: RUN - 1]
    full: set[str] = set()
    line = [*before, "", *behind]
    for start in range(max(1, len(line) - RUN + 1)):
        counts = Counter(line[start : start + RUN])
        full |= {ideology for ideology, count in counts.items() if ideology and count >= most}
    return frozenset(full)


def _over(quote: Quote, full: frozenset[str], spacing: Spacing) -> Iterator[tuple[str, str]]:
    """Q13: too many of one ideology."""
    ideology = _same(quote.ideology)
    if ideology and (ideology in full or spacing.ideology < 1):
        yield "Q13", f"one more of its ideology would be more than {spacing.ideology} in {RUN} consecutive quote slots"


def _own_dates(day: date, quote: Quote) -> Iterator[tuple[str, str]]:
    """Q14: no commemorations. A date that cannot be read excludes the quote: better unseen than on the wrong day."""
    for text in quote.speaker_dates:
        try:
            _, month, number = parse_day(text)
        except ValueError as error:
            yield "Q14", f"speaker_dates: {error}"
            continue
        for year in (day.year - 1, day.year, day.year + 1):
            if any(abs(day - own) <= timedelta(days=COMMEMORATION) for own in _anniversary(year, month, number)):
                yield "Q14", f"{day} is within {COMMEMORATION} days of the speaker's own date {month:02}-{number:02}"
