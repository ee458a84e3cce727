"""People, readers and crawlers find every feed: on the page of feeds, in the head of pages, in the list, in robots.txt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from lxml import etree, html

import feedrules
from served import NOW, copy_starter, opened, served
from syndicate.publish import feeds

HUB = "http://127.0.0.1:9/hub"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    root: Path = copy_starter(tmp_path_factory.mktemp("publication"))
    config = root / "config" / "syndicate.toml"
    text = re.sub(r"(\[feeds\.briefs\]\n).*?\n\n", rf'\1window = 2\nby = ["topic", "series", "author"]\nhub = "{HUB}"\n\n', config.read_text(encoding="utf-8"), count=1, flags=re.DOTALL)  # fmt: skip
    config.write_text(text, encoding="utf-8")
    with (
        opened(root) as app,
        served(app) as serving,
        httpx.Client(base_url=serving.url, trust_env=False) as client,
    ):
        assert feeds.publish(app, NOW).faults == ()
        yield client


def local(href: str) -> str:
    return href.removeprefix("http://127.0.0.1:8000")


def listed(site: httpx.Client) -> list[str]:
    outlines = etree.fromstring(site.get("/feeds/feeds.opml").content).iter("outline")
    return [local(outline.get("xmlUrl") or "") for outline in outlines]


def test_the_list_names_every_feed_and_each_can_be_read(site: httpx.Client) -> None:
    found = listed(site)
    assert {path.split("/")[2] for path in found} == {"briefs.atom", "quotes.atom", "topics", "authors", "series"}
    assert found[-1] == "/feeds/quotes.atom", "quotations come last"
    for path in found:
        answer = site.get(path)
        assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
        assert feedrules.faults(answer.content, f"http://127.0.0.1:8000{path}", now=NOW) == []


def test_the_page_of_feeds_gives_the_address_of_each_to_copy_without_a_script(site: httpx.Client) -> None:
    page = html.fromstring(site.get("/feeds/").text)
    fields = page.xpath("//input[@readonly and @aria-label]/@value")
    assert {local(value).removesuffix(".rss") for value in fields} == {path.removesuffix(".atom") for path in listed(site)}
    assert page.xpath("//a[@href='/feeds/feeds.opml']")
    assert not page.xpath("//script")


def test_a_topics_page_names_the_feed_of_that_topic(site: httpx.Client) -> None:
    path = next(path for path in listed(site) if "/topics/" in path)
    slug = path.split("/")[-1].removesuffix(".atom")
    heads = html.fromstring(site.get(f"/topics/{slug}").text).xpath("//link[@rel='alternate']/@href")
    assert {"/feeds/briefs.rss", f"/feeds/topics/{slug}.rss"} <= {local(href) for href in heads}
    front = html.fromstring(site.get("/").text).xpath("//link[@rel='alternate']/@href")
    assert not any("/topics/" in href for href in front)


def test_every_page_names_the_feed_of_all_briefs_first(site: httpx.Client) -> None:
    for path in ("/", "/briefs/", "/feeds/", "/quotes/", "/editions/"):
        heads = html.fromstring(site.get(path).text).xpath("//link[@rel='alternate']")
        assert (local(heads[0].get("href")), heads[0].get("type")) == ("/feeds/briefs.rss", "application/rss+xml")


def test_a_feed_with_a_hub_names_it_in_its_headers_and_an_archive_names_none(site: httpx.Client) -> None:
    topic = next(path for path in listed(site) if "/topics/" in path)
    for path in ("/feeds/briefs.rss", topic):
        assert site.head(path).headers["link"] == f'<{HUB}>; rel="hub", <http://127.0.0.1:8000{path}>; rel="self"'
    answer = site.get("/feeds/archive/briefs-0001.atom")
    assert answer.status_code == 200
    assert "link" not in answer.headers


def test_robots_are_shown_both_maps(site: httpx.Client) -> None:
    maps = re.findall(r"^Sitemap: (.+)$", site.get("/robots.txt").text, re.MULTILINE)
    assert [local(url) for url in maps] == ["/sitemap.xml", "/sitemap-news.xml"]
    inner = [local(url.text or "") for url in etree.fromstring(site.get("/sitemap.xml").content).iter("{*}loc")]
    for path in (*map(local, maps), *inner):
        answer = site.get(path)
        assert answer.headers["content-type"] == "application/xml; charset=utf-8"
        assert feedrules.sitemap_faults(answer.content) == []
    assert site.get("/sitemap/../feeds.opml").status_code == 404
    assert site.get("/sitemap-none.xml").status_code == 404


def test_every_address_in_the_maps_is_a_page(site: httpx.Client) -> None:
    for name in ("sitemap-pages.xml", "sitemap-0001.xml"):
        for url in etree.fromstring(site.get(f"/{name}").content).iter("{*}loc"):
            assert site.get(local(url.text or "") or "/").status_code == 200, url.text


@pytest.mark.parametrize("path", ["/feeds", "/briefs", "/quotes", "/editions"])
def test_an_address_without_its_slash_leads_to_our_own_host_whatever_host_was_asked(site: httpx.Client, path: str) -> None:
    answer = site.get(f"{path}?a=b", headers={"Host": "elsewhere.example"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (308, f"http://127.0.0.1:8000{path}/?a=b")
    assert site.get(f"{path}/more/", headers={"Host": "elsewhere.example"}, follow_redirects=False).status_code == 404
