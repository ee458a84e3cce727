"""The pace of a channel, held over all its connections. No channel; any that has agreed on a rate may use it."""

from __future__ import annotations

import threading
import time


class Pace:
    """No more messages a second than agreed."""

    def __init__(self, pause: float) -> None:
        """``pause`` seconds between two messages; 0 for none."""
        self._pause = pause
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self) -> None:
        """Come back when the next message may leave."""
        if not self._pause:
            return
        with self._lock:
            moment = max(self._next, time.monotonic())
            self._next = moment + self._pause
        time.sleep(max(0.0, moment - time.monotonic()))
