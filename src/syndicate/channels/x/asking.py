"""How X is asked: tweepy's client with time-outs, and its failures sorted by what the caller must do. The door of tweepy."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

from syndicate.channels.http import instant
from syndicate.errors import DeliveryError, Refused, Throttled, Uncertain, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable

    from syndicate.channels.x import XSettings

_CONNECT_WITHIN: Final = 10.0  # seconds
_WAIT: Final = timedelta(minutes=15)  # X's rate window, where it names no reset
_DUPLICATE: Final = "duplicate content"
_WORDS: Final = 300  # characters of X's own words that are kept


class Asking:
    """One account's way to X."""

    def __init__(self, settings: XSettings, now: Callable[[], datetime]) -> None:
        """Connect to nothing yet."""
        self._settings = settings
        self._now = now
        self._made: Any = None  # tweepy's client: it ships no types

    def ask(self, ask: Callable[[Any], Any], *, effect: bool) -> Any:  # noqa: ANN401 - tweepy ships no types
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

    def close(self) -> None:
        """Let go of the connection."""
        if self._made is not None:
            self._made.session.close()
            self._made = None


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
