"""One item becomes one post, fitted to its channel's limits: the link stays, the summary gives way first. Pure.

A quote's text comes from the gate (``framing.fit``) as it is; nothing here adds to it or cuts it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from syndicate import links
from syndicate.errors import Fault, RenderError
from syndicate.model import Brief, Card, Facet, Limits, Picture, Post
from syndicate.render import counting, excerpt, framing, markup, tags
from syndicate.render.templates import Rendering
from syndicate.settings import SiteSettings

_LONGEST_SUMMARY: Final = 4000  # characters: no network of ours takes more, and a whole body is no summary
_LONGEST_CARD: Final = 300  # characters of a card's description
_VISIBLE_LINK: Final = 40  # graphemes of a link's visible text where the network lets it differ from its address
_ELLIPSIS: Final = "…"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Parts:
    """What a post of a brief says, before it is fitted."""

    title: str
    authors: str
    summary: str
    warning: str = ""  # where the network has no field for it
    hashtags: tuple[str, ...] = ()
    cut: str = ""  # what was left out, in words


def brief_post(
    brief: Brief,
    *,
    channel: str,
    network: str,
    limits: Limits,
    templates: Rendering,
    site: SiteSettings,
    created: datetime,
    revision: int = 0,
    hashtags: Sequence[str] = (),
    picture: Picture | None = None,
) -> Post:
    """``brief`` fitted to ``channel``; the front matter's own text for the channel or network wins over the template.

    ``hashtags``, each with its sign, stand in the template's text alone, and give way before anything else.

    Raises
    ------
    RenderError
        A template's fault, or not even a shortened title with its link fits.
    """
    link = links.marked(brief.link, channel, revision)
    shown = _visible_link(link) if limits.counting == "bluesky" else link
    told = markup.clean(brief.social.get("warning", "")).strip()
    warning, lead = (told, "") if limits.warning else ("", told)
    own = markup.clean(brief.social.get(channel) or brief.social.get(network) or "").replace("\ufeff", "").strip()

    def fits(text: str) -> bool:
        return counting.fits(text, limits, warning=warning)

    if own:
        text, cut = _fit_own(own, brief.link, shown, lead, fits)
    else:
        whole = _whole(brief, lead, hashtags, limits)
        text, cut = _fit_template(whole, _filling(templates, network, shown), fits)
    if not text:
        raise RenderError(_too_long(brief, channel, limits, own=bool(own)))
    return Post(
        item=brief.id,
        text=text,
        link=link,
        lang=brief.lang or site.language,
        created=created,
        warning=warning,
        facets=facets(text, link, shown, hashtags=() if own else hashtags) if limits.counting == "bluesky" else (),
        card=_card(brief, link, picture if limits.thumbs else None) if limits.cards else None,
        picture=None if limits.thumbs else picture,
        count=counting.count(text, limits, warning=warning),
        cut=cut,
    )


def _card(brief: Brief, link: str, thumb: Picture | None) -> Card:
    return Card(uri=link, title=brief.title, description=markup.summary(brief, _LONGEST_CARD), thumb=thumb)


def quote_post(
    admitted: framing.Admitted,
    *,
    channel: str,
    network: str,  # noqa: ARG001 - called as `brief_post` is; a quote reads the same on every network
    limits: Limits,
    templates: Rendering,
    site: SiteSettings,  # noqa: ARG001 - as above; a quote always tells its own language
    created: datetime,
    revision: int = 0,
) -> Post:
    """A quote as the gate frames it, on the highest rung that fits (Q3).

    Raises
    ------
    Held
        Not even the link card fits, or a template breaks a rule.
    """
    framed = framed_post(admitted, channel=channel, limits=limits, templates=templates, revision=revision)
    return Post(
        item=framed.quote_id,
        text=framed.text,
        link=framed.link,
        lang=framed.lang,
        created=created,
        warning=framed.warning,
        labels=framed.labels,
        facets=facets(framed.text, quoted=framed.quoted) if limits.counting == "bluesky" else (),
        card=Card(uri=framed.link, title=framed.title, description=framed.description) if limits.cards else None,
        count=counting.count(framed.text, limits, warning=framed.warning),
        rung=framed.rung,
        cut=framed.cut,
    )


def framed_post(
    admitted: framing.Admitted, *, channel: str, limits: Limits, templates: Rendering, revision: int = 0
) -> framing.FramedPost:
    """A quote's text for one channel: what is posted, and what its approver sees.

    Raises
    ------
    Held
        As ``quote_post``.
    """
    return framing.fit(
        admitted,
        fits=lambda text: counting.fits(text, limits, warning=admitted.warning if limits.warning else ""),
        templates=templates,
        channel_link=links.marked(admitted.quote.link, channel, revision),
        limits=limits,
    )


# -- fitting -------------------------------------------------------------------------------------


def _filling(templates: Rendering, network: str, link: str) -> Callable[[_Parts], str]:
    """What fills the network's template, or the one for all."""
    named = f"posts/brief.{network}.txt.j2"
    name = named if named in templates else "posts/brief.txt.j2"

    def fill(parts: _Parts) -> str:
        values = {"title": parts.title, "authors": parts.authors, "summary": parts.summary, "warning": parts.warning}
        return _tidy(templates.render(name, **values, hashtags=" ".join(parts.hashtags), link=link, network=network))

    return fill


def _fit_template(whole: _Parts, fill: Callable[[_Parts], str], fits: Callable[[str], bool]) -> tuple[str, str]:
    """The fullest text of the template that fits, and what it leaves out; ``("", "")`` where none fits."""
    for most in range(len(whole.hashtags), -1, -1):
        if fits(text := fill(replace(whole, hashtags=whole.hashtags[:most]))):
            dropped = " ".join(whole.hashtags[most:])
            return text, f"hashtags: {dropped}" if dropped else ""
    left_out = "the hashtags; " if whole.hashtags else ""
    whole = replace(whole, hashtags=())
    for authors in dict.fromkeys((whole.authors, "")):
        parts = _with_summary(whole, authors, lambda parts: fits(fill(parts)))
        if parts is not None:
            return fill(parts), left_out + parts.cut
    text, cut = _fit_title(whole, fill, fits)
    return text, left_out + cut


def _with_summary(whole: _Parts, authors: str, fits: Callable[[_Parts], bool]) -> _Parts | None:
    """As much of the summary as fits beside ``authors``; ``None`` where there is no room for any."""

    def shortened(length: int) -> _Parts:
        summary = excerpt.shorten([whole.summary], length) if length else ""
        left_out = "" if authors == whole.authors else "the authors; "
        cut = f"{left_out}summary: {len(summary)} of {len(whole.summary)} characters kept"
        return replace(whole, authors=authors, summary=summary, cut=cut)

    best = longest(len(whole.summary), lambda length: fits(shortened(length)))
    if best < 0:
        return None
    parts = shortened(best)
    return parts if parts.summary or not authors or not whole.summary else None


def _fit_title(whole: _Parts, fill: Callable[[_Parts], str], fits: Callable[[str], bool]) -> tuple[str, str]:
    """The title alone, as much of it as fits."""

    def alone(title: str) -> str:
        return fill(replace(whole, title=title, authors="", summary=""))

    title = beginning(whole.title, lambda part: fits(alone(part)))
    if not title:
        return "", ""
    return alone(title), f"the authors and the summary; title: {len(title)} of {len(whole.title)} characters kept"


def _fit_own(own: str, plain: str, link: str, lead: str, fits: Callable[[str], bool]) -> tuple[str, str]:
    """The editor's own text with its link, cut at sentences and words where it must be."""
    ours = re.compile(re.escape(plain) + r"(?![\w/?&=#%-])")  # not the beginning of another address
    marked = ours.sub(lambda _: link, own)
    before = f"{lead}\n\n" if lead else ""
    text = before + (marked if link in marked else f"{own}\n\n{link}")
    if fits(text):
        return text, ""
    own = _tidy(ours.sub("", own))
    kept = longest(len(own), lambda length: fits(before + _with_link(excerpt.shorten([own], length), link)))
    body = excerpt.shorten([own], max(kept, 0))
    if not body:
        body = beginning(own, lambda part: fits(before + _with_link(part, link)))
    if not body:
        return "", ""
    return before + _with_link(body, link), f"your text: {len(body)} of {len(own)} characters kept"


def _with_link(text: str, link: str) -> str:
    return f"{text}\n\n{link}"


def _whole(brief: Brief, warning: str, hashtags: Sequence[str], limits: Limits) -> _Parts:
    """Everything, with no name called and no tag set that the editor did not ask for."""
    names = [author.name for author in brief.authors]
    title = markup.clean(brief.title).replace("\ufeff", "").strip()
    summary = markup.summary(brief, _LONGEST_SUMMARY).replace("\ufeff", "")
    return _Parts(
        title=tags.unlinked(title, limits.counting),
        authors=tags.unlinked(" and ".join(filter(None, (", ".join(names[:-1]), *names[-1:]))), limits.counting),
        summary=tags.unlinked(summary, limits.counting),
        warning=tags.unlinked(warning, limits.counting),
        hashtags=tuple(hashtags),
    )


def longest(limit: int, fits: Callable[[int], bool]) -> int:
    """The largest length up to ``limit`` that fits, by halving; -1 where not even 0 does."""
    low, high = -1, limit
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def beginning(text: str, fits: Callable[[str], bool]) -> str:
    """The longest beginning of ``text`` that fits with an ellipsis, found by halving; ``""`` where none does.

    It ends at a word, or at a character where the text has no spaces, and never inside a link, a grapheme or a quotation.
    """
    ends = _ends(text)

    def part(number: int) -> str:
        kept = text[: ends[number]].rstrip(" ,;:–—-(\n")
        return kept and kept + _ELLIPSIS

    best = longest(len(ends) - 1, lambda number: fits(part(number)))
    return part(best) if best >= 0 else ""


def _ends(text: str) -> list[int]:
    """Where ``text`` may end early, ascending."""
    spans = [] if any(map(str.isspace, text)) else list(counting.split_graphemes(text))
    ends = [start for start, _ in spans] or excerpt.break_points(text)[:-1]
    found, reach, whole = [], 0, sorted([*counting.urls(text), *excerpt.quotations(text)], reverse=True)
    for end in ends:
        while whole and whole[-1][0] < end:
            reach = max(reach, whole.pop()[1])
        if end >= reach:
            found.append(end)
    return found


def _tidy(text: str) -> str:
    """No space at a line's end, no second empty line, none at either end."""
    lines = "\n".join(line.rstrip() for line in markup.clean(text).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip()


def _too_long(brief: Brief, channel: str, limits: Limits, *, own: bool) -> Fault:
    what = f"not even the shortest text with its link fits {channel}, which takes {limits.text}"
    right = f"shorten `social.{channel}`" if own else "shorten the title, or give the brief a shorter link"
    return Fault(file=brief.path or brief.id, rule="fit", what=what, right=right)


# -- links in a text (Bluesky) -------------------------------------------------------------------


def _visible_link(link: str) -> str:
    """``example.org/briefs/the-first…``: host and path, as long as a reader needs."""
    parts = urlsplit(link)
    shown = parts.netloc.removeprefix("www.") + parts.path.rstrip("/")
    spans = list(counting.split_graphemes(shown))
    return shown if len(spans) <= _VISIBLE_LINK else shown[: spans[_VISIBLE_LINK - 1][0]] + _ELLIPSIS


def facets(
    text: str, link: str = "", shown: str = "", *, quoted: tuple[int, int] | None = None, hashtags: Sequence[str] = ()
) -> tuple[Facet, ...]:
    """A facet over the item's own link, shown short, over its hashtags, and over other web addresses outside quoted words."""
    spans: list[tuple[int, int, str]] = []
    at = text.rfind(shown) if shown else -1
    if at >= 0:
        spans.append((at, at + len(shown), link))
    spans += [(start, end, text[start:end]) for start, end in counting.urls(text, bare=False)]
    for tag in hashtags:
        found = re.search(rf"(?<!\w){re.escape(tag)}(?!\w)", text)
        spans += [(*found.span(), tag)] if found else []
    kept = sorted(span for span in spans if quoted is None or span[1] <= quoted[0] or span[0] >= quoted[1])
    apart = [span for span, before in zip(kept, [(0, 0, ""), *kept], strict=False) if span[0] >= before[1]]
    return counting.facets_for(text, apart)
