"""Proofs: every rendering of one item, by the code that sends. For ``preview``, ``check`` and a test mail; records nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from syndicate import links
from syndicate.channels import Channel
from syndicate.errors import Fault, FaultyError, Held, SyndicateError
from syndicate.model import Brief, Item, Limits, Post, Quote, QuoteDisplay, Request
from syndicate.publish import approval, dailyquote, feeds, messages, notices, posts, rhythm, thread, uncarried
from syndicate.render import counting, framing, lint_subject
from syndicate.render import feed as feed_files
from syndicate.render.frozen import Frozen, splice, values

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.plan.due import EditionKind

_READER: Final = "reader@readers.example"
_SAMPLED: Final = 5  # briefs in the edition that ``check`` renders


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """One rendering, or why there is none."""

    where: str  # "feed", "page", a newsletter's or a channel's name
    file: str  # "x.txt"
    data: bytes = b""
    count: int | None = None  # in the units of ``limit``
    limit: int | None = None
    units: str = ""  # "characters of x", "bytes"
    cost: float | None = None  # US dollars
    note: str = ""  # what fitting left out
    fault: str = ""  # why it could not be made; "" where it could
    cause: Fault | None = None  # the same, where a file and a line are to blame
    post: Post | None = None  # of a post: itself


def proofs(app: App, item: Item, now: datetime) -> list[Proof]:
    """Everything that would leave of ``item``: feed entries, a quote's block on its page, an edition per newsletter, posts."""
    found = [*in_feeds(app, item, now)]
    if isinstance(item, Quote):
        found += on_page(app, item, now)
    for name in app.settings.newsletters:
        found += by_mail(app, name, item, now)
    for name in rhythm.accounts(app, quotes=isinstance(item, Quote)):
        found += on_account(app, name, item, now)
    return found


def in_feeds(app: App, item: Item, now: datetime) -> Sequence[Proof]:
    """The item's entry in each form of its feed; none where no feed carries it."""
    return _guarded("feed", "feed", lambda: _feed(app, item, now))


def on_page(app: App, quote: Quote, now: datetime) -> Sequence[Proof]:
    """The block of a quote as its page shows it."""
    return _guarded("page", "page.html", lambda: [_on_page(app, quote, now)])


def on_account(app: App, name: str, item: Item, now: datetime) -> Sequence[Proof]:
    """What would be posted of ``item`` on one account: its own post, and those that follow it."""
    return _guarded(name, f"{name}.txt", lambda: _posts(app, name, item, now))


def by_mail(app: App, name: str, item: Item, now: datetime) -> Sequence[Proof]:
    """An edition of ``item`` alone, as one newsletter would carry it: HTML, text, and the whole message."""
    return _guarded(name, "edition", lambda: _edition(app, name, item, now))


def _guarded(where: str, file: str, make: Callable[[], Sequence[Proof]]) -> Sequence[Proof]:
    """One rendering that fails leaves the others."""
    try:
        return make()
    except Held as held:
        return [Proof(where=where, file=file, fault=f"{held.rule}: {held}".lstrip(": "))]
    except FaultyError as error:
        return [Proof(where=where, file=file, fault=str(fault), cause=fault) for fault in error.faults]
    except SyndicateError as error:
        return [Proof(where=where, file=file, fault=str(error))]


def _feed(app: App, item: Item, now: datetime) -> list[Proof]:
    kind = "briefs" if isinstance(item, Brief) else "quotes"
    wanted = next((feed for feed in feeds.described(app) if feed.kind == kind), None)
    if wanted is None:
        return []
    entry = feeds.entry(app, item, now)
    made = ((form, feed_files.single(entry, wanted, form)) for form in wanted.urls)
    return [Proof(where="feed", file=f"feed.{form}", data=data, count=len(data), units="bytes") for form, data in made]


def _on_page(app: App, quote: Quote, now: datetime) -> Proof:
    data = framing.block(approval.admit(app, quote, now), "page", app.templates).content.encode()
    return Proof(where="page", file="page.html", data=data, count=len(data), units="bytes")


def _edition(app: App, name: str, item: Item, now: datetime) -> list[Proof]:
    frozen = edition(app, name, [item], QuoteDisplay(app.settings.newsletters[name].quote), now)
    filling = values(messages.nobody(app, now, _READER))
    _, mail = messages.sample(app, name, frozen, now, address=_READER)
    parts = {
        "edition.html": splice(frozen.html, filling, html=True).encode(),
        "edition.txt": splice(frozen.text, filling, html=False).encode(),
        "edition.eml": mail.data,
    }
    folder = "" if len(app.settings.newsletters) == 1 else f"{name}/"
    note = f"shortened: {frozen.cut}" if frozen.cut else ""
    return [
        Proof(where=name, file=f"{folder}{file}", data=data, count=len(data), units="bytes", note=note)
        for file, data in parts.items()
    ]


def _posts(app: App, name: str, item: Item, now: datetime) -> list[Proof]:
    """An item's own post on one channel, and those that follow it in a thread."""
    channel = app.channels[name]
    made = [posts.render(app, item, channel, created=now)]
    made += thread.preview(app, item, channel, now) if isinstance(item, Brief) else []
    files = [f"{name}.txt", *(f"{name}.{number}.txt" for number in range(2, len(made) + 1))]
    return [_post(channel, item, post, file, now) for post, file in zip(made, files, strict=True)]


def _post(channel: Channel, item: Item, post: Post, file: str, now: datetime) -> Proof:
    name = channel.name
    request = channel.request(post, links.delivery_key("post", item.id, name, name, now.isoformat(), 0))
    priced = channel.limits.price_link or channel.limits.price_plain
    return Proof(
        where=name,
        file=file,
        data=post.text.encode() + b"\n\n" + wire(request),
        count=post.count or counting.count(post.text, channel.limits, warning=post.warning),
        limit=channel.limits.text or None,
        units="" if channel.limits.counting == "none" else f"characters as {channel.limits.counting} counts",
        cost=_cost(post, channel.limits) if priced else None,
        note=", ".join(part for part in (post.rung, post.cut) if part),
        post=post,
    )


def _cost(post: Post, limits: Limits) -> float:
    return limits.price_link if counting.urls(post.text) else limits.price_plain


def wire(request: Request) -> bytes:
    """A request as it would be sent: its line, its headers without secrets, its body byte for byte."""
    head = [f"{request.method} {request.url}", *(f"{name}: {value}" for name, value in request.headers.items()), "", ""]
    return "\n".join(head).encode() + request.body


def sample(app: App, now: datetime) -> list[Item]:
    """What a test mail holds: the newest brief, and today's quote or one that may run, where there are such."""
    found: list[Item] = list(app.content.briefs(now=now, limit=1, with_body=True))
    today = dailyquote.carried_by(app, now)
    admitted, _ = dailyquote.admissible(app, now)
    return [*found, *([today] if today else admitted[:1])]


def edition(
    app: App,
    newsletter: str,
    items: Sequence[Item],
    display: QuoteDisplay,
    now: datetime,
    *,
    frequency: EditionKind | None = None,
) -> Frozen:
    """An edition of these items that was never planned: number 0.

    Raises
    ------
    RenderError, Held
        As when it is sent.
    """
    by_itself: EditionKind = "instant" if any(isinstance(item, Brief) for item in items) else "quote"
    return messages.freeze_items(
        app,
        newsletter=newsletter,
        number=0,
        frequency=frequency or by_itself,
        at=now,
        items=items,
        display=display,
        lang="",
        view_url=messages.view_url(app, newsletter, 0, 0),
        now=now,
    )


def faults(app: App, now: datetime) -> Iterator[Fault]:
    """Subjects that no mail can have, briefs that nothing can carry, and every rendering that fails.

    Rendered are the newest brief of the others, each quote that may run, an edition of each frequency, and the notices.
    """
    yield from lint_subject.faults(app.templates)
    told = list(uncarried.faults(app, now))
    yield from told
    guilty = {fault.file for fault in told}
    admitted, _ = dailyquote.admissible(app, now)
    newest = app.content.briefs(now=now, limit=_SAMPLED + len(guilty), with_body=True)
    newest = [brief for brief in newest if brief.path not in guilty][:_SAMPLED]
    alone: list[Item] = [*newest[:1], *admitted]
    for item in alone:
        for proof in proofs(app, item, now):
            if proof.fault:
                yield proof.cause or Fault(file=item.path, rule="render", what=f"{proof.where}: {proof.fault}")
    for name, frequency, display in _frequencies(app):
        items: list[Item] = [*newest, *admitted[:1]]
        for proof in _guarded(name, frequency, lambda: _sampled(app, name, frequency, items, display, now)) if items else ():  # noqa: B023 - called at once
            file = f"edition {name} {frequency}"
            yield proof.cause or Fault(file=file, rule="render", what=proof.fault)
    yield from notices.faults(app, now, newest[0] if newest else None)


def _frequencies(app: App) -> Iterator[tuple[str, EditionKind, QuoteDisplay]]:
    for name, letter in app.settings.newsletters.items():
        if letter.daily is not None:
            yield name, "daily", QuoteDisplay(letter.quote)
        if letter.weekly is not None:
            yield name, "weekly", QuoteDisplay.LINK if letter.quote != "none" else QuoteDisplay.NONE


def _sampled(
    app: App, name: str, frequency: EditionKind, items: Sequence[Item], display: QuoteDisplay, now: datetime
) -> Sequence[Proof]:
    """Render an edition of several items for its faults alone."""
    edition(app, name, items, display, now, frequency=frequency)
    return ()
