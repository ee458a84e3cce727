"""How long a megabyte takes to count by each network's rule, beside one pass of a plain regular expression over it.

``python tests/bench/bench_counting.py`` prints milliseconds of processor time and the ratio, the best of three interleaved runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from time import process_time

from syndicate.model import Limits
from syndicate.render import counting

SIZE = 1_000_000  # bytes of UTF-8
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
TEXTS = {
    "prose": "The committee met in the old harbour building, and nobody wrote anything down. ",
    "prose, 2 links a line": "The committee’s report, “nothing” of the kind. See example.org/x and mail a@b.com. ",
    "German": "Die Prüfung der Akten läuft, „nichts“ dergleichen. ",
    "Hindi": "हिन्दी में लिखा ",
    "Han": "漢",
    "links": "http://a.co ",
    "domains": "a.co,",
    "open brackets": "a.co/(",
    "labels": "a.",
    "accented labels": "é.",
    "families": FAMILY,
    "flag letters": "\U0001f1e9",
    "keycaps": "1\ufe0f\u20e3",
    "joiners": "\u200d",
    "combining": "e\u0301",
    "remote names": "@a@b.c ",
}
RULES = {
    "x": Limits(counting="x", text=280, url=23),
    "mastodon": Limits(counting="mastodon", text=500, url=23, warning=True),
    "codepoints": Limits(counting="codepoints", text=500, url=23, warning=True),
    "bluesky": Limits(counting="bluesky", text=300, text_bytes=3000),
}
WORST_RATIO = 1.5  # of the plain pass over prose; a rule that grows with the square is at hundreds


def seconds(work: Callable[[], object]) -> float:
    start = process_time()
    work()
    return process_time() - start


def measure(unit: str) -> tuple[float, dict[str, float]]:
    """The plain pass and each rule, in seconds, interleaved."""
    text = unit * (SIZE // len(unit.encode()))
    plain, rules = 1e9, dict.fromkeys(RULES, 1e9)
    for _ in range(3):
        plain = min(plain, seconds(lambda: re.findall(r"\w+|\W", text)))
        for name, limits in RULES.items():
            rules[name] = min(rules[name], seconds(lambda limits=limits: counting.count(text, limits)))  # type: ignore[misc]
    return plain, rules


def test_a_megabyte_of_anything_counts_at_once() -> None:
    worst, prose = 0.0, measure(TEXTS["prose"])[0]
    print(f"\n{'1 MB of':24}{'plain pass':>12}" + "".join(f"{name:>14}" for name in RULES))
    for name, unit in TEXTS.items():
        plain, rules = measure(unit)
        worst = max(worst, max(rules.values()) / prose)
        print(f"{name:24}{plain * 1000:9.1f} ms" + "".join(f"{found * 1000:11.1f} ms" for found in rules.values()))
    print(f"the slowest takes {worst:.2f} of the plain pass over prose")
    assert worst < WORST_RATIO, worst


if __name__ == "__main__":
    test_a_megabyte_of_anything_counts_at_once()
