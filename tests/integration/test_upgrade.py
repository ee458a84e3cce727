"""A publication of an earlier version: what it lacks is the program's own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from publication import Publication, instant
from syndicate import starter
from syndicate.app import open_templates
from syndicate.cli import init, main

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


def advice(root: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    capsys.readouterr()
    assert main(["-C", str(root), "check"]) == 0
    return [line for line in capsys.readouterr().err.splitlines() if "templates/" in line]


def test_check_names_the_templates_that_an_upgrade_left_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    root = tmp_path / "letter"
    init.make(root, sample=False, now=instant(NOW))
    changed = root / "templates/pages/front.html.j2"
    changed.write_text(changed.read_text(encoding="utf-8") + "{# ours #}", encoding="utf-8")
    assert advice(root, capsys) == []
    newer = tmp_path / "newer"
    for name in starter.FOLDERS:
        shutil.copytree(starter.folder() / name, newer / name)
    for name in ("pages/front.html.j2", "pages/feeds.html.j2"):
        with (newer / "templates" / name).open("a", encoding="utf-8") as file:
            file.write("{# newer #}")
    monkeypatch.setattr(starter, "folder", lambda: newer)
    kept, own = advice(root, capsys)
    assert "templates/pages/feeds.html.j2: template: the program has a newer one, and you never changed this; delete it" in kept
    assert "templates/pages/front.html.j2: template: the program has a newer one than yours was made from; compare it" in own
    (root / "templates/pages/feeds.html.j2").unlink()
    seen = own.partition("then write ")[2].partition(" ")[0]
    record = root / "templates/.originals"
    lines = [
        f"{seen}  pages/front.html.j2" if line.endswith("  pages/front.html.j2") else line
        for line in record.read_text(encoding="utf-8").splitlines()
    ]
    record.write_text("\n".join(lines), encoding="utf-8")
    assert advice(root, capsys) == []
    record.unlink()
    (told,) = advice(root, capsys)
    assert "nothing says which version these were made from: pages/front.html.j2; delete those" in told
