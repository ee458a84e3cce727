"""Slots become editions and reach each reader once: planning, rendering and the outbox on real SQLite."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.publication import Publication, instant, to

from syndicate.app import App
from syndicate.model import Frequency, QuoteDisplay
from syndicate.publish import editions, messages, online
from syndicate.publish.dailyquote import day_of
from syndicate.publish.tick import show_quote, subjects, tick
from syndicate.runtime import Runtime
from syndicate.store import agenda, marks
from syndicate.store.schema import from_micros
from syndicate.store.subscribers import Wishes

DAILY, WEEKLY, INSTANT = (Wishes(frequency=frequency) for frequency in (Frequency.DAILY, Frequency.WEEKLY, Frequency.INSTANT))
WORDS = "Give us the keys of your houses and we will keep the doors, for a door that nobody watches is a door that stands open."


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    """Begun on Sunday 22 November 2026 at noon, with one reader of each frequency."""
    made = Publication(root=tmp_path / "letter")
    made.begin("2026-11-22 12:00")
    made.subscribe("2026-11-22 12:00", daily=DAILY, weekly=WEEKLY, instant=INSTANT)
    return made


def reasons(publication: Publication, at: str) -> list[tuple[str, str, str]]:
    with publication.opened(at) as app, app.store.read() as connection:
        return [(row["schedule"], row["state"], row["reason"]) for row in agenda.slots(connection, since=instant("2000-01-01"))]


def plan(app: App) -> None:
    """The planning half of a tick: nothing is rendered."""
    app.content.sync(app.sources, app.now())
    starts = marks.starts(app.store, subjects(app), app.now())
    show_quote(app, app.now(), starts)
    editions.expand(app, app.now(), starts)


def test_a_day_of_slots_sends_one_quote_and_one_digest(publication: Publication) -> None:
    publication.brief("one", "2026-11-22T13:00:00Z")
    publication.quote("q1", WORDS)
    for hour in (13, 14, 22, 23, 28, 29, 30, 31, 36):  # around every slot of the day, and its midnight
        publication.run((instant("2026-11-22 00:00") + timedelta(hours=hour, minutes=1)).isoformat())
    with publication.opened("2026-11-24 00:00") as app, app.store.read() as connection:
        made = sorted((edition.frequency, edition.period) for edition in agenda.editions(connection))
    assert [frequency for frequency, _ in made] == ["daily", "instant", "quote", "weekly"]
    assert [period for _, period in made if period.startswith("2026")] == ["2026-11-23", "2026-11-23", "2026-W48"]
    assert to(publication.outbox()) == ["daily", "instant", "instant", "weekly"]


def test_the_same_moment_twice_changes_nothing(publication: Publication) -> None:
    publication.brief("one", "2026-11-22T13:00:00Z")
    publication.quote("q1", WORDS)
    publication.run("2026-11-23 06:30")
    before = publication.snapshot()
    assert before
    publication.run("2026-11-23 06:30")
    assert publication.snapshot() == before


def test_a_brief_saved_in_the_afternoon_with_todays_date_reaches_tomorrows_digest(publication: Publication) -> None:
    publication.run("2026-11-23 06:30")
    publication.brief("afternoon", "2026-11-23")
    publication.run("2026-11-23 15:00")
    publication.run("2026-11-24 06:30")
    digest = [path.read_text() for path in publication.outbox() if "To: daily" in path.read_text()]
    assert len(digest) == 1
    assert "About afternoon" in digest[0]


def test_an_embargoed_brief_leaks_nowhere_until_its_time(publication: Publication) -> None:
    publication.brief("secret", "2026-11-22T13:00:00Z", status="embargoed", embargo="2026-11-24T09:00:00Z")
    for at in ("2026-11-22 14:00", "2026-11-23 06:30", "2026-11-24 08:59"):
        publication.run(at)
    assert not any(b"secret" in content for _, content in publication.snapshot().values())
    publication.run("2026-11-24 09:00:30")
    assert to(publication.outbox()) == ["instant"]
    assert any(b"secret" in content for path, (_, content) in publication.snapshot("feeds").items() if path.endswith(".rss"))


def test_what_lies_before_the_start_mark_is_in_the_feed_and_is_not_sent(publication: Publication) -> None:
    publication.brief("old", "2026-11-01T09:00:00Z")
    publication.run("2026-11-22 12:01")
    publication.run("2026-11-23 07:30")
    assert publication.outbox() == []
    assert any(b"About old" in content for _, content in publication.snapshot("feeds").values())


def test_a_source_that_joins_later_brings_nothing_older_to_readers(publication: Publication) -> None:
    publication.run("2026-11-22 12:30")
    settings = publication.root / "config" / "syndicate.toml"
    joined = '[sources.analyses]\nkind = "markdown"\npath = "content/analyses"\n'
    settings.write_text(settings.read_text(encoding="utf-8") + joined, encoding="utf-8")
    (publication.root / "content" / "analyses").mkdir()
    publication.brief("../analyses/before", "2026-11-22T13:00:00Z")
    publication.brief("../analyses/ahead", "2026-11-22T15:00:00Z")
    publication.run("2026-11-22 14:00")
    assert publication.outbox() == []
    publication.run("2026-11-22 15:01")
    assert [
        name for path in publication.outbox() for name in ("before", "ahead") if f"About ../analyses/{name}" in path.read_text()
    ] == ["ahead"]


def test_an_edition_shows_no_withdrawn_quote_in_the_browser(publication: Publication) -> None:
    quote = publication.quote("q1", WORDS)
    publication.run("2026-11-23 05:01")
    with publication.opened("2026-11-23 05:02") as app:
        assert "stands open" in (messages.public_view(app, "digest", 1) or "")
        quote.write_text(
            quote.read_text(encoding="utf-8").replace("kind: words", "kind: words\nstatus: withdrawn"), encoding="utf-8"
        )
        app.content.sync(app.sources, app.now())
        assert messages.public_view(app, "digest", 1) is None


def test_an_edition_shows_a_withdrawn_brief_as_withdrawn_and_leaves_the_mail_as_it_was(publication: Publication) -> None:
    for name in ("lead", "gone", "last"):
        publication.brief(name, "2026-11-22T13:00:00Z", body=f"The text of {name}.")
    publication.run("2026-11-23 07:30")
    with publication.opened("2026-11-23 08:00") as app:
        numbers = [number for number in range(1, 9) if "Three briefs" in (messages.public_view(app, "digest", number) or "")]
        number = numbers[0]
        before = online.edition(app, "digest", number) or ""
        assert "The text of gone." in before
        assert before == messages.public_view(app, "digest", number)
        publication.brief("gone", "2026-11-22T13:00:00Z", body="The text of gone.", status="withdrawn")
        app.content.sync(app.sources, app.now())
        after = online.edition(app, "digest", number) or ""
        assert messages.public_view(app, "digest", number) == before, "what was sent stays"
        assert "Withdrawn: About gone</a></h2>" in after
        assert "The text of gone." not in after
        for name in ("lead", "last"):
            assert f"The text of {name}." in after
        assert all(after.count(f"<{tag}") - before.count(f"<{tag}") == after.count(f"</{tag}") - before.count(f"</{tag}")
                   for tag in ("table", "tr", "td", "h2", "p", "a"))  # fmt: skip
        publication.brief(
            "lead", "2026-11-22T13:00:00Z", body="The text of lead.", link="https://elsewhere.example/", status="withdrawn"
        )
        app.content.sync(app.sources, app.now())
        assert online.edition(app, "digest", number) is None, "its place is not known, so nothing is shown"


def test_a_picture_from_elsewhere_stays_a_word_in_the_mail_and_holds_nothing_back(publication: Publication) -> None:
    body = "Look: ![A map of the coast](https://pictures.elsewhere.example/map.png) and go on."
    publication.brief(
        "pictured", "2026-11-22T13:00:00Z", body=body, image="https://pictures.elsewhere.example/lead.png", image_alt="A chart"
    )
    publication.run("2026-11-22 14:00")
    assert to(publication.outbox()) == ["instant"]
    mail = publication.outbox()[0].read_text().replace("=\n", "")
    assert "[A map of the coast]" in mail
    assert "<img" not in mail


def test_an_edit_sends_nothing_again(publication: Publication) -> None:
    publication.brief("one", "2026-11-22T13:00:00Z")
    publication.run("2026-11-22 14:00")
    sent = publication.outbox()
    publication.brief("one", "2026-11-22T13:00:00Z", body="Another body, written later and longer than the first.")
    publication.run("2026-11-22 15:00")
    assert publication.outbox() == sent


def test_no_edition_is_sent_where_nothing_is_new(publication: Publication) -> None:
    for day in range(23, 28):
        publication.run(f"2026-11-{day} 07:30")
    assert publication.outbox() == []


def test_days_of_silence_become_one_digest_and_the_missed_slots_say_why(publication: Publication) -> None:
    publication.brief("one", "2026-11-22T13:00:00Z")
    publication.run("2026-11-22 12:30")
    publication.run("2026-11-27 07:30")
    assert to(publication.outbox()).count("daily") == 1
    skipped = [
        reason
        for schedule, state, reason in reasons(publication, "2026-11-27 07:30")
        if (schedule, state) == ("digest.daily", "skipped")
    ]
    assert len(skipped) == 4
    assert all("missed by" in reason for reason in skipped)


def test_a_held_newsletter_loses_its_slot_and_not_its_briefs(publication: Publication) -> None:
    publication.brief("one", "2026-11-22T13:00:00Z")
    with publication.opened("2026-11-22 12:30") as app:
        app.holds.place("digest", "a faulty embargo", who="test", now=app.now())
    publication.run("2026-11-23 07:30")
    assert publication.outbox() == []
    assert ("digest.daily", "cancelled", "digest is on hold: a faulty embargo") in reasons(publication, "2026-11-23 07:30")
    with publication.opened("2026-11-23 09:00") as app:
        app.holds.lift("digest", who="test", now=app.now(), detail={})
    publication.run("2026-11-24 07:30")
    assert to(publication.outbox()).count("daily") == 1


def test_held_quotes_leave_the_digest_without_the_quote(publication: Publication) -> None:
    publication.brief("one", "2026-11-22T13:00:00Z")
    publication.quote("q1", WORDS)
    with publication.opened("2026-11-22 12:30") as app:
        app.holds.place("quotes", "a day of mourning", who="test", now=app.now())
    publication.run("2026-11-23 06:30")
    assert to(publication.outbox()) == ["daily", "instant"]
    assert not any("Speaker q1" in path.read_text() for path in publication.outbox())


def test_a_reader_who_shows_no_quote_gets_none_and_no_empty_edition(publication: Publication) -> None:
    publication.quote("q1", WORDS)
    publication.subscribe(
        "2026-11-22 12:00",
        noquote=Wishes(frequency=Frequency.DAILY, quote_display=QuoteDisplay.NONE),
        linked=Wishes(frequency=Frequency.DAILY, quote_display=QuoteDisplay.LINK),
    )
    publication.run("2026-11-23 06:30")
    assert to(publication.outbox()) == ["daily", "instant", "linked"]
    linked = next(path.read_text() for path in publication.outbox() if "To: linked" in path.read_text())
    assert "A passage from record q1" in linked.replace("=\n", "")
    assert "stands open" not in linked


def test_a_broken_template_is_told_and_the_edition_leaves_once_it_is_mended(publication: Publication) -> None:
    publication.brief("one", "2026-11-22T13:00:00Z")
    template = publication.template("email/edition.html.j2")
    kept = template.read_text(encoding="utf-8")
    template.write_text("{% include 'email/nowhere.html.j2' %}", encoding="utf-8")
    report = publication.run("2026-11-22 14:00")
    assert any("edition.html.j2" in str(fault) for fault in report.faults)
    assert publication.outbox() == []
    assert any(b"About one" in content for _, content in publication.snapshot("feeds").values())
    template.write_text(kept, encoding="utf-8")
    publication.run("2026-11-22 14:05")
    assert to(publication.outbox()) == ["instant"]


def test_without_a_postal_address_no_mail_leaves(tmp_path: Path) -> None:
    from tests.publication import SETTINGS

    publication = Publication(root=tmp_path / "letter", settings=SETTINGS.replace("1 Test Lane, Testham", ""))
    publication.begin("2026-11-22 12:00")
    publication.subscribe("2026-11-22 12:00", instant=INSTANT)
    publication.brief("one", "2026-11-22T13:00:00Z")
    report = publication.run("2026-11-22 14:00")
    assert publication.outbox() == []
    assert any(fault.rule == "site.postal_address" for fault in report.faults)


def test_a_quote_that_the_gate_refuses_after_planning_leaves_the_briefs_alone(publication: Publication) -> None:
    publication.brief("one", "2026-11-22T13:00:00Z")
    quote = publication.quote("q1", WORDS)
    publication.run("2026-11-22 13:30")
    with publication.opened("2026-11-23 06:30") as app:
        plan(app)
        quote.write_text(
            quote.read_text(encoding="utf-8").replace("kind: words", "kind: words\nstatus: withdrawn"), encoding="utf-8"
        )
        app.content.sync(app.sources, app.now())
        faults = messages.freeze(app, app.now())
        Runtime(app).drain()
    assert faults
    assert to(publication.outbox()) == ["daily", "instant"]
    assert not any("stands open" in path.read_text() for path in publication.outbox())


def test_editions_send_reaches_every_reader_at_once_and_covers_the_items(publication: Publication) -> None:
    publication.brief("one", "2026-11-22T13:00:00Z")
    with publication.opened("2026-11-22 14:00") as app:
        app.content.sync(app.sources, app.now())
        start = instant("2026-11-22 12:00")
        assert editions.send_now(app, "digest", app.now(), start) is not None
        tick(app, app.now())
        Runtime(app).drain()
        assert editions.send_now(app, "digest", app.now(), start) is None
    assert to(publication.outbox()) == ["daily", "instant", "weekly"]
    for at in ("2026-11-22 14:05", "2026-11-23 06:30", "2026-11-23 07:30"):
        publication.run(at)
    assert to(publication.outbox()) == ["daily", "instant", "weekly"]


def test_readers_of_three_zones_get_the_same_edition_at_their_own_hour(publication: Publication) -> None:
    zones = {"auckland": "Pacific/Auckland", "kolkata": "Asia/Kolkata", "york": "America/New_York"}
    publication.subscribe(
        "2026-11-22 12:00", **{name: Wishes(frequency=Frequency.DAILY, hour=7, zone=zone) for name, zone in zones.items()}
    )
    publication.brief("one", "2026-11-22T12:30:00Z")
    reached = {}
    for hour in (13, 14, 17, 18, 19, 24, 25, 26, 29, 30, 31, 32, 35, 36, 39):  # each reader's hour, and those around it
        at = instant("2026-11-22 00:00") + timedelta(hours=hour, minutes=40)
        before = set(publication.outbox())
        publication.run(at.isoformat())
        for name in to(sorted(set(publication.outbox()) - before)):
            reached.setdefault(name, at.strftime("%d %H"))
    assert reached == {
        "instant": "22 13", "auckland": "22 18", "kolkata": "23 01", "daily": "23 06", "weekly": "23 07", "york": "23 12"
    }  # fmt: skip
    with publication.opened("2026-11-24 00:00") as app, app.store.read() as connection:
        assert [edition.frequency for edition in agenda.editions(connection)].count("daily") == 1


@pytest.mark.parametrize("seed", range(2))
def test_each_brief_reaches_each_reader_once_through_switches_and_restarts(tmp_path: Path, seed: int) -> None:
    """Random briefs, quotes, pauses and switches over a month: planned only, so that it stays quick."""
    chance = random.Random(seed)
    publication = Publication(root=tmp_path / "letter")
    start = instant("2026-03-16 12:00")  # a DST change lies ahead
    publication.begin(start.isoformat())
    wishes = [
        Wishes(
            frequency=chance.choice(list(Frequency)),
            hour=chance.choice([None, 0, 2, 7, 23]),
            zone=chance.choice(["", "America/New_York", "Pacific/Auckland"]),
        )
        for _ in range(5)
    ]
    publication.subscribe(start.isoformat(), **{f"reader{number}": wish for number, wish in enumerate(wishes)})
    for number in range(25):
        publication.quote(f"q{number}", f"{WORDS} {number}")
    now = start
    for number in range(40):
        now += timedelta(hours=chance.choice([1, 3, 7, 20, 23]), minutes=chance.randrange(60))
        publication.brief(f"brief{number}", (now - timedelta(minutes=chance.randrange(200))).strftime("%Y-%m-%dT%H:%M:%SZ"))
        with publication.opened(now.isoformat()) as app:
            plan(app)
            if chance.random() < 0.3:
                reader = chance.randrange(5)
                app.store.write(
                    lambda c, reader=reader: c.execute(
                        sa.text("UPDATE subscription SET frequency = :f, hour = :h WHERE key = :k"),
                        {"f": chance.choice(list(Frequency)), "h": chance.choice([None, 5, 7]), "k": reader + 1},
                    ).close()
                )
    end = now + timedelta(days=9)
    while now < end:
        now += timedelta(hours=11)
        with publication.opened(now.isoformat()) as app:
            plan(app)
    check_each_once(publication, now.isoformat())


ZONES = ("", "America/New_York", "Pacific/Auckland", "Asia/Kolkata", "Atlantic/Azores")


def chosen(chance: random.Random) -> Wishes:
    """Any wish that a reader can have, of any topics."""
    return Wishes(
        frequency=chance.choice(list(Frequency)),
        hour=chance.choice([None, 0, 2, 3, 7, 23]),
        weekday=chance.choice([None, 0, 3, 6]),
        zone=chance.choice(ZONES),
        quote_display=chance.choice([None, *QuoteDisplay]),
        topics=chance.choice([(), (), ("ports",), ("letters", "ports")]),
    )


@pytest.mark.parametrize("seed", range(2))
def test_choices_keep_every_promise_through_zones_topics_hours_pauses_and_restarts(tmp_path: Path, seed: int) -> None:
    """What readers choose on their page, over a change of the clocks: no double, no empty edition, nothing at a wrong hour."""
    chance = random.Random(100 + seed)
    publication = Publication(root=tmp_path / "letter")
    now = instant("2026-03-20 12:00")
    publication.begin(now.isoformat())
    publication.subscribe(now.isoformat(), **{f"reader{number}": chosen(chance) for number in range(4)})
    for number in range(12):
        publication.quote(f"q{number}", f"{WORDS} {number}")
    told: dict[int, list[tuple[datetime, Wishes, datetime | None]]] = {}
    for number in range(30):
        now += timedelta(hours=chance.choice([1, 3, 7, 20, 23]), minutes=chance.randrange(60))
        topics = chance.choice(["[Ports]", "[Letters]", "[Ports, Letters]", "[Else]"])
        publication.brief(f"brief{number}", now.strftime("%Y-%m-%dT%H:%M:%SZ"), topics=topics)
        with publication.opened(now.isoformat()) as app:  # a restart each time
            plan(app)
            with app.store.read() as connection:
                places = connection.execute(sa.text("SELECT subscriber FROM subscription ORDER BY subscriber")).scalars().all()
            for place in places:
                (view,) = app.subscribers.views(place)
                told.setdefault(place, [(instant("2026-03-20 12:00"), view.wishes, None)])
            if chance.random() < 0.5:
                (view,) = app.subscribers.views(chance.choice(places))
                pause = now + timedelta(days=chance.choice([1, 3])) if chance.random() < 0.2 else None
                wishes = chosen(chance)
                assert app.subscribers.choose(view, wishes, paused_to=pause, at=now)
                told[view.subscriber].append((now, wishes, pause))
    check_promises(publication, now, told)


def check_promises(
    publication: Publication, now: datetime, told: dict[int, list[tuple[datetime, Wishes, datetime | None]]]
) -> None:
    query = """SELECT d.place, v.items, s.due, l.zone, l.local_time, e.frequency FROM delivery d
        JOIN variant v ON v.key = d.variant JOIN sending s ON s.key = d.sending JOIN slot l ON l.key = s.slot
        JOIN edition e ON e.key = v.edition"""
    seen: set[tuple[int, int]] = set()
    with publication.opened(now.isoformat()) as app, app.store.read() as connection:
        kinds = {row.key: row.kind for row in connection.execute(sa.text("SELECT key, kind FROM item"))}
        rows = connection.execute(sa.text(query)).all()
        assert rows
        for row in rows:
            items, due = json.loads(row.items), from_micros(row.due)
            assert items, "an empty edition was planned"
            assert not {(row.place, item) for item in items} & seen, "something came twice"
            seen |= {(row.place, item) for item in items}
            assert sum(kinds[item] == "quote" for item in items) <= 1
            if row.frequency not in {"daily", "weekly"}:
                continue
            # At the hour, on the day and in the zone of some choice that was in force between two ticks around it.
            before = [one for one in told[row.place] if one[0] <= due][-1:]
            after = [one for one in told[row.place] if due < one[0] <= due + timedelta(hours=24)]
            hours = [wishes for _, wishes, _ in before + after if wishes.frequency == row.frequency]
            local = datetime.fromisoformat(row.local_time)
            usual = 7 if row.frequency == "daily" else 8
            assert any(
                local.hour == (usual if wishes.hour is None else wishes.hour)
                and row.zone == (wishes.zone or "Europe/Berlin")
                and (row.frequency == "daily" or local.weekday() == (wishes.weekday or 0))
                for wishes in hours
            ), f"reader {row.place} got a {row.frequency} edition of {row.local_time} {row.zone}"


def check_each_once(publication: Publication, at: str) -> None:
    with publication.opened(at) as app, app.store.read() as connection:
        rows = connection.execute(
            sa.text(
                "SELECT d.place, v.items, s.due FROM delivery d JOIN variant v ON v.key = d.variant JOIN sending s ON s.key = d.sending"
            )
        ).all()
        briefs = {row.key for row in connection.execute(sa.text("SELECT key FROM item WHERE kind = 'brief'"))}
        quotes = {row.key for row in connection.execute(sa.text("SELECT key FROM item WHERE kind = 'quote'"))}
        days = {
            row.item: row.day for row in connection.execute(sa.text("SELECT item, day FROM day_quote WHERE item IS NOT NULL"))
        }
        readers = {row.subscriber for row in connection.execute(sa.text("SELECT subscriber FROM subscription"))}
        got: dict[int, list[int]] = {reader: [] for reader in readers}
        for row in rows:
            items = json.loads(row.items)
            assert items, "an empty edition was planned"
            got[row.place] += items
            for item in items:
                if item in quotes:
                    assert days[item] == day_of(app, from_micros(row.due)).isoformat()
    for reader, items in got.items():
        assert sorted(item for item in items if item in briefs) == sorted(briefs), f"reader {reader}"
        shown = [item for item in items if item in quotes]
        assert len(shown) == len(set(shown))
