"""A reader's own subscription: leaving with one click (RFC 8058) and choosing. A signed link is all that is asked for.

GET and HEAD change nothing, because mail scanners open every link. No cookie is read or set.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from starlette.concurrency import run_in_threadpool

from syndicate import links
from syndicate.model import Frequency, QuoteDisplay
from syndicate.plan import slots
from syndicate.publish import signup
from syndicate.publish.editions import shown_as
from syndicate.render import wording
from syndicate.web import asked as readers
from syndicate.web import choices, forms
from syndicate.web.asked import Asked
from syndicate.web.layout import publication

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from syndicate.app import App
    from syndicate.store.consent import Purpose
    from syndicate.store.subscribers import SubscriptionView
    from syndicate.store.wishes import Wishes
    from syndicate.web.forms import Form

_ACTIVE: Final = "active"
_MONTH: Final = timedelta(days=30)
_LINKS: Final[dict[str, Purpose]] = {"export": "export", "erase": "erase"}


async def unsubscribe(request: Request) -> Response:
    """``/u/{token}``: GET shows one button, POST ends the subscription; doing it again is harmless."""
    asked = await run_in_threadpool(readers.of, request)
    if request.method != "POST":
        return await run_in_threadpool(_leaving, request, asked, done=False)
    form = await forms.read(request)
    how = "page" if form.one("from") == "page" else "one-click"
    app = publication(request)
    await run_in_threadpool(app.subscribers.end, asked.token.subscriber, asked.token.newsletter, app.now(), how)
    return await run_in_threadpool(_leaving, request, asked, done=True)


async def preferences(request: Request) -> Response:
    """``/p/{token}``: GET shows what was chosen, POST saves it, receives less, or sends a link to one's own data."""
    asked = await run_in_threadpool(readers.of, request)
    if request.method != "POST":
        return await run_in_threadpool(_choices, request, asked)
    form = await forms.read(request)
    if form.one("send") in _LINKS:
        return await run_in_threadpool(_send, request, asked, _LINKS[form.one("send")])
    return await run_in_threadpool(_save, request, asked, form)


def _save(request: Request, asked: Asked, form: Form) -> Response:
    app, view = publication(request), asked.view
    if view is None or view.state != _ACTIVE or readers.letter(app, view) is None:
        return _choices(request, asked)
    now = app.now()
    if form.one("less"):
        wishes, paused_to, wrong = _less(app, view, form.one("less"), now)
    else:
        wishes, wrong = choices.read(form, readers.offer(app, view.newsletter), view.wishes)
        paused_to = view.paused_to if view.paused_to and view.paused_to > now else None
        if "pause" in form:
            paused_to, right = choices.pause(form, wishes.zone or app.settings.site.zone, now)
            wrong += [] if right else ["pause"]
    if wrong:
        return _choices(request, asked, wrong=tuple(wrong))
    saved = app.subscribers.choose(view, wishes, paused_to=paused_to, at=now)
    return _choices(request, readers.of(request), saved=saved)


def _less(app: App, view: SubscriptionView, less: str, now: datetime) -> tuple[Wishes, datetime | None, list[str]]:
    """One of the three ways to receive less that stand beside the unsubscribe button."""
    paused_to = view.paused_to if view.paused_to and view.paused_to > now else None
    offer = readers.offer(app, view.newsletter)
    if less == "weekly" and Frequency.WEEKLY in offer.frequencies:
        return replace(view.wishes, frequency=Frequency.WEEKLY), paused_to, []
    if less == "noquote":
        return replace(view.wishes, quote_display=QuoteDisplay.NONE), paused_to, []
    if less == "month":
        zone = view.wishes.zone or app.settings.site.zone
        day = (now + _MONTH).astimezone(ZoneInfo(zone)).date()
        return view.wishes, slots.instant(datetime.combine(day, time()), zone)[0], []
    return view.wishes, paused_to, ["frequency"]


def _send(request: Request, asked: Asked, purpose: Purpose) -> Response:
    app, view = publication(request), asked.view
    if view is not None and readers.letter(app, view) is not None:
        signup.send_link(app, view, purpose, forms.network(request, app.settings.web.trusted_proxies), app.now())
    return readers.sheet(request, "link_sent", asked, purpose=purpose)


def _leaving(request: Request, asked: Asked, *, done: bool) -> Response:
    app, view = publication(request), asked.view
    letter = readers.letter(app, view)
    weekly = bool(letter and letter.weekly and view and view.wishes.frequency is not Frequency.WEEKLY)
    quoted = bool(letter and view and shown_as(view.wishes.quote_display, letter) is not QuoteDisplay.NONE)
    return readers.sheet(
        request,
        "unsubscribe",
        asked,
        active=asked.state == _ACTIVE,
        done=done,
        preferences=f"/p/{request.path_params['token']}",
        less=[name for name, there in (("weekly", weekly), ("noquote", quoted), ("month", True)) if there],
    )


def _choices(request: Request, asked: Asked, *, saved: bool = False, wrong: tuple[str, ...] = ()) -> Response:
    app, view = publication(request), asked.view
    letter = readers.letter(app, view)
    active = view is not None and view.state == _ACTIVE and letter is not None
    values: dict[str, object] = {}
    if active and view is not None and letter is not None:
        wishes = view.wishes
        zone = wishes.zone or app.settings.site.zone
        paused = view.paused_to if view.paused_to and view.paused_to > app.now() else None
        values = {
            "offer": readers.offer(app, view.newsletter),
            "wishes": wishes,
            "quote": shown_as(wishes.quote_display, letter),
            "zones": choices.zones(app.now(), wishes.zone),
            "weekdays": wording.weekdays(wishes.lang or app.settings.site.language),
            "paused": paused.astimezone(ZoneInfo(zone)).date() if paused else None,
            "others": _others(app, view),
        }
    return readers.sheet(
        request,
        "preferences",
        asked,
        status=422 if wrong else 200,
        active=active,
        saved=saved,
        wrong=wrong,
        unsubscribe=f"/u/{request.path_params['token']}",
        **values,
    )


def _others(app: App, view: SubscriptionView) -> list[tuple[str, str]]:
    """Title and path of the same reader's other newsletters."""
    found = []
    for other in app.subscribers.views(view.subscriber):
        letter = readers.letter(app, other)
        if letter is not None and other.letter != view.letter and other.state == _ACTIVE:
            found.append((letter.title, f"/p/{links.sign(signup.token(other), app.token_keys)}"))
    return found
