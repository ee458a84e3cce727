"""An edition as mail: what stands in it, what never does, and that it is made once for all readers."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from itertools import pairwise

import cssutils
import premailer.cache  # here, not inside a test: its HTTP library tries a socket when it is imported
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mails import DEED, NONCE, PUBLIC, QUOTE, READER, RUN, SOURCES, TEMPLATES, WORDS, arabic, brief, view
from syndicate.errors import Held, Refused, RenderError
from syndicate.model import Correction, Image
from syndicate.render.email import EditionView, Frozen, freeze, splice, values
from syndicate.render.templates import Templates


def drawn(given_view: EditionView, templates: Templates = TEMPLATES) -> tuple[Frozen, str, str]:
    frozen = freeze(given_view, templates, nonce=NONCE)
    filling = values(READER)
    return frozen, splice(frozen.html, filling, html=True), splice(frozen.text, filling, html=False)


def changed(name: str, old: str, new: str) -> Templates:
    assert old in SOURCES[name]
    return Templates({**SOURCES, name: SOURCES[name].replace(old, new)})


def test_the_templates_have_no_fault() -> None:
    assert [fault for fault in TEMPLATES.check() if fault.file.startswith("templates/email/")] == []


def test_both_parts_tell_the_same_in_the_same_order() -> None:
    correction = (brief(9), Correction(date=date(2026, 11, 23), text="We gave 14 boats. There were 11."))
    _, html, text = drawn(view(brief(1), brief(2), display="inline", corrections=(correction,)))
    marks = [
        "23 November 2026",
        "Edition 7",
        "Two briefs, one quotation, one correction.",
        "Summary number 1",
        "Summary number 2",
        "Quoted text, not our words",
        WORDS[:20],
        "Oren Talvick",
        "There were 11",
        READER.address,
        READER.preferences_url,
        READER.unsubscribe_url,
        "Tolland Quay",
    ]
    for part in (html, text):
        places = [part.index(mark, max(part.index("Edition 7") - 100, 0)) for mark in marks]
        assert places == sorted(places)


def test_who_was_forwarded_a_mail_is_shown_where_to_subscribe_by_the_same_plain_address_in_every_mail() -> None:
    frozen, html, text = drawn(view(brief()))
    assert f'Forwarded to you? <a class="lnk" href="{PUBLIC}/subscribe"' in re.sub(r' style="[^"]*"', "", html)
    assert f"\n\nForwarded to you? Subscribe to The Ferry Letter:\n{PUBLIC}/subscribe\n\n" in text
    assert "Forwarded" not in frozen.page()
    _, html, text = drawn(arabic())
    assert "هل وصلتكم من غيركم؟" in html
    assert "هل وصلتكم من غيركم؟" in text


def test_dates_are_the_publication_s_own() -> None:
    _, html, _ = drawn(view(brief()))
    assert "Monday, 23 November 2026 · Edition 7" in html


def test_rendering_again_gives_the_same_bytes_and_json_comes_back() -> None:
    frozen, *_ = drawn(view(brief(1), brief(2), display="inline"))
    again, *_ = drawn(view(brief(1), brief(2), display="inline"))
    assert frozen == again
    assert Frozen.from_json(frozen.to_json()) == frozen
    assert Frozen.from_json(frozen.to_json()).to_json() == frozen.to_json()


def test_no_gap_and_no_mark_is_left_after_splicing() -> None:
    frozen, html, text = drawn(view(brief(), display="inline"))
    for part in (html, text, frozen.page()):
        assert NONCE not in part
        assert ".invalid" not in part
        assert "@@" not in part


def test_a_hostile_value_stays_text() -> None:
    frozen, *_ = drawn(view(brief()))
    filling = {**values(READER), "address": "\"><script>@@0123456789abcdef-since@@&'"}
    html = splice(frozen.html, filling, html=True)
    assert "<script" not in html
    assert "@@0123456789abcdef-since@@" in html


@pytest.mark.parametrize(
    "over", [{"address": "a\r\nb"}, {"unsubscribe_url": "http://letter.example/u"}, {"address": "a" * 300}]
)
def test_a_reader_s_value_that_could_break_out_is_refused(over: dict[str, str]) -> None:
    with pytest.raises(Refused):
        values(replace(READER, **over))


def test_the_page_shows_no_reader_and_no_way_to_unsubscribe_them() -> None:
    frozen, *_ = drawn(view(brief(), display="inline"))
    page = frozen.page()
    assert "You get this because" not in page
    assert "Unsubscribe" not in page
    assert "What the harbour wrote down" in page
    assert "Tolland Quay" in page


# -- the mail's HTML --------------------------------------------------------------------------------


class Outline(HTMLParser):
    """What the lint of the mail looks at."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.styles: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][0] == "style":
            self.styles.append(data)


@pytest.fixture(scope="module")
def outline() -> Outline:
    picture = Image(src="/media/boats.png", alt="Boats", width=1104, height=760)
    return Outline(drawn(view(brief(1, image=picture), brief(2), display="inline"))[1])


def test_language_and_direction_stand_on_the_root_and_each_child_of_the_body(outline: Outline) -> None:
    divisions = [attrs for tag, attrs in outline.elements if tag in {"html", "div"}]
    assert len(divisions) == 3
    assert all(attrs["lang"] == "en" and attrs["dir"] == "ltr" for attrs in divisions)


def test_headings_begin_with_one_h1_and_leave_no_gap(outline: Outline) -> None:
    levels = [int(tag[1]) for tag, _ in outline.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_every_table_is_layout_or_data(outline: Outline) -> None:
    for tag, attrs in outline.elements:
        if tag == "table":
            assert attrs.get("role") == "presentation" or "aria-label" in attrs
            assert (attrs["cellpadding"], attrs["cellspacing"], attrs["border"]) == ("0", "0", "0")


def test_styles_are_inlined_and_what_is_left_is_small_and_important(outline: Outline) -> None:
    left = "".join(outline.styles)
    assert 0 < len(left.encode()) < 8192
    rules = re.findall(
        r"[^{}@]+\{([^{}]*)\}", left.replace(":root{color-scheme:light dark;supported-color-schemes:light dark}", "")
    )
    declarations = [part for rule in rules for part in rule.split(";") if part.strip()]
    assert declarations
    assert all(part.endswith("!important") for part in declarations)
    inlined = [str(attrs.get("style")) for tag, attrs in outline.elements if tag in {"td", "h1", "h2", "a"}]
    assert all("!important" not in style and "var(" not in style for style in inlined)
    assert any("Georgia" in style for style in inlined)


def test_nothing_in_the_mail_fetches_runs_or_hides(outline: Outline) -> None:
    assert not {tag for tag, _ in outline.elements} & {
        "script",
        "link",
        "form",
        "svg",
        "video",
        "iframe",
        "base",
        "object",
        "input",
    }
    hidden = [attrs for _, attrs in outline.elements if "display:none" in str(attrs.get("style")).replace(" ", "")]
    assert len(hidden) == 1
    assert "font-size" not in str(hidden[0]["style"])
    assert "opacity" not in str(hidden[0]["style"])


def test_pictures_have_words_integers_and_a_width_that_fits(outline: Outline) -> None:
    (picture,) = [attrs for tag, attrs in outline.elements if tag == "img"]
    assert picture["src"] == f"{PUBLIC}/media/boats.png"
    assert (picture["alt"], picture["width"], picture["height"]) == ("Boats", "552", "380")


@pytest.mark.parametrize(
    "src", ["http://elsewhere.example/a.png", "/media/a.svg", "javascript:x", "data:image/png;base64,AAAA"]
)
def test_a_picture_that_mail_cannot_show_is_left_out(src: str) -> None:
    _, html, _ = drawn(view(brief(image=Image(src=src, alt="Boats", width=100, height=50))))
    assert "<img" not in html


def test_over_loopback_our_own_pictures_show() -> None:
    local = "http://127.0.0.1:8000"
    picture = Image(src="/media/a.png", alt="Boats", width=100, height=50)
    made = view(brief(image=picture, link=f"{local}/briefs/1"), public_url=local, view_url=f"{local}/editions/digest/7/1")
    assert f'src="{local}/media/a.png" width="100" height="50"' in drawn(made)[1]


def test_each_link_names_its_target_and_the_lead_has_the_only_button() -> None:
    _, html, _ = drawn(view(brief(1), brief(2)))
    assert html.count('class="btn"') == 1
    assert "<v:roundrect" in html
    assert html.count("<!--[if mso]>") == html.count("<![endif]-->") - html.count("<!--<![endif]-->")
    texts = re.findall(r"<a [^>]*>([^<]*)</a>", html)
    assert not {"here", "click here", "read more", "more"} & {text.lower() for text in texts}
    assert "Read “What the harbour wrote down, part 2”" in texts


def test_titles_and_names_are_escaped() -> None:
    _, html, text = drawn(view(brief(title="Ropes & <b>knots</b>"), title="Ferry & Co"))
    assert "<b>knots" not in html
    assert "Ropes &amp; &lt;b&gt;knots" in html
    assert "subscribed to the daily edition of Ferry &amp; Co at" in html
    assert "Ropes & <b>knots</b>" in text.replace("ROPES & <B>KNOTS</B>", "Ropes & <b>knots</b>")


def test_a_right_to_left_brief_is_mirrored() -> None:
    _, html, _ = drawn(view(brief(1), brief(2, lang="ar", title="دفاتر الميناء")))
    assert re.search(r'<td class="cell rtl" align="right" lang="ar" dir="rtl"', html)


def test_the_brand_sets_colours_and_fonts_in_one_place() -> None:
    made = view(brief(), brand={"link": "#0b6e4f", "serif": "'Iowan Old Style', Georgia, serif", "logo": "", "logo_width": 160})
    _, html, _ = drawn(made)
    assert "#0b6e4f" in html
    assert "#124b7c" not in html
    assert "font-family:Iowan Old Style, Georgia" in html.replace("font-family: ", "font-family:")
    assert not re.search(r"style='", html)


@pytest.mark.parametrize("brand", [{"ink": "red"}, {"link": "#fff"}, {"serif": "x;}body{display:none"}])
def test_a_brand_that_clients_cannot_show_is_named(brand: dict[str, str]) -> None:
    with pytest.raises(RenderError, match=f"brand.{next(iter(brand))}"):
        drawn(view(brief(), brand=brand))


def test_a_logo_has_the_title_as_its_words() -> None:
    _, html, _ = drawn(view(brief(), brand={"logo": "https://letter.example/logo.png", "logo_width": 180}))
    assert '<img src="https://letter.example/logo.png" width="180" alt="The Ferry Letter"' in html


# -- kinds of edition -------------------------------------------------------------------------------


def test_a_brief_alone_comes_in_full() -> None:
    _, html, text = drawn(view(brief(), frequency="instant"))
    assert "<em>books</em>" in html
    assert 'href="https://example.org/a?b=c&amp;d=e"' in html
    assert re.search(r"<h3[^>]*>A finding</h3>", html)
    assert re.search(r'<img (?=[^>]*width="552")(?=[^>]*src="https://letter.example/media/quay.png")', html)
    assert html.count("Summary number 1") == 1  # the preheader's
    assert "A finding\n---" in text


def test_a_table_keeps_its_head_and_its_sides() -> None:
    body = "| Year | Pages |\n|---|--:|\n| 2009 | 46 |\n"
    _, html, _ = drawn(view(brief(body=body), frequency="instant"))
    assert re.search(
        r'<table[^>]*>\s*<thead>\s*<tr>\s*<th (?=[^>]*align="left")[^>]*>Year</th>\s*<th (?=[^>]*align="right")', html
    )


def test_an_edition_of_several_shows_summaries() -> None:
    _, html, _ = drawn(view(brief(1), brief(2), frequency="daily"))
    assert "A finding" not in html


def test_the_size_counts_the_longest_values() -> None:
    frozen, html, _ = drawn(view(brief()))
    assert len(html.encode()) < frozen.size
    long_reader = replace(READER, address="a" * 64 + "@" + "b" * 180 + ".example", unsubscribe_url=f"{PUBLIC}/u/" + "x" * 130)
    assert len(splice(frozen.html, values(long_reader), html=True).encode()) <= frozen.size


def test_the_quote_s_own_edition_has_no_brief() -> None:
    frozen, html, _ = drawn(view(display="inline", frequency="quote"))
    assert "One quotation." in html
    assert frozen.subject == "A founder on leaving · 23 November 2026"


@pytest.mark.parametrize("display", ["inline", "link"])
def test_an_account_in_our_words_is_not_called_a_quotation(display: str) -> None:
    frozen, html, text = drawn(view(display=display, quote=DEED, frequency="quote"))
    for part in (html, text):
        assert "ne account of an extremist action." in part
        assert "none of its words are ours" not in " ".join(part.split())
    assert "quotation" not in frozen.preheader


def test_behind_a_link_stand_our_words_alone() -> None:
    _, html, text = drawn(view(brief(), display="link"))
    for part in (html, text):
        assert QUOTE.link in part
        assert "lantern" not in part
    assert "In 2011 the movement asked new members" in html


def test_left_out_it_leaves_no_trace() -> None:
    _, html, text = drawn(view(brief(), display="none"))
    for part in (html, text):
        assert "lantern" not in part
        assert QUOTE.link not in part


def test_an_empty_edition_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="holds something"):
        view()


# -- subject, preheader and the gate --------------------------------------------------------------------


def test_the_subject_tells_lead_count_and_date() -> None:
    assert drawn(view(brief(1), brief(2), brief(3)))[0].subject == (
        "What the harbour wrote down, part 1, and two more briefs · 23 November 2026"
    )
    assert drawn(view(brief(1), frequency="instant"))[0].subject == "What the harbour wrote down, part 1"


@pytest.mark.parametrize("title", ["Evil \u202ename", "zero\u200bwidth", "a\x07bell"])
def test_a_title_that_no_subject_may_hold_is_named(title: str) -> None:
    with pytest.raises(RenderError, match=r"content/briefs/evil\.md"):
        drawn(view(brief(title=title, path="content/briefs/evil.md")))


@pytest.mark.parametrize("name", ["subject.txt.j2", "preheader.txt.j2"])
def test_a_subject_or_preheader_that_repeats_the_quote_is_held(name: str) -> None:
    templates = Templates({**SOURCES, f"email/{name}": f"They said: the lantern {RUN} it"})
    with pytest.raises(Held) as caught:
        drawn(view(brief(), display="inline"), templates)
    assert caught.value.rule == "Q5"
    assert RUN not in str(caught.value)


@pytest.mark.parametrize("display", ["inline", "link", "none"])
def test_a_brief_that_repeats_the_quote_is_held_however_it_is_shown(display: str) -> None:
    with pytest.raises(Held):
        drawn(view(brief(summary=f"As he says, the lantern {RUN} the moths."), display=display))


def test_a_template_that_shows_the_quote_before_anything_else_is_held() -> None:
    templates = changed(
        "email/_layout.html.j2", '<tr><td class="mast"', '<tr><td>{{ quote_html }}</td></tr><tr><td class="mast"'
    )
    with pytest.raises(Held):
        drawn(view(brief(), display="inline"), templates)


def test_a_template_that_leaves_the_block_out_is_held() -> None:
    with pytest.raises(Held) as caught:
        drawn(view(brief(), display="inline"), changed("email/edition.txt.j2", "{{ quote_text.content }}", ""))
    assert caught.value.rule == "Q1"


# -- a template's mistakes ----------------------------------------------------------------------------


def test_a_template_without_a_way_out_is_refused() -> None:
    for name in ("_footer.html.j2", "_footer.txt.j2"):
        with pytest.raises(RenderError, match="unsubscribe"):
            drawn(view(brief()), changed(f"email/{name}", "{{ gap.unsubscribe }}", "#"))


def test_a_gap_that_inlining_would_eat_is_refused() -> None:
    templates = changed(
        "email/_layout.html.j2", "</head>", "<style>p{color:red;background:url({{ gap.unsubscribe }})}</style></head>"
    )
    with pytest.raises(RenderError, match="gap"):
        drawn(view(brief()), templates)


def test_an_author_cannot_write_a_gap() -> None:
    body = f"[out](https://t-{NONCE}.invalid/unsubscribe) @@{NONCE}-address@@ {{{{ gap }}}}"
    with pytest.raises(RenderError, match="mark"):
        drawn(view(brief(body=body), frequency="instant"))
    frozen, *_ = drawn(
        view(brief(body="[out](https://t-other.invalid/unsubscribe) @@x-address@@ {{ gap }}"), frequency="instant")
    )
    filled = sum(1 for piece in frozen.html if not isinstance(piece, str))
    assert filled == sum(1 for piece in drawn(view(brief()))[0].html if not isinstance(piece, str))


def test_an_earlier_style_named_like_a_selector_breaks_nothing() -> None:
    premailer.cache.cache.clear()
    premailer.Premailer('<style>p{color:#111111}</style><p style="h1">x</p>', allow_network=False).transform()
    assert "font-weight:400" in drawn(view(brief()))[1]


def test_nothing_is_fetched_while_inlining() -> None:
    templates = changed(
        "email/_layout.html.j2", "</head>", '<link rel="stylesheet" href="https://elsewhere.example/a.css"></head>'
    )
    drawn(view(brief()), templates)  # a unit test that reaches outside fails


def test_the_inliner_says_nothing_on_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    said = io.StringIO()
    cssutils.log.setLevel(0)
    for handler in cssutils.log._log.handlers:
        monkeypatch.setattr(handler, "stream", said)
    cssutils.parseStyle("mso-table-lspace:0pt")
    assert said.getvalue()
    said.seek(0)
    said.truncate()
    drawn(view(brief()), changed("email/_styles.html.j2", "p{margin:0 0 16px}", "p{margin:0 0 16px;color:rgb(0 0 0 / 50%)}"))
    assert said.getvalue() == ""


@settings(max_examples=25)
@given(title=st.text(st.characters(exclude_categories=("Cc", "Cs", "Cf", "Zl", "Zp", "Cn")), min_size=1, max_size=90))
def test_any_title_leaves_a_well_formed_mail(title: str) -> None:
    if not title.strip():
        return
    frozen, html, _ = drawn(view(brief(title=title), brief(2)))
    assert html.count("<td") == html.count("</td>")
    assert html.count(READER.unsubscribe_url) == 1
    assert frozen.subject
