"""Mail by SMTP: blocking, one connection for each run of messages, one recipient for each message.

It maps every reply to what the caller must do, and asks for the intent before the body. It never retries:
after the final dot only the server knows (RFC 1047).
"""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import ssl
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from syndicate.channels.pace import Pace
from syndicate.channels.signing import Signing
from syndicate.errors import DeliveryError, Refused, Throttled, Uncertain, Unreachable
from syndicate.failpoint import fail_at
from syndicate.model import Finding, Limits, Message, Parcel, Receipt, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_CONNECT_WITHIN: Final = 30.0  # seconds; the replies have the longer time of the settings
_GREYLISTED: Final = timedelta(minutes=5)  # what a 4xx asks us to wait, as most greylisting does
_PORTS: Final = {"starttls": 587, "implicit": 465, "none": 25}
_ENHANCED: Final = re.compile(r"([245]\.\d{1,3}\.\d{1,3})\b")  # RFC 3463
_ADDRESS: Final = re.compile(r"[\x21-\x3b\x3d\x3f-\x7e]+@[\x21-\x3b\x3d\x3f-\x7e]+")
_DOT_LINE: Final = re.compile(rb"(?m)^\.")

_OK: Final = 250
_GO_AHEAD: Final = 354
_CLOSING: Final = 421
_TOO_LARGE: Final = 552
_PERMANENT: Final = 500


class SmtpSettings(BaseModel):
    """[channels.NAME] with kind = "smtp"."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["smtp"] = "smtp"
    host: str
    port: Annotated[int, Field(ge=0, le=65535)] = 0  # 0: 587 for starttls, 465 for implicit, 25 for none
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    username: str = ""
    password: SecretStr = SecretStr("")  # from the environment
    connections: Annotated[int, Field(ge=1, le=50)] = 4
    rate: str = "14/s"  # messages over all connections; "" for no limit
    timeout: Annotated[float, Field(gt=0, le=3600)] = 600.0  # seconds for the reply to a message (RFC 5321 §4.5.3.2.6)
    max_per_connection: Annotated[int, Field(ge=1)] = 500
    helo: str = ""  # the name we greet with; "" means this host's, where it has a full one
    dkim_selector: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]*$")] = ""  # "" leaves signing to the relay
    dkim_key_file: str = ""  # RSA key in PEM, a path below the publication or a whole one

    @field_validator("rate")
    @classmethod
    def _readable_rate(cls, rate: str) -> str:
        if rate and not re.fullmatch(r"[1-9]\d{0,5}/(s|min|h)", rate):
            msg = 'a rate is written like "14/s", "600/min" or "20000/h"'
            raise ValueError(msg)
        return rate

    @model_validator(mode="after")
    def _safe_transport(self) -> SmtpSettings:
        if self.tls == "none" and self.host not in LOOPBACK:
            msg = 'tls = "none" is for this machine alone (localhost); use "starttls" or "implicit"'
            raise ValueError(msg)
        if bool(self.username) != bool(self.password.get_secret_value()):
            msg = "a username and a password go together; the password comes from the environment"
            raise ValueError(msg)
        if bool(self.dkim_selector) != bool(self.dkim_key_file):
            msg = "dkim_selector and dkim_key_file go together; without both the relay signs"
            raise ValueError(msg)
        return self

    @property
    def pause(self) -> float:
        """Seconds between two messages, over all connections."""
        if not self.rate:
            return 0.0
        number, _, unit = self.rate.partition("/")
        return {"s": 1, "min": 60, "h": 3600}[unit] / int(number)


class Smtp:
    """A relay that takes our mail."""

    kind: ClassVar[str] = "smtp"
    network: ClassVar[str] = "smtp"
    carries: ClassVar[str] = "message"
    Settings: ClassVar[type[SmtpSettings]] = SmtpSettings
    limits: Limits = Limits()

    def __init__(self, name: str, settings: SmtpSettings, *, folder: Path, now: Callable[[], datetime]) -> None:
        """Connect to nothing yet."""
        self.name = name
        self.local = settings.host in LOOPBACK
        self.connections = settings.connections
        self._settings = settings
        self._port = settings.port or _PORTS[settings.tls]
        self._now = now
        self._pace = Pace(settings.pause)
        self._signing = Signing(settings.dkim_selector, settings.dkim_key_file, folder=folder)

    def request(self, parcel: Parcel, key: str) -> Request:  # noqa: ARG002 - the message carries its own id
        """The envelope and the exact bytes of DATA, before dots are doubled."""
        mail = self._signing.signed(_message(parcel))
        return Request(
            method="MAIL",
            url=f"smtp://{self._settings.host}:{self._port}",
            headers={"MAIL FROM": f"<{mail.sender}>", "RCPT TO": f"<{mail.recipient}>"},
            body=mail.data,
            suffix=".eml",
        )

    def send(self, parcel: Parcel, key: str) -> Receipt:
        """Send one message over a connection of its own; the caller has recorded the intent."""
        ((_, result),) = list(self.send_run([(key, parcel)], set))
        if isinstance(result, Receipt):
            return result
        raise result or Unreachable

    def send_run(
        self, parcels: Iterable[tuple[str, Parcel]], intend: Callable[[Sequence[str]], set[str]]
    ) -> Iterator[tuple[str, Receipt | Exception | None]]:
        """Send in order over one connection; a new one where the old one broke or has carried enough.

        A host that cannot be reached is asked once: the rest of the run gets the same answer.
        """
        connection: smtplib.SMTP | None = None
        carried = 0
        down: Unreachable | None = None
        try:
            for key, parcel in parcels:
                if down is not None:
                    yield key, Unreachable(str(down), code=down.code, advice=down.advice)
                    continue
                if connection is not None and carried >= self._settings.max_per_connection:
                    _leave(connection)
                    connection = None
                if connection is None:
                    try:
                        connection, carried = self._connect(), 0
                    except Unreachable as error:
                        down = error
                        yield key, error
                        continue
                try:
                    mail = self._signing.signed(_message(parcel))
                except Unreachable as error:
                    yield key, error
                    continue
                carried += 1
                result, usable = self._one(connection, mail, lambda key=key: key in intend([key]))  # type: ignore[misc]
                if not usable:
                    connection.close()
                    connection = None
                yield key, result
        finally:
            if connection is not None:
                _leave(connection)

    def reconcile(self, parcel: Parcel, key: str, since: datetime) -> Receipt | None:  # noqa: ARG002 - nothing can be asked
        """SMTP has no way to ask (RFC 1047): a person, a bounce or the relay's log decides."""
        msg = "The relay may or may not have taken this message."
        raise Uncertain(
            msg,
            advice="Look for its Message-ID in the relay's log, then settle it.",
        )

    def doctor(self) -> list[Finding]:
        """Connect, encrypt, sign in and leave; say what to do about what fails."""
        place = f"{self._settings.host}:{self._port}"
        try:
            connection = self._connect()
        except Unreachable as error:
            return [Finding(ok=False, what=f"{place}: {error}", advice=error.advice)]
        features = connection.esmtp_features
        findings = [Finding(ok=True, what=f"{place} answers")]
        if isinstance(connection.sock, ssl.SSLSocket):
            findings.append(Finding(ok=True, what=f"encrypted with {connection.sock.version()}, certificate checked"))
        else:
            findings.append(Finding(ok=True, what="not encrypted: this machine alone"))
        if self._settings.username:
            findings.append(Finding(ok=True, what=f"signed in as {self._settings.username}"))
        elif "auth" in features and not self.local:
            advice = "Set username, and the password in the environment."
            findings.append(Finding(ok=False, what="the server offers sign-in, and no username is set", advice=advice))
        offers = ", ".join(sorted(set(features) & {"pipelining", "size", "8bitmime", "smtputf8"})) or "no extensions"
        findings.append(Finding(ok=True, what=f"offers {offers}"))
        _leave(connection)
        return [*findings, *self._signing.doctor()]

    def examine(self, data: bytes) -> list[Finding]:
        """Whether a delivered message is signed as one-click unsubscribing asks."""
        return self._signing.examine(data)

    def close(self) -> None:
        """Nothing is kept between runs."""

    # -- one connection -------------------------------------------------------------------------

    def _connect(self) -> smtplib.SMTP:
        """Connected, greeted, encrypted as the settings say, and signed in.

        Raises
        ------
        Unreachable
            With our advice.
        """
        settings = self._settings
        helo = settings.helo or _own_name()
        connection: smtplib.SMTP | None = None
        try:
            if settings.tls == "implicit":
                connection = smtplib.SMTP_SSL(
                    settings.host, self._port, helo, timeout=_CONNECT_WITHIN, context=ssl.create_default_context()
                )
            else:
                connection = smtplib.SMTP(settings.host, self._port, helo, timeout=_CONNECT_WITHIN)
            _socket(connection).setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.ehlo_or_helo_if_needed()
            if settings.tls == "starttls":
                _encrypt(connection)
            if settings.username:
                connection.login(settings.username, settings.password.get_secret_value())
            _socket(connection).settimeout(settings.timeout)
        except Unreachable:
            _drop(connection)
            raise
        except (OSError, smtplib.SMTPException, ValueError) as error:
            _drop(connection)
            raise _unreachable(error, settings) from error
        return connection

    def _one(
        self, connection: smtplib.SMTP, mail: Message, granted: Callable[[], bool]
    ) -> tuple[Receipt | DeliveryError | None, bool]:
        """One message, and whether the connection can carry another."""
        data = _stuffed(mail.data)
        problem = _unsendable(mail, data, connection)
        if problem is not None:
            return problem, True
        self._pace.wait()
        try:
            refusal = self._address(connection, mail, len(data))
            if refusal is not None:
                if refusal.code.startswith(str(_CLOSING)):
                    return refusal, False
                connection.rset()
                return refusal, True
        except (OSError, smtplib.SMTPException) as error:
            return Unreachable(f"The connection broke before the message ({type(error).__name__})."), False
        # The server waits for the text. Unless the intent is recorded, the connection is dropped without a dot:
        # a lone dot would mail an empty message to somebody who has just unsubscribed.
        if not granted():
            return None, False
        try:
            connection.send(data)
            fail_at("smtp.before_dot")
            connection.send(b".\r\n")
            fail_at("smtp.after_dot")
            code, said = connection.getreply()
        except (OSError, smtplib.SMTPException) as error:
            return Uncertain(f"The connection broke after the message was handed over ({type(error).__name__})."), False
        return self._after_the_dot(code, said, mail)

    def _address(self, connection: smtplib.SMTP, mail: Message, size: int) -> DeliveryError | None:
        """MAIL, RCPT and DATA; what the server held against one of them, or ``None`` when it waits for the text."""
        options = [f"SIZE={size}"] if connection.has_extn("size") else []
        code, said = connection.mail(mail.sender, options)
        if code != _OK:
            return self._refusal(code, said, "the sender")
        code, said = connection.rcpt(mail.recipient)
        if code not in {_OK, 251}:
            return self._refusal(code, said, "the recipient")
        code, said = connection.docmd("DATA")
        return None if code == _GO_AHEAD else self._refusal(code, said, "the message")

    def _refusal(self, code: int, said: bytes, what: str) -> DeliveryError:
        text, status = _reply(code, said)
        sentence = f"The server refused {what}: {text}"
        if code == _CLOSING or code < 400:  # noqa: PLR2004 - a reply that makes no sense here is no verdict
            return Unreachable(sentence, code=str(code))
        if code < _PERMANENT:
            return Throttled(sentence, retry_at=self._now() + _GREYLISTED, code=status)
        if what == "the sender" and code != _TOO_LARGE:
            # Every message of the edition would fail for good over one wrong setting.
            return Unreachable(sentence, code=status, advice="Check `from` of the newsletter, and username and password.")
        return Refused(sentence, code=status)

    def _after_the_dot(self, code: int, said: bytes, mail: Message) -> tuple[Receipt | DeliveryError, bool]:
        text, status = _reply(code, said)
        if code == _OK:
            return Receipt(remote_id=mail.message_id), True
        if code == _CLOSING or not 400 <= code < 600:  # noqa: PLR2004 - SMTP's own ranges
            return Uncertain(f"The server closed after the message: {text}", code=str(code)), False
        if code < _PERMANENT:
            return Throttled(f"The server put the message off: {text}", retry_at=self._now() + _GREYLISTED, code=status), True
        return Refused(f"The server refused the message: {text}", code=status), True


def _message(parcel: Parcel) -> Message:
    if not isinstance(parcel, Message):
        msg = f"SMTP carries messages, not {type(parcel).__name__}"
        raise TypeError(msg)
    return parcel


def _unsendable(mail: Message, data: bytes, connection: smtplib.SMTP) -> Refused | None:
    """What cannot be said to this server; nothing has been said yet."""
    if not (_ADDRESS.fullmatch(mail.sender) and _ADDRESS.fullmatch(mail.recipient)):
        return Refused("This address cannot be said to a mail server.", code="5.1.3")
    most = connection.esmtp_features.get("size", "")
    if most.isdigit() and 0 < int(most) < len(data):
        return Refused(f"The message has {len(data):,} bytes; the server takes {int(most):,}.", code="5.3.4")
    return None


def _stuffed(data: bytes) -> bytes:
    """Whole lines, a dot doubled where a line begins with one (RFC 5321 §4.5.2)."""
    whole = data if data.endswith(b"\r\n") else data + b"\r\n"
    return _DOT_LINE.sub(b"..", whole)


def _reply(code: int, said: bytes) -> tuple[str, str]:
    """The server's words on one line, and its enhanced status code, or the plain one."""
    text = " ".join(said.decode("utf-8", "replace").split())[:200]
    found = _ENHANCED.match(text)
    return f"{code} {text}".strip(), found[1] if found else str(code)


def _unreachable(error: Exception, settings: SmtpSettings) -> Unreachable:
    """Our sentence and advice for a connection that could not be made. Never the password: the server's words alone."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        text, status = _reply(error.smtp_code, bytes(error.smtp_error if isinstance(error.smtp_error, bytes) else b""))
        return Unreachable(f"The server refused the sign-in: {text}", code=status, advice="Check username and password.")
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return Unreachable("The server takes no sign-in.", advice="Leave out username and password, or check host and port.")
    if isinstance(error, ssl.SSLCertVerificationError):
        advice = "Use the name that the certificate carries, or add its issuer to this machine's trusted ones."
        return Unreachable(f"The server's certificate is not trusted ({error.verify_message}).", advice=advice)
    if isinstance(error, ssl.SSLError):
        advice = 'Port 587 usually means tls = "starttls", port 465 tls = "implicit".'
        return Unreachable("The encrypted connection could not be made.", advice=advice)
    if isinstance(error, smtplib.SMTPResponseException):
        text, status = _reply(error.smtp_code, bytes(error.smtp_error if isinstance(error.smtp_error, bytes) else b""))
        return Unreachable(f"The server refused the connection: {text}", code=status)
    if isinstance(error, socket.gaierror):
        return Unreachable(f"There is no host {settings.host!r}.", advice="Check host, and this machine's network.")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return Unreachable(f"The server could not be reached ({reason}).", advice="Check host, port and tls.")


def _encrypt(connection: smtplib.SMTP) -> None:
    if not connection.has_extn("starttls"):
        msg = "The server does not offer STARTTLS."
        raise Unreachable(msg, advice='Try tls = "implicit" with port 465.')
    connection.starttls(context=ssl.create_default_context())
    connection.ehlo()  # what was offered before is void (RFC 3207 §4.2)


def _socket(connection: smtplib.SMTP) -> socket.socket:
    if connection.sock is None:
        msg = "not connected"
        raise smtplib.SMTPServerDisconnected(msg)
    return connection.sock


def _drop(connection: smtplib.SMTP | None) -> None:
    if connection is not None:
        connection.close()


def _leave(connection: smtplib.SMTP) -> None:
    """Say goodbye; whatever the server answers, nothing depends on it."""
    with contextlib.suppress(OSError, smtplib.SMTPException):
        _socket(connection).settimeout(5)
        connection.quit()
    connection.close()


def _own_name() -> str:
    """This host's full name where it has one; never a look-up in the network, which may take minutes."""
    name = socket.gethostname()
    return name if "." in name else "[127.0.0.1]"
