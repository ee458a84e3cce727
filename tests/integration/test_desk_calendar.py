"""The calendar of the desk: past days show the books, coming days the plan; and the plan as a file (RFC 5545)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atdesk import Client, desk, hire, light_hashes, signed_in  # noqa: F401 - the last but one is for all tests
from publication import SETTINGS, SOCIAL, Publication, instant
from syndicate.app import open_app
from syndicate.store.subscribers import Wishes
from syndicate.web.desk import ical

WORDS = "Whoever keeps a lamp in the window has already decided to leave us."
HELD = SETTINGS.replace("[quotes]\n", '[quotes]\nhold_days = ["2026-11-26"]\n')


@dataclass(kw_only=True)
class Month:
    mara: Client

    def day(self, n: int) -> str:
        """What stands in the cell of one day of November, without its tags."""
        cells = re.findall(r'<td role="cell" class="(?!blank).*?</td>', self.mara.look("/calendar?month=2026-11"), re.DOTALL)
        return " ".join(re.sub(r"<[^>]*>", " ", cells[n - 1]).split())


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Month]:
    made = Publication(root=tmp_path_factory.mktemp("desk") / "publication", settings=HELD + SOCIAL)
    made.begin("2026-11-22 04:00")
    made.subscribe("2026-11-22 04:00", ada=Wishes())
    made.brief("lamps", "2026-11-22T04:30:00Z", title="Lamps of the lower town")
    made.brief("weirs", "2026-11-24T12:00:00Z", title="Weirs", status="embargoed", embargo="2026-11-24T12:00:00Z")
    made.brief("keepers", "2026-11-25T23:30:00Z", title="Keepers; their lamps, and « ours »")
    made.quote("0101", WORDS)
    made.run("2026-11-22 05:00:05")
    made.run("2026-11-22 06:00:05")
    with open_app(made.root, at=instant("2026-11-23 09:00"), environ={}) as app:
        hire(app, "Mara")
        with desk(app) as here:
            mara = signed_in(here, "Mara")
            yield Month(mara=mara)
            mara.close()


def test_past_days_show_books_and_coming_days_the_plan(month: Month) -> None:
    assert re.fullmatch(r"Sunday, November 22 \d sendings", month.day(22))
    assert month.day(21) == "Saturday, November 21"
    assert "embargo 13:00 Weirs" in month.day(24)
    assert "07:00 digest, daily" in month.day(24)
    # Half past eleven at night, UTC, is the next day in Berlin: and that day is a hold day.
    assert "00:30 Keepers; their lamps" in month.day(26)
    assert "hold day" in month.day(26)
    assert "no quote" not in month.day(26)
    assert "hold day" not in month.day(25)
    page = month.mara.look("/calendar?month=2026-11")
    assert "/desk/deliveries?from=2026-11-22&amp;until=2026-11-22" in page
    assert page.count('aria-current="date"') == 1


def test_a_week_stands_slot_by_slot(month: Month) -> None:
    week = month.mara.look("/calendar?week=2026-W48")
    rows = re.findall(r'class="due">(\d\d:\d\d)<', week)
    assert rows == sorted(rows)
    assert {"00:30", "07:00", "13:00"} <= set(rows)
    assert 'href="/desk/briefs/weirs"' in week
    assert "hold day" in week
    assert "Lamps of the lower town" in month.mara.look("/calendar?week=2026-W47")
    assert 'href="/desk/calendar?week=2027-W01"' in month.mara.look("/calendar?week=2026-W53")
    for wrong in ("2026-W54", "2025-W53", "0001-W01", "9999-W52", "now"):
        assert month.mara.get(f"/desk/calendar?week={wrong}").status_code == 409
    for odd in ("2026-13", "0000-01", "9999-12", "'"):
        assert month.mara.get("/desk/calendar", params={"month": odd}).status_code == 200


def test_no_day_and_no_file_says_a_word_of_a_quote(month: Month) -> None:
    for path in ("/calendar", "/calendar?month=2026-12", "/calendar?week=2026-W48", "/plan.ics"):
        assert "lamp in the window" not in month.mara.look(path)
        assert "readers.example" not in month.mara.look(path)


def test_the_plan_is_a_calendar_that_programs_read(month: Month) -> None:
    answer = month.mara.get("/desk/plan.ics")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    found = icalendar.Calendar.from_ical(answer.content)
    events = {str(one["SUMMARY"]): one for one in found.walk("VEVENT")}
    assert events["Brief: Keepers; their lamps, and « ours »"].decoded("DTSTART") == datetime(2026, 11, 25, 23, 30, tzinfo=UTC)
    names = [str(one["UID"]) for one in found.walk("VEVENT")]
    assert len(set(names)) == len(names) > 20
    assert all(datetime(2026, 11, 23, 9, tzinfo=UTC) < one.decoded("DTSTART") for one in found.walk("VEVENT"))
    assert "/desk/plan.ics" in month.mara.look("")


def test_a_coming_slot_is_moved_skipped_and_restored_with_its_old_time_shown(month: Month) -> None:
    slot = "digest.daily/2026-11-24T07:00/Europe/Berlin"
    act = month.mara.act
    assert f'href="/desk/slots?slot={slot}"' in month.mara.look("/calendar?week=2026-W48")
    assert "As planned" in month.mara.look(f"/slots?slot={slot}")
    moved = act("/slots/move", {"slot": slot, "at": "09:30", "reason": "late figures"})
    assert "Moved from 07:00 by Mara: late figures." in moved
    assert "09:30 digest, daily was 07:00" in month.day(24)
    assert "was 07:00" in month.mara.look("/calendar?week=2026-W48")

    def event() -> icalendar.Event:
        found = icalendar.Calendar.from_ical(month.mara.get("/desk/plan.ics").content).walk("VEVENT")
        return next(one for one in found if "daily" in one["SUMMARY"] and one.decoded("DTSTART").day == 24)

    assert (event().decoded("DTSTART").hour, str(event()["DESCRIPTION"])) == (8, "moved from 07:00")
    name = str(event()["UID"])
    assert "Will not happen" in act("/slots/skip", {"slot": slot, "reason": "no news"})
    assert (str(event()["UID"]), str(event()["STATUS"])) == (name, "CANCELLED")
    assert "07:00 digest, daily skipped" in month.day(24)
    act("/slots/skip", {"slot": slot, "reason": "again"}, status=409)
    act("/slots/move", {"slot": slot, "at": "25:00"}, status=409)
    assert "As planned" in act("/slots/restore", {"slot": slot})
    assert "07:00 digest, daily" in month.day(24)
    assert month.mara.get("/desk/slots?slot=digest.daily/2026-11-23T07:00/Europe/Berlin").status_code == 409  # it is over


@given(st.text(st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\u2028\u2029\x85"), max_size=200))
def test_any_words_come_back_whole_from_lines_of_75_octets(words: str) -> None:
    event = ical.Event(at=datetime(2026, 11, 23, tzinfo=UTC), summary=words, key="k")
    data = ical.written([event], name=words, host="test.example", now=datetime(2026, 11, 22, tzinfo=UTC))
    assert all(len(line) <= 75 for line in data.split(b"\r\n"))
    assert data.decode()  # no line cuts a character
    (found,) = icalendar.Calendar.from_ical(data).walk("VEVENT")
    assert str(found["SUMMARY"]) == words
