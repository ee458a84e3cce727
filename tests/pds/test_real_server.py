"""Bluesky against a real server: `make pds`. What the fake says is what this one says."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from syndicate.channels.bluesky import Bluesky, BlueskySettings
from syndicate.errors import Refused
from syndicate.model import Amendment, Post
from syndicate.testing import FakeBluesky, make_post
from syndicate.testing.bluesky import APP_PASSWORD

HOME = os.environ.get("SYNDICATE_PDS", "")  # a folder in which `npm install @atproto/dev-env` was given
HANDLE = "brackmere.test"
POSTS = "app.bsky.feed.post"
LOST = 1000
pytestmark = pytest.mark.skipif(not HOME, reason="`make pds` names the folder with the real server")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    script = Path(__file__).with_name("server.mjs")
    node = shutil.which("node")
    assert node, "node is not on the path"
    with subprocess.Popen([node, script, HOME], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        url = next(line.strip() for line in running.stdout if line.startswith("http"))
        account = {"email": "a@brackmere.test", "handle": HANDLE, "password": APP_PASSWORD}
        assert httpx.post(f"{url}/xrpc/com.atproto.server.createAccount", json=account).status_code == 200
        yield url
        running.communicate("", timeout=30)


@pytest.fixture
def account(server: str, tmp_path: Path) -> Bluesky:
    settings = BlueskySettings(url=server, handle=HANDLE, app_password=APP_PASSWORD)
    return Bluesky("bluesky", settings, folder=tmp_path, now=lambda: datetime.now(UTC))


def note(text: str) -> Post:
    link = "https://example.org/a?s=bluesky"
    return make_post(text=f"{text}\n\n{link}", link=link, created=datetime.now(UTC))


def standing(server: str) -> list[str]:
    texts, cursor = [], ""
    while True:
        params = {"repo": HANDLE, "collection": POSTS, "limit": "100", **({"cursor": cursor} if cursor else {})}
        told = httpx.get(f"{server}/xrpc/com.atproto.repo.listRecords", params=params).json()
        texts += [record["value"]["text"] for record in told["records"]]
        cursor = told.get("cursor", "")
        if not cursor:
            return texts


def test_the_doctor_finds_all_in_order(account: Bluesky) -> None:
    assert [finding.what for finding in account.doctor() if not finding.ok] == []


def test_a_post_is_replayed_answered_looked_at_and_deleted(account: Bluesky) -> None:
    first = account.send(note("First"), "first")
    assert account.send(note("First"), "first").remote_id != first.remote_id  # another due time is another post
    assert account.stands(first.remote_id)
    amendment = Amendment(item="item", remote_id=first.remote_id, way="reply", post=note("Correction: there were 11."))
    reply = account.amend(amendment, "second")
    found = account.find_amendment(amendment, "second", datetime.now(UTC))
    assert found is not None
    assert found.remote_id == reply.remote_id
    account.delete(first.remote_id)
    account.delete(first.remote_id)
    assert not account.stands(first.remote_id)
    with pytest.raises(Refused):
        account.amend(amendment, "third")


def test_a_thousand_lost_answers_make_no_double_and_no_loss(server: str, account: Bluesky) -> None:
    parts = urlsplit(server)
    for number in range(LOST):
        post, key = note(f"Lost {number}"), f"lost {number}"
        request = account.request(post, key)
        if number % 2:  # the answer is not read
            head = (
                f"POST {urlsplit(request.url).path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
                f"Authorization: Bearer {account._session._access('')}\r\nContent-Length: {len(request.body)}\r\n\r\n"
            )
            with socket.create_connection((parts.hostname or "", parts.port or 0)) as wire:
                wire.sendall(head.encode() + request.body)
        else:
            account.send(post, key)
        assert account.reconcile(post, key, datetime.now(UTC)) is not None
    found = sorted(text.partition("\n")[0] for text in standing(server) if text.startswith("Lost "))
    assert found == sorted(f"Lost {number}" for number in range(LOST))


RECORD = {"$type": POSTS, "text": "t", "createdAt": "2026-01-01T00:00:00.000Z"}
EMPTY = {"uri": f"at://did:plc:samplesamplesamplesample/{POSTS}/3jzfcijpj2z2a", "cid": ""}


@pytest.mark.parametrize(
    ("rkey", "more"),
    [
        ("3jzfcijpj2z2a", {}),
        ("zzz", {}),
        ("3jzfcijpj2z2b", {"text": "a" * 301}),
        ("3jzfcijpj2z2c", {"text": "👨‍👩‍👧‍👦" * 121}),
        ("3jzfcijpj2z2d", {"langs": ["en"] * 4}),
        ("3jzfcijpj2z2e", {"langs": ["e!"]}),
        ("3jzfcijpj2z2f", {"embed": {"$type": "app.bsky.embed.external", "external": {"uri": "https://example.org", "title": "t"}}}),
        ("3jzfcijpj2z2g", {"reply": {"root": EMPTY, "parent": EMPTY}}),
        ("3jzfcijpj2z2h", {"createdAt": "yesterday"}),
    ],
)  # fmt: skip
def test_the_fake_takes_and_refuses_the_same_records(server: str, rkey: str, more: dict[str, Any]) -> None:
    body = {"repo": "", "collection": POSTS, "rkey": rkey, "record": {**RECORD, **more}}
    with FakeBluesky() as fake:
        assert _put(fake.url, "sample.example", body) == _put(server, HANDLE, body)


@pytest.mark.parametrize(
    ("path", "header"), [("server.getSession", ""), ("server.getSession", "Bearer nonsense"), ("repo.getRecord", "")]
)
def test_the_fake_says_the_same_of_what_it_cannot_allow(server: str, path: str, header: str) -> None:
    def said(url: str, repo: str) -> tuple[int, str]:
        params = {"repo": repo, "collection": POSTS, "rkey": "3jzfcijpj2zzz"} if path.startswith("repo") else {}
        token = header or (f"Bearer {_token(url, repo)}" if params else "")
        headers = {"Authorization": token} if token else {}
        answer = httpx.get(f"{url}/xrpc/com.atproto.{path}", params=params, headers=headers)
        return answer.status_code, answer.json()["error"]

    with FakeBluesky() as fake:
        assert said(fake.url, "sample.example") == said(server, HANDLE)


def _token(url: str, handle: str) -> str:
    made = httpx.post(f"{url}/xrpc/com.atproto.server.createSession", json={"identifier": handle, "password": APP_PASSWORD})
    return str(made.json()["accessJwt"])


def _put(url: str, handle: str, body: dict[str, Any]) -> tuple[int, str]:
    answer = httpx.post(
        f"{url}/xrpc/com.atproto.repo.putRecord",
        content=json.dumps(body | {"repo": handle}),
        headers={"Authorization": f"Bearer {_token(url, handle)}", "Content-Type": "application/json"},
    )
    return answer.status_code, answer.json().get("error", "")
