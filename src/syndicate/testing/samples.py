"""Makers of sample items: invented people, invented places, our own harmless words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from syndicate.model import Author, Brief, Post, Quote, QuoteKind, Words

MOMENT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def make_brief(**over: Any) -> Brief:  # noqa: ANN401 - any field of a brief
    """A brief; every field can be given."""
    fields: dict[str, Any] = {
        "id": "tag:example.org,2015:brief/2qkhdvjr4mzp7xna",
        "slug": "the-harbour-papers",
        "link": "https://example.org/briefs/the-harbour-papers/",
        "title": "The harbour papers",
        "published": MOMENT,
        "updated": MOMENT,
        "authors": (Author(name="Ines Okafor", role="Senior Analyst"), Author(name="Tomas Brandt", role="Editor")),
        "summary": "Four years of minutes show how a sailing club became a recruiting ground. We read all of them.",
        "topics": ("Recruitment",),
        "lang": "en",
        "body": "The minutes begin in spring.\n\nThey end in a court room.\n",
        "path": "content/briefs/the-harbour-papers.md",
        "release": MOMENT,
    }
    return Brief(**(fields | over))


def make_quote(**over: Any) -> Quote:  # noqa: ANN401 - any field of a quote
    """A quotation of an invented speaker; every field can be given."""
    fields: dict[str, Any] = {
        "id": "tag:example.org,2015:quote/k5w3t7bq2mzd4xra",
        "slug": "k5w3t7bq2mzd4xra",
        "link": "https://example.org/quotes/k5w3t7bq2mzd4xra/",
        "kind": QuoteKind.WORDS,
        "title": "A club leader on who may moor",
        "words": Words("The jetty belongs to those whose grandfathers drove the piles, and to nobody else."),
        "context": "Said to new members, a month before two visitors were driven off.",
        "source": "Minutes of the Tolland Quay sailing club, page 41",
        "archive": "https://example.org/quotes/k5w3t7bq2mzd4xra/",
        "date": "2019-05-04",
        "lang": "en",
        "contains": "exclusion of outsiders",
        "speaker": "Aldo Fenwick",
        "role": "chair of an invented club",
        "role_source": "The club's register",
        "ideology": "localism",
        "path": "content/quotes/k5w3t7bq2mzd4xra.md",
        "release": MOMENT,
    }
    return Quote(**(fields | over))


def make_post(**over: Any) -> Post:  # noqa: ANN401 - any field of a post
    """A post that fits every network; every field can be given."""
    fields: dict[str, Any] = {
        "item": "tag:example.org,2015:brief/2qkhdvjr4mzp7xna",
        "text": "The harbour papers\n\nhttps://example.org/briefs/the-harbour-papers/?s=sample",
        "link": "https://example.org/briefs/the-harbour-papers/?s=sample",
        "lang": "en",
        "created": MOMENT,
    }
    return Post(**(fields | over))
