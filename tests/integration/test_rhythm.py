"""When accounts post and what they may spend: schedules of their own, spacing, quiet hours, a budget, a held channel."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from publication import SETTINGS, Publication
from syndicate.channels.outbox import Outbox
from syndicate.cli import main
from syndicate.errors import Throttled
from syndicate.model import State
from syndicate.publish import spending


def made(tmp_path: Path, **tables: str) -> Publication:
    """A publication with these accounts: name -> the lines of its table, beside `kind`."""
    text = "".join(f'[channels.{name}]\nkind = "outbox"\n{lines}\n' for name, lines in tables.items())
    publication = Publication(root=tmp_path / "p", settings=SETTINGS + text)
    publication.begin("2026-01-01 04:00")
    return publication


def written(publication: Publication, name: str) -> int:
    return len(publication.outbox(name))


def test_each_account_keeps_its_own_schedule(tmp_path: Path) -> None:
    publication = made(tmp_path, noon='like = "mastodon"\nbriefs = "daily at 12:00"', once='like = "mastodon"')
    for number in (1, 2):
        publication.brief(f"b{number}", f"2026-01-02T0{number}:00:00Z")
    publication.run("2026-01-02 05:00")
    assert (written(publication, "noon"), written(publication, "once")) == (0, 2)
    publication.run("2026-01-02 11:01")  # 12:01 in Berlin
    assert written(publication, "noon") == 1
    publication.run("2026-01-03 11:01")
    assert written(publication, "noon") == 2


def test_posts_keep_their_distance_also_when_all_are_due_at_once(tmp_path: Path) -> None:
    publication = made(tmp_path, slow='like = "mastodon"\nspacing = "20m"', fast='like = "mastodon"')
    for number in (1, 2, 3):
        publication.brief(f"b{number}", f"2026-01-02T05:0{number}:00Z")
    publication.run("2026-01-02 06:00")
    assert (written(publication, "slow"), written(publication, "fast")) == (1, 3)
    publication.run("2026-01-02 06:19")
    assert written(publication, "slow") == 1
    publication.run("2026-01-02 06:20")
    publication.run("2026-01-02 06:40")
    assert written(publication, "slow") == 3


def test_nothing_is_posted_in_quiet_hours_and_plan_says_when_it_will_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publication = made(tmp_path, calm='like = "mastodon"\nquiet = "22:00-08:00"')
    publication.brief("night", "2026-01-02T01:00:00Z")
    assert main(["-C", str(publication.root), "plan", "--at", "2026-01-02T00:30Z", "--days", "1"]) == 0
    assert "calm (Fri 08:00)" in capsys.readouterr().out
    publication.run("2026-01-02 01:01")
    with publication.opened("2026-01-02 01:02") as app:
        (line,) = app.books.lines(kind="post")
        assert (line.state, line.code, f"{line.not_before:%H:%M}") == (State.PENDING, "pace", "07:00")
    publication.run("2026-01-02 06:59")
    assert written(publication, "calm") == 0
    publication.run("2026-01-02 07:00")
    assert written(publication, "calm") == 1


def test_an_account_without_quotes_shows_none(tmp_path: Path) -> None:
    publication = made(tmp_path, plain='like = "mastodon"\nquotes = false', both='like = "mastodon"')
    publication.quote("0101", "A sentence about bridges that nobody crosses.")
    publication.run("2026-01-02 05:30")
    assert (written(publication, "plain"), written(publication, "both")) == (0, 1)


def test_a_budget_is_a_hard_stop_that_is_told_and_lifted_by_raising_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publication = made(tmp_path, x='like = "x"\nbudget = 0.04', other='like = "mastodon"')
    for number in (1, 2, 3):
        publication.brief(f"b{number}", f"2026-01-02T05:0{number}:00Z")
    publication.run("2026-01-02 05:30")
    assert (written(publication, "x"), written(publication, "other")) == (2, 3)
    with publication.opened("2026-01-02 05:31") as app:
        (spent,) = spending.standing(app, app.now())
        assert (round(spent.spent, 3), spent.month) == (0.03, "2026-01")
        (line,) = app.books.lines(state="deferred")
        assert line.code == spending.CODE
        assert "$0.03 of $0.04 are spent" in line.detail
    assert main(["-C", str(publication.root), "plan", "--at", "2026-01-02T05:31Z"]) == 0
    assert "raise `budget` in [channels.x]" in capsys.readouterr().out
    main(["-C", str(publication.root), "status"])
    assert "1 waits for the budget of x" in capsys.readouterr().out
    path = publication.root / "config/syndicate.toml"
    path.write_text(path.read_text().replace("budget = 0.04", "budget = 9"))
    publication.run("2026-01-02 06:31")
    assert written(publication, "x") == 3


def test_what_failed_costs_nothing_and_a_new_month_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publication = made(tmp_path, x='like = "x"\nbudget = 0.015')
    publication.brief("one", "2026-01-31T21:00:00Z")
    whole = Outbox.send

    def refusing(self: Outbox, parcel: object, key: str) -> object:
        from syndicate.errors import Refused

        raise Refused

    monkeypatch.setattr(Outbox, "send", refusing)
    publication.run("2026-01-31 21:00")
    monkeypatch.setattr(Outbox, "send", whole)
    publication.brief("two", "2026-01-31T22:00:00Z")
    publication.brief("three", "2026-01-31T22:01:00Z")
    publication.run("2026-01-31 22:02")
    assert written(publication, "x") == 1
    publication.run("2026-01-31 23:02")
    assert written(publication, "x") == 1
    publication.run("2026-02-01 00:02")
    assert written(publication, "x") == 2


def test_a_rate_limit_moves_its_channel_alone_to_the_time_that_was_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publication = made(tmp_path, x='like = "x"', other='like = "mastodon"')
    publication.brief("one", "2026-01-02T05:00:00Z")
    whole = Outbox.send

    def limited(self: Outbox, parcel: object, key: str) -> object:
        if self.name == "x":
            from publication import instant

            raise Throttled("too many", retry_at=instant("2026-01-02 05:17"), code="429")
        return whole(self, parcel, key)  # type: ignore[arg-type]

    monkeypatch.setattr(Outbox, "send", limited)
    publication.run("2026-01-02 05:01")
    monkeypatch.setattr(Outbox, "send", whole)
    assert written(publication, "other") == 1
    publication.run("2026-01-02 05:16")
    assert written(publication, "x") == 0
    publication.run("2026-01-02 05:17")
    assert written(publication, "x") == 1


def test_posting_by_hand_plans_nothing_while_its_channel_is_held(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publication = made(tmp_path, x='like = "x"', other='like = "mastodon"')
    publication.brief("old", "2025-12-02T05:00:00Z")
    publication.run("2026-01-02 05:00")
    assert main(["-C", str(publication.root), "hold", "x", "--reason", "we look into it"]) == 0
    assert main(["-C", str(publication.root), "posts", "send", "old", "--channel", "x"]) == 1
    assert "x is on hold: we look into it" in capsys.readouterr().err
    assert main(["-C", str(publication.root), "posts", "send", "old"]) == 0
    assert "not on x" in capsys.readouterr().err
    assert main(["-C", str(publication.root), "posts", "list", "--json"]) == 0
    assert {line["channel"] for line in json.loads(capsys.readouterr().out)} == {"other"}


def test_the_record_of_an_item_tells_what_was_sent_and_what_was_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    publication = made(tmp_path, x='like = "x"', other='like = "mastodon"')
    publication.brief("one", "2026-01-02T05:00:00Z")
    whole = Outbox.send

    def refusing(self: Outbox, parcel: object, key: str) -> object:
        from syndicate.errors import Refused

        if self.name == "x":
            msg = "Your account is locked."
            raise Refused(msg, code="403", advice="Unlock it.")
        return whole(self, parcel, key)  # type: ignore[arg-type]

    monkeypatch.setattr(Outbox, "send", refusing)
    publication.run("2026-01-02 05:01")
    capsys.readouterr()
    assert main(["-C", str(publication.root), "posts", "show", "one", "--json"]) == 0
    by_channel = {line["channel"]: line for line in json.loads(capsys.readouterr().out)}
    assert (by_channel["other"]["state"], by_channel["x"]["state"]) == ("sent", "failed")
    with publication.opened("2026-01-02 05:02") as app, app.store.read() as connection:
        from syndicate.publish import parcels, posts

        found = connection.exec_driver_sql("SELECT key, parcel FROM payload WHERE sha = ?", (by_channel["x"]["sha"],))
        key, text = found.one()
        assert posts.digest(app.channels["x"].request(parcels.load(text), key)) == by_channel["x"]["sha"]
    assert by_channel["x"]["said"][0]["words"] == "Your account is locked. Unlock it."
    assert "deliveries retry" in by_channel["x"]["advice"]
    assert main(["-C", str(publication.root), "posts", "show", "one"]) == 0
    assert "Your account is locked." in capsys.readouterr().out


def test_a_test_post_is_marked_wanted_and_taken_away(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publication = made(tmp_path, other='like = "mastodon"\nrenew_by = 2026-01-10')
    root = ["-C", str(publication.root)]
    assert main([*root, "channels", "test", "other"]) == 1
    assert written(publication, "other") == 0
    assert main([*root, "channels", "test", "other", "--yes"]) == 0
    assert [".delete." in path.name for path in publication.outbox("other")] == [True, False]
    assert b"Test post of The Test Letter" in publication.outbox("other")[1].read_bytes()
    assert main([*root, "channels", "test", "mail", "--yes"]) == 1
    assert "editions test digest --to ADDRESS" in capsys.readouterr().err
    assert main([*root, "hold", "other", "--reason", "we look"]) == 0
    assert main([*root, "channels", "test", "other", "--yes"]) == 1
    assert written(publication, "other") == 2


def test_credentials_that_end_are_told_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publication = made(
        tmp_path, soon='like = "mastodon"\nrenew_by = 2026-01-10', later='like = "mastodon"\nrenew_by = 2099-01-10'
    )
    publication.run("2026-01-02 05:00")
    assert "credentials_ending" in capsys.readouterr().err
    publication.run("2026-01-02 06:00")
    assert "credentials_ending" not in capsys.readouterr().err
    assert main(["-C", str(publication.root), "status"]) == 1
    assert "soon: its credentials have ended on 2026-01-10" in capsys.readouterr().out
    assert main(["-C", str(publication.root), "channels", "doctor"]) == 1
    told = capsys.readouterr().out
    assert "soon: NOT OK: its credentials have ended" in told
    assert "later: ok: the credentials last until 2099-01-10" in told
