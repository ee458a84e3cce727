"""A Bluesky account's session: its tokens, kept in a file that only we may read, and asking with them."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from syndicate.channels.http import Answer, Line
from syndicate.channels.tokens import TokenFile
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
        self._file = TokenFile(file)
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

    def ends(self) -> datetime | None:
        """Until when the session can be renewed without signing in again (the refresh token's ``exp``, RFC 7519)."""
        claims = str(self._tokens.get("refreshJwt", "")).split(".")[1:2]
        try:
            told = json.loads(base64.urlsafe_b64decode(f"{claims[0]}==")) if claims else {}
            return datetime.fromtimestamp(int(told["exp"]), UTC)
        except (ValueError, KeyError, TypeError, OverflowError, OSError):
            return None

    def _access(self, refused: str) -> str:
        """An access token other than the one that was refused: as another process has renewed it meanwhile, or renewed here."""
        if self._tokens and self._tokens["accessJwt"] != refused:
            return self._tokens["accessJwt"]
        with self._file.alone():
            self._tokens = self._read() or self._tokens
            if not self._tokens or self._tokens["accessJwt"] == refused:
                self._tokens = self._renew()
                self._file.keep({**self._tokens, "url": self._settings.url, "handle": self._settings.handle})
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
        kept = self._file.read()
        ours = (kept.get("url"), kept.get("handle")) == (self._settings.url, self._settings.handle)
        return _tokens(kept) if ours else {}


def _tokens(data: object) -> Mapping[str, str]:
    if not isinstance(data, dict):
        return {}
    kept = {name: str(data.get(name) or "") for name in ("accessJwt", "refreshJwt", "did")}
    return kept if kept["accessJwt"] and kept["refreshJwt"] else {}
