"""Unit tests run with sockets and disk writes blocked; hypothesis repeats itself and leaves nothing behind."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

UNIT = Path(__file__).parent / "unit"
WRITING_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
FORBIDDEN = {
    "os.chmod", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.system", "os.truncate",
    "os.utime", "shutil.copyfile", "shutil.move", "shutil.rmtree", "subprocess.Popen", "tempfile.mkdtemp", "tempfile.mkstemp",
    "socket.bind", "socket.connect", "socket.getaddrinfo", "socket.sendto", "sqlite3.connect",
}  # fmt: skip
# The interpreter's and hypothesis' own caches are not the product's doing.
CACHES = ("__pycache__", ".hypothesis")

settings.register_profile(
    "repeatable", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("repeatable")

_running_unit_test = False


def _writes(args: tuple[Any, ...]) -> bool:
    """Whether an ``open`` audit event would change a file on disk."""
    path, mode, flags = args
    if isinstance(path, int) or str(path) == os.devnull:
        return False
    return bool(set(mode or "") & set("wax+")) or (isinstance(flags, int) and bool(flags & WRITING_FLAGS))


def _forbidden(event: str, args: tuple[Any, ...]) -> bool:
    if event == "open":
        return _writes(args)
    if event == "sqlite3.connect":
        return args[0] != ":memory:"
    return event in FORBIDDEN


def _watch(event: str, args: tuple[Any, ...]) -> None:
    if not _running_unit_test or not _forbidden(event, args) or any(cache in str(args[:1]) for cache in CACHES):
        return
    # An outcome, not an OSError: the code under test must not be able to swallow it.
    pytest.fail(f"a unit test reached outside: {event} {args!r:.200}; what needs disk or network is an integration test")


sys.addaudithook(_watch)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Watch while the body of a unit test runs; fixtures may still prepare."""
    global _running_unit_test  # noqa: PLW0603 - an audit hook cannot be removed, only told
    _running_unit_test = item.path.is_relative_to(UNIT)
    try:
        return (yield)
    finally:
        _running_unit_test = False


@pytest.fixture(scope="session", autouse=True)
def _state_of_their_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What publications of the tests leave in the user's state folder is not the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield
