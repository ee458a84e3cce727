"""X (API v2) through tweepy: one post, and the account's own timeline where the answer was lost.

X knows no key: nothing is sent twice unless the timeline has shown that it is not there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

from pydantic import Field, SecretStr, field_validator

from syndicate.channels.http import clock_finding, failed, instant, is_loopback
from syndicate.channels.pictures import tried
from syndicate.channels.posting import PostingSettings
from syndicate.channels.x.asking import Asking
from syndicate.channels.x.media import upload
from syndicate.errors import DeliveryError, Refused, Uncertain
from syndicate.model import Amendment, Finding, Limits, Parcel, Post, Receipt, Request, Way
from syndicate.render import counting

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_HOST: Final = "https://api.twitter.com"  # tweepy's own; OAuth 1.0a signs it, so it is not ours to change
_SETTLED: Final = timedelta(seconds=30)  # the timeline shows a new post after
_EARLIER: Final = timedelta(seconds=60)  # clocks differ
_PAGES: Final = 5
_EDITABLE: Final = timedelta(minutes=30)  # after the post
_PRICE_DELETE: Final = 0.01  # US dollars
_PRICE_READ: Final = 0.001  # US dollars for a post of our own that is read back
_FEWEST: Final = 5  # posts that the timeline can be asked for
_FIELDS: Final = "entities,created_at"


class XSettings(PostingSettings):
    """[channels.NAME] with kind = "x": the OAuth 1.0a user tokens come from the environment."""

    kind: Literal["x"] = "x"
    consumer_key: SecretStr
    consumer_secret: SecretStr
    access_token: SecretStr
    access_token_secret: SecretStr
    edits: bool = False  # whether the account may change a post within 30 minutes
    budget: Annotated[float, Field(ge=0)] = 0.0  # US dollars a calendar month; 0: no bound
    url: str = ""  # a server on this machine in X's place, for rehearsals; "" for X
    timeout: Annotated[float, Field(gt=0, le=600)] = 30.0  # seconds

    @field_validator("url")
    @classmethod
    def _rehearsal_only(cls, url: str) -> str:
        if url and not is_loopback(url):
            msg = "only an address on this machine can stand in X's place; leave `url` out"
            raise ValueError(msg)
        return url.rstrip("/")


class X:
    """One account on X."""

    kind: ClassVar[str] = "x"
    network: ClassVar[str] = "x"
    carries: ClassVar[str] = "post"
    Settings: ClassVar[type[XSettings]] = XSettings
    limits: Limits = Limits(
        counting="x",
        text=280,
        url=23,
        deletes=True,
        picture_bytes=5_000_000,
        price_link=0.2,
        price_plain=0.015,
        checked="2026-08-22, docs.x.com pricing; twitter-text configuration 3",
    )

    def __init__(self, name: str, settings: XSettings, *, folder: Path, now: Callable[[], datetime]) -> None:
        """Connect to nothing yet."""
        self.name = name
        self.local = bool(settings.url)
        self.posting: PostingSettings = settings
        self._settings = settings
        self._now = now
        self._asking = Asking(settings, now)
        self._folder = folder
        self._user = ""
        self._read = 0  # own posts read back since `reads` was last asked

    def request(self, parcel: Parcel, key: str) -> Request:  # noqa: ARG002 - X knows no key
        """What tweepy sends for this post; a picture, which X has yet to name, stands by its SHA-256."""
        # As requests encodes it; a test compares the two.
        post = _post(parcel)
        media = {"media": {"media_ids": [f"sha256:{post.picture.sha}"]}} if post.picture else {}
        reply = {"reply": {"in_reply_to_tweet_id": post.answers[-1]}} if post.answers else {}
        body = json.dumps({**media, **reply, "text": post.text}, allow_nan=False).encode()
        return Request(method="POST", url=f"{_HOST}/2/tweets", headers={"Content-Type": "application/json"}, body=body)

    def send(self, parcel: Parcel, key: str) -> Receipt:  # noqa: ARG002 - as above
        """Post once."""
        post = _post(parcel)
        media, note = self._pictured(post)
        more = {"in_reply_to_tweet_id": post.answers[-1]} if post.answers else {}
        answer = self._asking.ask(lambda client: client.create_tweet(text=post.text, media_ids=media, **more), effect=True)
        return replace(_receipt(_mapping(_mapping(answer).get("data"))), note=note)

    def _pictured(self, post: Post) -> tuple[list[str] | None, str]:
        """X's ids of the post's picture, or why it leaves without."""
        picture = post.picture
        return tried(lambda: upload(self._asking, self._folder, picture)) if picture else (None, "")

    def reconcile(self, parcel: Parcel, key: str, since: datetime) -> Receipt | None:  # noqa: ARG002 - as above
        """Look for the post's own link, or its text, on the account's timeline."""
        post = _post(parcel)
        # A repetition may have been refused because an earlier attempt's post stands: that one counts from the due time on.
        for found in self._timeline(min(since, post.created) - _EARLIER):
            if _same(found, post):
                return _receipt(found)
        if self._now() - since < _SETTLED:
            msg = "The timeline may not show the post yet."
            raise Uncertain(msg, code="early")
        return None

    def delete_request(self, remote_id: str) -> Request:
        """What tweepy sends to delete a post."""
        return Request(method="DELETE", url=f"{_HOST}/2/tweets/{remote_id}", headers={}, body=b"")

    def delete(self, remote_id: str) -> Receipt:
        """Delete one post; one that is gone already is as good."""
        try:
            self._asking.ask(lambda client: client.delete_tweet(remote_id, user_auth=True), effect=True)
        except Refused as error:
            if error.code != "404":
                raise
        return Receipt(remote_id=remote_id)

    # -- putting right --------------------------------------------------------------------------

    def way(self, posted: datetime, now: datetime) -> Way:
        """In place for half an hour where the account may; else by a reply."""
        return "edit" if self._settings.edits and now - posted < _EDITABLE else "reply"

    def amend_request(self, amendment: Amendment, key: str) -> Request:  # noqa: ARG002 - X knows no key
        """What is sent to change a post, or to answer it."""
        named = (
            {"edit_options": {"previous_post_id": amendment.remote_id}}
            if amendment.way == "edit"
            else {"reply": {"in_reply_to_tweet_id": amendment.remote_id}}
        )
        body = json.dumps({"text": amendment.post.text, **named}, allow_nan=False).encode()
        return Request(method="POST", url=f"{_HOST}/2/tweets", headers={"Content-Type": "application/json"}, body=body)

    def amend(self, amendment: Amendment, key: str) -> Receipt:
        """Change a post, which gives it a new id, or answer it."""
        body = json.loads(self.amend_request(amendment, key).body)
        try:
            answer = self._asking.ask(
                lambda client: client.request("POST", "/2/tweets", json=body, user_auth=True), effect=True
            )
        except Refused as error:
            if amendment.way != "edit" or amendment.note is None or error.code not in {"400", "403"}:
                raise
            return self.amend(replace(amendment, way="reply", post=amendment.note, note=None), key)
        return _receipt(_mapping(_mapping(answer.json()).get("data")))

    def find_amendment(self, amendment: Amendment, key: str, since: datetime) -> Receipt | None:
        """Look for its link on the account's timeline; a changed post may keep the time of the first."""
        return self.reconcile(amendment.post, key, since if amendment.way == "reply" else since - _EDITABLE)

    def stands(self, remote_id: str) -> bool:
        """Whether the account's timeline still holds the post: one own post read, or none."""
        post = int(remote_id)
        answer = self._page({"since_id": str(post - 1), "until_id": str(post + 1)}, most=_FEWEST)
        found = answer.get("data")
        return any(str(_mapping(one).get("id")) == remote_id for one in found) if isinstance(found, list) else False

    # -- money ----------------------------------------------------------------------------------

    @property
    def budget(self) -> float:
        """US dollars a calendar month; 0 for no bound."""
        return self._settings.budget

    def price(self, what: str, text: str = "") -> float:
        """US dollars of one post, edit, deletion or read, as X's price page says."""
        if what in {"post", "edit"}:
            return self.limits.price_link if counting.urls(text) else self.limits.price_plain
        return _PRICE_DELETE if what == "delete" else _PRICE_READ

    def reads(self) -> int:
        """How many own posts were read back since this was last asked."""
        read, self._read = self._read, 0
        return read

    def doctor(self) -> list[Finding]:
        """Whether the tokens work and may write, whose account it is, what a post costs, and whether the clocks agree."""
        try:
            answer = self._asking.ask(lambda client: client.request("GET", "/2/users/me", user_auth=True), effect=False)
        except DeliveryError as error:
            return [failed("the tokens", error, "Make new ones in the developer console and set them in the environment.")]
        headers = {str(name).lower(): str(value) for name, value in answer.headers.items()}
        user = _mapping(_mapping(answer.json()).get("data"))
        findings = [Finding(ok=True, what=f"signed in as @{user.get('username', '')}")]
        level = headers.get("x-access-level", "")
        if level and "write" not in level:
            advice = "Set the app's permissions to read and write, then make new access tokens."
            findings.append(Finding(ok=False, what=f"the tokens may only {level}", advice=advice))
        price = f"a post costs ${self.limits.price_link:.3f} with a link, ${self.limits.price_plain:.3f} without"
        findings.append(Finding(ok=True, what=f"{self.limits.text} weighted characters; {price}"))
        clock = clock_finding(headers, self._now())
        return [*findings, clock] if clock else findings

    def close(self) -> None:
        """Let go of the connection."""
        self._asking.close()

    # -- asking ---------------------------------------------------------------------------------

    def _timeline(self, start: datetime) -> Iterator[Mapping[str, Any]]:
        """Own posts since ``start``, newest first.

        Raises
        ------
        Uncertain
            There are more than we read.
        """
        params: dict[str, str] = {
            "start_time": start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "tweet_fields": _FIELDS,
        }
        for _ in range(_PAGES):
            answer = self._page(params)
            posts = answer.get("data")
            yield from (post for post in posts if isinstance(post, dict)) if isinstance(posts, list) else ()
            token = _mapping(answer.get("meta")).get("next_token")
            if not token:
                return
            params["pagination_token"] = str(token)
        msg = "The account has posted more since than we read back."
        raise Uncertain(msg, advice="Look for the post on the account's page, then settle it.")

    def _page(self, params: Mapping[str, str], *, most: int = 100) -> Mapping[str, Any]:
        user = self._own_id()

        def ask(client: Any) -> Any:  # noqa: ANN401 - tweepy ships no types
            return client.get_users_tweets(user, max_results=most, user_auth=True, **params)

        answer = _mapping(self._asking.ask(ask, effect=False))
        found = answer.get("data")
        self._read += len(found) if isinstance(found, list) else 0
        return answer

    def _own_id(self) -> str:
        """The account's id, which an OAuth 1.0a token begins with."""
        if not self._user:
            first = self._settings.access_token.get_secret_value().split("-")[0]
            if not first.isdigit():
                answer = self._asking.ask(lambda client: client.get_me(user_auth=True), effect=False)
                first = str(_mapping(_mapping(answer).get("data")).get("id", ""))
            self._user = first
        return self._user


def _post(parcel: Parcel) -> Post:
    if not isinstance(parcel, Post):
        msg = f"X carries posts, not {type(parcel).__name__}"
        raise TypeError(msg)
    return parcel


def _receipt(data: Mapping[str, Any]) -> Receipt:
    if not data.get("id"):
        msg = "X took the post and did not name it."
        raise Uncertain(msg)
    post = str(data["id"])
    return Receipt(remote_id=post, url=f"https://x.com/i/status/{post}", at=instant(str(data.get("created_at", ""))))


def _same(found: Mapping[str, Any], post: Post) -> bool:
    """Whether a post on the timeline is ours: by its own link, else by its text with X's short links put back."""
    urls = _mapping(found.get("entities")).get("urls")
    text = str(found.get("text", ""))
    for link in urls if isinstance(urls, list) else ():
        told = _mapping(link)
        if post.link in {told.get("expanded_url"), told.get("unwound_url")}:
            return True
        text = text.replace(str(told.get("url", "\0")), str(told.get("expanded_url", "")))
    return " ".join(text.split()) == " ".join(post.text.split())


def _mapping(data: object) -> Mapping[str, Any]:
    return data if isinstance(data, dict) else {}
