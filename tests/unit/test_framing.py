"""The quote gate: no artefact holds quoted words without their frame, whatever the words, the template or the limit."""

from __future__ import annotations

import ast
import copy
import dataclasses
import pickle
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from quotations import (
    ARCHIVE,
    BLUESKY,
    LINK,
    MASTODON,
    NOW,
    ROOT,
    WORDS,
    X,
    broken,
    make_action,
    make_quote,
    make_style,
    templates,
)
from syndicate.errors import Held
from syndicate.model import Limits, Quote, QuoteKind, Status, Words
from syndicate.render import framing
from syndicate.render.framing import PARTIALS, Admitted, BlockForm, FramedBlock, FramedPost
from syndicate.render.gate.spans import Watch
from syndicate.render.gate.visible import look, tidy
from syndicate.render.templates import Templates

FORMS: tuple[BlockForm, ...] = ("mail", "page", "feed", "text")
HTML_FORMS: tuple[BlockForm, ...] = ("mail", "page", "feed")
CHANNEL_LINK = LINK + "?s=x"


def admit(quote: Quote, **over: Any) -> Admitted:
    return framing.admit(quote, over.pop("style", make_style()), **{"approved": True, "now": NOW, **over})


def block(quote: Quote, form: BlockForm = "mail", using: Templates | None = None) -> FramedBlock:
    return framing.block(admit(quote), form, using or templates())


def fit(quote: Quote, room: int, limits: Limits = X, using: Templates | None = None, **over: Any) -> FramedPost:
    return framing.fit(
        admit(quote, **over),
        fits=lambda text: len(text) <= room,
        templates=using or templates(),
        channel_link=CHANNEL_LINK,
        limits=limits,
    )


def held(rule: str, *parts: str) -> Any:
    """Held by that rule, with a reason that holds ``parts`` and nothing of the words."""
    return pytest.raises(Held, check=lambda error: error.rule == rule and all(part in str(error) for part in parts))


def expected(error: Held, *rules: str) -> None:
    """A hold is an answer, if it is one of these."""
    if error.rule not in rules:
        raise error


def in_order(text: str, *parts: str) -> bool:
    """Whether the parts stand in the text one after the other, spaces aside."""
    text, place = "".join(text.split()), 0
    for part in parts:
        place = text.find("".join(part.split()), place)
        if place < 0:
            return False
        place += len("".join(part.split()))
    return True


# -- Q1, Q2: the block --------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_a_block_shows_label_notice_context_words_and_attribution_in_this_order(form: BlockForm) -> None:
    seen = look(block(make_quote(), form).content, "text" if form == "text" else "html").visible.replace("  |  ", "")
    label = "IN THEIR OWN WORDS" if form == "text" else "In their own words"
    contains, context = "Contains: pressure to cut contact with outsiders.", "The founder of the Sealed Orchard wants"
    assert in_order(seen, label, contains, context, "Quoted text, not our words", f"“{WORDS}”", "End of quoted text")
    archive = ARCHIVE if form == "text" else "Record 0101 in our archive"
    assert in_order(
        seen, WORDS, "Speaker Corvin Aldergrave", "Role Founder, the Sealed Orchard", "Date Undated", f"Archive {archive}"
    )


@pytest.mark.parametrize("form", HTML_FORMS)
def test_a_translation_follows_its_original_in_its_own_language_and_direction(form: BlockForm) -> None:
    quote = make_quote(original="هاتوا رسائلكم إلى المائدة.", original_lang="ar", translator="M. Dallivar")
    content = block(quote, form).content
    assert 'lang="ar" dir="rtl"' in content
    assert 'lang="en" dir="ltr"' in content
    assert in_order(content, "هاتوا رسائلكم إلى المائدة.", "Our translation", WORDS, "Undated", "M. Dallivar", ARCHIVE)


def test_a_text_block_has_a_bar_before_each_quoted_line_and_stays_narrow() -> None:
    lines = block(make_quote(WORDS * 3 + "\n\n" + "字" * 200), "text").content.splitlines()
    start, end = (next(place for place, line in enumerate(lines) if mark in line) for mark in ("[Quoted", "[End of"))
    quoted = [line for line in lines[start + 1 : end] if line.strip()]
    assert all(line.startswith("  |") for line in quoted)
    assert len(quoted) > 10
    assert max(map(len, lines)) <= 72
    assert not any(line.startswith((">", "--")) for line in lines)


def test_right_to_left_words_say_so() -> None:
    assert (
        '<blockquote class="txt rtl" lang="he" dir="rtl">'
        in block(make_quote("שלום לכולם מן העמק הזה", lang="he"), "mail").content
    )
    assert 'dir="rtl"' in block(make_quote("سلام بر همه از این دره", lang="ug", dir="rtl"), "page").content


def test_direction_marks_in_the_words_cannot_reorder_the_frame() -> None:
    quote = make_quote("We close the shutters \u202eat night\u2066 and nobody asks.")
    assert not set("\u202e\u2066") & set(block(quote, "page").content)
    assert [change.kind for change in admit(quote).defusals] == ["control", "control"]


def test_the_date_is_printed_for_people_and_never_invented() -> None:
    assert "Date 5 September 2021 " in block(make_quote(date="2021-09-05")).visible
    assert "Date 2021 " in block(make_quote(date="2021")).visible
    assert "Date Undated " in block(make_quote()).visible


def test_actions_are_told_as_an_account_with_place_date_and_archive() -> None:
    seen = block(
        make_action("For fourteen hours 340 passengers could not cross. Both ramps had been chained.", date="2025-06-03"),
        "text",
    ).visible
    assert in_order(
        seen,
        "THEIR ACTIONS",
        "What was done, in our words",
        "340 passengers",
        "End of the account",
        "Place Tolland Quay",
        "3 June 2025",
        ARCHIVE,
    )
    assert "Speaker" not in seen
    assert "“" not in seen


CJK = st.integers(0x4E00, 0x4FFF).map(chr)
SCRIPTS = st.sampled_from(
    [
        st.sampled_from("abcdefghij ,.'\n"),
        st.sampled_from("ابتثجحخد ،؟\u064b\u0651"),
        st.sampled_from("אבגדהוזח ״־"),
        CJK | st.sampled_from("。，"),
        st.sampled_from("🙂👩\u200d👩\u200d👧🏽 ab"),
        st.sampled_from("ae\u0301\u0323\u0308 Z\u030c"),
        st.sampled_from("<>&\"'|>-=\n {}%#@/.:\\ab1"),
        st.characters(exclude_categories=("Cs",)),
    ]
)


@st.composite
def quotations(draw: st.DrawFn) -> str:
    """Words of any length up to 5,000, in any script."""
    length = draw(st.sampled_from([1, 2, 5, 30, 279, 400, 1500, 5000]))
    piece = draw(SCRIPTS.flatmap(lambda letters: st.lists(letters, min_size=min(length, 30), max_size=min(length, 80)))) or [
        "a"
    ]
    text = "".join(piece)
    return (text * (length // len(text) + 1))[:length] if len(text) < length else text


@given(words=quotations(), form=st.sampled_from(FORMS), lang=st.sampled_from(["en", "ar", "he", "zh", "de"]))
@settings(max_examples=120)
def test_whatever_the_words_a_block_is_complete_or_held(words: str, form: BlockForm, lang: str) -> None:
    assume(words.strip())
    try:
        made = block(make_quote(words, lang=lang), form)
    except Held as error:
        expected(error, "Q5", "Q7")
        return
    complete(made, admit(make_quote(words, lang=lang)), form)


def complete(made: FramedBlock | FramedPost, admitted: Admitted, form: str) -> None:
    """The independent witness of Q1 and Q2: it reads the artefact, not the gate's own marks."""
    text = form in {"text", "post"}
    content = made.text if isinstance(made, FramedPost) else made.content
    seen = content if text else look(content, "html").visible
    if form == "text":
        seen = "\n".join(line.strip().removeprefix("|").strip().removesuffix(" |") for line in seen.splitlines())
    quote = admitted.quote
    label = admitted.label.upper() if form == "text" else admitted.label
    last = quote.archive if text else "Record 0101"
    assert in_order(seen, label, quote.context, admitted.words.reveal(), quote.speaker, quote.role, quote.date, last)
    assert ARCHIVE in content
    assert not any("\ufdd0" <= character <= "\ufdef" for character in content)


def test_ordinary_words_of_every_length_are_framed_not_held() -> None:
    for length in (4, 30, 400, 5000):
        words = " ".join(f"word{number}" for number in range(length // 4))
        if words:
            for form in FORMS:
                complete(block(make_quote(words), form), admit(make_quote(words)), form)


# -- Q1, Q2: templates broken on purpose ----------------------------------------------------------

WORDS_LOOP = "{% for paragraph in words %}<p>{{ paragraph }}</p>{% endfor %}"
FACTS_LOOP = "{% for fact in facts %}\n"
BROKEN: list[tuple[str, BlockForm, tuple[tuple[str, str], ...], str]] = [
    ("the label is removed", "page", (('<h2 class="label" id="q-{{ id }}">{{ label }}</h2>', ""),), "Q1"),
    ("the notice is removed", "page", (("{{ contains }}", ""),), "Q1"),
    ("the context is removed", "page", (("{{ context }}", ""),), "Q1"),
    ("the words are removed", "page", ((WORDS_LOOP, ""),), "Q1"),
    ("the opening mark is removed", "page", (("{{ opening }}", ""),), "Q1"),
    ("the closing mark is removed", "feed", (("{{ closing }}", ""),), "Q1"),
    ("the attribution is dropped", "page", ((FACTS_LOOP, "{% for fact in [] %}\n"),), "Q1"),
    ("only the speaker is kept", "page", ((FACTS_LOOP, "{% for fact in facts[:1] %}\n"),), "Q1"),
    ("the archive link is missing", "page", ((FACTS_LOOP, "{% for fact in facts[:-1] %}\n"),), "Q1"),
    ("the archive is named but not linked", "mail", (('<a class="lnk" href="{{ fact.href }}">{{ fact.value }}</a>', "{{ fact.value }}"),), "Q1"),
    ("the archive link leads elsewhere", "page", (('href="{{ fact.href }}"', 'href="https://elsewhere.example"'),), "Q1"),
    ("a second link leads elsewhere", "feed", (('<a href="{{ link }}">', '<a href="https://elsewhere.example">'),), "Q8"),
    ("the label is hidden by style", "page", (('<h2 class="label"', '<h2 style="display: none" class="label"'),), "Q1"),
    ("the label is hidden by attribute", "page", (('<h2 class="label"', '<h2 hidden class="label"'),), "Q1"),
    ("the label is set in nothing", "mail", (('<h2 class="bandtext"', '<h2 style="font-size:0" class="bandtext"'),), "Q1"),
    ("the label has the colour of its ground", "mail", (('<h2 class="bandtext"', '<h2 style="color:#fff;background:#fff" class="bandtext"'),), "Q1"),
    ("the label is off the screen", "mail", (('<h2 class="bandtext"', '<h2 style="position:absolute;left:-999px" class="bandtext"'),), "Q1"),
    ("the label is for screen readers only to miss", "page", (('<h2 class="label"', '<h2 aria-hidden="true" class="label"'),), "Q1"),
    ("the label is commented out", "page", (("{{ label }}", "<!-- {{ label }} -->"),), "Q1"),
    ("the label is in an attribute", "page", (("{{ label }}", '<span title="{{ label }}"></span>'),), "Q1"),
    ("the whole record is folded away", "page", (("<dl>", "<details><dl>"), ("</dl>", "</dl></details>")), "Q1"),
    ("the words are cut", "page", (("<p>{{ paragraph }}</p>", "<p>{{ paragraph | truncate(40) }}</p>"),), "Q1"),
    ("the words are changed", "page", (("<p>{{ paragraph }}</p>", "<p>{{ paragraph | upper }}</p>"),), "Q1"),
    ("the words come before the label", "page", (('<section class="spec"', '{{ words | join("") }}<section class="spec"'), (WORDS_LOOP, "")), "Q2"),
    ("the words come before the context", "mail", (("{{ context }}", "{{ words | join }}{{ context }}"), ("{%- for paragraph in words %}", "{%- for paragraph in [] %}")), "Q2"),
    ("the attribution comes before the words", "page", (('<div class="tray">', '{% for fact in facts %}{{ fact.value }}{% endfor %}<a href="{{ facts[-1].href }}">x</a><div class="tray">'), (FACTS_LOOP, "{% for fact in [] %}\n")), "Q2"),
    ("the attribution is in the wrong order", "page", ((FACTS_LOOP, "{% for fact in facts | reverse %}\n"),), "Q2"),
    ("the words stand twice", "page", ((WORDS_LOOP, WORDS_LOOP * 2),), "Q1"),
    ("the words stand in an attribute too", "page", (('<div class="tray">', '<div class="tray" title="{{ words | join(" ") }}">'),), "Q1"),
    ("the words stand unmarked in an attribute", "page", (('<div class="tray">', '<div class="tray" title="{{ words[0][2:-2] }}">'),), "Q5"),
    ("the words stand unmarked a second time", "feed", (("</dl>", "</dl><p>{{ words[0][2:-2] }}</p>"),), "Q5"),
    ("the words stand unmarked in a comment", "mail", (("{{ context }}", "{{ context }}<!--[if mso]>{{ words[0][2:-2] }}<![endif]-->"),), "Q5"),
    ("an element is left open", "page", (("</section>", ""),), "Q1"),
    ("a foreign element is closed", "page", (("</section>", "</section></main>"),), "Q1"),
    ("a picture is added", "mail", (("{{ context }}", '{{ context }}<img src="https://letter.brackmere.example/i.png" alt="">'),), "Q7"),
    ("a script is added", "page", (("</section>", "<script>1</script></section>"),), "Q7"),
    ("a picture comes by style", "page", (('<div class="tray">', '<div class="tray" style="background:url(/i.png)">'),), "Q7"),
    ("the text's label is removed", "text", (("| {{ label_lines | join(' |\\n| ') }} |", ""),), "Q1"),
    ("the text's context is removed", "text", (("{{ context_lines | join('\\n  ') }}", ""),), "Q1"),
    ("the text's words are quoted as a reply", "text", (("  |  {{ words | join('\\n  |  ') }}", "> {{ words | join('\\n> ') }}"),), "Q1"),
    ("the text's words lose a bar", "text", (("join('\\n  |  ') }}", "join('\\n     ') }}"),), "Q1"),
    ("the text's facts are dropped", "text", ((FACTS_LOOP, "{% for fact in [] %}\n"),), "Q1"),
    ("the text's words stand twice", "text", (("  [{{ closing }}]", "{{ words | join(' ') }}\n  [{{ closing }}]"),), "Q1"),
    ("the text's words come first", "text", (("  {{ context_lines | join('\\n  ') }}", "  |  {{ words | join('\\n  |  ') }}\n\n  {{ context_lines | join('\\n  ') }}"), ("\n  |  {{ words | join('\\n  |  ') }}\n\n  [{{ closing }}]", "\n  [{{ closing }}]")), "Q2"),
    ("the text is cut by a signature mark", "text", (("  [{{ closing }}]", "  [{{ closing }}]\n\n-- "),), "Q1"),
    ("the text links elsewhere", "text", (("{{ link }}", "https://elsewhere.example/x"),), "Q8"),
]  # fmt: skip


@pytest.mark.parametrize(("form", "changes", "rule"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_a_template_broken_on_purpose_is_held(form: BlockForm, changes: tuple[tuple[str, str], ...], rule: str) -> None:
    with pytest.raises(Held) as caught:
        block(make_quote(), form, broken(PARTIALS[form], *changes))
    assert caught.value.rule == rule
    assert f"templates/{PARTIALS[form]}" in str(caught.value)
    assert not Watch.over([WORDS]).finds(str(caught.value))


def test_a_template_may_change_its_look() -> None:
    bolder = broken(
        "pages/_quote.html.j2", ('<div class="tray">', '<p>Shown in class.</p><div class="tray" style="color:#111111">')
    )
    assert "Shown in class." in block(make_quote(), "page", bolder).visible


# -- nobody but the gate ------------------------------------------------------------------------


def test_framed_things_are_made_by_the_gate_alone() -> None:
    made, post = block(make_quote()), fit(make_quote(), 5000)
    for one in (admit(make_quote()), made, post):
        with pytest.raises((TypeError, ValueError)):
            replace(one, rehearsal=False)
        values = {field.name: getattr(one, field.name) for field in dataclasses.fields(one)}
        with pytest.raises(TypeError):
            type(one)(**values)
        with pytest.raises(TypeError):
            type(one)(key=object(), **values)
        with pytest.raises(TypeError):
            pickle.dumps(one)
        with pytest.raises(TypeError):
            copy.copy(one)
        with pytest.raises(dataclasses.FrozenInstanceError):
            one.rehearsal = True  # type: ignore[misc]
        with pytest.raises(TypeError):
            type("Forged", (type(one),), {})


def test_sealed_words_are_opened_in_the_gate_and_the_content_store_alone() -> None:
    allowed = {"render/framing.py", "store/content.py"}
    package = ROOT / "src" / "syndicate"
    opening = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if (isinstance(node, ast.Attribute) and node.attr in {"reveal", "_Words__text"})
        or (isinstance(node, ast.Constant) and node.value == "reveal")
    }
    assert "render/framing.py" in opening
    assert opening <= allowed


def test_nothing_that_the_gate_hands_out_shows_words_when_printed() -> None:
    quote = make_quote(short="Whatever you keep to yourself goes sour.")
    watch = Watch.over([WORDS])
    for one in (admit(quote), block(quote), block(quote, "text"), fit(quote, 5000), framing.link_only(admit(quote))):
        assert not watch.finds(repr(one))
        assert not watch.finds(str(one))


def test_a_text_block_cannot_stand_in_html() -> None:
    assert "<table" in block(make_quote(), "mail").__html__()
    with pytest.raises(TypeError):
        block(make_quote(), "text").__html__()


# -- Q3, Q4, Q10: the ladder --------------------------------------------------------------------

SHORT = "Whatever you keep to yourself goes sour. I have read every page that came through this gate, and none of them asked how you are."
PARAPHRASE = "The founder wants to read all mail."


@pytest.mark.parametrize(("room", "rung"), [(519, "full"), (518, "short"), (447, "paraphrase"), (366, "card"), (221, "card")])
def test_the_highest_rung_that_fits_is_taken(room: int, rung: str) -> None:
    post = fit(make_quote(short=SHORT, paraphrase=PARAPHRASE), room)
    assert (post.rung, len(post.text) <= room) == (rung, True)


def test_without_room_even_for_the_card_the_post_is_held() -> None:
    with held("Q3"):
        fit(make_quote(), 40)


def test_rungs_that_nobody_wrote_are_left_out() -> None:
    assert fit(make_quote(), 340).rung == "card"


def test_the_full_post_reads_label_context_words_attribution_archive() -> None:
    post = fit(make_quote(), 5000)
    assert in_order(
        post.text,
        "In their own words",
        "Contains:",
        "The founder of",
        f"“{WORDS}”",
        "Corvin Aldergrave, Founder",
        "Undated",
        ARCHIVE,
        CHANNEL_LINK,
    )
    assert post.quoted is not None
    assert post.text[slice(*post.quoted)] == WORDS
    assert "\n\n\n" not in post.text


def test_the_short_form_shows_each_gap_even_where_the_editor_did_not() -> None:
    short = "Whatever you keep to yourself goes sour."
    assert admit(make_quote(short=short)).short.reveal() == f"[…] {short} […]"
    assert f"“[…] {SHORT}”" in fit(make_quote(short=SHORT), 450).text
    assert admit(
        make_quote("One is first. Two is next. Three is last.", short="One is first. […] Three is last.")
    ).short.reveal() == ("One is first. […] Three is last.")


def test_the_paraphrase_is_not_labelled_as_their_own_words() -> None:
    post = fit(make_quote(paraphrase=PARAPHRASE), 380)
    assert post.text.startswith("What an extremist said, in our words")
    assert "own words" not in post.text
    assert in_order(post.text, PARAPHRASE, "Corvin Aldergrave", "Undated", ARCHIVE)
    assert post.quoted is None


@pytest.mark.parametrize("room", [380, 260])
def test_a_card_or_paraphrase_holds_none_of_the_words(room: int) -> None:
    post = fit(make_quote(paraphrase=PARAPHRASE), room)
    assert not Watch.over([WORDS]).finds(post.text + post.title + post.description + post.warning + post.cut)


@pytest.mark.parametrize(
    "short",
    [
        "Whatever you hide from us goes sour.",
        "I have read every page that came through this gate, and none of them asked how you are. […] Whatever you keep to yourself goes sour.",
        "Whatever you keep to yourself",
        "each of us will carry a part of them.",
        "[…]",
        "Whatever you keep to yourself goes sour. I have read every page.",
    ],
    ids=["reworded", "out of order", "cut within a sentence", "begun within a sentence", "empty", "joined and cut"],
)
def test_a_short_form_that_is_not_whole_sentences_in_order_is_held(short: str) -> None:
    with held("Q3"):
        admit(make_quote(short=short))


def test_the_warning_names_the_kind_of_content_where_the_channel_has_one() -> None:
    with_field, without = fit(make_quote(), 5000, MASTODON), fit(make_quote(), 5000, X)
    assert (with_field.warning, without.warning) == ("pressure to cut contact with outsiders", "")
    assert "Contains:" not in with_field.text
    assert "Contains: pressure to cut contact with outsiders." in without.text
    assert fit(make_quote(contains=""), 5000, MASTODON).warning == "extremist speech"


def test_a_label_of_the_settings_comes_with_the_post() -> None:
    assert fit(make_quote(), 5000, BLUESKY, style=make_style(self_labels=("graphic-media",))).labels == ("graphic-media",)


def test_our_own_archive_page_is_named_once_by_the_posts_own_link() -> None:
    post = fit(make_quote(archive=LINK), 5000)
    assert post.text.count("https://") == 1
    assert f"Archive: {CHANNEL_LINK}" in post.text


def test_a_network_with_cards_carries_our_link_there() -> None:
    post = fit(make_quote(), 5000, BLUESKY)
    assert CHANNEL_LINK not in post.text
    assert (post.link, post.title) == (CHANNEL_LINK, "An invitation to share the post")


def test_a_post_of_a_translation_says_whose_translation_it_is() -> None:
    post = fit(make_quote(original="هاتوا رسائلكم", original_lang="ar", translator="M. Dallivar"), 5000)
    assert in_order(post.text, "Our translation:", WORDS, "M. Dallivar", ARCHIVE)


def test_a_post_of_an_action_names_the_place_and_quotes_nobody() -> None:
    post = fit(make_action("For fourteen hours 340 passengers could not cross."), 5000)
    assert in_order(post.text, "Their actions", "340 passengers could not cross.", "Tolland Quay, Undated", ARCHIVE)
    assert "“" not in post.text


@given(
    words=quotations(),
    room=st.sampled_from([100, 280, 300, 500, 1000, 5500]),
    limits=st.sampled_from([X, MASTODON, BLUESKY]),
    short=st.booleans(),
)
@example(words="a", room=280, limits=X, short=False)
@settings(max_examples=120)
def test_whatever_the_words_a_post_is_complete_a_rung_below_or_held(words: str, room: int, limits: Limits, short: bool) -> None:
    assume(words.strip())
    more: dict[str, Any] = {"short": words} if short else {"paraphrase": PARAPHRASE}
    try:
        post = fit(make_quote(words, **more), room, limits)
    except Held as error:
        expected(error, "Q3", "Q5", "Q7")
        return
    assert len(post.text) <= room
    if post.rung in {"full", "short"}:
        complete(post, admit(make_quote(words, **more)), "post")
    else:
        own = ["In their own words", make_quote().context, PARAPHRASE]
        assert not Watch.over([words], own).finds(post.text.replace("What an extremist said, in our words", ""))


POSTS_BROKEN: list[tuple[str, str, tuple[tuple[str, str], ...], str]] = [
    ("no label", "full", (("{{ label }}", ""),), "Q1"),
    ("no context", "full", (("{{ context }}", ""),), "Q1"),
    ("words first", "full", (("{{ words }}", ""), ("{{ label }}", "{{ words }}\n{{ label }}")), "Q2"),
    ("no speaker", "full", (("{{ speaker }}, ", ""),), "Q1"),
    ("no date", "full", (("{{ date }}", ""),), "Q1"),
    ("no archive", "full", (("{{ archive }}", ""),), "Q1"),
    ("words twice", "full", (("{{ words }}", "{{ words }}\n{{ words }}"),), "Q1"),
    ("words cut", "full", (("{{ words }}", "{{ words[:30] }}"),), "Q1"),
    ("words again, unmarked", "full", (("{{ words }}", "{{ words }}\n{{ words[2:-2] }}"),), "Q5"),
    ("a link elsewhere", "full", (("{{ more }}", "https://elsewhere.example"),), "Q8"),
    ("no notice", "full", (("{{ contains }}", ""),), "Q1"),
]


@pytest.mark.parametrize(
    ("rung", "changes", "rule"), [case[1:] for case in POSTS_BROKEN], ids=[case[0] for case in POSTS_BROKEN]
)
def test_a_posts_template_broken_on_purpose_is_held(rung: str, changes: tuple[tuple[str, str], ...], rule: str) -> None:
    with held(rule, f"templates/posts/quote_{rung}.txt.j2"):
        fit(make_quote(), 5000, using=broken(f"posts/quote_{rung}.txt.j2", *changes))


@pytest.mark.parametrize(
    "link", ["https://elsewhere.example/q", "https://web.archive.org/web/2024/https://letter.brackmere.example/q"]
)
def test_the_posts_link_must_lead_to_our_pages(link: str) -> None:
    with held("Q8"):
        framing.fit(admit(make_quote()), fits=lambda _: True, templates=templates(), channel_link=link, limits=X)


# -- Q5, Q6: nowhere else -----------------------------------------------------------------------


def test_four_words_in_a_row_are_found_anywhere_and_three_are_not() -> None:
    quote = make_quote()
    framing.guard_outside("He says: bring your letters — often", [quote])
    for text in (
        "BRING YOUR LETTERS, TO",
        "bring-your-letters-to.html",
        "Ｂring your le\u200btters to",
        "brіng yоur lеttеrs tо",
        "br\u00adíng your’ letters to",
    ):
        with held("Q5", quote.slug):
            framing.guard_outside(text, [make_quote("A different thing altogether here"), quote])


def test_a_shorter_quotation_is_found_as_a_whole() -> None:
    with held("Q5"):
        framing.guard_outside("the tide decides, he said", [make_quote("The tide decides.")])
    framing.guard_outside("the tide may decide", [make_quote("The tide decides.")])


def test_what_our_own_label_and_context_say_is_ours() -> None:
    quote = make_quote("The founder of the Sealed Orchard asks for every letter.")
    framing.guard_outside("The founder of the Sealed Orchard", [quote])
    labelled = make_quote("He put it in their own words, and left the valley.")
    framing.guard_outside("In their own words", [labelled], style=make_style())
    with held("Q5"):
        framing.guard_outside("In their own words", [labelled])


def test_unspaced_scripts_are_compared_by_characters() -> None:
    quote = make_quote("我们已经替你读过了每一封信件", lang="zh")
    framing.guard_outside("他们替你读过", [quote])
    with held("Q5"):
        framing.guard_outside("说：已经替你读过了每一", [quote])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "Bring your letters to the table"),
        ("contains", "a call to bring your letters to others"),
        ("paraphrase", "He says that whatever you keep to yourself is bad."),
        ("role", "Man who asks: bring your letters to him"),
        ("slug", "bring-your-letters-to-the-table"),
        ("archive", "https://archive.brackmere.example/q/bring-your-letters-to-the-table"),
    ],
)
def test_our_own_fields_may_not_repeat_the_words(field: str, value: str) -> None:
    with held("Q5", field):
        admit(make_quote(**{field: value}))


def test_a_file_is_not_named_after_the_words() -> None:
    admit(make_quote(path="content/quotes/record-17.md"))
    for name in ("bring-your-letters-to-the-table", "2024_Bring_your_letters_to", "br1ng y0ur letters to"):
        with held("Q5", "the name of its file"):
            admit(make_quote(path=f"content/quotes/{name}.md"))


def test_a_context_that_holds_the_whole_quotation_is_held() -> None:
    with held("Q2", "context"):
        admit(make_quote("Ask us and you will sleep.", context="He said it often: ask us and you will sleep."))


PAGE = "<html><head><title>{title}</title></head><body><div style='display:none'>{preheader}</div><h1>Edition 214</h1><p>{lead}</p>{block}<p>{tail}</p></body></html>"
LEAD = "Between 2009 and 2014 one movement replaced three local papers in the Sennet valley with its own. " * 3


def edition(made: FramedBlock, **over: str) -> str:
    return PAGE.format(
        **{"title": "The Letter", "preheader": "Three briefs", "lead": LEAD, "block": made.content, "tail": "", **over}
    )


def test_a_finished_edition_with_an_intact_block_passes() -> None:
    made = block(make_quote())
    framing.guard(edition(made), "html", [made], [make_quote()], style=make_style())
    text = block(make_quote(), "text")
    framing.guard(LEAD + "\n\n" + text.content, "text", [text], [make_quote()], style=make_style())


@pytest.mark.parametrize("place", ["title", "preheader", "lead", "tail"])
def test_words_anywhere_else_in_a_finished_edition_are_held(place: str) -> None:
    made = block(make_quote())
    with held("Q5"):
        framing.guard(
            edition(made, **{place: LEAD + "He says bring your <b>let</b>ters to the table."}), "html", [made], [make_quote()]
        )


@pytest.mark.parametrize(
    "piece",
    [
        '<img alt="Bring your letters to the table">',
        '<a href="/bring%20your%20letters%20to">x</a>',
        "<!-- bring your letters to -->",
        '<meta content="bring your letters to">',
    ],
    ids=["alt", "address", "comment", "metadata"],
)
def test_words_that_no_reader_sees_are_held_too(piece: str) -> None:
    made = block(make_quote())
    with held("Q5"):
        framing.guard(edition(made, tail=piece), "html", [made], [make_quote()])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda html: html.replace("In their own words", ""),
        lambda html: html.replace("Undated", ""),
        lambda html: html.replace('<h2 class="bandtext">', '<h2 class="bandtext" style="display:none">'),
        lambda html: html.replace("End of quoted text", ""),
        lambda html: html.replace("goes sour", "goes well"),
        lambda html: "",
    ],
    ids=["label gone", "date gone", "label hidden", "mark gone", "words changed", "all gone"],
)
def test_a_block_that_is_no_longer_intact_is_held(spoil: Any) -> None:
    made = block(make_quote())
    with held("Q1", made.slug):
        framing.guard(spoil(edition(made)), "html", [made], [make_quote()])


def test_the_same_block_twice_is_held() -> None:
    made = block(make_quote())
    with held("Q5"):
        framing.guard(edition(made, tail=made.content), "html", [made], [make_quote()])


def test_the_first_two_hundred_characters_hold_no_quoted_run() -> None:
    quote = make_quote(context="He wants to see all mail.", contains="pressure", speaker="C. A.")
    made = block(quote)
    early = edition(made, lead="", title="")
    with held("Q6"):
        framing.guard(early, "html", [made], [quote])
    framing.guard(early, "html", [made], [quote], preview=False)


def test_a_feed_is_read_through_its_own_escaping() -> None:
    import html
    import json

    quote = make_quote()
    made = block(quote, "feed")
    rss = "<rss><channel><item><title>{title}</title><description>{content}</description></item></channel></rss>"
    whole = rss.format(title="An invitation", content=html.escape(made.content))
    framing.guard(whole, "xml", [made], [quote])
    framing.guard(rss.format(title="An invitation", content=f"<![CDATA[{made.content}]]>"), "xml", [made], [quote])
    framing.guard(json.dumps({"items": [{"title": "An invitation", "content_html": made.content}]}), "json", [made], [quote])
    with held("Q5"):
        framing.guard(rss.format(title="Bring your letters to", content=html.escape(made.content)), "xml", [made], [quote])
    with held("Q5"):
        framing.guard(
            json.dumps({"items": [{"title": "Bring your letters to us", "content_html": made.content}]}),
            "json",
            [made],
            [quote],
        )
    with held("Q1"):
        framing.guard(whole.replace("Undated", ""), "xml", [made], [quote])


# -- Q7, Q8, Q11, Q12, Q18, Q21: what is let in ---------------------------------------------------


@pytest.mark.parametrize(
    "words", ["![a](b) Look at this picture of us", "Look <img src=x> at us all", "Look at us <svg/onload=1> all"]
)
def test_pictures_in_the_words_are_refused(words: str) -> None:
    with held("Q7"):
        admit(make_quote(words))


@pytest.mark.parametrize(
    "archive",
    [
        "https://elsewhere.example/q/1",
        "http://archive.brackmere.example/q/1",
        "https://archive.brackmere.example.evil.example/q",
        "https://archive.brackmere.example@evil.example/q",
        "https://someone:secret@archive.brackmere.example/q",
        "https://evil.example\\@archive.brackmere.example/q",
        "https://evil.example/https://web.archive.org/",
        "javascript:alert(1)",
        "//archive.brackmere.example/q",
        "https://archive.brackmere.example/ q",
        "https://archive.brackmere.example:x/q",
    ],
)
def test_an_archive_link_off_the_list_is_held(archive: str) -> None:
    with held("Q8", "archive"):
        admit(make_quote(archive=archive))


@pytest.mark.parametrize(
    "archive",
    [
        ARCHIVE,
        LINK,
        "https://web.archive.org/web/2024/https://orchard.example/",
        "https://archive.ph/AbC",
        "https://perma.cc/AB-12",
    ],
)
def test_named_archives_and_our_own_pages_are_on_the_list(archive: str) -> None:
    assert archive in block(make_quote(archive=archive), "page").content


def test_the_source_address_is_never_rendered() -> None:
    for form in FORMS:
        assert "orchard-papers.example" not in block(make_quote(), form).content
    with held("Q8"):
        block(
            make_quote(),
            "page",
            broken("pages/_quote.html.j2", ("<dl>", '<a href="https://orchard-papers.example/tapes/7">source</a><dl>')),
        )


def test_a_loopback_address_of_our_own_may_be_plain_http() -> None:
    style = make_style(public_url="http://127.0.0.1:8000")
    quote = make_quote(link="http://127.0.0.1:8000/quotes/a", archive="http://127.0.0.1:8000/quotes/a")
    assert admit(quote, style=style)
    open_wire = "http://letter.brackmere.example"
    with held("Q8"):
        admit(make_quote(link=f"{open_wire}/quotes/a"), style=make_style(public_url=open_wire))


def test_four_eyes_hold_what_nobody_approved() -> None:
    style = make_style(approval="four-eyes")
    with held("Q11"):
        admit(make_quote(), style=style, approved=False)
    assert admit(make_quote(), style=style, approved=True)
    assert admit(make_quote(), approved=False)


def test_a_rehearsal_can_be_looked_at_and_cannot_leave() -> None:
    admitted = admit(make_quote(status=Status.DRAFT), style=make_style(approval="four-eyes"), approved=False, rehearsal=True)
    made = framing.block(admitted, "mail", templates())
    with held("Q11", "rehearsal"):
        framing.guard(edition(made), "html", [made], [make_quote()])


def test_an_approval_binds_to_text_order_and_links_not_to_styles() -> None:
    admitted = admit(make_quote())

    def print_of(using: Templates) -> str:
        return framing.fingerprint([framing.block(admitted, "page", using)])

    mine = print_of(templates())
    assert mine == print_of(broken("pages/_quote.html.j2", ('class="spec"', 'class="plain"')))
    assert mine != print_of(broken("pages/_quote.html.j2", ("<dl>", "<p>Read on.</p><dl>")))
    assert mine != framing.fingerprint([block(make_quote(archive="https://archive.brackmere.example/q/0102"), "page")])
    assert mine != framing.fingerprint([block(make_quote(WORDS[:-1] + "!"), "page")])


@pytest.mark.parametrize("field", ["source", "archive", "lang", "title", "context", "speaker", "role"])
def test_a_missing_field_is_refused_by_its_name(field: str) -> None:
    with held("Q12", f"`{field}`"):
        admit(make_quote(**{field: " "}))
    with held("Q12", "`place`"):
        admit(make_action("Nobody could cross for a day.", place=""))


@pytest.mark.parametrize("date", ["", "yesterday", "2021-13", "2021-02-30", "undated", "21"])
def test_a_date_that_is_none_is_refused(date: str) -> None:
    with held("Q12", "`date`"):
        admit(make_quote(date=date))


@pytest.mark.parametrize("date", ["Undated", "2021", "2021-09", "2021-09-05"])
def test_a_date_may_be_a_day_a_month_a_year_or_undated(date: str) -> None:
    assert admit(make_quote(date=date))


def test_a_translation_names_its_translator() -> None:
    with held("Q12", "translator"):
        admit(make_quote(original="هاتوا رسائلكم", original_lang="ar"))


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("context", "He wrote it to @them.", "Q18"),
        ("title", "What #OurTide means", "Q18"),
        ("context", "It stands at orchard.example still.", "Q8"),
        ("role", "Owner of t.me/orchard", "Q8"),
    ],
)
def test_our_own_fields_call_and_tag_nobody(field: str, value: str, rule: str) -> None:
    with held(rule, field):
        admit(make_quote(**{field: value}))


def test_words_are_defused_in_every_artefact_and_the_approver_is_told() -> None:
    quote = make_quote("Ask @elder_one or read orchard.example before the #harvest begins.")
    defused = "Ask [handle removed] or read [link removed] before the [hashtag removed] begins."
    for form in HTML_FORMS:
        assert defused in block(quote, form).visible
    assert defused in fit(quote, 5000).text
    assert [change.kind for change in admit(quote).defusals] == ["handle", "link", "hashtag"]


def test_what_was_withdrawn_or_is_a_draft_or_not_due_does_not_leave() -> None:
    for over, rule in (
        ({"status": Status.WITHDRAWN}, "Q22"),
        ({"status": Status.DRAFT}, "Q11"),
        ({"release": NOW + timedelta(seconds=1)}, "Q23"),
        ({"first_date": NOW + timedelta(days=1)}, "Q23"),
    ):
        with held(rule):
            admit(make_quote(**over))
    assert admit(make_quote(release=NOW))


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ({"title": "A day with the Clean Ledger"}, "Nobody could cross for a day."),
        ({"context": "The Clean Ledger came by night."}, "Nobody could cross for a day."),
        ({}, "Passengers waited for the Clean Ledger. The Clean Ledger came."),
        ({}, "The Clean Ledger chained the ramps, and 340 passengers could not cross."),
    ],
    ids=["in the title", "in the context", "twice", "before the victims"],
)
def test_the_perpetrator_comes_last_once_and_never_in_a_title(over: dict[str, str], words: str) -> None:
    with held("Q21"):
        admit(make_action(words, group="The Clean Ledger", victims="340 passengers", **over))


def test_an_action_may_name_the_perpetrator_once_after_the_victims() -> None:
    words = "For a day 340 passengers could not cross: the ramps were chained by the Clean Ledger."
    assert admit(make_action(words, group="The Clean Ledger", victims="340 passengers"))


def test_words_without_a_letter_cannot_be_guarded_and_are_held() -> None:
    with held("Q5"):
        admit(make_quote("🙂🙂 !!"))


# -- the rest -----------------------------------------------------------------------------------


def test_a_link_only_view_holds_none_of_the_words() -> None:
    view = framing.link_only(admit(make_quote()))
    assert (view.link, view.title) == (LINK, "An invitation to share the post")
    assert not Watch.over([WORDS]).finds(repr(view))


def test_entries_of_quotes_have_a_category_of_their_own() -> None:
    assert block(make_quote(), "feed").category == "quoted-extremist-speech"


def test_the_same_quote_gives_the_same_bytes() -> None:
    for form in FORMS:
        assert block(make_quote(), form).content == block(make_quote(), form).content


@pytest.mark.parametrize(("form", "kind"), list(product(FORMS, [QuoteKind.WORDS, QuoteKind.POST])))
def test_markup_in_the_words_is_text(form: BlockForm, kind: QuoteKind) -> None:
    made = block(make_quote('Five < six & "seven" > <b>eight</b> {{ nine }} ten', kind=kind), form)
    assert 'Five < six & "seven" > <b>eight</b> {{ nine }} ten' in tidy(
        look(made.content, "text" if form == "text" else "html").visible
    )


def test_own_quotation_marks_are_not_doubled() -> None:
    assert "““" not in block(make_quote("“We close at night,” he said.")).content
    assert "„Wir schließen bei Nacht.“" in block(make_quote("Wir schließen bei Nacht.", lang="de")).content


def test_sealed_words_stay_sealed_in_a_template() -> None:
    from syndicate.errors import RenderError

    with pytest.raises(RenderError):
        Templates({"a.html.j2": "{{ quote.words.reveal() }}"}).render("a.html.j2", quote=make_quote())
    assert str(Words("a")) == "[words withheld]"
