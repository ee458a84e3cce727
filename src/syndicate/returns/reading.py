"""One mail that came back, read into what it is and whose it is. Pure: the same bytes say the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from syndicate.links import ReaderToken, ReturnToken
from syndicate.returns import arf, autoreply, dsn, identity, wording
from syndicate.returns.parts import Part, taken_apart
from syndicate.returns.verdict import Kind, Verdict, judge

_RECEIPTS: Final = frozenset({"message/disposition-notification", "message/global-disposition-notification"})  # RFC 8098


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What came back. Holds no address and none of the far side's words."""

    kind: Kind
    status: str = ""  # RFC 3463
    reason: str = ""  # a few words of our own
    form: str = ""  # dsn | arf | qmail | exim | other | a provider's name
    delivery: ReturnToken | None = None  # signed by us
    reader: ReaderToken | None = None  # signed by us, where the delivery cannot be told
    address: str = ""  # as an authenticated provider tells it; "" from any mail

    @property
    def ours(self) -> bool:
        """Whether somebody who can be trusted says whose it is."""
        return self.delivery is not None or self.reader is not None or bool(self.address)


def read(data: bytes, keys: Mapping[int, bytes]) -> Report:
    """What the mail in ``data`` is. Without a token of ours it is foreign, whatever it says."""
    mail = taken_apart(data)
    feedback = arf.read(mail)
    if feedback is not None:
        return _report(mail, feedback.verdict, "arf", feedback.named, b"", keys)
    status = dsn.read(mail)
    if status is not None:
        return _report(mail, status.verdict, "dsn", status.named, b"", keys)
    if any(part.type in _RECEIPTS for part in mail.walk()):
        return Report(kind=Kind.ANSWER, reason="receipt")
    words = wording.read(mail)
    if words is not None:
        verdict = judge(action="delayed" if words.still else "failed", status="", said=words.said)
        return _report(mail, verdict, words.form, (), words.copy, keys)
    if autoreply.is_automatic(mail):
        return Report(kind=Kind.ANSWER, reason="automatic answer")
    return Report(kind=Kind.FOREIGN)


def _report(mail: Part, verdict: Verdict, form: str, named: tuple[str, ...], copy: bytes, keys: Mapping[int, bytes]) -> Report:
    whose = identity.whose(mail, named, copy, keys)
    if not whose or verdict.kind is Kind.FOREIGN:
        return Report(kind=Kind.FOREIGN, form=form)
    return Report(
        kind=verdict.kind,
        status=verdict.status,
        reason=verdict.reason,
        form=form,
        delivery=whose.delivery,
        reader=whose.reader,
    )
