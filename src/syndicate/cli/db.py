"""``db``: the database's own upkeep."""

from __future__ import annotations

import argparse

from syndicate.cli import Parser


def parser(prog: str) -> argparse.ArgumentParser:
    """The arguments of ``db``."""
    made = Parser(
        prog,
        description="Bring the database up to date, prove that its books are in order, or copy it while others go on.",
        example=f"  {prog} backup letter-2026-11-22.db\n  {prog} check",
    )
    commands = made.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=argparse.ArgumentParser)
    commands.add_parser("upgrade", help="bring the tables up to this version of syndicate; make a backup first")
    check = commands.add_parser("check", help="look for damage, books that do not balance and an altered audit log")
    check.add_argument("--json", action="store_true", help="one JSON document")
    backup = commands.add_parser("backup", help="copy the database; a run on the copy starts on hold until `claim`")
    backup.add_argument("file", metavar="FILE", help="a file that does not exist yet")
    return made


def run(args: argparse.Namespace) -> int:
    """Upgrade, check or back up."""
    return {"upgrade": _upgrade, "check": _check, "backup": _backup}[args.verb](args)


def _upgrade(args: argparse.Namespace) -> int:
    import os

    from syndicate.cli.output import note
    from syndicate.cli.publication import root
    from syndicate.settings import load
    from syndicate.store import migrate
    from syndicate.store.database import Store, database_path

    here = root(args)
    store = Store(database_path(load(here, os.environ).database.url, here))
    try:
        before = migrate.version(store)
        migrate.upgrade(store)
        after = migrate.version(store)
    finally:
        store.close()
    note(
        f"the database is up to date ({after})"
        if before == after
        else f"the database went from {before or 'nothing'} to {after}"
    )
    return 0


def _check(args: argparse.Namespace) -> int:
    from syndicate.cli.output import document, note, say
    from syndicate.cli.publication import looked_at

    with looked_at(args) as app:
        found = app.books.damage()
    if args.json:
        document({"ok": not found, "found": found})
    elif found:
        for line in found:
            say(line)
    else:
        note("the database is sound: no damage, the books balance, the audit log is whole")
    return 1 if found else 0


def _backup(args: argparse.Namespace) -> int:
    from pathlib import Path

    from syndicate.cli.output import note
    from syndicate.cli.publication import database
    from syndicate.store import marks

    target = Path(args.file)
    with database(args) as store:  # of whatever version: an upgrade wants a backup first
        store.copy_to(target, marks.mark_copy)
    note(f"{target}: a copy; a run on it starts on hold until `syndicate claim`")
    return 0
