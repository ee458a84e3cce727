"""What mail services report by webhook: Amazon SES, Mailgun, Postmark. Pure; signatures are checked before this is asked.

A provider that has proved who it is may also name an address: then the report means that reader's newest mail.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from syndicate.returns import arf, identity
from syndicate.returns.reading import Report
from syndicate.returns.verdict import Kind, Verdict, judge

Json = Mapping[str, Any]
_EMPTY: Final[Json] = {}
_KNOWN_GONE: Final = frozenset({"NoEmail", "Suppressed", "OnAccountSuppressionList"})
_POSTMARK: Final = {
    "HardBounce": Kind.HARD,
    "BadEmailAddress": Kind.HARD,
    "SpamComplaint": Kind.COMPLAINT,
    "AutoResponder": Kind.ANSWER,
    "ChallengeVerification": Kind.ANSWER,
    "AddressChange": Kind.ANSWER,
    "Transient": Kind.DELAYED,
    "SoftBounce": Kind.SOFT,
    "DnsError": Kind.SOFT,
    "Blocked": Kind.SOFT,
    "SpamNotification": Kind.SOFT,
    "VirusNotification": Kind.SOFT,
    "DMARCPolicy": Kind.SOFT,
    "Unknown": Kind.SOFT,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One call of a provider."""

    id: str  # the provider's own name of it: the same for each repetition
    at: datetime | None  # when it says that this was; None where it does not say it readably
    report: Report


def ses(message: object, keys: Mapping[int, bytes]) -> Report:
    """A notification of Amazon SES, the JSON inside an SNS message ("Contents of Amazon SES notifications")."""
    told = _table(message)
    mail = _table(told.get("mail"))
    named = [_text(mail.get("source"))]
    leaving = []
    for header in _list(mail.get("headers")):
        name, value = _text(_table(header).get("name")).lower(), _text(_table(header).get("value"))
        if name in {"message-id", "return-path"}:
            named.append(value)
        elif name == "list-unsubscribe":
            leaving.append(value)
    what = _text(told.get("notificationType")) or _text(told.get("eventType"))
    verdict, address = _ses(what, told)
    if not address:
        address = next((_text(one) for one in _list(mail.get("destination"))), "")
    return _report("ses", verdict, identity.among(named, leaving, keys), address)


def _ses(what: str, told: Json) -> tuple[Verdict, str]:
    if what == "Complaint":
        complaint = _table(told.get("complaint"))
        said = _text(complaint.get("complaintFeedbackType")).lower() or "abuse"
        kind = Kind.COMPLAINT if said in arf.COMPLAINTS else Kind.FOREIGN
        return Verdict(kind=kind, reason=said), _address(complaint.get("complainedRecipients"))
    if what == "Bounce":
        bounce = _table(told.get("bounce"))
        recipients = bounce.get("bouncedRecipients")
        first = _table(next(iter(_list(recipients)), None))
        return _ses_bounce(bounce, first), _address(recipients)
    if what == "Delivery":
        return Verdict(kind=Kind.DELIVERED, reason="arrived"), ""
    return Verdict(kind=Kind.DELAYED if what == "DeliveryDelay" else Kind.FOREIGN, reason="delayed"), ""


def _ses_bounce(bounce: Json, first: Json) -> Verdict:
    kind, why = _text(bounce.get("bounceType")), _text(bounce.get("bounceSubType"))
    status, said = _text(first.get("status")), _text(first.get("diagnosticCode"))
    if kind == "Permanent":
        if why in _KNOWN_GONE or not (status or said):
            return Verdict(kind=Kind.HARD, status=status, reason="no such mailbox")
        return judge(action="failed", status=status, said=said)
    if not (status or said):
        return Verdict(kind=Kind.ANSWER)  # this is how SES reports an out-of-office note
    found = judge(action="failed", status=status, said=said)
    return Verdict(kind=Kind.SOFT, status=found.status, reason=found.reason)


def mailgun_signed(key: bytes, fields: object) -> bool:
    """Whether Mailgun signed its event: HMAC-SHA-256 of timestamp and token ("Securing webhooks")."""
    table = _table(fields)
    told = (_text(table.get("timestamp")) + _text(table.get("token"))).encode()
    made = hmac.digest(key, told, "sha256").hex()
    return bool(key) and hmac.compare_digest(made, _text(table.get("signature")).encode("ascii", "replace").decode())


def mailgun(body: object, keys: Mapping[int, bytes]) -> Event:
    """An event of Mailgun, once its signature is checked."""
    signature, data = _table(_table(body).get("signature")), _table(_table(body).get("event-data"))
    sent = _table(_table(data.get("message")).get("headers"))
    named = [_text(_table(data.get("envelope")).get("sender")), f".{_text(sent.get('message-id'))}"]
    verdict = _mailgun(data)
    return Event(
        id=_text(signature.get("token")),
        at=_seconds(_text(signature.get("timestamp"))),
        report=_report("mailgun", verdict, identity.among(named, (), keys), _text(data.get("recipient"))),
    )


def _mailgun(data: Json) -> Verdict:
    what, status = _text(data.get("event")), _table(data.get("delivery-status"))
    if what == "complained":
        return Verdict(kind=Kind.COMPLAINT, reason="abuse")
    if what == "delivered":
        return Verdict(kind=Kind.DELIVERED, reason="arrived")
    if what != "failed":
        return Verdict(kind=Kind.FOREIGN)
    if _text(data.get("severity")) != "permanent":
        return Verdict(kind=Kind.DELAYED, reason="delayed")  # Mailgun tries again by itself
    if _text(data.get("reason")) == "suppress-bounce":
        return Verdict(kind=Kind.HARD, reason="no such mailbox")
    said = " ".join(_text(status.get(name)) for name in ("code", "enhanced-code", "message", "description"))
    return judge(action="failed", status=_text(status.get("enhanced-code")), said=said)


def postmark(body: object, keys: Mapping[int, bytes]) -> Event:
    """An event of Postmark ("Bounce webhook", "Spam complaint webhook", "Delivery webhook")."""
    data = _table(body)
    what, kind = _text(data.get("RecordType")), Kind.FOREIGN
    if what == "Delivery":
        kind = Kind.DELIVERED
    elif what in {"Bounce", "SpamComplaint"}:
        kind = _POSTMARK.get(_text(data.get("Type")) or what, Kind.FOREIGN)
    found = judge(action="failed", status="", said=_text(data.get("Details")))
    reasons = {Kind.HARD: "no such mailbox", Kind.SOFT: found.reason, Kind.COMPLAINT: "abuse", Kind.DELIVERED: "arrived"}
    status = found.status if kind in {Kind.HARD, Kind.SOFT} and data.get("Details") else ""
    at = next((_text(data[name]) for name in ("BouncedAt", "DeliveredAt") if name in data), "")
    return Event(
        id=f"{what}:{_text(data.get('ID')) or _text(data.get('MessageID'))}",
        at=iso(at),
        report=_report(
            "postmark",
            Verdict(kind=kind, status=status, reason=reasons.get(kind, "")),
            identity.among([_text(data.get("From"))], (), keys),
            _text(data.get("Email")) or _text(data.get("Recipient")),
        ),
    )


def iso(text: str) -> datetime | None:
    """An ISO 8601 time, aware; ``None`` where it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _seconds(text: str) -> datetime | None:
    return datetime.fromtimestamp(int(text), UTC) if text.isdecimal() and len(text) < 12 else None  # noqa: PLR2004 - till 5138


def _report(form: str, verdict: Verdict, whose: identity.Whose, address: str) -> Report:
    return Report(
        kind=verdict.kind,
        status=verdict.status,
        reason=verdict.reason,
        form=form,
        delivery=whose.delivery,
        reader=whose.reader,
        address="" if whose else address.rpartition("<")[2].rstrip("> ").strip(),
    )


def _address(recipients: object) -> str:
    return _text(_table(next(iter(_list(recipients)), None)).get("emailAddress"))


def _table(value: object) -> Json:
    return value if isinstance(value, dict) else _EMPTY


def _list(value: object) -> Sequence[object]:
    return value[:200] if isinstance(value, list) else ()


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value)[:4000]
