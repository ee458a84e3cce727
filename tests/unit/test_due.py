"""What a reader is owed: each brief once, by release, newest first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.model import Brief, Slot, Status
from syndicate.plan.due import in_order, owed, period

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def make(
    number: int,
    *,
    hours: float | None = 0,
    published: float = 0,
    topics: tuple[str, ...] = (),
    status: Status = Status.PUBLISHED,
) -> Brief:
    """A brief released ``hours`` before NOW (None: not released)."""
    return Brief(
        id=f"tag:example.org,2015:brief/{number}",
        slug=str(number),
        link=f"https://example.org/briefs/{number}",
        title=f"Brief {number}",
        published=NOW - published * HOUR,
        updated=NOW,
        topics=topics,
        status=status,
        release=None if hours is None else NOW - hours * HOUR,
    )


def numbers(briefs: tuple[Brief, ...]) -> list[int]:
    return [int(brief.slug) for brief in briefs]


def test_the_window_goes_by_release_and_never_by_date() -> None:
    briefs = [
        make(1, hours=1, published=500),
        make(2, hours=24),
        make(3, hours=23.9),
        make(4, hours=-1),
        make(5, hours=0, published=10),
    ]
    assert numbers(owed(briefs, NOW - 24 * HOUR, NOW)) == [3, 5, 1]


def test_what_is_not_released_or_withdrawn_is_not_owed() -> None:
    assert (
        owed(
            [make(1, hours=None), make(2, hours=1, status=Status.WITHDRAWN), make(3, hours=1, status=Status.EMBARGOED)],
            NOW - 24 * HOUR,
            NOW,
        )
        == ()
    )


def test_topics_choose_by_slug_and_none_means_all() -> None:
    briefs = [make(1, topics=("Far Right",), published=1), make(2, topics=("Elections",), published=2), make(3, published=3)]
    assert numbers(owed(briefs, NOW - HOUR, NOW, frozenset({"far-right"}))) == [1]
    assert numbers(owed(briefs, NOW - HOUR, NOW)) == [1, 2, 3]


def test_what_an_edition_on_demand_carried_is_not_owed_again() -> None:
    briefs = [make(1, published=1), make(2, published=2)]
    assert numbers(owed(briefs, NOW - HOUR, NOW, already=frozenset({briefs[0].id}))) == [2]


@given(st.lists(st.integers(0, 100), max_size=15), st.lists(st.integers(-10, 110), min_size=1, max_size=8))
def test_editions_one_after_another_carry_each_brief_once(ages: list[int], cuts: list[int]) -> None:
    briefs = [make(number, hours=age) for number, age in enumerate(ages)]
    marks = [NOW - cut * HOUR for cut in sorted({111, *cuts, -11}, reverse=True)]
    carried = [number for after, to in pairwise(marks) for number in numbers(owed(briefs, after, to))]
    assert sorted(carried) == list(range(len(ages)))


def test_the_newest_brief_leads_and_equal_dates_go_by_id() -> None:
    briefs = [make(3, published=5), make(2, published=1), make(1, published=5)]
    assert numbers(in_order(briefs)) == numbers(in_order(briefs[::-1])) == [2, 1, 3]


def test_readers_of_all_zones_share_a_day_or_a_week() -> None:
    slot = Slot(
        schedule="digest.daily",
        zone="Asia/Tokyo",
        local=datetime(2027, 1, 3, 7),  # noqa: DTZ001 - civil time
        due=datetime(2027, 1, 2, 22, tzinfo=UTC),
    )
    assert period("daily", slot=slot) == period("quote", slot=slot) == "2027-01-03"
    assert period("weekly", slot=slot) == "2026-W53"
    assert period("instant", item="tag:x") == "tag:x"
    assert period("now", at=NOW.astimezone(timezone(5 * HOUR))) == "2026-11-22T12:00:00Z"


def test_an_edition_without_its_period_is_refused() -> None:
    with pytest.raises(ValueError, match="weekly"):
        period("weekly", item="x")
