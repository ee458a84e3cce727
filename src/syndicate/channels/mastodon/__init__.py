"""Mastodon and the servers that speak its API: one status for each post, replayed or looked for where the answer was lost."""

from __future__ import annotations

import contextlib
import html
import json
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

from pydantic import Field, SecretStr

from syndicate.channels.http import Answer, Line, ServerUrl, clock_finding, failed, instant, is_loopback
from syndicate.channels.mastodon.media import upload
from syndicate.channels.mastodon.profile import Profile, mapping
from syndicate.channels.pictures import tried
from syndicate.channels.posting import PostingSettings
from syndicate.errors import DeliveryError, Refused, Uncertain
from syndicate.model import Amendment, Finding, Limits, Parcel, Post, Receipt, Request, Way

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_REPLAY: Final = timedelta(minutes=50)  # the server keeps an Idempotency-Key for an hour
_EARLIER: Final = timedelta(minutes=1)  # clocks differ
_PAGES: Final = 5
_PAGE: Final = 40
_HREF: Final = re.compile(r'href="([^"]*)"')
_BREAK: Final = re.compile(r"<br[^>]*>|</p>")
_TAG: Final = re.compile(r"<[^>]*>")
_PROVES_ABSENCE: Final = frozenset({"400", "413", "422"})  # a server that knew the key would have answered with the status
_GONE: Final = frozenset({"404", "410"})
_SCOPES: Final = ("write:statuses", "write:media", "read:statuses", "read:accounts")


class MastodonSettings(PostingSettings):
    """[channels.NAME] with kind = "mastodon"."""

    kind: Literal["mastodon"] = "mastodon"
    url: ServerUrl  # "https://social.example"
    access_token: SecretStr  # from the environment
    visibility: Literal["public", "unlisted", "private", "direct"] = "public"
    software: str = ""  # "mastodon", "gotosocial", …; "" asks the server
    timeout: Annotated[float, Field(gt=0, le=600)] = 30.0  # seconds


class Mastodon:
    """One account on one server."""

    kind: ClassVar[str] = "mastodon"
    network: ClassVar[str] = "mastodon"
    carries: ClassVar[str] = "post"
    Settings: ClassVar[type[MastodonSettings]] = MastodonSettings

    def __init__(self, name: str, settings: MastodonSettings, *, folder: Path, now: Callable[[], datetime]) -> None:
        """Read what the server said of itself last time; ask nothing yet."""
        self.name = name
        self.local = is_loopback(settings.url)
        self.posting: PostingSettings = settings
        self._settings = settings
        self._now = now
        self._profile = Profile(settings, folder / "var" / "profiles" / f"{name}.json")
        self.limits = self._profile.limits()
        secret = settings.access_token.get_secret_value()
        self._line = Line(url=settings.url, now=now, timeout=settings.timeout, secrets=(secret,))
        self._account = ""
        self._folder = folder

    def request(self, parcel: Parcel, key: str) -> Request:
        """The status as JSON, under its key; a picture, which the server has yet to name, stands by its SHA-256."""
        post = _post(parcel)
        media = [f"sha256:{post.picture.sha}"] if post.picture else []
        return self._status(post, key, media)

    def _status(self, post: Post, key: str, media: list[str]) -> Request:
        status: dict[str, object] = {
            "status": post.text,
            "visibility": self._settings.visibility,
            "language": post.lang.split("-")[0].lower(),
        }
        if post.warning:
            status["spoiler_text"] = post.warning
        if media:
            status["media_ids"] = media
        if post.answers:
            status["in_reply_to_id"] = post.answers[-1]
        return Request(
            method="POST",
            url=f"{self._settings.url}/api/v1/statuses",
            headers={"Content-Type": "application/json; charset=utf-8", "Idempotency-Key": key},
            body=json.dumps(status, ensure_ascii=False, separators=(",", ":")).encode(),
        )

    def send(self, parcel: Parcel, key: str) -> Receipt:
        """Post once."""
        if self._profile.is_stale(self._now()):
            with contextlib.suppress(DeliveryError):  # the post itself will tell what is wrong
                self.refresh_limits()
        post = _post(parcel)
        media, note = self._pictured(post)
        request = self._status(post, key, media or [])
        try:
            answer = self._ask("POST", "/api/v1/statuses", headers=request.headers, content=request.body, effect=True)
        except Refused as error:
            raise Refused(str(error), code=error.code, advice=error.advice or _advice(error.code)) from error
        return replace(_receipt(answer.data), note=note)

    def _pictured(self, post: Post) -> tuple[list[str] | None, str]:
        """The server's ids of the post's picture, or why it leaves without."""
        picture = post.picture
        return tried(lambda: upload(self._ask, self._folder, picture)) if picture else (None, "")

    def reconcile(self, parcel: Parcel, key: str, since: datetime) -> Receipt | None:
        """Young and on Mastodon proper: the same key again. Otherwise the account's own statuses are looked through."""
        if self._profile.is_stale(self._now()):
            with contextlib.suppress(DeliveryError):
                self.refresh_limits()
        if self._profile.software == "mastodon" and self._now() - since < _REPLAY:
            try:
                return self.send(parcel, key)
            except Refused as error:
                if error.code in _PROVES_ABSENCE:
                    return None
                raise Uncertain(str(error), code=error.code, advice=error.advice) from error
        return self._look(_post(parcel), since)

    def delete_request(self, remote_id: str) -> Request:
        """The request that deletes a status."""
        return Request(method="DELETE", url=f"{self._settings.url}/api/v1/statuses/{remote_id}", headers={}, body=b"")

    def delete(self, remote_id: str) -> Receipt:
        """Delete one status; one that is gone already is as good."""
        try:
            self._ask("DELETE", f"/api/v1/statuses/{remote_id}", effect=True)
        except Refused as error:
            if error.code not in _GONE:
                raise
        return Receipt(remote_id=remote_id)

    def way(self, posted: datetime, now: datetime) -> Way:  # noqa: ARG002 - a status can be changed at any time
        """In place: its id stays, and readers see that it was changed."""
        return "edit"

    def amend_request(self, amendment: Amendment, key: str) -> Request:
        """The request that changes a status; its pictures are named once the server has told which they are."""
        return self._edit(amendment, key, [])

    def amend(self, amendment: Amendment, key: str) -> Receipt:
        """Change one status. The same change again leaves it as it is."""
        stands = mapping(self._ask("GET", f"/api/v1/statuses/{amendment.remote_id}").data)
        media = stands.get("media_attachments")
        kept = [str(mapping(one).get("id", "")) for one in media] if isinstance(media, list) else []
        request = self._edit(amendment, key, kept)
        path = request.url.removeprefix(self._settings.url)
        try:
            return _receipt(self._ask("PUT", path, headers=request.headers, content=request.body, effect=True).data)
        except Refused as error:
            raise Refused(str(error), code=error.code, advice=error.advice or _advice(error.code)) from error

    def find_amendment(self, amendment: Amendment, key: str, since: datetime) -> Receipt | None:  # noqa: ARG002 - it can be made again at any time
        """Make the same change again."""
        try:
            return self.amend(amendment, key)
        except Refused as error:
            raise Uncertain(str(error), code=error.code, advice=error.advice) from error

    def _edit(self, amendment: Amendment, key: str, media: list[str]) -> Request:
        made = self._status(amendment.post, key, [])
        status = json.loads(made.body)
        status.pop("visibility")  # cannot be changed
        if media:  # left out, they would be taken off
            status["media_ids"] = media
        return Request(
            method="PUT",
            url=f"{self._settings.url}/api/v1/statuses/{amendment.remote_id}",
            headers={"Content-Type": made.headers["Content-Type"]},
            body=json.dumps(status, ensure_ascii=False, separators=(",", ":")).encode(),
        )

    def stands(self, remote_id: str) -> bool:
        """Whether the server still has the status."""
        try:
            self._ask("GET", f"/api/v1/statuses/{remote_id}")
        except Refused as error:
            if error.code in _GONE:
                return False
            raise
        return True

    def refresh_limits(self) -> Limits:
        """Ask the server for its limits and its make, and keep them.

        Raises
        ------
        DeliveryError
            It could not be asked.
        """
        told = mapping(self._ask("GET", "/api/v2/instance").data)
        self._profile.learn(told, self._ask_software(told), self._now())
        self.limits = self._profile.limits()
        return self.limits

    def doctor(self) -> list[Finding]:
        """Whether the token works, what it may do, what the server takes, and whether the clocks agree."""
        try:
            answer = self._ask("GET", "/api/v1/accounts/verify_credentials")
        except DeliveryError as error:
            advice = "Make a token under Preferences, Development, and set access_token in the environment."
            return [failed("the token", error, advice)]
        account = mapping(answer.data)
        findings = [Finding(ok=True, what=f"signed in as @{account.get('acct', '')}")]
        if not account.get("bot"):
            findings.append(Finding(ok=False, what="the profile is not marked as automated", advice="Tick it in the profile."))
        findings += [finding for finding in (self._scopes(), clock_finding(answer.headers, self._now())) if finding]
        try:
            limits = self.refresh_limits()
        except DeliveryError as error:
            findings.append(failed("the server's limits", error, "The defaults are used."))
        else:
            findings.append(
                Finding(ok=True, what=f"{self._profile.software or 'unknown software'}: {limits.text} characters a post")
            )
        return findings

    def close(self) -> None:
        """Nothing is kept open."""

    # -- asking ---------------------------------------------------------------------------------

    def _ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        params: Mapping[str, str] | None = None,
        effect: bool = False,
    ) -> Answer:
        authorised = {**(headers or {}), "Authorization": f"Bearer {self._settings.access_token.get_secret_value()}"}
        return self._line.ask(method, path, headers=authorised, content=content, params=params, effect=effect)

    def _look(self, post: Post, since: datetime) -> Receipt | None:
        """The account's status that carries the post's own link, or has its text; ``None`` where no status since has it."""
        earliest = min(since, post.created) - _EARLIER
        for status in self._statuses(earliest):
            content = str(status.get("content", ""))
            ours = _mentions(content, post.link) or bool(post.answers and _says(content, post.text))
            if ours and (instant(str(status.get("created_at", ""))) or earliest) >= earliest:
                return _receipt(status)
        return None

    def _statuses(self, earliest: datetime) -> Iterator[Mapping[str, Any]]:
        """Own statuses, newest first, as far back as ``earliest``.

        Raises
        ------
        Uncertain
            There are more than we read.
        """
        params = {"limit": str(_PAGE), "exclude_reblogs": "true"}
        for _ in range(_PAGES):
            page = self._ask("GET", f"/api/v1/accounts/{self._own_id()}/statuses", params=params).data
            statuses = [status for status in page if isinstance(status, dict)] if isinstance(page, list) else []
            yield from statuses
            if not statuses or (instant(str(statuses[-1].get("created_at", ""))) or earliest) < earliest:
                return
            params["max_id"] = str(statuses[-1].get("id", ""))
        msg = "The account has posted more since than we read back."
        raise Uncertain(msg, advice="Look for the post on the account's page, then settle it.")

    def _own_id(self) -> str:
        if not self._account:
            self._account = str(mapping(self._ask("GET", "/api/v1/accounts/verify_credentials").data).get("id", ""))
        return self._account

    def _scopes(self) -> Finding | None:
        """What the token may do, where the server tells."""
        try:
            told = mapping(self._ask("GET", "/api/v1/apps/verify_credentials").data).get("scopes")
        except DeliveryError:
            return None
        if not isinstance(told, list):
            return None
        missing = [scope for scope in _SCOPES if scope not in told and scope.split(":")[0] not in told]
        if not missing:
            return Finding(ok=True, what="the token may post and read back")
        return Finding(ok=False, what=f"the token lacks {', '.join(missing)}", advice="Make a new token with these scopes.")

    def _ask_software(self, told: Mapping[str, Any]) -> str:
        """The server's make: by the settings, by nodeinfo, or by the source that the instance names."""
        if self._settings.software:
            return self._settings.software.lower()
        try:
            found = mapping(self._line.ask("GET", "/.well-known/nodeinfo").data).get("links")
            hrefs = [str(link.get("href", "")) for link in found if isinstance(link, dict)] if isinstance(found, list) else []
            paths = [href.removeprefix(self._settings.url) for href in hrefs if href.startswith(f"{self._settings.url}/")]
            info = mapping(self._line.ask("GET", paths[-1]).data) if paths else {}
        except DeliveryError:
            info = {}
        name = mapping(info.get("software")).get("name")
        if isinstance(name, str) and name:
            return name.lower()
        return "mastodon" if str(told.get("source_url", "")).endswith("github.com/mastodon/mastodon") else ""


def _post(parcel: Parcel) -> Post:
    if not isinstance(parcel, Post):
        msg = f"Mastodon carries posts, not {type(parcel).__name__}"
        raise TypeError(msg)
    return parcel


def _receipt(data: object) -> Receipt:
    status = mapping(data)
    if not status.get("id"):
        msg = "The server took the post and did not name it."
        raise Uncertain(msg)
    return Receipt(remote_id=str(status["id"]), url=str(status.get("url") or ""), at=instant(str(status.get("created_at", ""))))


def _mentions(content: str, link: str) -> bool:
    """Whether a status' HTML carries exactly this link, not one that only begins like it."""
    if link in map(html.unescape, _HREF.findall(content)):
        return True
    text = html.unescape(_TAG.sub("", content))
    return re.search(re.escape(link) + r"(?![\w.&=%-])", text) is not None


def _says(content: str, text: str) -> bool:
    """Whether a status' HTML reads as ``text`` does: for what follows in a thread, and has no link."""
    return html.unescape(_TAG.sub("", _BREAK.sub(" ", content))).split() == text.split()


def _advice(code: str) -> str:
    if code in {"401", "403"}:
        return "Make a new token with write:statuses and set access_token in the environment."
    return "Look at the post with `syndicate preview`; the server may take less than it says."
