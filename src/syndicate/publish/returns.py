"""What follows from what comes back: suppression, settled doubts, and an edition that stops itself.

Reports arrive from a mailbox, a pipe or a provider; here they all become one thing, recorded before anything follows.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from syndicate.log import logger
from syndicate.returns.reading import Report, read
from syndicate.returns.verdict import Kind
from syndicate.store import marks
from syndicate.store.database import Connection
from syndicate.store.returns import Came, Outcome, Rate, Returns, Rules

if TYPE_CHECKING:
    from syndicate.app import App

_COUNTED: Final = frozenset({Kind.HARD, Kind.SOFT, Kind.COMPLAINT, Kind.DELAYED, Kind.DELIVERED})
_MARK: Final = "returns.attempt"  # the last refusal that was looked at
_WHAT: Final = {"hard": "bounced for good", "complaint": "led to a complaint"}
_ADVICE: Final = {
    "hard": "see `syndicate editions show {edition}` for where; a list that was not cleaned looks like this",
    "complaint": "see `syndicate editions show {edition}`; ask yourself who was added and what they agreed to",
}


def take_mail(app: App, data: bytes, now: datetime) -> tuple[Report, Outcome]:
    """Read one mail and do what follows from it; most mail is foreign, and nothing does."""
    report = read(data, app.token_keys)
    return report, take(app, report, now)


def take(app: App, report: Report, now: datetime) -> Outcome:
    """Do what follows from one report: only where it counts, and somebody who can be trusted says whose it is."""
    if report.kind not in _COUNTED or not report.ours:
        return Outcome()
    shelf = Returns(app.store)
    place = report.delivery.place if report.delivery else report.reader.subscriber if report.reader else 0
    came = Came(
        sending=report.delivery.sending if report.delivery else 0,
        place=place or shelf.place_of(report.address),
        kind=report.kind,
        status=report.status,
        reason=report.reason,
        form=report.form,
    )
    outcome = shelf.take(came, rules=_rules(app), now=now)
    _tell(came, outcome)
    return outcome


def follow_up(app: App, now: datetime) -> None:
    """In each tick, and after something came back: what servers refused at once, doubts that are none any more, the brake.

    All of it is drawn from what is recorded, so that a crash in between loses nothing.
    """
    shelf = Returns(app.store)
    _refusals(app, shelf, now)
    doubts = shelf.doubts()
    if doubts:
        app.ledger.settle(doubts, now)
        app.ledger.finish()
    for rate in shelf.rates():
        _brake(app, shelf, rate, now)
    shelf.forget(now - timedelta(days=app.settings.privacy.keep_details_days), now)


def _refusals(app: App, shelf: Returns, now: datetime) -> None:
    """A server that says at once that there is no such address has said what a bounce would say."""
    with app.store.read() as connection:
        after = int(marks.get(connection, _MARK) or 0)
    refused, newest = shelf.refusals(after)
    for came in refused:
        _tell(came, shelf.take(came, rules=_rules(app), now=now))
    if newest != after:

        def work(connection: Connection) -> None:
            marks.put(connection, _MARK, str(newest))

        app.store.write(work)


def _brake(app: App, shelf: Returns, rate: Rate, now: datetime) -> None:
    settings = app.settings.returns
    most = settings.complaint_rate if rate.kind == Kind.COMPLAINT else settings.bounce_rate
    if not most or rate.reports < settings.brake_from or rate.percent < most:
        return
    advice = _ADVICE[rate.kind].format(edition=rate.edition)
    reason = (
        f"{rate.reports} of {rate.messages} messages ({rate.percent:.2g} %) {_WHAT[rate.kind]}, and the most is {most:g} %: "
        f"{advice}; `syndicate release edition:{rate.edition}` lets it go on"
    )
    if shelf.brake(rate, reason, now):
        logger().error("edition_paused", edition=rate.edition, error=reason)


def _rules(app: App) -> Rules:
    settings = app.settings.returns
    return Rules(
        hard=settings.on_hard == "suppress",
        complaint=settings.on_complaint == "suppress",
        soft_limit=settings.soft_limit,
        soft_within=settings.soft_within,
    )


def _tell(came: Came, outcome: Outcome) -> None:
    if outcome.new:
        log = logger().warning if outcome.suppressed else logger().info
        why = {"error": outcome.suppressed} if outcome.suppressed else {}
        log("return_taken", status=came.kind, edition=outcome.edition, subscriber=came.place, **why)
