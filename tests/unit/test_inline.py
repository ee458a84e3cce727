"""The inliner remembers style sheets, and no mail can tell."""

from __future__ import annotations

import premailer.cache  # here, not inside a test: its HTTP library tries a socket when it is imported
import pytest

from syndicate.render import inline
from syndicate.render.inline import inlined

SHEET = (
    "<style>h1,td.a{color:#112233;margin:0}p{margin:0 0 16px}.b p:first-child{font-weight:700}a:hover{color:#445566}"
    "@media print{p{color:#000000}}p.b{margin:0!important}</style><style data-premailer='ignore'>p{color:red}</style>"
)


def mail(body: str, sheet: str = SHEET) -> str:
    return f"<!DOCTYPE html><html><head><title>A mail</title>{sheet}</head><body>{body}</body></html>"


@pytest.fixture(autouse=True)
def nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inline, "_learned", {})


def test_a_style_sheet_is_read_once_for_all_mails_that_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    parse = premailer.premailer.cssutils.parseString
    monkeypatch.setattr(premailer.premailer.cssutils, "parseString", lambda css, **how: read.append(css) or parse(css, **how))
    for number in range(3):
        assert 'style="margin:0 0 16px"' in inlined(mail(f"<p>{number}</p>"))
    assert len(read) == 1
    inlined(mail("<p>other</p>", SHEET.replace("16px", "20px")))
    assert len(read) == 2


def test_what_is_remembered_changes_no_byte() -> None:
    bodies = [
        '<h1 class="b">One</h1><div class="b"><p>Two</p><p class="b" style="color:red">Three</p></div>',
        '<table><tr><td class="a" style="width:20px">Four</td></tr></table>',
        "<p>Five</p>",
    ]
    fresh = []
    for body in bodies:
        inline._learned.clear()
        fresh.append(inlined(mail(body)))
    assert [inlined(mail(body)) for body in (*bodies, *bodies)] == fresh * 2


def test_a_tag_s_style_named_like_a_selector_is_forgotten_with_its_mail() -> None:
    rules = "".join(f".c{number}{{color:#{number:06}}}" for number in range(200))  # more than premailer's cache holds
    html = mail('<h1>One</h1><p class="c9" style="h1">Two</p>', f"<style>h1{{margin:0}}{rules}</style>")
    assert inlined(html) == inlined(html)


def test_only_so_many_style_sheets_are_remembered() -> None:
    for number in range(3 * inline._MOST_SHEETS):
        inlined(mail("<p>One</p>", f"<style>p{{margin:{number}px}}</style>"))
    assert len(inline._learned) <= inline._MOST_SHEETS
