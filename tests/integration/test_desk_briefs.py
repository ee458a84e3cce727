"""Briefs at the desk: every rendering is the one that leaves, a try saves nothing, and nothing leaves before its time."""

from __future__ import annotations

import hashlib
import html
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from atdesk import Client, desk, hire, light_hashes, signed_in  # noqa: F401 - the last but one is for all tests
from publication import SETTINGS, SOCIAL, Publication, instant
from syndicate.app import App, open_app
from syndicate.publish import proof
from syndicate.runtime import Runtime
from syndicate.store import audit, record
from syndicate.store.subscribers import Wishes
from syndicate.web.desk import briefs, specimens

NOW = "2026-11-23 09:00"


@dataclass(kw_only=True)
class Room:
    app: App
    made: Publication
    mara: Client  # editor
    ivo: Client  # verifier, who sends nothing

    def posts(self, slug: str) -> list[tuple[str, str]]:
        found = self.app.content.brief(slug, now=None)
        assert found
        with self.app.store.read() as connection:
            return [(line.channel, str(line.state)) for line in record.sent(connection, found.id)]

    def settle(self, path: str) -> str:
        """A page once its mails are rendered."""
        for _ in range(200):
            page = self.mara.look(path)
            if "being rendered" not in page:
                return page
        raise AssertionError(page)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """One publication for all: each test acts on a brief of its own."""
    made = Publication(root=tmp_path_factory.mktemp("desk") / "publication", settings=SETTINGS + SOCIAL)
    made.begin("2026-11-23 04:00")
    made.subscribe("2026-11-23 04:00", ada=Wishes())
    made.brief("lamps", "2026-11-23T05:00:00Z", title="Lamps of the lower town", social="{warning: Names a death}")
    made.brief("weirs", "2026-11-23T12:00:00Z", title="Weirs", status="embargoed", embargo="2026-11-23T12:00:00Z")
    made.brief("moorings", "2026-11-20T12:00:00Z", title="Moorings", status="draft")
    made.brief("gone", "2026-11-22T12:00:00Z", title="A brief that was taken back", status="withdrawn")
    made.run("2026-11-23 05:00:05")
    made.brief("late", "2026-09-01T05:00:00Z", title="An old song of the ferry")
    made.run("2026-11-23 05:00:10")
    with open_app(made.root, at=instant(NOW), environ={}) as app:
        hire(app, "Mara", "Ivo")
        with desk(app) as here:
            mara, ivo = signed_in(here, "Mara"), signed_in(here, "Ivo")
            yield Room(app=app, made=made, mara=mara, ivo=ivo)
            mara.close()
            ivo.close()


def test_the_list_tells_where_each_brief_stands(room: Room) -> None:
    page = re.sub(r"<[^>]*>", " ", room.mara.look("/briefs"))
    page = " ".join(page.split())
    for words in (
        "Weirs 13:00 embargo",
        "Moorings – draft",
        "Lamps of the lower town 06:00 published 3 sent",
        "taken back",
        "withdrawn",
    ):
        assert words in page, words
    assert "An old song of the ferry Tue 1 Sep, 07:00 late: a person sends it none" in page
    assert page.index("Weirs") < page.index("Lamps") < page.index("taken back") < page.index("old song")


def test_the_list_goes_on_where_it_ended(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(briefs.shelf, "PAGE", 1)
    seen, page = [], room.mara.look("/briefs")
    while True:
        seen += re.findall(r'<th[^>]*><a href="/desk/briefs/(\w+)"', page.partition('id="out"')[2])
        older = re.search(r'href="/desk(/briefs\?after=[\d.]+)" rel="next"', page)
        if older is None:
            break
        page = room.mara.look(older[1])
    assert seen == ["lamps", "gone", "late"]


def test_what_is_shown_is_byte_for_byte_what_leaves(room: Room) -> None:
    found = room.app.content.brief("lamps", now=None)
    assert found
    page = html.unescape(room.settle("/briefs/lamps"))
    made = {one.file: one for one in proof.proofs(room.app, found, room.app.now())}
    for form in ("atom", "rss", "json"):
        assert made[f"feed.{form}"].data.decode() in page
    assert made["edition.txt"].data.decode() in page
    assert room.mara.get("/desk/briefs/lamps/mails/digest").content == made["edition.html"].data
    for name in ("x", "mastodon", "bluesky"):
        post = made[f"{name}.txt"].post
        assert post
        assert f'<p class="said-so" lang="en" dir="auto">{post.text}</p>' in page
        if name != "bluesky":  # whose request tells when it was made
            left = [file.read_bytes().partition(b"\r\n\r\n")[2] for file in room.made.outbox(name)]
            assert room.app.channels[name].request(post, "key").body in left
    assert page.count("<iframe") == 3
    assert page.count("sandbox") == 3
    answer = room.mara.get("/desk/briefs/lamps/mails/digest")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_text_is_tried_and_saved_nowhere(room: Room) -> None:
    before = room.made.root.joinpath("content/briefs/lamps.md").read_bytes()
    tried = {"channel": "x", "text": 'Nobody was to moor "there".\r\n<b>We read.</b>'}
    page = room.ivo.act("/briefs/lamps/preview", tried)
    assert "Nobody was to moor &#34;there&#34;.\n&lt;b&gt;We read.&lt;/b&gt;" in page
    assert 'x: "Nobody was to moor \\"there\\".\\n<b>We read.</b>"' in html.unescape(page)
    part = room.ivo.act("/briefs/lamps/preview", {**tried, "part": "yes"})
    assert "Nobody was to moor" in part
    assert "<html" not in part
    found = room.app.content.brief("lamps", now=None)
    assert found
    assert "x" not in found.social
    assert room.made.root.joinpath("content/briefs/lamps.md").read_bytes() == before
    assert "Nobody was to moor" not in room.mara.look("/briefs/lamps")
    assert "cannot be posted" not in room.ivo.act("/briefs/lamps/preview", {"channel": "x", "text": "word " * 900})
    room.ivo.act("/briefs/lamps/preview", {"channel": "x", "text": "word " * 4001}, status=409)
    room.ivo.act("/briefs/lamps/preview", {"channel": "mail", "text": "w"}, status=409)
    room.ivo.act("/briefs/lamps/preview", {"channel": "x", "text": "a.b/" * 5000})


def test_the_form_begins_with_a_text_that_makes_the_same_post(room: Room) -> None:
    found = room.app.content.brief("lamps", now=None)
    assert found
    for one in specimens.posts(room.app, found, room.app.now()):
        again = room.ivo.act("/briefs/lamps/preview", {"channel": one.account, "text": one.draft, "part": "yes"})
        assert one.post
        assert f'<p class="said-so" lang="en" dir="auto">{html.escape(one.post.text)}</p>' in again, one.account


def test_a_post_shows_the_very_picture_that_is_uploaded(room: Room) -> None:
    media = room.made.root / "content/media"
    media.mkdir()
    shutil.copy(Path(__file__).parents[2] / "content/media/letters-per-week.png", media / "chart.png")
    room.made.brief("chart", "2026-11-19T12:00:00Z", status="draft", image="/media/chart.png", image_alt="Letters rise <b>")
    room.app.content.sync(room.app.sources, room.app.now())
    found = room.app.content.brief("chart", now=None)
    assert found
    page = room.mara.look("/briefs/chart")
    shown = {one.account: one.post for one in specimens.posts(room.app, found, room.app.now()) if one.post}
    for post in shown.values():
        picture = post.picture or (post.card and post.card.thumb)
        assert picture
        path = f"/desk/pictures/{Path(picture.file).name}"
        assert f'src="{path}" alt="Letters rise &lt;b&gt;"' in page
        answer = room.ivo.get(path)
        assert hashlib.sha256(answer.content).hexdigest() == picture.sha
        assert answer.headers["content-type"] == picture.type
    assert "img-src 'self'" in room.mara.get("/desk/briefs/chart").headers["content-security-policy"]
    assert room.mara.get("/desk/pictures/..%2f..%2fsyndicate.db").status_code == 404
    assert room.mara.get(f"/desk/pictures/{'0' * 64}.png").status_code == 404
    lamps = room.mara.look("/briefs/lamps")
    assert lamps.count("the card is drawn by x, from the page") == 1
    assert "the card is drawn by mastodon" not in lamps  # behind its warning it draws none


def test_nothing_is_sent_before_its_time_and_nothing_twice(room: Room) -> None:
    for slug in ("weirs", "moorings", "gone"):
        assert f"/briefs/{slug}/send" not in room.mara.look(f"/briefs/{slug}")
        room.mara.act(f"/briefs/{slug}/send", {"channel": ""}, status=409)
        assert room.posts(slug) == []
    room.mara.act("/briefs/lamps/send", {"channel": "x"}, status=409)
    room.ivo.act("/briefs/late/send", {"channel": ""}, status=403)
    assert "Send 3 posts now" in room.mara.look("/briefs/late")
    assert "It is due now" in room.mara.act("/briefs/late/send", {"channel": "x"})
    assert "Send 2 posts now" in room.mara.act("/briefs/late/hold", {"reason": "we check a source"})
    room.mara.act("/briefs/late/send", {"channel": "mastodon"}, status=409)
    assert room.posts("late") == [("x", "pending")]
    page = room.mara.look("/briefs/late")
    assert "we check a source" in page
    assert "/desk/release?target=" in page


def test_a_test_mail_goes_to_one_address_and_into_no_book(room: Room) -> None:
    before = set(room.made.outbox())
    room.ivo.act("/briefs/weirs/test", {"newsletter": "digest", "address": "mara@test.example"}, status=403)
    room.mara.act("/briefs/weirs/test", {"newsletter": "digest", "address": "nobody"}, status=409)
    assert set(room.made.outbox()) == before
    room.mara.act("/briefs/weirs/test", {"newsletter": "digest", "address": "mara@test.example"})
    (new,) = [file for file in set(room.made.outbox()) - before if file.suffix == ".eml"]
    assert b"Subject: Weirs" in new.read_bytes()
    Runtime(room.app).drain()
    with room.app.store.read() as connection:
        told = [(line.who, line.act, line.detail) for line in audit.lines(connection) if line.act == "test"]
    assert [line[:2] for line in told] == [("Mara", "test")]
    assert "mara@" not in str(told)
