"""``quotes import``: the quotes of a CSV or JSON file, one file for each; nothing is written while a line is faulty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from syndicate.cli import FAILED, OK, USAGE

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from syndicate.sources.table import Row

_MOST_FAULTS: Final = 50


def run(args: argparse.Namespace) -> int:
    """Read, tell every fault, or write what is new."""
    import os
    from pathlib import Path

    from syndicate.cli.output import count, note
    from syndicate.cli.publication import root
    from syndicate.settings import load
    from syndicate.sources import table

    here = root(args)
    settings = load(here, os.environ)
    folder = next((source.path for source in settings.sources.values() if source.kind == "quotes"), "")
    if not folder:
        note("this publication has no source of quotes: add [sources.quotes] to config/syndicate.toml")
        return USAGE
    try:
        text = Path(args.file).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        note(f"{args.file}: it is not UTF-8 text; save it as UTF-8")
        return FAILED
    rows, faults = table.read(text, args.file, zone=settings.site.zone)
    for fault in faults[:_MOST_FAULTS]:
        note(str(fault))
    if faults:
        more = f" ({len(faults) - _MOST_FAULTS} more not shown)" if len(faults) > _MOST_FAULTS else ""
        note(f"{count(len(faults), 'fault')}{more}; nothing was imported")
        return FAILED
    new, standing = _sorted(here / folder, rows)
    for row in [] if args.dry_run else new:
        _written(here / folder / f"{row.name}.md", row.text)
    word = "would be imported" if args.dry_run else "imported"
    note(f"{count(len(new), 'quote')} {word} into {folder}; {len(standing)} there already, left as they are")
    return OK


def _sorted(folder: Path, rows: list[Row]) -> tuple[list[Row], list[Row]]:
    """What is new, and what has a file of its name already: that one is never written over."""
    there = [row for row in rows if (folder / f"{row.name}.md").exists()]
    return [row for row in rows if row not in there], there


def _written(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
