"""markdown-it's door: an author's Markdown becomes tokens that HTML and plain text are both made from.

Links are absolute or gone, headings leave no gaps, footnotes are plain list items. Nothing is rendered here
but the token stream itself, and the author's words are never altered (no smart quotes, no link guessing).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Final
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin

from syndicate.render.uris import absolute, clean, without_bidi

__all__ = ["Token", "alt_text", "parse", "to_markup"]

_JOINER: Final = "\u2060"  # invisible, and no place to break a line
_TOKEN_LOOK: Final = re.compile(r"@(?=@[\w.-]+@@)|\{(?=[{%])|(?<=[}%])\}")
_DEEPEST: Final = 6
_LONGEST_LINK: Final = 4_096  # characters: a reference is written once and used often, so its length counts many times


@cache
def _parser() -> MarkdownIt:
    """CommonMark with tables, strikethrough and footnotes; raw HTML stays text."""
    parser = MarkdownIt("commonmark", {"html": False, "typographer": False, "linkify": False})
    parser.enable(["table", "strikethrough"]).use(footnote_plugin)
    # Every link is judged once, in `absolute`; refusing it here would print the author's brackets instead.
    parser.validateLink = lambda url: True  # type: ignore[method-assign]  # noqa: ARG005 - its signature
    parser.normalizeLink = lambda url: url  # type: ignore[method-assign]
    parser.normalizeLinkText = lambda link: link  # type: ignore[method-assign]
    return parser


def parse(markdown: str, *, base: str, for_mail: bool = False, keep_http: bool = True, top: int = 2) -> list[Token]:
    """The tokens of ``markdown``, links resolved against ``base``, its highest heading at level ``top``.

    For mail, text that looks like a template's or a splicing token is broken by an invisible joiner. Without
    ``keep_http``, only https and mailto links stay, and those to the host of ``base``.
    """
    text = clean(markdown)
    tokens = list(_without_footnote_tokens(_parser().parse(without_bidi(text) if for_mail else text)))
    _close_heading_gaps(tokens, top)
    for token in tokens:
        _dress_table_cell(token)
        if token.children is not None:
            token.children = list(_inline(token.children, base=base, for_mail=for_mail, keep_http=keep_http))
        elif for_mail:
            token.content = _disarmed(token.content)
    return tokens


def to_markup(tokens: Sequence[Token]) -> str:
    """The HTML of ``tokens``, not yet sanitised."""
    parser = _parser()
    return str(parser.renderer.render(tokens, parser.options, {}))


def alt_text(image: Token) -> str:
    """The words that stand for a picture."""
    return "".join(
        " " if child.type in {"softbreak", "hardbreak"} else alt_text(child) if child.type == "image" else child.content
        for child in image.children or []
    )


def _disarmed(text: str) -> str:
    return _TOKEN_LOOK.sub(lambda match: f"{match[0]}{_JOINER}" if match[0] != "}" else f"{_JOINER}}}", text)


def _close_heading_gaps(tokens: Sequence[Token], top: int) -> None:
    """Renumber headings: the highest becomes ``top``, and none is more than one below the one before it."""
    levels = sorted({token.tag for token in tokens if token.type == "heading_open"})
    last = top - 1
    for token in tokens:
        if token.type == "heading_open":
            last = min(top + levels.index(token.tag), last + 1, _DEEPEST)
            token.tag = f"h{last}"
        elif token.type == "heading_close":
            token.tag = f"h{last}"


def _dress_table_cell(token: Token) -> None:
    """Say in attributes what markdown-it says in a style: styles do not survive readers or premailer."""
    if token.type in {"th_open", "td_open"}:
        style = str(token.attrs.pop("style", ""))
        if style.startswith("text-align:"):
            token.attrs["align"] = style.removeprefix("text-align:")
        if token.type == "th_open":
            token.attrs["scope"] = "col"


def _without_footnote_tokens(tokens: Iterable[Token]) -> Iterator[Token]:
    """Footnotes as an ordered list after a rule: anchors need ids, and readers strip those."""
    names = {
        "footnote_block_open": ("ordered_list_open", "ol", 1),
        "footnote_block_close": ("ordered_list_close", "ol", -1),
        "footnote_open": ("list_item_open", "li", 1),
        "footnote_close": ("list_item_close", "li", -1),
    }
    for token in tokens:
        if token.type == "footnote_block_open":
            yield Token("hr", "hr", 0, block=True, markup="---")
        if token.type == "footnote_anchor":
            continue
        if token.type in names:
            kind, tag, nesting = names[token.type]
            yield Token(kind, tag, nesting, block=True)  # type: ignore[arg-type]
        else:
            yield token


def _inline(children: Iterable[Token], *, base: str, for_mail: bool, keep_http: bool) -> Iterator[Token]:
    """Resolve links and pictures; a link that may not be followed leaves its text, a picture its words."""
    kept: list[bool] = []
    for token in children:
        if token.type == "link_open":
            href = _target(str(token.attrs.get("href", "")), base, for_mail=for_mail, keep_http=keep_http)
            kept.append(bool(href))
            token.attrs = {"href": href}
            if href:
                yield token
        elif token.type == "link_close":
            if kept.pop():
                yield token
        elif token.type == "image":
            yield _picture(token, _target(str(token.attrs.get("src", "")), base, for_mail=for_mail, keep_http=keep_http))
        elif token.type == "footnote_ref":
            yield Token("sup_open", "sup", 1)
            yield Token("text", "", 0, content=f"[{int(token.meta['id']) + 1}]")
            yield Token("sup_close", "sup", -1)
        else:
            if for_mail:
                token.content = _disarmed(token.content)
            yield token


def _picture(token: Token, src: str) -> Token:
    if not src or src.startswith("mailto:"):
        return Token("text", "", 0, content=alt_text(token))
    token.attrs = {"src": src, "alt": ""}  # markdown-it's renderer fills `alt` from the children
    return token


def _target(href: str, base: str, *, for_mail: bool, keep_http: bool) -> str:
    """Where a link leads; ``""`` where it may not be followed."""
    url = absolute(href, base) if len(href) <= _LONGEST_LINK else ""
    if for_mail and (urlsplit(url).hostname or "").endswith(".invalid"):
        return ""  # a mail's splicing tokens are hosts below .invalid: an author's link must never look like one
    if url.startswith("http:") and not keep_http and urlsplit(url).netloc != urlsplit(base).netloc:
        return ""
    return url
