"""The frame as a reader meets it: each part of a block is marked before a template sees it, and found again afterwards.

A mark is a Unicode noncharacter, which Unicode reserves for use inside a program (Unicode 16 §23.7). It passes through
a template unseen, so that the rendered result itself tells whether each part is there, complete, visible and in order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final, Literal, NoReturn, TypeAlias

from syndicate.render.gate.refusal import refuse
from syndicate.render.gate.spans import Watch
from syndicate.render.gate.visible import Seen, look, tidy

Form: TypeAlias = Literal["mail", "page", "feed", "text", "post"]

_FIRST: Final = 0xFDD0
_END: Final = "\ufdef"
_UNMARK: Final = dict.fromkeys(range(_FIRST, 0xFDF0))
_GUTTER: Final = re.compile(r"^[ \t]*\|[ ]{0,2}", re.MULTILINE)
_BOX_END: Final = re.compile(r"^(\|.*?)[ \t]*\|[ \t]*$", re.MULTILINE)
_SIGNATURE: Final = re.compile(r"^-- ?$", re.MULTILINE)


@unique
class Part(Enum):
    """A part of a block; the value is its place among the marks."""

    LABEL = 0
    CONTAINS = 1
    CONTEXT = 2
    OPENING = 3  # "Quoted text, not our words"
    ORIGINAL = 4
    TRANSLATION = 5  # "Our translation"
    WORDS = 6
    CLOSING = 7  # "End of quoted text"
    SPEAKER = 8
    ROLE = 9
    PLACE = 10
    DATE = 11
    TRANSLATOR = 12
    ARCHIVE = 13
    PARAPHRASE = 14
    TITLE = 15
    LINK = 16

    @property
    def mark(self) -> str:
        """The noncharacter before this part."""
        return chr(_FIRST + self.value)


_QUOTED: Final = (Part.WORDS, Part.ORIGINAL)


def marked(part: Part, text: str, before: str = "", after: str = "") -> str:
    """``text`` between the marks of its part; quotation marks of ours stand outside them."""
    return f"{before}{part.mark}{text}{_END}{after}"


def unmarked(text: str) -> str:
    """The text without any mark."""
    return text.translate(_UNMARK)


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """What a rendered block must show, in this order, and what it must not."""

    parts: Mapping[Part, str]  # in the order in which a reader must meet them
    archive: str  # the archive link's address; "" where no words are shown
    allows: Callable[[str], bool]  # where links may lead
    watch: Watch  # the runs of the quoted words


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """A rendered block that has passed."""

    content: str  # without marks
    visible: str  # what shows, one space where there is any
    links: tuple[str, ...]  # in order


def inspect(rendered: str, frame: Frame, *, form: Form, template: str) -> Finished:
    """The finished text without marks, and what a reader sees of it.

    Raises
    ------
    Held
        A part is missing, hidden, cut, doubled or out of order, or something is there that must not be.
    """
    text = form in {"text", "post"}
    seen = look(rendered, "text" if text else "html")
    if seen.active:
        _refuse("Q7", template, f"it holds `{seen.active[0]}`: a block has no pictures and nothing that runs or fetches")
    if not seen.whole:
        _refuse("Q1", template, "it leaves an element open, or closes one that it did not open")
    _require_once(rendered, frame, template)
    if form == "text":
        _require_gutter(rendered, frame, template)
    _require_order(_plain_lines(seen.visible) if form == "text" else seen.visible, frame, template)
    _require_nothing_else(seen, frame, template)
    links = tuple(unmarked(link) for link in seen.links)
    if frame.archive and not text and frame.archive not in links:
        _refuse("Q1", template, "no link leads to the archive")
    if not all(frame.allows(link) for link in links):
        _refuse("Q8", template, "a link leads to a place that is not on the list")
    return Finished(content=unmarked(rendered).strip("\n"), visible=tidy(unmarked(seen.visible)), links=links)


def _require_once(rendered: str, frame: Frame, template: str) -> None:
    """Quoted text stands in the whole artefact once, attributes and comments included."""
    for part in _QUOTED:
        times = rendered.count(part.mark)
        if times != (part in frame.parts):
            name = part.name.lower()
            _refuse("Q1", template, f"the {name} are missing" if not times else f"the {name} stand in it {times} times")


def _require_order(shown: str, frame: Frame, template: str) -> None:
    """Each part is visible, complete, and follows the one before it."""
    place = 0
    for part, wanted in frame.parts.items():
        found = [(start, end) for start, end, text in _shown(shown, part) if _same(part, text, wanted)]
        if not found:
            _refuse("Q1", template, f"the {part.name.lower()} is missing, hidden or not complete")
        place = next((end for start, end in found if start >= place), -1)
        if place < 0:
            _refuse("Q2", template, f"the {part.name.lower()} stands in the wrong place")


def _require_nothing_else(seen: Seen, frame: Frame, template: str) -> None:
    """Outside its one place, no run of the quoted words, seen or unseen."""
    quoted = "|".join(f"{part.mark}[^{_END}]*{_END}" for part in _QUOTED)
    for piece in (*re.split(quoted, seen.visible), *seen.hidden):
        if frame.watch.finds(unmarked(piece)):
            _refuse("Q5", template, "quoted words stand outside their place")


def _require_gutter(rendered: str, frame: Frame, template: str) -> None:
    """In a text, each line of quoted words has its ``|``: ``>`` would be folded away as a reply."""
    for part in _QUOTED:
        if part in frame.parts:
            start = rendered.index(part.mark)
            lines = rendered[rendered.rfind("\n", 0, start) + 1 : rendered.find(_END, start)].split("\n")
            if not all(_GUTTER.match(line) for line in lines):
                _refuse("Q1", template, f"a line of the {part.name.lower()} has no `|` before it")
    if _SIGNATURE.search(rendered):
        _refuse("Q1", template, "a line of two hyphens would cut the rest off as a signature")


def _shown(shown: str, part: Part) -> Iterator[tuple[int, int, str]]:
    """Each place where a part shows: its start, its end, its text."""
    for match in re.finditer(f"{part.mark}([^{_END}]*){_END}", shown):
        yield match.start(), match.end(), match[1]


def _same(part: Part, text: str, wanted: str) -> bool:
    """Whether a template left a part as it was: spaces may differ, a label may stand in capitals."""
    squeezed, expected = "".join(text.split()), "".join(wanted.split())
    return squeezed == expected or (part is Part.LABEL and squeezed == "".join(wanted.upper().split()))


def _plain_lines(text: str) -> str:
    """A text part without the gutter of its quotation and the sides of its box."""
    return _GUTTER.sub("", _BOX_END.sub(r"\1", text))


def _refuse(rule: str, template: str, what: str) -> NoReturn:
    refuse(rule, f"templates/{template}: {what}")
