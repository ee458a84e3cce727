"""A reader's own pages: leaving with one click (RFC 8058) and choosing less. A signed link is all that is asked for.

GET and HEAD change nothing, because mail scanners open every link. No cookie is read or set.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from email import policy
from email.parser import BytesParser
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from syndicate import links
from syndicate.model import Frequency, QuoteDisplay
from syndicate.web.layout import page, publication

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from syndicate.app import App
    from syndicate.settings import NewsletterSettings
    from syndicate.store.subscribers import SubscriptionView

_FORM_BYTES: Final = 16_384  # far more than a form of ours needs
_ACTIVE: Final = "active"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    """The subscription that a signed link means."""

    token: links.ReaderToken
    text: str  # the token as it stands in the link
    view: SubscriptionView | None  # None: it has been erased


async def unsubscribe(request: Request) -> Response:
    """``/u/{token}``: GET shows one button, POST ends the subscription; doing it again is harmless."""
    asked = await run_in_threadpool(_asked, request)
    if request.method != "POST":
        return await run_in_threadpool(_leaving, request, asked, done=False)
    form = await _form(request)
    how = "page" if form.get("from") == "page" else "one-click"
    app = publication(request)
    await run_in_threadpool(app.subscribers.end, asked.token.subscriber, asked.token.newsletter, app.now(), how)
    return await run_in_threadpool(_leaving, request, asked, done=True)


async def preferences(request: Request) -> Response:
    """``/p/{token}``: GET shows what was chosen, POST saves frequency and quote display."""
    asked = await run_in_threadpool(_asked, request)
    if request.method != "POST":
        return await run_in_threadpool(_choices, request, asked)
    form = await _form(request)
    return await run_in_threadpool(_save, request, asked, form)


def _asked(request: Request) -> _Asked:
    """The subscription behind the link.

    Raises
    ------
    HTTPException
        404 where we did not sign it.
    """
    app = publication(request)
    text = request.path_params["token"]
    token = links.verify(text, app.token_keys)
    if token is None:
        words = "This link is not complete. Copy the whole of it from the mail, or use the link in a newer one."
        raise HTTPException(404, words)
    return _Asked(token=token, text=text, view=app.subscribers.view(token.subscriber, token.newsletter))


def _save(request: Request, asked: _Asked, form: Mapping[str, str]) -> Response:
    app = publication(request)
    offered = {value for value, _, _ in _frequencies(_newsletter(app, asked.view))}
    frequency, quote = form.get("frequency", ""), form.get("quote", "")
    if frequency not in offered or quote not in set(QuoteDisplay):
        return _choices(request, asked, wrong="Please choose how often we write and how the quotation is shown.")
    view = asked.view
    wishes = replace(view.wishes, frequency=Frequency(frequency), quote_display=QuoteDisplay(quote)) if view else None
    saved = bool(view and wishes and app.subscribers.choose(view, wishes, paused_to=view.paused_to, at=app.now()))
    return _choices(request, _asked(request), saved=saved)


def _leaving(request: Request, asked: _Asked, *, done: bool) -> Response:
    return page(
        request,
        "unsubscribe",
        private=True,
        newsletter=_title(publication(request), asked.view),
        address=_masked(asked.view),
        active=asked.view is not None and asked.view.state == _ACTIVE,
        done=done,
        preferences=f"/p/{asked.text}",
    )


def _choices(request: Request, asked: _Asked, *, saved: bool = False, wrong: str = "") -> Response:
    app, view = publication(request), asked.view
    newsletter = _newsletter(app, view)
    return page(
        request,
        "preferences",
        status=422 if wrong else 200,
        private=True,
        newsletter=_title(app, view),
        address=_masked(view),
        active=view is not None and view.state == _ACTIVE,
        saved=saved,
        wrong=wrong,
        frequency=view.wishes.frequency if view else "",
        quote=(view.wishes.quote_display if view and view.wishes.quote_display else newsletter.quote if newsletter else ""),
        frequencies=_frequencies(newsletter),
        unsubscribe=f"/u/{asked.text}",
    )


def _frequencies(newsletter: NewsletterSettings | None) -> list[tuple[str, str, str]]:
    """Value, label and hint of each frequency that the newsletter offers."""
    if newsletter is None:
        return []
    offered = [
        ("instant", "Each brief as it appears", "One message for each brief, within minutes.", newsletter.instant),
        ("daily", "Once a day", "On a day with nothing new we do not write.", newsletter.daily is not None),
        ("weekly", "Once a week", "The briefs of the week in one message.", newsletter.weekly is not None),
    ]
    return [(value, label, hint) for value, label, hint, there in offered if there]


def _newsletter(app: App, view: SubscriptionView | None) -> NewsletterSettings | None:
    return app.settings.newsletters.get(view.newsletter) if view else None


def _title(app: App, view: SubscriptionView | None) -> str:
    newsletter = _newsletter(app, view)
    return newsletter.title if newsletter else app.settings.site.title


def _masked(view: SubscriptionView | None) -> str:
    """``m•••••@example.org``: enough for its owner, too little for anybody else."""
    if view is None:
        return "in this link"
    local, _, domain = view.address.rpartition("@")
    return f"{local[:1]}•••••@{domain}"


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form in either encoding that RFC 8058 §3.1 names; what is too long or broken is empty.

    An empty form still ends a subscription: only the signed link says who leaves.
    """
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > _FORM_BYTES:
            return {}
    kind = request.headers.get("content-type", "")
    if kind.lower().startswith("multipart/form-data"):
        return _parts(kind, bytes(data))
    return dict(parse_qsl(data.decode("utf-8", "replace")))


def _parts(kind: str, data: bytes) -> dict[str, str]:
    """The fields of a multipart form, which is MIME (RFC 7578)."""
    head = f"Content-Type: {kind}\r\n\r\n".encode("latin-1", "replace")
    message = BytesParser(policy=policy.HTTP).parsebytes(head + data)
    if not message.is_multipart():
        return {}
    fields = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(payload, bytes):
            fields[name] = payload.decode("utf-8", "replace").strip()
    return fields
