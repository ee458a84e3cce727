"""The beginning of a text, cut so that no quotation is torn from the clause that names its speaker (Q16). Pure.

The text is split into units that stand or fall together: a sentence, or a sentence with its neighbours where
its quotation is not attributed in it. An excerpt is a run of whole units from the first one on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import regex

_CLOSERS: Final = {
    "“": "”",
    "”": "”“",  # Swedish and Finnish, or Arabic set the other way round
    "„": "“”",
    "«": "»",
    "»": "«»",
    "‹": "›",
    "›": "‹›",
    "‘": "’",
    "‚": "‘’",
    "'": "'",
    '"': '"',
    "「": "」",
    "『": "』",
}
_MARKS: Final = frozenset("".join(_CLOSERS) + "".join(_CLOSERS.values()))
_APOSTROPHES: Final = "'’‘"
_ELLIPSIS: Final = "…"
_LONG: Final = 4  # words: a shorter quotation is a term, and carries nobody's message
_FEWEST: Final = 3  # words of a sentence that is cut short
_CONTEXT: Final = 2  # words outside a quotation without which nobody can be named
_END: Final = re.compile(r"[.!?…؟][\"'”“’»«›‹」』)\]]*(?=\s|$)|[。！？]+[”’」』）)\]]*")
_UNSPACED: Final = (
    r"\u0E00-\u0EFF\u1000-\u109F\u1780-\u17FF\u3005-\u3007\u3040-\u30FF\u3400-\u9FFF\uF900-\uFAFF\U00020000-\U0003FFFF"
)
_CHARACTER: Final = re.compile(f"[{_UNSPACED}]")  # of a script that sets no spaces between words (Thai, Han, kana …)
_PER_WORD: Final = 2  # such characters make a word, roughly
_GRAPHEME: Final = regex.compile(r"\X")
_ABBREVIATION: Final = re.compile(
    r"(?:^|[\s(“„«\"'])(?:(?:[A-Za-z]\.)+|(?:Dr|Mr|Mrs|Ms|Prof|Gen|Col|Lt|Maj|Capt|Sgt|Sen|Rep|Gov|St|Jr|Sr|No|Nr|Art|Vol|vs|cf|ca|bzw|usw|"
    r"etc|Abs|Hr|Fr|al|ed|eds|pp|Fig|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec)\.)$"
)
# Stems that announce whose words these are, in the languages of our readers; a name does as well.
_SPEECH: Final = re.compile(
    r"\b(?:say|says|said|saying|tell|told|wr[io]te|written|wrote|call|called|declar|announc|warn|claim|vow|ask|repl(?:y|ied)|add|argu|insist|"
    r"describ|prais|stat(?:e|ed|es)\b|quot|accord|put it|in the words|"
    r"sag(?:t|te|en)|schr(?:ieb|eib)|erklär|laut|nannt|nenn|zufolge|"
    r"di(?:t|re|sait)|écri|déclar|selon|affirm|dijo|según|escrib|declar)|قال|يقول|كتب|صرح|وفق|أعلن|حسب|"
    r"[说說称稱]|表示|[写寫]道|述べ|[言語]っ|言い|書い|主張|말했|밝혔|주장",
    re.IGNORECASE,
)
_PERSON: Final = re.compile(r"\b(?:he|she|they|him|her|them|his|their|who|er|sie|ihm|ihr|il|elle|ils|elles)\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sentence:
    start: int
    end: int  # exclusive, without the space that follows
    glued: bool  # may not be the last of an excerpt: what follows belongs to it


def shorten(paragraphs: Sequence[str], limit: int) -> str:
    """The longest run of whole units from the beginning of ``paragraphs`` within ``limit`` characters.

    Where not even the first fits, its words up to its first quotation and ``…``; ``""`` where nothing can be
    kept without tearing a quotation.
    """
    best = end = 0
    text = ""
    for paragraph in paragraphs:
        start = len(text) + 1 if text else 0
        text = f"{text} {paragraph}" if text else paragraph
        spans = quotations(paragraph)
        for sentence in _sentences(paragraph, spans):
            end = start + sentence.end
            if end > limit:
                return text[:best] or _cut(paragraph, spans, limit)
            if not sentence.glued:
                best = end
        if spans and spans[-1][1] > len(paragraph):
            break  # a quotation that runs on: nothing after this point is surely our own words
    return text[:best]


def quotations(text: str) -> list[tuple[int, int]]:
    """The outermost quotations in ``text`` as (start, end), marks included.

    One that is not closed ends beyond the text's length. Apostrophes are not quotation marks; an unclosed
    single mark is taken for one.
    """
    spans: list[tuple[int, int]] = []
    index = 0
    while index < len(text):
        if text[index] in _CLOSERS and _opens(text, index):
            end = _closing(text, index)
            if end is not None:
                spans.append((index, end))
                index = end
                continue
        index += 1
    return spans


def _opens(text: str, index: int) -> bool:
    before = text[index - 1] if index else " "
    after = text[index + 1] if index + 1 < len(text) else " "
    mark = text[index]
    if mark in "“„«‹「『":
        return True
    if mark in "‘'" and re.match(r".\d\ds?\b", text[index:]):
        return False  # '68
    return (before.isspace() or before in "([{—–-/:" or before in _MARKS) and not after.isspace()


def _closing(text: str, start: int) -> int | None:
    """The end of the quotation that opens at ``start``; beyond the text where it stays open; ``None``: no quotation."""
    mark = text[start]
    single = mark in _APOSTROPHES
    found: int | None = None
    index = start + 1
    while index < len(text):
        if text[index] in _CLOSERS[mark] and _closes(text, index):
            found = index + 1
            if not single:
                return found
        elif single and text[index] == mark and _opens(text, index):
            break
        elif not single and text[index] != mark and text[index] in _CLOSERS and _opens(text, index):
            inner = _closing(text, index)
            if inner is not None and inner <= len(text):
                index = inner
                continue
        index += 1
    # A single mark closes at the last place where it may: `‘… the officers’ view’` has two.
    return found if single or found is not None else len(text) + 1


def _closes(text: str, index: int) -> bool:
    after = text[index + 1] if index + 1 < len(text) else " "
    if text[index] in _APOSTROPHES:
        return not after.isalnum() and not text[index - 1].isspace()
    if text[index] == '"' or (text[index] in "”»›" and text[index - 1].isspace()):
        return not after.isalnum()
    return True


def _sentences(text: str, spans: Sequence[tuple[int, int]]) -> Iterator[_Sentence]:
    """The sentences of one paragraph; none ends inside a quotation."""
    bounds = list(_bounds(text, spans))
    for index, (start, end) in enumerate(bounds):
        inside = [(first, last) for first, last in spans if start <= first < end]
        open_ended = any(last > len(text) for _, last in inside)
        glued = open_ended or (not _attributed(text, start, end, inside) and index + 1 < len(bounds))
        if glued or _attributed(text, start, end, inside):
            yield _Sentence(start=start, end=end, glued=glued)
        else:  # the last sentence, and nobody is named in it: the one before it may name the speaker, or nobody does
            yield _Sentence(start=start, end=end, glued=index == 0 or not _names(text[slice(*bounds[index - 1])]))


def _bounds(text: str, spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    start = 0
    for match in _END.finditer(text):
        end = match.end()
        following = text[end:].lstrip()
        inside = any(first < match.start() and end < last for first, last in spans)
        runs_on = following[:1].islower() or (following[:1] in "—–(" and following[:1] != "")
        if inside or runs_on or (match[0] == "." and following and _ABBREVIATION.search(text[start:end])):
            continue
        yield start, end
        start = end + len(text[end:]) - len(text[end:].lstrip())
    if start < len(text):
        yield start, len(text)


def _attributed(text: str, start: int, end: int, inside: Sequence[tuple[int, int]]) -> bool:
    """Whether every quotation of some length in this sentence has a clause beside it that says whose it is."""
    if not any(_words(text[first:last]) >= _LONG for first, last in inside):
        return True
    outside = ""
    cursor = start
    for first, last in inside:
        outside += text[cursor:first] + " "
        cursor = last
    outside += text[cursor:end]
    return _words(outside) >= _CONTEXT and (_SPEECH.search(outside) is not None) and _names(outside)


def _words(text: str) -> int:
    """How many words ``text`` has; where they are not set apart, by their characters."""
    characters = len(_CHARACTER.findall(text))
    return -(-characters // _PER_WORD) + len(re.findall(r"\w+", _CHARACTER.sub(" ", text)))


def _names(clause: str) -> bool:
    """Whether somebody may be named in ``clause``: a word with a capital that does not open it, or one for a person."""
    words = re.findall(r"\w+", clause)
    return (
        any(word[:1].isupper() for word in words[1:])
        or _PERSON.search(clause) is not None
        or any(not word[:1].isupper() and not word[:1].islower() and word[:1].isalpha() for word in words)  # no case: Arabic
        or len(words) >= _LONG
    )


def _cut(text: str, spans: Sequence[tuple[int, int]], limit: int) -> str:
    """Whole words of the first sentence, at most as far as its first quotation."""
    room = min([limit - len(_ELLIPSIS), *(first for first, _ in spans)])
    ends = (end for end in break_points(text[: max(room, 0) + 1]) if end <= room)
    kept = text[: max(ends, default=0) if room < len(text) else len(text)].rstrip(" ,;:–—-(、，；：（")
    return f"{kept}{_ELLIPSIS}" if _words(kept) >= _FEWEST else ""


def break_points(text: str) -> list[int]:
    """Where ``text`` may be cut: before a space, and between the characters of a script that sets none."""
    ends = [match.end() for match in re.finditer(r"\S(?=\s)", text)]
    if _CHARACTER.search(text):
        borders = (match.end() for match in _GRAPHEME.finditer(text))
        ends += [end for end in borders if _CHARACTER.match(text, end - 1) or _CHARACTER.match(text, end)]
    return sorted({*ends, len(text)})
