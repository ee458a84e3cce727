"""``subscribers import``: the lists of another system, or our own export, taken in a thousand at a time."""

from __future__ import annotations

import os
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from syndicate.cli import FAILED, OK

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from syndicate.app import App
    from syndicate.cli.readers import Line
    from syndicate.sources.roster import Roster

_BATCH: Final = 1000  # readers in one transaction
_MOST_FAULTS: Final = 50
_TOLD: Final = {
    "ended": "unsubscribed elsewhere and ended here",
    "cleaned": "cleaned elsewhere and put on the suppression list",
    "suppressed": "on the suppression list already and left out",
}


def run(args: argparse.Namespace) -> int:
    """Read every list, take in who is new, and put the faulty lines into a file of their own."""
    from syndicate.cli.output import count, note
    from syndicate.cli.publication import opened, rehearsed
    from syndicate.sources import roster

    path = Path(args.file)
    lists = roster.read(path)
    for one in lists:
        note(_told(one))
    with (rehearsed if args.dry_run else opened)(args) as app:
        newsletter = _default(app, args.newsletter, lists)
        counts, faulty = _taken(app, lists, newsletter)
    letter = newsletter or "the newsletters that they name"
    known = f"{counts['known']:,} were there before"
    if args.dry_run:
        note(f"{count(counts['new'], 'reader')} would be subscribed to {letter}; {known}")
    else:
        note(f"{count(counts['new'], 'reader')} subscribed to {letter}; {known}")
    for what, words in _TOLD.items():
        if counts[what]:
            note(f"  {counts[what]:,} {words}")
    if not faulty:
        return OK
    number = sum(map(len, faulty.values()))
    more = f" ({number - _MOST_FAULTS:,} more not shown)" if number > _MOST_FAULTS else ""
    note(f"{count(number, 'line')} at fault{more}; the others go on")
    for one in () if args.dry_run else lists:
        if id(one) in faulty:
            target = _beside(path, one)
            _write(target, one, faulty[id(one)])
            note(f"  they stand in {target}: correct them there, and import that file")
    return FAILED


def _told(one: Roster) -> str:
    """What was recognised, and what of it is left where it is."""
    kind = f", {one.status}" if one.status else ""
    unused = f"; not used: {', '.join(name[:40] for name in one.unused[:20])}" if one.unused else ""
    strange = "" if one.encoding == "UTF-8" else f"; it is not UTF-8 and was read as {one.encoding}"
    what = "a list of readers" if one.system == "CSV" else f"an export of {one.system}'s"
    return f"{one.file}: {what}{kind}{unused}{strange}"


def _default(app: App, name: str, lists: Sequence[Roster]) -> str:
    """The newsletter of lines that name none; ``""`` where each line can."""
    from syndicate.cli.publication import only

    if not name and len(app.settings.newsletters) != 1 and all("newsletter" in one.columns for one in lists):
        return ""
    return only(name, app.settings.newsletters, "newsletter")


def _taken(app: App, lists: Sequence[Roster], newsletter: str) -> tuple[Counter[str], dict[int, list[str]]]:
    """How many became what, and the faulty lines of each list by its ``id``."""
    from syndicate.cli.output import note, progress
    from syndicate.cli.readers import Desk

    desk = Desk(newsletter=newsletter, newsletters=app.settings.newsletters, now=app.now(), seen={})
    counts: Counter[str] = Counter()
    faulty: dict[int, list[str]] = {}
    shown = done = 0
    with progress("imported", sum(len(one.lines) for one in lists)) as tell:
        for one in lists:
            for batch in _batches(desk.lines(one)):
                arrivals = [line.arrival for line in batch if line.arrival]
                counts.update(app.subscribers.take(arrivals, desk.now) if arrivals else {})
                for line in batch:
                    if line.fault:
                        faulty.setdefault(id(one), []).append(line.raw)
                        shown += 1
                        note(str(line.fault)) if shown <= _MOST_FAULTS else None
                done += len(batch)
                tell(done)
    return counts, faulty


def _batches(lines: Iterator[Line]) -> Iterator[list[Line]]:
    while batch := list(islice(lines, _BATCH)):
        yield batch


def _beside(path: Path, one: Roster) -> Path:
    """``FILE.faults.csv``; for a list out of a ZIP with its name, which may tell what it holds."""
    member = one.file.rpartition("/")[2] if "/" in one.file else ""
    name = f"{path.name}.{member.removesuffix('.csv')}" if member else path.name
    return path.with_name(f"{name}.faults.csv")


def _write(target: Path, one: Roster, raws: Sequence[str]) -> None:
    """The heading and the faulty lines, as they stood in the list; they hold addresses, and are this user's alone."""
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    with target.open("w", encoding="utf-8", newline="") as file:
        file.writelines(line if line.endswith(("\n", "\r")) else line + "\n" for line in (one.heading, *raws))
