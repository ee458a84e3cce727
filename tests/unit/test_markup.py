"""Markdown as safe HTML and as plain text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it.parser_inline import ParserInline

import feedrules
import hostile
from syndicate.render import markup

BASE = "https://publication.example/briefs/the-brief"


def html(text: str, **over: object) -> str:
    return markup.to_html(text, base=BASE, **over)  # type: ignore[arg-type]


@pytest.mark.parametrize("body", hostile.BODIES)
def test_whatever_an_author_pastes_becomes_html_that_readers_accept(body: str) -> None:
    assert feedrules.html_faults(html(body)) == []


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.one_of(st.sampled_from(list("<>&\"'[]()*_`#|!:/\\\n -{}%@~^a1")), st.characters()), max_size=120))
def test_no_text_at_all_becomes_html_that_readers_refuse(body: str) -> None:
    assert feedrules.html_faults(html(body)) == []
    assert feedrules.html_faults(html(body, for_mail=True)) == []


@pytest.mark.parametrize(
    "scheme", ["javascript:alert(1)", "JaVaScRiPt:x", "vbscript:x", "data:text/html,x", "file:///etc", "  javascript:x"]
)
def test_a_link_that_may_not_be_followed_leaves_its_text(scheme: str) -> None:
    assert html(f"See [the table](<{scheme}>).") == "<p>See the table.</p>\n"
    assert html(f"![the table](<{scheme}>)") == "<p>the table</p>\n"


@pytest.mark.parametrize(
    ("href", "absolute"),
    [
        ("/x", "https://publication.example/x"),
        ("x", "https://publication.example/briefs/x"),
        ("../x?a=1&b=2", "https://publication.example/x?a=1&b=2"),
        ("#part", f"{BASE}#part"),
        ("//other.example/x", "https://other.example/x"),
        ("http://münchen.example/straße?q=ä#ß", "http://xn--mnchen-3ya.example/stra%C3%9Fe?q=%C3%A4#%C3%9F"),
        ("https://straße.example/", "https://xn--strae-oqa.example/"),
        ("https://x.example/a b|{}^`%zz%20", "https://x.example/a%20b%7C%7B%7D%5E%60%25zz%20"),
        ("HTTPS://X.Example:8443/Y", "https://x.example:8443/Y"),
        ("mailto:desk@publication.example", "mailto:desk@publication.example"),
        ("https://[::1]/x", "https://[::1]/x"),
        ("https://x.example:99999/", ""),
        ("http://", ""),
        ("https://a b.example/", ""),
        ("ftp://x.example/", ""),
    ],
)
def test_links_are_absolute_uris_or_gone(href: str, absolute: str) -> None:
    assert markup.absolute(href, BASE) == absolute


def test_a_picture_always_has_its_words() -> None:
    assert (
        html("![Two *lines* cross](fig.png)")
        == '<p><img src="https://publication.example/briefs/fig.png" alt="Two lines cross"></p>\n'
    )
    assert 'alt=""' in html("![](fig.png)")


def test_raw_html_stays_text() -> None:
    assert (
        html("<b onclick=x>bold</b><script>x</script>")
        == "<p>&lt;b onclick=x&gt;bold&lt;/b&gt;&lt;script&gt;x&lt;/script&gt;</p>\n"
    )


def test_sanitising_takes_out_what_a_feed_must_not_carry() -> None:
    dirty = '<p class="a" id="b" style="x" onclick="y">t<script>z</script><!-- c --><a href="/rel">r</a><iframe>f</iframe></p>'
    assert markup.sanitise(dirty) == "<p>t<a>r</a></p>"


def test_the_words_are_never_improved() -> None:
    assert html("\"Straight\" -- (c) ... 'marks' www.x.example") == "<p>\"Straight\" -- (c) ... 'marks' www.x.example</p>\n"


def test_headings_leave_no_gaps_and_begin_where_they_are_told() -> None:
    assert re.findall(r"<(h\d)>", html("# One\n\n#### Four\n\n## Two\n\n###### Six")) == ["h2", "h3", "h3", "h4"]
    assert re.findall(r"<(h\d)>", html("### Three\n\n# One", top=3)) == ["h3", "h3"]


def test_footnotes_need_no_anchors() -> None:
    found = html("A claim.[^a] Again.[^a]\n\n[^a]: The *source*.")
    assert found.startswith("<p>A claim.<sup>[1]</sup> Again.<sup>[1]</sup></p>\n<hr>\n<ol>\n<li>")
    assert "The <em>source</em>." in found
    assert "href" not in found


def test_table_cells_say_their_part_in_attributes() -> None:
    found = html("| a | b |\n|---|--:|\n| 1 | 2 |")
    assert '<th scope="col">a</th>' in found
    assert '<td align="right">2</td>' in found


def test_mail_carries_no_plain_http_but_the_publication_s_own_address() -> None:
    assert (
        html("[a](http://x.example/) [b](https://x.example/)", for_mail=True) == '<p>a <a href="https://x.example/">b</a></p>\n'
    )
    local = markup.to_html("[a](/x) [b](http://x.example/)", base="http://127.0.0.1:8000/briefs/y", for_mail=True)
    assert local == '<p><a href="http://127.0.0.1:8000/x">a</a> b</p>\n'


def test_text_that_looks_like_a_token_is_broken_in_mail() -> None:
    source = "{{ name }} {% raw %} @@abc-name@@ [v](https://t-abc.invalid/view) `{{ code }}` a@b.example"
    for mail in (html(source, for_mail=True), markup.to_text(source, base=BASE)):
        assert not re.search(r"\{\{|\}\}|\{%|%\}|@@[\w.-]+@@|\.invalid", mail)
        assert "a@b.example" in mail
    assert "{{ name }}" in html(source)


def test_mail_carries_no_signs_that_turn_the_writing_round() -> None:
    source = "a \u202eb\u202c \u2066c\u2069 d"
    assert html(source, for_mail=True) == "<p>a b c d</p>\n"
    assert markup.to_text(source, base=BASE) == "a b c d"


def test_safe_html_is_not_escaped_again_and_plain_text_beside_it_is() -> None:
    safe = markup.to_html("*x*", base=BASE)
    assert safe.__html__() == "<p><em>x</em></p>\n"
    assert not hasattr(safe + "<b>", "__html__")


def test_characters_that_no_feed_can_carry_are_left_out() -> None:
    assert markup.clean("a\x00\x0b\x1f\ud800\udfff\ufffe\uffff\ufffd\U0001ffff\ufdd0b\tc\r\nd\re") == "ab\tc\nd\ne"
    assert markup.clean("don\x92t \x93x\x94 \x81") == "don’t “x” "


SOURCE = """\
## Findings

Between *2009* and 2014 one movement replaced three local papers in the [Sennet valley](https://valley.example/) with its own.
Second line
with a break\\
here and <https://x.example/>.

> The minutes speak of a change,
> not of an end.

1. first
2. second
   - deeper

- loose

- list

| Year | Pages |
|------|------:|
| 2009 |    46 |
| 2014 |     0 |

    code > kept

![The lines cross](x.png) ~~gone~~[^1]

[^1]: A note.
"""

TEXT = """\
Findings
--------

Between 2009 and 2014 one movement replaced three local
papers in the Sennet valley (https://valley.example/) with
its own. Second line with a break
here and https://x.example/.

  The minutes speak of a change, not of an end.

1. first
2. second
   - deeper

- loose

- list

Year   Pages
----   -----
2009      46
2014       0

    code > kept

[Image: The lines cross] ~~gone~~[1]

* * *

1. A note."""


def test_plain_text_is_laid_out_for_reading() -> None:
    assert markup.to_text(SOURCE, base=BASE, width=60) == TEXT


def test_a_table_too_wide_for_the_page_is_told_cell_by_cell() -> None:
    table = "| Place | What was found |\n|---|---|\n| Port Ansel | " + "word " * 20 + "|\n| Sennet | none |"
    assert markup.to_text(table, base=BASE, width=40).split("\n")[:2] == [
        "Place: Port Ansel",
        "What was found: word word word word",
    ]


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.one_of(st.sampled_from(list("<>&[]()*_`#|!- \n.-1")), st.characters(codec="utf-8")), max_size=120))
def test_no_line_of_plain_text_looks_like_a_signature_or_a_reply(body: str) -> None:
    lines = markup.to_text(body, base=BASE).split("\n")
    assert not any(line.startswith(">") or line == "-- " or line != line.rstrip() for line in lines)


def test_a_sign_of_more_that_opens_a_line_is_moved_in() -> None:
    assert markup.to_text("\\> 5 is more\\\n\\> 6 too", base=BASE) == " > 5 is more\n > 6 too"
    assert markup.to_text("```\n-- \n```", base=BASE) == "    --"


def test_lines_keep_to_their_width_but_for_addresses() -> None:
    text = markup.to_text("word " * 60 + "https://x.example/" + "y" * 90, base=BASE)
    assert [line for line in text.split("\n") if len(line) > 72] == ["https://x.example/" + "y" * 90]


def test_nesting_without_end_is_told_not_thrown() -> None:
    assert feedrules.html_faults(html("> " * 5000 + "deep")) == []
    assert markup.to_text("- " * 2000 + "deep", base=BASE)


@pytest.mark.parametrize("piece", ["[", "![", "[^", "[*", "[![a](b)"])
def test_brackets_without_end_cost_in_proportion(piece: str, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[int] = []
    real = ParserInline.skipToken
    monkeypatch.setattr(ParserInline, "skipToken", lambda self, state: (steps.append(1), real(self, state))[1])

    def work(many: int) -> int:
        steps.clear()
        html(piece * many)
        return len(steps)

    assert work(200) <= 2.2 * work(100)


def test_a_long_address_used_often_does_not_make_a_text_a_thousand_times_longer() -> None:
    body = f"[a]: https://records.example/{'y' * 20_000}\n\n{'[a] ' * 100}"
    assert html(body) == f"<p>{'a ' * 100}".rstrip() + "</p>\n"
    assert "href" in html(f"[a](https://records.example/{'y' * 2_000})")
