"""Mistakes as people need them told: file, line, what is wrong, what would be right. Never a secret."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final

from pydantic_core import ErrorDetails

from syndicate.config.environment import PLACE, Overlay, variable
from syndicate.config.lines import Path, line_of
from syndicate.config.tables import Tables, is_secret, keys
from syndicate.errors import Fault

FILE: Final = "config/syndicate.toml"
RULE: Final = "settings"
_SHOWN: Final = 60  # characters of a wrong value that a message repeats
_TELLING: Final = 4  # a secret of fewer characters is part of ordinary words
_ITEM: Final = "[key]"  # pydantic's mark for a fault in a mapping's key
_TYPES: Final = {
    "bool": ("is not true or false", "write true or false, without quotation marks"),
    "dict": ("is not a table", "write its keys below a heading of its own"),
    "float": ("is not a number", "write a number, without quotation marks"),
    "int": ("is not a whole number", "write a whole number, without quotation marks"),
    "list": ("is not a list", 'write such as ["one", "two"]'),
    "model": ("is not a table", "write its keys below a heading of its own"),
    "string": ("is not a text", "put it in quotation marks"),
    "tuple": ("is not a list", 'write such as ["one", "two"]'),
}


class Scribe:
    """Turns what is wrong at a path into a Fault that says where."""

    def __init__(self, overlay: Overlay, tables: Tables, places: Mapping[Path, int]) -> None:
        """``places`` are the lines of the file's keys."""
        self._overlay = overlay
        self._tables = tables
        self._places = places

    def fault(self, path: Path, what: str, right: str) -> Fault:
        """A mistake at ``path``."""
        source = next(
            (self._overlay.variables[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self._overlay.variables), ""
        )
        if source:
            return Fault(file=PLACE, rule=RULE, what=f"{source}: {what}", right=right)
        return Fault(file=FILE, line=line_of(path, self._places), rule=RULE, what=what, right=right)

    def unknown(self, path: Path) -> Fault:
        """A key that its table does not have."""
        key, table = str(path[-1]), self._tables.at(path[:-1])
        names = list(keys(table)) if table else []
        close = get_close_matches(key, names, n=1) or get_close_matches(key.lower().replace("-", "_"), names, n=1)
        if close:
            return self.fault(path, f"unknown key `{key}`, did you mean `{close[0]}`?", "")
        right = f"{_heading(path[:-1])} knows {', '.join(sorted(names)) or 'no keys'}"
        return self.fault(path, f"unknown key `{key}`", right)

    def missing(self, path: Path) -> Fault:
        """A key that must be there."""
        key = str(path[-1])
        if is_secret(key, self._tables.field(path)):
            return self.fault(
                path, f"{_named(path)} is missing", f"set {variable(path)}, or {variable(path)}_FILE to the file that holds it"
            )
        if len(path) == 1:
            return self.fault(path, f"the table [{key}] is missing", f"add [{key}] and its keys")
        return self.fault(path, f"{_named(path)} is missing", f"add `{key} = …` below {_heading(path[:-1])}")

    def told(self, error: ErrorDetails, below: Path = ()) -> Fault:
        """One complaint of pydantic's about the table at ``below``."""
        path: Path = (*below, *(part for part in error["loc"] if part != _ITEM))
        if error["type"] == "extra_forbidden":
            return self.unknown(path)
        if error["type"] == "missing":
            return self.missing(path)
        path = self._written(path)
        shown = "" if isinstance(error["input"], dict | list) else str(error["input"])
        name = _heading(path) if isinstance(error["input"], dict) else _named(path)
        what, right = _sentence(error)
        if is_secret(_key(path), self._tables.field(path)) or self._tells(f"{what} {right} {shown}"):
            return self.fault(path, f"{name} is not usable", "its value is secret and not shown here")
        if what.startswith("is "):
            return self.fault(path, " ".join(part for part in (name, _quoted(error["input"]), what) if part), right)
        return self.fault(path, f"{name}: {what}", right)

    def _tells(self, text: str) -> bool:
        """Whether ``text`` holds a secret."""
        return any(len(secret) >= _TELLING and secret in text for secret in self._overlay.secrets)

    def _written(self, path: Path) -> Path:
        """The part of ``path`` that the file spells out: a bare schedule has no key ``at``."""
        here: Any = self._overlay.data
        for depth, part in enumerate(path):
            spelled = part in here if isinstance(here, dict) else isinstance(here, list)
            if not spelled:
                return path[:depth] or path
            here = here[part]
        return path


def _key(path: Path) -> str:
    """The innermost key: an element is known by its list."""
    return next((part for part in reversed(path) if isinstance(part, str)), "")


def _heading(path: Path) -> str:
    return f"[{'.'.join(str(part) for part in path)}]" if path else "the file"


def _named(path: Path) -> str:
    """`` `key` in [table] ``."""
    names = [part for part in path if isinstance(part, str)]
    if len(names) < 2:  # noqa: PLR2004 - a table of the top level has no table around it
        return _heading(tuple(names))
    return f"`{names[-1]}` in {_heading(tuple(names[:-1]))}"


def _quoted(value: object) -> str:
    """A wrong value, short; a table is not repeated."""
    if isinstance(value, dict | list):
        return ""
    text = (
        " ".join(str(value).split())
        if isinstance(value, str)
        else str(value).lower()
        if isinstance(value, bool)
        else str(value)
    )
    return f'("{text[:_SHOWN]}{"…" if len(text) > _SHOWN else ""}")'


def _sentence(error: ErrorDetails) -> tuple[str, str]:
    """What is wrong, and what would be right."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "value_error":
        what, _, right = str(context.get("error", error["msg"])).partition("; ")
        return what, right
    if kind in {"literal_error", "enum"}:
        allowed = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        return "is not known", "write one of " + ", ".join(f'"{word}"' for word in allowed)
    bounds = {
        "greater_than": "more than",
        "greater_than_equal": "at least",
        "less_than": "less than",
        "less_than_equal": "at most",
    }
    if kind in bounds:
        return "is out of range", f"write a number that is {bounds[kind]} {next(iter(context.values()))}"
    return _TYPES.get(kind.partition("_")[0], ("is not usable", error["msg"]))
