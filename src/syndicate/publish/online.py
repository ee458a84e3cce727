"""Editions as the web shows them: the frozen mail, with what was withdrawn since told as withdrawn. Nothing is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syndicate.model import Brief
from syndicate.publish import messages
from syndicate.render.frozen import Frozen
from syndicate.render.retracted import retracted
from syndicate.store import agenda

if TYPE_CHECKING:
    from syndicate.app import App


def edition(app: App, newsletter: str, number: int, variant: int | None = None) -> str | None:
    """An edition for the browser; ``None`` where there is none to show.

    That is so too where a quote of it was taken back, and where a withdrawn brief cannot be found in its page: then
    none of it is shown. The mail that readers have stays what it was.
    """
    page = messages.public_view(app, newsletter, number, variant)
    if page is None:
        return None
    with app.store.read() as connection:
        frozen = agenda.variants(connection, state="frozen", newsletter=newsletter, number=number)
    shown = next((one for one in frozen if variant is None or one.key == variant), None)
    if shown is None:
        return None
    gone = [item for item in messages.carried(app, shown) if isinstance(item, Brief) and messages.taken_back(item)]
    return retracted(page, gone, app.templates.wording(Frozen.from_json(shown.frozen).lang)) if gone else page
