"""Planning the due readers of one slot among 1,000,000 subscriptions in 24 zones, against 100,000 of them.

``python tests/bench/bench_due.py`` prints the times of both, by turns in one run, and the plans of the statements.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import sqlalchemy as sa

from publication import instant
from syndicate.model import Frequency
from syndicate.store import agenda, migrate
from syndicate.store.agenda import Clock
from syndicate.store.database import Store

SMALL, LARGE, ROUNDS = 100_000, 1_000_000, 5
ZONES = (
    "Pacific/Auckland", "Asia/Tokyo", "Asia/Shanghai", "Asia/Kolkata", "Asia/Dubai", "Africa/Nairobi", "Europe/Athens",
    "Africa/Lagos", "Europe/Berlin", "Europe/Paris", "Europe/London", "Atlantic/Azores", "America/Sao_Paulo",
    "America/Halifax", "America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles",
    "America/Anchorage", "Pacific/Honolulu", "Asia/Kathmandu", "Australia/Sydney", "UTC",
)  # fmt: skip
NOW = instant("2026-11-23 06:00")
GOAL_SECONDS = 1.0
# Half of the readers keep the newsletter's hour, the others chose one of 24; a fifth are weekly, on one of seven days.
_FILL = """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :n)
INSERT INTO {table} SELECT {columns} FROM n"""


@contextmanager
def filled(folder: Path, readers: int) -> Iterator[Store]:
    """A database of so many active subscriptions to one newsletter."""
    store = Store(folder / f"{readers}.db")
    migrate.ensure(store)
    zones = " ".join(f"WHEN {number} THEN '{zone}'" for number, zone in enumerate(ZONES))

    def work(connection: sa.Connection) -> None:
        def fill(table: str, columns: str) -> None:
            connection.execute(sa.text(_FILL.format(table=table, columns=columns)), {"n": readers})

        connection.exec_driver_sql("INSERT INTO newsletter (key, name) VALUES (1, 'digest')")
        fill("place (key, kind, name)", "i, 'subscriber', 'r' || i")
        who = "'reader' || i || '@host' || (i % 2000) || '.example'"
        fill("subscriber (key, id, address, address_key, domain, at)", f"i, 'r' || i, {who}, {who}, 'host.example', 0")
        fill(
            "subscription (subscriber, newsletter, state, frequency, weekday, hour, zone, covered_to, since, consent, changed)",
            f"""i, 1, 'active', CASE i % 5 WHEN 0 THEN 'weekly' ELSE 'daily' END, CASE i % 5 WHEN 0 THEN i / 5 % 7 END,
            CASE i / 24 % 2 WHEN 0 THEN i / 48 % 24 END, CASE i % 24 {zones} END, 0, 0, '{{}}', 0""",
        )

    store.write(work)
    try:
        yield store
    finally:
        store.close()


def planned(store: Store) -> tuple[float, int]:
    """Seven in the morning in Berlin: which clocks there are, and who is owed what; (processor seconds, readers)."""
    begin = process_time()
    with store.read() as connection:
        clocks = agenda.clocks(connection, "digest", Frequency.DAILY)
        due = [clock for clock in clocks if clock.zone == "Europe/Berlin" and clock.hour in {None, 7}]
        groups = agenda.groups(connection, "digest", Frequency.DAILY, clocks=due, before=NOW, now=NOW)
    return process_time() - begin, sum(len(group.places) for group in groups)


def plans(store: Store) -> list[str]:
    """How SQLite goes about each statement that touches the subscriptions."""
    said: list[str] = []

    def ask(connection: sa.Connection, _cursor: object, statement: str, values: object, *_rest: object) -> None:
        if "subscription" in statement and not statement.startswith("EXPLAIN"):
            cursor = connection.connection.cursor()
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", values)  # type: ignore[arg-type]
            said.extend(row[3] for row in cursor.fetchall())

    with store.read() as connection:
        sa.event.listen(connection, "before_cursor_execute", ask)
        agenda.clocks(connection, "digest", Frequency.DAILY)
        clock = Clock(zone="Europe/Berlin", hour=7, weekday=None)
        agenda.groups(connection, "digest", Frequency.DAILY, clocks=[clock], before=NOW, now=NOW)
    return said


def test_the_due_readers_of_a_slot_are_planned_without_a_scan_of_all() -> None:
    best = {SMALL: (1e9, 0), LARGE: (1e9, 0)}
    with TemporaryDirectory() as folder, filled(Path(folder), SMALL) as small, filled(Path(folder), LARGE) as large:
        said = plans(large)
        for line in said:
            print(f"  {line}")
        assert any("ix_subscription_due" in line for line in said)
        walks = [line for line in said if re.search(r"SCAN (subscription|s)\b|frequency=\?\)$", line)]
        assert not walks, "a walk over every reader of a frequency"
        for _ in range(ROUNDS):
            for size, store in ((SMALL, small), (LARGE, large)):
                best[size] = min(best[size], planned(store))
    for size, (seconds, readers) in best.items():
        print(f"{size:9,} subscriptions: {readers:6,} due, {seconds * 1000:6.1f} ms")
    ratio = best[LARGE][0] / best[SMALL][0]
    print(
        f"ten times the subscriptions take {ratio:.1f} times as long; {best[LARGE][0] * 1e6 / best[LARGE][1]:.1f} µs a due reader"
    )
    assert best[LARGE][0] <= GOAL_SECONDS
    assert ratio < 2 * LARGE / SMALL


if __name__ == "__main__":
    test_the_due_readers_of_a_slot_are_planned_without_a_scan_of_all()
