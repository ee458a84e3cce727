"""Taking back what has left (Q22): feeds and pages at once, posts by deletion; what cannot be recalled is said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeVar

from syndicate.channels import Deletes
from syndicate.errors import Fault, Refused, SyndicateError
from syndicate.failpoint import fail_at
from syndicate.model import OPEN_STATES, Item, Removal, State, Status
from syndicate.publish import feeds
from syndicate.sources import Found
from syndicate.store import agenda, amendments, withdrawals
from syndicate.store.database import Connection
from syndicate.store.duties import Duty
from syndicate.store.withdrawals import Posted

if TYPE_CHECKING:
    from syndicate.app import App

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of the matrix: a place, and whether the item is gone from there."""

    where: str  # "feeds", "page", a channel's name, "mail"
    state: Literal["done", "waits", "failed", "impossible"]
    what: str
    seconds: float | None = None  # how long it took


def withdraw(app: App, item: Item, now: datetime, *, who: str, reason: str, clock: Callable[[], float]) -> list[Line]:
    """Mark, stop, rewrite the feeds, and record what is to be deleted; sending the deletions is the runtime's.

    ``clock`` counts seconds, to tell how long each step took.
    """

    def timed(act: Callable[[], T]) -> tuple[T, float]:
        began = clock()
        return act(), clock() - began

    def record(connection: Connection) -> None:
        withdrawals.withdraw(connection, item.id, who=who, reason=reason, now=now)
        withdrawals.owe(connection, item.id, withdrawals.posted(connection, item.id), now)

    _, marking = timed(lambda: app.store.write(record))
    fail_at("withdrawal.after_mark")
    cancelled, stopping = timed(lambda: _cancel(app, item.id, now, who))
    written, feeding = timed(lambda: feeds.publish(app, now))
    wrong = [str(fault) for fault in written.faults]
    told = f"{len(written.changed)} files rewritten; a tombstone or a notice stands for it"
    return [
        Line(where="store", state="done", what="marked withdrawn, whatever its file says", seconds=marking),
        Line(where="deliveries", state="done", what=f"{cancelled} that waited cancelled", seconds=stopping),
        Line(where="feeds", state="failed" if wrong else "done", what="; ".join(wrong) or told, seconds=feeding),
        Line(where="page", state="done", what=f"{item.link} answers 410 with a notice", seconds=0.0),
    ]


def _cancel(app: App, item: str, now: datetime, who: str) -> int:
    """Posts, corrections of posts and notices of one item that wait; an edition leaves with what else it holds."""
    notices = [("notice", amendments.notice(letter, item)) for letter in app.settings.newsletters]
    return sum(app.ledger.cancel(item, now, who=who, of=one) for one in (("post", item), ("edit", item), *notices))


def reached(app: App, item: Item) -> list[Line]:
    """Where the item had gone, and whether it is gone from there."""
    with app.store.read() as connection:
        posted, mailed = withdrawals.posted(connection, item.id), withdrawals.mailed(connection, item.id)
    lines = [line for post in posted if (line := _post(app, post))]
    sent = sum(mailed.get(state, 0) for state in (State.SENT, State.UNCERTAIN, State.SENDING))
    if sent:
        lines.append(Line(where="mail", state="impossible", what=f"{sent} messages have left; a mail cannot be recalled"))
    return lines


def _post(app: App, post: Posted) -> Line | None:
    """One post's line; ``None`` for one that never left."""
    at = post.url or post.remote_id
    channel = app.channels.get(post.channel)
    if post.state in {State.UNCERTAIN, State.SENDING}:
        what = "nobody knows whether it has left: look there, delete it by hand, then `syndicate deliveries settle`"
        return Line(where=post.channel, state="waits", what=what)
    if post.state is not State.SENT:
        return None
    if channel is None or not isinstance(channel, Deletes):
        return Line(where=post.channel, state="impossible", what=f"{at}: this channel cannot delete")
    if post.deletion is State.SENT:
        return Line(where=post.channel, state="done", what=f"{at} deleted")
    if post.deletion is None or post.deletion in OPEN_STATES or post.deletion is State.UNCERTAIN:
        return Line(where=post.channel, state="waits", what=f"{at} is to be deleted")
    return Line(where=post.channel, state="failed", what=f"{at} could not be deleted: `syndicate deliveries list` says why")


def follow(app: App, now: datetime) -> int:
    """Each tick: no post of a withdrawn item waits any more, and one that has turned up since is to be deleted.

    An edition that waits is rendered anew, and leaves with what else it holds.
    """
    with app.store.read() as connection:
        stopped, told = withdrawals.stopped(connection), withdrawals.listed(connection)
        stale = withdrawals.stale(connection)
        turned_up = {
            one.id: found
            for one in told
            if (found := [p for p in withdrawals.posted(connection, one.id) if p.state is State.SENT and p.deletion is None])
        }
    cancelled = sum(_cancel(app, item, now, "its withdrawal") for item in stopped if app.books.waiting(item))

    def work(connection: Connection) -> int:
        for variant in stale:
            agenda.thaw(connection, variant)
        return sum(withdrawals.owe(connection, item, found, now) for item, found in turned_up.items())

    return cancelled + (app.store.write(work) if turned_up or stale else 0)


def compose(app: App, claimed: Sequence[Duty]) -> dict[tuple[int, int], tuple[str, Removal] | Exception]:
    """What each duty to delete is about."""
    made: dict[tuple[int, int], tuple[str, Removal] | Exception] = {}
    with app.store.read() as connection:
        for duty in claimed:
            remote = withdrawals.remote(connection, duty.sending, duty.place)
            can = isinstance(app.channels.get(duty.channel), Deletes)
            made[duty.sending, duty.place] = (
                (f"delete {remote}", Removal(item=duty.subject, remote_id=remote))
                if remote and can
                else Refused("this channel cannot delete, or the post's name is not known")
            )
    return made


def disagreeing(app: App) -> list[Fault]:
    """Files that still say something else than the person who withdrew their item."""
    by_name = {source.name: source for source in app.sources}
    found = []
    with app.store.read() as connection:
        told = withdrawals.listed(connection)
    for one in told:
        try:
            draft = by_name[one.source].read(Found(path=one.path, stamp="")) if one.source in by_name else None
        except SyndicateError:
            draft = None  # a file with faults is told of by itself
        if draft is not None and draft.status is not Status.WITHDRAWN:
            what = f"it was withdrawn on {one.at:%Y-%m-%d %H:%M} UTC, and the file says {draft.status}"
            found.append(Fault(file=one.path, rule="Q22", what=what, right="write status: withdrawn"))
    return found
