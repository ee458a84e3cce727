"""``editions``: what was sent to whom, in numbers; and sending by hand."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from syndicate.cli import FAILED, OK, Parser

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syndicate.app import App
    from syndicate.model import Item
    from syndicate.store.agenda import Edition, Variant
    from syndicate.store.books import Balance

_COLUMNS: Final = {
    "id": "Id",
    "newsletter": "Newsletter",
    "number": "No.",
    "frequency": "Kind",
    "period": "Of",
    "state": "State",
    "audience": "Readers",
    "sent": "Sent",
    "open": "Open",
    "failed": "Failed",
    "uncertain": "Uncertain",
}
_DIFFERENCES: Final = {"variant": "Variant", "what": "What", "one": "One reader", "two": "Another"}
_RETURNED: Final = {"kind": "What came back", "n": "Times", "reason": "Why", "domain": "From"}
_VARIANTS: Final = {"id": "Variant", "quote": "Quote", "lang": "Language", "items": "Items", "state": "State", "note": "Note"}


def parser(prog: str) -> argparse.ArgumentParser:
    """The arguments of ``editions``."""
    made = Parser(
        prog,
        description="The editions of the newsletters and their books: readers = sent + failed + suppressed + uncertain +\n"
        "cancelled + open.",
        example=f"  {prog} list\n  {prog} show 12\n  {prog} test digest --to me@example.org",
    )
    commands = made.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=argparse.ArgumentParser)
    listed = commands.add_parser("list", help="list the editions, newest first")
    listed.add_argument("--newsletter", default="", metavar="N", help="only of this newsletter")
    listed.add_argument("--json", action="store_true", help="one JSON document")
    show = commands.add_parser("show", help="the books and the variants of one edition")
    show.add_argument("id", metavar="ID", type=int, help="as `editions list` shows it")
    show.add_argument(
        "--privacy", action="store_true", help="compare two readers' mails byte for byte: only what is theirs may differ"
    )
    show.add_argument("--json", action="store_true", help="one JSON document")
    send = commands.add_parser(
        "send", help="send now, to every reader, what no earlier edition carried; waits until all is settled"
    )
    send.add_argument("newsletter", metavar="NEWSLETTER")
    retry = commands.add_parser("retry", help="try the failed messages of one edition again; uncertain ones never")
    retry.add_argument("id", metavar="ID", type=int, help="as `editions list` shows it")
    test = commands.add_parser("test", help="send the newest brief and today's quote as one mail to an address of yours")
    test.add_argument("newsletter", metavar="NEWSLETTER")
    test.add_argument("--to", required=True, metavar="ADDRESS")
    return made


def run(args: argparse.Namespace) -> int:
    """Do what the verb says."""
    return {"list": _list, "show": _show, "send": _send, "retry": _retry, "test": _test}[args.verb](args)


def _row(app: App, edition: Edition) -> dict[str, object]:
    balance = app.books.balance("edition", str(edition.key))
    return {
        "id": edition.key,
        "newsletter": edition.newsletter,
        "number": edition.number,
        "frequency": edition.frequency,
        "period": edition.period,
        "state": edition.state,
        "at": edition.at,
        "audience": balance.audience,
        "open": balance.open,
        **{state: balance.states.get(state, 0) for state in _settled()},  # type: ignore[call-overload]
    }


def _settled() -> tuple[str, ...]:
    return ("sent", "failed", "suppressed", "uncertain", "cancelled")


def _titles(app: App, keys: tuple[int, ...]) -> list[str]:
    from syndicate.publish import approval

    known: dict[int, Item] = {**app.content.briefs_by_keys(keys), **app.content.quotes_by_keys(keys)}
    return [approval.told(app, known[key], known[key].title) for key in keys if key in known]


def _list(args: argparse.Namespace) -> int:
    from syndicate.cli.output import listing
    from syndicate.cli.publication import looked_at, only
    from syndicate.store import agenda

    with looked_at(args) as app:
        name = only(args.newsletter, app.settings.newsletters, "newsletter") if args.newsletter else ""
        with app.store.read() as connection:
            found = agenda.editions(connection, newsletter=name)
        rows = [_row(app, edition) for edition in found]
    listing(rows, _COLUMNS, as_json=args.json, empty="no edition has been sent yet; `syndicate plan` shows what is due")
    return OK


def _show(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    from syndicate.cli.output import count, document, listing, say
    from syndicate.cli.publication import looked_at
    from syndicate.errors import SyndicateError
    from syndicate.store import agenda
    from syndicate.store.returns import Returns

    with looked_at(args) as app:
        with app.store.read() as connection:
            variants = agenda.variants(connection, edition=args.id)
        if not variants:
            msg = f"there is no edition {args.id}; `syndicate editions list` shows them"
            raise SyndicateError(msg)
        if args.privacy:
            return _privacy(app, variants, as_json=args.json)
        row = _row(app, variants[0].edition)
        shown: list[dict[str, object]] = [
            {
                "id": variant.key,
                "quote": str(variant.quote_display),
                "lang": variant.lang or app.settings.site.language,
                "items": _titles(app, variant.items),
                "state": variant.state,
                "fault": variant.fault,
                "shortened": _shortened(variant),
                "note": "; ".join(part for part in (variant.fault, _shortened(variant)) if part),
            }
            for variant in variants
        ]
        returned: list[dict[str, object]] = [asdict(one) for one in Returns(app.store).breakdown(args.id)]
    if args.json:
        document({**row, "variants": shown, "returned": returned})
        return OK
    say(f"{row['newsletter']} no. {row['number']}, {row['frequency']} of {row['period']}: {row['state']}")
    terms = " + ".join(f"{row[state]} {state}" for state in (*_settled(), "open"))
    say(f"{count(int(str(row['audience'])), 'reader')} = {terms}")
    if row["uncertain"]:
        say("uncertain: `syndicate deliveries list --state uncertain`, then `settle`")
    if row["failed"]:
        say(
            f"failed: `syndicate deliveries list --state failed` says why, `syndicate editions retry {args.id}` tries all again"
        )
    say()
    listing(shown, _VARIANTS, as_json=False, empty="")
    if returned:
        say()
        listing(returned, _RETURNED, as_json=False, empty="")
    return OK


def _shortened(variant: Variant) -> str:
    """What a rendering left out so that mail clients show all of it."""
    from syndicate.render.frozen import Frozen

    cut = Frozen.from_json(variant.frozen).cut if variant.frozen else ""
    return f"shortened: {cut}" if cut else ""


def _privacy(app: App, variants: Sequence[Variant], *, as_json: bool) -> int:
    """What differs between two readers' mails; fails where anything does that is not the reader's own."""
    from syndicate.cli.output import listing, note
    from syndicate.publish.privacy import differences

    rows: list[dict[str, object]] = [
        {"variant": variant.key, "what": found.what or "UNEXPECTED", "one": found.one, "two": found.two}
        for variant in variants
        if variant.frozen
        for found in differences(app, variant, app.now())
    ]
    listing(rows, _DIFFERENCES, as_json=as_json, empty="nothing of this edition is rendered yet")
    strange = sum(row["what"] == "UNEXPECTED" for row in rows)
    if rows:
        note(f"{strange} lines differ that should not" if strange else "every other byte is the same for every reader")
    return FAILED if strange else OK


def _send(args: argparse.Namespace) -> int:
    from syndicate.cli.output import note
    from syndicate.cli.publication import one_of, opened
    from syndicate.cli.waiting import deliver
    from syndicate.errors import Held
    from syndicate.publish import editions, messages
    from syndicate.store import agenda, marks
    from syndicate.store.holds import holding

    with opened(args) as app:
        name = one_of(args.newsletter, app.settings.newsletters, "newsletter")
        now = app.now()
        with app.store.read() as connection:
            stopped = holding(connection, name, app.settings.newsletters[name].channel)
        if stopped:
            raise Held(stopped, rule="hold")
        app.content.sync(app.sources, now)
        planned = editions.send_now(app, name, now, marks.started(app.store))
        if planned is None or not planned.duties:
            note(f"nothing to send: every brief was carried by an edition of {name} already, or nobody has subscribed")
            return FAILED
        faults = messages.freeze(app, now)
        for fault in faults:
            note(str(fault))
        with app.store.read() as connection:
            edition = agenda.editions(connection, newsletter=name, limit=1)[0]
        balance = deliver(app, "edition", str(edition.key))
        note(f"{name} no. {edition.number}: {told(balance)}")
    return OK if clean(balance) and not faults else FAILED


def _retry(args: argparse.Namespace) -> int:
    from syndicate.cli.output import count, note
    from syndicate.cli.publication import opened, who
    from syndicate.errors import SyndicateError
    from syndicate.model import State
    from syndicate.publish import settling
    from syndicate.store import board

    with opened(args) as app:
        with app.store.read() as connection:
            known = board.edition(connection, args.id)
        if known is None:
            msg = f"there is no edition {args.id}; `syndicate editions list` shows them"
            raise SyndicateError(msg)
        tried = settling.retry(app, args.id, who=who(), now=app.now())
        unsure = app.books.balance("edition", str(args.id)).states.get(State.UNCERTAIN, 0)
    if tried:
        note(f"{count(tried, 'failed message')} of edition {args.id} wait to be sent again; the next run sends them")
    else:
        note(f"no message of edition {args.id} had failed: there is nothing to try again")
    if unsure:
        note(f"{count(unsure, 'uncertain one')} stay: they may have arrived; `syndicate deliveries list --state uncertain`")
    return OK if tried else FAILED


def _test(args: argparse.Namespace) -> int:
    from syndicate.cli.output import note
    from syndicate.cli.publication import one_of, rehearsed
    from syndicate.publish import byhand, proof

    with rehearsed(args) as app:
        name = one_of(args.newsletter, app.settings.newsletters, "newsletter")
        now = app.now()
        app.content.sync(app.sources, now)
        channel, answer = byhand.sample_mail(app, name, proof.sample(app, now), args.to, now)
    note(f"sent through {channel}: {answer}")
    return OK


def told(balance: Balance) -> str:
    """``3 readers: 2 sent, 1 failed``."""
    from syndicate.cli.output import count

    parts = ", ".join(f"{n} {state}" for state, n in balance.states.items() if n)
    return f"{count(balance.audience, 'delivery', 'deliveries')}: {parts}"


def clean(balance: Balance) -> bool:
    """Whether everything was sent, or rightly not."""
    from syndicate.model import State

    return not (balance.open or balance.states.get(State.FAILED) or balance.states.get(State.UNCERTAIN))
