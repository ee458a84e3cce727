"""The gates of the mail: each of its rules refuses what it must, and lets our own templates through."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import lxml.html
import premailer.cache  # noqa: F401 - here, not inside a test: its HTTP library tries a socket when it is imported
import pytest

from mails import NONCE, PUBLIC, SOURCES, TEMPLATES, brief, view
from syndicate import data
from syndicate.errors import Fault
from syndicate.model import Correction, Image
from syndicate.render import lint, lint_clients, lint_links, lint_subject
from syndicate.render.brand import BRAND, brand_values, contrast, faint
from syndicate.render.email import EditionView, freeze
from syndicate.render.frozen import Frozen, Token
from syndicate.render.templates import Templates
from syndicate.render.wording import direction

SUPPORT = lint_clients.support(data.read("caniemail.json"), data.read("mail_enhancements.toml"))
ENHANCEMENTS = tomllib.loads(data.read("mail_enhancements.toml"))
PICTURE = Image(src="/media/boats.png", alt="Boats", width=1104, height=760)


def judged(given: EditionView, frozen: Frozen | None = None, templates: Templates = TEMPLATES) -> list[Fault]:
    return lint.faults(
        frozen or freeze(given, templates, nonce=NONCE),
        lint_links.of_edition(given),
        lang=given.lang,
        direction=direction(given.lang),
        colours=brand_values(given.brand),
        support=SUPPORT,
        templates=templates,
    )


def with_markup(extra: str, name: str = "email/edition.html.j2", before: str = "{% for brief in briefs %}") -> Templates:
    """The templates with some more markup in front of the briefs."""
    assert before in SOURCES[name]
    return Templates({**SOURCES, name: SOURCES[name].replace(before, f"{extra}\n{before}", 1)})


def complaints(extra: str, **over: Any) -> list[Fault]:
    return judged(view(brief()), templates=with_markup(f"<tr><td>{extra}</td></tr>", **over))


EDITIONS = {
    "instant": lambda: view(brief(image=PICTURE), frequency="instant"),
    "daily": lambda: view(
        brief(1, image=PICTURE),
        brief(2),
        brief(3, lang="ar", title="دفاتر الميناء"),
        display="inline",
        corrections=(
            (brief(9), Correction(date=datetime(2026, 11, 22, tzinfo=UTC).date(), text="We gave 14. There were 11.")),
        ),
    ),
    "weekly": lambda: view(brief(1), brief(2), display="link", frequency="weekly"),
    "quote": lambda: view(display="inline", frequency="quote"),
    "table": lambda: view(
        brief(
            body="| Year | Pages |\n|---|--:|\n| 2009 | 46 |\n\n## A\n\n#### B\n\n- one\n1. two\n\n> said\n\n`code`\n\n    block\n"
        ),
        frequency="instant",
    ),
}


@pytest.mark.parametrize("kind", EDITIONS)
def test_our_own_editions_pass(kind: str) -> None:
    assert judged(EDITIONS[kind]()) == []


# -- what clients show ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("style", "feature"),
    [
        ("display:flex", "display:flex"),
        ("background-image:linear-gradient(#111111,#222222)", "linear-gradient"),
        ("position:absolute", "position"),
        ("margin-inline:4px", "margin-inline"),
        ("width:calc(100% - 4px)", "calc()"),
        ("font-size:2rem", "rem unit"),
        ("box-shadow:0 0 1px #111111", "box-shadow"),
    ],
)
def test_a_style_that_a_required_client_lacks_is_named_with_its_line(style: str, feature: str) -> None:
    found = [fault for fault in complaints(f'<p style="{style}">x</p>') if fault.rule == "clients"]
    assert found
    assert any(feature in fault.what for fault in found)
    lines = with_markup(f'<tr><td><p style="{style}">x</p></td></tr>').source("email/edition.html.j2").splitlines()
    assert {(fault.file, lines[fault.line - 1]) for fault in found} == {
        ("templates/email/edition.html.j2", f'<tr><td><p style="{style}">x</p></td></tr>')
    }


@pytest.mark.parametrize(
    "css",
    [
        "@font-face{font-family:X!important}",
        "@supports (display:grid){p{color:#111111!important}}",
        "p:nth-child(2){color:#111111!important}",
        "p{color:var(--x)!important}",
        "@media (max-width:300px){p{display:grid!important}}",
    ],
)
def test_the_styles_in_the_head_are_judged_too(css: str) -> None:
    templates = with_markup(f'<style data-premailer="ignore">{css}</style>', name="email/_layout.html.j2", before="</head>")
    assert [fault.rule for fault in judged(view(brief()), templates=templates)] == ["clients"]


@pytest.mark.parametrize("markup", ["<bdi>x</bdi>", '<dialog open="">x</dialog>', '<p hidden="">x</p>', "<details>x</details>"])
def test_markup_that_a_required_client_lacks_is_refused(markup: str) -> None:
    assert "clients" in {fault.rule for fault in complaints(markup)}


@pytest.mark.parametrize("name", ENHANCEMENTS)
def test_each_exception_has_a_reason_and_is_needed(name: str) -> None:
    row = ENHANCEMENTS[name]
    assert row.keys() == {"where", "reason"}
    assert len(row["reason"]) > 30
    assert SUPPORT.without[name], f"every required client knows {name}"
    body = "![A quay](/media/quay.png)\n\n    block\n"
    given = view(brief(1, image=PICTURE, body=body), frequency="instant")
    html = "".join(piece for piece in freeze(given, TEMPLATES, nonce=NONCE).html if isinstance(piece, str))
    kept = replace(SUPPORT, allowed={key: value for key, value in SUPPORT.allowed.items() if key != name})
    lacked = {lack.feature for lack in lint_clients.lacking(lxml.html.document_fromstring(html), kept)}
    assert name in lacked, "no template of ours uses it"


def test_an_exception_holds_only_where_it_is_meant() -> None:
    found = complaints('<p style="text-decoration-thickness:1px">x</p>')
    assert [fault.rule for fault in found] == ["clients"]


def test_the_data_keeps_its_licence() -> None:
    assert "Copyright (c) 2019 R\\u00e9mi Parmentier" in data.read("caniemail.json") or "Rémi Parmentier" in data.read(
        "caniemail.json"
    )
    assert "MIT License" in data.read("caniemail.json")


# -- who can read it ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("markup", "told"),
    [
        ("<h1>Another</h1>", "exactly one <h1>"),
        ("<h4>Deep</h4>", "level left out"),
        ("<h2> </h2>", "is empty"),
        ("<table><tr><td>x</td></tr></table>", "data table needs"),
        ('<table role="presentation" border="0"><tr><td>x</td></tr></table>', "layout table"),
        (f'<img src="{PUBLIC}/a.png" width="10">', "no alt"),
        (f'<img src="{PUBLIC}/a.png" alt="x">', "width"),
        (f'<img src="{PUBLIC}/a.png" alt="x" width="50%">', "width"),
        (f'<img src="{PUBLIC}/a.png" alt="x" width="900">', "wider"),
        (f'<a href="{PUBLIC}/x"></a>', "no words"),
        (f'<a href="{PUBLIC}/x">Click here</a>', "says only"),
        (f'<a href="{PUBLIC}/x">Read more…</a>', "says only"),
        (f'<a dir="rtl" href="{PUBLIC}/x">Boats</a>', "Word breaks"),
        (f'<p>See <a style="text-decoration:none" href="{PUBLIC}/x">the boats</a></p>', "underlined"),
    ],
)
def test_what_some_readers_could_not_read_is_refused(markup: str, told: str) -> None:
    assert any(told in fault.what for fault in complaints(markup) if fault.rule == "access"), complaints(markup)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('<html lang="{{ lang }}" dir="{{ dir }}"', "<html", "root element"),
        ('<div lang="{{ lang }}" dir="{{ dir }}" style="display:none', '<div style="display:none', "directly below <body>"),
        ("<title>{{ named }}</title>", "<title></title>", "no title"),
        ('<meta charset="utf-8">', "", "UTF-8"),
        ('role="article" aria-roledescription="email"', "", "role="),
    ],
)
def test_a_frame_that_says_too_little_is_refused(old: str, new: str, told: str) -> None:
    name = "email/_layout.html.j2"
    assert old in SOURCES[name]
    found = judged(view(brief()), templates=Templates({**SOURCES, name: SOURCES[name].replace(old, new, 1)}))
    assert any(told in fault.what for fault in found)


def test_an_author_s_poor_link_text_is_no_template_s_fault() -> None:
    assert judged(view(brief(body="See [here](https://example.org/x)."), frequency="instant")) == []


# -- contrast -------------------------------------------------------------------------------------------


def test_contrast_is_measured_as_wcag_does() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert list(faint(BRAND)) == []


@pytest.mark.parametrize(
    "brand",
    [{"ink": "#aaaaaa"}, {"link_dark": "#223344"}, {"frame": "#dddddd"}, {"band_dark": "#999999"}, {"on_link": "#124b7c"}],
)
def test_colours_that_run_together_are_refused(brand: dict[str, str]) -> None:
    found = judged(view(brief(), brand=brand))
    assert found
    assert all(fault.rule.startswith("brand.") for fault in found)


# -- where it leads ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "markup",
    [
        '<a href="https://click.tracker.example/?u=https%3A%2F%2Fexample.org">Boats</a>',
        f'<a href="{PUBLIC}/briefs/brief-1?utm_source=mail">Boats</a>',
        f'<a href="{PUBLIC}.evil.example/briefs">Boats</a>',
        '<a href="/briefs/brief-1">Boats</a>',
        '<a href="http://example.org/">Boats</a>',
        '<a href="javascript:alert(1)">Boats</a>',
        '<a href="#top">Boats</a>',
        '<a href="mailto:somebody@elsewhere.example">Boats</a>',
        '<img src="https://pixel.example/1.gif" alt="" width="1" height="1">',
        f'<img src="{PUBLIC}/open.gif?reader=1" alt="" width="1" height="1">',
        '<img src="{{ gap.unsubscribe }}" alt="" width="1" height="1">',
        '<p title="{{ gap.address }}">x</p>',
        f'<a href="{PUBLIC}/x/{{{{ gap.address }}}}">Boats</a>',
        '<p style="background-image:url(https://pixel.example/1.gif)">x</p>',
        '<!--[if mso]><a href="https://tracker.example/">x</a><![endif]-->',
        "<script>1</script>",
        '<form action="https://example.org/"></form>',
        f'<a href="{PUBLIC}/x" ping="https://tracker.example/">Boats</a>',
    ],
)
def test_no_link_counts_readers_and_nothing_is_fetched_from_strangers(markup: str) -> None:
    assert "links" in {fault.rule for fault in complaints(markup)}


def test_the_text_part_leads_nowhere_else() -> None:
    given = view(brief())
    frozen = freeze(given, TEMPLATES, nonce=NONCE)
    assert judged(given, replace(frozen, text=(*frozen.text, "\nhttps://tracker.example/x\n")))[0].rule == "links"
    assert judged(given, replace(frozen, text=(*frozen.text, f"\n({PUBLIC}/briefs/brief-2).\n"))) == []


def test_an_author_s_links_stay_as_they_are() -> None:
    body = "See [one](https://example.org/a?b=c&d=é#f), <https://example.org/x_(y)> and https://example.org/plain.\n"
    assert judged(view(brief(body=body), frequency="instant")) == []
    for link in ("https://example.org/größe_(maß)", "https://example.org/x_(ü).", "http://example.org/größe"):
        assert judged(view(brief(body=f"See [one]({link})."), frequency="instant")) == [], link


def test_a_link_is_known_to_the_byte() -> None:
    given = view(brief(body="[one](https://example.org/a)"), frequency="instant")
    frozen = freeze(given, TEMPLATES, nonce=NONCE)
    other = tuple(
        p if isinstance(p, Token) else p.replace("https://example.org/a", "https://example.org/a?from=mail")
        for p in frozen.html
    )
    assert {fault.rule for fault in judged(given, replace(frozen, html=other))} == {"links"}


def test_every_fault_that_a_template_causes_names_a_line() -> None:
    (fault,) = complaints('<a href="https://tracker.example/x">Boats</a>')
    assert fault.file == "templates/email/edition.html.j2"
    assert "tracker.example" in TEMPLATES_LINE(fault)


def TEMPLATES_LINE(fault: Fault) -> str:  # noqa: N802 - a look into the changed template
    source = with_markup('<tr><td><a href="https://tracker.example/x">Boats</a></td></tr>').source("email/edition.html.j2")
    return source.splitlines()[fault.line - 1]


# -- size and headers ---------------------------------------------------------------------------------------


def test_styles_that_gmail_would_drop_are_refused() -> None:
    css = "".join(f".a{number}{{color:#111111!important}}" for number in range(700))
    templates = with_markup(f'<style data-premailer="ignore">{css}</style>', name="email/_layout.html.j2", before="</head>")
    assert [fault.rule for fault in judged(view(brief()), templates=templates)] == ["size"]


HEAD = (
    b"From: a@b.example\r\nList-Unsubscribe: <https://b.example/u/x>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    b"List-Id: <a.b.example>\r\n\r\nText\r\n"
)


def test_headers_that_mail_clients_would_not_know_are_refused() -> None:
    assert list(lint.headers(HEAD)) == []
    folded = HEAD.replace(b"<https://b.example/u/x>", b"\r\n <https://b.example/u/x>")
    coded = HEAD.replace(b"<https://b.example/u/x>", b"=?utf-8?q?=3Chttps=3A//b=2Eexample=3E?=")
    for wrong in (folded, coded, HEAD.replace(b"One-Click", b"Yes"), HEAD.replace(b"https:", b"mailto:")):
        assert list(lint.headers(wrong))


def test_a_long_way_out_is_advised_against() -> None:
    assert lint.long_link("https://letter.example/u/" + "x" * 35) == ""
    assert "61 characters" in lint.long_link("https://letter.example/u/" + "x" * 36)


@pytest.mark.parametrize(
    "name", ["subject.txt.j2", "subject.weekly-letter.txt.j2", "welcome.subject.txt.j2", "preheader.txt.j2"]
)
@pytest.mark.parametrize(
    "said", ["A <em>new</em> brief", "<!-- x -->", "Ports &amp; ships", "a\u202eb", "a\x07b", "{{ 'a\\u2066b' }}"]
)
def test_a_subject_s_template_holds_plain_words(name: str, said: str) -> None:
    (fault,) = lint_subject.faults(Templates({f"email/{name}": f"{{# <b> #}}\n{{% if 1 < 2 %}}\n{said}\n{{% endif %}}\n"}))
    assert (fault.file, fault.line, fault.rule) == (f"templates/email/{name}", 3, "subject")


def test_our_own_subjects_are_plain_words() -> None:
    assert list(lint_subject.faults(TEMPLATES)) == []
    assert list(lint_subject.faults(Templates({"email/subject.txt.j2": "Fish & chips: 2 < 3, {{ 'R&D' }}"}))) == []


def test_the_mail_s_templates_are_where_faults_are_looked_for() -> None:
    assert lint.place(TEMPLATES, ["there is no such text"]) == ("templates/email", 0)
    assert Path(lint.place(TEMPLATES, ["<!DOCTYPE html>"])[0]).name == "_layout.html.j2"
