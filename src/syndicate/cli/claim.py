"""``claim``: say that this copy of the publication is the one that sends."""

from __future__ import annotations

import argparse

from syndicate.cli import Parser


def parser(prog: str) -> argparse.ArgumentParser:
    """The arguments of ``claim``."""
    return Parser(
        prog,
        description="A publication that was copied or restored starts on hold, so that no reader gets anything twice.\n"
        "Make sure that the other copy does not send any more; then claim this one. It goes on from what its database knows.",
        example="  syndicate -C letter claim",
    )


def run(args: argparse.Namespace) -> int:
    """Lift the fence's hold."""
    import os

    from syndicate.cli.output import note
    from syndicate.cli.publication import opened, who
    from syndicate.store import marks

    with opened(args) as app:
        fenced = any(hold.who == marks.FENCE for hold in app.holds.list())
        marks.claim(app.store, app.var, environ=os.environ, who=who(), now=app.now())
    note(
        "this publication is the one that sends"
        if fenced
        else "this publication was not fenced off; it is claimed all the same"
    )
    return 0
