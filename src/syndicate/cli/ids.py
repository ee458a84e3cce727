"""``ids``: write the permanent ids that were minted into the items' own files."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, Final

from syndicate.cli import Parser

if TYPE_CHECKING:
    from pathlib import Path

    from syndicate.app import App

_YAML: Final = re.compile(r"\A\ufeff?---[ \t]*\r?\n")
_TOML: Final = re.compile(r"\A\ufeff?\+\+\+[ \t]*\r?\n")


def parser(prog: str) -> argparse.ArgumentParser:
    """The arguments of ``ids``."""
    made = Parser(
        prog,
        description="Every item has a permanent id, minted from its first file name and date. Written into the file,\n"
        "it survives a new name, a new folder and a lost database. Nothing else in the file changes.",
        example=f"  {prog} write",
    )
    commands = made.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=argparse.ArgumentParser)
    write = commands.add_parser("write", help="add the line `id: …` to the front matter of every item that has none")
    write.add_argument("--dry-run", action="store_true", help="only say which files would change")
    write.add_argument("--json", action="store_true", help="the files, as one JSON document")
    return made


def run(args: argparse.Namespace) -> int:
    """Write what is missing."""
    from syndicate.cli.output import count, listing, note
    from syndicate.cli.publication import opened, rehearsed

    rows = []
    with rehearsed(args) if args.dry_run else opened(args) as app:
        faults = app.content.sync(app.sources, app.now()).faults
        for source in app.sources:
            for found in source.scan():
                written = _one(app.root / found.path, _minted(app, found.path), dry=args.dry_run)
                if written:
                    rows.append({"file": found.path, "id": written})
    for fault in faults:
        note(str(fault))
    if rows or args.json:
        listing(rows, {"file": "File", "id": "Id"}, as_json=args.json, empty="")
    note(f"{count(len(rows), 'file')} {'would get' if args.dry_run else 'got'} an id")
    return 1 if faults else 0


def _minted(app: App, path: str) -> str:
    item = app.content.brief(path, now=None) or app.content.quote(path)
    return item.id if item else ""


def _one(path: Path, minted: str, *, dry: bool) -> str:
    """Add the id to one file; returns it, or "" where nothing was to be done."""
    if not minted:
        return ""
    text = path.read_bytes().decode("utf-8")
    changed = with_id(text, minted)
    if changed == text:
        return ""
    if not dry:
        fresh = path.with_name(f".{path.name}.new")
        fresh.write_bytes(changed.encode())
        fresh.replace(path)
    return minted


def with_id(text: str, minted: str) -> str:
    """``text`` with the id as the first line of its front matter; unchanged where it has one, or no front matter."""
    for opening, line, end, known in (
        (_YAML, f"id: {minted}", "---", r"^id[ \t]*:"),
        (_TOML, f'id = "{minted}"', "+++", r"^id[ \t]*="),
    ):
        found = opening.match(text)
        if found:
            newline = "\r\n" if found[0].endswith("\r\n") else "\n"
            front = text[found.end() :].partition(f"{newline}{end}")[0]
            if re.search(known, front, re.MULTILINE):
                return text
            return f"{text[: found.end()]}{line}{newline}{text[found.end() :]}"
    return text
