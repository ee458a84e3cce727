"""Named points at which a crash test lets the program die. A no-op unless ``SYNDICATE_FAIL_AT`` names the point at the start.

Nothing is cleaned up, flushed or said: it is what a power cut leaves behind.
"""

from __future__ import annotations

import os
import signal
from itertools import count
from typing import Final

WANTED: Final = "SYNDICATE_FAIL_AT"  # "smtp.after_dot", or "smtp.after_dot:3" for the third time

_point, _, _nth = os.environ.get(WANTED, "").partition(":")  # read once: a message passes eight of them
_passed = count(1)


def fail_at(point: str) -> None:
    """Die here by SIGKILL, where the environment names ``point``."""
    if point == _point and next(_passed) == int(_nth or 1):
        os.kill(os.getpid(), signal.SIGKILL)
