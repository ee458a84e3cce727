"""What a server's reply, or a broken connection, means for a message: sent, never, later, or nobody knows. No connection."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from syndicate.channels.smtp.line import Garbled, Reply
from syndicate.errors import DeliveryError, Refused, Throttled, Uncertain, Unreachable
from syndicate.model import Message, Receipt

OK: Final = 250
FORWARDED: Final = 251
GO_AHEAD: Final = 354
CLOSING: Final = 421
PUT_OFF: Final = 400
_PERMANENT: Final = 500
_NO_REPLY: Final = 600
_TOO_LARGE: Final = 552
_GREYLISTED: Final = timedelta(minutes=5)  # what a 4xx asks us to wait, as most greylisting does


def sense(reply: Reply, codes: Iterable[int]) -> None:
    """Let pass a reply of these codes, or a refusal.

    Raises
    ------
    Garbled
        It answers no such command, so that nobody knows which one it answers.
    """
    if reply.code not in codes and not PUT_OFF <= reply.code < _NO_REPLY:
        msg = f"The server's reply makes no sense: {reply.said}"
        raise Garbled(msg, reply.code)


def refusal(reply: Reply, what: str, now: datetime) -> DeliveryError:
    """What it means that ``what`` was refused before the message was handed over."""
    sentence = f"The server refused {what}: {reply.said}"
    if reply.code == CLOSING or reply.code < PUT_OFF:
        return Unreachable(sentence, code=str(reply.code))
    if reply.code < _PERMANENT:
        return Throttled(sentence, retry_at=now + _GREYLISTED, code=reply.status)
    if what == "the sender" and reply.code != _TOO_LARGE:
        # Every message of the edition would fail for good over one wrong setting.
        return Unreachable(sentence, code=reply.status, advice="Check `from` of the newsletter, and username and password.")
    return Refused(sentence, code=reply.status)


def after_the_dot(reply: Reply, mail: Message, now: datetime) -> Receipt | DeliveryError:
    """What the reply to a message means."""
    if reply.code == OK:
        return Receipt(remote_id=mail.message_id)
    if reply.code == CLOSING or not PUT_OFF <= reply.code < _NO_REPLY:
        return Uncertain(f"The server closed after the message: {reply.said}", code=str(reply.code))
    if reply.code < _PERMANENT:
        said = f"The server put the message off: {reply.said}"
        return Throttled(said, retry_at=now + _GREYLISTED, code=reply.status)
    return Refused(f"The server refused the message: {reply.said}", code=reply.status)


def broken(error: OSError) -> Unreachable:
    """What a connection that broke before the dot means."""
    if isinstance(error, Garbled):
        return Unreachable(str(error), code=str(error.code or ""))
    return Unreachable(f"The connection broke before the message ({type(error).__name__}).")
