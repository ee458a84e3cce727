"""Front matter as a tree of texts with line numbers: YAML, TOML and Pelican's metadata lines.

Scalars stay as they were written: what ``no``, ``0412`` or ``2026-11-22`` means is for the field's
reader to say (``sources/fields.py``), so that the language Norwegian is not a refusal. Never shows
what a file says in a fault: it may be a quote's words.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final, Literal, NamedTuple, NoReturn, TypeAlias

import yaml

from syndicate.config.lines import CURLY, is_curled
from syndicate.errors import Fault, SourceError

Value: TypeAlias = "str | tuple[Node, ...] | dict[str, Node] | None"

_LOADER: Final[Any] = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # the base loaders resolve nothing: all is text
_MOST_CHARACTERS: Final = 262_144  # of front matter
_MOST_NODES: Final = 20_000
_MOST_DEPTH: Final = 20
_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_OPEN: Final = re.compile(r"\n*(---|\+\+\+)[ \t]*(?:\n|\Z)")
_CLOSE: Final = {
    "---": re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.MULTILINE),  # Jekyll and Pandoc accept dots too
    "+++": re.compile(r"^\+\+\+[ \t]*$", re.MULTILINE),
}
_TAG: Final = re.compile(r"!|tag:yaml\.org,2002:(str|int|float|bool|null|timestamp|seq|map)")
_PELICAN: Final = re.compile(r" {0,3}([A-Za-z][\w-]*):[ \t]*(.*)")
_TOML_KEY: Final = re.compile(r"""[ \t]*(?:"([^"]+)"|'([^']+)'|([\w-]+))[ \t]*[=.]""")
_TOML_TABLE: Final = re.compile(r"[ \t]*(\[\[?)[ \t]*([\w.\"' -]+?)[ \t]*\]\]?")
_TOML_LINE: Final = re.compile(r" *\(at (?:line (\d+), column \d+|end of document)\)")
_ADVICE: Final = {
    "yaml": "put a text that holds a colon in quotes, indent with spaces, and close every quote and bracket",
    "toml": 'write key = "text", one on a line, with every quote and bracket closed',
}


class Node(NamedTuple):
    """A value and where it stands. A tuple, for there are dozens in a file and thousands of files."""

    value: Value
    line: int  # 1-based, in the file; of the key where it has one
    plain: bool = False  # an unquoted scalar


@dataclass(frozen=True, kw_only=True, slots=True)
class Matter:
    """A file taken apart. Keys are lower-case with ``_`` for ``-``, at every depth."""

    dialect: Literal["yaml", "toml", "pelican"]
    fields: Mapping[str, Node]
    body: str


def parse(text: str, *, file: str) -> Matter | None:
    """Take ``text`` (lines end with a line feed, no BOM) apart; ``None`` where it has no front matter.

    Raises
    ------
    SourceError
        The front matter is never closed, too large, or not the language that its fence says.
    """
    opening = _OPEN.match(text)
    if opening is None:
        return _pelican(text, file)
    fence, begin = opening[1], opening.end()
    line = text.count("\n", 0, opening.start(1)) + 1
    closing = _CLOSE[fence].search(text, begin)
    if closing is None:
        _refuse(file, line, "the front matter is never closed", f"end it with a line {fence}")
    if closing.start() - begin > _MOST_CHARACTERS:
        _refuse(file, line, "the front matter is larger than 256 KB", "put the text below the closing line")
    inner, body = text[begin : closing.start()], text[closing.end() + 1 :]
    if fence == "---":
        return Matter(dialect="yaml", fields=_Yaml(file, line + 1).read(inner), body=body)
    return Matter(dialect="toml", fields=_toml(inner, file, line + 1), body=body)


class _Yaml:
    """Builds the tree from the parser's events: composing recurses in C, and deep nesting ends the process there."""

    def __init__(self, file: str, first: int) -> None:
        self._file = file
        self._first = first
        self._nodes = 0
        self._anchors: dict[str, Node] = {}

    def read(self, text: str) -> dict[str, Node]:
        try:
            return self._document(_LOADER(text))
        except yaml.MarkedYAMLError as error:
            # A quote that is never closed is found out at the end; where it was opened is of more use.
            mark = error.context_mark if "end of stream" in (error.problem or "") else error.problem_mark
            line = self._first + (mark.line if mark else 0)
            _refuse_syntax(self._file, line, text, line - self._first, f"this is not YAML: {_words(error.problem)}", "yaml")
        except yaml.reader.ReaderError as error:
            line = self._first + text.count("\n", 0, error.position)
            _refuse(self._file, line, "a control character stands in the front matter", "delete it")

    def _document(self, loader: Any) -> dict[str, Node]:  # noqa: ANN401 - either of two loaders
        try:
            while not loader.check_event(yaml.DocumentStartEvent, yaml.StreamEndEvent):
                loader.get_event()
            if loader.check_event(yaml.StreamEndEvent):
                return {}
            loader.get_event()
            root = self._node(loader, loader.get_event(), 0)
            if not loader.check_event(yaml.DocumentEndEvent):
                self._refuse(loader.peek_event(), "the front matter goes on after its end", _ADVICE["yaml"])
            loader.get_event()
            if not loader.check_event(yaml.StreamEndEvent):
                self._refuse(loader.peek_event(), "a second document stands in the front matter", "keep one")
        finally:
            loader.dispose()
        if root.value is None:
            return {}
        if not isinstance(root.value, dict):
            _refuse(self._file, root.line, "the front matter is not a list of keys", "write key: value, one on a line")
        return root.value

    def _node(self, loader: Any, event: Any, depth: int) -> Node:  # noqa: ANN401
        self._nodes += 1
        if depth > _MOST_DEPTH or self._nodes > _MOST_NODES:
            self._refuse(event, "the front matter is nested too deeply or repeats itself without end", "write it out")
        kind, line = type(event), self._line(event)
        if kind is yaml.AliasEvent:
            return self._alias(event)
        if event.tag is not None and not _TAG.fullmatch(event.tag):
            self._refuse(event, "a YAML tag stands before a value", "delete the word that begins with !")
        if kind is yaml.ScalarEvent:
            plain = not event.style and event.tag is None
            node = Node(None if plain and event.value in _NULL else event.value, line, plain)
        elif kind is yaml.SequenceStartEvent:
            node = Node(self._sequence(loader, depth), line)
        else:
            node = Node(self._mapping(loader, depth), line)
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _alias(self, event: Any) -> Node:  # noqa: ANN401
        node = self._anchors.get(event.anchor)
        if node is None:
            self._refuse(event, "an alias names no anchor above it", "put a text that begins with * in quotes")
        # What an alias stands for counts again: a few lines may otherwise mean millions of values.
        self._nodes += _size(node)
        return node

    def _sequence(self, loader: Any, depth: int) -> tuple[Node, ...]:  # noqa: ANN401
        nodes = []
        while type(event := loader.get_event()) is not yaml.SequenceEndEvent:
            nodes.append(self._node(loader, event, depth + 1))
        return tuple(nodes)

    def _mapping(self, loader: Any, depth: int) -> dict[str, Node]:  # noqa: ANN401
        found: dict[str, Node] = {}
        while type(key := loader.get_event()) is not yaml.MappingEndEvent:
            if type(key) is not yaml.ScalarEvent:
                self._refuse(key, "a key is a list or a mapping", "write key: value")
            if key.value == "<<":
                self._refuse(key, "merge keys are not read", "write the keys out")
            if is_curled(key.value[:1]):
                self._refuse(key, *CURLY)
            node = self._node(loader, loader.get_event(), depth + 1)
            _add(found, key.value, Node(node.value, self._line(key), node.plain), self._file)
        return found

    def _line(self, event: Any) -> int:  # noqa: ANN401
        return self._first + int(event.start_mark.line)

    def _refuse(self, event: Any, what: str, right: str) -> NoReturn:  # noqa: ANN401
        _refuse(self._file, self._line(event), what, right)


def _size(node: Node) -> int:
    if isinstance(node.value, dict):
        return 1 + sum(_size(child) for child in node.value.values())
    if isinstance(node.value, tuple):
        return 1 + sum(_size(child) for child in node.value)
    return 1


def _toml(text: str, file: str, first: int) -> dict[str, Node]:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _TOML_LINE.search(str(error))
        row = int(place[1]) - 1 if place and place[1] else text.rstrip("\n").count("\n")
        _refuse_syntax(file, first + row, text, row, f"this is not TOML: {_words(_TOML_LINE.sub('', str(error)))}", "toml")
    except RecursionError:
        _refuse(file, first, "the front matter is nested too deeply", "write it out")
    return _table(data, (), _toml_lines(text, first), file, first)


def _toml_lines(text: str, first: int) -> dict[tuple[str, ...], int]:
    """Where each key stands: (table, …, key) -> line; an array of tables counts ``[0]``, ``[1]`` and so on."""
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    counts: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(text.split("\n"), first):
        if header := _TOML_TABLE.match(line):
            table = tuple(part.strip("\"' ") for part in header[2].split("."))
            lines.setdefault(table, number)
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, f"[{counts[table]}]")
        elif key := _TOML_KEY.match(line):
            lines.setdefault((*table, key[1] or key[2] or key[3]), number)
    return lines


def _table(
    data: Mapping[str, Any], where: tuple[str, ...], lines: Mapping[tuple[str, ...], int], file: str, line: int
) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for key, value in data.items():
        path = (*where, key)
        at = lines.get(path, line)
        _add(found, key, _toml_node(value, path, lines, file, at), file)
    return found


def _toml_node(
    value: Any,  # noqa: ANN401 - what tomllib makes
    path: tuple[str, ...],
    lines: Mapping[tuple[str, ...], int],
    file: str,
    line: int,
) -> Node:
    if len(path) > _MOST_DEPTH:
        _refuse(file, line, "the front matter is nested too deeply", "write it out")
    if isinstance(value, dict):
        return Node(_table(value, path, lines, file, line), line)
    if isinstance(value, list):
        children = ((child, (*path, f"[{index}]")) for index, child in enumerate(value))
        return Node(tuple(_toml_node(child, below, lines, file, lines.get(below, line)) for child, below in children), line)
    if isinstance(value, bool):
        return Node("true" if value else "false", line, plain=True)
    if isinstance(value, (datetime, date, time)):
        return Node(value.isoformat(), line, plain=True)
    return Node(str(value), line, plain=not isinstance(value, str))


def _pelican(text: str, file: str) -> Matter | None:
    """Pelican's ``Title: …`` lines up to the first blank one; only where a title and a date are among them."""
    found: dict[str, Node] = {}
    last = ""
    start = len(text) - len(text.lstrip("\n"))
    head, _, body = text[start:].partition("\n\n")
    for line, row in enumerate(head.split("\n"), start + 1):
        if match := _PELICAN.fullmatch(row):
            last = _name(match[1])
            _add(found, last, Node(match[2].strip() or None, line), file)
        elif last and row.startswith((" ", "\t")):
            found[last] = Node(f"{found[last].value or ''} {row.strip()}".strip(), found[last].line)
        else:
            return None
    if "title" not in found or "date" not in found:
        return None
    return Matter(dialect="pelican", fields=found, body=body)


def _name(key: str) -> str:
    return key.strip().lower().replace("-", "_")


def _add(found: dict[str, Node], key: str, node: Node, file: str) -> None:
    name = _name(key)
    if name in found:
        _refuse_twice(file, node.line, name, found[name].line)
    found[name] = node


def _refuse_twice(file: str, line: int, name: str, before: int) -> NoReturn:
    # A key is named where it looks like one: in a broken quote file it may be a piece of the words.
    shown = f"the key {name}" if re.fullmatch(r"\w{1,20}", name) else "a key"
    _refuse(file, line, f"{shown} is written twice, first in line {before}", "keep one of them")


def _words(problem: str | None) -> str:
    """The parser's reason without anything that it cites."""
    reason = re.sub(r"""\(?(['"`]).*\1,?\)?""", "something", problem or "it cannot be read")
    return reason[:1].lower() + reason[1:]


def _refuse_syntax(file: str, line: int, text: str, row: int, what: str, language: str) -> NoReturn:
    curled = is_curled("".join(text.split("\n")[row : row + 1]))
    _refuse(file, line, *(CURLY if curled else (what, _ADVICE[language])))


def _refuse(file: str, line: int, what: str, right: str) -> NoReturn:
    raise SourceError(Fault(file=file, line=line, rule="front-matter", what=what, right=right))
