"""The real command in a process of its own, and what it left behind: shared by the acceptance tests."""

from __future__ import annotations

import email
import email.policy
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

TIMEOUT = 120  # seconds; a run on a busy machine takes five
FEED = re.compile(r"\.(?:rss|atom|json|opml)(?:\.gz|\.br)?$")
LINK = re.compile(r"https?://[^\s\"/]+/((?:briefs|quotes)/[a-z0-9-]+)")


@dataclass(kw_only=True)
class Publication:
    """A publication's folder, its own home folder, and the command in it."""

    root: Path
    home: Path
    environ: dict[str, str] = field(default_factory=dict)

    def command(
        self, *arguments: str, environ: Mapping[str, str] | None = None, limits: Callable[[], None] | None = None
    ) -> Done:
        """Run to the end. ``limits`` is called in the child before it begins."""
        ended = subprocess.run(
            [sys.executable, "-m", "syndicate", "-C", str(self.root), *arguments],
            env=self._environ(environ),
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
            preexec_fn=limits,
        )
        return Done(code=ended.returncode, out=ended.stdout, said=ended.stderr)

    def run(self, at: datetime | None = None, **more: Any) -> Done:
        """``run --once``, at a pretended time."""
        return self.command("run", "--once", *(["--at", at.isoformat()] if at else []), **more)

    @contextmanager
    def running(self, *arguments: str) -> Iterator[Running]:
        """``run``, until the block ends."""
        process = subprocess.Popen(
            [sys.executable, "-m", "syndicate", "-C", str(self.root), "run", *arguments],
            env=self._environ(None),
            cwd=self.home,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        running = Running(process)
        try:
            yield running
        finally:
            running.end()

    def _environ(self, more: Mapping[str, str] | None) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG", "LC_ALL") if name in os.environ}
        return {**kept, "HOME": str(self.home), **self.environ, **(more or {})}

    def settings(self, *changes: tuple[str, str]) -> None:
        """Change the settings file: each old text, which must be there, for its new one."""
        file = self.root / "config" / "syndicate.toml"
        text = file.read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        file.write_text(text, encoding="utf-8")

    def brief(self, name: str, date: datetime, text: str = "A body of our own.") -> Path:
        """Save a brief."""
        file = self.root / "content" / "briefs" / f"{name}.md"
        file.write_text(f"---\ntitle: About {name}\ndate: {date.isoformat()}\n---\n\n{text}\n", encoding="utf-8")
        return file

    @property
    def minute(self) -> datetime:
        """When the sample's newest brief is dated, and its quote, daily and weekly slots fall."""
        texts = (path.read_text(encoding="utf-8") for path in (self.root / "content" / "briefs").glob("*.md"))
        dates = (found[1] for text in texts if (found := re.search(r"^date\s*[:=]\s*(\S+T\S+)", text, re.MULTILINE)))
        return max(datetime.fromisoformat(date) for date in dates)

    # -- what it left behind --------------------------------------------------------------------

    def snapshot(self, *folders: str) -> dict[str, tuple[int, bytes]]:
        """Every public file and every parcel: time of change in ns, and bytes."""
        return {
            path.relative_to(self.root).as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
            for folder in folders or ("feeds", "var/outbox")
            for path in sorted((self.root / folder).rglob("*"))
            if path.is_file()
        }

    def rendered(self) -> dict[str, bytes]:
        """The bytes of every feed file that a run made."""
        return {path: data for path, (_, data) in self.snapshot("feeds").items() if FEED.search(path)}

    def mails(self) -> list[tuple[str, str]]:
        """(reader, kind of edition) of each mail in the outbox, sorted."""
        found = []
        for path in (self.root / "var" / "outbox" / "mail").rglob("*.eml"):
            mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            reader = str(mail["To"].addresses[0].username)
            found.append((reader, str(mail["Feedback-ID"]).partition(":")[0].partition("-")[2]))
        return sorted(found)

    def posts(self, channel: str) -> list[str]:
        """What each post in a channel's outbox leads to: ``briefs/SLUG`` or ``quotes/SLUG``, sorted."""
        paths = (self.root / "var" / "outbox" / channel).rglob("*.http")
        found = [set(LINK.findall(path.read_text(encoding="utf-8"))) for path in paths]
        assert all(len(items) == 1 for items in found), found
        return sorted(items.pop() for items in found)


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    said: str  # on standard error

    def line(self, *words: str) -> str:
        """The one line on standard error that holds every one of ``words``."""
        found = [line for line in self.said.splitlines() if all(word in line for word in words)]
        assert found, f"no line with {words} in:\n{self.said}"
        return found[0]


class Running:
    """A ``run`` that goes on."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Its process."""
        return self.process.pid

    def heard(self, pattern: str, seconds: float = TIMEOUT) -> str:
        """Wait for a line on standard error; its first group, or all of it."""
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up:
            for line in list(self.lines):
                if found := re.search(pattern, line):
                    return found[1] if found.groups() else line
            if self.process.poll() is not None and not self._reader.is_alive():
                break
            time.sleep(0.02)
        said = "".join(self.lines)
        msg = f"nothing like {pattern!r} in:\n{said}"
        raise AssertionError(msg)

    def terminate(self, seconds: float) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def end(self) -> None:
        """Gone, whatever it does."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(TIMEOUT)
        self._reader.join(TIMEOUT)
        assert self.process.stderr is not None
        self.process.stderr.close()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)


def sample(folder: Path) -> Publication:
    """``init --sample``, by the real command."""
    home = folder / "home"
    home.mkdir(parents=True)
    made = Publication(root=folder / "letter", home=home)
    ended = subprocess.run(
        [sys.executable, "-m", "syndicate", "init", str(made.root), "--sample"],
        env=made._environ(None),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return made


def copied(made: Publication, folder: Path) -> Publication:
    """The same publication before its first run, with a home of its own."""
    (folder / "home").mkdir(parents=True)
    shutil.copytree(made.root, folder / "letter")
    return Publication(root=folder / "letter", home=folder / "home")
