"""A feed that somebody opens in a browser: read like a page, without a script, and without a quotation out of its frame."""

from __future__ import annotations

import itertools
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page

from chromium import look
from served import NOW, STARTER, copy_starter, opened, served, show
from syndicate.publish import feeds

# Every text that takes up room on the screen, and what its style sheet writes beside it, from top to bottom.
VISIBLE = r"""(() => { const seen = [];
  const walk = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  const note = (box, text, element) => { if (box.width > 1 && box.height > 1 && text.trim()) {
    const style = getComputedStyle(element); seen.push([box.top, box.right, text.trim(), element.localName, style.color]); } };
  for (let node = walk.currentNode; node; node = walk.nextNode()) {
    if (node.nodeType === 3) {
      const range = document.createRange(); range.selectNodeContents(node);
      note(range.getBoundingClientRect(), node.data, node.parentElement);
    } else {
      const text = getComputedStyle(node, '::before').content;
      if (text !== 'none' && text !== 'normal') note(node.getBoundingClientRect(), text.replace(/^"|"$/g, ''), node);
    }
  }
  return seen.sort((a, b) => a[0] - b[0]); })()"""
GROUND = "getComputedStyle(document.documentElement).backgroundColor"


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    url: str
    words: tuple[str, ...]  # of the quotations, without their frame
    bodies: tuple[str, ...]  # sentences of the briefs' texts
    titles: tuple[str, ...]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    root = copy_starter(tmp_path_factory.mktemp("publication"))
    shutil.copy(STARTER / "feeds" / "feed.css", root / "feeds")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    config = root / "config" / "syndicate.toml"
    config.write_text(config.read_text(encoding="utf-8").replace("8000", str(port)), encoding="utf-8")
    with opened(root) as app:
        for back, file in enumerate(("sign-no-paper", "road-closed")):
            show(app, file, NOW.date() - timedelta(days=back))
        feeds.publish(app, NOW)
        quoted = [
            (root / "content" / "quotes" / f"{file}.md").read_text(encoding="utf-8")
            for file in ("sign-no-paper", "road-closed")
        ]
        words = tuple(" ".join(text.rpartition("---\n")[2].split()[:5]) for text in quoted)
        briefs = app.content.briefs(now=NOW, with_body=True)
        plain = [line for brief in briefs for line in brief.body.splitlines() if len(line.split()) > 12 and line[:1].isalpha()]
        with served(app, port) as serving:
            titles = tuple(brief.title for brief in briefs)
            yield Opened(url=serving.url, words=words, bodies=tuple(line[:40] for line in plain), titles=titles)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page on which no script runs; the tests' own questions still may."""
    with browser.new_page(java_script_enabled=False) as fresh:
        yield fresh


def read(page: Page, width: int = 1000, *, dark: bool = False) -> str:
    """What can be read of the feed that is open."""
    look(page, width, dark=dark)
    seen = page.evaluate(VISIBLE)
    assert all(right <= width + 1 for _, right, *_ in seen), [text for _, right, text, *_ in seen if right > width + 1]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    return "\n".join(text for _, _, text, *_ in seen)


@pytest.mark.parametrize("form", ["rss", "atom"])
def test_titles_summaries_people_and_dates_can_be_read(site: Opened, page: Page, form: str) -> None:
    page.goto(f"{site.url}/feeds/briefs.{form}")
    assert page.evaluate("document.contentType") == "application/xml", "as plain XML, or its style sheet is ignored"
    for width, dark in itertools.product((320, 1000), (False, True)):
        text = read(page, width, dark=dark)
        assert text.startswith("This page is a feed.")
        for title in site.titles:
            assert title in text
        for part in (
            "A village movement closed its gates in one night.",
            "Ysolde Tarrant",
            "Closed communities",
            "/briefs/post-fell-silent",
        ):
            assert part in text
        assert ("Fri, 20 Nov 2026 09:00:00 GMT" if form == "rss" else "2026-11-20T09:00:00Z") in text
        assert site.bodies
        assert not [body for body in site.bodies if body in text], "bodies stay in the file"
        for hidden in ("tag:", "syndicate", "rssboard", "<p>"):
            assert hidden not in text


@pytest.mark.parametrize("form", ["rss", "atom"])
def test_no_quotation_is_seen_out_of_its_frame(site: Opened, page: Page, form: str) -> None:
    page.goto(f"{site.url}/feeds/quotes.{form}")
    source = page.evaluate("document.documentElement.textContent")
    for width in (320, 1000):
        text = read(page, width)
        assert "A leaflet for harbour workers" in text
        assert text.count("Extremists’ words or actions, shown for study") == 2
        assert "quoted-extremist-speech" not in text
        for words in site.words:
            assert words in source, "they are in the file"
            assert words not in text


def test_every_text_stands_out_from_its_ground(site: Opened, page: Page) -> None:
    for name in ("briefs.rss", "briefs.atom", "quotes.rss", "quotes.atom"):
        page.goto(f"{site.url}/feeds/{name}")
        for dark in (False, True):
            read(page, dark=dark)
            ground = luminance(page.evaluate(GROUND))
            assert (ground < 0.5) == dark
            for _, _, text, _, colour in page.evaluate(VISIBLE):
                light, darker = sorted((luminance(colour), ground), reverse=True)
                assert (light + 0.05) / (darker + 0.05) >= 4.5, text  # WCAG 2.2 §1.4.3


def luminance(colour: str) -> float:
    """WCAG's relative luminance of ``rgb(…)``."""
    parts = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
