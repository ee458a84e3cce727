"""Messages: each variant of an edition is rendered once and frozen. ``splicing`` makes each reader's message of it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from syndicate import data, links
from syndicate.errors import Fault, Held, RenderError, SyndicateError, Uncertain, Unreachable
from syndicate.failpoint import fail_at
from syndicate.model import Brief, Correction, Item, Message, Quote, QuoteDisplay, State, Status
from syndicate.plan.due import EditionKind
from syndicate.publish import approval, corrections
from syndicate.render import brand, email, framing, lint, lint_clients, lint_links, mime, wording
from syndicate.store import agenda
from syndicate.store.agenda import Variant
from syndicate.store.database import Connection
from syndicate.store.duties import Duty, Result
from syndicate.store.holds import holding

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.settings import NewsletterSettings

_MAIL_FAULT: Final = "email"
_TAKEN_BACK: Final = frozenset({Status.WITHDRAWN, Status.DRAFT})
_LARGEST: Final = 2**63 - 1  # what SQLite can look up


def freeze(app: App, now: datetime) -> list[Fault]:
    """Render what is planned and not rendered yet; a variant that cannot be waits, and says why."""
    with app.store.read() as connection:
        planned = agenda.variants(connection, state="planned")
    faults: list[Fault] = []
    for variant in planned:
        if not any(not taken_back(item) for item in carried(app, variant)):
            _drop(app, variant, now, "everything that the edition held was taken back", faults)
            continue
        try:
            frozen = render(app, variant, now)
        except Held as held:
            faults.append(_fault(variant, f"{held.rule} {held}".strip()))
            _without_quote(app, variant, now, str(held), faults)
        except SyndicateError as error:
            faults += error.faults if isinstance(error, RenderError) else [_fault(variant, str(error))]
            _fail(app, variant, str(error))
        else:
            _keep(app, variant, frozen)
    return faults


def _keep(app: App, variant: Variant, frozen: email.Frozen, fault: str = "") -> None:
    fail_at("messages.before_freeze")

    def work(connection: Connection) -> None:
        agenda.prune(connection, variant.key, _TAKEN_BACK)
        agenda.freeze(connection, variant.key, frozen.to_json(), fault)

    app.store.write(work)


def _fail(app: App, variant: Variant, why: str) -> None:
    app.store.write(lambda connection: agenda.fail(connection, variant.key, why))


def _drop(app: App, variant: Variant, now: datetime, why: str, faults: list[Fault]) -> None:
    """A rendering that will never leave: its messages are cancelled, and it is not tried again."""
    cancelled = app.ledger.cancel_variant(variant.key, now, why=why)
    app.store.write(lambda connection: agenda.drop(connection, variant.key, why))
    faults.append(_fault(variant, f"{cancelled} messages cancelled: {why}"))


def _without_quote(app: App, variant: Variant, now: datetime, why: str, faults: list[Fault]) -> None:
    """The gate refused the quote after the edition was planned: the briefs still reach their readers, the words do not."""
    if not any(isinstance(item, Brief) and not taken_back(item) for item in carried(app, variant)):
        _drop(app, variant, now, f"the edition held nothing but the quote, and {why}", faults)
        return
    try:
        frozen = render(app, replace(variant, quote_display=QuoteDisplay.NONE), now)
    except SyndicateError as error:
        _fail(app, variant, str(error))
        return
    _keep(app, variant, frozen, why)


def carried(app: App, variant: Variant) -> list[Item]:
    """The items of a variant in their order."""
    known: dict[int, Item] = {**app.content.briefs_by_keys(variant.items), **app.content.quotes_by_keys(variant.items)}
    return [known[key] for key in variant.items if key in known]


def taken_back(item: Item) -> bool:
    """Whether its author has withdrawn an item, or made a draft of it again, since it was planned."""
    return item.status in _TAKEN_BACK


def reconsider(app: App, variants: Collection[int]) -> set[int]:
    """Which of these renderings hold an item that was taken back: they wait until they are rendered without it."""
    with app.store.read() as connection:
        stale = agenda.holding_any(connection, variants, _TAKEN_BACK)
    for key in stale:
        app.store.write(lambda connection, key=key: agenda.thaw(connection, key))  # type: ignore[misc]
    return stale


def render(app: App, variant: Variant, now: datetime) -> email.Frozen:
    """One variant by the renderer that sends, without briefs that were taken back; a quote is the gate's to refuse.

    Raises
    ------
    RenderError
        A template's fault, or an edition too large for a mail.
    Held
        The quote gate refuses.
    """
    edition = variant.edition
    items = [item for item in carried(app, variant) if isinstance(item, Quote) or not taken_back(item)]
    return freeze_items(
        app,
        newsletter=edition.newsletter,
        number=edition.number,
        frequency=edition.frequency,
        at=edition.at,
        items=items,
        display=variant.quote_display,
        lang=variant.lang,
        view_url=view_url(app, edition.newsletter, edition.number, variant.key),
        now=now,
        corrected=corrections.shown(app, variant),
    )


def freeze_items(
    app: App,
    *,
    newsletter: str,
    number: int,
    frequency: EditionKind,
    at: datetime,
    items: Sequence[Item],
    display: QuoteDisplay,
    lang: str,
    view_url: str,
    now: datetime,
    corrected: tuple[tuple[Brief, Correction], ...] = (),
) -> email.Frozen:
    """The edition of these items: what ``freeze`` keeps, and what ``preview`` shows."""
    site = app.settings.site
    letter = configured(app, newsletter)
    require_postal_address(app)
    quotes = [item for item in items if isinstance(item, Quote)]
    admitted = approval.admit(app, quotes[0], now) if quotes and display is not QuoteDisplay.NONE else None
    inline = admitted is not None and display is QuoteDisplay.INLINE
    view = email.EditionView(
        newsletter=newsletter,
        title=letter.title,
        number=number,
        frequency=frequency,
        date=at,
        zone=site.zone,
        site=site,
        public_url=app.settings.web.public_url.rstrip("/"),
        view_url=view_url,
        lang=lang or site.language,
        briefs=tuple(item for item in items if isinstance(item, Brief)),
        quote_html=framing.block(admitted, "mail", app.templates) if admitted and inline else None,
        quote_text=framing.block(admitted, "text", app.templates) if admitted and inline else None,
        quote_link=framing.link_only(admitted) if admitted and not inline else None,
        quotes=tuple(quotes),
        corrections=corrected,
        style=app.style,
        brand=app.settings.brand.model_dump(),
    )
    nonce = hashlib.sha256(f"{view_url}\0{at.isoformat()}".encode()).hexdigest()[:16]
    frozen = email.freeze(view, app.templates, nonce=nonce)
    _, mail = sample(app, newsletter, frozen, at)
    faults = [*gates(app, frozen, lint_links.of_edition(view), view.lang), *lint.headers(mail.data)]
    if faults:
        raise RenderError(*faults)
    return frozen


def require_postal_address(app: App) -> None:
    """Refuse every mail while the sender's postal address is unknown: the law asks for it.

    Raises
    ------
    RenderError
        It is not set.
    """
    if not app.settings.site.postal_address.strip():
        raise RenderError(
            Fault(
                file="config/syndicate.toml",
                rule="site.postal_address",
                what="no postal address is set, and every mail must carry one",
                right="set it under [site]; nothing is sent until then",
            )
        )


def gates(app: App, frozen: email.Frozen, known: lint_links.Known, lang: str) -> list[Fault]:
    """What must hold of a finished mail before anybody gets it."""
    return lint.faults(
        frozen,
        known,
        lang=lang,
        direction=wording.direction(lang),
        colours=brand.brand_values(app.settings.brand.model_dump()),
        support=lint_clients.support(data.read("caniemail.json"), data.read("mail_enhancements.toml")),
        templates=app.templates,
    )


def sample(
    app: App, newsletter: str, frozen: email.Frozen, at: datetime, *, address: str = "reader@readers.example"
) -> tuple[str, Message]:
    """The key and the message that a reader would get; its links belong to nobody."""
    key = links.delivery_key("proof", newsletter, "", address, frozen.nonce, 0)
    head = envelope(app, newsletter, app.settings.newsletters[newsletter], f"{newsletter}-proof", date=at, key=key)
    return key, mime.message(frozen, nobody(app, at, address), head)


def nobody(app: App, at: datetime, address: str) -> email.Recipient:
    """A reader who has not subscribed."""
    token = links.sign(links.ReaderToken(subscriber=0, newsletter=0), app.token_keys)
    return email.Recipient(
        address=address,
        unsubscribe_url=app.public(f"u/{token}"),
        preferences_url=app.public(f"p/{token}"),
        confirm_url=app.public(f"c/{token}"),
        subscribed_on=at.astimezone(ZoneInfo(app.settings.site.zone)).date(),
    )


def configured(app: App, newsletter: str) -> NewsletterSettings:
    """The settings of a newsletter that may have been taken out of them while its editions were open.

    Raises
    ------
    Unreachable
        They are gone: its messages wait until they are back.
    """
    found = app.settings.newsletters.get(newsletter)
    if found is None:
        msg = f"the newsletter {newsletter!r} is not in the settings any more"
        raise Unreachable(msg)
    return found


def view_url(app: App, newsletter: str, number: int, variant: int) -> str:
    """Where a variant stands in the browser: the same address for each of its readers."""
    return app.public(f"editions/{newsletter}/{number}/{variant}")


def public_view(app: App, newsletter: str, number: int, variant: int | None = None) -> str | None:
    """An edition for the browser, without what is said to one reader alone; ``None`` where there is none."""
    if max(number, variant or 0) > _LARGEST:
        return None
    with app.store.read() as connection:
        found = [
            v
            for v in agenda.variants(connection, state="frozen", newsletter=newsletter, number=number)
            if variant is None or v.key == variant
        ]
    if not found or any(_taken_back(app, item) for item in carried(app, found[0])):
        return None
    return email.Frozen.from_json(found[0].frozen).page()


def _taken_back(app: App, item: Item) -> bool:
    """Whether a quote was withdrawn or stopped after an edition had carried it: the page shows it no more (Q15, Q22)."""
    if not isinstance(item, Quote):
        return False
    with app.store.read() as connection:
        return item.status is Status.WITHDRAWN or bool(holding(connection, "quotes", item.id))


def envelope(
    app: App, name: str, letter: NewsletterSettings, kind: str, *, date: datetime, key: str, mark: str = ""
) -> mime.Envelope:
    """The headers of one message, all made from its key: a retry has the same bytes.

    ``mark`` is the signed token of its delivery: what comes back is known by it, from the return path or the Message-ID.
    """
    standing = _standing(app.settings.web.public_url, name, letter.sender)
    home, separator = letter.return_path or app.settings.returns.address, app.settings.returns.separator
    return mime.Envelope(
        sender=letter.sender,
        reply_to=letter.reply_to,
        list_id=standing.list_id,
        list_archive=standing.archive,
        list_help=standing.help,
        feedback_id=f"{kind}:{name}::{standing.host}",
        bounce=links.return_path(home, mark, separator) if home and mark else home,
        date=date,
        message_id=f"{key[:24]}.{mark}@{standing.domain}" if mark else f"{key[:40]}@{standing.domain}",
        boundary=f"=_{key[:32]}",
    )


class _Standing(NamedTuple):
    """What all envelopes of a newsletter have in common."""

    domain: str  # of the newsletter's own address
    list_id: str
    archive: str
    help: str
    host: str  # as Feedback-ID takes it


@lru_cache(maxsize=64)  # asked for once for every message
def _standing(public_url: str, name: str, sender: str) -> _Standing:
    domain, base = sender.rpartition("@")[2].rstrip("> ").lower(), public_url.rstrip("/")
    host = (urlsplit(public_url).hostname or "localhost").replace(".", "")[:15].ljust(5, "0")
    return _Standing(domain, f"{name}.{domain}", f"{base}/editions/", f"{base}/feeds/", host)


def unanswered(app: App, duty: Duty, error: Uncertain, now: datetime) -> Result:
    """A mail that may have been accepted (RFC 1047): held for a person, or sent again where the newsletter says so."""
    with app.store.read() as connection:
        name = agenda.newsletter_name(connection, duty.newsletter)
    letter = app.settings.newsletters.get(name)
    if letter is not None and letter.on_uncertain == "resend":
        return Result(
            duty=duty, state=State.PENDING, not_before=now, code=error.code, detail=f"{error}; sent again, as on_uncertain says"
        )
    return Result(duty=duty, state=State.UNCERTAIN, code=error.code or "uncertain", detail=str(error))


def _fault(variant: Variant, what: str) -> Fault:
    edition = variant.edition
    return Fault(file=f"edition {edition.newsletter} {edition.number}", rule=_MAIL_FAULT, what=what)
