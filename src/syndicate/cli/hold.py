"""``hold``: an editor's stop, in force before the next message and across restarts (Q15)."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from syndicate.cli import Parser

if TYPE_CHECKING:
    from syndicate.app import App

WIDE = ("all", "quotes")


def parser(prog: str) -> argparse.ArgumentParser:
    """The arguments of ``hold``."""
    from syndicate.cli.arguments import filled

    made = Parser(
        prog,
        description="Stop TARGET before the next message leaves, at most five seconds from now. The stop survives a restart.\n"
        "TARGET: all, quotes, a channel, quotes:CHANNEL, a newsletter, edition:NUMBER (as `editions list` shows\n"
        "it), or an item's id or slug.",
        example=f'  {prog} quotes --reason "we check a source"',
    )
    made.add_argument("target", metavar="TARGET", help="what to stop")
    made.add_argument("--reason", type=filled, required=True, metavar="TEXT", help="why, for your colleagues and the audit log")
    return made


def run(args: argparse.Namespace) -> int:
    """Place the stop."""
    from syndicate.cli.output import note
    from syndicate.cli.publication import opened, who
    from syndicate.publish import stopping

    with opened(args) as app:
        target = named(app, args.target)
        stopping.hold(app, target, args.reason, who=who(), now=app.now())
    note(f"{args.target} is on hold; `syndicate release {args.target}` lets it go on")
    return 0


def named(app: App, text: str) -> str:
    """The target as the ledger knows it.

    Raises
    ------
    SyndicateError
        There is nothing of that name.
    """
    from syndicate.cli.publication import one_of
    from syndicate.store import agenda

    known = [*WIDE, *app.channels, *(f"quotes:{name}" for name in app.channels), *app.settings.newsletters]
    if text in known:
        return text
    if text.startswith("edition:"):
        with app.store.read() as connection:
            editions = [f"edition:{edition.key}" for edition in agenda.editions(connection, limit=10_000)]
        return one_of(text, editions, "edition")
    item = app.content.brief(text, now=None) or app.content.quote(text)
    return item.id if item else one_of(text, known, "target")
