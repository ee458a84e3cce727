"""What a reader sees of an artefact, and what stands in it unseen."""

from __future__ import annotations

import pytest

from syndicate.render.gate.columns import columns, pad, wrap
from syndicate.render.gate.visible import look, tidy


def seen(html: str) -> str:
    return tidy(look(html, "html").visible)


def test_inline_elements_part_no_words_and_blocks_do() -> None:
    assert seen("<p>le<b>tt</b>ers<wbr>s</p><p>two<br>three</p><td>four</td><td>five</td>") == "letterss two three four five"


@pytest.mark.parametrize(
    "html",
    [
        '<div style="display:none">x</div>',
        '<div style="DISPLAY : NONE">x</div>',
        '<div style="color:#123456;display:/**/none">x</div>',
        '<div style="visibility:hidden"><p>x</p></div>',
        '<span style="opacity:0.0">x</span>',
        '<span style="font-size:0px">x</span>',
        '<div style="max-height:0;overflow:hidden">x</div>',
        '<div style="mso-hide:all">x</div>',
        '<p style="text-indent:-999px">x</p>',
        '<p style="margin:0 0 0 -999px">x</p>',
        '<p style="color:transparent">x</p>',
        '<p style="color:#ffffff;background-color:#ffffff">x</p>',
        '<p style="clip-path:inset(50%)">x</p>',
        "<p hidden>x</p>",
        '<p aria-hidden="true">x</p>',
        "<details><summary>x</summary></details>",
        "<noscript>x</noscript>",
        "<template>x</template>",
        "<title>x</title>",
        "<style>x</style>",
        "<script>x</script>",
        "<!-- x -->",
        "<!--[if mso]><p>x</p><![endif]-->",
        '<img alt="x">',
    ],
)
def test_hidden_text_is_not_shown_and_not_forgotten(html: str) -> None:
    read = look(f"<p>a</p>{html}<p>b</p>", "html")
    assert tidy(read.visible) == "a b"
    assert any("x" in text for text in read.hidden)


@pytest.mark.parametrize(
    "style",
    [
        "font-size:16px;line-height:24px",
        "font-size:0.9375rem",
        "opacity:0.5",
        "border-width:0;min-width:0",
        "text-transform:none;background-clip:border-box",
        "background-color:transparent",
        "margin:10px 0;padding:0",
        "max-width:0.5em",
        "color:#ffffff;background-color:#36424d",
        "border-top:-1px",
    ],
)
def test_ordinary_styles_hide_nothing(style: str) -> None:
    assert seen(f'<p style="{style}">x</p>') == "x"


def test_a_hidden_text_reads_as_one_across_its_elements() -> None:
    assert any("letters" in text for text in look('<div style="display:none">le<b>tt</b>ers</div>', "html").hidden)


def test_mso_branches_for_everybody_else_are_shown() -> None:
    assert seen("<!--[if !mso]><!--><p>x</p><!--<![endif]-->") == "x"


def test_links_of_every_kind_are_listed() -> None:
    html = '<a href="https://a.example/?x=1&amp;y=2">a</a><img src="b.png"><form action="c"></form>'
    assert look(html, "html").links == ("https://a.example/?x=1&y=2", "b.png", "c")
    assert look("see https://a.example/b. (https://c.example)", "text").links == ("https://a.example/b", "https://c.example")


@pytest.mark.parametrize("html", ["<p>a", "<ul><li>a<li>b</ul>", "<br>", "<table><tr><td>a</table>", "<p>a</p>"])
def test_markup_that_html_allows_is_whole(html: str) -> None:
    assert look(html, "html").whole


@pytest.mark.parametrize("html", ["<div>a", "a</div>", "<div><section>a</div></section>", "<b><i>a</b>"])
def test_open_and_foreign_elements_are_not_whole(html: str) -> None:
    assert not look(html, "html").whole


def test_what_runs_or_fetches_is_named() -> None:
    assert look('<p onclick="x()">a</p>', "html").active == ("onclick",)
    assert look('<p style="background: url(x)">a</p>', "html").active == ("style",)
    assert look("<svg></svg>", "html").active == ("svg",)


def test_feeds_are_read_through_both_layers() -> None:
    assert (
        tidy(
            look("<rss><title>a</title><d>&lt;p&gt;b &amp;amp; c&lt;/p&gt;</d><x><![CDATA[<i>d</i>]]></x></rss>", "xml").visible
        )
        == "a b & c d"
    )
    assert tidy(look('{"items": [{"title": "a", "content_html": "<p>b</p>"}], "n": 1}', "json").visible).endswith(
        "title a content_html b n"
    )


def test_lines_are_wrapped_by_what_they_show() -> None:
    assert wrap("one two three", 7) == ["one two", "three"]
    assert wrap("averylongword in it", 5) == ["averylongword", "in it"]
    assert [columns(line) for line in wrap("字" * 10, 8)] == [8, 8, 4]
    assert wrap("", 5) == []
    assert columns(pad("e\u0301字", 6)) == 6
