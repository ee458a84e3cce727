"""Runs of four words: what counts as the same words, and what does not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.render.gate.spans import Watch, words

SENTENCE = "Bring your letters to the table and each of us will carry a part"


def test_case_accents_width_and_invisible_characters_make_no_difference() -> None:
    assert words("Ｂríng YOUR le\u00adt\u200bters, don’t") == ["bring", "your", "letters", "dont"]
    assert words("مُحَمَّد ـــ") == words("محمد")


def test_letters_that_look_latin_count_as_latin() -> None:
    assert words("раріѕ") == words("papis")


def test_a_run_of_four_is_found_and_one_of_three_is_not() -> None:
    watch = Watch.over([SENTENCE])
    assert watch.finds("so: each, of -- us; will!")
    assert not watch.finds("each of us may")


def test_words_parted_by_invisible_characters_alone_are_found() -> None:
    assert Watch.over([SENTENCE]).finds("bring\u200byour\u200bletters\u200bto")


@pytest.mark.parametrize(
    "text",
    [
        "br1ng y0ur l3tter5 7o",  # digits for letters
        "so br!ng your le77ers t0 us",
        "e@ch of u$ wil1",
        "each 0f us wiLl",
        "b r i n g  y o u r  l e t t e r s  t o",  # letters by themselves, with or without wider gaps between words
        "b.r.i.n.g y-o-u-r-l-e-t-t-e-r-s t—o",
        "we say: b r i n g y o u r letters to the table",
    ],
)
def test_words_spelled_in_digits_or_letter_by_letter_are_found(text: str) -> None:
    assert Watch.over([SENTENCE]).finds(text)
    assert Watch.over(["Bring!"]).finds(text.replace(" 0f", " br1ng").replace("e@ch", "br1ng"))


@pytest.mark.parametrize(
    "text",
    [
        "2014: 17 boats, 4,350 crates, £12.50 a head, 7/11, 3-0, 100%, A4, B12, the 5th of 10",
        "J. R. R. of the U. S. A. F., and e. g. a b c d e",
        "mail a@b.example for $100, win!",
        "to each of 0.5 us",  # a number is a word of its own
    ],
)
def test_numbers_initials_and_addresses_are_no_words_of_a_quote(text: str) -> None:
    for sentence in (SENTENCE, "The sum of it all", "I be so", "to eat a pie or a bib", "abide"):
        assert not Watch.over([sentence]).finds(text)
    assert not Watch.over(["It is so."]).finds("it: 15 50")
    assert not Watch.over(["ABC!"]).finds("plans a, b, c")


def test_a_shorter_text_is_watched_as_a_whole() -> None:
    watch = Watch.over(["The tide."])
    assert watch.finds("here comes the tide again")
    assert not watch.finds("the high tide")


def test_a_text_without_words_is_never_found() -> None:
    assert not Watch.over(["…", ""]).finds("… anything")


def test_what_is_ours_is_let_be() -> None:
    watch = Watch.over([SENTENCE, "the tide"], ours=["He said: bring your letters to me and the tide"])
    assert not watch.finds("bring your letters to")
    assert not watch.finds("the tide")
    assert watch.finds("your letters to the")


def test_a_union_finds_what_any_of_its_parts_finds() -> None:
    both = Watch.union([Watch.over([SENTENCE]), Watch.over(["The tide."])])
    assert both.finds("each of us will")
    assert both.finds("the tide")
    assert not both.finds("nothing of the kind")


def test_two_characters_of_an_unspaced_script_count_as_a_word() -> None:
    watch = Watch.over(["我们已经替你读过了每一封信件"])
    assert watch.finds("他说已经替你读过了每")
    assert not watch.finds("已经替你读过了")


@given(
    st.text(alphabet=st.sampled_from("ab 我e\u0301\u200b-"), min_size=1, max_size=60),
    st.text(max_size=10),
    st.text(max_size=10),
)
def test_a_text_is_found_in_whatever_it_stands_in(text: str, before: str, after: str) -> None:
    watch = Watch.over([text])
    assert watch.finds(f"{before}. {text}. {after}") == bool(words(text))


def test_a_whole_edition_is_compared_in_a_few_milliseconds() -> None:
    watch = Watch.over([SENTENCE * 20])
    edition = " ".join(f"word{number}" for number in range(15_000))
    watch.finds(edition)
    start = time.perf_counter()
    assert not watch.finds(edition)
    assert time.perf_counter() - start < 0.2  # about 8 ms on an idle machine
