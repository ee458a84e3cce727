"""Tokens that a network rotates: one file per account that only we may read. No channel.

A token works once where it renews others, so that only one of all our processes may renew at a time; the new ones are
on the disk before they are used. A crash between leaves what the network itself leaves: the old ones, or a new sign-in.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


class TokenFile:
    """What is kept of one account's session."""

    def __init__(self, path: Path) -> None:
        """Nothing is read or made yet."""
        self._path = path
        self._threads = threading.Lock()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """While the block lasts, no other thread and no other process renews."""
        with self._threads, contextlib.ExitStack() as stack:
            # Where no lock can be had, the folder is not writable, and nothing is kept for others to renew.
            with contextlib.suppress(OSError):
                self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                lock = stack.enter_context(self._path.with_suffix(".lock").open("w", encoding="utf-8"))
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def read(self) -> Mapping[str, Any]:
        """What was kept last; nothing where it cannot be read."""
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return kept if isinstance(kept, dict) else {}

    def keep(self, values: Mapping[str, Any]) -> None:
        """Replace it whole, on the disk before this returns; where it cannot be kept, this process goes on alone."""
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, part = tempfile.mkstemp(dir=self._path.parent, prefix=".", suffix=".part")  # 0600
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(dict(values), file)
                file.flush()
                os.fsync(file.fileno())
            Path(part).replace(self._path)
