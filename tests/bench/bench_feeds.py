"""Feeds on many briefs: a saved brief, a scan, a cold build, memory, each beside its baseline in interleaved runs.

``BRIEFS=100000 make bench`` takes another number. Times are medians of wall clock, with processor time beside them:
on a busy machine the latter is the one to compare. Hugo is measured where it is installed.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha512
from pathlib import Path
from statistics import median, quantiles

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from publication import Publication
from syndicate.app import App, open_app
from syndicate.publish import feeds
from syndicate.publish.kept import Memory
from syndicate.publish.tick import tick
from syndicate.render.feed import Entry, brief_entry, render
from syndicate.schedule import Clock
from syndicate.sources import Found

BRIEFS = int(os.environ.get("BRIEFS", "10000"))
NOW = datetime(2030, 1, 1, tzinfo=UTC)
COLD = Path(__file__).with_name("cold.py")
WORDS = (
    "harbour",
    "ledger",
    "village",
    "letters",
    "count",
    "county",
    "orchard",
    "gate",
    "record",
    "archive",
    "quiet",
    "spring",
)
RSS = '<rss version="2.0"><channel><title>T</title><link>/</link><description>d</description>{{ range first 50 .Site.RegularPages }}<item><title>{{ .Title }}</title><guid>{{ .Permalink }}</guid><pubDate>{{ .Date }}</pubDate><description>{{ .Content | html }}</description></item>{{ end }}</channel></rss>'
HUGO = {
    "config.toml": 'baseURL = "https://x.example/"\ntitle = "T"\ndisableKinds = ["taxonomy", "term", "section", "sitemap", "404"]\n[outputs]\nhome = ["RSS"]\n',
    "layouts/_default/single.html": "<!doctype html><title>{{ .Title }}</title>{{ .Content }}",
    "layouts/_default/rss.xml": RSS,
}
FEED_ONLY = '[[cascade]]\n[cascade._target]\nkind = "page"\n[cascade._build]\nrender = "never"\n'
Times = tuple[float, float]  # milliseconds of wall clock and of the processor


def sentence(seed: object) -> str:
    return " ".join(WORDS[byte % len(WORDS)] for byte in sha512(str(seed).encode()).digest()).capitalize() + "."


def brief(number: int, version: int = 0) -> str:
    """A brief of some 5 KB: headings, links, emphasis, a table and a list."""
    at = datetime(2016, 1, 1, tzinfo=UTC) + timedelta(minutes=30) * number
    parts = [sentence((number, part, version)) for part in range(5)]
    parts += [
        f"## Part {part}\n\n{sentence((part, number))} See [the record](https://records.example/{number}/{part}), *as it is*."
        for part in range(3)
    ]
    parts += ["| Year | In | Out |\n|---|--:|--:|\n| 2019 | 61 | 58 |\n| 2020 | 50 | 31 |", "- one point\n- another\n- a third"]
    front = (
        f'title: "Brief {number}: {sentence(number)[:40]}"\ndate: {at.isoformat()}\nauthors:\n  - name: Ysolde Tarrant\n'
        f"    role: Analyst\n  - name: Imre Valdane\n    role: Head of Data\nsummary: >-\n  {sentence(('s', number))[:200]}\n"
        f"topics: [Topic {number % 7}, Early signs]\nlang: en\n"
    )
    return f"---\n{front}---\n\n" + "\n\n".join(parts) + "\n"


def place(root: Path, number: int) -> Path:
    return root / "content" / "briefs" / f"brief-{number:06}.md"


@contextmanager
def publication(count: int) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        root = Path(folder) / "publication"
        Publication(root=root)
        for number in range(count):
            place(root, number).write_text(brief(number))
        yield root


def timed(act: Callable[[], object]) -> Times:
    wall, processor = time.perf_counter(), time.process_time()
    act()
    return (time.perf_counter() - wall) * 1000, (time.process_time() - processor) * 1000


def middle(times: list[Times]) -> Times:
    return median(wall for wall, _ in times), median(processor for _, processor in times)


def show(name: str, ours: list[Times], baseline: list[Times], what: str) -> None:
    (wall, processor), (bare, bare_processor) = middle(ours), middle(baseline)
    print(
        f"{name}: {wall:.1f} ms, {wall / bare:.2f}x {what} ({bare:.1f} ms); "
        f"processor {processor:.1f} ms, {processor / bare_processor:.2f}x ({bare_processor:.1f} ms)"
    )


def look(folder: Path) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            entry.stat()


def children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(command: list[str], folder: Path) -> tuple[Times, str]:
    wall, processor = time.perf_counter(), children()
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return ((time.perf_counter() - wall) * 1000, (children() - processor) * 1000), done.stdout


def site(root: Path, name: str, more: str = "") -> Path:
    folder = root.parent / name
    for path, text in HUGO.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text + (more if path == "config.toml" else ""))
    shutil.copytree(root / "content" / "briefs", folder / "content" / "briefs")
    return folder


def saves(app: App, root: Path, memory: Memory, number: int, runs: int) -> tuple[list[Times], list[Times], list[Times]]:
    """A saved brief to its feed on disk; reading it and rendering its HTML; and that in all three formats.

    Each goes first every other time: whatever runs second finds the processor's caches warm.
    """
    path, source = place(root, number), app.sources[0]
    found = Found(path=path.relative_to(root).as_posix(), stamp="")
    about, known = next(iter(feeds.described(app))), app.content.brief(found.path, now=NOW)
    assert known is not None
    ours: list[Times] = []
    alone: list[Times] = []
    formats: list[Times] = []

    def read() -> Entry:
        draft = source.read(found)
        assert draft is not None
        return brief_entry(replace(known, body=draft.body), public_url="https://x.example")

    def baseline() -> None:
        entries: list[Entry] = []
        alone.append(timed(lambda: entries.append(read())))
        more = timed(lambda: render(replace(about, entries=tuple(entries))))
        formats.append((alone[-1][0] + more[0], alone[-1][1] + more[1]))

    def save() -> None:
        report = app.content.sync(app.sources, NOW, only=[str(path)])
        assert feeds.first(app, NOW, memory, report.changed).changed

    turns = [baseline, lambda: ours.append(timed(save))]
    for version in range(1, runs + 1):
        path.write_text(brief(number, version))
        time.sleep(0.025)  # past the moment in which the file's clock cannot tell two saves apart
        for turn in turns if version % 2 else reversed(turns):
            turn()
        feeds.publish(app, NOW, memory)
    return ours, alone, formats


def noticed(app: App, root: Path, memory: Memory, number: int, runs: int) -> list[float]:
    """Milliseconds from a save until the feed stands there, without the build itself."""
    spent, came = [0.0], threading.Event()
    first = feeds.first

    def turn(changed: Collection[str] | None) -> None:
        begin = time.perf_counter()

        def out(app: App, now: datetime, memory: Memory, changed: Sequence[str] | None = None) -> feeds.FeedsReport:
            report = first(app, now, memory, changed)
            if report.changed:
                spent[0] = (time.perf_counter() - begin) * 1000
                came.set()
            return report

        feeds.first = out
        tick(app, NOW, memory, changed=changed)

    clock, waits = Clock(turn, [root / "content" / "briefs", root / "content" / "quotes"]), []
    clock.start()
    time.sleep(2.5)
    for version in range(runs):
        came.clear()
        begin = time.perf_counter()
        place(root, number).write_text(brief(number, 1000 + version))
        if came.wait(20):
            waits.append((time.perf_counter() - begin) * 1000 - spent[0])
        time.sleep(0.5)
    clock.stop()
    feeds.first = first
    return waits


def measure(count: int, *, baseline_of_saves: list[Times] | None = None) -> list[Times]:
    with publication(count) as root, open_app(root, at=NOW, environ={}) as app:
        memory = Memory()
        began = timed(lambda: app.content.sync(app.sources, NOW)), timed(lambda: feeds.publish(app, NOW, memory))
        print(f"{count:,} briefs from nothing: read {began[0][0]:,.0f} ms, feeds with all archives {began[1][0]:,.0f} ms")
        app.content.sync(app.sources, NOW)
        scans, looks = [], []
        for _ in range(15):
            looks.append(timed(lambda: look(root / "content" / "briefs")))
            scans.append(timed(lambda: app.content.sync(app.sources, NOW)))
        show(f"{count:,} briefs, scan with nothing changed", scans, looks, "a bare stat of all")
        ours, alone, formats = saves(app, root, memory, count - 5, 21)
        show(f"{count:,} briefs, one saved to feeds on disk", ours, alone, "reading it and rendering its HTML")
        show(f"{count:,} briefs, one saved to feeds on disk", ours, formats, "reading and rendering it in three formats")
        waits = noticed(app, root, memory, count - 5, 20)
        print(
            f"{count:,} briefs, save to published above the build: median {median(waits):.0f} ms, p95 {quantiles(waits, n=20)[-1]:.0f} ms"
        )
        if baseline_of_saves:
            show(f"{count:,} briefs, one saved", ours, baseline_of_saves, "the same among fewer")
        print(f"{count:,} briefs, memory at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
        return ours


def test_a_saved_brief_costs_the_same_among_many() -> None:
    few = measure(max(BRIEFS // 10, 200))
    measure(BRIEFS, baseline_of_saves=few)


def test_a_cold_build_beside_hugos() -> None:
    with publication(BRIEFS) as root:
        hugo = shutil.which("hugo")
        pages, only = (site(root, "pages"), site(root, "feed", FEED_ONLY)) if hugo else (root, root)
        ours, whole, short, sizes = [], [], [], []
        for _ in range(3):
            times, told = run([sys.executable, str(COLD), str(root)], root)
            ours.append(times)
            sizes.append(json.loads(told)[2])
            if hugo:
                for folder, found in ((pages, whole), (only, short)):
                    shutil.rmtree(folder / "public", ignore_errors=True)
                    found.append(run([hugo, "--quiet"], folder)[0])
        name = f"{BRIEFS:,} briefs, cold build to the subscription documents"
        if hugo:
            show(name, ours, whole, "Hugo's build")
            show(name, ours, short, "Hugo's with no page but the feed")
        else:
            wall, processor = middle(ours)
            print(f"{name}: {wall:,.0f} ms, processor {processor:,.0f} ms; Hugo is not installed")
        print(f"{name}: memory at most {max(sizes):.0f} MB")


if __name__ == "__main__":
    test_a_saved_brief_costs_the_same_among_many()
    test_a_cold_build_beside_hugos()
