"""How long ``--help`` takes, against a bare interpreter that imports argparse: interleaved runs, medians."""

from __future__ import annotations

import subprocess
import sys
from statistics import median
from time import perf_counter

RUNS = 41
MOST = 2.5  # times the bare interpreter
BARE = [sys.executable, "-c", "import argparse"]
HELP = {
    "syndicate --help": [sys.executable, "-c", "from syndicate.cli import main; main(['--help'])"],
    "syndicate run --help": [sys.executable, "-c", "from syndicate.cli import main; main(['run', '--help'])"],
}


def seconds(command: list[str]) -> float:
    begin = perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    return perf_counter() - begin


def test_help_returns_within_two_and_a_half_times_a_bare_argparse() -> None:
    times: dict[str, list[float]] = {name: [] for name in ("bare", *HELP)}
    for _ in range(RUNS):
        times["bare"].append(seconds(BARE))
        for name, command in HELP.items():
            times[name].append(seconds(command))
    bare = median(times["bare"])
    for name in HELP:
        ratio = median(times[name]) / bare
        print(f"{name}: {median(times[name]) * 1000:.1f} ms, {ratio:.2f}x of {bare * 1000:.1f} ms")
        assert ratio <= MOST


if __name__ == "__main__":
    test_help_returns_within_two_and_a_half_times_a_bare_argparse()
