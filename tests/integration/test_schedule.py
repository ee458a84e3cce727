"""The clock over real folders and a real watcher."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from syndicate import schedule
from syndicate.schedule import Clock


class Ticks:
    """What the tick was told, and how long it pretends to take."""

    def __init__(self) -> None:
        self.told: list[Collection[str] | None] = []
        self.upcoming: datetime | None = None
        self.act: Callable[[], None] = lambda: None
        self._came = threading.Condition()

    def __call__(self, changed: Collection[str] | None) -> datetime | None:
        with self._came:
            self.told.append(changed)
            self._came.notify_all()
        self.act()
        upcoming, self.upcoming = self.upcoming, None
        return upcoming

    def wait(self, found: Callable[[], bool], seconds: float = 10) -> bool:
        with self._came:
            return self._came.wait_for(found, seconds)

    def has(self, path: Path) -> bool:
        return any(changed and str(path) in changed for changed in self.told)


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def clock(ticks: Ticks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    monkeypatch.setattr(schedule, "EVERY_SECONDS", 0.1)
    monkeypatch.setattr(schedule, "_BEAT_MILLIS", 50)
    made = Clock(ticks, [tmp_path])
    yield made
    made.stop()


def watching(clock: Clock, *, expected: bool = True) -> bool:
    for _ in range(200):
        if clock._watching is expected:
            return True
        time.sleep(0.02)
    return False


def test_a_saved_file_is_told_by_its_path(clock: Clock, ticks: Ticks, tmp_path: Path) -> None:
    clock.start()
    assert watching(clock)
    (tmp_path / "below").mkdir()
    (tmp_path / "a.md").write_text("A")
    assert ticks.wait(lambda: ticks.has(tmp_path / "a.md"))
    (tmp_path / "below" / "b.md").write_text("B")
    assert ticks.wait(lambda: ticks.has(tmp_path / "below" / "b.md"))


def test_a_watched_folder_is_looked_at_whole_now_and_then(clock: Clock, ticks: Ticks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "_RAREST_SECONDS", 0.5)
    ticks.act = lambda: time.sleep(0.02)  # a hundred times as long is more than the rarest
    clock.start()
    assert watching(clock)
    del ticks.told[:]
    assert ticks.wait(lambda: ticks.told.count(None) >= 3)
    assert ticks.told.count(()) >= 3


def test_a_short_look_is_taken_at_every_tick(clock: Clock, ticks: Ticks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "_SHARE", 0)
    clock.start()
    assert watching(clock)
    del ticks.told[:]
    assert ticks.wait(lambda: len(ticks.told) >= 3)
    assert set(ticks.told) == {None}


def test_what_was_saved_before_the_watcher_watched_is_looked_for(ticks: Ticks, tmp_path: Path) -> None:
    clock = Clock(ticks, [tmp_path])
    ticks.act = lambda: time.sleep(0.01)
    clock._run()
    clock._watching = True
    clock._run()
    assert ticks.told == [None, ()]
    clock._watching = False
    clock._watcher.start()
    assert ticks.wait(lambda: ticks.told == [None, (), None]), "at once, not at the next tick"
    clock._stop.set()
    clock._watcher.join()


def test_where_a_folder_cannot_be_watched_every_tick_looks_at_everything(ticks: Ticks, tmp_path: Path) -> None:
    clock = Clock(ticks, [tmp_path, tmp_path / "missing"])
    clock._watcher.start()
    for number in range(100):
        (tmp_path / "a.md").write_text(str(number))
        if ticks.wait(lambda: ticks.has(tmp_path / "a.md"), 0.1):
            break
    assert ticks.has(tmp_path / "a.md")
    assert clock._watching is False
    clock._run()
    clock._run()
    clock._stop.set()
    clock._watcher.join()
    assert ticks.told[-2:] == [None, None]


def test_a_watcher_that_fails_leaves_the_interval(clock: Clock, ticks: Ticks, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object, **__: object) -> Iterator[set[tuple[int, str]]]:
        yield set()
        raise OSError(28, "OS file watch limit reached")

    monkeypatch.setattr("watchfiles.watch", failing)
    clock.start()
    clock._watcher.join()
    del ticks.told[:]
    assert ticks.wait(lambda: len(ticks.told) >= 2)
    assert set(ticks.told) == {None}


def test_the_next_due_time_wakes_the_tick(clock: Clock, ticks: Ticks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "EVERY_SECONDS", 3600)
    clock.start()
    ticks.upcoming = datetime.now(UTC) + timedelta(seconds=0.2)
    clock._run()
    assert ticks.wait(lambda: len(ticks.told) >= 2)


def test_a_machine_whose_clock_is_set_back_goes_on_ticking(clock: Clock, ticks: Ticks) -> None:
    clock.start()
    assert ticks.wait(lambda: None in ticks.told)
    clock._scheduler.modify_job("tick", next_run_time=datetime.now(UTC) + timedelta(hours=1))  # as it stands after that
    del ticks.told[:]
    assert ticks.wait(lambda: len(ticks.told) >= 2)
