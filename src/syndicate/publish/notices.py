"""Notices to one reader: rendered here, put through the gates of every mail, and made into messages.

Who gets one is decided where a reader asks (``signup``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from syndicate import links
from syndicate.errors import Fault, Refused, RenderError, SyndicateError
from syndicate.model import Brief, Correction, Frequency, Parcel, QuoteDisplay
from syndicate.publish import editions, messages
from syndicate.render import email, lint_links, mime, notice
from syndicate.render.frozen import Frozen
from syndicate.store import marks
from syndicate.store.duties import Duty

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.store.subscribers import SubscriptionView

FRESH: Final = timedelta(hours=24)  # how long a link to a reader's own data works
_PURPOSES: Final[Mapping[str, notice.Kind]] = {
    "confirm": "confirm",
    "welcome": "welcome",
    "known": "known",
    "export": "export",
    "erase": "erase",
}
_Drawn = dict[tuple[object, ...], Frozen]


def render(
    app: App,
    newsletter: str,
    kind: notice.Kind,
    *,
    lang: str = "",
    zone: str = "",
    frequency: Frequency = Frequency.DAILY,
    quotes: bool | None = None,
    begins: datetime | None = None,
    brief: Brief | None = None,
    correction: Correction | None = None,
    withdrawn: bool = False,
) -> Frozen:
    """One notice, ready to be sent to whoever it is for. ``quotes``: whether they will be shown quotations.

    Raises
    ------
    RenderError
        A template's fault, or a gate refused it.
    """
    messages.require_postal_address(app)
    site, brand = app.settings.site, app.settings.brand
    letter = app.settings.newsletters[newsletter]
    told = notice.Notice(
        kind=kind,
        title=letter.title,
        site=site,
        zone=zone or site.zone,
        lang=lang or site.language,
        frequency=frequency,
        quotes=letter.quote != "none" if quotes is None else quotes,
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


def is_ours(duty: Duty) -> bool:
    """Whether a notice answers a reader's own wish: what it is for stands before the colon of its subject."""
    return duty.subject.partition(":")[0] in _PURPOSES


def compose(app: App, claimed: Sequence[Duty]) -> dict[tuple[int, int], tuple[str, Parcel] | Exception]:
    """The key and the message of each duty; readers who chose alike share a rendering."""
    made: dict[tuple[int, int], tuple[str, Parcel] | Exception] = {}
    drawn: _Drawn = {}
    with app.store.read() as connection:
        instance = marks.get(connection, "instance")
    for duty in claimed:
        try:
            made[duty.sending, duty.place] = _message(app, duty, drawn, instance)
        except SyndicateError as error:
            made[duty.sending, duty.place] = error
    return made


def _message(app: App, duty: Duty, drawn: _Drawn, instance: str) -> tuple[str, Parcel]:
    purpose = _PURPOSES[duty.subject.partition(":")[0]]
    view = app.subscribers.view(duty.place, duty.newsletter or 0)
    reader = app.subscribers.readers([duty.place], duty.newsletter or 0).get(duty.place)
    if view is None or reader is None:
        msg = "the reader is not there any more"
        raise Refused(msg)
    letter = messages.configured(app, view.newsletter)
    key = links.delivery_key("notice", f"{instance}/{duty.subject}", duty.channel, reader.id, "", duty.revision)
    mark = links.sign_return(links.ReturnToken(sending=duty.sending, place=duty.place), app.token_keys)
    envelope = messages.envelope(
        app, view.newsletter, letter, f"{view.newsletter}-{purpose}", date=duty.due, key=key, mark=mark
    )
    frozen = _drawn(app, purpose, view, duty.due, drawn)
    recipient = email.Recipient(
        address=reader.address,
        name=reader.name,
        subscribed_on=(reader.since or duty.due).astimezone(ZoneInfo(app.settings.site.zone)).date(),
        **_ways(app, purpose, view, duty.due),
    )
    # It goes to one person in answer to their own wish: no list.
    return key, mime.message(frozen, recipient, replace(envelope, list_id="", list_archive="", list_help=""))


def _ways(app: App, purpose: notice.Kind, view: SubscriptionView, due: datetime) -> Mapping[str, str]:
    """The links of one reader in a notice, by the names that a recipient has for them."""
    token = links.ReaderToken(subscriber=view.subscriber, newsletter=view.letter)
    if purpose == "confirm":
        return {"confirm_url": app.public(f"c/{links.sign(token, app.token_keys, 'confirm')}")}
    if purpose in notice.ASKING:
        fresh = links.FreshToken(token=token, until=due + FRESH)
        return {"confirm_url": app.public(f"{purpose}/{links.sign_fresh(fresh, app.token_keys, purpose)}")}
    signed = links.sign(token, app.token_keys)
    return {"unsubscribe_url": app.public(f"u/{signed}"), "preferences_url": app.public(f"p/{signed}")}


def _drawn(app: App, kind: notice.Kind, view: SubscriptionView, due: datetime, drawn: _Drawn) -> Frozen:
    wishes, letter = view.wishes, messages.configured(app, view.newsletter)
    begins = editions.begins(app, view.newsletter, wishes, due) if kind == "welcome" else None
    quotes = editions.shown_as(wishes.quote_display, letter) is not QuoteDisplay.NONE
    wanted = (view.newsletter, kind, wishes.lang, wishes.zone, wishes.frequency, quotes, begins)
    if wanted not in drawn:
        drawn[wanted] = render(
            app,
            view.newsletter,
            kind,
            lang=wishes.lang,
            zone=wishes.zone,
            frequency=wishes.frequency,
            quotes=quotes,
            begins=begins,
        )
    return drawn[wanted]


def faults(app: App, now: datetime, corrected: Brief | None) -> Iterator[Fault]:
    """Every fault of the notices of every newsletter, on made-up facts; that of a correction only where there is a brief."""
    for name in app.settings.newsletters:
        asked: tuple[notice.Kind, ...] = ("confirm", "known", "export", "erase")
        wanted: list[tuple[notice.Kind, Frequency]] = [(kind, Frequency.WEEKLY) for kind in asked]
        wanted += [("welcome", frequency) for frequency in Frequency]
        wanted += [("correction", Frequency.DAILY)] if corrected else []
        for kind, frequency in wanted:
            brief = corrected if kind == "correction" else None
            correction = Correction(date=now.date(), text="We gave 14. There were 11.") if brief else None
            try:
                render(app, name, kind, frequency=frequency, begins=now, brief=brief, correction=correction)
            except RenderError as error:
                yield from error.faults
