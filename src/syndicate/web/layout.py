"""What every reader page carries: masthead, links to feeds, headers that keep readers safe. Knows no page's content."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.responses import HTMLResponse

from syndicate.publish import catalogue
from syndicate.render.wording import direction

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from syndicate.app import App
    from syndicate.publish.catalogue import Planned

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
    part: str  # "topics", "authors" or "series", where it is one of many; "" where the settings name it
    links: tuple[FeedLink, ...]


def publication(request: Request) -> App:
    """The application behind a request."""
    return cast("App", request.app.state.publication)


def page(
    request: Request,
    template: str,
    *,
    status: int = 200,
    private: bool = False,
    noindex: bool = False,
    lang: str = "",
    also: Sequence[Planned] = (),
    **values: object,
) -> HTMLResponse:
    """Fill in a template of ``templates/pages/``. ``private`` pages are kept by nobody, ``noindex`` ones found by nobody.

    ``lang`` (BCP 47) is the page's language where it is not the site's. ``also`` are feeds of which this page tells
    readers beside those of the settings.

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
    spoken = lang or site.language
    shared = {
        "site": site,
        "lang": spoken,
        "dir": direction(spoken),
        "wording": app.templates.wording(spoken),
        "signup": bool(app.settings.newsletters),
        "publisher": re.sub(r"^The ", "the ", site.organisation),
        "root": urlsplit(app.settings.web.public_url).path.rstrip("/"),
        "feeds": feed_entries(app, [*catalogue.configured(app), *also]),
        "today": app.now(),
        "noindex": hidden,
        "here": "",
        "canonical": "",
        "description": "",
    }
    html = app.templates.render(f"pages/{template}.html.j2", **{**shared, **values})
    return HTMLResponse(html, status_code=status, headers=headers)


def feed_entries(app: App, listed: Iterable[Planned]) -> tuple[FeedEntry, ...]:
    """Feeds as pages name them, briefs before quotations (Q20)."""
    ordered = sorted(listed, key=lambda one: one.setting.items == "quotes")
    return tuple(
        FeedEntry(
            title=_feed_title(one),
            quotes=one.setting.items == "quotes",
            part=one.name.partition("/")[0] if one.part else "",
            links=tuple(
                FeedLink(format=FEED_KINDS[kind][0], type=FEED_KINDS[kind][1], href=href)
                for kind, href in catalogue.feed(app, one).urls.items()
            ),
        )
        for one in ordered
        if not one.bare
    )


def _feed_title(one: Planned) -> str:
    feed = one.setting
    plain = "Daily quotation" if feed.items == "quotes" else "All briefs"
    return feed.title or one.part or feed.topic or feed.series or feed.author or plain


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
