"""The channel of a relay that takes our mail: what it is asked, one message or a run of them, and what the doctor sees."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from syndicate.channels.signing import Signing
from syndicate.channels.smtp.line import PORTS, Line
from syndicate.channels.smtp.sending import Sending
from syndicate.channels.smtp.settings import LOOPBACK, SmtpSettings
from syndicate.errors import Uncertain, Unreachable
from syndicate.model import Finding, Limits, Message, Parcel, Receipt, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from syndicate.channels import Run


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
        self.host = settings.host
        self.connections = settings.connections
        self.per_second = settings.per_second
        self.domains = settings.domains_per_second
        self.ceilings = settings.warm_up
        self._settings = settings
        self._port = settings.port or PORTS[settings.tls]
        self._now = now
        self._pipelines = settings.pipelining
        self._up: set[int] = set()  # runs that have had a connection
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
        run = _Single(key, parcel)
        self.send_run(run)
        if isinstance(run.outcome, Receipt):
            return run.outcome
        raise run.outcome or Unreachable

    def send_run(self, run: Run) -> None:
        """Work off a run over one connection; a new one where the old one broke or has carried enough.

        It ends early where no connection can be made: one parcel has that answer then, the others are handed back.
        """
        try:
            Sending(
                run,
                self._settings,
                connect=lambda: self._connect(run),
                distrust=self._distrust,
                signed=self._signing.signed,
                now=self._now,
            ).work()
        finally:
            self._up.discard(id(run))

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
            line = Line(self._settings)
        except Unreachable as error:
            return [Finding(ok=False, what=f"{place}: {error}", advice=error.advice)]
        findings = [Finding(ok=True, what=f"{place} answers")]
        if line.encryption:
            findings.append(Finding(ok=True, what=f"encrypted with {line.encryption}, certificate checked"))
        else:
            findings.append(Finding(ok=True, what="not encrypted: this machine alone"))
        if self._settings.username:
            findings.append(Finding(ok=True, what=f"signed in as {self._settings.username}"))
        elif "auth" in line.features and not self.local:
            advice = "Set username, and the password in the environment."
            findings.append(Finding(ok=False, what="the server offers sign-in, and no username is set", advice=advice))
        offers = ", ".join(sorted(line.features & {"pipelining", "size", "8bitmime", "smtputf8"})) or "no extensions"
        findings.append(Finding(ok=True, what=f"offers {offers}"))
        line.leave()
        return [*findings, *self._signing.doctor()]

    def examine(self, data: bytes) -> list[Finding]:
        """Whether a delivered message is signed as one-click unsubscribing asks."""
        return self._signing.examine(data)

    def close(self) -> None:
        """Nothing is kept between runs."""

    def _connect(self, run: Run) -> Line | None:
        """A connection; ``None`` where others of this channel work and one more was refused: the run does without it.

        Raises
        ------
        Unreachable
            There is no other.
        """
        try:
            line = Line(self._settings)
        except Unreachable:
            if self._up - {id(run)}:
                return None
            raise
        line.pipelines = line.pipelines and self._pipelines
        self._up.add(id(run))
        return line

    def _distrust(self) -> None:
        """It offers pipelining and cannot do it: from now on each command waits for its reply."""
        self._pipelines = False


class _Single:
    """The run of one parcel whose intent is recorded."""

    def __init__(self, key: str, parcel: Parcel) -> None:
        self._left = [(key, parcel)]
        self.outcome: Receipt | Exception | None = None

    def take(self, most: int, *, wait: bool) -> Sequence[tuple[str, Parcel]]:  # noqa: ARG002 - there is one, at once
        found, self._left = self._left, []
        return found

    def intend(self, keys: Sequence[str]) -> set[str]:
        return set(keys)

    def meanwhile(self, most: int) -> Mapping[str, float]:  # noqa: ARG002 - there is no other connection
        return {}

    def tell(self, key: str, outcome: Receipt | Exception | None) -> None:  # noqa: ARG002 - there is one
        self.outcome = outcome

    def stopping(self) -> bool:
        return False


def _message(parcel: Parcel) -> Message:
    if not isinstance(parcel, Message):
        msg = f"SMTP carries messages, not {type(parcel).__name__}"
        raise TypeError(msg)
    return parcel
