"""The independent witness: a mail server and three strict networks in a process of their own.

What they accept is written down before it is answered. Nothing of the ledger is known here. Its first line says where it
listens; each line that it is told sets how it behaves (sink.Manner) and is answered; it ends with its standard input.

    python witness.py LOG SEED
"""

from __future__ import annotations

import json
import os
import random
import re
import sys
import time
from pathlib import Path
from typing import Any

from sink import Manner, Sink

from syndicate.testing import FakeBluesky, FakeMastodon, FakeX, Network

ITEM = re.compile(r"https?://[^\s\"<>/]+/((?:briefs|quotes)/[a-z0-9-]+)")
NETWORK_FAULTS = ("before_accept", "after_accept", "half_body", "429", "500")


class Book:
    """One line for each thing accepted, and for each fault that was made."""

    def __init__(self, path: Path, seed: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.chance = random.Random(seed)
        self.faults = 0.0

    def write(self, *, text: str = "", **line: object) -> None:
        """``text``: of a mail, of which the items that it leads to are kept."""
        more = {} if "fault" in line or "items" in line else {"items": items(text)}
        os.write(self._file, json.dumps({**line, **more, "at": time.time()}).encode() + b"\n")

    def fault(self, among: tuple[str, ...], where: str) -> str:
        """A fault, now and then; "" for none."""
        found = self.chance.choice(among) if self.chance.random() < self.faults else ""
        if found:
            self.write(fault=found, where=where)
        return found


def items(text: str) -> list[str]:
    """The items that a text leads to: ``briefs/SLUG``, ``quotes/SLUG``."""
    return sorted(set(ITEM.findall(text)))


def watched(kind: type[Network], name: str, book: Book) -> Network:
    """A strict network whose accepted posts are written down."""

    class Watched(kind):  # type: ignore[misc, valid-type]
        def witness(self, **seen: Any) -> Any:
            told = json.dumps([seen["data"], seen["text"]])
            book.write(where=name, to=name, id=seen["id"], items=items(told))
            return super().witness(**seen)

        async def _app(self, scope: Any, receive: Any, send: Any) -> None:
            if scope["method"] == "POST" and not self._faults:
                fault = book.fault(NETWORK_FAULTS, name)
                if fault:
                    self.fail_next(fault)
            await super()._app(scope, receive, send)

    return Watched()


def main(log: str, seed: str) -> None:
    """Listen until standard input ends."""
    book = Book(Path(log), seed)
    sink = Sink(book.write, book.fault, book.chance.random)
    networks = {
        name: watched(kind, name, book) for name, kind in (("x", FakeX), ("mastodon", FakeMastodon), ("bluesky", FakeBluesky))
    }
    for network in networks.values():
        network.__enter__()
    print(json.dumps({"mail": sink.port, **{name: network.url for name, network in networks.items()}}), flush=True)
    for line in sys.stdin:
        sink.manner = Manner(**json.loads(line))
        book.faults = sink.manner.faults
        print("true", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
    os._exit(0)  # the servers' threads need no goodbye
