"""The tables ``[channels.NAME]``: each belongs to the settings class of its kind, found by entry point."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from syndicate.config.faults import Scribe
from syndicate.config.lines import Path
from syndicate.config.tables import is_sealed, keys
from syndicate.errors import Fault

GROUP: Final = "syndicate.channels"
STAND_IN: Final = "outbox"  # the kind that writes what another kind (its ``like``) would send


class _KindAlone(BaseModel):
    """A channel whose kind is not known: nothing can be said about its other keys."""

    model_config = ConfigDict(extra="allow")


@dataclass(frozen=True, kw_only=True, slots=True)
class Outlet:
    """One configured channel, as far as its settings tell."""

    table: type[BaseModel]  # the settings class of its kind, without ``kind``
    carries: str  # "post" | "message" | "document"; "" where it cannot be told
    wrong: str = ""  # what is wrong with its kind
    right: str = ""


@cache
def known() -> Mapping[str, EntryPoint]:
    """The kinds of channel that are installed, ours and others', not yet loaded; every package's list is read for it, once."""
    return {point.name: point for point in entry_points(group=GROUP)}


def outlets(data: Mapping[str, Any]) -> dict[str, Outlet]:
    """The class and cargo of every ``[channels.NAME]`` that is a table."""
    channels = data.get("channels")
    found = channels if isinstance(channels, dict) else {}
    return {str(name): _outlet(table) for name, table in found.items() if isinstance(table, dict)}


def _outlet(table: Mapping[str, Any]) -> Outlet:
    kind, points = table.get("kind"), known()
    listed = ", ".join(f'"{name}"' for name in sorted(points))
    if kind is None:
        return Outlet(table=_KindAlone, carries="", wrong="is missing", right=f"write `kind = …`, one of {listed}")
    if not isinstance(kind, str) or kind not in points:
        close = get_close_matches(str(kind), points, n=1)
        right = f"did you mean `{close[0]}`?" if close else f"write one of {listed}"
        return Outlet(table=_KindAlone, carries="", wrong=f'("{kind}") is not known', right=right)
    try:
        factory = points[kind].load()
        like = table.get("like")
        cargo = points[like].load() if kind == STAND_IN and isinstance(like, str) and like in points else factory
    except ImportError as error:
        right = "install the package that brings it"
        return Outlet(table=_KindAlone, carries="", wrong=f'("{kind}") cannot be loaded: {error}', right=right)
    carries = cargo.carries if isinstance(cargo.carries, str) else ""
    return Outlet(table=factory.Settings, carries=carries)


def classes(found: Mapping[str, Outlet]) -> dict[Path, type[BaseModel]]:
    """The class of each table, by its path."""
    return {("channels", name): outlet.table for name, outlet in found.items()}


def faults(data: Mapping[str, Any], found: Mapping[str, Outlet], scribe: Scribe) -> Iterator[Fault]:
    """Every mistake inside the channels' tables."""
    for name, outlet in found.items():
        path: Path = ("channels", name)
        if outlet.wrong:
            yield scribe.fault((*path, "kind"), f"`kind` in [channels.{name}] {outlet.wrong}", outlet.right)
        try:
            outlet.table.model_validate(_without_kind(data["channels"][name]))
        except ValidationError as error:
            yield from (scribe.told(one, path) for one in error.errors(include_url=False))


def sealed(name: str, table: Mapping[str, Any], found: Mapping[str, Outlet]) -> dict[str, Any]:
    """A channel's values with its secrets sealed, so that printing the settings shows none."""
    fields = keys(found[name].table)
    return {
        key: SecretStr(value) if isinstance(value, str) and is_sealed(fields.get(key)) else value
        for key, value in table.items()
    }


def _without_kind(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key != "kind"}
