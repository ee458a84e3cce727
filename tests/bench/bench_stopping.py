"""How soon an unsubscribe and a hold by another process are honoured, while a sender is at full speed. The sink tells.

The sender has a process of its own, as has the sink; this one is the page on which a reader leaves, and the editor.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.bench_send import AT, publication, sink, wanted
from syndicate.app import App
from syndicate.store.places import newsletter_key

HERE = Path(__file__).parent
READERS = 6_000
LEAVING = 150  # readers who leave, one after another
AHEAD = 200  # … each of them so many places before the newest message: claimed, and perhaps made
HONOURED = {"unsubscribe": 1.0, "hold": 5.0}  # wanted: seconds


class Arrivals:
    """When each address got its message: read from the sink's list, so a moment too late rather than too early."""

    def __init__(self, log: Path) -> None:
        self._log, self._read = log, 0
        self.at: dict[str, float] = {}

    def look(self, enough: int = 0) -> int:
        """Read on, until there are so many; how many there are."""
        while True:
            if self._log.exists():
                with self._log.open("rb") as file:
                    file.seek(self._read)
                    whole, mark, _ = file.read().rpartition(b"\n")
                self._read += len(whole + mark)
                self.at |= dict.fromkeys(whole.decode().split(), time.time())
            if len(self.at) >= enough:
                return len(self.at)
            time.sleep(0.001)


@contextmanager
def at_full_speed(folder: Path) -> Iterator[tuple[App, subprocess.Popen[str], Arrivals]]:
    """The publication, the program's own workers on it, and what came of them, once 500 messages are out."""
    made = publication(folder / "p", READERS)
    command = [sys.executable, str(HERE / "sender.py"), str(made.root), AT]
    with sink(folder) as (port, log), made.opened(AT) as app:
        environ = {"SYNDICATE_CHANNELS__MAIL__PORT": str(port), "SYNDICATE_CHANNELS__MAIL__CONNECTIONS": "4"}
        with subprocess.Popen(command, env={**os.environ, **environ}, stdout=subprocess.PIPE, text=True) as process:
            arrived = Arrivals(log)
            arrived.look(500)
            yield app, process, arrived


def told(what: str, stops: dict[str, float], arrived: Arrivals) -> None:
    """Print how late the last message came, of those who should have had none."""
    late = [arrived.at[address] - at for address, at in stops.items() if arrived.at.get(address, 0.0) > at]
    spread = f"the last {1000 * max(late):.0f} ms after" if late else "none after"
    print(f"\n{what}: {len(stops):,} were to get nothing more, {len(late)} had a message under way, {spread}")
    wanted(f"seconds until a {what} is honoured", max(late, default=0.0), HONOURED[what])


def test_who_leaves_gets_nothing_a_second_later(tmp_path: Path) -> None:
    left: dict[str, float] = {}
    with at_full_speed(tmp_path) as (app, sender, arrived):
        letter = app.store.write(lambda connection: newsletter_key(connection, "digest"))
        while len(left) < LEAVING and (number := arrived.look() + AHEAD) < READERS:
            address = f"s{number}@readers.example"
            place = app.subscribers.find(address)
            assert place is not None
            if address not in left and app.subscribers.end(place, letter, app.now(), "link"):
                left[address] = time.time()
        found = json.loads(sender.communicate()[0])
        arrived.look(found["states"]["sent"])
    told("unsubscribe", left, arrived)
    print(
        f"{len(left)} left during {READERS / found['wall']:,.0f} messages a second, {READERS - len(arrived.at)} of them in time"
    )
    assert READERS - len(arrived.at) >= len(left) // 2


def test_a_hold_stops_everything_within_five_seconds(tmp_path: Path) -> None:
    with at_full_speed(tmp_path) as (app, sender, arrived):
        app.holds.place("digest", "to be looked at", who="ada", now=app.now())
        at = time.time()
        found = json.loads(sender.communicate()[0])
        arrived.look(found["states"]["sent"])
    told("hold", {f"s{number}@readers.example": at for number in range(1, READERS + 1)}, arrived)
    assert len(arrived.at) < READERS
