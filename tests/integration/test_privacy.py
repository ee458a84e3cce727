"""Two readers' mails of one edition: the same bytes but for what is theirs."""

from __future__ import annotations

from pathlib import Path

import pytest

from publication import Publication
from syndicate.cli import main
from syndicate.model import QuoteDisplay
from syndicate.publish import privacy
from syndicate.store import agenda
from syndicate.store.subscribers import Wishes


@pytest.fixture
def letter(tmp_path: Path) -> Publication:
    made = Publication(root=tmp_path / "letter")
    made.begin("2026-11-20 05:00")
    made.brief("ferries", "2026-11-20 12:00")
    made.quote("q1", "Bring us the letters that come from outside and we will read them to you at the table.")
    made.subscribe("2026-11-20 06:00", ana=Wishes(), ben=Wishes(quote_display=QuoteDisplay.NONE))
    made.run("2026-11-21 06:30")
    return made


def test_only_what_is_a_reader_s_own_differs(letter: Publication) -> None:
    with letter.opened("2026-11-21 07:00") as app:
        with app.store.read() as connection:
            variants = agenda.variants(connection, state="frozen")
        assert variants
        for variant in variants:
            found = privacy.differences(app, variant, app.now())
            assert {each.what for each in found} == {
                "header To", "header Message-ID", "header List-Unsubscribe", "header Content-Type", "boundary",
                "address", "preferences", "unsubscribe",
            }  # fmt: skip


def test_a_mail_that_tells_readers_apart_is_found_out(letter: Publication, monkeypatch: pytest.MonkeyPatch) -> None:
    made = privacy.mime.message

    def counted(frozen: object, reader: object, head: object) -> object:
        mail = made(frozen, reader, head)  # type: ignore[arg-type]
        mark = b"1" if b"one@" in mail.data else b"2"
        return type(mail)(**{name: getattr(mail, name) for name in ("sender", "recipient", "message_id")},
                          data=mail.data.replace(b"About ferries", b"About ferries " + mark))  # fmt: skip

    monkeypatch.setattr(privacy.mime, "message", counted)
    with letter.opened("2026-11-21 07:00") as app:
        with app.store.read() as connection:
            variant = agenda.variants(connection, state="frozen")[0]
        assert "" in {each.what for each in privacy.differences(app, variant, app.now())}


def test_the_command_shows_it_and_names_no_reader(letter: Publication, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-C", str(letter.root), "editions", "show", "1", "--privacy"]) == 0
    said = capsys.readouterr()
    assert "every other byte is the same" in said.err
    assert "ana@readers.example" not in said.out
