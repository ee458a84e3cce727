"""Quotations on pages: only what the gate (``render/framing.py``) admits, and only what has been shown already."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from starlette.exceptions import HTTPException

from syndicate.errors import Held
from syndicate.log import logger
from syndicate.model import Quote, Status
from syndicate.publish import approval
from syndicate.render import framing
from syndicate.web.layout import page, publication

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from syndicate.app import App

_LISTED: Final = 366  # a year of days
_HELD: Final = "This quotation is held back by the editors."


@dataclass(frozen=True, kw_only=True, slots=True)
class Mention:
    """What a page may say about a quotation elsewhere than in its block: our words alone."""

    path: str
    title: str
    context: str
    contains: str
    label: str
    shown: datetime


def of_today(app: App) -> Mention | None:
    """The quotation of today's civil day, once its hour has come."""
    zone = ZoneInfo(app.settings.site.zone)
    today = app.now().astimezone(zone).date()
    for quote, shown in app.content.shown_quotes(app.now())[:1]:
        if shown.astimezone(zone).date() == today:
            return _mention(app, quote, shown)
    return None


def index(request: Request) -> Response:
    """``/quotes/``: what each past quotation is about, newest first."""
    app = publication(request)
    mentions = (_mention(app, quote, shown) for quote, shown in app.content.shown_quotes(app.now())[:_LISTED])
    return page(
        request,
        "quotes",
        noindex=True,
        here="quotes",
        tagline=app.settings.quotes.tagline,
        rows=[mention for mention in mentions if mention],
    )


def quote(request: Request) -> Response:
    """``/quotes/{slug}``: the complete block; 410 with a notice where it was withdrawn.

    Raises
    ------
    HTTPException
        404 where it was never shown, or is held.
    """
    app, slug = publication(request), request.path_params["slug"]
    found = app.content.quote(slug)
    shown = next((at for past, at in app.content.shown_quotes(app.now()) if past.slug == slug), None)
    if found is None or shown is None:
        raise HTTPException(404)
    if found.status is Status.WITHDRAWN:
        return _withdrawn(request)
    admitted = _admitted(app, found)
    if admitted is None:
        raise HTTPException(404, _HELD)
    return _shown(request, found, admitted, shown)


def _shown(request: Request, quote: Quote, admitted: framing.Admitted, shown: datetime) -> Response:
    """The page with the complete block, looked at once more as a whole before it leaves."""
    app = publication(request)
    try:
        block = framing.block(admitted, "page", app.templates)
        answer = page(
            request,
            "quote",
            noindex=True,
            here="quotes",
            canonical=block.link,
            description=block.context,
            title=block.title,
            subject=quote.ideology,
            shown=shown,
            block=block,
        )
        framing.guard(bytes(answer.body).decode(), "html", [block], [quote], style=app.style, preview=False)
    except Held as held:
        logger().error("quote_held", item=quote.id, error=str(held))
        raise HTTPException(404, _HELD) from held
    return answer


def _mention(app: App, quote: Quote, shown: datetime) -> Mention | None:
    """What may be said about a quotation, or ``None`` where it is withdrawn or held."""
    admitted = _admitted(app, quote)
    if admitted is None:
        return None
    ours = framing.link_only(admitted)
    return Mention(
        path=f"/quotes/{quote.slug}",
        title=ours.title,
        context=ours.context,
        contains=ours.contains,
        label=ours.label,
        shown=shown,
    )


def _admitted(app: App, quote: Quote) -> framing.Admitted | None:
    """The quotation as the gate lets it through, or ``None``: the gate or an editor holds it."""
    if {hold.target for hold in app.holds.list()} & {"all", "quotes", quote.id, quote.slug}:
        return None
    try:
        return approval.admit(app, quote, app.now())
    except Held:
        return None


def _withdrawn(request: Request) -> Response:
    return page(
        request,
        "notice",
        status=HTTPStatus.GONE,
        here="quotes",
        heading="A quotation that we no longer show",
        standfirst="",
        notice={
            "kind": "gone",
            "title": "Quotation withdrawn",
            "text": "We no longer show this passage. Please do not cite it. Messages already sent cannot be recalled.",
        },
    )
