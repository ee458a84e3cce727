"""Notices of a correction: each reader who was sent the wrong version gets one mail that says what is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from syndicate import links
from syndicate.errors import Refused, SyndicateError
from syndicate.model import Brief, Correction, Item, Parcel, Quote
from syndicate.publish import approval, messages, notices
from syndicate.render import email, framing, mime
from syndicate.render.frozen import Frozen
from syndicate.store import agenda, amendments, marks
from syndicate.store.duties import Duty
from syndicate.store.subscribers import Reader

if TYPE_CHECKING:
    from syndicate.app import App

PREFIX: Final = "correction:"


def compose(app: App, claimed: Sequence[Duty]) -> dict[tuple[int, int], tuple[str, Parcel] | Exception]:
    """The key and the message of each duty to tell one reader of a correction."""
    made: dict[tuple[int, int], tuple[str, Parcel] | Exception] = {}
    for letter in {duty.newsletter or 0 for duty in claimed}:
        theirs = [duty for duty in claimed if (duty.newsletter or 0) == letter]
        readers = app.subscribers.readers([duty.place for duty in theirs], letter)
        with app.store.read() as connection:
            instance, name = marks.get(connection, "instance"), agenda.newsletter_name(connection, letter)
            langs = amendments.languages(connection, [duty.place for duty in theirs], letter)
        for duty in theirs:
            try:
                reader = readers.get(duty.place)
                if reader is None:
                    msg = "the reader is not there any more"
                    raise Refused(msg)
                frozen = _frozen(app, duty, name, langs.get(duty.place, ""))
                made[duty.sending, duty.place] = _message(app, duty, name, reader, instance, frozen)
            except SyndicateError as error:
                made[duty.sending, duty.place] = error
    return made


def _frozen(app: App, duty: Duty, newsletter: str, lang: str) -> Frozen:
    """The notice in one language, rendered once for all its readers."""
    with app.store.read() as connection:
        kept = amendments.rendition(connection, duty.sending, lang)
    if kept:
        return Frozen.from_json(kept)
    messages.configured(app, newsletter)
    subject = duty.subject.removeprefix(f"{PREFIX}{newsletter}:")
    item = app.content.brief(subject, now=None) or app.content.quote(subject)
    with app.store.read() as connection:
        told = amendments.told(connection, subject, duty.revision)
    if item is None or told is None:
        msg = "the item is not there any more"
        raise Refused(msg)
    if isinstance(item, Quote):
        framing.guard_outside(told.text, [item], style=app.style)  # the file may have changed since it was written (Q5)
    correction = Correction(date=date.fromisoformat(told.day), text=told.text, severity=told.severity)
    frozen = notices.render(app, newsletter, "correction", lang=lang, brief=face(app, item), correction=correction)
    text = frozen.to_json()
    app.store.write(lambda connection: amendments.keep_rendition(connection, duty.sending, lang, text))
    return frozen


def face(app: App, item: Item) -> Brief:
    """An item as a notice names it: a quote by our own title and link alone (Q5)."""
    if isinstance(item, Brief):
        return replace(item, body="")
    at = item.updated or item.release or app.now()
    title = approval.told(app, item, item.title)
    return Brief(id=item.id, slug=item.slug, link=item.link, title=title, published=at, updated=at, path=item.path)


def _message(app: App, duty: Duty, newsletter: str, reader: Reader, instance: str, frozen: Frozen) -> tuple[str, Parcel]:
    key = links.delivery_key("notice", f"{instance}/{duty.subject}", duty.channel, reader.id, frozen.lang, duty.revision)
    token = links.sign(links.ReaderToken(subscriber=reader.place, newsletter=duty.newsletter or 0), app.token_keys)
    since = (reader.since or duty.due).astimezone(ZoneInfo(app.settings.site.zone)).date()
    recipient = email.Recipient(
        address=reader.address,
        name=reader.name,
        unsubscribe_url=app.public(f"u/{token}"),
        preferences_url=app.public(f"p/{token}"),
        subscribed_on=since,
    )
    mark = links.sign_return(links.ReturnToken(sending=duty.sending, place=duty.place), app.token_keys)
    letter, kind = messages.configured(app, newsletter), f"{newsletter}-correction"
    return key, mime.message(
        frozen, recipient, messages.envelope(app, newsletter, letter, kind, date=duty.due, key=key, mark=mark)
    )
