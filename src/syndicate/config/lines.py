"""Where each key of a TOML text stands. Reads text that ``tomllib`` has accepted; decides nothing about it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Final, TypeAlias

CURLY: Final = ("the quotation marks are curly", 'type straight ones: "…"')  # what is wrong with them, what would be right
Path: TypeAlias = tuple[str | int, ...]  # ("newsletters", "digest", "from"); integers index arrays

_BLANK: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE: Final = re.compile(r"[ \t]*")
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_BASIC: Final = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_LITERAL: Final = re.compile(r"'[^'\n]*'")
_STRING: Final = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"{0,2}(?!"))' + r"|'''.*?'''(?:'{0,2}(?!'))" + f"|{_BASIC.pattern}|{_LITERAL.pattern}", re.DOTALL
)
_CURLED: Final = re.compile(r"(?:^|[=:,\[{-])[ \t]*[“”„‟‘’‚‛]")
_PLAIN: Final = re.compile(r"[^,\]}#\r\n]*")  # a number, a date, a truth value


class _Reader:
    """Walks a valid TOML text once and notes the line of every key."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 1
        self.counted = 0  # newlines before this offset are in ``line``
        self.places: dict[Path, int] = {}

    def here(self) -> int:
        """The 1-based line of the current offset."""
        self.line += self.text.count("\n", self.counted, self.at)
        self.counted = self.at
        return self.line

    def take(self, pattern: re.Pattern[str]) -> str:
        """Step over what ``pattern`` matches here."""
        match = pattern.match(self.text, self.at)
        if match is None:
            msg = f"not TOML at offset {self.at}"
            raise ValueError(msg)
        self.at = match.end()
        return match.group()

    def skip(self, mark: str) -> bool:
        """Step over ``mark`` where it stands here."""
        found = self.text.startswith(mark, self.at)
        self.at += len(mark) if found else 0
        return found

    def key(self) -> list[str]:
        """A dotted key, each part bare or quoted."""
        parts = []
        while True:
            self.take(_SPACE)
            quote = self.text[self.at : self.at + 1]
            if quote in ("'", '"'):
                parts.append(_unquoted(self.take(_BASIC if quote == '"' else _LITERAL)))
            else:
                parts.append(self.take(_BARE))
            self.take(_SPACE)
            if not self.skip("."):
                return parts

    def note(self, path: Path, line: int) -> None:
        """Remember the first line of ``path`` and of the tables that it opens."""
        for length in range(1, len(path) + 1):
            self.places.setdefault(path[:length], line)

    def pair(self, table: Path) -> None:
        """``key = value``."""
        line = self.here()
        path = (*table, *self.key())
        self.note(path, line)
        self.skip("=")
        self.value(path)

    def value(self, path: Path) -> None:
        """Step over a value, noting what stands inside it."""
        self.take(_SPACE)
        self.places.setdefault(path, self.here())
        if self.skip("["):
            self.array(path)
        elif self.skip("{"):
            self.inline(path)
        elif self.text[self.at : self.at + 1] in ("'", '"'):
            self.take(_STRING)
        else:
            self.take(_PLAIN)

    def array(self, path: Path) -> None:
        """The rest of ``[a, b]``."""
        index = 0
        self.take(_BLANK)
        while not self.skip("]"):
            self.value((*path, index))
            index += 1
            self.take(_BLANK)
            self.skip(",")
            self.take(_BLANK)

    def inline(self, path: Path) -> None:
        """The rest of ``{a = 1}``."""
        self.take(_BLANK)
        while not self.skip("}"):
            self.pair(path)
            self.take(_BLANK)
            self.skip(",")
            self.take(_BLANK)

    def header(self, counts: dict[Path, int]) -> Path:
        """``[table]`` or ``[[array of tables]]``; the path below which the next pairs stand."""
        line = self.here()
        many = self.skip("[[")
        if not many:
            self.skip("[")
        path = _inside(tuple(self.key()), counts, opening=many)
        self.skip("]]" if many else "]")
        self.note(path, line)
        return path

    def read(self) -> dict[Path, int]:
        """The whole text."""
        table: Path = ()
        counts: dict[Path, int] = {}
        self.take(_BLANK)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self.header(counts)
            else:
                self.pair(table)
            self.take(_BLANK)
        return self.places


def _unquoted(text: str) -> str:
    return str(tomllib.loads(f"key = {text}")["key"])


def _inside(names: tuple[str, ...], counts: dict[Path, int], *, opening: bool) -> Path:
    """Put the index of the newest element behind each name that is an array of tables."""
    path: Path = ()
    for number, name in enumerate(names):
        path = (*path, name)
        if opening and number == len(names) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def places(text: str) -> dict[Path, int]:
    """The 1-based line of every table, key and array element of a valid TOML ``text``.

    Raises
    ------
    ValueError
        ``text`` is not TOML.
    """
    return _Reader(text.replace("\r\n", "\n")).read()


def line_of(path: Path, known: Mapping[Path, int]) -> int:
    """The line of ``path``, or of the nearest table around it; 0 where nothing around it stands in the file."""
    for length in range(len(path), 0, -1):
        if path[:length] in known:
            return known[path[:length]]
    return 0


def is_curled(row: str) -> bool:
    """Whether a key or a value of this line begins with a typographic quotation mark, which quotes nothing in TOML or YAML."""
    return _CURLED.search(row) is not None


def syntax_error(error: tomllib.TOMLDecodeError, text: str) -> tuple[int, str]:
    """The line and the sentence of a parser's complaint, which carries them in its message only."""
    sentence, _, where = str(error).partition(" (at ")
    found = re.match(r"line (\d+)", where)
    return (int(found.group(1)) if found else len(text.rstrip().splitlines()) or 1), sentence
