"""How long a text is by each network's own rule, and where its links lie. Pure, linear time; knows no channel.

X: twitter-text's version 3 configuration. Mastodon: ``status_length_validator.rb``. Bluesky: ``app.bsky.feed.post``
(300 graphemes and 3,000 bytes). Everything else counts code points, or the larger of both rules.

Of a very long text the first few thousand links and joined characters are looked at; what lies beyond counts at
least what the network counts, so that a megabyte takes no longer than a person notices. Nothing that long fits anywhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, Literal

import regex

from syndicate.model import Facet, Limits
from syndicate.render import emoji, tlds

Span = tuple[int, int]  # start and end of a link, in code points, end exclusive

# -- links ---------------------------------------------------------------------------------------
# What no host name holds (twitter-text: punctuation, spaces, directional marks, invalid characters); "-", "." and "_" apart.
_NOT_HOST: Final = (
    r"!'#%&()*+,\\/:;<=>?@\[\]^{|}~$\t-\r \x85\xA0\u1680\u180E\u2000-\u200A\u2028\u2029\u202F\u205F\u3000"
    r"\uFFFE\uFEFF\uFFFF\u202A-\u202E\u061C\u200E\u200F\u2066-\u2069"
)
_LATIN: Final = (
    r"\xC0-\xD6\xD8-\xF6\xF8-\u024F\u0253\u0254\u0256\u0257\u0259\u025B\u0263\u0268\u026F\u0272\u0289\u028B\u02BB"
    r"\u0300-\u036F\u1E00-\u1EFF"
)
_IN_PATH: Final = rf"[A-Za-z\u0400-\u04FF0-9!*';:=+,.$/%#\[\]\-\u2013_~@|&{_LATIN}]"
_IN_QUERY: Final = r"[A-Za-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]"
_NOT_PATH_END: Final = "!*';:,.$%[]\u2013~|&@"
_NOT_QUERY_END: Final = "!?*'@();:+$%[].,~|"

# A dot with a host's character after it: where there is none, there is no link.
_INNER_DOT: Final = re.compile(rf"\.(?=[^.{_NOT_HOST}])")
# A run of host characters with a dot in it. The look-behind lets the search fail at once inside a run: linear time.
_RUN: Final = re.compile(rf"(?<![^{_NOT_HOST}])[^.{_NOT_HOST}]*+\.[^{_NOT_HOST}]++")
_ASCII_HOST: Final = re.compile(rf"(?<![-A-Za-z0-9{_LATIN}])[-A-Za-z0-9{_LATIN}][-A-Za-z0-9{_LATIN}.]*+")
_SCHEME: Final = re.compile(r"https?://", re.IGNORECASE | re.ASCII)
_NO_ALNUM: Final = re.compile(r"[^0-9A-Za-z]")
_TLD: Final = re.compile(r"[Xx][Nn]--[-0-9A-Za-z]++|[0-9A-Za-z]++(?![@+-])")
_AFTER_TLD: Final = re.compile(r"(?![0-9A-Za-z@+-])")
_TLD_INITIALS: Final = frozenset(name[0] for name in tlds.OTHER_SCRIPTS)
_LONGEST_TLD: Final = max(map(len, tlds.OTHER_SCRIPTS))
_PICTURES: Final = regex.compile(
    r"[\p{Extended_Pictographic}\p{Emoji_Modifier}\p{Regional_Indicator}\u200D\uFE0F\u20E3\U000E007F]"
)
_PORT: Final = re.compile(r":[0-9]++")
# One nested level of balanced parentheses belongs to a path.
_PATH: Final = re.compile(
    rf"/(?:{_IN_PATH}++|\((?:{_IN_PATH}++\)|{_IN_PATH}*+\({_IN_PATH}++\){_IN_PATH}*+\)))*+",
)
_QUERY: Final = re.compile(rf"\?{_IN_QUERY}*+")
_SHORT_LINK: Final = re.compile(rf"https?://t\.co/([a-z0-9]+)(?:\?{_IN_QUERY}*+)?", re.IGNORECASE | re.ASCII)
_NOT_BEFORE: Final = frozenset("@\uff20$#\uff03\ufffe\ufeff\uffff")  # nor a letter or digit of ASCII
_NOT_BEFORE_BARE: Final = ("-", "_", ".", "/")
_LONGEST_URL: Final = 4096
_LONGEST_LABEL: Final = 63
_SHORT_LINK_SLUG: Final = 40


@dataclass(frozen=True, slots=True)
class _Link:
    start: int  # in code points
    end: int  # exclusive
    state: Literal["sure", "doubtful", "odd"]  # doubtful: not every reader of host names takes it; odd: X itself does not


def urls(text: str, *, bare: bool = True) -> list[Span]:
    """Where the links lie, as X finds them; ``bare``: also domains without ``http(s)://``."""
    return [(link.start, link.end) for link in _links(text, bare=bare) if link.state != "odd"]


def _links(text: str, *, bare: bool) -> list[_Link]:
    found: list[_Link] = []
    end = 0  # of what the last link took, its own query included where it does not count as link
    for run in _runs(text):
        if run.end() <= end:
            continue
        scheme = _scheme(text, run.start(), end)
        if scheme is not None:
            links, end = _with_scheme(text, scheme, run.start(), run.end()) or ([], end)
            found += links
        elif bare:
            # Of two links in a row one character stands between.
            start = max(run.start(), end + 1) if end else run.start()
            links, end = _without_scheme(text, start, run.end(), end)
            found += links
    return found


def _runs(text: str) -> Iterator[re.Match[str]]:
    """Each run that may hold a host; what has no inner dot between two spaces is not looked at."""
    at = 0
    for dot in _INNER_DOT.finditer(text):
        if dot.start() >= at:
            start = text.rfind(" ", at, dot.start()) + 1 or at
            at = text.find(" ", dot.start())
            at = len(text) if at < 0 else at
            yield from _RUN.finditer(text, start, at)


def _scheme(text: str, host: int, floor: int) -> int | None:
    """Where ``http(s)://`` before ``host`` begins, at ``floor`` or later; ``None`` where there is none that X would take."""
    for start in (host - 8, host - 7):
        match = _SCHEME.match(text, start, host) if start >= floor else None
        if match is not None and match.end() == host:
            return start if start == 0 or _may_precede(text[start - 1]) else None
    return None


def _may_precede(char: str) -> bool:
    return not (char in _NOT_BEFORE or (char.isascii() and char.isalnum()))


def _with_scheme(text: str, start: int, host: int, stop: int) -> tuple[list[_Link], int] | None:
    """The link at ``start`` and where it ends; ``None`` where the host is none."""
    end = _domain_end(text, host, stop)
    if not end:
        return None
    full = last = _query_end(text, _path_end(text, _port_end(text, end)))
    short = _SHORT_LINK.match(text, start)
    if short is not None:
        if len(short[1]) > _SHORT_LINK_SLUG:
            return [], full
        last = _query_end(text, short.end(1))
    name = text[host:end]
    return ([_Link(start, last, _state(name))] if _sound(name, full - start) else []), full


def _without_scheme(text: str, start: int, stop: int, taken: int) -> tuple[list[_Link], int]:
    """Bare domains between ``start`` and ``stop``: the ASCII ones inside a host, the last of them with its path."""
    if start and not _may_precede(text[start - 1]):
        other = _NO_ALNUM.search(text, start, stop)
        start = other.end() if other else stop
    elif start == 0 and _may_precede(text[0]) and _domain_end(text, 1, stop):
        start = 1  # at the very beginning X takes the first character for the one that stands before a link
    found: list[_Link] = []
    while start < stop and (end := _domain_end(text, start, stop)):
        port = _port_end(text, end)
        path = _path_end(text, port)
        taken = _query_end(text, path)
        before, name = text[start - 1] if start else "", text[start:end]
        if before not in _NOT_BEFORE_BARE and _sound(name, taken - start + len("https://")):
            spans = _ascii_hosts(text, start, end)
            if spans and path > port:
                spans[-1] = (spans[-1][0], spans[-1][1] + taken - end)  # X counts on by the length of what it shows
            found += [_Link(*span, _state(name)) for span in spans]
        start = taken + 1
    return found, taken


def _ascii_hosts(text: str, start: int, end: int) -> list[Span]:
    """The parts of a host that X links: what stands before them does not count."""
    rest = text[start : end + _LONGEST_TLD + 1]
    return [
        (start + host.start(), start + last)
        for host in _ASCII_HOST.finditer(rest, 0, end - start)
        if (last := _domain_end(rest, host.start(), host.end(), lead="-"))
    ]


def _domain_end(text: str, start: int, stop: int, *, lead: str = "") -> int:
    """The end of the longest host that begins at ``start`` and ends in a known top-level domain; 0 where none does."""
    best, at, name = 0, start, False
    while at <= stop:
        if name:
            best = _tld_end(text, at) or best
        dot = text.find(".", at, stop)
        label = text[at:dot] if dot >= 0 else ""
        if not label or (label[0] in "-_" and label[0] not in lead) or label[-1] in "-_":
            break
        name = "_" not in label
        at = dot + 1
    return best


def _tld_end(text: str, at: int) -> int:
    """The end of the top-level domain at ``at``; 0 where there is none."""
    match = _TLD.match(text, at)
    if match is not None and ((name := match[0].lower()).startswith("xn--") or name in tlds.ASCII):
        return match.end()
    if text[at : at + 1] not in _TLD_INITIALS:
        return 0
    for end in range(at + _LONGEST_TLD, at, -1):
        if text[at:end] in tlds.OTHER_SCRIPTS and _AFTER_TLD.match(text, end):
            return end
    return 0


def _port_end(text: str, at: int) -> int:
    match = _PORT.match(text, at)
    return match.end() if match else at


def _path_end(text: str, at: int) -> int:
    match = _PATH.match(text, at)
    return at + len(match[0].rstrip(_NOT_PATH_END)) if match else at


def _query_end(text: str, at: int) -> int:
    match = _QUERY.match(text, at)
    return at + len(match[0].rstrip(_NOT_QUERY_END)) if match else at


def _sound(host: str, length: int) -> bool:
    """Whether a resolver could take the host: labels of at most 63 octets, 4,096 characters in all."""
    return length <= _LONGEST_URL and all(0 < len(_octets(label)) <= _LONGEST_LABEL for label in host.split("."))


def _state(host: str) -> Literal["sure", "doubtful", "odd"]:
    """What readers of host names make of one in another script: twitter-text's ports differ in this (RFC 3490)."""
    if host.isascii():
        return "sure"
    if any(label.startswith("xn--") and not label.isascii() for label in host.split(".")):
        return "odd"
    try:
        host.encode("idna")
    except UnicodeError:
        return "doubtful"
    return "doubtful" if _PICTURES.search(host) else "sure"


def _octets(label: str) -> str:
    if label.isascii() or len(label) > _LONGEST_LABEL:
        return label
    return "xn--" + label.encode("punycode").decode("ascii")


# -- counting ------------------------------------------------------------------------------------
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
    links = _links(head, bare=True)
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
    dot = next(islice(_INNER_DOT.finditer(text), _MOST_DOTS, None), None)
    return (text, "") if dot is None else (text[: dot.start()], text[dot.start() :])


def _mastodon_end(text: str, start: int, end: int) -> int:
    """Mastodon lets no path end in "="; a query may."""
    return end if "?" in text[start:end] else start + len(text[start:end].rstrip("=" + _NOT_PATH_END))


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
