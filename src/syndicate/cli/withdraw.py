"""``withdraw``: take an item back from everywhere it went, and say what cannot be taken back (Q22)."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from syndicate.cli import FAILED, OK, Parser

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.model import Item
    from syndicate.publish.withdrawal import Line


def parser(prog: str) -> argparse.ArgumentParser:
    """The arguments of ``withdraw``."""
    made = Parser(
        prog,
        description="Take ITEM back: it is marked withdrawn, whatever its file says; what waits is cancelled, the feeds\n"
        "carry a notice or a tombstone, its page answers 410, its posts are deleted. Mail that has left cannot be recalled.\n"
        "Write `status: withdrawn` into its file as well: `check` tells until you have.",
        example="  syndicate -C letter withdraw 0102 --dry-run\n  syndicate -C letter withdraw 0102 --reason 'misattributed'",
    )
    made.add_argument("item", metavar="ITEM", help="a slug, an id or a file")
    made.add_argument("--reason", default="", metavar="TEXT", help="why, for the audit log")
    made.add_argument(
        "--dry-run", action="store_true", help="rehearse on a copy and time it: nothing changes, nothing is asked"
    )
    made.add_argument("--json", action="store_true", help="the matrix as one JSON document")
    return made


def run(args: argparse.Namespace) -> int:
    """Withdraw, or rehearse it."""
    from syndicate.cli.matrix import ended, told
    from syndicate.cli.output import note

    lines, title = _rehearse(args) if args.dry_run else _withdraw(args)
    told(lines, as_json=args.json)
    if args.dry_run:
        took = sum(line.seconds or 0 for line in lines)
        note(
            f"a rehearsal: {title} is where it was; our own part took {took:.1f} s, and the clock of a removal order is an hour"
        )
        return OK
    return OK if ended(lines, f"{title} is withdrawn") else FAILED


def _withdraw(args: argparse.Namespace) -> tuple[list[Line], str]:
    import time

    from syndicate.cli.publication import opened, who
    from syndicate.cli.waiting import deliver
    from syndicate.publish import withdrawal

    with opened(args) as app:
        now = app.now()
        app.content.sync(app.sources, now)
        item = _named(app, args)
        lines = withdrawal.withdraw(app, item, now, who=who(), reason=args.reason, clock=time.monotonic)
        deliver(app, "delete", item.id)
        return [*lines, *withdrawal.reached(app, item)], item.slug


def _rehearse(args: argparse.Namespace) -> tuple[list[Line], str]:
    """The same on a copy of the database, with feeds of its own, and no network asked."""
    import time
    from dataclasses import replace
    from pathlib import Path
    from shutil import copytree
    from tempfile import TemporaryDirectory

    from syndicate.cli.publication import rehearsed
    from syndicate.publish import withdrawal

    with rehearsed(args) as app, TemporaryDirectory(prefix="syndicate-") as folder:
        now = app.now()
        app.content.sync(app.sources, now)
        item = _named(app, args)
        if app.feeds_folder.is_dir():
            copytree(app.feeds_folder, Path(folder) / "feeds")
        copy = replace(app, root=Path(folder))
        lines = withdrawal.withdraw(copy, item, now, who="rehearsal", reason="", clock=time.monotonic)
        return [*lines, *withdrawal.reached(copy, item)], item.slug


def _named(app: App, args: argparse.Namespace) -> Item:
    """The item, with a reason that repeats none of its words.

    Raises
    ------
    SyndicateError
        There is none of that name.
    Held
        The reason repeats a quote (Q5).
    """
    from syndicate.cli.preview import found
    from syndicate.cli.publication import root
    from syndicate.model import Quote
    from syndicate.render import framing

    item = found(app, args.item, root(args))
    if isinstance(item, Quote):
        framing.guard_outside(args.reason, [item], style=app.style)
    return item
