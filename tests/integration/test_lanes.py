"""Mail over many connections at once: everybody once, readers who leave, a program that ends, a relay that is gone."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from integration.test_smtp import real_server
from publication import SETTINGS, Publication
from syndicate.app import App
from syndicate.channels.smtp import sending
from syndicate.model import Frequency, State
from syndicate.publish import lanes
from syndicate.publish.lanes import Dealer
from syndicate.publish.tick import tick
from syndicate.runtime import Runtime
from syndicate.store.subscribers import Wishes

READERS = 100
AT = "2026-01-02 09:01"
ENDING = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None) as database:
    database.execute("BEGIN IMMEDIATE")
    database.execute(sys.argv[2])
    database.execute("COMMIT")
"""


class Relay:
    """Counts who gets what over which connection, and may do something at the n-th message."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.peers: set[Any] = set()
        self.at: dict[int, Callable[[], None]] = {}
        self.seconds = 0.0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        import asyncio

        self.got += envelope.rcpt_tos
        self.peers.add(session.peer)
        if act := self.at.pop(len(self.got), None):
            await asyncio.get_running_loop().run_in_executor(None, act)
        await asyncio.sleep(self.seconds)
        return "250 2.0.0 taken"


@pytest.fixture
def relay() -> Relay:
    return Relay()


@pytest.fixture
def port(relay: Relay) -> Iterator[int]:
    with real_server(relay) as port:  # type: ignore[arg-type]
        yield port


def publication(root: Path, port: int, *, readers: int = READERS, more: str = "") -> Publication:
    smtp = f'kind = "smtp"\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\nrate = ""\n{more}\n'
    web = '\n[web]\npublic_url = "https://letter.test.example"\n'
    made = Publication(root=root / "p", settings=SETTINGS.replace('kind = "outbox"\nlike = "smtp"\n', smtp) + web)
    made.begin("2026-01-01 00:00")
    with made.opened("2026-01-01 00:00") as app:
        for number in range(readers):
            address = f"reader{number}@readers.example"
            wishes = Wishes(frequency=Frequency.INSTANT)
            app.subscribers.add(address, "digest", wishes, at=app.now(), covered_to=app.now(), consent={})
    made.brief("a", "2026-01-02T09:00:00Z")
    return made


def states(app: App) -> dict[State, int]:
    assert app.books.recount() == []
    return dict(app.books.balance("edition", "1").states)


def test_everybody_gets_it_once_over_as_many_connections_as_there_may_be(tmp_path: Path, port: int, relay: Relay) -> None:
    relay.seconds = 0.002
    with publication(tmp_path, port).opened(AT) as app:
        tick(app, app.now())
        Runtime(app).drain()
        assert states(app) == {State.SENT: READERS}
    assert Counter(relay.got) == Counter(f"reader{number}@readers.example" for number in range(READERS))
    assert len(relay.peers) == 4


def test_few_readers_are_worth_one_connection(tmp_path: Path, port: int, relay: Relay) -> None:
    with publication(tmp_path, port, readers=5).opened(AT) as app:
        tick(app, app.now())
        Runtime(app).drain()
    assert (len(relay.got), len(relay.peers)) == (5, 1)


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ("UPDATE subscription SET state = 'ended'", State.SUPPRESSED),
        ("INSERT INTO hold VALUES ('digest', 'stop', 'an editor', 1)", State.PENDING),
    ],
)
def test_what_another_process_stops_in_full_flight_is_stopped(
    tmp_path: Path, port: int, relay: Relay, change: str, left: State
) -> None:
    """Whatever was granted before may still arrive: a group on each of four connections, and no more."""
    made = publication(tmp_path, port)

    def stop() -> None:
        path = str(made.root / "var" / "syndicate.db")
        subprocess.run([sys.executable, "-c", ENDING, path, change], check=True, timeout=30)
        relay.at[0] = lambda: None
        at_stop.append(len(relay.got))

    at_stop: list[int] = []
    relay.seconds, relay.at[20] = 0.02, stop
    with made.opened(AT) as app:
        tick(app, app.now())
        Runtime(app).drain()
        found = states(app)
    assert set(found) == {State.SENT, left}
    assert found[State.SENT] == len(relay.got) == len(set(relay.got))
    assert len(relay.got) - at_stop[0] <= 4 * 25
    assert found[left] > 0


def test_a_program_that_ends_finishes_what_is_in_hand_and_loses_nothing(
    tmp_path: Path, port: int, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "group_of", lambda _: 10)  # it ends in the middle of one
    relay.seconds = 0.01
    with publication(tmp_path, port).opened(AT) as app:
        tick(app, app.now())
        runtime, asked = Runtime(app), threading.Event()
        relay.at[10] = asked.set
        runtime.kick()
        assert asked.wait(30)
        runtime.stop()
        found = states(app)
        assert found[State.SENT] == len(relay.got) < READERS
        assert found == {State.SENT: len(relay.got), State.PENDING: READERS - len(relay.got)}
        Runtime(app).drain()
        assert states(app) == {State.SENT: READERS}
    assert len(set(relay.got)) == len(relay.got) == READERS


def test_a_program_that_ends_while_a_connection_is_opened_says_nothing_of_it(
    tmp_path: Path, port: int, relay: Relay, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opening, opened = threading.Event(), Dealer._open

    def late(self: Dealer, threads: Any) -> None:
        opening.set()
        runtime._stop.wait(30)
        time.sleep(0.1)
        opened(self, threads)

    monkeypatch.setattr(Dealer, "_open", late)
    with publication(tmp_path, port).opened(AT) as app:
        tick(app, app.now())
        runtime = Runtime(app)
        runtime.kick()
        assert opening.wait(30)
        runtime.stop()
        assert not runtime.stopped, capsys.readouterr().err
        assert states(app)[State.PENDING] == READERS - len(relay.got)


def test_a_relay_that_is_gone_is_left_alone_and_costs_few_attempts(tmp_path: Path, relay: Relay) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = closed.getsockname()[1]
    with publication(tmp_path, nobody).opened(AT) as app:
        tick(app, app.now())
        for _ in range(2):  # the second finds the breaker open
            Runtime(app).drain()
            assert states(app) == {State.DEFERRED: 5, State.PENDING: READERS - 5}


def test_a_rate_is_kept_at_a_pretended_time_too(tmp_path: Path, port: int, relay: Relay) -> None:
    made = publication(tmp_path, port, readers=4)
    config = made.root / "config" / "syndicate.toml"
    config.write_text(config.read_text().replace('rate = ""', 'rate = "20/s"'))
    with made.opened(AT) as app:
        tick(app, app.now())
        begun = time.monotonic()
        Runtime(app).drain()
        assert time.monotonic() - begun >= 0.14
        assert states(app) == {State.SENT: 4}


def test_what_is_urgent_passes_what_waits(tmp_path: Path, port: int, relay: Relay) -> None:
    made = publication(tmp_path, port, more="connections = 1")

    def call() -> None:
        with sqlite3.connect(made.root / "var" / "syndicate.db", timeout=30) as database:
            database.execute(
                "UPDATE delivery SET priority = 9 WHERE state = 'pending' AND place IN (SELECT max(place) FROM delivery)"
            )

    relay.seconds, relay.at[3] = 0.005, call
    with made.opened(AT) as app:
        tick(app, app.now())
        app.store.write(lambda connection: connection.exec_driver_sql("UPDATE delivery SET priority = 0").close())
        Runtime(app).drain()
    assert len(relay.got) == READERS
    assert relay.got.index(f"reader{READERS - 1}@readers.example") < READERS - 25


def test_one_connection_in_four_is_soon_free_for_what_is_urgent(
    tmp_path: Path, port: int, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are at work on slices of 25 when it comes."""
    monkeypatch.setattr(lanes, "LOOK_SECONDS", 0.05)
    readers, came = 140, 12
    made = publication(tmp_path, port, readers=readers)
    last = "WHERE place IN (SELECT max(place) FROM delivery)"

    def call() -> None:
        with sqlite3.connect(made.root / "var" / "syndicate.db", timeout=30) as database:
            database.execute(f"UPDATE delivery SET priority = 9, not_before = 0 {last}")

    relay.seconds, relay.at[came] = 0.03, call
    with made.opened(AT) as app:
        tick(app, app.now())
        later = f"UPDATE delivery SET not_before = {2**60} {last}"
        app.store.write(lambda connection: connection.exec_driver_sql("UPDATE delivery SET priority = 0").close())
        app.store.write(lambda connection: connection.exec_driver_sql(later).close())
        Runtime(app).drain()
    assert len(relay.got) == readers
    assert relay.got.index(f"reader{readers - 1}@readers.example") < came + 50  # 80 and more without such a connection
