"""How long a text is by each network's own rule. Pure, linear time; knows no channel.

X: twitter-text's version 3 configuration. Mastodon: ``status_length_validator.rb``. Bluesky: ``app.bsky.feed.post``
(300 graphemes and 3,000 bytes). Everything else counts code points, or the larger of both rules.

Of a very long text the first few thousand links and joined characters are looked at; what lies beyond counts at
least what the network counts, so that a megabyte takes no longer than a person notices. Nothing that long fits anywhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

import regex

from syndicate.model import Facet, Limits
from syndicate.render import chat, emoji
from syndicate.render.weblinks import INNER_DOT, NOT_PATH_END, Span, find
from syndicate.render.weblinks import urls as urls

_URL_UNITS: Final = 23
_HEAVY: Final = re.compile(r"[^\u0000-\u10FF\u2000-\u200D\u2010-\u201F\u2032-\u2037]+")  # counts two on X
_EMOJI_SIGNS: Final = re.compile(r"[©®\u200D\u20E3\uFE0F\U0001F1E6-\U0001F1FF\U0001F3FB-\U0001F3FF\U000E007F]")
_MOST_DOTS: Final = 2048  # inner dots: no network takes a text of so many links
_MOST_KNOTS: Final = 4096
_MOST_SIGNS: Final = 16384
_SMALL_PICTURES: Final = re.compile("[©®]")  # the two that are light as text
_DENSE: Final = 100_000  # characters that are asked of ``\X`` one by one
_MENTION: Final = re.compile(r"(?<![=/\w])(@[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?)@[\w.-]*\w")
# Characters that are a grapheme of their own beside another such one; what the rest does is asked of ``\X``.
_PLAIN: Final = (
    r"\t\n -\u02FF\u0370-\u0482\u048A-\u0590\u05D0-\u05EA\u0620-\u064A\u1E00-\u1FFF\u2010-\u2027\u2030-\u205E"
    r"\u20A0-\u20CF\u2100-\u23FF\u2500-\u25FF\u3001-\u3029\u3041-\u3096\u30A0-\u30FF\u3400-\u9FFF\uAC00-\uD7A3\uFF01-\uFF9D"
)
_KNOTTY: Final = re.compile(rf"[^{_PLAIN}]++")
_COMBINING: Final = re.compile(r"[\u0300-\u036F]")
_FLAG_LETTERS: Final = re.compile(r"[\U0001F1E6-\U0001F1FF]{2}")
_GRAPHEME: Final = regex.compile(r"\X")


def count(text: str, limits: Limits, *, warning: str = "") -> int:
    """How long ``text`` is in the units of ``limits``; a content ``warning`` counts where the network counts it."""
    match limits.counting:
        case "x":
            return _weighted(text, limits.url)
        case "mastodon":
            return _mastodon(text, limits.url) + graphemes(warning)
        case "bluesky":
            return graphemes(text)
        case "codepoints":
            # A server of unknown make may count either way: the larger of both cannot be refused.
            return max(len(text) + len(warning), _mastodon(text, limits.url) + graphemes(warning))
        case "slack":
            return len(chat.slack(text))
        case "discord":
            return len(chat.discord(text).encode("utf-16-le")) // 2
        case "none":
            return len(text)


def fits(text: str, limits: Limits, *, warning: str = "") -> bool:
    """Whether a channel of these limits takes ``text``."""
    if limits.text_bytes and len(text.encode()) > limits.text_bytes:
        return False
    return not limits.text or count(text, limits, warning=warning) <= limits.text


def graphemes(text: str) -> int:
    """How many characters a reader sees: extended grapheme clusters (UAX #29)."""
    if text.isascii():
        return len(text) - text.count("\r\n")
    if _COMBINING.search(text):
        text = unicodedata.normalize("NFC", text)  # the same characters to a reader, and most of them plain
    # ``\X`` looks back over a whole run of flag letters for each of them: pairs go first, as one character.
    if _FLAG_LETTERS.search(text):
        text = _FLAG_LETTERS.sub("\u6f22", text)
    # Between two plain characters there is always a border: only runs of others, with a neighbour on each side, need asking.
    total = len(text)
    knots = _KNOTTY.finditer(text)
    for knot in islice(knots, _MOST_KNOTS):
        part = text[max(knot.start() - 1, 0) : knot.end() + 1]
        total += len(_GRAPHEME.findall(part)) - len(part)
    beyond = next(knots, None)
    if beyond is not None:
        part = text[beyond.start() - 1 : beyond.start() + _DENSE]
        total += len(_GRAPHEME.findall(part)) - len(part)
    return total


def split_graphemes(text: str) -> Iterator[Span]:
    """The borders of each grapheme, in code points."""
    for match in _GRAPHEME.finditer(text):
        yield match.span()


def _weighted(text: str, url: int) -> int:
    """X: links count 23, an emoji sequence two, the ranges of twitter-text's configuration one, everything else two."""
    head, rest = _reach(unicodedata.normalize("NFC", text))
    links = find(head, bare=True)
    text = "x".join(_between(head, [(link.start, link.end) for link in links])) + rest
    text = _with_pictures(text)
    heavy = 0 if text.isascii() else sum(map(len, _HEAVY.findall(text)))
    url = url or _URL_UNITS
    doubtful = sum(2 * (link.end - link.start) for link in links if link.state != "sure")  # as a link and as text
    return len(text) + heavy + len(links) * (url - 1) + rest.count(".") * url + doubtful


def _with_pictures(text: str) -> str:
    """``text`` with one heavy character for each picture; in what lies too far on, joined pictures count as their parts."""
    signs = _EMOJI_SIGNS.finditer(text)
    if next(signs, None) is None:
        return text
    beyond = next(islice(signs, _MOST_SIGNS, None), None)
    at = len(text) if beyond is None else beyond.start()
    return emoji.SEQUENCE.sub("\u2603", text[:at]) + _SMALL_PICTURES.sub("\u2603", text[at:])


def _mastodon(text: str, url: int) -> int:
    """Mastodon: ``http(s)://`` links count 23, ``@user@domain`` as ``@user``, all else in graphemes."""
    head, rest = _reach(text)
    links = [(start, _mastodon_end(head, start, end)) for start, end in urls(head, bare=False)] if "://" in head else []
    text = ("x" * (url or _URL_UNITS)).join(_between(head, links)) + rest
    beyond = rest.count("://") * (url or _URL_UNITS)
    names = text.split("@", _MOST_DOTS)
    head, rest = "@".join(names[:_MOST_DOTS]), "".join(names[_MOST_DOTS:])
    return beyond + graphemes(_MENTION.sub(r"\1", head) + rest) + bool(rest) if len(names) > 1 else beyond + graphemes(text)


def _reach(text: str) -> tuple[str, str]:
    """The part of ``text`` in which links are looked for, and the rest, where each dot may be one."""
    if text.count(".") <= _MOST_DOTS:
        return text, ""
    dot = next(islice(INNER_DOT.finditer(text), _MOST_DOTS, None), None)
    return (text, "") if dot is None else (text[: dot.start()], text[dot.start() :])


def _mastodon_end(text: str, start: int, end: int) -> int:
    """Mastodon lets no path end in "="; a query may."""
    return end if "?" in text[start:end] else start + len(text[start:end].rstrip("=" + NOT_PATH_END))


def _between(text: str, links: Sequence[Span]) -> Iterator[str]:
    at = 0
    for start, end in links:
        yield text[at:start]
        at = end
    yield text[at:]


# -- Bluesky's facets ----------------------------------------------------------------------------
def facets_for(text: str, links: Iterable[tuple[int, int, str]]) -> tuple[Facet, ...]:
    """Facets over ``(start, end, uri or #tag)`` spans in code points, as UTF-8 byte offsets, in the order of the text."""
    made = (Facet(start=_bytes(text[:start]), end=_bytes(text[:end]), uri=uri) for start, end, uri in sorted(links))
    return tuple(made)


def facet_fault(text: str, facets: Iterable[Facet]) -> str:
    """What is wrong with ``facets``; "" where nothing is. The server takes any offsets, so we look ourselves."""
    raw = text.encode()
    last = 0
    for facet in sorted(facets, key=lambda facet: facet.start):
        if not 0 <= facet.start < facet.end <= len(raw):
            return f"the link at bytes {facet.start} to {facet.end} lies outside the text of {len(raw)} bytes"
        if facet.start < last:
            return f"the link at byte {facet.start} overlaps the one before it"
        if any(at < len(raw) and raw[at] & 0xC0 == 0x80 for at in (facet.start, facet.end)):  # noqa: PLR2004 - UTF-8's continuation bytes
            return f"the link at bytes {facet.start} to {facet.end} cuts a character in two"
        if not facet.uri.startswith(("https://", "http://", "#")):
            return f"the link at byte {facet.start} leads to no web address"
        last = facet.end
    return ""


def _bytes(text: str) -> int:
    return len(text.encode())
