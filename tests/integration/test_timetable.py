"""Slots that editors move, skip and restore: each happens once, at the time that the ledger was told last."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, time, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.publication import SOCIAL, Publication, instant

from syndicate.app import App
from syndicate.cli import main
from syndicate.errors import SyndicateError
from syndicate.model import Frequency, State
from syndicate.plan import timetable as plan
from syndicate.publish import editions, timetable
from syndicate.publish.forecast import forecast
from syndicate.publish.tick import show_quote, subjects
from syndicate.store import agenda, audit, marks
from syndicate.store import timetable as rows
from syndicate.store.subscribers import Wishes

DIGEST = "digest.daily/2026-11-23T07:00/Europe/Berlin"  # 06:00 UTC
QUOTE = "quotes/2026-11-23T06:00/Europe/Berlin"  # 05:00 UTC
WORDS = "Keep your voice in the drawer until the warden asks for it."


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Publication:
    """A brief and a quote, and readers of one zone and of another, begun on Sunday 22 November 2026 at noon UTC."""
    made = Publication(root=tmp_path_factory.mktemp("begun") / "letter")
    made.begin("2026-11-22 12:00")
    daily = Wishes(frequency=Frequency.DAILY)
    made.subscribe("2026-11-22 12:00", one=daily, two=Wishes(frequency=Frequency.DAILY, hour=7, zone="America/New_York"))
    made.brief("one", "2026-11-22T13:00:00Z")
    made.quote("q1", WORDS)
    with made.opened("2026-11-22 14:00") as app:
        app.content.sync(app.sources, app.now())
    return made


@pytest.fixture
def publication(begun: Publication, tmp_path: Path) -> Publication:
    return begun.copied(tmp_path / "letter")


def tick(app: App, at: str) -> None:
    """The planning half of a tick."""
    now = instant(at)
    starts = marks.starts(app.store, subjects(app), now)
    show_quote(app, now, starts)
    editions.expand(app, now, starts)


def sent(app: App) -> list[tuple[str, str, str]]:
    """Every sending of an edition to daily readers: its slot, when it is due, how many get it."""
    query = sa.text("""SELECT l.zone || ' ' || l.local_time, s.due, (SELECT count(*) FROM delivery d WHERE d.sending = s.key)
        FROM sending s JOIN slot l ON l.key = s.slot WHERE l.schedule = 'digest.daily' ORDER BY s.due""")
    with app.store.read() as connection:
        found = connection.execute(query).all()
    return [(slot, f"{instant('1970-01-01') + timedelta(microseconds=due):%d %H:%M}", str(n)) for slot, due, n in found]


def states(app: App) -> dict[str, str]:
    with app.store.read() as connection:
        found = agenda.slots(connection, since=instant("2026-11-22 23:00"))
    return {f"{row['schedule']} {row['local_time'][8:]} {row['zone']}": row["state"] for row in found}


def slots_of(app: App, schedule: str) -> list[sa.RowMapping]:
    with app.store.read() as connection:
        return [row for row in agenda.slots(connection, since=instant("2026-11-22 23:00")) if row["schedule"] == schedule]


def test_a_moved_slot_keeps_its_identity_and_happens_once(publication: Publication, capsys: pytest.CaptureFixture[str]) -> None:
    with publication.opened("2026-11-23 05:30") as app:
        now = app.now()
        timetable.move(app, DIGEST, time(9, 30), "the figures come late", who="Mara", now=now)
        found = next(one for one in forecast(app, now, 1).coming if one.slot == DIGEST)
        assert (f"{found.local:%H:%M}", f"{found.was:%H:%M}", found.at) == ("09:30", "07:00", instant("2026-11-23 08:30"))
        assert found.note == "moved from 07:00 by Mara: the figures come late"
        for at in ("06:00", "06:01", "08:29"):
            tick(app, f"2026-11-23 {at}")
        assert sent(app) == []
        for at in ("08:30", "08:31", "11:59", "12:00"):
            tick(app, f"2026-11-23 {at}")
        assert sent(app) == [
            ("Europe/Berlin 2026-11-23T07:00", "23 08:30", "1"),
            ("America/New_York 2026-11-23T07:00", "23 12:00", "1"),
        ]
        with app.store.read() as connection:
            assert [edition.period for edition in agenda.editions(connection) if edition.frequency == "daily"] == ["2026-11-23"]
            (line,) = audit.lines(connection, subject=f"slot:{DIGEST}")
        assert (line.who, line.act, line.detail["reason"]) == ("Mara", "slot_move", "the figures come late")
    assert main(["-C", str(publication.root), "plan", "--at", "2026-11-23T05:30Z"]) == 0
    assert "07:00" in capsys.readouterr().out


def test_what_was_moved_forward_does_not_come_again_at_its_old_time(publication: Publication) -> None:
    with publication.opened("2026-11-23 02:00") as app:
        timetable.move(app, DIGEST, time(4, 0), "", who="Mara", now=app.now())
        for at in ("03:00", "05:59", "06:00", "07:00"):
            tick(app, f"2026-11-23 {at}")
        assert sent(app) == [("Europe/Berlin 2026-11-23T07:00", "23 03:00", "1")]


def test_a_tick_that_looked_before_the_move_loses(publication: Publication) -> None:
    with publication.opened("2026-11-23 05:59") as app:
        with app.store.read() as connection:
            clock = agenda.clocks(connection, "digest", Frequency.DAILY)
        setting = app.settings.newsletters["digest"].daily
        assert setting
        (seen,) = editions.schedule_for(app, setting, clock[0]).slots(
            "digest.daily", instant("2026-11-23 05:00"), instant("2026-11-23 06:00")
        )
        timetable.move(app, DIGEST, time(9, 30), "", who="Mara", now=app.now())
        assert app.store.write(lambda connection: agenda.record_slot(connection, seen, "expanded")) is None
        assert states(app)["digest.daily 23T07:00 Europe/Berlin"] == "moved"
        late, moved = instant("2026-11-23 08:30"), replace(seen, due=instant("2026-11-23 08:30"))
        assert not app.store.write(lambda connection: rows.skip(connection, seen, late, "", late))  # its time has come
        tick(app, "2026-11-23 08:30")
        assert not app.store.write(lambda connection: rows.skip(connection, seen, late, "", instant("2026-11-23 08:29")))
        assert app.store.write(lambda connection: agenda.record_slot(connection, moved, "expanded")) is None
        assert states(app)["digest.daily 23T07:00 Europe/Berlin"] == "expanded"


def test_what_a_skipped_edition_would_have_carried_the_next_one_carries(publication: Publication) -> None:
    with publication.opened("2026-11-23 05:30") as app:
        timetable.skip(app, DIGEST, "no news", who="Mara", now=app.now())
        assert [one.skipped for one in forecast(app, app.now(), 1).skipped] == ["skipped by Mara: no news"]
        assert [fault.file for fault in forecast(app, app.now(), 1).withheld if fault.rule == "skipped"] == [DIGEST]
        tick(app, "2026-11-23 06:00")
        assert sent(app) == []
        tick(app, "2026-11-24 06:00")
        assert sent(app)[-1] == ("Europe/Berlin 2026-11-24T07:00", "24 06:00", "1")
        with app.store.read() as connection:
            (variant,) = agenda.variants(connection, number=agenda.editions(connection)[0].number)
        assert app.content.briefs_by_keys(variant.items)[variant.items[0]].slug == "one"


def test_a_skipped_quote_is_on_no_page_of_its_day_and_comes_back_when_restored(publication: Publication) -> None:
    with publication.opened("2026-11-22 23:30") as app:
        tick(app, "2026-11-22 23:30")
        chosen = app.content.day_quote(instant("2026-11-23 00:00").date())
        assert chosen
        assert chosen.state == "chosen"
        timetable.skip(app, QUOTE, "a day of mourning", who="Mara", now=app.now())
        skipped = app.content.day_quote(chosen.day)
        assert skipped
        assert (skipped.state, skipped.quote) == ("skipped", chosen.quote)
        timetable.restore(app, QUOTE, who="Mara", now=app.now())
        assert app.content.day_quote(chosen.day) == chosen
        timetable.skip(app, QUOTE, "after all", who="Mara", now=app.now())
        tick(app, "2026-11-23 05:00")
        tick(app, "2026-11-23 06:00")
        assert not list(app.books.lines(kind="post"))
        assert not app.content.shown_quotes(instant("2026-11-23 12:00"))


def test_a_quote_shown_ahead_of_its_time_stays_shown_when_that_time_is_missed_or_held(publication: Publication) -> None:
    with publication.opened("2026-11-23 03:00") as app:
        timetable.move(app, QUOTE, time(5), "", who="Mara", now=app.now())
        tick(app, "2026-11-23 04:00")
        shown = app.content.day_quote(instant("2026-11-23 00:00").date())
        assert shown
        assert shown.state == "shown"
        app.holds.place("quotes", "a word with the lawyers", who="Mara", now=instant("2026-11-23 04:30"))
        for at in ("05:00", "23:00"):
            tick(app, f"2026-11-23 {at}")
            assert app.content.day_quote(shown.day) == shown


@pytest.mark.parametrize(("old", "new"), [("daily at 06:00", "daily at 09:00"), ("Europe/Berlin", "America/New_York")])
def test_a_quote_is_not_shown_again_where_the_settings_name_a_later_hour_of_its_day(
    publication: Publication, old: str, new: str
) -> None:
    path = publication.root / "config/syndicate.toml"
    path.write_text(path.read_text() + SOCIAL)
    with publication.opened("2026-11-23 05:00") as app:
        tick(app, "2026-11-23 05:00")
        posts = [line.id for line in app.books.lines(kind="post")]
        assert len(posts) == 3
    path.write_text(path.read_text().replace(old, new))
    with publication.opened("2026-11-23 11:00") as app:
        tick(app, "2026-11-23 11:00")
        assert [line.id for line in app.books.lines(kind="post")] == posts
        (told,) = (row["reason"] for row in slots_of(app, "quotes") if row["state"] == "skipped")
        assert told == "the quote of 2026-11-23 was shown before"


def test_only_what_is_still_to_come_can_be_changed_and_within_its_day(publication: Publication) -> None:
    with publication.opened("2026-11-23 05:30") as app:
        now = app.now()
        for name, at, words in (
            ("digest.daily/2026-11-23T07:01/Europe/Berlin", time(9), "no slot is called"),
            ("posts/2026-11-23T07:00/Europe/Berlin", time(9), "no slot is called"),
            ("nonsense", time(9), "no slot is called"),
            (QUOTE, time(9), "it has begun"),
            (DIGEST, time(6), "has passed"),
            (DIGEST, time(7), "already"),
            (DIGEST, time(9, tzinfo=UTC), "zone of its own"),
        ):
            with pytest.raises(SyndicateError, match=words):
                timetable.move(app, name, at, "", who="Mara", now=now)
        with pytest.raises(SyndicateError, match="nothing was changed"):
            timetable.restore(app, DIGEST, who="Mara", now=now)
        timetable.move(app, DIGEST, time(9, 30), WORDS, who="Mara", now=now)
        with app.store.read() as connection:
            (change,) = rows.changes(connection, "digest.daily", now).values()
        assert change.reason == "moved from 07:00 by Mara: [withheld: it repeats the words of a quote]"
        with pytest.raises(SyndicateError, match="has passed"):
            timetable.restore(app, DIGEST, who="Mara", now=instant("2026-11-23 07:00"))


def test_a_moved_slot_of_a_schedule_that_is_gone_is_told_and_sends_nothing(publication: Publication) -> None:
    with publication.opened("2026-11-23 05:30") as app:
        timetable.move(app, DIGEST, time(9, 30), "", who="Mara", now=app.now())
    path = publication.root / "config/syndicate.toml"
    path.write_text(path.read_text().replace('daily = "daily at 07:00"', 'daily = "daily at 11:00"'))
    with publication.opened("2026-11-23 08:30") as app:
        tick(app, "2026-11-23 08:30")
        assert states(app)["digest.daily 23T07:00 Europe/Berlin"] == "cancelled"
        assert sent(app) == []


@pytest.mark.parametrize("seed", [1, 4])
def test_whatever_editors_do_a_slot_happens_once_and_where_it_was_put_last(publication: Publication, seed: int) -> None:
    """A random morning of deeds and ticks against a model of one line: where the slot was put last, while it was ahead."""
    chance = random.Random(seed)
    with publication.opened("2026-11-23 00:00") as app:
        at, happened, place = instant("2026-11-23 00:00"), None, instant("2026-11-23 06:00")
        planned = place
        skipped = False
        while at < instant("2026-11-23 11:59"):
            at += timedelta(minutes=chance.randrange(5, 50))
            deed = chance.choice(("tick", "tick", "move", "skip", "restore"))
            to = time(chance.randrange(1, 12), 30)
            try:
                if deed == "move":
                    place = timetable.move(app, DIGEST, to, "", who="Mara", now=at)
                    skipped = False
                elif deed == "skip":
                    timetable.skip(app, DIGEST, "why not", who="Mara", now=at)
                    skipped = True
                elif deed == "restore":
                    timetable.restore(app, DIGEST, who="Mara", now=at)
                    place, skipped = planned, False
            except SyndicateError:
                pass
            tick(app, f"{at:%Y-%m-%d %H:%M}")
            if place <= at and not skipped and happened is None:
                happened = place
        mine = [due for slot, due, _ in sent(app) if slot.startswith("Europe")]
        assert mine == ([f"{happened:%d %H:%M}"] if happened else [])
        assert all(line.state is State.PENDING for line in app.books.lines())


def test_a_clock_that_was_far_ahead_is_told(publication: Publication, capsys: pytest.CaptureFixture[str]) -> None:
    with publication.opened("2100-01-01 05:30") as app:
        app.store.write(lambda connection: agenda.tick_to(connection, "quotes", app.now()))
    assert main(["-C", str(publication.root), "status"]) == 1
    assert "the last tick was at 2100-01-01 05:30 UTC, which is still to come" in capsys.readouterr().out


def test_names_of_slots_are_read_as_they_are_written() -> None:
    assert plan.parsed(DIGEST) == ("digest.daily", instant("2026-11-23 07:00").replace(tzinfo=None), "Europe/Berlin")
