"""Whether a mail can be read by everybody: language, structure, tables, pictures, links. An inlined mail in, sentences out.

The rules are those that most mails break (emailmarkup.org's yearly report) and that can be decided without a browser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lxml.html import HtmlElement

MOST_WIDTH: Final = 560  # px: what a card of 600 leaves
_SAYS_NOTHING: Final = frozenset({"here", "click here", "click", "more", "read more", "learn more", "this", "link"})
_HEADING: Final = re.compile(r"h[1-6]")
_NOT_UNDERLINED: Final = re.compile(r"text-decoration:\s*none")
_GROUND: Final = re.compile(r"background-color:\s*#")


def complaints(document: HtmlElement, *, lang: str, direction: str) -> Iterator[tuple[str, str]]:
    """(what is wrong, the words in the mail that show where) for every rule that is broken."""
    yield from _language(document, lang, direction)
    yield from _headings(document)
    yield from _tables(document)
    yield from _pictures(document)
    yield from _links(document)


def _language(document: HtmlElement, lang: str, direction: str) -> Iterator[tuple[str, str]]:
    if (document.get("lang"), document.get("dir")) != (lang, direction):
        yield f'the root element does not say lang="{lang}" dir="{direction}"', "<html"
    body = document.find("body")
    for child in body if body is not None else ():
        if isinstance(child.tag, str) and not (child.get("lang") and child.get("dir") in {"ltr", "rtl"}):
            yield "an element directly below <body> has no lang and dir, and some clients drop the root's", f"<{child.tag}"
    if not "".join(document.xpath("//head/title/text()")).strip():
        yield "the mail has no title", "<title"
    if not document.xpath("//head/meta[translate(@charset, 'UTF-', 'utf-')='utf-8']"):
        yield "the head does not say that it is UTF-8", "<head"
    named = document.xpath("//*[@role='article' and @aria-roledescription and @aria-label]")
    if len(named) != 1 or not named[0].get("aria-label", "").strip():
        yield 'one element holds the whole mail, with role="article", aria-roledescription and aria-label', "role="


def _headings(document: HtmlElement) -> Iterator[tuple[str, str]]:
    found = [element for element in document.iter() if isinstance(element.tag, str) and _HEADING.fullmatch(element.tag)]
    levels = [int(str(element.tag)[1]) for element in found]
    if levels.count(1) != 1 or levels[:1] != [1]:
        yield "there is exactly one <h1>, before every other heading", "<h1"
    for before, after in pairwise(levels):
        if after - before > 1:
            yield f"a heading <h{after}> follows <h{before}>, with a level left out", f"<h{after}"
    for element in found:
        if not _words(element):
            yield f"a heading <{element.tag}> is empty", _mark(element)


def _tables(document: HtmlElement) -> Iterator[tuple[str, str]]:
    for table in document.iter("table"):
        if table.get("role") == "presentation":
            if (table.get("cellpadding"), table.get("cellspacing"), table.get("border")) != ("0", "0", "0"):
                yield 'a layout table has cellpadding="0" cellspacing="0" border="0"', _mark(table)
            continue
        heads = [cell for cell in table.iter("th") if next(cell.iterancestors("table")) is table]
        if not heads or not all(cell.get("scope") in {"row", "col", "rowgroup", "colgroup"} for cell in heads):
            yield 'a data table needs <th scope="…">, and a layout table role="presentation"', _mark(table)


def _pictures(document: HtmlElement) -> Iterator[tuple[str, str]]:
    for picture in document.iter("img"):
        if picture.get("alt") is None:
            yield "a picture has no alt", _mark(picture)
        for side in ("width", "height"):
            size = picture.get(side)
            if (size is None and side == "width") or (size is not None and not size.isdigit()):
                yield f"a picture's {side} is a whole number of pixels, as an attribute", _mark(picture)
            elif side == "width" and int(size or 0) > MOST_WIDTH:
                yield f"a picture is wider than {MOST_WIDTH} px", _mark(picture)


def _links(document: HtmlElement) -> Iterator[tuple[str, str]]:
    for link in document.iter("a"):
        words = _words(link)
        if not words:
            yield "a link has no words", _mark(link)
        elif " ".join(words.lower().split()).rstrip(".… ") in _SAYS_NOTHING and not _of_an_author(link):
            yield f"a link says only “{words}”, and not where it leads", words
        if link.get("dir"):
            yield "Word breaks a link that has dir", _mark(link)
        style = link.get("style", "")
        if _NOT_UNDERLINED.search(style) and not _GROUND.search(style) and not _stands_alone(link):
            yield "a link in running text is underlined: colour alone is not seen by all", words


def _of_an_author(link: HtmlElement) -> bool:
    """Whether it stands in a brief's own text, which is no template's fault."""
    return any("prose" in str(above.get("class", "")).split() for above in link.iterancestors())


def _stands_alone(link: HtmlElement) -> bool:
    """Whether nothing stands beside it: the name of the publication at the top is seen to be a link by its place."""
    above = link.getparent()
    return above is not None and " ".join(above.text_content().split()) == " ".join(link.text_content().split())


def _mark(element: HtmlElement) -> str:
    """What finds the element's line in a template: its class, or else its name."""
    return f'class="{element.get("class")}"' if element.get("class") else f"<{element.tag}"


def _words(element: HtmlElement) -> str:
    """What a screen reader says: text, and the alt of pictures."""
    pictures = (str(picture.get("alt", "")) for picture in element.iter("img"))
    return " ".join([*str(element.text_content()).split(), *pictures]).strip()
