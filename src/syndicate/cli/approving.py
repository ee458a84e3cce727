"""The two people's part of ``quotes``: submit, verify, approve, reject, and renewing what a change has voided (Q11)."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from syndicate.cli import FAILED, OK

if TYPE_CHECKING:
    from datetime import datetime

    from syndicate.app import App
    from syndicate.cli.passphrase import Asking
    from syndicate.model import Quote
    from syndicate.publish.approval import Seen
    from syndicate.store.people import Act, Consent, Person

_ACTS: Final[dict[str, Act]] = {
    "submit": "submitter",
    "verify": "verifier",
    "approve": "approver",
    "reject": "rejection",
}
_DONE: Final = {"submit": "submitted", "verify": "verified", "approve": "approved", "reject": "rejected"}


def commands(made: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verbs and their arguments."""
    from syndicate.cli.arguments import filled

    helps = {
        "submit": "say that a quote is ready to be looked at",
        "verify": "see every rendering and answer for the content",
        "approve": "see every rendering and answer for all of it",
        "reject": "take every consent back, and stop what waits",
    }
    for verb, text in helps.items():
        one = made.add_parser(verb, help=text)
        if verb in {"verify", "approve"}:
            one.add_argument("id", metavar="ID", nargs="?", default="", help="a quote's id, slug or file")
            one.add_argument("--changed", action="store_true", help="renew all that a change has voided, after its difference")
        else:
            one.add_argument("id", metavar="ID", help="a quote's id, slug or file")
        said = filled if verb == "reject" else str
        one.add_argument(
            "--reason", type=said, required=said is filled, default="", metavar="TEXT", help="why, for the audit log"
        )
        one.add_argument("--as", dest="person", default="", metavar="NAME", help="who you are (default: the account's name)")


def run(args: argparse.Namespace) -> int:
    """One act of one person."""
    from syndicate.cli.output import note
    from syndicate.cli.passphrase import Asking
    from syndicate.cli.publication import opened

    changed = getattr(args, "changed", False)
    if changed == bool(args.id):
        note(f"syndicate quotes {args.verb}: name one quote, or give --changed")
        return 2
    with opened(args) as app:
        now = app.now()
        faults = app.content.sync(app.sources, now).faults
        for fault in faults:
            if "quotes" in fault.file:
                note(str(fault))
        return _renew(app, args, now, Asking()) if changed else _one(app, args, now, Asking())


def _one(app: App, args: argparse.Namespace, now: datetime, asking: Asking) -> int:
    from syndicate.cli.output import count, note
    from syndicate.cli.passphrase import acting
    from syndicate.publish import approval

    act, quote = _ACTS[args.verb], _found(app, args.id, now)
    if act in {"verifier", "approver"}:
        _show(quote, approval.renderings(app, quote, now))
    person = acting(app, args.person, asking)
    stopped = approval.decide(app, quote, act, person, now, reason=args.reason)
    note(
        f"{quote.slug}: {_DONE[args.verb]} by {person.name}"
        + (f"; {count(stopped, 'delivery', 'deliveries')} cancelled" if stopped else "")
    )
    _next(app, quote, now)
    return OK


def _renew(app: App, args: argparse.Namespace, now: datetime, asking: Asking) -> int:
    """Show what changed under every voided consent of this kind, then renew all of them in one act."""
    from syndicate.cli.output import count, note
    from syndicate.cli.passphrase import acting
    from syndicate.errors import Held
    from syndicate.publish import approval

    act = _ACTS[args.verb]
    voided = list(_voided(app, act, now))
    if not voided:
        note("nothing was voided")
        return OK
    shown = []
    for quote, before in voided:
        try:
            seen = approval.renderings(app, quote, now)
        except Held as held:
            note(f"{quote.slug}: cannot be renewed: {held.rule} {held}")
            continue
        _tell_difference(quote, before, seen)
        shown.append(quote)
    person: Person = acting(app, args.person, asking)
    refused = len(voided) - len(shown)
    for quote in shown:
        try:
            approval.agree(app, quote, act, person, now, reason=args.reason)
        except Held as held:
            refused += 1
            note(f"{quote.slug}: {held.rule} {held}")
        else:
            _next(app, quote, now)
    note(f"{count(len(voided) - refused, 'quote')} {_DONE[args.verb]} again by {person.name}")
    return FAILED if refused else OK


def _voided(app: App, act: Act, now: datetime) -> Iterator[tuple[Quote, Consent]]:
    from syndicate.publish import approval

    for quote in app.content.quotes(now=now):
        where = approval.standing(app, quote, now)
        lacks = not (where.verifiers if act == "verifier" else where.approvers)
        before = [one for one in where.voided if one.act == act]
        if before and lacks:
            yield quote, before[-1]


def _found(app: App, name: str, now: datetime) -> Quote:
    from syndicate.cli.publication import one_of

    quote = app.content.quote(name)
    if quote is None:
        one_of(name, [one.slug for one in app.content.quotes(now=now)], "quote")
        raise AssertionError
    return quote


def _next(app: App, quote: Quote, now: datetime) -> None:
    from syndicate.cli.output import note
    from syndicate.publish import approval

    waits = approval.standing(app, quote, now).waits_for
    note(f"{quote.slug}: {f'waits for {waits}' if waits else 'may leave'}")


def _show(quote: Quote, seen: Seen) -> None:
    """Every rendering, framed as it would leave: this is what a person answers for."""
    from syndicate.cli.output import heading, say

    heading(quote.slug)
    for change in seen.changes:
        say(f"  taken out of the words: {change}")
    for place, text in seen.texts.items():
        heading(place)
        for line in _wrapped(text):
            say(f"  {line}")


def _tell_difference(quote: Quote, before: Consent, seen: Seen) -> None:
    """What a reader would see otherwise than ``before``: [-taken out-] and {+added+}, within the whole rendering."""
    import json

    from syndicate.cli.output import heading, say

    heading(quote.slug)
    old = json.loads(before.renderings or "{}")
    same = True
    for place in dict.fromkeys([*old, *seen.texts]):
        if old.get(place, "") != seen.texts.get(place, ""):
            same = False
            heading(place)
            for line in _wrapped(_marked(old.get(place, ""), seen.texts.get(place, ""))):
                say(f"  {line}")
    if same:
        say("  the file has changed; nothing that a reader sees has")


def _marked(old: str, new: str) -> str:
    """``new`` with what was taken out as ``[-…-]`` and what was added as ``{+…+}``."""
    from syndicate.publish import approval

    marks = {"out": "[-{}-]", "in": "{{+{}+}}", "": "{}"}
    return " ".join(marks[kind].format(words) for kind, words in approval.difference(old, new))


def _wrapped(text: str) -> list[str]:
    import textwrap

    return [piece for line in text.split("\n") for piece in textwrap.wrap(line, 96) or [""]]
