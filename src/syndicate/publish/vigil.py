"""Looks whether quotes' posts still stand: one that the network has taken down pauses quotes there (Q19)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from syndicate.channels import Channel, Watches
from syndicate.errors import DeliveryError
from syndicate.log import logger
from syndicate.publish import spending
from syndicate.store import watching
from syndicate.store.holds import holding

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.store.watching import Look


def watch(app: App, channel: Channel, now: datetime) -> None:
    """An hour and a day after each quote's post, ask its network for it; then count what was read, which may cost."""
    if isinstance(channel, Watches):
        with app.store.read() as connection:
            found = watching.due(connection, channel.name, now)
        for look in found:
            _look(app, channel.name, channel, look, now)
    spending.count_reads(app, channel, channel.name, now)


def _look(app: App, name: str, channel: Watches, look: Look, now: datetime) -> None:
    try:
        stands = int(channel.stands(look.remote_id))
    except DeliveryError as error:
        logger().warning("post_not_asked", channel=name, delivery=f"{look.sending}.{look.place}", error=str(error))
        stands = watching.NO_ANSWER
    app.store.write(lambda connection: watching.record(connection, look, stands, now))
    if stands == 0:
        pause(app, name, look.item, "a quote's post is not there any more", now)


def pause(app: App, name: str, item: str, why: str, now: datetime) -> None:
    """No other quote goes out on this channel until an editor has looked; an editor's own hold stays as it is."""
    target = f"quotes:{name}"
    with app.store.read() as connection:
        held = holding(connection, target)
    if target not in held:
        app.holds.place(target, f"{name}: {why}: look at the account before you release it", who="syndicate", now=now)
    logger().error("quotes_paused", channel=name, item=item, error=why)
