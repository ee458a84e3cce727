"""Runs of four words: how two texts are compared so that a quote's words are found wherever they stray (Q5, Q6).

Knows nothing of quotes, templates or rules; it compares plain texts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

RUN: Final = 4  # words
# Scripts written without spaces: a character counts as half a word.
_UNSPACED: Final = (
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
)
_UNSPACED_CHARACTER: Final = re.compile(f"[{_UNSPACED}]")
_WORD: Final = re.compile(f"[{_UNSPACED}]|[^\\W_{_UNSPACED}]+")
_ZERO_WIDTH_GAP: Final = re.compile("[\u200b\u2060\ufeff\u00ad]")
# Letters that look like Latin ones: the same text in mixed alphabets is the same run.
_LOOKALIKES: Final = dict(zip("авекмнорстухіјѕԁɡһӏαβεικνορτυχ", "abekmhopctyxijsdghlabeiknoptux", strict=True))
_TATWEEL: Final = "\u0640"
# Digits and signs that stand for letters inside a word; a 1 is an i or an l. A number by itself stays a number.
_DIGITS: Final = tuple(str.maketrans("013457", f"o{one}east") for one in "il")
_SIGN: Final = re.compile(r"[@$](?:(?=[^\W\d_])|(?<=[^\W\d_].))|!(?=[^\W_])(?<=[^\W_].)")
_SIGNS: Final = {"@": "a", "$": "s", "!": "i"}
_SPELLED: Final = 4  # letters that stand each by itself, one after the other: "b r i n g", "b.r.i.n.g"


@lru_cache(maxsize=4096)
def _fold(character: str) -> str:
    """One character without case, width, accents, invisible parts and borrowed alphabets."""
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    kept = (part for part in parts if unicodedata.category(part) not in {"Mn", "Me", "Cf"} and part not in "'’‘ʼ＇" + _TATWEEL)
    return "".join(_LOOKALIKES.get(part, part) for part in kept)


def words(text: str) -> list[str]:
    """The words of a text, folded; each character of an unspaced script is a word of its own."""
    table = {ord(character): _fold(character) for character in set(text)}
    return _WORD.findall(text.translate(table))


def _windows(tokens: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """From each word on, the shortest stretch that weighs four words."""
    if not any(len(token) == 1 and _UNSPACED_CHARACTER.match(token) for token in set(tokens)):
        yield from zip(tokens, tokens[1:], tokens[2:], tokens[3:], strict=False)
        return
    halves = [1 if len(token) == 1 and _UNSPACED_CHARACTER.match(token) else 2 for token in tokens]
    end, weight = 0, 0
    for start in range(len(tokens)):
        while end < len(tokens) and weight < RUN * 2:
            weight += halves[end]
            end += 1
        if weight < RUN * 2:
            return
        yield tuple(tokens[start:end])
        weight -= halves[start]


@dataclass(frozen=True, slots=True)
class Watch:
    """The runs that must not be found, ready to be looked for in many texts."""

    long: frozenset[tuple[str, ...]]  # runs that weigh four words
    short: tuple[tuple[int, frozenset[tuple[str, ...]]], ...]  # whole shorter texts, by their number of words

    @classmethod
    def over(cls, watched: Iterable[str], ours: Iterable[str] = ()) -> Watch:
        """Watch for the runs of ``watched``, save those that stand in ``ours`` too."""
        long: set[tuple[str, ...]] = set()
        short: dict[int, set[tuple[str, ...]]] = {}
        for text in watched:
            tokens = words(text)
            windows = set(_windows(tokens))
            long |= windows
            if tokens and not windows:
                short.setdefault(len(tokens), set()).add(tuple(tokens))
        for text in ours:
            tokens = words(text)
            long -= set(_windows(tokens))
            for length, wholes in short.items():
                wholes -= set(_stretches(tokens, length))
        return cls(frozenset(long), tuple((length, frozenset(wholes)) for length, wholes in sorted(short.items()) if wholes))

    @classmethod
    def union(cls, watches: Iterable[Watch]) -> Watch:
        """Watch for everything that any of ``watches`` looks for."""
        long: set[tuple[str, ...]] = set()
        short: dict[int, set[tuple[str, ...]]] = {}
        for watch in watches:
            long |= watch.long
            for length, wholes in watch.short:
                short.setdefault(length, set()).update(wholes)
        return cls(frozenset(long), tuple((length, frozenset(wholes)) for length, wholes in sorted(short.items())))

    def finds(self, text: str) -> bool:
        """Whether ``text`` holds one of the runs, however it is spaced by invisible characters or spelled."""
        tokens = words(text)
        if self._finds(tokens) or any(self._finds(stretch) for stretch in _respelled(tokens)):
            return True
        if _SIGN.search(text) is not None and self.finds(_SIGN.sub(lambda sign: _SIGNS[sign[0]], text)):
            return True
        if _ZERO_WIDTH_GAP.search(text) is not None and self._finds(words(_ZERO_WIDTH_GAP.sub(" ", text))):
            return True
        return self._finds_spelled(tokens)

    def _finds_spelled(self, tokens: Sequence[str]) -> bool:
        """Letter by letter nobody knows where a word ends: letters are compared, of short texts in such stretches alone."""
        stretches = _spelled(tokens)
        if not stretches:
            return False
        whole = "".join(tokens)
        return any("".join(run) in whole for run in self.long) or any(
            "".join(short) in stretch for _, shorts in self.short for short in shorts for stretch in stretches
        )

    def _finds(self, tokens: Sequence[str]) -> bool:
        if self.long and not self.long.isdisjoint(_windows(tokens)):
            return True
        return any(not wholes.isdisjoint(_stretches(tokens, length)) for length, wholes in self.short)


def _respelled(tokens: Sequence[str]) -> Iterator[list[str]]:
    """The same words with letters for the digits that some mix with theirs; nothing where none does."""
    mixed = {token for token in set(tokens) if not token.isalpha() and not token.isdecimal()}
    for table in _DIGITS if any("1" in token for token in mixed) else _DIGITS[:1] if mixed else ():
        letters = {token: token.translate(table) for token in mixed}
        yield [letters.get(token, token) for token in tokens]


def _spelled(tokens: Sequence[str]) -> list[str]:
    """Stretches of words of one letter, each as the word that it may spell. A character of an unspaced script is no letter."""
    found: list[str] = []
    last = -2
    for place in (place for place, token in enumerate(tokens) if len(token) == 1):
        letter = tokens[place]
        if not letter.isalpha() or _UNSPACED_CHARACTER.match(letter):
            continue
        if place == last + 1:
            found[-1] += letter
        else:
            found.append(letter)
        last = place
    return [stretch for stretch in found if len(stretch) >= _SPELLED]


def _stretches(tokens: Sequence[str], length: int) -> Iterator[tuple[str, ...]]:
    return zip(*(tokens[start:] for start in range(length)), strict=False)
