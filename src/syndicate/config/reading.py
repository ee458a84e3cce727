"""``config/syndicate.toml`` and the environment, read and judged as a whole: all faults at once."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path as File
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from syndicate.config import across, outlets
from syndicate.config.environment import overlay, variable
from syndicate.config.faults import FILE, RULE, Scribe
from syndicate.config.lines import CURLY, Path, is_curled, places, syntax_error
from syndicate.config.tables import Tables, is_secret
from syndicate.errors import ConfigError, Fault

M = TypeVar("M", bound=BaseModel)


def load(model: type[M], root: File, environ: Mapping[str, str]) -> M:
    """Read the publication in ``root``.

    Raises
    ------
    ConfigError
        With every fault of file and environment.
    """
    return parse(model, _text(root), environ, lambda name: (root / name).read_text(encoding="utf-8"))


def _text(root: File) -> str:
    try:
        return (root / FILE).read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        right = f"`syndicate init {root}` makes a publication; `-C DIR` names another folder"
        raise ConfigError(Fault(file=FILE, rule=RULE, what=f"there is no such file in {root}", right=right)) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError(
            Fault(file=FILE, line=line, rule=RULE, what="this is not UTF-8 text", right="save the file as UTF-8")
        ) from error
    except OSError as error:
        what = f"the file cannot be read ({error.strerror})"
        raise ConfigError(Fault(file=FILE, rule=RULE, what=what, right="let this user read it")) from error


def parse(model: type[M], text: str, environ: Mapping[str, str], read: Callable[[str], str]) -> M:
    """Judge the file's ``text``; ``read`` gives what a file named by a ``…_FILE`` variable holds.

    Raises
    ------
    ConfigError
        With every fault, those of the file by line.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line, sentence = syntax_error(error, text)
        twice = sentence.startswith("Cannot")  # "Cannot overwrite a value", "Cannot declare … twice"
        right = "this name stands further up already: keep one" if twice else "mend this line; the rest is read after that"
        what = f"not TOML: {sentence}"
        if is_curled("".join(text.split("\n")[line - 1 : line])):
            what, right = CURLY
        raise ConfigError(Fault(file=FILE, line=line, rule=RULE, what=what, right=right)) from error
    lines = places(text)
    # The environment may tell a channel's kind, so the classes are looked up once it is laid over the file.
    first = Tables(model, outlets.classes(outlets.outlets(data)))
    found = outlets.outlets(overlay(data, environ, first, read).data)
    tables = Tables(model, outlets.classes(found))
    laid = overlay(data, environ, tables, read)
    laid.secrets.update(str(value) for _, value in _secrets(data, tables))
    scribe = Scribe(laid, tables, lines)
    faults = [*laid.faults, *(_stands_in_file(path, scribe) for path, _ in _secrets(data, tables))]
    settings: M | None = None
    try:
        settings = model.model_validate(_sealed(laid.data, found))
    except ValidationError as error:
        faults += [scribe.told(one) for one in error.errors(include_url=False)]
    faults += outlets.faults(laid.data, found, scribe)
    faults += across.faults(laid.data, found, scribe)
    if faults or settings is None:
        raise ConfigError(*sorted(set(faults), key=lambda fault: (fault.file != FILE, fault)))
    return settings


def _sealed(data: Mapping[str, Any], found: Mapping[str, outlets.Outlet]) -> dict[str, Any]:
    channels = data.get("channels")
    if not isinstance(channels, dict):
        return dict(data)
    return {
        **data,
        "channels": {name: outlets.sealed(name, table, found) if name in found else table for name, table in channels.items()},
    }


def _secrets(data: Mapping[str, Any], tables: Tables, below: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every secret that stands in the file itself."""
    for key, value in data.items():
        path = (*below, key)
        if isinstance(value, dict):
            yield from _secrets(value, tables, path)
        elif isinstance(value, str) and value and is_secret(key, tables.field(path)):
            yield path, value


def _stands_in_file(path: Path, scribe: Scribe) -> Fault:
    name = variable(path)
    what = f"`{path[-1]}` is a secret, and secrets do not stand in this file"
    return scribe.fault(path, what, f"take it out (and change it); set {name}, or {name}_FILE to the file that holds it")
