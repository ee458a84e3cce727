"""What each follower of a brief would see, and how far it is on its way: proofs and ledger as a page takes them."""

from __future__ import annotations

import email
import email.policy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from syndicate.model import Brief, Card, State
from syndicate.publish import proof, rhythm
from syndicate.publish.editions import schedule_for
from syndicate.store import board, record, shelf
from syndicate.web.desk.dayboard import Cell

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.model import Post
    from syndicate.publish.proof import Proof
    from syndicate.store.record import Sent
    from syndicate.store.shelf import Carrier

CLIPPED: Final = 102_000  # bytes of HTML after which Gmail shows no more
_DRAW: Final = frozenset({"x", "mastodon", "threads", "linkedin", "facebook", "slack", "discord", "telegram"})
_MANY: Final = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Specimen:
    """One post as its network shows it."""

    account: str
    network: str
    part: int  # of a thread; 1 for the brief's own post
    count: int
    limit: int  # 0: none
    units: str
    post: Post | None  # None where it could not be made
    drawn: Card | None  # what the network draws below it by itself, from the page that is linked
    notes: tuple[str, ...]
    cost: float  # US dollars
    fault: str
    draft: str  # what its form begins with; of the first part alone
    tried: bool = False  # the text is a try of somebody, and is saved nowhere


@dataclass(frozen=True, kw_only=True, slots=True)
class Mail:
    """One newsletter's mail with this brief alone."""

    newsletter: str
    title: str
    sender: str
    subject: str
    size: int  # bytes of HTML
    html: str
    text: str
    fault: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """The feed entry, read back from the bytes of the JSON feed."""

    title: str
    date: str
    authors: str
    summary: str
    sources: tuple[tuple[str, int, str], ...]  # (form, bytes, the document)
    fault: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One line of "Where it goes"."""

    channel: str
    form: str
    state: Cell
    count: str = ""
    limit: str = ""
    warning: str = ""
    price: float = 0.0  # US dollars
    due: datetime | None = None
    way: str = ""  # a path of the desk
    url: str = ""  # where it stands
    free: bool = False  # it can be sent there now


def posts(app: App, brief: Brief, now: datetime) -> list[Specimen]:
    """Every post of a brief, by the renderer that sends."""
    return [made for name in rhythm.accounts(app) for made in of_account(app, brief, name, now)]


def of_account(app: App, brief: Brief, name: str, now: datetime, *, tried: bool = False) -> list[Specimen]:
    """The posts of a brief on one account."""
    made = proof.on_account(app, name, brief, now)
    return [_specimen(app, brief, one, part, tried=tried) for part, one in enumerate(made, 1)]


def _specimen(app: App, brief: Brief, made: Proof, part: int, *, tried: bool) -> Specimen:
    channel = app.channels[made.where]
    return Specimen(
        account=made.where,
        network=channel.network,
        part=part,
        count=made.count or 0,
        limit=made.limit or 0,
        units=made.units.removeprefix("characters as ").removesuffix(" counts"),
        post=made.post,
        drawn=_drawn(brief, made.post, channel.network),
        notes=_notes(made),
        cost=made.cost or 0.0,
        fault=made.fault,
        draft=_draft(brief, made) if part == 1 else "",
        tried=tried,
    )


def _notes(made: Proof) -> tuple[str, ...]:
    post = made.post
    if post is None:
        return ()
    found = [f"left out: {made.note}" if made.note else "nothing is cut"]
    if post.picture:
        found.append(f"picture {post.picture.width} × {post.picture.height} px, {_size(post.picture.size)}, as uploaded")
    found.append("no price" if made.cost is None else f"${made.cost:.3f}")
    return tuple(found)


def _drawn(brief: Brief, post: Post | None, network: str) -> Card | None:
    """The card of a link in the text. A picture or a card of ours stands in its place; Mastodon hides it behind a warning."""
    if post is None or post.picture or post.card or network not in _DRAW or post.link not in post.text:
        return None
    if network == "mastodon" and post.warning:
        return None
    return Card(uri=brief.link, title=brief.title, description=brief.summary)


def _draft(brief: Brief, made: Proof) -> str:
    """The text without what the renderer puts around it: the link's mark, and a warning where there is no field for one."""
    own = brief.social.get(made.where)
    if own is not None or made.post is None:
        return own or ""
    warning = brief.social.get("warning", "").strip()
    text = made.post.text if made.post.warning or not warning else made.post.text.removeprefix(warning).lstrip()
    return text.replace(made.post.link, brief.link)


def mail(app: App, brief: Brief, newsletter: str, now: datetime) -> Mail:
    """The brief alone in the mail of one newsletter, with the links of nobody; takes longer than a page may."""
    letter = app.settings.newsletters[newsletter]
    made = proof.by_mail(app, newsletter, brief, now)
    by_file = {one.file.rpartition("/")[2]: one for one in made}
    fault = next((one.fault for one in made if one.fault), "")
    if fault:
        return Mail(newsletter=newsletter, title=letter.title, sender="", subject="", size=0, html="", text="", fault=fault)
    head = email.message_from_bytes(by_file["edition.eml"].data, policy=email.policy.default)
    return Mail(
        newsletter=newsletter,
        title=letter.title,
        sender=str(head["From"]),
        subject=str(head["Subject"]),
        size=len(by_file["edition.html"].data),
        html=by_file["edition.html"].data.decode(),
        text=by_file["edition.txt"].data.decode(),
        fault="",
    )


def unmade(newsletter: str, title: str) -> Mail:
    """A mail of which nothing is known yet."""
    return Mail(newsletter=newsletter, title=title, sender="", subject="", size=0, html="", text="", fault="")


def entry(app: App, brief: Brief, now: datetime) -> Entry | None:
    """The feed entry; ``None`` where no feed carries briefs."""
    made = proof.in_feeds(app, brief, now)
    if not made:
        return None
    sources = tuple((one.file.removeprefix("feed."), len(one.data), one.data.decode()) for one in made if one.data)
    first: dict[str, Any] = next((json.loads(text)["items"][0] for form, _, text in sources if form == "json"), {})
    return Entry(
        title=first.get("title", brief.title),
        date=first.get("date_published", ""),
        authors=", ".join(author.get("name", "") for author in first.get("authors", ())),
        summary=first.get("summary", ""),
        sources=sources,
        fault=next((one.fault for one in made if one.fault), ""),
    )


# -- where it goes ------------------------------------------------------------------------------------


def rows(
    app: App, brief: Brief, shown: Sequence[Specimen], sizes: Mapping[str, int], feed: Entry | None, now: datetime
) -> list[Row]:
    """One line for the feeds, for each account and for each newsletter, with what the ledger says.

    ``sizes``: bytes of the newsletters' mails as far as they are known.
    """
    with app.store.read() as connection:
        sent = [line for line in record.sent(connection, brief.id) if line.kind == "post"]
        key = app.content.keys([brief.id])[brief.id]
        carriers = shelf.carriers(connection, key, brief.release) if brief.release else []
        books = {one.key: _balance(board.of_edition(connection, one.key)) for one in carriers}
        stopped = {hold.target for hold in app.holds.list()}
    out = brief.release is not None and brief.release <= now and str(brief.status) != "withdrawn"
    found = [_feed_row(feed, brief, out=out)] if feed else []
    for name in rhythm.accounts(app):
        lines = [line for line in sent if line.channel == name]
        found.append(_post_row(app, brief, [one for one in shown if one.account == name], lines, stopped, out=out, now=now))
    for name in app.settings.newsletters:
        mine = [one for one in carriers if one.newsletter == name]
        found += _mail_rows(app, name, sizes.get(name, 0), [(one, books[one.key]) for one in mine], brief, now)
    return found


def _feed_row(feed: Entry, brief: Brief, *, out: bool) -> Row:
    forms = ", ".join({"atom": "Atom", "rss": "RSS", "json": "JSON"}.get(form, form) for form, _, _ in feed.sources)
    size = max((n for _, n, _ in feed.sources), default=0)
    state = Cell(shape="sent", word="published") if out else Cell(shape="lock" if brief.release else "file", word="not yet")
    return Row(channel="feeds", form=f"entry, {forms}", count=_size(size), due=brief.release, state=state)


def _post_row(
    app: App, brief: Brief, shown: Sequence[Specimen], lines: Sequence[Sent], stopped: set[str], *, out: bool, now: datetime
) -> Row:
    first = shown[0]
    due = lines[0].due if lines else _due(app, brief, first.account, now)
    return Row(
        channel=first.account,
        form="post" if len(shown) == 1 else f"thread of {len(shown)}",
        count=str(first.count or ""),
        limit=f"{first.limit:,}" if first.limit else "",
        warning=first.post.warning if first.post else "",
        price=sum(one.cost for one in shown),
        due=due,
        state=_state(brief, lines, stopped & {"all", brief.id, first.account}, due, now),
        way=f"/deliveries?channel={first.account}" if lines else "",
        url=next((line.url for line in lines if line.url), ""),
        free=out and not lines and not first.fault,
    )


def _state(brief: Brief, lines: Sequence[Sent], held: set[str], due: datetime | None, now: datetime) -> Cell:
    """The ledger's word; of what is not in it yet, why."""
    if lines:
        left = sum(line.state is State.SENT for line in lines)
        one = next((line for line in lines if line.state is not State.SENT), lines[-1])
        note = f"{left} of {len(lines)}" if len(lines) > 1 else ""
        if one.state is State.PENDING and held:
            return Cell(shape="hold", word="held", note=note, tone="wait")
        return Cell(shape=str(one.state), word=str(one.state), note=note)
    if str(brief.status) == "withdrawn":
        return Cell(shape="cancelled", word="withdrawn")
    if brief.release is None:
        return Cell(shape="file", word="draft")
    if held:
        return Cell(shape="hold", word="held", tone="wait")
    if brief.release > now:
        return Cell(shape="lock", word="embargo") if str(brief.status) == "embargoed" else Cell(shape="pending", word="planned")
    return (
        Cell(shape="pending", word="waits for its slot")
        if due and due > now
        else Cell(shape="none", word="not planned", tone="idle")
    )


def _due(app: App, brief: Brief, account: str, now: datetime) -> datetime | None:
    if brief.release is None or str(brief.status) == "withdrawn":
        return None
    own = schedule_for(app, rhythm.schedule(app, account))
    if own.when_published:
        return brief.release if brief.release > now else None
    slot = own.next(f"posts.{account}", max(now, brief.release))
    return slot.due if slot else None


def _mail_rows(
    app: App, newsletter: str, n: int, mine: Sequence[tuple[Carrier, Cell]], brief: Brief, now: datetime
) -> list[Row]:
    size, most = _size(n), _size(CLIPPED)
    if mine:
        return [
            Row(
                channel=newsletter,
                form=f"{one.frequency}, no. {one.number}",
                count=size,
                limit=most,
                due=one.at,
                state=state,
                way=f"/editions/{one.key}",
            )
            for one, state in mine
        ]
    daily = app.settings.newsletters[newsletter].daily
    waits = brief.release is not None and str(brief.status) != "withdrawn"
    slot = schedule_for(app, daily).next("next", max(now, brief.release or now)) if daily and waits else None
    state = Cell(shape="pending", word="next edition") if slot else Cell(shape="none", word="not planned", tone="idle")
    due = slot.due if slot else None
    return [Row(channel=newsletter, form="edition", count=size, limit=most, due=due, state=state)]


def _balance(sent: Sequence[board.Sent]) -> Cell:
    """An edition's books in a word."""
    n, waiting = sum(one.audience for one in sent), sum(one.open for one in sent)
    left = sum(one.states.get(State.SENT, 0) for one in sent)
    if waiting:
        return Cell(shape="sending", word="sending", note=f"{left:,} of {n:,}")
    if n and not left:
        ends = (State.UNCERTAIN, State.FAILED, State.CANCELLED, State.SUPPRESSED)
        word = next(str(state) for state in ends if any(one.states.get(state) for one in sent))
        return Cell(shape=word, word=word, note=f"{n:,}")
    return (
        Cell(shape="sent", word="sent", note=f"{left:,} of {n:,}") if n else Cell(shape="none", word="no reader", tone="idle")
    )


def _size(n: int) -> str:
    return "" if not n else f"{n:,} B" if n < _MANY else f"{n / _MANY:.0f} KB"
