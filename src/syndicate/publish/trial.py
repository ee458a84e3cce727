"""A test of one account: a post that says that it is one, deleted again where the network allows. In no books of any item."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from syndicate import links
from syndicate.channels import Deletes
from syndicate.errors import DeliveryError, Held
from syndicate.model import Finding, Post
from syndicate.store.audit import audit
from syndicate.store.holds import holding

if TYPE_CHECKING:
    from syndicate.app import App


def post(app: App, name: str, now: datetime) -> Post:
    """What is posted: nothing of any item, no link, no mention."""
    text = f"Test post of {app.settings.site.title}, {now:%Y-%m-%d %H:%M:%S} UTC. Please pass it over."
    return Post(item=f"test:{name}", text=text, link="", lang="en", created=now)


def run(app: App, name: str, now: datetime, *, who: str) -> list[Finding]:
    """Post it and, where that can be done, delete it again.

    Raises
    ------
    Held
        The account is on hold.
    """
    with app.store.read() as connection:
        if held := holding(connection, name):
            raise Held(held)
    channel, made = app.channels[name], post(app, name, now)
    key = links.delivery_key("test", made.item, name, name, now.isoformat(), 0)
    app.store.write(lambda connection: audit(connection, who=who, act="test", subject=name, detail={"text": made.text}, at=now))
    try:
        receipt = channel.send(made, key)
    except DeliveryError as error:
        return [Finding(ok=False, what=str(error), advice=error.advice or f"`syndicate channels doctor {name}` looks closer.")]
    at = receipt.url or receipt.remote_id
    found = [Finding(ok=True, what=f"posted: {at}")]
    if not isinstance(channel, Deletes):
        return [*found, Finding(ok=True, what="this network deletes nothing: take it away by hand")]
    try:
        channel.delete(receipt.remote_id)
    except DeliveryError as error:
        return [*found, Finding(ok=False, what=f"it could not be deleted: {error}", advice=f"Delete it by hand: {at}")]
    return [*found, Finding(ok=True, what="deleted again")]
