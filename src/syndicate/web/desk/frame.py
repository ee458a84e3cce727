"""The desk as a web application: its pages in one table, and what all of them share."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from threading import Thread
from types import ModuleType
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from syndicate.store.signins import SignIns
from syndicate.web import forms
from syndicate.web.desk import (
    ahead,
    briefs,
    calendar,
    deliveries,
    door,
    editions,
    guard,
    quotes,
    settings,
    sheets,
    slots,
    switch,
    today,
)
from syndicate.web.desk.address import Address
from syndicate.web.desk.counting import Counting
from syndicate.web.desk.pace import Pace
from syndicate.web.desk.visit import Desk
from syndicate.web.desk.ways import ROOT

if TYPE_CHECKING:
    from starlette.requests import Request

    from syndicate.app import App

# Every page of the desk: one module each, whose `WAYS` say where it stands.
PAGES: Final[tuple[ModuleType, ...]] = (door, switch, today, calendar, slots, quotes, briefs, editions, deliveries, settings)
_FOREVER: Final = "private, max-age=31536000, immutable"  # an address holds a digest of the bytes


def create(app: App, address: Address) -> Starlette:
    """The desk over an open publication, reached at ``address``."""
    ways = [way for page in PAGES for way in page.WAYS]
    looked_at = frozenset(way.path for way in ways if way.method == "GET")
    desk = Desk(
        app=app,
        address=address,
        signins=SignIns(app.store),
        sheets=sheets.Sheets(),
        counting=Counting(),
        pace=Pace(),
        pages=looked_at,
    )
    Thread(target=desk.sheets.warm, name="desk-templates", daemon=True).start()  # the first look does not wait for it
    ahead.warm(desk, app.now())
    routes = [*(guard.route(desk, way) for way in ways), Route(f"{ROOT}/static/{{digest}}/{{name}}", _file)]
    routes += [Route("/", _to_the_desk), Route(f"{ROOT}/", _to_the_desk)]
    web = Starlette(routes=routes, exception_handlers={HTTPException: _missing, ClientDisconnect: forms.left})
    web.router.redirect_slashes = False
    web.state.desk = desk
    return web


def first_link(app: App, address: Address) -> str:
    """The address with which the first person begins; ``""`` where somebody can sign in already."""
    token = SignIns(app.store).invite(app.now())
    return f"{address.url}{ROOT}/begin/{token}" if token else ""


def _file(request: Request) -> Response:
    """A style sheet or script of ours."""
    name = request.path_params["name"]
    if name not in sheets.FILES:
        return guard.plain("There is no such file.", HTTPStatus.NOT_FOUND)
    data, digest = sheets.file(name)
    kept = _FOREVER if request.path_params["digest"] == digest else "no-cache"
    headers = {"Content-Type": sheets.FILES[name], "Cache-Control": kept}
    return guard.headed(Response(data, headers=headers))


def _to_the_desk(_request: Request) -> Response:
    return guard.headed(RedirectResponse(ROOT, status_code=HTTPStatus.SEE_OTHER))


def _missing(request: Request, error: Exception) -> Response:
    return guard.nothing(request, error)


def paths(pages: Sequence[ModuleType] = PAGES) -> list[tuple[str, str]]:
    """Every method and path, for tests that knock at each."""
    return [(way.method, way.path) for page in pages for way in page.WAYS]
