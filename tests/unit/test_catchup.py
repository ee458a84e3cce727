"""Missed slots: everything runs or carries a reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.model import Slot
from syndicate.plan.catchup import ON_TIME, Policy, catch_up, spoken

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def slot(hours_ago: float) -> Slot:
    due = NOW - hours_ago * HOUR
    return Slot(schedule="quotes", zone="UTC", local=due.replace(tzinfo=None), due=due)


def decide(policy: Policy, *hours_ago: float, window: float = 24) -> tuple[list[float], list[tuple[float, str]]]:
    decision = catch_up([slot(hours) for hours in hours_ago], now=NOW, policy=policy, window=window * HOUR)
    return [(NOW - kept.due) / HOUR for kept in decision.run], [
        ((NOW - gone.due) / HOUR, reason) for gone, reason in decision.skipped
    ]


def test_all_runs_every_slot_in_order() -> None:
    assert decide("all", 1, 20, 5) == ([20, 5, 1], [])


def test_nothing_later_than_the_window_runs_and_its_lateness_is_said() -> None:
    run, skipped = decide("all", 1, 25.5)
    assert run == [1]
    assert skipped == [(25.5, "missed by 1 d 1 h, which is more than the window of 1 d")]


def test_a_slot_as_late_as_the_window_still_runs() -> None:
    assert decide("all", 24)[0] == [24]


def test_latest_runs_the_newest_and_names_it_as_the_reason() -> None:
    run, skipped = decide("latest", 30, 10, 3)
    assert run == [3]
    assert [hours for hours, _ in skipped] == [30, 10]
    assert "the window" in skipped[0][1]
    assert skipped[1][1] == "missed by 10 h, and the slot of 2026-11-22 09:00 takes its place"


def test_latest_does_not_fall_back_on_an_older_slot() -> None:
    assert decide("latest", 14, 13, window=12)[0] == []


def test_coalesce_makes_one_of_many_and_says_where_the_rest_went() -> None:
    run, skipped = decide("coalesce", 20, 10, 3)
    assert run == [3]
    assert all(reason.endswith("the slot of 2026-11-22 09:00 carries what it would have carried") for _, reason in skipped)


def test_skip_runs_only_what_is_on_time() -> None:
    run, skipped = decide("skip", 3, 1 / 60, ON_TIME / HOUR)
    assert run == [ON_TIME / HOUR, 1 / 60]
    assert skipped == [(3, "missed by 3 h, and this schedule does not make up for missed times")]


def test_nothing_due_is_nothing_to_decide() -> None:
    assert decide("latest") == ([], [])


def test_a_slot_in_the_future_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="not due yet"):
        decide("all", -1)


@given(st.sampled_from(get_args(Policy)), st.lists(st.floats(0, 200), max_size=20, unique=True), st.integers(0, 100))
def test_each_slot_runs_or_carries_a_reason_whatever_the_order(policy: Policy, hours: list[float], window: int) -> None:
    slots = [slot(ago) for ago in hours]
    decision = catch_up(slots, now=NOW, policy=policy, window=window * HOUR)
    assert sorted([*decision.run, *(gone for gone, _ in decision.skipped)], key=lambda one: one.due) == sorted(
        slots, key=lambda one: one.due
    )
    assert all(reason for _, reason in decision.skipped)
    assert all(NOW - kept.due <= window * HOUR for kept in decision.run)
    assert policy not in {"latest", "coalesce"} or len(decision.run) <= 1
    assert catch_up(slots[::-1], now=NOW, policy=policy, window=window * HOUR) == decision


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(), "0 s"),
        (timedelta(seconds=40), "40 s"),
        (timedelta(minutes=61), "1 h 1 min"),
        (timedelta(hours=12), "12 h"),
        (timedelta(days=3, minutes=5), "3 d"),
    ],
)
def test_lengths_are_told_in_two_units(length: timedelta, text: str) -> None:
    assert spoken(length) == text
