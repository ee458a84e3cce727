"""Webhooks: signed events for anything, Slack and Discord in plain words that call nobody."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from syndicate.channels import Amends, Deletes
from syndicate.channels.webhook import Webhook, WebhookSettings
from syndicate.errors import Refused, Uncertain
from syndicate.model import Amendment, Card
from syndicate.render import counting
from syndicate.testing import FakeWebhook, make_post
from syndicate.testing.webhook import PATHS, SECRET

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SLY = "# @everyone <!channel> <@1> *loud* _low_ `code` [a](b) a_b & co\nhttps://example.org/a_b*c?s=x"
LINK = "https://example.org/briefs/a?s=chat"


class Clock:
    at = NOW

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Callable[..., tuple[FakeWebhook, Any, Clock]]]:
    with ExitStack() as stack:

        def make(form: str, **more: Any) -> tuple[FakeWebhook, Any, Clock]:
            clock = Clock()
            fake = stack.enter_context(FakeWebhook(form=form, now=clock, drops_repeats=more.get("drops_repeats", True)))
            secret = {"secret": SECRET} if form == "json" else {}
            settings = WebhookSettings(url=fake.address, form=form, timeout=5.0, **secret, **more)
            return fake, Webhook("chat", settings, folder=tmp_path, now=clock), clock

        yield make


def test_an_event_is_signed_anew_and_named_the_same_in_each_attempt(connect: Callable[..., Any]) -> None:
    fake, channel, clock = connect("json", drops_repeats=True)
    channel.send(make_post(), "key")
    clock.at += timedelta(hours=3)
    channel.send(make_post(), "key")
    first, second = fake.asked
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == "key"
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    assert first.body == second.body == channel.request(make_post(), "key").body
    assert json.loads(first.body)["data"]["link"] == make_post().link
    assert len(fake.posts) == 1


def test_another_key_opens_nothing(connect: Callable[..., Any], tmp_path: Path) -> None:
    fake, _, clock = connect("json")
    settings = WebhookSettings(url=fake.address, secret="whsec_" + "A" * 40)
    with pytest.raises(Refused) as refused:
        Webhook("chat", settings, folder=tmp_path, now=clock).send(make_post(), "key")
    assert "SYNDICATE" not in str(refused.value)
    assert fake.posts == []


@pytest.mark.parametrize("form", ["json", "slack", "discord"])
def test_a_lost_answer_waits_for_a_person_where_nothing_drops_a_repetition(form: str, connect: Callable[..., Any]) -> None:
    fake, channel, clock = connect(form)
    fake.fail_next("after_accept")
    with pytest.raises(Uncertain):
        channel.send(make_post(), "key")
    clock.at += timedelta(hours=1)
    with pytest.raises(Uncertain, match="cannot be asked"):
        channel.reconcile(make_post(), "key", NOW)
    assert len(fake.posts) == 1


@pytest.mark.parametrize("form", ["slack", "discord"])
def test_words_stay_words_and_nobody_is_called(form: str, connect: Callable[..., Any]) -> None:
    fake, channel, _ = connect(form)
    channel.send(make_post(text=SLY), "key")
    (post,) = fake.posts
    assert post.text == SLY
    sent = json.loads(post.body)
    if form == "discord":
        assert sent["allowed_mentions"] == {"parse": []}
        assert r"\*loud\* \_low\_" in sent["content"]
        assert "<https://example.org/a_b*c?s=x>" in sent["content"]
    else:
        assert sent["mrkdwn"] is False
        assert "&lt;!channel&gt;" in sent["text"]


@pytest.mark.parametrize("form", ["slack", "discord"])
def test_what_is_counted_is_what_is_sent(form: str, connect: Callable[..., Any]) -> None:
    fake, channel, _ = connect(form)
    limits = channel.limits
    text = ("_&\U0001f600 " * limits.text)[: limits.text]
    while not counting.fits(text, limits):
        text = text[: -1 - (counting.count(text, limits) - limits.text) // 6]
    channel.send(make_post(text=text.strip()), "key")
    with pytest.raises(Refused):
        channel.send(make_post(text=text + "&" * 12), "other")
    assert len(fake.posts) == 1


def test_discord_names_the_post_changes_it_and_takes_it_back(connect: Callable[..., Any]) -> None:
    fake, channel, _ = connect("discord")
    card = Card(uri=LINK, title="The harbour papers", description="Four years of minutes.")
    receipt = channel.send(make_post(card=card), "key")
    assert receipt.remote_id == fake.posts[0].id
    assert json.loads(fake.posts[0].body)["embeds"][0]["url"] == LINK
    right = make_post(text="The harbour papers, put right")
    amendment = Amendment(item="i", remote_id=receipt.remote_id, way=channel.way(NOW, NOW), post=right)
    assert channel.amend(amendment, "amend").remote_id == receipt.remote_id
    channel.delete(receipt.remote_id)
    channel.delete(receipt.remote_id)
    assert fake.standing == []
    with pytest.raises(Refused):
        channel.amend(amendment, "amend")


def test_a_signed_receiver_is_told_of_changes_and_deletions(connect: Callable[..., Any]) -> None:
    fake, channel, _ = connect("json", drops_repeats=True)
    receipt = channel.send(make_post(), "key")
    channel.amend(Amendment(item="i", remote_id="key", way="edit", post=make_post(text="Right.")), "amend")
    channel.delete(receipt.remote_id)
    assert [asked.json["type"] for asked in fake.asked] == ["post.created", "post.updated", "post.deleted"]
    assert fake.standing == []


def test_slack_promises_nothing_that_it_cannot_do(connect: Callable[..., Any]) -> None:
    _, channel, _ = connect("slack")
    assert not isinstance(channel, Amends)
    assert not isinstance(channel, Deletes)


def test_the_doctor_asks_discord_and_tells_what_cannot_be_known(connect: Callable[..., Any]) -> None:
    assert "Sample" in connect("discord")[1].doctor()[0].what
    assert any("person" in finding.advice for finding in connect("slack")[1].doctor())
    fake, channel, _ = connect("json", drops_repeats=True)
    assert "30 bytes" in channel.doctor()[0].what
    assert fake.asked == []


@pytest.mark.parametrize("form", list(PATHS))
def test_the_address_is_a_secret(form: str, connect: Callable[..., Any]) -> None:
    fake, channel, _ = connect(form)
    fake.fail_next("500")
    with pytest.raises(Uncertain) as raised:
        channel.send(make_post(), "key")
    told = f"{raised.value} {raised.value.advice} {channel.request(make_post(), 'key')!r} {channel.doctor()}"
    assert PATHS[form] not in told


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"url": "http://example.org/in", "form": "slack"}, "https://"),
        ({"url": "https://example.org/in"}, "24 random bytes"),
        ({"url": "https://example.org/in", "secret": "whsec_c2hvcnQ="}, "24 random bytes"),
        ({"url": "https://example.org/in", "secret": "no base64!"}, "24 random bytes"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, str], word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        WebhookSettings(**settings)
