"""Reading what comes back takes time in proportion to its length, however hostile: twice the mail, about twice the time.

Each case is timed at one size and at four times that size, in turns, and the best of each is compared.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

import returned
from syndicate.returns.reading import read

TIMES, MOST = 4, 7.0  # four times the bytes may take seven times the time: room for a busy machine, none for a square
GONE = returned.status_part("failed", "5.1.1", "550 5.1.1 user unknown")
CASES: dict[str, Callable[[int], bytes]] = {
    "a bounce with a long mail": lambda n: returned.report(
        "It failed.", GONE, returned.original() + "All of the mail.\n" * (n * 20_000)
    ),
    "a long text before the status": lambda n: returned.report("All of it.\n" * (n * 30_000), GONE, returned.original()),
    "boundaries": lambda n: b"Content-Type: multipart/report; boundary=a\n\n" + b"--a\n" * (n * 50_000),
    "half boundaries": lambda n: (
        b"Content-Type: multipart/report; boundary=" + b"a" * 60 + b"\n\n" + (b"--" + b"a" * 59 + b"\n") * (n * 10_000)
    ),
    "nested parts": lambda n: "".join(
        f"Content-Type: multipart/mixed; boundary=b{k}\n\n--b{k}\n" for k in range(n * 3_000)
    ).encode(),
    "headers": lambda n: b"".join(b"X-%d: y\n" % k for k in range(n * 20_000)) + b"\nHello\n",
    "one header": lambda n: b"Subject: " + b"a " * (n * 300_000),
    "folded header": lambda n: b"Subject: a\n" + b" b\n" * (n * 100_000),
    "parameters": lambda n: b"Content-Type: multipart/report" + b'; a="\\\\' * (n * 30_000) + b"\n\nHello\n",
    "tags": lambda n: b"From: postmaster@a.example\nContent-Type: text/html\n\n" + b"<a" * (n * 300_000),
    "fields": lambda n: returned.report("", "Final-Recipient: rfc822; a@b.example\n\n" * (n * 8_000), returned.original()),
    "spaces": lambda n: b"From: postmaster@a.example\n\n" + b" \n\t" * (n * 200_000),
}


@pytest.mark.parametrize("name", CASES)
def test_four_times_the_mail_takes_about_four_times_the_time(name: str) -> None:
    small, large = CASES[name](1), CASES[name](TIMES)
    best = {small: float("inf"), large: float("inf")}
    for _ in range(5):
        for data in (small, large):
            begin = time.process_time()
            read(data, returned.KEYS)
            best[data] = min(best[data], time.process_time() - begin)
    ratio = best[large] / max(best[small], 0.0005)
    print(f"{name}: {len(large):,} bytes in {best[large] * 1000:.1f} ms, {ratio:.1f} times a quarter of it")
    assert ratio < MOST
