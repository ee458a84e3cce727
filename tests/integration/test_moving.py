"""The move from another system as its page of the docs tells it: no entry gets another name, and nobody gets mail."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import feedparser
import httpx
import pytest

import nginx
from publication import Publication
from syndicate.store.subscribers import Wishes

PAGE = Path(__file__).parents[2] / "docs" / "moving.md"
# One entry each, as these systems write it: its name, its page, and the file that an exporter makes of it.
WORDPRESS = ("http://old.example/?p=123&x=1", "https://old.example/2024/03/01/harbour/", "2024-03-01-harbour.md")
GHOST = ("5f1e8c2a9b7d4e0001a2b3c4", "https://old.example/ferry/", "ferry.md")
HUGO = ("https://old.example/posts/bridge/", "https://old.example/posts/bridge/", "bridge/index.md")
SUBSTACK = ("https://letter.old.example/p/tower", "https://letter.old.example/p/tower", "tower.md")
JEKYLL = ("https://old.example/2024/03/01/quay", "https://old.example/2024/03/01/quay.html", "2024-03-01-quay.md")
RSS_ITEM = '<item><title>T</title><link>{}</link><guid isPermaLink="false">{}</guid></item>'
ATOM_ENTRY = (
    '<entry><title>T</title><link href="{}" rel="alternate"/><link rel="edit" href="https://x.example/"/><id>{}</id></entry>'
)


def block(language: str) -> str:
    """The code of the page."""
    found = re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(found) == 1
    return str(found[0])


@pytest.fixture
def moved(tmp_path: Path) -> Publication:
    """A running publication into which a folder with another publisher's posts is brought, before its first run."""
    made = Publication(root=tmp_path / "publication")
    folder = made.root / "content" / "briefs"
    entries = [WORDPRESS, GHOST, HUGO, SUBSTACK, JEKYLL]
    for number, (_, _, file) in enumerate(entries):
        (folder / file).parent.mkdir(exist_ok=True)
        text = f"---\ntitle: Title {number}\ndate: 2024-03-0{number + 1} 08:00:00Z\n---\n\nText {number}.\n"
        (folder / file).write_text(text, encoding="utf-8")
    escaped = [(page.replace("&", "&amp;"), name.replace("&", "&amp;")) for name, page, _ in entries]
    rss = "".join(RSS_ITEM.format(*one) for one in escaped[:4])
    (tmp_path / "old.rss").write_text(f"<rss version='2.0'><channel>{rss}</channel></rss>", encoding="utf-8")
    atom = ATOM_ENTRY.format(*escaped[4])
    (tmp_path / "old.atom").write_text(f"<feed xmlns='http://www.w3.org/2005/Atom'>{atom}</feed>", encoding="utf-8")
    (tmp_path / "old-names.py").write_text(block("python"), encoding="utf-8")
    return made


def take_over(moved: Publication) -> str:
    """Run the page's script over both feeds; what it printed."""
    beside = moved.root.parent
    told = ""
    for feed in ("old.rss", "old.atom"):
        command = [sys.executable, str(beside / "old-names.py"), str(beside / feed), str(moved.root / "content" / "briefs")]
        told += subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return told


def test_the_names_of_a_foreign_feed_come_back_in_ours(moved: Publication) -> None:
    assert take_over(moved) == ""
    files = moved.snapshot("content")
    assert take_over(moved) == ""
    assert moved.snapshot("content") == files, "a second run changes nothing"
    moved.run("2026-11-22 12:00")
    folder = moved.root / "feeds"
    rss, atom = (
        {entry.title: entry.id for entry in feedparser.parse((folder / f"briefs.{form}").read_bytes()).entries}
        for form in ("rss", "atom")
    )
    items = {item["title"]: item["id"] for item in json.loads((folder / "briefs.json").read_bytes())["items"]}
    names = [one[0] for one in (WORDPRESS, GHOST, HUGO, SUBSTACK, JEKYLL)]
    assert [rss[f"Title {number}"] for number in range(5)] == names
    assert atom == items
    assert [atom[f"Title {number}"] for number in (0, 2, 3, 4)] == [names[number] for number in (0, 2, 3, 4)]
    assert atom["Title 1"].startswith("tag:test.example,2015:brief/"), "Atom wants a URI where Ghost has none"


def test_an_entry_without_a_file_is_told(moved: Publication) -> None:
    (moved.root / "content" / "briefs" / "tower.md").unlink()
    assert take_over(moved) == f"no file for {SUBSTACK[1]}: its name is {SUBSTACK[0]}\n"


def test_nothing_that_was_brought_along_is_sent(moved: Publication) -> None:
    take_over(moved)
    moved.begin("2026-11-22 11:00")
    moved.subscribe("2026-11-22 11:30", marrow=Wishes(frequency="daily"))
    moved.run("2026-11-22 12:00")
    moved.run("2026-11-23 07:00")
    moved.run("2026-11-30 08:00")
    assert moved.outbox() == []
    moved.brief("new", "2026-11-30 09:00:00Z")
    moved.run("2026-11-30 09:30")
    moved.run("2026-12-01 07:00")
    (mail,) = moved.outbox()
    assert b"About new" in mail.read_bytes()
    assert b"Title" not in mail.read_bytes()


def test_two_entries_never_share_a_guid(moved: Publication) -> None:
    for number in (1, 2):
        moved.brief(f"twin-{number}", "2024-01-01 08:00:00Z", guid="same")
    moved.run("2026-11-22 12:00")
    found = [entry.id for entry in feedparser.parse((moved.root / "feeds" / "briefs.rss").read_bytes()).entries]
    assert len(found) == len(set(found)) == 7
    assert "same" not in found


@pytest.mark.parametrize("guid", ['"two words"', "ümlaut", f'"{"x" * 256}"'])
def test_a_guid_that_no_feed_takes_is_a_fault_with_its_line(moved: Publication, guid: str) -> None:
    moved.brief("bad", "2024-01-01 08:00:00Z", guid=guid)
    with moved.opened("2026-11-22 12:00") as app:
        (fault,) = app.content.sync(app.sources, app.now()).faults
    assert (fault.file, fault.line) == ("content/briefs/bad.md", 4)


def test_the_old_addresses_lead_to_the_new_ones_for_good(tmp_path: Path) -> None:
    lines = block("nginx")
    told = dict(re.findall(r"location = (\S+)\s+\{ return 301 (\S+);", lines))
    assert len(told) == len(lines.splitlines()) == 7
    if nginx.executable() is None:
        pytest.skip("no nginx here: the redirects are not tried")
    with nginx.site(tmp_path, f"server {{\nlisten 80;\n{lines}}}\n") as url:
        for address, target in told.items():
            answer = httpx.get(url + address, trust_env=False)
            assert (answer.status_code, answer.headers["location"]) == (301, target)
