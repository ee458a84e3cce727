"""``run``: the main job, until it is stopped, or for one tick."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from syndicate.cli import FAILED, OK, Parser

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from syndicate.app import App
    from syndicate.publish.tick import TickReport
    from syndicate.web.server import Serving


def parser(prog: str) -> argparse.ArgumentParser:
    """The arguments of ``run``."""
    from syndicate.cli.arguments import instant

    made = Parser(
        prog,
        description="Read the sources; write the feeds; send editions and posts on schedule; serve the pages.\n"
        "Ctrl-C stops it: what is in hand is finished and recorded first.",
        example="  syndicate -C letter run\n  syndicate -C letter run --once --at 2026-11-23T07:00+00:00",
    )
    made.add_argument("--once", action="store_true", help="do all that is due now, then leave; serves no pages")
    made.add_argument(
        "--at",
        type=instant,
        metavar="TIME",
        help="with --once: pretend that it is TIME; only where nothing leaves this machine",
    )
    listen(made)
    return made


def listen(made: argparse.ArgumentParser) -> None:
    """The arguments of whatever serves pages."""
    made.add_argument("--no-web", action="store_true", help="serve no pages and no desk")
    made.add_argument("--host", default="", metavar="H", help="listen on this address (default: [web] host)")
    made.add_argument(
        "--port",
        type=int,
        metavar="P",
        help="listen on this port, and the desk on the next; 0 for any free ones (default: [web] and [desk] port)",
    )


def run(args: argparse.Namespace) -> int:
    """One tick, or all of them."""
    from syndicate.cli.output import note
    from syndicate.cli.publication import opened

    if args.at and not args.once:
        note("syndicate run: --at pretends a time for one tick; add --once")
        return 2
    with opened(args, at=args.at, overlay=address(args)) as app:
        return once(app, pretended=args.at is not None) if args.once else forever(app, args)


def address(args: argparse.Namespace) -> dict[str, str]:
    """What ``--port`` means for a publication that stays on this machine: pages, mails and feeds carry that port too."""
    if not args.port:
        return {}
    from urllib.parse import urlsplit

    from syndicate.cli.publication import root
    from syndicate.settings import load

    public = urlsplit(load(root(args), os.environ).web.public_url)
    if public.scheme != "http":
        return {}
    return {"SYNDICATE_WEB__PUBLIC_URL": f"http://{public.hostname}:{args.port}"}


def once(app: App, *, pretended: bool = False) -> int:
    """One tick; 1 where something failed."""
    from syndicate.cli.output import note
    from syndicate.press import Press, refuse_pretence

    if pretended:
        refuse_pretence(app)
    press = Press(app)
    report = press.once()
    told(report)
    sums(press.counts)
    if press.fenced:
        note(f"everything is on hold: {press.fenced}; if this copy is the one that sends, run `syndicate claim`")
    bad = press.counts.get("failed", 0) + press.counts.get("uncertain", 0)
    return FAILED if report.faults or bad or press.stopped or press.fenced else OK


def forever(app: App, args: argparse.Namespace) -> int:
    """Serve and tick until a signal."""
    import signal

    from syndicate.cli.output import note
    from syndicate.press import Press
    from syndicate.store.lock import RunLock

    with RunLock(app.store.path):  # a second run says so at once, before it misses the port
        pass
    press = Press(app)
    serving = [] if args.no_web else _serve(app, args)

    def stop(_number: int, _frame: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # one is enough: a second would wait for the lock that the first holds
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a second Ctrl-C does not wait
        os.write(2, b"stopping: what is in hand is finished first\n")  # print may be what the signal interrupts
        press.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    seen: set[str] = set()
    try:
        press.forever(lambda report: told(report, seen), lambda due: note(_upcoming(app, due)))
    finally:
        for one in serving:
            one.stop()
    sums(press.counts)
    return OK


def _serve(app: App, args: argparse.Namespace) -> list[Serving]:
    """The readers' pages, and the desk on an address of its own unless the settings give it the same."""
    from syndicate.cli.output import note
    from syndicate.errors import ConfigError
    from syndicate.web.server import serve, serve_desk

    web, desk = app.settings.served_at(host=args.host, port=args.port).web, app.settings.desk
    together = desk.enabled and (desk.host, desk.port) == (app.settings.web.host, app.settings.web.port)
    serving = [serve(app, web.host, web.port, with_desk=together)]
    note(f"pages and feeds: {serving[0].url}/")
    if desk.enabled and not together:
        port = desk.port if args.port is None else args.port + 1 if args.port else 0
        try:
            serving.append(serve_desk(app, desk.host, port))
        except ConfigError as error:  # the desk is looked at; what is due leaves all the same
            note(f"without the desk: {error}")
            return serving
    if desk.enabled:
        note(f"desk: {desk.url or serving[-1].url}/desk")
    if serving[-1].first_link:
        note(f"nobody can sign in at the desk yet; once, for 15 minutes, this makes the first person: {serving[-1].first_link}")
    return serving


def told(report: TickReport, seen: set[str] | None = None) -> None:
    """What a tick found and did, one line each; a fault that stands is told once."""
    from syndicate.cli.output import count, note

    if report.new or report.changed:
        note(f"sources: {report.new} new, {report.changed} changed")
    for planned in report.planned:
        reason = f" ({planned.reason})" if planned.reason else ""
        if planned.duties or planned.state != "expanded":
            local = f"{planned.slot.local:%Y-%m-%d %H:%M} {planned.slot.zone}"
            note(
                f"{planned.slot.schedule}, {local}: {planned.state}, {count(planned.duties, 'delivery', 'deliveries')}{reason}"
            )
    if report.feeds:
        note(f"feeds: {count(len(report.feeds), 'file')} written")
    for fault in report.faults:
        if seen is None or str(fault) not in seen:
            note(str(fault))
    if seen is not None:
        seen.clear()
        seen.update(str(fault) for fault in report.faults)


def sums(counts: Mapping[str, int]) -> None:
    """What became of the deliveries."""
    from syndicate.cli.output import note

    note("deliveries: " + (", ".join(f"{n} {state}" for state, n in sorted(counts.items()) if n) or "none"))


def _upcoming(app: App, due: datetime | None) -> str:
    from zoneinfo import ZoneInfo

    if due is None:
        return "next: nothing is due; a new file is noticed at once"
    zone = app.settings.site.zone
    return f"next: {due.astimezone(ZoneInfo(zone)):%a %d %b, %H:%M:%S} {zone}"
