"""What every reader page carries: masthead, links to feeds, headers that keep readers safe. Knows no page's content."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.responses import HTMLResponse

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from syndicate.app import App
    from syndicate.settings import FeedSettings, Settings

FEED_KINDS: Final = {
    "rss": ("RSS", "application/rss+xml"),
    "atom": ("Atom", "application/atom+xml"),
    "json": ("JSON Feed", "application/feed+json"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedLink:
    """One format of one feed."""

    format: str  # "Atom"
    type: str  # media type
    href: str  # absolute URL


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedEntry:
    """One feed as the pages name it."""

    title: str
    quotes: bool  # whether it carries extremists' own words
    links: tuple[FeedLink, ...]


def publication(request: Request) -> App:
    """The application behind a request."""
    return cast("App", request.app.state.publication)


def page(
    request: Request, template: str, *, status: int = 200, private: bool = False, noindex: bool = False, **values: object
) -> HTMLResponse:
    """Fill in a template of ``templates/pages/``. ``private`` pages are kept by nobody, ``noindex`` ones found by nobody.

    Raises
    ------
    RenderError
        The template is faulty.
    """
    app = publication(request)
    headers = {"Cache-Control": "no-store" if private else "no-cache"}
    hidden = noindex or private or status != HTTPStatus.OK
    if hidden:
        headers["X-Robots-Tag"] = "noindex"
    site = app.settings.site
    shared = {
        "site": site,
        "publisher": re.sub(r"^The ", "the ", site.organisation),
        "root": urlsplit(app.settings.web.public_url).path.rstrip("/"),
        "feeds": feed_entries(app.settings),
        "today": app.now(),
        "noindex": hidden,
        "here": "",
        "canonical": "",
        "description": "",
    }
    html = app.templates.render(f"pages/{template}.html.j2", **{**shared, **values})
    return HTMLResponse(html, status_code=status, headers=headers)


def feed_entries(settings: Settings) -> tuple[FeedEntry, ...]:
    """The configured feeds, briefs before quotations (Q20)."""
    ordered = sorted(settings.feeds.items(), key=lambda pair: pair[1].items == "quotes")
    return tuple(
        FeedEntry(title=_feed_title(feed), quotes=feed.items == "quotes", links=_feed_links(settings, name, feed))
        for name, feed in ordered
    )


def _feed_links(settings: Settings, name: str, feed: FeedSettings) -> tuple[FeedLink, ...]:
    stem = f"{settings.web.public_url.rstrip('/')}/feeds/{name}"
    return tuple(FeedLink(format=FEED_KINDS[kind][0], type=FEED_KINDS[kind][1], href=f"{stem}.{kind}") for kind in feed.formats)


def _feed_title(feed: FeedSettings) -> str:
    plain = "Daily quotation" if feed.items == "quotes" else "All briefs"
    return feed.title or feed.topic or feed.series or feed.author or plain


def safe_headers(public_url: str, *, styles: str = "'self'") -> dict[str, str]:
    """No script, no frames, no referrer, nothing from elsewhere but pictures."""
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(public_url))
    policy = (
        "default-src 'none'",
        f"style-src {styles}",
        f"img-src 'self' https: data: {origin}",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
    }


class SafeHeaders:
    """ASGI middleware: the safe headers on every answer. A header that an answer sets itself stays."""

    def __init__(self, app: ASGIApp, public_url: str) -> None:
        self._app = app
        self._headers = safe_headers(public_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, and add the headers to the answer's."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, guarded)
