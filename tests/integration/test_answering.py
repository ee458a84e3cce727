"""What a person asks of the books: did she get it, how was yesterday, try the failed ones again."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from publication import Publication, instant
from syndicate.app import App
from syndicate.cli import explain, main, yesterday
from syndicate.errors import SyndicateError
from syndicate.model import Frequency, State
from syndicate.store import agenda
from syndicate.store.duties import Result
from syndicate.store.places import place_key
from syndicate.store.subscribers import Wishes

EVE, MORNING = "2026-11-22 12:00", "2026-11-23 06:30"


@pytest.fixture(scope="module")
def publication(tmp_path_factory: pytest.TempPathFactory) -> Publication:
    """Four readers of a daily edition: two got it, one was refused, one is in doubt. The last test changes that."""
    made = Publication(root=tmp_path_factory.mktemp("answers") / "p")
    made.begin(EVE)
    made.subscribe(EVE, anna=Wishes(), ben=Wishes(), cy=Wishes(), di=Wishes(), eve=Wishes(frequency=Frequency.WEEKLY))
    made.brief("one", "2026-11-22T13:00:00Z")
    made.quote("q1", "An invented sentence that asks for obedience.")
    made.run("2026-11-22 14:00")
    made.run(MORNING)
    with made.opened(MORNING) as app:
        spoil(app, "ben", State.FAILED)
        spoil(app, "cy", State.UNCERTAIN)
        app.ledger.finish()
    return made


def spoil(app: App, name: str, state: State) -> None:
    """As if the mail server had said otherwise: back over a retry, a claim and an intent."""
    place = app.subscribers.find(f"{name}@readers.example")
    with app.store.read() as connection:
        row = connection.exec_driver_sql("SELECT sending, channel FROM delivery WHERE place = ?", (place,)).one()
    app.store.write(
        lambda c: [
            c.exec_driver_sql("UPDATE delivery SET state = 'failed' WHERE place = ?", (place,)),
            c.exec_driver_sql("UPDATE tally SET n = n - 1 WHERE sending = ? AND state = 'sent'", (row.sending,)),
            c.exec_driver_sql(
                "INSERT INTO tally VALUES (?, 'subscriber', 'failed', 1) ON CONFLICT DO UPDATE SET n = n + 1", (row.sending,)
            ),
        ]
    )
    assert app.ledger.decide(row.sending, place or 0, State.PENDING, app.now(), who="test")
    (duty,) = app.ledger.claim(row.channel, app.now(), 10)
    app.ledger.intend([duty], app.now())
    app.ledger.settle(
        [Result(duty=duty, state=state, code="550", detail="no such mailbox", not_before=app.now() + timedelta(days=9))],
        app.now(),
    )


def asked(app: App, name: str, edition: int = 1) -> dict[str, Any]:
    found = explain.gathered(app, f"{name}@readers.example", edition)
    assert json.dumps(found, default=str)
    return found


def edition_of(app: App) -> agenda.Edition:
    with app.store.read() as connection:
        return next(one for one in agenda.editions(connection) if one.frequency == "daily")


def test_yesterday_tells_the_day_without_a_word_of_the_quote(
    publication: Publication, capsys: pytest.CaptureFixture[str]
) -> None:
    with publication.opened("2026-11-24 08:00") as app:
        facts = yesterday.gathered(app, app.now())
        yesterday._show(facts)
        (one,) = [row for row in facts["editions"] if row["frequency"] == "daily"]
        assert one["readers"] == one["sent"] + one["failed"] + one["uncertain"] == 4
        assert (facts["failed"], facts["uncertain"], facts["quote"]["id"]) == (1, 1, "q1")
        before = yesterday.gathered(app, instant("2026-11-23 08:00"))
        assert before["new"] == {"digest": 5}
        assert before["editions"] == []
        assert any("no quote may run tomorrow" in gap for gap in facts["tomorrow"])
    told = capsys.readouterr().out + json.dumps(facts, default=str)
    assert "readers = 2 sent, 1 failed, 1 uncertain" in told
    assert "obedience" not in told
    assert "@readers.example" not in told


def test_each_reader_is_told_what_became_of_an_edition_and_why(
    publication: Publication, capsys: pytest.CaptureFixture[str]
) -> None:
    with publication.opened(MORNING) as app:
        key = edition_of(app).key
        anna, ben, cy = (asked(app, name, key) for name in ("anna", "ben", "cy"))
        assert (anna["got_it"], ben["got_it"], cy["got_it"]) == (True, False, False)
        assert anna["deliveries"][0]["done"] == instant(MORNING)
        assert ben["deliveries"][0]["said"][-1]["words"] == "no such mailbox"
        assert "nobody knows" in cy["verdict"]
        assert any("they read weekly" in why for why in asked(app, "eve", key)["why_not"])
        app.subscribers.add("new@readers.example", "digest", Wishes(), at=app.now(), covered_to=app.now(), consent={})
        di = app.subscribers.find("di@readers.example") or 0
        app.subscribers.end(di, app.subscribers.views(di)[0].letter, app.now() + timedelta(hours=1), "page")
        later = asked(app, "di", key)
        assert (later["got_it"], later["subscription"]["as_then"], later["subscription"]["state"]) == (True, False, "ended")
        with pytest.raises(SyndicateError, match="there is no edition 99"):
            asked(app, "anna", 99)
        with pytest.raises(SyndicateError, match="no reader"):
            asked(app, "nobody", key)
    assert main(["-C", str(publication.root), "explain", "ANNA@readers.example", str(key)]) == 0
    assert "wishes (" in capsys.readouterr().out


def test_failed_messages_of_an_edition_go_back_and_uncertain_ones_never(
    publication: Publication, capsys: pytest.CaptureFixture[str]
) -> None:
    with publication.opened(MORNING) as app:
        key = edition_of(app).key
        assert edition_of(app).state == "finished"
    assert main(["-C", str(publication.root), "editions", "retry", str(key)]) == 0
    told = capsys.readouterr().err
    assert "1 failed message of edition" in told
    assert "1 uncertain one" in told
    with publication.opened(MORNING) as app:
        assert edition_of(app).state == "sending"
        balance = app.books.balance("edition", str(key))
        assert (balance.open, balance.states[State.UNCERTAIN]) == (1, 1)
        app.ledger.finish()
        assert edition_of(app).state == "sending"
        assert app.books.damage() == []
    assert main(["-C", str(publication.root), "editions", "retry", str(key)]) == 1
    assert main(["-C", str(publication.root), "editions", "retry", "99"]) == 1


def test_after_a_kill_each_command_says_what_comes_next(publication: Publication, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*arguments: str) -> str:
        capsys.readouterr()
        main(["-C", str(publication.root), *arguments])
        return "".join(capsys.readouterr())

    with publication.opened(MORNING) as app:
        place = app.store.write(lambda connection: place_key(connection, "account", "mail"))
        (duty,) = app.ledger.claim(place, app.now(), 25)
        assert app.ledger.intend([duty], app.now())
        key = str(edition_of(app).key)
    name = f"{duty.sending}.{duty.place}"
    assert "in hand when the program died: 1; `syndicate run` goes on" in said("status")
    assert "is sending, neither uncertain nor failed: it is on the wire" in said("deliveries", "settle", name, "--sent")
    assert "there is no delivery 99.99" in said("deliveries", "settle", "99.99", "--sent")
    assert "it is on the wire" in said("explain", "ben@readers.example", key)
    assert "--sent | --resend | --drop" in said("explain", "cy@readers.example", key)
    assert "uncertain: `syndicate deliveries list --state uncertain`, then `settle`" in said("editions", "show", key)
    assert "nothing to try again" in said("editions", "retry", key)
