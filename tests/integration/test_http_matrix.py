"""What a feed reader may ask and is answered, asked of both servers: our own, and nginx with the documented settings."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path

import brotli
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nginx
from served import NOW, STARTER, copy_starter, opened, served, show, subscribe
from syndicate.app import App
from syndicate.channels.files import Files
from syndicate.model import Document
from syndicate.publish import feeds

CHANGED = NOW.replace(microsecond=0)
FEED, VIEW = "/feeds/briefs.atom", "application/xml; charset=utf-8"
UNPACK = {"": bytes, "gzip": gzip.decompress, "br": brotli.decompress}
OTHERS = {"archive/briefs-1.rss": b"<rss/>" * 50, "topics/ports.atom": b"<feed/>" * 50, "sitemap.xml": b"<urlset/>" * 50}


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """One of the two, over the same folder."""

    name: str
    client: httpx.Client
    codings: frozenset[str]  # which it can serve
    root: Path
    app: App
    log: Path | None = None  # where it writes down who asked for what

    def ask(self, path: str = FEED, method: str = "GET", **headers: str) -> tuple[httpx.Response, bytes]:
        """The answer and its body as it was on the wire."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with self.client.stream(method, path, headers=named) as answer:
            return answer, b"".join(answer.iter_raw())

    def file(self, path: str = FEED) -> bytes:
        """What is on the disk."""
        return (self.root / path.lstrip("/")).read_bytes()


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    root = copy_starter(tmp_path_factory.mktemp("publication"))
    shutil.copy(STARTER / "feeds" / "feed.css", root / "feeds")
    with opened(root) as app:
        show(app, "sign-no-paper", NOW.date())
        feeds.publish(app, NOW)
        Files(app.feeds_folder, now=lambda: NOW).write(Document(name="more", files=OTHERS, updated=NOW))
        with served(app) as serving:
            plain = {"Accept-Encoding": "identity"}
            with httpx.Client(base_url=serving.url, headers=plain, trust_env=False) as client:
                ours = Server(name="syndicate", client=client, codings=frozenset({"gzip", "br"}), root=root, app=app)
                if nginx.executable() is None:
                    yield {"syndicate": ours}
                    return
                codings = frozenset({"gzip", "br"} if nginx.brotli() else {"gzip"})
                folder = tmp_path_factory.mktemp("nginx")
                with (
                    nginx.nginx(folder, root, serving.port) as url,
                    httpx.Client(base_url=url, headers=plain, trust_env=False) as other,
                ):
                    log = folder / "access.log"
                    theirs = Server(name="nginx", client=other, codings=codings, root=root, app=app, log=log)
                    yield {"syndicate": ours, "nginx": theirs}


@pytest.fixture(params=["syndicate", "nginx"])
def server(request: pytest.FixtureRequest, both: dict[str, Server]) -> Server:
    if request.param not in both:
        pytest.skip("no nginx here: its documented configuration is not tried")
    return both[request.param]


def when(offset: int) -> str:
    return format_datetime(CHANGED + timedelta(seconds=offset), usegmt=True)


# -- whole answers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "kind", "vary"),
    [
        ("/feeds/briefs.rss", "application/rss+xml; charset=utf-8", "Accept-Encoding, Sec-Fetch-Dest"),
        ("/feeds/briefs.atom", "application/atom+xml; charset=utf-8", "Accept-Encoding, Sec-Fetch-Dest"),
        ("/feeds/briefs.json", "application/feed+json; charset=utf-8", "Accept-Encoding"),
        ("/feeds/feeds.opml", "text/x-opml; charset=utf-8", "Accept-Encoding"),
        ("/feeds/feed.css", "text/css; charset=utf-8", "Accept-Encoding"),
        ("/feeds/sitemap.xml", VIEW, "Accept-Encoding"),
        ("/feeds/archive/briefs-1.rss", "application/rss+xml; charset=utf-8", "Accept-Encoding, Sec-Fetch-Dest"),
        ("/feeds/topics/ports.atom", "application/atom+xml; charset=utf-8", "Accept-Encoding, Sec-Fetch-Dest"),
    ],
)
def test_every_file_has_its_type_and_what_caches_and_pages_need(server: Server, path: str, kind: str, vary: str) -> None:
    answer, body = server.ask(path)
    assert (answer.status_code, body) == (200, server.file(path))
    assert answer.headers["content-type"] == kind
    assert answer.headers["vary"] == vary
    assert answer.headers["cache-control"] == "public, max-age=900"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "etag" in answer.headers["access-control-expose-headers"].lower()
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["etag"].startswith('"')
    assert answer.headers["etag"].endswith('"')
    assert parsedate_to_datetime(answer.headers["last-modified"]) <= parsedate_to_datetime(answer.headers["date"]) or (
        server.app.now() == NOW  # a pretended clock
    )
    assert int(answer.headers["content-length"]) == len(body)
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/feeds/briefs.rss", FEED, "/feeds/archive/briefs-1.rss", "/feeds/topics/ports.atom"])
def test_a_browsers_window_gets_the_same_bytes_as_plain_xml(server: Server, path: str) -> None:
    for coding in ("identity", "gzip", "br"):
        reader, bytes_to_reader = server.ask(path, accept_encoding=coding)
        browser, bytes_to_browser = server.ask(path, accept_encoding=coding, sec_fetch_dest="document")
        assert bytes_to_browser == bytes_to_reader
        assert browser.headers["content-type"] == VIEW
        same = set(reader.headers) - {"content-type", "etag", "date"}
        assert {name: browser.headers.get(name) for name in same} == {name: reader.headers[name] for name in same}
        again, _ = server.ask(path, accept_encoding=coding, sec_fetch_dest="document", if_none_match=browser.headers["etag"])
        assert again.status_code == 304


@pytest.mark.parametrize("target", ["empty", "iframe", "", "Document", "document, empty"])
def test_only_a_window_is_a_window(server: Server, target: str) -> None:
    assert server.ask(sec_fetch_dest=target)[0].headers["content-type"] == "application/atom+xml; charset=utf-8"


def test_json_stays_json_in_a_window(server: Server) -> None:
    answer, _ = server.ask("/feeds/briefs.json", sec_fetch_dest="document")
    assert answer.headers["content-type"] == "application/feed+json; charset=utf-8"


# -- encodings --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accepted", "wanted"),
    [
        ("identity", ""),
        ("gzip", "gzip"),
        ("br", "br"),
        ("gzip, deflate, br", "br"),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip;q=1.0, identity;q=0.5", "gzip"),
        ("gzip;q=0", ""),
        ("gzip;q=0, br;q=0", ""),
        ("br, identity;q=0", "br"),
        ("gzip, identity;q=0", "gzip"),
        ("zstd", ""),
    ],
)
def test_the_encoding_is_one_that_the_client_takes(server: Server, accepted: str, wanted: str) -> None:
    answer, body = server.ask(accept_encoding=accepted)
    if wanted not in {"", *server.codings}:
        wanted = "gzip" if "gzip" in accepted else ""
    assert answer.headers.get("content-encoding", "") == wanted
    assert UNPACK[wanted](body) == server.file()
    assert "Accept-Encoding" in answer.headers["vary"]
    assert int(answer.headers["content-length"]) == len(body)


def test_who_names_no_encoding_gets_the_plain_file(server: Server) -> None:
    request = server.client.build_request("GET", FEED)
    del request.headers["accept-encoding"]
    answer = server.client.send(request)
    assert "content-encoding" not in answer.headers
    assert answer.content == server.file()


def test_each_encoding_has_a_strong_tag_of_its_own(server: Server) -> None:
    tags = {coding: server.ask(accept_encoding=coding)[0].headers["etag"] for coding in ("identity", *server.codings)}
    assert len(set(tags.values())) == len(tags)
    for coding, tag in tags.items():
        assert server.ask(accept_encoding=coding, if_none_match=tag)[0].status_code == 304
        for other, theirs in tags.items():
            assert server.ask(accept_encoding=coding, if_none_match=theirs)[0].status_code == (304 if other == coding else 200)


# -- has it changed? --------------------------------------------------------------------------------

TAGS = [
    ("{tag}", 304),
    ("W/{tag}", 304),
    ('"other"', 200),
    ('W/"other"', 200),
    ('"other", {tag}', 304),
    ('{tag}, "other"', 304),
    ('"a", W/"b",W/{tag} , "c"', 304),
    ('"a", "b"', 200),
    ("*", 304),
    ('""', 200),
    ("nonsense", 200),
]


@pytest.mark.parametrize(("form", "status"), TAGS)
def test_a_tag_is_compared_weakly(server: Server, form: str, status: int) -> None:
    full, _ = server.ask()
    answer, body = server.ask(if_none_match=form.format(tag=full.headers["etag"]))
    assert answer.status_code == status
    assert (body == b"") == (status == 304)


DATES = [
    (when(0), 304),
    (when(1), 304),
    (when(86_400 * 400), 304),
    (when(-1), 200),
    (when(-86_400), 200),
    ("Thu, 01 Jan 1970 00:00:00 GMT", 200),
    (format_datetime(CHANGED, usegmt=True).replace("Sun, 22 Nov 2026", "Sunday, 22-Nov-26"), 304),
    ("yesterday", 200),
    ("Sun, 99 Nov 2026 12:00:00 GMT", 200),
    ("", 200),
    ("0", 200),
]


@pytest.mark.parametrize(("since", "status"), DATES)
def test_a_date_is_good_from_the_last_change_on(server: Server, since: str, status: int) -> None:
    answer, body = server.ask(if_modified_since=since)
    assert answer.status_code == status
    assert (body == b"") == (status == 304)


@pytest.mark.parametrize(
    ("form", "since", "status"),
    [
        ("{tag}", when(0), 304),
        ("{tag}", when(86_400), 304),
        ('"other"', when(86_400), 200),
        ('"other"', when(-86_400), 200),
        ("{tag}", when(-86_400), 304),
        ("{tag}", "nonsense", 304),
    ],
)
def test_a_tag_counts_and_a_date_beside_it_does_not(server: Server, form: str, since: str, status: int) -> None:
    full, _ = server.ask()
    answer, _ = server.ask(if_none_match=form.format(tag=full.headers["etag"]), if_modified_since=since)
    if server.name == "nginx" and (since in {when(-86_400), "nonsense"}) and status == 304:
        status = 200  # nginx wants both to hold: it sends the whole file once more, which is never wrong
    assert answer.status_code == status


@pytest.mark.parametrize("coding", ["identity", "gzip", "br"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_nothing_new_carries_the_headers_of_the_whole_answer(server: Server, coding: str, method: str) -> None:
    full, _ = server.ask(accept_encoding=coding)
    answer, body = server.ask(method=method, accept_encoding=coding, if_none_match=full.headers["etag"])
    assert (answer.status_code, body) == (304, b"")
    for name in (
        "cache-control",
        "content-location",
        "etag",
        "expires",
        "vary",
        "last-modified",
        "access-control-allow-origin",
    ):
        assert answer.headers.get(name) == full.headers.get(name), name
    assert "date" in answer.headers
    assert not {"content-type", "content-encoding", "transfer-encoding"} & set(answer.headers)


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("if_match", "*", 200),
        ("if_match", "{tag}", 200),
        ("if_match", '"other", {tag}', 200),
        ("if_match", "W/{tag}", 412),
        ("if_match", '"other"', 412),
        ("if_unmodified_since", when(0), 200),
        ("if_unmodified_since", when(-1), 412),
        ("if_unmodified_since", "nonsense", 200),
    ],
)
def test_who_wants_this_version_alone_gets_no_other(server: Server, header: str, value: str, status: int) -> None:
    if server.name == "nginx" and value == "nonsense":
        status = 412  # it takes a date that is none for an old one; no feed reader sends this header
    tag = server.ask()[0].headers["etag"]
    assert server.ask(**{header: value.format(tag=tag)})[0].status_code == status


# -- methods and ranges -----------------------------------------------------------------------------


@pytest.mark.parametrize("coding", ["identity", "gzip", "br"])
def test_head_tells_the_same_without_a_body(server: Server, coding: str) -> None:
    head, body = server.ask(method="HEAD", accept_encoding=coding)
    full, _ = server.ask(accept_encoding=coding)
    assert (head.status_code, body) == (200, b"")
    without = {"date", "connection"}
    assert {k: v for k, v in head.headers.items() if k not in without} == {
        k: v for k, v in full.headers.items() if k not in without
    }


@pytest.mark.parametrize("span", ["bytes=0-9", "bytes=-5", "bytes=10-", "bytes=0-1,4-5", "bytes=999999999-", "lines=1-2", "x"])
@pytest.mark.parametrize("more", [{}, {"if_range": '"other"'}, {"accept_encoding": "gzip"}])
def test_a_range_is_not_served_for_its_parts_would_not_fit(server: Server, span: str, more: dict[str, str]) -> None:
    answer, body = server.ask(range=span, **more)
    assert answer.status_code == 200
    assert UNPACK[answer.headers.get("content-encoding", "")](body) == server.file()
    assert answer.headers.get("accept-ranges", "none") == "none"
    assert "content-range" not in answer.headers


@pytest.mark.parametrize("path", [FEED, "/feeds/briefs.json", "/feeds/archive/briefs-1.rss"])
def test_a_page_of_another_site_may_ask_with_conditions(server: Server, path: str) -> None:
    answer, body = server.ask(
        path,
        "OPTIONS",
        origin="https://reader.example",
        access_control_request_method="GET",
        access_control_request_headers="if-none-match",
    )
    assert (answer.status_code, body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "GET" in answer.headers["access-control-allow-methods"]
    assert {"if-none-match", "if-modified-since", "*"} <= set(
        answer.headers["access-control-allow-headers"].lower().split(", ")
    )
    assert int(answer.headers["access-control-max-age"]) > 0
    assert "access-control-allow-credentials" not in answer.headers
    followed, _ = server.ask(path, origin="https://reader.example")
    assert followed.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_written(server: Server, method: str) -> None:
    assert server.ask(method=method)[0].status_code == 405


# -- what is not to be had --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/feeds/none.rss",
        "/feeds/briefs.rss.gz",
        "/feeds/briefs.rss.br",
        "/feeds/.gitkeep",
        "/feeds/.briefs.rss.abc.new",
        "/feeds/archive/",
        "/feeds/archive",
        "/feeds/briefs",
        "/feeds/../config/syndicate.toml",
        "/feeds/..%2fconfig%2fsyndicate.toml",
        "/feeds/%2e%2e/var/syndicate.db",
        "/.browser/briefs.rss",
        "/config/syndicate.toml",
        "/var/syndicate.db",
        "/content/briefs/",
    ],
)
def test_nothing_but_feeds_is_in_the_folder(server: Server, path: str) -> None:
    (server.root / "feeds" / ".briefs.rss.abc.new").write_bytes(b"half a feed")
    request = httpx.Request("GET", server.client.base_url.join("/"), extensions={"target": path.encode()})
    request.headers["Host"] = server.client.base_url.netloc.decode()
    request.headers["Sec-Fetch-Dest"] = "document"
    answer = server.client.send(request)
    assert answer.status_code == 404
    assert b"half a feed" not in answer.content


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    headers=st.dictionaries(
        st.sampled_from(
            [
                "accept_encoding",
                "if_none_match",
                "if_modified_since",
                "if_match",
                "if_unmodified_since",
                "range",
                "sec_fetch_dest",
            ]
        ),
        st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=40).map(str.strip)
        | st.sampled_from(
            [when(0), "*", "gzip;q=9", '"', "W/", "Fri, 31 Dec 9999 23:59:59 -2359", "Mon, 01 Jan 0001 00:00:00 +2359"]
        ),
        max_size=4,
    )
)
def test_no_request_breaks_the_server_or_gets_half_a_feed(both: dict[str, Server], headers: dict[str, str]) -> None:
    server = both["syndicate"]
    answer, body = server.ask(**headers)
    assert answer.status_code in {200, 304, 412}
    if answer.status_code == 200:
        assert UNPACK[answer.headers.get("content-encoding", "")](body) == server.file()
    else:
        assert body == b""


# -- only nginx ---------------------------------------------------------------------------------------


def test_nginx_hands_pages_and_pictures_on_and_keeps_reader_links_out_of_its_log(both: dict[str, Server]) -> None:
    if "nginx" not in both:
        pytest.skip("no nginx here: its documented configuration is not tried")
    server = both["nginx"]
    token = subscribe(server.app)
    for path in ("/", "/feeds/", "/media/letters-per-week.png", "/site.css", f"/u/{token}", f"/p/{token}"):
        theirs, ours = server.client.get(path), both["syndicate"].client.get(path)
        assert (theirs.status_code, theirs.headers["content-type"]) == (200, ours.headers["content-type"]), path
        assert theirs.content == ours.content, path
    assert server.log
    assert "GET /feeds/ " in server.log.read_text(encoding="utf-8")
    assert token not in server.log.read_text(encoding="utf-8")


def test_a_quotation_feed_asks_not_to_be_indexed(server: Server) -> None:
    assert server.ask("/feeds/quotes.rss")[0].headers["x-robots-tag"] == "noindex"
    assert server.ask("/feeds/quotes.rss", sec_fetch_dest="document")[0].headers["x-robots-tag"] == "noindex"
    assert "x-robots-tag" not in server.ask()[0].headers


def test_with_a_hub_nginx_names_it_and_the_feed(tmp_path: Path) -> None:
    if nginx.executable() is None:
        pytest.skip("no nginx here: its documented configuration is not tried")
    root = tmp_path / "publication"
    Files(root / "feeds", now=lambda: datetime(2026, 11, 22, tzinfo=UTC)).write(
        Document(
            name="briefs",
            files={"briefs.rss": b"<rss/>", "archive/briefs-1.rss": b"<rss/>", "topics/ports.rss": b"<rss/>"},
            updated=NOW,
        )
    )
    folder = tmp_path / "nginx"
    folder.mkdir()
    with nginx.nginx(folder, root, 9, hub="https://hub.example/") as url:
        for headers, name in (({}, "briefs.rss"), ({"Sec-Fetch-Dest": "document"}, "briefs.rss"), ({}, "topics/ports.rss")):
            link = httpx.get(f"{url}/feeds/{name}", headers=headers, trust_env=False).headers["link"]
            assert link == f'<https://hub.example/>; rel="hub", <https://news.example.org/feeds/{name}>; rel="self"'
        assert "link" not in httpx.get(f"{url}/feeds/archive/briefs-1.rss", trust_env=False).headers
