"""Mails that are no edition: a wish to confirm, a welcome, a reader's own data, a correction. In the look of editions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from syndicate.errors import Fault, RenderError
from syndicate.model import Brief, Correction, Frequency, require_aware
from syndicate.render import email, lint_subject
from syndicate.render.frozen import Frozen, unspeakable

if TYPE_CHECKING:
    from syndicate.render.email import Site
    from syndicate.render.templates import Templates

Kind = Literal["confirm", "welcome", "known", "export", "erase", "correction"]
KINDS: Final[tuple[Kind, ...]] = ("confirm", "welcome", "known", "export", "erase", "correction")
ASKING: Final[frozenset[Kind]] = frozenset({"confirm", "export", "erase"})  # who lead on by one link, and leave nothing to end


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """What one notice says, the same for every reader who gets it."""

    kind: Kind
    title: str  # the newsletter's
    site: Site
    zone: str  # IANA name: dates are printed in it
    lang: str = "en"  # BCP 47
    frequency: Frequency = Frequency.DAILY  # what the reader chose
    quotes: bool = True  # whether they will be shown the day's quotation
    begins: datetime | None = None  # aware; when the first edition is due, of a welcome
    brief: Brief | None = None  # the corrected one
    correction: Correction | None = None
    withdrawn: bool = False  # the brief was taken back altogether
    brand: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what no notice can be."""
        require_aware("begins", self.begins)
        if self.kind == "correction" and (self.brief is None or self.correction is None):
            msg = "the notice of a correction tells what was corrected, and how"
            raise ValueError(msg)


def freeze(notice: Notice, templates: Templates, *, nonce: str) -> Frozen:
    """Render one notice.

    Raises
    ------
    RenderError
        A template's fault, an unspeakable subject, or a lost gap.
    """
    context = _context(notice, templates, nonce)
    file = f"{notice.kind}.subject.txt.j2"
    lint_subject.refuse(templates, [f"email/{file}"])
    subject, _, preheader = templates.render(f"email/{file}", **context).strip().partition("\n")
    found = unspeakable(subject)
    if found or not subject:
        what = f"the subject of a mail cannot hold {found}" if found else "the subject is empty"
        guilty = notice.brief.path if notice.brief and unspeakable(notice.brief.title) else ""
        right = "write the title without it" if guilty else ""
        raise RenderError(Fault(file=guilty or f"templates/email/{file}", rule="subject", what=what, right=right))
    context |= {"subject": subject, "preheader": email.one_line(preheader), "named": subject}
    return email.draw(notice.kind, templates, context, nonce, way="confirm" if notice.kind in ASKING else "unsubscribe")


def _context(notice: Notice, templates: Templates, nonce: str) -> dict[str, Any]:
    return {
        **email.common(notice.site, templates, lang=notice.lang, brand=notice.brand, nonce=nonce),
        "begins": notice.begins,
        "brief": notice.brief,
        "correction": notice.correction,
        "frequency": notice.frequency.value,
        "quote_kind": "words",
        "quotes": notice.quotes,
        "title": notice.title,
        "view_url": "",
        "withdrawn": notice.withdrawn,
        "zone": notice.zone,
    }
