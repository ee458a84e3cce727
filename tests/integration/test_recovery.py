"""What a crash left in doubt: asked about at the next start, again while the answer may still come, then left to a person."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from tests.publication import SETTINGS, Publication, instant

from syndicate.errors import StoreError
from syndicate.model import State
from syndicate.publish.tick import tick
from syndicate.runtime import Runtime, compose
from syndicate.store.subscribers import place_key
from syndicate.testing import FakeX
from syndicate.testing.x import KEYS

START = "2026-11-22 12:00"
DUE = instant("2026-11-22 13:00")
CONFIG = """
[channels.x]
kind = "x"
url = "{url}"

[web]
public_url = "https://letter.test.example"
"""


class Account:
    """A publication that posts on one account of X, whose clock a test moves."""

    def __init__(self, root: Path) -> None:
        self.now = DUE
        self.network = FakeX(now=lambda: self.now)
        environ = {f"SYNDICATE_CHANNELS__X__{key.upper()}": value for key, value in KEYS.items()}
        settings = SETTINGS + CONFIG.format(url=self.network.url)
        self.publication = Publication(root=root, settings=settings, environ=environ)
        self.publication.begin(START)
        self.publication.brief("one", DUE.isoformat())

    def crash(self, *, sent: bool) -> None:
        """Plan, claim, intend, perhaps send, and never settle."""
        self.now = DUE
        with self.publication.opened(self.now.isoformat()) as app:
            tick(app, app.now())
            place = app.store.write(lambda connection: place_key(connection, "account", "x"))
            (duty,) = app.ledger.claim(place, app.now(), 25)
            ((key, parcel),) = [made for made in compose(app, [duty]).values() if not isinstance(made, Exception)]
            assert app.ledger.intend([duty], app.now())
            if sent:
                app.channels["x"].send(parcel, key)

    def run(self, after: float) -> State:
        """A start, a tick and all that it made due, so many seconds after the crash; how the delivery stands then."""
        self.now = DUE + timedelta(seconds=after)
        with self.publication.opened(self.now.isoformat()) as app:
            runtime = Runtime(app)
            runtime.recover()
            tick(app, app.now())
            runtime.drain()
            (line,) = app.books.lines(channel="x")
            return line.state


@pytest.fixture
def account(tmp_path: Path) -> Account:
    return Account(tmp_path / "letter")


def test_a_post_that_had_left_is_found_and_not_sent_again(account: Account) -> None:
    with account.network as network:
        account.crash(sent=True)
        assert account.run(after=2) is State.SENT
        assert len(network.posts) == 1


def test_a_post_that_had_not_left_is_looked_for_until_that_is_certain_and_then_sent(account: Account) -> None:
    with account.network as network:
        account.crash(sent=False)
        assert account.run(after=2) is State.UNCERTAIN  # the timeline may not show it yet
        assert account.run(after=12) is State.UNCERTAIN  # the next look is not due
        assert network.posts == []
        assert account.run(after=40) is State.SENT
        assert len(network.posts) == 1


def test_a_result_that_the_database_did_not_take_is_found_out_by_the_same_process(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    with account.network as network, account.publication.opened(DUE.isoformat()) as app:
        tick(app, app.now())
        runtime = Runtime(app)
        with monkeypatch.context() as patch:
            patch.setattr(app.ledger, "settle", lambda *_: full_disk())
            runtime.drain()
        assert [line.state for line in app.books.lines(channel="x")] == [State.SENDING]
        assert runtime.stopped == {"x"}
        runtime.drain()
        assert [line.state for line in app.books.lines(channel="x")] == [State.SENT]
        assert (runtime.stopped, len(network.posts)) == (set(), 1)


def test_what_was_claimed_when_the_database_failed_is_sent_by_the_same_process(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    with account.network as network, account.publication.opened(DUE.isoformat()) as app:
        tick(app, app.now())
        runtime = Runtime(app)
        with monkeypatch.context() as patch:
            patch.setattr(app.ledger, "intend", lambda *_: full_disk())
            runtime.drain()
        assert [line.state for line in app.books.lines(channel="x")] == [State.CLAIMED]
        runtime.drain()
        assert [line.state for line in app.books.lines(channel="x")] == [State.SENT]
        assert len(network.posts) == 1


def full_disk() -> None:
    raise StoreError


def test_a_failing_database_decides_no_slot(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    account.publication.quote("q1", "Give us the keys of your houses and we will keep the doors.")
    with account.network, account.publication.opened("2026-11-23 07:30") as app:
        with monkeypatch.context() as patch:
            patch.setattr(type(app.content), "sync", lambda *_, **__: full_disk())
            report = tick(app, app.now())
        assert [fault.file for fault in report.faults] == ["tick"]
        assert (report.planned, report.feeds) == ([], ())
        report = tick(app, app.now())
    assert report.faults == []
    assert {planned.slot.schedule: planned.state for planned in report.planned}["quotes"] == "expanded"


def test_what_a_crash_left_behind_a_hold_is_asked_about_once_the_hold_is_lifted(account: Account) -> None:
    with account.network as network:
        account.crash(sent=True)
        with account.publication.opened((DUE + timedelta(minutes=1)).isoformat()) as app:
            app.holds.place("x", "a wrong picture", who="test", now=app.now())
            runtime = Runtime(app)
            runtime.recover()
            runtime.drain()
            assert [line.state for line in app.books.lines(channel="x")] == [State.SENDING]
            app.holds.lift("x", who="test", now=app.now(), detail={})
            runtime.drain()
            assert [line.state for line in app.books.lines(channel="x")] == [State.SENT]
        assert len(network.posts) == 1
