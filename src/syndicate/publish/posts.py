"""Posts: released briefs and the day's quote become duties to social accounts, and each duty one fitted Post."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from syndicate import links
from syndicate.channels import Channel
from syndicate.errors import Refused, SyndicateError
from syndicate.failpoint import fail_at
from syndicate.model import Brief, Item, Parcel, Post, Quote, Request, Slot
from syndicate.plan.catchup import catch_up
from syndicate.publish import alike, approval, parcels, pictures, rhythm, spending, thread
from syndicate.publish.editions import Planned, lose, schedule_for
from syndicate.render import post, tags
from syndicate.settings import BRIEF_LATENESS
from syndicate.store import agenda, duties
from syndicate.store.database import Connection
from syndicate.store.duties import Duty
from syndicate.store.holds import holding
from syndicate.store.subscribers import place_key

if TYPE_CHECKING:
    from syndicate.app import App


def expand(app: App, now: datetime, starts: Mapping[str, datetime]) -> list[Planned]:
    """Record the duty to post each brief that has come due, per account."""
    planned: list[Planned] = []
    for name in rhythm.accounts(app):
        title = f"posts.{name}"
        with app.store.read() as connection:
            after = max(starts[f"channel:{name}"], agenda.ticked(connection, title) or starts[f"channel:{name}"])
            stopped = holding(connection, name)
        if schedule_for(app, rhythm.schedule(app, name)).when_published:
            planned += _released(app, name, title, after, now, stopped)
        else:
            planned += _queued(app, name, title, after, now, stopped, starts[f"channel:{name}"])
        _tick_to(app, title, now)
    return planned


def _tick_to(app: App, title: str, now: datetime) -> None:
    app.store.write(lambda connection: agenda.tick_to(connection, title, now))


def _released(app: App, name: str, title: str, after: datetime, now: datetime, stopped: str) -> list[Planned]:
    """Each brief at its release."""
    planned = []
    for brief in app.content.released(after, now):
        release = brief.release or now
        slot = Slot(schedule=title, zone="UTC", local=release.replace(tzinfo=None), due=release)
        late = now - release > rhythm.window(app, name)
        if stopped or late:
            why = stopped or "it was released too long ago; post it with `syndicate posts send` if it still matters"
            planned += lose(app, {slot: f"{brief.slug}: {why}"}, "cancelled" if stopped else "skipped")
        else:
            planned.append(Planned(slot=slot, state="expanded", reason="", duties=owe(app, brief, [name], due=release)))
            fail_at("posts.after_brief")
    return planned


def _queued(app: App, name: str, title: str, after: datetime, now: datetime, stopped: str, start: datetime) -> list[Planned]:
    """One brief a slot, the oldest that waits."""
    setting = rhythm.schedule(app, name)
    lateness = setting.policy(BRIEF_LATENESS)
    found = list(schedule_for(app, setting).slots(title, after, now))
    decision = catch_up(found, now=now, policy=lateness.catchup, window=lateness.window)
    planned = lose(app, dict(decision.skipped), "skipped")
    if stopped:
        return planned + lose(app, dict.fromkeys(decision.run, stopped), "cancelled")
    return planned + [_next_of_queue(app, name, slot, start) for slot in decision.run]


def _next_of_queue(app: App, name: str, slot: Slot, start: datetime) -> Planned:
    """Slot and post in one transaction, so that a slot that comes twice posts one brief."""
    waiting = [brief for brief in app.content.released(start, slot.due) if not _posted(app, brief.id, name)]
    reason = waiting[0].slug if waiting else "no brief waits"

    def work(connection: Connection) -> Planned:
        key = agenda.record_slot(connection, slot, "expanded", reason)
        if key is None:
            return Planned(slot=slot, state="expanded", reason="it was expanded before", duties=0)
        duties = owe(app, waiting[0], [name], due=slot.due, connection=connection) if waiting else 0
        return Planned(slot=slot, state="expanded", reason=reason, duties=duties)

    return app.store.write(work)


def owe(
    app: App, item: Item, names: Sequence[str], *, due: datetime, slot: int = 0, connection: Connection | None = None
) -> int:
    """Record the duty to post ``item`` on each of ``names`` once, whatever its revision; returns how many are new."""

    def work(connection: Connection) -> int:
        targets = f"all {item.id}" + (" quotes" if isinstance(item, Quote) else "")
        fresh = [name for name in names if not duties.is_owed(connection, "post", item.id, name, slot=slot)]
        if not fresh:
            return 0
        key = duties.open_sending(
            connection, kind="post", subject=item.id, due=due, targets=targets, slot=slot, revision=item.revision
        )
        key = key or duties.sending_key(connection, "post", item.id, slot, item.revision)
        new = sum(duties.owe_once(connection, key, place_key(connection, "account", name), due=due) for name in fresh)
        return new + (thread.owe(app, connection, item, fresh, due=due) if isinstance(item, Brief) else 0)

    return work(connection) if connection is not None else app.store.write(work)


def _posted(app: App, item: str, name: str) -> bool:
    with app.store.read() as connection:
        return duties.is_owed(connection, "post", item, name)


def compose(app: App, claimed: Sequence[Duty]) -> dict[tuple[int, int], tuple[str, Parcel] | Exception]:
    """The post of each duty: the bytes kept from the first attempt, or made now and kept before anything leaves."""
    made: dict[tuple[int, int], tuple[str, Parcel] | Exception] = {}
    for duty in claimed:
        try:
            key, post = _kept(app, duty) or _keep(app, duty, *_make(app, duty))
            spending.afford(app, duty, "post", post.text)
            made[duty.sending, duty.place] = key, post
        except SyndicateError as error:
            made[duty.sending, duty.place] = error
    return made


def _make(app: App, duty: Duty) -> tuple[str, Post]:
    channel = app.channels[duty.channel]
    item = app.content.brief(duty.subject, now=None) or app.content.quote(duty.subject)
    if item is None:
        msg = "the item is not there any more"
        raise Refused(msg)
    if isinstance(item, Brief) and (number := thread.number(app, duty)) > 1:
        return thread.make(app, duty, item, number)
    key = links.delivery_key("post", item.id, channel.name, channel.name, duty.due.isoformat(), duty.revision)
    return key, render(app, item, channel, created=duty.due, revision=duty.revision)


def render(app: App, item: Item, channel: Channel, *, created: datetime, revision: int = 0) -> Post:
    """One item fitted to one channel, by the renderer that sends.

    Raises
    ------
    Held
        The quote gate refuses.
    RenderError
        A template's fault.
    """
    if isinstance(item, Brief):
        posting = rhythm.posting(channel)
        picture, without = pictures.chosen(app, item, channel.limits) if posting.pictures else (None, "")
        made = post.brief_post(
            item,
            picture=picture,
            hashtags=tags.hashtags(item.topics, posting.hashtag_names, posting.hashtags),
            channel=channel.name,
            network=channel.network,
            limits=channel.limits,
            templates=app.templates,
            site=app.settings.site,
            created=created,
            revision=revision,
        )
        return replace(made, cut="; ".join(filter(None, (made.cut, without))))
    admitted = approval.admit(app, item, app.now())
    return post.quote_post(
        admitted,
        channel=channel.name,
        network=channel.network,
        limits=channel.limits,
        templates=app.templates,
        site=app.settings.site,
        created=created,
        revision=revision,
    )


def _kept(app: App, duty: Duty) -> tuple[str, Post] | None:
    with app.store.read() as connection:
        found = duties.payload(connection, duty)
    return None if found is None else (found[0], parcels.load(found[1]))


def _keep(app: App, duty: Duty, key: str, made: Post) -> tuple[str, Post]:
    sha = digest(app.channels[duty.channel].request(made, key))
    text, now = parcels.dump(made), app.now()

    def work(connection: Connection) -> None:
        alike.refuse(connection, app, duty.channel, made)
        duties.keep_payload(connection, duty, key, text, made=now, sha=sha)

    app.store.write(work)
    fail_at("posts.after_payload")
    return key, made


def digest(request: Request) -> str:
    """The SHA-256 of a request, by which a person can say what was sent: method, address and body."""
    return hashlib.sha256(b"\0".join((request.method.encode(), request.url.encode(), request.body))).hexdigest()
