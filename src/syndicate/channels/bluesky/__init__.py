"""Bluesky (AT protocol): one record for each post, under an id made from its key, so that sending it again changes nothing.

Sessions are kept in ``var/sessions`` and refreshed: a server allows only a few sign-ins a day.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal
from urllib.parse import urlencode

from pydantic import Field, SecretStr, field_validator

from syndicate import links
from syndicate.channels.bluesky.record import COLLECTION, fault, record
from syndicate.channels.bluesky.session import Session
from syndicate.channels.http import Answer, Line, ServerUrl, clock_finding, failed, is_loopback
from syndicate.channels.pictures import read, tried
from syndicate.channels.posting import PostingSettings
from syndicate.errors import DeliveryError, Refused, Uncertain
from syndicate.model import Amendment, Finding, Limits, Parcel, Picture, Post, Receipt, Request, Way

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_WHO: Final = "/xrpc/com.atproto.server.getSession"
_BLOB: Final = "/xrpc/com.atproto.repo.uploadBlob"
_PUT: Final = "/xrpc/com.atproto.repo.putRecord"
_GET: Final = "/xrpc/com.atproto.repo.getRecord"
_DELETE: Final = "/xrpc/com.atproto.repo.deleteRecord"
_GONE: Final = frozenset({"RecordNotFound", "RecordTakedown"})
_PROVES_ABSENCE: Final = frozenset({"400", "InvalidRequest", "InvalidRecord", "413"})


class BlueskySettings(PostingSettings):
    """[channels.NAME] with kind = "bluesky"."""

    kind: Literal["bluesky"] = "bluesky"
    url: ServerUrl = "https://bsky.social"  # the account's server (PDS)
    handle: str  # "letter.example.org"
    app_password: SecretStr  # from the environment
    timeout: Annotated[float, Field(gt=0, le=600)] = 30.0  # seconds

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
        counting="bluesky",
        text=300,
        text_bytes=3000,
        cards=True,
        thumbs=True,
        picture_bytes=1_000_000,
        deletes=True,
        checked="2026-11-22, app.bsky.feed.post, app.bsky.embed.external",
    )

    def __init__(self, name: str, settings: BlueskySettings, *, folder: Path, now: Callable[[], datetime]) -> None:
        """Connect to nothing yet."""
        self.name = name
        self.local = is_loopback(settings.url)
        self.posting: PostingSettings = settings
        self._settings = settings
        self._now = now
        self._line = Line(
            url=settings.url, now=now, timeout=settings.timeout, secrets=(settings.app_password.get_secret_value(),)
        )
        self._folder = folder
        self._session = Session(self._line, settings, folder / "var" / "sessions" / f"{name}.json")

    def request(self, parcel: Parcel, key: str) -> Request:
        """The record, with its id and its time, as it will be sent now and on every retry."""
        post = _post(parcel)
        put = {
            "repo": self._settings.handle,
            "collection": COLLECTION,
            "rkey": links.tid(key, post.created),
            "record": record(post),
        }
        return Request(
            method="POST",
            url=self._settings.url + _PUT,
            headers={"Content-Type": "application/json"},
            body=json.dumps(put, ensure_ascii=False, separators=(",", ":")).encode(),
        )

    def send(self, parcel: Parcel, key: str) -> Receipt:
        """Put the record; the same record under the same id is a no-op."""
        found = fault(_post(parcel), self.limits)
        if found:
            raise Refused(found, code="invalid")
        post, note = self._pictured(_post(parcel))
        try:
            return replace(self._put(self._answering(post, key)), note=note)
        except Refused as error:
            if not _thumb(post) or "blob" not in str(error).lower():
                raise
            return replace(self._put(self._answering(_without_thumb(post), key)), note=f"sent without its picture: {error}")

    def _answering(self, post: Post, key: str) -> Request:
        """The request, with the hashes of the posts that this one answers, which only the server knows."""
        made = self.request(post, key)
        if not post.answers:
            return made
        put = json.loads(made.body)
        for reference in put["record"]["reply"].values():
            reference["cid"] = str(self._record(reference["uri"]).get("cid", ""))
        return replace(made, body=json.dumps(put, ensure_ascii=False, separators=(",", ":")).encode())

    def _pictured(self, post: Post) -> tuple[Post, str]:
        """The post with its card's picture uploaded, or without one, and why. The same bytes again are the same blob."""
        thumb = _thumb(post)
        if thumb is None:
            return post, ""

        def upload() -> Answer:
            headers = {"Content-Type": thumb.type}
            return self._session.ask("POST", _BLOB, headers=headers, content=read(self._folder, thumb))

        _, note = tried(upload)
        return (_without_thumb(post) if note else post), note

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
        body = {"repo": self._settings.handle, "collection": COLLECTION, "rkey": remote_id.rsplit("/", 1)[-1]}
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
            answer = self._session.ask("GET", _WHO)
        except DeliveryError as error:
            return [failed("the sign-in", error, "Make an app password under Settings, Privacy and security.")]
        told = answer.data if isinstance(answer.data, dict) else {}
        findings = [Finding(ok=True, what=f"signed in as {told.get('handle', self._settings.handle)}")]
        if told.get("active") is False:
            findings.append(Finding(ok=False, what="the account is not active", advice="Look at the account's own pages."))
        findings.append(Finding(ok=True, what=f"{self.limits.text} graphemes and {self.limits.text_bytes:,} bytes a post"))
        ends = self._session.ends()
        if ends is not None:
            findings.append(Finding(ok=True, what=f"the session lasts until {ends:%Y-%m-%d}; it is renewed before, by itself"))
        clock = clock_finding(answer.headers, self._now())
        return [*findings, clock] if clock else findings

    def way(self, posted: datetime, now: datetime) -> Way:  # noqa: ARG002 - at any time
        """By a reply: apps go on showing what a changed record said before."""
        return "reply"

    def amend_request(self, amendment: Amendment, key: str) -> Request:
        """The reply, with the post that it answers named once the server has told its hash."""
        return self._reply(amendment, key, {"uri": amendment.remote_id, "cid": ""}, None)

    def amend(self, amendment: Amendment, key: str) -> Receipt:
        """Put the reply; the same record under the same id is a no-op."""
        found = fault(amendment.post, self.limits)
        if found:
            raise Refused(found, code="invalid")
        stands = self._record(amendment.remote_id)
        parent = {"uri": amendment.remote_id, "cid": str(stands.get("cid", ""))}
        value = stands.get("value")
        reply = value.get("reply") if isinstance(value, dict) else None
        request = self._reply(amendment, key, parent, reply.get("root") if isinstance(reply, dict) else None)
        return self._put(request)

    def find_amendment(self, amendment: Amendment, key: str, since: datetime) -> Receipt | None:  # noqa: ARG002 - as `reconcile`
        """Put the identical reply again."""
        try:
            return self.amend(amendment, key)
        except Refused as error:
            raise Uncertain(str(error), code=error.code, advice=error.advice) from error

    def stands(self, remote_id: str) -> bool:
        """Whether the repository still shows the record."""
        try:
            self._record(remote_id)
        except Refused as error:
            if error.code in _GONE:
                return False
            raise
        return True

    def _record(self, uri: str) -> Mapping[str, Any]:
        params = {"repo": self._settings.handle, "collection": COLLECTION, "rkey": uri.rsplit("/", 1)[-1]}
        answer = self._session.ask("GET", f"{_GET}?{urlencode(params)}")
        return answer.data if isinstance(answer.data, dict) else {}

    def _reply(self, amendment: Amendment, key: str, parent: Mapping[str, str], root: object) -> Request:
        made = self.request(amendment.post, key)
        put = json.loads(made.body)
        put["record"]["reply"] = {"root": root or parent, "parent": parent}
        body = json.dumps(put, ensure_ascii=False, separators=(",", ":")).encode()
        return Request(method="POST", url=made.url, headers=made.headers, body=body)

    def _put(self, request: Request) -> Receipt:
        answer = self._session.ask("POST", _PUT, headers=request.headers, content=request.body, effect=True)
        uri = answer.data.get("uri") if isinstance(answer.data, dict) else None
        if not isinstance(uri, str):
            msg = "The server took the post and did not name it."
            raise Uncertain(msg)
        page = f"https://bsky.app/profile/{self._settings.handle}/post/{uri.rsplit('/', 1)[-1]}"
        return Receipt(remote_id=uri, url=page)

    def close(self) -> None:
        """The session stays for the next run."""


def _thumb(post: Post) -> Picture | None:
    return post.card.thumb if post.card else None


def _without_thumb(post: Post) -> Post:
    return replace(post, card=replace(post.card, thumb=None)) if post.card else post


def _post(parcel: Parcel) -> Post:
    if not isinstance(parcel, Post):
        msg = f"Bluesky carries posts, not {type(parcel).__name__}"
        raise TypeError(msg)
    return parcel
