"""Settings from the environment: ``SYNDICATE_SECTION__KEY``, or ``…_FILE`` for the file that holds a secret."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

from syndicate.config.lines import Path
from syndicate.config.tables import Tables, is_list, is_named, is_secret
from syndicate.errors import Fault

PREFIX: Final = "SYNDICATE_"
PART: Final = "__"  # every setting stands in a section: a variable without it means something else
FROM_FILE: Final = "_FILE"
PLACE: Final = "environment"  # what a fault names in a file's place


@dataclass(kw_only=True)
class Overlay:
    """The file's values with the environment's laid over them."""

    data: dict[str, Any]
    variables: dict[Path, str] = field(default_factory=dict)  # where a value came from a variable, its name
    secrets: set[str] = field(default_factory=set)  # what no message may repeat
    faults: list[Fault] = field(default_factory=list)

    def put(self, path: Path, value: object) -> bool:
        """Set one value; ``False`` where something on the way is no table."""
        table = self.data
        for part in path[:-1]:
            inner = table.setdefault(str(part), {})
            if not isinstance(inner, dict):
                return False
            table = inner
        table[str(path[-1])] = value
        return True

    def blame(self, variable: str, what: str, right: str) -> None:
        """Record a mistake in a variable."""
        self.faults.append(Fault(file=PLACE, rule="settings", what=f"{variable}: {what}", right=right))


def variable(path: Path) -> str:
    """The variable that sets the key at ``path``."""
    return PREFIX + PART.join(str(part) for part in path).upper()


def overlay(data: Mapping[str, Any], environ: Mapping[str, str], tables: Tables, read: Callable[[str], str]) -> Overlay:
    """Lay every setting of ``environ`` over ``data``; ``read`` gives the text of the file that a ``…_FILE`` names."""
    result = Overlay(data=deepcopy(dict(data)))
    for name in sorted(environ):
        if name.startswith(PREFIX) and PART in name:
            _lay(result, name, environ, tables, read)
    return result


def _lay(result: Overlay, name: str, environ: Mapping[str, str], tables: Tables, read: Callable[[str], str]) -> None:
    value = environ[name]
    path: Path = tuple(name.removeprefix(PREFIX).lower().split(PART))
    if name.endswith(FROM_FILE) and tables.field(path) is None:
        path = (*path[:-1], str(path[-1]).removesuffix(FROM_FILE.lower()))
        if name.removesuffix(FROM_FILE) in environ:
            result.blame(name, f"{name.removesuffix(FROM_FILE)} is set too", "keep one of the two")
            return
        try:
            value = read(value).removesuffix("\n").removesuffix("\r")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            result.blame(
                name, f"the file that it names cannot be read ({reason})", "name a readable file that holds the value alone"
            )
            return
        result.secrets.add(value)
    known = tables.field(path)
    if known is None or is_secret(str(path[-1]), known):
        result.secrets.add(value)
    if _is_named_here(result, name, path, tables):
        if result.put(path, _typed(value, path, tables)):
            result.variables[path] = name
        else:
            result.blame(name, "it sets a key inside something that is no table", f"set {variable(path[:-1])} instead")


def _is_named_here(result: Overlay, name: str, path: Path, tables: Tables) -> bool:
    """The environment fills in tables that the file names; it does not name new ones."""
    for depth in range(1, len(path)):
        here: Any = result.data
        for part in path[:depth]:
            here = here.get(str(part), {}) if isinstance(here, dict) else {}
        if tables.holds_names(path[:depth]) and isinstance(here, dict) and path[depth] not in here:
            section, wanted = ".".join(map(str, path[:depth])), str(path[depth])
            close = get_close_matches(wanted, [str(key) for key in here], n=1)
            right = f"did you mean [{section}.{close[0]}]?" if close else f"give it a table [{section}.{wanted}] first"
            result.blame(name, f"there is no [{section}.{wanted}] in the file", right)
            return False
    return True


def _typed(value: str, path: Path, tables: Tables) -> object:
    """A list is told as a JSON array, or with commas; everything else is read by its field."""
    known = tables.field(path)
    if not is_list(known) or is_named(known):
        return value
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except ValueError:
            return value  # the field then says that this is no list
    return [part.strip() for part in value.split(",") if part.strip()]
