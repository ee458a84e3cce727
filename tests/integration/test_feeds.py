"""What is published becomes feeds on disk: a whole publication, its database and its real quote gate."""

from __future__ import annotations

import errno
import gzip
import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import feedparser
import pytest

import feedrules
from publication import SETTINGS, Publication, instant
from syndicate import starter
from syndicate.app import open_app
from syndicate.publish import feeds
from syndicate.publish.kept import Limited, Memory
from syndicate.publish.tick import tick

NOON = "2026-11-22 12:00"
WORDS = "Bring us every letter that comes from outside and we shall tell you which are worth opening."


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    made = Publication(root=tmp_path / "publication")
    made.brief("one", "2026-11-20 08:00:00Z", topics="[Leaving, Ports]", authors="[{name: Maren Dallivar, role: Head of Data}]")
    made.brief("two", "2026-11-21 08:00:00Z", topics="[Ports]")
    return made


def publish(made: Publication, at: str = NOON, memory: dict[str, str] | None = None) -> feeds.FeedsReport:
    with made.opened(at) as app:
        app.content.sync(app.sources, app.now())
        return feeds.publish(app, app.now(), memory)


def lasting(made: Publication) -> dict[str, tuple[int, bytes]]:
    """Every file that depends on nothing but the items: the list of news forgets what is two days old."""
    return {path: what for path, what in made.snapshot("feeds").items() if "sitemap-news" not in path}


def show(made: Publication, at: str) -> None:
    """Run the clock over a quote's slot."""
    with made.opened(at) as app:
        tick(app, app.now())


def parsed(made: Publication, name: str = "briefs.atom") -> Any:
    return feedparser.parse((made.root / "feeds" / name).read_bytes())


def broken(root: Path, base: str, at: str = NOON) -> list[str]:
    found = []
    for path in sorted(path for path in (root / "feeds").rglob("*") if path.is_file()):
        url, data = f"{base}/{path.relative_to(root).as_posix()}", path.read_bytes()
        match path.suffix:
            case ".rss" | ".atom":
                found += [f"{path.name}: {fault}" for fault in feedrules.faults(data, url, now=instant(at))]
            case ".json":
                found += [f"{path.name}: {fault}" for fault in feedrules.json_faults(data, url, now=instant(at))]
            case ".opml":
                found += [f"{path.name}: {fault}" for fault in feedrules.opml_faults(data)]
    return found


def test_every_format_of_every_feed_and_their_list_are_written(publication: Publication) -> None:
    report = publish(publication)
    made = {f"{name}.{form}" for name in ("briefs", "quotes") for form in ("rss", "atom", "json")} | {"feeds.opml"}
    made |= {f"sitemap{which}.xml" for which in ("", "-pages", "-0001", "-news")}
    assert set(report.changed) == made
    assert (report.unchanged, report.faults, report.cleaned, report.orphans) == (0, (), (), ())
    assert [entry.title for entry in parsed(publication).entries] == ["About two", "About one"]
    assert broken(publication.root, "http://127.0.0.1:8000") == []


def test_a_second_run_changes_no_byte_and_no_time(publication: Publication) -> None:
    publish(publication)
    before = lasting(publication)
    report = publish(publication, "2026-11-25 03:00")
    assert (report.changed, report.unchanged) == (("sitemap-news.xml",), 10)
    assert lasting(publication) == before


def test_a_rebuild_from_nothing_in_another_zone_and_locale_gives_the_same_bytes(
    publication: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    publication.quote("q1", WORDS)
    publication.begin("2026-11-21 12:00")
    show(publication, NOON)
    before = {path: data for path, (_, data) in lasting(publication).items()}
    shutil.rmtree(publication.root / "feeds")
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    publish(publication, "2027-03-01 12:00")
    assert {path: data for path, (_, data) in lasting(publication).items()} == before


def test_what_is_not_out_yet_leaks_into_no_file(publication: Publication) -> None:
    publication.brief("draft", "2026-11-01 08:00:00Z", title="SECRETDRAFT", status="draft")
    publication.brief("future", "2026-11-23 08:00:00Z", title="SECRETFUTURE")
    publication.brief("held", "2026-11-01 08:00:00Z", title="SECRETHELD", status="embargoed", embargo="2026-12-24 00:00:00Z")
    publish(publication)
    assert not any(b"SECRET" in data for _, data in publication.snapshot("feeds").values())
    publish(publication, "2026-11-23 08:00")
    assert parsed(publication).entries[0].title == "SECRETFUTURE"


def test_a_feed_may_hold_one_topic_author_or_series(publication: Publication) -> None:
    more = '\n[feeds.ports]\ntopic = "Ports"\nformats = ["atom"]\n[feeds.maren]\nauthor = "Maren Dallivar"\nformats = ["rss"]\n'
    (publication.root / "config" / "syndicate.toml").write_text(SETTINGS + more, encoding="utf-8")
    publish(publication)
    assert [entry.title for entry in parsed(publication, "ports.atom").entries] == ["About two", "About one"]
    assert parsed(publication, "ports.atom").feed.title == "The Test Letter: Ports"
    assert [entry.title for entry in parsed(publication, "maren.rss").entries] == ["About one"]
    assert not (publication.root / "feeds" / "ports.rss").exists()


def test_one_bad_entry_is_reported_with_its_file_and_the_feed_goes_on(publication: Publication) -> None:
    publication.brief("bad", "2026-11-21 09:00:00Z", title='"\\u202e\\ufffd"')
    report = publish(publication)
    assert [str(fault) for fault in report.faults] == [
        "content/briefs/bad.md: feed: the title is empty; give it a title in plain text"
    ]
    assert [entry.title for entry in parsed(publication).entries] == ["About two", "About one"]


def test_items_from_which_characters_were_taken_are_named(publication: Publication) -> None:
    path = publication.brief("dirty", "2026-11-21 09:00:00Z", body="A \x0bbody\ufffd.")
    report = publish(publication)
    with publication.opened(NOON) as app:
        dirty = app.content.brief("content/briefs/dirty.md", now=None)
    assert dirty is not None
    assert report.cleaned == (dirty.id,)
    assert path.exists()


def test_a_full_disk_is_told_for_each_feed_and_leaves_the_old_files(
    publication: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(publication)
    before = publication.snapshot("feeds")
    publication.brief("three", "2026-11-22 08:00:00Z")

    def full(*_args: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with publication.opened(NOON) as app:
        app.content.sync(app.sources, app.now())
        monkeypatch.setattr(os, "write", full)
        report = feeds.publish(app, app.now())
        monkeypatch.undo()
    told = "disk: feeds/{} could not be written: No space left on device; free some room on the disk; nothing was changed"
    assert [str(fault) for fault in report.faults] == [
        "feeds/briefs: " + told.format("briefs.rss"),
        "feeds/sitemap: " + told.format("sitemap-0001.xml"),
    ]
    assert publication.snapshot("feeds") == before


def test_files_that_no_feed_makes_any_more_are_named_and_kept(publication: Publication) -> None:
    publish(publication)
    path = publication.root / "config" / "syndicate.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('[feeds.quotes]\nitems = "quotes"\n', ""), encoding="utf-8")
    report = publish(publication)
    assert [name for name in report.orphans if name.count(".") == 1] == ["quotes.atom", "quotes.json", "quotes.rss"]
    assert (publication.root / "feeds" / "quotes.rss").exists()


def test_a_feed_whose_items_are_known_is_not_made_again(publication: Publication, monkeypatch: pytest.MonkeyPatch) -> None:
    memory: dict[str, str] = {}
    made: list[str] = []
    real = feeds.feeds.brief_entry
    monkeypatch.setattr(feeds.feeds, "brief_entry", lambda brief, **more: (made.append(brief.slug), real(brief, **more))[1])

    def entries() -> list[str]:
        made.clear()
        publish(publication, memory=memory)
        return list(made)

    assert entries() == ["two", "one"]
    assert entries() == []
    publication.brief("one", "2026-11-20 08:00:00Z", body="Another body.")
    assert entries() == ["two", "one"]
    (publication.root / "feeds" / "briefs.atom").unlink()
    assert entries() == ["two", "one"]
    assert (publication.root / "feeds" / "briefs.atom").exists()


def test_one_changed_brief_is_the_only_one_made_again(publication: Publication, monkeypatch: pytest.MonkeyPatch) -> None:
    memory, made = Memory(), []
    real = feeds.feeds.brief_entry
    monkeypatch.setattr(feeds.feeds, "brief_entry", lambda brief, **more: (made.append(brief.slug), real(brief, **more))[1])
    publish(publication, memory=memory)
    for change in ({"body": "Another body."}, {"body": "Another body.", "title": "Another"}, {"status": "withdrawn"}):
        made.clear()
        publication.brief("one", "2026-11-20 08:00:00Z", **change)
        publish(publication, memory=memory)
        assert made == ["one"]
        anew = [path for path in publish(publication).changed if path.startswith("briefs")]
        assert anew == [], "what was put together from known parts is what is made from nothing"


def test_a_saved_brief_is_out_before_its_variants_and_archives(
    publication: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory, folder = Memory(), publication.root / "feeds"
    with publication.opened(NOON) as app:
        app.content.sync(app.sources, app.now())
        feeds.publish(app, app.now(), memory)
        path = publication.brief("one", "2026-11-20 08:00:00Z", body="Another body.")
        found = app.content.sync(app.sources, app.now(), only=[str(path)])
        assert feeds.first(app, app.now(), memory, found.changed).changed == ("briefs.rss", "briefs.atom", "briefs.json")
        early = {name: (folder / name).read_bytes() for name in ("briefs.rss", "briefs.atom", "briefs.json")}
        assert b"Another body." in early["briefs.rss"]
        assert not list(folder.glob("briefs.*.gz")), "an old variant would be another version"
        assert feeds.first(app, app.now(), memory).changed == ()
        feeds.publish(app, app.now(), memory)
        assert {name: (folder / name).read_bytes() for name in early} == early
        assert {name: gzip.decompress((folder / f"{name}.gz").read_bytes()) for name in early} == early
        assert len({path.stat().st_mtime_ns for path in folder.glob("briefs.*")}) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"body": "Another body."},
        {"topics": "[Leaving]"},
        {"topics": "[Else]", "date": "2026-11-21 09:00:00Z"},
        {"status": "draft"},
        {"status": "withdrawn"},
        {"date": "2026-11-23 08:00:00Z"},
    ],
)
def test_what_is_out_first_is_what_a_rebuild_writes(publication: Publication, change: dict[str, str]) -> None:
    config = publication.root / "config" / "syndicate.toml"
    config.write_text(
        SETTINGS + '[feeds.leaving]\nitems = "briefs"\ntopic = "Leaving"\n[feeds.few]\nitems = "briefs"\nwindow = 2\n'
    )
    publication.brief("three", "2026-11-19 08:00:00Z", topics="[Leaving]")
    memory = Memory()
    for name in ("one", "two", "three"):
        with publication.opened(NOON) as app:
            app.content.sync(app.sources, app.now())
            feeds.publish(app, app.now(), memory)
            publication.brief(name, **({"date": f"2026-11-{19 + len(name) % 3} 08:00:00Z"} | change))
            found = app.content.sync(app.sources, app.now())
            feeds.first(app, app.now(), memory, found.changed)
            early = [path for path in feeds.publish(app, app.now(), memory).changed if path.count("/") == 0]
            assert [path for path in early if path.startswith(("briefs", "leaving", "few"))] == []


def test_a_watchers_tick_ends_as_every_other_tick(publication: Publication) -> None:
    memory = Memory()
    with publication.opened(NOON) as app:
        tick(app, app.now(), memory)
        path = publication.brief("one", "2026-11-20 08:00:00Z", body="Another body.")
        report = tick(app, app.now(), memory, changed=[str(path)])
        assert report.changed == 1
        assert sorted(path for path in report.feeds if path.startswith("briefs")) == [
            "briefs.atom",
            "briefs.json",
            "briefs.rss",
        ]
    known = publication.snapshot("feeds")
    publish(publication)
    assert {path: known[path] for path in known if "briefs" in path} == {
        path: found for path, found in publication.snapshot("feeds").items() if "briefs" in path
    }


def test_what_is_kept_of_entries_is_bounded() -> None:
    limited: Limited[int, str] = Limited(100, len)
    for number in range(50):
        limited[number] = "x" * 10
        assert limited.get(0) is not None
    assert list(limited) == [*range(41, 50), 0]
    limited[49] = "y" * 30
    assert list(limited) == [*range(43, 49), 0, 49]
    limited[1] = "z" * 101
    assert list(limited) == []
    limited[2] = "x" * 100
    assert limited[2]


# -- quotes ---------------------------------------------------------------------------------------


@pytest.fixture
def quoting(publication: Publication) -> Publication:
    publication.quote("q1", WORDS)
    publication.begin("2026-11-21 12:00")
    show(publication, NOON)
    return publication


def test_a_quote_stands_whole_in_its_frame_and_nowhere_else(quoting: Publication) -> None:
    entry = parsed(quoting, "quotes.atom").entries[0]
    body = entry.content[0].value
    assert entry.title == "A passage from record q1"
    assert entry.summary == "We show how a closed movement asked for obedience."
    assert [tag.term for tag in entry.tags] == ["quoted-extremist-speech"]
    order = ("In their own words", "pressure to obey", "We show how", WORDS, "Speaker q1", "Undated", "archive.test.example")
    found = [body.index(part) for part in order]
    assert found == sorted(found)
    for path, (_, data) in quoting.snapshot("feeds").items():
        assert (b"every letter that comes" in data) == (path.startswith("feeds/quotes.") and path[-3:] not in {".gz", ".br"}), (
            path
        )
    assert broken(quoting.root, "http://127.0.0.1:8000") == []


def test_a_quote_is_not_in_its_feed_before_its_slot(publication: Publication) -> None:
    publication.quote("q1", WORDS)
    publication.begin("2026-11-21 12:00")
    show(publication, "2026-11-22 04:59")
    publish(publication, "2026-11-22 04:59")
    assert parsed(publication, "quotes.atom").entries == []
    show(publication, "2026-11-22 05:00")
    publish(publication, "2026-11-22 05:00")
    assert parsed(publication, "quotes.atom").entries[0].published == "2026-11-22T05:00:00Z"


def edited(made: Publication, change: Callable[[str], str]) -> None:
    path = made.root / "content" / "quotes" / "q1.md"
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda text: text.replace("archive: https://archive.test.example/q1", "archive: https://elsewhere.example/q1"), "Q8"),
        (lambda text: text.replace("A passage from record q1", "Bring us every letter that comes from outside"), "Q5"),
    ],
)
def test_a_quote_that_the_gate_holds_is_left_out_and_reported(
    quoting: Publication, change: Callable[[str], str], rule: str
) -> None:
    edited(quoting, change)
    report = publish(quoting)
    assert parsed(quoting, "quotes.atom").entries == []
    assert rule in {fault.rule for fault in report.faults}
    assert not any("letter" in str(fault) for fault in report.faults), "a report repeats no quoted words (Q5)"
    assert [entry.title for entry in parsed(quoting).entries] == ["About two", "About one"]


def test_a_withdrawn_quote_is_a_notice_without_its_words(quoting: Publication) -> None:
    edited(quoting, lambda text: text.replace("kind: words", "kind: words\nstatus: withdrawn"))
    publish(quoting, "2026-11-22 18:30")
    assert not any(b"every letter that comes" in data for _, data in quoting.snapshot("feeds").values())
    assert parsed(quoting, "quotes.rss").entries[0].title == "Withdrawn: A passage from record q1"
    atom, rss = ((quoting.root / "feeds" / f"quotes.{form}").read_bytes() for form in ("atom", "rss"))
    assert b'deleted-entry ref="tag:test.example,2015:quote/q1" when="2026-11-22T18:30:00Z"' in atom
    assert b"<atom:updated>2026-11-22T18:30:00Z</atom:updated>" in rss
    assert parsed(quoting, "quotes.atom").entries == []


def test_a_template_that_loses_the_label_holds_every_quote(quoting: Publication) -> None:
    path = quoting.template("pages/_quote_feed.html.j2")
    path.write_text(path.read_text(encoding="utf-8").replace("{{ label }}", ""), encoding="utf-8")
    report = publish(quoting)
    assert parsed(quoting, "quotes.atom").entries == []
    assert len(report.faults) == 1


# -- the starter publication ----------------------------------------------------------------------


def test_the_starter_publication_makes_valid_feeds(tmp_path: Path) -> None:
    root = tmp_path / "publication"
    for name in ("config", "content"):
        shutil.copytree(starter.folder() / name, root / name)
    (root / "feeds").mkdir()
    day = instant("2026-11-20 12:00")
    for days in range(4):
        with open_app(root, at=day + timedelta(days=days), environ={}) as app:
            tick(app, app.now())
            report = feeds.publish(app, app.now())
    assert report.faults == ()
    assert broken(root, "http://127.0.0.1:8000", "2026-11-23 12:00") == []
    assert len(feedparser.parse((root / "feeds" / "quotes.rss").read_bytes()).entries) >= 2
    assert len(feedparser.parse((root / "feeds" / "briefs.rss").read_bytes()).entries) == 5
