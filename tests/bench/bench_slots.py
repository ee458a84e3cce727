"""The full sweep: every minute of the two days around each clock change, every hour of all other days, 2020-2040.

``python tests/bench/bench_slots.py [ZONE …]`` prints what it compared and fails at the first difference.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from civil import END, START, ZONES, expected, transitions, wall
from syndicate.plan.slots import instant, parse

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def minutes(zone: str) -> int:
    """Every minute around each change: its instant, and its slot through ticks of 61 minutes."""
    schedule, count = parse("every minute", zone), 0
    for change in transitions(zone):
        table = expected(zone, change)
        wrong = [local for local, moment in table.items() if instant(local, zone)[0] != moment]
        assert not wrong, (zone, wrong)
        marks = [change - 23 * HOUR + number * timedelta(minutes=61) for number in range(44)]
        found = [slot.due for window in pairwise(marks) for slot in schedule.slots("sweep", *window)]
        assert found == sorted({moment for moment in table.values() if marks[0] < moment <= marks[-1]}), (zone, change)
        count += len(table)
    return count


def hours(zone: str) -> int:
    """Every hour of every year, day by day, against a walk through UTC."""
    schedule, near = (
        parse("every hour", zone),
        {change.date() + number * DAY for change in transitions(zone) for number in (-1, 0, 1)},
    )
    first: dict[datetime, datetime] = {}
    moment = START
    while moment < END:
        moment += timedelta(minutes=15)
        local = wall(moment, zone)
        if local.minute == 0:
            first.setdefault(local, moment)
    marks = [START + number * DAY for number in range((END - START).days + 1)]
    found = [slot.due for window in pairwise(marks) for slot in schedule.slots("sweep", *window)]
    assert len(found) == len(set(found))
    assert set(first.values()) <= set(found), zone
    assert all(extra.date() in near for extra in set(found) - set(first.values())), zone
    return len(found)


def sweep(zones: Sequence[str]) -> None:
    """Compare every civil time of these zones with a walk through UTC."""
    total = 0
    for zone in zones:
        begin = perf_counter()
        swept = (len(transitions(zone)), minutes(zone), hours(zone))
        total += swept[1] + swept[2]
        print(f"{zone:22} {swept[0]:3} changes {swept[1]:8,} minutes {swept[2]:8,} hours {perf_counter() - begin:6.1f} s")
    print(f"{total:,} civil times, none missed, none doubled")


def test_every_minute_around_every_clock_change_of_twenty_zones_is_due_once() -> None:
    sweep(ZONES)


def test_a_tick_without_anything_due_costs_microseconds() -> None:
    begin, schedule, ticks = perf_counter(), parse("daily at 07:00", "Europe/Berlin"), 10_000
    for number in range(ticks):
        list(schedule.slots("tick", START + number * HOUR, START + number * HOUR + timedelta(seconds=5)))
    each = (perf_counter() - begin) / ticks
    print(f"one tick of a daily schedule: {each * 1e6:.0f} µs")
    assert each < 0.001


if __name__ == "__main__":
    sweep(sys.argv[1:] or ZONES)
