"""Withdrawal (Q22): what left is taken back where that is possible, and said where it is not."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from publication import SETTINGS, SOCIAL, Publication, instant
from served import served
from syndicate.cli import main
from syndicate.model import Frequency, State, Status
from syndicate.publish import withdrawal
from syndicate.publish.tick import tick
from syndicate.runtime import Runtime
from syndicate.store import audit
from syndicate.store.books import Line
from syndicate.store.places import place_key
from syndicate.store.subscribers import Wishes

WORDS = "Nobody who repairs a bridge should ask who walks over it."
RUN = "walks over it"


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    """A quote that was shown, mailed and posted everywhere."""
    made = Publication(root=tmp_path / "p", settings=SETTINGS + SOCIAL)
    made.begin("2026-01-01 04:00")
    made.subscribe("2026-01-01 04:00", i=Wishes(frequency=Frequency.INSTANT), d=Wishes(frequency=Frequency.DAILY))
    made.quote("0101", WORDS)
    made.run("2026-01-02 05:30")
    assert [len(made.outbox(name)) for name in ("mail", "x", "mastodon", "bluesky")] == [1, 1, 1, 1]
    return made


def withdraw(publication: Publication, *arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[dict[str, Any]]]:
    capsys.readouterr()
    code = main(["-C", str(publication.root), "withdraw", "0101", "--json", *arguments])
    return code, json.loads(capsys.readouterr().out)


def states(rows: list[dict[str, Any]]) -> dict[str, str]:
    return {row["where"]: row["state"] for row in rows}


def test_everything_that_can_be_taken_back_is_and_the_rest_is_said(
    publication: Publication, capsys: pytest.CaptureFixture[str]
) -> None:
    assert RUN in (publication.root / "feeds/quotes.atom").read_text()
    code, rows = withdraw(publication, "--reason", "misattributed", capsys=capsys)
    assert code == 0
    assert states(rows) == {
        "store": "done", "deliveries": "done", "feeds": "done", "page": "done", "x": "done", "mastodon": "done",
        "bluesky": "done", "mail": "impossible",
    }  # fmt: skip
    for name in ("quotes.atom", "quotes.rss", "quotes.json"):
        assert RUN not in (publication.root / "feeds" / name).read_text()
    assert "deleted-entry" in (publication.root / "feeds/quotes.atom").read_text()
    deletions = [path for name in ("x", "mastodon", "bluesky") for path in publication.outbox(name) if ".delete." in path.name]
    assert [path.read_bytes().split()[0] for path in deletions] == [b"DELETE", b"DELETE", b"POST"]
    with publication.opened("2026-01-02 07:00") as app:
        quote = app.content.quote("0101")
        assert quote is not None
        assert quote.status is Status.WITHDRAWN
        with served(app) as serving:
            answer = httpx.get(f"{serving.url}/quotes/{quote.slug}")
        assert (answer.status_code, RUN in answer.text) == (410, False)
        assert app.books.balance("delete", quote.id).states == {State.SENT: 3}
        with app.store.read() as connection:
            assert next(line.act for line in audit.lines(connection, subject=quote.id)) == "withdraw"


def test_a_persons_word_outlives_a_file_that_is_written_again(
    publication: Publication, capsys: pytest.CaptureFixture[str]
) -> None:
    withdraw(publication, capsys=capsys)
    path = publication.root / "content/quotes/0101.md"
    path.write_text(path.read_text() + "\n")
    with publication.opened("2026-01-03 05:30") as app:
        tick(app, app.now())
        quote = app.content.quote("0101")
        assert quote is not None
        assert quote.status is Status.WITHDRAWN
        assert app.content.quotes(now=app.now()) == []
        assert [fault.rule for fault in withdrawal.disagreeing(app)] == ["Q22"]
    assert main(["-C", str(publication.root), "check"]) == 1
    assert "content/quotes/0101.md: Q22: it was withdrawn on" in capsys.readouterr().out
    path.write_text(path.read_text().replace("kind: words", "kind: words\nstatus: withdrawn"))
    assert main(["-C", str(publication.root), "check"]) == 0


def test_withdrawing_twice_is_harmless(publication: Publication, capsys: pytest.CaptureFixture[str]) -> None:
    withdraw(publication, capsys=capsys)
    before = publication.snapshot("var/outbox")
    code, rows = withdraw(publication, capsys=capsys)
    assert (code, states(rows)["x"]) == (0, "done")
    assert publication.snapshot("var/outbox") == before


def test_a_rehearsal_times_it_and_changes_nothing(publication: Publication, capsys: pytest.CaptureFixture[str]) -> None:
    before = publication.snapshot()
    code, rows = withdraw(publication, "--dry-run", capsys=capsys)
    assert code == 0
    assert all(row["seconds"] is not None for row in rows if row["where"] in {"store", "deliveries", "feeds"})
    assert states(rows)["mastodon"] == "waits"
    assert publication.snapshot() == before
    with publication.opened("2026-01-02 07:00") as app:
        quote = app.content.quote("0101")
        assert quote is not None
        assert quote.status is Status.PUBLISHED
        assert app.books.balance("delete", quote.id).states == {}


def planned(tmp_path: Path) -> Publication:
    """A quote whose mail and posts wait: planned, and nothing sent."""
    made = Publication(root=tmp_path / "p", settings=SETTINGS + SOCIAL)
    made.begin("2026-01-01 04:00")
    made.subscribe("2026-01-01 04:00", i=Wishes(frequency=Frequency.INSTANT))
    made.quote("0101", WORDS)
    with made.opened("2026-01-02 05:30") as app:
        tick(app, app.now())
    return made


def test_what_waits_never_leaves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = planned(tmp_path)
    code, rows = withdraw(made, capsys=capsys)
    assert (code, set(states(rows))) == (0, {"store", "deliveries", "feeds", "page"})
    made.run("2026-01-02 05:31")
    assert [made.outbox(name) for name in ("mail", "x", "mastodon", "bluesky")] == [[], [], [], []]


def test_a_file_that_says_withdrawn_stops_what_waits_too(tmp_path: Path) -> None:
    made = planned(tmp_path)
    made.quote("0101", WORDS, status="withdrawn")
    made.run("2026-01-02 05:31")
    assert [made.outbox(name) for name in ("mail", "x", "mastodon", "bluesky")] == [[], [], [], []]


def test_a_post_in_doubt_is_deleted_once_it_has_turned_up(publication: Publication, capsys: pytest.CaptureFixture[str]) -> None:
    with publication.opened("2026-01-02 05:40") as app:
        doubt = sa.text(
            "UPDATE delivery SET state = 'uncertain', lease_until = 0 WHERE channel = (SELECT key FROM place WHERE name = 'x')"
        )
        app.store.write(lambda connection: connection.execute(doubt).close())
    code, rows = withdraw(publication, capsys=capsys)
    assert (code, states(rows)["x"]) == (1, "waits")
    with publication.opened("2026-01-02 05:41") as app:
        found = sa.text("UPDATE delivery SET state = 'sent' WHERE state = 'uncertain'")
        app.store.write(lambda connection: connection.execute(found).close())
        assert withdrawal.follow(app, app.now()) == 1
        assert withdrawal.follow(app, app.now()) == 0
        Runtime(app).drain()
    assert any(".delete." in path.name for path in publication.outbox("x"))


def test_a_hold_on_quotes_does_not_stop_a_deletion(publication: Publication, capsys: pytest.CaptureFixture[str]) -> None:
    with publication.opened("2026-01-02 05:40") as app:
        app.holds.place("quotes", "an order has come", who="test", now=app.now())
    code, rows = withdraw(publication, capsys=capsys)
    assert (code, states(rows)["mastodon"]) == (0, "done")


def test_a_reason_that_repeats_the_words_is_refused(publication: Publication, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-C", str(publication.root), "withdraw", "0101", "--reason", f"who {RUN} is wrong"]) == 1
    assert RUN not in capsys.readouterr().err


def test_a_brief_is_taken_back_in_the_same_way(publication: Publication, capsys: pytest.CaptureFixture[str]) -> None:
    publication.brief("harbour", "2026-01-02T06:00:00Z")
    publication.run("2026-01-02 06:10")
    assert main(["-C", str(publication.root), "withdraw", "harbour", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert states(rows)["x"] == "done"
    assert "deleted-entry" in (publication.root / "feeds/briefs.atom").read_text()


def test_an_edition_that_waits_leaves_with_what_else_it_holds(tmp_path: Path) -> None:
    made = Publication(root=tmp_path / "p", settings=SETTINGS)
    made.begin("2026-01-01 04:00")
    made.subscribe("2026-01-01 04:00", d=Wishes(frequency=Frequency.DAILY), i=Wishes(frequency=Frequency.INSTANT))
    for name in ("harbour", "bridge"):
        made.brief(name, "2026-01-01T20:00:00Z")
    with made.opened("2026-01-02 06:01") as app:
        tick(app, app.now())
        (harbour,) = [
            brief for brief in app.content.released(instant("2026-01-01 04:00"), app.now()) if brief.slug == "harbour"
        ]
        withdrawal.withdraw(app, harbour, app.now(), who="ada", reason="", clock=time.monotonic)
    made.run("2026-01-02 06:02")
    texts = [path.read_text() for path in made.outbox()]
    assert len(texts) == 2
    assert not any("harbour" in text for text in texts)
    assert [line.state for line in made_lines(made)].count(State.CANCELLED) == 1  # the edition of harbour alone


def test_a_post_on_the_wire_when_the_program_died_is_for_a_person_to_settle(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = planned(tmp_path)
    with made.opened("2026-01-02 05:31") as app:
        place = app.store.write(lambda connection: place_key(connection, "account", "x"))
        assert app.ledger.intend(app.ledger.claim(place, app.now(), 1), app.now())
    code, rows = withdraw(made, capsys=capsys)
    assert (code, states(rows)["x"]) == (1, "waits")
    (doubt,) = [line for line in made_lines(made) if line.channel == "x" and line.state is not State.CANCELLED]
    assert doubt.state is State.UNCERTAIN
    assert main(["-C", str(made.root), "deliveries", "settle", doubt.id, "--drop"]) == 0
    with made.opened("2026-01-02 05:32") as app:
        assert app.books.recount() == []


def made_lines(made: Publication) -> list[Line]:
    with made.opened("2026-01-02 07:00") as app:
        return list(app.books.lines(state="", channel="", limit=50))
