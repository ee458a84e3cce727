"""Items as RSS, Atom, JSON Feed and OPML: valid whatever stands in them, the same bytes on every day."""

from __future__ import annotations

import json
import locale
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import feedparser
import pytest
from lxml import etree

import feedrules
import hostile
from syndicate.errors import RenderError
from syndicate.model import Author, Brief, Correction, Image, Status
from syndicate.render import feed as feeds
from syndicate.render.entry import shortened
from syndicate.render.markup import sanitise
from syndicate.render.opml import opml

ROOT = "https://publication.example"
ATOM, DC, CONTENT = feedrules.ATOM, feedrules.DC, feedrules.CONTENT


def entry(**over: Any) -> feeds.Entry:
    return feeds.brief_entry(hostile.brief(**over), public_url=ROOT)


def feed(entries: Iterable[feeds.Entry], **over: Any) -> feeds.Feed:
    facts: dict[str, Any] = {
        "name": "briefs",
        "title": "The Letter & <more>",
        "subtitle": "Briefs > news",
        "id": "tag:publication.example,2015:feed/briefs",
        "language": "en",
        "home_url": f"{ROOT}/",
        "urls": {form: f"{ROOT}/feeds/briefs.{form}" for form in ("rss", "atom", "json")},
        "organisation": "The Institute & Sons",
        "organisation_url": "https://institute.example/",
        "hub": "https://hub.example/",
        "entries": feeds.in_order(entries),
        "epoch": datetime(2015, 1, 1, tzinfo=UTC),
    }
    return feeds.Feed(**(facts | over))


def broken(document: Any, now: datetime = hostile.NOW) -> list[str]:
    found = []
    for path, data in document.files.items():
        url = f"{ROOT}/feeds/{path}"
        check = feedrules.json_faults if path.endswith(".json") else feedrules.faults
        found += [f"{path}: {fault}" for fault in check(data, url, now=now)]
    return found


def rss_item(*entries: feeds.Entry) -> Any:
    return etree.fromstring(feeds.rss(feed(entries))).find("channel/item")


def atom_root(*entries: feeds.Entry) -> Any:
    return etree.fromstring(feeds.atom(feed(entries)))


def json_items(*entries: feeds.Entry) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(feeds.render(feed(entries)).files["briefs.json"])["items"]
    return found


def test_hundreds_of_hostile_briefs_make_valid_feeds() -> None:
    entries = [feeds.brief_entry(brief, public_url=ROOT) for brief in hostile.briefs()]
    assert len(entries) >= 300
    for start in range(0, len(entries), 60):
        assert broken(feeds.render(feed(entries[start : start + 60]))) == []


def test_a_megabyte_of_text_stays_whole_in_a_valid_feed() -> None:
    body = ("A line of <b> & “text”. " * 4_000 + "\n\n") * 11
    document = feeds.render(feed([entry(number=1, body=body), entry(number=2)]))
    assert broken(document) == []
    assert document.files["briefs.rss"].count(b"A line of") >= 44_000


def test_text_beyond_all_measure_becomes_its_summary_and_a_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syndicate.render.entry.FULL_TEXT_LIMIT", 7_000)
    made = entry(body="word & " * 800, summary="Ours.")  # 5,600 characters, 8,800 bytes when escaped twice
    assert made.content == f'<p>Ours.</p><p><a href="{made.link}">{made.title}</a></p>'


def test_older_entries_stand_with_their_summary_where_one_document_cannot_hold_all() -> None:
    big = sanitise("<p>" + "x" * 1_400_000 + "</p>")
    entries = feeds.in_order(replace(entry(number=number, summary="Ours."), content=big) for number in range(5))
    fitting = feeds.fitting(entries)
    assert [one.title for one in fitting] == ["Brief 0", "Brief 1", "Brief 2", "Brief 3", "Brief 4"]
    assert [one.content == big for one in fitting] == [True, True, True, False, False]
    assert fitting[4].content == f'<p>Ours.</p><p><a href="{fitting[4].link}">Brief 4</a></p>'
    document = feeds.render(feed(entries))
    assert all(len(data) < 5_000_000 for data in document.files.values())
    assert broken(document) == []


def test_the_oldest_entries_are_left_out_where_not_even_summaries_fit() -> None:
    entries = feeds.in_order(entry(number=number, body="x") for number in range(1_200))
    fitting = feeds.fitting(entries)
    assert 1_000 < len(fitting) < 1_200
    assert fitting == entries[: len(fitting)]


def test_a_quotation_in_its_frame_is_never_shortened() -> None:
    framed = replace(entry(), framed=True)
    assert shortened(framed) is framed


# -- history (RFC 5005) ---------------------------------------------------------------------------


def history(data: bytes) -> tuple[set[str], dict[str, str]]:
    """The marks and links of a document's history."""
    root = etree.fromstring(data)
    parent = root[0] if root.tag == "rss" else root
    marks = {etree.QName(child).localname for child in parent if str(child.tag).startswith(feedrules.HISTORY)}
    return marks, {
        link.get("rel"): link.get("href") for link in parent.findall(f"{ATOM}link") if link.get("rel") in feedrules.PAGING
    }


@pytest.mark.parametrize("form", ["rss", "atom"])
def test_a_feed_in_one_document_is_complete_and_has_no_archives(form: str) -> None:
    assert history(feeds.render(feed([entry()])).files[f"briefs.{form}"]) == ({"complete"}, {})


@pytest.mark.parametrize("form", ["rss", "atom"])
@pytest.mark.parametrize(
    ("page", "links"),
    [
        (0, {"prev-archive": 3}),
        (1, {"current": 0, "next-archive": 2}),
        (2, {"current": 0, "prev-archive": 1, "next-archive": 3}),
        (3, {"current": 0, "prev-archive": 2}),
    ],
)
def test_each_document_leads_to_its_neighbours(form: str, page: int, links: dict[str, int]) -> None:
    document = feeds.render(feed([entry()], page=page, pages=3))
    assert broken(document) == []
    address = lambda number: f"{ROOT}/feeds/" + (f"archive/briefs-{number:04}.{form}" if number else f"briefs.{form}")  # noqa: E731
    expected = {rel: address(number) for rel, number in links.items()}
    assert history(document.files[feed([], page=page).path(form)]) == ({"archive"} if page else set(), expected)


def test_json_leads_from_the_newest_documents_to_the_oldest() -> None:
    made = [json.loads(feeds.render(feed([entry()], page=page, pages=2)).files[path]) for page, path in enumerate(
        ["briefs.json", "archive/briefs-0001.json", "archive/briefs-0002.json"]
    )]  # fmt: skip
    assert [one.get("next_url") for one in made] == [
        f"{ROOT}/feeds/archive/briefs-0002.json",
        None,
        f"{ROOT}/feeds/archive/briefs-0001.json",
    ]
    assert {one["feed_url"] for one in made} == {f"{ROOT}/feeds/briefs.json"}


def test_an_archive_names_no_hub_for_nothing_will_come_there() -> None:
    assert not any(b"hub.example" in data for data in feeds.render(feed([entry()], page=1, pages=2)).files.values())


@pytest.mark.parametrize("title", ["   ", "\x00\x01", "\u202e", "</b>", "\ud800"])
def test_a_brief_with_an_empty_title_is_refused_with_its_file(title: str) -> None:
    with pytest.raises(RenderError, match=r"content/briefs/0\.md: feed: the title is empty"):
        entry(title=title)


@pytest.mark.parametrize("link", ["javascript:alert(1)", "/briefs/x", "mailto:a@b.example", "https://", "", "ftp://x.example/"])
def test_a_brief_whose_link_leads_nowhere_is_refused(link: str) -> None:
    with pytest.raises(RenderError, match="the link is no web address"):
        entry(link=link)


@pytest.mark.parametrize(
    "name", ["brief-1", "tag:Publication.example,2015:brief/x", "tag:publication.example,2015:brief/ü", "tag:x"]
)
def test_a_brief_whose_id_is_no_uri_is_refused(name: str) -> None:
    with pytest.raises(RenderError, match="the id is no URI"):
        entry(id=name)


def test_the_same_id_stands_in_every_format() -> None:
    one = entry()
    assert rss_item(one).find("guid").attrib == {"isPermaLink": "false"}
    assert (
        rss_item(one).findtext("guid") == atom_root(one).findtext(f"{ATOM}entry/{ATOM}id") == json_items(one)[0]["id"] == one.id
    )


def test_a_feed_has_the_same_bytes_on_every_day_and_in_every_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_args: object) -> str:
        pytest.fail("the locale of the whole process must stay as it is")

    first = feeds.render(feed([entry(number=1), entry(number=2)])).files
    monkeypatch.setattr(locale, "setlocale", refused)
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    assert feeds.render(feed([entry(number=2), entry(number=1)])).files == first


def test_what_is_known_of_entries_changes_no_byte() -> None:
    known: feeds.Fragments = {}
    briefs = hostile.briefs()
    entries = [feeds.brief_entry(brief, public_url=ROOT) for brief in briefs]
    withdrawn = [entry(number=number, status=Status.WITHDRAWN) for number in (900, 901)]
    several = [*withdrawn, *entries[40:60]]
    for chosen in ([], entries[:1], several, entries[:20], [entry(number=3, body="Changed"), *entries[10:30]], several, []):
        assert feeds.render(feed(chosen), known).files == feeds.render(feed(chosen)).files
    made = len(known)
    archive = feed(several, title="Another feed", page=1, pages=2)
    assert feeds.render(archive, known).files == feeds.render(archive).files
    assert len(known) == made


def test_only_what_is_not_known_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    known: feeds.Fragments = {}
    feeds.render(feed([entry(number=1), entry(number=2)]), known)
    added: list[str] = []
    real = feeds._add
    monkeypatch.setattr(feeds, "_add", lambda out, entry: (added.append(entry.id), real(out, entry))[1])
    new = entry(number=2, body="Changed")
    feeds.render(feed([entry(number=1), new]), known)
    assert added == [new.id, new.id]


def test_a_feed_is_as_old_as_its_newest_entry_and_an_empty_one_as_its_epoch() -> None:
    assert feed([entry(number=1), entry(number=2)]).updated == hostile.NOW - timedelta(days=2)
    empty = feeds.render(feed([]))
    assert empty.updated == datetime(2015, 1, 1, tzinfo=UTC)
    assert broken(empty) == []


def test_entries_stand_newest_first_and_ties_by_id() -> None:
    same = datetime(2026, 11, 1, tzinfo=UTC)
    entries = feeds.in_order(
        [entry(number=3, published=same), entry(number=1), entry(number=2, published=same), entry(number=0)]
    )
    assert [one.title for one in entries] == ["Brief 0", "Brief 1", "Brief 2", "Brief 3"]
    assert [one["title"] for one in json_items(*entries)] == ["Brief 0", "Brief 1", "Brief 2", "Brief 3"]


def test_no_entry_changes_its_time_when_an_older_one_leaves_the_window() -> None:
    same = datetime(2026, 11, 1, tzinfo=UTC)
    entries = feeds.in_order(entry(number=number, published=same) for number in range(5))
    assert feeds.in_order(one for one in entries[:3]) == entries[:3]
    assert feeds.in_order(entry(number=number, published=same) for number in range(3)) == entries[:3]


def test_the_time_of_a_withdrawal_is_never_moved() -> None:
    same = datetime(2026, 11, 1, tzinfo=UTC)
    entries = feeds.in_order(entry(number=number, published=same, status=Status.WITHDRAWN) for number in range(3))
    assert {one.updated for one in entries} == {same}


def test_entries_of_one_instant_are_told_apart_by_seconds() -> None:
    same = datetime(2026, 11, 1, tzinfo=UTC)
    entries = feeds.in_order(entry(number=number, published=same) for number in range(4))
    assert sorted(one.updated for one in entries) == [same + timedelta(seconds=second) for second in range(4)]
    assert {one.published for one in entries} == {same}


def test_times_are_whole_seconds_in_utc() -> None:
    when = datetime.fromisoformat("2026-11-20T09:00:00.999999+02:00")
    one = entry(published=when)
    assert rss_item(one).findtext("pubDate") == "Fri, 20 Nov 2026 07:00:00 GMT"
    assert atom_root(one).findtext(f"{ATOM}entry/{ATOM}published") == "2026-11-20T07:00:00Z"
    assert json_items(one)[0]["date_published"] == "2026-11-20T07:00:00Z"


def test_a_brief_older_than_feeds_keeps_its_date_in_json_and_goes_without_in_xml() -> None:
    one = entry(published=datetime(1965, 3, 1, tzinfo=UTC))
    assert rss_item(one).find("pubDate") is None
    assert atom_root(one).find(f"{ATOM}entry/{ATOM}published") is None
    assert atom_root(one).findtext(f"{ATOM}entry/{ATOM}updated") == "1990-01-01T00:00:00Z"
    assert json_items(one)[0]["date_published"] == "1965-03-01T00:00:00Z"


def test_every_author_is_named_once_in_each_format() -> None:
    people = (
        Author(name="Maren Dallivar", role="Head of Data", url="https://publication.example/m"),
        Author(name="Tobin Rask"),
    )
    one = entry(authors=people)
    assert [creator.text for creator in rss_item(one).findall(f"{DC}creator")] == ["Maren Dallivar", "Tobin Rask"]
    assert rss_item(one).find("author") is None
    assert [name.text for name in atom_root(one).iterfind(f"{ATOM}entry/{ATOM}author/{ATOM}name")] == [
        "Maren Dallivar",
        "Tobin Rask",
    ]
    assert json_items(one)[0]["authors"] == [
        {"name": "Maren Dallivar", "url": "https://publication.example/m"},
        {"name": "Tobin Rask"},
    ]
    assert one.content.startswith("<p>Maren Dallivar, Head of Data; Tobin Rask</p>")


def test_titles_are_read_back_as_written() -> None:
    title = "Fish & chips <5> “quoted” &amp; ]]>"
    parsed = feedparser.parse(feeds.rss(feed([entry(title=title)])))
    assert b"Fish &#x26; chips &#x3C;5&#x3E;" in feeds.rss(feed([entry(title=title)]))
    assert rss_item(entry(title=title)).findtext("title") == title
    assert parsed.entries[0].title == title
    assert atom_root(entry(title=title)).findtext(f"{ATOM}entry/{ATOM}title") == title


def test_a_summary_stands_before_the_full_text_and_is_html_in_rss() -> None:
    item = rss_item(entry(summary="5 < 6 & more", body="Whole *text*."))
    assert [child.tag for child in item if child.tag in {"description", f"{CONTENT}encoded"}] == [
        "description",
        f"{CONTENT}encoded",
    ]
    assert item.findtext("description") == "5 &lt; 6 &amp; more"
    assert item.findtext(f"{CONTENT}encoded") == "<p>Whole <em>text</em>.</p>\n"


def test_atom_entries_keep_their_links_whole() -> None:
    link = atom_root(entry()).find(f"{ATOM}entry/{ATOM}link")
    assert dict(link.attrib) == {"rel": "alternate", "type": "text/html", "href": f"{ROOT}/briefs/brief-0"}


def test_every_format_names_itself_its_page_its_hub_and_its_style() -> None:
    whole = feed([entry()])
    for form, data in (("rss", feeds.rss(whole)), ("atom", feeds.atom(whole))):
        links = {link.get("rel"): link.get("href") for link in etree.fromstring(data).iter(f"{ATOM}link")}
        assert links["self"] == f"{ROOT}/feeds/briefs.{form}"
        assert links["hub"] == "https://hub.example/"
        assert b'<?xml-stylesheet type="text/css" href="/feeds/feed.css"?>' in data
    assert etree.fromstring(feeds.rss(whole)).findtext("channel/link") == f"{ROOT}/"
    assert json.loads(feeds.render(whole).files["briefs.json"])["hubs"] == [{"type": "WebSub", "url": "https://hub.example/"}]


def test_the_generator_has_no_version_that_would_change_every_feed() -> None:
    assert b"<generator>syndicate</generator>" in feeds.rss(feed([]))
    assert b"<generator>syndicate</generator>" in feeds.atom(feed([]))


def test_a_correction_is_told_at_the_top_and_moves_updated_in_every_format() -> None:
    when = hostile.NOW - timedelta(hours=3)
    one = entry(updated=when, corrections=(Correction(date=date(2026, 11, 22), text="We wrote <five>; it was six."),))
    assert one.content.startswith("<p><strong>Correction, 22 November 2026:</strong> We wrote &lt;five&gt;; it was six.</p>")
    assert rss_item(one).findtext(f"{ATOM}updated") == "2026-11-22T09:00:00Z"
    assert rss_item(one).findtext("pubDate") == "Sat, 21 Nov 2026 12:00:00 GMT"
    assert atom_root(one).findtext(f"{ATOM}entry/{ATOM}updated") == "2026-11-22T09:00:00Z"
    assert json_items(one)[0]["date_modified"] == "2026-11-22T09:00:00Z"
    assert rss_item(entry()).find(f"{ATOM}updated") is None


def test_an_update_before_publication_changes_nothing() -> None:
    assert entry(updated=datetime(2020, 1, 1, tzinfo=UTC)).updated == hostile.NOW - timedelta(days=1)


def test_a_withdrawn_brief_is_a_notice_under_its_id_and_a_tombstone_in_atom() -> None:
    gone = entry(
        number=1, status=Status.WITHDRAWN, body="SECRET", summary="SECRET", image=Image(src="/SECRET.png", alt="SECRET")
    )
    document = feeds.render(feed([gone, entry(number=2)]))
    assert broken(document) == []
    assert not any(b"SECRET" in data for data in document.files.values())
    assert rss_item(gone).findtext("guid") == gone.id
    assert rss_item(gone).findtext("title") == "Withdrawn: Brief 1"
    assert "Please do not cite it" in json_items(gone)[0]["content_html"]
    root = atom_root(gone)
    assert root.find(f"{ATOM}entry") is None
    assert dict(root.find(f"{feedrules.TOMBSTONE}deleted-entry").attrib) == {"ref": gone.id, "when": "2026-11-20T12:00:00Z"}
    assert b"tombstones" not in feeds.atom(feed([entry()]))


def test_a_picture_stands_in_the_text_and_as_thumbnail() -> None:
    one = entry(image=Image(src="/img/a b.png", alt='Lines "cross"', width=640, height=320))
    src = f"{ROOT}/img/a%20b.png"
    assert f'<img src="{src}" alt="Lines &quot;cross&quot;" width="640" height="320">' in one.content
    assert dict(rss_item(one).find(f"{feedrules.MEDIA}thumbnail").attrib) == {"url": src, "width": "640", "height": "320"}
    assert atom_root(one).find(f"{ATOM}entry/{feedrules.MEDIA}thumbnail") is not None
    assert json_items(one)[0]["image"] == src
    assert entry(image=Image(src="/x.png", alt=""), body=f"![x]({ROOT}/x.png)").content.count("<img") == 1


def test_a_text_in_another_language_names_it_and_its_direction() -> None:
    one = entry(lang="ar", body="نص")
    assert one.content == '<div lang="ar" dir="rtl"><p>نص</p>\n</div>'
    assert atom_root(one).find(f"{ATOM}entry").get(feedrules.LANG) == "ar"
    assert json_items(one)[0]["language"] == "ar"


def test_an_empty_brief_still_leads_to_its_page() -> None:
    assert entry(body="").content == f'<p><a href="{ROOT}/briefs/brief-0">Brief 0</a></p>'


def test_only_the_formats_that_are_wanted_are_made() -> None:
    assert list(feeds.render(feed([entry()], urls={"json": f"{ROOT}/feeds/briefs.json"})).files) == ["briefs.json"]


def test_one_entry_alone_can_be_previewed() -> None:
    whole = feed([entry(number=1), entry(number=2)])
    assert feeds.single(entry(number=2), whole, "atom").count(b"<entry>") == 1


def test_feedparser_reads_back_what_was_written() -> None:
    brief: Brief = hostile.brief(
        title="A & B", body="Whole *text*.", summary="Short.", topics=("Leaving",), authors=(Author(name="Maren Dallivar"),)
    )
    made = feeds.brief_entry(brief, public_url=ROOT)
    for data in (feeds.rss(feed([made])), feeds.atom(feed([made]))):
        parsed = feedparser.parse(data)
        assert not parsed.bozo
        found = parsed.entries[0]
        assert (found.id, found.link, found.title, found.summary) == (brief.id, brief.link, "A & B", "Short.")
        assert found.published_parsed[:6] == (2026, 11, 21, 12, 0, 0)
        assert [author.name for author in found.authors] == ["Maren Dallivar"]
        assert [tag.term for tag in found.tags] == ["Leaving"]
        assert found.content[0].value == "<p>Maren Dallivar</p><p>Whole <em>text</em>.</p>"


def test_the_list_of_feeds_is_valid_opml() -> None:
    listed = [feed([]), feed([], name="data", urls={"json": f"{ROOT}/feeds/data.json"})]
    data = opml(listed, title="Feeds & more", owner="The Institute", modified=datetime(2015, 1, 1, tzinfo=UTC))
    assert feedrules.opml_faults(data) == []
    outlines = [dict(outline.attrib) for outline in etree.fromstring(data).iter("outline")]
    assert [outline["xmlUrl"] for outline in outlines] == [f"{ROOT}/feeds/briefs.atom"]
    assert outlines[0]["type"] == "rss"


BROKEN = b"""<?xml version='1.0' encoding='UTF-8'?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>a &amp; b</title><link>/x</link>
<description>d</description><item><title>t</title><author>x</author><guid>tag:X</guid><link>http://m\xc3\xbc.example/</link>
<content:encoded>&lt;p onclick="x"&gt;&lt;img src="/x"&gt;&lt;script&gt;</content:encoded><description>s</description>
<pubDate>2030-01-01</pubDate></item></channel></rss>"""


def test_our_own_check_of_the_rules_finds_what_is_broken() -> None:
    found = " ".join(feedrules.faults(BROKEN, f"{ROOT}/feeds/briefs.rss", now=hostile.NOW))
    for event in (
        *(
            "CharacterData",
            "Missing language",
            "MissingSelf",
            "UriNotIri",
            "NeedDescriptionBeforeContent",
            "DuplicateItemSemantics",
        ),
        *(
            "InvalidPermalink",
            "InvalidTAG",
            "InvalidRFC2822Date",
            "SecurityRiskAttr onclick",
            "ContainsRelRef",
            "SecurityRisk <script>",
        ),
    ):
        assert event in found
