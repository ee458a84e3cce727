"""The fence: which copies of a publication run, and which wait for a person's word."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from syndicate.store import marks, migrate
from syndicate.store.database import Store
from syndicate.store.holds import Holds

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


class Place:
    """A publication's folder on one machine."""

    def __init__(self, var: Path, home: Path, machine: str = "a" * 32) -> None:
        self.var = var
        self.environ = {"HOME": str(home), "SYNDICATE_MACHINE_ID": machine}

    def run(self) -> str:
        """Start once; why everything is on hold, or ""."""
        store = Store(self.var / "syndicate.db")
        try:
            migrate.ensure(store)
            marks.begin(store, NOW)
            return marks.enter(store, self.var, environ=self.environ, now=NOW)
        finally:
            store.close()

    def claim(self) -> None:
        store = Store(self.var / "syndicate.db")
        try:
            marks.claim(store, self.var, environ=self.environ, who="test", now=NOW)
        finally:
            store.close()

    def forgotten(self) -> int:
        store = Store(self.var / "syndicate.db")
        try:
            return marks.forgotten(store, self.var, environ=self.environ)
        finally:
            store.close()

    def holds(self) -> list[str]:
        store = Store(self.var / "syndicate.db")
        try:
            return [hold.target for hold in Holds(store).list()]
        finally:
            store.close()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "publication" / "var", tmp_path / "home")


def test_a_restart_runs(place: Place) -> None:
    assert [place.run() for _ in range(4)] == [""] * 4


def test_kills_while_counting_never_look_like_a_copy(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(Exception):
        pass

    def kill(_point: str) -> None:
        raise Killed

    place.run()
    with monkeypatch.context() as patch:
        patch.setattr(marks, "fail_at", kill)
        for _ in range(3):
            with pytest.raises(Killed):
                place.run()
    assert place.run() == ""


def test_a_copied_folder_on_another_machine_holds(place: Place, tmp_path: Path) -> None:
    place.run()
    shutil.copytree(place.var, tmp_path / "copy")
    copy = Place(tmp_path / "copy", tmp_path / "home-elsewhere", machine="b" * 32)
    assert "another machine" in copy.run()
    assert copy.holds() == ["all"]


def test_a_copied_folder_on_the_same_machine_holds_once_the_original_has_run_on(place: Place, tmp_path: Path) -> None:
    place.run()
    shutil.copytree(place.var, tmp_path / "copy")
    place.run()
    place.run()
    assert "restored or copied" in Place(tmp_path / "copy", tmp_path / "home").run()


def test_an_older_database_restored_in_place_holds(place: Place, tmp_path: Path) -> None:
    place.run()
    shutil.copytree(place.var, tmp_path / "backup")
    place.run()
    shutil.copy(tmp_path / "backup" / "syndicate.db", place.var / "syndicate.db")
    assert "restored or copied" in place.run()
    assert place.holds() == ["all"]


def test_an_older_database_restored_with_its_whole_folder_holds_by_the_state_folder(place: Place, tmp_path: Path) -> None:
    place.run()
    shutil.copytree(place.var, tmp_path / "backup")
    place.run()
    shutil.rmtree(place.var)
    shutil.copytree(tmp_path / "backup", place.var)
    assert "restored or copied" in place.run()


def test_a_container_restarted_with_the_same_volume_runs(place: Place, tmp_path: Path) -> None:
    place.run()
    shutil.rmtree(tmp_path / "home")
    fresh = Place(place.var, tmp_path / "home", machine="")
    assert fresh.run() == ""


def test_a_crash_while_counting_is_no_disagreement(place: Place) -> None:
    place.run()
    store = Store(place.var / "syndicate.db")
    with store.read() as connection:
        runs = int(marks.get(connection, "runs"))
    store.write(lambda connection: marks.put(connection, "runs", str(runs + 1)))
    store.close()
    assert place.run() == ""


def test_a_backup_starts_on_hold_until_it_is_claimed(place: Place, tmp_path: Path) -> None:
    place.run()
    store = Store(place.var / "syndicate.db")
    restored = tmp_path / "restored" / "syndicate.db"
    restored.parent.mkdir()

    def dying(part: Path) -> None:
        assert part.is_file()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.copy_to(restored, dying)
    assert list(restored.parent.iterdir()) == []  # what is not marked as a copy does not look like one
    store.copy_to(restored, marks.mark_copy)
    store.close()
    assert list(restored.parent.iterdir()) == [restored]
    copy = Place(restored.parent, tmp_path / "new-home")
    assert "db backup" in copy.run()
    assert "db backup" in copy.run()
    copy.claim()
    assert copy.holds() == []
    assert copy.run() == ""


def test_claiming_makes_an_old_database_the_one_that_sends(place: Place, tmp_path: Path) -> None:
    place.run()
    shutil.copytree(place.var, tmp_path / "backup")
    place.run()
    shutil.copy(tmp_path / "backup" / "syndicate.db", place.var / "syndicate.db")
    place.run()
    place.claim()
    assert place.run() == ""
    assert place.holds() == []


def test_a_lost_database_is_remembered_until_the_new_one_is_claimed(place: Place, tmp_path: Path) -> None:
    other = Place(tmp_path / "other" / "var", tmp_path / "home")
    assert [place.run(), place.run(), other.run()] == [""] * 3
    assert (place.forgotten(), other.forgotten()) == (0, 0)
    shutil.rmtree(place.var)
    assert [place.run(), place.run()] == [""] * 2
    assert (place.forgotten(), other.forgotten()) == (2, 0)
    place.claim()
    assert (place.forgotten(), other.forgotten()) == (0, 0)
    assert [place.run(), other.run()] == [""] * 2


def test_claiming_leaves_an_editors_hold_alone(place: Place) -> None:
    place.run()
    store = Store(place.var / "syndicate.db")
    Holds(store).place("all", "a faulty embargo", who="mara", now=NOW)
    store.close()
    place.claim()
    assert place.holds() == ["all"]


def test_what_is_configured_later_starts_later(place: Place) -> None:
    place.run()
    store = Store(place.var / "syndicate.db")
    later = NOW + timedelta(days=1)
    assert marks.starts(store, ["channel:x"], later) == {"channel:x": NOW}
    assert marks.starts(store, ["channel:x", "channel:bluesky"], later) == {"channel:x": NOW, "channel:bluesky": later}
    store.close()
