"""``check``: every fault of a publication, before it meets a reader."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from syndicate.cli import FAILED, OK, Parser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from syndicate.app import App
    from syndicate.errors import Fault


def parser(prog: str) -> argparse.ArgumentParser:
    """The arguments of ``check``."""
    made = Parser(
        prog,
        description="Look at settings, content, templates and quotes, and render what is ready to leave. Writes nothing.\n"
        "Each fault is one line: FILE:LINE: RULE: what is wrong; what would be right. Exit 0 where there is none.",
        example="  syndicate -C letter check",
    )
    made.add_argument("--json", action="store_true", help="one JSON document")
    return made


def run(args: argparse.Namespace) -> int:
    """Gather everything, then tell it."""
    from syndicate.cli import originals
    from syndicate.cli.output import count, document, note, say
    from syndicate.cli.publication import rehearsed, root
    from syndicate.errors import FaultyError
    from syndicate.publish import alike, posts, withdrawal

    advice: list[Fault] = []
    sizes = ""
    try:
        with rehearsed(args) as app:
            now = app.now()
            report = app.content.sync(app.sources, now)
            faults = [*report.faults, *app.templates.check(), *_refused(app, now), *_unrenderable(app, now)]
            faults += withdrawal.disagreeing(app)
            faults += alike.faults(app, now, lambda item, channel: posts.render(app, item, channel, created=now))
            faults += _uncalendared(app, now)
            faults += _unwritable(args)
            advice = [*report.advice, *_worth_saying(app), *originals.outdated(root(args))]
            briefs, quotes = len(app.content.briefs(now=now)), len(app.content.quotes(now=now))
            sizes = f"{count(briefs, 'brief')} and {count(quotes, 'quote')} published"
    except FaultyError as error:
        faults = list(error.faults)
    faults = sorted(dict.fromkeys(faults))
    if args.json:
        document({"ok": not faults, "faults": faults, "advice": advice})
        return FAILED if faults else OK
    for fault in faults:
        say(str(fault))
    for hint in sorted(dict.fromkeys(advice)):
        note(f"advice: {hint}")
    note("; ".join(part for part in (sizes, count(len(faults), "fault") if faults else "no fault") if part))
    return FAILED if faults else OK


def _refused(app: App, now: datetime) -> list[Fault]:
    """Quotes that the gate refuses, by rule."""
    from syndicate.publish import dailyquote

    return dailyquote.admissible(app, now)[1]


def _uncalendared(app: App, now: datetime) -> tuple[Fault, ...]:
    """Why the calendar of hold days cannot be read, if it cannot."""
    from syndicate.errors import FaultyError
    from syndicate.publish import dailyquote

    today = dailyquote.day_of(app, now)
    try:
        dailyquote.hold_days(app, today, today)
    except FaultyError as error:
        return error.faults
    return ()


def _unwritable(args: argparse.Namespace) -> Iterator[Fault]:
    """Why the database could not be made or changed where the settings want it; looked at, not tried."""
    import os

    from syndicate.cli.publication import root
    from syndicate.errors import Fault
    from syndicate.settings import load
    from syndicate.store.database import database_path

    path = database_path(load(root(args), os.environ).database.url, root(args))
    folder = next(place for place in path.parents if place.exists())
    blocked = path if path.exists() and not os.access(path, os.R_OK | os.W_OK) else folder
    if blocked is path or not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        right = "let the user who runs this program write there, or name another place"
        yield Fault(file="config/syndicate.toml", rule="database.url", what=f"{blocked} cannot be written", right=right)


def _unrenderable(app: App, now: datetime) -> Iterator[Fault]:
    """What cannot be rendered: a missing template, a text that fits nowhere, a mail that a gate refuses."""
    from syndicate.publish import proof

    yield from proof.faults(app, now)


def _worth_saying(app: App) -> Iterator[Fault]:
    """What is no fault and should be known."""
    from syndicate.errors import Fault
    from syndicate.publish import messages
    from syndicate.render import lint

    file = "config/syndicate.toml"
    if app.settings.quotes.approval == "solo":
        what = "one editor alone approves quotes"
        yield Fault(file=file, rule="Q11", what=what, right='approval = "four-eyes" asks for two people')
    if app.settings.site.tag_authority.partition(",")[0].endswith(".example"):
        what = "the tag authority is an example, and a part of every permanent id"
        yield Fault(file=file, rule="site.tag_authority", what=what, right="write your own host before the first item leaves")
    if app.settings.quotes.approval == "four-eyes":
        able = {role for person in app.people.everybody() for role in person.roles}
        for role in ("verifier", "approver"):
            if role not in able and app.content.quotes(now=app.now()):
                yield Fault(file=file, rule="Q11", what=f"nobody is {role}", right=f"`syndicate people add NAME --role {role}`")
    if app.settings.newsletters and (
        long := lint.long_link(messages.nobody(app, app.now(), "reader@readers.example").unsubscribe_url)
    ):
        yield Fault(file=file, rule="web.public_url", what=long, right="a shorter host or path keeps it whole")
    if app.settings.newsletters and not app.settings.site.postal_address:
        yield Fault(file=file, rule="site.postal_address", what="it is empty, and no mail leaves without one")
