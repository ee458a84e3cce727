"""``deliveries``: what the ledger says, and a person's word on what it cannot know."""

from __future__ import annotations

import argparse
from typing import Final

from syndicate.cli import Parser

# As in ``model.State``, which would load too much for a help text; a test compares them.
STATES: Final = ("pending", "claimed", "sending", "sent", "deferred", "failed", "suppressed", "uncertain", "cancelled")
_COLUMNS: Final = {
    "id": "Id",
    "due": "Due (UTC)",
    "kind": "Kind",
    "subject": "Of",
    "channel": "Channel",
    "state": "State",
    "attempt": "Tries",
    "said": "What was said",
}


def parser(prog: str) -> argparse.ArgumentParser:
    """The arguments of ``deliveries``."""
    from syndicate.cli.arguments import at_least_one

    made = Parser(
        prog,
        description="What was sent, what waits and what went wrong. No addresses are shown.",
        example=f"  {prog} list --state uncertain\n  {prog} settle 12.3 --sent\n  {prog} retry 12.3",
    )
    commands = made.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=argparse.ArgumentParser)
    listed = commands.add_parser("list", help="list deliveries, newest first")
    listed.add_argument("--state", choices=STATES, metavar="STATE", help=f"one of {', '.join(STATES)}")
    listed.add_argument("--channel", metavar="C", default="", help="only of this channel")
    listed.add_argument("--limit", type=at_least_one, default=200, metavar="N", help="at most N (default: 200)")
    listed.add_argument("--json", action="store_true", help="one JSON document")
    settle = commands.add_parser("settle", help="say what became of an uncertain delivery")
    settle.add_argument("id", metavar="ID", help="as `deliveries list` shows it")
    word = settle.add_mutually_exclusive_group(required=True)
    word.add_argument("--sent", action="store_true", help="it has arrived: count it as sent")
    word.add_argument("--resend", action="store_true", help="it has not: send it again")
    word.add_argument("--drop", action="store_true", help="let it be: count it as cancelled")
    retry = commands.add_parser("retry", help="try a failed delivery again")
    retry.add_argument("id", metavar="ID", help="as `deliveries list` shows it")
    return made


def run(args: argparse.Namespace) -> int:
    """List, settle or retry."""
    return _list(args) if args.verb == "list" else _decide(args)


def _list(args: argparse.Namespace) -> int:
    from syndicate.cli.output import listing
    from syndicate.cli.publication import looked_at, one_of

    with looked_at(args) as app:
        channel = one_of(args.channel, app.channels, "channel") if args.channel else ""
        lines = app.books.lines(state=args.state or "", channel=channel, limit=args.limit)
    rows = [
        {
            "id": line.id,
            "due": line.due,
            "kind": line.kind,
            "subject": line.subject,
            "channel": line.channel,
            "state": str(line.state),
            "attempt": line.attempt,
            "not_before": line.not_before,
            "done_at": line.done_at,
            "url": line.remote_url,
            "code": line.code,
            "said": line.detail or line.remote_url,
        }
        for line in lines
    ]
    listing(rows, _COLUMNS, as_json=args.json, empty="no delivery is recorded" + (f" as {args.state}" if args.state else ""))
    return 0


def _decide(args: argparse.Namespace) -> int:
    from syndicate.cli.output import note
    from syndicate.cli.publication import opened, who
    from syndicate.publish import settling

    word: settling.Word = "again"
    if args.verb == "settle":
        word = "sent" if args.sent else "drop" if args.drop else "again"
    with opened(args) as app:
        state = settling.settle(app, args.id, word, who=who(), now=app.now())
    note(f"delivery {args.id} is {state}" + ("; the next run sends it" if word == "again" else ""))
    return 0
