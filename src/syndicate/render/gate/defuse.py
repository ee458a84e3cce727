"""Defusal (Q9): what would call, tag, link or reach somebody is taken out of quoted words, and each change is told.

Pure text in, pure text out. A removed piece is named by its kind and place, never repeated.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, TypeAlias

from syndicate.render import tlds

Kind: TypeAlias = Literal["handle", "hashtag", "link", "address", "number", "invite", "control"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Defusal:
    """One change to quoted words, told to the approver without what was removed."""

    kind: Kind  # "control" leaves nothing in its place; every other kind leaves "[KIND removed]"
    position: int  # code points from the start of the words as they were written


@dataclass(frozen=True, slots=True)
class _Span:
    kind: Kind
    start: int
    end: int


_DOT: Final = r"(?:\.|\s?[\[({]\s?(?:\.|dot)\s?[\])}]\s?)"
_AT: Final = r"(?:@|\s?[\[({]\s?(?:@|at)\s?[\])}]\s?)"
_TAIL: Final = r"[^\s<>\"“”„«»]*"  # the rest of an address, up to a space or a quotation mark
_HOST: Final = rf"[^\W_](?:[\w-]*[^\W_])?(?:{_DOT}[^\W_](?:[\w-]*[^\W_])?)*{_DOT}[^\W\d_][\w-]*[^\W_]"
_SPELT: Final = r"(?:com|org|net|info|io|onion|gg|ru)"  # endings that people spell out: "example dot com"

_FREE: Final = re.IGNORECASE
_PATTERNS: Final[tuple[tuple[Kind, re.Pattern[str]], ...]] = (
    (
        "invite",
        re.compile(
            rf"(?<![\w.@-])(?:h(?:tt|xx)ps?://)?(?:www\.)?"
            rf"(?:(?:t|telegram){_DOT}(?:me|dog)|discord{_DOT}gg|discord(?:app)?{_DOT}com/invite|chat{_DOT}whatsapp{_DOT}com"
            rf"|wa{_DOT}me|signal{_DOT}(?:group|me)|matrix{_DOT}to|join{_DOT}skype{_DOT}com)(?:/{_TAIL}|(?![\w.-]))"
            rf"|\b(?:tg|discord|signal|sgnl|whatsapp|skype|matrix)://?{_TAIL}"
            r"|\b(?:invite|invitation|join|access)[ -]?(?:code|key|link)s?\s*(?:is\s|[:=])\s*(?=\S*\d)\S{4,}"
            r"|(?<!\w)\+(?=[\w-]*[a-z])[\w-]{10,}",
            _FREE,
        ),
    ),
    ("handle", re.compile(rf"(?<!\w)@\w[\w.-]*@{_HOST}")),
    (
        "address",
        re.compile(
            rf"\b(?:mailto|xmpp|sip|jabber):{_TAIL}"
            rf"|(?<![\w.+%-])[\w.+%-]*[\w+%]{_AT}(?:{_HOST}|[\w-]+ dot {_SPELT}\b)"
            rf"|(?<![\w.+-])[\w.+-]+ at [\w-]+ dot {_SPELT}\b",
            _FREE,
        ),
    ),
    (
        "link",
        re.compile(
            rf"(?<![^\W_])[a-z][a-z0-9+.-]{{1,15}}://{_TAIL}|\b(?:magnet|data|javascript):\S+|\bwww\d?{_DOT}{_TAIL}", _FREE
        ),
    ),
    ("handle", re.compile(rf"@\w(?:[\w.-]*\w)?(?::{_HOST})?|(?<![\w/])/?[ur]/\w{{3,}}", _FREE)),
    ("link", re.compile(rf"(?<![\w.@-])(?:\d{{1,3}}\.){{3}}\d{{1,3}}(?::\d+)?(?:/{_TAIL})?(?![\w.])")),
    ("link", re.compile(rf"(?<![\w@.-]){_HOST}(?::\d{{2,5}})?(?:[/?#]{_TAIL})?")),
    ("link", re.compile(rf"(?<![\w-])(?:[\w-]+ dot )+{_SPELT}\b(?:/{_TAIL})?", _FREE)),
    ("hashtag", re.compile(r"(?<!&)#\w*[^\W\d]\w*|(?<![\w$])\$[a-z]{1,8}\b", _FREE)),
    ("number", re.compile(r"(?<![\w.,])(?:\+|00)?\s?\(?\d(?:[\s().\-–/]{0,3}\d){6,}(?!\w)")),
)
_CLOSERS: Final = ".,;:!?…)]}'’”»›"
_DAY: Final = r"(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./\-]\s?\d{1,2}[./\-]\s?(?:\d{4}|\d{2})|\d{4})"
_DATE: Final = re.compile(
    rf"{_DAY}(?:\s?[-–/]\s?{_DAY})?|\d{{1,2}}\.\d{{2}}\s?[-–]\s?\d{{1,2}}\.\d{{2}}|\d{{1,2}}\.?\s?[-–]\s?{_DAY}"
)
_QUANTITY: Final = re.compile(r"\d{1,3}(?:([.\s])\d{3})(?:\1\d{3})*|[1-9]\d*0{3,}")
# Direction marks could reorder the frame; noncharacters and controls have no place in a text.
_CONTROL: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufeff\ufff9-\uffff\ud800-\udfff]"
)


def defuse(text: str) -> tuple[str, tuple[Defusal, ...]]:
    """The words without anything that calls, tags, links or reaches, and what was changed, in order."""
    parts: list[str] = []
    changes: list[Defusal] = []
    done = 0
    for span in sorted([*_found(text), *_controls(text)], key=lambda span: (span.start, -span.end)):
        if span.start < done:
            continue
        parts += [text[done : span.start], "" if span.kind == "control" else f"[{span.kind} removed]"]
        changes.append(Defusal(kind=span.kind, position=span.start))
        done = span.end
    return "".join([*parts, text[done:]]), tuple(changes)


def reaches(text: str) -> tuple[Defusal, ...]:
    """What in a text of our own would call, tag, link or reach somebody; plain numbers are ours to give."""
    return tuple(Defusal(kind=span.kind, position=span.start) for span in _found(text) if span.kind != "number")


def _controls(text: str) -> Iterator[_Span]:
    for match in _CONTROL.finditer(text):
        yield _Span("control", match.start(), match.end())


def _found(text: str) -> list[_Span]:
    """The spans to take out, in ``text``'s own positions, none touching another."""
    folded, places = _fold_text(text)
    taken: list[_Span] = []
    free = [True] * len(folded)
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(folded):
            found = match.group().rstrip(_CLOSERS)
            start = match.start() + len(found) - len(found.lstrip())
            end = next(
                (place for place in range(start, match.start() + len(found)) if not free[place]), match.start() + len(found)
            )
            if end > start and _meant(kind, folded[start:end]):
                free[start:end] = [False] * (end - start)
                taken.append(_Span(kind, places[start], places[end - 1] + 1))
    return sorted(taken, key=lambda span: span.start)


def _meant(kind: Kind, found: str) -> bool:
    """Whether what looks like an address or a number is one: dates, quantities and missing spaces are not."""
    if kind == "number":
        bare = found.strip()
        return not (_DATE.fullmatch(bare) or _QUANTITY.fullmatch(bare))
    if kind == "link" and "://" not in found and "/" not in found and not found[0].isdigit():
        ending = re.split(r"[.\])}]", re.split(r"[:?#]", found)[0])[-1].strip()
        return _is_ending(ending, found)
    return True


def _is_ending(ending: str, host: str) -> bool:
    """``sleep.It`` is a missing space; ``sleep.it``, ``SLEEP.IT`` and ``Sleep.Com`` become links in a client."""
    if ending.islower():
        return True
    known = ending.lower() in tlds.ASCII or ending in tlds.OTHER_SCRIPTS
    if not ending.isupper() and not ending.istitle():
        return known
    return known and (
        host.isupper() or ending.lower() in {"com", "org", "net", "info", "io", "gg", "tv", "de", "ru", "uk", "eu"}
    )


def _fold_text(text: str) -> tuple[str, list[int]]:
    """The text in plain width without invisible characters, and for each of its characters the place in ``text``."""
    folded: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        plain = _plain(character)
        folded.append(plain)
        places += [place] * len(plain)
    return "".join(folded), places


@lru_cache(maxsize=4096)
def _plain(character: str) -> str:
    if unicodedata.category(character) == "Cf":
        return ""
    plain = unicodedata.normalize("NFKC", character)
    return plain if len(plain) == 1 and plain.isascii() else character


def clean(text: str) -> str:
    """The text without controls, direction marks and noncharacters."""
    return _CONTROL.sub("", text)
