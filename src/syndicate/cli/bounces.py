"""``bounces``: what comes back, handed in by a mail server's pipe or a file, or fetched from the mailbox."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Final

from syndicate.cli import OK, Parser

if TYPE_CHECKING:
    from syndicate.returns.reading import Report
    from syndicate.store.returns import Outcome

TRY_LATER: Final = 75  # EX_TEMPFAIL of sysexits.h: a mail server keeps the mail and hands it in again


def parser(prog: str) -> argparse.ArgumentParser:
    """The arguments of ``bounces``."""
    made = Parser(
        prog,
        description="Bounces and complaints. A hard bounce or a complaint on a mail of ours suppresses its reader. What we\n"
        "have not signed, and what a machine answers, changes nothing.",
        example=f"  {prog} read < bounce.eml\n  {prog} fetch\n\nin a mail server's alias:\n"
        '  bounces: "|syndicate -C /srv/letter bounces read"',
    )
    commands = made.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=argparse.ArgumentParser)
    read = commands.add_parser("read", help="read one mail; exits 0 for every mail, 75 where it should be handed in again")
    read.add_argument("file", metavar="FILE", nargs="?", default="", help="the mail (default: standard input)")
    read.add_argument("--json", action="store_true", help="one JSON document")
    commands.add_parser("fetch", help="look into the Maildir and the IMAP mailbox of the settings now")
    return made


def run(args: argparse.Namespace) -> int:
    """Read or fetch."""
    return _read(args) if args.verb == "read" else _fetch(args)


def _read(args: argparse.Namespace) -> int:
    from pathlib import Path

    from syndicate.cli.output import document, note, say
    from syndicate.cli.publication import opened
    from syndicate.errors import SyndicateError
    from syndicate.publish import returns
    from syndicate.returns.parts import MOST_BYTES

    if args.file:
        with Path(args.file).open("rb") as file:
            data = file.read(MOST_BYTES)
    else:
        data = sys.stdin.buffer.read(MOST_BYTES)
        while sys.stdin.buffer.read(1 << 20):
            pass  # a mail server whose pipe breaks would bounce the bounce
    try:
        with opened(args) as app:
            report, outcome = returns.take_mail(app, data, app.now())
            returns.follow_up(app, app.now())
    except SyndicateError as error:
        note(f"syndicate: {error}")
        return TRY_LATER
    if args.json:
        document({**_facts(report, outcome)})
    else:
        say(_told(report, outcome))
    return OK


def _facts(report: Report, outcome: Outcome) -> dict[str, object]:
    delivery = report.delivery
    return {
        "kind": str(report.kind),
        "status": report.status,
        "reason": report.reason,
        "form": report.form,
        "delivery": f"{delivery.sending}.{delivery.place}" if delivery else "",
        "edition": outcome.edition,
        "known": outcome.known,
        "new": outcome.new,
        "suppressed": outcome.suppressed,
    }


def _told(report: Report, outcome: Outcome) -> str:
    """``hard bounce 5.1.1 (no such mailbox): the reader gets no more mail``."""
    kinds = {
        "hard": "a hard bounce",
        "soft": "a soft bounce",
        "complaint": "a complaint",
        "delayed": "a delay",
        "delivered": "word that it arrived",
        "answer": "an automatic answer: it does not count",
        "foreign": "nothing of ours",
    }
    what = " ".join(part for part in (kinds[report.kind], report.status, f"({report.reason})" if report.reason else "") if part)
    if report.kind in {"answer", "foreign"}:
        return kinds[report.kind]
    if not outcome.known:
        return f"{what} on a mail that is forgotten, or was never sent"
    if outcome.suppressed:
        return f"{what}: the reader gets no more mail ({outcome.suppressed})"
    return f"{what}: recorded" if outcome.new else f"{what}: known already"


def _fetch(args: argparse.Namespace) -> int:
    from syndicate.cli.output import count, note
    from syndicate.cli.publication import opened
    from syndicate.errors import ConfigError, Fault
    from syndicate.publish import mailbox

    with opened(args) as app:
        if not (app.settings.returns.maildir or app.settings.returns.imap.host):
            raise ConfigError(
                Fault(
                    file="config/syndicate.toml",
                    rule="returns",
                    what="neither a Maildir nor an IMAP mailbox is set",
                    right="set `maildir` under [returns], or `host` under [returns.imap]",
                )
            )
        ours = mailbox.fetch(app)
    note(f"{count(ours, 'report')} on mail of ours")
    return OK
