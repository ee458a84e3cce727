"""Folders of files as sources: everything that can be wrong with a file, a link or a folder."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from syndicate.errors import Fault, SourceError
from syndicate.settings import SiteSettings, SourceSettings
from syndicate.sources import Draft, Found, Source, open_source

SITE = SiteSettings(title="T", url="https://example.org", zone="Europe/Berlin", tag_authority="example.org,2015")
GOOD = b"---\ntitle: A\ndate: 2026-11-22\n---\nBody\n"


@pytest.fixture
def source(tmp_path: Path) -> Source:
    (tmp_path / "content").mkdir()
    return open_source("briefs", SourceSettings(kind="markdown", path="./content/"), root=tmp_path, site=SITE)


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write(name: str, data: bytes = GOOD) -> Path:
        path = tmp_path / "content" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    return write


def paths(source: Source) -> list[str]:
    return [found.path for found in source.scan()]


def read_all(source: Source) -> tuple[dict[str, Draft], dict[str, Fault]]:
    drafts, faults = {}, {}
    for found in source.scan():
        try:
            draft = source.read(found)
        except SourceError as error:
            (faults[found.path],) = error.faults
            continue
        if draft is not None:
            drafts[found.path] = draft
    return drafts, faults


def test_files_are_found_sorted_below_the_folder(source: Source, write: Any) -> None:
    for name in ("b.md", "a.markdown", "deep/er/c.mkd", "deep/index.md"):
        write(name)
    assert paths(source) == ["content/a.markdown", "content/b.md", "content/deep/er/c.mkd", "content/deep/index.md"]


@pytest.mark.parametrize(
    "name",
    [".hidden.md", ".git/x.md", "x.md~", "#x.md#", ".#x.md", ".x.md.swp", "x.txt", "x.html", "_index.md", "deep/_index.md",
     "index.md", "node_modules/x.md", "_includes/x.md", "_site/x.md", "LICENSE", "x.md.bak"],
)  # fmt: skip
def test_what_is_no_item_is_not_even_looked_at(source: Source, write: Any, name: str) -> None:
    write(name)
    assert paths(source) == []


def test_scanning_opens_no_file(source: Source, write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    write("a.md")
    monkeypatch.setattr(os, "open", lambda *_args, **_more: pytest.fail("a file was opened"))
    assert paths(source) == ["content/a.md"]


def test_bom_and_foreign_line_ends_are_read(source: Source, write: Any) -> None:
    write("bom.md", b"\xef\xbb\xbf" + GOOD)
    write("crlf.md", GOOD.replace(b"\n", b"\r\n") + b"more\r\n")
    write("cr.md", GOOD.replace(b"\n", b"\r"))
    drafts, faults = read_all(source)
    assert not faults
    assert {path: draft.body for path, draft in drafts.items()} == {
        "content/bom.md": "Body",
        "content/crlf.md": "Body\nmore",
        "content/cr.md": "Body",
    }


@pytest.mark.parametrize(
    ("data", "line", "what"),
    [
        (b"", 0, "is empty"),
        (b" \n\n", 0, "is empty"),
        (b"---\ntitle: \xe9\n---\n", 2, "is not UTF-8"),
        ("---\ntitle: A\n---\n".encode("utf-16"), 1, "is UTF-16"),
        (b"---\ntitle: A\n---\n\0", 4, "NUL"),
        (b"---\ntitle: A\n", 1, "never closed"),
        (b"x" * 10_000_000, 0, "larger than 5 MB"),
        (b"# No front matter\n", 1, "no front matter"),
    ],
)
def test_a_faulty_file_is_named_and_the_others_go_on(source: Source, write: Any, data: bytes, line: int, what: str) -> None:
    write("a.md")
    write("bad.md", data)
    write("z.md")
    drafts, faults = read_all(source)
    assert sorted(drafts) == ["content/a.md", "content/z.md"]
    fault = faults["content/bad.md"]
    assert (fault.file, fault.line) == ("content/bad.md", line)
    assert what in fault.what
    assert fault.right


def test_a_folder_with_a_files_name_is_a_fault(source: Source, write: Any, tmp_path: Path) -> None:
    write("a.md")
    (tmp_path / "content" / "x.md").mkdir()
    drafts, faults = read_all(source)
    assert list(drafts) == ["content/a.md"]
    assert "folder" in faults["content/x.md"].what


def test_links_are_followed_and_loops_are_faults(source: Source, write: Any, tmp_path: Path) -> None:
    content = tmp_path / "content"
    write("deep/a.md")
    (content / "again.md").symlink_to("deep/a.md")
    (content / "loop.md").symlink_to("loop.md")
    (content / "nowhere.md").symlink_to("missing.md")
    (content / "deep" / "up").symlink_to(content)
    (content / "also").symlink_to(content / "deep")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "b.md").write_bytes(GOOD)
    (content / "linked").symlink_to(elsewhere)
    drafts, faults = read_all(source)
    assert sorted(drafts) == ["content/again.md", "content/deep/a.md", "content/linked/b.md"]
    assert sorted(faults) == ["content/also", "content/deep/up", "content/loop.md", "content/nowhere.md"]
    assert all(fault.right for fault in faults.values())


def test_a_pipe_does_not_stop_the_reading(source: Source, write: Any, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "content" / "pipe.md")
    write("z.md")
    drafts, faults = read_all(source)
    assert list(drafts) == ["content/z.md"]
    assert "ordinary" in faults["content/pipe.md"].what


def test_a_file_that_may_not_be_read_is_a_fault(source: Source, write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    write("a.md")
    write("secret.md")
    real = os.open

    def refusing(path: Any, flags: int, *more: Any, **named: Any) -> int:
        if str(path).endswith("secret.md"):
            raise PermissionError(13, "Permission denied")
        return real(path, flags, *more, **named)

    monkeypatch.setattr(os, "open", refusing)
    drafts, faults = read_all(source)
    assert list(drafts) == ["content/a.md"]
    assert str(faults["content/secret.md"]) == "content/secret.md: disk: may not be read; give this user the right to read it"


def test_a_folder_that_may_not_be_listed_is_a_fault(source: Source, write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    write("a.md")
    write("locked/b.md")
    write("open/c.md")
    real = os.scandir

    def refusing(path: Any) -> Any:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refusing)
    found = {file.path: file for file in source.scan()}
    assert sorted(found) == ["content/a.md", "content/locked", "content/open/c.md"]
    assert found["content/locked"].folder
    with pytest.raises(SourceError, match="may not be read"):
        source.read(found["content/locked"])


def test_a_name_that_is_not_utf8_is_a_fault(source: Source, write: Any, tmp_path: Path) -> None:
    write("a.md")
    Path(os.fsdecode(os.fsencode(tmp_path / "content") + b"/\xff.md")).write_bytes(GOOD)
    drafts, faults = read_all(source)
    assert list(drafts) == ["content/a.md"]
    ((path, fault),) = faults.items()
    path.encode()  # what is shown and stored is text
    assert "not UTF-8" in fault.what


@pytest.mark.parametrize("state", ["missing", "a file"])
def test_a_source_without_its_folder_says_so(tmp_path: Path, state: str) -> None:
    if state == "a file":
        (tmp_path / "content").write_text("x")
    source = open_source("briefs", SourceSettings(kind="markdown", path="content"), root=tmp_path, site=SITE)
    with pytest.raises(SourceError) as error:
        list(source.scan())
    (fault,) = error.value.faults
    assert fault.file == "content"
    assert fault.right


def test_an_absolute_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(GOOD)
    source = open_source("s", SourceSettings(kind="markdown", path=str(tmp_path)), root=Path("/nowhere"), site=SITE)
    drafts, _ = read_all(source)
    assert list(drafts) == [f"{tmp_path}/a.md"]


def test_a_file_that_was_just_saved_is_read_again(source: Source, write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("a.md")
    saved = path.stat().st_mtime_ns
    monkeypatch.setattr(time, "time_ns", lambda: saved + 1_000_000)
    (found,) = source.scan()
    fresh = source.read(found)
    assert fresh is not None
    assert fresh.stamp == ""
    past = saved - 10**9
    os.utime(path, ns=(past, past))
    (found,) = source.scan()
    settled = source.read(found)
    assert settled is not None
    assert settled.stamp == found.stamp != ""


def test_a_file_that_vanishes_before_it_is_read_is_a_fault(source: Source) -> None:
    with pytest.raises(SourceError, match="vanished"):
        source.read(Found(path="content/x.md", stamp="1:1:1"))


def test_quotes_are_read_from_their_folder(tmp_path: Path) -> None:
    folder = tmp_path / "content" / "quotes"
    folder.mkdir(parents=True)
    lines = "speaker: S\nrole: R\ndate: Undated\nlang: en\nsource: B\narchive: https://archive.example.org/1\ncontext: C"
    (folder / "0412.md").write_text(f"---\n{lines}\n---\nWords of our own.\n")
    (folder / "README.md").write_text("How we quote.\n")
    (folder / "0413.md").write_text("Words without anything.\n")
    source = open_source("quotes", SourceSettings(kind="quotes", path="content/quotes"), root=tmp_path, site=SITE)
    drafts, faults = read_all(source)
    assert list(drafts) == ["content/quotes/0412.md"]
    assert drafts["content/quotes/0412.md"].body == "Words of our own."
    assert faults["content/quotes/0413.md"].rule == "Q12"


def test_a_text_of_nothing_but_brackets_is_left_out_with_its_line_and_one_with_many_links_is_read(
    source: Source, write: Any
) -> None:
    write("links.md", GOOD + b"[a](b) " * 10_000)
    write("hostile.md", GOOD + b"[\n" * 10_000 + b"[" * 10_000 + b"> " * 3_000 + b"*" * 20_000)
    drafts, faults = read_all(source)
    assert list(drafts) == ["content/links.md"]
    found = faults["content/hostile.md"]
    assert (found.line, found.rule) == (10_006, "markup")
