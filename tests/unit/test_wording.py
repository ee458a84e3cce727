"""Our words in other languages: whole, with the same values, in the right form, and read from the right where they must be."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, date, datetime

import premailer.cache  # noqa: F401 - here, not inside a test: its HTTP library tries a socket when it is imported
import pytest

from mails import CATALOGUES, NONCE, READER, SOURCES, TEMPLATES, arabic, brief, view
from syndicate.errors import RenderError
from syndicate.render import wording
from syndicate.render.email import freeze, splice, values
from syndicate.render.frozen import Frozen
from syndicate.render.gate.house_style import Phrases
from syndicate.render.templates import Templates
from syndicate.render.wording import Wording, direction

USED = [text for _, _, text in TEMPLATES.messages()] + [str(phrase.default) for phrase in fields(Phrases)]


@pytest.mark.parametrize("lang", CATALOGUES)
def test_a_catalogue_says_everything_and_nothing_that_is_gone(lang: str) -> None:
    known = TEMPLATES.wording(lang).texts
    wanted = {text if isinstance(text, str) else text[0] for text in USED}
    assert wanted - known.keys() == set()
    assert known.keys() - wanted - {"extremist speech", "an account of an extremist action"} == set()
    assert list(wording.faults(CATALOGUES[lang], lang=lang, file="x.po")) == []


def test_every_text_of_the_mail_can_be_translated() -> None:
    """Letters outside of tags and expressions would be English for ever."""
    import re

    for name, source in SOURCES.items():
        if not name.startswith("email/") or "_styles" in name:
            continue
        bare = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<!--.*?-->|<[^>]*>|&#?\w+;", " ", source, flags=re.DOTALL)
        assert re.findall(r"[A-Za-z]{2,}", bare) == [], name


def test_english_is_as_it_stands_in_the_templates() -> None:
    known = TEMPLATES.wording("en").texts
    assert all(forms[0] == text for text, forms in known.items())


@pytest.mark.parametrize(
    ("number", "told"),
    [(1, "موجز واحد"), (2, "موجزان"), (3, "%(spelled)s موجزات"), (11, "%(spelled)s موجزًا"), (100, "%(spelled)s موجز")],
)
def test_numbers_take_their_form(number: int, told: str) -> None:
    assert TEMPLATES.wording("ar").count("%(spelled)s brief", "%(spelled)s briefs", number) == told


def test_dates_are_written_as_the_language_does() -> None:
    when = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    assert Wording(lang="en").date_long(when, "Europe/Berlin") == "Monday, 23 November 2026"
    assert Wording(lang="ar").day(date(2026, 11, 23)) == "23 نوفمبر 2026"
    assert Wording(lang="de-CH").day(when) == "22. November 2026"
    assert Wording(lang="xx-nowhere").day(when) == "22 November 2026"
    with pytest.raises(ValueError, match="aware"):
        Wording().day(datetime(2026, 1, 1))  # noqa: DTZ001 - the mistake under test


@pytest.mark.parametrize(
    ("lang", "runs"), [("ar", "rtl"), ("he-IL", "rtl"), ("pa-Arab", "rtl"), ("pa", "ltr"), ("en", "ltr"), ("", "ltr")]
)
def test_a_language_has_its_direction(lang: str, runs: str) -> None:
    assert direction(lang) == runs


def test_a_region_takes_its_language_s_catalogue_and_a_strange_one_english() -> None:
    assert TEMPLATES.wording("ar-EG").say("Confirmed.") == "تم التأكيد."
    assert TEMPLATES.wording("sw").say("Confirmed.") == "Confirmed."


HEAD = 'msgid ""\nmsgstr "Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'


@pytest.mark.parametrize(
    ("text", "told", "line"),
    [
        (HEAD + 'msgid "Edition %(number)s"\nmsgstr "Ausgabe %(nummer)s"\n', "nummer", 4),
        (HEAD + 'msgid "Edition %(number)s"\nmsgstr "100 % %(number)s"\n', "%", 4),
        (HEAD + 'msgid "Edition\n', "cannot be read", 4),
    ],
)
def test_a_catalogue_s_mistake_is_found_with_its_line(text: str, told: str, line: int) -> None:
    (fault,) = [fault for fault in Templates(SOURCES, {"de": text}).check() if fault.rule == "catalogue"]
    assert fault.file == "templates/locale/de.po"
    assert told in fault.what
    assert fault.line == line


def test_a_catalogue_that_cannot_be_read_stops_the_mail() -> None:
    with pytest.raises(RenderError, match=r"locale/ar\.po"):
        freeze(view(brief(), lang="ar"), Templates(SOURCES, {"ar": 'msgid "x\n'}), nonce=NONCE)


def test_what_is_not_translated_is_said_in_english() -> None:
    half = HEAD + 'msgid "Report a mistake"\nmsgstr "Fehler melden"\n\nmsgid "Our accounts:"\nmsgstr ""\n'
    frozen = freeze(view(brief(), lang="de"), Templates(SOURCES, {"de": half}), nonce=NONCE)
    html = splice(frozen.html, values(READER, "de"), html=True)
    assert "Fehler melden" in html
    assert "View this edition in a browser" in html


def test_an_arabic_edition_is_arabic_and_runs_from_the_right() -> None:
    frozen = freeze(arabic(), TEMPLATES, nonce=NONCE)
    filling = values(READER, frozen.lang)
    html, text = splice(frozen.html, filling, html=True), splice(frozen.text, filling, html=False)
    assert '<html lang="ar" dir="rtl"' in html
    assert "left" not in {part for part in html.split('align="')[1:] if part.startswith("left")}
    assert "موجزان، اقتباس واحد، تصحيح واحد." in html
    assert "3 مارس 2026" in html
    assert "الاثنين، 23 نوفمبر 2026" in html
    import re

    seen = re.sub(r"<style.*?</style>|<!--.*?-->|<[^>]*>|https?://\S+|\S+@\S+|social\.example/\S+", " ", html, flags=re.DOTALL)
    assert re.findall(r"[A-Za-z]{3,}", seen) == []
    assert re.findall(r"[A-Za-z]{3,}", re.sub(r"https?://\S+|\S+@\S+", " ", text)) == []
    assert Frozen.from_json(frozen.to_json()) == frozen


def test_a_value_is_escaped_inside_a_translated_sentence() -> None:
    frozen = freeze(view(brief(), title="Ferry <b>& Co"), TEMPLATES, nonce=NONCE)
    assert "Unsubscribe from Ferry &lt;b&gt;&amp; Co" in "".join(part for part in frozen.html if isinstance(part, str))
