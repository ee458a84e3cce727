"""Where the desk is reached, and what that means for cookies, hosts and origins. Knows no page."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from syndicate.web.desk.ways import ROOT

if TYPE_CHECKING:
    from starlette.requests import Request

_LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
# What a page may load and where a form may go: our own files and addresses, no inline style, no inline script.
POLICY: Final = "; ".join((
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "frame-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
))  # fmt: skip
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with none at all a browser hides the origin of our own forms as well
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Robots-Tag": "noindex",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """One address of the desk."""

    url: str  # "http://127.0.0.1:8001", without a path
    hosts: frozenset[str]  # Host headers that are ours: a name that was made to lead here is not (DNS rebinding)

    @property
    def secure(self) -> bool:
        """Whether it is reached by https alone."""
        return self.url.startswith("https://")

    @property
    def cookie(self) -> str:
        """The cookie's name. A browser keeps ``__Host-`` cookies to https and to this very host (RFC 6265bis §4.1.3.2)."""
        return "__Host-desk" if self.secure else f"desk-{urlsplit(self.url).port or 80}"

    @property
    def cookie_path(self) -> str:
        """Below which the browser sends it; a ``__Host-`` cookie has no other than ``/``."""
        return "/" if self.secure else ROOT

    def ours(self, request: Request) -> bool:
        """Whether the request names a host that is ours."""
        return request.headers.get("host", "").lower() in self.hosts

    def from_here(self, request: Request) -> bool:
        """Whether a form was sent by one of our own pages, as the browser says (Fetch, ``Origin`` and ``Sec-Fetch-Site``)."""
        origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
        if origin is None and site is None:
            return False  # every browser of these years says one of the two with a POST
        scheme = "https" if self.secure else "http"
        return (origin is None or origin.lower() in {f"{scheme}://{host}" for host in self.hosts}) and site in {
            None,
            "same-origin",
        }


def address(url: str, host: str, port: int) -> Address:
    """The address of a desk that listens on ``host`` and ``port`` and is reached at ``url`` (``""``: right there)."""
    named = f"[{host}]" if ":" in host else host
    near = _LOOPBACK if host in {"127.0.0.1", "::1", "localhost"} else (named,)
    hosts = {f"{name}:{port}" for name in near}
    if url:
        hosts.add(urlsplit(url).netloc.lower())
    return Address(url=url.rstrip("/") or f"http://{named}:{port}", hosts=frozenset(hosts))


def token_of_forms(session: str) -> str:
    """What every form of one session carries: known to its own pages and to nobody else."""
    return hmac.new(session.encode(), b"forms of the desk", hashlib.sha256).hexdigest()


def network(request: Request) -> str:
    """Where a sign-in comes from, as tries are counted: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        found = ip_address(request.client.host if request.client else "")
    except ValueError:
        return "unknown"
    return str(found) if found.version == 4 else str(ip_network(f"{found}/64", strict=False))  # noqa: PLR2004 - IPv4
