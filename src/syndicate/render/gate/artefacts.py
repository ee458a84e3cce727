"""What can be said of framed things without opening a word: a link in their place, their fingerprint, what stands outside.

The gate (``framing``) decides what any of it means.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from syndicate.render.gate.refusal import refuse
from syndicate.render.gate.visible import Source, look, tidy

if TYPE_CHECKING:
    from syndicate.render.framing import FramedBlock, FramedPost

PREVIEW: Final = 200  # visible characters from which mail clients build a preview (Q6)


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkOnly:
    """A quote behind a link: our own words, no quoted one."""

    quote_id: str
    title: str
    context: str
    contains: str
    label: str
    link: str


def fingerprint(framed: Iterable[FramedBlock | FramedPost]) -> str:
    """SHA-256 hex over the visible text, order and links of a quote's own blocks: what an approval binds to (Q11)."""
    digest = hashlib.sha256()
    for one in framed:
        for text in (one.form, one.visible, (one.form == "post" and one.warning) or "", *one.links):
            digest.update(hashlib.sha256(text.encode()).digest())
        digest.update(b"\0")
    return digest.hexdigest()


def outside(artefact: str, source: Source, blocks: Sequence[tuple[str, str]]) -> tuple[list[str], str]:
    """The pieces of an artefact that stand outside its blocks, hidden ones too, and its first visible characters.

    ``blocks`` are (slug of the quote, visible text of its block).

    Raises
    ------
    Held
        Q1: a block does not stand there whole.
    """
    seen = look(artefact, source)
    visible = tidy(seen.visible)
    pieces = [visible]
    for slug, block in blocks:
        pieces = _without(pieces, slug, block)
    return [*pieces, *seen.hidden], visible[:PREVIEW]


def _without(pieces: Sequence[str], slug: str, block: str) -> list[str]:
    for place, piece in enumerate(pieces):
        before, found, after = piece.partition(block)
        if found:
            return [*pieces[:place], before, after, *pieces[place + 1 :]]
    return refuse("Q1", f"the block of the quote {slug} is not intact")
