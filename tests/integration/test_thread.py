"""Threads: each post after a brief's own is a duty of its own, answers the one before, and leaves once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.publication import SETTINGS, Publication, instant

from syndicate.model import State
from syndicate.publish import proof, withdrawal
from syndicate.publish.tick import tick
from syndicate.runtime import Runtime
from syndicate.testing import FakeBluesky, FakeMastodon, FakeX, Network
from syndicate.testing.bluesky import APP_PASSWORD, HANDLE
from syndicate.testing.mastodon import TOKEN
from syndicate.testing.x import KEYS

DUE = instant("2026-11-22 13:00")
FAKES: dict[str, tuple[Any, dict[str, str], str]] = {
    "x": (FakeX, dict(KEYS), 'spacing = "2h"'),
    "mastodon": (FakeMastodon, {"access_token": TOKEN}, ""),
    "bluesky": (FakeBluesky, {"app_password": APP_PASSWORD}, f'handle = "{HANDLE}"'),
}
LONG = " ".join(f"Sentence number {number} tells of one more meeting in the club house." for number in range(1, 20))


class Letter:
    """A publication with one account, whose clock a test moves."""

    def __init__(self, root: Path, kind: str, network: Network) -> None:
        self.network, self.kind, self.now = network, kind, DUE
        network.now = lambda: self.now
        environ = {f"SYNDICATE_CHANNELS__SOCIAL__{key.upper()}": value for key, value in FAKES[kind][1].items()}
        table = f'\n[channels.social]\nkind = "{kind}"\nurl = "{network.url}"\n{FAKES[kind][2]}\n'
        web = '\n[web]\npublic_url = "https://letter.test.example"\n'
        self.publication = Publication(root=root, settings=SETTINGS + table + web, environ=environ)
        self.publication.begin("2026-11-22 12:00")

    def run(self, *, ticks: int, apart: float = 10) -> list[State]:
        """So many ticks, and how the deliveries stand then."""
        for _ in range(ticks):
            with self.publication.opened(self.now.isoformat()) as app:
                runtime = Runtime(app)
                runtime.recover()
                tick(app, app.now())
                runtime.drain()
                states = [line.state for line in app.books.lines(channel="social")]
            self.now += timedelta(seconds=apart)
        return states

    def answered(self) -> list[str]:
        """Which post each one names as the one before it, by place in the list."""
        ids = [post.id for post in self.network.posts]
        found = []
        for post in self.network.posts:
            body = json.loads(post.body)
            reply = body.get("reply", {}).get("in_reply_to_tweet_id") or body.get("in_reply_to_id") or ""
            reply = reply or body.get("record", {}).get("reply", {}).get("parent", {}).get("uri", "")
            found.append(str(ids.index(reply.rpartition("/")[2])) if reply else "")
        return found


@pytest.fixture(params=FAKES)
def letter(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Letter]:
    with ExitStack() as stack:
        network = stack.enter_context(FAKES[request.param][0]())
        yield Letter(tmp_path / "letter", request.param, network)


def test_a_thread_leaves_in_order_once_through_a_lost_answer_and_is_taken_back_whole(letter: Letter) -> None:
    texts = ["Second: what we read.", LONG]
    letter.publication.brief("one", DUE.isoformat(), social=json.dumps({"thread": {letter.kind: texts}}))
    with letter.publication.opened(letter.now.isoformat()) as app:
        tick(app, app.now())
        (brief,) = app.content.briefs(now=app.now(), limit=1, with_body=True)
        shown = [one for one in proof.proofs(app, brief, app.now()) if one.where == "social"]
    assert [one.file for one in shown] == ["social.txt", "social.2.txt", "social.3.txt"]
    assert "post 3 of the thread" in shown[2].note
    letter.run(ticks=1)
    assert len(letter.network.posts) == 1
    letter.network.fail_next("after_accept")
    letter.run(ticks=1, apart=12)
    letter.run(ticks=1, apart=65)
    assert len(letter.network.posts) == 2  # the third waits until somebody knows about the second
    assert letter.run(ticks=3, apart=65) == [State.SENT] * 3
    first, second, third = letter.network.posts
    assert "letter.test.example" in first.text
    assert second.text == texts[0]
    assert third.text.startswith("Sentence number 1 ")
    assert third.text.endswith("club house.")
    assert letter.answered() == ["", "0", "1"]
    with letter.publication.opened(letter.now.isoformat()) as app:
        (brief,) = app.content.briefs(now=app.now(), limit=1, with_body=True)
        withdrawal.withdraw(app, brief, app.now(), who="Ada", reason="a mistake", clock=lambda: 0.0)
        Runtime(app).drain()
    assert len(letter.network.posts) == 3
    assert letter.network.standing == []


def test_a_thread_that_is_none_is_named_with_its_line(tmp_path: Path) -> None:
    publication = Publication(root=tmp_path / "letter", settings=SETTINGS, environ={})
    publication.begin("2026-11-22 12:00")
    publication.brief("one", DUE.isoformat(), social='{"thread": "one text"}')
    with publication.opened(DUE.isoformat()) as app:
        (fault,) = tick(app, app.now()).faults
    assert (fault.line, "no list of posts" in fault.what) == (4, True)
