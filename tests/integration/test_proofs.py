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
