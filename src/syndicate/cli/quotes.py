"""``quotes``: the pool, without anybody's words; and the consents of its two people."""

from __future__ import annotations

import argparse
from typing import Final

from syndicate.cli import Parser, approving, importing

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
        description="The quotes of this publication: whose, whether they may run, and when they were shown.\n"
        'A quote leaves after a verifier and an approver, two different people, have agreed to it (approval = "four-eyes").\n'
        "A change voids what it touches: content voids both consents, a label, template or limit the approver's.",
        example=f"  {prog} list\n  {prog} verify content/quotes/0102.md --as Ada\n  {prog} approve --changed --as Bo",
    )
    commands = made.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=argparse.ArgumentParser)
    listed = commands.add_parser("list", help="list every quote")
    listed.add_argument("--json", action="store_true", help="one JSON document")
    imported = commands.add_parser("import", help="write a file for each quote of a CSV or JSON file; never over another")
    imported.add_argument("file", metavar="FILE", help="columns as in a quote's file; the quotation itself is `words`")
    imported.add_argument("--dry-run", action="store_true", help="only say what would happen")
    reported = commands.add_parser("report", help="how many quotes there are by speaker, group, ideology, language and date")
    reported.add_argument("--json", action="store_true", help="one JSON document")
    approving.commands(commands)
    return made


def run(args: argparse.Namespace) -> int:
    """List, or one act of one person."""
    return {"list": _list, "report": _report, "import": importing.run}.get(args.verb, approving.run)(args)


def _report(args: argparse.Namespace) -> int:
    """Who is shown how often."""
    from dataclasses import asdict

    from syndicate.cli.output import document, heading, listing, say
    from syndicate.cli.publication import rehearsed
    from syndicate.publish import selection

    with rehearsed(args) as app:
        now = app.now()
        app.content.sync(app.sources, now)
        found = {name: [asdict(share) for share in shares] for name, shares in selection.mix(app, now).items()}
    if args.json:
        document(found)
        return 0
    for name, rows in found.items():
        heading(name)
        listing(rows, {"value": name.capitalize(), "quotes": "Quotes", "shown": "Times shown"}, as_json=False, empty="none")
        say()
    return 0


def _list(args: argparse.Namespace) -> int:
    """Every quote, each with the rule that holds it back where one does."""
    from syndicate.cli.output import listing, note
    from syndicate.cli.publication import rehearsed
    from syndicate.errors import Held
    from syndicate.publish import approval

    rows = []
    with rehearsed(args) as app:
        now = app.now()
        faults = [fault for fault in app.content.sync(app.sources, now).faults if "quotes" in fault.file]
        shown = {quote.id: at for quote, at in reversed(app.content.shown_quotes(now))}
        for quote in app.content.quotes(now=now):
            held = why = ""
            try:
                approval.admit(app, quote, now)
            except Held as refusal:
                held, why = refusal.rule, str(refusal)
            stands = approval.standing(app, quote, now) if app.settings.quotes.approval == "four-eyes" else approval.Standing()
            rows.append(
                {
                    "slug": quote.slug,
                    "id": quote.id,
                    "title": approval.told(app, quote, quote.title),
                    "kind": str(quote.kind),
                    "speaker": approval.told(app, quote, quote.speaker or quote.place),
                    "ideology": approval.told(app, quote, quote.ideology),
                    "date": quote.date,
                    "lang": quote.lang,
                    "shown": shown.get(quote.id),
                    "status": str(quote.status),
                    "held": held,
                    "submitted_by": stands.submitter,
                    "verified_by": list(stands.verifiers),
                    "approved_by": list(stands.approvers),
                    "waits_for": stands.waits_for if held == "Q11" else "",
                    "why": why,
                    "file": approval.file_of(app, quote),
                }
            )
    listing(rows, _COLUMNS, as_json=args.json, empty="there is no quote yet; put one file for each into content/quotes/")
    for fault in faults:
        note(str(fault))
    return 1 if faults else 0
