"""How long a text is by each network's own rule, and where its links lie."""

from __future__ import annotations

import time
import unicodedata
from itertools import pairwise

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from syndicate.model import Facet, Limits
from syndicate.render import counting

X = Limits(counting="x", text=280, url=23)
MASTODON = Limits(counting="mastodon", text=500, url=23, warning=True)
CODEPOINTS = Limits(counting="codepoints", text=500, url=23, warning=True)
BLUESKY = Limits(counting="bluesky", text=300, text_bytes=3000)

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
FLAG = "\U0001f1e9\U0001f1ea"


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("", 0),
        ("plain words", 11),
        ("…", 2),
        ("→✓€₽•", 10),
        ("— ’ “”", 6),
        ("مرحبا", 5),
        ("Привет", 6),
        ("漢字", 4),
        ("\u2066a\u2069", 5),
        ("e\u0301", 1),  # NFC first
        ("\U0001f637", 2),
        (FAMILY, 2),
        (FLAG, 2),
        ("1\ufe0f\u20e3", 2),
        ("\U0001f44d\U0001f3fd", 2),
        ("❤\ufe0f", 2),
        (FAMILY * 140, 280),
        ("https://example.org/a/very/long/path/that/goes/on", 23),
        ("see example.org.", 28),
        ("example.org/briefs?x=1", 23),
        ("example.org?x=1", 23 + 4),  # a bare domain has no query without a path
        ("a.co/(b)", 23),
        ("https://a.co/x_(y_(z)).", 24),
        ("http://example.notatld/", 23),  # its own length: the host is no known one
        ("render.py", 23),  # py is Paraguay's
        ("end.Next", 23),  # next is a top-level domain
        ("end.Xyzzyq", 10),
        ("v1.2.3", 6),
        ("editor@example.org", 18),  # an address is no link
        ("#example.org", 12),
        ("foo_bar.com", 11),
        ("foo_bar.example.com", 4 + 23),  # X links the part after the underscore
        ("漢example.com", 2 + 23),
        ("漢.example.com", 3 + 23),
        ("twitter.みんな", 23),
        ("http://t.co/abcdef!", 24),
        ("\U0001f468\u200d\U0001f469", 5),  # joined, and yet no picture of its own
        ("\U0001f1e6\U0001f1e7", 4),  # no flag
        ("\u2642\U0001f3fd", 4),
        ("\U0001f9d1\U0001f3ff\u200d\U0001f91d\u200d\U0001f9d1\U0001f3fb", 2),
        ("\U0001f9d1\U0001f3fb\u200d\U0001f91d\u200d\U0001f9d1\U0001f3ff", 8),
        ("☎a.co\ufe0f", 2 + 23 + 2),  # nothing joins across a link
        ("Åt.co”", 25),
        ("#tagéco.uk", 5 + 23),
        ('$"t.co', 2 + 23),
        ("xn--p1ai.рф", 23),
        ("b#tag$AB＠éaexample.org", 34),  # a full-width @ stands before no link
        ("www.a.co^,.t.co/abc\u200dt.co/abc", 58),  # what a dot stands before is no link, and is passed over with its path
        ("_👍example.com漢—_t.co/abc。co.uk", 51),
        ("http://t.co/abc--漢漢ü.de", 23 + 2 + 2 + 2 + 23),
        ("a.co b.co", 47),
        ("http://127.0.0.1:8000/x", 23),  # not a link on X: its own 23 characters
        ("http://127.0.0.1:8000/xy", 24),
        ("https://" + "a" * 64 + ".com", 76),  # no resolver takes such a label
    ],
)
def test_x_counts_as_its_own_library_does(text: str, units: int) -> None:
    assert counting.count(text, X) == units


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("plain", 5),
        (FAMILY, 1),
        ("e\u0301", 1),
        ("क्षि", 1),
        ("https://example.org/a/very/long/path/that/goes/on", 23),
        ("https://a.co", 23),
        ("example.org", 11),
        ("@sample@social.example hello", 13),
        ("@sample hello", 13),
        ("https://example.org/?a=b&c=d.", 24),
        ("\r\n", 1),
    ],
)
def test_mastodon_counts_graphemes_with_short_links_and_local_names(text: str, units: int) -> None:
    assert counting.count(text, MASTODON) == units


def test_the_warning_counts_where_the_network_counts_it() -> None:
    assert counting.count("four", MASTODON, warning="https://example.org/long/address") == 4 + 32
    assert counting.count("four", CODEPOINTS, warning="warn") == 8
    assert counting.count("four", X, warning="warn") == 4
    assert not counting.fits("a" * 499, MASTODON, warning="ab")
    assert counting.fits("a" * 498, MASTODON, warning="ab")


def test_a_server_of_unknown_make_gets_the_larger_of_both_counts() -> None:
    assert counting.count("https://a.co", CODEPOINTS) == 23  # Mastodon's is larger
    assert counting.count(f"https://example.org/{'x' * 40}", CODEPOINTS) == 60  # GoToSocial's is
    assert counting.count(FAMILY, CODEPOINTS) == 7


def test_bluesky_counts_graphemes_and_bytes() -> None:
    assert counting.fits(FAMILY * 120, BLUESKY)
    assert not counting.fits(FAMILY * 121, BLUESKY)  # 3,025 bytes
    assert counting.fits("a" * 300, BLUESKY)
    assert not counting.fits("a" * 301, BLUESKY)


def test_no_limit_takes_everything() -> None:
    assert counting.fits("a" * 10_000, Limits())


ANY = st.text(
    st.sampled_from([*"ab 1.#*\r\n-", "é", "\u0301", "\u200d", "\ufe0f", "\U0001f468", "\U0001f1e9", "\U0001f3fd", "क", "्", "ष", "ि", "한", "ᄒ", "ᅡ", "ᆫ", "\u0600", "م", "漢", "©", "\u200b", "\u20e3"]),
    max_size=40,
)  # fmt: skip


@given(ANY)
def test_graphemes_are_those_of_unicode(text: str) -> None:
    assert counting.graphemes(text) == len(regex.findall(r"\X", text))


@given(st.text(max_size=60))
def test_graphemes_are_those_of_unicode_for_any_text(text: str) -> None:
    assert counting.graphemes(text) == len(regex.findall(r"\X", text))


def test_each_plain_character_is_a_grapheme_beside_any_other() -> None:
    plain = regex.findall(f"[{counting._PLAIN}]", "".join(map(chr, range(0x110000))))
    assert len(plain) > 40_000
    assert len(regex.findall(r"\X", "".join(plain))) == len(plain)
    assert len(regex.findall(r"\X", "".join(reversed(plain)))) == len(plain)


@given(ANY, ANY)
def test_more_text_never_counts_less_on_x_than_its_graphemes(text: str, more: str) -> None:
    assert counting.count(text + " " + more, X) >= counting.graphemes(unicodedata.normalize("NFC", text))


HOSTILE = {
    "prose": "The committee’s report, “nothing” of the kind. See example.org/x and mail a@b.com. ",
    "letters": "a",
    "dots": ".",
    "labels": "a.",
    "accented labels": "é.",
    "han": "漢",
    "hindi": "क्षि",
    "families": FAMILY,
    "flag letters": "\U0001f1e9",
    "joiners": "\u200d",
    "open brackets": "a.co/(",
    "schemes": "http://",
    "links": "http://a.co ",
    "queries": "a.co?",
    "names": "@a.",
    "combining": "e\u0301",
    "underscores": "_.",
    "exclamations": "http://a.co/!",
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("limits", [X, MASTODON, BLUESKY, CODEPOINTS], ids=lambda limits: limits.counting)
def test_counting_stays_linear(name: str, limits: Limits) -> None:
    # A quadratic rule would take 256 times as long for sixteen times the text.
    small = (HOSTILE[name] * 5_000)[:5_000]
    assert _seconds(small * 16, limits) < _seconds(small, limits) * 60 + 0.1


def _seconds(text: str, limits: Limits) -> float:
    """Of this process, so that a busy machine does not count."""
    start = time.process_time()
    counting.count(text, limits)
    return time.process_time() - start


@pytest.mark.parametrize("limits", [X, MASTODON, BLUESKY, CODEPOINTS], ids=lambda limits: limits.counting)
def test_what_is_not_looked_at_closely_counts_no_less(limits: Limits) -> None:
    for unit in ("a.co ", "http://a.co/x ", "@a@b.co ", "क्षि ", "a\u200d", FAMILY + ".a"):
        once = counting.count(unit, limits)
        assert counting.count(unit * 6000, limits) >= once * 6000 - 6000


def test_links_are_found_with_and_without_their_scheme() -> None:
    text = "At example.org/a, or https://www.example.org/b?c=d (see http://ü.example.net)."
    assert [text[start:end] for start, end in counting.urls(text)] == [
        "example.org/a",
        "https://www.example.org/b?c=d",
        "http://ü.example.net",
    ]
    assert len(counting.urls(text, bare=False)) == 2


@given(st.lists(st.sampled_from([*"ab .-_/?=&()@#:", "http://", "example.org", "é", "漢", "t.co/x"]), max_size=30).map("".join))
def test_links_never_overlap_and_lie_in_order(text: str) -> None:
    spans = counting.urls(text)
    assert all(start < end for start, end in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_facets_count_bytes() -> None:
    text = "Grüße 👋 example.org/…"
    facets = counting.facets_for(text, [(8, 21, "https://example.org/briefs/")])
    assert facets == (Facet(start=13, end=28, uri="https://example.org/briefs/"),)
    assert text.encode()[13:28].decode() == "example.org/…"
    assert counting.facet_fault(text, facets) == ""


@pytest.mark.parametrize(
    ("start", "end", "uri", "word"),
    [
        (0, 99, "https://example.org", "outside"),
        (4, 4, "https://example.org", "outside"),
        (-1, 4, "https://example.org", "outside"),
        (0, 3, "https://example.org", "cuts a character"),
        (0, 2, "javascript:alert(1)", "no web address"),
    ],
)
def test_a_facet_that_the_server_would_take_and_no_reader_could_use_is_found(start: int, end: int, uri: str, word: str) -> None:
    assert word in counting.facet_fault("Grüße", [Facet(start=start, end=end, uri=uri)])


def test_facets_that_overlap_are_found() -> None:
    facets = [Facet(start=0, end=3, uri="https://a.example"), Facet(start=2, end=4, uri="https://b.example")]
    assert "overlaps" in counting.facet_fault("abcd", facets)
