"""Quotes at the desk: who decides, on what exactly, and that no list says a word of theirs (Q5, Q11)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from atdesk import Client, desk, hire, light_hashes, signed_in  # noqa: F401 - the last but one is for all tests
from publication import SETTINGS, SOCIAL, Publication, instant
from syndicate.app import App, open_app
from syndicate.publish import approval
from syndicate.publish.tick import tick
from syndicate.store import audit

WORDS = "Whoever keeps a lamp in the window has already decided to leave us."
FOUR_EYES = SETTINGS.replace('approval = "solo"', 'approval = "four-eyes"') + SOCIAL
RUN = re.compile(r"lamp in the window", re.IGNORECASE)


@dataclass(kw_only=True)
class Room:
    """A publication with one quote that nobody has agreed to, and its three people at the desk."""

    app: App
    made: Publication
    mara: Client  # editor
    ivo: Client  # verifier
    tess: Client  # approver

    def standing(self) -> approval.Standing:
        quote = self.app.content.quote("0101")
        assert quote
        return approval.standing(self.app, quote, self.app.now())

    def seen(self) -> dict[str, str]:
        found = re.search(r'name="seen" value="(\w+)"', self.tess.look("/quotes/0101"))
        return {"seen": found[1] if found else ""}


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Publication(root=tmp_path / "p", settings=FOUR_EYES)
    made.begin("2026-11-22 04:00")
    made.quote("0101", WORDS)
    with open_app(made.root, at=instant("2026-11-22 05:00")) as app:
        tick(app, app.now())
        hire(app, "Mara", "Ivo", "Tess")
        with desk(app) as here:
            people = {name: signed_in(here, name) for name in ("Mara", "Ivo", "Tess")}
            yield Room(app=app, made=made, mara=people["Mara"], ivo=people["Ivo"], tess=people["Tess"])
            for client in people.values():
                client.close()


def test_a_quote_may_leave_once_two_people_have_agreed_at_the_desk(room: Room) -> None:
    queue = room.mara.look("/quotes")
    assert "1 waits for a decision" in queue
    assert "a verifier and an approver" in queue
    assert "Verified" in room.ivo.act("/quotes/0101/verify", room.seen())
    assert not room.standing().approved
    assert "Approved" in room.tess.act("/quotes/0101/approve", room.seen())
    assert room.standing().approved
    assert "No quote waits" in room.mara.look("/quotes")
    with room.app.store.read() as connection:
        acts = [(line.act, line.who) for line in audit.lines(connection, subject=room.app.content.quote("0101").id)]  # type: ignore[union-attr]
    assert acts[:2] == [("approve", "Tess"), ("verify", "Ivo")]


def test_a_quote_is_told_as_refused_whatever_its_file_is_called(tmp_path: Path) -> None:
    made = Publication(root=tmp_path / "p", settings=SETTINGS)
    made.begin("2026-11-22 04:00")
    made.quote("keeps-a-lamp-in-the-window", WORDS, id="0102")
    with open_app(made.root, at=instant("2026-11-22 05:00")) as app:
        tick(app, app.now())
        hire(app, "Mara")
        with desk(app) as here:
            client = signed_in(here, "Mara")
            page = client.look("/quotes")
            client.close()
    assert "Will not leave" in page
    assert "Q5: " in page


def test_each_decision_needs_its_role(room: Room) -> None:
    seen = room.seen()
    room.mara.act("/quotes/0101/verify", seen, status=403)
    room.tess.act("/quotes/0101/verify", seen, status=403)
    room.ivo.act("/quotes/0101/approve", seen, status=403)
    room.mara.act("/quotes/0101/reject", {"reason": "no"}, status=403)
    assert room.standing() == approval.Standing()
    assert "/quotes/0101/approve" not in room.ivo.look("/quotes/0101")
    assert "/quotes/0101/verify" not in room.tess.look("/quotes/0101")


def test_what_has_changed_since_the_page_was_opened_is_not_agreed_to(room: Room) -> None:
    seen = room.seen()
    room.made.quote("0101", WORDS.replace("us", "the harbour"))
    tick(room.app, room.app.now())
    room.ivo.act("/quotes/0101/verify", seen, status=409)
    room.tess.act("/quotes/0101/approve", seen, status=409)
    assert not room.standing().verifiers
    assert not room.standing().approvers


def test_a_change_under_an_approval_is_shown_where_it_is(room: Room) -> None:
    room.ivo.act("/quotes/0101/verify", room.seen())
    room.tess.act("/quotes/0101/approve", room.seen())
    room.made.quote("0101", WORDS.replace("window", "lane"))
    tick(room.app, room.app.now())
    page = room.tess.look("/quotes/0101")
    assert "changed since the last consent" in page
    assert re.search(r"<del>.*window.*</del> <mark>.*lane", page)
    assert "changed since" in room.mara.look("/quotes")


def test_a_rejection_takes_everything_back_and_needs_its_reason(room: Room) -> None:
    room.ivo.act("/quotes/0101/verify", room.seen())
    room.tess.act("/quotes/0101/reject", {"reason": " "}, status=409)
    assert room.standing().verifiers == ("Ivo",)
    room.tess.act("/quotes/0101/reject", {"reason": "the source is gone"})
    assert room.standing().rejected == "Tess"
    assert "rejected by Tess" in room.mara.look("/quotes")


def test_lists_hold_no_word_of_a_quote_and_its_page_holds_them_framed(room: Room) -> None:
    for page in ("", "/quotes", "/deliveries", "/editions", "/settings"):
        assert not RUN.search(room.mara.look(page)), page
    page = room.tess.look("/quotes/0101")
    frames = re.findall(r'<iframe[^>]* [^>]*sandbox src="/desk(/quotes/0101/renderings/\w+)"', page)
    assert [frame.rpartition("/")[2] for frame in frames] == ["page", "mail", "feed"]
    for frame in frames:
        text = re.sub(r"<style>.*?</style>|<[^>]+>", " ", room.tess.look(frame))
        label, words, speaker = (text.index(part) for part in ("In their own words", "lamp in the window", "Speaker 0101"))
        assert label < words < speaker, frame


def test_a_rendering_stands_in_a_document_that_can_do_nothing(room: Room) -> None:
    answer = room.tess.get("/desk/quotes/0101/renderings/mail")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "script" not in answer.headers["Content-Security-Policy"]
    assert room.tess.get("/desk/quotes/0101/renderings/x").status_code == 409
