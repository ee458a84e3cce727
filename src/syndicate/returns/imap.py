"""A mailbox on an IMAP server (RFC 3501, RFC 9051), looked into. The door of imaplib.

The folder is opened for reading alone (EXAMINE) and mails are fetched with PEEK: the server itself lets nothing be
marked or deleted. What was read is the caller's to remember, by the folder's UIDs.
"""

from __future__ import annotations

import contextlib
import imaplib
import re
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from syndicate.errors import Unreachable
from syndicate.returns.parts import MOST_BYTES

if TYPE_CHECKING:
    from types import TracebackType

    from syndicate.config.returns import ImapSettings

_PORTS: Final = {"implicit": 993, "starttls": 143, "none": 143}
_WITHIN: Final = 30.0  # seconds for an answer
_STRIDE: Final = 50_000  # UIDs asked for at once: the answer stands on one line, and imaplib takes no more than a megabyte
_ADVICE: Final = "Check [returns.imap], and that the server can be reached from here."


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """How far a folder was read."""

    validity: int = 0  # UIDVALIDITY: with another one all UIDs are new
    uid: int = 0  # the last one


class Mailbox:
    """One connection, signed in, with the folder open for reading."""

    def __init__(self, settings: ImapSettings) -> None:
        """Connect to nothing yet."""
        self._settings = settings
        self._imap: imaplib.IMAP4 | None = None

    def __enter__(self) -> Mailbox:
        """Connect and sign in.

        Raises
        ------
        Unreachable
            With our advice; never the password.
        """
        settings = self._settings
        port = settings.port or _PORTS[settings.tls]
        try:
            if settings.tls == "implicit":
                self._imap = imaplib.IMAP4_SSL(settings.host, port, ssl_context=ssl.create_default_context(), timeout=_WITHIN)
            else:
                self._imap = imaplib.IMAP4(settings.host, port, timeout=_WITHIN)
            if settings.tls == "starttls":
                self._imap.starttls(ssl.create_default_context())
        except (OSError, imaplib.IMAP4.error) as error:
            self._leave()
            msg = f"The mailbox at {settings.host} cannot be reached ({type(error).__name__})."
            raise Unreachable(msg, advice=_ADVICE) from error
        try:
            self._imap.login(settings.username, settings.password.get_secret_value())
        except (OSError, imaplib.IMAP4.error, UnicodeError) as error:
            self._leave()
            msg = f"{settings.host} refused the sign-in of {settings.username!r}."
            raise Unreachable(msg, advice="Check username, and the password in SYNDICATE_RETURNS__IMAP__PASSWORD.") from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Sign out."""
        self._leave()

    def mails(self, mark: Mark) -> Iterator[tuple[Mark, bytes]]:
        """Each mail after ``mark``, and how far it brings us.

        Raises
        ------
        Unreachable
            The folder is not there, or the connection broke: what came before it was read.
        """
        try:
            validity, following = self._open(self._settings.folder, readonly=True)
            after = mark.uid if mark.validity == validity else 0
            for begin in range(after + 1, following, _STRIDE):
                end = min(begin + _STRIDE, following) - 1
                for uid in self._numbers(begin, end):
                    yield Mark(validity=validity, uid=uid), self._mail(uid)
        except (OSError, imaplib.IMAP4.error) as error:
            msg = f"The mailbox at {self._settings.host} broke off ({type(error).__name__})."
            raise Unreachable(msg, advice=_ADVICE) from error

    def move(self, uids: Sequence[int], folder: str) -> int:
        """Move these mails, and no others, to another folder; how many. Where the server cannot do that, they stay.

        Raises
        ------
        Unreachable
            The folder is not there.
        """
        imap = self._connected()
        able = set(imap.capability()[1][-1].decode("ascii", "replace").upper().split())  # what it offers after signing in
        if not uids or not able & {"MOVE", "UIDPLUS"}:
            return 0
        which = ",".join(map(str, uids))
        try:
            self._open(self._settings.folder, readonly=False)
            if "MOVE" in able:
                self._do("MOVE", which, _quoted(folder))
            else:
                self._do("COPY", which, _quoted(folder))
                self._do("STORE", which, "+FLAGS.SILENT", r"(\Deleted)")
                self._do("EXPUNGE", which)  # with UIDs: these alone (RFC 4315)
        except (OSError, imaplib.IMAP4.error) as error:
            msg = f"Mails could not be moved to {folder!r}."
            raise Unreachable(msg, advice="Make that folder, or empty `move_to` under [returns.imap].") from error
        return len(uids)

    def _open(self, folder: str, *, readonly: bool) -> tuple[int, int]:
        """Open a folder; its UIDVALIDITY and the UID that the next mail will have."""
        imap = self._connected()
        answer, _ = imap.select(_quoted(folder), readonly=readonly)
        if answer != "OK":
            msg = "no such folder"
            raise imaplib.IMAP4.error(msg)
        found = {name: imap.response(name)[1] for name in ("UIDVALIDITY", "UIDNEXT")}
        numbers = {name: int(values[-1]) for name, values in found.items() if values and values[-1] is not None}
        return numbers.get("UIDVALIDITY", 0), numbers.get("UIDNEXT", 0)

    def _numbers(self, begin: int, end: int) -> list[int]:
        (line,) = self._do("SEARCH", "UID", f"{begin}:{end}")[-1:] or (b"",)
        found = [int(word) for word in re.findall(rb"\d+", line if isinstance(line, bytes) else b"")]
        return sorted(uid for uid in found if begin <= uid <= end)

    def _mail(self, uid: int) -> bytes:
        answer = self._do("FETCH", str(uid), f"(BODY.PEEK[]<0.{MOST_BYTES}>)")
        return next((part[1] for part in answer if isinstance(part, tuple) and isinstance(part[1], bytes)), b"")

    def _do(self, command: str, *arguments: str) -> list[object]:
        answer, data = self._connected().uid(command, *arguments)
        if answer != "OK":
            msg = f"{command} was refused"
            raise imaplib.IMAP4.error(msg)
        return list(data)

    def _connected(self) -> imaplib.IMAP4:
        if self._imap is None:
            msg = "not connected"
            raise imaplib.IMAP4.error(msg)
        return self._imap

    def _leave(self) -> None:
        if self._imap is not None:
            with contextlib.suppress(OSError, imaplib.IMAP4.error):
                self._imap.logout()
            self._imap = None


def _quoted(folder: str) -> str:
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
