"""``feeds``: rebuild the feeds now."""

from __future__ import annotations

import argparse

from syndicate.cli import Parser


def parser(prog: str) -> argparse.ArgumentParser:
    """The arguments of ``feeds``."""
    made = Parser(
        prog,
        description="Read the sources and write the feeds into feeds/. A file whose bytes stay the same is not touched.",
        example=f"  {prog}\n  {prog} --json",
    )
    made.add_argument("--json", action="store_true", help="what changed, as one JSON document")
    return made


def run(args: argparse.Namespace) -> int:
    """Rebuild, and name what changed."""
    from syndicate.cli.output import count, document, note, say
    from syndicate.cli.publication import opened
    from syndicate.publish import feeds

    with opened(args) as app:
        now = app.now()
        synced = app.content.sync(app.sources, now)
        report = feeds.publish(app, now)
    faults = [*synced.faults, *report.faults]
    for fault in faults:
        note(str(fault))
    if args.json:
        document({"changed": list(report.changed), "unchanged": report.unchanged, "faults": faults})
    else:
        for path in report.changed:
            say(f"feeds/{path}")
        note(f"{count(len(report.changed), 'file')} written, {report.unchanged} unchanged")
    return 1 if faults else 0
