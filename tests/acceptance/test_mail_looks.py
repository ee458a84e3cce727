"""The starter's mails in a real Chromium: every width, light and dark, without styles, without pictures, from right to left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

import axe
from chromium import Heard, look
from legible import LEGIBILITY, OVERFLOW
from mailsamples import Sample, samples
from served import copy_starter, free_port, opened, served

WIDTHS = (320, 375, 600, 1200)
LANDMARKS = ("landmark-one-main", "region")  # a mail stands inside the page of a mail program, which has them
NO_BLOCKS = "document.querySelectorAll('style').forEach(node => node.remove()), 0"
# A picture's width is there for Word: a program that shows no style on a telephone scrolls for it, as for any picture.
NO_STYLES = (
    "document.querySelectorAll('[style]').forEach(node => node.removeAttribute('style')),"
    "document.querySelectorAll('img').forEach(node => { node.width = 200; node.removeAttribute('height'); }), 0"
)
LEFT_OUT = "[...document.images].filter(node => !node.alt || node.naturalWidth).map(node => node.src)"


@dataclass(frozen=True, kw_only=True, slots=True)
class Mail:
    """One mail as a file that a browser opens."""

    sample: Sample
    url: str


@pytest.fixture(scope="module")
def mails(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Mail]]:
    root, port = copy_starter(tmp_path_factory.mktemp("publication")), free_port()
    config = root / "config" / "syndicate.toml"
    config.write_text(config.read_text(encoding="utf-8").replace("8000", str(port)), encoding="utf-8")
    with opened(root) as app, served(app, port):
        yield [Mail(sample=one, url=_written(root / f"{one.name}.html", one.html)) for one in samples(app)]


def _written(path: Path, html: str) -> str:
    path.write_text(html, encoding="utf-8")
    return path.as_uri()


def fits(page: Page, mail: Mail, state: str, *, widths: tuple[int, ...] = WIDTHS, shades: tuple[bool, ...]) -> None:
    for width in widths:
        for dark in shades:
            look(page, width, dark=dark)
            where = f"{mail.sample.name}, {state}, {width} px, {'dark' if dark else 'light'}"
            assert page.evaluate(f"[{OVERFLOW}, {LEGIBILITY}]") == [[], []], where


def test_every_mail_fits_and_can_be_read(mails: list[Mail], page: Page) -> None:
    """Styled, then as Gmail shows it to some accounts, without its style blocks, then without any style."""
    heard = Heard(page)
    for mail in mails:
        heard.requests.clear()
        look(page, 600)
        page.goto(mail.url)
        if mail.sample.name == "shortened":  # sixty briefs alike: the narrow window tells
            fits(page, mail, "styled", widths=(320,), shades=(False, True))
            continue
        broken = axe.violations(page, but=LANDMARKS)
        assert broken == [], mail.sample.name
        fits(page, mail, "styled", shades=(False, True))
        page.evaluate(NO_BLOCKS)
        fits(page, mail, "without style blocks", widths=(320, 600), shades=(False,))
        page.evaluate(NO_STYLES)
        fits(page, mail, "without styles", widths=(320, 600), shades=(False,))
        hosts = {urlsplit(url).hostname for url in heard.requests if not url.startswith("file:")}
        assert hosts <= {"127.0.0.1"}, mail.sample.name


def test_without_pictures_their_words_stand_in_their_place(mails: list[Mail], page: Page) -> None:
    look(page, 320)
    pictured = [mail for mail in mails if "<img" in mail.sample.html]
    assert pictured
    page.route("**/*.{png,jpg,svg}", lambda route: route.abort())
    for mail in pictured:
        page.goto(mail.url)
        assert page.evaluate(LEFT_OUT) == []
        fits(page, mail, "without pictures", widths=(320, 600), shades=(False,))


def test_a_mail_from_right_to_left_is_mirrored(mails: list[Mail], page: Page) -> None:
    (mail,) = [mail for mail in mails if mail.sample.name == "right-to-left"]
    look(page, 600)
    page.goto(mail.url)
    begins = """node => { const r = document.createRange(); r.selectNodeContents(node);
        return 600 - r.getBoundingClientRect().right < 48; }"""
    for part in (".plate", "h1", ".h2", ".body", "blockquote", ".facts th", ".notetext", ".foot p"):
        assert page.locator(part).first.evaluate(begins), part


def test_the_specimen_is_the_smallest_running_text_of_its_box(mails: list[Mail], page: Page) -> None:
    size = "node => parseFloat(getComputedStyle(node).fontSize)"
    for mail in mails:
        if "<blockquote" in mail.sample.html and "Quoted" in mail.sample.text:
            page.goto(mail.url)
            words, context = page.locator("blockquote:last-of-type").first, page.locator("td.ctx").first
            assert words.evaluate(size) <= context.evaluate(size), mail.sample.name
