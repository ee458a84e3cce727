"""What an attempt's answer means for its duty: sent, never, later, or nobody knows. Sends nothing and writes no state."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from syndicate.errors import DeliveryError, Held, Refused, Throttled, Uncertain, Unreachable
from syndicate.log import logger
from syndicate.model import Quote, Receipt, State
from syndicate.publish import correction, errata, messages, notices, posts, splicing, withdrawal
from syndicate.publish.effect import Doing
from syndicate.render import framing
from syndicate.store import agenda
from syndicate.store.duties import Duty, Result

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.channels import Channel

BACK_OFF: Final = (30, 120, 600, 1800, 3600)  # seconds before the next try
GIVE_UP: Final = timedelta(hours=72)  # after the due time
LOOKS: Final = (30, 120, 600)  # seconds between looks at an uncertain delivery; then a person decides
UNREACHABLE: Final = "unreachable"  # the code of a transport error, which counts for the breaker


def compose(app: App, duties: Sequence[Duty]) -> Mapping[tuple[int, int], tuple[str, Doing] | Exception]:
    """The key and the parcel of each duty, or why it cannot be made."""
    return {
        **splicing.compose(app, [duty for duty in duties if duty.kind == "edition"]),
        **notices.compose(app, [duty for duty in duties if duty.kind == "notice" and notices.is_ours(duty)]),
        **errata.compose(app, [duty for duty in duties if duty.kind == "notice" and duty.subject.startswith(errata.PREFIX)]),
        **posts.compose(app, [duty for duty in duties if duty.kind == "post"]),
        **correction.compose(app, [duty for duty in duties if duty.kind == "edit"]),
        **withdrawal.compose(app, [duty for duty in duties if duty.kind == "delete"]),
    }


def outcome(app: App, channel: Channel, duty: Duty, found: Receipt | Exception) -> Result:
    """What the ledger is told."""
    return discreet(app, _outcome(app, channel, duty, found))


def discreet(app: App, result: Result) -> Result:
    """The same without the far side's words where these repeat a quote: they go into logs and listings (Q5)."""
    if not result.detail:
        return result
    try:
        framing.guard_outside(result.detail, _quotes(app, result.duty), style=app.style)
    except Held:
        return replace(result, detail="the answer is withheld: it repeats words of the quote (Q5)")
    return result


def _quotes(app: App, duty: Duty) -> Sequence[Quote]:
    """The quotes that a duty's parcel may hold."""
    if duty.kind in {"post", "edit", "delete"}:
        found = app.content.quote(duty.subject)
        return (found,) if found else ()
    if duty.variant is None:
        return ()
    with app.store.read() as connection:
        variants = agenda.variants(connection, key=duty.variant)
    return tuple(app.content.quotes_by_keys(key for one in variants for key in one.items).values())


def _outcome(app: App, channel: Channel, duty: Duty, found: Receipt | Exception) -> Result:
    now = app.now()
    if isinstance(found, Receipt):
        return sent(duty, found)
    if isinstance(found, Uncertain) and channel.carries == "message":
        return messages.unanswered(app, duty, found, now)
    if isinstance(found, Refused) and duty.kind in {"post", "edit"}:
        _pause(app, channel, duty, found)
    return failure(duty, found, now)


def sent(duty: Duty, receipt: Receipt) -> Result:
    """It has left; what it left without is kept with it."""
    return Result(
        duty=duty,
        state=State.SENT,
        remote_id=receipt.remote_id,
        remote_url=receipt.url,
        code="degraded" if receipt.note else "",
        detail=receipt.note,
    )


def failure(duty: Duty, error: Exception, now: datetime) -> Result:
    """What an error means for a duty (errors.py): stop, wait, or find out."""
    if isinstance(error, Uncertain):
        first = now + timedelta(seconds=LOOKS[0])
        return Result(duty=duty, state=State.UNCERTAIN, not_before=first, code=error.code or "uncertain", detail=str(error))
    if isinstance(error, Throttled | Unreachable) and now - duty.due < GIVE_UP:
        code = UNREACHABLE if isinstance(error, Unreachable) else error.code or "throttled"
        later = error.retry_at if isinstance(error, Throttled) else now + back_off(duty)
        return Result(duty=duty, state=State.DEFERRED, not_before=later, code=code, detail=str(error))
    code = error.code if isinstance(error, DeliveryError) else type(error).__name__
    advice = f" {error.advice}" if isinstance(error, DeliveryError) and error.advice else ""
    return Result(duty=duty, state=State.FAILED, code=code, detail=f"{error}{advice}")


def back_off(duty: Duty) -> timedelta:
    """How long to wait after this attempt: longer each time, spread by a fifth so that duties do not return together."""
    seconds = BACK_OFF[min(duty.attempt, len(BACK_OFF)) - 1]
    digest = hashlib.sha256(f"{duty.sending}.{duty.place}.{duty.attempt}".encode()).digest()
    return timedelta(seconds=seconds * (0.9 + 0.2 * digest[0] / 255))


def told(result: Result) -> None:
    """One line of the log for one result."""
    log = logger().info if result.state is State.SENT else logger().warning
    facts = {"channel": result.duty.channel, "delivery": f"{result.duty.sending}.{result.duty.place}"}
    if result.not_before:
        facts["retry_at"] = result.not_before.isoformat()
    if result.detail:
        facts["error"] = result.detail
    log(f"delivery_{result.state}", attempt=result.duty.attempt, **facts)


def _pause(app: App, channel: Channel, duty: Duty, error: Refused) -> None:
    """A network that refuses a quote gets no other one until an editor has looked (Q19)."""
    if app.content.quote(duty.subject) is None:
        return
    reason = f"{channel.name} refused a quote ({error.code or 'no code'}): look at the account before you release it"
    app.holds.place(f"quotes:{channel.name}", reason, who="syndicate", now=app.now())
    logger().error("quotes_paused", channel=channel.name, item=duty.subject)
