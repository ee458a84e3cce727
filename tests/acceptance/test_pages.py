"""The reader pages in a real Chromium: from 320 to 1600 px, light and dark, on paper and by keyboard."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

import axe
import chromium
from legible import LEGIBILITY, OVERFLOW
from served import NOW, copy_starter, free_port, opened, served, show, subscribe
from syndicate.app import App
from syndicate.publish import feeds
from syndicate.publish.tick import tick

pytestmark = pytest.mark.skipif(
    chromium.executable() is None, reason="no Chromium here: the pages are not looked at in a browser"
)

WIDTHS = (320, 600, 1200, 1600)


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    url: str
    pages: dict[str, str]
    app: App


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    root, port = copy_starter(tmp_path_factory.mktemp("publication")), free_port()
    shutil.copy(Path(__file__).parents[2] / "feeds" / "feed.css", root / "feeds")
    config = root / "config" / "syndicate.toml"
    config.write_text(config.read_text(encoding="utf-8").replace("8000", str(port)), encoding="utf-8")
    with opened(root) as app:
        token = subscribe(app)
        slugs = {
            file: show(app, file, NOW.date() - timedelta(days=back))
            for back, file in enumerate(("sign-no-paper", "road-closed"))
        }
        feeds.publish(app, NOW)
        with served(app, port) as serving:
            pages = {
                "front": "/",
                "brief with a figure": "/briefs/post-fell-silent",
                "brief with a correction": "/briefs/friends-of-the-harbour-hall",
                "all briefs": "/briefs/",
                "topic": "/topics/closed-communities",
                "quotations": "/quotes/",
                "translated quotation": f"/quotes/{slugs['sign-no-paper']}",
                "deed": f"/quotes/{slugs['road-closed']}",
                "editions": "/editions/",
                "feeds": "/feeds/",
                "unsubscribe": f"/u/{token}",
                "preferences": f"/p/{token}",
                "lost": "/nowhere",
            }
            yield Site(url=serving.url, pages=pages, app=app)


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chromium.Browser]:
    with chromium.browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_fits_and_can_be_read(site: Site, chrome: chromium.Browser, width: int, *, dark: bool) -> None:
    chrome.look(width, dark=dark)
    for name, path in site.pages.items():
        chrome.open(site.url + path)
        assert chrome.ask(OVERFLOW) == [], f"{name} is wider than {width} px"
        assert chrome.ask(LEGIBILITY) == [], f"{name} at {width} px"


def test_every_page_is_accessible(site: Site, chrome: chromium.Browser) -> None:
    chrome.look(320, dark=True)
    for name, path in site.pages.items():
        chrome.open(site.url + path)
        assert axe.violations(chrome) == [], name


def test_nothing_that_a_page_asks_for_is_missing_or_forbidden(site: Site, chrome: chromium.Browser) -> None:
    chrome.look(1200)
    for name, path in site.pages.items():
        chrome.complaints.clear()
        chrome.open(site.url + path)
        pictures = chrome.ask("[...document.images].map(i => i.naturalWidth)")
        assert all(pictures), name
        assert [said for said in chrome.complaints if name != "lost" or "404" not in said] == [], name
    chrome.open(site.url + "/briefs/post-fell-silent")
    assert chrome.ask("document.images.length") == 1


def test_the_picture_keeps_an_opaque_ground(site: Site, chrome: chromium.Browser) -> None:
    chrome.look(600, dark=True)
    chrome.open(site.url + "/briefs/post-fell-silent")
    assert chrome.ask("getComputedStyle(document.images[0]).backgroundColor") == "rgb(255, 255, 255)"


def test_the_specimen_is_the_smallest_running_text_of_its_box(site: Site, chrome: chromium.Browser) -> None:
    chrome.look(1200)
    chrome.open(site.url + site.pages["deed"])
    size = "parseFloat(getComputedStyle(document.querySelector('.spec {}')).fontSize)"
    assert chrome.ask(size.format("blockquote")) < chrome.ask(size.format(".context"))
    assert chrome.ask("getComputedStyle(document.querySelector('.spec')).borderTopWidth") == "1px"


def test_a_right_to_left_original_runs_from_the_right(site: Site, chrome: chromium.Browser) -> None:
    chrome.look(600)
    chrome.open(site.url + site.pages["translated quotation"])
    style = "getComputedStyle(document.querySelector('blockquote[lang=ar] p')).{}"
    assert chrome.ask(style.format("direction")) == "rtl"
    assert chrome.ask("(() => { const r = document.createRange(); r.selectNodeContents(document.querySelector('blockquote[lang=ar] p'));"
                      "const line = r.getClientRects()[0], box = document.querySelector('.tray').getBoundingClientRect();"
                      "return box.right - line.right < line.left - box.left; })()")  # fmt: skip


def test_paper_carries_the_text_and_no_navigation(site: Site, chrome: chromium.Browser) -> None:
    chrome.look(700, printed=True)
    for name in ("front", "brief with a correction", "translated quotation"):
        chrome.open(site.url + site.pages[name])
        assert chrome.ask("[...document.querySelectorAll('nav')].every(n => getComputedStyle(n).display === 'none')"), name
        assert chrome.ask("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert chrome.ask("getComputedStyle(document.querySelector('.spec')).breakInside") == "avoid"


def test_the_first_tab_reaches_the_text_and_focus_is_seen(site: Site, chrome: chromium.Browser) -> None:
    chrome.look(1200)
    chrome.open(site.url + site.pages["front"])
    chrome.press("Tab")
    assert chrome.ask("document.activeElement.textContent") == "Skip to the text"
    assert chrome.ask("document.activeElement.getBoundingClientRect().left >= 0")
    chrome.press("Tab")
    assert chrome.ask("getComputedStyle(document.activeElement).outlineWidth") == "3px"


def test_choices_are_made_and_a_subscription_is_ended_by_keyboard(site: Site, chrome: chromium.Browser) -> None:
    token = subscribe(site.app, "keys@example.org")
    chrome.look(600)
    chrome.open(f"{site.url}/p/{token}")
    chrome.ask("document.querySelector('input[name=frequency]:checked').focus()")
    chrome.press("ArrowDown")
    chrome.press("Tab")
    chrome.press("Tab")
    assert chrome.ask("document.activeElement.textContent") == "Save my choices"
    chrome.press("Enter", loads=True)
    assert chrome.ask("document.querySelector('[role=status] h2').textContent") == "Saved"
    assert chrome.ask("document.querySelector('input[name=frequency]:checked').value") == "weekly"
    chrome.open(f"{site.url}/u/{token}")
    button = "document.querySelector('button')"
    assert chrome.ask(f"{button}.getBoundingClientRect().height") >= 44
    chrome.ask(f"{button}.focus()")
    chrome.press("Enter", loads=True)
    assert chrome.ask("document.querySelector('[role=status] h2').textContent") == "Done. You are unsubscribed."


def test_a_feed_reads_like_a_page(site: Site, chrome: chromium.Browser) -> None:
    chrome.look(320)
    for name in ("briefs.rss", "briefs.atom", "quotes.atom"):
        chrome.open(f"{site.url}/feeds/{name}")
        assert chrome.ask("document.contentType") == "application/xml"
        assert chrome.ask("document.documentElement.scrollWidth <= innerWidth"), name
        assert chrome.ask("document.styleSheets.length") == 1


def test_an_edition_fits_a_telephone(site: Site, chrome: chromium.Browser) -> None:
    at = NOW + timedelta(days=2)
    (site.app.root / "content" / "briefs" / "newer.md").write_text(
        "---\ntitle: Newer\ndate: 2026-11-23 09:00\n---\nText.", encoding="utf-8"
    )
    tick(site.app, NOW + timedelta(hours=1))
    tick(site.app, at)
    chrome.look(320, dark=True)
    chrome.open(site.url + "/editions/digest/1")
    assert chrome.ask("document.querySelector('h1, h2') !== null")
    assert chrome.ask(OVERFLOW) == []
