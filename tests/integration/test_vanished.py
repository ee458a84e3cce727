"""A quote's post that its network has taken down pauses quotes there, and nothing else (Q19)."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from publication import SETTINGS, Publication
from syndicate.channels.mastodon import Mastodon
from syndicate.cli import main
from syndicate.errors import Unreachable
from syndicate.testing import FakeMastodon, FakeX
from syndicate.testing.mastodon import TOKEN
from syndicate.testing.x import KEYS


def publication(tmp_path: Path, channel: str) -> Publication:
    made = Publication(root=tmp_path / "p", settings=SETTINGS + '[web]\npublic_url = "https://letter.test.example"\n' + channel)
    made.environ = {"SYNDICATE_CHANNELS__TOOT__ACCESS_TOKEN": TOKEN} if "mastodon" in channel else {}
    made.environ |= {f"SYNDICATE_CHANNELS__X__{key.upper()}": value for key, value in KEYS.items()} if '"x"' in channel else {}
    made.begin("2026-01-01 04:00")
    for number in ("0101", "0102", "0103"):
        made.quote(number, f"A sentence about bridge {number} that nobody crosses.")
    return made


def holds(made: Publication, at: str) -> dict[str, str]:
    with made.opened(at) as app:
        return {hold.target: hold.reason for hold in app.holds.list()}


def looks(network: FakeMastodon | FakeX) -> int:
    found = [
        asked for asked in network.asked if asked.method == "GET" and ("/statuses/" in asked.path or "since_id" in asked.query)
    ]
    return len(found)


def test_a_post_that_is_gone_an_hour_later_pauses_quotes_there(tmp_path: Path) -> None:
    with FakeMastodon() as network:
        made = publication(tmp_path, f'[channels.toot]\nkind = "mastodon"\nurl = "{network.url}"\n')
        made.run("2026-01-02 05:30")
        made.run("2026-01-02 06:29")
        assert (len(network.standing), looks(network)) == (1, 0)
        network.erase(network.posts[0].id)
        made.run("2026-01-02 06:31")
        assert "is not there any more" in holds(made, "2026-01-02 06:32")["quotes:toot"]
        made.brief("harbour", "2026-01-02T06:40:00Z")
        made.run("2026-01-02 06:41")
        made.run("2026-01-03 05:30")
        assert len(network.posts) == 2  # the brief, and no other quote
        assert looks(network) == 1


def test_one_that_stands_is_looked_at_twice_and_no_more(tmp_path: Path) -> None:
    with FakeMastodon() as network:
        made = publication(tmp_path, f'[channels.toot]\nkind = "mastodon"\nurl = "{network.url}"\n')
        made.run("2026-01-02 05:30")
        for at in ("02 06:31", "02 07:00", "03 05:31", "05 06:00"):
            made.run(f"2026-01-{at}")
        first = [asked for asked in network.asked if asked.path.endswith(f"/statuses/{network.posts[0].id}")]
        assert len(first) == 2
        assert holds(made, "2026-01-05 06:01") == {}


def test_our_own_deletion_is_no_vanishing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeMastodon() as network:
        made = publication(tmp_path, f'[channels.toot]\nkind = "mastodon"\nurl = "{network.url}"\n')
        made.run("2026-01-02 05:30")
        for key, value in made.environ.items():
            monkeypatch.setenv(key, value)
        with made.opened("2026-01-02 05:31") as app:
            slug = app.books.lines(kind="post")[0].subject
        assert main(["-C", str(made.root), "withdraw", slug]) == 0
        made.run("2026-01-02 06:31")
        assert holds(made, "2026-01-02 06:32") == {}


def test_a_look_without_an_answer_says_nothing_and_is_repeated_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeMastodon() as network:
        made = publication(tmp_path, f'[channels.toot]\nkind = "mastodon"\nurl = "{network.url}"\n')
        made.run("2026-01-02 05:30")
        asked = []

        def silent(self: Mastodon, remote_id: str) -> bool:
            asked.append(remote_id)
            raise Unreachable

        monkeypatch.setattr(Mastodon, "stands", silent)
        made.run("2026-01-02 06:31")
        made.run("2026-01-02 06:32")
        assert len(asked) == 1
        made.run("2026-01-02 06:42")
        assert (len(asked), holds(made, "2026-01-02 06:43")) == (2, {})


def test_looks_on_x_are_counted_as_money(tmp_path: Path) -> None:
    with FakeX() as network:
        made = publication(tmp_path, f'[channels.x]\nkind = "x"\nurl = "{network.url}"\n')
        made.run("2026-01-02 05:30")
        made.run("2026-01-02 06:31")
        assert looks(network) == 1
        with made.opened("2026-01-02 06:32") as app, app.store.read() as connection:
            query = sa.text("SELECT n, micros FROM charge WHERE channel = 'x' AND what = 'read'")
            assert tuple(connection.execute(query).one()) == (1, 1000)
