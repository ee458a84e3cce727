"""The ledger on real SQLite: duties once, intents before effects, results compare-and-set, books that balance."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from syndicate.model import Frequency, Slot, State
from syndicate.store import agenda, claims, duties, marks, migrate, moves
from syndicate.store.books import Books
from syndicate.store.breaker import Breaker
from syndicate.store.database import Store, driver
from syndicate.store.duties import Duty, Result
from syndicate.store.holds import Holds
from syndicate.store.ledger import Ledger
from syndicate.store.pace import Pace
from syndicate.store.subscribers import SubscriberStore, Wishes, newsletter_key, place_key

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
READERS = 7


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "ledger.db")
    migrate.ensure(store)
    marks.begin(store, NOW)
    yield store
    store.close()


@pytest.fixture
def ledger(store: Store) -> Ledger:
    return Ledger(store)


@pytest.fixture
def places(store: Store) -> list[int]:
    """An edition planned for seven readers; their keys."""
    subscribers = SubscriberStore(store)
    for number in range(READERS):
        subscribers.add(f"reader{number}@example.org", "digest", Wishes(), at=NOW, covered_to=NOW, consent={})
    with store.read() as connection:
        groups = agenda.groups(connection, "digest", Frequency.DAILY, clocks=None, before=None, now=NOW)
    keys = [place for group in groups for place in group.places]
    store.write(lambda connection: plan(connection, keys))
    return keys


def plan(connection: sa.Connection, places: list[int], *, due: datetime = NOW) -> int | None:
    """One sending of one frozen variant to ``places``, as the publish room records it."""
    letter = newsletter_key(connection, "digest")
    slot = agenda.record_slot(
        connection, Slot(schedule="digest.daily", zone="UTC", local=due.replace(tzinfo=None), due=due), "expanded"
    )
    if slot is None:
        return None
    edition = agenda.open_edition(connection, letter, "daily", due.date().isoformat(), due)
    from syndicate.model import QuoteDisplay

    variant = agenda.open_variant(connection, edition, [], QuoteDisplay.NONE, "", "quotes tag:example.org,2026:brief/one")
    agenda.freeze(connection, variant, "{}")
    sending = duties.open_sending(
        connection,
        kind="edition",
        subject=str(edition),
        due=due,
        targets=f"all digest edition:{edition}",
        slot=slot,
        newsletter=letter,
    )
    assert sending is not None
    duties.owe(connection, sending, places, channel=mail(connection), variant=variant)
    return sending


def mail(connection: sa.Connection) -> int:
    return place_key(connection, "account", "mail")


def claimed(store: Store, ledger: Ledger, limit: int = 100, now: datetime = NOW) -> list[Duty]:
    return ledger.claim(store.write(mail), now, limit)


def balance(store: Store) -> dict[State, int]:
    books = Books(store)
    assert books.recount() == []
    return dict(books.balance("edition", "1").states)


def test_a_slot_is_expanded_once_however_often_it_is_computed(store: Store, places: list[int]) -> None:
    assert store.write(lambda connection: plan(connection, places)) is None
    assert balance(store) == {State.PENDING: READERS}


def test_a_duty_is_claimed_by_one_worker_only(store: Store, ledger: Ledger, places: list[int]) -> None:
    first, second = claimed(store, ledger, 4), claimed(store, ledger, 100)
    assert len(first) == 4
    assert {duty.place for duty in first}.isdisjoint({duty.place for duty in second})
    assert claimed(store, ledger) == []


def test_the_books_balance_through_every_state(store: Store, ledger: Ledger, places: list[int]) -> None:
    duties_ = claimed(store, ledger)
    ledger.intend(duties_, NOW)
    outcomes = [State.SENT, State.DEFERRED, State.FAILED, State.UNCERTAIN, State.SUPPRESSED, State.CANCELLED, State.PENDING]
    ledger.settle([Result(duty=duty, state=state, not_before=NOW) for duty, state in zip(duties_, outcomes, strict=True)], NOW)
    found = balance(store)
    assert found == dict.fromkeys(outcomes, 1)
    assert sum(found.values()) == READERS


def test_no_intent_is_granted_twice(store: Store, ledger: Ledger, places: list[int]) -> None:
    duties_ = claimed(store, ledger)
    assert len(ledger.intend(duties_, NOW)) == READERS
    assert ledger.intend(duties_, NOW) == set()


def test_a_late_worker_changes_nothing(store: Store, ledger: Ledger, places: list[int]) -> None:
    old = claimed(store, ledger)[0]
    ledger.recover(NOW)
    new = next(duty for duty in claimed(store, ledger) if duty.place == old.place)
    ledger.intend([new], NOW)
    assert ledger.intend([old], NOW) == set()
    assert ledger.settle([Result(duty=old, state=State.FAILED)], NOW) == 0
    assert ledger.settle([Result(duty=old, state=State.SENT)], NOW) == 0
    assert ledger.settle([Result(duty=new, state=State.SENT)], NOW) == 1


def test_a_settled_result_is_final(store: Store, ledger: Ledger, places: list[int]) -> None:
    duty = claimed(store, ledger)[0]
    ledger.intend([duty], NOW)
    ledger.settle([Result(duty=duty, state=State.SENT, remote_id="1")], NOW)
    assert ledger.settle([Result(duty=duty, state=State.FAILED)], NOW) == 0
    assert balance(store)[State.SENT] == 1


def test_an_unsubscribe_between_planning_and_claiming_wins(store: Store, ledger: Ledger, places: list[int]) -> None:
    store.write(
        lambda connection: connection.execute(
            sa.text("UPDATE subscription SET state = 'ended' WHERE subscriber = :p"), {"p": places[0]}
        ).close()
    )
    assert places[0] not in {duty.place for duty in claimed(store, ledger)}
    assert balance(store)[State.SUPPRESSED] == 1


def test_an_unsubscribe_between_claim_and_intent_wins(store: Store, ledger: Ledger, places: list[int]) -> None:
    duties_ = claimed(store, ledger)
    assert SubscriberStore(store).end(places[0], 1, NOW, "one click")
    granted = ledger.intend(duties_, NOW)
    assert places[0] not in {place for _, place in granted}
    assert len(granted) == READERS - 1
    assert balance(store)[State.SUPPRESSED] == 1


def test_an_erased_consent_is_seen_inside_the_intent(store: Store, ledger: Ledger, places: list[int]) -> None:
    duties_ = claimed(store, ledger)
    store.write(
        lambda connection: connection.execute(
            sa.text("UPDATE subscription SET state = 'suppressed' WHERE subscriber = :p"), {"p": places[1]}
        ).close()
    )
    assert places[1] not in {place for _, place in ledger.intend(duties_, NOW)}


def test_unsubscribing_twice_is_harmless(store: Store, places: list[int]) -> None:
    subscribers = SubscriberStore(store)
    assert subscribers.end(places[0], 1, NOW, "one click") is True
    assert subscribers.end(places[0], 1, NOW, "one click") is False


@pytest.mark.parametrize("target", ["all", "digest", "mail", "edition:1", "quotes", "tag:example.org,2026:brief/one"])
def test_a_hold_stops_the_next_message(store: Store, ledger: Ledger, places: list[int], target: str) -> None:
    holds = Holds(store)
    duties_ = claimed(store, ledger, 2)
    holds.place(target, "a faulty embargo", who="test", now=NOW)
    assert claimed(store, ledger) == []
    assert ledger.intend(duties_, NOW) == set()
    assert balance(store) == {State.PENDING: READERS}
    holds.lift(target, who="test", now=NOW, detail={})
    assert len(claimed(store, ledger)) == READERS


def test_another_hold_stops_nothing(store: Store, ledger: Ledger, places: list[int]) -> None:
    for target in ("x", "edition:11", "dig", "tag:example.org,2026:brief/on"):
        Holds(store).place(target, "elsewhere", who="test", now=NOW)
    assert len(claimed(store, ledger)) == READERS


def test_a_lease_of_a_dead_worker_returns_freely_and_an_intent_does_not(
    store: Store, ledger: Ledger, places: list[int]
) -> None:
    duties_ = claimed(store, ledger)
    ledger.intend(duties_[:1], NOW)
    assert ledger.recover(NOW) == READERS - 1
    assert {duty.place for duty in claimed(store, ledger)} == {duty.place for duty in duties_[1:]}
    doubtful = ledger.doubtful(store.write(mail), NOW, crashed=True)
    assert [(duty.place, duty.intent_at) for duty in doubtful] == [(duties_[0].place, NOW)]
    assert ledger.doubtful(store.write(mail), NOW, crashed=False) == []


def test_what_was_taken_back_from_the_wire_returns_with_the_leases(store: Store, ledger: Ledger, places: list[int]) -> None:
    first = claimed(store, ledger)[0]
    ledger.intend([first], NOW)
    ledger.exchange((), (), NOW, back=[first])
    assert ledger.recover(NOW) == READERS
    assert balance(store) == {State.PENDING: READERS}


def test_an_uncertain_delivery_is_looked_at_when_its_time_comes(store: Store, ledger: Ledger, places: list[int]) -> None:
    duty = claimed(store, ledger)[0]
    ledger.intend([duty], NOW)
    later = NOW + timedelta(seconds=30)
    ledger.settle([Result(duty=duty, state=State.UNCERTAIN, not_before=later, detail="no answer")], NOW)
    channel = store.write(mail)
    assert ledger.doubtful(channel, NOW, crashed=False) == []
    assert [found.place for found in ledger.doubtful(channel, later, crashed=False)] == [duty.place]
    assert ledger.looks(duty) == 1


def test_a_person_settles_what_nobody_can_know(store: Store, ledger: Ledger, places: list[int]) -> None:
    duty = claimed(store, ledger)[0]
    assert not ledger.decide(duty.sending, duty.place, State.SENT, NOW, who="test")
    ledger.intend([duty], NOW)
    ledger.settle([Result(duty=duty, state=State.UNCERTAIN)], NOW)
    assert ledger.decide(duty.sending, duty.place, State.PENDING, NOW, who="test")
    assert [again.place for again in claimed(store, ledger) if again.place == duty.place] == [duty.place]


def test_what_is_recorded_early_waits_until_its_sending_is_due(store: Store, ledger: Ledger, places: list[int]) -> None:
    later = NOW + timedelta(days=1)
    store.write(lambda connection: plan(connection, places[:2], due=later))
    assert len(claimed(store, ledger)) == READERS
    assert ledger.next_due(NOW) == later
    assert len(claimed(store, ledger, now=later)) == 2


def test_deferred_duties_wait_for_their_time(store: Store, ledger: Ledger, places: list[int]) -> None:
    duty = claimed(store, ledger)[0]
    ledger.intend([duty], NOW)
    later = NOW + timedelta(minutes=2)
    ledger.settle([Result(duty=duty, state=State.DEFERRED, not_before=later)], NOW)
    assert claimed(store, ledger) == []
    assert ledger.next_due(NOW) == later
    assert [again.attempt for again in claimed(store, ledger, now=later)] == [2]


def test_a_claim_that_is_given_back_was_no_attempt(store: Store, ledger: Ledger, places: list[int]) -> None:
    """Else the first real failure would wait as long as the fifth."""
    ledger.give_back(claimed(store, ledger), NOW)
    assert {duty.attempt for duty in claimed(store, ledger)} == {1}
    ledger.recover(NOW)
    duties_ = claimed(store, ledger)
    assert {duty.attempt for duty in duties_} == {1}
    ledger.settle([Result(duty=duty, state=State.DEFERRED, not_before=NOW) for duty in duties_], NOW)
    assert {duty.attempt for duty in claimed(store, ledger)} == {2}


def test_an_edition_is_not_finished_while_anything_is_open(store: Store, ledger: Ledger, places: list[int]) -> None:
    duties_ = claimed(store, ledger)
    ledger.intend(duties_, NOW)
    ledger.settle([Result(duty=duty, state=State.SENT) for duty in duties_[1:]], NOW)
    ledger.finish()
    with store.read() as connection:
        assert [edition.state for edition in agenda.editions(connection)] == ["sending"]
    ledger.settle([Result(duty=duties_[0], state=State.FAILED)], NOW)
    ledger.finish()
    with store.read() as connection:
        assert [edition.state for edition in agenda.editions(connection)] == ["finished"]


def test_what_is_not_frozen_is_not_claimed(store: Store, ledger: Ledger, places: list[int]) -> None:
    store.write(lambda connection: connection.execute(sa.text("UPDATE variant SET state = 'planned'")).close())
    assert claimed(store, ledger) == []


def test_cancelling_the_rest_leaves_what_was_sent(store: Store, ledger: Ledger, places: list[int]) -> None:
    duties_ = claimed(store, ledger, 2)
    ledger.intend(duties_, NOW)
    ledger.settle([Result(duty=duty, state=State.SENT) for duty in duties_], NOW)
    assert ledger.cancel("edition:1", NOW, who="test") == READERS - 2
    assert balance(store) == {State.SENT: 2, State.CANCELLED: READERS - 2}


def test_urgent_duties_pass_the_others(store: Store, ledger: Ledger, places: list[int]) -> None:
    store.write(
        lambda connection: connection.execute(
            sa.text("UPDATE delivery SET priority = 2 WHERE place = :p"), {"p": places[-1]}
        ).close()
    )
    assert [duty.place for duty in claimed(store, ledger, 1)] == [places[-1]]


def test_a_tally_that_was_tampered_with_is_found(store: Store, places: list[int]) -> None:
    store.write(lambda connection: connection.execute(sa.text("UPDATE tally SET n = n + 1")).close())
    assert Books(store).recount() == [(1, "pending", READERS + 1, READERS)]


def test_what_is_in_hand_without_a_lease_is_found(store: Store, ledger: Ledger, places: list[int]) -> None:
    claimed(store, ledger, 2)
    assert Books(store).damage() == []
    store.write(lambda connection: connection.execute(sa.text("UPDATE delivery SET lease_until = NULL")).close())
    assert Books(store).damage() == ["2 deliveries are in hand and have no lease: no start would find them"]


def test_details_of_readers_are_forgotten_and_the_totals_stay(store: Store, ledger: Ledger, places: list[int]) -> None:
    duties_ = claimed(store, ledger)
    ledger.intend(duties_, NOW)
    ledger.settle([Result(duty=duty, state=State.SENT, detail="250 accepted") for duty in duties_[1:]], NOW)
    ledger.finish()
    assert ledger.forget(NOW + timedelta(days=1)) == 0  # one is still open
    ledger.settle([Result(duty=duties_[0], state=State.FAILED, detail="550 no such user")], NOW)
    ledger.finish()
    assert ledger.forget(NOW) == 0  # not older than that
    assert ledger.forget(NOW + timedelta(days=1)) == 1
    with store.read() as connection:
        assert (
            connection.execute(sa.text("SELECT (SELECT count(*) FROM delivery) + (SELECT count(*) FROM attempt)")).scalar() == 0
        )
    assert balance(store) == {State.SENT: READERS - 1, State.FAILED: 1}
    assert ledger.forget(NOW + timedelta(days=1)) == 0


# -- at full speed --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (
            claims.PUT_OFF.format(domain="''"),
            "SEARCH d USING INDEX ix_delivery_waiting (channel=? AND priority=? AND not_before>?",
        ),
        (
            claims.FRESH.format(domain="''"),
            "SEARCH d USING INDEX ix_delivery_waiting (channel=? AND priority=? AND not_before=? AND sending=?)",
        ),
        (claims.NEXT_TIME, "SEARCH d USING INDEX ix_delivery_waiting (channel=? AND priority=? AND not_before>?"),
        (moves.CLAIM, "SEARCH delivery USING PRIMARY KEY (sending=? AND place=?)"),
        (moves.INTEND, "SEARCH delivery USING PRIMARY KEY (sending=? AND place=?)"),
        (moves.SENT, "SEARCH delivery USING PRIMARY KEY (sending=? AND place=?)"),
    ],
)
def test_what_runs_for_every_message_walks_over_no_finished_row(store: Store, statement: str, index: str) -> None:
    names = set(re.findall(r":(\w+)", statement))
    values = dict.fromkeys(names, 1) | dict.fromkeys(names & {"free", "places", "sendings"}, "[]")
    with store.read() as connection:
        plan_of = "EXPLAIN QUERY PLAN " + statement
        rows = driver(connection).execute(plan_of, values or (1,) * statement.count("?")).fetchall()
    steps = [row[3] for row in rows]
    assert any(step.startswith(index) for step in steps), steps
    assert not any("SCAN d" in step or "TEMP B-TREE" in step for step in steps), steps


def test_results_of_one_group_and_intents_of_the_next_are_one_commit(
    store: Store, ledger: Ledger, places: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third, *_ = claimed(store, ledger)
    ledger.exchange((), [first], NOW)
    commits = []
    write = store.write
    monkeypatch.setattr(store, "write", lambda work: (commits.append(work), write(work))[1])
    results = [Result(duty=first, state=State.SENT, remote_id="a@example.org")]
    assert ledger.exchange(results, [second, third], NOW) == {(duty.sending, duty.place) for duty in (second, third)}
    assert len(commits) == 1
    assert balance(store) == {State.SENT: 1, State.SENDING: 2, State.CLAIMED: READERS - 3}


def test_an_intent_that_is_asked_for_again_is_taken_back_first(store: Store, ledger: Ledger, places: list[int]) -> None:
    first, second, *_ = claimed(store, ledger)
    ledger.intend([first, second], NOW)
    assert ledger.intend([first], NOW) == set()  # it is on the wire, for all that the ledger knows
    assert SubscriberStore(store).end(second.place, 1, NOW, "one click")
    assert ledger.exchange((), [first, second], NOW, back=[first, second]) == {(first.sending, first.place)}
    assert balance(store) == {State.SENDING: 1, State.SUPPRESSED: 1, State.CLAIMED: READERS - 2}
    assert ledger.give_back([first], NOW, back=[first]) == 1
    assert {duty.attempt for duty in claimed(store, ledger)} == {1}


def test_what_is_open_again_reopens_its_sending(store: Store, ledger: Ledger, places: list[int]) -> None:
    duties_ = claimed(store, ledger)
    ledger.intend(duties_, NOW)
    ledger.settle([Result(duty=duty, state=State.UNCERTAIN) for duty in duties_], NOW)
    ledger.finish()
    ledger.settle([Result(duty=duties_[0], state=State.PENDING, not_before=NOW)], NOW)
    assert [duty.place for duty in claimed(store, ledger)] == [duties_[0].place]


# -- the agreed pace ----------------------------------------------------------------------------


def paced(store: Store, ledger: Ledger, pace: Pace, after: float = 0.0, in_hand: int = 0) -> tuple[int, float | None]:
    """How many may leave, and in how many seconds more may."""
    now = NOW + timedelta(seconds=after)
    found = ledger.claim_at(store.write(mail), now, 100, pace=pace, in_hand=in_hand)
    return len(found.duties), None if found.again is None else (found.again - now).total_seconds()


def test_a_rate_is_held_over_restarts(store: Store, ledger: Ledger, places: list[int]) -> None:
    pace = Pace(per_second=2.0)
    assert paced(store, ledger, pace) == (1, None)
    assert paced(store, Ledger(store), pace, after=0.2) == (0, 0.3)
    assert paced(store, Ledger(store), pace, after=0.5) == (1, None)


def test_a_domain_that_takes_little_holds_up_no_other(store: Store, ledger: Ledger, places: list[int]) -> None:
    slow = places[:4]
    store.write(
        lambda connection: connection.execute(
            sa.text("UPDATE subscriber SET domain = 'slow.example' WHERE key <= :k"), {"k": slow[-1]}
        ).close()
    )
    pace = Pace(domains={"slow.example": 1.0})
    assert paced(store, ledger, pace)[0] == 1 + READERS - 4  # one of the slow ones, and all others
    assert paced(store, ledger, pace, after=0.5)[0] == 0
    assert [paced(store, ledger, pace, after=after)[0] for after in (1.1, 2.2, 3.3)] == [1, 1, 1]
    assert paced(store, ledger, pace, after=9) == (0, None)


def test_a_new_relay_is_warmed_up_day_by_day(store: Store, ledger: Ledger, places: list[int]) -> None:
    pace = Pace(ceilings=(2, 3))
    day = 86400.0

    def send(after: float) -> int:
        now = NOW + timedelta(seconds=after)
        duties_ = ledger.claim_at(store.write(mail), now, 100, pace=pace).duties
        ledger.exchange((), duties_, now, counted="mail")
        ledger.settle([Result(duty=duty, state=State.SENT) for duty in duties_], now)
        return len(duties_)

    assert paced(store, ledger, pace, in_hand=2) == (0, None)
    assert [send(0), send(60), send(day), send(day + 60)] == [2, 0, 3, 0]
    assert send(2 * day) == READERS - 5  # the curve is over


def test_a_clock_that_is_set_back_stops_no_channel(store: Store, ledger: Ledger, places: list[int]) -> None:
    assert paced(store, ledger, Pace(per_second=2.0), after=3600) == (1, None)
    assert paced(store, ledger, Pace(per_second=2.0)) == (1, None)
    breaker = Breaker(store, "relay.example")
    assert [breaker.failed(NOW) for _ in range(5)][-1]
    assert breaker.open_until(NOW - timedelta(hours=1)) is None
    assert breaker.open_until(NOW) is not None


def test_a_breaker_opens_after_five_failures_and_longer_each_time(store: Store) -> None:
    breaker = Breaker(store, "relay.example")
    assert [breaker.failed(NOW) for _ in range(5)] == [False, False, False, False, True]
    again = Breaker(store, "relay.example")  # another process, or the next start
    assert again.open_until(NOW) == NOW + timedelta(seconds=60)
    assert (again.open_until(NOW + timedelta(seconds=61)), again.half_open) == (None, True)
    moment, rests = NOW, []
    for _ in range(6):
        moment = again.open_until(moment) or moment
        assert again.failed(moment)
        rests.append((again.open_until(moment) or moment) - moment)
    assert [rest.total_seconds() for rest in rests] == [120, 240, 480, 900, 900, 900]
    again.worked()
    assert Breaker(store, "relay.example").half_open is False
