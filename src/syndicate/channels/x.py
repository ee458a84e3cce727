"""X (API v2) through tweepy: one post, and the account's own timeline where the answer was lost. The door of tweepy.

X knows no key: nothing is sent twice unless the timeline has shown that it is not there.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from syndicate.channels.http import clock_finding, failed, instant, is_loopback
from syndicate.errors import DeliveryError, Refused, Throttled, Uncertain, Unreachable
from syndicate.model import Finding, Limits, Parcel, Post, Receipt, Request

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_HOST: Final = "https://api.twitter.com"  # tweepy's own; OAuth 1.0a signs it, so it is not ours to change
_CONNECT_WITHIN: Final = 10.0  # seconds
_WAIT: Final = timedelta(minutes=15)  # X's rate window, where it names no reset
_SETTLED: Final = timedelta(seconds=30)  # the timeline shows a new post after
_EARLIER: Final = timedelta(seconds=60)  # clocks differ
_PAGES: Final = 5
_DUPLICATE: Final = "duplicate content"
_WORDS: Final = 300  # characters of X's own words that are kept
_FIELDS: Final = "entities,created_at"


class XSettings(BaseModel):
    """[channels.NAME] with kind = "x": the OAuth 1.0a user tokens come from the environment."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["x"] = "x"
    consumer_key: SecretStr
    consumer_secret: SecretStr
    access_token: SecretStr
    access_token_secret: SecretStr
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
        price_link=0.2,
        price_plain=0.015,
        checked="2026-08-22, docs.x.com pricing; twitter-text configuration 3",
    )

    def __init__(self, name: str, settings: XSettings, *, folder: Path, now: Callable[[], datetime]) -> None:  # noqa: ARG002 - every channel is built alike
        """Connect to nothing yet."""
        self.name = name
        self.local = bool(settings.url)
        self._settings = settings
        self._now = now
        self._made: Any = None  # tweepy's client: it ships no types
        self._user = ""

    def request(self, parcel: Parcel, key: str) -> Request:  # noqa: ARG002 - X knows no key
        """What tweepy sends for this post."""
        # As requests encodes it; a test compares the two.
        body = json.dumps({"text": _post(parcel).text}, allow_nan=False).encode()
        return Request(method="POST", url=f"{_HOST}/2/tweets", headers={"Content-Type": "application/json"}, body=body)

    def send(self, parcel: Parcel, key: str) -> Receipt:  # noqa: ARG002 - as above
        """Post once."""
        post = _post(parcel)
        answer = self._asking(lambda client: client.create_tweet(text=post.text), effect=True)
        return _receipt(_mapping(_mapping(answer).get("data")))

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
            self._asking(lambda client: client.delete_tweet(remote_id, user_auth=True), effect=True)
        except Refused as error:
            if error.code != "404":
                raise
        return Receipt(remote_id=remote_id)

    def doctor(self) -> list[Finding]:
        """Whether the tokens work and may write, whose account it is, what a post costs, and whether the clocks agree."""
        try:
            answer = self._asking(lambda client: client.request("GET", "/2/users/me", user_auth=True), effect=False)
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
        if self._made is not None:
            self._made.session.close()
            self._made = None

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

    def _page(self, params: Mapping[str, str]) -> Mapping[str, Any]:
        user = self._own_id()

        def ask(client: Any) -> Any:  # noqa: ANN401 - tweepy ships no types
            return client.get_users_tweets(user, max_results=100, user_auth=True, **params)

        return _mapping(self._asking(ask, effect=False))

    def _own_id(self) -> str:
        """The account's id, which an OAuth 1.0a token begins with."""
        if not self._user:
            first = self._settings.access_token.get_secret_value().split("-")[0]
            if not first.isdigit():
                answer = self._asking(lambda client: client.get_me(user_auth=True), effect=False)
                first = str(_mapping(_mapping(answer).get("data")).get("id", ""))
            self._user = first
        return self._user

    def _asking(self, ask: Callable[[Any], Any], *, effect: bool) -> Any:  # noqa: ANN401 - tweepy ships no types
        """Ask through tweepy; its errors and those of requests never leave this file."""
        import requests
        import tweepy

        try:
            return ask(self._client())
        except tweepy.TooManyRequests as error:
            reset = instant(str(error.reset_time or "")) or self._now() + _WAIT
            raise Throttled(self._said(error), retry_at=max(reset, self._now()), code="429") from error
        except tweepy.HTTPException as error:
            raise self._failure(error, effect=effect) from error
        except requests.exceptions.TooManyRedirects as error:
            msg = "X points elsewhere."
            raise Refused(msg, code="redirect") from error
        except (requests.exceptions.RequestException, ValueError) as error:
            raise _lost(error, effect=effect) from error

    def _failure(self, error: Any, *, effect: bool) -> DeliveryError:  # noqa: ANN401 - tweepy ships no types
        status = int(error.response.status_code)
        said, code = self._said(error), str(status)
        if status == 403 and _DUPLICATE in said.lower():  # noqa: PLR2004 - Forbidden
            return Uncertain(
                said, code="duplicate", advice="The same text stands already; the timeline tells whether it is ours."
            )
        if 400 <= status < 500 and status not in {408, 409, 425}:  # noqa: PLR2004 - these three say nothing of the post
            return Refused(said, code=code, advice=_ADVICE.get(status, ""))
        return Uncertain(said, code=code) if effect else Unreachable(said, code=code)

    def _said(self, error: Any) -> str:  # noqa: ANN401 - tweepy ships no types
        """X's own words, without our secrets."""
        text = " ".join(str(error).split())
        settings = self._settings
        for secret in (settings.consumer_key, settings.consumer_secret, settings.access_token, settings.access_token_secret):
            text = text.replace(secret.get_secret_value() or "\0", "[secret]")
        return f"X answered {text[:_WORDS]}"

    def _client(self) -> Any:  # noqa: ANN401 - tweepy ships no types
        """The client, with time-outs; it never sleeps through a rate limit."""
        if self._made is None:
            import tweepy

            for name in ("tweepy", "requests_oauthlib", "oauthlib"):  # their debug logs print tokens
                logging.getLogger(name).setLevel(logging.WARNING)
            settings = self._settings
            client = tweepy.Client(
                consumer_key=settings.consumer_key.get_secret_value(),
                consumer_secret=settings.consumer_secret.get_secret_value(),
                access_token=settings.access_token.get_secret_value(),
                access_token_secret=settings.access_token_secret.get_secret_value(),
                return_type=dict,
            )
            client.session.mount("https://", _adapter(settings.url, settings.timeout))
            client.session.max_redirects = 0
            client.session.trust_env = not settings.url
            self._made = client
        return self._made


_ADVICE: Final = {
    400: "Look at the post with `syndicate preview`.",
    401: "Make new tokens in the developer console and set them in the environment.",
    402: "Top up the credits in the developer console, then `syndicate deliveries retry`.",
    403: "Check the app's permissions and the account's standing.",
}


def _adapter(url: str, timeout: float) -> Any:  # noqa: ANN401 - requests' own class, imported late
    """What carries tweepy's requests: a time-out for each, a fresh connection, and a rehearsal's host in X's place."""
    from requests.adapters import HTTPAdapter

    class Adapter(HTTPAdapter):
        def send(self, request: Any, *args: Any, **more: Any) -> Any:  # noqa: ANN401 - requests' signature
            if url:
                there, asked = urlsplit(url), urlsplit(request.url)
                request.url = urlunsplit(asked._replace(scheme=there.scheme, netloc=there.netloc))
            # A kept connection that X has just closed would look like a lost answer.
            request.headers["Connection"] = "close"
            return super().send(request, *args, **{**more, "timeout": (_CONNECT_WITHIN, timeout)})

    return Adapter()


def _lost(error: Exception, *, effect: bool) -> DeliveryError:
    """Nothing was sent where no connection or no TLS came about; after that nobody knows."""
    from requests import exceptions
    from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError, ProxyError, SSLError

    outer = error.args[0] if error.args else None
    reason = outer.reason if isinstance(outer, MaxRetryError) else None  # only before the request is written
    never = isinstance(reason, NewConnectionError | ConnectTimeoutError | SSLError | ProxyError)
    if never or isinstance(error, exceptions.ConnectTimeout):
        msg = f"X could not be reached ({type(reason or error).__name__})."
        return Unreachable(msg, code="connect", advice="Check this machine's network.")
    msg = f"X did not finish its answer ({type(error).__name__})."
    return Uncertain(msg, code="lost") if effect else Unreachable(msg, code="lost")


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
