"""Invented quotations, a publication's style and its real templates, for the tests of the quote gate."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from syndicate.model import Limits, Quote, QuoteKind, Words
from syndicate.render.gate.house_style import Style
from syndicate.render.templates import Templates

ROOT = Path(__file__).parents[1]
NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
LABELS = {QuoteKind.WORDS: "In their own words", QuoteKind.ACTIONS: "Their actions", QuoteKind.POST: "Posted by an extremist"}
WORDS = (
    "Bring your letters to the table, and each of us will carry a part of them. Whatever you keep to yourself goes sour. "
    "I have read every page that came through this gate, and none of them asked how you are."
)
ARCHIVE = "https://archive.brackmere.example/q/0101"
LINK = "https://letter.brackmere.example/quotes/d5wq2mzr7xkvn4ta"
X = Limits(counting="x", text=280)
MASTODON = Limits(counting="mastodon", text=500, warning=True)
BLUESKY = Limits(counting="bluesky", text=300, cards=True)


def make_style(**over: Any) -> Style:
    """The style of an invented publication with one editor."""
    values: dict[str, Any] = {
        "title": "The daily dose",
        "tagline": "Extremists: their words, their actions.",
        "labels": LABELS,
        "archive_hosts": frozenset({"archive.brackmere.example"}),
        "public_url": "https://letter.brackmere.example",
        "language": "en",
        "approval": "solo",
    }
    return Style(**{**values, **over})


def make_quote(words: str = WORDS, **over: Any) -> Quote:
    """A quotation of an invented speaker with everything that the gate asks for."""
    values: dict[str, Any] = {
        "id": "tag:brackmere.example,2015:quote/d5wq2mzr7xkvn4ta",
        "slug": "d5wq2mzr7xkvn4ta",
        "link": LINK,
        "kind": QuoteKind.WORDS,
        "title": "An invitation to share the post",
        "words": Words(words),
        "context": "The founder of the Sealed Orchard wants new members to hand over their mail.",
        "source": "https://orchard-papers.example/tapes/7",
        "archive": ARCHIVE,
        "date": "Undated",
        "lang": "en",
        "contains": "pressure to cut contact with outsiders",
        "speaker": "Corvin Aldergrave",
        "role": "Founder, the Sealed Orchard",
    }
    sealed = {name: Words(over.pop(name)) for name in ("original", "short") if name in over}
    return Quote(**{**values, **sealed, **over})


def make_action(words: str, **over: Any) -> Quote:
    """An *actions* item."""
    about: dict[str, Any] = {
        "kind": QuoteKind.ACTIONS,
        "speaker": "",
        "role": "",
        "place": "Tolland Quay",
        "title": "A day without the ferry",
    }
    return make_quote(words, **{**about, "context": "Eleven people cut an island off from its hospital.", **over})


@cache
def sources() -> dict[str, str]:
    """The templates as they are in the repository."""
    folder = ROOT / "templates"
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in sorted(folder.rglob("*.j2"))}


@cache
def templates() -> Templates:
    """Ready to render."""
    return Templates(sources())


def broken(name: str, *changes: tuple[str, str]) -> Templates:
    """The templates with one of them changed: each change is a piece of it and what stands there instead."""
    text = sources()[name]
    for old, new in changes:
        assert old in text, f"{name} does not hold {old!r}"
        text = text.replace(old, new)
    return Templates({**sources(), name: text})
