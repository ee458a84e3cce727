"""Starts the real command again and again: a process that has loaded everything forks for each start.

A start costs a tenth of a second this way, so that a kill more often meets work than imports. With ``exec`` in an order the
child becomes ``python -m syndicate`` itself. Orders are lines of JSON; it ends, and all that it started, with its input.

    python program.py [MUTANT]
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import pkgutil
import signal
import sys
from pathlib import Path
from typing import Any

import syndicate
from syndicate import cli

COMMANDS = ("syndicate.cli.run", "syndicate.cli.db", "syndicate.cli.correct", "syndicate.cli.withdraw")
HEAVY = (
    "alembic.command",
    "apscheduler.schedulers.background",
    "feedgen.feed",
    "premailer",
    "requests",
    "tweepy",
    "watchfiles",
)
ASIDE = ("syndicate.__main__", "syndicate.cli", "syndicate.testing", "syndicate.store.migrations")


def warm() -> None:
    """Load all that a run loads."""
    for found in pkgutil.walk_packages(syndicate.__path__, "syndicate."):
        if not found.name.startswith(ASIDE):
            importlib.import_module(found.name)
    for name in (*COMMANDS, *HEAVY):
        importlib.import_module(name)
    sys.modules["syndicate.channels.http"]._certificates()


def start(order: dict[str, Any]) -> int:
    """Fork; the child runs the command and never comes back."""
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        if order["exec"]:
            os.execve(sys.executable, [sys.executable, "-m", "syndicate", *order["arguments"]], order["environ"])
        os.environ.clear()
        os.environ.update(order["environ"])
        code = cli.main(order["arguments"])
        sys.stderr.flush()
    finally:
        os._exit(code)


def poll(pid: int) -> int | None:
    """How a child ended (negative: the signal); ``None`` while it runs."""
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def main(mutant: str = "") -> None:
    """Take orders until standard input ends."""
    warm()
    if mutant:
        sys.path.insert(0, str(Path(__file__).parent.parent))
        importlib.import_module("crash.mutants").MUTANTS[mutant].apply()
    children: set[int] = set()
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        if "arguments" in order:
            answer: int | None = start(order)
            children.add(answer)
        else:
            answer = poll(order["poll"])
            if answer is not None:
                children.remove(order["poll"])
        print(json.dumps(answer), flush=True)
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
