"""``yesterday``: the day before on one screen, and what tomorrow lacks. No quote's words, no address."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from syndicate.cli import FAILED, OK, Parser

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from syndicate.app import App
    from syndicate.publish.forecast import Forecast
    from syndicate.store.board import Sent

_MOST: Final = 12  # lines of one heading
_MOST_SENDINGS: Final = 10_000


def parser(prog: str) -> argparse.ArgumentParser:
    """The arguments of ``yesterday``."""
    made = Parser(
        prog,
        description="The day before, in the site's zone: editions with their books, posts, the quote, what failed, what came\n"
        "back, who came and left; and what is missing for tomorrow. Exit 1 where something failed or is uncertain.",
        example=f"  {prog} --json",
    )
    made.add_argument("--json", action="store_true", help="one JSON document")
    return made


def run(args: argparse.Namespace) -> int:
    """Gather, then show."""
    from syndicate.cli.output import document
    from syndicate.cli.publication import looked_at

    with looked_at(args) as app:
        facts = gathered(app, app.now())
    document(facts) if args.json else _show(facts)
    return FAILED if facts["failed"] or facts["uncertain"] else OK


def gathered(app: App, now: datetime) -> dict[str, Any]:
    """The facts, for people and scripts."""
    from zoneinfo import ZoneInfo

    from syndicate.publish.forecast import forecast
    from syndicate.store import agenda, board, review

    zone = ZoneInfo(app.settings.site.zone)
    today = now.astimezone(zone).date()
    start, end = (datetime.combine(day, time(), tzinfo=zone).astimezone(UTC) for day in (today - timedelta(days=1), today))
    with app.store.read() as connection:
        sent = board.day(connection, start, end, limit=_MOST_SENDINGS)
        named = board.names(connection, {one.subject for one in sent if one.kind != "edition"})
        lost = [row for row in agenda.slots(connection, since=start, states=("skipped", "cancelled")) if row["due"] < end]
        came, left = review.came(connection, start, end), review.left(connection, start, end)
        erased, returned = review.erased(connection, start, end), review.returned(connection, start, end)
    day = app.content.day_quote(today - timedelta(days=1))
    return {
        "day": today - timedelta(days=1),
        "zone": app.settings.site.zone,
        "editions": _editions(sent),
        "posts": [
            {
                "kind": one.kind,
                "item": named[one.subject].slug if one.subject in named else one.subject,
                "channels": {part.channel: str(part.state) for part in one.parts},
            }
            for one in sent
            if one.kind in {"post", "edit", "delete"}
        ],
        "notices": sum(one.audience for one in sent if one.kind == "notice"),
        "quote": {"id": day.quote.slug if day and day.quote else None, "state": day.state if day else ""},
        "failed": _sum(sent, "failed"),
        "uncertain": _sum(sent, "uncertain"),
        "open": sum(one.open for one in sent),
        "skipped": [{"schedule": row["schedule"], "due": row["due"], "reason": row["reason"]} for row in lost],
        "returned": dict(returned),
        "new": came,
        "left": left,
        "erased": erased,
        "tomorrow": list(_gaps(forecast(app, now, 2), today + timedelta(days=1))),
    }


def _sum(sent: Sequence[Sent], state: str) -> int:
    return sum(n for one in sent for known, n in one.states.items() if str(known) == state)


def _editions(sent: Sequence[Sent]) -> list[dict[str, Any]]:
    """The books of each edition, over those of its slots that were due that day."""
    found: dict[int, dict[str, Any]] = {}
    for one in sent:
        if one.edition is None:
            continue
        facts = {"id": one.edition, "newsletter": one.newsletter, "number": one.number, "frequency": one.frequency}
        counts = dict.fromkeys(("readers", "open", "sent", "failed", "suppressed", "uncertain", "cancelled"), 0)
        row = found.setdefault(one.edition, {**facts, "period": one.period, **counts})
        row["readers"] += one.audience
        row["open"] += one.open
        for state, n in one.states.items():
            row[str(state)] = row.get(str(state), 0) + (n if str(state) in row else 0)
    return list(found.values())


def _gaps(found: Forecast, tomorrow: object) -> Iterator[str]:
    """What is missing for tomorrow, and what will not leave."""
    for day in found.quotes:
        if day.day == tomorrow and day.quote is None:
            yield "no quote may run tomorrow; `syndicate quotes list` tells why"
    for line in found.coming:
        if line.local.date() == tomorrow and line.readers == 0:
            yield f"{line.of or line.what} of {line.local:%H:%M} has no reader"
    if not any(line.what == "brief" or line.readers for line in found.coming if line.local.date() == tomorrow):
        yield "no edition and no brief is due tomorrow"
    yield from (str(fault) for fault in found.withheld)


def _show(facts: dict[str, Any]) -> None:
    from syndicate.cli.output import count, heading, say

    heading(f"{facts['day']:%A} {facts['day'].day} {facts['day']:%B %Y} ({facts['zone']})")
    quote = facts["quote"]
    say(f"  quote: {quote['id'] or 'none'}" + (f" ({quote['state']})" if quote["state"] else ""))
    _part("Editions", [_edition(one) for one in facts["editions"]], "no edition was due")
    _part(
        "Posts",
        [f"{one['kind']} of {one['item']}: " + ", ".join(f"{name} {state}" for name, state in one["channels"].items())
         for one in facts["posts"]],
        "no post was due",
    )  # fmt: skip
    states = [state for state in ("failed", "uncertain") if facts[state]]
    wrong = [f"{facts[state]:,} {state}: `syndicate deliveries list --state {state}`" for state in states]
    wrong += [f"{facts['open']:,} still open"] if facts["open"] else []
    wrong += [f"{row['schedule']} of {row['due']:%H:%M} UTC was skipped: {row['reason']}" for row in facts["skipped"]]
    _part("Went wrong" if wrong else "Nothing went wrong", wrong, "")
    readers = [f"{name}: {n:,} new" for name, n in facts["new"].items()]
    readers += [f"{name}: " + ", ".join(f"{n:,} {state}" for state, n in ways.items()) for name, ways in facts["left"].items()]
    readers += [f"{count(facts['erased'], 'reader')} erased"] if facts["erased"] else []
    readers += [", ".join(f"{n:,} {kind}" for kind, n in facts["returned"].items()) + " came back"] if facts["returned"] else []
    _part("Readers", readers, "nobody came and nobody left")
    _part("Tomorrow" if facts["tomorrow"] else "Nothing is missing for tomorrow", facts["tomorrow"], "")


def _edition(one: dict[str, Any]) -> str:
    states = ", ".join(
        f"{one[state]:,} {state}" for state in ("sent", "failed", "suppressed", "uncertain", "cancelled", "open") if one[state]
    )
    return f"{one['id']}: {one['newsletter']} no. {one['number']}, {one['frequency']}: {one['readers']:,} readers = {states}"


def _part(title: str, lines: Sequence[str], empty: str) -> None:
    from syndicate.cli.output import heading, say

    heading(title)
    for line in lines[:_MOST]:
        say(f"  {line}")
    if len(lines) > _MOST:
        say(f"  and {len(lines) - _MOST:,} more: --json shows all")
    if not lines and empty:
        say(f"  {empty}")
