"""One request to a network over HTTP, and its failures sorted by what the caller must do. The door of httpx.

Shared by the channels that speak HTTP; knows none of them. It never retries and never follows a redirect.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator

from syndicate.errors import DeliveryError, Refused, Throttled, Uncertain, Unreachable
from syndicate.model import Finding

if TYPE_CHECKING:
    import httpx

AGENT: Final = "syndicate"
_CONNECT_WITHIN: Final = 10.0  # seconds
_WAIT: Final = timedelta(minutes=5)  # where a network that throttles names no time
_MOST: Final = 8_000_000  # bytes of an answer that are read: no network's is half as long
_WORDS: Final = 300  # characters of the far side's own words that are kept
_NOT_CREATED: Final = frozenset({400, 401, 403, 404, 410, 413, 415, 422})  # these prove that nothing was made
_SKEW: Final = timedelta(minutes=2)


@cache  # reading the certificates takes a tenth of a second
def _certificates() -> ssl.SSLContext:
    import httpx

    return httpx.create_ssl_context()


def is_loopback(url: str) -> bool:
    """Whether ``url`` leads to this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _server(url: str) -> str:
    if not url.startswith("https://") and not is_loopback(url):
        msg = 'the server\'s address begins with "https://"'
        raise ValueError(msg)
    return url.rstrip("/")


ServerUrl: TypeAlias = Annotated[str, AfterValidator(_server)]  # of settings: https, or on this machine; no slash at its end


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A 2xx answer."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    data: Mapping[str, Any] | list[Any]  # the JSON body; {} where there is none


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """The way to one server."""

    url: str  # scheme and host, no path
    now: Callable[[], datetime]
    timeout: float  # seconds for an answer
    secrets: tuple[str, ...] = field(default=(), repr=False)  # cut out of every error

    def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        params: Mapping[str, str] | None = None,
        effect: bool = False,
        json: bool = True,
    ) -> Answer:
        """Ask once. ``effect``: the request may leave something behind, so that a lost answer is uncertain.

        ``json``: the answer is JSON or nothing; else what it says is not looked at.

        Raises
        ------
        Refused, Throttled, Unreachable, Uncertain
            Uncertain only with ``effect``.
        """
        import httpx

        lost = Uncertain if effect else Unreachable
        try:
            # A connection of its own: a kept one that the server has just closed would look like a lost answer.
            with httpx.Client(
                verify=_certificates(),
                timeout=httpx.Timeout(self.timeout, connect=_CONNECT_WITHIN),
                trust_env=not is_loopback(self.url),
                headers={"User-Agent": AGENT},
            ) as client:
                told = dict(headers or {})
                with client.stream(method, self.url + path, headers=told, content=content, params=params) as answer:
                    response = self._whole(answer)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            msg = f"{self._host} could not be reached ({type(error).__name__})."
            raise Unreachable(msg, code="connect", advice="Check the address and this machine's network.") from error
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            msg = f"{self.url} is no web address."
            raise Unreachable(msg, advice="Set `url` to https://…") from error
        except httpx.HTTPError as error:
            msg = f"{self._host} did not finish its answer ({type(error).__name__})."
            raise lost(msg, code="lost") from error
        if not response.is_success:
            raise self._failure(response, lost)
        return Answer(status=response.status_code, headers=_lower(response), data=self._json(response, lost) if json else {})

    @property
    def _host(self) -> str:
        return urlsplit(self.url).netloc or self.url

    def _whole(self, answer: httpx.Response) -> httpx.Response:
        """The answer with its body, cut off where it has no end or drips: then it is no JSON, and told as that."""
        import httpx

        give_up, body = time.monotonic() + self.timeout, bytearray()
        for part in answer.iter_bytes():
            body += part
            if len(body) > _MOST or time.monotonic() > give_up:
                break
        coded = {"content-encoding", "content-length", "transfer-encoding"}
        plain = [(name, value) for name, value in answer.headers.multi_items() if name.lower() not in coded]
        return httpx.Response(answer.status_code, headers=plain, content=bytes(body[:_MOST]))

    def _json(self, response: httpx.Response, lost: type[DeliveryError]) -> Mapping[str, Any] | list[Any]:
        if not response.content:
            return {}
        try:
            data = response.json()
        except ValueError as error:
            msg = f"{self._host} answered with something that is no JSON."
            raise lost(msg, code=str(response.status_code)) from error
        return data if isinstance(data, dict | list) else {}

    def _failure(self, response: httpx.Response, lost: type[DeliveryError]) -> DeliveryError:
        status, code = response.status_code, str(response.status_code)
        error, said = self._said(response)
        sentence = f"{self._host} answered {status}" + (f": {said}" if said else ".")
        if status == 429:  # noqa: PLR2004 - RFC 6585
            return Throttled(sentence, retry_at=self._welcome(response), code=code)
        if 300 <= status < 400:  # noqa: PLR2004 - it has not been looked at there
            advice = f"Set `url` to the address that the server names: {response.headers.get('location', '(none)')[:200]}"
            return Refused(sentence, code=code, advice=advice)
        if status in _NOT_CREATED:
            return Refused(sentence, code=error or code)
        return lost(sentence, code=code)

    def _said(self, response: httpx.Response) -> tuple[str, str]:
        """The far side's error word, if it has one, and its own sentence, without our secrets."""
        try:
            data = response.json()
        except ValueError:
            return "", ""
        if not isinstance(data, dict):
            return "", ""
        word = data.get("error")
        sentence = data.get("message") or data.get("error_description") or data.get("detail") or word
        text = sentence if isinstance(sentence, str) else ""
        for secret in filter(None, self.secrets):
            text = text.replace(secret, "[secret]")
        return (word if isinstance(word, str) and word.isalnum() else ""), " ".join(text.split())[:_WORDS]

    def _welcome(self, response: httpx.Response) -> datetime:
        """When a retry is welcome: the reset in ISO 8601 or Unix seconds, else Retry-After, else a few minutes on."""
        now = self.now()
        headers = _lower(response)
        told = headers.get("x-ratelimit-reset") or headers.get("ratelimit-reset") or ""
        return max(now, instant(told) or _retry_after(headers.get("retry-after", ""), now) or now + _WAIT)


def instant(text: str) -> datetime | None:
    """An aware UTC instant from ISO 8601 or Unix seconds; ``None`` where it is neither."""
    try:
        moment = datetime.fromtimestamp(int(text), UTC) if text.isdigit() else datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None


def _retry_after(text: str, now: datetime) -> datetime | None:
    """RFC 9110 §10.2.3: seconds, or a date."""
    if text.isdigit():
        return now + timedelta(seconds=min(int(text), 86400))
    try:
        return parsedate_to_datetime(text).astimezone(UTC) if text else None
    except ValueError:
        return None


def _lower(response: httpx.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def clock_finding(answer: Mapping[str, str], now: datetime) -> Finding | None:
    """What the server's ``Date`` says about our clock; ``None`` where it says nothing."""
    try:
        theirs = parsedate_to_datetime(answer.get("date", "")).astimezone(UTC)
    except ValueError:
        return None
    apart = abs(now - theirs)
    if apart <= _SKEW:
        return Finding(ok=True, what="our clock agrees with the server's")
    what = f"our clock is {apart.total_seconds():.0f} s away from the server's"
    return Finding(ok=False, what=what, advice="Let this machine set its clock from the network (timedatectl set-ntp true).")


def failed(what: str, error: DeliveryError, advice: str) -> Finding:
    """A finding of the doctor's from an error."""
    return Finding(ok=False, what=f"{what}: {error}", advice=error.advice or advice)
