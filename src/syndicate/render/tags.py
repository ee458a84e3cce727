"""Signs that a network turns into links by itself: our own hashtags, and names in our texts that nobody meant to call. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Final

from syndicate.render import counting

_LONGEST: Final = 64  # graphemes; Bluesky's schema takes no more, the others do
# What stands between a sign and its word so that no network links the two: X counts it once, Mastodon as one character.
APART: Final = "\u200b"
_WORD: Final = re.compile(r"[^\W_]+")
_SIGNS: Final[Mapping[str, str]] = {"x": "@＠#＃$", "mastodon": "@＠#＃", "codepoints": "@＠#＃"}  # by the rule of counting


def unlinked(text: str, counting_rule: str) -> str:
    """``text`` in which no name is called, no tag set and no stock symbol linked on a network of this rule; links stay.

    Bluesky links nothing by itself (``app.bsky.richtext.facet``).
    """
    signs = _SIGNS.get(counting_rule, "")
    if not signs or not any(sign in text for sign in signs):
        return text
    sign = re.compile(rf"(?<![0-9A-Za-z_])([{signs}])(?=\w)")
    spans = counting.urls(text)
    borders = [0, *(border for span in spans for border in span), len(text)]
    parts = [text[start:end] for start, end in pairwise(borders)]  # the odd ones are links
    return "".join(part if number % 2 else sign.sub(rf"\1{APART}", part) for number, part in enumerate(parts))


def hashtags(topics: Iterable[str], names: Mapping[str, str], most: int) -> tuple[str, ...]:
    """At most ``most`` hashtags, each with its sign, in the order of ``topics``; ``names`` gives a topic a tag of its own.

    A topic whose name in ``names`` is empty gets none.
    """
    made = (f"#{tag}" for topic in topics if (tag := _tag(names.get(topic, topic))))
    return tuple({tag.casefold(): tag for tag in made}.values())[:most]


def _tag(topic: str) -> str:
    """``Far-right networks`` as ``FarRightNetworks``: screen readers then read the words apart; "" where no letter is left."""
    words = _WORD.findall(unicodedata.normalize("NFC", topic.replace("&", " and ").replace("’", "").replace("'", "")))
    tag = "".join(word[:1].upper() + word[1:] for word in words)
    short = counting.graphemes(tag) <= _LONGEST
    return tag if short and any(sign.isalpha() for sign in tag) else ""
