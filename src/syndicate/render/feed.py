"""RSS 2.0 and Atom 1.0 by feedgen, with what it gets wrong put right; and the document of a feed. feedgen's door. Pure.

The generator is named without a version: a new version of ours would otherwise change the bytes of every feed,
and wake every reader and hub for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from email.utils import format_datetime
from html import escape
from types import MappingProxyType
from typing import Any, Final

import feedgen.entry
import feedgen.feed
from feedgen.feed import FeedGenerator
from lxml import etree

from syndicate.model import Document
from syndicate.render.entry import (
    EARLIEST,
    Category,
    Entry,
    Feed,
    Fragments,
    brief_entry,
    in_order,
    plain,
    quote_entry,
    quote_notice,
    remembered,
    shortened,
)
from syndicate.render.jsonfeed import json_feed
from syndicate.render.markup import to_uri

__all__ = [
    "Category",
    "Entry",
    "Feed",
    "Fragments",
    "atom",
    "brief_entry",
    "fitting",
    "in_order",
    "quote_entry",
    "quote_notice",
    "render",
    "rss",
    "single",
]

GENERATOR: Final = "syndicate"
MAX_BYTES: Final = 4_500_000  # of one document; w3c/feedvalidator and several readers refuse 5,000,000

_ATOM: Final = "http://www.w3.org/2005/Atom"
_HISTORY: Final = "http://purl.org/syndication/history/1.0"
_DC: Final = "http://purl.org/dc/elements/1.1/"
_MEDIA: Final = "http://search.yahoo.com/mrss/"
_TOMBSTONES: Final = "http://purl.org/atompub/tombstones/1.0"
_XML: Final = "http://www.w3.org/XML/1998/namespace"
_TYPES: Final = MappingProxyType({"rss": "application/rss+xml", "atom": "application/atom+xml"})
# Elements whose text is plain: `&` and `<` are written as hexadecimal references there (RSS Best Practices
# Profile, "Character data"), so that a reader which decodes twice, or takes them for HTML, shows them as meant.
_PLAIN: Final = re.compile(rb"<(title|subtitle|summary|name|category|description|dc:creator)\b[^<]*(?:</\1>)?")
# How an entry ends, and what stands behind the last one.
_ENDS: Final = {"rss": (b"    </item>\n", b"  </channel>\n"), "atom": (b"  </entry>\n", b"</feed>")}
_MOST_PER_CHARACTER: Final = 5  # bytes that one takes, escaped, in UTF-8
_HEX: Final = ((b"&amp;", b"&#x26;"), (b"&lt;", b"&#x3C;"), (b"&gt;", b"&#x3E;"))


def _rfc822(instant: datetime) -> str:
    return format_datetime(instant, usegmt=True)


# feedgen's own formatter flips the locale of the whole process for a moment; ours needs none.
feedgen.feed.formatRFC2822 = _rfc822
feedgen.entry.formatRFC2822 = _rfc822


def render(feed: Feed, known: Fragments | None = None) -> Document:
    """Every format of ``feed``. Same feed, same bytes, whatever is ``known`` of its entries."""
    feed = replace(feed, entries=fitting(feed.entries))
    writers: dict[str, Callable[[Feed, Fragments | None], bytes]] = {"rss": rss, "atom": atom, "json": json_feed}
    return Document(
        name=feed.name,
        files=MappingProxyType({feed.path(form): writers[form](feed, known) for form in feed.urls}),
        updated=feed.updated,
    )


def single(entry: Entry, feed: Feed, form: str) -> bytes:
    """A feed of this one entry, for a preview."""
    return render(replace(feed, entries=(entry,))).files[feed.path(form)]


def fitting(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """``entries``, newest first, so that they make a document of at most ``MAX_BYTES``.

    What does not fit stands with its summary and a link alone; where not even that fits, the oldest are left out.
    """
    whole = tuple(entries)
    if sum(_MOST_PER_CHARACTER * len(entry.content) + _size_beside(entry) for entry in whole) <= MAX_BYTES:
        return whole
    brief = [(entry, shortened(entry)) for entry in whole]
    room = MAX_BYTES - sum(_size(short) for _, short in brief)
    while brief and room < 0:
        room += _size(brief.pop()[1])
    kept: list[Entry] = []
    for entry, short in brief:
        more = _size(entry) - _size(short)
        kept.append(entry if more <= room else short)
        room -= more if more <= room else 0
    return tuple(kept)


def _size(entry: Entry) -> int:
    """Bytes that an entry takes in its largest format, at most."""
    return len(escape(entry.content, quote=False).encode()) + _size_beside(entry)


def _size_beside(entry: Entry) -> int:
    return 8 * len(entry.summary) + 8 * len(entry.title) + 4000


def rss(feed: Feed, known: Fragments | None = None) -> bytes:
    """RSS 2.0 by the Best Practices Profile. A withdrawn entry stays, as its notice."""
    return _composed("rss", feed, feed.entries, known, _rss)


def _rss(feed: Feed, entries: Sequence[Entry]) -> bytes:
    out = _generator(feed, "rss")
    out.docs("https://www.rssboard.org/rss-specification")
    out.pubDate(max((entry.published for entry in feed.entries if entry.published >= EARLIEST), default=feed.updated))
    out.lastBuildDate(feed.updated)
    for entry in entries:
        item = _add(out, entry)
        if entry.guid:
            item.guid(entry.guid, permalink=False)
        item.link(href=entry.link)
        item.description(escape(entry.summary or entry.title, quote=False))
        if entry.published >= EARLIEST:
            item.pubDate(entry.published)
    root, _ = out._create_rss()  # noqa: SLF001 - the one way to feedgen's tree before it is text
    return _serialised(root, feed, ("content", "dc", "media"))


def atom(feed: Feed, known: Fragments | None = None) -> bytes:
    """Atom 1.0 (RFC 4287). A withdrawn entry is a tombstone (RFC 6721)."""
    return _composed("atom", feed, [entry for entry in feed.entries if not entry.withdrawn], known, _atom)


def _atom(feed: Feed, entries: Sequence[Entry]) -> bytes:
    out = _generator(feed, "atom")
    for entry in entries:
        item = _add(out, entry)
        item.updated(entry.updated)
        if entry.summary:
            item.summary(entry.summary)
        if entry.published >= EARLIEST:
            item.published(entry.published)
        for author in entry.authors:
            item.author({"name": author.name, "uri": author.url} if author.url else {"name": author.name})
    root, _ = out._create_atom()  # noqa: SLF001
    # feedgen writes the namespace as if it were an attribute: parse again, so that every element is in it.
    parser = etree.XMLParser(remove_blank_text=True, resolve_entities=False, no_network=True, huge_tree=True)
    root = etree.fromstring(etree.tostring(root), parser)
    for moment in root.iter(f"{{{_ATOM}}}updated", f"{{{_ATOM}}}published"):
        moment.text = (moment.text or "").replace("+00:00", "Z")
    return _serialised(root, feed, ("media",))


def _composed(
    form: str,
    feed: Feed,
    entries: Sequence[Entry],
    known: Fragments | None,
    write: Callable[[Feed, Sequence[Entry]], bytes],
) -> bytes:
    """The document, of entries that are known as text and of those that are written now."""
    texts = [remembered(known, form, entry) for entry in entries]
    missing = [entry for entry, text in zip(entries, texts, strict=True) if text is None]
    data = write(feed, missing)
    end, last = _ENDS[form]  # no text holds these: `<` stands escaped in all of it
    stop = data.rindex(end) + len(end) if missing else data.rindex(last)
    start = data.index(end.replace(b"</", b"<").rstrip(b">\n")) if missing else stop
    written = [text + end for text in data[start:stop].split(end)[:-1]]
    if known is not None:
        known.update({(form, entry.id): (entry, text) for entry, text in zip(missing, written, strict=True)})
    new = iter(written)
    return b"".join((data[:start], *(next(new) if text is None else text for text in texts), data[stop:]))


def _generator(feed: Feed, form: str) -> Any:  # noqa: ANN401 - feedgen ships no types
    out = FeedGenerator()
    out.generator(GENERATOR)
    out.id(feed.id)
    out.title(plain(feed.title))
    out.subtitle(plain(feed.subtitle) or plain(feed.title))
    out.language(feed.language)
    organisation = {"name": plain(feed.organisation)}
    out.author({**organisation, "uri": to_uri(feed.organisation_url)} if feed.organisation_url else organisation)
    out.updated(feed.updated)
    out.link(href=feed.url(form), rel="self", type=_TYPES[form])
    out.link(href=feed.home_url, rel="alternate", type="text/html")  # last: feedgen takes the last as the channel's
    out.register_extension("ours", lambda: _FeedPart(feed, form), _EntryPart)
    return out


def _add(out: Any, entry: Entry) -> Any:  # noqa: ANN401
    item = out.add_entry(order="append")
    item.ours.entry = entry
    item.id(entry.id)
    item.title(entry.title)
    item.content(str(entry.content), type="html")
    for category in entry.categories:
        item.category({"term": category.term} | ({"scheme": category.scheme} if category.scheme else {}))
    return item


class _FeedPart:
    """What feedgen leaves out of a feed: its history (RFC 5005), a hub in RSS, and tombstones."""

    def __init__(self, feed: Feed, form: str) -> None:
        self.feed = feed
        self.form = form
        self.withdrawn = [entry for entry in feed.entries if entry.withdrawn]

    def extend_ns(self) -> dict[str, str]:
        return {"dc": _DC, "media": _MEDIA, "fh": _HISTORY} | ({"at": _TOMBSTONES} if self.withdrawn else {})

    def extend_rss(self, root: etree._Element) -> None:
        self._history(root[0], f"{{{_ATOM}}}link")

    def extend_atom(self, root: etree._Element) -> None:
        self._history(root, "link")
        for entry in self.withdrawn:
            when = entry.updated.isoformat().replace("+00:00", "Z")
            etree.SubElement(root, f"{{{_TOMBSTONES}}}deleted-entry", {"ref": entry.id, "when": when})

    def _history(self, parent: etree._Element, link: str) -> None:
        """A feed in one document says so; else each document leads to its neighbours, and an archive to what is current."""
        feed, kind = self.feed, _TYPES[self.form]
        if feed.hub and not feed.page:
            etree.SubElement(parent, link, {"rel": "hub", "href": feed.hub})
        if not feed.pages:
            etree.SubElement(parent, f"{{{_HISTORY}}}complete")
            return
        pages = {"prev-archive": feed.older}
        if feed.page:
            etree.SubElement(parent, f"{{{_HISTORY}}}archive")
            etree.SubElement(parent, link, {"rel": "current", "type": kind, "href": feed.urls[self.form]})
            pages["next-archive"] = (feed.page + 1) % (feed.pages + 1)
        for rel, page in pages.items():
            if page:
                etree.SubElement(parent, link, {"rel": rel, "type": kind, "href": feed.url(self.form, page)})


class _EntryPart:
    """What feedgen drops from an entry's links, and what it does not know."""

    entry: Entry

    def extend_ns(self) -> dict[str, str]:
        return {}

    def extend_rss(self, item: etree._Element) -> None:
        for author in self.entry.authors:
            etree.SubElement(item, f"{{{_DC}}}creator").text = author.name
        if self.entry.updated != self.entry.published:
            etree.SubElement(item, f"{{{_ATOM}}}updated").text = self.entry.updated.isoformat().replace("+00:00", "Z")
        self._thumbnail(item)

    def extend_atom(self, item: etree._Element) -> None:
        # feedgen keeps no more than `href` of an entry's link (lkiesow/python-feedgen#135).
        etree.SubElement(item, "link", {"rel": "alternate", "type": "text/html", "href": self.entry.link})
        if self.entry.lang:
            item.set(f"{{{_XML}}}lang", self.entry.lang)
        self._thumbnail(item)

    def _thumbnail(self, item: etree._Element) -> None:
        image = self.entry.image
        if image is not None:
            size = {"width": str(image.width), "height": str(image.height)} if image.width and image.height else {}
            etree.SubElement(item, f"{{{_MEDIA}}}thumbnail", {"url": image.src, **size})


def _serialised(root: etree._Element, feed: Feed, prefixes: Sequence[str]) -> bytes:
    """The tree as text; ``prefixes`` are those of entries, whether one of these entries needs them or not."""
    etree.cleanup_namespaces(root, keep_ns_prefixes=list(prefixes))
    root.addprevious(etree.ProcessingInstruction("xml-stylesheet", f'type="text/css" href="{escape(feed.stylesheet)}"'))
    data = etree.tostring(root.getroottree(), pretty_print=True, encoding="UTF-8", xml_declaration=True)
    return _PLAIN.sub(_in_hex, data)


def _in_hex(match: re.Match[bytes]) -> bytes:
    text = match[0]
    for reference, number in _HEX:
        text = text.replace(reference, number)
    return text
