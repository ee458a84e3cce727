"""``correct``: put an item right wherever it went, and say where that cannot be done."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from syndicate.cli import FAILED, OK, Parser

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.model import Item
    from syndicate.publish.withdrawal import Line
    from syndicate.store.amendments import Told


def parser(prog: str) -> argparse.ArgumentParser:
    """The arguments of ``correct``."""
    made = Parser(
        prog,
        description="Put ITEM right: feeds and pages at once; each post as its network allows, changed in place, answered or\n"
        "followed; and a mail to those readers alone who were sent the wrong version. The newest correction under\n"
        "`corrections` in the item's file is told, or --text. A minor one changes feeds, pages and what can be changed in\n"
        "place, and mails nobody. A quote that was changed needs its people's approval anew before it leaves.",
        example="  syndicate -C letter correct harbour --severity significant --dry-run\n"
        "  syndicate -C letter correct 0102 --severity minor --text 'The year was 1987.'",
    )
    made.add_argument("item", metavar="ITEM", help="a slug, an id or a file")
    made.add_argument("--severity", required=True, choices=("minor", "significant"), help="whether readers must hear of it")
    made.add_argument(
        "--text", default="", metavar="TEXT", help="what was wrong and what is right, where the file does not say it"
    )
    made.add_argument("--dry-run", action="store_true", help="rehearse on a copy: nothing changes, nothing is asked")
    made.add_argument("--json", action="store_true", help="the matrix as one JSON document")
    return made


def run(args: argparse.Namespace) -> int:
    """Correct, or rehearse it."""
    from syndicate.cli.matrix import ended, told
    from syndicate.cli.output import note

    lines, title = _rehearse(args) if args.dry_run else _correct(args)
    told(lines, as_json=args.json)
    if args.dry_run:
        note(f"a rehearsal: {title} is as it was")
        return OK
    return OK if ended(lines, f"{title} is corrected") else FAILED


def _correct(args: argparse.Namespace) -> tuple[list[Line], str]:
    from syndicate.cli.publication import opened
    from syndicate.cli.waiting import deliver
    from syndicate.publish import correction
    from syndicate.store import amendments

    with opened(args) as app:
        lines, known, item = _begin(app, args)
        for kind, subject in (
            ("edit", item.id),
            *(("notice", amendments.notice(letter, item.id)) for letter in app.settings.newsletters),
        ):
            if app.books.balance(kind, subject).open:
                deliver(app, kind, subject)
        return [*lines, *correction.reached(app, item, known)], item.slug


def _rehearse(args: argparse.Namespace) -> tuple[list[Line], str]:
    """The same on a copy of the database, with feeds of its own, and no network asked."""
    from dataclasses import replace
    from pathlib import Path
    from shutil import copytree
    from tempfile import TemporaryDirectory

    from syndicate.cli.publication import rehearsed
    from syndicate.publish import correction

    with rehearsed(args) as app, TemporaryDirectory(prefix="syndicate-") as folder:
        if app.feeds_folder.is_dir():
            copytree(app.feeds_folder, Path(folder) / "feeds")
        copy = replace(app, root=Path(folder))
        lines, known, item = _begin(copy, args)
        return [*lines, *correction.reached(copy, item, known)], item.slug


def _begin(app: App, args: argparse.Namespace) -> tuple[list[Line], Told, Item]:
    """Mark it and record what is owed.

    Raises
    ------
    SyndicateError
        There is no such item, it was taken back, or nothing is said of what was wrong.
    Held
        The text repeats a quote (Q5).
    """
    import time

    from syndicate.cli.preview import found
    from syndicate.cli.publication import root, who
    from syndicate.errors import SyndicateError
    from syndicate.model import Severity, Status
    from syndicate.publish import correction

    now = app.now()
    app.content.sync(app.sources, now)
    item = found(app, args.item, root(args))
    if item.status is Status.WITHDRAWN:
        msg = f"{item.slug} was withdrawn: there is nothing left to put right"
        raise SyndicateError(msg)
    wanted = correction.wish(app, item, Severity(args.severity), args.text.strip(), now)
    known, lines = correction.correct(app, item, wanted, now, who=who(), clock=time.monotonic)
    return lines, known, item
