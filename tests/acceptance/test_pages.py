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
from syndicate import links
from syndicate.app import App
from syndicate.publish import feeds, signup
from syndicate.publish.tick import tick
from syndicate.store.wishes import Wishes

pytestmark = pytest.mark.skipif(
    chromium.executable() is None, reason="no Chromium here: the pages are not looked at in a browser"
)

WIDTHS = (320, 600, 1200, 1600)


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    url: str
    pages: dict[str, str]
    app: App


def signed_up(app: App) -> dict[str, str]:
    """The pages of somebody who has not confirmed yet."""
    wish = signup.Wish(
        address="waiting@example.org", newsletter="digest", wishes=Wishes(), wording="I agree.", form="/subscribe"
    )
    assert signup.ask(app, wish, "here", NOW) == "yes"
    with app.store.read() as connection:
        reader = connection.exec_driver_sql("SELECT key FROM subscriber WHERE address = 'waiting@example.org'").scalar_one()
    token = signup.token(app.subscribers.views(reader)[0])
    fresh = links.FreshToken(token=token, until=NOW + timedelta(hours=5))
    return {
        "subscribe": "/subscribe",
        "subscribe in Arabic": "/subscribe?lang=ar",
        "confirm": f"/c/{links.sign(token, app.token_keys, 'confirm')}",
        "export": f"/export/{links.sign_fresh(fresh, app.token_keys, 'export')}",
        "erase": f"/erase/{links.sign_fresh(fresh, app.token_keys, 'erase')}",
    }


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
                **signed_up(app),
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


def reach(chrome: chromium.Browser, what: str, most: int = 60) -> None:
    """Press Tab until ``what`` has the focus."""
    for _ in range(most):
        if chrome.ask(f"document.activeElement.matches({what!r})"):
            return
        chrome.press("Tab")
    raise AssertionError(f"{what} cannot be reached by keyboard")


def test_a_reader_signs_up_confirms_chooses_and_leaves_by_keyboard_alone(site: Site, chrome: chromium.Browser) -> None:
    chrome.look(600)
    chrome.open(f"{site.url}/subscribe")
    reach(chrome, "#mail")
    chrome.type("keys@example.org")
    reach(chrome, "main button")
    chrome.press("Enter", loads=True)  # sooner than a person: the clock of these tests stands still
    assert "once more" in chrome.ask("document.querySelector('[role=alert] h2').textContent")
    assert chrome.ask("document.querySelector('#mail').value") == "keys@example.org"
    wish = signup.Wish(address="keys@example.org", newsletter="digest", wishes=Wishes(), wording="I agree.", form="/subscribe")
    assert signup.ask(site.app, wish, "here", NOW) == "yes"
    with site.app.store.read() as connection:
        reader = connection.exec_driver_sql("SELECT key FROM subscriber WHERE address = 'keys@example.org'").scalar_one()
    token = signup.token(site.app.subscribers.views(reader)[0])
    chrome.open(f"{site.url}/c/{links.sign(token, site.app.token_keys, 'confirm')}")
    reach(chrome, "main button")
    chrome.press("Enter", loads=True)
    assert chrome.ask("document.querySelector('[role=status] h2').textContent") == "Confirmed"
    reach(chrome, "main a.btn")
    chrome.press("Enter", loads=True)
    reach(chrome, "input[name=frequency]:checked")
    chrome.press("ArrowDown")
    reach(chrome, "main button")
    assert chrome.ask("document.activeElement.textContent") == "Save my choices"
    chrome.press("Enter", loads=True)
    assert chrome.ask("document.querySelector('[role=status] h2').textContent") == "Saved"
    assert chrome.ask("document.querySelector('input[name=frequency]:checked').value") == "weekly"
    reach(chrome, "main a[href^='/u/']")
    chrome.press("Enter", loads=True)
    assert chrome.ask("document.querySelector('button').getBoundingClientRect().height") >= 44
    reach(chrome, "main button")
    chrome.press("Enter", loads=True)
    assert chrome.ask("document.querySelector('[role=status] h2').textContent") == "Done. You are unsubscribed."


def test_the_pages_of_readers_shut_nobody_out(site: Site, chrome: chromium.Browser) -> None:
    for width, dark in ((320, True), (1200, False)):
        chrome.look(width, dark=dark)
        for name in ("subscribe", "subscribe in Arabic", "confirm", "preferences", "unsubscribe", "export", "erase"):
            chrome.open(site.url + site.pages[name])
            assert axe.violations(chrome) == [], f"{name} at {width} px"


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
