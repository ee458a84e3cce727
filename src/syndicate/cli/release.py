"""``release``: lift an editor's stop, and decide what becomes of what had already been begun (Q15)."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Final

from syndicate.cli import OK, USAGE, Parser

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from syndicate.publish.stopping import Answer
    from syndicate.store.books import Waiting

_ANSWERS: Final[Mapping[str, Answer]] = {"continue": "continue", "c": "continue", "cancel": "cancel", "cancel-rest": "cancel"}


def parser(prog: str) -> argparse.ArgumentParser:
    """The arguments of ``release``."""
    made = Parser(
        prog,
        description="Lift the hold on TARGET. Slots that it stopped stay cancelled: nothing is made up for.\n"
        "Where messages or posts of TARGET still wait, say what becomes of each edition or post; there is no default.\n"
        "On a terminal you are asked. An option without ID speaks for all that the other does not name.",
        example=f"  {prog} quotes --cancel-rest\n  {prog} all --continue edition:12 --cancel-rest",
        usage=f"{prog} TARGET [--continue [ID …]] [--cancel-rest [ID …]]",
    )
    made.add_argument("target", metavar="TARGET", nargs="?", default="", help="as given to `hold`")
    made.add_argument(
        "--continue", dest="go_on", nargs="*", metavar="ID", help="send what waits of these (edition:12, post:SLUG), or of all"
    )
    made.add_argument("--cancel-rest", nargs="*", metavar="ID", help="cancel what waits of these, or of all; it is recorded")
    return made


def run(args: argparse.Namespace) -> int:
    """Lift the stop, after asking what becomes of each rest."""
    from syndicate.cli.hold import named
    from syndicate.cli.output import count, note
    from syndicate.cli.publication import opened, who
    from syndicate.publish import stopping

    options = [option for option in (args.go_on, args.cancel_rest) if option]
    target_text = args.target or (options[0].pop() if options else "")  # `release --continue quotes` reads as well
    if not target_text or (args.go_on == [] and args.cancel_rest == []):
        note("syndicate release: name a TARGET, and let one option speak for all at most")
        return USAGE
    with opened(args) as app:
        target = target_text if any(hold.target == target_text for hold in app.holds.list()) else named(app, target_text)
        stopping.held(app, target)
        waiting = stopping.waiting(app, target)
        decided = _decided(waiting, args.go_on, args.cancel_rest)
        cancelled = stopping.release(app, target, decided, who=who(), now=app.now())
    note(f"{target_text} is released" + (f"; {count(cancelled, 'delivery', 'deliveries')} cancelled" if cancelled else ""))
    return OK


def _decided(waiting: Mapping[str, Waiting], go_on: Sequence[str] | None, cancel: Sequence[str] | None) -> dict[str, Answer]:
    """What becomes of each.

    Raises
    ------
    SyndicateError
        Something is named that does not wait, or nothing is said of something that does.
    """
    from syndicate.cli.output import count
    from syndicate.cli.publication import one_of
    from syndicate.errors import SyndicateError

    decided: dict[str, Answer] = {}
    words: tuple[tuple[Sequence[str] | None, Answer], ...] = ((go_on, "continue"), (cancel, "cancel"))
    for names, word in words:
        for name in names or ():
            key = one_of(f"edition:{name}" if name.isdecimal() else name, waiting, "waiting edition or post")
            if decided.setdefault(key, word) != word:
                msg = f"{key} is named by both options"
                raise SyndicateError(msg)
    whole: Answer | None = "continue" if go_on == [] else "cancel" if cancel == [] else None
    open_ones = [name for name in waiting if name not in decided]
    if whole:
        return decided | dict.fromkeys(open_ones, whole)
    if open_ones and sys.stdin.isatty():
        return decided | {name: _asked(name, waiting[name].n) for name in open_ones}
    if open_ones:
        listed = "; ".join(f"{name}: {count(waiting[name].n, 'delivery', 'deliveries')}" for name in open_ones)
        msg = f"these still wait: {listed}; say --continue or --cancel-rest, with the ID where they differ"
        raise SyndicateError(msg)
    return decided


def _asked(name: str, n: int) -> Answer:
    """One answer from the terminal; asked again until it is one of the two."""
    while True:
        print(f"{name}: {n} still wait. continue, or cancel the rest? ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            raise KeyboardInterrupt
        if line.strip().lower() in _ANSWERS:
            return _ANSWERS[line.strip().lower()]
