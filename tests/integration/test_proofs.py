"""What ``preview`` shows and ``check`` finds before a reader does."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from publication import Publication
from syndicate.cli import main

NOW = "2026-11-22 12:00"


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    made = Publication(root=tmp_path / "p")
    made.begin(NOW)
    made.quote("q1", "We had been told that the quay would be closed and that nobody was to ask.")
    return made


def check(publication: Publication, capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    capsys.readouterr()
    main(["-C", str(publication.root), "check", "--json"])
    found: list[dict[str, str]] = json.loads(capsys.readouterr().out)["faults"]
    return found


def test_the_block_on_a_quotes_page_is_shown_and_checked(
    publication: Publication, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    look = tmp_path / "look"
    assert main(["-C", str(publication.root), "preview", "q1", "--out", str(look)]) == 0
    page = (look / "page.html").read_text(encoding="utf-8")
    assert page.index("pressure to obey") < page.index("We had been told") < page.index("Speaker q1")
    assert check(publication, capsys) == []
    template = publication.template("pages/_quote.html.j2")
    template.write_text(template.read_text(encoding="utf-8").replace("{{ label }}", ""), encoding="utf-8")
    (fault,) = check(publication, capsys)
    assert "page: Q1: templates/pages/_quote.html.j2: " in fault["what"]


def test_a_database_that_cannot_be_written_is_told_before_the_first_run(
    publication: Publication, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check(publication, capsys) == []
    kept, database = os.access, publication.root / "var/syndicate.db"
    for shut in (database, database.parent):
        monkeypatch.setattr(os, "access", lambda path, mode, shut=shut: Path(path) != shut and kept(path, mode))
        (fault,) = check(publication, capsys)
        assert (fault["rule"], fault["what"]) == ("database.url", f"{shut} cannot be written")
    monkeypatch.undo()
    settings = publication.root / "config/syndicate.toml"
    elsewhere = '\n[database]\nurl = "sqlite:///config/syndicate.toml/data/syndicate.db"\n'
    settings.write_text(settings.read_text(encoding="utf-8") + elsewhere, encoding="utf-8")
    (fault,) = check(publication, capsys)
    assert fault["what"] == f"{settings} cannot be written"


def test_every_brief_that_nothing_can_carry_is_told_once_by_its_line(
    publication: Publication, capsys: pytest.CaptureFixture[str]
) -> None:
    publication.brief("turned", "2026-11-20 09:00", title='"bidi \\u202e x"')  # released, and not the newest
    publication.brief("signed", "2026-11-20 10:00", authors='["Ada Weir", "Ivo \\u2066Heron"]')
    publication.brief("plain", "2026-11-21 10:00", authors="Mi\u200cna")  # a joiner is a letter of some names
    publication.brief("ahead", "2026-11-20 11:00", embargo="2026-12-24 07:00", title='"held \\u200b back"')
    publication.brief("newest", "2026-11-22 10:00", title='"newest \\u200e of all"')
    subject = "the title becomes the subject of a mail, which cannot hold"
    assert [(one["file"], one["line"], one["what"]) for one in check(publication, capsys)] == [
        ("content/briefs/ahead.md", 2, f"{subject} U+200B"),
        ("content/briefs/newest.md", 2, f"{subject} U+200E"),
        ("content/briefs/signed.md", 4, "an author's name holds U+2066, which no mail, feed or post can carry"),
        ("content/briefs/turned.md", 2, f"{subject} U+202E"),
    ]


def test_a_quotes_file_that_is_named_after_its_words_is_never_told_whole(
    publication: Publication, capsys: pytest.CaptureFixture[str]
) -> None:
    publication.quote("told-that-the-quay-would", "We had been told that the quay would be closed.", id="q2")
    (fault,) = check(publication, capsys)
    assert (fault["file"], fault["rule"]) == ("content/quotes/told-t….md", "Q5")
    main(["-C", str(publication.root), "quotes", "list", "--json"])
    listed = capsys.readouterr()
    assert "content/quotes/told-t….md" in listed.out
    assert "quay-would" not in listed.out + listed.err
