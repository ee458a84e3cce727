"""The day's quote: spacing, holds, no commemorations, and the same choice on every machine."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syndicate.model import Quote, QuoteKind, Words
from syndicate.plan.rotation import COMMEMORATION, RUN, Choice, Shown, choose, parse_day

DAY = date(2026, 11, 22)


@dataclass(frozen=True)
class Spacing:
    item: int = 365
    speaker: int = 14
    ideology: int = 12


class Sealed(Words):
    """Words that must not be opened."""

    def reveal(self) -> str:
        pytest.fail("rotation read a quote's words")


def make(number: int, *, speaker: str = "", ideology: str = "", dates: tuple[str, ...] = ()) -> Quote:
    return Quote(
        id=f"tag:example.org,2015:quote/{number}",
        slug=str(number),
        link=f"https://example.org/quotes/{number}",
        kind=QuoteKind.WORDS,
        title="A sample",
        words=Sealed("harmless"),
        context="Ours.",
        source="https://example.org",
        archive="https://example.org/archive",
        date="Undated",
        lang="en",
        speaker=speaker or f"Speaker {number}",
        ideology=ideology,
        speaker_dates=dates,
    )


def pick(
    day: date, pool: list[Quote], shown: list[Shown] | None = None, spacing: Spacing | None = None, hold: tuple[str, ...] = ()
) -> Choice:
    return choose(day, pool, shown or [], seed="example.org,2015", spacing=spacing or Spacing(), hold_days=hold)


def run(pool: list[Quote], days: int, spacing: Spacing, begin: date = DAY) -> list[Shown]:
    """Live through consecutive days, as the calendar does."""
    shown: list[Shown] = []
    for number in range(days):
        day = begin + timedelta(days=number)
        quote = pick(day, pool, shown, spacing).quote
        shown.append(
            Shown(day=day, quote_id=quote.id, speaker=quote.speaker, ideology=quote.ideology) if quote else Shown(day=day)
        )
    return shown


def rules(choice: Choice) -> list[str]:
    return [f"{rule}: {reason}" for _, rule, reason in choice.excluded]


pools = st.lists(
    st.builds(
        lambda speaker, ideology, month, number: {
            "speaker": f"S{speaker}",
            "ideology": f"I{ideology}",
            "dates": (f"{month:02}-{number:02}",),
        },
        st.integers(0, 8),
        st.integers(0, 3),
        st.integers(1, 12),
        st.integers(1, 28),
    ),
    max_size=25,
).map(lambda parts: [make(number, **part) for number, part in enumerate(parts)])  # type: ignore[arg-type]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    pools,
    st.builds(Spacing, st.integers(1, 60), st.integers(1, 20), st.integers(0, 15)),
    st.dates(date(2020, 1, 1), date(2040, 1, 1)),
)
def test_years_of_days_keep_every_distance(pool: list[Quote], spacing: Spacing, begin: date) -> None:
    shown = run(pool, 150, spacing, begin)
    real = [past for past in shown if past.quote_id]
    for first, second in combinations(real, 2):
        apart = (second.day - first.day).days
        assert first.quote_id != second.quote_id or apart >= spacing.item
        assert first.speaker != second.speaker or apart >= spacing.speaker
    for start in range(len(shown)):
        counts = Counter(past.ideology for past in shown[start : start + RUN] if past.quote_id)
        assert max(counts.values(), default=0) <= spacing.ideology
    by_id = {quote.id: quote for quote in pool}
    for past in real:
        month, number = map(int, by_id[past.quote_id].speaker_dates[0].split("-"))
        assert all(
            abs((past.day - date(year, month, number)).days) > COMMEMORATION
            for year in range(past.day.year - 1, past.day.year + 2)
        )


@settings(max_examples=50, deadline=None)
@given(pools, st.randoms())
def test_the_order_of_pool_and_history_changes_nothing(pool: list[Quote], chance: object) -> None:
    shown = run(pool, 20, Spacing(item=10, speaker=3))
    shuffled, history = list(pool), list(shown)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    chance.shuffle(history)  # type: ignore[attr-defined]
    later = DAY + timedelta(days=20)
    assert pick(later, pool, shown) == pick(later, shuffled, history)


@settings(max_examples=100, deadline=None)
@given(pools, st.integers(0, 400))
def test_a_new_quote_changes_only_the_days_that_it_wins(pool: list[Quote], offset: int) -> None:
    day = DAY + timedelta(days=offset)
    before, after = pick(day, pool).quote, pick(day, [*pool, make(999)]).quote
    assert after is not None
    assert after.id.endswith("/999") or after == before


def test_the_seed_changes_the_order_and_a_day_keeps_its_choice() -> None:
    pool = [make(number) for number in range(50)]
    days = [DAY + timedelta(days=number) for number in range(30)]

    def chosen(seed: str) -> list[Quote | None]:
        return [choose(day, pool, [], seed=seed, spacing=Spacing(), hold_days=()).quote for day in days]

    assert chosen("one") == chosen("one")
    assert chosen("one") != chosen("two")
    assert len({quote.id for quote in chosen("one") if quote}) > 15


def test_an_empty_pool_gives_no_quote() -> None:
    assert pick(DAY, []) == Choice(quote=None)


def test_a_pool_that_is_used_up_gives_none_and_says_why() -> None:
    choice = pick(DAY, [make(1)], [Shown(day=DAY - timedelta(days=364), quote_id=make(1).id)])
    assert choice.quote is None
    assert choice.excluded == ((make(1).id, "Q13", "the same quote has the day 2025-11-23, less than 365 days away"),)


def test_the_same_quote_returns_after_a_year() -> None:
    assert pick(DAY, [make(1)], [Shown(day=DAY - timedelta(days=365), quote_id=make(1).id)]).quote == make(1)


def test_a_later_day_that_is_already_chosen_counts_too() -> None:
    assert pick(DAY, [make(1)], [Shown(day=DAY + timedelta(days=5), quote_id=make(1).id)]).quote is None


def test_the_day_itself_is_not_its_own_neighbour() -> None:
    assert pick(DAY, [make(1)], [Shown(day=DAY, quote_id=make(1).id)]).quote == make(1)


def test_one_speaker_is_one_however_typed() -> None:
    shown = [Shown(day=DAY - timedelta(days=13), quote_id="other", speaker="jo\u00a0 EXAMPLE")]
    assert rules(pick(DAY, [make(1, speaker="Jo Example")], shown)) == [
        "Q13: the same speaker has the day 2026-11-09, less than 14 days away"
    ]
    assert pick(DAY + timedelta(days=1), [make(1, speaker="Jo Example")], shown).quote is not None


def test_quotes_without_a_speaker_are_not_one_speaker() -> None:
    event = make(1, speaker=" ")
    assert pick(DAY, [event], [Shown(day=DAY - timedelta(days=1), quote_id="other")]).quote == event


def test_the_thirteenth_of_an_ideology_within_thirty_slots_waits() -> None:
    shown = [Shown(day=DAY - timedelta(days=29 - number), quote_id=f"q{number}", ideology="Alpha") for number in range(12)]
    assert rules(pick(DAY, [make(1, ideology="alpha")], shown)) == [
        "Q13: one more of its ideology would be more than 12 in 30 consecutive quote slots"
    ]
    assert pick(DAY, [make(1, ideology="beta")], shown).quote is not None


def test_slots_count_not_days() -> None:
    weekdays = [day for number in range(60, 0, -1) if (day := DAY - timedelta(days=number)).weekday() < 5]
    shown = [
        Shown(day=day, quote_id=f"q{day}", ideology="Alpha" if place < 12 else "") for place, day in enumerate(weekdays[-29:])
    ]
    assert pick(DAY, [make(1, ideology="Alpha")], shown).quote is None
    assert pick(DAY, [make(1, ideology="Alpha")], [*shown, Shown(day=DAY - timedelta(hours=24))]).quote is not None


def test_days_already_chosen_ahead_count_in_the_run() -> None:
    ahead = [Shown(day=DAY + timedelta(days=1 + number), quote_id=f"q{number}", ideology="Alpha") for number in range(12)]
    assert pick(DAY, [make(1, ideology="Alpha")], ahead).quote is None


def test_slots_without_a_quote_let_a_pool_of_one_ideology_recover() -> None:
    shown = run([make(number, ideology="Alpha") for number in range(40)], 62, Spacing(ideology=2))
    assert [bool(past.quote_id) for past in shown] == [place % 30 < 2 for place in range(62)]


@pytest.mark.parametrize("hold", ["2026-11-22", "11-22"])
def test_a_hold_day_shows_nothing(hold: str) -> None:
    choice = pick(DAY, [make(1)], hold=(hold,))
    assert choice.quote is None
    assert rules(choice) == [f"Q14: 2026-11-22 is a hold day ({hold})"]


def test_a_hold_day_of_another_year_holds_nothing() -> None:
    assert pick(DAY, [make(1)], hold=("2025-11-22", "11-23")).quote is not None


@pytest.mark.parametrize("day", [date(2027, 2, 28), date(2027, 3, 1), date(2028, 2, 29)])
def test_the_29th_of_february_holds_its_neighbours_in_other_years(day: date) -> None:
    assert pick(day, [make(1)], hold=("02-29",)).quote is None
    assert pick(date(2028, 3, 1), [make(1)], hold=("02-29",)).quote is not None


@pytest.mark.parametrize("text", ["22 July", "13-01", "2026-02-29", "02-30", "", "2026-7-1"])
def test_a_hold_day_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match='write "2026-07-22"'):
        pick(DAY, [make(1)], hold=(text,))
    with pytest.raises(ValueError, match="is not a day"):
        parse_day(text)


@pytest.mark.parametrize(
    ("day", "own", "shown"),
    [
        (DAY, "1955-11-25", False),
        (DAY, "11-19", False),
        (DAY, "11-26", True),
        (DAY, "1955-11-18", True),
        (date(2026, 1, 2), "12-30", False),
        (date(2026, 12, 30), "01-02", False),
        (date(2026, 12, 29), "01-02", True),
        (date(2027, 3, 4), "1956-02-29", False),
        (date(2027, 2, 25), "02-29", False),
        (date(2028, 3, 4), "02-29", True),
    ],
)
def test_no_speaker_near_their_own_dates(day: date, own: str, shown: bool) -> None:
    choice = pick(day, [make(1, dates=(own,))])
    assert (choice.quote is not None) is shown
    assert all(line.startswith("Q14: ") for line in rules(choice))


def test_a_speaker_date_that_cannot_be_read_keeps_the_quote_back() -> None:
    choice = pick(DAY, [make(1, dates=("in spring",))])
    assert choice.quote is None
    assert '"in spring" is not a day' in rules(choice)[0]


def test_every_rule_that_excludes_is_named() -> None:
    quote = make(1, dates=("11-22",), ideology="Alpha")
    shown = [Shown(day=DAY - timedelta(days=1), quote_id=quote.id, speaker=quote.speaker, ideology="Alpha")]
    assert len(rules(pick(DAY, [quote], shown, Spacing(ideology=1)))) == 4
