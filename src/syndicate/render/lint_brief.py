"""What a brief says of itself in one line: nothing that no mail, feed or post can carry. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from syndicate.render.frozen import unspeakable

if TYPE_CHECKING:
    from syndicate.model import Brief

# Controls, and marks that turn the writing's direction. Joiners are letters of some names; a subject alone cannot hold them.
_TURNED: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


def uncarried(brief: Brief) -> Iterator[tuple[str, str]]:
    """What is wrong, and the character: first of its title, which becomes a mail's subject, then of its other lines."""
    if found := unspeakable(brief.title):
        yield f"the title becomes the subject of a mail, which cannot hold {found}", chr(int(found.removeprefix("U+"), 16))
    for name, text in _lines(brief):
        if turned := _TURNED.search(text):
            yield f"{name} holds U+{ord(turned[0]):04X}, which no mail, feed or post can carry", turned[0]


def _lines(brief: Brief) -> Iterator[tuple[str, str]]:
    for author in brief.authors:
        yield "an author's name", author.name
        yield "an author's role", author.role
    yield "the summary", brief.summary
    yield from (("a topic", topic) for topic in brief.topics)
    yield "the series", brief.series
    if brief.image:
        yield "image_alt", brief.image.alt
    yield from (("a correction", correction.text) for correction in brief.corrections)
    yield from (("a text for posts", text) for text in brief.social.values())
