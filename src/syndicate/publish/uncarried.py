"""Briefs that hold what no mail, feed or post can carry, each told by file and line before it is to leave. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from syndicate.errors import Fault, SourceError
from syndicate.render import lint_brief
from syndicate.sources import frontmatter

if TYPE_CHECKING:
    from syndicate.app import App

_AHEAD: Final = timedelta(days=366)  # of what will be published by itself


def faults(app: App, now: datetime) -> Iterator[Fault]:
    """Of everything that is out, and of what a date or an embargo still keeps back."""
    for brief in [*app.content.briefs(now=now), *app.content.released(now, now + _AHEAD)]:
        for what, character in lint_brief.uncarried(brief):
            line = _line(app, brief.path, character)
            yield Fault(file=brief.path, line=line, rule="front-matter", what=what, right="write it without")


def _line(app: App, path: str, character: str) -> int:
    """Where the front matter first holds ``character``, as itself or as an escape; 0 where the file has changed since."""
    try:
        text = (app.root / path).read_text(encoding="utf-8-sig")
        matter = frontmatter.parse(text, file=path)
    except (OSError, UnicodeDecodeError, SourceError):
        return 0
    return min(_holding(matter.fields, character), default=0) if matter else 0


def _holding(nodes: Mapping[str, frontmatter.Node], character: str) -> Iterator[int]:
    waiting = list(nodes.values())
    while waiting:
        node = waiting.pop()
        if isinstance(node.value, str):
            if character in node.value:
                yield node.line
        elif node.value is not None:
            waiting += node.value.values() if isinstance(node.value, dict) else node.value
