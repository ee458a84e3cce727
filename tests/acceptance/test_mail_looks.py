"""The starter's mails in a real Chromium: every width, light and dark, without styles, without pictures, from right to left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import axe
import chromium
from legible import LEGIBILITY, OVERFLOW
from mailsamples import Sample, samples
from served import copy_starter, free_port, opened, served

pytestmark = pytest.mark.skipif(
    chromium.executable() is None, reason="no Chromium here: the mails are not looked at in a browser"
)

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


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chromium.Browser]:
    with chromium.browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


def fits(
    chrome: chromium.Browser, mail: Mail, state: str, *, widths: tuple[int, ...] = WIDTHS, shades: tuple[bool, ...]
) -> None:
    for width in widths:
        for dark in shades:
            chrome.look(width, dark=dark)
            where = f"{mail.sample.name}, {state}, {width} px, {'dark' if dark else 'light'}"
            assert chrome.ask(OVERFLOW) == [], where
            assert chrome.ask(LEGIBILITY) == [], where


def test_every_mail_fits_and_can_be_read(mails: list[Mail], chrome: chromium.Browser) -> None:
    """Styled, then as Gmail shows it to some accounts, without its style blocks, then without any style."""
    for mail in mails:
        chrome.requests.clear()
        chrome.look(600)
        chrome.open(mail.url)
        if mail.sample.name == "shortened":  # sixty briefs alike: the narrow window tells
            fits(chrome, mail, "styled", widths=(320,), shades=(False, True))
            continue
        broken = axe.violations(chrome, but=LANDMARKS)
        assert broken == [], mail.sample.name
        fits(chrome, mail, "styled", shades=(False, True))
        chrome.ask(NO_BLOCKS)
        fits(chrome, mail, "without style blocks", widths=(320, 600), shades=(False,))
        chrome.ask(NO_STYLES)
        fits(chrome, mail, "without styles", widths=(320, 600), shades=(False,))
        hosts = {urlsplit(url).hostname for url in chrome.requests if not url.startswith("file:")}
        assert hosts <= {"127.0.0.1"}, mail.sample.name


def test_without_pictures_their_words_stand_in_their_place(mails: list[Mail], chrome: chromium.Browser) -> None:
    chrome.look(320)
    pictured = [mail for mail in mails if "<img" in mail.sample.html]
    assert pictured
    chrome.block("*.png", "*.jpg", "*.svg")
    for mail in pictured:
        chrome.open(mail.url)
        assert chrome.ask(LEFT_OUT) == []
        fits(chrome, mail, "without pictures", widths=(320, 600), shades=(False,))
    chrome.block()


def test_a_mail_from_right_to_left_is_mirrored(mails: list[Mail], chrome: chromium.Browser) -> None:
    (mail,) = [mail for mail in mails if mail.sample.name == "right-to-left"]
    chrome.look(600)
    chrome.open(mail.url)
    start = (
        "(() => {{ const r = document.createRange(); r.selectNodeContents(document.querySelector('{}'));"
        " return 600 - r.getBoundingClientRect().right < 48; }})()"
    )
    for part in (".plate", "h1", ".h2", ".body", "blockquote", ".facts th", ".notetext", ".foot p"):
        assert chrome.ask(start.format(part)), part


def test_the_specimen_is_the_smallest_running_text_of_its_box(mails: list[Mail], chrome: chromium.Browser) -> None:
    size = "parseFloat(getComputedStyle(document.querySelector('{}')).fontSize)"
    for mail in mails:
        if "<blockquote" in mail.sample.html and "Quoted" in mail.sample.text:
            chrome.open(mail.url)
            assert chrome.ask(size.format("blockquote:last-of-type")) <= chrome.ask(size.format("td.ctx")), mail.sample.name
