"""``plan``: what will go where and when, and what will not and why."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Final

from syndicate.cli import OK, Parser

if TYPE_CHECKING:
    from datetime import datetime

    from syndicate.app import App
    from syndicate.errors import Fault
    from syndicate.publish.forecast import Coming, QuoteDay

_MOST_DAYS: Final = 366
_LOOK_BACK: Final = timedelta(days=3)


def parser(prog: str) -> argparse.ArgumentParser:
    """The arguments of ``plan``."""
    from syndicate.cli.arguments import instant

    made = Parser(
        prog,
        description="Show what will go where and when, in local time and UTC, which quote each day would show, and what\n"
        "will not leave and why. Writes nothing and sends nothing.",
        example="  syndicate -C letter plan --days 14\n  syndicate -C letter plan --at 2026-12-24T00:00Z",
    )
    made.add_argument("--days", type=_days, default=7, metavar="N", help="how many days ahead (default: 7)")
    made.add_argument("--at", type=instant, metavar="TIME", help="as seen from TIME (default: now)")
    made.add_argument("--json", action="store_true", help="one JSON document")
    return made


def _days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_DAYS:
        msg = f"{text!r} is not a number of days from 1 to {_MOST_DAYS}"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Forecast, and tell it."""
    from syndicate.cli.output import document
    from syndicate.cli.publication import rehearsed
    from syndicate.publish.forecast import forecast

    with rehearsed(args, at=args.at) as app:
        now = app.now()
        app.content.sync(app.sources, now)
        found = forecast(app, now, args.days, since=undone(app, now))
        zone = app.settings.site.zone
    if args.json:
        days = [_day(day) for day in found.quotes]
        document({"at": now, "coming": list(found.coming), "quotes": days, "withheld": list(found.withheld)})
        return OK
    _tell(found.coming, now, zone)
    _tell_quotes(found.quotes)
    _tell_withheld(found.withheld)
    return OK


def undone(app: App, now: datetime) -> datetime:
    """Up to when slots have been dealt with: what came due since then, while nothing ran, waits for the next run."""
    from syndicate.store import agenda, marks

    with app.store.read() as connection:
        last = agenda.ticked(connection, "quotes")
    return min(now, max(last or marks.started(app.store), now - _LOOK_BACK))


def _tell(coming: Sequence[Coming], now: datetime, zone: str) -> None:
    from syndicate.cli.output import heading, say

    if not coming:
        heading("Nothing is due")
        say("  no slot, no brief and no quote in these days; see `schedule`, `daily` and `weekly` in the settings")
    width = max((len(line.what) for line in coming), default=0)
    for day, lines in groupby(coming, key=lambda line: line.local.date()):
        heading(f"{day:%A} {day.day} {day:%B %Y}")
        for line in lines:
            other = "" if line.zone == zone else f" in {line.zone}"
            due = "  (waits for the next run)" if line.at <= now else f"  ({line.note})" if line.note else ""
            say(f"  {line.local:%H:%M}{other}  {line.at:%H:%M} UTC  {line.what:{width}}  {line.subject} → {line.to}{due}")
        say()


def _tell_quotes(days: Sequence[QuoteDay]) -> None:
    from collections import Counter

    from syndicate.cli.output import heading, say

    heading("The quote of each day")
    for day in days:
        rules = Counter(rule for _, rule in {(quote, rule) for quote, rule, _ in day.excluded})
        why = ", ".join(f"{n} by {rule}" for rule, n in sorted(rules.items()))
        if day.quote:
            told = (
                "  (settled)"
                if day.settled
                else f"  ({len({quote for quote, _, _ in day.excluded})} excluded: {why})"
                if why
                else ""
            )
            say(f"  {day.day:%a %d %b}  {day.quote.slug}  {day.quote.title}, {day.quote.speaker or day.quote.place}{told}")
        else:
            say(f"  {day.day:%a %d %b}  none may run" + (f": excluded {why}" if why else ": the pool is empty"))
    say()


def _tell_withheld(withheld: Sequence[Fault]) -> None:
    from syndicate.cli.output import heading, say

    heading("What will not leave" if withheld else "Nothing is held back")
    for fault in withheld:
        say(f"  {fault}")


def _day(day: QuoteDay) -> dict[str, object]:
    return {
        "day": day.day,
        "quote": day.quote.slug if day.quote else None,
        "title": day.quote.title if day.quote else None,
        "settled": day.settled,
        "excluded": [{"quote": quote, "rule": rule, "why": why} for quote, rule, why in day.excluded],
    }
