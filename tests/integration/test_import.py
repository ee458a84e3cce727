"""Quotes from CSV and JSON: by line, with their provenance, never over another file, and never a word in a fault."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from publication import Publication
from syndicate.cli import main
from syndicate.sources.table import read

WORDS = 'He said: "the tide, the tide",\nand left --- for good.\n---\nkind: actions'
GOOD = {
    "id": "0101", "kind": "words", "title": "A passage from a record", "context": "We show what was asked of members.",
    "speaker": "Aldo Fenwick", "role": "chair of an invented club", "date": "2019-05-04", "lang": "en",
    "source": "https://records.test.example/1", "archive": "https://archive.test.example/1", "speaker_dates": "07-22, 1975-03-09",
    "words": WORDS,
}  # fmt: skip


def as_csv(path: Path, *rows: dict[str, str]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(GOOD))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    return Publication(root=tmp_path / "p")


def say(publication: Publication, *arguments: str) -> int:
    return main(["-C", str(publication.root), "quotes", "import", *arguments])


def test_a_table_becomes_files_that_are_read_as_they_were_written(publication: Publication, tmp_path: Path) -> None:
    file = as_csv(tmp_path / "quotes.csv", GOOD, GOOD | {"id": "", "date": "Undated"})
    assert say(publication, str(file), "--dry-run") == 0
    assert not list((publication.root / "content/quotes").iterdir())
    assert say(publication, str(file)) == 0
    assert len(list((publication.root / "content/quotes").iterdir())) == 2
    with publication.opened("2026-11-22 12:00") as app:
        assert not app.content.sync(app.sources, app.now()).faults
        quote = app.content.quote("content/quotes/0101.md")
        assert quote is not None
        assert quote.words.reveal() == WORDS
        assert (quote.kind, quote.speaker_dates) == ("words", ("07-22", "1975-03-09"))


def test_importing_again_writes_over_nothing(
    publication: Publication, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = as_csv(tmp_path / "quotes.csv", GOOD)
    say(publication, str(file))
    path = publication.root / "content/quotes/0101.md"
    path.write_text("an editor's own work")
    assert say(publication, str(file)) == 0
    assert path.read_text() == "an editor's own work"
    assert "0 quotes imported into content/quotes; 1 there already" in capsys.readouterr().err


def test_json_is_read_with_the_lines_of_its_objects(publication: Publication, tmp_path: Path) -> None:
    file = tmp_path / "quotes.json"
    bad = {name: value for name, value in GOOD.items() if name != "source"} | {"id": "0102"}
    file.write_text(json.dumps([GOOD | {"speaker_dates": ["07-22"], "date": 2019}, bad], indent=1))
    rows, faults = read(file.read_text(), "quotes.json", zone="UTC")
    assert [row.name for row in rows] == ["0101"]
    assert [(fault.line, fault.rule) for fault in faults] == [(18, "Q12")]
    assert say(publication, str(file)) == 1
    assert not list((publication.root / "content/quotes").iterdir())


@pytest.mark.parametrize("field", ["source", "archive", "date", "lang", "speaker", "role"])
def test_missing_provenance_is_told_by_line_and_field(field: str, tmp_path: Path) -> None:
    text = as_csv(tmp_path / "q.csv", GOOD, GOOD | {"id": "0102", field: ""}).read_text()
    (fault,) = read(text, "q.csv", zone="UTC")[1]
    assert (fault.line, fault.rule) == (6, "Q12")  # the first takes lines 2 to 5
    assert field in fault.what


HOSTILE = {
    "no heading": "marrow kelp lantern quarry,0101,words\n",
    "a long line": "words,speaker\nmarrow kelp lantern quarry,a,b\n",
    "an open quotation mark": 'words,speaker\n"marrow kelp lantern quarry,a\n',
    "the words in every field": "words,kind,date,lang,archive,id,status,dir,speaker_dates\n"
    + ",".join(["marrow kelp lantern quarry"] * 9),
    "no json": '[{"marrow kelp lantern quarry": "a"}]',
    "json cut off": '[{"words": "marrow kelp lantern quarry',
    "json of another shape": '[["marrow kelp lantern quarry"], {"words": {"marrow kelp lantern quarry": 1}}]',
}


@pytest.mark.parametrize("what", HOSTILE)
def test_no_fault_repeats_a_word_of_the_file(
    what: str, publication: Publication, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / ("q.json" if "json" in what else "q.csv")
    file.write_text(HOSTILE[what])
    assert say(publication, str(file)) == 1
    told = capsys.readouterr()
    assert "kelp" not in told.out + told.err
    assert "nothing was imported" in told.err
    assert not list((publication.root / "content/quotes").iterdir())
