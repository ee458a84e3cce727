"""Several accounts on one network: each has its own posts, limits and holds; X forbids the same words on two of them."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from publication import SETTINGS, Publication
from syndicate.cli import main
from syndicate.model import State
from syndicate.testing import FakeBluesky, FakeMastodon, FakeX
from syndicate.testing.bluesky import APP_PASSWORD, HANDLE
from syndicate.testing.mastodon import TOKEN
from syndicate.testing.x import KEYS

TWO_OF_X = '[channels.x]\nkind = "outbox"\nlike = "x"\n[channels.x_de]\nkind = "outbox"\nlike = "x"\n'


def test_two_accounts_on_each_network_post_at_once_and_one_that_is_held_holds_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as stack:
        fakes = {f"{kind}{n}": stack.enter_context(fake()) for kind, fake in
                 (("mastodon", FakeMastodon), ("bluesky", FakeBluesky), ("x", FakeX)) for n in (1, 2)}  # fmt: skip
        secrets = {"mastodon": {"access_token": TOKEN}, "bluesky": {"app_password": APP_PASSWORD}, "x": KEYS}
        more = {"mastodon": "", "bluesky": f'handle = "{HANDLE}"\n', "x": ""}
        tables, environ = "", {}
        for name, fake in fakes.items():
            kind = name[:-1]
            tables += f'[channels.{name}]\nkind = "{kind}"\nurl = "{fake.url}"\n{more[kind]}'
            environ |= {f"SYNDICATE_CHANNELS__{name.upper()}__{key.upper()}": value for key, value in secrets[kind].items()}
        made = Publication(
            root=tmp_path / "p", settings=SETTINGS + '[web]\npublic_url = "https://letter.test.example"\n' + tables
        )
        made.environ = environ
        made.begin("2026-01-01 04:00")
        with made.opened("2026-01-01 04:00") as app:
            app.holds.place("bluesky2", "we look", who="test", now=app.now())
        made.brief("one", "2026-01-02T05:00:00Z", social="{x2: A text for the other readers.}")
        made.run("2026-01-02 05:01")
        assert {name: len(fake.posts) for name, fake in fakes.items()} == {
            "mastodon1": 1, "mastodon2": 1, "bluesky1": 1, "bluesky2": 0, "x1": 1, "x2": 1,
        }  # fmt: skip
        assert "one?s=mastodon1" in fakes["mastodon1"].posts[0].text
        assert "one?s=mastodon2" in fakes["mastodon2"].posts[0].text


def test_the_same_words_leave_on_one_account_of_x_alone_and_check_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Publication(root=tmp_path / "p", settings=SETTINGS + TWO_OF_X)
    made.begin("2026-01-01 04:00")
    made.brief("one", "2026-01-02T05:00:00Z")
    made.run("2026-01-02 05:01")
    assert len(made.outbox("x")) + len(made.outbox("x_de")) == 1
    with made.opened("2026-01-02 05:02") as app:
        (failed,) = app.books.lines(state=str(State.FAILED))
        assert "in the same words, which X forbids" in failed.detail
        assert app.holds.list() == []
    assert main(["-C", str(made.root), "check"]) == 1
    assert "channels.x_de: x and x_de are accounts of X and would post each brief in the same words" in capsys.readouterr().out
    made.brief("one", "2026-01-02T05:00:00Z", social="{x_de: Ein eigener Text.}")
    assert main(["-C", str(made.root), "check"]) == 0


def test_quotes_go_to_one_account_of_x(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = Publication(root=tmp_path / "p", settings=SETTINGS + TWO_OF_X)
    made.begin("2026-01-01 04:00")
    made.quote("0101", "A sentence about bridges that nobody crosses.")
    assert main(["-C", str(made.root), "check"]) == 1
    assert "write `quotes = false` in [channels.x_de]" in capsys.readouterr().out
    path = made.root / "config/syndicate.toml"
    path.write_text(path.read_text() + "quotes = false\n")
    assert main(["-C", str(made.root), "check"]) == 0
    made.run("2026-01-02 05:30")
    assert (len(made.outbox("x")), len(made.outbox("x_de"))) == (1, 0)
