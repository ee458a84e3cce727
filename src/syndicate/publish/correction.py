"""Putting right what has left: feeds and pages at once, posts as each network allows, mail by a notice to those it misled.

``correct`` gives an item its next revision; whatever was made before has the wrong version, and is followed until all of
it is known. A quote that was changed needs its people's consent anew before anything of it leaves (Q11).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal
from zoneinfo import ZoneInfo

from syndicate import links
from syndicate.channels import Amends
from syndicate.errors import Held, Refused, SyndicateError, Throttled
from syndicate.failpoint import fail_at
from syndicate.model import OPEN_STATES, Amendment, Brief, Item, Post, Quote, Severity, State, Way
from syndicate.publish import approval, feeds, parcels, posts, spending
from syndicate.publish.withdrawal import Line
from syndicate.render import amend, framing
from syndicate.store import amendments, duties
from syndicate.store.amendments import Stood, Told
from syndicate.store.database import Connection
from syndicate.store.duties import Duty

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.channels import Channel

_ASK_AGAIN: Final = timedelta(minutes=10)  # whether a changed quote has been approved
_TOLD: Final[dict[Way, str]] = {
    "edit": "changed where it stands",
    "reply": "answered with a correction",
    "post": "followed by a post",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What is to be told of an item."""

    severity: Severity
    text: str
    day: date  # civil day in the site's zone
    by_hand: bool  # it does not stand in the item's file


def wish(app: App, item: Item, severity: Severity, text: str, now: datetime) -> Wish:
    """``text``, or the newest correction of the item's file.

    Raises
    ------
    SyndicateError
        There is none, or the file says another severity.
    Held
        The text repeats words of a quote (Q5).
    """
    if isinstance(item, Quote):
        framing.guard_outside(text, [item], style=app.style)
    if text:
        today = now.astimezone(ZoneInfo(app.settings.site.zone)).date()
        same = next((one for one in item.corrections if one.text == text), None) if isinstance(item, Brief) else None
        return Wish(severity=severity, text=text, day=same.date if same else today, by_hand=same is None)
    written = item.corrections if isinstance(item, Brief) else ()
    if not written:
        msg = f"{item.slug} tells of no correction: write one under `corrections` in its file, or say --text"
        raise SyndicateError(msg)
    newest = max(written, key=lambda one: one.date)
    if newest.severity is not severity:
        msg = f"the newest correction in {item.path} is {newest.severity}: say --severity {newest.severity}, or change the file"
        raise SyndicateError(msg)
    return Wish(severity=severity, text=newest.text, day=newest.date, by_hand=False)


def correct(
    app: App, item: Item, wanted: Wish, now: datetime, *, who: str, clock: Callable[[], float]
) -> tuple[Told, list[Line]]:
    """Mark, rewrite the feeds, and record what is to be put right; sending is the runtime's. Asking again changes nothing."""
    began = clock()
    with app.store.read() as connection:
        known = amendments.told(connection, item.id)
    if known is None or (known.text, known.severity) != (wanted.text, wanted.severity):

        def record(connection: Connection) -> None:
            amendments.mark(
                connection,
                item.id,
                severity=wanted.severity,
                text=wanted.text,
                day=wanted.day.isoformat(),
                by_hand=wanted.by_hand,
                who=who,
                now=now,
            )

        app.store.write(record)
        fail_at("correction.after_mark")
    known = _known(app, item)
    marked, began = clock() - began, clock()
    settle(app, known, app.now())
    known = _known(app, item)
    planned, began = clock() - began, clock()
    written = feeds.publish(app, now)
    wrong = [str(fault) for fault in written.faults]
    told = f"{len(written.changed)} files rewritten" + (
        "" if known.severity is Severity.MINOR else "; the entry's time has moved"
    )
    state: Literal["failed", "done"] = "failed" if wrong else "done"
    shown = "tells of it" if isinstance(item, Brief) else "shows the quotation as its file has it now"
    return known, [
        Line(where="store", state="done", what=f"revision {known.revision}, {known.severity}", seconds=marked),
        Line(where="deliveries", state="done", what="what waits is made from the right version", seconds=planned),
        Line(where="feeds", state=state, what="; ".join(wrong) or told, seconds=clock() - began),
        Line(where="page", state="done", what=f"{item.link} {shown}", seconds=0.0),
    ]


def _known(app: App, item: Item) -> Told:
    with app.store.read() as connection:
        found = amendments.told(connection, item.id)
    assert found is not None  # it was marked before
    return found


def follow(app: App, now: datetime) -> int:
    """Each tick: what a crash left unplanned, and what was on the wire or in doubt and has turned up with the wrong version."""
    with app.store.read() as connection:
        found = amendments.unsettled(connection)
    return sum(settle(app, one, now) for one in found)


def settle(app: App, one: Told, now: datetime) -> int:
    """Take back what a worker has not begun, then record in ONE transaction all that is owed; returns how many are new."""
    if one.planned is None:
        with app.store.read() as connection:
            in_hand = amendments.claimed(connection, one.item)
        app.ledger.give_back(in_hand, now)
        fail_at("correction.before_plan")
    quote = app.content.quote(one.item) is not None
    cut = one.planned or app.now()
    letters = app.settings.newsletters

    def work(connection: Connection) -> int:
        new = 0
        for post in amendments.posted(connection, one.item, one.revision):
            if _wrong(post, cut) and _way(app, one, post, now):
                new += amendments.owe_amendment(connection, one, post, quote=quote, now=now)
        if one.severity is Severity.SIGNIFICANT:
            for name, letter in letters.items():
                new += amendments.owe_notices(connection, one, name, letter.channel, cut=cut, now=now)
        amendments.close(connection, one, cut)
        return new

    return app.store.write(work)


def _wrong(post: Stood, cut: datetime) -> bool:
    return post.state is State.SENT and post.made < cut and post.amendment is None


def _way(app: App, one: Told, post: Stood, now: datetime) -> Way | None:
    """How a post would be put right; ``None`` where it is left as it is."""
    channel = app.channels.get(post.channel)
    if channel is None:
        return None
    way: Way = channel.way(post.done or post.made, now) if isinstance(channel, Amends) else "post"
    return way if way == "edit" or one.severity is Severity.SIGNIFICANT else None


# -- the matrix -------------------------------------------------------------------------------------


def reached(app: App, item: Item, one: Told) -> list[Line]:
    """Where the wrong version had gone, and what became of it there."""
    with app.store.read() as connection:
        stood = amendments.posted(connection, item.id, one.revision)
        told = amendments.notified(connection, one, app.settings.newsletters)
        lost = amendments.forgotten(connection, item.id)
    return [*(line for post in stood if (line := _post(app, one, post))), *_mail(one, told, lost)]


def _post(app: App, one: Told, post: Stood) -> Line | None:
    at = post.url or post.remote_id
    if post.amendment is None:
        return _untouched(app, one, post, at)
    done = _TOLD.get(post.way or "post", "")
    if post.amendment is State.SENT:
        return Line(where=post.channel, state="done", what=f"{at} {done}")
    if post.amendment in OPEN_STATES or post.amendment is State.UNCERTAIN:
        why = f": {post.said}" if post.said else ""
        return Line(where=post.channel, state="waits", what=f"{at} is to be put right{why}")
    return Line(where=post.channel, state="failed", what=f"{at} could not be put right: {post.said or 'it was cancelled'}")


def _untouched(app: App, one: Told, post: Stood, at: str) -> Line | None:
    if post.state in {State.UNCERTAIN, State.SENDING}:
        what = "nobody knows whether it has left: look there, then `syndicate deliveries settle`"
        return Line(where=post.channel, state="waits", what=what)
    if post.state is not State.SENT or one.planned is None or post.made >= one.planned:
        return None
    if post.channel not in app.channels:
        return Line(where=post.channel, state="impossible", what=f"{at}: this channel is not in the settings any more")
    return Line(
        where=post.channel, state="impossible", what=f"{at} cannot be changed, and a minor correction is not followed up"
    )


def _mail(one: Told, told: Mapping[State, int], lost: int) -> list[Line]:
    lines: list[Line] = []
    if told:
        sent, waits = told.get(State.SENT, 0), sum(told.get(state, 0) for state in (*OPEN_STATES, State.UNCERTAIN))
        failed = told.get(State.FAILED, 0)
        state: Literal["waits", "failed", "done"] = "waits" if waits else "failed" if failed else "done"
        what = f"{sent} of {sum(told.values())} readers who had the wrong version were told"
        lines.append(Line(where="mail", state=state, what=what))
    if lost and one.severity is Severity.SIGNIFICANT:
        what = f"{lost} messages left so long ago that nobody knows any more to whom"
        lines.append(Line(where="mail", state="impossible", what=what))
    return lines


# -- what leaves ------------------------------------------------------------------------------------


def compose(app: App, claimed: Sequence[Duty]) -> dict[tuple[int, int], tuple[str, Amendment] | Exception]:
    """The amendment of each duty: kept from the first attempt, or made now and kept before anything leaves."""
    made: dict[tuple[int, int], tuple[str, Amendment] | Exception] = {}
    for duty in claimed:
        try:
            key, amendment = _kept(app, duty) or _keep(app, duty, *_make(app, duty))
            spending.afford(app, duty, "edit", amendment.post.text)
            made[duty.sending, duty.place] = key, amendment
        except Held as held:
            made[duty.sending, duty.place] = _waiting(app, held)
        except SyndicateError as error:
            made[duty.sending, duty.place] = error
    return made


def _waiting(app: App, held: Held) -> Exception:
    """A changed quote waits for its people; what another rule of the gate refuses does not leave."""
    if held.rule != "Q11":
        return held
    return Throttled(
        f"{held.rule}: {held}", retry_at=app.now() + _ASK_AGAIN, code="Q11", advice="`syndicate quotes approve` lets it go on."
    )


def _make(app: App, duty: Duty) -> tuple[str, Amendment]:
    channel = app.channels[duty.channel]
    item = app.content.brief(duty.subject, now=None) or app.content.quote(duty.subject)
    with app.store.read() as connection:
        told = amendments.told(connection, duty.subject, duty.revision)
        remote, since = amendments.stands(connection, duty)
    if item is None or told is None or not remote:
        msg = "the item, or the post that is to be put right, is not known any more"
        raise Refused(msg)
    key = links.delivery_key("edit", item.id, channel.name, channel.name, duty.due.isoformat(), duty.revision)
    way: Way = channel.way(since or duty.due, app.now()) if isinstance(channel, Amends) else "post"
    if way != "edit" and told.severity is Severity.MINOR:
        msg = "it cannot be changed any more, and a minor correction is not followed up"
        raise Refused(msg, code="late")
    if isinstance(item, Quote):
        approval.admit(app, item, app.now())  # nothing of it leaves without its people, not even our own words on it
        framing.guard_outside(told.text, [item], style=app.style)  # the file may have changed since it was written (Q5)
    note = _note(app, item, channel, told, duty)
    post = posts.render(app, item, channel, created=duty.due, revision=duty.revision) if way == "edit" else note
    spare = note if way == "edit" and told.severity is Severity.SIGNIFICANT else None
    return key, Amendment(item=item.id, remote_id=remote, way=way, post=post, note=spare)


def _note(app: App, item: Item, channel: Channel, told: Told, duty: Duty) -> Post:
    return amend.note(
        item,
        told.text,
        channel=channel.name,
        limits=channel.limits,
        templates=app.templates,
        lang=(item.lang if isinstance(item, Brief) else "") or app.settings.site.language,
        created=duty.due,
        revision=duty.revision,
    )


def _kept(app: App, duty: Duty) -> tuple[str, Amendment] | None:
    with app.store.read() as connection:
        found = duties.payload(connection, duty)
    return None if found is None else (found[0], parcels.load_amendment(found[1]))


def _keep(app: App, duty: Duty, key: str, made: Amendment) -> tuple[str, Amendment]:
    channel = app.channels[duty.channel]
    request = channel.amend_request(made, key) if isinstance(channel, Amends) else channel.request(made.post, key)
    text, now, sha = parcels.dump_amendment(made), app.now(), posts.digest(request)
    app.store.write(lambda connection: duties.keep_payload(connection, duty, key, text, made=now, sha=sha))
    return key, made
