"""When an account may post: spacing and quiet hours, also on the nights on which clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.plan.pacing import Quiet, earliest, quiet_hours

NIGHT = quiet_hours("22:00-07:00")
BERLIN = "Europe/Berlin"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def when(now: str, *, last: str = "", spacing: int = 0, quiet: Quiet | None = None, zone: str = BERLIN) -> datetime:
    told = at(last) if last else None
    return earliest(at(now), last=told, spacing=timedelta(minutes=spacing) if spacing else None, quiet=quiet, zone=zone)


def test_without_rules_a_post_leaves_at_once() -> None:
    assert when("2026-06-01 23:00", last="2026-06-01 22:59") == at("2026-06-01 23:00")


def test_two_posts_stand_apart() -> None:
    assert when("2026-06-01 12:05", last="2026-06-01 12:00", spacing=20) == at("2026-06-01 12:20")
    assert when("2026-06-01 12:25", last="2026-06-01 12:00", spacing=20) == at("2026-06-01 12:25")


def test_the_night_is_quiet_in_the_accounts_own_zone() -> None:
    assert when("2026-06-01 21:00", quiet=NIGHT) == at("2026-06-02 05:00")  # 23:00 in Berlin
    assert when("2026-06-02 01:00", quiet=NIGHT) == at("2026-06-02 05:00")
    assert when("2026-06-01 19:59", quiet=NIGHT) == at("2026-06-01 19:59")
    assert when("2026-06-01 21:00", quiet=NIGHT, zone="America/New_York") == at("2026-06-01 21:00")


def test_spacing_that_ends_in_the_night_waits_for_the_morning() -> None:
    assert when("2026-06-01 19:50", last="2026-06-01 19:45", spacing=30, quiet=NIGHT) == at("2026-06-02 05:00")


@pytest.mark.parametrize(
    ("now", "hours", "end"),
    [
        ("2026-03-28 22:00", "22:00-07:00", "2026-03-29 05:00"),  # the night that loses an hour
        ("2026-10-24 21:00", "22:00-07:00", "2026-10-25 06:00"),  # the night that gains one
        ("2026-03-29 00:30", "22:00-02:30", "2026-03-29 01:30"),  # 02:30 does not exist: moved by the gap
        ("2026-10-25 00:15", "22:00-02:30", "2026-10-25 00:30"),  # the first 02:15
        ("2026-10-25 01:15", "22:00-02:30", "2026-10-25 01:30"),  # the second 02:15 is quiet as well
    ],
)
def test_clock_changes_move_the_end_with_the_wall(now: str, hours: str, end: str) -> None:
    assert when(now, quiet=quiet_hours(hours)) == at(end)


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001 - made aware below
    st.times(),
    st.times(),
    st.sampled_from([BERLIN, "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "UTC"]),
)
def test_the_answer_is_never_earlier_nor_more_than_a_day_away_nor_quiet(
    now: datetime, begin: time, end: time, zone: str
) -> None:
    begin, end = begin.replace(second=0, microsecond=0), end.replace(second=0, microsecond=0)
    if begin == end:
        return
    quiet, moment = Quiet(begin=begin, end=end), now.replace(tzinfo=UTC)
    found = earliest(moment, last=None, spacing=None, quiet=quiet, zone=zone)
    assert moment <= found <= moment + timedelta(hours=26)
    again = earliest(found, last=None, spacing=None, quiet=quiet, zone=zone)
    assert again - found <= timedelta(hours=1)  # a doubled or skipped hour at most


@pytest.mark.parametrize("text", ["night", "22:00", "25:00-07:00", "07:00-07:00", "22:00-07:60", ""])
def test_hours_that_are_none_are_refused_with_what_is_right(text: str) -> None:
    with pytest.raises(ValueError, match="write two different times such as"):
        quiet_hours(text)
