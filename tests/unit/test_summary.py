"""Excerpts of briefs that quote (Q16): no quotation is torn, none stands without the clause that names its speaker."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hostile
from syndicate.render.excerpt import quotations, shorten
from syndicate.render.markup import summary

SAMPLE = Path(__file__).parents[1] / "data" / "quoting.md"
REAL = os.environ.get("SYNDICATE_REAL_TEXT", "")
TEXTS = [pytest.param(SAMPLE, id="sample"), *([pytest.param(Path(REAL), id="real")] if REAL else [])]
LENGTHS = range(50, 601)

# A run of each quotation in the sample, and what names its speaker.
SPEAKERS = {
    "We did not close them": "Oren Talvick",
    "We only asked who still": "Oren Talvick",
    "Nobody raised a hand": "Oren Talvick",
    "a quiet tide": "Anselm Talvick",
    "They came to the print": "she told us",
    "You will sleep better": "she told us",
    "You should know, Dr. Askerly": "Talvick wrote to Dr. M. Askerly",
    "Ask your own pupils": "Talvick wrote to Dr. M. Askerly",
    "Nobody forced us": "Tobin Rask",
    "a paper without any": "Tobin Rask",
    "Wir lesen für euch": "schrieb Talvick",
    "nous lisons pour vous": "disait-il",
    "Bring us the letters": "Nobody knows who wrote it",
    "Straight marks are common": "Maren Dallivar",
    "They open and close alike": "Maren Dallivar",
    "نحن نقرأ عنكم": "قال ماهر",
}


def paragraphs(text: str) -> list[str]:
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", text) if part.strip()]


def balanced(text: str) -> bool:
    """Counted, not parsed: as many marks open as close."""
    german = text.count("„")
    return (
        text.count("“") - german == text.count("”")
        and text.count("«") == text.count("»")
        and text.replace('5"', "").count('"') % 2 == 0
        and text.count("‘") <= text.count("’")
    )


@pytest.mark.parametrize("path", TEXTS)
def test_an_excerpt_of_any_length_never_ends_inside_a_quotation(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    whole = " ".join(paragraphs(text))
    inside = marked(whole)
    for limit in LENGTHS:
        found = summary(hostile.brief(body=text), limit)
        assert len(found) <= limit
        assert balanced(found), f"{limit}: {found}"
        end = len(found.removesuffix("…"))
        assert whole.startswith(found.removesuffix("…")), limit
        assert not any(first < end < last for first, last in inside), f"{limit}: {found[-60:]}"


def marked(text: str) -> list[tuple[int, int]]:
    """Where quotations in double marks stand, found by pattern, independently of the product."""
    pattern = r"“[^“”]*”|„[^„“]*“|«[^«»]*»|(?<!\d)\"[^\"]*\""
    return [match.span() for match in re.finditer(pattern, text)]


def test_no_quotation_is_kept_without_the_clause_that_names_its_speaker() -> None:
    text = SAMPLE.read_text(encoding="utf-8")
    seen = set()
    for limit in (*LENGTHS, 1000, 1200, 1400, 1600, 1800, 2000):
        found = summary(hostile.brief(body=text), limit)
        for words, speaker in SPEAKERS.items():
            if words in found:
                seen.add(words)
                assert speaker in found, f"{limit}: {words!r} stands without {speaker!r}"
    assert seen == set(SPEAKERS), "the sample must put every quotation to the test"


@pytest.mark.parametrize("start", range(5))
def test_every_paragraph_of_the_sample_may_come_first(start: int) -> None:
    parts = paragraphs(SAMPLE.read_text(encoding="utf-8"))[start:]
    names = {words: speaker for words, speaker in SPEAKERS.items() if any(words in part for part in parts)}
    for limit in LENGTHS:
        found = shorten(parts, limit)
        assert balanced(found)
        for words, speaker in names.items():
            assert words not in found or speaker in found, f"{limit}: {found}"


def test_a_speaker_named_after_the_quotation_comes_with_it() -> None:
    parts = ["“Nobody forced us to read it, not once.” That is how Tobin Rask put it. The paper closed."]
    assert shorten(parts, 60) == ""
    assert shorten(parts, 80) == "“Nobody forced us to read it, not once.” That is how Tobin Rask put it."


def test_words_beside_a_quotation_do_not_make_a_speaker() -> None:
    parts = ["One phrase recurs in all minutes: “we are the wall between them.” It is Talvick’s own. The rest is noise."]
    assert shorten(parts, 70) == "One phrase recurs in all minutes…"
    assert shorten(parts, 90) == "One phrase recurs in all minutes: “we are the wall between them.” It is Talvick’s own."


def test_a_quotation_that_nobody_speaks_is_not_kept() -> None:
    assert shorten(["“Bring us the letters that come from outside.”"], 300) == ""
    assert shorten(["The door was open.", "“Bring us the letters that come from outside.”"], 300) == "The door was open."


def test_a_quotation_that_is_never_closed_ends_the_excerpt_before_it() -> None:
    parts = ["The letter is long. He wrote: “Bring us the letters. We will read them.", "And so it went on.”"]
    assert shorten(parts, 300) == "The letter is long."


def test_a_block_quotation_and_the_line_that_announces_it_stay_out() -> None:
    body = "The valley changed.\n\nTalvick announced it thus:\n\n> Bring us the letters from outside.\n\nMore text."
    assert summary(hostile.brief(body=body)) == "The valley changed."
    assert summary(hostile.brief(body="The valley changed.\n\n> Bring us the letters.\n\nMore.")) == "The valley changed."


def test_a_first_sentence_too_long_is_cut_at_a_word_before_any_quotation() -> None:
    parts = ["In March he wrote a letter to the schoolmaster: “You should know that I decide what is read in this valley.”"]
    assert shorten(parts, 60) == "In March he wrote a letter to the schoolmaster…"
    assert shorten(parts, 30) == "In March he wrote a letter to…"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a “b c” d", ["“b c”"]),
        ("„Wir lesen“, sagte er", ["„Wir lesen“"]),
        ("»Wir lesen«, sagte er", ["»Wir lesen«"]),
        ("il dit « nous lisons » et part", ["« nous lisons »"]),
        ("hon sade ”vi läser” igår", ["”vi läser”"]),
        ("قال «نحن نقرأ» أمس", ["«نحن نقرأ»"]),
        ("قال ”نحن نقرأ“ أمس", ["”نحن نقرأ“"]),
        ('she said "we read" today', ['"we read"']),
        ("she said 'we read' today", ["'we read'"]),
        ("‘We read,’ he said", ["‘We read,’"]),
        ("“He said ‘go’ and went,” she said", ["“He said ‘go’ and went,”"]),
        ("‘the officers’ view’ is theirs", ["‘the officers’ view’"]),
        ("the officers' view and the movement’s papers, since '68, don’t", []),
        ('a ruler of 5" is long', []),
        ("“open to the end", ["“open to the end"]),
    ],
)
def test_quotations_are_found_in_many_languages(text: str, found: list[str]) -> None:
    assert [text[first:last] for first, last in quotations(text)] == found


def test_an_abbreviation_does_not_end_a_sentence() -> None:
    parts = ["He wrote to Gen. M. Askerly of the U.S. Army in 2012. It was read."]
    assert shorten(parts, 55) == "He wrote to Gen. M. Askerly of the U.S. Army in 2012."


def test_the_author_s_own_summary_is_taken_as_it_is() -> None:
    assert summary(hostile.brief(summary="  Ours,\n “half” quoted. ", body="Other.")) == "Ours, “half” quoted."
    long = "A first sentence of ours. " + "He said: “" + "word " * 80 + "”"
    assert summary(hostile.brief(summary=long), 100) == "A first sentence of ours."


def test_headings_pictures_code_and_footnote_marks_stay_out() -> None:
    body = "# Heading\n\n![figure](x.png)\n\n```\ncode\n```\n\nA *first* [text](https://x.example/).[^1]\n\n[^1]: Note."
    assert summary(hostile.brief(body=body)) == "A first text."


@given(st.text(alphabet="aB .,!?:“”„«»‘’'\"\n1—", max_size=200), st.integers(min_value=10, max_value=150))
def test_no_text_makes_an_excerpt_end_inside_a_quotation(text: str, limit: int) -> None:
    parts = paragraphs(text)
    found = shorten(parts, limit)
    assert len(found) <= limit
    for part in parts:
        if found.startswith(part):
            found = found[len(part) :].lstrip()
            continue
        end = len(found.removesuffix("…"))
        assert not any(first < end < last for first, last in quotations(part))
        break


CHINESE = "委员会在港口的旧楼里开了三年的会，没有人记录。主席说「我们从来没有赶走任何一个愿意留下来的人」，然后离开了会场。此后俱乐部再也没有公布过任何会议的记录。"


@pytest.mark.parametrize("limit", range(10, len(CHINESE)))
def test_a_text_without_spaces_is_shortened_and_tears_no_quotation(limit: int) -> None:
    short = shorten([CHINESE], limit)
    assert short
    assert len(short) <= limit
    assert short.count("「") == short.count("」")
    assert "我们从来" not in short or "主席说" in short
    assert short.endswith(("。", "…"))


def test_a_long_text_without_spaces_keeps_most_of_what_fits() -> None:
    thai = "สมาคมเรือใบจัดประชุมในอาคารเก่าของท่าเรือทุกสัปดาห์เป็นเวลาสามปี" * 4
    assert len(shorten([thai], 120)) > 110
    assert len(shorten([CHINESE * 3], 120)) > 60
