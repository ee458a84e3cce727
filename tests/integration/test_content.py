"""The content store over a real folder and a real database: incremental syncs, permanent ids, releases."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from syndicate.links import is_tag_uri
from syndicate.model import Status
from syndicate.settings import SiteSettings, SourceSettings
from syndicate.sources import Source, open_source
from syndicate.store import content, migrate, schema
from syndicate.store.content import ContentStore
from syndicate.store.database import Store
from syndicate.store.intake import Intake, SyncReport

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SITE = SiteSettings(title="T", url="https://example.org", zone="Europe/Berlin", tag_authority="example.org,2015")
WINDOWS = {"brief": timedelta(hours=72), "quote": timedelta(hours=12)}
PROVENANCE = (
    "speaker: Orla Vance\nrole: founder\nlang: en\nsource: Bulletin\narchive: https://archive.example.org/1\n"
    "context: A rally speech.\nideology: Harrowism\n"
)


class Place:
    """A publication's folder, its database and its clock."""

    def __init__(self, root: Path, empty: Path) -> None:
        self.root = root
        self.now = NOW
        for folder in ("briefs", "quotes"):
            (root / "content" / folder).mkdir(parents=True)
        shutil.copy(empty, root / "x.db")
        self.open()

    def open(self) -> None:
        self.store = Store(self.root / "x.db")
        self.content = ContentStore(self.store, site=SITE, public_url="https://news.example.org/", windows=WINDOWS)

    def source(self, name: str = "briefs") -> Source:
        kind: Any = "quotes" if name == "quotes" else "markdown"
        return open_source(name, SourceSettings(kind=kind, path=f"content/{name}"), root=self.root, site=SITE)

    def sync(self, *names: str) -> SyncReport:
        return self.content.sync([self.source(name) for name in names or ("briefs", "quotes")], self.now)

    def path(self, name: str) -> Path:
        return self.root / "content" / name

    def brief(
        self, name: str = "a.md", lines: str = "", *, date: str = "2026-11-20", title: str = "A", body: str = "Body"
    ) -> Path:
        when = f"date: {date}\n" if date else ""
        return self.write(f"briefs/{name}", f"---\ntitle: {title}\n{when}{lines}\n---\n{body}\n")

    def quote(self, name: str = "0412.md", lines: str = "", *, when: str = "2014", words: str = "Words of our own.") -> Path:
        return self.write(f"quotes/{name}", f"---\ndate: {when}\n{PROVENANCE}{lines}\n---\n{words}\n")

    def write(self, name: str, text: str) -> Path:
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.stat().st_mtime_ns if path.exists() else 0
        path.write_text(text)
        # Long ago, and never twice the same: the file's clock has moved on since it was saved.
        self.saved = max(before, getattr(self, "saved", 0), 10**18) + 10**9
        os.utime(path, ns=(self.saved, self.saved))
        return path

    def one(self, now: datetime | None = None) -> Any:
        (found,) = self.content.briefs(now=now or self.now)
        return found

    def slugs(self, **by: Any) -> list[str]:
        return [brief.slug for brief in self.content.briefs(now=self.now, **by)]


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its tables and nothing in them."""
    path = tmp_path_factory.mktemp("empty") / "x.db"
    store = Store(path)
    migrate.ensure(store)
    with store.read() as connection:
        connection.exec_driver_sql("SELECT 1")
    store.close()
    return path


@pytest.fixture
def place(tmp_path: Path, empty: Path) -> Iterator[Place]:
    made = Place(tmp_path / "p", empty)
    yield made
    made.store.close()


@pytest.fixture
def running(place: Place) -> Place:
    """A publication whose sources have been reached once, empty."""
    place.sync()
    return place


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are opened from here on."""
    names: list[str] = []
    real = os.open

    def watching(path: Any, flags: int, *more: Any, **named: Any) -> int:
        names.append(Path(path).name)
        return real(path, flags, *more, **named)

    monkeypatch.setattr(os, "open", watching)
    return names


# -- one sync after another -------------------------------------------------------------------------


def test_a_brief_is_stored_whole(place: Place) -> None:
    place.brief(
        lines="authors: [{name: B, role: C}]\nsummary: S\ntopics: [x]\nseries: R\nlang: de\nimage: /i.png\nimage_alt: I\n"
        "corrections: [{date: 2026-11-21, text: Fixed}]\nsocial: {x: Short}"
    )
    report = place.sync()
    found = place.content.brief("a", now=NOW)
    assert found is not None
    assert report.new == (found.id,)
    assert is_tag_uri(found.id)
    assert found.id.startswith("tag:example.org,2015:brief/")
    assert found.link == "https://news.example.org/briefs/a"
    assert (found.title, found.summary, found.topics, found.series, found.lang) == ("A", "S", ("x",), "R", "de")
    assert [(author.name, author.role) for author in found.authors] == [("B", "C")]
    assert found.image is not None
    assert found.image.alt == "I"
    assert found.corrections[0].date == date(2026, 11, 21)
    assert found.updated == datetime(2026, 11, 20, 23, tzinfo=UTC)
    assert dict(found.social) == {"x": "Short"}
    assert found.body == "Body"
    assert found.path == "content/briefs/a.md"
    assert found.published == found.release == datetime(2026, 11, 19, 23, tzinfo=UTC)


def test_an_unchanged_file_is_never_opened(place: Place, opened: list[str]) -> None:
    place.brief("a.md")
    place.brief("b.md", slug := "")
    place.write("briefs/bad.md", f"no front matter{slug}\n")
    first = place.sync()
    assert sorted(opened) == ["a.md", "b.md", "bad.md"]
    opened.clear()
    again = place.sync()
    assert opened == []
    assert (again.new, again.changed, again.gone, again.released) == ((), (), (), ())
    assert again.faults == first.faults != ()


def test_a_sync_without_news_writes_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.brief("a.md", "sumary: x")
    place.write("briefs/bad.md", "no front matter\n")
    place.sync()
    monkeypatch.setattr(Store, "write", lambda *_args: pytest.fail("something was written"))
    assert len(place.sync().faults) == 1


def test_a_standing_disk_fault_is_looked_at_again_and_not_written_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.brief("a.md")
    real, locked = os.open, [True]

    def refusing(path: Any, *more: Any, **named: Any) -> int:
        if locked[0] and str(path).endswith("a.md"):
            raise PermissionError(13, "Permission denied")
        return real(path, *more, **named)

    monkeypatch.setattr(os, "open", refusing)
    assert len(place.sync().faults) == 1
    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", lambda *_args: pytest.fail("something was written"))
        assert len(place.sync().faults) == 1
    locked[0] = False
    report = place.sync()  # the file itself has not been touched
    assert report.faults == ()
    assert len(report.new) == 1


def test_only_the_changed_file_is_opened(place: Place, opened: list[str]) -> None:
    place.brief("a.md")
    place.brief("b.md")
    place.sync()
    opened.clear()
    place.brief("b.md", title="Better")
    report = place.sync()
    assert opened == ["b.md"]
    assert len(report.changed) == 1
    assert {brief.title for brief in place.content.briefs(now=NOW)} == {"A", "Better"}


def test_a_file_that_was_only_touched_changes_nothing(place: Place, opened: list[str]) -> None:
    path = place.brief("a.md")
    place.sync()
    os.utime(path, ns=(5 * 10**17, 5 * 10**17))
    report = place.sync()
    assert (report.new, report.changed) == ((), ())
    opened.clear()
    place.sync()
    assert opened == []


def test_a_file_saved_twice_within_a_tick_is_noticed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    path = place.path("briefs/a.md")
    path.write_text("---\ntitle: A\ndate: 2026-11-20\n---\n")
    monkeypatch.setattr(time, "time_ns", lambda: path.stat().st_mtime_ns + 1_000_000)
    place.sync()
    before = path.stat()
    with path.open("r+") as file:  # the same size, the same inode
        file.write("---\ntitle: B\ndate: 2026-11-20\n---\n")
    os.utime(path, ns=(before.st_mtime_ns, before.st_mtime_ns))
    place.sync()
    assert place.one().title == "B"


def test_a_faulty_edit_keeps_the_last_good_version(place: Place) -> None:
    place.brief("a.md", title="Good")
    place.brief("b.md")
    place.sync()
    place.brief("a.md", "status: nonsense", title="Bad")
    report = place.sync()
    assert [(fault.file, fault.line) for fault in report.faults] == [("content/briefs/a.md", 4)]
    found = place.content.brief("a", now=NOW)
    assert found is not None
    assert found.title == "Good"
    place.brief("a.md", title="Mended")
    assert place.sync().faults == ()
    assert place.content.faults() == []
    found = place.content.brief("a", now=NOW)
    assert found is not None
    assert found.title == "Mended"


def test_a_fault_goes_with_its_file(place: Place) -> None:
    path = place.write("briefs/bad.md", "nothing\n")
    assert len(place.sync().faults) == 1
    path.unlink()
    assert place.sync().faults == ()


def test_advice_stands_until_it_is_followed(place: Place) -> None:
    place.brief("a.md", "sumary: x")
    assert [advice.right for advice in place.sync().advice] == ["did you mean summary?"]
    assert len(place.sync().advice) == len(place.content.advice()) == 1
    place.brief("a.md", "summary: x")
    assert place.sync().advice == ()


# -- vanishing and coming back ----------------------------------------------------------------------


def test_a_vanished_file_leaves_and_comes_back_as_the_same_item(place: Place) -> None:
    path = place.brief("a.md")
    place.sync()
    before = place.one()
    path.unlink()
    assert place.sync().gone == (before.id,)
    assert place.slugs() == []
    assert place.content.brief("a", now=NOW) is None
    place.now += 10 * DAY
    place.brief("a.md", title="Another title")
    assert place.sync().changed == (before.id,)
    after = place.one()
    assert (after.id, after.release, after.title) == (before.id, before.release, "Another title")


@pytest.mark.parametrize("between", [False, True])
def test_a_moved_file_stays_the_item_it_was(place: Place, between: bool) -> None:
    path = place.brief("a.md")
    place.brief("other.md", title="Other")
    place.sync()
    before = place.content.brief("a", now=NOW)
    place.now += 10 * DAY
    aside = path.rename(place.root / "aside")
    if between:
        assert len(place.sync().gone) == 1
    place.path("briefs/deep").mkdir()
    aside.rename(place.path("briefs/deep/2026-new-name.md"))
    report = place.sync()
    assert (report.new, report.released, report.late, report.faults) == ((), (), (), ())
    after = place.content.brief("a", now=place.now)
    assert before is not None
    assert after is not None
    assert (after.id, after.slug, after.release, after.published) == (before.id, before.slug, before.release, before.published)
    assert after.path == "content/briefs/deep/2026-new-name.md"
    place.brief("deep/2026-new-name.md", title="Edited later")
    place.sync()
    assert place.content.brief("a", now=place.now).id == before.id  # type: ignore[union-attr]


def test_files_that_swap_their_names_stay_the_items_they_were(place: Place) -> None:
    first, second = place.brief("a.md", title="First"), place.brief("b.md", title="Second")
    place.sync()
    ids = {brief.title: brief.id for brief in place.content.briefs(now=NOW)}
    aside = first.rename(place.root / "aside")
    second.rename(first)
    aside.rename(second)
    place.sync()
    assert {brief.title: brief.id for brief in place.content.briefs(now=NOW)} == ids


def test_a_chain_of_moves_keeps_every_id(place: Place) -> None:
    first, second = place.brief("a.md", title="First"), place.brief("b.md", title="Second")
    place.sync()
    ids = {brief.title: brief.id for brief in place.content.briefs(now=NOW)}
    second.rename(place.path("briefs/c.md"))
    first.rename(second)
    report = place.sync()
    assert (report.new, report.gone) == ((), ())
    assert {brief.title: brief.id for brief in place.content.briefs(now=NOW)} == ids


def test_a_copy_is_an_item_of_its_own(place: Place) -> None:
    path = place.brief("a.md")
    place.sync()
    shutil.copy(path, place.path("briefs/copy.md"))
    report = place.sync()
    assert len(report.new) == 1
    assert len({brief.id for brief in place.content.briefs(now=NOW)}) == 2


def test_an_id_is_never_used_again(place: Place) -> None:
    path = place.brief("a.md", title="First")
    place.sync()
    path.rename(place.path("briefs/moved.md"))
    place.sync()
    place.brief("a.md", title="Another")  # the same place, the same date
    place.sync()
    assert len({brief.id for brief in place.content.briefs(now=NOW)}) == 2
    assert sorted(place.slugs()) == ["a", "a-2026-11-20"]


def test_a_lost_database_gives_the_same_ids_again(place: Place) -> None:
    for name in ("a.md", "b.md", "deep/index.md"):
        place.brief(name)
    place.quote()
    place.sync()
    before = {brief.path: brief.id for brief in place.content.briefs(now=NOW)}
    pool = [(quote.id, quote.slug) for quote in place.content.quotes(now=NOW)]
    place.store.close()
    for name in ("x.db", "x.db-wal", "x.db-shm"):
        (place.root / name).unlink(missing_ok=True)
    place.open()
    migrate.ensure(place.store)
    place.now += 30 * DAY
    place.sync()
    assert {brief.path: brief.id for brief in place.content.briefs(now=place.now)} == before
    assert [(quote.id, quote.slug) for quote in place.content.quotes(now=place.now)] == pool


@pytest.mark.parametrize("cut", [0, 2], ids=["whole", "cut short"])
def test_a_beginning_a_few_files_at_a_time_is_the_one_in_which_all_are_read_together(
    place: Place, monkeypatch: pytest.MonkeyPatch, cut: int
) -> None:
    for number in range(7):
        place.brief(f"{number}.md", {1: "id: twice", 5: "id: twice"}.get(number, f"slug: s{number % 4}"), body=f"Body {number}")
    place.write("briefs/8.md", "---\ntitle: [\n---\n")
    place.brief("9.md", date="2026-12-24")

    def begun() -> Any:
        report = place.sync()
        columns = [column for column in schema.item.columns if column.name not in {"key", "change"}]
        with place.store.read() as connection:
            rows = [tuple(row) for row in connection.execute(sa.select(*columns).order_by(schema.item.c.path))]
        return report.faults, sorted(report.new), sorted(report.released), rows, place.sync().new

    together = begun()
    assert len(together[0]) >= 2
    for name in ("item", "facet", "fault", "meta"):
        place.store.write(lambda connection, name=name: connection.exec_driver_sql(f"DELETE FROM {name}").close())  # type: ignore[misc]
    monkeypatch.setattr(content, "_AT_FIRST", 2)
    if cut:
        real, runs = Intake.run, []

        def failing(self: Intake, found: Any) -> SyncReport:
            runs.append(found)
            if len(runs) > cut:
                raise InterruptedError
            return real(self, found)

        with monkeypatch.context() as patch:
            patch.setattr(Intake, "run", failing)
            with pytest.raises(InterruptedError):
                place.sync()
    again = begun()
    assert again[0] == together[0]
    assert again[3:] == together[3:]
    assert cut or again == together


def test_a_folder_that_is_missing_takes_nothing_away(place: Place) -> None:
    place.brief("a.md")
    place.brief("b.md")
    place.sync()
    place.path("briefs").rename(place.root / "unmounted")
    report = place.sync()
    assert report.gone == ()
    assert [fault.file for fault in report.faults] == ["content/briefs"]
    assert sorted(place.slugs()) == ["a", "b"]
    (place.root / "unmounted").rename(place.path("briefs"))
    assert place.sync().faults == ()


def test_a_folder_that_is_suddenly_empty_takes_nothing_away(place: Place) -> None:
    paths = [place.brief("a.md"), place.brief("b.md", title="B")]
    place.sync()
    for path in paths:
        path.unlink()
    report = place.sync()
    assert (report.gone, len(report.faults), len(place.slugs())) == ((), 1, 2)
    assert place.sync().gone == ()
    place.brief("c.md", title="C")
    report = place.sync()
    assert (len(report.gone), report.faults, place.slugs()) == (2, (), ["c"])


def test_a_folder_below_that_cannot_be_listed_takes_nothing_away(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.brief("a.md")
    place.brief("locked/b.md", title="B")
    place.sync()
    real = os.scandir

    def refusing(path: Any) -> Any:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", refusing)
        report = place.sync()
        assert (report.gone, len(report.faults), len(place.slugs())) == ((), 1, 2)
    assert place.sync().faults == ()


def test_a_source_with_a_new_name_keeps_its_items(place: Place) -> None:
    place.brief("a.md")
    place.sync()
    before = place.one()
    other = open_source("articles", SourceSettings(kind="markdown", path="content/briefs"), root=place.root, site=SITE)
    place.content.sync([other], place.now)
    assert place.one().id == before.id


# -- ids and slugs ----------------------------------------------------------------------------------


def test_the_front_matters_id_wins(place: Place) -> None:
    place.brief("a.md", "id: report-1")
    place.brief("b.md", "id: 'https://old.example/?p=12'", title="B")
    place.brief("c.md", "id: 'tag:example.org,2015:brief/abc'", title="C")
    place.sync()
    assert {brief.id for brief in place.content.briefs(now=NOW)} == {
        "tag:example.org,2015:brief/report-1",
        "https://old.example/?p=12",
        "tag:example.org,2015:brief/abc",
    }


def test_an_id_moves_with_the_file_that_names_it(place: Place) -> None:
    path = place.brief("a.md", "id: report-1")
    place.sync()
    path.unlink()
    place.brief("new-name.md", "id: report-1", title="New title and text", body="New")
    report = place.sync()
    assert (report.new, report.gone) == ((), ())
    assert (place.one().slug, place.one().title) == ("a", "New title and text")


def test_the_minted_id_may_be_written_into_the_file(place: Place) -> None:
    place.brief("a.md")
    place.sync()
    before = place.one()
    place.brief("a.md", f"id: '{before.id}'")
    assert place.sync().faults == ()
    assert place.one().id == before.id


def test_two_files_with_one_id_are_a_fault_until_one_gives_way(place: Place) -> None:
    first = place.brief("a.md", "id: report-1", title="First")
    place.sync()
    place.brief("0.md", "id: report-1", title="Second")  # sorts before the file that had the id
    report = place.sync()
    assert [fault.file for fault in report.faults] == ["content/briefs/0.md"]
    assert place.one().title == "First"
    assert len(place.sync().faults) == 1
    place.brief("a.md", "id: report-1", title="First, edited")
    place.brief("0.md", "id: report-1", title="Second, edited")
    assert [fault.file for fault in place.sync().faults] == ["content/briefs/0.md"]
    assert place.one().title == "First, edited"
    first.unlink()
    assert place.sync().faults == ()
    assert place.one().title == "Second, edited"


def test_two_new_files_with_one_id_are_a_fault_for_the_second(place: Place) -> None:
    place.brief("a.md", "id: report-1", title="First")
    place.brief("b.md", "id: report-1", title="Second")
    assert [fault.file for fault in place.sync().faults] == ["content/briefs/b.md"]
    assert place.one().title == "First"


def test_a_quote_cannot_take_a_briefs_id(place: Place) -> None:
    place.brief("a.md", "id: 'urn:x:1'")
    place.quote(lines="id: 'urn:x:1'")
    assert [fault.file for fault in place.sync().faults] == ["content/quotes/0412.md"]


def test_a_published_id_cannot_be_changed(place: Place) -> None:
    place.brief("a.md", "id: report-1")
    place.sync()
    place.brief("a.md", "id: report-2", title="Edited")
    (fault,) = place.sync().faults
    assert "permanent" in fault.what
    assert "report-1" in fault.what
    assert place.one().title == "A"


def test_an_unpublished_id_can_be_changed(place: Place) -> None:
    place.brief("a.md", "id: report-1\nstatus: draft")
    place.sync()
    place.brief("a.md", "id: report-2")
    assert place.sync().faults == ()
    assert place.one().id.endswith("/report-2")


def test_a_second_file_with_the_same_name_gets_its_date_behind_it(place: Place) -> None:
    place.brief("x/a.md", date="2026-11-20")
    place.brief("y/a.md", date="2026-11-21", title="B")
    place.brief("z/a.md", date="2026-11-21", title="C")
    report = place.sync()
    assert place.slugs() == ["a-2026-11-21", "a"]
    assert [(fault.file, fault.rule) for fault in report.faults] == [("content/briefs/z/a.md", "identity")]
    place.brief("z/a.md", "slug: mine", date="2026-11-21", title="C")
    assert place.sync().faults == ()
    assert "mine" in place.slugs()


def test_slugs_can_be_swapped_by_their_author(place: Place) -> None:
    place.brief("a.md", "slug: one", title="First")
    place.brief("b.md", "slug: two", title="Second")
    place.sync()
    place.brief("a.md", "slug: two", title="First")
    place.brief("b.md", "slug: one", title="Second")
    report = place.sync()
    # Neither slug is free while both are taken: the date tells them apart, and nothing is lost.
    assert report.faults == ()
    assert len({brief.slug for brief in place.content.briefs(now=NOW)}) == 2


def test_a_file_whose_name_gives_no_slug_gets_one(place: Place) -> None:
    place.brief("новости.md")
    place.sync()
    assert place.one().slug.isalnum()
    assert place.content.brief(place.one().slug, now=NOW) is not None


def test_an_explicit_link_stands_in_place_of_the_page(place: Place) -> None:
    place.brief("a.md", "link: /reports/a")
    place.brief("b.md", "link: https://elsewhere.example/b", title="B")
    place.sync()
    assert {brief.link for brief in place.content.briefs(now=NOW)} == {
        "https://news.example.org/reports/a",
        "https://elsewhere.example/b",
    }


# -- release ----------------------------------------------------------------------------------------


def test_what_the_first_sync_finds_is_released_at_its_date(place: Place) -> None:
    place.brief("old.md", date="2020-01-01 08:00 +0000")
    place.brief("held.md", "embargo: 2026-11-21T08:00:00Z", date="2020-01-01", title="B")
    report = place.sync()
    assert len(report.released) == 2
    assert report.late == ()
    releases = {brief.slug: brief.release for brief in place.content.briefs(now=NOW)}
    assert releases == {"old": datetime(2020, 1, 1, 8, tzinfo=UTC), "held": datetime(2026, 11, 21, 8, tzinfo=UTC)}


def test_what_is_seen_later_is_released_when_it_is_seen(running: Place) -> None:
    running.now = NOW + HOUR
    running.brief(date="2026-11-22")  # midnight of today
    report = running.sync()
    found = running.one()
    assert report.released == (found.id,)
    assert found.release == NOW + HOUR
    assert found.published == datetime(2026, 11, 21, 23, tzinfo=UTC)
    assert [brief.id for brief in running.content.released(NOW, NOW + HOUR)] == [found.id]
    assert running.content.released(NOW + HOUR, NOW + DAY) == []


def test_a_draft_is_released_when_it_is_published(running: Place) -> None:
    running.brief(lines="status: draft", date="2026-11-01")
    running.sync()
    assert running.slugs() == []
    running.now += DAY
    running.brief(date="2026-11-01")
    report = running.sync()
    assert running.one().release == NOW + DAY
    assert (len(report.released), report.late) == (1, ())


@pytest.mark.parametrize(("age", "late"), [(timedelta(hours=71), False), (timedelta(hours=73), True)])
def test_what_is_dated_too_far_back_is_not_sent_by_itself(running: Place, age: timedelta, late: bool) -> None:
    running.brief(date=(NOW - age).isoformat())
    report = running.sync()
    found = running.one()  # readers see it in any case
    assert report.late == ((found.id,) if late else ())
    assert [brief.id for brief in running.content.late(NOW)] == list(report.late)
    assert len(running.content.released(NOW - HOUR, NOW)) == (not late)
    assert len(running.content.released(NOW - HOUR, NOW, late=True)) == 1


def test_an_embargo_that_ends_now_makes_an_old_date_young(running: Place) -> None:
    running.brief(lines=f"embargo: {(NOW - HOUR).isoformat()}", date="2026-01-01")
    assert running.sync().late == ()


def test_an_embargo_may_be_moved_before_it_ends_and_not_after(running: Place) -> None:
    until = NOW + DAY
    running.brief(lines=f"status: embargoed\nembargo: {until.isoformat()}")
    running.sync()
    assert running.content.next_release(NOW) == until
    running.brief(lines=f"status: embargoed\nembargo: {(until + DAY).isoformat()}")
    running.sync()
    assert running.content.next_release(NOW) == until + DAY
    running.now = until + 2 * DAY
    assert running.one().release == until + DAY
    running.brief(lines=f"embargo: {(until + 9 * DAY).isoformat()}", title="Edited")
    running.sync()
    assert (running.one().release, running.one().title) == (until + DAY, "Edited")


def test_an_embargo_that_is_lifted_early_releases_now(running: Place) -> None:
    running.brief(lines=f"status: embargoed\nembargo: {(NOW + DAY).isoformat()}")
    running.sync()
    running.now += HOUR
    running.brief()
    running.sync()
    assert running.one().release == NOW + HOUR


def test_published_never_moves(running: Place) -> None:
    running.brief(date="2026-11-21")
    running.sync()
    before = running.one()
    running.now += DAY
    running.brief(date="2026-11-10", title="Edited")
    running.sync()
    after = running.one()
    assert (after.published, after.release, after.title) == (before.published, before.release, "Edited")


def test_an_item_that_goes_back_to_draft_keeps_its_release(running: Place) -> None:
    running.brief()
    running.sync()
    before = running.one()
    running.brief(lines="status: draft")
    running.sync()
    assert running.slugs() == []
    running.now += DAY
    running.brief()
    assert running.sync().released == ()
    assert running.one().release == before.release


def test_a_withdrawn_brief_is_listed_with_its_status(place: Place) -> None:
    place.brief()
    place.sync()
    place.brief(lines="status: withdrawn")
    place.sync()
    assert place.one().status is Status.WITHDRAWN
    assert place.content.released(NOW - 9 * DAY, NOW) == []
    assert place.content.topics(NOW) == []


def test_a_withdrawal_dates_from_the_moment_it_was_noticed_and_stays_there(running: Place) -> None:
    running.brief()
    running.quote()
    running.sync()
    running.now += DAY
    running.brief(lines="status: withdrawn")
    running.quote(lines="status: withdrawn")
    running.sync()
    running.now += DAY
    running.brief(lines="status: withdrawn", body="Another body")
    running.quote(lines="status: withdrawn\nplace: Here")
    running.sync()
    quote = running.content.quote("content/quotes/0412.md")
    assert quote is not None
    assert running.one().updated == quote.updated == NOW + DAY


@pytest.mark.parametrize(("said", "when"), [(NOW + HOUR, NOW + HOUR), (NOW - DAY, NOW + 2 * HOUR), (NOW + DAY, NOW + 2 * HOUR)])
def test_a_withdrawal_that_names_its_time_is_believed_where_it_can_be(running: Place, said: datetime, when: datetime) -> None:
    running.brief(date=NOW.isoformat())
    running.sync()
    running.now += 2 * HOUR
    running.brief(date=NOW.isoformat(), lines=f"status: withdrawn\nupdated: {said.isoformat()}")
    running.sync()
    assert running.content.brief("a", now=running.now).updated == when  # type: ignore[union-attr]


def test_what_comes_back_after_a_withdrawal_is_news_and_updated_never_goes_back(running: Place) -> None:
    running.brief()
    running.sync()
    running.brief(lines="status: withdrawn")
    running.sync()
    running.now += DAY
    running.brief()
    running.sync()
    assert running.one().updated == NOW + DAY
    running.now += DAY
    running.brief(body="A typing mistake less")
    running.sync()
    assert running.one().updated == NOW + DAY


def test_each_sync_that_writes_an_item_counts_one_change(running: Place) -> None:
    def changes() -> list[int]:
        with running.store.read() as connection:
            return list(connection.exec_driver_sql("SELECT change FROM item ORDER BY path").scalars())

    running.brief("a.md")
    running.brief("b.md")
    running.sync()
    assert changes() == [1, 1]
    running.brief("b.md", body="Another body")
    running.sync()
    assert changes() == [1, 2]
    running.path("briefs/a.md").unlink()
    running.sync()
    running.sync()
    assert changes() == [3, 2]


def test_what_is_withdrawn_before_anybody_had_it_stays_unseen(running: Place) -> None:
    running.brief(lines="status: withdrawn")
    running.sync()
    assert running.slugs() == []


@given(
    ahead=st.integers(-3 * 86_400, 3 * 86_400),
    embargo=st.none() | st.integers(-3 * 86_400, 3 * 86_400),
    status=st.sampled_from(["draft", "embargoed", "published"]),
    steps=st.lists(st.integers(0, 2 * 86_400), min_size=1, max_size=4),
)
@settings(max_examples=25)
def test_nothing_is_seen_before_its_time(
    empty: Path, tmp_path_factory: pytest.TempPathFactory, ahead: int, embargo: int | None, status: str, steps: list[int]
) -> None:
    place = Place(tmp_path_factory.mktemp("p"), empty)
    try:
        place.sync()
        when = NOW + timedelta(seconds=ahead)
        until = None if embargo is None else NOW + timedelta(seconds=embargo)
        status = "published" if status == "embargoed" and until is None else status
        lines = f"status: {status}\ntopics: [t]" + (f"\nembargo: {until.isoformat()}" if until else "")
        place.brief(lines=lines, date=when.isoformat())
        due = max(instant for instant in (when, until, NOW) if instant)
        for step in [0, *steps, 6 * 86_400]:
            place.now += timedelta(seconds=step)
            place.sync()
            for now in (place.now, due, due - timedelta(microseconds=1), due + timedelta(microseconds=1)):
                if now < place.now:
                    continue
                out = status != "draft" and now >= due
                listed = place.content.briefs(now=now)
                assert [brief.release for brief in listed] == ([due] if out else [])
                assert all(brief.status is Status.PUBLISHED for brief in listed)
                assert (place.content.brief("a", now=now) is not None) == out
                assert bool(place.content.topics(now)) == out
        assert place.content.brief("a", now=None) is not None
        late = place.content.late(place.now) != []
        sent = place.content.released(NOW - timedelta(microseconds=1), place.now)
        assert len(sent) == (status != "draft" and not late)
    finally:
        place.store.close()


def test_a_date_ahead_hides_an_item_whatever_its_release_says(place: Place) -> None:
    place.brief()
    place.sync()
    ahead = schema.to_micros(NOW + HOUR)
    place.store.write(lambda connection: connection.exec_driver_sql("UPDATE item SET date = ?", (ahead,)).close())
    assert place.slugs() == []
    assert place.content.brief("a", now=NOW) is None
    assert place.content.brief("a", now=NOW + HOUR) is not None


# -- updated ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("", "2026-11-19T23:00:00"),
        ("updated: 2026-11-21T10:00:00Z", "2026-11-21T10:00:00"),
        ("updated: 2020-01-01", "2026-11-19T23:00:00"),
        ("corrections: [{date: 2026-11-21, text: x}]", "2026-11-20T23:00:00"),
        ("corrections: [{date: 2026-11-21 15:00 +0000, text: x}]", "2026-11-21T15:00:00"),
        ("corrections: [{date: 2026-11-21, text: x, severity: minor}]", "2026-11-19T23:00:00"),
        ("corrections: [{date: 2020-01-01, text: x}]", "2026-11-19T23:00:00"),
        ("corrections: [{date: 2026-11-21, text: x}, {date: 2026-12-24, text: y}]", "2026-11-20T23:00:00"),
        ("updated: 2026-12-24", "2026-11-19T23:00:00"),
    ],
)
def test_updated_is_the_last_significant_change_so_far(place: Place, lines: str, expected: str) -> None:
    place.brief(lines=lines)
    place.sync()
    assert place.one().updated == datetime.fromisoformat(f"{expected}+00:00")


def test_a_change_dated_ahead_counts_when_its_time_has_come(place: Place) -> None:
    place.brief(lines="corrections: [{date: 2026-12-24, text: y}]")
    place.sync()
    assert place.one(datetime(2026, 12, 25, tzinfo=UTC)).updated == datetime(2026, 12, 23, 23, tzinfo=UTC)


# -- listings ---------------------------------------------------------------------------------------


def test_briefs_are_listed_newest_first_and_ties_by_id(place: Place) -> None:
    for number in range(6):
        place.brief(f"b{number}.md", date=f"2026-11-{10 + number // 2}", title=f"B{number}")
    place.sync()
    found = place.content.briefs(now=NOW)
    assert found == sorted(sorted(found, key=lambda b: b.id), key=lambda b: b.published, reverse=True)
    assert [b.id for b in place.content.briefs(now=NOW, limit=2, offset=1)] == [b.id for b in found[1:3]]
    assert {b.body for b in found} == {""}
    assert {b.body for b in place.content.briefs(now=NOW, with_body=True)} == {"Body"}


def test_topics_authors_and_series_are_found_by_name_or_slug(place: Place) -> None:
    place.brief("a.md", "topics: [Online Hate, Новости]\nauthors: [{name: Ana Belić}]\nseries: One")
    place.brief("b.md", "topics: [online hate]\nauthors: [{name: Other}]", title="B")
    place.brief("c.md", "topics: [Другие]\nstatus: draft", title="C")
    place.sync()
    assert sorted(place.slugs(topic="online-hate")) == sorted(place.slugs(topic="Online Hate")) == ["a", "b"]
    assert place.slugs(author="Ana Belić") == place.slugs(author="ana-belic") == place.slugs(series="one") == ["a"]
    assert place.slugs(topic="Новости") == ["a"]
    assert place.slugs(topic="Другие") == []
    (first, second) = place.content.topics(NOW)
    assert first == ("online-hate", "Online Hate", 2)
    assert second[1:] == ("Новости", 1)
    assert place.slugs(topic=second[0]) == ["a"]


def test_facets_follow_an_edit(place: Place) -> None:
    place.brief("a.md", "topics: [x, y]")
    place.sync()
    place.brief("a.md", "topics: [y, z]")
    place.sync()
    assert [slug for slug, _, _ in place.content.topics(NOW)] == ["y", "z"]


def test_items_are_found_by_key_whatever_their_status(place: Place) -> None:
    path = place.brief("a.md")
    place.quote()
    place.sync()
    brief = place.one()
    (quote,) = place.content.quotes(now=NOW)
    keys = place.content.keys([brief.id, quote.id, "tag:unknown,2020:x"])
    assert set(keys) == {brief.id, quote.id}
    place.brief("b.md", title="B")
    path.unlink()
    place.sync()
    assert place.content.brief_by_key(keys[brief.id]).id == brief.id
    assert place.content.quotes_by_keys([keys[quote.id]])[keys[quote.id]].id == quote.id
    with pytest.raises(KeyError):
        place.content.brief_by_key(keys[quote.id])


def test_a_brief_is_found_by_slug_id_and_file(place: Place) -> None:
    place.brief("a.md")
    place.sync()
    found = place.one()
    for name in (found.slug, found.id, found.path):
        same = place.content.brief(name, now=NOW)
        assert same is not None
        assert same.id == found.id
    assert place.content.brief("nothing", now=None) is None


# -- quotes -----------------------------------------------------------------------------------------


def test_a_quote_is_stored_whole_and_sealed(place: Place) -> None:
    place.quote(lines="short: Words\noriginal: Wörter\nspeaker_dates: [07-22]\nplace: Wenden", words="Words of our own.")
    place.sync()
    (found,) = place.content.quotes(now=NOW)
    assert found.words.reveal() == "Words of our own."
    assert (found.short.reveal(), found.original.reveal()) == ("Words", "Wörter")
    assert "Words of" not in repr(found)
    assert (found.speaker, found.place, found.speaker_dates, found.date) == ("Orla Vance", "Wenden", ("07-22",), "2014")
    assert found.id == f"tag:example.org,2015:quote/{found.slug}"
    assert found.link == f"https://news.example.org/quotes/{found.slug}"


def test_a_quotes_slug_is_the_opaque_part_of_its_id(place: Place) -> None:
    place.quote("1.md", "id: q-1")
    place.quote("2.md", "id: 'https://old.example/quotes/words-of-our-own'")
    place.sync()
    slugs = {quote.id: quote.slug for quote in place.content.quotes(now=NOW)}
    assert slugs["tag:example.org,2015:quote/q-1"] == "q-1"


def test_the_pool_holds_only_what_may_run(place: Place) -> None:
    place.quote("1.md", "status: draft")
    place.quote("2.md", f"status: embargoed\nembargo: {(NOW + DAY).isoformat()}")
    place.quote("3.md", "status: withdrawn")
    place.quote("4.md")
    place.sync()
    assert [quote.path[-4:] for quote in place.content.quotes(now=NOW)] == ["4.md"]
    assert {quote.path[-4:] for quote in place.content.quotes(now=NOW + DAY)} == {"2.md", "4.md"}


def test_a_days_quote_is_kept_and_shown(place: Place) -> None:
    place.quote()
    place.sync()
    (quote,) = place.content.quotes(now=NOW)
    key = place.content.keys([quote.id])[quote.id]
    today = date(2026, 11, 22)

    def record(day: date, item: int | None, shown_at: datetime | None, state: str) -> None:
        place.store.write(
            lambda connection: place.content.record_day(connection, day, item=item, shown_at=shown_at, state=state, reason="")
        )

    assert place.content.day_quote(today) is None
    record(today, key, None, "chosen")
    chosen = place.content.day_quote(today)
    assert chosen is not None
    assert (chosen.quote, chosen.key, chosen.state) == (quote, key, "chosen")
    assert place.content.shown_quotes(NOW) == []
    assert place.content.quote(quote.slug, now=NOW) is None
    assert place.content.quote(quote.slug) is not None
    record(today, None, NOW, "shown")
    assert place.content.shown_quotes(NOW) == [(quote, NOW)]
    assert place.content.shown_quotes(NOW - HOUR) == []
    assert place.content.quote(quote.slug, now=NOW) is not None
    assert place.content.quote(quote.slug, now=NOW - HOUR) is None
    record(today - DAY, None, None, "none")
    record(today - 2 * DAY, key, None, "skipped")
    history = place.content.quote_history(before=today + DAY)
    assert [(shown.day, shown.quote_id, shown.speaker, shown.ideology) for shown in history] == [
        (today - 2 * DAY, "", "", ""),
        (today - DAY, "", "", ""),
        (today, quote.id, "Orla Vance", "Harrowism"),
    ]
    assert len(place.content.quote_history(before=today)) == 2


def test_a_faulty_quote_is_reported_without_its_words(place: Place) -> None:
    place.quote(lines="image: x.png", words="Zyzzyva quokkas shall inherit.")
    report = place.sync()
    assert [fault.rule for fault in report.faults] == ["Q7"]
    with place.store.read() as connection:
        stored = connection.exec_driver_sql("SELECT detail FROM fault").scalar_one()
    assert "yzzyva" not in stored + str(report)


# -- told what changed ------------------------------------------------------------------------------


def told(place: Place, *names: str) -> SyncReport:
    """A sync of the files that a watcher names."""
    sources = [place.source(name) for name in ("briefs", "quotes")]
    return place.content.sync(sources, place.now, only=[str(place.path(name)) for name in names])


def rows(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that syncs write, but for the count of them."""
    with store.read() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(table.select())), key=repr)
            for table in (schema.item, schema.facet, schema.fault)
        }


def test_a_sync_that_is_told_what_changed_looks_at_nothing_else(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.brief("a.md")
    place.brief("b.md")
    place.sync()
    monkeypatch.setattr(os, "scandir", None)
    place.brief("a.md", title="Another")
    assert len(told(place, "briefs/a.md").changed) == 1
    assert sorted(brief.title for brief in place.content.briefs(now=NOW)) == ["A", "Another"]
    assert told(place, "briefs/a.md", "briefs/.a.md.swp", "briefs/4913", "briefs/chart.png") == SyncReport()


def test_a_change_that_nobody_told_is_found_by_the_next_full_sync(place: Place) -> None:
    place.brief("a.md")
    place.brief("b.md")
    place.sync()
    place.brief("a.md", title="Told")
    place.brief("b.md", title="Missed")
    assert len(told(place, "briefs/a.md").changed) == 1
    assert len(place.sync().changed) == 1
    assert sorted(brief.title for brief in place.content.briefs(now=NOW)) == ["Missed", "Told"]


def test_what_came_went_or_moved_is_judged_beside_all_the_others(place: Place) -> None:
    first = place.brief("a.md", body="Of its own")
    place.brief("b.md")
    (identity,) = (brief.id for brief in place.sync() and place.content.briefs(now=NOW) if brief.slug == "a")
    first.rename(place.path("briefs/moved.md"))
    told(place, "briefs/moved.md")  # the watcher has not said yet that the other name is gone
    found = place.content.brief("content/briefs/moved.md", now=NOW)
    assert found is not None
    assert found.id == identity


def test_a_folder_that_moved_away_takes_its_briefs_along(place: Place) -> None:
    place.brief("2025/a.md")
    place.brief("b.md")
    place.sync()
    shutil.rmtree(place.path("briefs/2025"))
    assert len(told(place, "briefs/2025").gone) == 1


def test_a_file_behind_a_link_is_judged_by_a_full_sync(place: Place, tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    place.path("briefs/near").symlink_to(tmp_path / "far")
    place.brief("near/a.md")
    place.sync()
    place.brief("near/a.md", title="Another")
    assert len(told(place, "briefs/near/a.md").changed) == 1


def test_a_file_that_waits_for_another_one_is_read_when_that_gives_way(place: Place) -> None:
    place.brief("a.md", lines="id: one\nstatus: draft")
    place.sync()
    place.brief("b.md", lines="id: one")
    assert len(place.sync().faults) == 1
    place.brief("a.md", lines="id: two\nstatus: draft")
    assert len(told(place, "briefs/a.md").new) == 1


def test_another_process_that_synced_makes_this_one_look_again(place: Place) -> None:
    path = place.brief("a.md")
    for _ in range(3):
        place.sync()
    before, text = path.stat(), path.read_text()
    other = ContentStore(place.store, site=SITE, public_url="https://news.example.org/", windows=WINDOWS)
    path.write_text(text.replace("title: A", "title: B"))
    other.sync([place.source()], place.now)
    path.write_text(text)
    os.utime(path, ns=(before.st_mtime_ns, before.st_mtime_ns))  # the very stamp that this process knows
    place.sync()
    assert place.one().title == "A"


NAMES = ("a.md", "b.md", "c.md", "below/d.md", "README.md", "notes.txt")
EDITS = st.tuples(
    st.sampled_from(["write", "rewrite", "break", "mend", "rename", "swap", "delete", "touch"]),
    st.sampled_from(NAMES),
    st.sampled_from(NAMES),
    st.sampled_from(["", "id: one", "id: two", "slug: same", "status: draft", "topics: [x, y]", "imagee: /x.png"]),
)


@settings(max_examples=25, deadline=None)
@example(
    batches=[
        [("write", "a.md", "a.md", ""), ("write", "README.md", "a.md", ""), ("swap", "a.md", "README.md", "")],
        [("write", "a.md", "a.md", ""), ("swap", "a.md", "README.md", "")],
    ]
)
@given(batches=st.lists(st.lists(EDITS, min_size=1, max_size=3), min_size=1, max_size=5))
def test_syncs_that_are_told_what_changed_write_what_full_syncs_write(
    batches: list[list[Any]], empty: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = Place(tmp_path_factory.mktemp("told") / "p", empty)
    shutil.copy(empty, place.root / "full.db")
    scanned = Store(place.root / "full.db")

    def full_sync() -> None:
        fresh = ContentStore(scanned, site=SITE, public_url="https://news.example.org/", windows=WINDOWS)
        fresh.sync([place.source()], place.now)

    try:
        place.brief("z.md", body="Always there")
        place.sync("briefs")
        full_sync()
        for batch in batches:
            place.now += HOUR
            names = {name for edit in batch for name in edited(place, *edit)}
            place.content.sync([place.source()], place.now, only=[str(place.path(f"briefs/{name}")) for name in names])
            full_sync()
            assert rows(place.store) == rows(scanned)
        report = place.sync("briefs")
        assert report == SyncReport(faults=report.faults, advice=report.advice)
    finally:
        place.store.close()
        scanned.close()


def edited(place: Place, act: str, name: str, other: str, lines: str) -> set[str]:
    """Do one edit; the names that a watcher would tell."""
    path, second = place.path(f"briefs/{name}"), place.path(f"briefs/{other}")
    match act:
        case "write" | "rewrite" | "mend":
            place.brief(name, lines, title=act, body=f"Body of {name}" if act == "write" else f"Body {lines}")
        case "break":
            place.write(f"briefs/{name}", f"---\ntitle: [\n{lines}\n---\n")
        case "rename" if path.exists() and name != other:
            second.parent.mkdir(exist_ok=True)
            path.rename(second)
            return {name, other}
        case "swap" if path.exists() and second.exists() and name != other:
            third = path.with_name(".third")
            path.rename(third)
            second.rename(path)
            third.rename(second)
            return {name, other, ".third"}
        case "delete" if path.exists():
            path.unlink()
        case "touch" if path.exists():
            os.utime(path)
            os.utime(path, ns=(place.saved + 5, place.saved + 5))
        case _:
            return set()
    return {name}


def test_a_brief_asked_for_by_its_id_is_the_one_in_the_listing(place: Place) -> None:
    place.brief("a.md", "topics: [Ports]")
    place.brief("b.md", "topics: [Ports, Leaving]", date="2026-11-19")
    place.brief("c.md", "embargo: 2026-12-24")
    place.sync()
    for topic in ("", "Ports", "leaving"):
        listed = place.content.briefs(now=NOW, topic=topic, with_body=True)
        names = [brief.id for brief in place.content.briefs(now=NOW + 90 * DAY)]
        assert {brief.id: brief for brief in place.content.briefs_by_ids(names, now=NOW, topic=topic)} == {
            brief.id: brief for brief in listed
        }
    assert len(place.content.briefs_by_ids(names, now=NOW + 90 * DAY)) == len(names) == 3
