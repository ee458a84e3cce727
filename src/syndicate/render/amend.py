"""The words that follow a post that was wrong: what is right, and the link to the corrected item. Pure.

Of a quote nothing is said here but what the editor wrote, which the quote gate has looked at before (Q5).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from syndicate import links
from syndicate.errors import Fault, RenderError
from syndicate.model import Item, Limits, Post
from syndicate.render import counting, excerpt, markup

if TYPE_CHECKING:
    from syndicate.render.templates import Templates

_TEMPLATE: Final = "posts/correction.txt.j2"


def note(
    item: Item,
    text: str,
    *,
    channel: str,
    limits: Limits,
    templates: Templates,
    lang: str,
    created: datetime,
    revision: int,
) -> Post:
    """``text`` with the item's link for one channel and revision, cut at sentences where it must be.

    Raises
    ------
    RenderError
        A template's fault, or not even the link fits.
    """
    link = links.marked(item.link, channel, revision)
    own = markup.clean(text).replace("\ufeff", "").strip()

    def fill(words: str) -> str:
        return markup.clean(templates.render(_TEMPLATE, text=words, link=link, wording=templates.wording(lang))).strip()

    kept = own if counting.fits(fill(own), limits) else _shortened(own, lambda words: counting.fits(fill(words), limits))
    made = fill(kept)
    if not kept or not counting.fits(made, limits):
        what = f"not even the beginning of the correction fits {channel}, which takes {limits.text}"
        raise RenderError(Fault(file=item.path or item.id, rule="fit", what=what, right="begin it with a short sentence"))
    spans = [(start, end, made[start:end]) for start, end in counting.urls(made, bare=False)]
    return Post(
        item=item.id,
        text=made,
        link=link,
        lang=lang,
        created=created,
        facets=counting.facets_for(made, spans) if limits.counting == "bluesky" else (),
        count=counting.count(made, limits),
        cut="" if kept == own else f"correction: {len(kept)} of {len(own)} characters kept",
    )


def _shortened(own: str, fits: Callable[[str], bool]) -> str:
    """As many whole sentences as fit."""
    low, high = 0, len(own)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(excerpt.shorten([own], middle)) else (low, middle - 1)
    return excerpt.shorten([own], low)
