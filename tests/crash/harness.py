"""The crash harness: a campaign of trials against one witness, repeatable by its seed, and the figures that come of it.

What is decided (where to kill, what to save, which fault) follows from the seed; how far the program is by then does not.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Self

from crash.trial import Outcome, Trial

HERE = Path(__file__).parent
READY_SECONDS = 120


class Helper:
    """A process of ours that answers with lines of JSON and ends with its standard input."""

    def __init__(self, script: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / script), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def hear(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self.close()
            msg = f"{self._process.args} has ended with {self._process.returncode}"
            raise RuntimeError(msg)
        return json.loads(line)

    def close(self) -> None:
        """End it, whatever it does. Closing twice is harmless."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class Witness(Helper):
    """Who takes the mails and posts, and writes each down."""

    def __init__(self, folder: Path, seed: str) -> None:
        self._log = folder / "witness.jsonl"
        super().__init__("witness.py", str(self._log), seed)
        self.places: Mapping[str, Any] = self.hear()
        self._read = 0
        self._torn = b""

    def behave(self, **manner: float | bool) -> None:
        """From now on, as ``sink.Manner`` says."""
        self.tell(json.dumps(manner))
        assert self.hear() is True

    def news(self) -> list[dict[str, Any]]:
        """What was written down since the last look."""
        try:
            with self._log.open("rb") as file:
                file.seek(self._read)
                data = file.read()
        except FileNotFoundError:
            return []
        self._read += len(data)
        *lines, self._torn = (self._torn + data).split(b"\n")
        return [json.loads(line) for line in lines]


class Program(Helper):
    """The command that is killed, one start at a time."""

    def __init__(self, mutant: str = "") -> None:
        super().__init__("program.py", *filter(None, [mutant]))
        self.mutant = mutant
        self._running: int | None = None
        assert self.hear() == "ready"

    def start(self, arguments: list[str], environ: Mapping[str, str], log: Path, *, whole: bool = False) -> None:
        """Run a command; ``whole``: with an interpreter of its own."""
        assert self._running is None
        order = {"arguments": arguments, "environ": dict(environ), "log": str(log), "exec": whole}
        self.tell(json.dumps(order))
        self._running = self.hear()

    def ended(self) -> int | None:
        """How it ended (negative: the signal), if it has."""
        self.tell(json.dumps({"poll": self._running}))
        found: int | None = self.hear()
        if found is not None:
            self._running = None
        return found

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self._running is not None
        os.kill(self._running, number)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        self.wait(READY_SECONDS)

    def swap(self, other: int | None = None) -> int | None:
        """Look after ``other`` from now on; who was looked after."""
        self._running, before = other, self._running
        return before

    def wait(self, seconds: float, until: Callable[[], bool] = lambda: False) -> int | None:
        """Wait for its end, or for ``until``; ``None`` where it still runs then."""
        give_up = time.monotonic() + seconds
        while (found := self.ended()) is None and time.monotonic() < give_up and not until():
            time.sleep(0.004)
        return found


@dataclass(kw_only=True)
class Campaign:
    """Trials until so many kills are done."""

    seed: str
    kills: int
    folder: Path
    faults: float = 0.02  # of the requests
    mutant: str = ""
    point: str = ""  # kill at this point alone
    kills_per_trial: int = 10
    outcomes: list[Outcome] = field(default_factory=list)

    def run(self, *, until: Callable[[Outcome], bool] = lambda _: False) -> Outcome:
        """All trials, or those up to the first that satisfies ``until``; their sum."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with Witness(self.folder, self.seed) as witness, Program(self.mutant) as program:
            done = 0
            while done < self.kills and not (self.outcomes and until(self.outcomes[-1])):
                number = len(self.outcomes)
                trial = Trial(
                    number=number,
                    root=self.folder / f"trial{number}",
                    chance=Random(f"{self.seed}/{number}"),
                    kills=min(self.kills_per_trial, self.kills - done),
                    witness=witness,
                    program=program,
                    faults=self.faults,
                    point=self.point,
                )
                self.outcomes.append(trial.run())
                done += max(1, self.outcomes[-1].kills)
        return self.total()

    def total(self) -> Outcome:
        """Every figure added up, every complaint listed."""
        return sum(self.outcomes, start=Outcome())


def fresh_seed() -> str:
    """A seed for a campaign that names none."""
    return secrets.token_hex(4)
