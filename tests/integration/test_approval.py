"""Four eyes on a real publication: who may agree, what voids it, and that nothing leaves without (Q11)."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import argon2
import pytest

from newsroom import SECRETS, Newsroom
from publication import SETTINGS, SOCIAL, Publication, instant
from syndicate.publish import approval, dailyquote
from syndicate.store import audit, people

WORDS = "Whoever keeps a lamp in the window has already decided to leave us."
NOW = "2026-11-22 05:00"
FOUR_EYES = SETTINGS.replace('approval = "solo"', 'approval = "four-eyes"') + SOCIAL


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    made = Publication(root=tmp_path / "p", settings=FOUR_EYES)
    made.begin("2026-11-22 04:00")
    made.quote("0101", WORDS)
    made.quote("0102", "A second sentence about boats that never came back to the quay.", status="draft")
    may_leave(made)  # released before the commands, which go by the real clock, see it
    return made


@pytest.fixture
def newsroom(publication: Publication, monkeypatch: pytest.MonkeyPatch) -> Newsroom:
    monkeypatch.setattr(people, "_hasher", lambda: argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    found = Newsroom(publication.root, monkeypatch)
    found.hire("Ada", "Bo", "Cy")
    return found


def may_leave(publication: Publication) -> bool:
    with publication.opened(NOW) as app:
        app.content.sync(app.sources, app.now())
        admitted, _ = dailyquote.admissible(app, app.now())
        return bool(admitted)


def agreed(newsroom: Newsroom) -> None:
    assert newsroom.act("Ada", "verify", "0101") == 0
    assert newsroom.act("Bo", "approve", "0101") == 0


def test_a_quote_leaves_once_a_verifier_and_an_approver_have_agreed(publication: Publication, newsroom: Newsroom) -> None:
    assert not may_leave(publication)
    newsroom.act("Ada", "submit", "0101")
    newsroom.act("Ada", "verify", "0101")
    assert not may_leave(publication)
    newsroom.act("Bo", "approve", "0101")
    assert may_leave(publication)


def test_without_consent_nothing_is_shown_anywhere(publication: Publication, newsroom: Newsroom) -> None:
    publication.run("2026-11-23 05:30")
    assert not publication.outbox("mastodon")
    assert not any(b"lamp in the window" in data for _, data in publication.snapshot().values())
    agreed(newsroom)
    publication.run("2026-11-24 05:30")
    assert any(b"lamp in the window" in path.read_bytes() for path in publication.outbox("mastodon"))
    assert b"lamp in the window" in (publication.root / "feeds/quotes.atom").read_bytes()


def test_nobody_is_both_people(newsroom: Newsroom, publication: Publication, capsys: pytest.CaptureFixture[str]) -> None:
    assert newsroom.act("Cy", "verify", "0101") == 0
    assert newsroom.act("Cy", "approve", "0101") == 1
    assert "Cy has submitted or verified it: somebody else approves" in capsys.readouterr().err
    assert not may_leave(publication)
    assert newsroom.act("Bo", "approve", "0101") == 0
    assert may_leave(publication)


def test_who_approved_cannot_verify_either(newsroom: Newsroom, publication: Publication) -> None:
    assert newsroom.act("Cy", "approve", "0101") == 0
    assert newsroom.act("Cy", "verify", "0101") == 1
    assert not may_leave(publication)


def test_a_role_that_one_has_not_is_refused(newsroom: Newsroom, capsys: pytest.CaptureFixture[str]) -> None:
    assert newsroom.act("Ada", "approve", "0101") == 1
    assert "Ada is no approver" in capsys.readouterr().err


def test_a_bare_name_is_refused(newsroom: Newsroom, publication: Publication, monkeypatch: pytest.MonkeyPatch) -> None:
    assert newsroom.say("quotes", "verify", "0101", "--as", "Ada") == 1
    assert newsroom.say("quotes", "verify", "0101", "--as", "Ada", secrets=("a-wrong-passphrase",)) == 1
    monkeypatch.delenv("SYNDICATE_PASSPHRASE_FILE")
    from syndicate.cli import main

    assert main(["-C", str(publication.root), "quotes", "verify", "0101", "--as", "Ada"]) == 1
    with publication.opened(NOW) as app, app.store.read() as connection:
        assert [line.act for line in audit.lines(connection)][:1] == ["passphrase_refused"]
    assert not may_leave(publication)


def test_people_are_kept_without_their_passphrases(newsroom: Newsroom, publication: Publication) -> None:
    kept = b"".join(path.read_bytes() for path in (publication.root / "var").glob("syndicate.db*"))
    assert not any(secret.encode() in kept for secret in SECRETS.values())
    assert newsroom.say("people", "add", "ada", "--role", "approver", secrets=("another-passphrase",)) == 1
    assert newsroom.say("people", "add", "Di", "--role", "approver", secrets=("short",)) == 1


def test_once_there_is_an_admin_only_an_admin_adds_people(newsroom: Newsroom) -> None:
    boss = "the-harbour-master-rests"
    assert newsroom.say("people", "add", "Em", "--role", "admin", secrets=(boss,)) == 0
    assert newsroom.say("people", "add", "Flo", "--role", "approver", secrets=("another-passphrase",)) == 1
    assert newsroom.say("people", "add", "Flo", "--role", "approver", "--as", "Ada", secrets=(SECRETS["Ada"], "x" * 12)) == 1
    assert newsroom.say("people", "add", "Flo", "--role", "approver", "--as", "Em", secrets=(boss, "y" * 12)) == 0
    assert newsroom.say("people", "remove", "Flo", "--as", "Em", secrets=(boss,)) == 0
    assert newsroom.say("quotes", "approve", "0101", "--as", "Flo", secrets=("y" * 12,)) == 1


CHANGES = {
    "a character of the words": ("content/quotes/0101.md", "in the window", "in a window"),
    "a field of ours": ("content/quotes/0101.md", "pressure to obey", "pressure to comply"),
    "a label": ("config/syndicate.toml", "[quotes]", '[quotes.labels]\nwords = "Said by an extremist"\n\n[quotes]'),
    "a channel": ("config/syndicate.toml", "[channels.x]", '[channels.second]\nkind = "outbox"\nlike = "x"\n\n[channels.x]'),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_voids_the_approval(what: str, newsroom: Newsroom, publication: Publication) -> None:
    agreed(newsroom)
    file, old, new = CHANGES[what]
    path = publication.root / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    assert not may_leave(publication)


def test_a_changed_template_voids_and_changed_styles_do_not(newsroom: Newsroom, publication: Publication) -> None:
    agreed(newsroom)
    path = publication.template("pages/_quote.html.j2")
    text = path.read_text()
    path.write_text(text.replace("<figure", '<figure data-look="new"', 1) if "<figure" in text else text + "<!-- a look -->")
    assert may_leave(publication)
    path.write_text("<p>Please read this.</p>\n" + text)
    assert not may_leave(publication)


def test_a_changed_limit_voids(newsroom: Newsroom, publication: Publication) -> None:
    agreed(newsroom)
    with publication.opened(NOW) as app:
        from dataclasses import replace

        quote = app.content.quote("0101")
        assert quote is not None
        assert approval.approved(app, quote, app.now())
        channel = app.channels["mastodon"]
        channel.limits = replace(channel.limits, text=700)  # type: ignore[misc]
        assert not approval.approved(app, quote, app.now())


def test_a_change_for_the_eyes_alone_is_renewed_by_the_approver_in_one_act(
    newsroom: Newsroom, publication: Publication, capsys: pytest.CaptureFixture[str]
) -> None:
    publication.quote("0102", "A second sentence about boats that never came back to the quay.")
    may_leave(publication)
    agreed(newsroom)
    newsroom.act("Ada", "verify", "0102")
    newsroom.act("Bo", "approve", "0102")
    path = publication.template("pages/_quote.html.j2")
    path.write_text("<p>Please read this.</p>\n" + path.read_text())
    assert not may_leave(publication)
    capsys.readouterr()
    assert newsroom.act("Bo", "approve", "--changed") == 0
    told = capsys.readouterr()
    assert told.out.count("{+Please read this.+}") == 2
    assert "2 quotes approved again by Bo" in told.err
    assert may_leave(publication)


def test_a_changed_character_is_renewed_by_both_people(
    newsroom: Newsroom, publication: Publication, capsys: pytest.CaptureFixture[str]
) -> None:
    agreed(newsroom)
    path = publication.root / "content/quotes/0101.md"
    path.write_text(path.read_text().replace("in the window", "in a window"))
    capsys.readouterr()
    assert newsroom.act("Bo", "approve", "--changed") == 0
    assert "[-the-] {+a+}" in capsys.readouterr().out
    assert not may_leave(publication)
    assert newsroom.act("Ada", "verify", "--changed") == 0
    assert may_leave(publication)


def test_a_rejection_takes_every_consent_back_and_stops_what_waits(newsroom: Newsroom, publication: Publication) -> None:
    agreed(newsroom)
    assert newsroom.act("Bo", "reject", "0101", "--reason", "the archive's copy differs") == 0
    assert not may_leave(publication)
    assert newsroom.act("Bo", "approve", "0101") == 0
    assert not may_leave(publication)
    assert newsroom.act("Ada", "verify", "0101") == 0
    assert may_leave(publication)


def test_a_reason_that_repeats_the_words_is_refused(newsroom: Newsroom) -> None:
    assert newsroom.act("Bo", "reject", "0101", "--reason", "keeps a lamp in the window is wrong") == 1


def test_each_act_is_in_the_audit_log_and_each_showing_says_on_whose_word(newsroom: Newsroom, publication: Publication) -> None:
    agreed(newsroom)
    publication.run("2026-11-23 05:30")
    with publication.opened(NOW) as app, app.store.read() as connection:
        acts = [(line.act, line.who) for line in reversed(audit.lines(connection))]
        shown = next(line for line in audit.lines(connection) if line.act == "shown")
    assert acts[-3:] == [("verify", "Ada"), ("approve", "Bo"), ("shown", "syndicate")]
    assert (shown.detail["verifiers"], shown.detail["approvers"]) == (["Ada"], ["Bo"])


def test_a_lone_editors_showings_are_stamped_as_such(tmp_path: Path) -> None:
    made = Publication(root=tmp_path / "p", settings=SETTINGS + SOCIAL)
    made.begin("2026-11-22 04:00")
    made.quote("0101", WORDS)
    made.run("2026-11-23 05:30")
    with made.opened(NOW) as app, app.store.read() as connection:
        assert [line.detail["approval"] for line in audit.lines(connection) if line.act == "shown"] == ["solo"]


def altered(publication: Publication, statement: str, *values: object) -> list[str]:
    """What ``db check`` finds after a statement behind its back, which is then taken back by a copy."""
    file = publication.root / "var/syndicate.db"
    database = sqlite3.connect(file)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = file.read_bytes()
    database.execute(statement, values)
    database.commit()
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    with publication.opened(NOW) as app:
        found = app.books.damage()
    for name in ("syndicate.db-wal", "syndicate.db-shm"):
        (publication.root / "var" / name).unlink(missing_ok=True)
    file.write_bytes(before)
    return found


def with_four_acts(publication: Publication) -> None:
    with publication.opened(NOW) as app:
        for number in range(4):
            app.holds.place("digest", f"reason {number}", who="test", now=app.now())
        assert app.books.damage() == []


def test_a_consent_that_was_put_into_the_database_is_named(publication: Publication, newsroom: Newsroom) -> None:
    agreed(newsroom)
    assert altered(publication, "UPDATE person SET roles = roles WHERE key = ?", 1) == []
    told = altered(publication, "UPDATE approval SET content_sha = 'other' WHERE role = 'approver' AND key > ?", 0)
    assert told == [
        "a consent (approver) to tag:test.example,2015:quote/0101 stands in no line of the audit log: nobody gave it by a command"
    ]


def test_one_altered_byte_of_the_audit_log_is_located(publication: Publication) -> None:
    with_four_acts(publication)
    for line in (1, 2, 4):
        for column in ("seq", "at"):
            told = altered(publication, f"UPDATE audit SET {column} = {column} + 64 WHERE seq = ?", line)
            assert any(one.startswith("the audit log was altered at line") for one in told), (column, line)
        for column in ("who", "act", "subject", "detail", "previous", "hash"):
            flipped = f"CAST(X'C1' || substr(CAST({column} AS BLOB), 2) AS TEXT)"  # no UTF-8 any more
            told = altered(publication, f"UPDATE audit SET {column} = {flipped} WHERE seq = ?", line)
            assert f"the audit log was altered at line {line}" in told, column


def test_a_line_taken_out_of_the_audit_log_is_missed(publication: Publication) -> None:
    with_four_acts(publication)
    for line in (1, 3, 4):
        assert f"the audit log was altered at line {line}" in altered(publication, "DELETE FROM audit WHERE seq = ?", line)


def test_the_list_says_who_is_waited_for(newsroom: Newsroom, capsys: pytest.CaptureFixture[str]) -> None:
    newsroom.act("Ada", "verify", "0101")
    capsys.readouterr()
    assert newsroom.say("quotes", "list", "--json") == 0
    row = json.loads(capsys.readouterr().out)[0]
    assert (row["held"], row["waits_for"], row["verified_by"]) == ("Q11", "an approver", ["Ada"])


def test_the_clock_of_a_publication_has_nothing_to_do_with_consent(newsroom: Newsroom, publication: Publication) -> None:
    agreed(newsroom)
    with publication.opened("2028-01-01 00:00") as app:
        app.content.sync(app.sources, app.now())
        assert dailyquote.admissible(app, instant("2028-01-01 00:00"))[0]
