"""Which sequences of characters X counts as one picture: those of Emoji 12.0, as twitter-text knows them. Data only.

A newer or an undefined sequence counts as its parts, so that nothing counts less here than on X.
Source: Unicode Technical Standard #51, emoji-test.txt 12.0.
"""

from __future__ import annotations

import re
from typing import Final

# Signs that stand as text unless U+FE0F follows.
_TEXT_SIGNS: Final = (
    r"\xA9\xAE\u203C\u2049\u2122\u2139\u2194-\u2199\u21A9\u21AA\u2328\u23CF\u23ED-\u23EF\u23F1\u23F2\u23F8-\u23FA"
    r"\u24C2\u25AA\u25AB\u25B6\u25C0\u25FB\u25FC\u2600-\u2604\u260E\u2611\u2618\u261D\u2620\u2622\u2623\u2626\u262A"
    r"\u262E\u262F\u2638-\u263A\u2640\u2642\u265F\u2660\u2663\u2665\u2666\u2668\u267B\u267E\u2692\u2694-\u2697\u2699"
    r"\u269B\u269C\u26A0\u26B0\u26B1\u26C8\u26CF\u26D1\u26D3\u26E9\u26F0\u26F1\u26F4\u26F7-\u26F9\u2702\u2708\u2709"
    r"\u270C\u270D\u270F\u2712\u2714\u2716\u271D\u2721\u2733\u2734\u2744\u2747\u2763\u2764\u27A1\u2934\u2935"
    r"\u2B05-\u2B07\u3030\u303D\u3297\u3299\U0001F170\U0001F171\U0001F17E\U0001F17F\U0001F202\U0001F237\U0001F321"
    r"\U0001F324-\U0001F32C\U0001F336\U0001F37D\U0001F396\U0001F397\U0001F399-\U0001F39B\U0001F39E\U0001F39F"
    r"\U0001F3CB-\U0001F3CE\U0001F3D4-\U0001F3DF\U0001F3F3\U0001F3F5\U0001F3F7\U0001F43F\U0001F441\U0001F4FD\U0001F549"
    r"\U0001F54A\U0001F56F\U0001F570\U0001F573-\U0001F579\U0001F587\U0001F58A-\U0001F58D\U0001F590\U0001F5A5\U0001F5A8"
    r"\U0001F5B1\U0001F5B2\U0001F5BC\U0001F5C2-\U0001F5C4\U0001F5D1-\U0001F5D3\U0001F5DC-\U0001F5DE\U0001F5E1"
    r"\U0001F5E3\U0001F5E8\U0001F5EF\U0001F5F3\U0001F5FA\U0001F6CB\U0001F6CD-\U0001F6CF\U0001F6E0-\U0001F6E5\U0001F6E9"
    r"\U0001F6F0\U0001F6F3"
)
# People and hands that take a colour of skin.
_SKINNED: Final = (
    r"\u261D\u26F9\u270A-\u270D\U0001F385\U0001F3C2-\U0001F3C4\U0001F3C7\U0001F3CA-\U0001F3CC\U0001F442\U0001F443"
    r"\U0001F446-\U0001F450\U0001F466-\U0001F469\U0001F46B-\U0001F46E\U0001F470-\U0001F478\U0001F47C"
    r"\U0001F481-\U0001F483\U0001F485-\U0001F487\U0001F4AA\U0001F574\U0001F575\U0001F57A\U0001F590\U0001F595\U0001F596"
    r"\U0001F645-\U0001F647\U0001F64B-\U0001F64F\U0001F6A3\U0001F6B4-\U0001F6B6\U0001F6C0\U0001F6CC\U0001F90F"
    r"\U0001F918-\U0001F91C\U0001F91E\U0001F91F\U0001F926\U0001F930-\U0001F939\U0001F93D\U0001F93E\U0001F9B5\U0001F9B6"
    r"\U0001F9B8\U0001F9B9\U0001F9BB\U0001F9CD-\U0001F9CF\U0001F9D1-\U0001F9DD"
)
# What a man or a woman may be doing (U+2640, U+2642): with a colour; with a colour or U+FE0F; without either.
_ACTIVE: Final = (
    r"\U0001F3C3\U0001F3C4\U0001F3CA\U0001F46E\U0001F471\U0001F473\U0001F477\U0001F481\U0001F482\U0001F486\U0001F487"
    r"\U0001F645-\U0001F647\U0001F64B\U0001F64D\U0001F64E\U0001F6A3\U0001F6B4-\U0001F6B6\U0001F926"
    r"\U0001F937-\U0001F939\U0001F93D\U0001F93E\U0001F9B8\U0001F9B9\U0001F9CD-\U0001F9CF\U0001F9D6-\U0001F9DD"
)
_ACTIVE_SIGNS: Final = r"\u26F9\U0001F3CB\U0001F3CC\U0001F575"
_PLAIN_ACTIVE: Final = r"\U0001F46F\U0001F93C\U0001F9DE\U0001F9DF"
# What a man or a woman may be: a trade, a colour of hair, a way to move.
_ROLES: Final = (
    r"\U0001F33E\U0001F373\U0001F393\U0001F3A4\U0001F3A8\U0001F3EB\U0001F3ED\U0001F4BB\U0001F4BC\U0001F527\U0001F52C"
    r"\U0001F680\U0001F692\U0001F9AF-\U0001F9B3\U0001F9BC\U0001F9BD"
)
_FLAGS: Final = (  # ISO 3166's codes, by their first letter
    "ACDEFGILMOQRSTUWXZ BABDEFGHIJLMNOQRSTVWYZ CACDFGHIKLMNOPRUVWXYZ DEGJKMOZ EACEGHRSTU FIJKMOR GABDEFGHILMNPQRSTUWY HKMNRTU "
    "ICDELMNOQRST JEMOP KEGHIMNPRWYZ LABCIKRSTUVY MACDEFGHKLMNOPQRSTUVWXYZ NACEFGILOPRUZ OM PAEFGHKLMNRSTWY QA REOSUW "
    "SABCDEGHIJKLMNORSTVXYZ TACDFGHJKLMNORTVWZ UAGMNSYZ VACEGINU WFS XK YET ZAMW"
)
_TAGGED: Final = ("gbeng", "gbsct", "gbwls")  # the flags of England, Scotland and Wales

_JOIN: Final = "\u200d"
_TONES: Final = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
_TONE: Final = f"[{_TONES}]"
_MAN: Final = "\U0001f468"
_WOMAN: Final = "\U0001f469"
_PERSON: Final = "\U0001f9d1"
_BOY: Final = "\U0001f466"
_GIRL: Final = "\U0001f467"
_HOLDING: Final = f"{_JOIN}\U0001f91d{_JOIN}"


def _letter(name: str) -> str:
    return chr(0x1F1E6 + ord(name) - ord("A"))


def _couples() -> list[str]:
    """Two who hold hands, each with a colour: of one kind the darker comes first."""
    pairs = [(first, second) for first in _TONES for second in _TONES]
    return [
        f"{_PERSON}{_HOLDING}{_PERSON}",
        *(f"{_PERSON}{first}{_HOLDING}{_PERSON}{second}" for first, second in pairs if first >= second),
        *(f"{_WOMAN}{first}{_HOLDING}{_MAN}{second}" for first, second in pairs if first != second),
        *(f"{one}{first}{_HOLDING}{one}{second}" for one in (_MAN, _WOMAN) for first, second in pairs if first > second),
    ]


_CHILDREN: Final = f"(?:{_GIRL}{_JOIN}[{_BOY}{_GIRL}]|{_BOY}{_JOIN}{_BOY}|[{_BOY}{_GIRL}])"
_LOVE: Final = f"{_JOIN}\u2764\ufe0f?{_JOIN}(?:\U0001f48b{_JOIN})?"

_LETTERS: Final = "🇦-🇿"
_PEOPLE: Final = "|".join(
    (
        *_couples(),
        f"{_MAN}{_LOVE}{_MAN}|{_WOMAN}{_LOVE}[{_MAN}{_WOMAN}]",
        f"(?:{_MAN}{_JOIN}[{_MAN}{_WOMAN}]|{_WOMAN}{_JOIN}{_WOMAN}){_JOIN}{_CHILDREN}",
        f"[{_MAN}{_WOMAN}]{_JOIN}{_CHILDREN}",
        f"[{_MAN}{_WOMAN}]{_TONE}?{_JOIN}(?:[⚕⚖✈]️?|[{_ROLES}])",
    )
)
_SIGNS: Final = "|".join(
    (
        f"(?:[{_ACTIVE}]{_TONE}?|[{_ACTIVE_SIGNS}][{_TONES}️]?|[{_PLAIN_ACTIVE}]){_JOIN}[♀♂]️?",
        f"👁️?{_JOIN}🗨️?",
        f"🏳️?{_JOIN}🌈",
        f"🏴{_JOIN}☠️?",
        f"🐕{_JOIN}🦺",
        *("🏴" + "".join(chr(0xE0000 + ord(sign)) for sign in name) + "󠁿" for name in _TAGGED),
        f"[{_SKINNED}]{_TONE}",
        f"[{_TEXT_SIGNS}]️",
        "[©®]",
    )
)
_LAND: Final = [f"{_letter(name[0])}[{''.join(map(_letter, name[1:]))}]" for name in _FLAGS.split()]
_STARTS: Final = f"{_SKINNED}{_ACTIVE}{_PLAIN_ACTIVE}{_TEXT_SIGNS}🏴🐕"

# The longest first: of two that begin alike the longer one is meant. Each look ahead spares the tries that cannot succeed.
SEQUENCE: Final = re.compile(
    rf"(?=[#*0-9{_LETTERS}{_STARTS}])(?:"
    r"[#*0-9]️?⃣"
    f"|(?=[{_LETTERS[0]}-{_letter('H')}])(?:{'|'.join(_LAND[:8])})"
    f"|(?=[{_letter('I')}-{_letter('P')}])(?:{'|'.join(_LAND[8:16])})"
    f"|(?=[{_letter('Q')}-{_LETTERS[-1]}])(?:{'|'.join(_LAND[16:])})"
    f"|(?=[{_MAN}{_WOMAN}{_PERSON}])(?:{_PEOPLE})"
    f"|(?=[{_STARTS}])(?:{_SIGNS}))"
)
