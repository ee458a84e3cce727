"""Readers from other systems: recognised by their heading, taken in once, and never against what they said last."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publication import SETTINGS, Publication, instant
from syndicate.app import App
from syndicate.cli import main
from syndicate.model import Frequency, QuoteDisplay
from syndicate.publish import signup
from syndicate.publish.signup import Wish
from syndicate.sources import roster
from syndicate.store import suppression
from syndicate.store.returns import Came, Returns, Rules
from syndicate.store.subscribers import Wishes

THEN = "2026-11-22 12:00"
MAILCHIMP = (
    "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,{left}LEID,EUID,NOTES,TAGS\n"
)
LISTMONK = "uuid,email,name,attributes,status,created_at,updated_at\n"
GHOST = "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers\n"


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    made = Publication(root=tmp_path / "p")
    made.begin(THEN)
    return made


def bring(publication: Publication, file: Path, *options: str) -> int:
    return main(["-C", str(publication.root), "subscribers", "import", str(file), *options])


def states(publication: Publication) -> dict[str, str]:
    with publication.opened(THEN) as app:
        return {one.address: one.state for one in app.subscribers.listed()}


def why_suppressed(app: App, address: str) -> str:
    with app.store.read() as connection:
        return suppression.is_suppressed(connection, address)


def record(app: App, address: str) -> dict[str, Any]:
    key = app.subscribers.find(address)
    assert key is not None
    found = signup.record(app, key)
    assert found is not None
    return found


def written(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def mailchimps(path: Path) -> Path:
    """A ZIP as Mailchimp makes it; Ben stands in two of its files."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "subscribed_members_export_1a2b.csv",
            MAILCHIMP.format(left="")
            + 'anna@readers.example,Anna,"Dallivar, Dr",2,2021-03-04 10:11:12,192.0.2.7,2021-03-04 10:15:00,192.0.2.7,'
            '1,e1,"two\nlines","""press"",""readers"""\n' + "ben@readers.example,Ben,,2,2020-01-01 00:00:00,,,,2,e2,,\n",
        )
        left = MAILCHIMP.format(left="UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_REASON_OTHER,")
        archive.writestr(
            "unsubscribed_members_export_1a2b.csv",
            left + "ben@readers.example,Ben,,2,2020-01-01 00:00:00,,,,2022-02-02 02:02:02,,,No longer interested,,2,e2,,\n",
        )
        left = MAILCHIMP.format(left="CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID,")
        archive.writestr("cleaned_members_export_1a2b.csv", left + "cy@readers.example,,,1,,,,,2022-03-03 03:03:03,,,3,e3,,\n")
        archive.writestr("../../notes.txt", "not read")
    return path


def test_mailchimps_zip_brings_who_subscribes_and_keeps_out_who_left(
    publication: Publication, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = mailchimps(tmp_path / "export.zip")
    assert bring(publication, file, "--dry-run") == 1  # Ben stands there twice
    assert states(publication) == {}
    assert not list(tmp_path.glob("*.faults.csv"))
    assert bring(publication, file) == 1
    told = capsys.readouterr().err
    assert "subscribed_members_export_1a2b.csv: an export of Mailchimp's, subscribed; not used: MEMBER_RATING, LEID" in told
    assert "1 reader subscribed to digest" in told
    assert "the same address stands in line 2 of export.zip/unsubscribed_members_export_1a2b.csv" in told
    assert states(publication) == {"anna@readers.example": "active", "ben@readers.example": "ended"}
    with publication.opened(THEN) as app:
        assert why_suppressed(app, "CY@readers.example") == "cleaned elsewhere"
        anna = record(app, "Anna@readers.example")
    assert anna["name"] == "Anna Dallivar, Dr"
    consent = anna["subscriptions"][0]["consent"]
    assert consent["system"] == "Mailchimp"
    assert consent["there_opted_in"] == "2021-03-04 10:11:12"
    assert consent["there_confirmed_ip"] == "192.0.2.7"
    assert bring(publication, file) == 1
    assert "0 readers subscribed to digest; 3 were there before" in capsys.readouterr().err


def test_listmonks_and_ghosts_exports_are_known_by_their_headings(
    publication: Publication, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listmonk = written(
        tmp_path / "subscribers.csv",
        LISTMONK + 'u1,di@readers.example,Di,"{""city"": ""Elsewhere""}",enabled,2021-01-01T00:00:00Z,\n'
        "u2,ed@readers.example,Ed,{},blocklisted,2021-01-01T00:00:00Z,\n"
        "u3,flo@readers.example,Flo,{},disabled,2021-01-01T00:00:00Z,\n"
        "u4,gil@readers.example,Gil,{},asleep,2021-01-01T00:00:00Z,\n",
    )
    ghost = written(
        tmp_path / "members.csv",
        GHOST + "1,hal@readers.example,Hal,,true,false,,2021-01-01T00:00:00.000Z,,news,\n"
        "2,ida@readers.example,Ida,,false,false,,2021-01-01T00:00:00.000Z,,,\n"
        "3,joe@readers.example,Joe,,true,false,,2021-01-01T00:00:00.000Z,2022-01-01T00:00:00.000Z,,\n",
    )
    assert bring(publication, listmonk) == 1
    assert bring(publication, ghost) == 0
    told = capsys.readouterr().err
    assert "an export of listmonk's" in told
    assert "an export of Ghost's" in told
    assert "subscribers.csv:5: csv: listmonk knows no such status; write one of enabled, disabled, blocklisted" in told
    assert {address[:3]: state for address, state in states(publication).items()} == {
        "di@": "active", "flo": "ended", "hal": "active", "ida": "ended", "joe": "ended",
    }  # fmt: skip
    with publication.opened(THEN) as app:
        assert why_suppressed(app, "ed@readers.example")


def test_nobody_is_revived_and_the_later_word_wins(publication: Publication, tmp_path: Path) -> None:
    with publication.opened(THEN) as app:
        for name in ("left", "bounced", "gone", "fresh", "stale"):
            app.subscribers.add(
                f"{name}@readers.example", "digest", Wishes(), at=app.now(), covered_to=app.now(),
                consent={"confirmed": "2026"} if name == "fresh" else {},
            )  # fmt: skip
        left, gone = (app.subscribers.find(f"{name}@readers.example") for name in ("left", "gone"))
        assert left is not None
        assert gone is not None
        app.subscribers.end(left, 1, app.now(), "one-click")
        app.store.write(lambda c: suppression.suppress(c, "bounced@readers.example", "complaint", app.now()))
        app.store.write(lambda c: suppression.suppress(c, "listed@readers.example", "complaint", app.now()))
        app.subscribers.erase(gone, app.now())
    file = written(
        tmp_path / "again.csv",
        "address,status\nLEFT@readers.example,subscribed\nlisted@readers.example,subscribed\nbounced@readers.example,subscribed\ngone@readers.example,\n"
        "new@readers.example,\nfresh@readers.example,unsubscribed\nstale@readers.example,unsubscribed\n"
        "gone@readers.example,unsubscribed\n",
    )
    assert bring(publication, file) == 1  # gone@ stands there twice
    assert states(publication) == {
        "left@readers.example": "ended", "bounced@readers.example": "active", "new@readers.example": "active",
        "fresh@readers.example": "active", "stale@readers.example": "ended",
    }  # fmt: skip
    alone = written(tmp_path / "gone.csv", "address,status\ngone@readers.example,unsubscribed\n")
    assert bring(publication, alone) == 0
    assert "gone@readers.example" not in states(publication)


def test_faulty_lines_can_be_corrected_in_their_own_file_and_nothing_is_lost(
    publication: Publication, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        "anna@readers.example;Anna;7\n",
        'ben@readers.example;"Ben;\n',  # a quotation mark that nobody closes
        "cy@readers.example;Cy;8\n",
        f"{'x' * 1_000_000}@readers.example;Long;\n",
        f"di@readers.example;{'x' * 1_000_000};\n",
        "ed@readers.example;E\x00d;\n",
        "flo@readers.example;Flo;25\n",
        "gil@readers.example;Gil\u2028ly;9;more\n",
        f"{'(' * 900}hal@readers.example;Hal;\n",
        "ida@readers.example;Zo\u00eb;9\n",
    ]
    file = written(tmp_path / "list.csv", b"\xef\xbb\xbf" + ("address;name;hour\n" + "".join(rows)).encode())
    assert bring(publication, file) == 1
    told = capsys.readouterr().err
    assert [int(line.split(":")[1]) for line in told.splitlines() if ": csv: " in line] == [3, 5, 6, 7, 8, 9, 10]
    assert "readers.example" not in told
    assert sorted(states(publication)) == ["anna@readers.example", "cy@readers.example", "ida@readers.example"]
    faults = tmp_path / "list.csv.faults.csv"
    assert faults.stat().st_mode & 0o077 == 0
    assert faults.read_bytes().decode() == "address;name;hour\n" + "".join(rows[place] for place in (1, 3, 4, 5, 6, 7, 8))
    text = faults.read_bytes().decode().replace(";25", ";5").replace('"Ben', "Ben").replace(";more", "").replace("\u2028", "")
    assert bring(publication, written(faults, text)) == 1
    assert len(states(publication)) == 6


def test_a_file_that_is_not_utf8_is_read_and_said_to_be_so(
    publication: Publication, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        bring(publication, written(tmp_path / "old.csv", "email,name\nzoe@readers.example,Zo\u00eb\n".encode("latin-1"))) == 0
    )
    assert "it is not UTF-8 and was read as Windows-1252 (latin-1)" in capsys.readouterr().err
    assert (
        bring(publication, written(tmp_path / "wide.csv", "address\tname\r\nyan@readers.example\tYan\r\n".encode("utf-16")))
        == 0
    )
    with publication.opened(THEN) as app:
        assert record(app, "zoe@readers.example")["name"] == "Zo\u00eb"
    assert bring(publication, written(tmp_path / "x.zip", b"PK\x03\x04 and no more")) == 1
    assert bring(publication, written(tmp_path / "x.csv", b"\x00" * 100)) == 1
    told = capsys.readouterr().err
    assert "it is no ZIP that can be read" in told
    assert "Traceback" not in told


def exported(publication: Publication, capsys: pytest.CaptureFixture[str], form: str) -> str:
    capsys.readouterr()
    assert main(["-C", str(publication.root), "subscribers", "export", "--format", form]) == 0
    return capsys.readouterr().out


def test_an_export_gives_all_of_it_back_to_a_new_publication(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two = SETTINGS + SETTINGS[SETTINGS.index("[newsletters.digest]") : SETTINGS.index("[quotes]")].replace("digest", "weekly")
    old, new = (Publication(root=tmp_path / name, settings=two) for name in ("old", "new"))
    old.begin(THEN)
    new.begin("2026-12-01 09:00")
    odd = {"wording": 'I agree to "everything",\nand more', "confirmed": "2026-11-22T12:00:00+00:00"}
    full = Wishes(
        frequency=Frequency.WEEKLY, weekday=0, hour=0, zone="Asia/Kolkata", quote_display=QuoteDisplay.NONE, lang="ar",
        topics=("a-topic", "another"),
    )  # fmt: skip
    with old.opened(THEN) as app:
        for name in ("weekly", "digest"):
            for number, wish in enumerate((full, Wishes(), replace(full, frequency=Frequency.INSTANT, hour=23))):
                app.subscribers.add(
                    f"Reader{number}@readers.example", name, wish, at=app.now(), covered_to=app.now(), name='Ann, "A"',
                    consent=odd,
                )  # fmt: skip
        keys = [app.subscribers.find(f"reader{number}@readers.example") for number in range(3)]
        (first, second) = app.subscribers.views(keys[0] or 0)
        app.subscribers.end(first.subscriber, first.letter, app.now(), "page")
        app.subscribers.choose(second, second.wishes, paused_to=instant("2027-01-01"), at=app.now())
        Returns(app.store).take(
            Came(sending=0, place=keys[1] or 0, kind="complaint"),
            rules=Rules(hard=True, complaint=True, soft_limit=3, soft_within=timedelta(days=15)),
            now=app.now(),
        )
        app.store.write(lambda c: suppression.suppress(c, "reader2@readers.example", "hard bounce", app.now()))
        app.subscribers.end(keys[2] or 0, first.letter, app.now(), "page")
        app.subscribers.end(keys[2] or 0, second.letter, app.now(), "page")
        wish = Wish(address="waits@readers.example", newsletter="digest", wishes=full, wording="I agree", form="/subscribe")
        assert signup.ask(app, wish, "192.0.2.1", app.now()) == "yes"
    before = exported(old, capsys, "csv")
    assert {row["status"] for row in json.loads(exported(old, capsys, "json"))} >= {"active", "ended", "pending"}
    assert len(before.splitlines()) > 7
    file = written(tmp_path / "all.csv", before)
    assert bring(new, file) == 0
    assert exported(new, capsys, "csv") == before
    assert exported(new, capsys, "json") == exported(old, capsys, "json")
    assert bring(new, file) == 0
    assert "0 readers subscribed" in capsys.readouterr().err
    with new.opened(THEN) as app:
        assert why_suppressed(app, "reader2@readers.example") == "hard bounce"


def test_no_spreadsheet_takes_an_export_for_formulas_and_an_import_reads_what_was_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = (Publication(root=tmp_path / name) for name in ("old", "new"))
    old.begin(THEN)
    new.begin(THEN)
    names = ["=1+1", "+1", "-1", "@SUM(A1)", "\uff1d1", "'=1", "''=1", "'Ann", "Ann; =1+1", "Ann =1", " =1"]
    with old.opened(THEN) as app:
        for number, name in enumerate(names):
            address = f"{'=+-'[number % 3]}reader{number}@readers.example"
            app.subscribers.add(address, "digest", Wishes(), at=app.now(), covered_to=app.now(), name=name, consent={})
        known = {one["address"]: one["name"] for one in json.loads(exported(old, capsys, "json"))}
        assert set(known.values()) == set(names)
    text = exported(old, capsys, "csv")
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert len(cells) > len(names)
    assert [cell for cell in cells if cell.lstrip()[:1] in set("=+-@\uff1d\uff0b\uff0d\uff20\t\r\n") - {""} and cell] == []
    assert "'=reader0@readers.example" in cells
    assert bring(new, written(tmp_path / "all.csv", text)) == 0
    assert exported(new, capsys, "csv") == text
    assert {one["address"]: one["name"] for one in json.loads(exported(new, capsys, "json"))} == known


@given(st.text(st.sampled_from("'=+-@\t\r\n a;\uff1d"), max_size=6))
def test_a_defused_cell_is_read_as_it_was(cell: str) -> None:
    assert roster.as_it_was(roster.harmless(cell)) == cell
    assert roster.harmless(cell).lstrip(" ")[:1] not in tuple("=+-@\t\r\n\uff1d")


def test_a_reader_is_shown_whole_and_erased_from_every_file(
    publication: Publication, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def say(*arguments: str) -> int:
        capsys.readouterr()
        return main(["-C", str(publication.root), "subscribers", *arguments])

    file = written(tmp_path / "one.csv", "address,name,frequency\nquilla.marrow@readers.example,Quilla,instant\n")
    assert bring(publication, file) == 0
    publication.brief("one", (datetime.now(UTC) + timedelta(seconds=1)).isoformat())
    publication.run((datetime.now(UTC) + timedelta(minutes=2)).isoformat())
    assert len(publication.outbox()) == 1
    assert say("show", "QUILLA.marrow@readers.example", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["name"], [one["state"] for one in shown["sent"]]) == ("Quilla", ["sent"])
    assert say("show", "quilla.marrow@readers.example") == 0
    assert "how: imported from one.csv" in capsys.readouterr().out
    assert say("erase", "nobody@readers.example", "--yes") == 1
    monkeypatch.setattr("sys.stdin", io.StringIO("quilla.marrow@readers.example\n"))
    assert say("erase", "quilla.marrow@readers.example") == 1  # no terminal, no answer
    traces = (b"quilla", shown["id"].encode().lower())
    assert holding(publication.root, traces)
    assert say("erase", "Quilla.Marrow@readers.example", "--yes") == 0
    assert not holding(publication.root, traces)
    assert "quilla" not in "".join(capsys.readouterr()).lower()
    assert bring(publication, file) == 0
    assert not holding(publication.root, traces)


def holding(root: Path, traces: tuple[bytes, ...]) -> list[Path]:
    """Every file of a publication, SQLite's journals among them, that holds a trace."""
    return [path for path in root.rglob("*") if path.is_file() and any(one in path.read_bytes().lower() for one in traces)]


def test_a_quotation_mark_that_closes_too_late_costs_its_own_line_alone(publication: Publication, tmp_path: Path) -> None:
    file = written(tmp_path / "torn.csv", 'address,name,hour\nben@readers.example,"Ben,5\ncy@readers.example,Cy",8\n')
    assert bring(publication, file) == 1
    assert list(states(publication)) == ["cy@readers.example"]


def test_no_reader_comes_in_under_a_name_that_no_mail_can_carry(
    publication: Publication, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "readers.csv"
    file.write_text("address,name\nanna@readers.example,\u200bAnna\ufeff\n", encoding="utf-8")
    assert bring(publication, file) == 0
    for name, code in (("Ben\r\nBcc: eve@readers.example", 1), ("Ben\u200b", 0)):
        assert main(["-C", str(publication.root), "subscribers", "add", "ben@readers.example", "--name", name]) == code
    assert {one["name"] for one in json.loads(exported(publication, capsys, "json"))} == {"Anna", "Ben"}
