"""Corrections in editions: told once, in the next edition, to those who may have read what was wrong."""

from __future__ import annotations

import email
import email.policy
from datetime import date
from pathlib import Path

from tests.publication import Publication, instant

from syndicate.model import Correction, Frequency, Severity
from syndicate.publish import correction
from syndicate.store import agenda, corrections
from syndicate.store.subscribers import Wishes

DAILY, WEEKLY, INSTANT = (Wishes(frequency=frequency) for frequency in (Frequency.DAILY, Frequency.WEEKLY, Frequency.INSTANT))
SHIPS = Wishes(frequency=Frequency.DAILY, topics=("ships",))
WRONG, SMALL, LATER = "We gave 14 boats. There were 11.", "We wrote Tarn Harbor.", "We gave 3 masts. There were 2."
NOTED = f'[{{date: 2026-11-23, text: "{WRONG}"}}, {{date: 2026-11-23, text: "{SMALL}", severity: minor}}]'


def told(publication: Publication) -> dict[str, list[str]]:
    """Reader -> the titles and corrections of each of their mails, oldest first."""
    found: dict[str, list[str]] = {}
    mails = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in publication.outbox()]
    for mail in sorted(mails, key=lambda mail: (mail["Date"].datetime, str(mail["Subject"]))):
        plain, html = ((mail.get_body((kind,)) or mail).get_content() for kind in ("plain", "html"))
        parts = [name for name in ("one", "two", "three", "four") if f"briefs/{name}" in plain]
        parts += ["CORRECTED"] * (WRONG in plain)
        assert (WRONG in html) == (WRONG in plain)
        assert not any(text in part for text in (SMALL, LATER) for part in (plain, html))
        found.setdefault(str(mail["To"]).partition("<")[2].partition("@")[0], []).append(" ".join(parts))
    return found


def test_a_correction_reaches_each_reader_once_with_their_next_edition(tmp_path: Path) -> None:
    publication = Publication(root=tmp_path / "letter")
    publication.begin("2026-11-22 12:00")  # a Sunday
    publication.subscribe("2026-11-22 12:00", daily=DAILY, weekly=WEEKLY, instant=INSTANT, ships=SHIPS)
    publication.brief("one", "2026-11-22T13:00:00Z")
    publication.run("2026-11-22 13:01")
    publication.run("2026-11-23 07:30")
    publication.brief("one", "2026-11-22T13:00:00Z", corrections=NOTED)  # dated today, after today's edition
    publication.run("2026-11-23 15:00")
    publication.subscribe("2026-11-23 16:00", newcomer=DAILY)
    publication.run("2026-11-24 06:30")  # no brief is due: nothing leaves for the correction alone
    assert sum(map(len, told(publication).values())) == 3
    publication.brief(
        "two", "2026-11-24T13:00:00Z", topics="[Ships]", corrections=NOTED.replace(WRONG, LATER)
    )  # before it left
    publication.brief("three", "2026-11-24T13:30:00Z", corrections=NOTED.replace(WRONG, LATER))
    publication.run("2026-11-24 13:31")
    publication.run("2026-11-25 06:30")
    taken_back = f'[{{date: 2026-11-25, text: "{LATER}"}}]'
    publication.brief("two", "2026-11-24T13:00:00Z", topics="[Ships]", corrections=taken_back, status="withdrawn")
    publication.brief("four", "2026-11-25T13:00:00Z", topics="[Ships]")
    for at in ("2026-11-25 13:01", "2026-11-26 06:30", "2026-11-30 07:30"):
        publication.run(at)
    assert told(publication) == {
        "instant": ["one", "three", "one two CORRECTED", "four"],
        "daily": ["one", "one two three CORRECTED", "four"],
        "newcomer": ["two three", "four"],
        "ships": ["two", "four"],
        "weekly": ["one", "one three four CORRECTED"],
    }
    with publication.opened("2026-11-30 08:00") as app, app.store.read() as connection:
        made = corrections.since(connection, "digest", instant("2026-11-22 12:00"), app.now())
        assert [one.mark for one in made] == [corrections.mark(Correction(date=date(2026, 11, 23), text=WRONG))]
        daily = next(one for one in agenda.editions(connection) if one.period == "2026-11-25")
        variants = [one for one in agenda.variants(connection, edition=daily.key) if len(one.items) == 2]
    assert variants[0].items == variants[1].items
    assert sorted(len(one.corrections) for one in variants) == [0, 1]


def test_a_correction_and_a_brief_that_are_seen_together_are_told_once(tmp_path: Path) -> None:
    publication = Publication(root=tmp_path / "letter")
    publication.begin("2026-11-22 12:00")
    publication.subscribe("2026-11-22 12:00", instant=INSTANT)
    publication.brief("one", "2026-11-22T13:00:00Z")
    publication.run("2026-11-22 13:01")
    publication.brief("one", "2026-11-22T13:00:00Z", corrections=NOTED)
    publication.brief("two", "2026-11-23T14:00:00Z")
    publication.run("2026-11-23 15:00")  # both are released when they are first seen: now
    publication.brief("three", "2026-11-24T13:00:00Z")
    publication.run("2026-11-24 13:01")
    assert told(publication) == {"instant": ["one", "one two CORRECTED", "three"]}


def test_a_correction_made_between_a_brief_s_release_and_its_edition_is_told_once(tmp_path: Path) -> None:
    publication = Publication(root=tmp_path / "letter")
    publication.begin("2026-11-22 12:00")
    publication.subscribe("2026-11-22 12:00", instant=INSTANT)
    publication.brief("one", "2026-11-22T13:00:00Z")
    publication.brief("two", "2026-11-23T14:00:00Z")
    publication.run("2026-11-22 13:01")
    publication.brief("one", "2026-11-22T13:00:00Z", corrections=NOTED)
    publication.run("2026-11-23 15:00")  # the second was due an hour ago, and nothing ran
    publication.brief("three", "2026-11-24T13:00:00Z")
    publication.run("2026-11-24 13:01")
    assert told(publication) == {"instant": ["one", "one two CORRECTED", "three"]}


def test_who_got_a_notice_of_it_is_not_told_again(tmp_path: Path) -> None:
    publication = Publication(root=tmp_path / "letter")
    publication.begin("2026-11-22 12:00")
    publication.subscribe("2026-11-22 12:00", daily=DAILY)
    publication.brief("one", "2026-11-22T13:00:00Z")
    publication.run("2026-11-23 06:30")
    publication.brief("one", "2026-11-22T13:00:00Z", corrections=NOTED)
    with publication.opened("2026-11-23 15:00") as app:
        app.content.sync(app.sources, app.now())
        item = app.content.brief("one", now=None)
        assert item is not None
        wanted = correction.wish(app, item, Severity.SIGNIFICANT, WRONG, app.now())
        correction.correct(app, item, wanted, app.now(), who="test", clock=lambda: 0.0)
    publication.brief("two", "2026-11-23T16:00:00Z")
    publication.run("2026-11-23 16:01")
    publication.run("2026-11-24 06:30")
    assert told(publication) == {"daily": ["one", "one CORRECTED", "two"]}


def test_a_correction_keeps_the_time_at_which_it_was_first_seen() -> None:
    first = {"date": "2026-11-23", "at": "2026-11-22T23:00:00+00:00", "text": "There were 11.", "severity": "significant"}
    now, later = instant("2026-11-23 15:00"), instant("2026-11-24 15:00")
    (seen,) = corrections.stamped([first], [], now)
    assert seen["seen"] == now.isoformat()
    assert corrections.stamped([{**first, "text": "There were eleven."}], [seen], later)[0]["seen"] == now.isoformat()
    second = {**first, "text": "The year was 2011."}
    assert [one["seen"] for one in corrections.stamped([second, first], [seen], later)] == [later.isoformat(), now.isoformat()]
    assert corrections.stamped([{**first, "severity": "minor"}], [seen], later)[0]["seen"] == later.isoformat()
    assert "seen" not in corrections.stamped([first], [first], later)[0]  # of before this was kept: its date counts
