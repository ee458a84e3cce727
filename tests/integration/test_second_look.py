"""What was planned and then taken back, or waited too long, does not leave."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.publication import SETTINGS, SOCIAL, Publication, to

from syndicate.app import App
from syndicate.model import Frequency, State
from syndicate.publish import editions, messages, posts
from syndicate.publish.tick import show_quote, subjects
from syndicate.store import marks
from syndicate.store.subscribers import Wishes

WORDS = "Let the gate stand open and let no one ask who walked through it at night."


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    made = Publication(root=tmp_path / "letter", settings=SETTINGS + SOCIAL)
    made.begin("2026-11-22 12:00")
    made.subscribe("2026-11-22 12:00", instant=Wishes(frequency=Frequency.INSTANT), daily=Wishes())
    made.run("2026-11-22 12:10")
    return made


def plan(app: App, *, rendered: bool = True) -> None:
    """A tick that was killed before anything was sent."""
    app.content.sync(app.sources, app.now())
    starts = marks.starts(app.store, subjects(app), app.now())
    show_quote(app, app.now(), starts)
    editions.expand(app, app.now(), starts)
    posts.expand(app, app.now(), starts)
    if rendered:
        messages.freeze(app, app.now())


def told(publication: Publication, at: str) -> set[tuple[State, str]]:
    with publication.opened(at) as app:
        return {(line.state, line.detail) for line in app.books.lines()}


@pytest.mark.parametrize("status", ["withdrawn", "draft"])
@pytest.mark.parametrize("rendered", [True, False])
def test_a_brief_that_was_taken_back_after_planning_leaves_nowhere(
    publication: Publication, status: str, *, rendered: bool
) -> None:
    publication.brief("one", "2026-11-22T13:00:00Z")
    with publication.opened("2026-11-22 13:01") as app:
        plan(app, rendered=rendered)
    publication.brief("one", "2026-11-22T13:00:00Z", status=status)
    for at in ("2026-11-22 13:02", "2026-11-22 13:03"):
        publication.run(at)
    assert not [path for channel in ("mail", "x", "mastodon", "bluesky") for path in publication.outbox(channel)]
    assert {state for state, _ in told(publication, "2026-11-22 13:04")} == {State.CANCELLED}
    assert publication.run("2026-11-22 13:05").faults == []


def test_the_rest_of_a_digest_leaves_without_what_was_taken_back(publication: Publication) -> None:
    publication.brief("one", "2026-11-22T13:00:00Z")
    publication.brief("two", "2026-11-22T13:10:00Z")
    quote = publication.quote("q1", WORDS)
    publication.run("2026-11-22 12:20")
    with publication.opened("2026-11-23 06:01") as app:
        plan(app)
    publication.brief("one", "2026-11-22T13:00:00Z", status="withdrawn")
    quote.write_text(quote.read_text(encoding="utf-8").replace("kind: words", "kind: words\nstatus: withdrawn"))
    for at in ("2026-11-23 06:02", "2026-11-23 06:03"):
        publication.run(at)
    assert to(publication.outbox()) == ["daily", "instant"]
    for path in (*publication.outbox(), *publication.outbox("x")):
        text = path.read_text(encoding="utf-8")
        assert "About two" in text
        assert "About one" not in text
        assert "stand open" not in text


def test_what_waited_past_its_window_is_cancelled_and_says_so(publication: Publication) -> None:
    publication.brief("one", "2026-11-22T13:00:00Z")
    publication.quote("q1", WORDS)
    publication.run("2026-11-22 12:20")
    with publication.opened("2026-11-23 06:01") as app:
        plan(app)
    publication.run("2026-12-05 13:05")
    assert not [path for channel in ("mail", "x", "mastodon", "bluesky") for path in publication.outbox(channel)]
    lines = told(publication, "2026-12-05 13:06")
    assert {state for state, _ in lines} == {State.CANCELLED}
    assert all("more than the window of" in detail for _, detail in lines)


def test_what_an_editor_lets_go_on_leaves_however_long_it_waited(publication: Publication) -> None:
    publication.brief("one", "2026-11-22T13:00:00Z")
    with publication.opened("2026-11-22 13:01") as app:
        plan(app)
        app.holds.place("all", "wait", who="test", now=app.now())
    publication.run("2026-11-30 13:00")
    assert publication.outbox("x") == []
    with publication.opened("2026-11-30 13:01") as app:
        app.ledger.go_on("all", app.now())
        app.holds.lift("all", who="test", now=app.now(), detail={})
    publication.run("2026-11-30 13:02")
    assert len(publication.outbox("x")) == 1
    assert to(publication.outbox()) == ["instant"]


@pytest.mark.parametrize("rendered", [True, False])
def test_a_newsletter_that_left_the_settings_keeps_its_messages_waiting(publication: Publication, *, rendered: bool) -> None:
    publication.brief("one", "2026-11-22T13:00:00Z")
    with publication.opened("2026-11-22 13:01") as app:
        plan(app, rendered=rendered)
    settings = publication.root / "config" / "syndicate.toml"
    settings.write_text((SETTINGS + SOCIAL).replace("[newsletters.digest]", "[newsletters.news]"), encoding="utf-8")
    publication.run("2026-11-22 13:02")
    assert publication.outbox() == []
    assert len(publication.outbox("x")) == 1
    settings.write_text(SETTINGS + SOCIAL, encoding="utf-8")
    publication.run("2026-11-22 13:05")
    assert to(publication.outbox()) == ["instant"]
