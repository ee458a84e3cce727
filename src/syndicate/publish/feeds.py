"""Feeds: what is published by now becomes files below ``feeds/``. A projection of content: no duties, no deliveries."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from syndicate.channels.files import Files
from syndicate.errors import DeliveryError, Fault, Held, RenderError
from syndicate.model import Brief, Document, Item, Quote, Status
from syndicate.publish import approval, archives, catalogue, sitemap
from syndicate.publish.catalogue import Planned
from syndicate.publish.kept import Made, Memory
from syndicate.render import feed as feeds
from syndicate.render import framing
from syndicate.render.markup import clean
from syndicate.render.opml import opml
from syndicate.store.shelves import Mark, newest_change

if TYPE_CHECKING:
    from syndicate.app import App

OPML = "feeds.opml"
_SEEN = "  seen"  # in a memory: the newest change and the time up to which it knows (no feed has such a name)


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
    framed: list[tuple[framing.FramedBlock, Quote]] = field(default_factory=list)  # of the document at hand


@dataclass(frozen=True, kw_only=True, slots=True)
class _Run:
    """One rebuild."""

    app: App
    now: datetime
    files: Files
    memory: dict[str, str] | None
    kept: Memory  # the same, or one for this run alone
    pack: bool = True  # with compressed variants
    found: _Findings = field(default_factory=_Findings)
    changed: list[str] = field(default_factory=list)

    def render(self, feed: feeds.Feed) -> bool:
        """As ``write``, of the documents of ``feed``."""
        return self.write(feeds.render(feed, self.kept.fragments))

    def write(self, document: Document) -> bool:
        """Whether the files are there now; false where the gate or the disk refused."""
        written = _write(self, document)
        self.changed.extend(written or ())
        return written is not None


def publish(app: App, now: datetime, memory: dict[str, str] | None = None) -> FeedsReport:
    """Write every feed as it stands at ``now``: first what readers subscribe to, then the archives.

    No document leads to an archive that is not there yet. While a new one is written, the subscription document
    stays as it was; one that is new itself goes out without the link, and gets it at once when the archive stands.
    A faulty entry or a file that cannot be written is reported, and the rest goes on. With ``memory``, a feed
    whose items are those that it knows is not made again, nor is an archive in which nothing changed.
    """
    kept = memory if isinstance(memory, Memory) else Memory()
    run = _Run(app=app, now=now, files=Files(app.feeds_folder, now=app.now), memory=memory, kept=kept)
    listed = catalogue.planned(app, now)
    due = [_history(run, one) for one in _concerned(run, listed)]
    waiting = [history for history in due if not archives.standing(app, history, run.files)]
    for history in due:
        if history not in waiting or not run.files.holds(_paths(history.planned)):
            _subscription(run, history)
    for history in due:
        archives.write(app, history, run.render, lambda one, page: _archived(run, one, page))
        if history in waiting:
            _subscription(run, history)
    run.found.framed.clear()
    run.write(_opml(app, listed))
    sitemap.publish(app, now, run.write, memory)
    expected = [OPML, *(path for one in listed for path in _paths(one)), *archives.paths(app, listed), *sitemap.paths(app)]
    return FeedsReport(
        changed=tuple(run.changed),
        unchanged=len(expected) - len(run.changed),
        faults=tuple(run.found.faults),
        cleaned=tuple(dict.fromkeys(run.found.cleaned)),
        orphans=tuple(run.files.orphans([catalogue.STYLE, *expected])) if memory is None else (),
    )


def first(app: App, now: datetime, memory: Memory, changed: Sequence[str] | None = None) -> FeedsReport:
    """Write the feeds of briefs to which readers subscribe, if they changed, and nothing else: ``publish`` is to follow.

    It brings the archives, the other feeds and the compressed variants, which take many times as long. A feed that
    ``publish`` has not made yet is left to it. ``changed`` are the ids of all items that are not as they were, where
    none came or went; ``None`` where that is not known.
    """
    files = Files(app.feeds_folder, now=app.now)
    run = _Run(app=app, now=now, files=files, memory=memory, kept=memory, pack=False)
    for one in catalogue.configured(app):
        pages = memory.pages.get(one.name)
        if one.setting.items == "briefs" and pages is not None and (window := _window(run, one, changed)) is not None:
            entries = _entries(run, one, archives.Batch(briefs=window), one.name)
            run.render(replace(catalogue.feed(app, one), entries=entries, pages=pages))
            memory.windows[one.name] = _light(window)
    return FeedsReport(changed=tuple(run.changed), faults=tuple(run.found.faults))


def _window(run: _Run, one: Planned, changed: Sequence[str] | None) -> Sequence[Brief] | None:
    """The briefs of a feed as it was written last, with the ``changed`` ones as they are now; ``None`` if none is in it."""
    setting, known = one.setting, {brief.id: brief for brief in run.kept.windows.get(one.name, ())}
    if changed is not None:
        found = run.app.content.briefs_by_ids(
            changed, now=run.now, topic=setting.topic, author=setting.author, series=setting.series
        )
        new = {brief.id: brief for brief in found}
        if not new and known.keys().isdisjoint(changed):
            return None
        if all(name in known and name in new and new[name].published == known[name].published for name in changed):
            return [new.get(name, brief) for name, brief in known.items()]
    return archives.newest(run.app, one, run.now, with_body=False).briefs


def _light(briefs: Sequence[Brief]) -> tuple[Brief, ...]:
    return tuple(replace(brief, body="") if brief.body else brief for brief in briefs)


def _concerned(run: _Run, listed: Sequence[Planned]) -> list[Planned]:
    """The feeds that may have changed: the few of the settings, and of those made from them the ones that a change touches."""
    memory = run.memory
    if memory is None:
        return list(listed)
    change, _, at = memory.get(_SEEN, "").partition(" ")
    since = Mark(change=int(change), at=datetime.fromisoformat(at)) if at else Mark()
    with run.app.store.read() as connection:
        newest = newest_change(connection)
    touched = catalogue.affected(run.app, since, run.now)
    memory[_SEEN] = f"{newest} {run.now.isoformat()}"
    if touched is None:
        return list(listed)
    quiet = {one.name for one in listed if one.part and one.name not in touched and one.name in memory}
    return [one for one in listed if one.name not in quiet or not run.files.holds(_paths(one))]


def _history(run: _Run, one: Planned) -> archives.History:
    """How the feed's archives stand."""
    known = run.memory is not None and one.name in run.memory
    # What a person has agreed to may change without a change of the item: a new start looks at every quote again.
    anew = run.memory is None or (one.setting.items == "quotes" and not known)
    return archives.settle(run.app, one, run.now, None if known else run.files, anew=anew)


def _subscription(run: _Run, history: archives.History) -> None:
    """Write the document that readers subscribe to."""
    app, now, memory, found, one = run.app, run.now, run.memory, run.found, history.planned
    linked = archives.standing(app, history, run.files)
    batch = archives.newest(app, one, now, with_body=False)
    run.kept.pages.pop(one.name, None)
    if linked:
        run.kept.pages[one.name] = history.shelf.pages
    if not one.part:
        run.kept.windows[one.name] = _light(batch.briefs)
    if memory is not None and one.setting.items == "quotes" and linked:
        memory[one.name] = ""
    remembered = one.setting.items == "briefs" and memory is not None and linked
    digest = _digest(app, one, history, batch.briefs) if remembered else ""
    if digest and memory is not None and memory.get(one.name) == digest and run.files.holds(_paths(one)):
        return
    before = len(found.faults)
    entries = _entries(run, one, batch, one.name)
    written = run.render(replace(catalogue.feed(app, one), entries=entries, pages=history.shelf.pages, linked=linked))
    if memory is not None and written and digest and len(found.faults) == before:
        memory[one.name] = digest


def _archived(run: _Run, one: Planned, page: int) -> tuple[feeds.Entry, ...]:
    """The entries of one archive."""
    return _entries(run, one, archives.page(run.app, one, page, run.now), f"archive/{one.name}-{page:04}")


def _entries(run: _Run, one: Planned, batch: archives.Batch, name: str) -> tuple[feeds.Entry, ...]:
    """What a document is made of, newest first; ``name`` is the document's for the report."""
    run.found.framed.clear()
    if one.setting.items == "briefs":
        return _distinct(_briefs(run, batch.briefs), name, run.found)
    return _distinct(_quotes(run.app, batch.quotes, run.now, run.found), name, run.found)


def described(app: App) -> Iterator[feeds.Feed]:
    """The feeds that the settings name, without their entries."""
    return (catalogue.feed(app, one) for one in catalogue.configured(app))


def _paths(one: Planned) -> list[str]:
    return [f"{one.name}.{form}" for form in one.setting.formats]


def _digest(app: App, one: Planned, history: archives.History, briefs: Iterable[Brief]) -> str:
    """What the subscription document of a feed of briefs is made from, in short."""
    parts = [repr(catalogue.feed(app, one)), repr(one.setting), str(history.shelf.pages)]
    parts += [repr(replace(brief, body="")) for brief in briefs]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _briefs(run: _Run, briefs: Sequence[Brief]) -> Iterator[feeds.Entry]:
    """Entries of briefs with or without their bodies; a body is read only where the entry is not known."""
    light = _light(briefs)
    known = [run.kept.made.get(brief.id) for brief in light]
    unknown = [made is None or not made.shows(brief) for made, brief in zip(known, light, strict=True)]
    bodies = {brief.id: brief.body for brief in briefs if brief.body}
    bodies |= run.app.content.bodies(
        brief.id for brief, new in zip(light, unknown, strict=True) if new and brief.id not in bodies
    )
    for brief, made, new in zip(light, known, unknown, strict=True):
        found = _made(run, brief, bodies.get(brief.id, "")) if new else made
        if found is not None and _timely(found.entry, brief.path, run.now, run.found):
            if found.cleaned:
                run.found.cleaned.append(brief.id)
            yield found.entry if brief.updated <= run.now else replace(found.entry, updated=found.entry.published)


def _made(run: _Run, brief: Brief, body: str) -> Made | None:
    """The entry of one brief, kept for the next rebuild; ``None`` where it cannot stand in a feed."""
    whole = replace(brief, body=body)
    entry = _guarded(lambda: feeds.brief_entry(whole, public_url=run.app.settings.web.public_url), brief.path, run.found)
    if entry is None:
        return None
    cleaned = any(clean(text) != text for text in (brief.title, brief.summary, body))
    run.kept.made[brief.id] = made = Made(brief=brief, entry=entry, cleaned=cleaned)
    return made


def _quotes(app: App, shown: Iterable[tuple[Quote, datetime]], now: datetime, found: _Findings) -> Iterator[feeds.Entry]:
    """Quotes as the gate frames them; one that the gate holds is left out.

    One that came round again keeps the time of its first showing: ``published`` never moves.
    """
    for quote, shown_at in shown:
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
        blocks = [framing.block(approval.admit(app, quote, now), "feed", app.templates)]
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


def _write(run: _Run, document: Document) -> list[str] | None:
    """The paths that changed; ``None`` where the gate or the disk refused."""
    found = run.found
    blocks, quotes = [block for block, _ in found.framed], [quote for _, quote in found.framed]
    try:
        for path, data in document.files.items() if quotes else ():
            source: Literal["json", "xml"] = "json" if path.endswith(".json") else "xml"
            framing.guard(data.decode(), source, blocks, quotes, style=run.app.style, preview=False)
        return run.files.write(document, pack=run.pack)
    except Held as held:
        found.faults.append(Fault(file=f"feeds/{document.name}", rule=held.rule, what=str(held)))
    except DeliveryError as error:
        found.faults.append(Fault(file=f"feeds/{document.name}", rule="disk", what=str(error), right=error.advice))
    return None


def _opml(app: App, listed: Iterable[Planned]) -> Document:
    site = app.settings.site
    modified = catalogue.held_since(site.tag_authority)
    data = opml(
        [catalogue.feed(app, one) for one in listed if not one.bare],
        title=site.title,
        owner=site.organisation,
        modified=modified,
    )
    return Document(name="feeds", files={OPML: data}, updated=modified)
