"""A named point kills the process as a power cut would, and nothing happens where nobody names it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

PASSES = """
from syndicate.failpoint import fail_at
for number in range(1, 4):
    fail_at("smtp.before_dot")
    fail_at("smtp.after_dot")
    print(number, flush=True)
"""


@pytest.mark.parametrize(
    ("wanted", "code", "said"),
    [
        ("", 0, "1 2 3"),
        ("smtp.elsewhere", 0, "1 2 3"),
        ("smtp.after_dot", -signal.SIGKILL, ""),
        ("smtp.after_dot:3", -signal.SIGKILL, "1 2"),
        ("smtp.after_dot:4", 0, "1 2 3"),
    ],
)
def test_only_the_named_pass_of_the_named_point_kills(wanted: str, code: int, said: str) -> None:
    environ = {**os.environ, "SYNDICATE_FAIL_AT": wanted}
    ended = subprocess.run([sys.executable, "-c", PASSES], env=environ, capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, " ".join(ended.stdout.split())) == (code, said)
