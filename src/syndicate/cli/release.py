"""``release``: lift an editor's stop, and decide what becomes of what had already been begun (Q15)."""

from __future__ import annotations

import argparse

from syndicate.cli import Parser


def parser(prog: str) -> argparse.ArgumentParser:
    """The arguments of ``release``."""
    made = Parser(
        prog,
        description="Lift the hold on TARGET. Slots that it stopped stay cancelled: nothing is made up for.\n"
        "Where messages or posts of TARGET still wait, say what becomes of them; there is no default.",
        example=f"  {prog} quotes --cancel-rest",
    )
    made.add_argument("target", metavar="TARGET", help="as given to `hold`")
    choice = made.add_mutually_exclusive_group()
    choice.add_argument("--continue", dest="go_on", action="store_true", help="send what waits")
    choice.add_argument("--cancel-rest", action="store_true", help="cancel what waits; it is recorded as cancelled")
    return made


def run(args: argparse.Namespace) -> int:
    """Lift the stop, after asking what becomes of the rest."""
    from syndicate.cli.hold import named
    from syndicate.cli.output import count, note
    from syndicate.cli.publication import opened, who
    from syndicate.errors import SyndicateError

    with opened(args) as app:
        held = {hold.target for hold in app.holds.list()}
        target = args.target if args.target in held else named(app, args.target)
        if target not in held:
            msg = f"{args.target} is not on hold; `syndicate status` lists what is"
            raise SyndicateError(msg)
        waiting = app.books.waiting(target)
        if waiting and not (args.go_on or args.cancel_rest):
            msg = f"{count(waiting, 'delivery', 'deliveries')} of {args.target} wait: say --continue, or --cancel-rest"
            raise SyndicateError(msg)
        now, person = app.now(), who()
        cancelled = app.ledger.cancel(target, now, who=person) if args.cancel_rest else 0
        app.holds.lift(target, who=person, now=now, detail={"cancelled": cancelled, "continued": waiting if args.go_on else 0})
    note(f"{args.target} is released" + (f"; {count(cancelled, 'delivery', 'deliveries')} cancelled" if cancelled else ""))
    return 0
