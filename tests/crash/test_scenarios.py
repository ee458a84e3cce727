"""Besides kills: a process that sleeps, a full disk, two senders, an older database, a relay that cuts or lies, a stop mid-way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crash import plays
from crash.harness import Program, Witness
from crash.scenes import LEISURELY, Scene, small_disk
from crash.verdict import told


@pytest.fixture(scope="module")
def program() -> Iterator[Program]:
    with Program() as made:
        yield made


@pytest.fixture
def scene(tmp_path: Path, program: Program) -> Iterator[Scene]:
    with Witness(tmp_path, "scene") as witness:
        yield Scene(tmp_path / "p", witness, program)


PLAYS = [
    plays.asleep,
    plays.overtaken,
    plays.left,
    plays.held,
    plays.slowed_down,
    plays.restored,
    plays.cut_off,
    plays.lied_to,
    plays.threaded,
    plays.put_right,
]


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.__name__)
def test_nothing_goes_wrong_when(play: Callable[[Scene], list[str]], scene: Scene) -> None:
    wrong = play(scene)
    assert not wrong, told(wrong)


def test_a_full_disk_loses_and_doubles_nothing(tmp_path: Path, program: Program) -> None:
    try:
        with small_disk(tmp_path / "p" / "var") as fill, Witness(tmp_path, "full") as witness:
            scene = Scene(tmp_path / "p", witness, program)
            scene.slow = LEISURELY
            scene.behave()
            scene.run_until(5)
            ballast = fill()
            give_up = time.monotonic() + 20
            while "channel_stopped" not in scene.said() and time.monotonic() < give_up:
                time.sleep(0.05)
            assert "the disk is full" in scene.said()
            program.kill()
            stood = len(scene.mails())
            assert scene.run_once() == 1  # still full: it says so, and sends nothing that it cannot record
            assert len(scene.mails()) == stood
            ballast.unlink()
            scene.outcome.kills = 1
            found = [each for each in scene.judged() if "step_failed" not in each]
            assert not found, told(found)
    except PermissionError as error:
        pytest.skip(f"no small disk to fill: {error}")
