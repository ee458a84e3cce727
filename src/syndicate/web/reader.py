"""The reader's side of the web: which address leads to which page, and what is said when something is wrong.

Reads the store and writes through ``App`` alone; no page needs a script, a cookie or a login.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from syndicate.errors import RenderError, StoreError
from syndicate.log import logger
from syndicate.publish import catalogue, online, sitemap
from syndicate.store import agenda
from syndicate.web import briefs, feeds, forms, joining, personal, quotes, subscriptions
from syndicate.web.hooks import routes as hook_routes
from syndicate.web.layout import SafeHeaders, feed_entries, page, publication, safe_headers

if TYPE_CHECKING:
    from starlette.requests import Request

    from syndicate.app import App

_SHELF: Final = 200  # editions in the list
_FREQUENCIES: Final = {
    "instant": "each brief as it appears",
    "daily": "once a day",
    "weekly": "once a week",
    "quote": "the quotation by itself",
    "now": "all frequencies",
}


def create(app: App) -> Starlette:
    """The web application over an open publication. Endpoints run in worker threads."""
    routes = [
        Route("/", briefs.front),
        Route("/briefs/", briefs.everything),
        Route("/briefs/{slug}", briefs.brief),
        Route("/topics/{slug}", briefs.topic),
        Route("/series/{slug}", briefs.series),
        Route("/quotes/", quotes.index),
        Route("/quotes/{slug}", quotes.quote),
        Route("/editions/", _editions),
        Route("/editions/{newsletter}/{number:int}", _edition),
        Route("/editions/{newsletter}/{number:int}/{variant:int}", _edition),
        Route("/feeds/", _feeds),
        *(Route(path, _with_slash) for path in ("/briefs", "/quotes", "/editions", "/feeds")),
        Route("/feeds/{file:path}", _feed, methods=["GET", "OPTIONS"]),
        Route("/media/{file:path}", _picture),
        Route("/site.css", _style_sheet),
        Route("/robots.txt", _robots),
        Route("/sitemap{rest:path}", _sitemap),
        Route("/subscribe", joining.subscribe, methods=["GET", "POST"]),
        Route("/subscribe/{newsletter}", joining.subscribe, methods=["GET", "POST"]),
        Route("/c/{token}", joining.confirm, methods=["GET", "POST"]),
        Route("/export/{token}", personal.export, methods=["GET", "POST"]),
        Route("/erase/{token}", personal.erase, methods=["GET", "POST"]),
        Route("/u/{token}", subscriptions.unsubscribe, methods=["GET", "POST"]),
        Route("/p/{token}", subscriptions.preferences, methods=["GET", "POST"]),
        Route("/healthz", _health),
        *hook_routes(),
    ]
    web = Starlette(
        routes=routes,
        middleware=[Middleware(SafeHeaders, public_url=app.settings.web.public_url)],
        exception_handlers={
            HTTPException: _refused,
            ClientDisconnect: forms.left,
            StoreError: _broken,
            RenderError: _broken,
            Exception: _broken,
        },
    )
    web.router.redirect_slashes = False  # its redirects repeat whatever host the request names
    web.state.publication = app
    return web


def _with_slash(request: Request) -> Response:
    """A list's address without its slash, at the address that the settings name: never at a host that a request names."""
    path = publication(request).public(f"{request.url.path}/")
    return RedirectResponse(
        f"{path}?{request.url.query}" if request.url.query else path, status_code=HTTPStatus.PERMANENT_REDIRECT
    )


def _editions(request: Request) -> Response:
    """``/editions/``: the mails that were sent, newest first."""
    app = publication(request)
    with app.store.read() as connection:
        known = agenda.editions(connection, limit=_SHELF)
    newsletters = app.settings.newsletters
    rows = [
        {
            "path": f"/editions/{edition.newsletter}/{edition.number}",
            "title": newsletters[edition.newsletter].title,
            "number": edition.number,
            "frequency": _FREQUENCIES.get(edition.frequency, edition.frequency),
            "at": edition.at,
        }
        for edition in known
        if edition.state in {"sending", "finished"} and edition.newsletter in newsletters
    ]
    return page(request, "editions", here="editions", noindex=True, rows=rows)


def _edition(request: Request) -> Response:
    """``/editions/{newsletter}/{number}``, also with a variant: a mail in the browser, without anything personal."""
    app = publication(request)
    asked = request.path_params
    html = online.edition(app, asked["newsletter"], asked["number"], asked.get("variant"))
    if html is None:
        raise HTTPException(404)
    # A mail carries its styles in its tags; everything else stays as strict as on our own pages.
    safe = safe_headers(app.settings.web.public_url, styles="'unsafe-inline'")
    return HTMLResponse(html, headers={**safe, "X-Robots-Tag": "noindex", "Cache-Control": "no-cache"})


def _feeds(request: Request) -> Response:
    app = publication(request)
    parts = feed_entries(app, [one for one in catalogue.planned(app, app.now()) if one.part])
    return page(
        request, "feeds", here="feeds", canonical=app.public("/feeds/"), description="Addresses of our feeds.", parts=parts
    )


def _feed(request: Request) -> Response:
    """A file of the feeds folder; a feed with a hub names it and itself (WebSub §4)."""
    app, name = publication(request), request.path_params["file"]
    stem = name.rpartition(".")[0]
    archived = stem.startswith("archive/")
    feed = catalogue.setting_of(app, stem.removeprefix("archive/").rpartition("-")[0] if archived else stem)
    headers = {}
    if feed and feed.hub and not archived:
        headers["Link"] = f'<{feed.hub}>; rel="hub", <{app.public(f"/feeds/{name}")}>; rel="self"'
    if feed and feed.items == "quotes":
        headers["X-Robots-Tag"] = "noindex"
    return feeds.answer(request, app.feeds_folder, name, feeds.FEED_TYPES, headers)


def _picture(request: Request) -> Response:
    folder = publication(request).root / "content" / "media"
    return feeds.answer(request, folder, request.path_params["file"], feeds.IMAGE_TYPES)


def _style_sheet(request: Request) -> Response:
    sheet = publication(request).style_sheet
    return feeds.answer(request, sheet.parent, sheet.name, feeds.FEED_TYPES, {"Cache-Control": "no-cache"})


def _sitemap(request: Request) -> Response:
    """``/sitemap.xml`` and its like: at the top, because a map may name only what stands below it."""
    folder, rest = publication(request).feeds_folder, request.path_params["rest"]
    if "/" in rest:
        raise HTTPException(404)
    return feeds.answer(request, folder, f"sitemap{rest}", {"xml": feeds.FEED_TYPES["xml"]})


def _robots(request: Request) -> Response:
    """Quotations say ``noindex`` themselves; a robot that may not fetch them could not read that."""
    app = publication(request)
    maps = "".join(f"Sitemap: {app.public(name)}\n" for name in (sitemap.INDEX, sitemap.NEWS))
    return PlainTextResponse(
        f"User-agent: *\nDisallow: /u/\nDisallow: /p/\nDisallow: /c/\nDisallow: /export/\nDisallow: /erase/\n\n{maps}"
    )


def _health(request: Request) -> Response:
    """``/healthz``: that the database answers, and the publication's own time."""
    app = publication(request)
    with app.store.read() as connection:
        agenda.editions(connection, limit=1)
    facts = {"status": "ok", "now": app.now().isoformat(timespec="seconds")}
    return JSONResponse(facts, headers={"Cache-Control": "no-store"})


def _refused(request: Request, error: Exception) -> Response:
    """A page for an address that does not exist, or is not to be used like this."""
    status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.NOT_FOUND
    detail = error.detail if isinstance(error, HTTPException) and error.detail != HTTPStatus(status).phrase else ""
    if status == HTTPStatus.NOT_FOUND:
        heading = "There is no page at this address"
        words = detail or "It may have moved, or the address was cut short on its way. Every brief can be found in the list."
    else:
        heading = "This cannot be done here"
        words = detail or "The address is right, but it does not take what was sent to it."
    answer = page(request, "notice", status=status, heading=heading, standfirst=words, notice=None)
    answer.headers.update((error.headers if isinstance(error, HTTPException) else None) or {})
    return answer


def _broken(request: Request, error: Exception) -> Response:
    """A page for a fault of ours; the log has the facts, never a reader's link."""
    status = HTTPStatus.SERVICE_UNAVAILABLE if isinstance(error, StoreError) else HTTPStatus.INTERNAL_SERVER_ERROR
    known = isinstance(error, StoreError | RenderError)
    logger().error("page_failed", status=int(status), error=str(error) if known else type(error).__name__)
    heading = "Something is out of order here"
    words = "It is our fault and not yours. Nothing has changed. Please try again in a few minutes."
    # Starlette answers some of these outside of its middleware, so the safe headers are set here as well.
    headers = {**safe_headers(publication(request).settings.web.public_url), "Retry-After": "120"}
    if request.url.path == "/healthz":
        return JSONResponse({"status": "failing", "error": str(error) if known else type(error).__name__}, status_code=status)
    try:
        answer: Response = page(request, "notice", status=status, private=True, heading=heading, standfirst=words, notice=None)
    except RenderError:
        answer = PlainTextResponse(f"{heading}\n\n{words}\n", status_code=status)
    answer.headers.update(headers)
    return answer
