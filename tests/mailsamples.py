"""The starter's mails as readers get them, one of each kind: for the eyes of a browser and of strangers' tools."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from mails import NONCE, READER, TEMPLATES, arabic, brief, view
from served import NOW
from syndicate.app import App
from syndicate.model import Brief, Correction, Item, Quote, QuoteDisplay
from syndicate.plan.due import EditionKind
from syndicate.publish import dailyquote, messages, notices
from syndicate.render import mime
from syndicate.render.email import freeze
from syndicate.render.frozen import Frozen, splice, values


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One mail."""

    name: str
    html: str
    text: str
    data: bytes  # as it is sent


def samples(app: App) -> list[Sample]:
    """Editions of every kind, the notices, one from right to left, one that was shortened and one of long words."""
    briefs = app.content.briefs(now=NOW, with_body=True)
    corrected = next(one for one in briefs if one.corrections)
    daily = [one for one in briefs if one is not corrected][:3]
    quotes = dailyquote.admissible(app, NOW)[0]
    translated = next(one for one in quotes if one.original)
    told = ((corrected, corrected.corrections[0]),)
    frozen = {
        "instant": _edition(app, "instant", daily[:1]),
        "daily": _edition(app, "daily", [*daily, translated], corrected=told),
        "weekly": _edition(app, "weekly", [*daily, quotes[0]], QuoteDisplay.LINK, corrected=told),
        "quote": _edition(app, "quote", quotes[:1]),
        "confirm": notices.render(app, "digest", "confirm"),
        "welcome": notices.render(app, "digest", "welcome", begins=NOW + timedelta(hours=19)),
        "correction": notices.render(app, "digest", "correction", brief=corrected, correction=corrected.corrections[0]),
        "withdrawal": notices.render(
            app, "digest", "correction", brief=corrected, correction=corrected.corrections[0], withdrawn=True
        ),
        "right-to-left": freeze(arabic(), TEMPLATES, nonce=NONCE),
        "right-to-left in full": _in_full(),
        "shortened": freeze(view(*(_long(number) for number in range(60))), TEMPLATES, nonce=NONCE),
    }
    return [_sample(app, name, one) for name, one in frozen.items()]


def _edition(app: App, kind: EditionKind, items: list[Any], display: QuoteDisplay = QuoteDisplay.INLINE, **more: Any) -> Frozen:
    wanted: list[Item] = [one for one in items if isinstance(one, (Brief, Quote))]
    return messages.freeze_items(
        app,
        newsletter="digest",
        number=214,
        frequency=kind,
        at=NOW,
        items=wanted,
        display=display,
        lang="",
        view_url=messages.view_url(app, "digest", 214, 1),
        now=NOW,
        **more,
    )


def _in_full() -> Frozen:
    """A brief with everything that Markdown makes, read from right to left."""
    body = (
        "كُتبت *الدفاتر* [هنا](https://example.org/a).\n\n## ما وُجد\n\n- سجل أول\n- سجل ثانٍ\n\n> شهادة من كان هناك.\n\n"
        "| السنة | الصفحات |\n|---|--:|\n| 2009 | 46 |\n| 2014 | 0 |\n\n1. أولًا\n2. ثانيًا\n"
    )
    first = replace(arabic().briefs[0], body=body)
    return freeze(
        arabic(briefs=(first,), frequency="instant", quotes=(), quote_html=None, quote_text=None, corrections=()),
        TEMPLATES,
        nonce=NONCE,
    )


def _long(number: int) -> Brief:
    return brief(
        number,
        title=f"Record{'keeping' * 6} of the harbour {number}",
        summary="A summary of the harbour’s books, as long as summaries may be. It goes on with what was seen. " * 3,
        corrections=(Correction(date=date(2026, 11, 23), text="There were 11."),),
    )


def _sample(app: App, name: str, frozen: Frozen) -> Sample:
    filling = values(READER, frozen.lang) | {"confirm": f"{READER.preferences_url[:-24]}c/AAAAAAAAAAAAAAAAAAAAAA"}
    head = messages.envelope(
        app, "digest", app.settings.newsletters["digest"], f"digest-{name.split(maxsplit=1)[0]}", date=NOW, key=frozen.nonce * 4
    )
    reader = replace(READER, confirm_url=filling["confirm"])
    return Sample(
        name=name,
        html=splice(frozen.html, filling, html=True),
        text=splice(frozen.text, filling, html=False),
        data=mime.message(frozen, reader, head).data,
    )
