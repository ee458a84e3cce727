"""The reader pages in a real Chromium: from 320 to 1600 px, light and dark, on paper and by keyboard."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

import axe
from chromium import Heard, look
from legible import LEGIBILITY, OVERFLOW
from served import NOW, copy_starter, free_port, opened, served, show, subscribe
from syndicate import links
from syndicate.app import App
from syndicate.publish import feeds, signup
from syndicate.publish.tick import tick
from syndicate.store.wishes import Wishes

WIDTHS = (320, 600, 1200, 1600)
FORMS = ("subscribe", "subscribe in Arabic", "confirm", "preferences", "unsubscribe", "export", "erase")


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


def test_every_page_fits_can_be_read_and_shuts_nobody_out(site: Site, page: Page) -> None:
    for name, path in site.pages.items():
        page.goto(site.url + path)
        for width in WIDTHS:
            for dark in (False, True):
                look(page, width, dark=dark)
                where = f"{name} at {width} px, {'dark' if dark else 'light'}"
                assert page.evaluate(f"[{OVERFLOW}, {LEGIBILITY}]") == [[], []], where
                asked = (width, dark) == (320, True) or ((width, dark) == (1200, False) and name in FORMS)
                assert not asked or axe.violations(page) == [], where


def test_nothing_that_a_page_asks_for_is_missing_or_forbidden(site: Site, page: Page) -> None:
    heard = Heard(page)
    look(page, 1200)
    for name, path in site.pages.items():
        page.goto(site.url + path)
        assert all(page.evaluate("[...document.images].map(i => i.naturalWidth)")), name
        assert [said for said in heard.complaints if name != "lost" or "404" not in said] == [], name
        heard.complaints.clear()
    assert [url for url in heard.requests if not url.startswith(site.url)] == []
    page.goto(site.url + "/briefs/post-fell-silent")
    expect(page.get_by_role("img")).to_have_count(1)


def test_the_picture_keeps_an_opaque_ground(site: Site, page: Page) -> None:
    look(page, 600, dark=True)
    page.goto(site.url + "/briefs/post-fell-silent")
    expect(page.get_by_role("img")).to_have_css("background-color", "rgb(255, 255, 255)")


def test_the_specimen_is_the_smallest_running_text_of_its_box(site: Site, page: Page) -> None:
    look(page, 1200)
    page.goto(site.url + site.pages["deed"])
    box = page.locator(".spec")
    size = "node => parseFloat(getComputedStyle(node).fontSize)"
    assert box.locator("blockquote").evaluate(size) < box.locator(".context").evaluate(size)
    expect(box).to_have_css("border-top-width", "1px")


def test_a_right_to_left_original_runs_from_the_right(site: Site, page: Page) -> None:
    look(page, 600)
    page.goto(site.url + site.pages["translated quotation"])
    original = page.locator("blockquote[lang=ar] p")
    expect(original).to_have_css("direction", "rtl")
    assert original.evaluate("""node => { const r = document.createRange(); r.selectNodeContents(node);
        const line = r.getClientRects()[0], box = document.querySelector('.tray').getBoundingClientRect();
        return box.right - line.right < line.left - box.left; }""")


def test_paper_carries_the_text_and_no_navigation(site: Site, page: Page) -> None:
    look(page, 700, printed=True)
    for name in ("front", "brief with a correction", "translated quotation"):
        page.goto(site.url + site.pages[name])
        expect(page.locator("nav").filter(visible=True), name).to_have_count(0)
        expect(page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
    expect(page.locator(".spec")).to_have_css("break-inside", "avoid")


def test_the_first_tab_reaches_the_text_and_focus_is_seen(site: Site, page: Page) -> None:
    look(page, 1200)
    page.goto(site.url + site.pages["front"])
    focused = page.locator(":focus")
    page.keyboard.press("Tab")
    expect(focused).to_have_text("Skip to the text")
    expect(focused).to_be_in_viewport()
    page.keyboard.press("Tab")
    expect(focused).to_have_css("outline-width", "3px")


def reach(page: Page, what: Locator, most: int = 60) -> None:
    """Press Tab until ``what`` has the focus."""
    node = what.element_handle()
    for _ in range(most):
        if node.evaluate("node => node === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{what} cannot be reached by keyboard")


def test_a_reader_signs_up_confirms_chooses_and_leaves_by_keyboard_alone(site: Site, page: Page) -> None:
    main, press = page.get_by_role("main"), page.keyboard.press
    look(page, 600)
    page.goto(f"{site.url}/subscribe")
    reach(page, main.get_by_label("Email address"))
    page.keyboard.type("keys@example.org")
    reach(page, main.get_by_role("button"))
    press("Enter")  # sooner than a person: the clock of these tests stands still
    expect(page.get_by_role("alert").get_by_role("heading")).to_contain_text("once more")
    expect(main.get_by_label("Email address")).to_have_value("keys@example.org")
    wish = signup.Wish(address="keys@example.org", newsletter="digest", wishes=Wishes(), wording="I agree.", form="/subscribe")
    assert signup.ask(site.app, wish, "here", NOW) == "yes"
    with site.app.store.read() as connection:
        reader = connection.exec_driver_sql("SELECT key FROM subscriber WHERE address = 'keys@example.org'").scalar_one()
    token = signup.token(site.app.subscribers.views(reader)[0])
    done = page.get_by_role("status").get_by_role("heading")
    page.goto(f"{site.url}/c/{links.sign(token, site.app.token_keys, 'confirm')}")
    reach(page, main.get_by_role("button"))
    press("Enter")
    expect(done).to_have_text("Confirmed")
    reach(page, main.locator("a.btn"))
    press("Enter")
    reach(page, main.locator("input[name=frequency]:checked"))
    press("ArrowDown")
    reach(page, main.get_by_role("button", name="Save my choices"))
    press("Enter")
    expect(done).to_have_text("Saved")
    expect(main.locator("input[name=frequency]:checked")).to_have_value("weekly")
    reach(page, main.locator("a[href^='/u/']"))
    press("Enter")
    leave = main.get_by_role("button", name="Unsubscribe")
    reach(page, leave)
    assert leave.evaluate("node => node.getBoundingClientRect().height") >= 44
    press("Enter")
    expect(done).to_have_text("Done. You are unsubscribed.")


def test_a_feed_reads_like_a_page(site: Site, page: Page) -> None:
    look(page, 320)
    for name in ("briefs.rss", "briefs.atom", "quotes.atom"):
        page.goto(f"{site.url}/feeds/{name}")
        assert page.evaluate("document.contentType") == "application/xml"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        assert page.evaluate("document.styleSheets.length") == 1


def test_an_edition_fits_a_telephone(site: Site, page: Page) -> None:
    at = NOW + timedelta(days=2)
    (site.app.root / "content" / "briefs" / "newer.md").write_text(
        "---\ntitle: Newer\ndate: 2026-11-23 09:00\n---\nText.", encoding="utf-8"
    )
    tick(site.app, NOW + timedelta(hours=1))
    tick(site.app, at)
    look(page, 320, dark=True)
    page.goto(site.url + "/editions/digest/1")
    expect(page.get_by_role("heading").first).to_be_visible()
    assert page.evaluate(OVERFLOW) == []
