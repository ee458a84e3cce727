"""Quotes, one file each: the front matter tells their provenance, and the body is the words.

No fault tells what a file says: any value may hold a piece of the words (Q5).
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import PurePosixPath
from typing import Any, Final

from syndicate.errors import Fault, SourceError
from syndicate.model import UNDATED, QuoteKind
from syndicate.render.framing import Watch
from syndicate.sources import Draft, Found
from syndicate.sources.dates import parse_day
from syndicate.sources.fields import Fields
from syndicate.sources.folder import FolderSource, Text
from syndicate.sources.frontmatter import Matter, Node, parse

CANONICAL: Final = (
    "id", "kind", "title", "speaker", "role", "role_source", "date", "lang", "dir", "original", "original_lang", "translator",
    "source", "archive", "ideology", "group", "context", "contains", "label", "short", "paraphrase", "speaker_dates", "place",
    "victims", "status", "embargo",
)  # fmt: skip
_TEXTS: Final = (
    "title", "context", "source", "contains", "label", "speaker", "role", "role_source", "translator", "ideology", "group",
    "place", "victims",
)  # fmt: skip
_LONG_TEXTS: Final = ("original", "short", "paraphrase")
_REQUIRED: Final = {
    QuoteKind.WORDS: ("source", "archive", "date", "lang", "speaker", "role"),
    QuoteKind.POST: ("source", "archive", "date", "lang", "speaker", "role"),
    QuoteKind.ACTIONS: ("source", "archive", "date", "lang", "place"),
}
_RIGHT: Final = {
    "source": "say where it was found: source: …",
    "archive": "give the archived copy: archive: https://…",
    "date": "write date: 2014-06-29, date: 2014 or date: Undated",
    "lang": "name the language of the words: lang: en",
    "speaker": "name who said it: speaker: …",
    "role": "say who that is: role: …",
    "place": "say where it happened: place: …",
}
_IMAGES: Final = re.compile(r"(image|img|images|image_\w+|photo|portrait|picture|cover|thumbnail|logo|card)s?")
_IMAGE_MARKUP: Final = re.compile(r"!\[[^\]]*\][\[(]|<(img|picture|svg|video|object|embed|iframe)\b", re.IGNORECASE)
_RIGHT_TO_LEFT: Final = frozenset({"ar", "arc", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "syr", "ug", "ur", "yi"})
_YEAR: Final = re.compile(r"[12]\d{3}")
_MONTH_DAY: Final = re.compile(r"\d\d-\d\d")
_FENCE: Final = re.compile(r"^(?:---|\.\.\.|\+\+\+)[ \t]*$", re.MULTILINE)
_TOLD: Final = 6  # characters of a name that is not told whole
_NO_ITEMS: Final = re.compile(r"(readme|licen[cs]e|notice|copying|contributing)\b.*", re.IGNORECASE)


class QuoteFolder(FolderSource):
    """[sources.NAME] of kind "quotes"."""

    def read(self, found: Found) -> Draft | None:
        """Parse one quote; ``None`` for a README or the like without front matter.

        Raises
        ------
        SourceError
            With every fault of the file; Q7, Q8 and Q12 are named by their rule.
        """
        file = self._folder.read(found)
        try:
            return self._drafted(file, found.path)
        except SourceError as error:
            words = _FENCE.split(file.text)[-1]
            if not Watch.over([words]).finds(PurePosixPath(found.path).name):
                raise
            raise SourceError(*(replace(fault, file=beginning(found.path)) for fault in error.faults)) from None

    def _drafted(self, file: Text, path: str) -> Draft | None:
        matter = parse(file.text, file=path)
        if matter is not None:
            return _draft(matter, path, self._zone, stamp=file.stamp, sha=file.sha)
        if _NO_ITEMS.fullmatch(PurePosixPath(path).stem):
            return None
        right = "begin it with ---, kind: words, speaker: …, ---"
        raise SourceError(Fault(file=path, line=1, rule="Q12", what="there is no front matter", right=right))


def beginning(path: str) -> str:
    """Where a file stands whose name repeats the words of its quote: of no script four words of them (Q5)."""
    place = PurePosixPath(path)
    return f"{place.parent}/{place.stem[: min(_TOLD, len(place.stem) // 2)]}…{place.suffix}"


def faults(text: str, *, path: str, zone: str) -> tuple[Fault, ...]:
    """What would be wrong with a quote's file that held ``text``: for those that write one."""
    try:
        matter = parse(text, file=path)
        assert matter is not None  # it begins with front matter
        _draft(matter, path, zone, stamp="", sha="")
    except SourceError as error:
        return error.faults
    return ()


def _draft(matter: Matter, path: str, zone: str, *, stamp: str, sha: str) -> Draft:
    fields = Fields(matter, file=path, zone=zone, private=True)
    words = matter.body.strip()
    front = _front(fields, words)
    draft = Draft(
        kind="quote",
        path=path,
        stamp=stamp,
        content_sha=sha,
        body=words,
        id=fields.item_id(),
        status=fields.status(),
        date_text=front["date"],
        embargo=fields.instant("embargo")[0],
        front=front,
        advice=tuple(fields.advice),
    )
    fields.finish()
    return draft


def _front(fields: Fields, words: str) -> dict[str, Any]:
    kind = _kind(fields)
    front: dict[str, Any] = {"kind": kind.value}
    front |= {name: fields.text(name) for name in _TEXTS}
    front |= {name: fields.text(name, lines=True) for name in _LONG_TEXTS}
    front["archive"] = fields.address(fields.node("archive"), "archive", site_relative=True, rule="Q8")
    front["date"] = _date(fields)
    front["lang"] = fields.lang("lang")
    front["original_lang"] = fields.lang("original_lang")
    front["dir"] = _direction(fields, front["lang"])
    front["speaker_dates"] = _speaker_dates(fields)
    front["title"] = front["title"] or _title(kind, front)
    _complete(fields, kind, words)
    return front


def _kind(fields: Fields) -> QuoteKind:
    """Unsaid, it is somebody's words: the strictest kind."""
    written = fields.text("kind")
    if written and written not in set(QuoteKind):
        fields.fault(fields.nodes["kind"], "kind is unknown", "write words, actions or post")
    return QuoteKind(written) if written in set(QuoteKind) else QuoteKind.WORDS


def _complete(fields: Fields, kind: QuoteKind, words: str) -> None:
    """Q12: provenance is complete. Q2: our context exists. Q7: no picture."""
    for name in _REQUIRED[kind]:
        if _is_blank(fields.node(name)):
            fields.fault(fields.nodes.get(name), f"{name} is missing", _RIGHT[name], rule="Q12")
    if _is_blank(fields.node("context")):
        right = "say in one line of your own what this is: context: …"
        fields.fault(fields.nodes.get("context"), "context is missing", right, rule="Q2")
    if not words:
        fields.fault(None, "there are no words below the front matter", "put the quotation there", rule="Q12")
    known = set(CANONICAL)
    for key, node in fields.nodes.items():
        if key not in known and _IMAGES.fullmatch(key):
            fields.fault(node, f"{key}: a quote carries no picture", "delete the field", rule="Q7")
    if _IMAGE_MARKUP.search(words):
        fields.fault(None, "a picture stands in the words: a quote carries none", "delete it", rule="Q7")
    fields.watch_keys(CANONICAL, {*CANONICAL, "draft", "published"})


def _is_blank(node: Node | None) -> bool:
    return node is None or (isinstance(node.value, str) and not node.value.strip())


def _date(fields: Fields) -> str:
    text = fields.text("date")
    if not text or text == UNDATED or _YEAR.fullmatch(text):
        return text
    try:
        return parse_day(text).isoformat()
    except ValueError:
        fields.fault(fields.nodes["date"], "date is neither a day, a year nor Undated", _RIGHT["date"], rule="Q12")
        return ""


def _direction(fields: Fields, lang: str) -> str:
    written = fields.text("dir").lower()
    if written and written not in {"ltr", "rtl"}:
        fields.fault(fields.nodes["dir"], "dir is unknown", "write ltr or rtl")
    return written or ("rtl" if lang.partition("-")[0].lower() in _RIGHT_TO_LEFT else "ltr")


def _speaker_dates(fields: Fields) -> list[str]:
    found = fields.texts(fields.node("speaker_dates"), "speaker_dates", separator=",")
    for text in found:
        try:
            # A day of every year: the 29th of February is one.
            date.fromisoformat(f"2000-{text}" if _MONTH_DAY.fullmatch(text) else text)
        except ValueError:
            right = "write days: speaker_dates: [1975-03-09, 07-22]"
            fields.fault(fields.nodes["speaker_dates"], "speaker_dates holds something that is no day", right, rule="Q14")
            break
    return found


def _title(kind: QuoteKind, front: dict[str, Any]) -> str:
    """Our own words where the file gives no title: never a piece of the body, never a perpetrator (Q21)."""
    when = "undated" if front["date"] == UNDATED else front["date"]
    if kind is QuoteKind.ACTIONS:
        return f"What happened in {front['place']}, {when}"
    return f"{'A post by' if kind is QuoteKind.POST else 'On record:'} {front['speaker']}, {when}"
