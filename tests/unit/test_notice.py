"""Confirmation, welcome and correction: alive, through every gate, and each with its own way on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import premailer.cache  # noqa: F401 - here, not inside a test: its HTTP library tries a socket when it is imported
import pytest

from mails import NONCE, PUBLIC, READER, SOURCES, TEMPLATES, Site, brief
from syndicate import data
from syndicate.errors import Refused, RenderError
from syndicate.model import Correction, Frequency
from syndicate.render import lint, lint_clients, lint_links, mime
from syndicate.render.brand import brand_values
from syndicate.render.frozen import Frozen, splice, values
from syndicate.render.notice import KINDS, Kind, Notice, freeze
from syndicate.render.templates import Templates
from syndicate.render.wording import direction

SUPPORT = lint_clients.support(data.read("caniemail.json"), data.read("mail_enhancements.toml"))
ASKED = replace(READER, unsubscribe_url="", preferences_url="", confirm_url=f"{PUBLIC}/c/AAAAAAAAAAAAAAAAAAAAAA")
TOLD = {"brief": brief(), "correction": Correction(date=date(2026, 11, 22), text="We gave 14 boats. There were 11.")}


def notice(kind: Kind, **over: Any) -> Notice:
    given: dict[str, Any] = {"kind": kind, "title": "The Ferry Letter", "site": Site(), "zone": "Europe/Berlin"}
    return Notice(**{**given, **(TOLD if kind == "correction" else {}), **over})


def drawn(frozen: Frozen) -> tuple[str, str]:
    filling = values(ASKED if frozen.subject.startswith("Please") else READER, frozen.lang)
    return splice(frozen.html, filling, html=True), splice(frozen.text, filling, html=False)


@pytest.mark.parametrize("lang", ["en", "ar"])
@pytest.mark.parametrize("withdrawn", [False, True])
@pytest.mark.parametrize("frequency", list(Frequency))
@pytest.mark.parametrize("kind", KINDS)
def test_each_notice_passes_every_gate(kind: Kind, frequency: Frequency, lang: str, *, withdrawn: bool) -> None:
    begins = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
    frozen = freeze(notice(kind, frequency=frequency, withdrawn=withdrawn, begins=begins, lang=lang), TEMPLATES, nonce=NONCE)
    found = lint.faults(
        frozen,
        lint_links.known(Site(), PUBLIC, briefs=[brief()]),
        lang=lang,
        direction=direction(lang),
        colours=brand_values({}),
        support=SUPPORT,
        templates=TEMPLATES,
    )
    assert found == []


def test_a_confirmation_asks_and_offers_nothing_else() -> None:
    frozen = freeze(notice("confirm"), TEMPLATES, nonce=NONCE)
    for part in drawn(frozen):
        assert ASKED.confirm_url in part
        assert "m.arden@example.org" in part
        assert "do nothing" in part
        assert "nsubscribe" not in part
    assert frozen.subject == "Please confirm: The Ferry Letter"


def test_a_welcome_says_when_and_how_to_change_it() -> None:
    begins = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
    for part in drawn(freeze(notice("welcome", begins=begins), TEMPLATES, nonce=NONCE)):
        told = " ".join(part.split())
        assert "The daily edition will reach you from Monday, 23 November 2026 at 07:00." in told
        assert READER.preferences_url in part
        assert READER.unsubscribe_url in part
        assert "none of its words are ours" in told
    for part in drawn(freeze(notice("welcome", quotes=False), TEMPLATES, nonce=NONCE)):
        assert "extremists" not in part


def test_a_correction_tells_what_was_wrong_above_everything() -> None:
    frozen = freeze(notice("correction"), TEMPLATES, nonce=NONCE)
    html, text = drawn(frozen)
    for part in (html, text):
        assert "There were 11." in part
        assert brief().link in part
    assert "CORRECTION, 22 NOVEMBER 2026" in text
    assert frozen.subject == f"Correction: {brief().title}"
    html, text = drawn(freeze(notice("correction", withdrawn=True), TEMPLATES, nonce=NONCE))
    assert "Please do not cite it." in html
    assert "WITHDRAWN, 22 NOVEMBER 2026" in text


def test_a_correction_of_nothing_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="what was corrected"):
        notice("correction", correction=None)


def test_a_template_without_its_way_on_is_refused() -> None:
    sources = {**SOURCES, "email/confirm.txt.j2": SOURCES["email/confirm.txt.j2"].replace("{{ gap.confirm }}", "")}
    with pytest.raises(RenderError, match="confirm"):
        freeze(notice("confirm"), Templates(sources), nonce=NONCE)


def test_a_subject_that_no_header_may_hold_is_refused() -> None:
    with pytest.raises(RenderError, match=r"correction\.subject"):
        freeze(notice("correction", brief=brief(title="evil \u202ename")), TEMPLATES, nonce=NONCE)


# -- as mail ------------------------------------------------------------------------------------------

ENVELOPE = mime.Envelope(
    sender="The Ferry Letter <letter@letter.example>",
    date=datetime(2026, 11, 23, 6, 0, tzinfo=UTC),
    message_id="0a1b2c3d@letter.example",
    boundary="=_0123456789abcdef",
)


def test_a_confirmation_is_no_list_mail() -> None:
    mail = mime.message(freeze(notice("confirm"), TEMPLATES, nonce=NONCE), ASKED, ENVELOPE).data
    head = mail.partition(b"\r\n\r\n")[0]
    assert b"Auto-Submitted: auto-generated" in head
    assert b"List-" not in head
    assert b"Precedence" not in head
    assert list(lint.headers(mail, listed=False)) == []
    assert list(lint.headers(mail))


def test_a_mail_is_not_made_for_a_reader_without_its_link() -> None:
    with pytest.raises(Refused, match="confirm"):
        mime.message(freeze(notice("confirm"), TEMPLATES, nonce=NONCE), READER, ENVELOPE)
    with pytest.raises(Refused, match="link"):
        mime.message(freeze(notice("welcome"), TEMPLATES, nonce=NONCE), ASKED, ENVELOPE)
