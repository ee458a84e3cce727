"""The posts that follow a brief's own one, where its author wrote some: each fitted for itself. Never of a quote (Q4). Pure."""

from __future__ import annotations

from datetime import datetime

from syndicate import links
from syndicate.errors import Fault, RenderError
from syndicate.model import Brief, Limits, Post
from syndicate.render import counting, excerpt, markup
from syndicate.render.post import beginning, facets, longest


def parts(brief: Brief, channel: str, network: str) -> tuple[str, ...]:
    """What follows on one channel, in order: written for it, for its network, or for all."""
    for name in (f"thread/{channel}", f"thread/{network}", "thread"):
        found: list[str] = []
        while (key := f"{name}/{len(found) + 2}") in brief.social:
            found.append(brief.social[key])
        if found:
            return tuple(found)
    return ()


def part_post(
    brief: Brief,
    number: int,
    *,
    channel: str,
    network: str,
    limits: Limits,
    lang: str,
    created: datetime,
    revision: int,
    answers: tuple[str, ...],
) -> Post:
    """The post ``number`` of a thread, 2 for the one after the brief's own, which answers those of ``answers``.

    Its link stands nowhere: it is what a lost answer would be looked for by, had the text none.

    Raises
    ------
    RenderError
        There is no such part any more, or not a word of it fits.
    """
    written = parts(brief, channel, network)
    own = markup.clean(written[number - 2]).replace("\ufeff", "").strip() if number - 2 < len(written) else ""
    kept = own
    if not counting.fits(own, limits):
        most = longest(len(own), lambda length: counting.fits(excerpt.shorten([own], length), limits))
        kept = excerpt.shorten([own], max(most, 0))
        kept = kept or beginning(own, lambda part: counting.fits(part, limits))
    if not kept:
        what = f"the thread has no post {number} that fits {channel}"
        raise RenderError(Fault(file=brief.path or brief.id, rule="fit", what=what, right="begin it with a short sentence"))
    return Post(
        item=brief.id,
        text=kept,
        link=links.marked(brief.link, f"{channel}.part{number}", revision),
        lang=brief.lang or lang,
        created=created,
        facets=facets(kept) if limits.counting == "bluesky" else (),
        answers=answers,
        count=counting.count(kept, limits),
        cut="" if kept == own else f"post {number} of the thread: {len(kept)} of {len(own)} characters kept",
    )
