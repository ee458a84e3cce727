"""Where the starter publication stands: in the wheel, or at the top of a checkout. Reads nothing else, writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from syndicate.errors import ConfigError, Fault

FOLDERS: Final = ("config", "content", "templates", "feeds")  # a publication's own, in the order of its listing
_PROOF: Final = "config/syndicate.toml"
_FEEDS_KEPT: Final = frozenset({"feed.css", ".gitkeep"})  # a checkout's feeds/ may hold rendered feeds


def folder() -> Path:
    """The folder that holds the starter's ``config/``, ``content/``, ``templates/`` and ``feeds/``.

    Raises
    ------
    ConfigError
        The installation has lost it.
    """
    package = Path(__file__).resolve().parent
    for place in (package / "starter", package.parents[1]):
        if (place / _PROOF).is_file():
            return place
    what = "this installation carries no starter publication"
    raise ConfigError(Fault(file=str(package / "starter"), rule="starter", what=what, right="install the package again"))


def files() -> Iterator[tuple[str, Path]]:
    """Every file of the starter as (path below the publication, POSIX; where it stands), in the order of the paths."""
    root = folder()
    for name in FOLDERS:
        for path in sorted((root / name).rglob("*")):
            if path.is_file() and (name != "feeds" or path.name in _FEEDS_KEPT) and "__pycache__" not in path.parts:
                yield path.relative_to(root).as_posix(), path
