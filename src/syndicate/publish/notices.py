"""Notices to one reader: rendered here and put through the gates of every mail. Who gets one is decided elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from syndicate.errors import Fault, RenderError
from syndicate.model import Brief, Correction, Frequency
from syndicate.publish import messages
from syndicate.render import lint_links, notice
from syndicate.render.frozen import Frozen

if TYPE_CHECKING:
    from syndicate.app import App


def render(
    app: App,
    newsletter: str,
    kind: notice.Kind,
    *,
    lang: str = "",
    frequency: Frequency = Frequency.DAILY,
    begins: datetime | None = None,
    brief: Brief | None = None,
    correction: Correction | None = None,
    withdrawn: bool = False,
) -> Frozen:
    """One notice, ready to be sent to whoever it is for.

    Raises
    ------
    RenderError
        A template's fault, or a gate refused it.
    """
    site, brand = app.settings.site, app.settings.brand
    letter = app.settings.newsletters[newsletter]
    told = notice.Notice(
        kind=kind,
        title=letter.title,
        site=site,
        zone=site.zone,
        lang=lang or site.language,
        frequency=frequency,
        quotes=letter.quote != "none",
        begins=begins,
        brief=brief,
        correction=correction,
        withdrawn=withdrawn,
        brand=brand.model_dump(),
    )
    subject = f"{newsletter}\0{kind}\0{lang}\0{brief.id if brief else ''}\0{correction.text if correction else ''}"
    frozen = notice.freeze(told, app.templates, nonce=hashlib.sha256(subject.encode()).hexdigest()[:16])
    briefs = [brief] if brief else []
    public_url = app.settings.web.public_url.rstrip("/")
    known = lint_links.known(site, public_url, briefs=briefs, logo=brand.logo)
    faults = messages.gates(app, frozen, known, told.lang)
    if faults:
        raise RenderError(*faults)
    return frozen


def faults(app: App, now: datetime) -> Iterator[Fault]:
    """Every fault of the notices of every newsletter, on made-up facts."""
    newest = app.content.briefs(now=now, limit=1)
    for name in app.settings.newsletters:
        wanted: list[tuple[notice.Kind, Frequency]] = [("confirm", Frequency.WEEKLY)]
        wanted += [("welcome", frequency) for frequency in Frequency]
        wanted += [("correction", Frequency.DAILY)] if newest else []
        for kind, frequency in wanted:
            brief = newest[0] if kind == "correction" else None
            correction = Correction(date=now.date(), text="We gave 14. There were 11.") if brief else None
            try:
                render(app, name, kind, frequency=frequency, begins=now, brief=brief, correction=correction)
            except RenderError as error:
                yield from error.faults
