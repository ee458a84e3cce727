"""What a settings class knows: the keys of each table, which hold secrets, which hold lists. Walks classes, reads no file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from syndicate.config.lines import Path

_SECRET_NAME: Final = re.compile(r"(?:^|_)(?:password|passphrase|secret|token|credential|credentials|api_key|private_key)$")


def keys(table: type[BaseModel]) -> dict[str, FieldInfo]:
    """The keys of a table as they are written in the file."""
    return {field.alias or name: field for name, field in table.model_fields.items()}


def _parts(annotation: Any) -> Iterator[Any]:  # noqa: ANN401 - any annotation there is
    """An annotation and everything inside it."""
    yield annotation
    for part in get_args(annotation):
        yield from _parts(part)


def is_secret(name: str, field: FieldInfo | None) -> bool:
    """Whether a key holds what only the environment may tell."""
    held = () if field is None else _parts(field.annotation)
    return _SECRET_NAME.search(name) is not None or any(part is SecretStr for part in held)


def is_sealed(field: FieldInfo | None) -> bool:
    """Whether the class itself seals the value (``SecretStr``)."""
    return field is not None and any(part is SecretStr for part in _parts(field.annotation))


def is_list(field: FieldInfo | None) -> bool:
    """Whether a key holds a list."""
    return field is not None and any((get_origin(part) or part) in {tuple, list} for part in _parts(field.annotation))


def is_named(field: FieldInfo | None) -> bool:
    """Whether a key holds tables with names of the editor's own, such as ``[channels.NAME]``."""
    return field is not None and get_origin(field.annotation) is dict


class Tables:
    """Every table of the file: the sections of ``model``, and those that depend on a value (``[channels.NAME]``)."""

    def __init__(self, model: type[BaseModel], more: Mapping[Path, type[BaseModel]]) -> None:
        """``more`` gives the class of the table at a path that the annotations leave open."""
        self._model = model
        self._more = more

    def at(self, path: Path) -> type[BaseModel] | None:
        """The class of the table at ``path``, or ``None`` where no table is known there."""
        table: type[BaseModel] | None = self._model
        named = False  # inside a dict of named tables: the next part is a name
        field: FieldInfo | None = None
        for depth, part in enumerate(path, 1):
            if path[:depth] in self._more:
                table, named = self._more[path[:depth]], False
            elif named:
                table, named = _table(field), False
            elif table is not None:
                field = keys(table).get(str(part))
                named = is_named(field)
                table = None if named else _table(field)
            else:
                return None
        return table

    def field(self, path: Path) -> FieldInfo | None:
        """The field of the key at ``path``."""
        table = self.at(path[:-1]) if path else None
        return None if table is None else keys(table).get(str(path[-1]))

    def holds_names(self, path: Path) -> bool:
        """Whether the keys below ``path`` are names of the editor's own."""
        return is_named(self.field(path))


def _table(field: FieldInfo | None) -> type[BaseModel] | None:
    if field is None:
        return None
    found = (part for part in _parts(field.annotation) if isinstance(part, type) and issubclass(part, BaseModel))
    return next(found, None)
