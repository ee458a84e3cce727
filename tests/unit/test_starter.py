"""The starter publication is found, whole, and without what was rendered into it."""

from __future__ import annotations

from pathlib import Path

import pytest

from syndicate import starter
from syndicate.errors import ConfigError


def test_every_folder_of_a_publication_is_in_the_starter() -> None:
    names = [name for name, _ in starter.files()]
    assert names == sorted(set(names), key=lambda name: (starter.FOLDERS.index(name.split("/")[0]), Path(name)))
    assert {name.split("/")[0] for name in names} == set(starter.FOLDERS)
    assert "config/syndicate.toml" in names


def test_rendered_feeds_are_not_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starter, "folder", lambda: Path(__file__).parents[1] / "data/starter")  # where a feed was rendered
    assert [name for name, _ in starter.files()] == ["feeds/.gitkeep", "feeds/feed.css"]


def test_an_installation_without_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starter, "__file__", "/nowhere/at/all/src/syndicate/starter.py")
    with pytest.raises(ConfigError, match="install the package again"):
        starter.folder()
