"""Quotes from a CSV or JSON file: each line becomes the text of a file of its own, or a fault with its line.

Whatever a quote's own file would be refused for is refused here. No fault tells what a line says: any cell may hold the
words (Q5). Writes nothing.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from syndicate.errors import Fault
from syndicate.sources.quotes import CANONICAL, faults

WORDS: Final = ("words", "text", "quote", "body")  # the column that holds the quotation itself
COLUMNS: Final = (*CANONICAL, WORDS[0])
_NAME: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}")
_FORBIDDEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One quote to be written."""

    line: int  # 1-based, in the imported file
    name: str  # of its file, without the ending: the id, or a digest; never the words
    text: str = field(repr=False)  # front matter and words


def read(text: str, file: str, *, zone: str) -> tuple[list[Row], list[Fault]]:
    """The quotes of a file and everything that is wrong with it, by line.

    ``file`` names it in faults; its ending says what it is: ``.json``, anything else is CSV with a heading.
    """
    found: list[Fault] = []
    cells = _objects(text, file, found) if file.lower().endswith(".json") else _lines(text, file, found)
    rows: list[Row] = []
    seen: dict[str, int] = {}
    for line, values in cells:
        row = _row(line, values)
        if row.name in seen:
            what = f"the same quote, or the same id, stands in line {seen[row.name]}"
            found.append(Fault(file=file, line=line, rule="import", what=what, right="keep one of them"))
            continue
        seen[row.name] = line
        wrong = faults(row.text, path=file, zone=zone)
        found += (replace(fault, line=line) for fault in wrong)
        if not wrong:
            rows.append(row)
    return rows, sorted(set(found))


def _lines(text: str, file: str, found: list[Fault]) -> Iterator[tuple[int, Mapping[str, str]]]:
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        heading = _heading(next(reader, []), file, found)
        before = reader.line_num
        for cells in reader if heading else ():
            line, before = before + 1, reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(heading):
                what = f"it has {len(cells)} cells and the heading {len(heading)}"
                right = "put a text that holds a comma in quotation marks"
                found.append(Fault(file=file, line=line, rule="import", what=what, right=right))
                continue
            yield line, dict(zip(heading, cells, strict=True))
    except csv.Error:
        right = "write it as CSV with quotation marks around long texts"
        found.append(Fault(file=file, line=reader.line_num, rule="import", what="it is no CSV from here on", right=right))


def _heading(cells: list[str], file: str, found: list[Fault]) -> list[str]:
    """The columns' names; none where one of them is unknown, for the first line may be a quote already."""
    names = [_column(cell) for cell in cells]
    wrong = [
        Fault(file=file, line=1, rule="import", what=f"column {place} has no known name", right=f"use {', '.join(COLUMNS)}")
        for place, name in enumerate(names, 1)
        if name not in COLUMNS
    ]
    if not wrong and len(set(names)) < len(names):
        wrong = [Fault(file=file, line=1, rule="import", what="a column stands there twice", right="keep one of them")]
    if not wrong and WORDS[0] not in names:
        right = "begin with a heading, and name the column of the quotation `words`"
        wrong = [Fault(file=file, line=1, rule="import", what="there is no column `words`", right=right)]
    found += wrong
    return [] if wrong else names


def _objects(text: str, file: str, found: list[Fault]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """The objects of a JSON list, each with the line on which it begins."""
    decoder, at = json.JSONDecoder(), 0

    def skip(marks: str) -> int:
        place = at
        while place < len(text) and (text[place].isspace() or text[place] in marks):
            place += 1
        return place

    at = skip("[\ufeff")
    while at < len(text) and text[at] != "]":
        line = text.count("\n", 0, at) + 1
        try:
            one, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            right = "write a list of objects: [{…}, {…}]"
            found.append(Fault(file=file, line=line, rule="import", what="it is no JSON from here on", right=right))
            return
        at = skip(",")
        values = _flat(one) if isinstance(one, dict) else None
        if values is None:
            right = "write each field as a text, speaker_dates as a list of texts"
            found.append(Fault(file=file, line=line, rule="import", what="it is no object of texts", right=right))
        elif unknown := [place for place, name in enumerate(values, 1) if name not in COLUMNS]:
            what = f"field {unknown[0]} has no known name"
            found.append(Fault(file=file, line=line, rule="import", what=what, right=f"use {', '.join(COLUMNS)}"))
        else:
            yield line, values


def _flat(one: Mapping[str, object]) -> dict[str, str] | None:
    values: dict[str, str] = {}
    for name, value in one.items():
        if isinstance(value, list) and all(isinstance(part, str) for part in value):
            values[_column(name)] = ", ".join(value)
        elif isinstance(value, str | int) and not isinstance(value, bool):
            values[_column(name)] = str(value)
        elif value is not None:
            return None
    return values


def _column(name: str) -> str:
    name = name.strip().lstrip("\ufeff").lower().replace("-", "_")
    return WORDS[0] if name in WORDS else name


def _row(line: int, values: Mapping[str, str]) -> Row:
    kept = {name: _FORBIDDEN.sub("", value.replace("\r\n", "\n").replace("\r", "\n")).strip() for name, value in values.items()}
    # A JSON text is a YAML text in double quotes: nothing in a cell can end it.
    front = [f"{name}: {json.dumps(kept[name], ensure_ascii=True)}" for name in CANONICAL if kept.get(name)]
    words = kept.get(WORDS[0], "")
    text = "\n".join(["---", *front, "---", words, ""])
    given = kept.get("id", "")
    same = "\0".join((words, kept.get("speaker", ""), kept.get("date", ""), kept.get("archive", "")))
    name = given if _NAME.fullmatch(given) else hashlib.sha256(same.encode("utf-8", "replace")).hexdigest()[:16]
    return Row(line=line, name=name, text=text)
