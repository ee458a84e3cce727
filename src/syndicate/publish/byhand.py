"""By hand: a post now, whatever was planned, and a test mail to one address. The command line and the desk act through here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syndicate.errors import Held, SyndicateError
from syndicate.model import Item, Quote, QuoteDisplay
from syndicate.publish import messages, posts, proof, rhythm
from syndicate.store.holds import holding

if TYPE_CHECKING:
    from datetime import datetime

    from syndicate.app import App


@dataclass(frozen=True, kw_only=True, slots=True)
class Owed:
    """What came of the wish to post something now."""

    names: tuple[str, ...]  # accounts on which nothing stops it
    stopped: Mapping[str, str]  # the others, and why
    new: int  # duties recorded; 0: it was posted, or waits to be, everywhere already


def post(app: App, item: Item, channel: str, now: datetime) -> Owed:
    """Record the duty to post ``item`` now on ``channel``; ``""``: on each account. Once each, whatever was planned.

    Raises
    ------
    SyndicateError
        No account is called so, or the one that was named, or all of them, are stopped by a hold.
    """
    accounts = rhythm.accounts(app, quotes=isinstance(item, Quote))
    if channel and channel not in accounts:
        msg = f"{channel} takes no such posts"
        raise SyndicateError(msg)
    names = [channel] if channel else list(accounts)
    kinds = ["quotes"] if isinstance(item, Quote) else []
    with app.store.read() as connection:
        held = {name: holding(connection, name, item.id, *kinds, *(f"{kind}:{name}" for kind in kinds)) for name in names}
    stopped = {name: why for name, why in held.items() if why}
    if stopped and (channel or len(stopped) == len(names)):
        raise SyndicateError("; ".join(dict.fromkeys(stopped.values())))
    free = tuple(name for name in names if name not in stopped)
    return Owed(names=free, stopped=stopped, new=posts.owe(app, item, free, due=now))


def sample_mail(app: App, newsletter: str, items: Sequence[Item], to: str, now: datetime) -> tuple[str, str]:
    """Send an edition of ``items`` that was never planned to one address; returns the channel and what it answered.

    It stands in no books. A quote is left out while quotes are on hold.

    Raises
    ------
    Held
        The newsletter or its channel is on hold.
    SyndicateError
        There is nothing to send, it cannot be rendered, or the channel refused it.
    """
    letter = app.settings.newsletters[newsletter]
    with app.store.read() as connection:
        stopped = holding(connection, newsletter, letter.channel)
        no_quotes = holding(connection, "quotes")
    if stopped:
        raise Held(stopped, rule="hold")
    carried = [item for item in items if not (isinstance(item, Quote) and no_quotes)]
    if not carried:
        msg = "there is no published brief yet to test with"
        raise SyndicateError(msg)
    frozen = proof.edition(app, newsletter, carried, QuoteDisplay(letter.quote), now)
    key, message = messages.sample(app, newsletter, frozen, now, address=to)
    channel = app.channels[letter.channel]
    return channel.name, channel.send(message, key).remote_id
