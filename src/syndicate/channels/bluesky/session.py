"""A Bluesky account's session: its tokens, kept in a file that only we may read, and asking with them."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from syndicate.channels.http import Answer, Line
from syndicate.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syndicate.channels.bluesky import BlueskySettings

_SESSION: Final = "/xrpc/com.atproto.server.{}Session"
_EXPIRED: Final = frozenset({"ExpiredToken", "InvalidToken", "AuthMissing", "AuthenticationRequired", "401"})


class Session:
    """The account's tokens: kept in a file that only we may read, replaced whole before they are used."""

    def __init__(self, line: Line, settings: BlueskySettings, file: Path) -> None:
        self._line = line
        self._settings = settings
        self._file = file
        self._lock = threading.Lock()
        self._tokens: Mapping[str, str] = {}

    def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        effect: bool = False,
    ) -> Answer:
        """Ask with the access token; an expired one is renewed once. An expired token proves that nothing was made."""
        used = self._access("")
        for last in (False, True):
            try:
                authorised = {**(headers or {}), "Authorization": f"Bearer {used}"}
                return self._line.ask(method, path, headers=authorised, content=content, effect=effect)
            except Refused as error:
                if last or error.code not in _EXPIRED:
                    raise
                used = self._access(used)
        raise AssertionError  # the loop returns or raises

    def _access(self, refused: str) -> str:
        """An access token other than the one that was refused."""
        with self._lock:
            if not self._tokens:
                self._tokens = self._read()
            if not self._tokens or self._tokens["accessJwt"] == refused:
                self._tokens = self._renew()
                self._keep()
            return self._tokens["accessJwt"]

    def _renew(self) -> Mapping[str, str]:
        """Fresh tokens: by the refresh token, or by signing in where that has expired too."""
        if self._tokens:
            try:
                return self._made("refresh", headers={"Authorization": f"Bearer {self._tokens['refreshJwt']}"})
            except Refused:
                self._tokens = {}
        secret = self._settings.app_password.get_secret_value()
        body = json.dumps({"identifier": self._settings.handle, "password": secret}).encode()
        try:
            return self._made("create", headers={"Content-Type": "application/json"}, content=body)
        except Refused as error:
            advice = "Make an app password under Settings, Privacy and security, and set app_password in the environment."
            raise Refused(str(error), code=error.code, advice=advice) from error

    def _made(self, verb: str, *, headers: Mapping[str, str], content: bytes | None = None) -> Mapping[str, str]:
        tokens = _tokens(self._line.ask("POST", _SESSION.format(verb), headers=headers, content=content).data)
        if not tokens:
            msg = "The server's session has no tokens."
            raise Refused(msg, code="session")
        return tokens

    def _read(self) -> Mapping[str, str]:
        try:
            kept = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        ours = isinstance(kept, dict) and (kept.get("url"), kept.get("handle")) == (self._settings.url, self._settings.handle)
        return _tokens(kept) if ours else {}

    def _keep(self) -> None:
        kept = {**self._tokens, "url": self._settings.url, "handle": self._settings.handle}
        # Where it cannot be kept, this process goes on with it and the next one signs in.
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, part = tempfile.mkstemp(dir=self._file.parent, prefix=".", suffix=".part")  # 0600
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(kept, file)
                file.flush()
                os.fsync(file.fileno())
            Path(part).replace(self._file)


def _tokens(data: object) -> Mapping[str, str]:
    if not isinstance(data, dict):
        return {}
    kept = {name: str(data.get(name) or "") for name in ("accessJwt", "refreshJwt", "did")}
    return kept if kept["accessJwt"] and kept["refreshJwt"] else {}
