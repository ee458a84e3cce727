"""``channels``: the outlets, whether they are ready, and a parcel to try them with."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from syndicate.cli import Parser

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.channels import Channel
    from syndicate.model import Finding

_COLUMNS: Final = {
    "name": "Channel",
    "kind": "Kind",
    "carries": "Carries",
    "local": "Stays here",
    "text": "Text",
    "counting": "Counted",
}


def parser(prog: str) -> argparse.ArgumentParser:
    """The arguments of ``channels``."""
    made = Parser(
        prog,
        description="The outlets of this publication: what they carry and obey, and whether they are ready.",
        example=f"  {prog} list\n  {prog} doctor mail",
    )
    commands = made.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=argparse.ArgumentParser)
    listed = commands.add_parser("list", help="list the channels and their limits")
    listed.add_argument("--json", action="store_true", help="one JSON document")
    doctor = commands.add_parser("doctor", help="check credentials, limits and clock, and say what to do; sends nothing")
    doctor.add_argument("name", metavar="NAME", nargs="?", default="", help="one channel (default: each)")
    doctor.add_argument(
        "--message",
        metavar="FILE.eml",
        default="",
        help="look at a message that arrived instead: whether its DKIM signature covers both headers for unsubscribing",
    )
    doctor.add_argument("--json", action="store_true", help="one JSON document")
    test = commands.add_parser("test", help="post a harmless test there, and delete it again where the network allows")
    test.add_argument("name", metavar="NAME", help="a social channel")
    test.add_argument("--yes", action="store_true", help="do it; without this you are only shown what would be posted")
    return made


def run(args: argparse.Namespace) -> int:
    """List the channels, ask each how it is, or try one."""
    return {"list": _list, "doctor": _doctor, "test": _test}[args.verb](args)


def _list(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    from syndicate.cli.output import listing
    from syndicate.cli.publication import looked_at

    with looked_at(args) as app:
        rows = [
            {
                "name": channel.name,
                "kind": channel.kind,
                "carries": channel.carries,
                "local": channel.local,
                **asdict(channel.limits),
                "text": channel.limits.text or None,
                "counting": "" if channel.limits.counting == "none" else channel.limits.counting,
            }
            for channel in app.channels.values()
        ]
    listing(rows, _COLUMNS, as_json=args.json, empty="no channel is configured; add one under [channels]")
    return 0


def _doctor(args: argparse.Namespace) -> int:
    from syndicate.cli.output import document, note, say
    from syndicate.cli.publication import looked_at, one_of

    with looked_at(args) as app:
        names = [one_of(args.name, app.channels, "channel")] if args.name else list(app.channels)
        if args.message:
            names = [name for name in names if app.channels[name].carries == "message"]
            data = _arrived(args.message)
            found = {name: _examined(app.channels[name], data) for name in names}
        else:
            found = {name: [*app.channels[name].doctor(), *_lasting(app, name)] for name in names}
    if args.json:
        document({name: list(findings) for name, findings in found.items()})
    else:
        for name, findings in found.items():
            for finding in findings:
                say(f"{name}: {'ok' if finding.ok else 'NOT OK'}: {finding.what}")
                if finding.advice:
                    say(f"    {finding.advice}")
        if not found:
            note("no channel here carries mail" if args.message else "no channel is configured; add one under [channels]")
    return 0 if all(finding.ok for findings in found.values() for finding in findings) else 1


def _lasting(app: App, name: str) -> list[Finding]:
    """Until when the credentials last, and what this month has cost."""
    from syndicate.model import Finding
    from syndicate.publish import credentials, spending

    lasts = credentials.finding(app, name, app.now()) if app.channels[name].carries == "post" else None
    month = next((one for one in spending.standing(app, app.now()) if one.channel == name), None)
    found = [lasts] if lasts else []
    if month is not None:
        bound = f" of ${month.budget:.2f}" if month.budget else ", and no budget is set"
        used_up = bool(month.budget) and month.spent >= month.budget
        advice = f"Raise `budget` in [channels.{name}], or wait for the next month." if used_up else ""
        found.append(Finding(ok=not used_up, what=f"${month.spent:.2f}{bound} are spent in {month.month}", advice=advice))
    return found


def _test(args: argparse.Namespace) -> int:
    from syndicate.cli.output import note, say
    from syndicate.cli.publication import one_of, opened, who
    from syndicate.publish import trial

    with opened(args) as app:
        name = one_of(args.name, app.channels, "channel")
        if app.channels[name].carries != "post":
            letters = [letter for letter, setting in app.settings.newsletters.items() if setting.channel == name]
            note(
                f"{name} carries mail: `syndicate editions test {(letters or ['NEWSLETTER'])[0]} --to ADDRESS` sends one to you"
            )
            return 1
        if not args.yes:
            say(trial.post(app, name, app.now()).text)
            note(f"this would be posted on {name}; say --yes")
            return 1
        found = trial.run(app, name, app.now(), who=who())
    for finding in found:
        say(f"{name}: {'ok' if finding.ok else 'NOT OK'}: {finding.what}")
        if finding.advice:
            say(f"    {finding.advice}")
    return 0 if all(finding.ok for finding in found) else 1


def _arrived(path: str) -> bytes:
    """The bytes of a message that was saved from a mailbox."""
    from pathlib import Path

    from syndicate.errors import SyndicateError

    try:
        return Path(path).read_bytes()
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise SyndicateError(msg) from error


def _examined(channel: Channel, data: bytes) -> list[Finding]:
    """What the message's signatures cover; a channel that signs itself checks its own too."""
    from syndicate.channels import MailChannel
    from syndicate.render import dkim

    return channel.examine(data) if isinstance(channel, MailChannel) else dkim.examine(data)
