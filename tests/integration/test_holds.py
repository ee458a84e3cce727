"""The kill switch (Q15): another process stops a sending within seconds, the stop lasts, and nothing is made up for."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from publication import SETTINGS, SOCIAL, Publication
from syndicate.cli import main
from syndicate.cli.release import _decided
from syndicate.errors import SyndicateError
from syndicate.model import Frequency
from syndicate.store import agenda, audit
from syndicate.store.books import Waiting
from syndicate.store.subscribers import Wishes

READERS = 120
SLOW = 0.04  # seconds a message: about five for all of them


class Witness:
    """Keeps when each message was taken."""

    def __init__(self) -> None:
        self.times: list[float] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        import asyncio

        await asyncio.sleep(SLOW)
        self.times.append(time.monotonic())
        return "250 2.0.0 taken"


def command(root: Path, *arguments: str) -> subprocess.Popen[str]:
    environ = {**os.environ, "HOME": str(root.parent)}
    return subprocess.Popen(
        [sys.executable, "-m", "syndicate", "-C", str(root), *arguments],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def done(process: subprocess.Popen[str]) -> tuple[int, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out + err


def test_a_hold_from_another_process_stops_a_sending_within_five_seconds_and_lasts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    witness = Witness()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(witness, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        smtp = f'kind = "smtp"\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\nconnections = 1\nrate = ""\n'
        web = '\n[web]\npublic_url = "https://letter.test.example"\n'
        made = Publication(root=tmp_path / "p", settings=SETTINGS.replace('kind = "outbox"\nlike = "smtp"\n', smtp) + web)
        made.begin("2026-01-01 00:00")
        made.subscribe("2026-01-01 00:00", **{f"reader{n}": Wishes(frequency=Frequency.WEEKLY) for n in range(READERS)})
        made.brief("a", "2026-01-02T09:00:00Z")
        sending = command(made.root, "editions", "send", "digest")
        deadline = time.monotonic() + 40
        while len(witness.times) < 20 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert main(["-C", str(made.root), "hold", "all", "--reason", "stop the press"]) == 0
        held_at = time.monotonic()
        done(sending)
        time.sleep(0.5)
        reached = len(witness.times)
        assert 20 <= reached < READERS
        assert max(witness.times) - held_at < 5

        def say(*arguments: str) -> tuple[int, str]:
            """A program that begins anew, as far as the publication knows."""
            capsys.readouterr()
            return main(["-C", str(made.root), *arguments]), "".join(capsys.readouterr())

        assert say("editions", "send", "digest")[0] == 1  # a restart: nothing leaves
        assert len(witness.times) == reached
        code, told = say("release", "all")
        assert code == 1
        assert f"edition:1: {READERS - reached} deliveries; say --continue or --cancel-rest" in told
        code, told = say("release", "all", "--cancel-rest")
        assert (code, f"{READERS - reached} deliveries cancelled" in told) == (0, True)
        say("run", "--once")
        assert len(witness.times) == reached
        with made.opened("2026-01-05 00:00") as app:
            balance = app.books.balance("edition", "1")
        assert (balance.audience, balance.open) == (READERS, 0)
    finally:
        controller.stop()


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    made = Publication(root=tmp_path / "p", settings=SETTINGS + SOCIAL)
    made.begin("2026-11-22 04:00")
    made.subscribe("2026-11-22 04:00", i=Wishes(frequency=Frequency.INSTANT), d=Wishes(frequency=Frequency.DAILY))
    return made


def lift(publication: Publication, at: str, *arguments: str, patch: pytest.MonkeyPatch) -> int:
    """``release`` as if it were ``at``."""
    from contextlib import contextmanager

    @contextmanager
    def opened(_: object) -> Any:
        with publication.opened(at) as app:
            yield app

    patch.setattr("syndicate.cli.publication.opened", opened)
    return main(["-C", str(publication.root), "release", *arguments])


def hold(publication: Publication, target: str, at: str) -> None:
    with publication.opened(at) as app:
        app.holds.place(target, "a check", who="test", now=app.now())


def lost(publication: Publication) -> set[tuple[str, str]]:
    with publication.opened("2026-11-30 00:00") as app, app.store.read() as connection:
        from publication import instant

        return {(row["schedule"], row["state"]) for row in agenda.slots(connection, since=instant("2026-11-22 00:00"))}


def test_slots_that_fall_into_a_hold_are_cancelled_even_where_nothing_ran(
    publication: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    publication.quote("0101", "A sentence about a lighthouse that nobody keeps any more.")
    publication.quote("0102", "A sentence about a harbour that nobody enters any more.")
    publication.run("2026-11-22 12:00")
    before = publication.outbox("mastodon")
    hold(publication, "quotes", "2026-11-22 12:01")
    # The machine is off over the slot of the 23rd at 06:00; the hold is lifted at nine, the run begins after.
    assert lift(publication, "2026-11-23 08:00", "quotes", patch=monkeypatch) == 0
    monkeypatch.undo()
    publication.run("2026-11-23 08:05")
    assert ("quotes", "cancelled") in lost(publication)
    assert publication.outbox("mastodon") == before
    publication.run("2026-11-24 08:05")
    assert len(publication.outbox("mastodon")) == len(before) + 1


def test_instant_readers_are_not_flooded_when_a_hold_ends(publication: Publication, monkeypatch: pytest.MonkeyPatch) -> None:
    publication.run("2026-11-22 12:00")
    hold(publication, "digest", "2026-11-22 12:01")
    for number in range(5):
        publication.brief(f"b{number}", f"2026-11-22T13:0{number}:00Z")
    publication.run("2026-11-22 14:00")
    assert lift(publication, "2026-11-22 15:00", "digest", patch=monkeypatch) == 0
    monkeypatch.undo()
    publication.run("2026-11-22 15:01")
    assert not publication.outbox()
    assert ("digest.instant", "cancelled") in lost(publication)
    publication.run("2026-11-23 06:30")
    assert len(publication.outbox()) == 1  # the daily reader's digest, which has its own slot


def test_each_waiting_edition_and_post_is_decided_by_itself(publication: Publication, monkeypatch: pytest.MonkeyPatch) -> None:
    publication.brief("one", "2026-11-22T13:00:00Z")
    publication.brief("two", "2026-11-22T13:01:00Z")
    with publication.opened("2026-11-22 13:02") as app:
        from syndicate.publish.tick import tick

        tick(app, app.now())  # planned, and nothing sent
    hold(publication, "all", "2026-11-22 13:03")
    assert lift(publication, "2026-11-22 13:04", "all", patch=monkeypatch) == 1
    assert lift(publication, "2026-11-22 13:04", "all", "--continue", "edition:99", patch=monkeypatch) == 1
    assert lift(publication, "2026-11-22 13:04", "all", "--continue", "1", "post:two", "--cancel-rest", patch=monkeypatch) == 0
    monkeypatch.undo()
    publication.run("2026-11-22 13:05")
    with publication.opened("2026-11-22 13:06") as app:
        told = [app.books.balance("edition", number).states for number in ("1", "2")]
        with app.store.read() as connection:
            line = next(line for line in audit.lines(connection) if line.act == "release")
    assert [list(states) for states in told] == [["sent"], ["cancelled"]]
    assert all(b"one" not in path.read_bytes() for path in publication.outbox("x"))
    assert line.detail["decided"] == {
        "edition:1": "continue",
        "edition:2": "cancel",
        "post:one": "cancel",
        "post:two": "continue",
    }


def test_an_edition_named_by_both_options_is_refused() -> None:
    waiting = {"edition:1": Waiting(kind="edition", subject="1", n=2)}
    with pytest.raises(SyndicateError, match="named by both"):
        _decided(waiting, ["1"], ["edition:1"])


def test_every_hold_and_release_is_in_the_audit_log(publication: Publication, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-C", str(publication.root), "hold", "quotes", "--reason", "we check a source"]) == 0
    assert main(["-C", str(publication.root), "release", "--continue", "quotes"]) == 0
    with publication.opened("2026-11-30 00:00") as app, app.store.read() as connection:
        assert [line.act for line in audit.lines(connection)][:2] == ["release", "hold"]
        assert json.dumps(audit.lines(connection)[1].detail) == '{"reason": "we check a source"}'
    capsys.readouterr()


def test_a_reason_that_repeats_a_quote_is_withheld_and_the_stop_acts_all_the_same(tmp_path: Path) -> None:
    made = Publication(root=tmp_path / "p", settings=SETTINGS + SOCIAL)
    made.begin("2026-01-01 04:00")
    made.quote("0101", "Nobody who repairs a bridge should ask who walks over it.")
    made.run("2026-01-02 05:30")
    for target, reason in (("quotes", "who has said that nobody who repairs a bridge should?"), ("x", "we check a source")):
        assert main(["-C", str(made.root), "hold", target, "--reason", reason]) == 0
    with made.opened("2026-01-02 06:00") as app:
        kept = {hold.target: hold.reason for hold in app.holds.list()}
        with app.store.read() as connection:
            told = [line for line in map(repr, audit.lines(connection)) if "repairs" in line]
    assert kept == {"quotes": "[withheld: it repeats the words of a quote]", "x": "we check a source"}
    assert told == []
