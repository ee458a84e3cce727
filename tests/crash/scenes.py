"""A trial told step by step, for what else befalls a sender than a kill: sleep, a full disk, company, an old database.

A scene begins and finishes as a trial does, and is judged as one. What is played in it stands in ``plays``.
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
from syndicate.model import Frequency

LEISURELY = 0.25  # seconds for a mail: slow enough to do something meanwhile
IN_HAND = "SELECT sending, place, state, epoch FROM delivery WHERE state IN ('claimed', 'sending')"
SETTLED = "SELECT sending, place, state, epoch FROM delivery WHERE state NOT IN ('pending', 'claimed', 'sending', 'uncertain')"
MOUNTED = "8m"  # the size of the small disk


class Scene(Trial):
    """One trial, told step by step."""

    def __init__(self, root: Path, witness: Witness, program: Program, *, number: int = 0, slow: float = 0.0) -> None:
        super().__init__(
            number=number,
            root=root,
            chance=Random(root.name),
            kills=0,
            witness=witness,
            program=program,
            faults=0,
            plain=True,
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

    def in_hand(self) -> set[tuple[object, ...]]:
        """What is claimed or on the wire, row by row."""
        return {tuple(row) for row in verdict.rows(self.root, IN_HAND)}

    def set(self, old: str, new: str) -> None:
        """Change the settings."""
        settings = self.root / "config" / "syndicate.toml"
        assert old in settings.read_text()
        settings.write_text(settings.read_text().replace(old, new))

    def leave(self, frequency: Frequency) -> set[str]:
        """The consent of all these readers ends, by another process, and nothing else is done about what is under way."""
        connection = sqlite3.connect(self.database, timeout=CLEAN_SECONDS)
        with connection:
            ended = connection.execute("UPDATE subscription SET state = 'ended' WHERE frequency = ?", (str(frequency),))
            assert ended.rowcount == self.crowd[frequency]
        connection.close()
        return set(self.readers(frequency))

    def hold(self, target: str) -> None:
        """An editor stops something."""
        now = datetime.now(UTC)
        with self.publication.opened(now.isoformat()) as app:
            app.holds.place(target, "to be looked at", who="ada", now=now)

    def begun(self, to: set[str]) -> int:
        """How many mails to these have left, or have an intent."""
        return sum(row.to in to and row.state in {"sending", "sent", "uncertain"} for row in verdict.duties(self.root))

    def restore(self, copy: Path) -> None:
        """Put an older database in the place of this one."""
        for path in (self.database.with_name(f"{self.database.name}-{end}") for end in ("wal", "shm")):
            path.unlink(missing_ok=True)
        shutil.copy(copy, self.database)


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
