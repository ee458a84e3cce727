"""Feeds: what is published by now becomes files below ``feeds/``. A projection of content: no duties, no deliveries."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from syndicate import links
from syndicate.channels.files import Files
from syndicate.errors import DeliveryError, Fault, Held, RenderError
from syndicate.model import Brief, Document, Item, Quote, Status
from syndicate.render import feed as feeds
from syndicate.render import framing
from syndicate.render.markup import clean
from syndicate.render.opml import opml

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.settings import FeedSettings

OPML = "feeds.opml"
STYLE = "feed.css"

Memory = MutableMapping[str, str]  # feed's name -> digest of what it was last made from, kept by a long-running caller


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedsReport:
    """What a rebuild of the feeds did."""

    changed: tuple[str, ...] = ()  # paths below feeds/, in the order of writing
    unchanged: int = 0  # files
    faults: tuple[Fault, ...] = ()  # entries left out, files that could not be written
    cleaned: tuple[str, ...] = ()  # ids of items from which characters that no feed can carry were taken
    orphans: tuple[str, ...] = ()  # files below feeds/ that nothing makes


@dataclass(kw_only=True, slots=True)
class _Findings:
    """What is noticed on the way."""

    faults: list[Fault] = field(default_factory=list)
    cleaned: list[str] = field(default_factory=list)
    framed: list[tuple[framing.FramedBlock, Quote]] = field(default_factory=list)  # of the feed at hand


def publish(app: App, now: datetime, memory: Memory | None = None) -> FeedsReport:
    """Write every feed of the settings as it stands at ``now``.

    A faulty entry or a file that cannot be written is reported, and the rest goes on. A feed whose items are
    those that ``memory`` knows is not made again.
    """
    files = Files(app.feeds_folder, now=app.now)
    found = _Findings()
    changed: list[str] = []
    expected = [OPML, STYLE, *(path for name in app.settings.feeds for path in _paths(app, name))]
    for name, setting in app.settings.feeds.items():
        digest = _digest(app, name, setting, now) if setting.items == "briefs" and memory is not None else ""
        if digest and memory is not None and memory.get(name) == digest and files.holds(_paths(app, name)):
            continue
        before = len(found.faults)
        found.framed.clear()
        entries = _briefs(app, setting, now, found) if setting.items == "briefs" else _quotes(app, setting, now, found)
        written = _write(app, files, feeds.render(_feed(app, name, setting, _distinct(entries, name, found))), found)
        changed += written or ()
        if memory is not None and written is not None and digest and len(found.faults) == before:
            memory[name] = digest
    found.framed.clear()
    changed += _write(app, files, _opml(app), found) or ()
    return FeedsReport(
        changed=tuple(changed),
        unchanged=len(expected) - 1 - len(changed),
        faults=tuple(found.faults),
        cleaned=tuple(dict.fromkeys(found.cleaned)),
        orphans=tuple(files.orphans(expected)),
    )


def described(app: App) -> Iterator[feeds.Feed]:
    """Every feed of the settings without its entries: for pages, OPML and autodiscovery, briefs first."""
    ordered = sorted(app.settings.feeds.items(), key=lambda pair: pair[1].items != "briefs")
    return (_feed(app, name, setting, ()) for name, setting in ordered)


def _feed(app: App, name: str, setting: FeedSettings, entries: Iterable[feeds.Entry]) -> feeds.Feed:
    site = app.settings.site
    whole = setting.items == "briefs" and not (setting.topic or setting.author or setting.series)
    part = app.settings.quotes.title if setting.items == "quotes" else setting.topic or setting.author or setting.series or name
    subtitle = app.settings.quotes.tagline if setting.items == "quotes" else site.description
    return feeds.Feed(
        name=name,
        kind=setting.items,
        title=setting.title or (site.title if whole else f"{site.title}: {part}"),
        subtitle=subtitle,
        id=links.tag_uri(site.tag_authority, "feed", name),
        language=site.language,
        home_url=app.public("quotes/" if setting.items == "quotes" else ""),
        urls={form: app.public(f"feeds/{name}.{form}") for form in setting.formats},
        organisation=site.organisation or site.title,
        organisation_url=site.url,
        hub=setting.hub,
        stylesheet=urlsplit(app.public(f"feeds/{STYLE}")).path,
        entries=tuple(entries),
        epoch=_held_since(site.tag_authority),
    )


def _held_since(authority: str) -> datetime:
    """The day on which the tag authority was held: a fixed ``updated`` for a feed without entries."""
    text = authority.rpartition(",")[2]
    return datetime.fromisoformat(f"{text}-01-01"[:10] + "T00:00:00+00:00")


def _paths(app: App, name: str) -> list[str]:
    return [f"{name}.{form}" for form in app.settings.feeds[name].formats]


def _chosen(app: App, setting: FeedSettings, now: datetime, *, with_body: bool) -> list[Brief]:
    return app.content.briefs(
        now=now, limit=setting.window, topic=setting.topic, author=setting.author, series=setting.series, with_body=with_body
    )


def _digest(app: App, name: str, setting: FeedSettings, now: datetime) -> str:
    """What a feed of briefs is made from, in short."""
    parts = [repr(_feed(app, name, setting, ())), repr(setting)]
    parts += [repr(brief) for brief in _chosen(app, setting, now, with_body=False)]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _briefs(app: App, setting: FeedSettings, now: datetime, found: _Findings) -> Iterator[feeds.Entry]:
    for brief in _chosen(app, setting, now, with_body=True):
        make = lambda brief=brief: feeds.brief_entry(brief, public_url=app.settings.web.public_url)  # noqa: E731
        entry = _guarded(make, brief.path, found)
        if entry is not None and _timely(entry, brief.path, now, found):
            if any(clean(text) != text for text in (brief.title, brief.summary, brief.body)):
                found.cleaned.append(brief.id)
            yield entry if entry.updated <= now else replace(entry, updated=entry.published)


def _quotes(app: App, setting: FeedSettings, now: datetime, found: _Findings) -> Iterator[feeds.Entry]:
    """The quotes that were shown, each once and as the gate frames it; a quote that the gate holds is left out.

    One that came round again keeps the time of its first showing: ``published`` never moves.
    """
    shown = {quote.id: (quote, shown_at) for quote, shown_at in app.content.shown_quotes(now)}
    for quote, shown_at in islice(sorted(shown.values(), key=lambda pair: pair[1], reverse=True), setting.window):
        make = lambda quote=quote, shown_at=shown_at: _quote(app, quote, shown_at, now, found)  # noqa: E731
        entry = _guarded(make, quote.path, found)
        if entry is not None and _timely(entry, quote.path, now, found):
            yield entry


def _quote(app: App, quote: Quote, shown_at: datetime, now: datetime, found: _Findings) -> feeds.Entry:
    """One quote in its frame, looked at once more as it will leave (Q1, Q5)."""
    category = feeds.Category(term=framing.CATEGORY, scheme=app.public("quotes/"))
    if quote.status is Status.WITHDRAWN:
        entry = feeds.quote_notice(
            id=quote.id,
            title=quote.title,
            link=quote.link,
            shown_at=shown_at,
            withdrawn_at=quote.updated or shown_at,
            category=category,
        )
        blocks = []
    else:
        blocks = [framing.block(framing.admit(quote, app.style, approved=False, now=now), "feed", app.templates)]
        entry = feeds.quote_entry(blocks[0], shown_at=shown_at, category=category)
    framing.guard(entry.content, "html", blocks, [quote], style=app.style, preview=False)
    for text in (entry.title, entry.summary, entry.link, entry.id):
        framing.guard_outside(text, [quote], style=app.style)
    found.framed += [(block, quote) for block in blocks]
    return entry


def entry(app: App, item: Item, now: datetime) -> feeds.Entry:
    """One item as a feed would show it from ``now`` on.

    Raises
    ------
    Held, RenderError
        As when the feed is written.
    """
    if isinstance(item, Brief):
        return feeds.brief_entry(item, public_url=app.settings.web.public_url)
    return _quote(app, item, now, now, _Findings())


def _guarded(make: Callable[[], feeds.Entry], path: str, found: _Findings) -> feeds.Entry | None:
    """One bad item is reported with its file; the feed goes on without it."""
    try:
        return make()
    except RenderError as error:
        found.faults += error.faults
    except Held as held:
        found.faults.append(Fault(file=path, rule=held.rule, what=str(held)))
    except ValueError as error:
        found.faults.append(Fault(file=path, rule="feed", what=f"it cannot stand in a feed: {error}"))
    return None


def _timely(entry: feeds.Entry, path: str, now: datetime, found: _Findings) -> bool:
    """Nothing leaves before its time, whatever the store handed over."""
    if entry.published > now:
        found.faults.append(Fault(file=path, rule="feed", what="it is dated in the future", right="it will follow at its time"))
    return entry.published <= now


def _distinct(entries: Iterable[feeds.Entry], name: str, found: _Findings) -> tuple[feeds.Entry, ...]:
    """Each id once, newest first; what does not fit into one document is left out and told."""
    by_id: dict[str, feeds.Entry] = {}
    for entry in entries:
        if by_id.setdefault(entry.id, entry) is not entry:
            what = f"the id {entry.id} stands there twice"
            found.faults.append(Fault(file=f"feeds/{name}", rule="feed", what=what, right="an id of its own for each item"))
    ordered = feeds.in_order(by_id.values())
    fitting = feeds.fitting(ordered)
    whole = sum(one is other for one, other in zip(ordered, fitting, strict=False))
    if whole < len(ordered):
        what = f"only {whole} of {len(ordered)} entries fit whole into one document; the others stand with their summary"
        found.faults.append(Fault(file=f"feeds/{name}", rule="feed", what=what, right="a smaller window"))
    return fitting


def _write(app: App, files: Files, document: Document, found: _Findings) -> list[str] | None:
    """The paths that changed; ``None`` where the gate or the disk refused."""
    blocks, quotes = [block for block, _ in found.framed], [quote for _, quote in found.framed]
    try:
        for path, data in document.files.items() if quotes else ():
            source: Literal["json", "xml"] = "json" if path.endswith(".json") else "xml"
            framing.guard(data.decode(), source, blocks, quotes, style=app.style, preview=False)
        return files.write(document)
    except Held as held:
        found.faults.append(Fault(file=f"feeds/{document.name}", rule=held.rule, what=str(held)))
    except DeliveryError as error:
        found.faults.append(Fault(file=f"feeds/{document.name}", rule="disk", what=str(error), right=error.advice))
    return None


def _opml(app: App) -> Document:
    site = app.settings.site
    modified = _held_since(site.tag_authority)
    data = opml(list(described(app)), title=site.title, owner=site.organisation, modified=modified)
    return Document(name="feeds", files={OPML: data}, updated=modified)
