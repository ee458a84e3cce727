"""``run`` as a person meets it: the first run, the same run again, a day of slots, a process that serves and is told to stop."""

from __future__ import annotations

import json
import re
import resource
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from command import TIMEOUT, Publication, Running, copied, sample

MINUTE = timedelta(minutes=1)
NETWORKS = ("x", "mastodon", "bluesky")
FEEDS = ("briefs", "topics/closed-communities", "quotes")
# What a day of hourly cron lines would start, in one process: loading everything 24 times over shows nothing more.
DAY = """
import sys
from datetime import datetime, timedelta
from syndicate.cli import main
root, first = sys.argv[1], datetime.fromisoformat(sys.argv[2])
codes = [main(["-C", root, "run", "--once", "--at", (first + timedelta(hours=n)).isoformat()]) for n in range(24)]
sys.exit(max(codes))
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Publication:
    """The sample as ``init`` makes it. Copy it; leave it as it is."""
    return sample(tmp_path_factory.mktemp("sample"))


@pytest.fixture
def letter(made: Publication, tmp_path: Path) -> Publication:
    return copied(made, tmp_path)


@pytest.fixture(scope="module")
def serving(made: Publication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Publication, Running, str]]:
    """The sample, its running process and where it serves."""
    letter = copied(made, tmp_path_factory.mktemp("serving"))
    with letter.running("--port", "0") as running:
        url = running.heard(r"pages and feeds: (http://\S+)/")
        running.heard(r"next: ")
        yield letter, running, url


def open_locale() -> str:
    """A locale that writes numbers and dates in another way, where this machine has one."""
    found = subprocess.run(["locale", "-a"], capture_output=True, text=True, check=False).stdout.split()
    return next((name for name in found if re.match(r"(de|fr|ar|fa|tr)_", name)), "C.UTF-8")


# -- once -----------------------------------------------------------------------------------------


def test_the_first_run_sends_what_is_due_once_and_writes_the_feeds(letter: Publication) -> None:
    done = letter.run()
    assert (done.code, done.out) == (0, "")
    assert letter.mails() == [("daily", "daily"), ("instant", "instant"), ("instant", "quote"), ("weekly", "weekly")]
    shown = {item for name in NETWORKS for item in letter.posts(name)}
    assert sorted(item.partition("/")[0] for item in shown) == ["briefs", "quotes"]
    assert all(letter.posts(name) == sorted(shown) for name in NETWORKS)
    assert {f"feeds/{name}.{form}" for name in FEEDS for form in ("rss", "atom", "json")} <= set(letter.rendered())
    assert "Traceback" not in done.said


def test_the_same_moment_twice_changes_no_byte_no_time_and_sends_nothing(letter: Publication) -> None:
    at = letter.minute + MINUTE
    letter.run(at)
    before = letter.snapshot()
    again = letter.run(at)
    assert (again.code, letter.snapshot()) == (0, before)
    assert again.line("deliveries:") == "deliveries: none"


def test_a_rebuild_gives_the_same_bytes_on_any_day_in_any_zone_and_locale(letter: Publication) -> None:
    letter.run(letter.minute + MINUTE)
    before, sent = letter.rendered(), letter.snapshot("var/outbox")
    letter.command("hold", "quotes", "--reason", "the same set of quotations")
    places = (
        {"TZ": "Pacific/Kiritimati", "LC_ALL": open_locale(), "PYTHONHASHSEED": "1"},
        {"TZ": "America/St_Johns", "LC_ALL": "C", "LANG": "C", "PYTHONHASHSEED": "2"},
    )
    for days, environ in enumerate(places, 1):
        for path in before:
            (letter.root / path).unlink()
        letter.run(letter.minute + timedelta(days=days, hours=5), environ=environ)
        assert letter.rendered() == before
    assert letter.snapshot("var/outbox") == sent


def test_a_day_of_hourly_runs_sends_one_quote_and_one_digest(letter: Publication) -> None:
    first = (letter.minute + MINUTE).isoformat()
    ended = subprocess.run(
        [sys.executable, "-c", DAY, str(letter.root), first],
        env=letter._environ(None),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert letter.mails() == [("daily", "daily"), ("instant", "instant"), ("instant", "quote"), ("weekly", "weekly")]
    for name in NETWORKS:
        assert [item.partition("/")[0] for item in letter.posts(name)] == ["briefs", "quotes"]


# -- for good -------------------------------------------------------------------------------------


def fetched(url: str) -> tuple[int, str, bytes]:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return answer.status, answer.headers["Content-Type"], answer.read()


def test_pages_and_feeds_are_served(serving: tuple[Publication, Running, str]) -> None:
    letter, _, url = serving
    assert b"The Brackmere Letter" in fetched(f"{url}/")[2]
    for form, kind in (("rss", "application/rss+xml"), ("atom", "application/atom+xml"), ("json", "application/feed+json")):
        status, told, body = fetched(f"{url}/feeds/briefs.{form}")
        assert (status, told.partition(";")[0]) == (200, kind)
        assert body == (letter.root / "feeds" / f"briefs.{form}").read_bytes()
    assert fetched(f"{url}/healthz")[0] == 200
    with pytest.raises(urllib.error.HTTPError, match="404"):
        fetched(f"{url}/var/syndicate.db")


def test_a_second_run_refuses_at_once_and_names_the_first(serving: tuple[Publication, Running, str]) -> None:
    letter, running, _ = serving
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = used.ru_utime + used.ru_stime
    for arguments in (["--port", "0"], ["--once"]):
        done = letter.command("run", *arguments)
        assert done.code == 1
        assert f"process {running.pid}" in done.line("another `syndicate run`")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Processor time, for a busy machine is not the program's fault: what is left of a second is what Python takes to begin.
    assert used.ru_utime + used.ru_stime - begun < 2 * 2.0


def test_a_saved_file_reaches_the_feed_within_three_seconds(serving: tuple[Publication, Running, str]) -> None:
    letter, running, url = serving
    feed = letter.root / "feeds" / "briefs.json"
    letter.brief("just-saved", letter.minute + timedelta(seconds=1))
    give_up = time.monotonic() + 3
    while time.monotonic() < give_up and b"just-saved" not in feed.read_bytes():
        time.sleep(0.02)
    assert b"just-saved" in feed.read_bytes()
    assert any("just-saved" in item["url"] for item in json.loads(fetched(f"{url}/feeds/briefs.json")[2])["items"])
    running.heard(r"digest\.instant.*1 delivery")


def test_told_to_stop_it_leaves_within_seconds_and_nothing_half_done(letter: Publication) -> None:
    with letter.running("--port", "0") as running:
        url = running.heard(r"pages and feeds: (http://\S+)/")
        port = int(url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), 10) as kept:  # a reader's browser keeps its connection
            kept.sendall(b"GET /healthz HTTP/1.1\r\nHost: letter\r\n\r\n")
            assert kept.recv(12) == b"HTTP/1.1 200"
            running.heard(r"next: ")
            assert running.terminate(20) == 0
        running.heard(r"stopping")
    status = json.loads(letter.command("status", "--json").out)
    assert status["running"] is False
    assert {state for states in status["deliveries"].values() for state in states} <= {"sent", "pending"}
