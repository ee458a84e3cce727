"""The list of our feeds as OPML 2.0 (https://opml.org/spec2.opml), for readers that import many at once. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from html import escape

from lxml import etree

from syndicate.render.entry import Feed, plain


def opml(feeds: Sequence[Feed], *, title: str, owner: str, modified: datetime) -> bytes:
    """One outline for each feed, in its best XML format; a feed in JSON alone is left out. ``modified`` is UTC.

    Names are escaped once more than XML asks: OPML reads them as HTML.
    """
    root = etree.Element("opml", version="2.0")
    head = etree.SubElement(root, "head")
    etree.SubElement(head, "title").text = escape(plain(title), quote=False)
    etree.SubElement(head, "dateModified").text = format_datetime(modified, usegmt=True)
    if owner:
        etree.SubElement(head, "ownerName").text = escape(plain(owner), quote=False)
    body = etree.SubElement(root, "body")
    for feed in feeds:
        url = feed.urls.get("atom") or feed.urls.get("rss")
        if url:
            name = escape(plain(feed.title), quote=False)
            # `rss` is the type for Atom too: it tells a reader to subscribe.
            etree.SubElement(body, "outline", type="rss", text=name, title=name, xmlUrl=url, htmlUrl=feed.home_url)
    return bytes(etree.tostring(root.getroottree(), pretty_print=True, encoding="UTF-8", xml_declaration=True))
