"""``demo``: the sample publication, made if absent, and running."""

from __future__ import annotations

import argparse

from syndicate.cli import Parser
from syndicate.cli.run import listen


def parser(prog: str) -> argparse.ArgumentParser:
    """The arguments of ``demo``."""
    made = Parser(
        prog,
        description="Make the sample publication in DIR if it is not there, and run it. Every channel is an outbox: nothing\n"
        "leaves this machine; look into DIR/var/outbox/ and DIR/feeds/.",
        example=f"  {prog}\n  {prog} /tmp/try --port 8080",
    )
    made.add_argument("target", metavar="DIR", nargs="?", default="demo", help="the folder (default: demo)")
    listen(made)
    return made


def run(args: argparse.Namespace) -> int:
    """Make it, then run it."""
    from datetime import UTC, datetime
    from pathlib import Path

    from syndicate.cli import init
    from syndicate.cli import run as main_job
    from syndicate.cli.output import note
    from syndicate.cli.publication import opened

    target = Path(args.folder) / args.target
    if not (target / "config" / "syndicate.toml").exists():
        init.make(target, sample=True, now=datetime.now(UTC))
        note(f"{target}: a sample publication; nothing leaves this machine")
    note(f"feeds in {target}/feeds/, mails and posts in {target}/var/outbox/; Ctrl-C stops it")
    args.folder = str(target)
    with opened(args, overlay=main_job.address(args)) as app:
        return main_job.forever(app, args)
