"""``init``: a new publication from the starter that the installation carries."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from syndicate.cli import Parser

if TYPE_CHECKING:
    from pathlib import Path

_KEY: Final = re.compile(
    r"^(?P<head>\s*(?:-\s+)?(?:date|updated)\s*[:=]\s*)(?P<value>\d{4}-\d\d-\d\d\S*)(?P<tail>.*)$", re.MULTILINE
)
_FRONT: Final = re.compile(r"\A(?:---\n.*?^---$|\+\+\+\n.*?^\+\+\+$)", re.MULTILINE | re.DOTALL)
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_READERS: Final = (("instant", "Ines Instant"), ("daily", "Dara Daily"), ("weekly", "Willa Weekly"))


def parser(prog: str) -> argparse.ArgumentParser:
    """The arguments of ``init``."""
    from syndicate.cli.arguments import filled

    made = Parser(
        prog,
        description="Make a publication in DIR: settings, templates, a folder for briefs and one for quotes.\n"
        "Files that are already there are never overwritten.",
        example=f"  {prog} letter --sample\n  syndicate -C letter run",
    )
    made.add_argument("target", metavar="DIR", type=filled, help="the new folder")
    made.add_argument(
        "--sample",
        action="store_true",
        help="with sample briefs and quotes, dated so that the first run has something to send, and three sample subscribers",
    )
    return made


def run(args: argparse.Namespace) -> int:
    """Make it, and say what comes next."""
    from pathlib import Path

    from syndicate.cli.output import note

    target = Path(args.target)
    written = make(target, sample=args.sample, now=datetime.now(UTC))
    note(f"{target}: a new publication of {written} files")
    note(
        f"next: edit {target / 'config' / 'syndicate.toml'}, then `syndicate -C {target} check` and `syndicate -C {target} run`"
    )
    return 0


def make(target: Path, *, sample: bool, now: datetime) -> int:
    """Write a publication into ``target``; returns how many files.

    Raises
    ------
    SyndicateError
        A file of that name is already there; nothing is written then.
    """
    from syndicate import starter
    from syndicate.cli import originals
    from syndicate.errors import SyndicateError

    wanted = {path: place for path, place in starter.files() if sample or not path.startswith("content/")}
    taken = sorted(path for path in wanted if (target / path).exists())
    if taken:
        msg = f"{target / taken[0]} is already there; name a new folder, or move it away first (nothing was written)"
        raise SyndicateError(msg)
    files = {path: place.read_bytes() for path, place in wanted.items()}
    files[originals.RECORD] = originals.record(files)
    begin = now.replace(second=0, microsecond=0)
    if sample:
        texts = {path: data.decode() for path, data in files.items() if path.endswith((".md", "config/syndicate.toml"))}
        files |= {path: text.encode() for path, text in up_to_date(texts, begin).items()}
    for path, data in files.items():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_bytes(data)
    for folder in ("content/briefs", "content/quotes"):
        (target / folder).mkdir(parents=True, exist_ok=True)
    if sample:
        _subscribe(target, begin - timedelta(minutes=1))
    return len(files)


def up_to_date(texts: Mapping[str, str], minute: datetime) -> dict[str, str]:
    """The sample as it reads at ``minute`` (aware, whole): the newest brief of that minute, the others whole days before it.

    Corrections move with their brief; the quote, daily and weekly schedules get that minute and weekday in the site's zone.
    """
    import tomllib
    from zoneinfo import ZoneInfo

    settings = texts["config/syndicate.toml"]
    local = minute.astimezone(ZoneInfo(tomllib.loads(settings)["site"]["zone"]))
    written = {path: found for path, text in texts.items() if path.startswith("content/briefs/") and (found := _dated(text))}
    newest = max(written.values())
    changed = {"config/syndicate.toml": scheduled(settings, local)}
    for path, day in written.items():
        back = (newest - day).days or int(day != newest)
        changed[path] = redated(texts[path], local - timedelta(days=back), day)
    return {**texts, **changed}


def scheduled(settings: str, local: datetime) -> str:
    """Settings whose quote, daily and weekly schedules fall on the minute and weekday of ``local``."""
    at = f"{local:%H:%M}"
    for key, text in (
        ("schedule", f"daily at {at}"),
        ("daily", f"daily at {at}"),
        ("weekly", f"weekly on {_DAYS[local.weekday()]} at {at}"),
    ):
        settings = re.sub(rf'^({key} = )"[^"]*"', rf'\g<1>"{text}"', settings, flags=re.MULTILINE)
    return settings


def redated(text: str, new: datetime, old: date) -> str:
    """A brief whose ``date`` is ``new``; whatever else has a day in its front matter moves by as many days."""
    front = _FRONT.match(text)
    if front is None:
        return text
    shift = new.date() - old
    first = True

    def move(found: re.Match[str]) -> str:
        nonlocal first
        if first and found["head"].strip().startswith("date"):
            first = False
            return f"{found['head']}{new.isoformat()}{found['tail']}"
        value = found["value"]
        moved = date.fromisoformat(value[:10]) + shift
        return f"{found['head']}{moved.isoformat()}{value[10:]}{found['tail']}"

    return _KEY.sub(move, front[0]) + text[front.end() :]


def _dated(text: str) -> date | None:
    """The civil day of a brief's ``date``."""
    front = _FRONT.match(text)
    found = re.search(r"^date\s*[:=]\s*(\d{4}-\d\d-\d\d)", front[0], re.MULTILINE) if front else None
    return date.fromisoformat(found[1]) if found else None


def _subscribe(target: Path, start: datetime) -> None:
    """Three sample readers, from the start mark on: one per frequency."""
    from syndicate.app import open_app
    from syndicate.model import Frequency
    from syndicate.store import marks
    from syndicate.store.subscribers import Wishes

    with open_app(target.resolve(), at=start) as app:
        marks.forget(app.var, environ=os.environ)  # a sample that is made anew has lost nobody
        for newsletter in app.settings.newsletters:
            for frequency, name in _READERS:
                app.subscribers.add(
                    f"{frequency}@readers.example",
                    newsletter,
                    Wishes(frequency=Frequency(frequency)),
                    at=start,
                    covered_to=start,
                    name=name,
                    consent={"how": "sample", "at": start.isoformat()},
                )
