"""The fence around unit tests holds: a test that cannot fail is a defect."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.parametrize(
    "reach",
    [
        pytest.param(lambda: (HERE / "x.txt").write_text("x"), id="write"),
        pytest.param((HERE / "x").mkdir, id="mkdir"),
        pytest.param(lambda: (HERE / "x").replace(HERE / "y"), id="rename"),
        pytest.param(lambda: os.open(HERE / "x", os.O_CREAT | os.O_WRONLY), id="open"),
        pytest.param(lambda: socket.create_connection(("127.0.0.1", 9)), id="connect"),
        pytest.param(lambda: socket.getaddrinfo("example.org", 80), id="look up"),
        pytest.param(lambda: sqlite3.connect(HERE / "x.db"), id="database"),
        pytest.param(lambda: subprocess.run([sys.executable, "-V"], check=False), id="process"),
    ],
)
def test_a_unit_test_cannot_reach_disk_network_or_processes(reach: Callable[[], object]) -> None:
    with pytest.raises(pytest.fail.Exception, match="a unit test reached outside"):
        reach()


def test_reading_is_allowed() -> None:
    assert "fence" in Path(__file__).read_text(encoding="utf-8")
