"""What a person or a script sees: tables, sentences, JSON. Imports rich only for a table on a terminal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from syndicate.log import CONTROL

Row = Mapping[str, object]

_MARKS: Final = {
    **dict.fromkeys(("sent", "finished", "ok", "active", "published", "shown"), "green"),
    **dict.fromkeys(("failed", "uncertain", "held", "fault"), "bold red"),
    **dict.fromkeys(("deferred", "pending", "claimed", "sending", "late", "draft"), "yellow"),
    **dict.fromkeys(("cancelled", "suppressed", "ended", "skipped", "withdrawn"), "dim"),
}


def listing(rows: Iterable[Row], columns: Mapping[str, str], *, as_json: bool, empty: str) -> None:
    """Rows as a table of ``columns`` (key -> heading), or all their keys as one JSON list.

    ``empty`` is the sentence for no rows; on standard error, so that a pipe stays empty.
    """
    gathered = list(rows)
    if as_json:
        document(gathered)
    elif not gathered:
        note(empty)
    elif sys.stdout.isatty():
        _drawn(gathered, columns)
    else:
        _aligned(gathered, columns)


def document(value: object) -> None:
    """One JSON document on standard output."""
    print(json.dumps(value, default=_plain, ensure_ascii=False, indent=2))


def say(text: str = "") -> None:
    """A line of the command's answer."""
    print(safe(text))


def note(text: str) -> None:
    """Progress, advice and complaints: never part of the answer."""
    print(safe(text), file=sys.stderr, flush=True)


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error while something long is under way, told how much is done; nothing where no person looks."""
    if not sys.stderr.isatty():
        yield lambda _done: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(safe(what), total=total)
        yield lambda done: bar.update(task, completed=done)


def safe(text: str) -> str:
    """Without what would move a terminal's cursor or turn its text around."""
    return CONTROL.sub("�", text)


def heading(text: str) -> None:
    """A heading above a part of the answer: bold on a terminal."""
    bold = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    print(f"\033[1m{safe(text)}\033[0m" if bold else safe(text))


def count(number: int, one: str, many: str = "") -> str:
    """``1 brief``, ``2 briefs``, ``1,000 briefs``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def cell(value: object) -> str:
    """One value as a person reads it."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}" if value.second == 0 else f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, list | tuple | set | frozenset):
        value = ", ".join(map(str, value)) or "–"
    return safe(str(value)).replace("\n", " ")


def _drawn(rows: Sequence[Row], columns: Mapping[str, str]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for key, heading in columns.items():
        number = all(isinstance(row.get(key), int | float) for row in rows)
        table.add_column(heading, justify="right" if number else "left", overflow="fold")
    for row in rows:
        texts = [cell(row.get(key)) for key in columns]
        table.add_row(*(Text(text, style=_MARKS.get(text, "")) for text in texts))
    Console().print(table)


def _aligned(rows: Sequence[Row], columns: Mapping[str, str]) -> None:
    """For pipes and files: nothing is cut or wrapped, whatever the width of the window."""
    lines = [list(columns.values()), *([cell(row.get(key)) for key in columns] for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
    for line in lines:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def _plain(value: object) -> Any:  # noqa: ANN401 - whatever JSON can hold
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Path):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, set | frozenset | tuple):
        return sorted(value) if isinstance(value, set | frozenset) else list(value)
    msg = f"{type(value).__name__} has no JSON form"
    raise TypeError(msg)
