"""The independent witness: a mail server and three strict networks in a process of their own.

What they accept is written down, on the disk, before it is answered. Nothing of the ledger is known here. Its first line
says where it listens; each line that it is told sets how often it fails; it ends with its standard input.

    python witness.py LOG SEED
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
import os
import random
import re
import socket
import sys
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

from syndicate.testing import FakeBluesky, FakeMastodon, FakeX, Network

ITEM = re.compile(r"https?://[^\s\"<>/]+/((?:briefs|quotes)/[a-z0-9-]+)")
NETWORK_FAULTS = ("before_accept", "after_accept", "half_body", "429", "500")
MAIL_FAULTS = ("rcpt_451", "rcpt_cut", "dot_451", "accept_cut")
SLOWEST = 0.008  # seconds before a mail is answered


class Book:
    """One line for each thing accepted, and for each fault that was made."""

    def __init__(self, path: Path, seed: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.chance = random.Random(seed)
        self.faults = 0.0

    def write(self, **line: object) -> None:
        os.write(self._file, json.dumps(line).encode() + b"\n")
        os.fsync(self._file)

    def fault(self, among: tuple[str, ...], where: str) -> str:
        """A fault, now and then; "" for none."""
        found = self.chance.choice(among) if self.chance.random() < self.faults else ""
        if found:
            self.write(fault=found, where=where)
        return found


def items(text: str) -> list[str]:
    """The items that a text leads to: ``briefs/SLUG``, ``quotes/SLUG``."""
    return sorted(set(ITEM.findall(text)))


class Sink:
    """A mail server that takes a little time, and cuts where it is told to."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._planned = ""

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        self._planned = self._book.fault(MAIL_FAULTS, "mail")
        if self._planned == "rcpt_451":
            return "451 4.7.1 come back later"
        if self._planned == "rcpt_cut":
            server.transport.abort()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's names
        if self._planned == "dot_451":
            return "451 4.3.0 come back later"
        mail = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        text = mail.get_body(("plain",)).get_content()
        for to in envelope.rcpt_tos:
            self._book.write(where="mail", to=to, id=mail["Message-ID"].strip("<> "), items=items(text))
        await asyncio.sleep(self._book.chance.uniform(0, SLOWEST))
        if self._planned == "accept_cut":
            server.transport.abort()
        return "250 2.0.0 taken"


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
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(Sink(book), hostname="127.0.0.1", port=port)
    networks = {
        name: watched(kind, name, book) for name, kind in (("x", FakeX), ("mastodon", FakeMastodon), ("bluesky", FakeBluesky))
    }
    controller.start()
    for network in networks.values():
        network.__enter__()
    print(json.dumps({"mail": port, **{name: network.url for name, network in networks.items()}}), flush=True)
    for line in sys.stdin:
        book.faults = float(line)


if __name__ == "__main__":
    main(*sys.argv[1:])
    os._exit(0)  # the servers' threads need no goodbye
