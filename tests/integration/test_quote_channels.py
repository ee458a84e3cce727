"""A network that refuses a quote (Q19)."""

from __future__ import annotations

from pathlib import Path

import pytest

from publication import SETTINGS, SOCIAL, Publication
from syndicate.channels.outbox import Outbox
from syndicate.errors import Refused


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
