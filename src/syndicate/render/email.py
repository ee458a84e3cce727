"""One edition and variant becomes a subject and two frozen parts, with gaps for each reader's own values. No addresses here."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from syndicate.errors import Fault, RenderError
from syndicate.model import Brief, Correction, Quote, require_aware
from syndicate.render import framing, lint_subject
from syndicate.render.brand import brand_values
from syndicate.render.frozen import GAPS, URL_GAPS, Frozen, Parts, Recipient, Token, splice, unspeakable, values
from syndicate.render.told import Form, cut, fitting, ladder, told
from syndicate.render.wording import direction

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from syndicate.render.framing import FramedBlock, LinkOnly, Style
    from syndicate.render.templates import Templates

__all__ = ["EditionView", "Frozen", "Recipient", "Site", "Token", "freeze", "splice", "values"]

SHORTEN_ABOVE: Final = 80_000  # bytes of HTML; above, less is told of each brief (Gmail clips near 102 KB)
REFUSE_ABOVE: Final = 95_000  # bytes of HTML
_PREHEADER: Final = "email/preheader.txt.j2"

_NOBODY: Final[Mapping[str, str]] = {name: f"[{name}]" for name in GAPS}  # fills the gaps for the guards
_NONCE: Final = re.compile(r"[0-9a-z]{8,40}")


class Site(Protocol):
    """Who publishes, as far as a mail says it (``[site]``)."""

    @property
    def title(self) -> str:
        """The publication's name."""

    @property
    def url(self) -> str:
        """The organisation's own site."""

    @property
    def organisation(self) -> str:
        """Who is responsible."""

    @property
    def postal_address(self) -> str:
        """Stands in every mail; lines are parted by newlines or stay one."""

    @property
    def contact(self) -> str:
        """An address that people answer."""

    @property
    def profiles(self) -> tuple[str, ...]:
        """Our accounts, as links."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EditionView:
    """All that one variant of one edition shows: gathered beforehand, nothing is looked up later."""

    newsletter: str  # its name in the settings, "digest"
    title: str  # its title, the words of the plate
    number: int
    frequency: Literal["instant", "daily", "weekly", "quote", "now"]
    date: datetime  # due, aware
    zone: str  # IANA name: dates are printed in it
    site: Site
    public_url: str  # without a slash at the end
    view_url: str  # this edition in the browser, the same for every reader of the variant
    lang: str = "en"  # BCP 47
    briefs: tuple[Brief, ...] = ()  # the lead first
    quote_html: FramedBlock | None = None  # inline: both forms
    quote_text: FramedBlock | None = None
    quote_link: LinkOnly | None = None  # behind a link: our words only
    quotes: tuple[Quote, ...] = ()  # what must appear nowhere but in its block: the day's quote, however it is shown
    corrections: tuple[tuple[Brief, Correction], ...] = ()
    style: Style | None = None  # tells the gate which labels are ours
    brand: Mapping[str, object] = field(default_factory=dict)  # ``[brand]``; empty values mean the default

    def __post_init__(self) -> None:
        """Refuse what no edition can be."""
        require_aware("date", self.date)
        if (self.quote_html is None) != (self.quote_text is None):
            msg = "a quotation stands in both parts of a mail or in neither"
            raise ValueError(msg)
        if not (self.briefs or self.quote_html or self.quote_link or self.corrections):
            msg = "an edition holds something"
            raise ValueError(msg)


def freeze(view: EditionView, templates: Templates, *, nonce: str) -> Frozen:
    """Render one variant of an edition: templates, inlining, gaps, size and the quote gate's guards.

    ``nonce`` comes from the edition's id, so that a second rendering has the same bytes. Above 80,000 bytes the
    edition tells less: a full text gives way to its summary, later summaries to shorter ones, then to titles; the
    lead brief last. ``Frozen.cut`` says what was left out.

    Raises
    ------
    RenderError
        A template's fault, an unspeakable subject, a lost gap, or more than 95,000 bytes.
    Held
        The quote gate found a quotation outside its frame.
    """
    if not _NONCE.fullmatch(nonce):
        msg = "a nonce has 8 to 40 lower-case letters and digits"
        raise ValueError(msg)
    lint_subject.refuse(templates, [_subject_file(view, templates), _PREHEADER])
    full = view.frequency == "instant" and len(view.briefs) == 1
    drawn: dict[tuple[Form, ...], Frozen] = {}

    def size(forms: tuple[Form, ...]) -> int:
        if forms not in drawn:
            drawn[forms] = _freeze(view, templates, nonce, forms)
        return drawn[forms].size

    forms = fitting(ladder(len(view.briefs), full=full), size, SHORTEN_ABOVE)
    frozen = replace(drawn[forms], cut=cut(forms, full=full))
    if frozen.size > REFUSE_ABOVE:
        what = f"this edition has {frozen.size:,} bytes of HTML, and mail clients cut it off near 102,000"
        raise RenderError(_fault("edition.html.j2", what, f"send fewer briefs at once; {REFUSE_ABOVE:,} is the limit"))
    _guard(view, frozen)
    return frozen


def _subject_file(view: EditionView, templates: Templates) -> str:
    """A newsletter may word its subjects for itself."""
    own = f"email/subject.{view.newsletter}.txt.j2"
    return own if own in templates else "email/subject.txt.j2"


def _freeze(view: EditionView, templates: Templates, nonce: str, forms: tuple[Form, ...]) -> Frozen:
    context = _context(view, templates, nonce, forms)
    subject = one_line(templates.render(_subject_file(view, templates), **context))
    preheader = one_line(templates.render(_PREHEADER, **context))
    _check_header(view, subject, templates)
    return draw("edition", templates, {**context, "subject": subject, "preheader": preheader}, nonce, way="unsubscribe")


def draw(name: str, templates: Templates, context: Mapping[str, Any], nonce: str, *, way: str) -> Frozen:
    """The two parts of one mail, inlined and cut at their gaps; ``way`` names the gap that must be there.

    Raises
    ------
    RenderError
        A template's fault, or a gap that was lost.
    """
    drawn = templates.render(f"email/{name}.html.j2", **context)
    html = _split(_inline(drawn, f"{name}.html.j2"), nonce, expected=_gaps(drawn, nonce), file=f"{name}.html.j2", way=way)
    written = templates.render(f"email/{name}.txt.j2", **context).strip("\n") + "\n"
    text = _split(written, nonce, expected=_gaps(written, nonce), file=f"{name}.txt.j2", way=way)
    return Frozen(
        subject=context["subject"],
        preheader=context["preheader"],
        html=html,
        text=text,
        nonce=nonce,
        size=_size(html),
        lang=context["lang"],
    )


# -- what the templates see ---------------------------------------------------------------------


def common(site: Site, templates: Templates, *, lang: str, brand: Mapping[str, object], nonce: str) -> dict[str, Any]:
    """What every mail's templates see."""
    runs = direction(lang)
    return {
        "brand": brand_values(brand),
        "dir": runs,
        "gap": {name: _gap(name, nonce) for name in GAPS},
        "lang": lang,
        "site": site,
        "start": "right" if runs == "rtl" else "left",
        "wording": templates.wording(lang),
    }


def _context(view: EditionView, templates: Templates, nonce: str, forms: tuple[Form, ...]) -> dict[str, Any]:
    spoken = templates.wording(view.lang)
    briefs = tuple(told(brief, view, form, spoken.say) for brief, form in zip(view.briefs, forms, strict=True))
    refuse_nonce = [
        view.title,
        *(part for brief in briefs for part in (brief.title, brief.summary, brief.text, brief.html)),
        *(part for brief, correction in view.corrections for part in (brief.title, correction.text)),
    ]
    if any(nonce in part for part in refuse_nonce):
        raise RenderError(_fault("edition.html.j2", "a brief holds the mark of this edition's gaps"))
    day = spoken.day(view.date, view.zone)
    return {
        **common(view.site, templates, lang=view.lang, brand=view.brand, nonce=nonce),
        "briefs": briefs,
        "corrections": view.corrections,
        "date": view.date,
        "frequency": view.frequency,
        "full": Form.FULL in forms,
        "named": f"{view.title}, {day}",
        "number": view.number,
        "public_url": view.public_url,
        "quote_html": view.quote_html,
        "quote_kind": view.quotes[0].kind.value if view.quotes else "words",
        "quote_link": view.quote_link,
        "quote_text": view.quote_text,
        "signup_url": f"{view.public_url}/subscribe",
        "title": view.title,
        "view_url": view.view_url,
        "zone": view.zone,
    }


def one_line(text: str) -> str:
    """One line of what a template wrote over several."""
    return " ".join(text.split())


# -- inlining and gaps --------------------------------------------------------------------------


def _inline(html: str, file: str) -> str:
    """Styles into ``style`` attributes; the library is loaded with the first mail."""
    from syndicate.render import inline

    try:
        return inline.inlined(html)
    except Exception as error:  # premailer, cssutils and lxml raise what they like
        raise RenderError(_fault(file, f"the styles could not be inlined ({type(error).__name__})")) from error


def _gap(name: str, nonce: str) -> str:
    """A gap's mark in a template: an absolute URL where a link stands, else a word that no inliner touches."""
    return f"https://t-{nonce}.invalid/{name}" if name in URL_GAPS else f"@@{nonce}-{name}@@"


def _pattern(nonce: str) -> re.Pattern[str]:
    return re.compile(rf"https://t-{nonce}\.invalid/([a-z]+)|@@{nonce}-([a-z]+)@@")


def _gaps(text: str, nonce: str) -> Counter[str]:
    return Counter(name for pair in _pattern(nonce).findall(text) for name in pair if name)


def _split(text: str, nonce: str, *, expected: Counter[str], file: str, way: str) -> Parts:
    """Cut at the gaps, once. Their number after inlining must be the number before, and the one way on must be there."""
    if _gaps(text, nonce) != expected or expected.keys() - GAPS.keys():
        raise RenderError(_fault(file, "a reader's gap was lost or changed by inlining"))
    if way not in expected:
        raise RenderError(_fault(file, f"there is no link to {way}", f"use {{{{ gap.{way} }}}}"))
    parts: list[str | Token] = []
    end = 0
    for found in _pattern(nonce).finditer(text):
        parts += [text[end : found.start()], Token(found[1] or found[2])]
        end = found.end()
    parts.append(text[end:])
    if any(nonce in part for part in parts if isinstance(part, str)):
        raise RenderError(_fault(file, "a reader's gap was lost or changed by inlining"))
    return tuple(parts)


def _size(html: Iterable[str | Token]) -> int:
    return sum(len(part.encode()) if isinstance(part, str) else GAPS[part.name] for part in html)


# -- guards -------------------------------------------------------------------------------------


def _check_header(view: EditionView, subject: str, templates: Templates) -> None:
    found = unspeakable(subject)
    if not found and subject:
        return
    name = _subject_file(view, templates)
    guilty = next((brief.path for brief in view.briefs if unspeakable(brief.title)), "")
    what = f"the subject of a mail cannot hold {found}" if found else "the subject is empty"
    right = "write the title without it" if guilty else "say it without it" if found else ""
    line = 0 if guilty else lint_subject.first_line(templates, name)
    raise RenderError(Fault(file=guilty or f"templates/{name}", line=line, rule="subject", what=what, right=right))


def _guard(view: EditionView, frozen: Frozen) -> None:
    """Q1, Q2, Q5, Q6 on the finished artefact, whichever way this variant shows the quotation."""
    for line in (frozen.subject, frozen.preheader):
        framing.guard_outside(line, view.quotes, style=view.style)
    html = splice(frozen.html, _NOBODY, html=True)
    framing.guard(html, "html", [view.quote_html] if view.quote_html else [], view.quotes, style=view.style)
    text = splice(frozen.text, _NOBODY, html=False)
    framing.guard(text, "text", [view.quote_text] if view.quote_text else [], view.quotes, style=view.style)


def _fault(template: str, what: str, right: str = "") -> Fault:
    return Fault(file=f"templates/email/{template}", rule="mail", what=what, right=right)
