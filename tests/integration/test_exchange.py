"""One transaction for all connections: what each has to report goes along when another asks, and what it sends next."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from integration.test_lanes import AT, publication
from syndicate.app import App
from syndicate.errors import StoreError
from syndicate.model import State
from syndicate.publish.exchange import Exchange, Hand
from syndicate.publish.lane import Lane
from syndicate.publish.lanes import Office
from syndicate.publish.tick import tick
from syndicate.store.breaker import Breaker
from syndicate.store.duties import Duty, Result
from syndicate.store.ledger import Ledger
from syndicate.store.places import place_key

READERS = 8


class Counter:
    """Two connections with four messages each, a0 to a3 and b0 to b3, claimed and not sent."""

    def __init__(self, app: App) -> None:
        tick(app, app.now())
        place = app.store.write(lambda connection: place_key(connection, "account", "mail"))
        breaker = Breaker(app.store, "127.0.0.1")
        self.app, self.done = app, 0
        self.office = Office(
            app=app,
            channel=cast("Any", app.channels["mail"]),
            place=place,
            breaker=breaker,
            now=app.now,
            stopping=lambda: False,
            settled=lambda _: None,
        )
        self.exchange = Exchange(self.office, self.settled)
        self.a, self.b = self.exchange.join(), self.exchange.join()
        duties = app.ledger.claim(place, app.now(), READERS)
        self.duties: dict[str, Duty] = {}
        for hand, name, theirs in ((self.a, "a", duties[:4]), (self.b, "b", duties[4:])):
            for number, duty in enumerate(theirs):
                self.duties[f"{name}{number}"] = duty
                hand.take(f"{name}{number}", duty)

    def settled(self, n: int) -> None:
        self.done += n

    def sent(self, hand: Hand, key: str) -> None:
        duty, intended = hand.part(key)
        assert intended
        hand.report(Result(duty=duty, state=State.SENT, remote_id=f"{key}@letter.example"))

    def states(self) -> str:
        """How a0 to b3 stand: claimed, on the wire ("sending"), sent, pending, suppressed."""
        assert self.app.books.recount() == []
        with self.app.store.read() as connection:
            rows = connection.exec_driver_sql("SELECT place, state FROM delivery").all()
        short = {"claimed": "c", "sending": "w", "sent": "S", "pending": "p", "suppressed": "x"}
        found = {place: short[state] for place, state in rows}
        return "".join(found[duty.place] for duty in self.duties.values())


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    with publication(tmp_path, 1, readers=READERS).opened(AT) as app:
        yield Counter(app)


def test_who_asks_reports_for_the_others_and_asks_for_what_they_send_next(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits, take = [], Ledger.exchange
    monkeypatch.setattr(Ledger, "exchange", lambda *args, **more: commits.append(1) or take(*args, **more))
    counter.b.meanwhile(3)
    assert counter.exchange.intend(counter.a, ["a0"]) == {"a0"}
    assert counter.states() == "wcccwwwc"
    news = counter.b.meanwhile(3)
    assert (set(news), min(news.values()) > 0) == ({"b0", "b1", "b2"}, True)
    assert counter.b.meanwhile(3) == {}  # told once
    counter.sent(counter.b, "b0")
    assert counter.exchange.intend(counter.a, ["a1", "a2"]) == {"a1", "a2"}
    assert (len(commits), counter.done) == (2, 1)
    assert counter.states() == "wwwcSwww"  # b0 is sent: there is room for one more


def test_no_more_are_in_doubt_than_the_connection_says(counter: Counter) -> None:
    counter.exchange.intend(counter.b, ["b0", "b1"])
    for most in (0, 1, 2):
        counter.b.meanwhile(most)
        counter.exchange.intend(counter.a, [f"a{most}"])
        assert counter.states()[4:] == "wwcc"
    counter.exchange.leave(counter.b)
    counter.b.meanwhile(25)
    counter.exchange.intend(counter.a, ["a3"])
    assert counter.states() == "wwwwwwcc"


def test_a_reader_who_has_left_is_not_granted_to_another_connection_either(counter: Counter) -> None:
    counter.app.store.write(
        lambda connection: connection.exec_driver_sql(
            "UPDATE subscription SET state = 'ended' WHERE subscriber = ?", (counter.duties["b1"].place,)
        ).close()
    )
    counter.b.meanwhile(2)
    counter.exchange.intend(counter.a, ["a0"])
    news = counter.b.meanwhile(2)
    assert (news["b0"] > 0, news["b1"]) == (True, 0)
    assert counter.states() == "wcccwxcc"


def test_who_waits_for_a_turn_finds_its_own_granted(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, go_on = held(monkeypatch)
    counter.b.meanwhile(2)
    first = threading.Thread(target=counter.exchange.intend, args=(counter.a, ["a0"]))
    found: list[set[str]] = []
    second = threading.Thread(target=lambda: found.append(counter.exchange.intend(counter.b, ["b0", "b1"])))
    first.start()
    assert inside.wait(10)
    second.start()
    go_on.set()
    first.join(10)
    second.join(10)
    assert found == [{"b0", "b1"}]
    assert counter.states() == "wcccwwcc"


def test_all_who_wait_for_a_turn_share_the_next(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where replies take long, nothing is asked for in advance: connections meet while they wait."""
    third = counter.exchange.join()
    third.take("b3", counter.b.part("b3")[0])
    inside, go_on = held(monkeypatch)
    asked = [(counter.a, ["a0"]), (counter.b, ["b0"]), (third, ["b3"])]
    threads = [threading.Thread(target=counter.exchange.intend, args=each) for each in asked]
    threads[0].start()
    assert inside.wait(10)
    for thread in threads[1:]:
        thread.start()
    while not (counter.b.wanting() and third.wanting()):
        time.sleep(0.001)
    commits, take = [], Ledger.exchange
    monkeypatch.setattr(Ledger, "exchange", lambda *args, **more: commits.append(1) or take(*args, **more))
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert (counter.states(), len(commits)) == ("wcccwccw", 1)


def test_what_is_handed_back_while_another_asks_for_it_is_not_left_on_the_wire(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    lane = Lane(counter.office, cast("Any", counter), counter.exchange, brief=False)
    for key in ("b0", "b1"):
        lane._hand.take(key, counter.b.part(key)[0])
    inside, go_on = held(monkeypatch)
    lane.meanwhile(1)
    asking = threading.Thread(target=counter.exchange.intend, args=(counter.a, ["a0"]))

    def drop() -> None:
        lane.tell("b0", None)
        lane._flush()

    dropping = threading.Thread(target=drop)
    asking.start()
    assert inside.wait(10)
    dropping.start()
    dropping.join(0.1)
    go_on.set()
    asking.join(10)
    dropping.join(10)
    assert counter.states() == "wcccpccc"


def test_results_outlive_a_transaction_that_fails(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    counter.exchange.intend(counter.b, ["b0"])
    counter.sent(counter.b, "b0")
    with monkeypatch.context() as broken:
        broken.setattr(Ledger, "exchange", lambda *_, **__: full())
        with pytest.raises(StoreError):
            counter.exchange.intend(counter.a, ["a0"])
    counter.exchange.intend(counter.a, ["a0"])
    assert counter.states() == "wcccSccc"


def held(monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, threading.Event]:
    """Somebody's transaction is on the disk, and they do not know it yet; let them go on."""
    inside, go_on, take = threading.Event(), threading.Event(), Ledger.exchange

    def exchange(*args: Any, **more: Any) -> Any:
        found = take(*args, **more)
        inside.set()
        assert go_on.wait(10)
        return found

    monkeypatch.setattr(Ledger, "exchange", exchange)
    return inside, go_on


def full() -> None:
    msg = "the disk is full"
    raise StoreError(msg)
