"""premailer's door: the styles of a finished mail become ``style`` attributes. Knows no gap and no edition.

What premailer learned of a style sheet (cssutils' reading of it, the compiled selectors, each rule's declarations) is kept
for the next mail that has the same one: a rendering takes a third of the time.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import Any, Final

import cssutils
import premailer.cache

_MOST_SHEETS: Final = 16  # style sheets whose reading a process keeps; a publication has one for each direction of writing
_SHEETS: Final = re.compile(r"<style\b.*?</style>", re.DOTALL)
# The inliner writes grounds and sides as attributes too. Where white text stands on a dark ground, the attribute would
# outlive the styles in a program that drops them, and leave black on dark; a blockquote has no such attribute.
_SPARE: Final = (
    re.compile(r'(<(?:a|td) [^>]*\bclass="(?:band|btn)\b[^>]*?) bgcolor="[^"]*"'),
    re.compile(r'(<blockquote\b[^>]*?) align="[^"]*"'),
)
_alone: Final = threading.Lock()  # premailer and cssutils keep state for the whole process
_learned: Final[dict[tuple[str, ...], Mapping[Any, Any]]] = {}  # the style sheets of a mail -> premailer's cache of them


def inlined(html: str) -> str:
    """The mail with its styles in its tags, once per variant and never on its own output: premailer is not idempotent.

    What premailer and the libraries below it raise comes out as it is.
    """
    sheets = tuple(_SHEETS.findall(html))
    with _alone, premailer.cache.cache_access_lock:
        cssutils.log.setLevel(51)  # above CRITICAL: it writes to stderr about every vendor prefix
        cache = premailer.cache.cache
        cache.clear()
        cache.update(_learned.get(sheets, {}))
        done = str(
            premailer.Premailer(
                html,
                allow_network=False,
                allow_loading_external_files=False,
                keep_style_tags=False,
                strip_important=False,
                remove_classes=False,
                disable_validation=True,
                align_floating_images=False,
                disable_basic_attributes=["width", "height"],
                method="html",
                base_url=None,
            ).transform(pretty_print=False)
        )
        if sheets not in _learned and len(_learned) >= _MOST_SHEETS:
            _learned.clear()
        _learned[sheets] = {key: found for key, found in cache.items() if not _of_a_tag(key, found)}
    for spare in _SPARE:
        done = spare.sub(r"\1", done)
    return done


def _of_a_tag(key: tuple[object, ...], found: object) -> bool:
    """Whether this was read from a tag's own ``style``.

    premailer keeps it by its text alone, as it keeps selectors: after ``style="h1"`` in one mail, every rule for ``h1`` in
    a later one would be given the tag's declarations for its selector, and fail. So it never outlives its mail.
    """
    return len(key) == 1 and isinstance(found, list)
