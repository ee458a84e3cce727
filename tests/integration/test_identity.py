"""Whatever is done to a publication, each entry keeps its id in every format, and none gets another's."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from lxml import etree

from publication import SETTINGS, Publication, instant
from syndicate import cli
from syndicate.publish import feeds

ATOM = "{http://www.w3.org/2005/Atom}"
NATURAL = [
    ("2026-11-10 08:00:00Z", "2026-11-10T08:00:00Z"),
    ("2026-11-11", "2026-11-10T23:00:00Z"),
    ("2026-11-12 09:30", "2026-11-12T08:30:00Z"),
]


@dataclass(kw_only=True)
class Item:
    """What we expect of one brief, whatever happens to its file."""

    number: int
    path: str
    date: str  # as its author wrote it first
    published: str
    words: int = 0  # how often it was reworded
    front: dict[str, str] = field(default_factory=dict)
    corrections: list[str] = field(default_factory=list)
    updated: str = ""  # "" as published
    id: str = ""
    plain: bool = True  # a lost database would mint the same id from its file
    here: bool = True
    twin: int = 0  # how many had the same date when it came: entries' times are kept apart by seconds; -1 to be learned

    @property
    def text(self) -> str:
        lines = {"title": f"Item {self.number} in wording {self.words}", "date": self.date} | self.front
        if self.corrections:
            lines["corrections"] = f"[{', '.join(self.corrections)}]"
        front = "\n".join(f"{key}: {value}" for key, value in lines.items())
        return f"---\n{front}\n---\n\nText {self.number}, {self.words}.\n"


class World:
    """A publication on a real disk with a real database, and what must be true of it."""

    def __init__(self, root: Path) -> None:
        self.publication = Publication(root=root / "p")
        self.root, self.now = self.publication.root, instant("2026-11-22 12:00")
        self.host = "http://127.0.0.1:8000"
        self.items: list[Item] = []
        self.names = self.added = 0
        self.feed_id = ""
        self.backup = False
        for date, published in NATURAL:
            self.add(date, published)
        self.check()

    # -- what people do ---------------------------------------------------------------------------

    def add(self, date: str = "2026-11-13 07:00:00Z", published: str = "2026-11-13T07:00:00Z", path: str = "") -> None:
        number = self.added
        self.added += 1
        twin = sum(one.published == published for one in self.items)
        self.items.append(Item(number=number, path=path or self.name(), date=date, published=published, twin=twin))
        self.save(self.items[-1])

    def rename(self, item: Item) -> None:
        self.move(item, self.name())

    def refile(self, item: Item) -> None:
        self.move(item, f"y{self.names % 3}/deep/{self.name()}")

    def swap(self, item: Item) -> None:
        other = next((one for one in self.items if one.here and one is not item), item)
        item.path, other.path = other.path, item.path
        item.plain = other.plain = item is other
        self.save(item)
        self.save(other)

    def replace(self, item: Item) -> None:
        """Another brief takes the very place and date of one that has moved on."""
        place, date = item.path, item.date
        self.rename(item)
        self.check()
        self.add(date, item.published, path=place)
        self.items[-1].plain = False
        self.reslug(self.items[-1])  # the first one has the file's name for its address

    def reslug(self, item: Item) -> None:
        item.front["slug"] = f"slug-{self.names}-{item.number}"
        self.names += 1
        self.save(item)

    def reword(self, item: Item) -> None:
        item.words += 1
        self.save(item)

    def redate(self, item: Item) -> None:
        """An author moves the date of what is out: ``published`` stays as it was told."""
        item.date, item.plain = f"2026-10-{1 + self.names % 28:02d} 10:00:00Z", False
        self.names += 1
        self.save(item)

    def mend(self, item: Item) -> None:
        item.corrections.append(f"{{date: {self.now.isoformat()}, text: A comma., severity: minor}}")
        self.save(item)

    def correct(self, item: Item) -> None:
        item.corrections.append(f"{{date: {self.now.isoformat()}, text: A figure.}}")
        item.updated = stamp(self.now)
        self.save(item)

    def update(self, item: Item) -> None:
        item.front["updated"] = self.now.isoformat()
        item.updated = stamp(self.now)
        self.save(item)

    def vanish(self, item: Item) -> None:
        """For a while, or for good: the ids of both are nobody else's."""
        if sum(one.here for one in self.items) > 2:
            self.file(item).unlink()
            item.here = False
            self.check()
        if item.number % 2:
            item.here = True
            self.save(item)

    def settle(self, item: Item) -> None:
        """``syndicate ids write``."""
        assert cli.main(["-C", str(self.root), "ids", "write"]) == 0
        for one in self.items:
            if one.here:
                one.front["id"], one.plain = one.id, True
                assert f"id: {one.id}" in self.file(one).read_text(encoding="utf-8")

    def change_host(self, item: Item) -> None:
        self.names += 1
        self.configure(f"https://news-{self.names}.test.example")

    def secure(self, item: Item) -> None:
        """From http to https, and back again for a proof on one's own machine."""
        self.configure("http://127.0.0.1:8000" if self.host.startswith("https:") else "https://127.0.0.1:8000")

    def lose(self, item: Item) -> None:
        """The database is gone. What its files do not say by themselves was written into them before, as ``check`` advises."""
        self.undate()
        if not all(one.plain for one in self.items if one.here):
            self.settle(item)
        for path in (self.root / "var").glob("syndicate.db*"):
            path.unlink()
        self.forget()

    def save_copy(self, item: Item) -> None:
        with self.publication.opened(self.now.isoformat()):
            pass
        shutil.copy(self.root / "var" / "syndicate.db", self.root / "backup.db")
        self.backup = True

    def restore(self, item: Item) -> None:
        """An older copy of the database beside today's files."""
        if not self.backup:
            return
        self.undate()
        self.settle(item)
        for path in (self.root / "var").glob("syndicate.db*"):
            path.unlink()
        shutil.copy(self.root / "backup.db", self.root / "var" / "syndicate.db")
        self.forget()

    # -- how it is done ---------------------------------------------------------------------------

    def name(self) -> str:
        self.names += 1
        return f"n{self.names}.md"

    def file(self, item: Item) -> Path:
        return self.root / "content" / "briefs" / item.path

    def save(self, item: Item) -> None:
        path = self.file(item)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(item.text, encoding="utf-8")

    def move(self, item: Item, path: str) -> None:
        before, item.path = self.file(item), path
        self.file(item).parent.mkdir(parents=True, exist_ok=True)
        before.rename(self.file(item))
        item.plain = "id" in item.front

    def undate(self) -> None:
        """Only the database knows which date readers were told: an author who parts with it puts the dates back."""
        for item in self.items:
            natural = dict(NATURAL) | {"2026-11-13 07:00:00Z": ""}
            if item.here and item.date not in natural:
                item.date = next(
                    date
                    for date, told in [*NATURAL, ("2026-11-13 07:00:00Z", "2026-11-13T07:00:00Z")]
                    if told == item.published
                )
                self.save(item)
        self.check()

    def forget(self) -> None:
        """What was gone when the database was lost is known to nobody any more; nor which of two twins was first."""
        self.items = [item for item in self.items if item.here]
        for item in self.items:
            item.twin = -1

    def configure(self, host: str) -> None:
        self.host = host
        text = f'{SETTINGS}\n[web]\npublic_url = "{host}"\n'
        (self.root / "config" / "syndicate.toml").write_text(text, encoding="utf-8")

    # -- what must be true ------------------------------------------------------------------------

    def check(self) -> None:
        """Take in, publish, read back."""
        self.now += timedelta(hours=1)
        with self.publication.opened(self.now.isoformat()) as app:
            report = app.content.sync(app.sources, self.now)
            assert report.faults == ()
            assert feeds.publish(app, self.now).faults == ()
        told = [of_rss(self.read("rss")), of_atom(self.read("atom")), of_json(self.read("json"))]
        assert told[0] == told[1] == told[2]
        present = [item for item in self.items if item.here]
        assert sorted(told[0]) == sorted(item.number for item in present)
        for item in present:
            entry = told[0][item.number]
            item.id = item.id or entry["id"]
            if item.twin < 0:
                item.twin = int((instant(entry["updated"]) - instant(item.updated or item.published)).total_seconds())
                assert 0 <= item.twin <= sum(one.published == item.published for one in self.items) - 1
            assert entry == {
                "id": item.id,
                "published": item.published,
                "updated": later(item.updated or item.published, item.twin),
                "words": item.words,
                "host": self.host,
            }, item
        ids = [item.id for item in self.items]
        assert len(set(ids)) == len(ids), "one id, one item, for ever"
        feed_id = etree.fromstring(self.read("atom")).findtext(f"{ATOM}id")
        self.feed_id = self.feed_id or feed_id
        assert feed_id == self.feed_id

    def read(self, form: str) -> bytes:
        return (self.root / "feeds" / f"briefs.{form}").read_bytes()


def stamp(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def later(text: str, seconds: int) -> str:
    return stamp(instant(text) + timedelta(seconds=seconds))


def facts(title: str, link: str, **more: str) -> tuple[int, dict[str, Any]]:
    number, words = map(int, re.findall(r"\d+", title))
    return number, {**more, "words": words, "host": link.rpartition("/briefs/")[0]}


def of_rss(data: bytes) -> dict[int, dict[str, Any]]:
    from email.utils import parsedate_to_datetime as parsed

    found = etree.fromstring(data).findall(".//item")
    assert all(item.find("guid").get("isPermaLink") == "false" for item in found)
    return dict(
        facts(
            item.findtext("title"),
            item.findtext("link"),
            id=item.findtext("guid"),
            published=stamp(parsed(item.findtext("pubDate"))),
            updated=item.findtext(f"{ATOM}updated") or stamp(parsed(item.findtext("pubDate"))),
        )
        for item in found
    )


def of_atom(data: bytes) -> dict[int, dict[str, Any]]:
    return dict(
        facts(
            entry.findtext(f"{ATOM}title"),
            entry.find(f"{ATOM}link").get("href"),
            **{name: entry.findtext(f"{ATOM}{name}") for name in ("id", "published", "updated")},
        )
        for entry in etree.fromstring(data).findall(f"{ATOM}entry")
    )


def of_json(data: bytes) -> dict[int, dict[str, Any]]:
    return dict(
        facts(
            item["title"],
            item["url"],
            id=item["id"],
            published=item["date_published"],
            updated=item.get("date_modified", item["date_published"]),
        )
        for item in json.loads(data)["items"]
    )


DEEDS: dict[str, Callable[[World, Item], None]] = {
    name: getattr(World, name)
    for name in [
        "rename",
        "refile",
        "swap",
        "replace",
        "reslug",
        "reword",
        "redate",
        "mend",
        "correct",
        "update",
        "vanish",
        "settle",
        "change_host",
        "secure",
        "lose",
        "save_copy",
        "restore",
    ]
}


@settings(max_examples=5, phases=[Phase.explicit, Phase.generate])  # one deed takes 60 ms: shrinking would take minutes
@given(deeds=st.lists(st.tuples(st.sampled_from(sorted(DEEDS)), st.integers(0, 9)), min_size=1, max_size=8))
@example(deeds=[("rename", 0), ("lose", 0), ("rename", 0), ("lose", 0)])
@example(deeds=[("save_copy", 0), ("replace", 0), ("refile", 1), ("correct", 2), ("restore", 0), ("lose", 0)])
@example(deeds=[("change_host", 0), ("secure", 0), ("reslug", 0), ("lose", 0), ("replace", 1), ("lose", 0)])
@example(deeds=[("vanish", 0), ("vanish", 1), ("replace", 2), ("swap", 0), ("redate", 1), ("mend", 1), ("update", 1)])
def test_every_entry_keeps_its_id_and_its_dates_whatever_is_done(deeds: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        for deed, number in deeds:
            here = [item for item in world.items if item.here]
            DEEDS[deed](world, here[number % len(here)])
            world.check()


@pytest.mark.parametrize("deed", sorted(DEEDS))
def test_each_deed_alone_keeps_every_id(tmp_path: Path, deed: str) -> None:
    world = World(tmp_path)
    for number in (0, 1):
        DEEDS[deed](world, world.items[number])
        world.check()


def test_a_brief_of_the_same_instant_moves_nobodys_update(tmp_path: Path) -> None:
    """Two of one day, dated by day: entries have distinct times, and who was there first keeps its own."""
    made = Publication(root=tmp_path / "p")
    told: list[dict[str, str]] = []
    for number in range(6):
        made.brief(f"item-{number}", "2026-11-20", title=f"Item {number} in wording 0")
        with made.opened(f"2026-11-21 {10 + number}:00") as app:
            app.content.sync(app.sources, app.now())
            feeds.publish(app, app.now())
        found = of_atom((made.root / "feeds" / "briefs.atom").read_bytes())
        told.append({entry["id"]: entry["updated"] for entry in found.values()})
        assert len(set(told[-1].values())) == number + 1
    for before, after in itertools.pairwise(told):
        assert before.items() <= after.items()
