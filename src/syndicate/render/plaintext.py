"""Markdown's tokens laid out as plain text for a mail's text part, and as running text for excerpts. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from syndicate.render.markdown import Token, alt_text

_GAP = "   "  # between the columns of a table


def lay_out(tokens: Sequence[Token], width: int) -> str:
    """``tokens`` as lines of at most ``width`` characters; a longer word, such as an address, keeps its line."""
    lines = (line.rstrip() for line in _join(_blocks(tokens, width)))
    return "\n".join(f" {line}" if line.startswith(">") else line for line in lines)


def running_text(tokens: Sequence[Token]) -> list[str]:
    """The paragraphs that stand at the top level, each on one line, with no link's address and no footnote mark.

    It stops before a paragraph that announces what follows it with a colon, and before a block quotation:
    the speaker of such a quotation is named outside it.
    """
    found: list[str] = []
    depth = 0
    for index, token in enumerate(tokens):
        if depth == 0 and token.type == "blockquote_open":
            break
        if depth == 1 and token.type == "inline" and tokens[index - 1].type == "paragraph_open":
            text = " ".join(_running(token.children or []).split())
            if text.endswith(":"):
                break
            if text:
                found.append(text)
        depth += token.nesting
    return found


def _running(children: Sequence[Token]) -> str:
    parts: list[str] = []
    raised = 0
    for token in children:
        if token.type in {"sup_open", "sup_close"}:
            raised += token.nesting
        elif raised == 0:
            parts.append(" " if token.type in {"softbreak", "hardbreak"} else "" if token.type == "image" else token.content)
    return "".join(parts)


def _blocks(tokens: Sequence[Token], width: int) -> list[list[str]]:
    """One list of lines for each block at this level."""
    found: list[list[str]] = []
    for opening, inner in _level(tokens):
        lines = _block(opening, inner, max(width, 20))
        if lines:
            found.append(lines)
    return found


def _level(tokens: Sequence[Token]) -> Iterator[tuple[Token, Sequence[Token]]]:
    """Each token or pair of tokens at this level, with what stands inside it."""
    index = 0
    while index < len(tokens):
        end = index
        depth: int = tokens[index].nesting
        while depth > 0:
            end += 1
            depth += tokens[end].nesting
        yield tokens[index], tokens[index + 1 : end]
        index = end + 1


def _join(blocks: Sequence[Sequence[str]], *, tight: bool = False) -> list[str]:
    lines: list[str] = []
    for block in blocks:
        if lines and not tight:
            lines.append("")
        lines.extend(block)
    return lines


def _block(token: Token, inner: Sequence[Token], width: int) -> list[str]:
    match token.type:
        case "paragraph_open":
            return _wrap(_inline(inner[0]), width)
        case "inline":
            return _wrap(_inline(token), width)
        case "heading_open":
            lines = _wrap(_inline(inner[0]), width)
            return [*lines, "-" * max(map(len, lines), default=0)]
        case "bullet_list_open" | "ordered_list_open":
            return _list(token, inner, width)
        case "blockquote_open":
            return _indent(_join(_blocks(inner, width - 2)), "  ", "  ")
        case "fence" | "code_block":
            return _indent(token.content.rstrip("\n").split("\n"), "    ", "    ")
        case "table_open":
            return _table(inner, width)
        case "hr":
            return ["* * *"]
    return _join(_blocks(inner, width))


def _indent(lines: Sequence[str], first: str, rest: str) -> list[str]:
    return [f"{rest if index else first}{line}" for index, line in enumerate(lines)]


def _list(token: Token, inner: Sequence[Token], width: int) -> list[str]:
    items = [content for opening, content in _level(inner) if opening.type == "list_item_open"]
    number = int(token.attrs.get("start", 1)) if token.type == "ordered_list_open" else None
    tight = any(part.type == "paragraph_open" and part.hidden for item in items for part in item)
    blocks = []
    for offset, item in enumerate(items):
        mark = "- " if number is None else f"{number + offset}. "
        blocks.append(_indent(_join(_blocks(item, width - len(mark)), tight=tight) or [""], mark, " " * len(mark)))
    return _join(blocks, tight=tight)


def _inline(token: Token) -> str:
    """One block's text, with line breaks only where the author set them."""
    parts: list[str] = []
    links: list[tuple[str, int]] = []
    for child in token.children or []:
        match child.type:
            case "softbreak":
                parts.append(" ")
            case "hardbreak":
                parts.append("\n")
            case "image":
                parts.append(f"[Image: {alt_text(child)}]" if alt_text(child).strip() else "")
            case "s_open" | "s_close":
                parts.append("~~")
            case "link_open":
                links.append((str(child.attrs["href"]), len(parts)))
            case "link_close":
                href, start = links.pop()
                text = "".join(parts[start:]).strip()
                if href.removeprefix("mailto:") != text:
                    parts.append(f" ({href})" if text else href)
            case _:
                parts.append(child.content)
    return "".join(parts)


def _wrap(text: str, width: int) -> list[str]:
    lines: list[str] = []
    for line in text.split("\n"):
        lines.extend(textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False))
    return lines


def _table(tokens: Sequence[Token], width: int) -> list[str]:
    """Aligned columns where they fit, and otherwise one ``Column: value`` line for each cell."""
    rows = [[_cell(*cell) for cell in _level(row)] for _, part in _level(tokens) for _, row in _level(part)]
    head, body = rows[0], rows[1:]
    widths = [max(len(row[column][0]) for row in rows) for column in range(len(head))]
    if sum(widths) + len(_GAP) * (len(widths) - 1) > width:
        return _join([[line for cell in zip_longest(head, row) for line in _labelled(cell, width)] for row in body])
    lines = [
        _GAP.join(text.rjust(size) if right else text.ljust(size) for (text, right), size in zip(row, widths, strict=True))
        for row in rows
    ]
    return [lines[0], _GAP.join("-" * size for size in widths), *lines[1:]]


def _cell(opening: Token, content: Sequence[Token]) -> tuple[str, bool]:
    """A cell's text, and whether it is set to the right."""
    text = " ".join(_inline(content[0]).split()) if content else ""
    return text, opening.attrs.get("align") == "right"


def _labelled(cell: Sequence[tuple[str, bool]], width: int) -> list[str]:
    (name, _), (text, _) = cell
    return _indent(_wrap(f"{name}: {text}" if name else text, width - 2), "", "  ")
