"""Lists of readers as other systems export them: a CSV file or a ZIP of several, recognised by its heading.

Reads and names what it finds; knows no rule for an address, and changes nothing. A line that is no CSV costs itself alone.
"""

from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from syndicate.errors import Fault, SourceError

PLAIN: Final = (
    "address", "name", "newsletter", "frequency", "weekday", "hour", "zone", "quote", "lang", "topics", "status", "since",
    "paused_to", "known_since", "suppressed", "consent",
)  # fmt: skip
_EMAIL: Final = frozenset({"email", "email address", "e-mail", "e-mail address", "mail"})
_MAILCHIMP: Final = {
    "email address": "address",
    "first name": "first",
    "last name": "last",
    "optin_time": "opted_in",
    "optin_ip": "opted_in_ip",
    "confirm_time": "confirmed",
    "confirm_ip": "confirmed_ip",
    "unsub_time": "left",
    "unsub_reason": "left_why",
    "clean_time": "left",
}
_LISTMONK: Final = {"email": "address", "name": "name", "status": "status", "created_at": "opted_in"}
_GHOST: Final = {
    "email": "address",
    "name": "name",
    "subscribed_to_emails": "status",
    "created_at": "opted_in",
    "deleted_at": "left",
}
# What Mailchimp alone writes; one of them is enough, for people delete columns before they import.
_MAILCHIMPS: Final = frozenset(
    {"member_rating", "optin_time", "confirm_time", "last_changed", "leid", "euid", "unsub_time", "clean_time"}
)
_STATUS: Final = {
    "listmonk": {"enabled": "subscribed", "disabled": "unsubscribed", "blocklisted": "cleaned"},
    "Ghost": {"true": "subscribed", "false": "unsubscribed", "": "unsubscribed"},
}
_NAMED: Final = re.compile(r"(?:^|[^a-z])(subscribed|unsubscribed|cleaned)_", re.IGNORECASE)
# Spreadsheets take a cell that begins so for a formula; the wide signs too, where they are made narrow on the way.
_FORMULA: Final = re.compile(r"'*\s*[=+\-@\uff1d\uff0b\uff0d\uff20\t\r\n]")
_ORDER: Final = ("cleaned", "unsubscribed", "subscribed")  # whoever left is known before whoever is to be added
_TALLEST: Final = 50  # lines of one record; a quotation mark that nobody closed would swallow the rest of the file
_LONGEST: Final = 10_000  # characters of a cell that is used
_MOST_BYTES: Final = 1 << 29  # of a ZIP's files together


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One record of a list, by the names of our columns."""

    number: int  # its first line, 1-based
    raw: str  # as it stands in the file, with its line's end
    values: Mapping[str, str]  # our column -> cell, without outer blanks
    wrong: str = ""  # why it cannot be read, with what would be right behind a semicolon


@dataclass(frozen=True, kw_only=True)
class Roster:
    """One file of readers."""

    file: str  # as it is called in faults
    system: str  # Mailchimp | listmonk | Ghost | CSV
    status: str  # subscribed | unsubscribed | cleaned, where the whole file is of one kind; "" where each line tells
    encoding: str  # how it was read
    unused: tuple[str, ...]  # columns that are left where they are
    columns: tuple[str, ...]  # ours, by place; "" for an unused one
    heading: str  # the heading's own line
    delimiter: str
    lines: tuple[str, ...]  # all of them, the heading and what stands above it among them
    begin: int  # the line behind the heading, 0-based

    def rows(self) -> Iterator[Row]:
        """Every record that is not empty."""
        begun = self.begin
        while begun < len(self.lines):
            for cells, begin, end in self._records(begun):
                if cells is None or (end - begin > 1 and self._is_torn(cells)):
                    wrong = "a quotation mark opens here and is not closed, or a cell is far too long; close or shorten it"
                    yield Row(number=begin + 1, raw=self.lines[begin], values={}, wrong=wrong)
                    begun = begin + 1
                    break
                if any(cell.strip() for cell in cells):
                    yield self._row(cells, begin, end)
                begun = end
            else:
                return

    def _is_torn(self, cells: list[str]) -> bool:
        """Whether lines were run together by a quotation mark: no name and no address goes over two lines."""
        used = (cell for cell, column in zip(cells, self.columns, strict=False) if column)
        return len(cells) != len(self.columns) or any("\n" in cell or "\r" in cell for cell in used)

    def _records(self, begun: int) -> Iterator[tuple[list[str] | None, int, int]]:
        """Cells, first line and the line behind; ``None`` for cells that cannot be told apart."""
        first = begun

        def feed() -> Iterator[str]:
            place = first
            while place < len(self.lines) and place - begun < _TALLEST:
                yield self.lines[place]
                place += 1

        reader = csv.reader(feed(), delimiter=self.delimiter, strict=True)
        while begun < len(self.lines):
            try:
                cells = next(reader, None)
            except csv.Error:
                cells = None
            if cells is None or reader.line_num + first - begun >= _TALLEST:
                yield None, begun, begun + 1
                return
            end = first + reader.line_num
            yield cells, begun, end
            begun = end

    def _row(self, cells: list[str], begin: int, end: int) -> Row:
        raw = "".join(self.lines[begin:end])
        if len(cells) > len(self.columns):
            wrong = "it has more cells than the heading; put an address or name that holds a comma in quotation marks"
            return Row(number=begin + 1, raw=raw, values={}, wrong=wrong)
        values = {column: cell.strip() for column, cell in zip(self.columns, cells, strict=False) if column}
        if any(len(cell) > _LONGEST for cell in values.values()):
            wrong = f"a cell is longer than {_LONGEST:,} characters; shorten it"
            return Row(number=begin + 1, raw=raw, values={}, wrong=wrong)
        return Row(number=begin + 1, raw=raw, values=values, wrong=self._told(values))

    def _told(self, values: dict[str, str]) -> str:
        """Put name and status into our own words; returns what is wrong."""
        if self.system == "CSV":
            values.update({column: as_it_was(cell) for column, cell in values.items()})
            return ""
        if self.system == "Mailchimp":
            values["name"] = " ".join(part for part in (values.pop("first", ""), values.pop("last", "")) if part)
            values["status"] = self.status
            return ""
        known, status = _STATUS[self.system], values.get("status", "").lower()
        if status not in known:
            words = ", ".join(word for word in known if word)
            return f"{self.system} knows no such status; write one of {words}"
        values["status"] = "unsubscribed" if self.system == "Ghost" and values.get("left") else known[status]
        return ""


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe stands before what could be one (OWASP, CSV Injection)."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def as_it_was(cell: str) -> str:
    """What ``harmless`` made it from; any other cell stays."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def read(path: Path) -> list[Roster]:
    """The lists in one file, those who left first.

    Raises
    ------
    SourceError
        It holds no list of readers; with the line and what would be right.
    OSError
        It cannot be read.
    """
    data = path.read_bytes()
    if not data.startswith(b"PK\x03\x04"):
        return [parse(data, path.name)]
    found: list[Roster] = []
    wrong: list[Fault] = []
    for name, part in _unzipped(path):
        try:
            found.append(parse(part, f"{path.name}/{name}"))
        except SourceError as error:
            wrong += error.faults
    if not found:
        what = "there is no list of readers in it"
        raise SourceError(*wrong, Fault(file=path.name, rule="csv", what=what, right="export the readers once more, as CSV"))
    return sorted(found, key=lambda one: _ORDER.index(one.status or "subscribed"))


def parse(data: bytes, file: str) -> Roster:
    """One CSV file; its system by its heading.

    Raises
    ------
    SourceError
        The heading is none of a known system, and not ours either.
    """
    text, encoding = _decoded(data)
    lines = _lines(text)
    top = next((place for place, line in enumerate(lines) if line.strip()), len(lines))
    heading = lines[top] if top < len(lines) else ""
    delimiter = max(",;\t", key=heading.count)
    try:
        cells = [cell.strip() for cell in next(csv.reader([heading], delimiter=delimiter), [])]
    except csv.Error:
        cells = []
    names = [cell.lower() for cell in cells]
    system, known = _system(names)
    columns = tuple(known.get(name, "") for name in names)
    if system == "CSV":
        _refuse_heading(names, columns, file, top + 1)
    return Roster(
        file=file,
        system=system,
        status=_status(names, file) if system == "Mailchimp" else "",
        encoding=encoding,
        unused=tuple(cell for cell, column in zip(cells, columns, strict=True) if not column),
        columns=columns,
        heading=heading,
        delimiter=delimiter,
        lines=tuple(lines),
        begin=top + 1,
    )


def _lines(text: str) -> list[str]:
    """As a CSV file has them: ended by CR, LF or both, and by no other sign that Unicode calls a line's end."""
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", text)


def _system(names: list[str]) -> tuple[str, Mapping[str, str]]:
    there = set(names)
    if "email address" in there and there & _MAILCHIMPS:
        return "Mailchimp", _MAILCHIMP
    if {"uuid", "email", "status"} <= there:
        return "listmonk", _LISTMONK
    if {"email", "subscribed_to_emails"} <= there:
        return "Ghost", _GHOST
    return "CSV", {**{name: name for name in PLAIN}, **({} if "address" in there else dict.fromkeys(_EMAIL, "address"))}


def _status(names: list[str], file: str) -> str:
    """Mailchimp writes a file for each kind: its columns tell which, or else its name."""
    if "clean_time" in names:
        return "cleaned"
    if "unsub_time" in names:
        return "unsubscribed"
    named = _NAMED.search(file.rpartition("/")[2])
    return named[1].lower() if named else "subscribed"


def _refuse_heading(names: list[str], columns: tuple[str, ...], file: str, line: int) -> None:
    faults = [
        Fault(file=file, line=line, rule="csv", what=f"there is no column {name[:40]!r}", right=_nearest(name[:40]))
        for name, column in zip(names, columns, strict=True)
        if not column
    ]
    if columns.count("address") > 1:
        faults.append(Fault(file=file, line=line, rule="csv", what="there are two columns of addresses", right="keep one"))
    if "address" not in columns:
        right = "begin the file with a heading such as address,name,frequency"
        faults.append(Fault(file=file, line=line, rule="csv", what="there is no column 'address'", right=right))
    if faults:
        raise SourceError(*faults)


def _nearest(column: str) -> str:
    near = get_close_matches(column, PLAIN, n=1)
    return f"did you mean {near[0]!r}?" if near else f"the columns are {', '.join(PLAIN)}"


def _decoded(data: bytes) -> tuple[str, str]:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace"), "UTF-16"
    try:
        return data.decode("utf-8-sig"), "UTF-8"
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace"), "Windows-1252 (latin-1)"


def _unzipped(path: Path) -> Iterator[tuple[str, bytes]]:
    """The CSV files of a ZIP, read in memory: no path in it is ever written to."""
    left = _MOST_BYTES
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                name = info.filename.rpartition("/")[2]
                if info.is_dir() or not name.lower().endswith(".csv") or name.startswith("."):
                    continue
                with archive.open(info) as file:
                    data = file.read(left + 1)
                left -= len(data)
                if left < 0:
                    what, right = "its files are larger than 512 MB together", "import them one by one"
                    raise SourceError(Fault(file=path.name, rule="zip", what=what, right=right))
                yield name, data
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
        what, right = "it is no ZIP that can be read", "unpack it and import the files in it"
        raise SourceError(Fault(file=path.name, rule="zip", what=what, right=right)) from error
