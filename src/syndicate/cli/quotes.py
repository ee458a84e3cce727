"""``quotes``: the pool, without anybody's words."""

from __future__ import annotations

import argparse
from typing import Final

from syndicate.cli import Parser

_COLUMNS: Final = {
    "slug": "Id",
    "title": "Title",
    "kind": "Kind",
    "speaker": "Speaker",
    "shown": "Shown",
    "status": "Status",
    "held": "Held by",
}


def parser(prog: str) -> argparse.ArgumentParser:
    """The arguments of ``quotes``."""
    made = Parser(
        prog,
        description="The quotes of this publication: whose, whether they may run, and when they were shown. Never the words.",
        example=f"  {prog} list\n  {prog} list --json",
    )
    commands = made.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=argparse.ArgumentParser)
    listed = commands.add_parser("list", help="list every quote")
    listed.add_argument("--json", action="store_true", help="one JSON document")
    return made


def run(args: argparse.Namespace) -> int:
    """List the quotes, each with the rule that holds it back where one does."""
    from syndicate.cli.output import listing, note
    from syndicate.cli.publication import rehearsed
    from syndicate.errors import Held
    from syndicate.render import framing

    rows = []
    with rehearsed(args) as app:
        now = app.now()
        faults = [fault for fault in app.content.sync(app.sources, now).faults if "quotes" in fault.file]
        shown = {quote.id: at for quote, at in reversed(app.content.shown_quotes(now))}
        for quote in app.content.quotes(now=now):
            held = why = ""
            try:
                framing.admit(quote, app.style, approved=False, now=now)
            except Held as refusal:
                held, why = refusal.rule, str(refusal)
            rows.append(
                {
                    "slug": quote.slug,
                    "id": quote.id,
                    "title": quote.title,
                    "kind": str(quote.kind),
                    "speaker": quote.speaker or quote.place,
                    "ideology": quote.ideology,
                    "date": quote.date,
                    "lang": quote.lang,
                    "shown": shown.get(quote.id),
                    "status": str(quote.status),
                    "held": held,
                    "why": why,
                    "file": quote.path,
                }
            )
    listing(rows, _COLUMNS, as_json=args.json, empty="there is no quote yet; put one file for each into content/quotes/")
    for fault in faults:
        note(str(fault))
    return 1 if faults else 0
