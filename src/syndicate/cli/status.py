"""``status``: the whole publication on one screen. No quote's words, no address."""

from __future__ import annotations

import argparse
import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from syndicate.cli import FAILED, OK, Parser

if TYPE_CHECKING:
    from datetime import datetime

    from syndicate.app import App

_RECENT: Final = timedelta(days=2)
_AHEAD: Final = timedelta(minutes=1)  # a last tick later than this from now was made by another clock
_MOST: Final = 8


def parser(prog: str) -> argparse.ArgumentParser:
    """The arguments of ``status``."""
    made = Parser(
        prog,
        description="What runs, what is on hold, what went wrong, and what comes next. Exit 1 where something needs a person.",
        example="  syndicate -C letter status",
    )
    made.add_argument("--json", action="store_true", help="one JSON document")
    return made


def run(args: argparse.Namespace) -> int:
    """Gather, then show."""
    from syndicate.cli.output import document
    from syndicate.cli.publication import looked_at

    with looked_at(args) as app:
        facts = gathered(app, app.now())
    if args.json:
        document(facts)
    else:
        _show(facts)
    return FAILED if facts["needs_a_person"] else OK


def gathered(app: App, now: datetime) -> dict[str, Any]:
    """The facts, for people and scripts."""
    from syndicate.publish import credentials, dailyquote
    from syndicate.publish.forecast import next_due
    from syndicate.store import agenda, marks
    from syndicate.store.lock import RunLock

    lock = RunLock(app.store.path)
    running = not lock.take()
    lock.free()
    with app.store.read() as connection:
        ticked = agenda.ticked(connection, "quotes")
        stuck = [variant for variant in agenda.variants(connection, state="planned") if variant.fault]
        lost = [dict(row) for row in agenda.slots(connection, since=now - _RECENT, states=("skipped", "cancelled"))]
    day = dailyquote.day_of(app, now)
    known = app.content.day_quote(day)
    totals = {kind: {str(state): n for state, n in balance.states.items()} for kind, balance in app.books.totals().items()}
    holds, faults = app.holds.list(), app.content.faults()
    in_hand = 0 if running else sum(states.get(state, 0) for states in totals.values() for state in ("claimed", "sending"))
    stranded = {name: n for name, n in sorted(app.books.open_by_channel().items()) if name not in app.channels}
    facts: dict[str, Any] = {
        "title": app.settings.site.title,
        "at": now,
        "running": running,
        "last_tick": ticked,
        "ahead": ticked is not None and ticked > now + _AHEAD,
        "next": next_due(app, now),
        "zone": app.settings.site.zone,
        "holds": [{"target": hold.target, "reason": hold.reason, "who": hold.who, "at": hold.at} for hold in holds],
        "briefs": len(app.content.briefs(now=now)),
        "quotes": len(app.content.quotes(now=now)),
        "quote_of_the_day": {
            "day": day,
            "id": known.quote.slug if known and known.quote else None,
            "state": known.state if known else "",
        },
        "subscriptions": [
            {"newsletter": name, "state": state, "frequency": frequency, "n": n}
            for (name, state, frequency), n in sorted(app.subscribers.counts().items())
        ],
        "deliveries": totals,
        "lost_slots": [
            {"schedule": row["schedule"], "due": row["due"], "state": row["state"], "reason": row["reason"]} for row in lost
        ],
        "late": [brief.slug for brief in app.content.late(now)],
        "stuck_editions": [
            {"newsletter": one.edition.newsletter, "number": one.edition.number, "reason": one.fault} for one in stuck
        ],
        "in_hand": in_hand,
        "forgotten": marks.forgotten(app.store, app.var, environ=os.environ),
        "stranded": stranded,
        "unpaid": _unpaid(app, now),
        "credentials": [{"channel": one.channel, "until": one.until, "what": one.what} for one in credentials.ending(app, now)],
        "faults": faults,
    }
    return {**facts, "needs_a_person": _needs_a_person(facts)}


def _needs_a_person(facts: dict[str, Any]) -> bool:
    wrong = any(states.get(state) for states in facts["deliveries"].values() for state in ("uncertain", "failed"))
    kinds = ("ahead", "holds", "in_hand", "forgotten", "stuck_editions", "stranded", "unpaid", "credentials", "faults")
    return wrong or any(facts[kind] for kind in kinds)


def _unpaid(app: App, now: datetime) -> list[dict[str, Any]]:
    """Accounts on which something waits because the month's budget is used up."""
    from collections import Counter

    from syndicate.publish import spending

    waiting = Counter(line.channel for line in app.books.lines(state="deferred", limit=10_000) if line.code == spending.CODE)
    return [
        {"channel": one.channel, "waiting": waiting[one.channel], "spent": one.spent, "budget": one.budget, "month": one.month}
        for one in spending.standing(app, now)
        if waiting[one.channel]
    ]


def _show(facts: dict[str, Any]) -> None:
    from zoneinfo import ZoneInfo

    from syndicate.cli.output import count, heading, say

    zone = ZoneInfo(facts["zone"])
    heading(facts["title"])
    last = f"{facts['last_tick'].astimezone(zone):%Y-%m-%d %H:%M:%S}" if facts["last_tick"] else "never"
    say(f"  {'running' if facts['running'] else 'not running'}; last tick {last} {facts['zone']}")
    if facts["next"]:
        say(f"  next due {facts['next'].astimezone(zone):%a %d %b %H:%M} {facts['zone']}")
    say(f"  {count(facts['briefs'], 'brief')} and {count(facts['quotes'], 'quote')} published")
    quote = facts["quote_of_the_day"]
    say(f"  quote of {quote['day']}: {quote['id'] or 'none'}" + (f" ({quote['state']})" if quote["state"] else ""))
    heading("Readers")
    for line in facts["subscriptions"]:
        say(f"  {line['newsletter']}: {line['n']:,} {line['state']}, {line['frequency']}")
    if not facts["subscriptions"]:
        say("  nobody has subscribed yet")
    heading("Deliveries")
    for kind, states in sorted(facts["deliveries"].items()):
        say(f"  {kind}: " + ", ".join(f"{n:,} {state}" for state, n in sorted(states.items())))
    if not facts["deliveries"]:
        say("  nothing was sent yet")
    _needs(facts)


def _needs(facts: dict[str, Any]) -> None:
    """What wants a person's eye, or the line that nothing does."""
    from syndicate.cli.output import count, heading, say

    lines = [f"{hold['target']} is on hold: {hold['reason']}" for hold in facts["holds"]]
    if facts["ahead"]:
        lines.append(
            f"the last tick was at {facts['last_tick']:%Y-%m-%d %H:%M} UTC, which is still to come: up to then all counts as"
            " done. Set this machine's clock; if it is right now, restore the newest backup from before"
        )
    if facts["forgotten"]:
        lines.append(
            f"{count(facts['forgotten'], 'run')} of this folder went with a database that is gone, readers and all:"
            " restore the newest backup; to begin anew, `syndicate claim`"
        )
    if facts["in_hand"]:
        died = f"in hand when the program died: {facts['in_hand']:,}"
        lines.append(f"{died}; `syndicate run` goes on with them, and finds out what had left")
    for state, what in (
        ("uncertain", "`syndicate deliveries list --state uncertain`, then `settle`"),
        ("failed", "`syndicate deliveries list --state failed`, then `retry`"),
    ):
        number = sum(states.get(state, 0) for states in facts["deliveries"].values())
        lines += [f"{number:,} {state}: {what}"] if number else []
    lines += [f"edition {one['number']} of {one['newsletter']} waits: {one['reason']}" for one in facts["stuck_editions"]]
    lines += [
        f"{n:,} waiting for the channel {name!r}, which is not in the settings any more: put it back, or let them lapse"
        for name, n in facts["stranded"].items()
    ]
    lines += [
        f"{one['waiting']} waits for the budget of {one['channel']}: ${one['spent']:.2f} of ${one['budget']:.2f} are spent"
        f" in {one['month']}; raise `budget`, or let it lapse"
        for one in facts["unpaid"]
    ]
    lines += [f"{one['channel']}: {one['what']}" for one in facts["credentials"]]
    lines += [f"late: {slug}; send it with `syndicate posts send {slug}`, or let it be" for slug in facts["late"]]
    lines += [
        f"{row['schedule']} of {row['due']:%Y-%m-%d %H:%M} UTC was {row['state']}: {row['reason']}"
        for row in facts["lost_slots"]
    ]
    lines += [str(fault) for fault in facts["faults"]]
    heading("To look at" if lines else "Nothing needs a person")
    for line in lines[:_MOST]:
        say(f"  {line}")
    if len(lines) > _MOST:
        say(f"  and {len(lines) - _MOST} more: --json shows all")
