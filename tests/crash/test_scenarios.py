"""Besides kills: a process that sleeps, a full disk, two senders, an older database, a relay that cuts or lies, a stop mid-way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crash.harness import Program, Witness
from crash.plays import asleep, held, left, overtaken, slowed_down
from crash.scenes import LEISURELY, Scene, copied, small_disk
from crash.verdict import told


@pytest.fixture(scope="module")
def program() -> Iterator[Program]:
    with Program() as made:
        yield made


@pytest.fixture
def scene(tmp_path: Path, program: Program) -> Iterator[Scene]:
    with Witness(tmp_path, "scene") as witness:
        yield Scene(tmp_path / "p", witness, program)


@pytest.mark.parametrize("play", [asleep, overtaken, left, held, slowed_down])
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


def test_an_older_database_put_back_sends_nothing(scene: Scene, tmp_path: Path) -> None:
    scene.run_once()
    older = copied(scene.database, tmp_path / "older.db")
    scene.save()
    for _ in range(2):
        scene.run_once()
    scene.restore(older)
    before = len(scene.news())
    assert scene.run_once() == 1
    assert "run `syndicate claim`" in scene.said()
    assert len(scene.news()) == before


def test_mails_that_were_taken_and_not_answered_wait_for_a_person(scene: Scene) -> None:
    scene.behave(cuts=True)
    scene.run_once()
    cut = len(scene.mails())
    assert cut
    assert scene.states()["uncertain"] == cut
    assert not scene.judged(), told(scene.outcome.complaints)
    assert (scene.outcome.uncertain, scene.outcome.gone) == (cut, cut)


def test_a_relay_that_lies_about_pipelining_gets_each_mail_once(scene: Scene) -> None:
    scene.set("timeout = 20", "timeout = 1")
    scene.behave(liar=True, pipelining=True)
    scene.run_once()
    assert not scene.judged(), told(scene.outcome.complaints)
    assert scene.outcome.uncertain == 0


@pytest.mark.parametrize("point", ["correction.after_mark", "correction.before_plan"])
def test_a_correction_that_is_killed_is_told_once(scene: Scene, point: str) -> None:
    assert scene.run_once() == 0
    first = len(scene.news())
    (brief,) = scene.briefs
    asked = ("correct", brief, "--severity", "significant", "--text", "The year was 1987.")
    assert scene.command(*asked, point=point) == -9
    for _ in range(2):
        scene.run_once()
    told_of = [line["to"] for line in scene.news()[first:]]
    readers = [to for to in told_of if "@" in to]
    assert len(set(readers)) == len(readers) == len(scene.everybody())
