"""The DKIM key of a channel, read when the first message is to be signed. No channel; any that carries mail may use it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from syndicate.errors import RenderError, Unreachable
from syndicate.model import Finding, Message

if TYPE_CHECKING:
    from syndicate.render.dkim import Signer


class Signing:
    """What signs the messages of one channel; without a selector it leaves them as they are."""

    def __init__(self, selector: str, file: str, *, folder: Path) -> None:
        """``file`` is a path below ``folder`` or a whole one."""
        self._selector, self._file, self._folder = selector, file, folder
        self._signers: dict[str, Signer] = {}  # by domain

    def signed(self, mail: Message) -> Message:
        """The message with our signature.

        Raises
        ------
        Unreachable
            The key cannot be used: nothing leaves unsigned.
        """
        if not self._selector:
            return mail
        return replace(mail, data=self._signer(sender_domain(mail.data)).sign(mail.data), undotted=False)

    def examine(self, data: bytes) -> list[Finding]:
        """What a delivered message's signatures cover; where we sign, whether ours holds."""
        from syndicate.render import dkim

        try:
            return dkim.examine(data, self._signer(sender_domain(data)) if self._selector else None)
        except Unreachable as error:
            return [*dkim.examine(data), Finding(ok=False, what=str(error), advice=error.advice)]

    def doctor(self) -> list[Finding]:
        """Who signs, and what must stand in the domain system."""
        if not self._selector:
            return [
                Finding(ok=True, what="the relay signs; `channels doctor NAME --message FILE.eml` looks at a delivered message")
            ]
        try:
            _, text = self._signer("").record()
        except Unreachable as error:
            return [Finding(ok=False, what=str(error), advice=error.advice)]
        what = f"signs with {self._file}"
        return [Finding(ok=True, what=what, advice=f"TXT record of {self._selector}._domainkey.DOMAIN: {text}")]

    def _signer(self, domain: str) -> Signer:
        from syndicate.render import dkim

        if domain not in self._signers:
            try:
                pem = (self._folder / self._file).read_bytes()
                self._signers[domain] = dkim.signer(pem, domain=domain, selector=self._selector, file=self._file)
            except OSError as error:
                msg = f"The DKIM key {self._file} cannot be read ({error.strerror})."
                raise Unreachable(msg, advice="Nothing is sent unsigned; check dkim_key_file.") from error
            except RenderError as error:
                msg = f"The DKIM key {self._file} cannot be used: {error.faults[0].what}."
                raise Unreachable(msg, advice=error.faults[0].right) from error
        return self._signers[domain]


def sender_domain(data: bytes) -> str:
    """The domain of the From header, which a signature must name (DMARC's alignment)."""
    found = re.search(rb"(?mi)^From:(.*(?:\r?\n[ \t].*)*)", data.partition(b"\r\n\r\n")[0])
    return found[1].decode("ascii", "replace").rpartition("@")[2].strip("> \r\n\t").lower() if found else ""
