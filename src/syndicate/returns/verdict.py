"""What a mail server's word means for an address: gone for good, not just now, or nothing against it. Pure.

RFC 3463 says what a status is about. Only what is about the reader's own address is held against it: a refusal of our
text, our server or our rate says nothing about a mailbox.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from syndicate.returns import wording

_ENHANCED: Final = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_REPLY: Final = re.compile(r"(?<![\d.])([45])\d\d(?=[ \-:#]|$)")
_SUBJECTS: Final = {
    "1": "address",
    "2": "mailbox",
    "3": "system",
    "4": "unreachable",
    "5": "protocol",
    "6": "content",
    "7": "blocked",
}
# About an address, for good (RFC 3463 §3.2; X.1.10 from RFC 7505; X.4.4 is a host that cannot be found). X.1.7 and
# X.1.8 are about the sender's address, and X.1.5 is no failure.
_GONE: Final = {"1.0", "1.1", "1.2", "1.3", "1.4", "1.6", "1.10", "4.4"}
_GENERAL: Final = {"0.0", "3.0", "5.0", "4.0", "4.1", "4.310", "1.0", "2.0", "7.1"}  # too broad to tell: the words decide
_REASONS: Final = {
    "1.2": "no such domain",
    "1.10": "takes no mail",
    "4.4": "no such domain",
    "4.310": "no such domain",
    "2.1": "mailbox closed",
    "2.2": "mailbox full",
    "2.3": "too large",
    "3.4": "too large",
}


class Kind(StrEnum):
    """What a mail that came back is."""

    HARD = "hard"  # this address takes no mail, for good
    SOFT = "soft"  # not this time
    COMPLAINT = "complaint"  # its reader calls it spam
    DELAYED = "delayed"  # the far side still tries
    DELIVERED = "delivered"  # it has arrived
    ANSWER = "answer"  # an out-of-office note, a receipt, another machine's reply: never counts
    FOREIGN = "foreign"  # nothing of ours, or nothing that can be told


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What was understood."""

    kind: Kind
    status: str = ""  # RFC 3463, "5.1.1"; "" where none was given
    reason: str = ""  # a few words of our own, never the far side's


def judge(*, action: str, status: str, said: str) -> Verdict:
    """The verdict on one recipient: the fields of RFC 3464 §2.3, or what stands in their place.

    ``said`` is the far side's diagnostic text.
    """
    action = action.strip().lower()
    if action in {"delivered", "relayed", "expanded"}:
        return Verdict(kind=Kind.DELIVERED, status=_code(status)[0], reason="arrived")
    code, guessed = _best(status, said)
    if action == "delayed":
        return Verdict(kind=Kind.DELAYED, status=code, reason="delayed")
    if not action.startswith("fail") and (action or code[:1] not in {"4", "5"}):
        return Verdict(kind=Kind.FOREIGN, status=code)
    if not action and code[:1] == "4":
        return Verdict(kind=Kind.DELAYED, status=code, reason="delayed")
    return _failed(code, said.lower(), guessed=guessed)


def _failed(code: str, said: str, *, guessed: bool) -> Verdict:
    """A message that will not arrive: whether that is the address's fault."""
    family, _, detail = code.partition(".")
    gone, full, ours = (wording.any_of(said, phrases) for phrases in (wording.GONE, wording.FULL, wording.BLOCKED))
    reason = _REASONS.get(detail, "") or _SUBJECTS.get(detail.partition(".")[0], "")
    if wording.any_of(said, wording.OURS) and family == "5":
        return Verdict(kind=Kind.SOFT, status=code, reason="blocked")
    if full or family != "5":
        return Verdict(kind=Kind.SOFT, status=code, reason="mailbox full" if full else reason or "not reached")
    if gone and (detail in _GENERAL or guessed or detail in _GONE or detail == "2.1"):
        closed = wording.any_of(said, wording.CLOSED)
        return Verdict(kind=Kind.HARD, status=code, reason="mailbox closed" if closed else _gone(detail, said))
    if detail in _GONE and not ours and (detail not in _GENERAL or detail == "1.0"):
        return Verdict(kind=Kind.HARD, status=code, reason=_gone(detail, said))
    return Verdict(kind=Kind.SOFT, status=code, reason="blocked" if ours else reason or "refused")


def _gone(detail: str, said: str) -> str:
    return _REASONS.get(detail) or ("no such domain" if wording.any_of(said, wording.NO_DOMAIN) else "no such mailbox")


def _best(status: str, said: str) -> tuple[str, bool]:
    """The most telling status code, and whether it stands for a plain reply code alone."""
    code, general = _code(status)
    told, broad = _code(said)
    if told and (not code or (general and not broad)) and (not code or told[0] == code[0]):
        return told, False
    if code:
        return code, False
    plain = _REPLY.search(said)
    return (f"{plain[1]}.0.0", True) if plain else ("5.0.0", True)


def _code(text: str) -> tuple[str, bool]:
    """The first status code in ``text``, and whether it is too broad to tell anything."""
    found = _ENHANCED.search(text)
    if found is None:
        return "", True
    detail = f"{int(found[2])}.{int(found[3])}"
    return f"{found[1]}.{detail}", detail in _GENERAL
