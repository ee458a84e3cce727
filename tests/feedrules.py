"""Our own check of what feed validators check (w3c/feedvalidator's events by name, JSON Feed 1.1, OPML 2.0).

It shares no code with the product. Each function returns one line for each broken rule.
"""

from __future__ import annotations

import html.entities
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

ATOM = "{http://www.w3.org/2005/Atom}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}"
DC = "{http://purl.org/dc/elements/1.1/}"
MEDIA = "{http://search.yahoo.com/mrss/}"
TOMBSTONE = "{http://purl.org/atompub/tombstones/1.0}"
HISTORY = "{http://purl.org/syndication/history/1.0}"
PAGING = frozenset({"prev-archive", "next-archive", "current", "first", "last", "previous", "next"})
LANG = "{http://www.w3.org/XML/1998/namespace}lang"

FULL_URI = re.compile(r"[a-zA-Z][0-9a-zA-Z+\-.]*:(//)?[0-9a-zA-Z;/?:@&=+$.\-_!~*'()%,#\[\]]+")
TAG = re.compile(r"tag:([a-z0-9\-._]+@)?[a-z0-9.\-]+,\d{4}(-\d{2}(-\d{2})?)?:[0-9a-zA-Z;/?:@&=+$.\-_!~*'()%,]+")
RFC822 = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d? [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (GMT|\+0000)")
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
SAFE_TAGS = frozenset(
    {"a", "abbr", "b", "blockquote", "br", "code", "dd", "div", "dl", "dt", "em", "figcaption", "figure", "h1", "h2", "h3"}
    | {"h4", "h5", "h6", "hr", "i", "img", "li", "ol", "p", "pre", "q", "s", "small", "span", "strong", "sub", "sup", "table"}
    | {"tbody", "td", "th", "thead", "tr", "ul"}
)
VOID = frozenset({"br", "hr", "img"})
LINKS = frozenset({"href", "src", "poster", "cite", "srcset", "action", "background", "data", "longdesc"})
ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffd-\uffff]")


def faults(data: bytes, url: str, *, now: datetime | None = None) -> list[str]:
    """What is wrong with an RSS or Atom document that is served at ``url``."""
    if len(data) > 5_000_000:
        return ["ValidatorLimit"]
    found = []
    if not data.startswith((b"<?xml version='1.0' encoding='UTF-8'?>", b'<?xml version="1.0" encoding="UTF-8"?>')):
        found.append("MissingEncoding")
    root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, huge_tree=True))
    found += [f"BadCharacters {hit[0]!r}" for hit in ILLEGAL.finditer(data.decode())]
    check = _rss if root.tag == "rss" else _atom
    if not re.search(rb"<rss|<feed", data[:512]):
        found.append("root element beyond the first 512 bytes (contentSniffing)")
    found += check(root, url, now or datetime.now(UTC))
    found += _plain_text(data)
    return found


def _plain_text(data: bytes) -> Iterator[str]:
    """CharacterData, ContainsHTML, ContainsUndeclaredHTML: plain elements hold no markup, and hexadecimal references."""
    for name, text in re.findall(rb"<(title|subtitle|summary|name|category|dc:creator)\b[^>]*>([^<]*)</", data):
        if b"&amp;" in text or b"&lt;" in text:
            yield f"CharacterData in {name.decode()}"
        if re.search(rb"&#x3C;/\w+&#x3E;", text):
            yield f"ContainsHTML in {name.decode()}"


def _rss(root: Any, url: str, now: datetime) -> Iterator[str]:
    channel = root[0]
    names = [child.tag for child in channel]
    yield from (f"Missing {name} in channel" for name in ("title", "link", "description", "language") if name not in names)
    if "item" in names and any(name != "item" for name in names[names.index("item") :]):
        yield "MisplacedItem"
    yield from _self(channel.findall(f"{ATOM}link"), url, "application/rss+xml")
    yield from _history(channel, channel.findall("item"), url)
    yield from _uri(channel.findtext("link"), "channel link")
    yield from _date822(channel.findtext("lastBuildDate"), now)
    guids = [item.findtext("guid") for item in channel.findall("item")]
    yield from (f"DuplicateValue guid {guid}" for guid in set(guids) if guids.count(guid) > 1)
    for item in channel.findall("item"):
        yield from _item(item, now)


def _item(item: Any, now: datetime) -> Iterator[str]:
    names = [child.tag for child in item]
    yield from (f"DuplicateElement {name}" for name in set(names) - {"category", f"{DC}creator"} if names.count(name) > 1)
    yield from (
        f"NotBlank {name} in item"
        for name in ("title", "guid", "link", "description")
        if not (item.findtext(name) or "").strip()
    )
    yield from (
        f"NotBlank {child.tag}"
        for child in item
        if child.tag in {"category", f"{DC}creator"} and not (child.text or "").strip()
    )
    if names.index("description") > names.index(f"{CONTENT}encoded"):
        yield "NeedDescriptionBeforeContent"
    if "author" in names:
        yield "DuplicateItemSemantics author"
    if item.find("guid").get("isPermaLink") != "false":
        yield "InvalidPermalink"
    yield from _id(item.findtext("guid"))
    yield from _uri(item.findtext("link"), "item link")
    yield from _date822(item.findtext("pubDate"), now) if "pubDate" in names else ()
    yield from _date3339(item.findtext(f"{ATOM}updated"), now) if f"{ATOM}updated" in names else ()
    for body in (item.findtext("description"), item.findtext(f"{CONTENT}encoded")):
        yield from html_faults(body or "")
    yield from _thumbnail(item)


def _atom(root: Any, url: str, now: datetime) -> Iterator[str]:
    yield from (
        f"feed: {fault}"
        for fault in _once(root, ("id", "title", "updated"), ("generator", "icon", "logo", "rights", "subtitle"))
    )
    if not root.get(LANG):
        yield "MissingDCLanguage"
    yield from _self(root.findall(f"{ATOM}link"), url, "application/atom+xml")
    yield from _date3339(root.findtext(f"{ATOM}updated"), now)
    yield from _id(root.findtext(f"{ATOM}id"))
    entries = root.findall(f"{ATOM}entry")
    yield from _history(root, entries, url)
    for name, event in (("id", "DuplicateEntries"), ("updated", "DuplicateUpdated")):
        values = [entry.findtext(f"{ATOM}{name}") for entry in entries]
        yield from (f"{event} {value}" for value in set(values) if values.count(value) > 1)
    for entry in entries:
        if entry.find(f"{ATOM}author") is None and root.find(f"{ATOM}author") is None:
            yield "MissingElement author"
        yield from _entry(entry, now)
    for tombstone in root.findall(f"{TOMBSTONE}deleted-entry"):
        yield from _id(tombstone.get("ref"))
        yield from _date3339(tombstone.get("when"), now)


def _entry(entry: Any, now: datetime) -> Iterator[str]:
    yield from _once(entry, ("id", "title", "updated", "content"), ("published", "rights", "source", "summary"))
    yield from _id(entry.findtext(f"{ATOM}id"))
    yield from _date3339(entry.findtext(f"{ATOM}updated"), now)
    if entry.find(f"{ATOM}published") is not None:
        yield from _date3339(entry.findtext(f"{ATOM}published"), now)
    alternates = [link.get("type") for link in entry.findall(f"{ATOM}link") if link.get("rel") == "alternate"]
    if not alternates or len(alternates) != len(set(alternates)):
        yield "DuplicateAtomLink or none"
    for link in entry.findall(f"{ATOM}link"):
        yield from _uri(link.get("href"), "entry link")
    for author in entry.findall(f"{ATOM}author"):
        if not (author.findtext(f"{ATOM}name") or "").strip():
            yield "MissingElement name"
        if re.search(r"<[^<>\s]+@[^<>\s]+>", author.findtext(f"{ATOM}name") or ""):
            yield "ContainsEmail"
        if author.find(f"{ATOM}uri") is not None:
            yield from _uri(author.findtext(f"{ATOM}uri"), "author uri")
    if entry.find(f"{DC}creator") is not None:
        yield "dc:creator doubles authors"
    if entry.find(f"{ATOM}content").get("type") != "html":
        yield "ContainsUndeclaredHTML"
    yield from html_faults(entry.findtext(f"{ATOM}content") or "")
    yield from _thumbnail(entry)


def _once(element: Any, needed: tuple[str, ...], allowed: tuple[str, ...]) -> Iterator[str]:
    for name in (*needed, *allowed):
        found = element.findall(f"{ATOM}{name}")
        if len(found) > 1 or (name in needed and not found):
            yield f"{len(found)} times {name}"
        yield from (f"NotBlank {name}" for one in found if not (one.text or "").strip())


def _self(links: list[Any], url: str, kind: str) -> Iterator[str]:
    own = [link for link in links if link.get("rel") == "self"]
    if len(own) != 1:
        yield "MissingSelf"
    elif (own[0].get("href"), own[0].get("type")) != (url, kind):
        yield "SelfDoesntMatchLocation"


def _history(feed: Any, entries: list[Any], url: str) -> Iterator[str]:
    """RFC 5005: complete, archive or subscription document, and what each may link."""
    complete, archive = (feed.find(f"{HISTORY}{name}") is not None for name in ("complete", "archive"))
    links = {link.get("rel"): link.get("href") for link in feed.findall(f"{ATOM}link") if link.get("rel") in PAGING}
    if complete and (archive or set(links) - {"current"} or links.get("current", url) != url):
        yield "FeedRelInCompleteFeed or CurrentNotSelfInCompleteFeed"
    if archive and not links.keys() & {"prev-archive", "next-archive"}:
        yield "ArchiveIncomplete"
    if archive and "current" not in links:
        yield "MissingCurrentInArchive"
    if not complete and not archive and "prev-archive" not in links:
        yield "neither complete nor with a way to what is older"
    for rel, href in links.items():
        yield from _uri(href, rel)
        if (href == url) != (rel == "current" and not archive):
            yield f"{rel} leads back to its own document"
    if any(link.get("rel") in PAGING for entry in entries for link in entry.findall(f"{ATOM}link")):
        yield "FeedHistoryRelInEntry"


def _thumbnail(element: Any) -> Iterator[str]:
    for picture in element.findall(f"{MEDIA}thumbnail"):
        yield from _uri(picture.get("url"), "thumbnail")
        yield from (f"InvalidPositiveInteger {name}" for name in ("width", "height") if not int(picture.get(name, "1")) > 0)


def _id(text: str | None) -> Iterator[str]:
    if not text or not (TAG if text.startswith("tag:") else FULL_URI).fullmatch(text):
        yield f"InvalidTAG {text!r}"


def _uri(text: str | None, where: str) -> Iterator[str]:
    try:
        parts = urlsplit(text or "")
        good = bool(FULL_URI.fullmatch(text or "")) and parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        good = False
    if not good:
        yield f"UriNotIri or InvalidFullLink in {where}: {text!r}"


def _date822(text: str | None, now: datetime) -> Iterator[str]:
    if not text or not RFC822.fullmatch(text):
        yield f"InvalidRFC2822Date {text!r}"
    else:
        yield from _plausible(parsedate_to_datetime(text), now)


def _date3339(text: str | None, now: datetime) -> Iterator[str]:
    if not text or not RFC3339.fullmatch(text):
        yield f"InvalidRFC3339Date {text!r}"
    else:
        yield from _plausible(datetime.fromisoformat(text), now)


def _plausible(moment: datetime, now: datetime) -> Iterator[str]:
    if moment.year < 1990 or (moment - now).total_seconds() > 600:
        yield f"ImplausibleDate {moment}"


class _Html(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.faults: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in SAFE_TAGS:
            self.faults.append(f"SecurityRisk <{tag}>")
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.faults.append(f"NotHtml: <{tag}> repeats an attribute")
        for name, value in attrs:
            if name in {"style", "class", "id"} or name.startswith("on"):
                self.faults.append(f"SecurityRiskAttr {name}")
            for target in (value or "").split(",") if name == "srcset" else [value or ""]:
                if name in LINKS and not re.match(r"(https?://[^/]|mailto:.)", target.strip()):
                    self.faults.append(f"ContainsRelRef {name}={target!r}")
                if name in LINKS and not FULL_URI.fullmatch(target.strip().split(" ")[0]):
                    self.faults.append(f"InvalidUriChar {target!r}")
        if tag == "img" and not {"src", "alt"} <= set(names):
            self.faults.append("img without src or alt")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"NotHtml: </{tag}> closes nothing")

    def handle_comment(self, data: str) -> None:
        self.faults.append("SecurityRisk comment")

    def handle_entityref(self, name: str) -> None:
        if f"{name};" not in html.entities.html5:
            self.faults.append(f"NotHtml: &{name}")

    def handle_data(self, data: str) -> None:
        if "&" in data or "<" in data:
            self.faults.append(f"NotHtml: bare sign in {data[:40]!r}")


def html_faults(body: str) -> list[str]:
    """What readers and validators would refuse in an entry's HTML."""
    parser = _Html()
    parser.feed(body)
    parser.close()
    return parser.faults + [f"NotHtml: </{tag}> is missing" for tag in parser.open]


def json_faults(data: bytes, url: str, *, now: datetime | None = None) -> list[str]:
    """What breaks JSON Feed 1.1."""
    feed = json.loads(data)
    found = [f"missing {key}" for key in ("version", "title", "items", "home_page_url", "feed_url") if key not in feed]
    current = re.sub(r"/archive/(.*)-\d{4}\.json$", r"/\1.json", url)  # an archive belongs to the feed of its name
    if feed.get("version") != "https://jsonfeed.org/version/1.1" or feed.get("feed_url") != current:
        found.append("version or feed_url")
    if feed.get("next_url", "") in {url, current}:
        found.append("next_url leads in a circle")
    ids = [item.get("id") for item in feed["items"]]
    found += [f"id {one!r}" for one in ids if not isinstance(one, str) or ids.count(one) > 1]
    known = {
        "id",
        "url",
        "title",
        "summary",
        "image",
        "date_published",
        "date_modified",
        "authors",
        "tags",
        "language",
        "content_html",
    }
    for item in feed["items"]:
        found += [f"unknown key {key}" for key in set(item) - known if not key.startswith("_")]
        found += [f"empty {key}" for key, value in item.items() if not value]
        found += _uri(item.get("url"), "url")
        found += html_faults(item["content_html"])
        found += [f"date {item[key]}" for key in ("date_published", "date_modified") if not RFC3339.fullmatch(item[key])]
        if datetime.fromisoformat(item["date_published"]) > (now or datetime.now(UTC)):
            found.append("dated in the future")
        found += [f"author {one}" for one in item.get("authors", []) if not set(one) & {"name", "url", "avatar"}]
    return found


def opml_faults(data: bytes) -> list[str]:
    """What breaks OPML 2.0."""
    root = etree.fromstring(data)
    found = [] if root.get("version") == "2.0" else ["InvalidOPMLVersion"]
    found += [f"missing {path}" for path in ("head/title", "head/dateModified", "body/outline") if root.find(path) is None]
    for outline in root.iter("outline"):
        found += [f"missing {name}" for name in ("type", "text", "title", "xmlUrl", "htmlUrl") if not outline.get(name)]
        found += [
            *_uri(outline.get("xmlUrl"), "xmlUrl"),
            *_uri(outline.get("htmlUrl"), "htmlUrl"),
            *html_faults(outline.get("text", "")),
        ]
    return found


def sitemap_faults(data: bytes) -> list[str]:
    """What breaks a sitemap, an index of them, or a news sitemap."""
    base, news = "{http://www.sitemaps.org/schemas/sitemap/0.9}", "{http://www.google.com/schemas/sitemap-news/0.9}"
    root = etree.fromstring(data)
    found = [] if root.tag in {f"{base}urlset", f"{base}sitemapindex"} else [f"root {root.tag}"]
    found += ["too large"] if len(data) > 50_000_000 or len(root) > 50_000 else []
    listed = [one.findtext(f"{base}loc") for one in root]
    found += [f"twice {url}" for url in set(listed) if listed.count(url) > 1]
    for url in listed:
        found += _uri(url, "loc")
    for moment in (*root.iter(f"{base}lastmod"), *root.iter(f"{news}publication_date")):
        found += [] if RFC3339.fullmatch(moment.text or "") else [f"date {moment.text!r}"]
    for about in root.iter(f"{news}news"):
        needed = (
            f"{news}publication/{news}name",
            f"{news}publication/{news}language",
            f"{news}publication_date",
            f"{news}title",
        )
        found += [f"missing {name}" for name in needed if not about.findtext(name)]
    found += ["more than 1,000 news"] if len(list(root.iter(f"{news}news"))) > 1000 else []
    return found
