"""Where the links of a text lie, as X finds them: by twitter-text's rules for hosts and paths. Pure, linear time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import regex

from syndicate.render import tlds

Span = tuple[int, int]  # start and end of a link, in code points, end exclusive

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
NOT_PATH_END: Final = "!*';:,.$%[]\u2013~|&@"
_NOT_QUERY_END: Final = "!?*'@();:+$%[].,~|"

# A dot with a host's character after it: where there is none, there is no link.
INNER_DOT: Final = re.compile(rf"\.(?=[^.{_NOT_HOST}])")
# A run of host characters with a dot in it. The look-behind lets the search fail at once inside a run: linear time.
_RUN: Final = re.compile(rf"(?<![^{_NOT_HOST}])[^.{_NOT_HOST}]*+\.[^{_NOT_HOST}]++")
_ASCII_HOST: Final = re.compile(rf"(?<![-A-Za-z0-9{_LATIN}])[-A-Za-z0-9{_LATIN}][-A-Za-z0-9{_LATIN}.]*+")
_SCHEME: Final = re.compile(r"https?://", re.IGNORECASE | re.ASCII)
_NO_ALNUM: Final = re.compile(r"[^0-9A-Za-z\uff20\uff03]")
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
_JOINT: Final = re.compile(r"[-_.]")  # inside a run that is no host as a whole, one may begin after these
_MOST_TRIES: Final = 8  # in one run
_LONGEST_URL: Final = 4096
_LONGEST_LABEL: Final = 63
_SHORT_LINK_SLUG: Final = 40


@dataclass(frozen=True, slots=True)
class Link:
    """One link in a text."""

    start: int  # in code points
    end: int  # exclusive
    state: Literal["sure", "doubtful", "odd"]  # doubtful: not every reader of host names takes it; odd: X itself does not


def urls(text: str, *, bare: bool = True) -> list[Span]:
    """Where the links lie, as X finds them; ``bare``: also domains without ``http(s)://``."""
    return [(link.start, link.end) for link in find(text, bare=bare) if link.state != "odd"]


def find(text: str, *, bare: bool) -> list[Link]:
    """As ``urls``, with those that X finds and does not link, and how sure each one is."""
    found: list[Link] = []
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
    for dot in INNER_DOT.finditer(text):
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


def _with_scheme(text: str, start: int, host: int, stop: int) -> tuple[list[Link], int] | None:
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
    return ([Link(start, last, _state(name))] if _sound(name, full - start) else []), full


def _without_scheme(text: str, start: int, stop: int, taken: int) -> tuple[list[Link], int]:
    """Bare domains between ``start`` and ``stop``: the ASCII ones inside a host, the last of them with its path."""
    if start and not _may_precede(text[start - 1]):
        other = _NO_ALNUM.search(text, start, stop)
        start = other.end() if other else stop
    elif start == 0 and _may_precede(text[0]) and _domain_end(text, 1, stop):
        start = 1  # at the very beginning X takes the first character for the one that stands before a link
    found: list[Link] = []
    tries = 0
    while start < stop:
        end = _domain_end(text, start, stop)
        if not end:
            joint = _JOINT.search(text, start, stop) if tries < _MOST_TRIES else None
            if joint is None:
                break
            start, tries = joint.end(), tries + 1
            continue
        port = _port_end(text, end)
        path = _path_end(text, port)
        taken = _query_end(text, path)
        before, name = text[start - 1] if start else "", text[start:end]
        if before not in _NOT_BEFORE_BARE and _sound(name, taken - start + len("https://")):
            spans = _ascii_hosts(text, start, end)
            if spans and path > port:
                spans[-1] = (spans[-1][0], spans[-1][1] + taken - end)  # X counts on by the length of what it shows
            found += [Link(*span, _state(name)) for span in spans]
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
    return at + len(match[0].rstrip(NOT_PATH_END)) if match else at


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
