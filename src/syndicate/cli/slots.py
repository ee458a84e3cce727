"""``slots``: what comes when; and moving or skipping one of them."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from syndicate.cli import OK, Parser

if TYPE_CHECKING:
    from datetime import time

_COLUMNS: Final = {"slot": "Slot", "at": "Due (UTC)", "what": "What", "to": "To", "state": "State", "note": "Note"}


def parser(prog: str) -> argparse.ArgumentParser:
    """The arguments of ``slots``."""
    from syndicate.cli.arguments import at_least_one, filled

    made = Parser(
        prog,
        description="The coming slots of newsletters and of the day's quote. One can be moved within its day, or skipped,\n"
        "until it has begun; it happens once all the same.",
        example=f"  {prog} list\n  {prog} move digest.daily/2026-11-23T07:00/Europe/Berlin --to 09:30",
    )
    commands = made.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=argparse.ArgumentParser)
    listed = commands.add_parser("list", help="list the coming slots, soonest first")
    listed.add_argument("--days", type=at_least_one, default=7, metavar="N", help="how many days ahead (default: 7)")
    listed.add_argument("--json", action="store_true", help="one JSON document")
    move = commands.add_parser("move", help="let a slot happen at another time of its day")
    move.add_argument("slot", metavar="SLOT", help="as `slots list` names it")
    move.add_argument("--to", type=_clock, required=True, metavar="HH:MM", help="the wall time in the slot's own zone")
    move.add_argument("--reason", default="", metavar="TEXT", help="why, for your colleagues and the audit log")
    skip = commands.add_parser("skip", help="let a slot not happen; what an edition would have carried, the next one carries")
    skip.add_argument("slot", metavar="SLOT", help="as `slots list` names it")
    skip.add_argument("--reason", type=filled, required=True, metavar="TEXT", help="why, for your colleagues and the audit log")
    restore = commands.add_parser("restore", help="take a change back: the slot happens as planned")
    restore.add_argument("slot", metavar="SLOT", help="as `slots list` names it")
    return made


def run(args: argparse.Namespace) -> int:
    """List, move, skip or restore."""
    return _list(args) if args.verb == "list" else _change(args)


def _list(args: argparse.Namespace) -> int:
    from syndicate.cli.output import listing
    from syndicate.cli.publication import rehearsed
    from syndicate.publish.forecast import forecast

    with rehearsed(args) as app:
        now = app.now()
        app.content.sync(app.sources, now)
        found = forecast(app, now, args.days)
    rows = [
        {
            "slot": one.slot,
            "at": one.at,
            "what": one.what,
            "of": one.of,
            "to": one.to,
            "state": "skipped" if one.skipped else "moved" if one.was else "planned",
            "was": one.was,
            "note": one.skipped or one.note,
        }
        for one in sorted([*found.coming, *found.skipped], key=lambda one: one.at)
        if one.slot
    ]
    listing(rows, _COLUMNS, as_json=args.json, empty="no slot is due in these days; see `daily` and `schedule` in the settings")
    return OK


def _change(args: argparse.Namespace) -> int:
    from syndicate.cli.output import note
    from syndicate.cli.publication import opened, who
    from syndicate.publish import timetable

    with opened(args) as app:
        now = app.now()
        if args.verb == "move":
            to = timetable.move(app, args.slot, args.to, args.reason, who=who(), now=now)
            note(f"{args.slot} happens at {to:%Y-%m-%d %H:%M} UTC; `slots restore` takes it back")
        elif args.verb == "skip":
            timetable.skip(app, args.slot, args.reason, who=who(), now=now)
            note(f"{args.slot} will not happen; `slots restore` takes it back")
        else:
            timetable.restore(app, args.slot, who=who(), now=now)
            note(f"{args.slot} happens as planned")
    return OK


def _clock(text: str) -> time:
    """``09:30``.

    Raises
    ------
    argparse.ArgumentTypeError
        It is no time of day.
    """
    from syndicate.plan.timetable import clock

    try:
        return clock(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
