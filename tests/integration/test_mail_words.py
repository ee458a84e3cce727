"""What a newsletter says of itself: subjects in its own plain words, advice, and what a long edition leaves out."""

from __future__ import annotations

import email
import email.policy
import json
from pathlib import Path

import pytest
from tests.publication import SETTINGS, Publication

from syndicate.cli import main
from syndicate.model import Frequency
from syndicate.store.subscribers import Wishes

HOST = '[web]\npublic_url = "https://a-host-with-a-long-name.research.test.example"\n'
OWN = "templates/email/subject.digest.txt.j2"


@pytest.fixture
def publication(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Publication:
    monkeypatch.setenv("HOME", str(tmp_path))
    made = Publication(root=tmp_path / "letter", settings=SETTINGS + HOST)
    made.begin("2026-11-22 12:00")
    made.subscribe("2026-11-22 12:00", daily=Wishes(frequency=Frequency.DAILY))
    made.brief("one", "2026-11-22T13:00:00Z")
    (made.root / OWN).parent.mkdir(parents=True)
    return made


def test_a_newsletter_has_subjects_of_its_own(publication: Publication) -> None:
    (publication.root / OWN).write_text(
        "{# Ours. #}\nNo. {{ number }}:\n{{ briefs|length }} brief, {{ briefs[0].title }}\n", encoding="utf-8"
    )
    publication.run("2026-11-23 06:30")
    (mail,) = publication.outbox()
    assert email.message_from_bytes(mail.read_bytes(), policy=email.policy.default)["Subject"] == "No. 1: 1 brief, About one"


def test_a_subject_that_is_no_plain_text_stops_at_every_gate(
    publication: Publication, capsys: pytest.CaptureFixture[str]
) -> None:
    (publication.root / OWN).write_text("{# Ours. #}\n<b>{{ briefs[0].title }}</b>\n{{ '\\u202e' }}\n", encoding="utf-8")
    tag, bidi = (
        f"{OWN}:2: subject: the subject of a mail is plain text, and <b>",
        f"{OWN}:3: subject: the subject of a mail cannot hold U+202E",
    )
    written_already = publication.root / "content" / "briefs" / "one.md"
    brief = written_already.read_bytes()
    written_already.unlink()  # found before there is anything to send
    for command in (["check"], ["preview", "one"]):
        assert main(["-C", str(publication.root), *command]) == 1
        said, advice = capsys.readouterr()
        assert command != ["check"] or "web.public_url: the link to unsubscribe has" in advice
        assert tag in said, command
        assert bidi in said, command
        written_already.write_bytes(brief)
    with publication.opened("2026-11-22 13:00") as app:
        faults = [str(fault) for fault in app.templates.check()]
    assert faults == []  # it is no mistake of the template language
    report = publication.run("2026-11-23 06:30")
    assert any(str(fault).startswith(tag) for fault in report.faults)
    assert publication.outbox() == []


def test_the_editor_is_told_what_a_long_edition_leaves_out(
    publication: Publication, capsys: pytest.CaptureFixture[str]
) -> None:
    publication.subscribe("2026-11-22 12:00", instant=Wishes(frequency=Frequency.INSTANT))
    publication.brief("long", "2026-11-22T13:30:00Z", body="\n\n".join(f"Page {page} of the record." for page in range(500)))
    publication.run("2026-11-22 13:31")
    told = "shortened: the summary in the place of the full text"
    assert main(["-C", str(publication.root), "preview", "long"]) == 0
    assert capsys.readouterr().out.count(told) == 3  # HTML, text and the message
    assert main(["-C", str(publication.root), "editions", "list", "--json"]) == 0
    keys = [edition["id"] for edition in json.loads(capsys.readouterr().out)]
    shown = []
    for key in keys:
        assert main(["-C", str(publication.root), "editions", "show", str(key)]) == 0
        shown.append(told in " ".join(capsys.readouterr().out.split()))
    assert sorted(shown) == [False, True]  # the other brief's is whole
