"""The reader pages over real HTTP: what they show, what they keep back, and how a reader leaves."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest

from served import NOW, copy_starter, opened, served, show, subscribe
from syndicate import links
from syndicate.app import App
from syndicate.errors import ConfigError, StoreError
from syndicate.model import Frequency, QuoteDisplay
from syndicate.publish.tick import tick
from syndicate.render import framing
from syndicate.web import briefs
from syndicate.web.server import serve

TODAY = NOW.date()
# A run of each quotation that stands in no context, title or label of ours.
TODAYS_WORDS = "already lost the morning"
PAGES = ("/", "/briefs/", "/quotes/", "/editions/", "/feeds/", "/briefs/post-fell-silent", "/topics/leaving", "/nowhere")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter with its database made and its items taken in, once for all tests here."""
    root = copy_starter(tmp_path_factory.mktemp("prepared"))
    with opened(root):
        return root


@pytest.fixture
def root(prepared: Path, tmp_path: Path) -> Path:
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def app(root: Path) -> Iterator[App]:
    with opened(root) as app:
        yield app


@pytest.fixture
def site(app: App) -> Iterator[httpx.Client]:
    with served(app) as serving, httpx.Client(base_url=serving.url, trust_env=False) as client:
        yield client


def write_brief(root: Path, name: str, title: str, *front: str) -> None:
    lines = ["---", f"title: {title}", *front, "---", "", "A body that says little."]
    (root / "content" / "briefs" / f"{name}.md").write_text("\n".join(lines), encoding="utf-8")


# -- briefs -------------------------------------------------------------------------------------


def test_the_front_page_leads_with_the_newest_brief(site: httpx.Client) -> None:
    text = site.get("/").text
    order = [
        text.index(f'href="/briefs/{slug}"') for slug in ("post-fell-silent", "borrowed-clock", "friends-of-the-harbour-hall")
    ]
    assert order == sorted(order)
    assert "Sunday, 22 November 2026" in text
    assert "There is no quotation today." in text
    assert "two had been counted twice" in text.replace("\n", " ")


def test_a_brief_stands_with_its_record_and_its_correction_above_the_text(site: httpx.Client) -> None:
    text = site.get("/briefs/friends-of-the-harbour-hall").text
    body = text.partition("<body>")[2]
    parts = ("<h1>", "Bram Okell", "Correction, 18 November 2026", "The Old Tide League teaches")
    places = [body.index(part) for part in parts]
    assert places == sorted(places)
    for part in ("Head of Data", "16 November 2026", 'href="/topics/money-and-property"', "Cite as"):
        assert part in text
    assert '<link rel="canonical" href="http://127.0.0.1:8000/briefs/friends-of-the-harbour-hall">' in text
    assert text.count('role="region" aria-label="Table" tabindex="0"') == 1


def test_a_figure_has_its_words_and_its_size(site: httpx.Client) -> None:
    text = site.get("/briefs/post-fell-silent").text
    assert re.search(
        r'<img src="http://127.0.0.1:8000/media/letters-per-week.png" alt="Line chart[^"]+" width="960" height="600">', text
    )
    assert 'property="og:image:alt"' in text


@pytest.mark.parametrize(
    "front", ["date: 2026-11-23 09:00", "date: 2026-11-20 09:00\nstatus: draft", "date: 2026-11-20\nembargo: 2026-11-22 13:00"]
)
def test_what_is_not_out_yet_is_nowhere(root: Path, front: str) -> None:
    write_brief(root, "secret", "Tomorrow’s secret", "topics: [Unheard of]", "series: Unheard of", front)
    with opened(root) as app, served(app) as serving, httpx.Client(base_url=serving.url, trust_env=False) as site:
        for path in ("/briefs/secret", "/topics/unheard-of", "/series/unheard-of"):
            assert site.get(path).status_code == 404
        for path in PAGES:
            assert "secret" not in site.get(path).text


def test_a_withdrawn_brief_leaves_a_notice(root: Path) -> None:
    write_brief(root, "gone", "A finding that fell", "date: 2026-11-21 09:00")
    with opened(root):
        pass
    write_brief(root, "gone", "A finding that fell", "date: 2026-11-21 09:00", "status: withdrawn")
    with opened(root) as app, served(app) as serving, httpx.Client(base_url=serving.url, trust_env=False) as site:
        answer = site.get("/briefs/gone")
        assert answer.status_code == 410
        assert "Please do not cite it." in answer.text
        assert "A body that says little" not in answer.text
        assert answer.headers["x-robots-tag"] == "noindex"
        assert "Withdrawn: “<a" in site.get("/").text
        assert "A finding that fell" not in site.get("/briefs/").text


def test_topics_and_series_list_their_briefs(site: httpx.Client) -> None:
    for path in ("/topics/closed-communities", "/series/inside-the-sealed-orchard"):
        text = site.get(path).text
        assert "/briefs/post-fell-silent" in text
        assert "/briefs/first-week-after-leaving" in text
        assert "/briefs/borrowed-clock" not in text


def test_long_lists_are_turned_page_by_page(site: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(briefs, "_PER_PAGE", 2)
    found: list[str] = []
    for number in (1, 2, 3):
        text = site.get("/briefs/", params={"page": number}).text
        found += re.findall(r'<h2><a href="/briefs/([^"]+)"', text)
        assert ('rel="next"' in text) == (number < 3)
        assert ('rel="prev"' in text) == (number > 1)
    assert len(found) == len(set(found)) == 5
    for wrong in ("4", "0", "-1", "x", "9" * 400, "000001" + "9" * 30, "٣"):
        assert site.get("/briefs/", params={"page": wrong}).status_code == 404


# -- quotations ---------------------------------------------------------------------------------


def test_a_quotation_is_nowhere_before_its_day(app: App, site: httpx.Client) -> None:
    slug = show(app, "settled-before-the-hour", TODAY + timedelta(days=1))
    assert site.get(f"/quotes/{slug}").status_code == 404
    assert slug not in site.get("/quotes/").text + site.get("/").text


def test_the_page_of_a_quotation_has_the_whole_block_and_asks_not_to_be_found(app: App, site: httpx.Client) -> None:
    slug = show(app, "settled-before-the-hour", TODAY)
    answer = site.get(f"/quotes/{slug}")
    body = answer.text.partition("<body>")[2]
    parts = (
        "Extremist’s own words",
        "Ansel Durrow teaches",
        TODAYS_WORDS,
        "Founder, the Straight Hour",
        "2022",
        "archive.brackmere.example",
    )
    places = [body.index(part, body.index('class="spec"')) for part in parts]
    assert places == sorted(places)
    assert answer.headers["x-robots-tag"] == "noindex"
    assert '<meta name="robots" content="noindex">' in answer.text
    assert TODAYS_WORDS not in answer.text.partition("<body>")[0]


def test_a_translated_quotation_shows_the_original_first_in_its_own_direction(app: App, site: httpx.Client) -> None:
    text = site.get(f"/quotes/{show(app, 'sign-no-paper', TODAY)}").text
    original = re.search(r'<blockquote lang="ar" dir="rtl">', text)
    assert original
    assert original.start() < text.index("Whoever has signed once")
    assert "The Brackmere Institute" in text[original.start() :]


def test_lists_briefs_and_the_front_page_hold_no_quoted_words(app: App, site: httpx.Client) -> None:
    files = [path.stem for path in sorted((app.root / "content" / "quotes").glob("*.md"))]
    for back, file in enumerate(files):
        show(app, file, TODAY - timedelta(days=back))
    listed = site.get("/quotes/")
    assert listed.text.count('<article class="item">') == 10
    assert listed.headers["x-robots-tag"] == "noindex"
    front = site.get("/").text
    assert "Today’s quotation" in front
    assert "Read it in its context" in front
    pool = app.content.quotes(now=NOW)
    theirs = [site.get(f"/briefs/{brief.slug}").text for brief in app.content.briefs(now=NOW)]
    for text in (listed.text, front, *theirs):
        framing.guard(text, "html", (), pool, style=app.style)


@pytest.mark.parametrize("target", ["quotes", "all", "item"])
def test_a_held_quotation_is_not_shown(app: App, site: httpx.Client, target: str) -> None:
    slug = show(app, "settled-before-the-hour", TODAY)
    assert site.get(f"/quotes/{slug}").status_code == 200
    quote = app.content.quote(slug)
    assert quote
    app.holds.place(quote.id if target == "item" else target, "a doubt", who="test", now=NOW)
    assert site.get(f"/quotes/{slug}").status_code == 404
    for path in ("/", "/quotes/"):
        assert slug not in site.get(path).text


def test_a_withdrawn_quotation_leaves_a_notice_without_its_words(root: Path) -> None:
    with opened(root) as app:
        slug = show(app, "settled-before-the-hour", TODAY)
    file = root / "content" / "quotes" / "settled-before-the-hour.md"
    file.write_text(file.read_text(encoding="utf-8").replace("kind: words", "kind: words\nstatus: withdrawn"), encoding="utf-8")
    with opened(root) as app, served(app) as serving, httpx.Client(base_url=serving.url, trust_env=False) as site:
        answer = site.get(f"/quotes/{slug}")
        assert answer.status_code == 410
        assert TODAYS_WORDS not in answer.text
        assert slug not in site.get("/quotes/").text + site.get("/").text


# -- every page ---------------------------------------------------------------------------------


def test_every_page_is_free_of_scripts_styles_in_tags_and_cookies(app: App, site: httpx.Client) -> None:
    token = subscribe(app)
    slug = show(app, "sign-no-paper", TODAY)
    for path in (*PAGES, f"/quotes/{slug}", f"/u/{token}", f"/p/{token}"):
        answer = site.get(path)
        assert "<script" not in answer.text
        assert " style=" not in answer.text
        assert not re.search(r"<[^>]*\son[a-z]+=", answer.text)
        assert "set-cookie" not in answer.headers
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.text.count("<h1") == 1
        assert answer.text.startswith("<!DOCTYPE html>")


def test_the_feed_named_first_is_briefs_only(site: httpx.Client) -> None:
    named = re.findall(r'<link rel="alternate" type="([^"]+)" title="([^"]+)" href="([^"]+)"', site.get("/").text)
    assert named[0] == ("application/rss+xml", "All briefs", "http://127.0.0.1:8000/feeds/briefs.rss")
    assert not any("quotes" in href for _, _, href in named)
    page = site.get("/feeds/").text
    assert page.index("/feeds/briefs.rss") < page.index("/feeds/quotes.rss")
    assert "quoted-extremist-speech" in page


def test_an_unknown_address_gets_a_kind_page(site: httpx.Client) -> None:
    for path in ("/nowhere", "/briefs/nothing-of-that-name", "/briefs/..%2f..%2fconfig", "/editions/digest/99", "/quotes/%00"):
        answer = site.get(path)
        assert answer.status_code == 404
        assert "There is no page at this address" in answer.text


def test_health_tells_that_the_database_answers(app: App, site: httpx.Client) -> None:
    answer = site.get("/healthz")
    assert answer.json() == {"status": "ok", "now": "2026-11-22T12:00:00+00:00"}


def test_a_broken_database_is_told_in_plain_words(app: App, site: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise StoreError("the disk is gone")

    monkeypatch.setattr(app.store, "read", refuse)
    page, health = site.get("/"), site.get("/healthz")
    assert page.status_code == health.status_code == 503
    assert "Please try again" in page.text
    assert "the disk is gone" not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert health.json()["status"] == "failing"


def test_a_fault_of_ours_shows_no_traceback(app: App, site: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise ZeroDivisionError("private detail")

    monkeypatch.setattr(app.content, "briefs", fail)
    answer = site.get("/")
    assert answer.status_code == 500
    assert "private detail" not in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_a_broken_template_breaks_its_own_page_only(root: Path) -> None:
    (root / "templates" / "pages").mkdir(parents=True)
    (root / "templates" / "pages" / "front.html.j2").write_text("{% include 'pages/nowhere.html.j2' %}", encoding="utf-8")
    with opened(root) as app, served(app) as serving, httpx.Client(base_url=serving.url, trust_env=False) as site:
        assert site.get("/").status_code == 500
        assert site.get("/briefs/").status_code == 200


# -- editions -----------------------------------------------------------------------------------


def test_an_edition_in_the_browser_names_no_reader(app: App, site: httpx.Client) -> None:
    token = subscribe(app)
    due = NOW.replace(day=24, hour=8)
    write_brief(app.root, "later", "A brief after the start", "date: 2026-11-23 09:00")
    tick(app, due - timedelta(hours=20))
    tick(app, due)
    path = re.search(r'href="(/editions/digest/\d+)"', site.get("/editions/").text)
    assert path
    answer = site.get(path[1])
    assert answer.status_code == 200
    assert "A brief after the start" in answer.text
    assert token not in answer.text
    assert "marrow" not in answer.text
    assert "style-src 'unsafe-inline'" in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-robots-tag"] == "noindex"


# -- leaving and choosing -----------------------------------------------------------------------

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def state(app: App, token: str) -> str:
    asked = links.verify(token, app.token_keys)
    assert asked
    view = app.subscribers.view(asked.subscriber, asked.newsletter)
    assert view
    return view.state


def test_scanners_that_open_every_link_unsubscribe_nobody(app: App, site: httpx.Client) -> None:
    token = subscribe(app)
    for _ in range(100):
        assert site.get(f"/u/{token}").status_code == 200
        assert site.head(f"/u/{token}").status_code == 200
    assert site.get(f"/u/{token}", params=ONE_CLICK).status_code == 200
    assert site.put(f"/u/{token}").status_code == 405
    assert state(app, token) == "active"


@pytest.mark.parametrize(
    "body",
    [
        {"data": ONE_CLICK},
        {"files": {"List-Unsubscribe": (None, "One-Click")}},
        {},
        {"content": b"\xff\xfe", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        {"content": b"x" * 100_000},
    ],
    ids=["form", "multipart", "empty", "broken", "endless"],
)
def test_one_post_without_cookies_ends_the_subscription(app: App, site: httpx.Client, body: dict[str, object]) -> None:
    token = subscribe(app)
    answer = site.post(f"/u/{token}", follow_redirects=False, **body)  # type: ignore[arg-type]
    assert answer.status_code == 200
    assert "You are unsubscribed" in answer.text
    assert "set-cookie" not in answer.headers
    assert state(app, token) == "ended"


def test_unsubscribing_twice_is_harmless(app: App, site: httpx.Client) -> None:
    token = subscribe(app)
    first, second = (site.post(f"/u/{token}", data=ONE_CLICK) for _ in range(2))
    assert first.status_code == second.status_code == 200
    assert "has ended already" in site.get(f"/u/{token}").text


def test_leaving_one_reader_leaves_the_others(app: App, site: httpx.Client) -> None:
    mine, theirs = subscribe(app), subscribe(app, "other@example.org")
    site.post(f"/u/{mine}", data=ONE_CLICK)
    assert state(app, theirs) == "active"


def test_the_pages_of_a_reader_hide_the_address_and_are_kept_by_nobody(app: App, site: httpx.Client) -> None:
    token = subscribe(app)
    for path in (f"/u/{token}", f"/p/{token}"):
        answer = site.get(path)
        assert "m•••••@e•••••.org" in answer.text
        assert "marrow" not in answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-robots-tag"] == "noindex"
        assert answer.headers["referrer-policy"] == "no-referrer"


def test_no_log_line_holds_a_readers_link(app: App, site: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    token = subscribe(app)
    site.get(f"/u/{token}")
    site.post(f"/u/{token}", data=ONE_CLICK)
    ours = [record for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]  # the test's own client
    assert not any(token in record.getMessage() for record in ours)


def test_a_changed_link_is_refused_in_plain_words(app: App, site: httpx.Client) -> None:
    token = subscribe(app)
    flipped = ("B" if token[12] != "B" else "C").join((token[:12], token[13:]))
    for wrong in (flipped, token[:-1], token + "A", "x", "%00"):
        for path in ("u", "p"):
            assert site.get(f"/{path}/{wrong}").status_code == 404
            assert site.post(f"/{path}/{wrong}", data=ONE_CLICK).status_code == 404
    assert "Copy the whole of it" in site.get(f"/u/{token[:-1]}").text
    assert state(app, token) == "active"


def test_choices_are_saved_and_shown(app: App, site: httpx.Client) -> None:
    token = subscribe(app)
    answer = site.post(f"/p/{token}", data={"frequency": "weekly", "quote": "link"})
    assert "Your choices hold from the next message on." in answer.text
    assert re.search(r'value="weekly" id="frequency-weekly" checked', answer.text)
    asked = links.verify(token, app.token_keys)
    assert asked
    view = app.subscribers.view(asked.subscriber, asked.newsletter)
    assert view
    assert (view.wishes.frequency, view.wishes.quote_display) == (Frequency.WEEKLY, QuoteDisplay.LINK)


@pytest.mark.parametrize(
    "form", [{}, {"frequency": "hourly", "quote": "link"}, {"frequency": "weekly"}, {"frequency": "weekly", "quote": "loud"}]
)
def test_a_choice_that_is_not_offered_changes_nothing(app: App, site: httpx.Client, form: dict[str, str]) -> None:
    token = subscribe(app)
    answer = site.post(f"/p/{token}", data=form)
    assert answer.status_code == 422
    assert "Nothing has changed" in answer.text
    assert re.search(r'value="daily" id="frequency-daily" checked', site.get(f"/p/{token}").text)


def test_an_ended_subscription_is_not_revived_by_its_choices(app: App, site: httpx.Client) -> None:
    token = subscribe(app)
    site.post(f"/u/{token}", data=ONE_CLICK)
    answer = site.post(f"/p/{token}", data={"frequency": "weekly", "quote": "link"})
    assert "has ended" in answer.text
    assert state(app, token) == "ended"


# -- the server ---------------------------------------------------------------------------------


def test_a_port_in_use_is_told_with_what_to_do(app: App) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"127.0.0.1:{port} cannot be had: .*--port {port + 1}"):
            serve(app, "127.0.0.1", port)


def test_an_address_of_another_machine_is_told(app: App) -> None:
    with pytest.raises(ConfigError, match=r"127\.0\.0\.1 always works"):
        serve(app, "192.0.2.1", 0)


def test_the_server_stops_at_once_twice_and_prints_nothing(app: App, capfd: pytest.CaptureFixture[str]) -> None:
    serving = serve(app, "127.0.0.1", 0)
    assert httpx.get(serving.url, trust_env=False).status_code == 200
    serving.stop()
    serving.stop()
    assert not serving.thread.is_alive()
    with pytest.raises(httpx.ConnectError):
        httpx.get(serving.url, trust_env=False)
    assert capfd.readouterr() == ("", "")
    assert serving.url == f"http://127.0.0.1:{serving.port}"


def test_dates_are_those_of_the_sites_zone(root: Path) -> None:
    config = root / "config" / "syndicate.toml"
    config.write_text(config.read_text(encoding="utf-8").replace('"Europe/London"', '"Pacific/Kiritimati"'), encoding="utf-8")
    with opened(root) as app, served(app) as serving:
        assert "Monday, 23 November 2026" in httpx.get(serving.url, trust_env=False).text
        assert date(2026, 11, 22) == app.now().date()
