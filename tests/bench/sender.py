"""Sends what is due in a publication and tells how long it took: the program's own workers, in a process of their own.

python sender.py FOLDER TIME
"""

from __future__ import annotations

import io
import json
import logging
import sys
import time
from datetime import datetime
from pathlib import Path

from syndicate import log
from syndicate.app import open_app
from syndicate.runtime import Runtime


def main(folder: str, at: str) -> None:
    """Drain, and print the figures."""
    logging.disable(logging.WARNING)
    log.configure(stream=io.StringIO())
    with open_app(Path(folder), at=datetime.fromisoformat(at)) as app:
        runtime = Runtime(app)
        runtime.recover()
        wall, cpu = time.perf_counter(), time.process_time()
        runtime.drain()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        states = {str(state): n for state, n in runtime.counts.states.items()}
        assert app.books.recount() == []
    # The kernel's other figure, ru_maxrss, begins with what the parent had in hand.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    print(json.dumps({"wall": wall, "cpu": cpu, "states": states, "peak": peak}))


if __name__ == "__main__":
    main(*sys.argv[1:])
