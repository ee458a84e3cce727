"""The templates of subjects and preheaders: our own plain words, no tags, nothing that no header may hold. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from syndicate.errors import Fault, RenderError
from syndicate.render.frozen import unspeakable

if TYPE_CHECKING:
    from syndicate.render.templates import Templates

_SUBJECTS: Final = re.compile(r"email/(?:subject(?:\.[^/]+)?|[^/]+\.subject|preheader)\.txt\.j2")
_MARKUP: Final = re.compile(r"</?[A-Za-z][^>]*>?|<!--|&(?:#\d+|#[xX][0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]*);")
_BLANKS: Final = re.compile(r"[\t\r]")  # a subject becomes one line, whatever its template looks like


def faults(templates: Templates, names: Iterable[str] | None = None) -> Iterator[Fault]:
    """Every place where a subject template holds HTML or a control, bidi or invisible character, by file and line.

    ``names``: of these templates alone; else of every one that makes a subject or a preheader.
    """
    for name in [name for name in templates.names("email/") if _SUBJECTS.fullmatch(name)] if names is None else names:
        try:
            said = list(templates.literals(name))
        except RenderError as error:
            yield from error.faults
            continue
        for line, text in said:
            what = _wrong(text)
            if what:
                yield Fault(file=f"templates/{name}", line=line, rule="subject", what=what, right="write plain words")


def refuse(templates: Templates, names: Iterable[str]) -> None:
    """Nothing leaves under such a subject.

    Raises
    ------
    RenderError
        With every fault of these templates.
    """
    found = list(faults(templates, names))
    if found:
        raise RenderError(*found)


def first_line(templates: Templates, name: str) -> int:
    """The line on which a template begins to say something, for a fault that only its result shows."""
    return next((line for line, text in templates.literals(name) if text.strip()), 1)


def _wrong(text: str) -> str:
    found = unspeakable(_BLANKS.sub("", text))
    if found:
        return f"the subject of a mail cannot hold {found}"
    tag = _MARKUP.search(text)
    return f"the subject of a mail is plain text, and {tag[0][:20]} would be read as it stands" if tag else ""
