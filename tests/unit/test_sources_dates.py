"""Dates as people and other publishers write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.sources.dates import parse_day, parse_instant


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-22", "2026-11-21T23:00:00+00:00"),  # midnight in Berlin
        ("2026-07-01", "2026-06-30T22:00:00+00:00"),
        ("2026-11-22 07:00", "2026-11-22T06:00:00+00:00"),
        ("2026-11-22 07:00 +0200", "2026-11-22T05:00:00+00:00"),
        ("2026-11-22 07:00:30 +02:00", "2026-11-22T05:00:30+00:00"),
        ("2026-11-22T07:00:00Z", "2026-11-22T07:00:00+00:00"),
        ("2026-11-22t07:00:00z", "2026-11-22T07:00:00+00:00"),
        ("2026-11-22T07:00:00.123456789+00:00", "2026-11-22T07:00:00.123456+00:00"),
        ("2026-11-22 07:00 UTC", "2026-11-22T07:00:00+00:00"),
        ("2001-12-14 21:59:43.10 -5", "2001-12-15T02:59:43.100000+00:00"),
        ("2026-1-5", "2026-01-04T23:00:00+00:00"),
        ("2023-01-29 18:30:22 2023 -0800", "2023-01-30T02:30:22+00:00"),
        (" 1969-07-20 20:17 +0000 ", "1969-07-20T20:17:00+00:00"),
        ("2026-03-29 02:30", "2026-03-29T01:30:00+00:00"),  # in the gap: half past three
        ("2026-10-25 02:30", "2026-10-25T00:30:00+00:00"),  # doubled: the first
    ],
)
def test_a_date_is_one_instant(text: str, expected: str) -> None:
    assert parse_instant(text, "Europe/Berlin") == datetime.fromisoformat(expected)


@pytest.mark.parametrize(
    "text",
    ["", "soon", "22.11.2026", "2026-13-01", "2026-02-30", "2026-11-22 25:00", "2026-11-22 07:00 +99:00", "2026", "2026-11",
     "2026-11-22 07:00 EST", "0000-01-01", "0001-01-01 00:00 +2300", "2026-11-22 7", "٢٠٢٦-١١-٢٢x"],
)  # fmt: skip
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is "):
        parse_instant(text, "UTC")


@given(
    st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC"])
)
def test_a_day_keeps_its_day_in_the_sites_zone(day: date, zone: str) -> None:
    assert parse_instant(day.isoformat(), zone).astimezone(ZoneInfo(zone)).date() == day


@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
def test_an_offset_is_believed_whatever_the_zone(instant: datetime, minutes: int) -> None:
    offset = timedelta(minutes=minutes)
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    text = f"{(instant + offset).replace(tzinfo=None).isoformat()}{sign}{hours:02}:{rest:02}"
    assert parse_instant(text, "Asia/Tokyo") == parse_instant(text, "America/Lima") == instant


def test_a_civil_day_is_written_in_full() -> None:
    assert parse_day("2014-06-29") == date(2014, 6, 29)
    for text in ("2014-6-29", "2014", "2014-02-30", "2014-06-29 10:00"):
        with pytest.raises(ValueError, match="day"):
            parse_day(text)
