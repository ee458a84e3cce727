"""One connection to a relay: made, encrypted and signed in by smtplib, then written to and read from directly.

Knows the commands and the replies of RFC 5321 and RFC 2920, and nothing of duties or intents.
"""

from __future__ import annotations

import contextlib
import re
import select
import smtplib
import socket
import ssl
import struct
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from syndicate.errors import Unreachable

if TYPE_CHECKING:
    from syndicate.channels.smtp.settings import SmtpSettings

PORTS: Final = {"starttls": 587, "implicit": 465, "none": 25}
CONNECT_WITHIN: Final = 30.0  # seconds; the replies have the longer time of the settings
COMMAND_WITHIN: Final = 120.0  # seconds for the reply to a command that was sent along with a message
_GOODBYE_WITHIN: Final = 5.0
_ENHANCED: Final = re.compile(r"([245]\.\d{1,3}\.\d{1,3})\b")  # RFC 3463
_MOST_OF_A_REPLY: Final = 65536  # bytes; nobody has that much to say
_BLANK: Final = 0x20
_WELCOME: Final = re.compile(rb"250 [^\n]*\n25[01] [^\n]*\n354 [^\n]*\n")  # to MAIL, RCPT and DATA
_RECORD: Final = 16384  # bytes of one TLS record: a failed one may have been sent all the same


class Garbled(OSError):
    """The server spoke something that is no reply, or none to what was asked."""

    def __init__(self, what: str, code: int = 0) -> None:
        """``code``: of the reply, where it had one."""
        super().__init__(what)
        self.code = code


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply of the server."""

    code: int  # -1 where it began with no number
    text: bytes  # without the codes; lines joined by a blank

    @property
    def said(self) -> str:
        """The code and the server's words, on one line."""
        words = " ".join(self.text.decode("utf-8", "replace").split())[:200]
        return f"{self.code} {words}".strip()

    @property
    def status(self) -> str:
        """The enhanced status code, or the plain one."""
        found = _ENHANCED.match(self.said.partition(" ")[2])
        return found[1] if found else str(self.code)


class Line:
    """A connection that is greeted, encrypted as the settings say, and signed in."""

    def __init__(self, settings: SmtpSettings) -> None:
        """Connect.

        Raises
        ------
        Unreachable
            With our advice.
        """
        connection = _connected(settings)
        self._connection = connection
        self._socket = _socket(connection)
        self._timeout = settings.timeout
        self._tls = isinstance(self._socket, ssl.SSLSocket)
        self._patience = 0.0  # seconds, as the socket has it
        self._wait_for(settings.timeout)
        self._heard = bytearray()
        self.carried = 0  # messages
        self.dirty = False  # a transaction was begun and not ended: RSET before the next
        self.pipelines = settings.pipelining and connection.has_extn("pipelining")
        most = connection.esmtp_features.get("size", "")
        self.sizes = "size" in connection.esmtp_features
        self.largest = int(most) if most.isdigit() else 0  # bytes; 0: it does not say

    @property
    def features(self) -> frozenset[str]:
        """What the server offers."""
        return frozenset(self._connection.esmtp_features)

    @property
    def encryption(self) -> str:
        """The version of TLS; "" where there is none."""
        return str(self._socket.version()) if isinstance(self._socket, ssl.SSLSocket) else ""

    @property
    def unread(self) -> bool:
        """Whether the server has said more than was asked for."""
        return bool(self._heard)

    def speaks_within(self, seconds: float) -> bool:
        """Wait so long, or until the server says something; whether it did."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def write(self, data: bytes) -> None:
        """Send all of ``data``.

        Raises
        ------
        OSError
            The connection broke.
        """
        self._wait_for(self._timeout)
        self._socket.sendall(data)

    def hand_over(self, data: bytes, following: bytes) -> bool:
        """Send a message's text, its dot and what follows in one stroke; ``False`` where it broke before the dot was out."""
        rest = b".\r\n" + following
        sent = 0
        self._wait_for(self._timeout)
        try:
            if not self._tls:
                sent = self._socket.sendmsg((data, rest))  # nearly always all of it, and nothing is copied before
            if sent < len(data) + len(rest):
                whole = memoryview(data + rest)
                while sent < len(whole):
                    sent += self._socket.send(whole[sent:])
        except OSError:
            if sent + (_RECORD if self._tls else 0) <= len(data):
                return False
            raise
        return True

    def welcomed(self) -> bool:
        """Whether the replies to an envelope have all come and accept it, one line each: nearly always; they are read then."""
        found = _WELCOME.match(self._heard)
        if found is None:
            return False
        end = found.end()
        del found  # it holds the bytes in place
        del self._heard[:end]
        return True

    def reply(self, within: float | None = None) -> Reply:
        """The next reply, all of its lines.

        Raises
        ------
        OSError
            The connection broke, nothing came in time, or it was no reply (``Garbled``).
        """
        seconds = within or self._timeout
        end = self._heard.find(b"\n")
        if end > 3 and self._heard[3] == _BLANK and self._heard[:3].isdigit():  # noqa: PLR2004 - one whole line has come
            reply = Reply(int(self._heard[:3]), bytes(self._heard[4:end]).rstrip(b"\r"))
            del self._heard[: end + 1]
            return reply
        give_up = time.monotonic() + seconds
        self._wait_for(seconds)
        words: list[bytes] = []
        while True:
            line = self._read_line(give_up)
            code, more = line[:3], line[3:4] == b"-"
            words.append(line[4:])
            if sum(map(len, words)) > _MOST_OF_A_REPLY:
                msg = "an endless reply"
                raise Garbled(msg)
            if not more:
                return Reply(int(code) if code.isdigit() and len(code) == 3 else -1, b" ".join(words))  # noqa: PLR2004 - RFC 5321 §4.2

    def _read_line(self, give_up: float) -> bytes:
        while (end := self._heard.find(b"\n")) < 0:
            if len(self._heard) > _MOST_OF_A_REPLY:
                msg = "an endless line"
                raise Garbled(msg)
            try:
                found = self._socket.recv(_MOST_OF_A_REPLY)
            except BlockingIOError as error:
                raise TimeoutError from error
            if not found:
                msg = "the server has closed"
                raise ConnectionResetError(msg)
            self._heard += found
            if b"\n" not in found:  # it drips: the time is for the whole
                left = give_up - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                self._wait_for(left)
        line = bytes(self._heard[:end]).rstrip(b"\r")
        del self._heard[: end + 1]
        return line

    def _wait_for(self, seconds: float) -> None:
        """How long the socket may take. The kernel keeps the time of a plain one: Python's own costs a call for each call."""
        if seconds == self._patience:
            return
        self._patience = seconds
        if self._tls:
            self._socket.settimeout(seconds)
            return
        span = struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000))
        self._socket.settimeout(None)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, span)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, span)

    def drop(self) -> None:
        """Close without a word: whatever was begun is void."""
        self._connection.close()

    def leave(self) -> None:
        """Say goodbye; whatever the server answers, nothing depends on it."""
        with contextlib.suppress(OSError):
            self._wait_for(_GOODBYE_WITHIN)
            self._socket.sendall(b"QUIT\r\n")
            self.reply(_GOODBYE_WITHIN)
        self._connection.close()


def _connected(settings: SmtpSettings) -> smtplib.SMTP:
    helo = settings.helo or _own_name()
    port = settings.port or PORTS[settings.tls]
    connection: smtplib.SMTP | None = None
    within = min(CONNECT_WITHIN, settings.timeout)
    try:
        if settings.tls == "implicit":
            connection = smtplib.SMTP_SSL(settings.host, port, helo, timeout=within, context=ssl.create_default_context())
        else:
            connection = smtplib.SMTP(settings.host, port, helo, timeout=within)
        _socket(connection).setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.ehlo_or_helo_if_needed()
        if settings.tls == "starttls":
            _encrypt(connection)
        if settings.username:
            connection.login(settings.username, settings.password.get_secret_value())
    except Unreachable:
        _close(connection)
        raise
    except (OSError, smtplib.SMTPException, ValueError) as error:
        _close(connection)
        raise _unreachable(error, settings) from error
    return connection


def _encrypt(connection: smtplib.SMTP) -> None:
    if not connection.has_extn("starttls"):
        msg = "The server does not offer STARTTLS."
        raise Unreachable(msg, advice='Try tls = "implicit" with port 465.')
    connection.starttls(context=ssl.create_default_context())
    connection.ehlo()  # what was offered before is void (RFC 3207 §4.2)


def _unreachable(error: Exception, settings: SmtpSettings) -> Unreachable:
    """Our sentence and advice for a connection that could not be made. Never the password: the server's words alone."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        reply = _reply_of(error)
        return Unreachable(
            f"The server refused the sign-in: {reply.said}", code=reply.status, advice="Check username and password."
        )
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return Unreachable("The server takes no sign-in.", advice="Leave out username and password, or check host and port.")
    if isinstance(error, ssl.SSLCertVerificationError):
        advice = "Use the name that the certificate carries, or add its issuer to this machine's trusted ones."
        return Unreachable(f"The server's certificate is not trusted ({error.verify_message}).", advice=advice)
    if isinstance(error, ssl.SSLError):
        advice = 'Port 587 usually means tls = "starttls", port 465 tls = "implicit".'
        return Unreachable("The encrypted connection could not be made.", advice=advice)
    if isinstance(error, smtplib.SMTPResponseException):
        reply = _reply_of(error)
        return Unreachable(f"The server refused the connection: {reply.said}", code=reply.status)
    if isinstance(error, socket.gaierror):
        return Unreachable(f"There is no host {settings.host!r}.", advice="Check host, and this machine's network.")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return Unreachable(f"The server could not be reached ({reason}).", advice="Check host, port and tls.")


def _reply_of(error: smtplib.SMTPResponseException) -> Reply:
    return Reply(error.smtp_code, error.smtp_error if isinstance(error.smtp_error, bytes) else b"")


def _socket(connection: smtplib.SMTP) -> socket.socket:
    if connection.sock is None:
        msg = "not connected"
        raise smtplib.SMTPServerDisconnected(msg)
    return connection.sock


def _close(connection: smtplib.SMTP | None) -> None:
    if connection is not None:
        connection.close()


def _own_name() -> str:
    """This host's full name where it has one; never a look-up in the network, which may take minutes."""
    name = socket.gethostname()
    return name if "." in name else "[127.0.0.1]"
