"""Hubs are told of each change of a feed, after it is there, and of nothing else: against a strict hub on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from publication import SETTINGS, Publication, instant
from syndicate.channels import websub as hubs
from syndicate.errors import ConfigError, Refused, Throttled, Unreachable
from syndicate.press import refuse_pretence
from syndicate.publish import feeds, websub
from syndicate.publish.tick import tick
from syndicate.runtime import Runtime
from syndicate.settings import load
from syndicate.store.pings import Pings
from syndicate.testing.hub import FakeHub

BASE = "http://127.0.0.1:8000"
NOON = instant("2026-11-22 12:00")
BRIEFS = [f"{BASE}/feeds/briefs.{form}" for form in ("rss", "atom", "json")]
TOPIC = f"{BASE}/feeds/briefs.atom"


class Place:
    """A publication whose feed of briefs has a hub, and its clock."""

    def __init__(self, root: Path) -> None:
        self.hub = FakeHub(self.fetch, now=lambda: self.at)
        with_hub = f'items = "briefs"\nhub = "{self.hub.address}"'
        self.made = Publication(root=root, settings=SETTINGS.replace('items = "briefs"', with_hub))
        self.made.brief("one", "2026-11-20 08:00:00Z")
        self.at = NOON

    def fetch(self, url: str) -> bytes:
        """What anybody would get there now: the files are served as they stand."""
        return (self.made.root / "feeds" / url.removeprefix(f"{BASE}/feeds/")).read_bytes()

    def build(self) -> None:
        with self.made.opened(self.at.isoformat()) as app:
            app.content.sync(app.sources, app.now())
            feeds.publish(app, app.now())

    def ping(self) -> list[str]:
        """The addresses that the hub is told of now."""
        before = len(self.hub.posts)
        with self.made.opened(self.at.isoformat()) as app:
            websub.ping(app)
        return self.hub.topics[before:]

    def run(self) -> list[str]:
        """One tick and everything it made due."""
        before = len(self.hub.posts)
        self.made.run(self.at.isoformat())
        return self.hub.topics[before:]

    def attempts(self) -> int:
        with self.made.opened(self.at.isoformat()) as app:
            return Pings(app.store).all()[self.hub.address, TOPIC].attempts


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path / "publication")
    with made.hub:
        yield made


def test_a_hub_is_told_once_of_each_feed_with_a_hub_and_of_no_other(place: Place) -> None:
    assert place.run() == BRIEFS
    assert place.run() == []
    assert all(post.data["feed"] == place.fetch(post.text) for post in place.hub.posts)


def test_a_build_that_changes_nothing_tells_nothing(place: Place) -> None:
    place.run()
    place.at += timedelta(days=1)
    place.build()
    assert place.ping() == []


def test_a_change_is_told_after_it_is_there_for_everybody(place: Place) -> None:
    place.run()
    place.at += timedelta(hours=1)
    place.made.brief("two", "2026-11-22 12:30:00Z", title="NEWS")
    assert place.run() == BRIEFS
    assert all(b"NEWS" in post.data["feed"] for post in place.hub.posts[3:])


@pytest.mark.parametrize(("point", "told"), [("websub.before_ping", 0), ("websub.after_ping", 1)])
def test_a_crash_between_writing_and_telling_is_made_good(
    place: Place, point: str, told: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """The program ends here."""

    def kill(name: str) -> None:
        if name == point:
            raise Killed

    place.build()
    with monkeypatch.context() as patch:
        patch.setattr(websub, "fail_at", kill)
        with pytest.raises(Killed):
            place.ping()
    assert len(place.hub.posts) == told
    assert place.ping() == BRIEFS
    assert place.ping() == []


@pytest.mark.parametrize("fault", ["before_accept", "after_accept", "500"])
def test_a_hub_that_fails_is_told_again_later_and_later(place: Place, fault: str) -> None:
    place.build()
    place.ping()
    place.made.brief("two", "2026-11-22 11:00:00Z")
    place.build()
    for failed, seconds in enumerate(websub.BACK_OFF[:4], 1):
        place.hub.fail_next(fault, 3)  # type: ignore[arg-type]
        place.ping()
        assert place.attempts() == failed
        place.at += timedelta(seconds=seconds - 1)
        assert place.ping() == [], "not before its time"
        place.at += timedelta(seconds=1)
    assert place.ping() == BRIEFS
    assert (place.attempts(), place.ping()) == (0, [])


def test_a_hub_that_asks_us_to_wait_is_left_alone_until_then(place: Place) -> None:
    place.build()
    place.hub.fail_next("429", 3)
    assert place.ping() == []
    place.at += place.hub.reset - timedelta(seconds=1)
    assert place.ping() == []
    place.at += timedelta(seconds=1)
    assert place.ping() == BRIEFS


def test_a_change_that_was_taken_back_before_it_was_told_needs_no_telling(place: Place) -> None:
    place.build()
    place.ping()
    path = place.made.root / "feeds" / "briefs.atom"
    before = path.read_bytes()
    path.write_bytes(before + b"\n")
    place.hub.fail_next("500")
    assert place.ping() == []
    path.write_bytes(before)
    place.at += timedelta(hours=1)
    assert place.ping() == []
    assert place.attempts() == 0


def test_a_hold_keeps_hubs_in_the_dark_until_it_is_lifted(place: Place) -> None:
    place.build()
    with place.made.opened(place.at.isoformat()) as app:
        app.holds.place("all", "wait", who="editor", now=place.at)
    assert place.ping() == []
    with place.made.opened(place.at.isoformat()) as app:
        app.holds.lift("all", who="editor", now=place.at, detail={})
    assert place.ping() == BRIEFS


def test_another_hub_is_told_of_what_the_first_one_knows(place: Place, tmp_path: Path) -> None:
    place.run()
    config = place.made.root / "config" / "syndicate.toml"
    with FakeHub() as other:
        config.write_text(config.read_text(encoding="utf-8").replace(place.hub.address, other.address), encoding="utf-8")
        place.ping()
        assert other.topics == BRIEFS


def test_without_a_hub_nobody_is_told(tmp_path: Path) -> None:
    made = Publication(root=tmp_path / "publication")
    made.brief("one", "2026-11-20 08:00:00Z")
    with made.opened(NOON.isoformat()) as app:
        tick(app, app.now())
        assert websub.ping(app) == 0
        Runtime(app).drain()
        assert Pings(app.store).all() == {}


def test_what_a_hub_says_decides_what_comes_next(place: Place) -> None:
    hub = place.hub
    tell = lambda topic=TOPIC, path="/hub?tier=free": hubs.ping(hub.url + path, topic, now=lambda: NOON)  # noqa: E731
    with pytest.raises(Refused, match="answered 400"):
        tell("no address")
    with pytest.raises(Refused, match="answered 400"):
        tell(path="/elsewhere?tier=free")
    hub.fail_next("429")
    with pytest.raises(Throttled):
        tell()
    hub.fail_next("after_accept")
    with pytest.raises(Unreachable):
        tell()
    with pytest.raises(Unreachable):
        hubs.ping("http://127.0.0.1:9/", TOPIC, now=lambda: NOON)


def test_a_pretended_time_is_refused_where_a_hub_elsewhere_would_hear_of_it(tmp_path: Path) -> None:
    far = SETTINGS.replace('items = "briefs"', 'items = "briefs"\nhub = "https://hub.example/"')
    made = Publication(root=tmp_path / "publication", settings=far + '\n[web]\npublic_url = "https://letter.example"\n')
    with made.opened(NOON.isoformat()) as app, pytest.raises(ConfigError, match=r"https://hub\.example/ would"):
        refuse_pretence(app)


def test_a_hub_that_could_not_fetch_our_feeds_is_a_fault_of_the_settings(tmp_path: Path) -> None:
    far = SETTINGS.replace('items = "briefs"', 'items = "briefs"\nhub = "https://hub.example/"')
    made = Publication(root=tmp_path / "publication", settings=far)
    with pytest.raises(ConfigError, match=r"the hub of \[feeds\.briefs\] cannot fetch feeds from http://127\.0\.0\.1"):
        load(made.root, {})
