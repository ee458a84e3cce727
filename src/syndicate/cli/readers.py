"""Readers from a file: its records become wishes and consents, and faults by line. Writes nothing; faults hold no address."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, cast

from syndicate.errors import Fault
from syndicate.model import Frequency, QuoteDisplay
from syndicate.plan import slots
from syndicate.sources.roster import Roster, Row
from syndicate.store.addresses import called, normalised
from syndicate.store.arrivals import Arrival, State
from syndicate.store.wishes import Wishes

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LAST_HOUR: Final = 23
_STATES: Final[dict[str, State]] = {
    "subscribed": "active", "active": "active", "pending": "pending", "unsubscribed": "ended", "ended": "ended",
    "suppressed": "suppressed", "cleaned": "cleaned",
}  # fmt: skip
_PROVED: Final = ("opted_in", "opted_in_ip", "confirmed", "confirmed_ip", "left", "left_why")  # what another system knew
_LONGEST_ADDRESS: Final = 1000  # characters, with comments and quotation marks


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One record of an import file: a reader, or what is wrong."""

    raw: str  # as it stands in the file
    arrival: Arrival | None = None
    fault: Fault | None = None


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Where readers arrive: what is known before the first of them."""

    newsletter: str  # for lines that name none
    newsletters: Collection[str]
    now: datetime
    seen: dict[tuple[str, str], str]  # (address, newsletter) -> where it stood first

    def lines(self, roster: Roster) -> Iterator[Line]:
        """Every record of one file."""
        for row in roster.rows():
            try:
                if row.wrong:
                    raise ValueError(row.wrong)  # noqa: TRY301 - one way out for every fault of a line
                yield Line(raw=row.raw, arrival=self._arrival(roster, row))
            except ValueError as error:
                what, _, right = str(error).partition("; ")
                fault = Fault(file=roster.file, line=row.number, rule="csv", what=what, right=right)
                yield Line(raw=row.raw, fault=fault)

    def _arrival(self, roster: Roster, row: Row) -> Arrival:
        values = row.values
        if len(values.get("address", "")) > _LONGEST_ADDRESS:
            msg = "the address is longer than mail servers take; write it like name@example.org"
            raise ValueError(msg)
        address, compared, domain = normalised(values.get("address", ""))
        newsletter = values.get("newsletter", "") or self.newsletter
        if newsletter not in self.newsletters:
            msg = f"there is no newsletter {newsletter!r}; write one of {', '.join(sorted(self.newsletters))}"
            raise ValueError(msg)
        arrival = Arrival(
            address=address,
            compared=compared,
            domain=domain,
            name=called(values.get("name", "")),
            newsletter=newsletter,
            state=_STATES[_word(values.get("status", ""), tuple(_STATES), "status")],
            wishes=wishes(values),
            consent=_consent(roster, values, self.now),
            since=_instant(values, "since"),
            known_since=_instant(values, "known_since"),
            paused_to=_instant(values, "paused_to"),
            left=_instant(values, "left", lenient=True),
            reason=values.get("suppressed", ""),
        )
        here = f"line {row.number}" + (f" of {roster.file}" if "/" in roster.file else "")
        first = self.seen.setdefault((compared, newsletter), here)
        if first != here:
            msg = f"the same address stands in {first}; keep one of them"
            raise ValueError(msg)
        return arrival


def _consent(roster: Roster, values: Mapping[str, str], now: datetime) -> Mapping[str, Any]:
    """What is on record of a reader's consent: our own record as it was, or what the other system could prove."""
    if values.get("consent"):
        try:
            found = json.loads(values["consent"])
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            msg = "the consent is no JSON object; leave it as `subscribers export` wrote it, or empty"
            raise ValueError(msg)
        return cast("dict[str, Any]", found)
    if "consent" in roster.columns:
        return {}
    told = {"how": f"imported from {roster.file}", "at": now.isoformat(), "system": roster.system}
    proved = {f"there_{name}": values[name] for name in _PROVED if values.get(name)}
    return {**told, **proved}


def _instant(values: Mapping[str, str], column: str, *, lenient: bool = False) -> datetime | None:
    """A time, UTC where it names no offset; ``lenient``: another system's, which may be told in a way of its own."""
    text = values.get(column, "")
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        if lenient:
            return None
        msg = f"{column} is no time; write it like 2026-11-22T07:00:00+00:00"
        raise ValueError(msg) from None


def wishes(values: Mapping[str, str]) -> Wishes:
    """What a reader asked for, from cells or options; an empty one leaves it to the newsletter.

    Raises
    ------
    ValueError
        With what would be right behind a semicolon.
    """
    frequency = _word(values.get("frequency", "") or "daily", tuple(map(str, Frequency)), "frequency")
    quote = values.get("quote", "")
    hour, weekday, zone = values.get("hour", ""), values.get("weekday", "").lower()[:3], values.get("zone", "")
    if hour and not (hour.isascii() and hour.isdecimal() and len(hour) <= len("23") and int(hour) <= _LAST_HOUR):
        msg = f"hour {hour[:20]!r} is not one; write 0 to 23"
        raise ValueError(msg)
    if weekday and weekday not in WEEKDAYS:
        msg = f"weekday {values['weekday'][:20]!r} is not one; write Mon, Tue, Wed, Thu, Fri, Sat or Sun"
        raise ValueError(msg)
    if zone:
        slots.parse("when published", zone)
    return Wishes(
        frequency=Frequency(frequency),
        weekday=WEEKDAYS.index(weekday) if weekday else None,
        hour=int(hour) if hour else None,
        zone=zone,
        quote_display=QuoteDisplay(_word(quote, tuple(map(str, QuoteDisplay)), "quote")) if quote else None,
        lang=values.get("lang", ""),
        topics=tuple(topic for part in values.get("topics", "").split(",") if (topic := part.strip())),
    )


def _word(text: str, known: tuple[str, ...], column: str) -> str:
    """One of ``known``; an empty cell means the first."""
    word = text.strip().lower() or known[0]
    if word not in known:
        msg = f"{column} {text[:20]!r} is not known; write {', '.join(known[:-1])} or {known[-1]}"
        raise ValueError(msg)
    return word
