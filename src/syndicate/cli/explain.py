"""``explain``: did this person get that edition, when, and why not."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Final

from syndicate.cli import OK, Parser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syndicate.app import App
    from syndicate.store.answers import Answer, Membership, Told

_VERDICTS: Final = {
    "sent": "it was handed over, and the mail server took it",
    "pending": "it waits to be sent",
    "claimed": "it is about to be sent",
    "sending": "it is on the wire; where the program died, the next `syndicate run` finds out what became of it",
    "deferred": "the mail server put it off; it is tried again",
    "failed": "it was refused, and is not tried again by itself",
    "suppressed": "it was not sent: the reader had left, or nobody writes to this address",
    "uncertain": "it left, and no answer came back: nobody knows whether it arrived; a person settles it, see below",
    "cancelled": "it was cancelled",
}

_NEXT: Final = {
    "failed": "`syndicate deliveries retry {id}` sends it again",
    "uncertain": "ask them, or look into the relay's log; then `syndicate deliveries settle {id} --sent | --resend | --drop`",
}


def parser(prog: str) -> argparse.ArgumentParser:
    """The arguments of ``explain``."""
    made = Parser(
        prog,
        description="Did this person get that edition, when, and why not? Says what the books know, and what they do not.",
        example=f"  {prog} reader@example.org 12",
    )
    made.add_argument("address", metavar="ADDRESS")
    made.add_argument("edition", metavar="EDITION", type=int, help="its id, as `editions list` shows it")
    made.add_argument("--json", action="store_true", help="one JSON document")
    return made


def run(args: argparse.Namespace) -> int:
    """Look, and tell."""
    from syndicate.cli.output import document
    from syndicate.cli.publication import looked_at

    with looked_at(args) as app:
        facts = gathered(app, args.address, args.edition)
    document(facts) if args.json else _show(facts)
    return OK


def gathered(app: App, address: str, edition: int) -> dict[str, Any]:
    """The facts, for people and scripts.

    Raises
    ------
    SyndicateError
        There is no such edition, or no such reader.
    """
    from dataclasses import asdict

    from syndicate.errors import SyndicateError
    from syndicate.store import answers
    from syndicate.store.returns import Returns

    place = _place(app, address)
    with app.store.read() as connection:
        found = answers.answer(connection, place, edition)
    if found is None:
        msg = f"there is no edition {edition}; `syndicate editions list` shows them"
        raise SyndicateError(msg)
    returned = [asdict(one) for one in Returns(app.store).of_reader(place) if one.edition == edition]
    last = found.deliveries[-1] if found.deliveries else None
    return {
        "newsletter": found.edition.newsletter,
        "number": found.edition.number,
        "frequency": found.edition.frequency,
        "period": found.edition.period,
        "got_it": str(last.state) == "sent" if last else False,
        "verdict": _VERDICTS[str(last.state)] if last else "it was never owed to this reader",
        "deliveries": [_delivery(one) for one in found.deliveries],
        "returned": returned,
        "why_not": [] if last else list(_why_not(found, app.settings.privacy.keep_details_days)),
        "subscription": _subscription(found),
    }


def _place(app: App, address: str) -> int:
    from syndicate.errors import SyndicateError
    from syndicate.store.suppression import is_suppressed

    try:
        place = app.subscribers.find(address)
        with app.store.read() as connection:
            why = is_suppressed(connection, address)
    except ValueError as error:
        raise SyndicateError(str(error)) from error
    if place is None:
        told = f"the address is on the suppression list ({why})" if why else "`syndicate subscribers list` shows them"
        msg = f"there is no reader with this address; {told}"
        raise SyndicateError(msg)
    return place


def _delivery(one: Told) -> dict[str, Any]:
    return {
        "id": one.id,
        "channel": one.channel,
        "due": one.due,
        "local": one.local,
        "state": str(one.state),
        "attempts": one.attempts,
        "next": one.not_before if str(one.state) in {"pending", "deferred"} else None,
        "done": one.done,
        "message": one.remote_id,
        "quote": one.quote,
        "said": [{"at": said.at, "outcome": said.outcome, "code": said.code, "words": said.words} for said in one.said],
    }


def _subscription(found: Answer) -> dict[str, Any] | None:
    one = found.membership
    if one is None:
        return None
    return {
        "state": one.state,
        "since": one.since,
        "changed": one.changed,
        "as_then": one.changed <= found.edition.at,
        "frequency": str(one.wishes.frequency),
        "weekday": one.wishes.weekday,
        "hour": one.wishes.hour,
        "zone": one.wishes.zone,
        "topics": list(one.wishes.topics),
        "quote": str(one.wishes.quote_display or ""),
        "paused_to": one.paused_to,
        "ended": one.ended,
    }


def _why_not(found: Answer, days: int) -> Iterator[str]:
    """What speaks against it, as far as it is known now; the last sentence where nothing does."""
    edition, one = found.edition, found.membership
    if found.forgotten:
        yield f"the details of this edition were forgotten after {days} days, as `keep_details_days` says: only its totals stay"
    if one is None:
        yield f"there is no subscription to {edition.newsletter}"
        return
    reasons = list(_reasons(found, one))
    yield from reasons
    if not reasons and not found.forgotten:
        yield "the edition had nothing that was owed to them: another edition had carried it, or their hour had not come"


def _reasons(found: Answer, one: Membership) -> Iterator[str]:
    edition, due = found.edition, found.last_due or found.edition.at
    if one.state != "active":
        how = f": {one.ended}" if one.ended else f" since {one.changed:%Y-%m-%d %H:%M} UTC"
        yield f"the subscription is {one.state}{how}"
    if one.since is not None and one.since > edition.at:
        yield f"they subscribed on {one.since:%Y-%m-%d %H:%M} UTC, after the edition had begun"
    if edition.frequency in {"instant", "daily", "weekly"} and one.wishes.frequency != edition.frequency:
        yield f"this is the {edition.frequency} edition, and they read {one.wishes.frequency}"
    if one.paused_to is not None and one.paused_to > edition.at:
        yield f"they paused until {one.paused_to:%Y-%m-%d}"
    if one.wishes.topics:
        yield f"they read only {', '.join(one.wishes.topics)}"
    if one.covered_to < due and one.state == "active" and one.wishes.frequency == edition.frequency:
        yield "their own hour of this edition has not come, or it was skipped; `syndicate status` tells of skipped slots"


def _show(facts: dict[str, Any]) -> None:
    from syndicate.cli.output import heading, say

    heading(f"{facts['newsletter']} no. {facts['number']}, {facts['frequency']} of {facts['period']}")
    say(f"  {facts['verdict']}")
    for one in facts["deliveries"]:
        local = f" ({one['local']})" if one["local"] else ""
        say(f"  delivery {one['id']} through {one['channel']}: {one['state']}, due {one['due']:%Y-%m-%d %H:%M} UTC{local}")
        if one["done"]:
            say(f"    settled {one['done']:%Y-%m-%d %H:%M:%S} UTC at attempt {one['attempts']}")
        if one["next"]:
            say(f"    tried next from {one['next']:%Y-%m-%d %H:%M:%S} UTC")
        for said in one["said"]:
            words = " ".join(part for part in (said["code"], said["words"]) if part and part != said["outcome"])
            say(f"    {said['at']:%Y-%m-%d %H:%M:%S} UTC {said['outcome']}: {words}")
        if one["state"] in _NEXT:
            say(f"    {_NEXT[one['state']].format(id=one['id'])}")
    for line in facts["returned"]:
        say(f"  came back {line['at']:%Y-%m-%d %H:%M} UTC: {line['kind']} {line['status']} {line['reason']}".rstrip())
    for reason in facts["why_not"]:
        say(f"  {reason}")
    wish = facts["subscription"]
    if wish:
        then = "as then" if wish["as_then"] else f"changed {wish['changed']:%Y-%m-%d %H:%M} UTC; what was before is not kept"
        hour = "the newsletter's hour" if wish["hour"] is None else f"at {wish['hour']}:00"
        zone = wish["zone"] or "the newsletter's zone"
        say(f"  wishes ({then}): {wish['state']}, {wish['frequency']}, {hour}, {zone}")
