"""The history of a feed (RFC 5005): archives that never change place, and everything reachable from the newest document."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

import feedrules
from publication import SETTINGS, Publication, instant
from syndicate.channels.files import Files
from syndicate.errors import Unreachable
from syndicate.publish import feeds
from syndicate.publish.tick import tick

ATOM = feedrules.ATOM
BASE = "http://127.0.0.1:8000/feeds/"
WINDOW = 4
SMALL = SETTINGS.replace('[feeds.briefs]\nitems = "briefs"', f'[feeds.briefs]\nwindow = {WINDOW}\nby = ["topic"]').replace(
    '[feeds.quotes]\nitems = "quotes"', f'[feeds.quotes]\nitems = "quotes"\nwindow = {WINDOW}'
)


class Letter(Publication):
    """A publication of small windows with a clock of its own."""

    def __init__(self, root: Path) -> None:
        super().__init__(root=root, settings=SMALL)
        self.memory: dict[str, str] = {}
        self.at = instant("2026-11-22 12:00")

    def write(self, number: int, date: str = "", **front: str) -> Path:
        return self.brief(f"b{number:03}", date or f"2026-01-01 00:{number:02}:00Z", **{"topics": "[Ports]", **front})

    def publish(self, *, memory: bool = True) -> feeds.FeedsReport:
        with self.opened(self.at.isoformat()) as app:
            app.content.sync(app.sources, app.now())
            report = feeds.publish(app, app.now(), self.memory if memory else None)
        assert report.faults == ()
        self.at += timedelta(minutes=1)
        return report

    def tree(self, path: str) -> Any:
        return etree.fromstring((self.root / "feeds" / path).read_bytes())

    def titles(self, path: str) -> list[str]:
        """Numbers of the briefs in an Atom document."""
        return [title.text[-3:] for title in self.tree(path).iterfind(f"{ATOM}entry/{ATOM}title")]

    def archives(self, feed: str = "briefs", form: str = "atom") -> list[str]:
        folder = self.root / "feeds" / "archive"
        return sorted(path.relative_to(folder.parent).as_posix() for path in folder.glob(f"{feed}-*.{form}"))

    def chain(self, form: str, feed: str = "briefs") -> list[str]:
        """The documents that a reader finds who starts at the subscription document."""
        found, path = [], f"{feed}.{form}"
        while path:
            found.append(path)
            if form == "json":
                href = json.loads((self.root / "feeds" / path).read_bytes()).get("next_url", "")
            else:
                href = next(
                    (link.get("href") for link in self.tree(path).iter(f"{ATOM}link") if link.get("rel") == "prev-archive"), ""
                )
            path = href.removeprefix(BASE)
            assert path not in found, "a chain that runs in a circle"
        return found

    def reachable(self, form: str, feed: str = "briefs") -> set[str]:
        """The ids of everything in the chain."""
        ids: set[str] = set()
        for path in self.chain(form, feed):
            data = (self.root / "feeds" / path).read_bytes()
            if form == "json":
                ids |= {item["id"] for item in json.loads(data)["items"]}
            else:
                name = "guid" if form == "rss" else f"{ATOM}id"
                tag = "item" if form == "rss" else f"{ATOM}entry"
                ids |= {element.findtext(name) for element in etree.fromstring(data).iter(tag)}
                ids |= {element.get("ref") for element in etree.fromstring(data).iter(f"{feedrules.TOMBSTONE}deleted-entry")}
        return ids

    def ids(self) -> set[str]:
        with self.opened(self.at.isoformat()) as app:
            return {brief.id for brief in app.content.briefs(now=app.now())}

    def broken(self) -> list[str]:
        found = []
        for path in sorted((self.root / "feeds").rglob("*.*")):
            name = path.relative_to(self.root / "feeds").as_posix()
            if path.suffix in {".rss", ".atom"}:
                found += [f"{name}: {fault}" for fault in feedrules.faults(path.read_bytes(), BASE + name, now=self.at)]
            elif path.suffix == ".json":
                found += [f"{name}: {fault}" for fault in feedrules.json_faults(path.read_bytes(), BASE + name, now=self.at)]
        return found


@pytest.fixture
def letter(tmp_path: Path) -> Letter:
    return Letter(tmp_path / "publication")


def test_a_small_publication_is_complete_in_one_document(letter: Letter) -> None:
    for number in range(WINDOW):
        letter.write(number)
    letter.publish()
    assert letter.archives() == []
    assert letter.tree("briefs.atom").find(f"{feedrules.HISTORY}complete") is not None
    assert letter.chain("atom") == ["briefs.atom"]


@pytest.mark.parametrize("number", [WINDOW + 1, 2 * WINDOW, 2 * WINDOW + 1, 23])
def test_everything_is_reachable_from_the_document_that_readers_subscribe_to(letter: Letter, number: int) -> None:
    for one in range(number):
        letter.write(one)
    letter.publish()
    for form in ("rss", "atom", "json"):
        assert letter.reachable(form) == letter.reachable(form, "topics/ports") == letter.ids()
    assert len(letter.ids()) == number
    assert letter.broken() == []


def test_archives_are_filled_from_the_oldest_and_stand_while_new_briefs_come(letter: Letter) -> None:
    for number in range(11):
        letter.write(number)
    letter.publish()
    assert letter.archives() == [f"archive/briefs-{page:04}.atom" for page in (1, 2, 3)]
    assert [letter.titles(path) for path in letter.archives()] == [["001", "000"], ["003", "002"], ["007", "006", "005", "004"]]
    assert letter.titles("briefs.atom") == ["010", "009", "008", "007"]
    before = letter.snapshot("feeds/archive")
    for number in range(11, 12):
        letter.write(number, date="2026-11-22")
        letter.publish()
    assert letter.snapshot("feeds/archive") == before
    assert letter.reachable("atom") == letter.ids()


def test_a_new_archive_touches_no_other_but_the_one_before_it(letter: Letter) -> None:
    for number in range(12):
        letter.write(number)
    letter.publish()
    before = letter.snapshot("feeds/archive")
    letter.write(12, date="2026-11-22")
    report = letter.publish()
    assert letter.archives()[-1] == "archive/briefs-0004.atom"
    after = letter.snapshot("feeds/archive")
    same = {path for path in before if after[path] == before[path]}
    assert {path for path in before if path not in same} == {
        f"feeds/archive/{name}-0003.{form}{suffix}"
        for name in ("briefs", "topics/ports")
        for form in ("rss", "atom")  # the way to the next; JSON leads backwards only
        for suffix in ("", ".gz", ".br")
    }
    assert [path for path in report.changed if path.endswith(("-0001.atom", "-0002.atom"))] == []
    assert letter.titles("archive/briefs-0003.atom") == ["007", "006", "005", "004"]


def test_a_late_brief_with_an_old_date_moves_no_other(letter: Letter) -> None:
    for number in range(11):
        letter.write(number)
    letter.publish()
    before = letter.snapshot("feeds/archive")
    letter.write(50, date="2019-05-01")
    letter.publish()
    assert letter.snapshot("feeds/archive") == before
    assert letter.titles("briefs.atom") == ["010", "009", "008", "007", "050"]
    assert letter.reachable("json") == letter.ids()


def test_a_brief_that_vanishes_or_loses_its_topic_leaves_its_gap(letter: Letter) -> None:
    paths = [letter.write(number) for number in range(11)]
    letter.publish()
    paths[0].unlink()
    letter.write(5, topics="[Leaving]")
    letter.publish()
    assert [letter.titles(path) for path in letter.archives()] == [["001"], ["003", "002"], ["007", "006", "005", "004"]]
    assert letter.titles("archive/topics/ports-0003.atom") == ["007", "006", "004"]
    assert letter.reachable("atom") == letter.ids()
    assert letter.titles("topics/leaving.atom") == ["005"]


def test_a_correction_and_a_withdrawal_arrive_in_the_archive_that_holds_the_entry(letter: Letter) -> None:
    for number in range(11):
        letter.write(number)
    letter.publish()
    letter.write(2, corrections="[{date: 2026-11-21, text: It was six.}]")
    letter.write(5, status="withdrawn")
    report = letter.publish()
    assert {path for path in report.changed if "/" in path} == {
        f"{folder}-{page:04}.{form}"
        for folder in ("archive/briefs", "archive/topics/ports")
        for page in (2, 3)
        for form in ("rss", "atom", "json")
    }
    second, third = letter.tree("archive/briefs-0002.atom"), letter.tree("archive/briefs-0003.atom")
    corrected = second.findall(f"{ATOM}entry")[1]
    assert corrected.findtext(f"{ATOM}updated").startswith("2026-11-2")
    assert "It was six." in corrected.findtext(f"{ATOM}content")
    assert third.find(f"{feedrules.TOMBSTONE}deleted-entry").get("when") == "2026-11-22T12:01:00Z"
    assert b"Withdrawn: About b005" in (letter.root / "feeds/archive/briefs-0003.rss").read_bytes()
    assert (
        json.loads((letter.root / "feeds/archive/briefs-0003.json").read_bytes())["items"][2]["date_modified"]
        == "2026-11-22T12:01:00Z"
    )
    assert letter.reachable("atom") == letter.ids()
    assert letter.broken() == []


def test_a_correction_dated_ahead_arrives_in_the_archive_at_its_time(letter: Letter) -> None:
    for number in range(11):
        letter.write(number)
    letter.write(2, updated="2026-11-22 12:01:30Z")
    letter.publish()
    assert [path for path in letter.publish().changed if path.startswith("archive/briefs")] == []
    assert "archive/briefs-0002.atom" in letter.publish().changed


def test_an_archive_that_was_lost_is_written_again_with_the_next_start(letter: Letter) -> None:
    for number in range(11):
        letter.write(number)
    letter.publish()
    before = letter.snapshot("feeds/archive")
    shutil.rmtree(letter.root / "feeds" / "archive")
    letter.memory.clear()
    letter.publish()
    assert {path: data for path, (_, data) in letter.snapshot("feeds/archive").items()} == {
        path: data for path, (_, data) in before.items()
    }


def test_archives_that_the_disk_refused_are_written_when_it_takes_them(letter: Letter, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Files.write

    def full(self: Files, document: Any, **more: Any) -> list[str]:
        if any(path.startswith("archive/") for path in document.files):
            raise Unreachable("no room")
        return real(self, document, **more)

    for number in range(11):
        letter.write(number)
    with monkeypatch.context() as patch, letter.opened(letter.at.isoformat()) as app:
        patch.setattr(Files, "write", full)
        app.content.sync(app.sources, app.now())
        report = feeds.publish(app, app.now(), letter.memory)
    assert {fault.rule for fault in report.faults} == {"disk"}
    assert letter.archives() == []
    letter.publish()
    assert len(letter.archives()) == 3


@pytest.mark.parametrize("before", [0, WINDOW, 12], ids=["from nothing", "a second window", "more archives"])
def test_at_no_moment_does_a_reader_find_a_way_that_leads_nowhere(
    letter: Letter, monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    for number in range(before):
        letter.write(number)
    if before:
        letter.publish()
    for number in range(before, before + 7):
        letter.write(number)
    real, looks = Files.write, []

    def looking(self: Files, document: Any, **more: Any) -> list[str]:
        written = real(self, document, **more)
        for form in ("rss", "atom", "json"):
            looks.extend(letter.chain(form) if (letter.root / f"feeds/briefs.{form}").exists() else ())
        if (letter.root / "feeds" / "briefs.atom").exists():
            assert before or letter.tree("briefs.atom").find(f"{feedrules.HISTORY}complete") is None
        return written

    monkeypatch.setattr(Files, "write", looking)
    letter.publish()
    assert len(looks) > 20, "each was opened"
    assert letter.reachable("rss") == letter.reachable("json") == letter.ids()


def test_a_lost_database_gives_the_same_archives_again(letter: Letter) -> None:
    for number in range(11):
        letter.write(number)
    letter.publish()
    before = {path: data for path, (_, data) in letter.snapshot("feeds").items()}
    shutil.rmtree(letter.root / "var")
    shutil.rmtree(letter.root / "feeds")
    letter.memory.clear()
    letter.publish()
    assert {path: data for path, (_, data) in letter.snapshot("feeds").items()} == before


def test_twins_of_one_instant_keep_their_seconds_through_a_renaming_and_a_lost_database(letter: Letter) -> None:
    def told() -> dict[str, str]:
        letter.publish(memory=False)
        entries = letter.tree("briefs.atom").iterfind(f"{ATOM}entry")
        return {entry.findtext(f"{ATOM}id"): entry.findtext(f"{ATOM}updated")[-3:-1] for entry in entries}

    first = letter.write(1, date="2026-01-01", id="zz")
    letter.write(2, date="2026-01-01", id="aa")
    before = told()
    first.rename(first.with_name("b009.md"))
    shutil.rmtree(letter.root / "var")
    assert told() == before == {"tag:test.example,2015:brief/aa": "00", "tag:test.example,2015:brief/zz": "01"}


def test_a_build_without_a_change_writes_nothing(letter: Letter) -> None:
    for number in range(11):
        letter.write(number)
    letter.publish()
    before = letter.snapshot("feeds")
    assert letter.publish().changed == letter.publish(memory=False).changed == ()
    assert letter.snapshot("feeds") == before


def test_a_change_of_the_settings_reaches_every_archive(letter: Letter) -> None:
    for number in range(11):
        letter.write(number)
    letter.publish()
    path = letter.root / "config" / "syndicate.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("The Test Letter", "Another Letter"), encoding="utf-8")
    letter.memory.clear()
    letter.publish()
    assert letter.tree("archive/briefs-0001.atom").findtext(f"{ATOM}title") == "Another Letter"


def test_a_topic_that_nobody_names_any_more_keeps_its_feed_and_tells_so(letter: Letter) -> None:
    letter.write(1, topics="[Leaving]")
    letter.publish()
    assert letter.titles("topics/leaving.atom") == ["001"]
    letter.write(1, topics="[Ports]")
    letter.publish()
    assert letter.titles("topics/leaving.atom") == []
    assert letter.titles("topics/ports.atom") == ["001"]
    assert b"leaving" not in (letter.root / "feeds" / "feeds.opml").read_bytes()
    assert b"topics/ports.atom" in (letter.root / "feeds" / "feeds.opml").read_bytes()


# -- quotes ---------------------------------------------------------------------------------------


def test_quotes_have_archives_too_and_a_withdrawal_takes_the_words_out_of_them(letter: Letter) -> None:
    words = "Bring us every letter of {} that comes from outside and we shall tell you which are worth opening."
    for number in range(6):
        letter.quote(f"q{number}", words.format(f"speaker {number}"))
    letter.begin("2026-11-01 12:00")
    for day in range(2, 8):
        with letter.opened(f"2026-11-0{day} 12:00") as app:
            tick(app, app.now())
    letter.publish()
    assert letter.archives("quotes") == ["archive/quotes-0001.atom", "archive/quotes-0002.atom"]
    assert len(letter.reachable("rss", "quotes")) == len(letter.reachable("json", "quotes")) == 6
    first = letter.tree("archive/quotes-0001.atom").find(f"{ATOM}entry")
    name = first.findtext(f"{ATOM}id").rpartition("/")[2]
    said = f"speaker {name[1:]} that".encode()
    assert said in (letter.root / "feeds/archive/quotes-0001.rss").read_bytes()
    letter.quote(name, words.format(f"speaker {name[1:]}"), status="withdrawn")
    letter.publish()
    assert not any(said in data for path, (_, data) in letter.snapshot("feeds").items() if not path.endswith((".gz", ".br")))
    assert letter.tree("archive/quotes-0001.atom").find(f"{feedrules.TOMBSTONE}deleted-entry") is not None
    assert len(letter.reachable("atom", "quotes")) == 6
    assert letter.broken() == []
