"""What readers do by themselves beyond choosing: sign up, confirm, ask for their data, be erased. Each in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from syndicate import links
from syndicate.log import logger
from syndicate.store import consent, erasure, signups
from syndicate.store.signups import Limits, Verdict

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.store.database import Connection
    from syndicate.store.subscribers import SubscriptionView
    from syndicate.store.wishes import Wishes


@runtime_checkable
class Forgets(Protocol):
    """A channel that keeps on this machine what it sent."""

    def forget(self, address: str) -> int:
        """Delete every message to an address; returns how many."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What somebody typed into the sign-up form."""

    address: str  # a mail address
    newsletter: str  # its name
    wishes: Wishes
    wording: str  # what they agreed to, word for word
    form: str  # where: the path of the page


def ask(app: App, wish: Wish, network: str, now: datetime) -> Verdict:
    """Record a wish and owe the mail that asks its owner, if the limits allow (``signups.admit``).

    Raises
    ------
    ValueError
        Not an address.
    """
    request = consent.Request(
        address=wish.address,
        newsletter=wish.newsletter,
        channel=app.settings.newsletters[wish.newsletter].channel,
        wishes=wish.wishes,
        wording=wish.wording,
        form=wish.form,
    )

    def work(connection: Connection) -> Verdict:
        verdict = signups.admit(connection, _limits(app), request.address, network, now)
        if verdict == "yes":
            consent.ask(connection, request, now)
        return verdict

    verdict = app.store.write(work)
    logger().info("signup_asked", status=verdict)
    return verdict


def confirm(app: App, view: SubscriptionView, now: datetime) -> bool:
    """Make a pending subscription active; ``False`` where it is not pending any more."""
    channel = app.settings.newsletters[view.newsletter].channel
    return app.store.write(lambda connection: consent.confirm(connection, view.subscriber, view.letter, channel, now))


def send_link(app: App, view: SubscriptionView, purpose: consent.Purpose, network: str, now: datetime) -> Verdict:
    """Owe a fresh link to a reader's own data, or to erase them, within the limits of sign-ups."""
    channel = app.settings.newsletters[view.newsletter].channel

    def work(connection: Connection) -> Verdict:
        verdict = signups.admit(connection, _limits(app), view.address, network, now)
        if verdict == "yes":
            consent.owe_notice(connection, purpose, view.subscriber, view.newsletter, channel, now)
        return verdict

    return app.store.write(work)


def record(app: App, subscriber: int) -> dict[str, Any] | None:
    """Everything that is kept of one reader (``erasure.record``)."""
    with app.store.read() as connection:
        return erasure.record(connection, subscriber)


def erase(app: App, subscriber: int, now: datetime) -> bool:
    """Leave nothing of a reader in database, outbox and logs but a keyed hash; ``False`` where there is none.

    What has left for another machine is there, and no program of ours reaches it.
    """
    views = app.subscribers.views(subscriber)
    person = record(app, subscriber)
    if person is None or not app.subscribers.erase(subscriber, now):
        return False
    for channel in app.channels.values():
        if isinstance(channel, Forgets):
            channel.forget(person["address"])
    erasure.scrub(app.store.path)
    logger().info("reader_erased", subscriber=person["id"], subscriptions=len(views))
    return True


def tidy(app: App, now: datetime) -> int:
    """Delete sign-ups that nobody confirmed in time, and what was counted more than a day ago."""
    lapsed = app.subscribers.tidy(now, asked_before=now - timedelta(days=app.settings.privacy.keep_pending_days))
    if lapsed:
        logger().info("signups_lapsed", n=lapsed)
    return lapsed


def token(view: SubscriptionView) -> links.ReaderToken:
    """What the links of one subscription sign."""
    return links.ReaderToken(subscriber=view.subscriber, newsletter=view.letter)


def _limits(app: App) -> Limits:
    wanted = app.settings.signup
    return Limits(per_address=wanted.per_address, per_network=wanted.per_network, ceiling=wanted.ceiling)
