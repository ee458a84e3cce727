"""Crawlers find every page with a brief of ours, news search those of two days, and nobody a quotation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lxml import etree

import feedrules
from publication import SETTINGS, Publication
from syndicate.publish import feeds
from syndicate.store import listing

BASE = "http://127.0.0.1:8000"
NOON = "2026-11-22 12:00"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
NEWS = "{http://www.google.com/schemas/sitemap-news/0.9}"


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    made = Publication(root=tmp_path / "publication")
    made.brief("one", "2026-11-20 08:00:00Z", topics="[Ports & Quays]", series="Harbours")
    made.brief("two", "2026-11-21 08:00:00Z", title="'Fish & <b>chips</b>'", corrections="[{date: 2026-11-22, text: Six.}]")
    return made


def publish(made: Publication, at: str = NOON, memory: dict[str, str] | None = None) -> tuple[str, ...]:
    with made.opened(at) as app:
        app.content.sync(app.sources, app.now())
        return tuple(path for path in feeds.publish(app, app.now(), memory).changed if path.startswith("sitemap"))


def tree(made: Publication, name: str) -> Any:
    data = (made.root / "feeds" / name).read_bytes()
    assert feedrules.sitemap_faults(data) == []
    return etree.fromstring(data)


def locations(made: Publication, name: str) -> list[str]:
    return [one.text.removeprefix(BASE) for one in tree(made, name).iter(f"{MAP}loc")]


def test_the_index_leads_to_every_page_with_a_brief(publication: Publication) -> None:
    publish(publication)
    assert locations(publication, "sitemap.xml") == ["/sitemap-pages.xml", "/sitemap-0001.xml"]
    assert locations(publication, "sitemap-0001.xml") == ["/briefs/one", "/briefs/two"]
    assert locations(publication, "sitemap-pages.xml") == [
        "/",
        "/briefs/",
        "/feeds/",
        "/topics/ports-quays",
        "/series/harbours",
    ]
    changed = [one.text for one in tree(publication, "sitemap-0001.xml").iter(f"{MAP}lastmod")]
    assert changed == ["2026-11-20T08:00:00Z", "2026-11-21T23:00:00Z"]


def test_news_holds_two_days_and_forgets(publication: Publication) -> None:
    publish(publication)
    (page,) = tree(publication, "sitemap-news.xml").iter(f"{MAP}url")
    assert page.findtext(f"{MAP}loc") == f"{BASE}/briefs/two"
    about = page.find(f"{NEWS}news")
    assert about.findtext(f"{NEWS}publication/{NEWS}name") == "The Test Letter"
    assert about.findtext(f"{NEWS}publication/{NEWS}language") == "en"
    assert about.findtext(f"{NEWS}publication_date") == "2026-11-21T08:00:00Z"
    assert about.findtext(f"{NEWS}title") == "Fish & chips"
    publish(publication, "2026-11-23 08:00:01")
    assert locations(publication, "sitemap-news.xml") == []


def test_nothing_that_is_not_out_or_was_taken_back_stands_in_a_map(publication: Publication) -> None:
    publication.quote("q1", "Bring us every letter that comes from outside.")
    publication.brief("draft", "2026-11-21 08:00:00Z", status="draft")
    publication.brief("later", "2026-11-24 08:00:00Z")
    publication.brief("elsewhere", "2026-11-21 08:00:00Z", link="https://elsewhere.example/x")
    publish(publication)
    publication.brief("one", "2026-11-20 08:00:00Z", status="withdrawn")
    publish(publication)
    assert locations(publication, "sitemap-0001.xml") == ["/briefs/two"]
    assert locations(publication, "sitemap-news.xml") == ["/briefs/two"]
    publish(publication, "2026-11-24 08:00")
    assert locations(publication, "sitemap-0001.xml") == ["/briefs/later", "/briefs/two"]


def test_only_the_map_in_which_something_changed_is_made_again(
    publication: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "STRETCH", 2)
    memory: dict[str, str] = {}
    for number in range(3):
        publication.brief(f"b{number}", f"2026-11-1{number} 08:00:00Z")
    publish(publication, memory=memory)
    assert len(locations(publication, "sitemap.xml")) == 4
    publication.brief("b0", "2026-11-10 08:00:00Z", updated="2026-11-22 11:00:00Z")
    assert publish(publication, "2026-11-22 12:00:59", memory) == (), "crawlers need no second"
    changed = publish(publication, "2026-11-22 12:01", memory)
    assert len(changed) == 1
    assert changed[0] in {"sitemap-0001.xml", "sitemap-0002.xml", "sitemap-0003.xml"}
    assert publish(publication, "2026-11-22 12:02", memory) == ()


def test_a_late_embargo_reaches_its_map(publication: Publication) -> None:
    memory: dict[str, str] = {}
    publication.brief("held", "2026-11-20 08:00:00Z", status="embargoed", embargo="2026-11-22 12:30:00Z")
    publish(publication, memory=memory)
    assert "/briefs/held" not in locations(publication, "sitemap-0001.xml")
    publish(publication, "2026-11-22 12:31", memory)
    assert "/briefs/held" in locations(publication, "sitemap-0001.xml")


def test_another_address_of_the_site_reaches_every_map(publication: Publication) -> None:
    memory: dict[str, str] = {}
    publish(publication, memory=memory)
    path = publication.root / "config" / "syndicate.toml"
    path.write_text(SETTINGS + '\n[web]\npublic_url = "https://letter.example"\n', encoding="utf-8")
    memory.clear()
    publish(publication, memory=memory)
    found = [one.text for one in tree(publication, "sitemap-0001.xml").iter(f"{MAP}loc")]
    assert found == ["https://letter.example/briefs/one", "https://letter.example/briefs/two"]
