"""An author's Markdown as safe HTML and as plain text. The one place where ``Html`` is made. Pure.

Markdown goes through markdown-it (raw HTML stays text) and then through nh3 with explicit tags, attributes
and schemes: two fences, either of which would do.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Final

import nh3

from syndicate.errors import Fault, RenderError
from syndicate.model import Brief
from syndicate.render.excerpt import shorten
from syndicate.render.markdown import parse, to_markup
from syndicate.render.plaintext import lay_out, running_text
from syndicate.render.uris import absolute, clean, one_line, to_uri

__all__ = ["Html", "absolute", "clean", "one_line", "sanitise", "summary", "to_html", "to_text", "to_uri"]

_TAGS: Final = frozenset(
    {
        "a",
        "abbr",
        "b",
        "blockquote",
        "br",
        "code",
        "dd",
        "div",
        "dl",
        "dt",
        "em",
        "figcaption",
        "figure",
        "h1",
        "h2",
        "h3",
        "h4",
    }
    | {
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "li",
        "ol",
        "p",
        "pre",
        "q",
        "s",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
    }
    | {"td", "th", "thead", "tr", "ul"}
)
_BEGINNING: Final = 20_000  # characters of a text that are read for its summary
_ATTRIBUTES: Final = {
    "*": {"lang", "dir"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start"},
    "td": {"align"},
    "th": {"align", "scope"},
}
# Their content is not text either.
_SWALLOWED: Final = frozenset(
    {"script", "style", "title", "noscript", "template", "iframe", "object", "textarea", "svg", "math"}
)


class Html(str):
    """HTML that is safe to embed: no script, style, class, id or relative link. Made in this file only."""

    __slots__ = ()

    def __html__(self) -> str:
        """Tell templates that it is escaped already."""
        return str(self)


@cache
def _cleaner(*, for_mail: bool) -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=set(_TAGS),
        clean_content_tags=set(_SWALLOWED),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        url_schemes={"https", "mailto"} if for_mail else {"http", "https", "mailto"},
        url_relative="deny",
        link_rel=None,
        strip_comments=True,
    )


def sanitise(html: str, *, for_mail: bool = False) -> Html:
    """``html`` with everything taken out that a feed, a page or a mail must not carry. Links must be absolute."""
    return Html(_cleaner(for_mail=for_mail).clean(clean(html)))


def to_html(markdown: str, *, base: str, for_mail: bool = False, top: int = 2) -> Html:
    """Safe HTML of ``markdown``; relative links are resolved against ``base``, headings begin at level ``top``.

    Raises
    ------
    RenderError
        It is nested more deeply than Python can follow.
    """
    try:
        markup = to_markup(parse(markdown, base=base, for_mail=for_mail, keep_http=not for_mail, top=top))
    except RecursionError as error:
        raise RenderError(Fault(file=base, rule="markup", what="this text is nested too deeply")) from error
    # Over loopback the publication's own address is http, in mail too (`parse` let no other through).
    return sanitise(markup, for_mail=for_mail and not base.startswith("http:"))


def to_text(markdown: str, *, base: str, width: int = 72) -> str:
    """Plain text of ``markdown`` for a mail's text part: wrapped at ``width``, links as ``text (URL)``.

    No line is ``-- `` (a signature's mark, RFC 3676 §4.3) and none begins with ``>`` (a reply's).
    """
    return lay_out(parse(markdown, base=base, for_mail=True), width)


def summary(brief: Brief, limit: int = 300) -> str:
    """The author's summary, or else the beginning of the text as far as ``limit`` characters allow.

    Either is cut at the end of a sentence. It never ends inside a quotation, its quotation marks are
    balanced, and no quotation stays without the clause that names its speaker (Q16). It may be empty.
    """
    own = one_line(brief.summary)
    if own:
        return own if len(own) <= limit else shorten([own], limit)
    return shorten(_running(brief.body[:_BEGINNING], brief.link), limit)


@lru_cache(maxsize=16)
def _running(beginning: str, base: str) -> tuple[str, ...]:
    """The paragraphs of a text's beginning: feed, mail and posts of one brief ask for them in a row."""
    return tuple(running_text(parse(beginning, base=base)))
