"""The parts of a quotation's block and of its posts, and how they are handed to a template: plain marked strings and lines.

Which parts there are and in which order is decided here; whether a template kept them, in ``frame.py``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date as civil_date
from typing import Final, Literal, TypeAlias
from urllib.parse import urlsplit

from syndicate.model import UNDATED, Limits, Quote, QuoteKind
from syndicate.render.gate.columns import columns, pad, wrap
from syndicate.render.gate.defuse import clean
from syndicate.render.gate.frame import Part, marked
from syndicate.render.gate.house_style import Phrases, Style
from syndicate.render.gate.visible import tidy
from syndicate.render.wording import Wording, direction

Rung: TypeAlias = Literal["full", "short", "paraphrase", "card"]

# What each rung leaves out, for the preview.
CUT: Final[Mapping[Rung, str]] = {
    "full": "",
    "short": "the editor's short form stands for the whole quotation",
    "paraphrase": "the editor's paraphrase stands for the quotation",
    "card": "the quotation does not fit: our own words and a link stand for it",
}

_BOX: Final = 68  # columns inside the box of the text part
_LINE: Final = 67  # columns of a quoted line, without its gutter
_MARKS: Final[Mapping[str, str]] = {
    "de": "„“",
    "fr": "«»",
    "it": "«»",
    "es": "«»",
    "ru": "«»",
    "uk": "«»",
    "ar": "«»",
    "fa": "«»",
    "zh": "“”",
    "ja": "「」",
}
_RECORD: Final = re.compile(r"[A-Za-z0-9._-]{1,32}")  # a record's number that people can read
_OPENERS: Final = "\"“„«‹「『‘'"


@dataclass(frozen=True, kw_only=True, slots=True)
class Material:
    """What a block or post is made of while the gate renders it; never kept."""

    quote: Quote
    style: Style
    label: str
    contains: str
    words: str = field(repr=False)  # in paragraphs parted by an empty line
    original: str = field(repr=False)  # "" where there is no translation


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """One row of the record below the words."""

    name: str
    value: str  # marked
    href: str = ""
    padded: str = ""  # the name in its column of the text part
    lines: tuple[str, ...] = ()  # the value in lines of the text part


def own(text: str) -> str:
    """One of our own fields on one line, without controls."""
    return tidy(clean(text))


def block_parts(material: Material, *, linked: bool) -> dict[Part, str]:
    """The parts of a block in the order of Q2; ``linked``: the archive link has a name, and leads there."""
    phrases, actions = material.style.phrases, material.quote.kind is QuoteKind.ACTIONS
    parts = {
        Part.LABEL: material.label,
        Part.CONTAINS: material.contains,
        Part.CONTEXT: own(material.quote.context),
        Part.OPENING: phrases.account_opening if actions else phrases.opening,
    }
    if material.original:
        parts |= {Part.ORIGINAL: material.original, Part.TRANSLATION: phrases.translation}
    parts |= {Part.WORDS: material.words, Part.CLOSING: phrases.account_closing if actions else phrases.closing}
    archive = _archive_name(material) if linked else material.quote.archive
    return parts | _attribution(material) | {Part.ARCHIVE: archive}


def _attribution(material: Material) -> dict[Part, str]:
    """Speaker and role (of *actions* the place), the date or Undated, and who translated."""
    quote = material.quote
    who = {Part.PLACE: quote.place} if quote.kind is QuoteKind.ACTIONS else {Part.SPEAKER: quote.speaker, Part.ROLE: quote.role}
    facts = {**who, Part.DATE: _printed_date(material)}
    if material.original:
        facts[Part.TRANSLATOR] = quote.translator
    return {part: own(value) for part, value in facts.items()}


def _printed_date(material: Material) -> str:
    """The date as the publication's language writes it; a part of one stays as it is. Never invented."""
    date, style = material.quote.date, material.style
    if date == UNDATED:
        return style.phrases.undated
    whole = len(date) == len("2021-09-05")
    return Wording(lang=style.language).day(civil_date.fromisoformat(date)) if whole else date


def _archive_name(material: Material) -> str:
    style, archive = material.style, urlsplit(material.quote.archive)
    host, record = archive.hostname or "", archive.path.rstrip("/").rpartition("/")[2]
    if (style.ours(material.quote.archive) or host in style.archive_hosts) and _RECORD.fullmatch(record):
        return style.phrases.record.format(slug=record)
    return style.phrases.copy.format(host=host)


def _names(phrases: Phrases) -> Mapping[Part, str]:
    return {
        Part.SPEAKER: phrases.speaker,
        Part.ROLE: phrases.role,
        Part.PLACE: phrases.place,
        Part.DATE: phrases.date,
        Part.TRANSLATOR: phrases.translator,
        Part.ARCHIVE: phrases.archive,
    }


def html_values(material: Material) -> dict[str, object]:
    """What the partials of mail, page and feed are given: plain strings, each with the marks of its part."""
    quote, parts = material.quote, block_parts(material, linked=True)
    names = _names(material.style.phrases)
    return {
        **_common_values(material, parts),
        "words": _paragraphs(Part.WORDS, parts[Part.WORDS], quote.lang, quoted=quote.kind is not QuoteKind.ACTIONS),
        "original": _paragraphs(Part.ORIGINAL, parts.get(Part.ORIGINAL, ""), quote.original_lang, quoted=True),
        "facts": [
            Fact(name=names[part], value=marked(part, value), href=quote.archive if part is Part.ARCHIVE else "")
            for part, value in parts.items()
            if part in names
        ],
    }


def text_values(material: Material) -> dict[str, object]:
    """What the text partial is given: lines that fit 72 columns, ready to be joined."""
    quote, phrases, parts = material.quote, material.style.phrases, block_parts(material, linked=False)
    names = _names(phrases)
    width = max(columns(names[part]) for part in parts if part in names) + 3
    quoted = quote.kind is not QuoteKind.ACTIONS
    notice = wrap(f"{phrases.contains}: {marked(Part.CONTAINS, material.contains)}.", _BOX)
    return {
        **_common_values(material, parts),
        "label_lines": [pad(line, _BOX) for line in wrap(marked(Part.LABEL, material.label.upper()), _BOX)],
        "contains_lines": [pad(line, _BOX) for line in notice],
        "context_lines": wrap(marked(Part.CONTEXT, parts[Part.CONTEXT]), _BOX),
        "words": _lines(_paragraphs(Part.WORDS, parts[Part.WORDS], quote.lang, quoted=quoted)),
        "original": _lines(_paragraphs(Part.ORIGINAL, parts.get(Part.ORIGINAL, ""), quote.original_lang, quoted=True)),
        "facts": [
            Fact(
                name=names[part],
                value=marked(part, value),
                padded=pad(names[part], width),
                lines=tuple(wrap(marked(part, value), _BOX + 2 - width)),
            )
            for part, value in parts.items()
            if part in names
        ],
        "indent": " " * (width + 2),
    }


def _common_values(material: Material, parts: Mapping[Part, str]) -> dict[str, object]:
    quote, phrases = material.quote, material.style.phrases
    return {
        "id": quote.slug,
        "label": marked(Part.LABEL, material.label),
        "contains": marked(Part.CONTAINS, material.contains),
        "context": marked(Part.CONTEXT, parts[Part.CONTEXT]),
        "opening": marked(Part.OPENING, parts[Part.OPENING]),
        "closing": marked(Part.CLOSING, parts[Part.CLOSING]),
        "translation": marked(Part.TRANSLATION, phrases.translation),
        "lang": quote.lang,
        "dir": "rtl" if quote.dir == "rtl" else direction(quote.lang),
        "original_lang": quote.original_lang,
        "original_dir": direction(quote.original_lang),
        "page_lang": material.style.language,
        "page_dir": direction(material.style.language),
        "link": quote.link,
        "more": phrases.account_more if quote.kind is QuoteKind.ACTIONS else phrases.more,
        "phrases": phrases,
    }


def _paragraphs(part: Part, text: str, lang: str, *, quoted: bool) -> list[str]:
    """The paragraphs of quoted text, in the quotation marks of its language unless it has its own."""
    if not text:
        return []
    marks = _MARKS.get(lang.split("-", maxsplit=1)[0].lower(), "“”") if quoted and text[0] not in _OPENERS else ""
    return marked(part, text, marks[:1], marks[1:]).split("\n\n")


def _lines(paragraphs: Sequence[str]) -> list[str]:
    """Wrapped lines, an empty one between paragraphs."""
    return [line for place, text in enumerate(paragraphs) for line in ([""] if place else []) + wrap(text, _LINE)]


def post_parts(material: Material, rung: Rung, channel_link: str, limits: Limits) -> dict[Part, str]:
    """The parts of a post on one rung, in the order of Q2."""
    quote, phrases = material.quote, material.style.phrases
    context = {Part.CONTEXT: own(quote.context)}
    notice = {} if limits.warning else {Part.CONTAINS: material.contains}
    if rung == "card":
        return {Part.TITLE: own(quote.title), **notice, **context} | ({} if limits.cards else {Part.LINK: channel_link})
    archive = {Part.ARCHIVE: channel_link if quote.archive == quote.link else quote.archive}
    if rung == "paraphrase":
        label = material.label if quote.kind is QuoteKind.ACTIONS else phrases.paraphrase
        said = {Part.PARAPHRASE: own(quote.paraphrase)}
        return {Part.LABEL: label, **notice, **context, **said, **_attribution(material), **archive}
    translated = {Part.TRANSLATION: phrases.translation} if material.original else {}
    return {
        Part.LABEL: material.label,
        **notice,
        **context,
        **translated,
        Part.WORDS: material.words,
        **_attribution(material),
        **archive,
    }


def post_values(material: Material, parts: Mapping[Part, str], channel_link: str, limits: Limits) -> dict[str, object]:
    """What a post's template is given: every part by its name, "" where the post has none."""
    quote = material.quote
    values: dict[str, object] = {part.name.lower(): marked(part, parts[part]) if part in parts else "" for part in Part}
    if Part.WORDS in parts:
        quoted = quote.kind is not QuoteKind.ACTIONS
        values["words"] = "\n\n".join(_paragraphs(Part.WORDS, parts[Part.WORDS], quote.lang, quoted=quoted))
    told = limits.cards or Part.LINK in parts or parts.get(Part.ARCHIVE) == channel_link
    return {**values, "more": "" if told else channel_link, "lang": quote.lang, "phrases": material.style.phrases}
