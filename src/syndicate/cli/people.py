"""``people``: who verifies and who approves, each with a passphrase of their own (Q11)."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from syndicate.cli import OK, Parser

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.cli.passphrase import Asking

ROLES: Final = ("verifier", "approver", "editor", "admin")
_COLUMNS: Final = {"name": "Name", "roles": "Roles", "at": "Since (UTC)"}


def parser(prog: str) -> argparse.ArgumentParser:
    """The arguments of ``people``."""
    made = Parser(
        prog,
        description="The people who answer for quotes. A passphrase is asked for on the terminal and not shown; a script\n"
        "names a file in SYNDICATE_PASSPHRASE_FILE, from which each question takes the next line.\n"
        "Once there is an admin, only an admin adds and removes people.",
        example=f"  {prog} add Ada --role verifier\n  {prog} add Bo --role approver --as Ada",
    )
    commands = made.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=argparse.ArgumentParser)
    add = commands.add_parser("add", help="add a person and ask for a new passphrase")
    add.add_argument("name", metavar="NAME")
    add.add_argument(
        "--role", action="append", required=True, choices=ROLES, help="what they may do; may be given more than once"
    )
    listed = commands.add_parser("list", help="list the people")
    listed.add_argument("--json", action="store_true", help="one JSON document")
    remove = commands.add_parser("remove", help="take a person's passphrase and roles away; what they agreed to stays")
    remove.add_argument("name", metavar="NAME")
    for one in (add, remove):
        one.add_argument("--as", dest="person", default="", metavar="NAME", help="the admin who does it, once there is one")
    return made


def run(args: argparse.Namespace) -> int:
    """Add, list or remove."""
    return {"add": _add, "list": _list, "remove": _remove}[args.verb](args)


def _add(args: argparse.Namespace) -> int:
    from syndicate.cli.output import note
    from syndicate.cli.passphrase import Asking
    from syndicate.cli.publication import opened

    with opened(args) as app:
        asking = Asking()
        who = _allowed(app, args.person, asking)
        given = asking.passphrase(args.name, new=True)
        person = app.people.add(args.name, args.role, given, who=who, now=app.now())
    note(f"{person.name} is {' and '.join(person.roles)}")
    return OK


def _list(args: argparse.Namespace) -> int:
    from syndicate.cli.output import listing
    from syndicate.cli.publication import looked_at

    with looked_at(args) as app:
        rows = [{"name": one.name, "roles": list(one.roles), "at": one.at} for one in app.people.everybody()]
    listing(rows, _COLUMNS, as_json=args.json, empty="there is nobody yet; `syndicate people add NAME --role verifier`")
    return OK


def _remove(args: argparse.Namespace) -> int:
    from syndicate.cli.output import note
    from syndicate.cli.passphrase import Asking
    from syndicate.cli.publication import opened

    with opened(args) as app:
        app.people.remove(args.name, who=_allowed(app, args.person, Asking()), now=app.now())
    note(f"{args.name} is removed; what they agreed to before stays good")
    return OK


def _allowed(app: App, name: str, asking: Asking) -> str:
    """Who changes the list of people: an admin, once there is one.

    Raises
    ------
    SyndicateError
        Somebody else, or a wrong passphrase.
    """
    from syndicate.cli.passphrase import acting
    from syndicate.cli.publication import who
    from syndicate.errors import SyndicateError

    if not any("admin" in person.roles for person in app.people.everybody()):
        return who()
    person = acting(app, name, asking)
    if "admin" not in person.roles:
        msg = f"{person.name} is no admin: only an admin adds and removes people"
        raise SyndicateError(msg)
    return person.name
