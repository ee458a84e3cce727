"""Makers of editions for the tests of the mail: invented people and places, the starter's own templates."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from syndicate.model import Author, Brief, Correction, Quote, QuoteKind, Words
from syndicate.render import framing
from syndicate.render.email import EditionView, Recipient
from syndicate.render.gate.house_style import Phrases, Style
from syndicate.render.templates import Templates

FOLDER = Path(__file__).parents[1] / "templates"
SOURCES = {path.relative_to(FOLDER).as_posix(): path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.j2")}
CATALOGUES = {path.stem: path.read_text(encoding="utf-8") for path in (FOLDER / "locale").glob("*.po")}
TEMPLATES = Templates(SOURCES, CATALOGUES)
PUBLIC = "https://letter.example"
DUE = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)  # the 23rd in Berlin
NONCE = "0123456789abcdef"
WORDS = "The lantern keeps no ledger of the moths. Whoever leaves the ferry at noon will carry our salt home unasked."
RUN = "keeps no ledger of"


@dataclass(frozen=True)
class Site:
    title: str = "The Ferry Letter"
    url: str = "https://institute.example/"
    organisation: str = "The Ferry Institute"
    postal_address: str = "3 Rope Walk\nTolland Quay"
    contact: str = "editors@letter.example"
    profiles: tuple[str, ...] = ("https://social.example/@ferry",)


STYLE = Style(
    title="The daily dose",
    tagline="Their words",
    labels={
        QuoteKind.WORDS: "Extremist’s own words, shown for study",
        QuoteKind.ACTIONS: "What extremists did",
        QuoteKind.POST: "Posted by an extremist",
    },
    archive_hosts=frozenset({"archive.letter.example"}),
    public_url=PUBLIC,
    language="en",
    approval="solo",
)
READER = Recipient(
    address="m.arden@example.org",
    unsubscribe_url=f"{PUBLIC}/u/AAAAAAAAAAAAAAAAAAAAAA",
    preferences_url=f"{PUBLIC}/p/AAAAAAAAAAAAAAAAAAAAAA",
    subscribed_on=date(2026, 3, 3),
)


def brief(number: int = 1, **over: Any) -> Brief:
    return Brief(
        **{
            "id": f"tag:letter.example,2015:brief/{number}",
            "slug": f"brief-{number}",
            "link": f"{PUBLIC}/briefs/brief-{number}",
            "title": f"What the harbour wrote down, part {number}",
            "published": DUE,
            "updated": DUE,
            "authors": (Author(name="Ilse Varnholt", role="Analyst"), Author(name="Tobin Askerly")),
            "summary": f"Summary number {number} of the harbour’s books.",
            "topics": ("Harbours",),
            "body": "## A finding\n\nThe *books* were [kept](https://example.org/a?b=c&d=e).\n\n![A quay](/media/quay.png)\n",
            **over,
        }
    )


QUOTE = Quote(
    id="tag:letter.example,2015:quote/q1",
    slug="q1",
    link=f"{PUBLIC}/quotes/q1",
    kind=QuoteKind.WORDS,
    title="A founder on leaving",
    words=Words(WORDS),
    context="In 2011 the movement asked new members to cut their ties; this is how its founder spoke to them that winter.",
    source="Minutes",
    archive="https://archive.letter.example/q1",
    date="Undated",
    lang="en",
    contains="pressure to cut contact",
    speaker="Oren Talvick",
    role="Founder of the movement",
    role_source="Register",
)


DEED = replace(
    QUOTE,
    id="tag:letter.example,2015:quote/q2",
    slug="q2",
    link=f"{PUBLIC}/quotes/q2",
    kind=QuoteKind.ACTIONS,
    title="The day on which the ferry was stopped",
    words=Words("Nine families with their carts waited at the quay until dusk and were sent home. Members had taken the oars."),
    context="The town still names this day when it is asked what changed.",
    contains="people being kept from leaving",
    date="2012-03-13",
    speaker="",
    role="",
    role_source="",
    place="Tolland Quay",
    victims="Nine families",
)


def view(*briefs: Brief, display: str = "", quote: Quote = QUOTE, **over: Any) -> EditionView:
    given_values: dict[str, Any] = {
        "newsletter": "digest",
        "title": "The Ferry Letter",
        "number": 7,
        "frequency": "daily",
        "date": DUE,
        "zone": "Europe/Berlin",
        "site": Site(),
        "public_url": PUBLIC,
        "view_url": f"{PUBLIC}/editions/digest/7/1",
        "briefs": briefs,
        "style": STYLE,
    }
    if display:
        admitted = framing.admit(quote, STYLE, approved=True, now=DUE)
        given_values["quotes"] = (quote,)
        if display == "inline":
            given_values["quote_html"] = framing.block(admitted, "mail", TEMPLATES)
            given_values["quote_text"] = framing.block(admitted, "text", TEMPLATES)
        elif display == "link":
            given_values["quote_link"] = framing.link_only(admitted)
    return EditionView(**{**given_values, **over})


def arabic(**over: Any) -> EditionView:
    """An edition in Arabic: two briefs, a quotation in its frame, a correction."""
    wording = TEMPLATES.wording("ar")
    style = replace(
        STYLE,
        language="ar",
        labels=dict.fromkeys(QuoteKind, "كلام متطرف بنصه، يُعرض للدراسة"),
        phrases=Phrases(**{phrase.name: wording.say(str(phrase.default)) for phrase in fields(Phrases)}),
        notices={kind: wording.say(text) for kind, text in STYLE.notices.items()},
    )
    quote = replace(
        QUOTE,
        title="مؤسس يتحدث عن الرحيل",
        words=Words("لا يحتفظ الفانوس بسجل للفراشات. ومن يغادر المعدية ظهرًا يحمل ملحنا إلى بيته دون أن يُسأل."),
        context="في عام 2011 طلبت الحركة من الأعضاء الجدد قطع صلاتهم؛ وهكذا خاطبهم مؤسسها في ذلك الشتاء.",
        contains="ضغط لقطع الصلات",
        speaker="أورين تالفيك",
        role="مؤسس الحركة",
        lang="ar",
        dir="rtl",
    )
    admitted = framing.admit(quote, style, approved=True, now=DUE)
    told = {"lang": "ar", "authors": (Author(name="إلزه فارنهولت", role="محللة"),), "topics": ("الموانئ",)}
    first = brief(
        1,
        title="ما دوّنه الميناء في دفاتره",
        summary="ملخص لما في دفاتر الميناء بين عامي 2009 و2014، وما كان يمكن أن يُلاحَظ.",
        **told,
    )
    second = brief(
        2, title="ثلاث علامات مبكرة", summary="كان يمكن رؤية كل واحدة منها من الخارج قبل أربعة أشهر على الأقل.", **told
    )
    given: dict[str, Any] = {
        "title": "رسالة المعدية",
        "lang": "ar",
        "site": Site(title="رسالة المعدية", organisation="معهد المعدية", postal_address="٣ ممشى الحبال\nرصيف تولاند"),
        "style": style,
        "quotes": (quote,),
        "quote_html": framing.block(admitted, "mail", TEMPLATES),
        "quote_text": framing.block(admitted, "text", TEMPLATES),
        "corrections": ((first, Correction(date=date(2026, 11, 22), text="ذكرنا 14 قاربًا، والصواب 11.")),),
    }
    return view(first, second, **{**given, **over})
