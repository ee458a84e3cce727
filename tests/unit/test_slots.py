"""Civil time around every clock change of 20 zones, 2020-2040: none missed, none doubled.

This file samples; the sweep of every minute is ``tests/bench/bench_slots.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civil import END, START, ZONES, expected, transitions, wall
from syndicate.plan.slots import Schedule, instant, parse, parse_duration

HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)


def civil(*parts: int) -> datetime:
    """A naive civil time."""
    return datetime(*parts)  # type: ignore[arg-type,misc]  # noqa: DTZ001 - meant


def sampled(zone: str) -> list[datetime]:
    """Two springs and two autumns of a zone, the first and the last ones."""
    changes = transitions(zone)
    return sorted({*changes[:2], *changes[-2:]})


def due(schedule: Schedule, after: datetime, to: datetime) -> list[datetime]:
    return [slot.due for slot in schedule.slots("test", after, to)]


def starts(begin: datetime, to: datetime, step: timedelta) -> Iterator[datetime]:
    while begin < to:
        yield begin
        begin += step
    yield to


@pytest.mark.parametrize("zone", ZONES)
def test_every_minute_around_a_clock_change_has_its_one_instant(zone: str) -> None:
    for change in sampled(zone):
        for local, moment in expected(zone, change).items():
            assert instant(local, zone)[0] == moment, (zone, local)


@pytest.mark.parametrize("zone", ZONES)
def test_a_slot_every_minute_is_never_missed_nor_doubled(zone: str) -> None:
    schedule = parse("every minute", zone)
    for change in sampled(zone):
        table = expected(zone, change)
        after, to = change - 23 * HOUR, change + 22 * HOUR
        slots = list(schedule.slots("test", after, to))
        assert [slot.due for slot in slots] == sorted({moment for moment in table.values() if after < moment <= to})
        assert len({slot.local for slot in slots}) == len(slots)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("text", ["every 7 minutes", "*/20 0-4 * * *"])
def test_ticks_of_any_length_find_what_one_long_look_finds(zone: str, text: str) -> None:
    schedule = parse(text, zone)
    for change in sampled(zone):
        after, to = change - 9 * HOUR, change + 9 * HOUR
        whole = list(schedule.slots("test", after, to))
        for step in (13 * MINUTE, HOUR + MINUTE):
            parts = [list(schedule.slots("test", *window)) for window in pairwise(starts(after, to, step))]
            assert [slot for part in parts for slot in part] == whole


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("text", ["daily at 00:30", "daily at 02:30"])
def test_each_civil_day_has_exactly_one_daily_slot_for_twenty_one_years(zone: str, text: str) -> None:
    slots = list(parse(text, zone).slots("test", START - DAY, END + DAY))
    days = [slot.local.date() for slot in slots if date(2020, 1, 1) <= slot.local.date() <= date(2040, 12, 31)]
    assert days == [date(2020, 1, 1) + number * DAY for number in range(7671)]
    assert all(first.due < second.due for first, second in pairwise(slots))


@pytest.mark.parametrize("zone", ZONES)
def test_each_hour_of_a_year_is_found_hour_by_hour(zone: str) -> None:
    schedule = parse("every hour", zone)
    after, to = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    whole = due(schedule, after, to)
    assert [
        moment for window in pairwise(starts(after, to, 5 * HOUR + 7 * MINUTE)) for moment in due(schedule, *window)
    ] == whole
    first: dict[datetime, datetime] = {}
    for quarter in range(1, 365 * 96 + 1):
        moment = after + quarter * 15 * MINUTE
        if wall(moment, zone).minute == 0:
            first.setdefault(wall(moment, zone), moment)
    moved = set(whole) - set(first.values())  # hours inside a gap that is not a whole hour
    assert set(first.values()) <= set(whole)
    assert all(any(abs(moment - change) <= 2 * HOUR for change in transitions(zone)) for moment in moved)


def test_a_wall_time_in_the_spring_gap_moves_forward_by_the_gap() -> None:
    assert instant(civil(2026, 3, 29, 2, 30), "Europe/Berlin") == (datetime(2026, 3, 29, 1, 30, tzinfo=UTC), "gap")
    assert wall(datetime(2026, 3, 29, 1, 30, tzinfo=UTC), "Europe/Berlin") == civil(2026, 3, 29, 3, 30)


def test_a_doubled_wall_time_happens_at_the_first() -> None:
    assert instant(civil(2026, 10, 25, 2, 30), "Europe/Berlin") == (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "overlap")


def test_half_an_hour_is_a_gap_too() -> None:
    assert instant(civil(2026, 10, 4, 2, 15), "Australia/Lord_Howe") == (datetime(2026, 10, 3, 15, 45, tzinfo=UTC), "gap")


def test_two_slots_on_one_instant_are_one_and_keep_the_wall_time_that_exists() -> None:
    (slot,) = parse("30 2,3 29 3 *", "Europe/Berlin").slots(
        "test", datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 3, 30, tzinfo=UTC)
    )
    assert (slot.local, slot.note) == (civil(2026, 3, 29, 3, 30), "")


def test_slots_ascend_through_a_gap() -> None:
    slots = parse("15,45 2,3 29 3 *", "Europe/Berlin").slots(
        "t", datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 3, 30, tzinfo=UTC)
    )
    assert [slot.local.minute for slot in slots] == [15, 45]
    slots = parse("10 2,3,4 29 3 *", "Europe/Berlin").slots(
        "t", datetime(2026, 3, 29, 1, 5, tzinfo=UTC), datetime(2026, 3, 30, tzinfo=UTC)
    )
    assert [slot.due.hour for slot in slots] == [1, 2]


def test_a_slot_names_its_schedule_zone_and_wall_time() -> None:
    slot = parse("daily at 07:00", "Europe/Berlin").next("quotes", datetime(2026, 7, 1, tzinfo=UTC))
    assert slot is not None
    assert (slot.schedule, slot.zone, slot.local) == ("quotes", "Europe/Berlin", civil(2026, 7, 1, 7))
    assert slot.due == datetime(2026, 7, 1, 5, tzinfo=UTC)


def test_the_window_leaves_out_its_beginning_and_holds_its_end() -> None:
    schedule = parse("daily at 07:00", "UTC")
    seven = datetime(2026, 7, 1, 7, tzinfo=UTC)
    assert due(schedule, seven, seven + HOUR) == []
    assert due(schedule, seven - HOUR, seven) == [seven]
    assert due(schedule, seven, seven - HOUR) == []


FORMS = {
    "daily at 07:00": ["07-01T07:00", "07-02T07:00", "07-03T07:00"],
    "Daily  AT 7:00": ["07-01T07:00", "07-02T07:00", "07-03T07:00"],
    "weekdays at 07:00": ["07-01T07:00", "07-02T07:00", "07-03T07:00", "07-06T07:00"],
    "weekends at 09:15": ["07-04T09:15", "07-05T09:15", "07-11T09:15"],
    "weekly on Mon at 06:30": ["07-06T06:30", "07-13T06:30"],
    "weekly on mon, Thursday at 06:30": ["07-02T06:30", "07-06T06:30", "07-09T06:30"],
    "weekly on Tues and Sunday at 06:30": ["07-05T06:30", "07-07T06:30"],
    "monthly on 1st at 09:00": ["07-01T09:00", "08-01T09:00", "09-01T09:00"],
    "monthly on the 31st at 09:00": ["07-31T09:00", "08-31T09:00", "09-30T09:00"],
    "monthly on last at 09:00": ["07-31T09:00", "08-31T09:00", "09-30T09:00"],
    "every 15 minutes": ["07-01T00:15", "07-01T00:30", "07-01T00:45"],
    "every hour": ["07-01T01:00", "07-01T02:00"],
    "every 2 hours": ["07-01T02:00", "07-01T04:00"],
    "hourly": ["07-01T01:00", "07-01T02:00"],
    "hourly at :05": ["07-01T00:05", "07-01T01:05"],
    "0 7 * * 1-5": ["07-01T07:00", "07-02T07:00", "07-03T07:00", "07-06T07:00"],
    "*/30 6 * * *": ["07-01T06:00", "07-01T06:30", "07-02T06:00"],
    "0 6 L * *": ["07-31T06:00", "08-31T06:00"],
}


@pytest.mark.parametrize("text", FORMS)
def test_every_form_is_understood(text: str) -> None:
    slots = parse(text, "Asia/Kolkata").slots(
        "test", datetime(2026, 6, 30, 18, 30, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    )
    assert [f"{slot.local:%m-%dT%H:%M}" for slot in islice(slots, len(FORMS[text]))] == FORMS[text]


def test_every_forty_minutes_counts_anew_from_midnight() -> None:
    slots = parse("every 40 minutes", "UTC").slots(
        "test", datetime(2026, 7, 1, 22, tzinfo=UTC), datetime(2026, 7, 2, 1, tzinfo=UTC)
    )
    assert [f"{slot.local:%H:%M}" for slot in slots] == ["22:40", "23:20", "00:00", "00:40"]


def test_cron_lines_and_plain_words_agree_around_clock_changes() -> None:
    after, to = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    for zone in ZONES:
        assert due(parse("30 2 * * *", zone), after, to) == due(parse("daily at 02:30", zone), after, to)


def test_when_published_has_no_slots() -> None:
    schedule = parse("When published", "UTC")
    assert schedule.when_published
    assert not parse("daily at 07:00", "UTC").when_published
    assert schedule.next("posts", START) is None
    assert due(schedule, START, END) == []


FAULTS = {
    "dayly at 07:00": 'did you mean "daily at 07:00"?',
    "weekly on Mon": 'write "daily at 07:00"',
    "weekly on Mondey at 07:00": 'did you mean "Mon"?',
    "weekly on blue at 07:00": "write Mon, Tue, Wed",
    "daily at 7": "hours and minutes",
    "daily at 24:00": "from 00:00 to 23:59",
    "monthly on 32nd at 07:00": '"1st" to "31st"',
    "every 0 minutes": "between a minute and a day",
    "every 25 hours": "between a minute and a day",
    "every 2 days": "write",
    "hourly at :75": '":00" to ":59"',
    "0 7 * *": "five fields",
    "0 0 7 * * 1": "five fields",
    "0 7 * * 9": "bad day-of-week",
    "0 0 30 2 *": "bad day-of-month",
    "": "write",
}


@pytest.mark.parametrize("text", FAULTS)
def test_a_mistake_is_told_with_what_would_be_right(text: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse(text, "UTC")
    assert FAULTS[text] in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("zone", "hint"),
    [
        ("Berlin", '"Europe/Berlin"'),
        ("europe/berlin", '"Europe/Berlin"'),
        ("New York", '"America/New_York"'),
        ("Europe", "IANA"),
        ("", "IANA"),
        ("../x", "IANA"),
    ],
)
def test_an_unknown_zone_is_told_with_the_nearest(zone: str, hint: str) -> None:
    with pytest.raises(ValueError, match="unknown time zone") as caught:
        parse("daily at 07:00", zone)
    assert hint in str(caught.value)


@settings(max_examples=60)
@given(st.text(max_size=30))
def test_no_text_makes_parsing_fail_in_another_way(text: str) -> None:
    try:
        schedule = parse(text, "Europe/Berlin")
    except ValueError as error:
        assert str(error)  # noqa: PT017 - either outcome is right
    else:
        assert schedule.zone == "Europe/Berlin"


@pytest.mark.parametrize(
    ("text", "hour", "weekday", "zone", "moved"),
    [
        ("weekdays at 07:15", 19, None, "Asia/Tokyo", "weekdays at 19:00"),
        ("weekly on Mon at 07:00", 8, 3, "", "weekly on Thu at 08:00"),
        ("weekly on Mon at 07:15", None, 6, "", "weekly on Sun at 07:15"),
        ("daily at 07:00", 8, 3, "", "daily at 08:00"),
        ("weekends at 07:00", None, None, "Asia/Tokyo", "weekends at 07:00"),
    ],
)
def test_a_reader_may_choose_an_hour_a_weekday_and_a_zone(
    text: str, hour: int | None, weekday: int | None, zone: str, moved: str
) -> None:
    chosen = parse(text, "Europe/Berlin").at_hour(hour, weekday, zone)
    assert chosen == parse(moved, zone or "Europe/Berlin")


def test_a_schedule_without_an_hour_has_none_to_choose() -> None:
    with pytest.raises(ValueError, match="no hour that a reader could choose"):
        parse("every 15 minutes", "UTC").at_hour(7, None, "")
    with pytest.raises(ValueError, match="unknown time zone"):
        parse("daily at 07:00", "UTC").at_hour(7, None, "Nowhere")


def test_instants_and_civil_times_are_not_mixed_up() -> None:
    with pytest.raises(ValueError, match="aware"):
        next(parse("daily at 07:00", "UTC").slots("test", civil(2026, 1, 1), END))
    with pytest.raises(ValueError, match="no zone of its own"):
        instant(START, "UTC")


@pytest.mark.parametrize(
    ("text", "hours"), [("12h", 12), ("90m", 1.5), ("3 days", 72), ("1h 30m", 1.5), ("1 hour, 30 minutes", 1.5), ("2w", 336)]
)
def test_lengths_of_time_are_written_for_people(text: str, hours: float) -> None:
    assert parse_duration(text) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "12", "h", "3 dogs", "-2h", "1.5h", "12h x"])
def test_a_length_without_a_unit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="number and a unit"):
        parse_duration(text)
