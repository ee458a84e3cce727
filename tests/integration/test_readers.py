"""What other people's parsers make of our feeds, as the table in the docs says: nothing gets lost on the way to a reader."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import feedparser
import pytest

from publication import Publication, instant
from syndicate.publish import feeds

PAGE = Path(__file__).parents[2] / "docs" / "feeds.md"
SCRIPT = Path(__file__).parents[1] / "data" / "read_feeds.mjs"
PARSERS = ("rss-parser@3.13.0", "feedsmith@3.0.1")
FIELDS = ("id", "title", "link", "published", "updated", "authors", "summary", "body", "image", "topics")
FORMATS = {"rss": "RSS", "atom": "Atom", "json": "JSON Feed"}
ASKED = {
    "title": "Fish & chips < 5 > 3",
    "link": "http://127.0.0.1:8000/briefs/harbour",
    "published": instant("2026-11-20 09:00"),
    "updated": instant("2026-11-21 10:00"),
    "authors": ["Maren Dallivar", "Tobin Arkwell"],
    "summary": "What we found in the harbour’s books.",
    "image": "http://127.0.0.1:8000/media/figure.png",
    "topics": ["Ports", "Leaving"],
}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """What a reader should get, and the folder of feeds."""
    made = Publication(root=tmp_path_factory.mktemp("readers") / "publication")
    made.brief(
        "harbour",
        "2026-11-20 09:00:00Z",
        title=f'"{ASKED["title"]}"',
        body="A **bold** figure: 5 < 6 & ]]> [here](/more).",
        authors="[{name: Maren Dallivar, role: Head of Data, url: 'https://test.example/maren'}, {name: Tobin Arkwell}]",
        topics="[Ports, Leaving]",
        summary=str(ASKED["summary"]),
        image="/media/figure.png",
        image_alt="A chart",
        image_width="640",
        image_height="320",
        corrections="[{date: 2026-11-21 10:00:00Z, text: We meant six.}]",
    )
    with made.opened("2026-11-22 12:00") as app:
        assert app.content.sync(app.sources, app.now()).faults == ()
        assert feeds.publish(app, app.now()).faults == ()
        (brief,) = app.content.briefs(now=app.now())
    (item,) = json.loads((made.root / "feeds" / "briefs.json").read_bytes())["items"]
    for part in ("We meant six.", "<strong>bold</strong>", "5 &lt; 6", "]]&gt;", 'href="http://127.0.0.1:8000/more"'):
        assert part in item["content_html"]
    return ASKED | {"id": brief.id, "body": item["content_html"]}, made.root / "feeds"


class Canonical(HTMLParser):
    """HTML by what it says, not by how it is spelt: some parsers write attributes in an order of their own."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.said: list[object] = []
        self.feed(text.strip())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.said.append((tag, sorted(attrs, key=str)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        self.said.append(tag)

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def verdict(field: str, asked: Any, got: Any) -> str:
    """``yes``, ``no`` or ``the first`` for one field of one reader."""
    if field in {"published", "updated"} and got:
        got = parsedate_to_datetime(got) if re.match(r"[A-Z]", got) else instant(got)
    if field == "body" and got:
        return "yes" if Canonical(got).said == Canonical(asked).said else "no"
    if field == "authors" and got and got == asked[:1]:
        return "the first"
    return "yes" if got == asked else "no"


def row(reader: str, form: str, asked: dict[str, Any], entry: dict[str, Any] | None) -> str:
    """A line of the table."""
    told = [verdict(field, asked[field], entry.get(field)) for field in FIELDS] if entry else ["–"] * len(FIELDS)
    return f"| {reader} | {FORMATS[form]} | {' | '.join(told)} |"


def documented(reader: str) -> list[str]:
    return re.findall(rf"^\| {re.escape(reader)} \|.*$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_table_has_the_columns_that_are_tried() -> None:
    assert f"| Parser | Format | {' | '.join(FIELDS)} |" in PAGE.read_text(encoding="utf-8")


def test_feedparser_reads_back_what_the_docs_say(written: tuple[dict[str, Any], Path]) -> None:
    asked, folder = written
    rows = []
    for form in FORMATS:
        entries = feedparser.parse((folder / f"briefs.{form}").read_bytes()).entries
        entry = None
        if entries:
            found = entries[0]
            entry = {name: found.get(name) for name in ("id", "title", "link", "published", "updated", "summary")}
            entry["authors"] = [author.name for author in found.authors]
            entry["body"] = found.content[0].value
            entry["image"] = found.media_thumbnail[0]["url"]
            entry["topics"] = [tag.term for tag in found.tags]
        rows.append(row("feedparser", form, asked, entry))
    assert rows == documented("feedparser")


@pytest.fixture(scope="module")
def parsed(written: tuple[dict[str, Any], Path], tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the parsers from npm make of the feeds."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("no Node here: rss-parser and feedsmith are not asked")
    folder = tmp_path_factory.mktemp("npm")
    command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder), *PARSERS]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=15, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("npm gave no answer within a quarter of a minute: rss-parser and feedsmith are not asked")
    if done.returncode:
        pytest.skip(f"npm could not install rss-parser and feedsmith: {done.stderr.strip()[-200:]}")
    shutil.copy(SCRIPT, folder)
    paths = [str(written[1] / f"briefs.{form}") for form in FORMATS]
    read = subprocess.run(
        [node, str(folder / SCRIPT.name), *paths],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "NODE_OPTIONS": ""},
    )
    return [json.loads(line) for line in read.stdout.splitlines()]


@pytest.mark.parametrize("reader", ["rss-parser", "feedsmith"])
def test_parsers_from_npm_read_back_what_the_docs_say(
    written: tuple[dict[str, Any], Path], parsed: list[dict[str, Any]], reader: str
) -> None:
    rows = [row(reader, one["format"], written[0], one["entry"]) for one in parsed if one["reader"] == reader]
    assert len(rows) == len(FORMATS)
    assert rows == documented(reader)
