"""What else befalls a sender than a kill, each as a trial of its own: sleep, a full disk, company, an old database, a bad relay.

A scene begins and finishes as a trial does, and is judged as one.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from crash import verdict
from crash.harness import Program, Witness
from crash.trial import CLEAN_SECONDS, Trial

LEISURELY = 0.25  # seconds for a mail: slow enough to do something meanwhile
SETTLED = "SELECT sending, place, state, epoch FROM delivery WHERE state NOT IN ('pending', 'claimed', 'sending', 'uncertain')"
MOUNTED = "8m"  # the size of the small disk


class Scene(Trial):
    """One trial, told step by step."""

    def __init__(self, root: Path, witness: Witness, program: Program, *, number: int = 0, slow: float = 0.0) -> None:
        super().__init__(
            number=number, root=root, chance=Random(root.name), kills=0, witness=witness, program=program, faults=0
        )
        self.slow = slow
        self.begin()

    # -- steps --------------------------------------------------------------------------------------

    def run_once(self) -> int | None:
        """One tick and all that it makes due; how it ended."""
        self.start("run", "--once")
        ended = self.program.wait(CLEAN_SECONDS, self._runs_away)
        if ended is None:
            self.program.kill()
        return ended

    def run_until(self, mails: int) -> None:
        """Start the program, and come back when so many mails are out."""
        self.start("run", "--no-web")
        assert self.program.wait(CLEAN_SECONDS, lambda: len(self.mails()) >= mails) is None

    def command(self, *arguments: str, point: str = "") -> int | None:
        """Another command, to its end."""
        self.start(*arguments, point=point)
        return self.program.wait(CLEAN_SECONDS)

    def mails(self) -> list[str]:
        """The addresses that mails have gone to."""
        return [line["to"] for line in self.news() if line["where"] == "mail"]

    def judged(self) -> list[str]:
        """Finish it, and every complaint."""
        self.finish()
        verdict.judge(self)
        return self.outcome.complaints

    def states(self) -> dict[str, int]:
        """How many mails are in each state."""
        query = (
            "SELECT d.state, count(*) AS n FROM delivery d JOIN place c ON c.key = d.channel WHERE c.name = 'mail' GROUP BY 1"
        )
        return {row["state"]: row["n"] for row in verdict.rows(self.root, query)}

    @property
    def database(self) -> Path:
        """Its file."""
        return self.root / "var" / "syndicate.db"

    def said(self) -> str:
        """All that the program printed."""
        return (self.root / "program.log").read_text(encoding="utf-8", errors="replace")

    # -- what befalls it ----------------------------------------------------------------------------

    def doze(self) -> int:
        """Stop the process that sends, outside a transaction; it is nobody's any more."""
        while True:
            self.program.signal(signal.SIGSTOP)
            time.sleep(0.05)
            if self._free():
                break
            self.program.signal(signal.SIGCONT)
            time.sleep(0.01)
        pid = self.program.swap()
        assert pid is not None
        return pid

    def wake(self, pid: int, seconds: float) -> int | None:
        """Let it go on for so long, then end it as a person would."""
        self.program.swap(pid)
        self.program.signal(signal.SIGCONT)
        self.program.wait(seconds)
        return self.stop()

    def _free(self) -> bool:
        connection = sqlite3.connect(self.database, timeout=0.2)
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.rollback()
        except sqlite3.OperationalError:
            return False
        finally:
            connection.close()
        return True

    def settled(self) -> set[tuple[object, ...]]:
        """What has been decided, row by row."""
        return {tuple(row) for row in verdict.rows(self.root, SETTLED)}

    def leave(self, address: str) -> float:
        """A reader's consent ends, by another process, and nothing else is done about what is under way; when."""
        connection = sqlite3.connect(self.database, timeout=CLEAN_SECONDS)
        with connection:
            ended = connection.execute(
                "UPDATE subscription SET state = 'ended' WHERE subscriber = (SELECT key FROM subscriber WHERE address = ?)",
                (address,),
            )
            assert ended.rowcount == 1
        connection.close()
        return time.time()

    def hold(self, target: str) -> None:
        """An editor stops something."""
        now = datetime.now(UTC)
        with self.publication.opened(now.isoformat()) as app:
            app.holds.place(target, "to be looked at", who="ada", now=now)

    def restore(self, copy: Path) -> None:
        """Put an older database in the place of this one."""
        for path in (self.database.with_name(f"{self.database.name}-{end}") for end in ("wal", "shm")):
            path.unlink(missing_ok=True)
        shutil.copy(copy, self.database)


def asleep(scene: Scene) -> list[str]:
    """It sleeps past its lease while another takes over, and wakes: what was wrong with that."""
    scene.slow = LEISURELY
    scene.behave()
    scene.run_until(5)
    sleeper = scene.doze()
    refused = scene.run_once() == 1 and "another `syndicate run`" in scene.said()
    scene.database.with_name("syndicate.db.lock").unlink()  # somebody is sure that it is dead
    scene.slow = 0.0
    scene.behave()
    scene.run_once()
    decided, witnessed = scene.settled(), len(scene.mails())
    scene.wake(sleeper, 3.0)
    wrong = [] if refused else ["two ran on one database"]
    if not decided <= scene.settled():
        wrong.append("who woke changed what another had settled")
    if len(scene.mails()) > witnessed:
        wrong.append("who woke sent what another had sent")
    scene.outcome.kills = 1  # for what it had on the wire
    return wrong + scene.judged()


def left(scene: Scene) -> list[str]:
    """A reader leaves, by another process, while messages are claimed and dealt out."""
    scene.slow = LEISURELY
    scene.behave()
    scene.run_until(5)
    reached = set(scene.mails())
    leaver = next(address for address in reversed(scene.everybody()) if address not in reached)
    at = scene.leave(leaver)
    scene.program.wait(4.0)
    scene.stop()
    scene.gone.add(leaver)
    wrong = scene.judged()
    late = [line for line in scene.news() if line["to"] == leaver and line["at"] > at + 1]
    return wrong + ["who had left got mail a second later"] * len(late)


def held(scene: Scene) -> list[str]:
    """An editor holds the newsletter, by another process, while messages are claimed and dealt out."""
    scene.slow = LEISURELY
    scene.behave()
    scene.run_until(5)
    scene.hold("digest")
    time.sleep(1.0)
    stood = len(scene.mails())
    time.sleep(2.0)
    wrong = [] if len(scene.mails()) == stood else ["mail went on for more than a second behind a hold"]
    if scene.stop() != 0 or scene.command("release", "digest", "--continue") != 0:
        wrong.append("it did not stop, or was not released")
    return wrong + scene.judged()


def slowed_down(scene: Scene) -> list[str]:
    """A fast relay grows slow when intents for a group are recorded; then the program is stopped. No kill: nothing is in doubt."""
    settings = scene.root / "config" / "syndicate.toml"
    settings.write_text(settings.read_text().replace("timeout = 20", "timeout = 20\nconnections = 1"))
    scene.run_until(14)
    scene.slow = 0.5
    scene.behave()
    scene.program.wait(1.2)
    scene.stop()
    scene.slow = 0.0
    scene.judged()
    in_doubt = [f"{scene.outcome.uncertain} in doubt, and nothing was killed"] if scene.outcome.uncertain else []
    return in_doubt + scene.outcome.complaints


def copied(database: Path, to: Path) -> Path:
    """A consistent copy, as a file system's snapshot would be."""
    with sqlite3.connect(database) as source, sqlite3.connect(to) as target:
        source.backup(target)
    source.close()
    target.close()
    return to


@contextmanager
def small_disk(folder: Path) -> Iterator[Callable[[], Path]]:
    """A disk of a few megabytes at ``folder``; it is handed what fills it up, and says where.

    Raises
    ------
    PermissionError
        This user may mount nothing.
    """
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={MOUNTED}", "none", str(folder)]
    done = subprocess.run(mount, check=False, capture_output=True, text=True) if os.geteuid() == 0 else None
    if done is None or done.returncode:
        raise PermissionError(done.stderr.strip() if done else "only root may mount a small disk")

    def fill() -> Path:
        ballast = folder / "ballast"
        with ballast.open("wb", buffering=0) as file:
            for size in (65536, 4096, 1):
                try:
                    while True:
                        file.write(b"\0" * size)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
        return ballast

    try:
        yield fill
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
