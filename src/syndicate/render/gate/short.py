"""The editor's short form of a quotation: whole sentences of it in its own order, every gap shown as […] (Q3)."""

from __future__ import annotations

import re
from typing import Final

from syndicate.render.gate.refusal import refuse

GAP: Final = "[…]"
_GAPS: Final = re.compile(r"\s*(?:\[\s?(?:…|\.\.\.)\s?\]|\((?:…|\.\.\.)\))\s*")
_SENTENCE_END: Final = re.compile(r"[.!?…。！？؟۔।॥፧։][\"'”’»“›」』)\]]*$")
_CLOSERS: Final = "\"'”’»“›」』)]"


def shortened(words: str, short: str) -> str:
    """The short form with each gap shown, the first and the last too.

    Raises
    ------
    Held
        It is not made of whole sentences of the words in their order (Q3).
    """
    whole = " ".join(words.split())
    done, parts = 0, []
    for piece in (" ".join(part.split()) for part in _GAPS.split(short)):
        if not piece:
            continue
        start = _place(whole, piece, done)
        parts += [GAP] * (whole[done:start].strip() != "") + [piece]
        done = start + len(piece)
    if not parts:
        refuse("Q3", "the short form holds no words")
    return " ".join(parts + [GAP] * (whole[done:].strip() != ""))


def _place(whole: str, piece: str, done: int) -> int:
    """Where ``piece`` stands in ``whole`` after ``done``, from the start of a sentence to the end of one."""
    found = start = whole.find(piece, done)
    while start >= 0:
        if _opens(whole, start) and _closes(whole, start + len(piece)):
            return start
        start = whole.find(piece, start + 1)
    wrong = "is not made of the words in their order" if found < 0 else "is not cut at the ends of sentences"
    return refuse("Q3", f"the short form {wrong}; copy whole sentences and write {GAP} for what is left out")


def _opens(whole: str, start: int) -> bool:
    before = whole[:start].rstrip().rstrip("\"'“‘«„(")
    return not before or _SENTENCE_END.search(before.rstrip()) is not None


def _closes(whole: str, end: int) -> bool:
    rest = whole[end:].lstrip(_CLOSERS)
    return not rest.strip() or _SENTENCE_END.search(whole[:end]) is not None
