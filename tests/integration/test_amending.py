"""Putting right what stands, and looking whether it stands: each network against its strict fake."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from syndicate.channels import Amends, Watches, kinds
from syndicate.errors import Refused, Uncertain
from syndicate.model import Amendment, Post
from syndicate.testing import FakeBluesky, FakeMastodon, FakeX, Network, make_post
from syndicate.testing.bluesky import APP_PASSWORD, HANDLE
from syndicate.testing.mastodon import TOKEN
from syndicate.testing.x import KEYS

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SETTINGS: dict[str, dict[str, Any]] = {
    "x": dict(KEYS), "mastodon": {"access_token": TOKEN}, "bluesky": {"handle": HANDLE, "app_password": APP_PASSWORD},
}  # fmt: skip
FAKES: dict[str, type[Network]] = {"x": FakeX, "mastodon": FakeMastodon, "bluesky": FakeBluesky}
FIRST = "https://example.org/a?s=sample"
SECOND = "https://example.org/a?s=sample.1"


class Desk:
    """One account on its fake, and the clock that both read."""

    def __init__(self, kind: str, folder: Path, stack: ExitStack, *, premium: bool = False) -> None:
        self.at = NOW
        made = FakeX(premium=premium, now=self.now) if kind == "x" else FAKES[kind](now=self.now)
        self.network: Any = stack.enter_context(made)
        factory = kinds()[kind]
        more = {"edits": True} if premium else {}
        settings = factory.Settings(**{**SETTINGS[kind], **more, "url": self.network.url, "timeout": 2.0})
        self.channel: Any = factory("account", settings, folder=folder, now=self.now)
        assert isinstance(self.channel, Amends)
        assert isinstance(self.channel, Watches)

    def now(self) -> datetime:
        return self.at

    def posted(self) -> str:
        """A post that stands."""
        found: str = self.channel.send(make_post(text=f"We gave 14.\n\n{FIRST}", link=FIRST), "first").remote_id
        self.at += timedelta(minutes=10)
        return found

    def amendment(self, remote_id: str) -> Amendment:
        way = self.channel.way(NOW, self.at)
        post = make_post(text=f"There were 11.\n\n{SECOND}", link=SECOND, created=self.at)
        return Amendment(item="item", remote_id=remote_id, way=way, post=post, note=note(self.at))

    def texts(self) -> list[str]:
        return [post.text for post in self.network.standing]


def note(at: datetime) -> Post:
    return make_post(text=f"Correction: there were 11.\n\n{SECOND}", link=SECOND, created=at)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Any]:
    with ExitStack() as stack:
        yield lambda kind, **more: Desk(kind, tmp_path, stack, **more)


def test_mastodon_changes_the_status_where_it_stands_and_keeps_its_pictures(desk: Any) -> None:
    mine = desk("mastodon")
    remote = mine.posted()
    mine.network.posts[0].data["media_attachments"].append({"id": "77"})
    amendment = mine.amendment(remote)
    assert mine.channel.amend(amendment, "key").remote_id == remote
    assert mine.texts() == [amendment.post.text]
    assert [one["id"] for one in mine.network.posts[0].data["media_attachments"]] == ["77"]
    assert mine.channel.find_amendment(amendment, "key", mine.at).remote_id == remote
    assert mine.network.edits == [remote]  # the same change again is none


def test_bluesky_answers_itself_and_a_repetition_is_a_no_op(desk: Any) -> None:
    mine = desk("bluesky")
    remote = mine.posted()
    amendment = mine.amendment(remote)
    assert amendment.way == "reply"
    first = mine.channel.amend(amendment, "key")
    assert mine.channel.find_amendment(amendment, "key", mine.at).remote_id == first.remote_id
    assert len(mine.texts()) == 2
    reply = mine.network.posts[1].data["reply"]
    assert reply["root"] == reply["parent"]
    assert reply["parent"]["uri"] == remote


def test_x_answers_itself_where_the_account_may_not_change_posts(desk: Any) -> None:
    mine = desk("x")
    remote = mine.posted()
    amendment = mine.amendment(remote)
    assert amendment.way == "reply"
    shown = mine.channel.amend_request(amendment, "key")
    mine.channel.amend(amendment, "key")
    asked = mine.network.asked[-1]
    assert (asked.body, asked.json["reply"]) == (shown.body, {"in_reply_to_tweet_id": remote})


def test_x_changes_a_young_post_where_the_account_may_and_gives_it_a_new_id(desk: Any) -> None:
    mine = desk("x", premium=True)
    remote = mine.posted()
    amendment = mine.amendment(remote)
    assert amendment.way == "edit"
    receipt = mine.channel.amend(amendment, "key")
    assert receipt.remote_id != remote
    assert mine.texts() == [amendment.post.text]
    assert mine.channel.way(NOW, NOW + timedelta(minutes=30)) == "reply"


def test_x_answers_where_a_change_is_refused_after_all(desk: Any) -> None:
    mine = desk("x", premium=True)
    remote = mine.posted()
    mine.network.premium = False
    mine.channel.amend(mine.amendment(remote), "key")
    assert mine.texts()[1].startswith("Correction: ")
    assert mine.network.asked[-1].json["reply"] == {"in_reply_to_tweet_id": remote}


@pytest.mark.parametrize("premium", [False, True])
def test_x_finds_an_amendment_whose_answer_was_lost(desk: Any, premium: bool) -> None:
    mine = desk("x", premium=premium)
    amendment = mine.amendment(mine.posted())
    began = mine.at
    mine.network.fail_next("after_accept")
    with pytest.raises(Uncertain):
        mine.channel.amend(amendment, "key")
    mine.at += timedelta(minutes=1)
    assert mine.channel.find_amendment(amendment, "key", began).remote_id == mine.network.posts[-1].id
    assert len(mine.network.posts) == 2


@pytest.mark.parametrize("kind", sorted(FAKES))
def test_a_post_that_is_gone_is_noticed_and_cannot_be_put_right(desk: Any, kind: str) -> None:
    mine = desk(kind)
    remote = mine.posted()
    assert mine.channel.stands(remote)
    amendment = mine.amendment(remote)
    mine.channel.delete(remote)
    assert not mine.channel.stands(remote)
    with pytest.raises(Refused):
        mine.channel.amend(amendment, "key")


def test_a_look_on_x_reads_one_post_and_tells_what_it_costs(desk: Any) -> None:
    mine = desk("x")
    for number in range(8):
        mine.channel.send(make_post(text=f"Note {number}", link=""), f"key{number}")
    remote = mine.posted()
    mine.channel.reads()
    assert mine.channel.stands(remote)
    assert mine.channel.reads() == 1
    assert mine.channel.reads() == 0
    assert mine.channel.price("read") == pytest.approx(0.001)
    assert [mine.channel.price("post", text) for text in ("no link", FIRST)] == [0.015, 0.2]
