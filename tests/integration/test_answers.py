"""Servers that never finish what they say: no channel waits for them for ever, and no memory holds it all."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import pytest

from syndicate.channels import http
from syndicate.errors import Uncertain

LINES = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"


@contextmanager
def saying(part: bytes, every: float) -> Iterator[tuple[str, list[int]]]:
    """A server that begins an answer of a gigabyte and says ``part`` again and again; how many bytes it got rid of."""
    over, sent = threading.Event(), [0]
    listening = socket.create_server(("127.0.0.1", 0))

    def talk() -> None:
        near, _ = listening.accept()
        with near, suppress(OSError):
            near.recv(65536)
            near.sendall(LINES)
            while not over.wait(every):
                near.sendall(part)
                sent[0] += len(part)

    talking = threading.Thread(target=talk)
    talking.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", sent
    finally:
        over.set()
        talking.join(10)
        listening.close()


@pytest.mark.parametrize(("part", "every"), [(b" ", 0.02), (b"x" * 65536, 0.0)], ids=["dripping", "endless"])
def test_an_answer_without_end_is_cut_off(part: bytes, every: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_MOST", 1_000_000)
    with saying(part, every) as (url, sent):
        line = http.Line(url=url, now=lambda: datetime.now(UTC), timeout=0.3)
        with pytest.raises(Uncertain, match="no JSON"):
            line.ask("POST", "/post", effect=True)
    assert sent[0] < 100_000_000
