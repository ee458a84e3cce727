"""``keys``: what signs reader links and hashes addresses."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from syndicate.cli import OK, Parser

if TYPE_CHECKING:
    from syndicate.store.database import Connection

_LISTED: Final = {"number": "Key", "since": "Signs since"}


def parser(prog: str) -> argparse.ArgumentParser:
    """The arguments of ``keys``."""
    made = Parser(
        prog,
        description="The keys that sign the links in mails and hash suppressed addresses.\n\n"
        "The newest signs. Every older one keeps verifying, so that no link in a mail ever stops working.",
        example=f"  {prog} rotate",
    )
    commands = made.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=argparse.ArgumentParser)
    listed = commands.add_parser("list", help="list the keys; never what they are")
    listed.add_argument("--json", action="store_true", help="one JSON document")
    commands.add_parser("rotate", help="add a key, which signs from the next start of `run` on")
    return made


def run(args: argparse.Namespace) -> int:
    """List or rotate."""
    return {"list": _list, "rotate": _rotate}[args.verb](args)


def _list(args: argparse.Namespace) -> int:
    from syndicate.cli.output import listing
    from syndicate.cli.publication import looked_at
    from syndicate.store import keys

    with looked_at(args) as app, app.store.read() as connection:
        rows = [{"number": number, "since": at.isoformat(timespec="seconds")} for number, at in keys.listed(connection)]
    listing(rows, _LISTED, as_json=args.json, empty="there is no key yet")
    return OK


def _rotate(args: argparse.Namespace) -> int:
    from syndicate.cli.output import note
    from syndicate.cli.publication import opened, who
    from syndicate.store import keys
    from syndicate.store.audit import audit

    with opened(args) as app:
        now = app.now()

        def work(connection: Connection) -> int:
            number = keys.rotate(connection, now)
            audit(connection, who=who(), act="rotate", subject=f"key {number}", detail={}, at=now)
            return number

        number = app.store.write(work)
    note(f"key {number} signs from the next start of `run` on; links of older keys keep working")
    return OK
