"""A brief as a mail tells it: whole, by its summary or by its title alone, with the picture that a mail can show. Pure."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from html import unescape
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from syndicate.render import markup
from syndicate.render.excerpt import shorten
from syndicate.render.frozen import is_web_url
from syndicate.render.wording import direction

if TYPE_CHECKING:
    from syndicate.model import Brief
    from syndicate.render.email import EditionView

PICTURE_WIDTH: Final = 552  # px: the card of 600 less its padding; Word needs it as an attribute
_SHORT: Final = 120  # characters of a summary in an edition that would otherwise be cut off


class Form(StrEnum):
    """How much of a brief an edition tells, the most first."""

    FULL = "full"
    SUMMARY = "summary"
    SHORT = "short"  # the beginning of the summary
    TITLE = "title"


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A picture that a mail can show."""

    src: str
    alt: str
    width: int
    height: int  # 0 where unknown


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """A brief as a template tells it."""

    title: str
    short: str  # the title, short enough for a link
    link: str
    topic: str
    byline: str
    published: datetime
    lang: str
    dir: str
    form: Form
    summary: str  # "" where the title stands alone
    html: str  # the full text, sanitised; "" where the summary stands
    text: str
    picture: Picture | None


# -- how much of each ---------------------------------------------------------------------------


def ladder(briefs: int, *, full: bool) -> list[tuple[Form, ...]]:
    """The forms of an edition's briefs, from all that it would tell to the least: the later ones give way first.

    Their summaries are shortened, then from the last on titles stand alone; the lead brief is shortened last.
    """
    later = max(briefs - 1, 0)
    lead = Form.FULL if full else Form.SUMMARY
    rungs: list[tuple[Form, ...]] = [(lead, *[Form.SUMMARY] * later)] if briefs else [()]
    if briefs and full:
        rungs.append((Form.SUMMARY, *[Form.SUMMARY] * later))
    if later:
        rungs += [(Form.SUMMARY, *[Form.SHORT] * (later - titles), *[Form.TITLE] * titles) for titles in range(later + 1)]
    if briefs:
        rungs += [(form, *[Form.TITLE] * later) for form in (Form.SHORT, Form.TITLE)]
    return rungs


def fitting(rungs: Sequence[tuple[Form, ...]], size: Callable[[tuple[Form, ...]], int], most: int) -> tuple[Form, ...]:
    """The first of ``rungs`` whose size is within ``most``, else the last; few sizes are asked for."""
    if size(rungs[0]) <= most:
        return rungs[0]
    if size(rungs[-1]) > most:
        return rungs[-1]
    return rungs[bisect_left(rungs, x=True, key=lambda forms: size(forms) <= most)]


def cut(forms: Sequence[Form], *, full: bool) -> str:
    """What was left out, as a sentence for the editor; "" where nothing was."""
    later = forms[1:]
    parts = []
    if full and forms[:1] != (Form.FULL,):
        parts.append("the summary in the place of the full text")
    elif forms and forms[0] in {Form.SHORT, Form.TITLE}:
        parts.append("the lead brief " + ("by its title alone" if forms[0] is Form.TITLE else "with a shorter summary"))
    for form, how in ((Form.SHORT, "with shorter summaries"), (Form.TITLE, "by title alone")):
        if count := sum(one is form for one in later):
            parts.append(f"{count} of {len(forms)} briefs {how}")
    return ", ".join(parts)


# -- one brief ----------------------------------------------------------------------------------


def told(brief: Brief, view: EditionView, form: Form, say: Callable[[str], str]) -> Told:
    """One brief in one form; ``say`` gives the punctuation of its edition's language."""
    lang = brief.lang or view.lang
    html = ""
    if form is Form.FULL:
        html = _dressed(markup.to_html(brief.body, base=brief.link, for_mail=True, top=3), _hosts(view), direction(lang))
    return Told(
        title=brief.title,
        short=_short(brief.title),
        link=brief.link,
        topic=brief.topics[0] if brief.topics else brief.series,
        byline=say("; ").join(say(", ").join(part for part in (author.name, author.role) if part) for author in brief.authors),
        published=brief.published,
        lang=lang,
        dir=direction(lang),
        form=form,
        summary=_summary(brief, form),
        html=html,
        text=markup.to_text(brief.body, base=brief.link) if form is Form.FULL else "",
        picture=_picture(brief, view),
    )


def _summary(brief: Brief, form: Form) -> str:
    """What stands under the title, never with a quotation torn from its speaker (Q16)."""
    if form is Form.TITLE:
        return ""
    whole = markup.summary(brief)
    return shorten([whole], _SHORT) if form is Form.SHORT and len(whole) > _SHORT else whole


def _hosts(view: EditionView) -> frozenset[str]:
    """From where a mail's pictures may come: a third party's host would count readers."""
    return frozenset(urlsplit(url).netloc for url in (view.public_url, view.site.url) if url)


def _picture(brief: Brief, view: EditionView) -> Picture | None:
    """The brief's image where a mail can show it: from a host of ours, and no SVG (unsupported in most clients)."""
    if brief.image is None:
        return None
    src = markup.absolute(brief.image.src, f"{view.public_url}/")
    if not is_web_url(src) or urlsplit(src).netloc not in _hosts(view) or src.lower().endswith(".svg"):
        return None
    width = min(brief.image.width or PICTURE_WIDTH, PICTURE_WIDTH)
    height = round(brief.image.height * width / brief.image.width) if brief.image.width else 0
    return Picture(src=src, alt=brief.image.alt, width=width, height=height)


def _ours(html: str, hosts: frozenset[str]) -> str:
    """The HTML with the words of a picture in the place of one from elsewhere; the brief's page shows it."""

    def shown(tag: re.Match[str]) -> str:
        given = dict(re.findall(r'(src|alt)="([^"]*)"', tag[0]))
        if urlsplit(unescape(given.get("src", ""))).netloc in hosts:
            return tag[0]
        return f"[{given['alt']}]" if given.get("alt") else ""

    return re.sub(r"<img [^>]*>", shown, html)


def _dressed(html: markup.Html, hosts: frozenset[str], runs: str) -> str:
    """The attributes that Word needs beside the styles: a picture's width, and the side of a column's head."""
    side = "right" if runs == "rtl" else "left"
    html_with_widths = re.sub(r"<img (?![^>]*\bwidth=)", f'<img width="{PICTURE_WIDTH}" ', _ours(html, hosts))
    return re.sub(r"<th(?=[\s>])(?![^>]*\balign=)", f'<th align="{side}"', html_with_widths)


def _short(title: str, most: int = 60) -> str:
    """A title for a link's text: whole, or up to its colon, or whole words and an ellipsis."""
    if len(title) <= most:
        return title
    head = title.partition(":")[0].strip()
    if head != title and len(head) <= most:
        return head
    return title[:most].rpartition(" ")[0].rstrip(" ,;:–—-") + "…" if " " in title[:most] else title[: most - 1] + "…"
