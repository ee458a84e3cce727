"""The subscription that a signed link means, and what every page about it says: whose it is, in which language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from starlette.exceptions import HTTPException

from syndicate import links
from syndicate.store.addresses import masked
from syndicate.web import choices
from syndicate.web.layout import page, publication

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import HTMLResponse

    from syndicate.app import App
    from syndicate.settings import NewsletterSettings
    from syndicate.store.subscribers import SubscriptionView
    from syndicate.web.choices import Offer

_CUT: Final = "This link is not complete. Copy the whole of it from the mail, or use the link in a newer one."
_OVER: Final = "This link worked for 24 hours, and they are over. Ask for a new one on the page of your choices."
_TOPICS: Final = choices.Topics()


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A verified link."""

    token: links.ReaderToken
    view: SubscriptionView | None  # None: it has lapsed or was erased

    @property
    def state(self) -> str:
        """The subscription's state; ``""`` where there is none."""
        return self.view.state if self.view else ""


def of(request: Request, purpose: str = "link") -> Asked:
    """The subscription behind the link of a request.

    Raises
    ------
    HTTPException
        404 where we did not sign it for that.
    """
    app = publication(request)
    token = links.verify(request.path_params["token"], app.token_keys, purpose)
    if token is None:
        raise HTTPException(404, _CUT)
    return Asked(token=token, view=app.subscribers.view(token.subscriber, token.newsletter))


def fresh(request: Request, purpose: str) -> Asked:
    """The same for a link that works for a day.

    Raises
    ------
    HTTPException
        404 where we did not sign it for that, 410 where it has ended.
    """
    app = publication(request)
    found = links.verify_fresh(request.path_params["token"], app.token_keys, purpose)
    if found is None:
        raise HTTPException(404, _CUT)
    if app.now() >= found.until:
        raise HTTPException(
            410, "This link worked for 24 hours, and they are over. Ask for a new one on the page of your choices."
        )
    return Asked(token=found.token, view=app.subscribers.view(found.token.subscriber, found.token.newsletter))


def sheet(request: Request, template: str, asked: Asked, *, status: int = 200, **values: Any) -> HTMLResponse:  # noqa: ANN401 - what the template wants
    """A page about one subscription, in its reader's language, kept by nobody."""
    app, view = publication(request), asked.view
    known = letter(app, view)
    return page(
        request,
        template,
        status=status,
        private=True,
        lang=view.wishes.lang if view else "",
        newsletter=known.title if known else app.settings.site.title,
        address=masked(view.address) if view else "",
        state=asked.state,
        **values,
    )


def letter(app: App, view: SubscriptionView | None) -> NewsletterSettings | None:
    """The newsletter of a subscription, where the settings still have it."""
    return app.settings.newsletters.get(view.newsletter) if view else None


def offer(app: App, newsletter: str) -> Offer:
    """What a newsletter offers, with the topics of today."""
    return choices.offered(app, newsletter, _TOPICS.of(app))
