"""Complaints: feedback reports (RFC 5965), and the older form in which Microsoft sends them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from syndicate.returns.parts import Part, blocks_of, headers_of
from syndicate.returns.verdict import Kind, Verdict

# What a reader says of a mail (RFC 5965 §7.3). A virus scanner's or DMARC's report (RFC 6591) is no reader's word, and
# "not-spam" (RFC 6430) is the contrary of a complaint.
COMPLAINTS: Final = frozenset({"abuse", "fraud", "opt-out", "opt-out-list"})
_MICROSOFT: Final = ("staff@hotmail.com", "staff@outlook.com")
_JMRP: Final = "x-hmxmroriginalrecipient"


@dataclass(frozen=True, kw_only=True, slots=True)
class Feedback:
    """What a report says."""

    verdict: Verdict
    named: tuple[str, ...]  # fields that may hold our return path


def read(mail: Part) -> Feedback | None:
    """The feedback in a mail, or ``None`` where it holds none. One inside a carried mail is not this mail's."""
    part = next((part for part in mail.walk() if part.type == "message/feedback-report"), None)
    if part is None:
        return _microsoft(mail)
    fields: dict[str, str] = {}
    for block in blocks_of(part.decoded()):
        fields = {**block, **fields}
    said = fields.get("feedback-type", "").partition("(")[0].strip().lower()
    kind = Kind.COMPLAINT if said in COMPLAINTS else Kind.FOREIGN
    named = tuple(fields[name] for name in ("original-mail-from", "original-envelope-id") if name in fields)
    return Feedback(verdict=Verdict(kind=kind, reason=said if kind is Kind.COMPLAINT else ""), named=named)


def _microsoft(mail: Part) -> Feedback | None:
    """A plain mail with the complained-of one inside it, which carries a header of Microsoft's own."""
    if not any(address in mail.header("from").lower() for address in _MICROSOFT):
        return None
    carried = (part for part in mail.walk() if part.type == "message/rfc822")
    if any(name == _JMRP for part in carried for name, _ in headers_of(part.decoded())):
        return Feedback(verdict=Verdict(kind=Kind.COMPLAINT, reason="abuse"), named=())
    return None
