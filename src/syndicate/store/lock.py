"""One ``run`` per database: an advisory lock on a file beside it, which the kernel frees when the process dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from syndicate.errors import StoreError


class RunLock:
    """Held by the process that sends."""

    def __init__(self, database: Path) -> None:
        """Name the database; nothing is locked yet."""
        self._path = database.with_name(f"{database.name}.lock")
        self._file: int | None = None

    def __enter__(self) -> Self:
        """Take the lock, or say who has it.

        Raises
        ------
        StoreError
            Another process runs on this database.
        """
        if not self.take():
            pid = self._path.read_text(encoding="ascii").strip() or "unknown"
            msg = f"another `syndicate run` (process {pid}) works on this database; stop it first"
            raise StoreError(msg)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Free it."""
        self.free()

    def take(self) -> bool:
        """Take the lock at once; ``False`` where another process has it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        os.truncate(file, 0)
        os.pwrite(file, str(os.getpid()).encode(), 0)
        self._file = file
        return True

    def free(self) -> None:
        """Free the lock; harmless where it is not held."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
