"""A run of messages over one connection, and over the next where it breaks. ``verdicts`` says what each reply means.

The intent is asked for before the dot, for as many messages as will leave in the next moment. It never retries
what was handed over: after the final dot only the server knows (RFC 1047).
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Final

from syndicate.channels.smtp.line import COMMAND_WITHIN, Garbled, Line, Reply
from syndicate.channels.smtp.verdicts import CLOSING, FORWARDED, GO_AHEAD, OK, PUT_OFF, after_the_dot, broken, refusal, sense
from syndicate.errors import DeliveryError, Refused, Uncertain, Unreachable
from syndicate.failpoint import fail_at
from syndicate.model import Message, Parcel, Receipt

if TYPE_CHECKING:
    from syndicate.channels import Run
    from syndicate.channels.smtp.settings import SmtpSettings

SLOW_SECONDS: Final = 0.005  # a message that takes so long has an intent of its own
GROUP_SECONDS: Final = 0.020  # of quicker ones, intents are committed for what leaves in this time …
GROUP_MOST: Final = 25  # … but for no more messages: so many can be in doubt after a crash
STALE_SECONDS: Final = 0.2  # an older intent is taken back and asked for again
_SMOOTHING: Final = 0.3  # share of the newest message in the measured pace
_ADDRESS: Final = re.compile(r"[\x21-\x3b\x3d\x3f-\x7e]+@[\x21-\x3b\x3d\x3f-\x7e]+")
_DOT_LINE: Final = re.compile(rb"(?m)^\.")
_LATER_DOT: Final = re.compile(rb"\n\.")  # twice as fast as `in` where there is none


@dataclass(eq=False, slots=True)
class _Mail:
    """One message on its way."""

    key: str
    mail: Message
    data: bytes  # as it goes over the wire, without the last dot
    granted: float = 0.0  # monotonic time of its intent; 0: none
    refused: bool = False  # its intent was
    retried: bool = False  # on a new connection, because the old one was stale


class Sending:
    """What one connection does for as long as a run lasts."""

    def __init__(
        self,
        run: Run,
        settings: SmtpSettings,
        *,
        connect: Callable[[], Line | None],
        distrust: Callable[[], None],
        signed: Callable[[Message], Message],
        now: Callable[[], datetime],
    ) -> None:
        """``connect`` makes a line, ``None`` where the run does without one; ``distrust`` is told of lies about pipelining."""
        self._run = run
        self._settings = settings
        self._connect = connect
        self._distrust = distrust
        self._signed = signed
        self._now = now
        self._queue: deque[_Mail] = deque()
        self._line: Line | None = None
        self._ready: _Mail | None = None  # for whose text the server waits
        self._pace = 0.0  # seconds a message takes; 0: not measured yet
        self._fastest = 1 / settings.per_second if settings.per_second else 0.0
        self._group = group_of(SLOW_SECONDS)  # how many messages will leave in the next moment

    def work(self) -> None:
        """Send until the run is over."""
        try:
            while self._queue or self._fill(1, wait=True):
                if self._run.stopping() or not self._connected():
                    break
                self._next()
        finally:
            if self._line is not None:
                self._drop() if self._ready is not None else self._line.leave()
            for mail in self._queue:
                self._run.tell(mail.key, None)

    # -- what is at hand --------------------------------------------------------------------------

    def _fill(self, n: int, *, wait: bool) -> bool:
        """Have ``n`` messages at hand if there are so many; whether there is one."""
        wanted = n - len(self._queue)
        while wanted > 0 and (found := self._run.take(wanted, wait=wait and not self._queue)):
            for key, parcel in found:
                self._prepare(key, parcel)
            wanted = n - len(self._queue)
        return bool(self._queue)

    def _prepare(self, key: str, parcel: Parcel) -> None:
        if not isinstance(parcel, Message):
            msg = f"SMTP carries messages, not {type(parcel).__name__}"
            raise TypeError(msg)
        try:
            mail = self._signed(parcel)
        except Unreachable as error:
            self._run.tell(key, error)
            return
        if _ADDRESS.fullmatch(mail.sender) and _ADDRESS.fullmatch(mail.recipient):
            self._queue.append(_Mail(key, mail, stuffed(mail)))
        else:
            self._run.tell(key, Refused("This address cannot be said to a mail server.", code="5.1.3"))

    def _measure(self, seconds: float, *, exact: bool) -> None:
        """A message took so long, or less where that is not ``exact``."""
        if not self._pace:
            self._pace = seconds
        elif exact or seconds < self._pace:
            self._pace += _SMOOTHING * (seconds - self._pace)
        self._group = group_of(max(self._pace, self._fastest))

    # -- the connection ---------------------------------------------------------------------------

    def _connected(self) -> bool:
        if self._line is not None and self._line.carried >= self._settings.max_per_connection and self._ready is None:
            self._line.leave()
            self._line = None
        if self._line is None:
            try:
                self._line = self._connect()
            except Unreachable as error:
                self._run.tell(self._queue.popleft().key, error)
        return self._line is not None

    def _drop(self) -> None:
        """Away with the connection; a message for whose text the server waits is not sent."""
        if self._line is not None:
            self._line.drop()
        self._line, self._ready = None, None

    # -- one message ------------------------------------------------------------------------------

    def _next(self) -> None:
        """The first message at hand: address it, have its intent, hand it over with the address of the next."""
        self._learn()
        mail, line = self._queue[0], self._line
        assert line is not None
        if line.largest and len(mail.data) > line.largest:
            what = f"The message has {len(mail.data):,} bytes; the server takes {line.largest:,}."
            self._done(mail, Refused(what, code="5.3.4"))
            return
        if self._ready is not mail and not mail.refused:
            self._address(mail, line)
            if self._ready is not mail:
                return
        self._learn()
        if not mail.refused and not (mail.granted and time.monotonic() - mail.granted <= STALE_SECONDS):
            self._ask()
        if mail.granted:
            self._hand_over(mail, line)
            return
        if self._ready is mail:  # a lone dot would mail an empty message to somebody who has just unsubscribed
            self._drop()
        self._done(mail, None)

    def _ask(self) -> None:
        """The intents of the next group; what is not granted is not sent."""
        n = self._group
        self._fill(n, wait=False)
        group = list(islice(self._queue, n))
        self._intend(group)
        for mail in group[1:]:
            if mail.refused:
                self._done(mail, None)

    def _ask_ahead(self, follow: _Mail, line: Line) -> bool:
        """While the reply is on its way, ask for the intents of what leaves then; whether it was asked at once.

        Where a reply takes long, it is asked for a moment before, not after.
        """
        self._learn()
        if follow.granted or follow.refused:
            return False
        n = self._group
        if n > 1:
            self._intend(list(islice(self._queue, 1, n)))
            return True
        if self._pace > 2 * SLOW_SECONDS and not line.speaks_within(self._pace - SLOW_SECONDS):
            self._intend([follow])
        return False

    def _intend(self, group: list[_Mail]) -> None:
        granted = self._run.intend([mail.key for mail in group])
        at = time.monotonic()
        for mail in group:
            self._decided(mail, at if mail.key in granted else 0.0)
        if len(group) > 1:
            fail_at("smtp.after_group")

    def _learn(self) -> None:
        """What was decided when another connection asked."""
        news = self._run.meanwhile(self._group)
        for mail in self._queue if news else ():
            if mail.key in news:
                self._decided(mail, news[mail.key])

    def _decided(self, mail: _Mail, at: float) -> None:
        mail.granted, mail.refused = at, not at

    def _done(self, mail: _Mail, outcome: Receipt | DeliveryError | None) -> None:
        if self._queue and self._queue[0] is mail:
            self._queue.popleft()
        else:
            self._queue.remove(mail)
        self._run.tell(mail.key, outcome)

    def _address(self, mail: _Mail, line: Line) -> None:
        """MAIL, RCPT and DATA, at once where the server can take that. On success the server waits for the text."""
        commands = self._envelope(mail, line)
        try:
            if line.unread:
                msg = "The server spoke before it was asked."
                raise Garbled(msg)
            if line.pipelines:
                line.write(b"".join(commands))
                fail_at("smtp.after_envelope")
                self._answered(mail, line, _replies(line, len(commands), self._settings.timeout))
                return
            replies: list[Reply] = []
            for command in commands:
                line.write(command)
                replies.append(line.reply())
                if replies[-1].code >= PUT_OFF:
                    break
            self._answered(mail, line, replies)
        except OSError as error:
            if isinstance(error, Garbled | TimeoutError) and line.pipelines:
                self._distrust()
            self._unusable(mail, line, broken(error))

    def _envelope(self, mail: _Mail, line: Line) -> list[bytes]:
        size = f" SIZE={len(mail.data)}" if line.sizes else ""
        commands = [
            f"MAIL FROM:<{mail.mail.sender}>{size}\r\n".encode("ascii"),
            f"RCPT TO:<{mail.mail.recipient}>\r\n".encode("ascii"),
            b"DATA\r\n",
        ]
        return [b"RSET\r\n", *commands] if line.dirty else commands

    def _answered(self, mail: _Mail, line: Line, replies: list[Reply]) -> None:
        """What the replies to an envelope mean. They are complete, or end with the first refusal.

        Raises
        ------
        OSError
            They make no sense: nobody knows which command they answer.
        """
        if line.dirty:
            reset, *replies = replies
            if reset.code != OK:
                sense(reset, ())
                self._unusable(mail, line, refusal(reset, "to begin anew", self._now()))
                return
        line.dirty = True
        expected = ((OK,), (OK, FORWARDED), (GO_AHEAD,))
        for reply, codes in zip(replies, expected, strict=False):
            sense(reply, codes)
        refused = next((place for place, reply in enumerate(replies) if reply.code >= PUT_OFF), None)
        if refused is None:
            self._ready = mail
            return
        if len(replies) == len(expected) and replies[-1].code == GO_AHEAD:
            # Nobody was accepted and it waits for a text all the same: an empty one, which it must refuse (RFC 2920 §3.1).
            line.write(b".\r\n")
            sense(line.reply(), ())
        reply = replies[refused]
        closing = any(each.code == CLOSING for each in replies)
        error = refusal(reply, ("the sender", "the recipient", "the message")[refused], self._now())
        if closing:
            self._unusable(mail, line, error)
        else:
            self._done(mail, error)

    def _unusable(self, mail: _Mail, line: Line, error: DeliveryError) -> None:
        """Drop the connection. One that had served before has grown stale: the same message goes over a new one, once."""
        self._drop()
        if line.carried and not mail.retried and isinstance(error, Unreachable):
            mail.retried = True
            return
        self._done(mail, error)

    def _hand_over(self, mail: _Mail, line: Line) -> None:
        """The text, the dot and the next envelope in one stroke; then all their replies."""
        line.dirty = False
        follow = self._follow(line) if line.pipelines else None
        commands = self._envelope(follow, line) if follow else []
        begun = time.monotonic()
        fail_at("smtp.before_dot")
        try:
            if line.unread or not line.hand_over(mail.data, b"".join(commands)):
                self._unusable(mail, line, Unreachable("The connection broke in the middle of the message."))
                return
            line.carried += 1
            self._ready = None
            fail_at("smtp.after_dot")
            asked = follow is not None and self._ask_ahead(follow, line)
            known = not asked or not line.speaks_within(0)  # else it has answered meanwhile, nobody knows when
            final = line.reply()
        except OSError as error:
            self._drop()
            self._done(mail, Uncertain(f"The connection broke after the message was handed over ({type(error).__name__})."))
            return
        self._measure(time.monotonic() - begun, exact=known)
        outcome = after_the_dot(final, mail.mail, self._now())
        if isinstance(outcome, Uncertain):
            self._drop()
        elif follow is not None and not self._followed(follow, line, len(commands)):
            outcome = Uncertain(f"The server's replies came out of order; to the message it said: {final.said}")
        self._done(mail, outcome)

    def _follow(self, line: Line) -> _Mail | None:
        """The message whose envelope goes along, if one is at hand."""
        if line.carried + 1 >= self._settings.max_per_connection or self._run.stopping():
            return None
        self._fill(self._group + 1, wait=False)
        self._learn()
        while len(self._queue) > 1 and self._queue[1].refused:
            self._done(self._queue[1], None)
        follow = self._queue[1] if len(self._queue) > 1 else None
        return None if follow is None or (line.largest and len(follow.data) > line.largest) else follow

    def _followed(self, follow: _Mail, line: Line, n: int) -> bool:
        """Whether the replies to an envelope that went along make sense; what they say is recorded."""
        if line.welcomed():
            line.dirty, self._ready = True, follow
            return True
        try:
            replies = _replies(line, n, min(COMMAND_WITHIN, self._settings.timeout))
            if replies[-1].code == CLOSING:
                self._drop()  # it has had enough: what follows is not begun
            else:
                self._answered(follow, line, replies)
        except Garbled:
            self._distrust()
            self._drop()
            return False
        except OSError as error:
            if isinstance(error, TimeoutError):
                self._distrust()  # it offered to listen, and did not
            self._drop()
        return True


def _replies(line: Line, n: int, within: float) -> list[Reply]:
    """So many replies, or those up to the one that says goodbye."""
    found: list[Reply] = []
    while len(found) < n and not (found and found[-1].code == CLOSING):
        found.append(line.reply(within))
    return found


def group_of(seconds: float) -> int:
    """How many messages may have an intent at once, where each takes so long: several commits' worth of quick ones."""
    return 1 if seconds >= SLOW_SECONDS else min(GROUP_MOST, int(GROUP_SECONDS / max(seconds, 1e-6)))


def stuffed(mail: Message) -> bytes:
    """Whole lines, a dot doubled where a line begins with one (RFC 5321 §4.5.2)."""
    whole = mail.data if mail.data.endswith(b"\r\n") else mail.data + b"\r\n"
    if mail.undotted:
        return whole
    return _DOT_LINE.sub(b"..", whole) if whole.startswith(b".") or _LATER_DOT.search(whole) else whole
