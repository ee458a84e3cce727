"""Readers from a file: CSV lines become wishes, and faults by line. Writes nothing; an address never stands in a fault."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from syndicate.cli.subscribers import COLUMNS
from syndicate.errors import Fault
from syndicate.model import Frequency, QuoteDisplay
from syndicate.plan import slots
from syndicate.store.addresses import normalised
from syndicate.store.wishes import Wishes

_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LAST_HOUR: Final = 23


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of an import file."""

    number: int  # 1-based, the heading is 1
    address: str
    name: str
    status: str  # subscribed | unsubscribed
    wishes: Wishes


def read_csv(text: str, file: str) -> tuple[list[Line], list[Fault]]:
    """The lines of a CSV file, and what is wrong with it, by line."""
    faults: list[Fault] = []
    reader = csv.DictReader(text.splitlines(keepends=True))
    heading = [column.strip().lower() for column in reader.fieldnames or ()]
    for column in heading:
        if column not in COLUMNS:
            what = f"there is no column {column!r}"
            faults.append(Fault(file=file, line=1, rule="csv", what=what, right=_nearest(column)))
    if "address" not in heading:
        right = "begin the file with a heading such as address,name,frequency"
        faults.append(Fault(file=file, line=1, rule="csv", what="there is no column 'address'", right=right))
    if faults:
        return [], faults
    reader.fieldnames = heading
    return list(_lines(reader, file, faults)), faults


def _lines(reader: csv.DictReader[str], file: str, faults: list[Fault]) -> Iterator[Line]:

    seen: dict[str, int] = {}
    for row in reader:
        number = reader.line_num
        values = {key: (value or "").strip() for key, value in row.items() if key is not None and not isinstance(value, list)}
        if not any(values.values()):
            continue
        try:
            if None in row:
                msg = "it has more cells than the heading; put an address or name that holds a comma in quotation marks"
                raise ValueError(msg)  # noqa: TRY301 - one way out for every fault of a line
            _, key, _ = normalised(values["address"])
            if key in seen:
                msg = f"the same address stands in line {seen[key]}; keep one of them"
                raise ValueError(msg)  # noqa: TRY301 - as above
            seen[key] = number
            line = Line(
                number=number,
                address=values["address"],
                name=values.get("name", ""),
                status=_word(values.get("status", ""), ("subscribed", "unsubscribed"), "status"),
                wishes=wishes(values),
            )
        except ValueError as error:
            what, _, right = str(error).partition("; ")
            faults.append(Fault(file=file, line=number, rule="csv", what=what, right=right))
        else:
            yield line


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
    if hour and not (hour.isdecimal() and int(hour) <= _LAST_HOUR):
        msg = f"hour {hour!r} is not one; write 0 to 23"
        raise ValueError(msg)
    if weekday and weekday not in _WEEKDAYS:
        msg = f"weekday {values['weekday']!r} is not one; write Mon, Tue, Wed, Thu, Fri, Sat or Sun"
        raise ValueError(msg)
    if zone:
        slots.parse("when published", zone)
    return Wishes(
        frequency=Frequency(frequency),
        weekday=_WEEKDAYS.index(weekday) if weekday else None,
        hour=int(hour) if hour else None,
        zone=zone,
        quote_display=QuoteDisplay(_word(quote, tuple(map(str, QuoteDisplay)), "quote")) if quote else None,
        lang=values.get("lang", ""),
    )


def _word(text: str, known: tuple[str, ...], column: str) -> str:
    """One of ``known``; an empty cell means the first."""
    word = text.strip().lower() or known[0]
    if word not in known:
        msg = f"{column} {text!r} is not known; write {', '.join(known[:-1])} or {known[-1]}"
        raise ValueError(msg)
    return word


def _nearest(column: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(column, COLUMNS, n=1)
    return f"did you mean {near[0]!r}?" if near else f"the columns are {', '.join(COLUMNS)}"
