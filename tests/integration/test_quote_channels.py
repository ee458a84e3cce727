"""A network that refuses a quote (Q19)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from publication import SETTINGS, SOCIAL, Publication
from syndicate.channels.outbox import Outbox
from syndicate.errors import Refused, Uncertain, Unreachable
from syndicate.model import Frequency
from syndicate.store.subscribers import Wishes


def test_a_refusal_pauses_quotes_on_that_channel_and_nothing_is_posted_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Publication(root=tmp_path / "p", settings=SETTINGS + SOCIAL)
    made.begin("2026-01-01 04:00")
    made.quote("0101", "A sentence about bridges that nobody crosses.")
    made.quote("0102", "A sentence about ferries that nobody boards.")
    whole = Outbox.send

    def refusing(self: Outbox, parcel: object, key: str) -> object:
        if self.name == "x":
            msg = "this content is against our rules"
            raise Refused(msg, code="403")
        return whole(self, parcel, key)  # type: ignore[arg-type]

    monkeypatch.setattr(Outbox, "send", refusing)
    made.run("2026-01-02 05:30")
    monkeypatch.undo()
    with made.opened("2026-01-02 05:31") as app:
        assert [(hold.target, "403" in hold.reason) for hold in app.holds.list()] == [("quotes:x", True)]
    made.brief("harbour", "2026-01-02T06:00:00Z")
    made.run("2026-01-02 06:30")
    made.run("2026-01-03 05:30")
    assert len(made.outbox("mastodon")) == 3
    assert len(made.outbox("x")) == 1  # the brief: quotes alone are paused


WORDS = "Quindolf brasmick velthorn oxwimple; zarnabeck plovindle."


def test_an_answer_that_repeats_the_quote_is_kept_and_told_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    made = Publication(root=tmp_path / "p", settings=SETTINGS + SOCIAL)
    made.begin("2026-01-01 04:00")
    made.subscribe("2026-01-01 04:00", daily=Wishes(frequency=Frequency.DAILY))
    made.quote("0101", WORDS)
    answers = {
        "x": Refused(f"x answered 422: {WORDS}", code="422"),
        "mastodon": Uncertain(f"mastodon answered 500: {WORDS.upper()}", code="500"),
        "bluesky": Unreachable(f"bluesky answered 503: {WORDS}"),
        "mail": Refused(f"550 5.7.1 a spam trap knows {WORDS}", code="5.7.1"),
    }

    def answering(self: Outbox, *_: object) -> object:
        raise answers[self.name]

    monkeypatch.setattr(Outbox, "send", answering)
    monkeypatch.setattr(Outbox, "reconcile", answering)
    made.run("2026-01-02 05:30")
    made.run("2026-01-02 05:32")  # asks after what nobody knows
    made.run("2026-01-02 06:30")
    with sqlite3.connect(made.root / "var" / "syndicate.db") as database:
        told = [str(row) for row in database.execute("SELECT outcome, code, detail FROM attempt")]
    database.close()
    said = capfd.readouterr()
    assert sum("withheld" in one for one in told) >= 5
    lines = "\n".join([*told, said.out, said.err]).lower().splitlines()
    assert "\n".join(line for line in lines if "velthorn" in line) == ""
