"""A brief's picture on its way: from content/media to each network, and the post without it where it cannot go along."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from tests.publication import SETTINGS, Publication, instant

from syndicate import channels
from syndicate.errors import Throttled, Unreachable
from syndicate.model import Card, Image, Picture, Post, State
from syndicate.publish import parcels, pictures
from syndicate.publish.tick import tick
from syndicate.runtime import Runtime
from syndicate.testing import FakeBluesky, FakeMastodon, FakeX, Network, make_brief, make_post
from syndicate.testing.bluesky import APP_PASSWORD, HANDLE
from syndicate.testing.mastodon import TOKEN
from syndicate.testing.x import KEYS

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
DUE = instant("2026-11-22 13:00")
ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "content/media/letters-per-week.png"
ALT = "A chart: letters per week rise from 2 to 14 — “in spring”."
FAKES: dict[str, tuple[Any, dict[str, str]]] = {
    "x": (FakeX, dict(KEYS)),
    "mastodon": (FakeMastodon, {"access_token": TOKEN}),
    "bluesky": (FakeBluesky, {"handle": HANDLE, "app_password": APP_PASSWORD}),
}
LINK = "https://example.org/briefs/a?s=sample"


@pytest.fixture
def publication(tmp_path: Path) -> Any:
    (tmp_path / "content/media").mkdir(parents=True)
    (tmp_path / "content/media/chart.png").write_bytes(SAMPLE.read_bytes())
    (tmp_path / "content/secret.png").write_bytes(SAMPLE.read_bytes())
    settings = SimpleNamespace(web=SimpleNamespace(public_url="https://letter.example.org/site"))
    return SimpleNamespace(root=tmp_path, settings=settings)


@pytest.fixture(params=FAKES)
def network(request: pytest.FixtureRequest, publication: Any) -> Iterator[tuple[Any, Any]]:
    fake, settings = FAKES[request.param]
    with ExitStack() as stack:
        there = stack.enter_context(fake(now=lambda: NOW))
        factory = channels.kinds()[request.param]
        yield there, factory("account", factory.Settings(**settings, url=there.url), folder=publication.root, now=lambda: NOW)


def illustrated(publication: Any, channel: Any, src: str = "/media/chart.png") -> Post:
    brief = make_brief(image=Image(src=src, alt=ALT))
    picture, without = pictures.chosen(publication, brief, channel.limits)
    assert picture is not None, without
    if channel.limits.thumbs:
        return make_post(card=Card(uri=LINK, title="The harbour papers", description="Four years.", thumb=picture))
    return make_post(picture=picture)


def named(fake: Network) -> str:
    """Which picture the one post that stands names."""
    (post,) = fake.posts
    body = json.loads(post.body)
    embed = body.get("record", {}).get("embed", {}).get("external", {}).get("thumb", {}).get("ref", {}).get("$link", "")
    return embed or (body.get("media", body).get("media_ids") or [""])[0]


def test_a_picture_goes_along_with_its_words(network: tuple[Any, Any], publication: Any) -> None:
    fake, channel = network
    post = illustrated(publication, channel)
    receipt = channel.send(post, "key")
    assert receipt.note == ""
    assert named(fake) in fake.pictures
    uploaded = fake.pictures[named(fake)]
    picture = post.picture or post.card.thumb  # type: ignore[union-attr]
    assert picture is not None
    data = (publication.root / picture.file).read_bytes()
    if isinstance(fake, FakeX):
        assert base64.b64decode(uploaded.json["media"]) == data
        assert fake.described == {named(fake): ALT}
    else:
        assert data in uploaded.body
        assert isinstance(fake, FakeBluesky) or ALT.encode() in uploaded.body


def test_a_picture_that_takes_a_while_is_waited_for(network: tuple[Any, Any], publication: Any) -> None:
    fake, channel = network
    fake.picture_looks = 2
    assert channel.send(illustrated(publication, channel), "key").note == ""
    assert named(fake) in fake.pictures


def test_a_refused_or_lost_picture_costs_nothing_but_itself_and_is_told(network: tuple[Any, Any], publication: Any) -> None:
    fake, channel = network
    post = illustrated(publication, channel)
    fake.refuses_pictures = True
    receipt = channel.send(post, "key")
    assert receipt.note.startswith("sent without its picture: ")
    assert [one.text for one in fake.posts] == [post.text]
    assert named(fake) == ""


def test_a_picture_whose_file_is_gone_or_another_is_left_out(network: tuple[Any, Any], publication: Any) -> None:
    fake, channel = network
    post = illustrated(publication, channel)
    picture = post.picture or post.card.thumb  # type: ignore[union-attr]
    assert picture is not None
    (publication.root / picture.file).write_bytes(b"another")
    assert "is not what the post was made with" in channel.send(post, "key").note
    assert named(fake) == ""


def test_a_network_that_is_not_there_puts_the_whole_post_off(network: tuple[Any, Any], publication: Any) -> None:
    fake, channel = network
    post = illustrated(publication, channel)
    fake.__exit__(None, None, None)
    with pytest.raises((Unreachable, Throttled)):
        channel.send(post, "key")
    assert fake.posts == []


def test_a_lost_answer_with_a_picture_gives_one_post(network: tuple[Any, Any], publication: Any) -> None:
    fake, channel = network
    post = replace(illustrated(publication, channel), created=NOW)
    fake.fail_next("after_accept")
    with pytest.raises(Exception, match="did not finish"):
        channel.send(post, "key")
    assert channel.reconcile(post, "key", NOW) is not None
    assert len(fake.posts) == 1
    assert named(fake) in fake.pictures


def test_a_post_with_a_picture_is_kept_and_found_again(publication: Any) -> None:
    picture = Picture(file="var/pictures/a.png", sha="00", type="image/png", size=1, width=1, height=1, alt=ALT)
    for post in (
        make_post(picture=picture),
        make_post(card=Card(uri=LINK, title="T", description="D", thumb=picture)),
        make_post(),
    ):
        assert parcels.load(parcels.dump(post)) == post


@pytest.mark.parametrize(
    ("src", "why"),
    [
        ("/media/chart.png", ""),
        ("https://letter.example.org/site/media/chart.png", ""),
        ("https://elsewhere.example/media/chart.png", "nothing is fetched"),
        ("/media/../secret.png", "nothing is fetched"),
        ("/media/%2e%2e/secret.png", "nothing is fetched"),
        ("/media/absent.png", "nothing is fetched"),
        ("/secret.png", "nothing is fetched"),
        ("/media/broken.png", "cannot be read as a picture"),
    ],
)
def test_only_a_picture_of_our_own_is_taken(src: str, why: str, publication: Any) -> None:
    (publication.root / "content/media/broken.png").write_bytes(b"no picture")
    limits = channels.kinds()["bluesky"](
        "a", channels.kinds()["bluesky"].Settings(**FAKES["bluesky"][1]), folder=publication.root, now=lambda: NOW
    ).limits
    picture, without = pictures.chosen(publication, make_brief(image=Image(src=src, alt=ALT)), limits)
    assert (picture is None) == bool(why)
    assert why in without
    if picture is not None:
        assert picture.size <= 1_000_000
        assert pictures.chosen(publication, make_brief(image=Image(src=src, alt=ALT)), limits)[0] == picture


CONFIG = """
[channels.x]
kind = "x"
url = "{url}"
hashtags = 2
hashtag_names = {{ "Club life" = "Clubs" }}

[web]
public_url = "https://letter.test.example"
"""


@pytest.mark.parametrize("refused", [False, True])
def test_from_the_file_to_the_network_and_into_the_record(tmp_path: Path, *, refused: bool) -> None:
    with FakeX(now=lambda: DUE) as network:
        network.refuses_pictures = refused
        environ = {f"SYNDICATE_CHANNELS__X__{key.upper()}": value for key, value in KEYS.items()}
        letter = Publication(root=tmp_path / "letter", settings=SETTINGS + CONFIG.format(url=network.url), environ=environ)
        letter.begin("2026-11-22 12:00")
        (letter.root / "content/media").mkdir(exist_ok=True)
        (letter.root / "content/media/chart.png").write_bytes(SAMPLE.read_bytes())
        front = {"image": "/media/chart.png", "image_alt": "A chart", "topics": "[Club life, Moorings]"}
        letter.brief("one", DUE.isoformat(), **front)
        with letter.opened(DUE.isoformat()) as app:
            tick(app, app.now())
            Runtime(app).drain()
            (line,) = app.books.lines(channel="x")
            assert line.state is State.SENT
            with app.store.read() as connection:
                found = connection.execute(sa.text("SELECT outcome, code, detail FROM attempt")).all()
    (post,) = network.posts
    assert post.text.endswith("\n\n#Clubs #Moorings")
    assert bool(network.described) is not refused
    if refused:
        ((outcome, code, detail),) = found
        assert (outcome, code) == ("sent", "degraded")
        assert "without its picture" in detail
    else:
        assert found == []
