"""What posting costs: a price is reserved before its post leaves, and a month's budget is a hard stop that is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from syndicate.channels import Charges
from syndicate.errors import Throttled
from syndicate.store import charges
from syndicate.store.database import Connection

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.store.duties import Duty

_MICROS: Final = 1_000_000
_ASK_AGAIN: Final = timedelta(hours=1)  # whether the budget has been raised
CODE: Final = "budget"


@dataclass(frozen=True, kw_only=True, slots=True)
class Spending:
    """One account's month."""

    channel: str
    month: str  # 2026-11, UTC
    spent: float  # US dollars, with what is reserved
    budget: float  # US dollars; 0: no bound


def afford(app: App, duty: Duty, what: str, text: str = "") -> None:
    """Reserve the price of one post, edit or deletion; one that may have left already is asked after, whatever it costs.

    Raises
    ------
    Throttled
        The month's budget does not cover it. A deletion is never refused.
    """
    channel, now = app.channels[duty.channel], app.now()
    price = round(channel.price(what, text) * _MICROS) if isinstance(channel, Charges) else 0
    if not price or duty.intent_at is not None or not isinstance(channel, Charges):
        return
    month, bound = _month(now), round(channel.budget * _MICROS)

    def work(connection: Connection) -> int | None:
        if charges.reserved(connection, channel_name, month, what, duty.sending, duty.place):
            return None
        before = charges.spent(connection, channel_name, month)
        if bound and what != "delete" and before + price > bound:
            return before
        charges.reserve(connection, channel_name, month, what, duty.sending, duty.place, price)
        return None

    channel_name = duty.channel
    spent = app.store.write(work)
    if spent is not None:
        told = f"${spent / _MICROS:.2f} of ${channel.budget:.2f} are spent, and it costs ${price / _MICROS:.3f}"
        msg = f"the budget of {month} does not cover it: {told}"
        advice = f"Raise `budget` in [channels.{duty.channel}]; it leaves within the hour."
        raise Throttled(msg, retry_at=min(now + _ASK_AGAIN, _next_month(now)), code=CODE, advice=advice)


def count_reads(app: App, channel: object, name: str, now: datetime) -> None:
    """Add what an account has read back since the last time."""
    if not isinstance(channel, Charges):
        return
    reads = channel.reads()
    if reads:
        micros = round(reads * channel.price("read") * _MICROS)
        app.store.write(lambda connection: charges.add(connection, name, _month(now), "read", reads, micros))


def standing(app: App, now: datetime) -> list[Spending]:
    """This month of every account whose network charges."""
    month = _month(now)
    with app.store.read() as connection:
        return [
            Spending(channel=name, month=month, spent=charges.spent(connection, name, month) / _MICROS, budget=channel.budget)
            for name, channel in app.channels.items()
            if isinstance(channel, Charges) and channel.price("post")
        ]


def _month(now: datetime) -> str:
    return f"{now.astimezone(UTC):%Y-%m}"


def _next_month(now: datetime) -> datetime:
    here = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (here + timedelta(days=32)).replace(day=1)
