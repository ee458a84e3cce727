"""JSON Feed 1.1 (https://jsonfeed.org/version/1.1). Pure."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from syndicate.model import Author
from syndicate.render.entry import Entry, Feed, Fragments, plain, remembered


def json_feed(feed: Feed, known: Fragments | None = None) -> bytes:
    """``feed`` as UTF-8 JSON with a fixed order of keys. A withdrawn entry stays, as its notice.

    ``feed_url`` names the feed and not the document, so it is the same in an archive; ``next_url`` leads to older ones.
    """
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": plain(feed.title),
        "home_page_url": feed.home_url,
        "feed_url": feed.urls["json"],
        "next_url": feed.url("json", feed.older) if feed.older else "",
        "description": plain(feed.subtitle),
        "authors": [_person(Author(name=plain(feed.organisation), url=feed.organisation_url))],
        "language": feed.language,
        "hubs": [{"type": "WebSub", "url": feed.hub}] if feed.hub and not feed.page else [],
    }
    filled = {key: value for key, value in document.items() if value}
    head = json.dumps(filled, ensure_ascii=False, indent=1).removesuffix("\n}").encode()
    if not feed.entries:
        return head + b',\n "items": []\n}\n'
    first, *others = (_text(entry, known) for entry in feed.entries)
    between = (part for text in others for part in (b",\n", text))
    return b"".join((head, b',\n "items": [\n', first, *between, b"\n ]\n}\n"))  # one copy of many, not four


def _text(entry: Entry, known: Fragments | None) -> bytes:
    text = remembered(known, "json", entry)
    if text is None:
        lines = json.dumps(_item(entry), ensure_ascii=False, indent=1)
        text = f"  {lines}".replace("\n", "\n  ").encode()  # no line ends inside a string of JSON
        if known is not None:
            known["json", entry.id] = entry, text
    return text


def _item(entry: Entry) -> dict[str, Any]:
    item = {
        "id": entry.id,
        "url": entry.link,
        "title": entry.title,
        "summary": entry.summary,
        "image": entry.image.src if entry.image else "",
        "date_published": _moment(entry.published),
        "date_modified": _moment(entry.updated),
        "authors": [_person(author) for author in entry.authors],
        "tags": [category.term for category in entry.categories],
        "language": entry.lang,
        "content_html": str(entry.content),
    }
    return {key: value for key, value in item.items() if value}


def _person(author: Author) -> dict[str, str]:
    return {"name": author.name, "url": author.url} if author.url else {"name": author.name}


def _moment(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
