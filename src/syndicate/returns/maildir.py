"""A Maildir, looked into: nothing in it is moved, renamed, marked or deleted."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from syndicate.errors import Unreachable
from syndicate.returns.parts import MOST_BYTES

_FOLDERS = ("new", "cur")


def names(folder: Path) -> dict[str, Path]:
    """Every mail by the part of its file's name that never changes.

    Raises
    ------
    Unreachable
        There is no Maildir, or it may not be read.
    """
    found: dict[str, Path] = {}
    try:
        for place in _FOLDERS:
            for entry in os.scandir(folder / place):
                if not entry.name.startswith(".") and entry.is_file(follow_symlinks=False):
                    found[os.fsencode(entry.name.partition(":")[0]).decode("latin-1")] = Path(entry.path)
    except OSError as error:
        msg = f"The Maildir {folder} cannot be read ({error.strerror})."
        raise Unreachable(msg, advice="Check `maildir` under [returns], and that this user may read it.") from error
    return found


def mails(present: dict[str, Path], stopped: Callable[[], bool]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each mail; one that has gone since it was listed is passed over."""
    for name in sorted(present):
        if stopped():
            return
        try:
            with present[name].open("rb") as file:
                data = file.read(MOST_BYTES)
        except OSError:
            continue
        yield name, data
