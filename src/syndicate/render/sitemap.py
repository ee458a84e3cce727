"""Sitemaps for crawlers (https://www.sitemaps.org/protocol.html) and for news (Google's sitemap-news 0.9). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lxml import etree

from syndicate.render.entry import plain, whole
from syndicate.render.uris import to_uri

_MAP: Final = "http://www.sitemaps.org/schemas/sitemap/0.9"
_NEWS: Final = "http://www.google.com/schemas/sitemap-news/0.9"


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """One address of the site."""

    url: str
    changed: datetime | None = None  # aware UTC; None: not told
    title: str = ""  # for news
    published: datetime | None = None  # for news, aware UTC
    lang: str = ""  # for news, BCP 47


def index(urls: Iterable[str]) -> bytes:
    """A sitemap that leads to others."""
    root = etree.Element(f"{{{_MAP}}}sitemapindex", nsmap={None: _MAP})  # type: ignore[dict-item]
    for url in urls:
        etree.SubElement(etree.SubElement(root, f"{{{_MAP}}}sitemap"), f"{{{_MAP}}}loc").text = to_uri(url)
    return _serialised(root)


def sitemap(pages: Iterable[Page]) -> bytes:
    """A sitemap of pages and when each last changed."""
    root = etree.Element(f"{{{_MAP}}}urlset", nsmap={None: _MAP})  # type: ignore[dict-item]
    for page in pages:
        url = etree.SubElement(root, f"{{{_MAP}}}url")
        etree.SubElement(url, f"{{{_MAP}}}loc").text = to_uri(page.url)
        if page.changed is not None:
            etree.SubElement(url, f"{{{_MAP}}}lastmod").text = _moment(page.changed)
    return _serialised(root)


def news(pages: Iterable[Page], *, publication: str) -> bytes:
    """A sitemap of the newest pages, for news search; ``publication`` is the name under which it knows us."""
    root = etree.Element(f"{{{_MAP}}}urlset", nsmap={None: _MAP, "news": _NEWS})  # type: ignore[dict-item]
    for page in pages:
        url = etree.SubElement(root, f"{{{_MAP}}}url")
        etree.SubElement(url, f"{{{_MAP}}}loc").text = to_uri(page.url)
        about = etree.SubElement(url, f"{{{_NEWS}}}news")
        who = etree.SubElement(about, f"{{{_NEWS}}}publication")
        etree.SubElement(who, f"{{{_NEWS}}}name").text = plain(publication)
        etree.SubElement(who, f"{{{_NEWS}}}language").text = page.lang.partition("-")[0].lower()
        if page.published is not None:
            etree.SubElement(about, f"{{{_NEWS}}}publication_date").text = _moment(page.published)
        etree.SubElement(about, f"{{{_NEWS}}}title").text = plain(page.title)
    return _serialised(root)


def _moment(instant: datetime) -> str:
    return whole(instant).isoformat().replace("+00:00", "Z")


def _serialised(root: etree._Element) -> bytes:
    return bytes(etree.tostring(root.getroottree(), pretty_print=True, encoding="UTF-8", xml_declaration=True))
