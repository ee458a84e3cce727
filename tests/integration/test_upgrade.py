"""A publication of an earlier version: what it lacks is the program's own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from publication import Publication
from syndicate import starter
from syndicate.app import open_templates
from syndicate.cli import main

NOW = "2026-11-22 12:00"
PACKAGED = starter.folder() / "templates"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """With all templates of its own."""
    shutil.copytree(PACKAGED, tmp_path / "old" / "templates")
    return tmp_path / "old"


def test_a_template_that_is_missing_is_the_programs_own(old: Path) -> None:
    (old / "templates/email/_footer.html.j2").unlink()
    (old / "templates/pages/front.html.j2").write_text("ours", encoding="utf-8")
    shutil.rmtree(old / "templates/posts")
    found = open_templates(old)
    assert found.source("email/_footer.html.j2") == (PACKAGED / "email/_footer.html.j2").read_text(encoding="utf-8")
    assert found.source("pages/front.html.j2") == "ours"
    assert "posts/brief.x.txt.j2" in found
    assert found.names() == open_templates(PACKAGED.parent).names()


def test_what_was_left_out_on_purpose_stays_out(old: Path) -> None:
    (old / "templates/posts/brief.x.txt.j2").unlink()
    (old / "templates/locale/ar.po").unlink()
    found = open_templates(old)
    assert "posts/brief.x.txt.j2" not in found
    assert found.languages() == ["en"]


def test_without_any_template_it_runs_and_checks_as_ever(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publication = Publication(root=tmp_path / "p")
    publication.begin(NOW)
    publication.brief("one", "2026-11-22T13:00:00Z")
    assert not publication.run("2026-11-22 14:00").faults
    assert not (publication.root / "templates").exists()
    with publication.opened(NOW) as app:
        assert app.style_sheet == PACKAGED / "pages/site.css"
        publication.template("pages/site.css")
        assert app.style_sheet.is_relative_to(publication.root)
    assert main(["-C", str(publication.root), "check"]) == 0, capsys.readouterr()
