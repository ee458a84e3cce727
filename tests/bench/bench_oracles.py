"""Our counting beside the networks' own libraries, where they are installed: no text may count less here than there.

``pip install twitter-text-parser atproto`` into an environment of its own, and run this with both on the path. Neither is needed
to run or to test the program: the first is quadratic, the second large.
"""

from __future__ import annotations

import os
import random

import pytest

from syndicate.model import Limits
from syndicate.render import counting

X = Limits(counting="x", text=280, url=23)
TEXTS = int(os.environ.get("TEXTS", "20000"))
PIECES = [
    *"ab 1.-_/?=&@#$:,;!'\"()[]{}~|*+%^<>\n", "http://", "https://", "example.org", "example.com", "t.co/abc", "co.uk", "é", "漢", "ü.de",
    "みんな", "www.", "py", ".com", "xn--", "xn--p1ai", "/path", "/(a)", "?q=1", "#frag", "@name", "#tag", "$AB", "…", "→", "—", "“", "”", "\u200d",
    "\ufe0f", "👨", "👩", "👍", "\U0001f3fd", "🇩🇪", "🇩", "1\ufe0f\u20e3", "©", "❤\ufe0f", "e\u0301", "مرحبا", "Привет", "привет.рф", ".рф", "\u202e",
    "\ufeff", "\u200b", "\u00a0", "＠", "．", "。", "👨\u200d👩", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "👩\u200d⚕️", "🇦🇧", "Å",
]  # fmt: skip


def test_no_text_counts_less_than_twitter_text_says() -> None:
    oracle = pytest.importorskip("twitter_text")
    chance, larger = random.Random(int(os.environ.get("SEED", "1"))), 0
    for _ in range(TEXTS):
        text = "".join(chance.choice(PIECES) for _ in range(chance.randint(1, 10)))
        theirs, ours = oracle.parse_tweet(text).weightedLength, counting.count(text, X)
        assert ours >= theirs, ascii(text)
        larger += ours > theirs
    print(f"\n{TEXTS} texts: none counts less than twitter-text says, {larger} count more")


def test_links_lie_where_atproto_would_put_them() -> None:
    builder = pytest.importorskip("atproto").client_utils.TextBuilder
    chance = random.Random(int(os.environ.get("SEED", "1")))
    for _ in range(TEXTS // 10):
        before, after = ("".join(chance.choice(PIECES) for _ in range(chance.randint(0, 8))) for _ in range(2))
        shown, link = "example.org/a…", "https://example.org/a"
        made = builder().text(before).link(shown, link).text(after)
        (theirs,) = made.build_facets()
        (ours,) = counting.facets_for(made.build_text(), [(len(before), len(before) + len(shown), link)])
        assert (ours.start, ours.end) == (theirs.index.byte_start, theirs.index.byte_end), ascii(before)
        assert counting.facet_fault(made.build_text(), [ours]) == ""
    print(f"\n{TEXTS // 10} texts: links lie where atproto puts them")
