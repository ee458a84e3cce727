"""Double opt-in, limits, export and erasure, from the wish to the mail: real SQLite, the outbox and a clock of our own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.publication import SETTINGS, Publication, instant

from syndicate.app import App
from syndicate.model import Frequency, QuoteDisplay
from syndicate.publish import signup
from syndicate.publish.tick import tick
from syndicate.runtime import Runtime
from syndicate.store import consent, keys, schema, signups, suppression
from syndicate.store.subscribers import SubscriptionView
from syndicate.store.wishes import Wishes

NOON = "2026-11-22 12:00"
ANNA = "anna.marrow@readers.example"
WISHES = Wishes(frequency=Frequency.WEEKLY, hour=9, zone="Asia/Kolkata", quote_display=QuoteDisplay.LINK)


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    made = Publication(root=tmp_path / "letter")
    made.begin(NOON)
    return made


def wish(address: str = ANNA, wishes: Wishes = WISHES) -> signup.Wish:
    return signup.Wish(address=address, newsletter="digest", wishes=wishes, wording="I agree.", form="/subscribe")


def ask(app: App, address: str = ANNA, network: str = "192.0.2.0/24", wishes: Wishes = WISHES) -> str:
    return signup.ask(app, wish(address, wishes), network, app.now())


def mails(publication: Publication, address: str = ANNA) -> list[EmailMessage]:
    found = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in publication.outbox()]
    return [mail for mail in found if isinstance(mail, EmailMessage) and address in str(mail["To"])]


def text(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def view(app: App, address: str = ANNA) -> SubscriptionView | None:
    with app.store.read() as connection:
        place = connection.execute(
            sa.select(schema.subscriber.c.key).where(schema.subscriber.c.address_key == address.lower())
        ).scalar()
    return app.subscribers.views(place)[0] if place is not None and app.subscribers.views(place) else None


def state(app: App, address: str = ANNA) -> str:
    found = view(app, address)
    return found.state if found else ""


def sent(app: App) -> None:
    for _ in range(2):  # a slice in which everybody has left ends a drain
        Runtime(app).drain()


@contextmanager
def later(publication: Publication, **delta: float) -> Iterator[App]:
    with publication.opened((instant(NOON) + timedelta(**delta)).isoformat()) as app:
        yield app


def confirmed(app: App, address: str = ANNA) -> SubscriptionView:
    asked = view(app, address)
    assert asked
    assert signup.confirm(app, asked, app.now())
    found = view(app, address)
    assert found
    return found


# -- double opt-in ------------------------------------------------------------------------------


def test_a_wish_is_confirmed_welcomed_and_on_record(publication: Publication) -> None:
    with publication.opened(NOON) as app:
        assert ask(app) == "yes"
        assert state(app) == "pending"
        sent(app)
        sent(app)
        (first,) = mails(publication)
        assert first["Subject"] == "Please confirm: The Test Letter"
        assert first["List-Unsubscribe"] is None
        assert first["Auto-Submitted"] == "auto-generated"
        assert re.search(r"http://127\.0\.0\.1:8000/c/[\w-]{22}\s", text(first))
    with later(publication, hours=2) as app:
        assert confirmed(app).wishes == WISHES
        asked = view(app)
        assert asked
        assert not signup.confirm(app, asked, app.now())  # once
        sent(app)
        _, welcome = mails(publication)
        # 09:00 in Kolkata on Monday is 03:30 UTC
        assert "from Monday, 23 November 2026 at 09:00" in " ".join(text(welcome).split())
        assert welcome["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        kept = signup.record(app, asked.subscriber)
        assert kept
        assert kept["subscriptions"][0]["consent"] == {
            "asked": "2026-11-22T12:00:00+00:00",
            "wording": "I agree.",
            "form": "/subscribe",
            "confirmed": "2026-11-22T14:00:00+00:00",
        }
        assert [one["state"] for one in kept["sent"]] == ["sent", "sent"]


def test_nothing_but_the_question_is_sent_before_the_answer(publication: Publication) -> None:
    with publication.opened(NOON) as app:
        ask(app, wishes=Wishes(frequency=Frequency.INSTANT))
    publication.brief("one", "2026-11-22T13:00:00Z")
    for hours in (2, 26, 24 * 6):
        publication.run((instant(NOON) + timedelta(hours=hours)).isoformat())
    assert [mail["Subject"] for mail in mails(publication)] == ["Please confirm: The Test Letter"]


def test_a_wish_that_nobody_confirms_lapses_and_leaves_no_trace(publication: Publication) -> None:
    with publication.opened(NOON) as app:
        ask(app)
        sent(app)
    publication.run((instant(NOON) + timedelta(days=6, hours=23)).isoformat())
    with later(publication, days=6, hours=23) as app:
        assert state(app) == "pending"
        asked = view(app)
    publication.run((instant(NOON) + timedelta(days=7, hours=1)).isoformat())
    with later(publication, days=7, hours=1) as app:
        assert state(app) == ""
        assert asked
        assert not signup.confirm(app, asked, app.now())
        with app.store.read() as connection:
            assert connection.execute(sa.select(schema.subscriber)).all() == []
            assert connection.execute(sa.select(schema.signup)).all() == []
        assert app.books.damage() == []
        ask(app, "bela@readers.example")
        bela = view(app, "bela@readers.example")
        assert bela
        assert bela.subscriber != asked.subscriber, "the old link would confirm somebody else"


def test_who_left_comes_back_by_confirming_and_stays_away_otherwise(publication: Publication) -> None:
    with publication.opened(NOON) as app:
        ask(app)
        first = confirmed(app)
        app.subscribers.end(first.subscriber, first.letter, app.now(), "page")
        ask(app, wishes=Wishes())
        assert state(app) == "pending"
    publication.run((instant(NOON) + timedelta(days=8)).isoformat())
    with later(publication, days=8) as app:
        assert state(app) == "ended"
        kept = signup.record(app, first.subscriber)
        assert kept
        assert "page" in kept["subscriptions"][0]["consent"]["ended"]
        ask(app, wishes=Wishes())
        assert confirmed(app).state == "active"
        kept = signup.record(app, first.subscriber)
        assert kept
        assert "page" in kept["subscriptions"][0]["consent"]["before"]["consent"]["ended"]


def test_who_is_subscribed_already_is_told_so_and_nothing_changes(publication: Publication) -> None:
    with publication.opened(NOON) as app:
        ask(app)
        confirmed(app)
        sent(app)
        assert ask(app, "ANNA.Marrow@Readers.Example", wishes=Wishes()) == "yes"
        sent(app)
        assert confirmed_wishes(app) == WISHES
        assert sorted(str(mail["Subject"]).partition(":")[0] for mail in mails(publication)) == [
            "Confirmed",
            "You receive it already",
        ]


def confirmed_wishes(app: App) -> Wishes:
    found = view(app)
    assert found
    assert found.state == "active"
    return found.wishes


def test_who_leaves_before_the_mail_left_gets_none(publication: Publication) -> None:
    with publication.opened(NOON) as app:
        ask(app)
        found = confirmed(app)  # the question is still waiting, and not wanted any more
        app.subscribers.end(found.subscriber, found.letter, app.now(), "page")
        sent(app)
        assert mails(publication) == []
        assert app.books.damage() == []


def test_a_hold_stops_the_question_and_a_release_lets_it_go(publication: Publication) -> None:
    with publication.opened(NOON) as app:
        app.holds.place("digest", "we look at the form", who="me", now=app.now())
        ask(app)
        sent(app)
        assert mails(publication) == []
        app.holds.lift("digest", who="me", detail={}, now=app.now())
        sent(app)
        assert len(mails(publication)) == 1


# -- limits -------------------------------------------------------------------------------------


def test_one_mailbox_gets_three_mails_a_day_from_wherever_they_are_asked_for(publication: Publication) -> None:
    spellings = (ANNA, "Anna.Marrow@READERS.example", "anna.marrow+a@readers.example", "anna.marrow+b@readers.example")
    with publication.opened(NOON) as app:
        said = [ask(app, spelling, f"198.51.{n}.0/24") for n, spelling in enumerate(spellings * 2)]
        assert said == ["yes"] * 3 + ["quiet"] * 5
        sent(app)
        assert len(publication.outbox()) == 3
    with later(publication, days=1, minutes=1) as app:
        assert ask(app) == "yes"


def test_one_network_is_stopped_and_the_others_are_not(publication: Publication) -> None:
    with publication.opened(NOON) as app:
        said = [ask(app, f"reader{n}@readers.example") for n in range(22)]
        assert said == ["yes"] * 20 + ["network"] * 2
        assert ask(app, "other@readers.example", "203.0.113.0/24") == "yes"
    with later(publication, hours=1, minutes=1) as app:
        assert ask(app, "reader21@readers.example") == "yes"


def test_a_global_ceiling_stops_everybody(tmp_path: Path) -> None:
    made = Publication(root=tmp_path / "letter", settings=SETTINGS + "\n[signup]\nceiling = 2\n")
    with made.opened(NOON) as app:
        said = [ask(app, f"reader{n}@readers.example", f"198.51.{n}.0/24") for n in range(3)]
        assert said == ["yes", "yes", "everybody"]


def test_a_suppressed_address_is_asked_once_a_day_and_revived_by_its_owner_alone(publication: Publication) -> None:
    with publication.opened(NOON) as app:
        app.store.write(lambda connection: suppression.suppress(connection, ANNA, "complaint", app.now()))
        with pytest.raises(ValueError, match="suppression list"):
            app.subscribers.add(ANNA, "digest", WISHES, at=app.now(), covered_to=app.now(), consent={})
        assert [ask(app), ask(app)] == ["yes", "quiet"]
        with app.store.read() as connection:
            assert suppression.is_suppressed(connection, ANNA) == "complaint"
            assert suppression.suppressions(connection)(ANNA) == "complaint"
        confirmed(app)
        with app.store.read() as connection:
            assert suppression.is_suppressed(connection, ANNA) == ""


def test_what_is_counted_are_keyed_hashes_and_they_go_within_a_day(publication: Publication) -> None:
    with publication.opened(NOON) as app:
        ask(app)
        with app.store.read() as connection:
            rows = connection.execute(sa.select(schema.signup.c.hash)).scalars().all()
        assert all(re.fullmatch("[0-9a-f]{64}", row) for row in rows)
        assert len(set(rows)) == 3
    with later(publication, days=1, minutes=1) as app:
        signup.tidy(app, app.now())
        with app.store.read() as connection:
            assert connection.execute(sa.select(schema.signup)).all() == []


@pytest.mark.parametrize(
    ("client", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("2001:db8:1:ffff::3", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("testclient", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_network_is_what_one_person_is_given(client: str, network: str) -> None:
    assert signups.network_of(client) == network


# -- one's own data -----------------------------------------------------------------------------


def test_an_erased_reader_leaves_a_keyed_hash_and_nothing_else(publication: Publication) -> None:
    publication.brief("one", "2026-11-22T13:00:00Z")
    with publication.opened(NOON) as app:
        ask(app, wishes=Wishes(frequency=Frequency.INSTANT))
        sent(app)
        found = confirmed(app)
        sent(app)
        ask(app, "bela@readers.example")
        sent(app)
    publication.run("2026-11-22 14:00")
    with later(publication, hours=3) as app:
        person = signup.record(app, found.subscriber)
        assert person
        assert len(mails(publication)) == 3
        ask(app)  # one more waits when they are erased
        before = app.books.damage()
        assert signup.erase(app, found.subscriber, app.now())
        assert not signup.erase(app, found.subscriber, app.now())
        assert mails(publication) == []
        assert len(mails(publication, "bela@readers.example")) == 1
        assert app.books.damage() == before == []
        assert not leftovers(publication.root, (b"anna.marrow", person["id"].encode()))
        sent(app)
        assert mails(publication) == []
        with app.store.read() as connection:
            assert suppression.is_suppressed(connection, ANNA) == "erased"
    assert not leftovers(publication.root, (b"anna.marrow", person["id"].encode()))


def leftovers(root: Path, traces: tuple[bytes, ...]) -> list[Path]:
    files = [path for path in (root / "var").rglob("*") if path.is_file()]
    assert len(files) > 1
    return [path for path in files for trace in traces if trace in path.read_bytes().lower() or trace in path.read_bytes()]


def test_the_search_for_leftovers_finds_a_reader(publication: Publication) -> None:
    with publication.opened(NOON) as app:
        ask(app)
        assert leftovers(publication.root, (b"anna.marrow",))


def test_a_record_is_json_and_says_what_was_asked_for(publication: Publication) -> None:
    with publication.opened(NOON) as app:
        ask(app, wishes=replace(WISHES, topics=("leaving",), lang="ar", weekday=3))
        found = view(app)
        assert found
        kept = json.loads(json.dumps(signup.record(app, found.subscriber)))
        (one,) = kept["subscriptions"]
        assert kept["address"] == ANNA
        assert (one["frequency"], one["weekday"], one["hour"], one["zone"]) == ("weekly", 3, 9, "Asia/Kolkata")
        assert (one["topics"], one["quote"], one["language"], one["state"]) == (["leaving"], "link", "ar", "pending")
        assert signup.record(app, 10**6) is None


# -- keys ---------------------------------------------------------------------------------------


def test_a_new_key_signs_and_old_links_and_hashes_keep_their_meaning(publication: Publication) -> None:
    from syndicate import links

    with publication.opened(NOON) as app:
        app.store.write(lambda connection: suppression.suppress(connection, ANNA, "erased", app.now()))
        token = links.ReaderToken(subscriber=7, newsletter=1)
        old = links.sign(token, app.token_keys)
        assert app.store.write(lambda connection: keys.rotate(connection, app.now())) == 2
    with publication.opened(NOON) as app:
        new = links.sign(token, app.token_keys)
        assert new != old
        assert links.verify(old, app.token_keys) == links.verify(new, app.token_keys) == token
        with app.store.read() as connection:
            assert suppression.is_suppressed(connection, ANNA) == "erased"
            assert [number for number, _ in keys.listed(connection)] == [1, 2]


# -- law ----------------------------------------------------------------------------------------


def test_without_a_postal_address_not_even_the_question_leaves(tmp_path: Path) -> None:
    settings = SETTINGS.replace('postal_address = "1 Test Lane, Testham"\n', "")
    assert settings != SETTINGS
    made = Publication(root=tmp_path / "letter", settings=settings)
    with made.opened(NOON) as app:
        ask(app)
        sent(app)
        assert made.outbox() == []
        with app.store.read() as connection:
            (told,) = connection.execute(sa.select(schema.attempt.c.detail)).scalars()
        assert "postal address" in told


def test_every_mail_names_its_sender_an_address_that_answers_and_the_way_out(publication: Publication) -> None:
    publication.brief("one", "2026-11-22T13:00:00Z")
    with publication.opened(NOON) as app:
        ask(app, wishes=Wishes(frequency=Frequency.INSTANT))
        sent(app)
        found = confirmed(app)
        ask(app)
        for purpose in ("export", "erase"):
            app.store.write(
                lambda c, purpose=purpose: consent.owe_notice(c, purpose, found.subscriber, "digest", "mail", app.now())
            )
        sent(app)
    publication.run("2026-11-22 14:00")
    subjects = set()
    for mail in mails(publication):
        told = " ".join(text(mail).split())
        html = mail.get_body(("html",))
        assert html is not None
        assert str(mail["From"]) == "The Test Letter <letter@test.example>"
        for part in (told, html.get_content()):
            assert "1 Test Lane" in part
            assert "editors@test.example" in part
        asks = str(mail["Subject"]).startswith(("Please confirm", "Your data", "Erase your data"))
        assert ("do nothing" in told) == asks
        assert (mail["List-Unsubscribe"] is not None) == ("/u/" in told) == (not asks)
        subjects.add(str(mail["Subject"]).partition(":")[0])
    assert len(subjects) == 6


def test_leaving_counts_in_the_transaction_that_says_so(publication: Publication) -> None:
    with publication.opened(NOON) as app:
        ask(app)
        found = confirmed(app)
        app.subscribers.end(found.subscriber, found.letter, app.now(), "one-click")
        with app.store.read() as connection:
            states = connection.execute(sa.text("SELECT state FROM delivery")).scalars().all()
        assert set(states) == {"suppressed"}
        assert state(app) == "ended"


def test_a_tick_tidies_up(publication: Publication) -> None:
    with publication.opened(NOON) as app:
        ask(app)
    with later(publication, days=9) as app:
        assert tick(app, app.now()).faults == []
        assert state(app) == ""
