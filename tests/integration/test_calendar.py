"""Hold days from an iCalendar file (Q14), and what the plan and the report say of the pool."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest

from publication import SETTINGS, Publication
from syndicate.cli import main
from syndicate.errors import SourceError
from syndicate.publish import dailyquote
from syndicate.sources.calendar import held_days

HEAD = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n"


def event(*lines: str) -> str:
    return "\r\n".join(["BEGIN:VEVENT", "UID:1@test.example", "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT", ""])


def days(folder: Path, text: str, first: str = "2026-01-01", last: str = "2027-12-31") -> list[str]:
    (folder / "hold.ics").write_bytes((HEAD + text + "END:VCALENDAR\r\n").encode())
    found = held_days(folder, "hold.ics", date.fromisoformat(first), date.fromisoformat(last), zone="Europe/Berlin")
    return list(found)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["DTSTART;VALUE=DATE:20260722"], ["2026-07-22"]),
        (["DTSTART;VALUE=DATE:20260722", "DTEND;VALUE=DATE:20260724"], ["2026-07-22", "2026-07-23"]),
        (["DTSTART;VALUE=DATE:20110722", "RRULE:FREQ=YEARLY"], ["2026-07-22", "2027-07-22"]),
        (["DTSTART;VALUE=DATE:20110722", "RRULE:FREQ=YEARLY;UNTIL=20261231T000000Z"], ["2026-07-22"]),
        (["DTSTART;VALUE=DATE:20200722", "RRULE:FREQ=YEARLY", "EXDATE;VALUE=DATE:20270722"], ["2026-07-22"]),
        (["DTSTART:20260722T233000Z", "DTEND:20260723T003000Z"], ["2026-07-23"]),
        (["DTSTART;VALUE=DATE:20261231", "DURATION:P2D", "RRULE:FREQ=YEARLY"], ["2026-12-31", "2027-01-01", "2027-12-31"]),
        (["DTSTART;VALUE=DATE:20260101", "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=3SU"], ["2026-01-01", "2026-11-15", "2027-11-21"]),
    ],
)
def test_each_kind_of_event_is_its_civil_days(tmp_path: Path, lines: list[str], expected: list[str]) -> None:
    assert days(tmp_path, event(*lines)) == expected


@pytest.mark.parametrize("text", [event("SUMMARY:without a day"), event("DTSTART:yesterday")])
def test_what_cannot_be_read_is_told_by_its_file(tmp_path: Path, text: str) -> None:
    with pytest.raises(SourceError) as fault:
        days(tmp_path, text)
    assert (fault.value.faults[0].file, fault.value.faults[0].rule) == ("hold.ics", "Q14")
    with pytest.raises(SourceError):
        held_days(tmp_path, "absent.ics", date(2026, 1, 1), date(2026, 1, 2), zone="UTC")


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    calendar = SETTINGS.replace("[quotes]", '[quotes]\nhold_calendar = "config/hold.ics"')
    made = Publication(root=tmp_path / "p", settings=calendar)
    text = HEAD + event("DTSTART;VALUE=DATE:20261124") + "END:VCALENDAR\r\n"
    (made.root / "config/hold.ics").write_bytes(text.encode())
    made.begin("2026-11-22 00:00")
    for name, speaker in (("0101", "Aldo"), ("0102", "Aldo"), ("0103", "Berta")):
        made.quote(name, f"A sentence about harbours, number {name}.", speaker=speaker, ideology="localism")
    return made


def test_no_quote_is_shown_on_a_day_of_the_calendar(publication: Publication) -> None:
    publication.run("2026-11-23 06:00")
    publication.run("2026-11-24 06:00")
    with publication.opened("2026-11-24 07:00") as app:
        told = {n: app.content.day_quote(date(2026, 11, n)) for n in (23, 24)}
    assert [known.state for known in told.values() if known] == ["shown", "none"]


def test_a_broken_calendar_lets_no_quote_out_and_is_a_fault(
    publication: Publication, capsys: pytest.CaptureFixture[str]
) -> None:
    (publication.root / "config/hold.ics").write_text("torn")
    report = publication.run("2026-11-23 06:00")
    assert "Q14" in {fault.rule for fault in report.faults}
    with publication.opened("2026-11-23 07:00") as app:
        assert app.content.shown_quotes(app.now()) == []
        with pytest.raises(SourceError):
            dailyquote.choose(app, date(2026, 11, 23), app.now())
    assert main(["-C", str(publication.root), "check"]) == 1
    assert "config/hold.ics: Q14: it is no calendar" in capsys.readouterr().out


def test_the_plan_shows_each_day_its_quote_or_why_there_is_none(
    publication: Publication, capsys: pytest.CaptureFixture[str]
) -> None:
    with publication.opened("2026-11-22 01:00") as app:
        app.content.sync(app.sources, app.now())
    arguments = ["-C", str(publication.root), "plan", "--days", "4", "--at", "2026-11-22T02:00Z"]
    assert main([*arguments, "--json"]) == 0
    found = {day["day"]: day for day in json.loads(capsys.readouterr().out)["quotes"]}
    assert found["2026-11-24"]["quote"] is None
    assert {one["rule"] for one in found["2026-11-24"]["excluded"]} == {"Q14"}
    assert found["2026-11-23"]["quote"]
    assert {one["rule"] for one in found["2026-11-23"]["excluded"]} == {"Q13"}
    main(arguments)
    told = capsys.readouterr().out
    assert "none may run: excluded 3 by Q14" in told
    assert re.search(r"\((\d+) excluded: \1 by Q13\)", told)  # each quote counted once, however many days forbid it


def test_the_report_counts_the_pool(publication: Publication, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-C", str(publication.root), "quotes", "report", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(row["value"], row["quotes"]) for row in found["speaker"]] == [("Aldo", 2), ("Berta", 1)]
    assert [row["value"] for row in found["date"]] == ["undated"]
    assert set(found) == {"speaker", "group", "ideology", "language", "date"}
    assert main(["-C", str(publication.root), "quotes", "report"]) == 0
    assert "localism" in capsys.readouterr().out
