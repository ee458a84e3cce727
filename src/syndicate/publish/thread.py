"""Threads: each post after a brief's own is a duty of its own, which waits until the one before it stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from syndicate import links
from syndicate.channels import Channel
from syndicate.errors import Refused, Throttled
from syndicate.model import OPEN_STATES, Brief, Post, State
from syndicate.render import thread
from syndicate.store import duties
from syndicate.store.database import Connection
from syndicate.store.duties import Duty
from syndicate.store.places import place_key

if TYPE_CHECKING:
    from syndicate.app import App

_SOON: Final = timedelta(seconds=5)  # the one before it is on its way
_LATER: Final = timedelta(minutes=1)  # nobody knows yet whether it left


def owe(app: App, connection: Connection, brief: Brief, names: Sequence[str], *, due: datetime) -> int:
    """Record the duty to post what follows ``brief`` on each of ``names`` once; returns how many are new."""
    new = 0
    for name in names:
        for number, _ in enumerate(thread.parts(brief, name, app.channels[name].network), 2):
            made = duties.open_sending(
                connection,
                kind="post",
                subject=brief.id,
                due=due,
                targets=f"all {brief.id}",
                slot=-number,
                revision=brief.revision,
            )
            key = made or duties.sending_key(connection, "post", brief.id, -number, brief.revision)
            new += duties.owe_once(connection, key, place_key(connection, "account", name), due=due)
    return new


def number(app: App, duty: Duty) -> int:
    """Which post of its thread a duty is; 1 for an item's own."""
    with app.store.read() as connection:
        return duties.part(connection, duty.sending)


def make(app: App, duty: Duty, brief: Brief, number: int) -> tuple[str, Post]:
    """The key and the post of one that follows.

    Raises
    ------
    Throttled
        The one before it is not there yet.
    Refused
        It never will be.
    RenderError
        There is no such part any more.
    """
    channel = app.channels[duty.channel]
    key = links.delivery_key("post", brief.id, channel.name, channel.name, f"{duty.due.isoformat()} {number}", duty.revision)
    answers = _answered(app, duty, number)
    return key, _made(app, brief, channel, number, answers, due=duty.due, revision=duty.revision)


def preview(app: App, brief: Brief, channel: Channel, now: datetime) -> list[Post]:
    """What would follow ``brief`` on a channel; what it answers has no name yet.

    Raises
    ------
    RenderError
        Not a word of one of them fits.
    """
    found = thread.parts(brief, channel.name, channel.network)
    names = ("(the first)", "(the one before)")
    return [_made(app, brief, channel, number, names, due=now, revision=0) for number, _ in enumerate(found, 2)]


def _made(
    app: App, brief: Brief, channel: Channel, number: int, answers: tuple[str, ...], *, due: datetime, revision: int
) -> Post:
    return thread.part_post(
        brief,
        number,
        channel=channel.name,
        network=channel.network,
        limits=channel.limits,
        lang=app.settings.site.language,
        created=due + timedelta(seconds=number - 1),
        revision=revision,
        answers=answers,
    )


def _answered(app: App, duty: Duty, number: int) -> tuple[str, ...]:
    with app.store.read() as connection:
        known = duties.thread(connection, duty)
    state, before = known.get(number - 1, (State.CANCELLED, ""))
    if state in OPEN_STATES or state is State.UNCERTAIN:
        wait = _LATER if state is State.UNCERTAIN else _SOON
        msg = f"it follows post {number - 1} of its thread, which is {state}"
        raise Throttled(msg, retry_at=app.now() + wait, code="thread")
    if state is not State.SENT:
        msg = f"post {number - 1} of its thread did not leave"
        raise Refused(msg, code="thread", advice="Send that one first, then this one.")
    return (known[1][1], before)
