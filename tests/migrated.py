"""An empty database of today's schema, made once in a process and copied: migrating anew takes each test longer than its own work."""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path

from syndicate.store import migrate
from syndicate.store.database import Store

PLACE = "var/syndicate.db"  # where the settings' default puts it


@cache
def _empty() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="syndicate-tests-")
    _KEPT.append(folder)  # it goes when the process does
    store = Store(Path(folder.name) / "empty.db")
    try:
        migrate.ensure(store)
    finally:
        store.close()
    return Path(folder.name) / "empty.db"


_KEPT: list[tempfile.TemporaryDirectory[str]] = []


def migrated(root: Path) -> None:
    """Give a publication that has no database an empty one. It is not begun by that: its start mark is still to come."""
    if not (root / PLACE).exists():
        (root / PLACE).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_empty(), root / PLACE)
