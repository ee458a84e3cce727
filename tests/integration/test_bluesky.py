"""Bluesky, against a strict fake of an account's server."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from syndicate.channels.bluesky import Bluesky, BlueskySettings
from syndicate.channels.tokens import TokenFile
from syndicate.errors import Refused, Throttled, Uncertain
from syndicate.model import Card, Facet
from syndicate.testing import FakeBluesky, make_post
from syndicate.testing.bluesky import APP_PASSWORD, DID, HANDLE

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
FULL = make_post(
    text="Grüße\n\nexample.org/briefs…",
    link="https://example.org/briefs/a?s=bluesky",
    facets=(Facet(start=9, end=30, uri="https://example.org/briefs/a?s=bluesky"),),
    card=Card(uri="https://example.org/briefs/a?s=bluesky", title="A title", description="A sentence."),
    labels=("graphic-media",),
    lang="de-CH",
)


class Clock:
    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def network(clock: Clock) -> Iterator[FakeBluesky]:
    with FakeBluesky(now=clock) as network:
        yield network


def channel(url: str, clock: Clock, folder: Path, **over: Any) -> Bluesky:
    settings = BlueskySettings(**{"url": url, "handle": HANDLE, "app_password": APP_PASSWORD, "timeout": 2.0, **over})
    return Bluesky("bluesky", settings, folder=folder, now=clock)


def test_a_post_leaves_byte_for_byte_as_shown(network: FakeBluesky, clock: Clock, tmp_path: Path) -> None:
    bluesky = channel(network.url, clock, tmp_path)
    receipt = bluesky.send(FULL, "key")
    asked = next(asked for asked in network.asked if network.is_post(asked))
    assert asked.body == bluesky.request(FULL, "key").body
    (rkey,) = network.records
    assert receipt.remote_id == f"at://{DID}/app.bsky.feed.post/{rkey}"
    assert receipt.url == f"https://bsky.app/profile/{HANDLE}/post/{rkey}"
    assert network.records[rkey] == {
        "$type": "app.bsky.feed.post",
        "text": "Grüße\n\nexample.org/briefs…",
        "createdAt": "2026-11-23T09:30:00.000Z",
        "langs": ["de-CH"],
        "facets": [
            {
                "index": {"byteStart": 9, "byteEnd": 30},
                "features": [{"$type": "app.bsky.richtext.facet#link", "uri": "https://example.org/briefs/a?s=bluesky"}],
            }
        ],
        "embed": {
            "$type": "app.bsky.embed.external",
            "external": {"uri": "https://example.org/briefs/a?s=bluesky", "title": "A title", "description": "A sentence."},
        },
        "labels": {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "graphic-media"}]},
    }


def test_the_same_post_twice_is_one_record(network: FakeBluesky, clock: Clock, tmp_path: Path) -> None:
    bluesky = channel(network.url, clock, tmp_path)
    first = bluesky.send(FULL, "key")
    clock.at += timedelta(days=3)
    assert bluesky.reconcile(FULL, "key", NOW) == first
    assert len(network.posts) == 1


def test_two_keys_are_two_records(network: FakeBluesky, clock: Clock, tmp_path: Path) -> None:
    bluesky = channel(network.url, clock, tmp_path)
    bluesky.send(FULL, "one")
    bluesky.send(FULL, "two")
    assert len(network.records) == 2


def test_a_session_is_kept_for_the_next_run_and_only_we_may_read_it(network: FakeBluesky, clock: Clock, tmp_path: Path) -> None:
    channel(network.url, clock, tmp_path).send(FULL, "one")
    channel(network.url, clock, tmp_path).send(FULL, "two")
    assert network.sessions == 1
    file = tmp_path / "var" / "sessions" / "bluesky.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert APP_PASSWORD not in file.read_text()
    assert sorted(path.name for path in file.parent.iterdir()) == ["bluesky.json", "bluesky.lock"]


def test_a_session_of_another_account_is_not_used(network: FakeBluesky, clock: Clock, tmp_path: Path) -> None:
    channel(network.url, clock, tmp_path).send(FULL, "one")
    with pytest.raises(Refused, match="Invalid identifier"):
        channel(network.url, clock, tmp_path, handle="other.example").send(FULL, "two")


def test_an_expired_token_is_renewed_once_and_the_post_leaves(network: FakeBluesky, clock: Clock, tmp_path: Path) -> None:
    bluesky = channel(network.url, clock, tmp_path)
    bluesky.send(FULL, "one")
    clock.at += timedelta(hours=2)
    bluesky.send(FULL, "two")
    assert (len(network.posts), network.sessions) == (2, 1)
    kept = json.loads((tmp_path / "var" / "sessions" / "bluesky.json").read_text())
    assert kept["accessJwt"] == "access-2"
    channel(network.url, clock, tmp_path).send(FULL, "three")
    assert network.sessions == 1


def test_after_a_long_pause_it_signs_in_again(network: FakeBluesky, clock: Clock, tmp_path: Path) -> None:
    bluesky = channel(network.url, clock, tmp_path)
    bluesky.send(FULL, "one")
    clock.at += timedelta(days=91)
    bluesky.send(FULL, "two")
    assert (len(network.posts), network.sessions) == (2, 2)


def test_a_broken_session_file_is_replaced(network: FakeBluesky, clock: Clock, tmp_path: Path) -> None:
    file = tmp_path / "var" / "sessions" / "bluesky.json"
    file.parent.mkdir(parents=True)
    file.write_text('{"accessJwt": ')
    channel(network.url, clock, tmp_path).send(FULL, "one")
    assert json.loads(file.read_text())["handle"] == HANDLE


def test_a_wrong_app_password_is_refused_with_advice(network: FakeBluesky, clock: Clock, tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        channel(network.url, clock, tmp_path, app_password="wrong").send(FULL, "key")
    assert "app password" in refused.value.advice
    assert network.posts == []


def test_a_wrong_app_password_proves_nothing_about_an_earlier_post(network: FakeBluesky, clock: Clock, tmp_path: Path) -> None:
    with pytest.raises(Uncertain):
        channel(network.url, clock, tmp_path, app_password="wrong").reconcile(FULL, "key", NOW)


@pytest.mark.parametrize(
    "post",
    [
        make_post(text="a" * 301),
        make_post(text="\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466" * 121),
        make_post(text="short", facets=(Facet(start=0, end=99, uri="https://example.org"),)),
    ],
)
def test_what_cannot_be_said_is_refused_before_anything_leaves(
    network: FakeBluesky, clock: Clock, tmp_path: Path, post: Any
) -> None:
    with pytest.raises(Refused):
        channel(network.url, clock, tmp_path).send(post, "key")
    assert network.asked == []


def test_a_rate_limit_names_its_end(network: FakeBluesky, clock: Clock, tmp_path: Path) -> None:
    network.fail_next("429")
    with pytest.raises(Throttled) as throttled:
        channel(network.url, clock, tmp_path).send(FULL, "key")
    assert throttled.value.retry_at == NOW + timedelta(minutes=10)


def test_secrets_stand_in_no_repr(clock: Clock, tmp_path: Path) -> None:
    bluesky = channel("https://bsky.example", clock, tmp_path)
    assert APP_PASSWORD not in repr(bluesky) + repr(bluesky._settings) + repr(bluesky._line) + repr(bluesky._session)


def test_the_doctor_tells_account_limits_and_clock(network: FakeBluesky, clock: Clock, tmp_path: Path) -> None:
    findings = channel(network.url, clock, tmp_path).doctor()
    told = " / ".join(finding.what for finding in findings)
    assert all(finding.ok for finding in findings)
    for part in (HANDLE, "300 graphemes and 3,000 bytes", "clock agrees"):
        assert part in told


def test_the_fake_knows_a_real_record_id_when_it_sees_one(network: FakeBluesky, clock: Clock, tmp_path: Path) -> None:
    bluesky = channel(network.url, clock, tmp_path)
    bluesky.send(FULL, "one")
    body = json.loads(bluesky.request(FULL, "two").body)
    assert re.fullmatch(r"[234567a-j][2-7a-z]{12}", body["rkey"])
    access = json.loads((tmp_path / "var" / "sessions" / "bluesky.json").read_text())["accessJwt"]
    for rkey, status in ((body["rkey"], 200), ("k" * 13, 400), ("3jzfcijpj2z2", 400), ("Note-1", 400)):
        raw = json.dumps({**body, "rkey": rkey}).encode()
        assert _post(network, access, "putRecord", raw) == status
    assert _post(network, access, "createRecord", json.dumps(body).encode()) == 500  # it stands already
    swap = json.dumps({**body, "record": {**body["record"], "text": "other"}, "swapRecord": None}).encode()
    assert _post(network, access, "putRecord", swap) == 400


def _post(network: FakeBluesky, access: str, call: str, body: bytes) -> int:
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    headers = {"Authorization": f"Bearer {access}", "Content-Type": "application/json"}
    try:
        with urlopen(Request(f"{network.url}/xrpc/com.atproto.repo.{call}", body, headers)) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


def test_two_processes_that_find_a_token_expired_renew_it_once(network: FakeBluesky, clock: Clock, tmp_path: Path) -> None:
    first, second = channel(network.url, clock, tmp_path), channel(network.url, clock, tmp_path)
    assert first.doctor()[0].ok
    assert second.doctor()[0].ok
    network.expire()
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda one: one.doctor()[0].ok, (first, second)))
    renewals = [asked for asked in network.asked if asked.path.endswith("refreshSession")]
    assert (found, len(renewals), network.sessions) == ([True, True], 1, 1)


def test_new_tokens_are_on_the_disk_before_they_are_used(network: FakeBluesky, clock: Clock, tmp_path: Path) -> None:
    assert channel(network.url, clock, tmp_path).doctor()[0].ok
    network.expire()
    with pytest.MonkeyPatch.context() as patch:

        def crash(self: TokenFile, values: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(TokenFile, "keep", crash)
        before = len(network.asked)
        with pytest.raises(KeyboardInterrupt):
            channel(network.url, clock, tmp_path).doctor()
        assert [asked.path.rpartition(".")[2] for asked in network.asked[before:]] == ["getSession", "refreshSession"]
    # The server gives a token that was used the same successors for two hours; after that the app password lets us in.
    assert channel(network.url, clock, tmp_path).doctor()[0].ok
    assert network.sessions == 1


def test_a_session_that_was_lost_for_long_is_made_anew(network: FakeBluesky, clock: Clock, tmp_path: Path) -> None:
    told = channel(network.url, clock, tmp_path).doctor()
    assert any("the session lasts until 2027-02-21" in finding.what for finding in told)
    clock.at += timedelta(days=91)
    assert channel(network.url, clock, tmp_path).doctor()[0].ok
    assert network.sessions == 2
