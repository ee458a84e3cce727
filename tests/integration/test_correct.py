"""Corrections: what left before is put right wherever that can be done, once; and who had the wrong version is told, once."""

from __future__ import annotations

import email
import email.policy
import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from publication import SETTINGS, SOCIAL, Publication, to
from syndicate.channels.outbox import Outbox
from syndicate.cli import main
from syndicate.model import Frequency, Severity, State
from syndicate.publish import correction
from syndicate.publish.tick import tick
from syndicate.runtime import Runtime
from syndicate.store import audit
from syndicate.store.subscribers import Wishes

TEXT = "We gave 14 boats. There were 11."


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Publication:
    """A brief that was posted everywhere and mailed to two of three readers."""
    made = Publication(root=tmp_path_factory.mktemp("published") / "p", settings=SETTINGS + SOCIAL)
    made.begin("2026-01-01 04:00")
    made.subscribe(
        "2026-01-01 04:00",
        ann=Wishes(frequency=Frequency.INSTANT),
        bob=Wishes(frequency=Frequency.INSTANT),
        cy=Wishes(frequency=Frequency.WEEKLY),
    )
    made.brief("harbour", "2026-01-02T05:00:00Z", body="There were 14 boats.")
    made.run("2026-01-02 05:01")
    assert to(made.outbox()) == ["ann", "bob"]
    return made


@pytest.fixture
def publication(published: Publication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Publication:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))  # the copies count their runs apart
    return published.copied(tmp_path / "p")


def correct(
    publication: Publication,
    *arguments: str,
    capsys: pytest.CaptureFixture[str],
    item: str = "harbour",
    severity: str = "significant",
) -> tuple[int, list[dict[str, Any]]]:
    capsys.readouterr()
    code = main(["-C", str(publication.root), "correct", item, "--severity", severity, "--json", *arguments])
    out = capsys.readouterr().out
    return code, json.loads(out) if out else []


def states(rows: list[dict[str, Any]]) -> dict[str, str]:
    return {row["where"]: row["state"] for row in rows}


def notices(publication: Publication) -> list[Path]:
    return [path for path in publication.outbox() if b"Subject: Correction" in path.read_bytes()]


def posts(publication: Publication, name: str) -> list[str]:
    """What was written, what puts right last."""
    paths = sorted(publication.outbox(name), key=lambda path: (".edit-" in path.name or ".reply-" in path.name, path))
    return [path.read_bytes().decode() for path in paths]


def test_a_significant_correction_reaches_whom_the_wrong_version_reached(
    publication: Publication, capsys: pytest.CaptureFixture[str]
) -> None:
    code, rows = correct(publication, "--text", TEXT, capsys=capsys)
    assert (code, states(rows)) == (0, {
        "store": "done", "deliveries": "done", "feeds": "done", "page": "done", "mastodon": "done", "bluesky": "done",
        "x": "done", "mail": "done",
    })  # fmt: skip
    assert to(notices(publication)) == ["ann", "bob"]
    body = email.message_from_bytes(notices(publication)[0].read_bytes(), policy=email.policy.default)
    assert TEXT in body.get_body(("plain",)).get_content()
    assert [posts(publication, name)[-1].split()[0] for name in ("mastodon", "x", "bluesky")] == ["PUT", "POST", "POST"]
    assert all(f"Correction: {TEXT}" in posts(publication, name)[-1] for name in ("x", "bluesky"))
    assert all("harbour?s=" + name + ".1" in "".join(posts(publication, name)) for name in ("x", "mastodon"))
    for name in ("atom", "rss", "json"):
        assert TEXT in (publication.root / f"feeds/briefs.{name}").read_text()
    with publication.opened("2026-01-02 06:00") as app:
        brief = app.content.brief("harbour", now=None)
        assert brief is not None
        assert (brief.revision, brief.updated > brief.published) == (1, True)
        assert not app.books.recount()
        with app.store.read() as connection:
            assert next(line.act for line in audit.lines(connection, subject=brief.id)) == "correct"


def test_correcting_twice_is_harmless(publication: Publication, capsys: pytest.CaptureFixture[str]) -> None:
    correct(publication, "--text", TEXT, capsys=capsys)
    before = publication.snapshot("var/outbox")
    code, rows = correct(publication, "--text", TEXT, capsys=capsys)
    assert (code, states(rows)["x"]) == (0, "done")
    publication.run("2026-01-02 06:00")
    assert publication.snapshot("var/outbox") == before


def test_a_second_correction_is_one_of_its_own(publication: Publication, capsys: pytest.CaptureFixture[str]) -> None:
    correct(publication, "--text", TEXT, capsys=capsys)
    correct(publication, "--text", "There were 12 after all.", capsys=capsys)
    assert to(notices(publication)) == ["ann", "ann", "bob", "bob"]
    assert len(posts(publication, "bluesky")) == 3


def test_a_minor_correction_mails_nobody_and_follows_nothing_up(
    publication: Publication, capsys: pytest.CaptureFixture[str]
) -> None:
    with publication.opened("2026-01-02 05:30") as app:
        before = app.content.brief("harbour", now=None)
    code, rows = correct(publication, "--text", "A letter was missing.", capsys=capsys, severity="minor")
    assert (code, {name: states(rows)[name] for name in ("mastodon", "x", "bluesky")}) == (
        0,
        {"mastodon": "done", "x": "impossible", "bluesky": "impossible"},
    )
    assert notices(publication) == []
    assert [len(posts(publication, name)) for name in ("mastodon", "x", "bluesky")] == [2, 1, 1]
    with publication.opened("2026-01-02 05:31") as app:
        after = app.content.brief("harbour", now=None)
    assert before is not None
    assert after is not None
    assert after.updated == before.updated


def test_a_minor_correction_that_comes_too_late_to_change_a_post_is_not_followed_up(
    publication: Publication, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with publication.opened("2026-01-02 05:30") as app:
        app.holds.place("mastodon", "wait", who="test", now=app.now())
    correct(publication, "--text", "A letter was missing.", capsys=capsys, severity="minor")
    monkeypatch.setattr(Outbox, "way", lambda *_: "reply")
    with publication.opened("2026-01-02 05:40") as app:
        app.holds.lift("mastodon", who="test", now=app.now(), detail={})
    main(["-C", str(publication.root), "run", "--once"])  # by the clock by which it was corrected
    assert len(posts(publication, "mastodon")) == 1
    with publication.opened("2026-01-02 05:42") as app:
        assert [(line.state, line.code) for line in app.books.lines(kind="edit")] == [(State.FAILED, "late")]


def test_the_newest_correction_of_the_file_is_told(publication: Publication, capsys: pytest.CaptureFixture[str]) -> None:
    code, _ = correct(publication, capsys=capsys)
    assert code == 1  # there is none yet
    written = "[{date: 2026-01-02, text: An older one., severity: minor}, {date: 2026-01-03, text: There were 11 boats.}]"
    publication.brief("harbour", "2026-01-02T05:00:00Z", body="There were 11 boats.", corrections=written)
    assert correct(publication, capsys=capsys, severity="minor")[0] == 1  # the file says significant
    assert correct(publication, capsys=capsys)[0] == 0
    assert "There were 11 boats." in posts(publication, "x")[-1]


def test_who_has_left_or_never_had_it_gets_no_notice(publication: Publication, capsys: pytest.CaptureFixture[str]) -> None:
    with publication.opened("2026-01-02 05:30") as app:
        leaving = sa.text(
            "UPDATE subscription SET state = 'ended' WHERE subscriber = (SELECT key FROM subscriber WHERE address LIKE 'ann@%')"
        )
        app.store.write(lambda connection: connection.execute(leaving).close())
    correct(publication, "--text", TEXT, capsys=capsys)
    assert to(notices(publication)) == ["bob"]


def test_what_waits_leaves_with_the_right_version_and_is_not_corrected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Publication(root=tmp_path / "p", settings=SETTINGS + SOCIAL)
    made.begin("2026-01-01 04:00")
    made.subscribe("2026-01-01 04:00", ann=Wishes(frequency=Frequency.INSTANT))
    made.brief("harbour", "2026-01-02T05:00:00Z", title="Fourteen boats")
    with made.opened("2026-01-02 05:01") as app:
        tick(app, app.now())  # planned and rendered, not sent
        item = app.content.brief("harbour", now=None)
        assert item is not None
        made.brief("harbour", "2026-01-02T05:00:00Z", title="Eleven boats")
        app.content.sync(app.sources, app.now())
        wanted = correction.wish(app, item, Severity.SIGNIFICANT, TEXT, app.now())
        correction.correct(app, item, wanted, app.now(), who="test", clock=lambda: 0.0)
    made.run("2026-01-02 05:02")
    made.run("2026-01-02 05:03")
    assert [len(made.outbox(name)) for name in ("mail", "x", "mastodon", "bluesky")] == [1, 1, 1, 1]
    assert "Eleven boats" in posts(made, "x")[0]
    assert b"Eleven boats" in made.outbox()[0].read_bytes()


def test_a_crash_between_the_mark_and_the_plan_loses_nobody(publication: Publication) -> None:
    with publication.opened("2026-01-02 05:30") as app:
        item = app.content.brief("harbour", now=None)
        assert item is not None
        wanted = correction.wish(app, item, Severity.SIGNIFICANT, TEXT, app.now())
        app.store.write(
            lambda connection: correction.amendments.mark(
                connection, item.id, severity=wanted.severity, text=wanted.text, day="2026-01-02", by_hand=True, who="t",
                now=app.now(),
            )
        )  # fmt: skip
    publication.run("2026-01-02 05:31")
    publication.run("2026-01-02 05:32")
    assert to(notices(publication)) == ["ann", "bob"]
    assert len(posts(publication, "bluesky")) == 2


def test_what_was_in_doubt_is_put_right_once_it_has_turned_up(
    publication: Publication, capsys: pytest.CaptureFixture[str]
) -> None:
    def say(text: str) -> None:
        with publication.opened("2026-01-02 05:40") as app:
            app.store.write(lambda connection: connection.execute(sa.text(text)).close())

    say(
        """UPDATE delivery SET state = 'uncertain' WHERE place = (SELECT key FROM place WHERE name = 'x')
        OR place = (SELECT key FROM subscriber WHERE address LIKE 'ann@%')"""
    )
    code, rows = correct(publication, "--text", TEXT, capsys=capsys)
    assert (code, states(rows)["x"]) == (1, "waits")
    assert to(notices(publication)) == ["bob"]
    say("UPDATE delivery SET state = 'sent' WHERE state = 'uncertain'")
    publication.run("2026-01-02 05:41")
    publication.run("2026-01-02 05:42")
    assert to(notices(publication)) == ["ann", "bob"]
    assert len(posts(publication, "x")) == 2
    with publication.opened("2026-01-02 05:43") as app, app.store.read() as connection:
        assert correction.amendments.unsettled(connection) == []


def test_what_was_told_by_hand_outlives_a_file_that_is_saved_again(
    publication: Publication, capsys: pytest.CaptureFixture[str]
) -> None:
    correct(publication, "--text", TEXT, capsys=capsys)
    publication.brief("harbour", "2026-01-02T05:00:00Z", body="There were 11 boats.")
    publication.run("2026-01-03 05:00")
    assert TEXT in (publication.root / "feeds/briefs.atom").read_text()
    with publication.opened("2026-01-03 05:01") as app:
        brief = app.content.brief("harbour", now=None)
        assert brief is not None
        assert [one.text for one in brief.corrections] == [TEXT]
        assert brief.updated > brief.published


def test_a_rehearsal_shows_the_matrix_and_changes_nothing(publication: Publication, capsys: pytest.CaptureFixture[str]) -> None:
    before = publication.snapshot()
    code, rows = correct(publication, "--text", TEXT, "--dry-run", capsys=capsys)
    assert (code, states(rows)["mail"], states(rows)["x"]) == (0, "waits", "waits")
    assert publication.snapshot() == before
    with publication.opened("2026-01-02 05:30") as app:
        brief = app.content.brief("harbour", now=None)
        assert brief is not None
        assert brief.revision == 0


def test_a_withdrawal_takes_the_corrections_back_too(publication: Publication, capsys: pytest.CaptureFixture[str]) -> None:
    correct(publication, "--text", TEXT, capsys=capsys)
    assert main(["-C", str(publication.root), "withdraw", "harbour"]) == 0
    gone = {name: sum(".delete." in path.name for path in publication.outbox(name)) for name in ("x", "mastodon", "bluesky")}
    assert gone == {"x": 2, "mastodon": 2, "bluesky": 2}
    assert correct(publication, "--text", "Once more.", capsys=capsys)[0] == 1


def test_an_item_is_not_posted_again_because_it_was_corrected(
    publication: Publication, capsys: pytest.CaptureFixture[str]
) -> None:
    correct(publication, "--text", TEXT, capsys=capsys)
    assert main(["-C", str(publication.root), "posts", "send", "harbour"]) == 1


def test_a_quote_waits_for_its_people_and_our_own_words_hold_none_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from newsroom import Newsroom

    words = "Nobody who repairs a bridge should ask who walks over it."
    made = Publication(root=tmp_path / "p", settings=(SETTINGS + SOCIAL).replace('"solo"', '"four-eyes"'))
    made.begin("2026-01-01 04:00")
    room = Newsroom(made.root, monkeypatch)
    room.hire("Ada", "Bo")
    made.subscribe("2026-01-01 04:00", ann=Wishes(frequency=Frequency.INSTANT))
    made.quote("0101", words)
    assert [room.act("Ada", "verify", "0101"), room.act("Bo", "approve", "0101")] == [0, 0]
    made.run("2027-01-02 05:30")
    assert len(made.outbox("mastodon")) == 1
    made.quote("0101", words, speaker="Speaker 0109")
    assert correct(made, "--text", "who walks over it is wrong", item="0101", capsys=capsys)[0] == 1  # Q5
    with made.opened("2027-01-02 06:00") as app:
        app.content.sync(app.sources, app.now())
        item = app.content.quote("0101")
        assert item is not None
        wanted = correction.wish(app, item, Severity.SIGNIFICANT, "The speaker was another.", app.now())
        known, _ = correction.correct(app, item, wanted, app.now(), who="test", clock=lambda: 0.0)
        Runtime(app).drain()
        assert app.books.balance("edit", item.id).states == {State.DEFERRED: 3}
        told = {line.where: (line.state, "Q11" in line.what) for line in correction.reached(app, item, known)}
        assert (told["mastodon"], told["mail"][0]) == (("waits", True), "done")
    assert len(made.outbox("mastodon")) == 1
    assert [room.act("Ada", "verify", "0101"), room.act("Bo", "approve", "0101")] == [0, 0]
    with made.opened("2027-01-02 06:30") as app:
        Runtime(app).drain()
    assert "Speaker 0109" in posts(made, "mastodon")[-1]
    assert [len(made.outbox(name)) for name in ("x", "bluesky")] == [2, 2]
    assert not any("walks over it" in post for name in ("x", "bluesky") for post in posts(made, name)[1:])
    assert [b"walks over it" in path.read_bytes() for path in notices(made)] == [False]


def test_a_correction_that_waited_tells_none_of_the_words_that_its_file_has_now(tmp_path: Path) -> None:
    made = Publication(root=tmp_path / "p", settings=SETTINGS + SOCIAL)
    made.begin("2026-01-01 04:00")
    made.subscribe("2026-01-01 04:00", ann=Wishes(frequency=Frequency.INSTANT))
    made.quote("0101", "Nobody who repairs a bridge should ask who walks over it.")
    made.run("2026-01-02 05:30")
    with made.opened("2026-01-02 06:00") as app:
        item = app.content.quote("0101")
        assert item is not None
        wanted = correction.wish(app, item, Severity.SIGNIFICANT, "It says: should never wonder who goes across.", app.now())
        correction.correct(app, item, wanted, app.now(), who="test", clock=lambda: 0.0)
        made.quote("0101", "Nobody who repairs a bridge should never wonder who goes across.")
        app.content.sync(app.sources, app.now())
        Runtime(app).drain()
        assert app.books.balance("edit", item.id).states == {State.FAILED: 3}
        assert app.books.balance("notice", f"correction:digest:{item.id}").states == {State.FAILED: 1}
    assert notices(made) == []


def test_what_left_with_the_right_version_stays_while_something_else_is_in_doubt(tmp_path: Path) -> None:
    made = Publication(root=tmp_path / "p", settings=SETTINGS + SOCIAL)
    made.begin("2026-01-01 04:00")
    made.brief("harbour", "2026-01-02T05:00:00Z")
    with made.opened("2026-01-02 05:01") as app:
        tick(app, app.now())  # planned, not sent
        doubt = sa.text("UPDATE delivery SET state = 'uncertain' WHERE place = (SELECT key FROM place WHERE name = 'x')")
        app.store.write(lambda connection: connection.execute(doubt).close())
        item = app.content.brief("harbour", now=None)
        assert item is not None
        wanted = correction.wish(app, item, Severity.SIGNIFICANT, TEXT, app.now())
        correction.correct(app, item, wanted, app.now(), who="test", clock=lambda: 0.0)
    made.run("2026-01-02 05:02")
    made.run("2026-01-02 05:03")
    with made.opened("2026-01-02 05:04") as app, app.store.read() as connection:
        assert len(correction.amendments.unsettled(connection)) == 1
    assert [len(made.outbox(name)) for name in ("mastodon", "bluesky")] == [1, 1]
