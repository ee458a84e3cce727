"""Feeds over real HTTP: types, validators, pre-compressed variants, and nothing beyond the folder."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import brotli
import httpx
import pytest

from served import NOW, copy_starter, opened, served

FEED = b'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>' + b"<item/>" * 200 + b"</channel></rss>"
WRITTEN = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def write(path: Path, data: bytes, at: datetime = WRITTEN) -> None:
    for suffix, pack in (("", bytes), (".gz", lambda raw: gzip.compress(raw, mtime=0)), (".br", brotli.compress)):
        target = path.with_name(path.name + suffix)
        target.write_bytes(pack(data))
        os.utime(target, (at.timestamp(), at.timestamp()))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = copy_starter(tmp_path_factory.mktemp("publication"))
    for name in ("briefs.rss", "briefs.atom", "quotes.rss"):
        write(root / "feeds" / name, FEED)
    write(root / "feeds" / "briefs.json", b'{"version": "https://jsonfeed.org/version/1.1"}')
    write(root / "feeds" / "feed.css", b"rss { display: block }")
    (root / "var").mkdir(exist_ok=True)
    (root / "var" / "secret.rss").write_bytes(b"private")
    (root / "feeds" / ".hidden.rss").write_bytes(b"private")
    (root / "feeds" / "notes.txt").write_bytes(b"not a feed")
    return root


@pytest.fixture(scope="module")
def site(root: Path) -> Iterator[httpx.Client]:
    with (
        opened(root) as app,
        served(app) as serving,
        httpx.Client(base_url=serving.url, headers={"Accept-Encoding": "identity"}, trust_env=False) as client,
    ):
        yield client


def raw(site: httpx.Client, path: str, **headers: str) -> tuple[httpx.Response, bytes]:
    """The answer and its body as it was on the wire."""
    with site.stream("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()}) as answer:
        return answer, b"".join(answer.iter_raw())


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("briefs.rss", "application/rss+xml; charset=utf-8"),
        ("briefs.atom", "application/atom+xml; charset=utf-8"),
        ("briefs.json", "application/feed+json; charset=utf-8"),
        ("feed.css", "text/css; charset=utf-8"),
    ],
)
def test_each_file_has_the_type_of_its_kind(site: httpx.Client, name: str, kind: str) -> None:
    answer = site.get(f"/feeds/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == kind
    assert answer.headers["cache-control"] == "public, max-age=900"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "last-modified" in answer.headers
    assert "set-cookie" not in answer.headers


def test_a_browser_gets_the_same_bytes_as_plain_xml(site: httpx.Client) -> None:
    reader = site.get("/feeds/briefs.rss")
    browser = site.get("/feeds/briefs.rss", headers={"Sec-Fetch-Dest": "document"})
    assert browser.headers["content-type"] == "application/xml; charset=utf-8"
    assert browser.content == reader.content == FEED
    assert reader.headers["vary"] == "Accept-Encoding, Sec-Fetch-Dest"


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("", ""),
        ("identity", ""),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("gzip, br", "br"),
        ("GZIP;q=1.0, br;q=0.5", "gzip"),
        ("gzip;q=0.2, identity;q=0.9", ""),
        ("br;q=0, gzip;q=0", ""),
        ("*", "br"),
        ("*;q=0.1, br;q=0", "gzip"),
        ("zstd, deflate", ""),
        ("identity;q=0, zstd", ""),  # nothing fits: the plain file is better than a refusal
        ("gzip;q=nonsense", ""),
        ("gzip;q=", ""),
        (";;,,=", ""),
    ],
)
def test_the_encoding_is_the_best_that_the_client_takes(site: httpx.Client, accepted: str, encoding: str) -> None:
    answer, body = raw(site, "/feeds/briefs.rss", accept_encoding=accepted)
    assert answer.headers.get("content-encoding", "") == encoding
    unpack = {"": bytes, "gzip": gzip.decompress, "br": brotli.decompress}[encoding]
    assert unpack(body) == FEED
    assert int(answer.headers["content-length"]) == len(body)


def test_each_encoding_has_a_strong_tag_of_its_own(site: httpx.Client) -> None:
    tags = [raw(site, "/feeds/briefs.rss", accept_encoding=coding)[0].headers["etag"] for coding in ("identity", "gzip", "br")]
    assert len(set(tags)) == 3
    assert all(tag.startswith('"') for tag in tags)


def test_a_variant_of_another_version_is_not_served(root: Path, site: httpx.Client) -> None:
    path = root / "feeds" / "stale.rss"
    write(path, FEED)
    later = WRITTEN + timedelta(seconds=1)
    path.write_bytes(FEED + b"<!-- newer -->")
    os.utime(path, (later.timestamp(), later.timestamp()))
    answer, body = raw(site, "/feeds/stale.rss", accept_encoding="br, gzip")
    assert "content-encoding" not in answer.headers
    assert body.endswith(b"newer -->")


@pytest.mark.parametrize("form", ["{tag}", "W/{tag}", '"other", {tag}', '"a,b",W/{tag} , "c"', "*"])
def test_a_known_tag_is_answered_with_nothing_new(site: httpx.Client, form: str) -> None:
    full = site.get("/feeds/briefs.rss")
    answer = site.get("/feeds/briefs.rss", headers={"If-None-Match": form.format(tag=full.headers["etag"])})
    assert answer.status_code == 304
    assert answer.content == b""
    for name in ("cache-control", "etag", "vary", "last-modified"):
        assert answer.headers[name] == full.headers[name]
    assert "date" in answer.headers
    assert "content-type" not in answer.headers


def test_a_tag_counts_more_than_a_date(site: httpx.Client) -> None:
    headers = {"If-None-Match": '"other"', "If-Modified-Since": format_datetime(WRITTEN + timedelta(days=1), usegmt=True)}
    assert site.get("/feeds/briefs.rss", headers=headers).status_code == 200


def test_the_tag_of_another_encoding_is_not_good(site: httpx.Client) -> None:
    plain = site.get("/feeds/briefs.rss").headers["etag"]
    answer, _ = raw(site, "/feeds/briefs.rss", accept_encoding="gzip", if_none_match=plain)
    assert answer.status_code == 200


@pytest.mark.parametrize(("offset", "status"), [(-1, 200), (0, 304), (1, 304), (86_400, 304)])
def test_a_date_is_good_from_the_last_change_on(site: httpx.Client, offset: int, status: int) -> None:
    since = format_datetime(WRITTEN + timedelta(seconds=offset), usegmt=True)
    assert site.get("/feeds/briefs.rss", headers={"If-Modified-Since": since}).status_code == status


@pytest.mark.parametrize("since", ["yesterday", "", "Fri, 99 Nov 2026 09:00:00 GMT", "0"])
def test_a_date_that_is_none_is_ignored(site: httpx.Client, since: str) -> None:
    assert site.get("/feeds/briefs.rss", headers={"If-Modified-Since": since}).status_code == 200


def test_head_tells_the_same_without_a_body(site: httpx.Client) -> None:
    head, get = site.head("/feeds/briefs.atom"), site.get("/feeds/briefs.atom")
    assert head.content == b""
    for name in ("content-length", "content-type", "etag", "last-modified", "vary"):
        assert head.headers[name] == get.headers[name]


def test_nothing_is_posted_to_a_feed(site: httpx.Client) -> None:
    answer = site.post("/feeds/briefs.rss")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize(
    "path",
    [
        "/feeds/../var/secret.rss",
        "/feeds/%2e%2e/var/secret.rss",
        "/feeds/..%2fvar%2fsecret.rss",
        "/feeds/%2e%2e%5cvar%5csecret.rss",
        "/feeds//var/secret.rss",
        "/feeds/./briefs.rss",
        "/feeds/.hidden.rss",
        "/feeds/briefs.rss%00",
        "/feeds/briefs.rss/",
        "/feeds/briefs.rss.gz",
        "/feeds/notes.txt",
        "/feeds/none.rss",
        "/media/../../var/secret.rss",
        "/media/..%2f..%2fconfig%2fsyndicate.toml",
        "/var/syndicate.db",
    ],
)
def test_nothing_outside_the_folders_can_be_had(site: httpx.Client, path: str) -> None:
    # httpx would tidy the dots away, so the request is written by hand.
    request = httpx.Request("GET", site.base_url.join("/"), extensions={"target": path.encode()})
    request.headers["Host"] = site.base_url.netloc.decode()
    answer = site.send(request)
    assert answer.status_code == 404
    assert b"private" not in answer.content


def test_no_answer_tells_of_a_change_that_is_still_ahead(root: Path, site: httpx.Client) -> None:
    ahead = NOW + timedelta(seconds=5)  # several versions within one second
    write(root / "feeds" / "hasty.rss", FEED, ahead)
    answer = site.get("/feeds/hasty.rss")
    assert answer.headers["last-modified"] == format_datetime(NOW, usegmt=True)
    assert site.get("/feeds/hasty.rss", headers={"If-Modified-Since": answer.headers["last-modified"]}).status_code == 200
    assert site.get("/feeds/hasty.rss", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304


def test_the_two_types_of_one_file_have_tags_of_their_own(site: httpx.Client) -> None:
    reader, browser = (site.get("/feeds/briefs.rss", headers=more) for more in ({}, {"Sec-Fetch-Dest": "document"}))
    assert reader.headers["etag"] != browser.headers["etag"]


def test_a_link_that_leads_out_of_the_folder_is_not_followed(root: Path, site: httpx.Client) -> None:
    (root / "feeds" / "way-out.rss").symlink_to(root / "var" / "secret.rss")
    assert site.get("/feeds/way-out.rss").status_code == 404


def test_pictures_of_briefs_are_served(site: httpx.Client) -> None:
    answer = site.get("/media/letters-per-week.png")
    assert answer.headers["content-type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG")


def test_the_feed_of_quotations_asks_not_to_be_indexed(site: httpx.Client) -> None:
    assert site.get("/feeds/quotes.rss").headers["x-robots-tag"] == "noindex"
    assert "x-robots-tag" not in site.get("/feeds/briefs.rss").headers
