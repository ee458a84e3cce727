"""``subscribers``: readers, added one by one or from a file."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from syndicate.cli import FAILED, OK, Parser

if TYPE_CHECKING:
    from syndicate.errors import Fault
    from syndicate.store.subscribers import Wishes

_LISTED: Final = {
    "address": "Address",
    "newsletter": "Newsletter",
    "state": "State",
    "frequency": "Frequency",
    "hour": "Hour",
    "zone": "Zone",
}
_COLUMNS: Final = ("address", "name", "frequency", "weekday", "hour", "zone", "quote", "lang", "status")
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MOST_FAULTS: Final = 50
_LAST_HOUR: Final = 23


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of an import file."""

    number: int  # 1-based, the heading is 1
    address: str
    name: str
    status: str  # subscribed | unsubscribed
    wishes: Wishes


def parser(prog: str) -> argparse.ArgumentParser:
    """The arguments of ``subscribers``."""
    made = Parser(
        prog,
        description="The readers of a newsletter.\n\n"
        f"A file to import is CSV with a heading. Columns: {', '.join(_COLUMNS)}.\n"
        "Only address is needed. frequency is instant, daily or weekly; weekday is Mon to Sun; hour is 0 to 23\n"
        "on the reader's own clock; quote is inline, link or none; unsubscribed ones (status) are left out.",
        example=f"  {prog} add reader@example.org --frequency weekly\n  {prog} import readers.csv --dry-run",
    )
    commands = made.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=argparse.ArgumentParser)
    listed = commands.add_parser("list", help="list the subscriptions, by address")
    listed.add_argument("--newsletter", default="", metavar="N", help="only of this newsletter")
    listed.add_argument("--json", action="store_true", help="one JSON document")
    add = commands.add_parser("add", help="add one reader, who has agreed")
    add.add_argument("address", metavar="ADDRESS")
    add.add_argument("--newsletter", default="", metavar="N", help="the newsletter (default: the only one)")
    for column in _COLUMNS[1:-1]:
        add.add_argument(f"--{column}", default="", metavar="TEXT", help=_help(column))
    read = commands.add_parser("import", help="add the readers of a CSV file; nothing is written while a line is faulty")
    read.add_argument("file", metavar="FILE")
    read.add_argument("--newsletter", default="", metavar="N", help="the newsletter (default: the only one)")
    read.add_argument("--dry-run", action="store_true", help="only say what would happen")
    return made


def run(args: argparse.Namespace) -> int:
    """List, add or import."""
    return {"list": _list, "add": _add, "import": _import}[args.verb](args)


def _help(column: str) -> str:
    return {
        "name": "how the reader is called",
        "frequency": "instant, daily (the default) or weekly",
        "weekday": "Mon to Sun, for weekly",
        "hour": "0 to 23 on the reader's own clock",
        "zone": "the reader's time zone, like Europe/Berlin",
        "quote": "inline, link or none",
        "lang": "the language of what surrounds the briefs, like en",
    }[column]


def _list(args: argparse.Namespace) -> int:
    from syndicate.cli.output import listing
    from syndicate.cli.publication import looked_at, only

    with looked_at(args) as app:
        name = only(args.newsletter, app.settings.newsletters, "newsletter") if args.newsletter else ""
        rows = [
            {
                "id": line.id,
                "address": line.address,
                "newsletter": line.newsletter,
                "state": line.state,
                "frequency": str(line.wishes.frequency),
                "weekday": line.wishes.weekday,
                "hour": line.wishes.hour,
                "zone": line.wishes.zone,
                "quote": str(line.wishes.quote_display or ""),
                "lang": line.wishes.lang,
                "topics": list(line.wishes.topics),
            }
            for line in app.subscribers.listed(name)
        ]
    listing(rows, _LISTED, as_json=args.json, empty="there is no subscriber yet; `syndicate subscribers add ADDRESS`")
    return OK


def _add(args: argparse.Namespace) -> int:
    from syndicate.cli.output import note
    from syndicate.cli.publication import only, opened
    from syndicate.errors import SyndicateError

    with opened(args) as app:
        newsletter = only(args.newsletter, app.settings.newsletters, "newsletter")
        now = app.now()
        try:
            new = app.subscribers.add(
                args.address,
                newsletter,
                wishes({column: getattr(args, column) for column in _COLUMNS[1:-1]}),
                at=now,
                covered_to=now,
                name=args.name,
                consent={"how": "added by an editor", "at": now.isoformat()},
            )
        except ValueError as error:
            raise SyndicateError(str(error)) from error
    note(f"subscribed to {newsletter}" if new else f"there is a subscription to {newsletter} already; it stays as it is")
    return OK


def _import(args: argparse.Namespace) -> int:
    from syndicate.cli.output import count, note
    from syndicate.cli.publication import only, opened

    with opened(args) as app:
        newsletter = only(args.newsletter, app.settings.newsletters, "newsletter")
        lines, faults = read_csv(Path(args.file).read_text(encoding="utf-8-sig", errors="replace"), args.file)
        for fault in faults[:_MOST_FAULTS]:
            note(str(fault))
        if faults:
            more = f" ({len(faults) - _MOST_FAULTS} more not shown)" if len(faults) > _MOST_FAULTS else ""
            note(f"{count(len(faults), 'line')} at fault{more}; nothing was imported")
            return FAILED
        wanted = [line for line in lines if line.status == "subscribed"]
        left_out = len(lines) - len(wanted)
        if args.dry_run:
            note(f"{count(len(wanted), 'reader')} would be subscribed to {newsletter}; {left_out} left out as unsubscribed")
            return OK
        now, new = app.now(), 0
        for line in wanted:
            new += app.subscribers.add(
                line.address,
                newsletter,
                line.wishes,
                at=now,
                covered_to=now,
                name=line.name,
                consent={"how": f"imported from {Path(args.file).name}", "at": now.isoformat()},
            )
    known = len(wanted) - new
    note(f"{count(new, 'reader')} subscribed to {newsletter}; {known} were there before, {left_out} left out as unsubscribed")
    return OK


def read_csv(text: str, file: str) -> tuple[list[Line], list[Fault]]:
    """The lines of a CSV file, and what is wrong with it, by line. An address never stands in a fault."""
    from syndicate.errors import Fault

    faults: list[Fault] = []
    reader = csv.DictReader(text.splitlines(keepends=True))
    heading = [column.strip().lower() for column in reader.fieldnames or ()]
    for column in heading:
        if column not in _COLUMNS:
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
    from syndicate.errors import Fault
    from syndicate.store.subscribers import normalised

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
    from syndicate.model import Frequency, QuoteDisplay
    from syndicate.plan import slots
    from syndicate.store.subscribers import Wishes

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

    near = get_close_matches(column, _COLUMNS, n=1)
    return f"did you mean {near[0]!r}?" if near else f"the columns are {', '.join(_COLUMNS)}"
