"""``subscribers``: readers, one by one, from a file and into one."""

from __future__ import annotations

import argparse
from typing import Final

from syndicate.cli import OK, Parser

_LISTED: Final = {
    "address": "Address",
    "newsletter": "Newsletter",
    "state": "State",
    "frequency": "Frequency",
    "hour": "Hour",
    "zone": "Zone",
}
COLUMNS: Final = ("address", "name", "frequency", "weekday", "hour", "zone", "quote", "lang", "status")


def parser(prog: str) -> argparse.ArgumentParser:
    """The arguments of ``subscribers``."""
    made = Parser(
        prog,
        description="The readers of a newsletter.\n\n"
        "A file to import is what Mailchimp (the ZIP or its CSV files), listmonk or Ghost exports, as it comes, or CSV\n"
        f"with a heading. Columns: {', '.join(COLUMNS)}.\n"
        "Only address is needed. frequency is instant, daily or weekly; weekday is Mon to Sun; hour is 0 to 23\n"
        "on the reader's own clock; quote is inline, link or none; status is subscribed or unsubscribed.",
        example=f"  {prog} add reader@example.org --frequency weekly\n  {prog} import readers.csv --dry-run",
    )
    commands = made.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=argparse.ArgumentParser)
    listed = commands.add_parser("list", help="list the subscriptions, by address")
    listed.add_argument("--newsletter", default="", metavar="N", help="only of this newsletter")
    listed.add_argument("--json", action="store_true", help="one JSON document")
    add = commands.add_parser("add", help="add one reader, who has agreed")
    add.add_argument("address", metavar="ADDRESS")
    add.add_argument("--newsletter", default="", metavar="N", help="the newsletter (default: the only one)")
    for column in COLUMNS[1:-1]:
        add.add_argument(f"--{column}", default="", metavar="TEXT", help=_help(column))
    read = commands.add_parser("import", help="add the readers of a file; faulty lines go into FILE.faults.csv")
    read.add_argument("file", metavar="FILE")
    read.add_argument("--newsletter", default="", metavar="N", help="the newsletter (default: the only one)")
    read.add_argument("--dry-run", action="store_true", help="only say what would happen")
    export = commands.add_parser("export", help="print every subscription with its consent, as `import` reads it")
    export.add_argument("--newsletter", default="", metavar="N", help="only of this newsletter")
    export.add_argument("--format", choices=("csv", "json"), default="csv", metavar="FORMAT", help="csv (the default) or json")
    show = commands.add_parser("show", help="all that is kept of one reader: wishes, consent, what was sent and what came back")
    show.add_argument("address", metavar="ADDRESS")
    show.add_argument("--json", action="store_true", help="one JSON document")
    erase = commands.add_parser("erase", help="take one reader out of database, logs and outbox; a keyed hash stays")
    erase.add_argument("address", metavar="ADDRESS")
    erase.add_argument("--yes", action="store_true", help="do not ask")
    return made


def run(args: argparse.Namespace) -> int:
    """Do what the verb says."""
    from syndicate.cli import arriving, departing

    verbs = {"export": departing.export, "show": departing.show, "erase": departing.erase}
    return {"list": _list, "add": _add, "import": arriving.run, **verbs}[args.verb](args)


def _help(column: str) -> str:
    return {
        "name": "how the reader is called",
        "frequency": "instant, daily (the default) or weekly",
        "weekday": "Mon to Sun, for weekly",
        "hour": "0 to 23 on the reader's own clock",
        "zone": "the reader's time zone, like Europe/Berlin",
        "quote": "inline, link or none",
        "lang": "the language of what surrounds the briefs, like en",
    }[column]


def _list(args: argparse.Namespace) -> int:
    from syndicate.cli.output import listing
    from syndicate.cli.publication import looked_at, only

    with looked_at(args) as app:
        name = only(args.newsletter, app.settings.newsletters, "newsletter") if args.newsletter else ""
        rows = [
            {
                "id": line.id,
                "address": line.address,
                "newsletter": line.newsletter,
                "state": line.state,
                "frequency": str(line.wishes.frequency),
                "weekday": line.wishes.weekday,
                "hour": line.wishes.hour,
                "zone": line.wishes.zone,
                "quote": str(line.wishes.quote_display or ""),
                "lang": line.wishes.lang,
                "topics": list(line.wishes.topics),
            }
            for line in app.subscribers.listed(name)
        ]
    listing(rows, _LISTED, as_json=args.json, empty="there is no subscriber yet; `syndicate subscribers add ADDRESS`")
    return OK


def _add(args: argparse.Namespace) -> int:
    from syndicate.cli.output import note
    from syndicate.cli.publication import only, opened
    from syndicate.cli.readers import wishes
    from syndicate.errors import SyndicateError

    with opened(args) as app:
        newsletter = only(args.newsletter, app.settings.newsletters, "newsletter")
        now = app.now()
        try:
            new = app.subscribers.add(
                args.address,
                newsletter,
                wishes({column: getattr(args, column) for column in COLUMNS[1:-1]}),
                at=now,
                covered_to=now,
                name=args.name,
                consent={"how": "added by an editor", "at": now.isoformat()},
            )
        except ValueError as error:
            raise SyndicateError(str(error)) from error
    note(f"subscribed to {newsletter}" if new else f"there is a subscription to {newsletter} already; it stays as it is")
    return OK
