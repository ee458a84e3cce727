"""What a reader sees of a finished artefact, and what else stands in it unseen. Stdlib parsing only; knows no rules."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from html import escape
from html.parser import HTMLParser
from typing import Final, Literal, TypeAlias
from urllib.parse import unquote

Source: TypeAlias = Literal["html", "text", "xml", "json"]


def _names(*lines: str) -> frozenset[str]:
    return frozenset(name for line in lines for name in line.split())


# Elements inside a line: they part no words.
_INLINE: Final = _names(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark q s samp small span strike strong sub ",
    "sup time tt u var wbr",
)
_VOID: Final = _names(
    "area base br col embed hr img input link meta param source track wbr",
)
# Their text shows to nobody, or not to everybody.
_UNSEEN: Final = _names(
    "head title script style template noscript textarea select datalist dialog svg math object iframe audio video canvas ",
    "details noembed noframes applet marquee progress meter button",
)
ACTIVE: Final = _names(
    "applet area audio base button canvas dialog embed form frame iframe image img input link map math meta noscript object ",
    "picture script select source style svg template textarea track video",
)
_CLOSED_BY_PARENT: Final = _names(
    "p li dt dd tr td th thead tbody tfoot option colgroup",
)
_HIDING: Final = re.compile(
    r"(?<![a-z-])(?:display:none|visibility:(?:hidden|collapse)|content-visibility:|mso-hide:all|opacity:0*\.?0+(?![\d.])"
    r"|font-size:(?:0*\.?0+(?![\d.])|[01]px)|line-height:0(?![\d.])|(?:max-)?(?:height|width):0(?![\d.])|text-indent:-"
    r"|(?:color|-webkit-text-fill-color):(?:transparent|rgba\([^)]*,0*\.?0*\))|clip(?:-path)?:|position:(?:absolute|fixed)"
    r"|transform:|(?:left|top|right|bottom):-|margin[a-z-]*:(?:[^;]*\s)?-)",
    re.IGNORECASE,
)
_LINKING: Final = frozenset(
    {"href", "src", "srcset", "action", "formaction", "background", "cite", "data", "poster", "longdesc", "ping", "xlink:href"}
)
_CDATA: Final = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
_TAG: Final = re.compile(r"<[^<>]*>")
_STYLE_LINK: Final = re.compile(r"url\s*\(|@import|expression\s*\(", re.IGNORECASE)
URL: Final = re.compile(r"[a-z][a-z0-9+.-]*://[^\s<>\"“”|]+", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """An artefact as its readers and their machines find it."""

    visible: str  # what shows, in reading order; block boundaries are spaces or line ends
    hidden: tuple[str, ...] = ()  # attributes, comments, hidden elements, metadata
    links: tuple[str, ...] = ()  # every address that something leads to, in order
    active: tuple[str, ...] = ()  # elements that fetch, run or picture something
    whole: bool = True  # every element that was opened is closed, and no other


def tidy(text: str) -> str:
    """One space where there is any space."""
    return " ".join(text.split())


def look(artefact: str, source: Source) -> Seen:
    """Read an artefact of one kind: a mail's or page's HTML, a text, a feed in XML or JSON."""
    if source == "html":
        return _html(artefact)
    if source == "text":
        return Seen(visible=artefact, links=tuple(match.rstrip(".,;:!?)") for match in URL.findall(artefact)))
    if source == "xml":
        outer = _html(_CDATA.sub(lambda section: escape(section[1]), artefact), plain=True)
        inner = _html(outer.visible)
        return Seen(visible=inner.visible, hidden=(*outer.hidden, *inner.hidden), links=(*outer.links, *inner.links))
    return _html("\n<br>".join(_strings(json.loads(artefact))))


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in _strings(part)]
    return [text for part in value for text in _strings(part)] if isinstance(value, list) else []


def _html(artefact: str, *, plain: bool = False) -> Seen:
    reader = _Reader(plain=plain)
    reader.feed(artefact)
    reader.close()
    return Seen(
        visible="".join(reader.shown),
        hidden=(*reader.hidden, "".join(reader.unseen)),
        links=tuple(reader.links),
        active=tuple(reader.active),
        whole=reader.whole and not [tag for tag, _ in reader.open if tag not in _CLOSED_BY_PARENT],
    )


class _Reader(HTMLParser):
    """Sorts what it reads into seen and unseen. ``plain``: XML, where no element hides its text."""

    def __init__(self, *, plain: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.plain = plain
        self.shown: list[str] = []
        self.hidden: list[str] = []
        self.unseen: list[str] = []  # the text of hidden elements, as it would read if it were shown
        self.links: list[str] = []
        self.active: list[str] = []
        self.open: list[tuple[str, bool]] = []  # element, and whether it hides what it holds
        self.whole = True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note attributes and links; part words at block boundaries."""
        hides = self._attributes(attrs)
        if tag in ACTIVE:
            self.active.append(tag)
        if self.plain or tag not in _INLINE:
            self.shown.append("\n" if self.plain or tag == "br" else " ")
            self.unseen.append(" ")
        if tag in _VOID and not self.plain:
            return
        inside = bool(self.open) and self.open[-1][1]
        self.open.append((tag, inside or (not self.plain and (hides or tag in _UNSEEN))))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A slash closes nothing in HTML, but does in XML."""
        self.handle_starttag(tag, attrs)
        if self.plain:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the nearest element of that name; others that were left open inside it make the whole unsound."""
        if self.plain or tag not in _INLINE:
            self.shown.append(" ")
            self.unseen.append(" ")
        names = [name for name, _ in self.open]
        if tag not in names:
            self.whole = self.whole and tag in _VOID
            return
        place = len(names) - 1 - names[::-1].index(tag)
        self.whole = self.whole and _CLOSED_BY_PARENT.issuperset(names[place + 1 :])
        del self.open[place:]

    def handle_data(self, data: str) -> None:
        """Seen or unseen, by where it stands."""
        (self.unseen if self.open and self.open[-1][1] else self.shown).append(data)

    def handle_comment(self, data: str) -> None:
        """Comments are conditional for some clients: their text counts as unseen, not as absent."""
        self.hidden.append(_TAG.sub(" ", data))

    def unknown_decl(self, data: str) -> None:
        """``<![if mso]>`` and its like: some clients read them."""
        self.hidden.append(_TAG.sub(" ", data))

    def _attributes(self, attrs: list[tuple[str, str | None]]) -> bool:
        """Sort the attributes; whether one of them hides the element."""
        hides = False
        for name, value in attrs:
            text = value or ""
            if name == "style":
                squeezed = re.sub(r"/\*.*?\*/|\s*([:;,])\s*", r"\1", text)
                hides = hides or _HIDING.search(squeezed) is not None or _same_colours(squeezed)
                if _STYLE_LINK.search(squeezed):
                    self.active.append("style")
            elif name == "hidden" or (name == "aria-hidden" and text.lower() != "false") or name == "inert":
                hides = True
            elif name.startswith("on"):
                self.active.append(name)
            if name in _LINKING:
                self.links.append(text)
            if text and name not in {"style", "class", "width", "height", "align", "role"}:
                self.hidden.append(unquote(text))
        return hides


def _same_colours(style: str) -> bool:
    """Whether text is set in the colour of its own ground."""
    colours = dict(part.split(":", 1) for part in style.lower().split(";") if ":" in part)
    ground = colours.get("background-color", colours.get("background", ""))
    return bool(ground) and ground == colours.get("color")
