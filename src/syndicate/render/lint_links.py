"""Where a mail leads and what it fetches: every address is one that the publication itself gave, to the byte.

So no redirect, no added parameter and no third party's host can count readers. Gaps for one reader's own links are
judged apart: they stand in links and nowhere else.
"""

from __future__ import annotations

import html as markup_escape
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import lxml.html

from syndicate.render import markup
from syndicate.render.frozen import URL_GAPS, Frozen, is_web_url, splice

if TYPE_CHECKING:
    from lxml.html import HtmlElement

    from syndicate.model import Brief, Quote
    from syndicate.render.email import EditionView, Site
    from syndicate.render.framing import FramedBlock

GAP_HOST: Final = "gap.invalid"  # stands for one reader's own links while the mail is judged
FILLED: Final = {
    "unsubscribe": f"https://{GAP_HOST}/unsubscribe",
    "preferences": f"https://{GAP_HOST}/preferences",
    "confirm": f"https://{GAP_HOST}/confirm",
    "address": "gap-address",
    "since": "gap-since",
}
_WAYS: Final = frozenset(FILLED[name] for name in URL_GAPS)
_LEADS: Final = frozenset({"href", "cite", "longdesc"})  # followed by a reader; the others are fetched unasked
_ATTRIBUTES: Final = _LEADS | {"src", "action", "formaction", "poster", "data"}
_FORBIDDEN_TAGS: Final = frozenset(
    ["script", "link", "iframe", "object", "embed", "form", "input", "button", "video", "audio", "svg", "base", "source"]
)
_FORBIDDEN_ATTRIBUTES: Final = frozenset({"srcset", "background", "ping", "imagesrcset", "lowsrc", "dynsrc"})
_FETCHES: Final = re.compile(r"url\(|@import|expression\(|image-set\(|behavior:", re.IGNORECASE)
_IN_TEXT: Final = re.compile(r"https?://[^\s<>\"]+")
_CLOSING: Final = ".,;:!?»”’)]"  # what a sentence may put behind an address; an address may end in it too
_WORD: Final = re.compile(r"\[if [^\]]*\]>(.*)<!\[endif\]", re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """The addresses that an edition may hold."""

    public_url: str  # without a slash at the end: every page below it is ours
    links: frozenset[str]  # exact addresses
    pictures: frozenset[str]  # hosts with their ports, from which pictures may come
    words: tuple[str, ...]  # texts of ours, in which an address may be written out


def known(
    site: Site,
    public_url: str,
    *,
    briefs: Iterable[Brief] = (),
    quotes: Iterable[Quote] = (),
    blocks: Iterable[FramedBlock] = (),
    logo: str = "",
) -> Known:
    """What the items, the settings and the gate give."""
    links = {site.url, *site.profiles, f"mailto:{site.contact}", *([logo] if logo else [])}
    words = [site.postal_address, site.organisation]
    for brief in briefs:
        links |= {brief.link, *_addresses(markup.to_html(brief.body, base=brief.link, for_mail=True))}
        if "http:" in brief.body:  # the text part writes out what the HTML of a mail does not lead to
            links |= _addresses(markup.to_html(brief.body, base=brief.link))
        links |= {markup.absolute(brief.image.src, f"{public_url}/")} if brief.image else set()
        words += [brief.title, brief.summary, brief.body, *(correction.text for correction in brief.corrections)]
    for quote in quotes:
        links |= {quote.link, quote.archive}
        words += [quote.title, quote.context]
    for block in blocks:
        links |= set(block.links)
    return Known(
        public_url=public_url,
        links=frozenset(links),
        pictures=frozenset(urlsplit(url).netloc for url in (public_url, site.url, logo) if url),
        words=tuple(words),
    )


def of_edition(view: EditionView) -> Known:
    """What one edition may hold."""
    return known(
        view.site,
        view.public_url,
        briefs=(*view.briefs, *(replace(brief, corrections=(told,)) for brief, told in view.corrections)),
        quotes=view.quotes,
        blocks=[block for block in (view.quote_html, view.quote_text) if block],
        logo=str(view.brand.get("logo") or ""),
    )


def complaints(frozen: Frozen, document: HtmlElement, found: Known) -> Iterator[tuple[str, str]]:
    """(what is wrong, the words in the mail that show where) for every address that should not be there."""
    for element in document.iter():
        if isinstance(element.tag, str):
            yield from _element(element, found)
        else:
            yield from _comment(str(element.text or ""), found)
    yield from _text(splice(frozen.text, FILLED, html=False), found)


def _element(element: HtmlElement, found: Known) -> Iterator[tuple[str, str]]:
    tag = str(element.tag)
    if tag in _FORBIDDEN_TAGS:
        yield f"a mail holds no <{tag}>", f"<{tag}"
    if tag == "meta" and element.get("http-equiv", "").lower() == "refresh":
        yield "a mail does not lead on by itself", "http-equiv"
    if _FETCHES.search(element.get("style", "")) or (tag == "style" and _FETCHES.search(element.text or "")):
        yield "a style fetches something", "url("
    for name, value in element.attrib.items():
        if name in _FORBIDDEN_ATTRIBUTES or name.startswith("on"):
            yield f"a mail holds no attribute {name}", f"{name}="
        elif name in _ATTRIBUTES:
            yield from _address(tag, name, value.strip(), found)
        elif GAP_HOST in value or any(filled in value for filled in FILLED.values()):
            yield f"a reader's own value stands in the attribute {name}", f"{name}="


def _address(tag: str, name: str, url: str, found: Known) -> Iterator[tuple[str, str]]:
    ours = _ours(url, found)
    if any(filled in url for filled in FILLED.values()):
        if url not in _WAYS or name != "href":
            yield f"a reader's own value stands in the {name} of <{tag}>, where it would tell who opened the mail", f"<{tag}"
    elif url.startswith("mailto:") and name == "href":
        if url not in found.links:
            yield f"<{tag}> writes to an address that is in no item and no setting", url
    elif not is_web_url(url) or (url.startswith("http:") and not ours):
        yield f"<{tag}> leads to an address that is not whole or not https: {url[:80]}", url
    elif name not in _LEADS and not ours and urlsplit(url).netloc not in found.pictures:
        yield f"<{tag}> is fetched from {urlsplit(url).netloc}, who would learn of every reader", url
    elif url not in found.links and not ours:
        yield f"<{tag}> leads to an address that is in no item and no setting: {url[:80]}", url


def _comment(text: str, found: Known) -> Iterator[tuple[str, str]]:
    """Word reads what stands in its comments."""
    inside = _WORD.fullmatch(text)
    if inside is not None and inside[1].strip():
        for element in lxml.html.fragment_fromstring(inside[1], create_parent="div").iter():
            if isinstance(element.tag, str):
                yield from _element(element, found)


def _text(text: str, found: Known) -> Iterator[tuple[str, str]]:
    """The text part: an address is known as it is, or without the punctuation of its sentence, or was written by an author."""
    for match in _IN_TEXT.finditer(text):
        whole = match[0]
        ways = {whole[:end] for end in range(len(whole.rstrip(_CLOSING)), len(whole) + 1)}
        if ways & found.links or whole in FILLED.values() or any(_ours(way, found) for way in ways):
            continue
        if not any(way in words for way in ways for words in found.words):
            yield f"the text part holds an address that is in no item and no setting: {whole[:80]}", whole


def _ours(url: str, found: Known) -> bool:
    """A page of ours, without parameters: those could tell one reader from another."""
    return (url + "/").startswith(f"{found.public_url}/") and not set("?#") & set(url)


def _addresses(html: str) -> set[str]:
    return {markup_escape.unescape(url) for url in re.findall(r'\b(?:href|src)="([^"]*)"', html)}
