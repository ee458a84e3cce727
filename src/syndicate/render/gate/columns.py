"""Lines of a text that stand in columns: wrapped and padded by what a terminal or mail client shows."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Final

_INVISIBLE: Final = frozenset({"Mn", "Me", "Cf", "Cn"})  # Cn: the noncharacters with which the quote gate marks a text
_WIDE: Final = 2  # columns


def columns(text: str) -> int:
    """The width of a text in columns: wide characters count two, marks and invisible ones none."""
    return sum(_width(character) for character in text)


def wrap(text: str, width: int) -> list[str]:
    """The text in lines of at most ``width`` columns; a word longer than that is broken only in scripts without spaces."""
    lines: list[str] = []
    line, used = "", 0
    for space, piece in _pieces(text):
        glue, size = space if line else "", columns(piece)
        if line and used + len(glue) + size > width:
            lines.append(line)
            line, used, glue = "", 0, ""
        line += glue + piece
        used += len(glue) + size
    return [*lines, line] if line else lines


def pad(text: str, width: int) -> str:
    """The text with spaces after it up to ``width`` columns."""
    return text + " " * (width - columns(text))


def _width(character: str) -> int:
    if character.isascii():
        return 1
    if unicodedata.category(character) in _INVISIBLE:
        return 0
    return _WIDE if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """What must stay on one line, each with the space before it."""
    for word in text.split():
        start, glue = 0, " "
        for place in range(1, len(word)):
            if _width(word[place]) == _WIDE and word[place - 1] not in "“‘«„([" and unicodedata.category(word[place]) == "Lo":
                yield glue, word[start:place]
                start, glue = place, ""
        yield glue, word[start:]
