"""Mastodon and a server that only speaks its API, against strict fakes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from syndicate.channels.mastodon import Mastodon, MastodonSettings
from syndicate.errors import Refused, Throttled, Uncertain, Unreachable
from syndicate.testing import Answer, Asked, FakeMastodon, make_post
from syndicate.testing.mastodon import TOKEN

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
def network(clock: Clock) -> Iterator[FakeMastodon]:
    with FakeMastodon(now=clock, max_characters=1000) as network:
        yield network


@pytest.fixture
def other(clock: Clock) -> Iterator[FakeMastodon]:
    with FakeMastodon(now=clock, software="gotosocial") as network:
        yield network


def channel(url: str, clock: Clock, folder: Path, **over: Any) -> Mastodon:
    settings = MastodonSettings(**{"url": url, "access_token": TOKEN, "timeout": 2.0, **over})
    return Mastodon("mastodon", settings, folder=folder, now=clock)


def test_a_post_leaves_byte_for_byte_as_shown_under_its_key(network: FakeMastodon, clock: Clock, tmp_path: Path) -> None:
    mastodon = channel(network.url, clock, tmp_path, visibility="unlisted")
    post = make_post(text="Grüße “x”", warning="What it contains", lang="de-CH")
    receipt = mastodon.send(post, "key")
    asked = next(asked for asked in network.asked if network.is_post(asked))
    shown = mastodon.request(post, "key")
    assert asked.body == shown.body
    assert asked.headers["idempotency-key"] == shown.headers["Idempotency-Key"] == "key"
    assert asked.json == {
        "status": "Grüße “x”",
        "visibility": "unlisted",
        "language": "de",
        "spoiler_text": "What it contains",
    }
    assert (receipt.remote_id, receipt.at) == (network.posts[0].id, NOW)
    assert receipt.url == f"{network.url}/@sample/{receipt.remote_id}"


def test_limits_work_without_a_network(clock: Clock, tmp_path: Path) -> None:
    limits = channel("https://social.example", clock, tmp_path).limits
    assert (limits.counting, limits.text, limits.url, limits.warning) == ("mastodon", 500, 23, True)


def test_a_server_that_is_said_to_be_another_counts_code_points(clock: Clock, tmp_path: Path) -> None:
    assert channel("https://social.example", clock, tmp_path, software="GoToSocial").limits.counting == "codepoints"


def test_limits_come_from_the_server_and_are_kept(network: FakeMastodon, clock: Clock, tmp_path: Path) -> None:
    channel(network.url, clock, tmp_path).send(make_post(), "key")
    known = channel(network.url, clock, tmp_path).limits
    assert (known.counting, known.text) == ("mastodon", 1000)
    assert known.checked.startswith("2026-11-23")
    assert channel("https://social.example", clock, tmp_path).limits.text == 500  # another server's are not ours


def test_limits_are_asked_for_again_after_a_day(network: FakeMastodon, clock: Clock, tmp_path: Path) -> None:
    mastodon = channel(network.url, clock, tmp_path)
    mastodon.send(make_post(), "one")
    mastodon.send(make_post(), "two")
    assert [asked.path for asked in network.asked].count("/api/v2/instance") == 1
    network.max_characters = 700
    clock.at += timedelta(days=1, minutes=1)
    mastodon.send(make_post(), "three")
    assert mastodon.limits.text == 700


def test_another_make_of_server_is_noticed(other: FakeMastodon, clock: Clock, tmp_path: Path) -> None:
    mastodon = channel(other.url, clock, tmp_path)
    mastodon.refresh_limits()
    assert (mastodon.limits.counting, mastodon.limits.url) == ("codepoints", 25)


def test_the_same_key_gives_the_same_status(network: FakeMastodon, clock: Clock, tmp_path: Path) -> None:
    mastodon = channel(network.url, clock, tmp_path)
    assert mastodon.send(make_post(), "key") == mastodon.send(make_post(), "key")
    assert len(network.posts) == 1


def test_a_young_post_is_replayed(network: FakeMastodon, clock: Clock, tmp_path: Path) -> None:
    mastodon = channel(network.url, clock, tmp_path)
    first = mastodon.send(make_post(), "key")
    clock.at += timedelta(minutes=49)
    assert mastodon.reconcile(make_post(), "key", NOW) == first
    assert len(network.posts) == 1


@pytest.mark.parametrize("age", [timedelta(minutes=51), timedelta(hours=3)])
def test_an_old_post_is_looked_for_and_never_replayed(
    network: FakeMastodon, clock: Clock, tmp_path: Path, age: timedelta
) -> None:
    mastodon = channel(network.url, clock, tmp_path)
    first = mastodon.send(make_post(), "key")
    clock.at += age
    assert mastodon.reconcile(make_post(), "key", NOW) == first
    assert mastodon.reconcile(make_post(link="https://example.org/other?s=a&b=c"), "other", NOW) is None
    assert len(network.posts) == 1


def test_a_server_that_ignores_the_key_is_looked_at_first(other: FakeMastodon, clock: Clock, tmp_path: Path) -> None:
    mastodon = channel(other.url, clock, tmp_path)
    other.fail_next("after_accept")
    with pytest.raises(Uncertain):
        mastodon.send(make_post(), "key")
    found = mastodon.reconcile(make_post(), "key", NOW)
    assert found is not None
    assert len(other.posts) == 1


def test_a_link_that_only_begins_like_ours_is_not_ours(other: FakeMastodon, clock: Clock, tmp_path: Path) -> None:
    mastodon = channel(other.url, clock, tmp_path)
    mastodon.send(make_post(text="One https://example.org/a?s=m.1&x=1"), "key")
    mastodon.send(make_post(text="Two http://127.0.0.1:8000/a?s=m.1"), "key")
    for link in ("https://example.org/a?s=m", "https://example.org/a?s=m.1", "http://127.0.0.1:8000/a?s=m"):
        assert mastodon.reconcile(make_post(link=link), "key", NOW) is None
    for link in ("https://example.org/a?s=m.1&x=1", "http://127.0.0.1:8000/a?s=m.1"):
        assert mastodon.reconcile(make_post(link=link), "key", NOW) is not None


def test_many_statuses_are_read_page_by_page(other: FakeMastodon, clock: Clock, tmp_path: Path) -> None:
    mastodon = channel(other.url, clock, tmp_path)
    mastodon.send(make_post(), "key")
    for number in range(60):
        mastodon.send(make_post(text=f"Note {number}"), f"key{number}")
    assert mastodon.reconcile(make_post(), "key", NOW) is not None


def test_more_statuses_than_we_read_are_for_a_person(other: FakeMastodon, clock: Clock, tmp_path: Path) -> None:
    mastodon = channel(other.url, clock, tmp_path)
    for number in range(201):
        mastodon.send(make_post(text=f"Note {number}"), f"key{number}")
    with pytest.raises(Uncertain, match="more since"):
        mastodon.reconcile(make_post(), "key", NOW)


def test_a_refused_token_proves_nothing_about_an_earlier_post(network: FakeMastodon, clock: Clock, tmp_path: Path) -> None:
    channel(network.url, clock, tmp_path).send(make_post(), "key")
    with pytest.raises(Uncertain):
        channel(network.url, clock, tmp_path, access_token="revoked").reconcile(make_post(), "key", NOW)


def test_a_rate_limit_names_its_end(network: FakeMastodon, clock: Clock, tmp_path: Path) -> None:
    network.fail_next("429")
    with pytest.raises(Throttled) as throttled:
        channel(network.url, clock, tmp_path).send(make_post(), "key")
    assert throttled.value.retry_at == NOW + timedelta(minutes=10)


def test_a_text_that_is_too_long_is_refused_with_the_servers_words(network: FakeMastodon, clock: Clock, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="character limit of 1000 exceeded") as refused:
        channel(network.url, clock, tmp_path).send(make_post(text="a" * 990, warning="a" * 11), "key")
    assert refused.value.code == "422"


def test_secrets_stand_in_no_repr_and_no_error(network: FakeMastodon, clock: Clock, tmp_path: Path) -> None:
    class Telling(FakeMastodon):
        def answer(self, asked: Asked) -> Answer:
            return Answer(status=401, data={"error": f"{asked.headers.get('authorization')} is not valid"})

    with Telling(now=clock) as telling:
        mastodon = channel(telling.url, clock, tmp_path)
        with pytest.raises(Refused) as refused:
            mastodon.send(make_post(), "key")
    told = " ".join([repr(mastodon), repr(mastodon._line), repr(mastodon._settings), str(refused.value)])
    assert TOKEN not in told
    assert "[secret] is not valid" in told


def test_a_redirect_is_not_followed(clock: Clock, tmp_path: Path) -> None:
    class Moved(FakeMastodon):
        def answer(self, asked: Asked) -> Answer:
            return Answer(status=301, headers={"location": "https://elsewhere.example/api/v1/statuses"})

    with Moved(now=clock) as moved, pytest.raises(Refused) as refused:
        channel(moved.url, clock, tmp_path).send(make_post(), "key")
    assert "https://elsewhere.example" in refused.value.advice


def test_plain_http_is_for_this_machine_alone() -> None:
    with pytest.raises(ValidationError, match="https://"):
        MastodonSettings(url="http://social.example", access_token=TOKEN)


def test_an_unreachable_server_leaves_nothing_in_doubt(clock: Clock, tmp_path: Path) -> None:
    with FakeMastodon() as gone:
        url = gone.url
    with pytest.raises(Unreachable):
        channel(url, clock, tmp_path).send(make_post(), "key")


def test_the_doctor_tells_account_scopes_limits_and_clock(network: FakeMastodon, clock: Clock, tmp_path: Path) -> None:
    findings = channel(network.url, clock, tmp_path).doctor()
    told = " / ".join(finding.what for finding in findings)
    assert all(finding.ok for finding in findings)
    for part in ("@sample", "may post and read back", "1000 characters", "clock agrees"):
        assert part in told


def test_the_doctor_says_what_to_do_about_a_wrong_token(network: FakeMastodon, clock: Clock, tmp_path: Path) -> None:
    (finding,) = channel(network.url, clock, tmp_path, access_token="wrong").doctor()
    assert not finding.ok
    assert "access_token in the environment" in finding.advice
