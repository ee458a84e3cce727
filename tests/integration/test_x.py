"""X through tweepy, against a strict fake."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from syndicate.channels.x import X, XSettings
from syndicate.errors import Refused, Throttled, Uncertain, Unreachable
from syndicate.render import counting
from syndicate.testing import FakeX, make_post
from syndicate.testing.x import KEYS, weight

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def network(clock: Clock) -> Iterator[FakeX]:
    with FakeX(now=clock) as network:
        yield network


def channel(url: str, clock: Clock, **over: Any) -> X:
    return X("x", XSettings(**{**KEYS, "url": url, "timeout": 2.0, **over}), folder=Path(), now=clock)


def test_a_post_leaves_signed_and_byte_for_byte_as_shown(network: FakeX, clock: Clock) -> None:
    x = channel(network.url, clock)
    post = make_post(text="Grüße — “quoted”\n\nhttps://example.org/a?s=x", link="https://example.org/a?s=x")
    receipt = x.send(post, "key")
    (asked,) = network.asked
    shown = x.request(post, "key")
    assert asked.body == shown.body
    assert asked.headers["content-type"] == shown.headers["Content-Type"]
    assert (asked.method, asked.path) == ("POST", "/2/tweets")
    assert (receipt.remote_id, receipt.url) == (network.posts[0].id, f"https://x.com/i/status/{network.posts[0].id}")


def test_the_real_host_is_named_although_a_rehearsal_goes_elsewhere(network: FakeX, clock: Clock) -> None:
    assert channel(network.url, clock).request(make_post(), "key").url == "https://api.twitter.com/2/tweets"
    assert channel(network.url, clock).local
    assert not channel("", clock).local


def test_only_this_machine_can_stand_in_for_x() -> None:
    with pytest.raises(ValidationError, match="only an address on this machine"):
        XSettings(**KEYS, url="https://api.example.org")


def test_wrong_tokens_are_refused_with_advice_and_not_repeated(network: FakeX, clock: Clock) -> None:
    with pytest.raises(Refused) as refused:
        channel(network.url, clock, access_token_secret="wrong-secret").send(make_post(), "key")
    assert refused.value.code == "401"
    assert "tokens" in refused.value.advice
    assert len(network.asked) == 1


def test_secrets_stand_in_no_repr_and_no_error(network: FakeX, clock: Clock) -> None:
    x = channel(network.url, clock, consumer_secret="wrong-secret")
    with pytest.raises(Refused) as refused:
        x.send(make_post(), "key")
    told = " ".join([repr(x), repr(x._settings), str(refused.value), repr(refused.value.__dict__)])
    assert not [secret for secret in (*KEYS.values(), "wrong-secret") if secret in told]


def test_its_libraries_do_not_log_tokens(network: FakeX, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    channel(network.url, clock).send(make_post(), "key")
    assert not [secret for secret in KEYS.values() if secret in caplog.text]


def test_a_rate_limit_names_its_end_and_nobody_sleeps(network: FakeX, clock: Clock) -> None:
    network.fail_next("429")
    started = time.monotonic()
    with pytest.raises(Throttled) as throttled:
        channel(network.url, clock).send(make_post(), "key")
    assert throttled.value.retry_at == NOW + timedelta(minutes=10)
    assert time.monotonic() - started < 2
    assert network.posts == []


def test_the_same_text_twice_asks_the_timeline(network: FakeX, clock: Clock) -> None:
    x = channel(network.url, clock)
    first = x.send(make_post(), "key")
    with pytest.raises(Uncertain) as uncertain:
        x.send(make_post(), "key")
    assert uncertain.value.code == "duplicate"
    found = x.reconcile(make_post(), "key", NOW)
    assert found is not None
    assert found.remote_id == first.remote_id


def test_a_repetition_finds_the_post_of_an_earlier_attempt(network: FakeX, clock: Clock) -> None:
    x = channel(network.url, clock)
    first = x.send(make_post(), "key")
    clock.at += timedelta(hours=5)
    found = x.reconcile(make_post(), "key", clock.at)  # the intent of the repetition
    assert found is not None
    assert found.remote_id == first.remote_id


def test_what_the_timeline_does_not_show_yet_stays_uncertain(network: FakeX, clock: Clock) -> None:
    with pytest.raises(Uncertain, match="may not show"):
        channel(network.url, clock).reconcile(make_post(), "key", NOW - timedelta(seconds=29))
    assert channel(network.url, clock).reconcile(make_post(), "key", NOW - timedelta(seconds=31)) is None


def test_another_revisions_link_is_not_taken_for_ours(network: FakeX, clock: Clock) -> None:
    x = channel(network.url, clock)
    x.send(make_post(text="One https://example.org/a?s=x.1", link="https://example.org/a?s=x.1"), "key")
    clock.at += timedelta(minutes=1)
    ours = make_post(text="Two https://example.org/a?s=x", link="https://example.org/a?s=x")
    assert x.reconcile(ours, "key", NOW) is None


def test_a_post_without_a_known_host_is_found_by_its_text(network: FakeX, clock: Clock) -> None:
    x = channel(network.url, clock)
    local = make_post(text="Read https://example.org/b and http://127.0.0.1:8000/a?s=x", link="http://127.0.0.1:8000/a?s=x")
    x.send(local, "key")
    assert x.reconcile(local, "key", NOW) is not None


def test_a_long_timeline_is_read_page_by_page(network: FakeX, clock: Clock) -> None:
    x = channel(network.url, clock)
    x.send(make_post(), "key")
    for number in range(150):
        x.send(make_post(text=f"Note {number}", link=""), f"key{number}")
    assert x.reconcile(make_post(), "key", NOW) is not None
    assert len([asked for asked in network.asked if asked.method == "GET"]) == 2


def test_an_answer_that_takes_too_long_is_uncertain(clock: Clock) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        with pytest.raises(Uncertain):
            channel(f"http://127.0.0.1:{silent.getsockname()[1]}", clock, timeout=0.2).send(make_post(), "key")
        assert time.monotonic() - started < 3


def test_a_host_that_has_no_name_is_unreachable(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def nowhere(*args: Any, **more: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    with pytest.raises(Unreachable):
        channel("http://localhost:9", clock).send(make_post(), "key")


def test_the_doctor_tells_account_price_and_clock(network: FakeX, clock: Clock) -> None:
    findings = channel(network.url, clock).doctor()
    told = " / ".join(finding.what for finding in findings)
    assert all(finding.ok for finding in findings)
    assert "@sample" in told
    assert "$0.200 with a link" in told
    assert "clock agrees" in told


def test_the_doctor_says_what_to_do_about_wrong_tokens_and_clocks(network: FakeX, clock: Clock) -> None:
    (finding,) = channel(network.url, clock, access_token="4200-wrong").doctor()
    assert not finding.ok
    assert "environment" in finding.advice
    late = channel(network.url, lambda: NOW + timedelta(hours=1)).doctor()  # type: ignore[arg-type]
    assert any(not finding.ok and "clock" in finding.what for finding in late)


@pytest.mark.parametrize("text", ["a" * 281, "漢" * 141, "…" * 141, "a\ufeff", "$ABC and $DEF"])
def test_the_fake_is_as_strict_as_x(network: FakeX, clock: Clock, text: str) -> None:
    with pytest.raises(Refused):
        channel(network.url, clock).send(make_post(text=text, link=""), "key")


@pytest.mark.parametrize(
    "text", ["plain", "Grüße — “x”", "漢字…", "see https://example.org/long/path/here and example.org", "a.b"]
)
def test_the_fakes_own_count_is_never_below_ours(text: str) -> None:
    assert weight(text) >= counting.count(text, X.limits)
