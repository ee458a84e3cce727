"""Briefs that break publishers: what authors paste, what exports mangle, what attackers try. Invented, every one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from syndicate.model import Author, Brief, Correction, Image, Severity, Status

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

TITLES = (
    "A plain title",
    "Fish & chips < 5 > 3",
    "<b>Bold</b> claims and <script>alert(1)</script>",
    "Q&amp;A &copy; &#x41; &nosuch;",
    "]]>]]>]]>",
    "Control \x00\x01\x08\x0b\x0c\x1f signs",
    "Lone \ud800 surrogate \udfff",
    "  spaces\n\tand\r\nlines  ",
    "مذكرة عن الإنصات",
    "Emoji 👩‍👩‍👧‍👦 and 🇩🇪",
    "Turned \u202eecalp fo tuo\u202c round",
    "Saved as \x93Windows\x94",
    "Non\ufffe\U0001ffffcharacters \ufffd",
    "“Quoted” „Titel“ « titre »",
    "x" * 900,
    "a </a> b </title> c",
)
BODIES = (
    "A paragraph.",
    "",
    "<p>raw <b>HTML</b></p><script>alert(1)</script><style>p{}</style><!-- c -->",
    "[a](javascript:alert(1)) [b](JaVaScRiPt:x) [c](vbscript:x) [d](data:text/html,x) [e](java\nscript:x)",
    "![p](/p.png) ![q](q.png?a=1&b=2) ![](javascript:x) ![r](data:image/png;base64,xx) [up](../x) [q](?q) [f](#f) [e]() [s](//o.example/x)",
    '<img src="/x.png" srcset="/x.png 1x, y.png 2x"> <a href="/rel">x</a>',
    "]]>]]>]]> &amp; & &nosuch; &#0; &#x1F; &#xD800; &#128; <![CDATA[ x ]]>",
    "\x00\x01 \ud800 \udfff \ufffe \ufffd \x85 \x92 \x7f \U0010ffff",
    "[ü](http://münchen.example/ü?ä=ö#ß) [j](https://例え.example/パス) [b](https://[::1]/x) [c](http://a b/) [d](https://x.example:99999/)",
    '[w](https://x.example/a b|c{d}\\e^f`g"h<i>%zz%20) <https://x.example/<y>> <mailto:a@b.example>',
    "# One\n\n#### Four\n\n###### Six\n\n## Two",
    "| a | b |\n|:--|--:|\n| 1 | `x|y` |\n\n- a\n  - b\n\n1. c\n\n> q\n\n    code <b>\n\n```html\n<b>&amp;\n```\n\n~~s~~ ^[note] x[^1]\n\n[^1]: f",
    "> " * 300 + "deep",
    "*" * 2000 + "[" * 2000 + "`" * 1999,
    "שלום " * 50 + "\u202edlrow\u202c \u2066x\u2069",
    "👩‍👩‍👧‍👦 " * 100,
    "{{ 7 * 7 }} {% raw %} @@abc-name@@ https://t-abc.invalid/view [t](https://t-abc.invalid/view)",
    "line\rline\r\nline\u2028line\u2029line",
)
LINKS = (
    "https://publication.example/briefs/x",
    "http://münchen.example/straße?q=ä",
    'https://publication.example/a b/<c>?d="e"|f#g h',
)
AUTHORS: tuple[tuple[Author, ...], ...] = (
    (Author(name="Maren Dallivar", role="Head of Data", url="https://publication.example/people/maren"),),
    (),
    tuple(Author(name=f"Author {number} & Co", role="<i>Analyst</i>") for number in range(10)),
    (Author(name="Ilse <ilse@publication.example>", url="javascript:alert(1)"), Author(name=" \x00 ", url="x")),
    (Author(name="<b>Tobin</b>", url="http://exämple.example/ö"),),
)
TOPICS: tuple[tuple[str, ...], ...] = (("Leaving",), (), ("A & B", "<b>x</b>", " ", "A & B", "\ud800"), ("ألف",))
IMAGES = (
    None,
    Image(src="/img/fig 1.png", alt='A "chart" <b>', width=640, height=320),
    Image(src="javascript:alert(1)", alt=""),
    Image(src="https://pictures.example/ä.png", alt=""),
)
SUMMARIES = ("", "Short & <b>sweet</b>.", "\x00", "A </p> summary ]]> \ud800 “with” words.", "x" * 5000)
LANGS = ("", "ar", "de-CH", "not a language", "he")
DATES = (
    datetime(2026, 11, 20, 8, 0, tzinfo=UTC),
    datetime(1965, 3, 1, tzinfo=UTC),
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(2026, 11, 20, 8, 0, 0, 999999, tzinfo=UTC),
)


def briefs() -> Iterator[Brief]:
    """More than 300, and every one breaks something else."""
    for number in range(360):
        # Lists of different lengths, shifted against each other on each round: every pair of oddities meets.
        turn = number // 18
        when = DATES[number % 4]
        note = Correction(date=date(2026, 11, 21), text="We wrote <b>five</b> & meant\x00 six.", severity=Severity.MINOR)
        yield brief(
            number,
            title=TITLES[(number + turn) % len(TITLES)],
            body=BODIES[number % len(BODIES)],
            link=LINKS[number % 3],
            authors=AUTHORS[number % 5],
            topics=TOPICS[(number + turn) % 4],
            image=IMAGES[(number // 3) % 4],
            summary=SUMMARIES[(number + turn) % 5],
            lang=LANGS[(number // 2) % 5],
            published=when,
            updated=when - timedelta(days=1) if number % 7 == 0 and when.year > 1 else when + timedelta(days=number % 2),
            status=Status.WITHDRAWN if number % 41 == 0 else Status.PUBLISHED,
            corrections=(note,) if number % 5 == 0 else (),
        )


def brief(number: int = 0, **over: Any) -> Brief:
    """An ordinary brief, but for what is asked."""
    facts: dict[str, Any] = {
        "id": f"tag:publication.example,2015:brief/{number:016d}",
        "slug": f"brief-{number}",
        "link": f"https://publication.example/briefs/brief-{number}",
        "title": f"Brief {number}",
        "published": NOW - timedelta(days=number + 1),
        "path": f"content/briefs/{number}.md",
        "body": "A paragraph.",
    }
    facts |= over
    return Brief(**({"updated": facts["published"]} | facts))
