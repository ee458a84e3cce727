"""A feed that is replaced hundreds of times while readers fetch it: every answer is one whole version, never an older one."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import brotli
import httpx
import pytest

import nginx
from served import copy_starter, opened, served
from syndicate.channels.files import Files
from syndicate.model import Document

VERSIONS = 120
CODINGS = ("identity", "gzip", "br")
UNPACK = {"": bytes, "gzip": gzip.decompress, "br": brotli.decompress}
NAME = "archive/briefs.rss"


def version(number: int) -> bytes:
    """A document that says which version it is; sizes differ widely, and some are equal to their neighbour's."""
    chance = random.Random(number // 2)
    filling = "".join(f"<item>{chance.random()}</item>" for _ in range(chance.choice((1, 40, 400, 1500))))
    return f'<?xml version="1.0"?><rss><v>{number:06d}</v>{filling}</rss>'.encode()


@dataclass(kw_only=True)
class Reader:
    """Fetches without pause and remembers what it was told."""

    url: str
    codings: tuple[str, ...]
    known: dict[str, int]  # SHA-256 of a version -> its number
    answers: list[tuple[str, str]] = field(default_factory=list)  # encoding, status
    tags: dict[str, bytes] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def read(self, done: threading.Event) -> None:
        newest, number, tag = 0, 0, dict.fromkeys(self.codings, "")
        with httpx.Client(base_url=self.url, trust_env=False) as client:
            for turn in itertools.count():
                if done.is_set() and turn > 20:
                    return
                coding = self.codings[turn % len(self.codings)]
                headers = {"Accept-Encoding": coding} | (
                    {"If-None-Match": tag[coding]} if turn % 4 == 0 and tag[coding] else {}
                )
                with client.stream("GET", f"/feeds/{NAME}", headers=headers) as answer:
                    raw = b"".join(answer.iter_raw())
                number = self._checked(answer, raw, tag[coding])
                if number < newest:
                    self.wrong.append(f"{coding}: version {number} after {newest}")
                newest, tag[coding] = max(newest, number), answer.headers["etag"]

    def _checked(self, answer: httpx.Response, raw: bytes, tag: str) -> int:
        """Which version an answer is."""
        encoding = answer.headers.get("content-encoding", "")
        self.answers.append((encoding, str(answer.status_code)))
        if answer.status_code == 304:
            raw = self.tags.get(tag, b"") if answer.headers["etag"] == tag else b""
            encoding = self._coding_of(raw)
        elif self.tags.setdefault(answer.headers["etag"], raw) != raw:
            self.wrong.append(f"two bodies with the tag {answer.headers['etag']}")
        try:
            whole = UNPACK[encoding](raw)
        except (OSError, EOFError, brotli.error) as error:
            whole = repr(error).encode()
        number = self.known.get(hashlib.sha256(whole).hexdigest(), -1)
        if number < 0:
            self.wrong.append(f"{answer.status_code} {encoding}: {len(raw)} bytes that are no version: {whole[:60]!r}")
        return number

    @staticmethod
    def _coding_of(raw: bytes) -> str:
        return "gzip" if raw.startswith(b"\x1f\x8b") else "" if raw.startswith(b"<?xml") else "br"


@pytest.fixture
def addresses(tmp_path: Path) -> Iterator[tuple[Path, list[str]]]:
    """The folder of feeds, and every server over it."""
    root = copy_starter(tmp_path / "publication")
    with ExitStack() as stack:
        serving = stack.enter_context(served(stack.enter_context(opened(root))))
        found = [serving.url]
        if nginx.executable():
            (tmp_path / "nginx").mkdir()
            found.append(stack.enter_context(nginx.nginx(tmp_path / "nginx", root, serving.port)))
        else:
            print("no nginx here: only our own server is read from")
        yield root / "feeds", found


def test_every_answer_is_one_whole_version_while_a_feed_is_replaced(addresses: tuple[Path, list[str]]) -> None:
    folder, urls = addresses
    files = Files(folder, now=lambda: datetime.now(UTC))
    versions = [version(number) for number in range(VERSIONS)]
    assert len(set(map(len, versions))) < VERSIONS, "some neighbours have one size"
    known = {hashlib.sha256(data).hexdigest(): number for number, data in enumerate(versions)}

    def write(number: int) -> None:
        files.write(Document(name="briefs", files={NAME: versions[number]}, updated=datetime(2026, 11, 22, tzinfo=UTC)))

    write(0)
    done = threading.Event()
    readers = [Reader(url=url, codings=codings, known=known) for url in urls for codings in (CODINGS, ("br", "gzip"))]
    with ThreadPoolExecutor(len(readers)) as pool:
        reading = [pool.submit(reader.read, done) for reader in readers]
        try:
            for number in range(1, VERSIONS):
                write(number)
        finally:
            done.set()
        for one in reading:
            one.result()
    for reader in readers:
        assert reader.wrong == []
        print(f"{reader.url}: {len(reader.answers)} answers, {len(set(reader.tags))} tags")
    seen = {answer for reader in readers for answer in reader.answers}
    assert {("", "200"), ("gzip", "200"), ("br", "200")} <= seen
    assert any(status == "304" for _, status in seen)
    assert sum(len(reader.tags) for reader in readers) > 40, "the readers saw next to nothing of the changes"
