"""A build from nothing to the documents that readers subscribe to, in a process of its own: ``cold.py PUBLICATION``.

It loads what `syndicate feeds` loads, and prints milliseconds of wall clock and of the processor, and megabytes, as JSON.
"""

from __future__ import annotations

import json
import resource
import shutil
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from syndicate.app import open_app
from syndicate.channels.files import Files
from syndicate.model import Document
from syndicate.publish import feeds
from syndicate.publish.kept import Memory

NOW = datetime(2030, 1, 1, tzinfo=UTC)
WRITE = Files.write


class Reached(Exception):
    """The subscription documents are on the disk."""


def stop_at_archives(files: Files, document: Document, *, pack: bool = True) -> list[str]:
    if document.name != "feeds" and not any("archive" in path for path in document.files):
        return WRITE(files, document, pack=pack)
    raise Reached


def main(root: Path) -> None:
    for folder in ("var", "feeds"):
        shutil.rmtree(root / folder, ignore_errors=True)
    wall, processor = time.perf_counter(), time.process_time()
    with open_app(root, at=NOW, environ={}) as app:
        app.content.sync(app.sources, NOW)
        Files.write = stop_at_archives  # type: ignore[method-assign]
        with suppress(Reached):
            feeds.publish(app, NOW, Memory())
    spent = ((time.perf_counter() - wall) * 1000, (time.process_time() - processor) * 1000)
    print(json.dumps([*spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))


main(Path(sys.argv[1]))
