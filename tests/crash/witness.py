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
WORD = re.compile(r"\b([a-z0-9-]+)_(corrected|part\d)\b")  # of an editor, about a brief
PICTURE = re.compile(r'"media_ids": ?\["|"thumb"')  # that a post's request names one
NETWORK_FAULTS = ("before_accept", "after_accept", "half_body", "429", "500")


class Book:
    """One line for each thing accepted, and for each fault that was made."""

    def __init__(self, path: Path, seed: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.chance = random.Random(seed)
        self.faults = 0.0

    def write(self, *, text: str = "", **line: object) -> None:
        """``text``: of a mail, of which the items that it leads to are kept."""
        more = {"items": items(text), "told": told(text)} if text else {}
        os.write(self._file, json.dumps({**line, **more, "at": time.time()}).encode() + b"\n")

    def fault(self, among: tuple[str, ...], where: str) -> str:
        """A fault, now and then; "" for none."""
        found = self.chance.choice(among) if self.chance.random() < self.faults else ""
        if found:
            self.write(fault=found, where=where)
        return found


def items(text: str) -> list[str]:
    """What a text is for: the items that it leads to, a part of a brief's thread, or the correction of one.

    ``briefs/SLUG``, ``quotes/SLUG``, ``SLUG_part2``, ``SLUG_corrected``. An edition that tells of a correction in passing
    leads to other items too, and is for those.
    """
    links, about = set(ITEM.findall(text)), {f"briefs/{slug}": f"{slug}_corrected" for slug in told(text)}
    parts = {f"{slug}_{word}" for slug, word in WORD.findall(text) if word != "corrected"}
    return sorted({about[link] for link in links} if links and links <= about.keys() else links - about.keys() | parts)


def told(text: str) -> list[str]:
    """The briefs of whose correction a text tells."""
    return sorted({slug for slug, word in WORD.findall(text) if word == "corrected"})


def answered(body: Any) -> str:
    """The id of the post that a request answers, in its network's own words; "" for none."""
    reply = body.get("record", body).get("reply") or {}
    uri = (reply.get("parent") or {}).get("uri", "")
    return str(body.get("in_reply_to_id") or reply.get("in_reply_to_tweet_id") or uri.rpartition("/")[2])


def watched(kind: type[Network], name: str, book: Book) -> Network:
    """A strict network whose accepted posts are written down."""

    class Watched(kind):  # type: ignore[misc, valid-type]
        def witness(self, **seen: Any) -> Any:
            text, asked = json.dumps([seen["data"], seen["text"]]), seen["asked"].body.decode()
            facts = {"answers": answered(seen["asked"].json), "pictured": bool(PICTURE.search(asked))}
            book.write(where=name, to=name, id=seen["id"], text=text, **facts)
            return super().witness(**seen)

        def answer(self, asked: Any) -> Any:
            edited, deleted = len(self._edited()), len(self.deleted)
            found = super().answer(asked)
            for number in self._edited()[edited:]:
                book.write(where=name, edited=number)
            for number in self.deleted[deleted:]:
                book.write(where=name, deleted=number)
            return found

        def _edited(self) -> list[str]:
            return getattr(self, "edits", [])

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
