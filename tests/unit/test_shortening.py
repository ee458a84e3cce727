"""An edition that mail clients would cut off tells less by itself: later briefs first, the lead last, and always the same."""

from __future__ import annotations

from dataclasses import replace

import premailer.cache  # noqa: F401 - here, not inside a test: its HTTP library tries a socket when it is imported
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mails import NONCE, READER, TEMPLATES, arabic, brief, view
from syndicate.errors import RenderError
from syndicate.model import Brief
from syndicate.render.email import REFUSE_ABOVE, SHORTEN_ABOVE, EditionView, freeze, splice, values
from syndicate.render.told import Form, fitting, ladder

LONG = "A summary of the harbour’s books, as long as summaries may be. It goes on with what was seen. " * 3


def drawn(given_view: EditionView) -> tuple[str, str, str, int]:
    frozen = freeze(given_view, TEMPLATES, nonce=NONCE)
    html, text = (
        splice(part, values(READER), html=part is frozen.html).replace("\n", " ") for part in (frozen.html, frozen.text)
    )
    return html, text, frozen.cut, frozen.size


def many(count: int, **over: str) -> list[Brief]:
    return [brief(number, summary=LONG, **over) for number in range(1, count + 1)]


def test_an_edition_that_fits_tells_everything() -> None:
    html, _, cut, size = drawn(view(*many(3)))
    assert size < SHORTEN_ABOVE
    assert html.count("It goes on with what was seen.") > 3
    assert cut == ""


def test_later_summaries_are_shortened_before_any_title_stands_alone() -> None:
    html, _, cut, size = drawn(view(*many(42)))
    assert size <= SHORTEN_ABOVE
    assert cut == "41 of 42 briefs with shorter summaries"
    assert html.count("Read “What the harbour wrote down, part") == 42 + 1  # the lead's button twice: Word draws its own
    assert html.count("It goes on with what was seen.") == 41 + 3


def test_then_titles_stand_alone_from_the_end_and_no_more_of_them_than_needed() -> None:
    briefs = many(60)
    html, text, cut, size = drawn(view(*briefs))
    assert SHORTEN_ABOVE - 3_000 < size <= SHORTEN_ABOVE
    short, alone = (int(part.split()[0]) for part in cut.split(", "))
    assert (short + alone, cut) == (59, f"{short} of 60 briefs with shorter summaries, {alone} of 60 briefs by title alone")
    for part in (html, text):
        assert all(one.link in part for one in briefs)
        assert part.count("More briefs, by title") == 1
        assert part.index(briefs[0].link) < part.index("More briefs") < part.rindex(briefs[-1].link)
    assert f"Read “{briefs[0].title}”" in html
    assert f"Read “{briefs[59].title}”" not in html
    assert html.count("It goes on with what was seen.") >= 2  # the lead is whole


def test_an_edition_from_right_to_left_is_shortened_alike() -> None:
    first, second = arabic().briefs
    later = (replace(second, id=f"{second.id}/{number}", summary=second.summary * 5) for number in range(120))
    frozen = freeze(arabic(briefs=(first, *later)), TEMPLATES, nonce=NONCE)
    assert frozen.size <= REFUSE_ABOVE
    assert frozen.cut == "the lead brief by its title alone, 120 of 121 briefs by title alone"
    assert "موجزات أخرى بعناوينها" in "".join(str(part) for part in frozen.html)


def test_one_giant_brief_gives_way_to_its_summary_and_hides_no_other() -> None:
    giant = brief(1, body="\n\n".join(f"Paragraph {number} of a long record of the harbour." for number in range(500)))
    alone, _, cut, size = drawn(view(giant, frequency="instant"))
    assert (size < SHORTEN_ABOVE, cut) == (True, "the summary in the place of the full text")
    assert "Summary number 1" in alone
    assert "Paragraph 5 of" not in alone
    beside, _, cut, _ = drawn(view(giant, brief(2)))
    assert "Summary number 2" in beside
    assert cut == ""


def test_the_lead_gives_way_last() -> None:
    *_, cut, size = drawn(view(*many(145)))
    assert SHORTEN_ABOVE < size <= REFUSE_ABOVE
    assert cut == "the lead brief by its title alone, 144 of 145 briefs by title alone"


def test_what_is_too_long_even_so_is_refused() -> None:
    with pytest.raises(RenderError, match="95,000"):
        freeze(view(*many(180)), TEMPLATES, nonce=NONCE)


@given(
    briefs=st.integers(0, 40),
    full=st.booleans(),
    weights=st.lists(st.integers(1, 50), min_size=40, max_size=40),
    most=st.integers(0, 5000),
)
def test_the_first_rung_that_fits_is_taken(briefs: int, full: bool, weights: list[int], most: int) -> None:
    worth = {Form.FULL: 100, Form.SUMMARY: 5, Form.SHORT: 2, Form.TITLE: 1}

    def size(forms: tuple[Form, ...]) -> int:
        return sum(weight * worth[form] for weight, form in zip(weights, forms, strict=False))

    rungs = ladder(briefs, full=full)
    sizes = [size(forms) for forms in rungs]
    assert sizes == sorted(sizes, reverse=True)
    assert fitting(rungs, size, most) == next((forms for forms in rungs if size(forms) <= most), rungs[-1])
