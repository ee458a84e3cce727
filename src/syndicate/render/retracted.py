"""A frozen edition on the web after one of its briefs was withdrawn: its place says so, and none of its text stays. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from syndicate.model import Brief
    from syndicate.render.wording import Wording

_ROW: Final = re.compile(r"<(/?)tr\b", re.IGNORECASE)
_CELL: Final = re.compile(r'<tr\b[^>]*>\s*<td\b[^>]*class="cell\b[^>]*>', re.IGNORECASE)
_HEADING: Final = re.compile(r"(<h2\b[^>]*>)\s*(<a\b[^>]*>)", re.IGNORECASE)


def retracted(page: str, briefs: Iterable[Brief], wording: Wording) -> str | None:
    """``page`` with a notice in the place of each of ``briefs``; ``None`` where one of them cannot be found in it.

    A brief's place is the row of the card, with a cell of the class ``cell``, that holds the heading with its link.
    """
    for brief in briefs:
        changed = _without(page, brief, wording)
        if changed is None:
            return None
        page = changed
    return page


def _without(page: str, brief: Brief, wording: Wording) -> str | None:
    address = f'href="{escape(brief.link)}"'
    heading = next((found for found in _HEADING.finditer(page) if address in found[2]), None)
    place = _row(page, heading.start()) if heading else None
    if heading is None or place is None:
        return None
    title = escape(wording.say("Withdrawn: %(title)s") % {"title": brief.title})
    notice = (
        f"{place.opening}{heading[1]}{heading[2]}{title}</a></h2>"
        f'<p class="body txt" style="margin:0">{escape(wording.say("Please do not cite it."))}</p></td></tr>'
    )
    return page[: place.start] + notice + page[place.end :]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """One row of a table, as offsets into the page."""

    start: int
    end: int
    opening: str  # its tags up to what its first cell holds


def _row(page: str, within: int) -> _Place | None:
    """The innermost row around ``within`` whose cell is one of the card's."""
    opened: list[int] = []
    for mark in _ROW.finditer(page):
        if not mark[1]:
            opened.append(mark.start())
        elif opened:
            start = opened.pop()
            cell = _CELL.match(page, start) if start <= within < mark.start() else None
            if cell is not None:
                return _Place(start=start, end=page.index(">", mark.start()) + 1, opening=cell[0])
    return None
