"""Signing up and confirming (double opt-in). Whatever is known about an address, who asks is told the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from syndicate import links
from syndicate.model import Frequency, QuoteDisplay
from syndicate.publish import signup
from syndicate.publish.editions import begins
from syndicate.render import wording
from syndicate.store.addresses import normalised
from syndicate.store.wishes import Wishes
from syndicate.web import asked as readers
from syndicate.web import choices, forms
from syndicate.web.forms import Form
from syndicate.web.layout import page, publication

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, Response

    from syndicate.app import App
    from syndicate.web.asked import Asked

_TRAP: Final = "website"  # a field that no person sees
_STALE: Final = timedelta(days=1)  # a form that stood open for longer is shown once more
_BUSY: Final = {"network": 429, "everybody": 503}


async def subscribe(request: Request) -> Response:
    """``/subscribe`` and ``/subscribe/{newsletter}``: GET shows the form, POST asks the owner of the address."""
    name = await run_in_threadpool(_newsletter, request)
    if not name:
        return await run_in_threadpool(_which, request)
    if request.method != "POST":
        return await run_in_threadpool(_form, request, name, Form())
    form = await forms.read(request)
    return await run_in_threadpool(_ask, request, name, form)


async def confirm(request: Request) -> Response:
    """``/c/{token}``: GET shows one button, POST makes the subscription active; doing it again is harmless."""
    asked = await run_in_threadpool(readers.of, request, "confirm")
    if request.method == "POST" and asked.view is not None:
        app = publication(request)
        await run_in_threadpool(signup.confirm, app, asked.view, app.now())
        asked = await run_in_threadpool(readers.of, request, "confirm")
        return await run_in_threadpool(_confirming, request, asked, done=True)
    return await run_in_threadpool(_confirming, request, asked, done=False)


def _newsletter(request: Request) -> str:
    """The newsletter that is meant: the one in the address, or the only one; ``""`` where there are several."""
    known = publication(request).settings.newsletters
    name = str(request.path_params.get("newsletter", ""))
    if name and name not in known:
        raise HTTPException(404)
    return name or (next(iter(known)) if len(known) == 1 else "")


def _lang(request: Request) -> str:
    """The language that the address of the page asks for, where there is one."""
    lang = request.query_params.get("lang", "")
    return lang if lang in choices.languages(publication(request)) else ""


def _which(request: Request) -> Response:
    app = publication(request)
    letters = [(name, letter.title) for name, letter in app.settings.newsletters.items()]
    return _open(page(request, "newsletters", here="subscribe", lang=_lang(request), letters=letters))


def _ask(request: Request, name: str, form: Form) -> Response:
    app, now = publication(request), publication(request).now()
    wishes, wrong = choices.read(form, readers.offer(app, name), Wishes(lang=_lang(request)))
    address = form.one("mail")
    why = _address_fault(address)
    given = links.stamped(form.one("stamp"), app.token_keys)
    if why or wrong:
        return _form(request, name, form, wrong=tuple(wrong), address_fault=why)
    hurried = given is None or not timedelta(seconds=app.settings.signup.fill_seconds) <= now - given <= _STALE
    if hurried:
        return _form(request, name, form, again=True)
    verdict = "yes"
    if not form.one(_TRAP):
        wish = signup.Wish(
            address=address,
            newsletter=name,
            wishes=wishes,
            wording=_agreement(app, name, _lang(request)),
            form=request.url.path,
        )
        verdict = signup.ask(app, wish, forms.network(request, app.settings.web.trusted_proxies), now)
    if verdict in _BUSY:
        answer = _form(request, name, form, busy=verdict, status=_BUSY[verdict])
        answer.headers["Retry-After"] = "3600"
        return answer
    title = app.settings.newsletters[name].title
    days = app.settings.privacy.keep_pending_days
    return _open(page(request, "asked", noindex=True, here="subscribe", lang=_lang(request), newsletter=title, days=days))


def _address_fault(address: str) -> str:
    """Why an address cannot be one, as a word that the template knows; ``""`` where it can."""
    try:
        normalised(address)
    except ValueError:
        _, at, domain = address.rpartition("@")
        return "none" if not address else "no-at" if not at else "no-domain" if "." not in domain.strip(".") else "other"
    return ""


def _agreement(app: App, name: str, lang: str) -> str:
    """What who signs up agrees to, word for word as the page shows it."""
    spoken = app.templates.wording(lang or app.settings.site.language)
    title = app.settings.newsletters[name].title
    return app.templates.render("pages/agreement.txt.j2", title=title, wording=spoken).strip()


def _form(
    request: Request,
    name: str,
    form: Form,
    *,
    status: int = 200,
    wrong: tuple[str, ...] = (),
    address_fault: str = "",
    again: bool = False,
    busy: str = "",
) -> HTMLResponse:
    app, lang = publication(request), _lang(request)
    offer = readers.offer(app, name)
    standard = Frequency.DAILY if Frequency.DAILY in offer.frequencies else next(iter(offer.frequencies), Frequency.DAILY)
    wishes = replace(choices.read(form, offer, Wishes(frequency=standard))[0], lang=form.one("lang") or lang)
    spoken = lang or app.settings.site.language
    answer = page(
        request,
        "subscribe",
        status=422 if wrong or address_fault or again else status,
        here="subscribe",
        lang=lang,
        newsletter=app.settings.newsletters[name].title,
        offer=offer,
        wishes=wishes,
        quote=wishes.quote_display or (offer.quotes[0] if offer.quotes else QuoteDisplay.NONE),
        zones=choices.zones(app.now(), wishes.zone, app.settings.site.zone),
        weekdays=wording.weekdays(spoken),
        mail=form.one("mail"),
        stamp=links.stamp(app.now(), app.token_keys),
        agreement=_agreement(app, name, lang),
        spoken=spoken,
        wrong=wrong,
        address_fault=address_fault,
        again=again,
        busy=busy,
    )
    return _open(answer)


def _confirming(request: Request, asked: Asked, *, done: bool) -> Response:
    app, view = publication(request), asked.view
    known = view is not None and readers.letter(app, view) is not None and view.state in {"pending", "active"}
    first = begins(app, view.newsletter, view.wishes, app.now()) if known and view else None
    signed = links.sign(asked.token, app.token_keys)
    return readers.sheet(
        request,
        "confirm",
        asked,
        status=200 if known else 410,
        known=known,
        done=done,
        begins=first,
        frequency=view.wishes.frequency.value if view else "",
        zone=(view.wishes.zone if view else "") or app.settings.site.zone,
        preferences=f"/p/{signed}" if asked.state == "active" else "",
    )


def _open(answer: HTMLResponse) -> HTMLResponse:
    """A page that may be found and must not be kept: it holds a time, or says that somebody signed up."""
    answer.headers["Cache-Control"] = "no-store"
    return answer
