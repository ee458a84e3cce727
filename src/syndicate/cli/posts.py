"""``posts``: what was posted where; and posting by hand."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from syndicate.cli import FAILED, OK, Parser

if TYPE_CHECKING:
    from syndicate.store.record import Sent

_COLUMNS: Final = {
    "id": "Id",
    "due": "Due (UTC)",
    "title": "Item",
    "channel": "Channel",
    "state": "State",
    "url": "Where",
    "said": "What was said",
}


_DONE: Final = {"post": "post", "edit": "correction", "delete": "deletion"}


def parser(prog: str) -> argparse.ArgumentParser:
    """The arguments of ``posts``."""
    from syndicate.cli.arguments import at_least_one

    made = Parser(
        prog,
        description="The posts of briefs and quotes on the social channels.",
        example=f"  {prog} list\n  {prog} send the-borrowed-clock --channel mastodon",
    )
    commands = made.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=argparse.ArgumentParser)
    listed = commands.add_parser("list", help="list the posts, newest first")
    listed.add_argument("--limit", type=at_least_one, default=200, metavar="N", help="at most N (default: 200)")
    listed.add_argument("--json", action="store_true", help="one JSON document")
    show = commands.add_parser("show", help="what was sent of one item, where, with what answer, and what to do")
    show.add_argument("item", metavar="ITEM", help="a slug, an id or a file")
    show.add_argument("--json", action="store_true", help="one JSON document")
    send = commands.add_parser("send", help="post an item now; once for each channel, whatever was planned")
    send.add_argument("item", metavar="ITEM", help="a slug, an id or a file")
    send.add_argument("--channel", default="", metavar="NAME", help="only there (default: each social channel)")
    return made


def run(args: argparse.Namespace) -> int:
    """List, show or send."""
    return {"list": _list, "show": _show, "send": _send}[args.verb](args)


def _list(args: argparse.Namespace) -> int:
    from syndicate.cli.output import listing
    from syndicate.cli.publication import looked_at
    from syndicate.publish import approval

    with looked_at(args) as app:
        lines = app.books.lines(kind="post", limit=args.limit)
        items = {line.subject: app.content.brief(line.subject, now=None) or app.content.quote(line.subject) for line in lines}
        titles = {subject: approval.told(app, item, item.title) for subject, item in items.items() if item}
    rows = [
        {
            "id": line.id,
            "due": line.due,
            "item": line.subject,
            "title": titles.get(line.subject, line.subject),
            "channel": line.channel,
            "state": str(line.state),
            "url": line.remote_url,
            "code": line.code,
            "said": line.detail,
        }
        for line in lines
    ]
    listing(rows, _COLUMNS, as_json=args.json, empty="nothing was posted yet; `syndicate plan` shows what is due")
    return OK


def _show(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    from syndicate.cli.output import document, heading, note, say
    from syndicate.cli.preview import found
    from syndicate.cli.publication import looked_at, root
    from syndicate.publish import approval
    from syndicate.store import record

    with looked_at(args) as app:
        item = found(app, args.item, root(args))
        title = approval.told(app, item, item.title)
        with app.store.read() as connection:
            lines = record.sent(connection, item.id)
    if args.json:
        document([{**asdict(line), "state": str(line.state), "advice": _advice(line)} for line in lines])
        return OK
    heading(f"{item.slug}: {title}")
    for line in lines:
        done = line.done or line.due
        at = line.url or line.remote_id
        say(f"  {line.channel}: {_DONE[line.kind]} {line.id}, {line.state}, {done:%Y-%m-%d %H:%M} UTC  {at}")
        if line.sha:
            say(f"      request {line.sha}" + (f", ${line.cost:.3f}" if line.cost else ""))
        for one in line.said:
            say(f"      {one.at:%Y-%m-%d %H:%M} {one.outcome}{f' ({one.code})' if one.code else ''}: {one.words}")
        if advice := _advice(line):
            say(f"      {advice}")
    if not lines:
        note(f"nothing of {item.slug} was posted yet; `syndicate plan` shows what is due")
    return OK


def _advice(line: Sent) -> str:
    """Our sentence on what to do."""
    later = f"it is tried again from {line.not_before:%Y-%m-%d %H:%M} UTC on"
    return {
        "failed": f"mend what it says, then `syndicate deliveries retry {line.id}`",
        "uncertain": f"look at the account, then `syndicate deliveries settle {line.id} --sent | --resend | --drop`",
        "deferred": later,
        "pending": later if line.said else "",
    }.get(str(line.state), "")


def _send(args: argparse.Namespace) -> int:
    from syndicate.cli.editions import clean, told
    from syndicate.cli.output import note
    from syndicate.cli.publication import one_of, opened
    from syndicate.cli.waiting import deliver
    from syndicate.errors import SyndicateError
    from syndicate.model import Quote
    from syndicate.publish import byhand, rhythm

    with opened(args) as app:
        now = app.now()
        app.content.sync(app.sources, now)
        item = app.content.brief(args.item, now=now) or app.content.quote(args.item, now=now)
        if item is None:
            msg = f"no brief or shown quote that readers may see by now is called {args.item!r}"
            raise SyndicateError(msg)
        accounts = rhythm.accounts(app, quotes=isinstance(item, Quote))
        channel = one_of(args.channel, accounts, "social channel") if args.channel else ""
        owed = byhand.post(app, item, channel, now)
        for name, why in owed.stopped.items():
            note(f"not on {name}: {why}")
        if not owed.new:
            note(f"{item.slug} was posted, or waits to be, on {', '.join(owed.names) or 'no channel'} already")
            return FAILED
        balance = deliver(app, "post", item.id)
        note(f"{item.slug}: {told(balance)}")
    return OK if clean(balance) else FAILED
