"""Bluesky (AT protocol): one record for each post, under an id made from its key, so that sending it again changes nothing.

Sessions are kept in ``var/sessions`` and refreshed: a server allows only a few sign-ins a day.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from syndicate import links
from syndicate.channels.http import Answer, Line, clock_finding, failed, is_loopback
from syndicate.errors import DeliveryError, Refused, Uncertain
from syndicate.model import Finding, Limits, Parcel, Post, Receipt, Request
from syndicate.render import counting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_COLLECTION: Final = "app.bsky.feed.post"
_PUT: Final = "/xrpc/com.atproto.repo.putRecord"
_DELETE: Final = "/xrpc/com.atproto.repo.deleteRecord"
_SESSION: Final = "/xrpc/com.atproto.server.{}Session"
_LANGUAGES: Final = 3
_EXPIRED: Final = frozenset({"ExpiredToken", "InvalidToken", "AuthMissing", "AuthenticationRequired", "401"})
_PROVES_ABSENCE: Final = frozenset({"400", "InvalidRequest", "InvalidRecord", "413"})


class BlueskySettings(BaseModel):
    """[channels.NAME] with kind = "bluesky"."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["bluesky"] = "bluesky"
    url: str = "https://bsky.social"  # the account's server (PDS)
    handle: str  # "letter.example.org"
    app_password: SecretStr  # from the environment
    timeout: Annotated[float, Field(gt=0, le=600)] = 30.0  # seconds

    @field_validator("url")
    @classmethod
    def _address(cls, url: str) -> str:
        if not url.startswith("https://") and not is_loopback(url):
            msg = 'the server\'s address begins with "https://"'
            raise ValueError(msg)
        return url.rstrip("/")

    @field_validator("handle")
    @classmethod
    def _bare_handle(cls, handle: str) -> str:
        return handle.removeprefix("@")


class Bluesky:
    """One account on one server."""

    kind: ClassVar[str] = "bluesky"
    network: ClassVar[str] = "bluesky"
    carries: ClassVar[str] = "post"
    Settings: ClassVar[type[BlueskySettings]] = BlueskySettings
    limits: Limits = Limits(
        counting="bluesky", text=300, text_bytes=3000, cards=True, deletes=True, checked="2026-11-22, app.bsky.feed.post"
    )

    def __init__(self, name: str, settings: BlueskySettings, *, folder: Path, now: Callable[[], datetime]) -> None:
        """Connect to nothing yet."""
        self.name = name
        self.local = is_loopback(settings.url)
        self._settings = settings
        self._now = now
        self._line = Line(
            url=settings.url, now=now, timeout=settings.timeout, secrets=(settings.app_password.get_secret_value(),)
        )
        self._session = _Session(self._line, settings, folder / "var" / "sessions" / f"{name}.json")

    def request(self, parcel: Parcel, key: str) -> Request:
        """The record, with its id and its time, as it will be sent now and on every retry."""
        post = _post(parcel)
        put = {
            "repo": self._settings.handle,
            "collection": _COLLECTION,
            "rkey": links.tid(key, post.created),
            "record": _record(post),
        }
        return Request(
            method="POST",
            url=self._settings.url + _PUT,
            headers={"Content-Type": "application/json"},
            body=json.dumps(put, ensure_ascii=False, separators=(",", ":")).encode(),
        )

    def send(self, parcel: Parcel, key: str) -> Receipt:
        """Put the record; the same record under the same id is a no-op."""
        fault = _fault(_post(parcel), self.limits)
        if fault:
            raise Refused(fault, code="invalid")
        request = self.request(parcel, key)
        answer = self._session.ask("POST", _PUT, headers=request.headers, content=request.body, effect=True)
        uri = answer.data.get("uri") if isinstance(answer.data, dict) else None
        if not isinstance(uri, str):
            msg = "The server took the post and did not name it."
            raise Uncertain(msg)
        page = f"https://bsky.app/profile/{self._settings.handle}/post/{uri.rsplit('/', 1)[-1]}"
        return Receipt(remote_id=uri, url=page)

    def reconcile(self, parcel: Parcel, key: str, since: datetime) -> Receipt | None:  # noqa: ARG002 - an identical record can be put at any time
        """Put the identical record again: no reading is needed."""
        try:
            return self.send(parcel, key)
        except Refused as error:
            if error.code in _PROVES_ABSENCE:
                return None
            raise Uncertain(str(error), code=error.code, advice=error.advice) from error

    def delete_request(self, remote_id: str) -> Request:
        """The request that takes a record out of the repository."""
        body = {"repo": self._settings.handle, "collection": _COLLECTION, "rkey": remote_id.rsplit("/", 1)[-1]}
        return Request(
            method="POST",
            url=self._settings.url + _DELETE,
            headers={"Content-Type": "application/json"},
            body=json.dumps(body, separators=(",", ":")).encode(),
        )

    def delete(self, remote_id: str) -> Receipt:
        """Take one record out; the server answers the same where it is gone already."""
        request = self.delete_request(remote_id)
        self._session.ask("POST", _DELETE, headers=request.headers, content=request.body, effect=True)
        return Receipt(remote_id=remote_id)

    def doctor(self) -> list[Finding]:
        """Whether the app password works, whose account it is, and whether the clocks agree."""
        try:
            answer = self._session.ask("GET", _SESSION.format("get"))
        except DeliveryError as error:
            return [failed("the sign-in", error, "Make an app password under Settings, Privacy and security.")]
        told = answer.data if isinstance(answer.data, dict) else {}
        findings = [Finding(ok=True, what=f"signed in as {told.get('handle', self._settings.handle)}")]
        if told.get("active") is False:
            findings.append(Finding(ok=False, what="the account is not active", advice="Look at the account's own pages."))
        findings.append(Finding(ok=True, what=f"{self.limits.text} graphemes and {self.limits.text_bytes:,} bytes a post"))
        clock = clock_finding(answer.headers, self._now())
        return [*findings, clock] if clock else findings

    def close(self) -> None:
        """The session stays for the next run."""


class _Session:
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


def _post(parcel: Parcel) -> Post:
    if not isinstance(parcel, Post):
        msg = f"Bluesky carries posts, not {type(parcel).__name__}"
        raise TypeError(msg)
    return parcel


def _record(post: Post) -> dict[str, Any]:
    """The post as ``app.bsky.feed.post``; what it does not have is left out."""
    record: dict[str, Any] = {
        "$type": _COLLECTION,
        "text": post.text,
        "createdAt": post.created.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "langs": [post.lang][:_LANGUAGES],
    }
    if post.facets:
        record["facets"] = [
            {
                "index": {"byteStart": facet.start, "byteEnd": facet.end},
                "features": [{"$type": "app.bsky.richtext.facet#link", "uri": facet.uri}],
            }
            for facet in post.facets
        ]
    if post.card:
        external = {"uri": post.card.uri, "title": post.card.title, "description": post.card.description}
        record["embed"] = {"$type": "app.bsky.embed.external", "external": external}
    if post.labels:
        values = [{"val": label} for label in post.labels]
        record["labels"] = {"$type": "com.atproto.label.defs#selfLabels", "values": values}
    return record


def _fault(post: Post, limits: Limits) -> str:
    """Why the post cannot be said: the server itself takes any facet."""
    if not counting.fits(post.text, limits):
        return f"The post has {counting.count(post.text, limits)} graphemes; Bluesky takes {limits.text} and 3,000 bytes."
    fault = counting.facet_fault(post.text, post.facets)
    return f"The post cannot be sent: {fault}." if fault else ""
