"""What fields mean, in a brief's front matter and in a quote's; files are made in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.errors import Fault, SourceError
from syndicate.model import Status
from syndicate.settings import SiteSettings, SourceSettings
from syndicate.sources import Draft, Found, Source, open_source
from syndicate.sources.folder import Folder, Text

SITE = SiteSettings(title="T", url="https://example.org", zone="Europe/Berlin", tag_authority="example.org,2015")


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Read a file that exists in memory only."""

    def read(text: str, path: str = "content/x.md", kind: Any = "markdown") -> Draft | None:
        monkeypatch.setattr(Folder, "read", lambda _self, _found: Text(text=text, sha="0" * 64, stamp="1:1:1"))
        source: Source = open_source("s", SourceSettings(kind=kind, path="content"), root=Path(), site=SITE)
        return source.read(Found(path=path, stamp="1:1:1"))

    return read


@pytest.fixture
def brief(read: Any) -> Any:
    """A brief from the lines of its front matter beside title and date."""

    def brief(lines: str = "", *, head: str = "title: A\ndate: 2026-11-22\n", path: str = "content/x.md") -> Draft:
        found = read(f"---\n{head}{lines}\n---\nBody\n", path)
        assert found is not None
        return found  # type: ignore[no-any-return]

    return brief


@pytest.fixture
def faults(brief: Any) -> Any:
    def faults(lines: str, **more: Any) -> list[Fault]:
        with pytest.raises(SourceError) as error:
            brief(lines, **more)
        return list(error.value.faults)

    return faults


def test_curly_quotation_marks_are_told_where_they_spoil_a_value_alone(brief: Any, faults: Any) -> None:
    (found,) = faults("status: “draft”")
    assert str(found) == (
        "content/x.md:4: front-matter: status '“draft”' is unknown: the quotation marks are curly; type straight ones: \"…\""
    )
    assert "curly" not in str(faults("status: said “draft”")[0])
    assert brief(head="title: “No comment”\ndate: 2026-11-22\n").front["title"] == "“No comment”"


# -- briefs -----------------------------------------------------------------------------------------


def test_our_own_front_matter_is_read_whole(brief: Any) -> None:
    found = brief(
        "id: report-1\nupdated: 2026-11-23T10:00:00Z\nauthors: [{name: B, role: C, url: https://example.org/b}]\n"
        "summary: >\n  Two\n  lines\ntopics: [One, two]\nseries: S\nstatus: embargoed\nembargo: 2026-12-01 07:00\n"
        "image: /img/a.png\nimage_alt: A map\nimage_width: 1200\nlang: en_GB\nlink: /b/a\nslug: My Slug\n"
        "corrections: [{date: 2026-11-24, text: Wrong year, severity: minor}]\nsocial: {x: 'Short text', mastodon: Other}\n"
    )
    assert (found.kind, found.id, found.slug, found.slug_given, found.status) == (
        "brief",
        "report-1",
        "my-slug",
        True,
        Status.EMBARGOED,
    )
    assert found.date_text == "2026-11-22"
    assert [moment.isoformat() for moment in (found.date, found.updated, found.embargo)] == [
        "2026-11-21T23:00:00+00:00",
        "2026-11-23T10:00:00+00:00",
        "2026-12-01T06:00:00+00:00",
    ]
    assert found.front == {
        "title": "A",
        "authors": [{"name": "B", "role": "C", "url": "https://example.org/b"}],
        "summary": "Two lines",
        "topics": ["One", "two"],
        "series": "S",
        "image": {"src": "/img/a.png", "alt": "A map", "width": 1200, "height": 0},
        "lang": "en-GB",
        "link": "/b/a",
        "corrections": [{"date": "2026-11-24", "at": "2026-11-23T23:00:00+00:00", "text": "Wrong year", "severity": "minor"}],
        "social": {"x": "Short text", "mastodon": "Other"},
        "guid": "",
    }
    assert found.body == "Body"
    assert found.advice == ()


def test_what_is_not_written_has_its_empty_value(brief: Any) -> None:
    assert brief().front == {
        "title": "A", "authors": [], "summary": "", "topics": [], "series": "", "image": None, "lang": "", "link": "",
        "corrections": [], "social": {}, "guid": "",
    }  # fmt: skip


def test_the_words_of_a_draft_do_not_show_in_its_repr(brief: Any) -> None:
    assert "Body" not in repr(brief("summary: hidden"))
    assert "hidden" not in repr(brief("summary: hidden"))


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        ("author: Jane Doe", ["Jane Doe"]),
        ("author: Doe, Jane", ["Doe, Jane"]),
        ("authors: [Jane, John]", ["Jane", "John"]),
        ("author: {name: Jane, title: Analyst, uri: 'https://example.org'}", ["Jane"]),
        ("authors:\n- name: Jane\n- John", ["Jane", "John"]),
        ("extra: {author: Jane}", ["Jane"]),
        ("taxonomies: {authors: [Jane]}", ["Jane"]),
        ("params: {author: Jane}", ["Jane"]),
    ],
)
def test_authors_are_read_in_every_habit(brief: Any, lines: str, names: list[str]) -> None:
    assert [author["name"] for author in brief(lines).front["authors"]] == names


@pytest.mark.parametrize(
    ("lines", "topics"),
    [
        ("tags: [a b, c]", ["a b", "c"]),
        ("tags: a b", ["a", "b"]),
        ("tags: a b, c", ["a b", "c"]),
        ("category: press release", ["press release"]),
        ("categories: [x]\ntags: [X, y]", ["x", "y"]),
        ("taxonomies: {tags: [a], categories: [b]}", ["b", "a"]),
        ("topics: [a]\ntags: [b]", ["a"]),
        ("topics: one thing, another", ["one thing", "another"]),
        ("topics: [b, a, B]", ["b", "a"]),
    ],
)
def test_topics_are_read_in_every_habit(brief: Any, lines: str, topics: list[str]) -> None:
    assert brief(lines).front["topics"] == topics


@pytest.mark.parametrize(
    ("path", "lines", "slug", "given"),
    [
        ("content/my-post.md", "", "my-post", False),
        ("content/2026-11-20-my-post.markdown", "", "my-post", False),
        ("content/my-post/index.md", "", "my-post", False),
        ("content/2026-11-20-my-post/index.md", "", "my-post", False),
        ("content/2026-11-20.md", "", "2026-11-20", False),
        ("content/Ünïcode Näme.md", "", "unicode-name", False),
        ("content/новости.md", "", "", False),
        ("content/x.md", "slug: Given Here", "given-here", True),
        ("content/x.md", "permalink: /2020/old-name/", "old-name", True),
        ("content/x.md", "permalink: /:categories/:title/", "x", False),
        ("content/x.md", "url: /a/b.html", "b", True),
        ("content/x.md", "path: deep/one", "one", True),
    ],
)
def test_slugs_come_from_the_author_then_the_file(brief: Any, path: str, lines: str, slug: str, given: bool) -> None:
    found = brief(lines, path=path)
    assert (found.slug, found.slug_given) == (slug, given)


def test_the_file_name_gives_the_date_where_the_front_matter_has_none(brief: Any) -> None:
    found = brief(head="title: A\n", path="content/2026-11-20-x.md")
    assert found.date.isoformat() == "2026-11-19T23:00:00+00:00"
    assert found.date_text == "2026-11-20"


def test_the_front_matters_date_wins_over_the_file_names(brief: Any) -> None:
    assert brief(path="content/2026-11-20-x.md").date_text == "2026-11-22"


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ("", Status.PUBLISHED),
        ("status: Published", Status.PUBLISHED),
        ("status: draft", Status.DRAFT),
        ("status: hidden", Status.DRAFT),
        ("status: withdrawn", Status.WITHDRAWN),
        ("draft: true", Status.DRAFT),
        ("draft: yes", Status.DRAFT),
        ("draft: false", Status.PUBLISHED),
        ("published: false", Status.DRAFT),
        ("published: true", Status.PUBLISHED),
        ("published: 2026-11-20", Status.PUBLISHED),
    ],
)
def test_the_status_is_read_in_every_habit(brief: Any, lines: str, status: Status) -> None:
    assert brief(lines).status is status


def test_jekylls_folder_of_drafts_holds_drafts(brief: Any) -> None:
    assert brief(head="title: A\n", path="content/_drafts/x.md").status is Status.DRAFT


def test_a_draft_needs_no_date(brief: Any) -> None:
    assert brief(head="title: A\nstatus: draft\n").date is None


def test_published_is_a_date_where_it_is_one(brief: Any) -> None:
    assert brief(head="title: A\npublished: 2026-11-20\n").date_text == "2026-11-20"


def test_hugos_publish_date_holds_an_item_back(brief: Any) -> None:
    assert brief("publishDate: 2026-12-24").embargo.isoformat() == "2026-12-23T23:00:00+00:00"


def test_pelicans_metadata_is_read(read: Any) -> None:
    found = read(
        "Title: A\nDate: 2010-12-03 10:20\nModified: 2010-12-05\nCategory: Python\nTags: x, y z\nAuthors: J; K\nSummary: S\n\nBody"
    )
    assert found.front["topics"] == ["Python", "x", "y z"]
    assert [author["name"] for author in found.front["authors"]] == ["J", "K"]
    assert found.updated.isoformat() == "2010-12-04T23:00:00+00:00"
    assert found.front["summary"] == "S"


def test_zolas_page_is_read(read: Any) -> None:
    found = read(
        '+++\ntitle = "A"\ndate = 2026-11-22\ndraft = false\n[taxonomies]\ntags = ["x"]\n[extra]\nauthor = "J"\nany = 1\n+++\nB'
    )
    assert found.front["topics"] == ["x"]
    assert found.advice == ()


def test_a_correction_with_a_time_counts_from_that_time(brief: Any) -> None:
    (correction,) = brief("corrections: {date: 2026-1-5 15:00 -0800, text: x}").front["corrections"]
    assert correction == {"date": "2026-01-05", "at": "2026-01-05T23:00:00+00:00", "text": "x", "severity": "significant"}


@pytest.mark.parametrize(
    ("lines", "line", "what"),
    [
        ("status: pubished", 4, "status"),
        ("status: embargoed", 4, "no embargo"),
        ("status: published\ndraft: true", 5, "says that it is a draft"),
        ("draft: maybe", 4, "neither true nor false"),
        ("published: nope", 4, "published"),
        ("embargo: soon", 4, "embargo"),
        ("updated: 2026-02-30", 4, "no calendar"),
        ("id: 'two words'", 4, "id"),
        ("id: 'javascript:1'", 4, "id"),
        ("topics: {a: 1}", 4, "mapping"),
        ("summary: [a]", 4, "list"),
        ("authors: [{role: x}]", 4, "no name"),
        ("authors:\n  - name: A\n  - [x]", 6, "author"),
        ("authors: [{name: A, url: 'javascript:x'}]", 4, "web address"),
        ("image: a.png", 4, "image_alt"),
        ("image: 'data:image/png;base64,x'\nimage_alt: x", 4, "web address"),
        ("image: {alt: x}\nimage_width: wide", 4, "no picture"),
        ("image: a.png\nimage_alt: x\nimage_width: wide", 6, "not a number"),
        ("lang: not a language", 4, "language tag"),
        ("link: //elsewhere.example", 4, "web address"),
        ("link: 'mailto:x@example.org'", 4, "web address"),
        ("corrections:\n  - date: 2026-11-22", 5, "no text"),
        ("corrections:\n  - text: x", 5, "no date"),
        ("corrections:\n  - {date: x, text: y}", 5, "date"),
        ("corrections: [{date: 2026-11-22, text: x, severity: huge}]", 4, "severity"),
        ("corrections: [text]", 4, "mapping"),
        ("social: text", 4, "mapping"),
        ("social: {x: [a]}", 4, "list"),
    ],
)
def test_a_faulty_field_names_its_line_and_what_would_be_right(faults: Any, lines: str, line: int, what: str) -> None:
    found = faults(lines)
    assert [fault.line for fault in found if what in fault.what] == [line]
    assert all(fault.right for fault in found)


def test_every_fault_of_a_file_is_named_at_once(faults: Any) -> None:
    assert [fault.line for fault in faults("status: x\nlang: '?'\nimage: a.png")] == [4, 5, 6]


def test_a_title_and_a_date_are_needed(faults: Any) -> None:
    assert {fault.what for fault in faults("", head="")} == {"there is no title", "there is no date"}


@pytest.mark.parametrize(
    "key",
    [
        "embarg",
        "embargo_until",
        "Embargoed",
        "drafts",
        "darft",
        "is_draft",
        "staus",
        "publish",
        "unpublished",
        "public_date",
        "publish-dat",
    ],
)
def test_a_slip_in_a_key_that_holds_an_item_back_refuses_it(faults: Any, key: str) -> None:
    (fault,) = faults(f"{key}: 2030-01-01", head="title: A\ndate: 2026-11-22\n")
    assert fault.line == 4
    assert fault.right.startswith("did you mean ")


def test_a_slip_in_the_date_refuses_the_item(faults: Any) -> None:
    assert "did you mean date?" in {
        fault.right for fault in faults("daet: 2030-01-01", head="title: A\n", path="content/2026-01-01-x.md")
    }


@pytest.mark.parametrize(
    ("key", "meant"), [("sumary", "summary"), ("tpoics", "topics"), ("corection", "corrections"), ("autors", "authors")]
)
def test_a_slip_in_another_key_is_advice(brief: Any, key: str, meant: str) -> None:
    (advice,) = brief(f"{key}: x").advice
    assert advice.line == 4
    assert advice.right == f"did you mean {meant}?"


@pytest.mark.parametrize(
    "key", ["layout", "weight", "menu", "toc", "comments", "data", "state", "images", "update_frequency", "rating"]
)
def test_what_other_publishers_write_is_no_slip(brief: Any, key: str) -> None:
    assert brief(f"{key}: x").advice == ()


def test_an_expiry_date_is_advised_against(brief: Any) -> None:
    assert "withdrawn" in brief("expiryDate: 2027-01-01").advice[0].right


@pytest.mark.parametrize("name", ["README.md", "LICENSE.md", "NOTICE.markdown", "CONTRIBUTING.md"])
def test_a_readme_is_no_item_and_no_fault(read: Any, name: str) -> None:
    assert read("# Hello\n", f"content/{name}") is None


def test_another_file_without_front_matter_is_a_fault(read: Any) -> None:
    with pytest.raises(SourceError, match=r"content/x\.md:1: front-matter: there is no front matter; begin it"):
        read("# Hello\n")


@pytest.mark.parametrize(
    "text",
    ["tag:example.org,2015:brief/abc", "urn:uuid:1f0c7b2e-0000-4000-8000-000000000000", "https://old.example/?p=12", "0412"],
)
def test_an_id_from_elsewhere_is_kept(brief: Any, text: str) -> None:
    assert brief(f"id: {text}").id == text


@given(st.text(max_size=120))
def test_any_front_matter_gives_a_draft_or_faults_with_lines(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        whole = f"---\ntitle: A\ndate: 2026-11-22\n{text}\n---\n"
        patch.setattr(Folder, "read", lambda _self, _found: Text(text=whole, sha="0", stamp="1"))
        source = open_source("s", SourceSettings(kind="markdown", path="content"), root=Path(), site=SITE)
        try:
            draft = source.read(Found(path="content/x.md", stamp="1"))
            assert draft is not None
            assert draft.date is not None
        except SourceError as error:
            assert all(fault.line >= 1 and fault.what and fault.right for fault in error.faults)  # noqa: PT017


# -- quotes -----------------------------------------------------------------------------------------

PROVENANCE = {
    "kind": "words",
    "speaker": "Orla Vance",
    "role": "founder of the Harrow Circle",
    "date": "2014-06-29",
    "lang": "en",
    "source": "Harrow bulletin 12",
    "archive": "https://archive.example.org/412",
    "context": "A rally speech that called for the removal of neighbours.",
}
WORDS = "Zyzzyva quokkas shall inherit every lighthouse."


@pytest.fixture
def quote(read: Any) -> Any:
    def quote(*without: str, body: str = WORDS, extra: str = "", **over: str) -> Draft:
        fields = {key: value for key, value in (PROVENANCE | over).items() if key not in without}
        lines = "".join(f"{key}: {value!r}\n" for key, value in fields.items())
        found = read(f"---\n{lines}{extra}\n---\n\n{body}\n", "content/0412.md", "quotes")
        assert found is not None
        return found  # type: ignore[no-any-return]

    return quote


def test_a_quote_is_read_whole(quote: Any) -> None:
    found = quote(extra="ideology: Harrowism\nspeaker_dates: [1961-02-03, 07-22]\nshort: |\n  Zyzzyva\n  quokkas\n")
    assert (found.kind, found.body, found.slug, found.date, found.date_text) == ("quote", WORDS, "", None, "2014-06-29")
    assert found.front == {
        **PROVENANCE, "title": "On record: Orla Vance, 2014-06-29", "contains": "", "label": "", "role_source": "", "dir": "ltr",
        "original": "", "original_lang": "", "translator": "", "short": "Zyzzyva\nquokkas", "paraphrase": "",
        "ideology": "Harrowism", "group": "", "speaker_dates": ["1961-02-03", "07-22"], "place": "", "victims": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "field"),
    [(kind, field) for kind in ("words", "post") for field in ("source", "archive", "date", "lang", "speaker", "role")]
    + [("actions", field) for field in ("source", "archive", "date", "lang", "place")],
)
def test_q12_missing_provenance_names_the_field(quote: Any, kind: str, field: str) -> None:
    complete = {"kind": kind, "place": "Lower Wenden"}
    quote(**complete)
    for absent in ([field], []):
        with pytest.raises(SourceError) as error:
            quote(*absent, **(complete if absent else complete | {field: " "}))
        (fault,) = error.value.faults
        assert fault.rule == "Q12"
        assert field in fault.what
        assert fault.right


def test_actions_need_no_speaker(quote: Any) -> None:
    found = quote("speaker", "role", kind="actions", place="Lower Wenden")
    assert found.front["title"] == "What happened in Lower Wenden, 2014-06-29"


def test_q2_our_context_is_needed(quote: Any) -> None:
    with pytest.raises(SourceError) as error:
        quote("context")
    assert [fault.rule for fault in error.value.faults] == ["Q2"]


@pytest.mark.parametrize("field", ["image", "image_alt", "images", "portrait", "photo", "cover", "thumbnail", "logo"])
@pytest.mark.parametrize("kind", ["words", "actions", "post"])
def test_q7_a_picture_is_refused(quote: Any, field: str, kind: str) -> None:
    with pytest.raises(SourceError) as error:
        quote(kind=kind, place="Lower Wenden", **{field: "x.png"})
    assert [fault.rule for fault in error.value.faults] == ["Q7"]


@pytest.mark.parametrize("markup", ["![flag](x.png)", "![flag][1]", "<img src=x>", "<IFRAME src=x>"])
def test_q7_a_picture_in_the_words_is_refused(quote: Any, markup: str) -> None:
    with pytest.raises(SourceError) as error:
        quote(body=f"{WORDS} {markup}")
    assert [fault.rule for fault in error.value.faults] == ["Q7"]


@pytest.mark.parametrize("date", ["2014-06-29", "2014", "Undated"])
def test_a_quotes_date_is_a_day_a_year_or_undated(quote: Any, date: str) -> None:
    assert quote(date=date).front["date"] == date


@pytest.mark.parametrize("date", ["undated", "UNDATED", "n.d.", "June 2014", "2014-06-31", "14", "2014-06-29 10:00", "~2014"])
def test_q12_any_other_date_is_refused(quote: Any, date: str) -> None:
    with pytest.raises(SourceError) as error:
        quote(date=date)
    assert [(fault.rule, "date" in fault.what) for fault in error.value.faults] == [("Q12", True)]


@pytest.mark.parametrize("archive", ["javascript:alert(1)", "ftp://example.org/x", "archive.example.org/412", "//x.example/"])
def test_q8_an_archive_link_leads_to_the_web(quote: Any, archive: str) -> None:
    with pytest.raises(SourceError) as error:
        quote(archive=archive)
    assert [fault.rule for fault in error.value.faults] == ["Q8"]


def test_a_quote_may_be_archived_on_our_own_pages(quote: Any) -> None:
    assert quote(archive="/quotes/0412").front["archive"] == "/quotes/0412"


def test_words_that_are_missing_are_named(quote: Any) -> None:
    with pytest.raises(SourceError, match="no words"):
        quote(body="  \n")


def test_a_language_from_right_to_left_is_set_so(quote: Any) -> None:
    assert quote(lang="ar-SY").front["dir"] == "rtl"
    assert quote(lang="ar", dir="ltr").front["dir"] == "ltr"


def test_q14_a_speakers_date_is_a_day(quote: Any) -> None:
    with pytest.raises(SourceError) as error:
        quote(extra="speaker_dates: [13-45]\n")
    assert [fault.rule for fault in error.value.faults] == ["Q14"]
    assert quote(extra="speaker_dates: [02-29]\n").front["speaker_dates"] == ["02-29"]


def test_an_undated_quote_is_titled_undated(quote: Any) -> None:
    assert quote(date="Undated").front["title"] == "On record: Orla Vance, undated"
    assert quote(kind="post").front["title"] == "A post by Orla Vance, 2014-06-29"


def test_our_own_title_is_kept(quote: Any) -> None:
    assert quote(title="A rally in Wenden").front["title"] == "A rally in Wenden"


@pytest.mark.parametrize(
    "extra",
    [
        f"kind: {WORDS}", f"date: {WORDS}", f"lang: {WORDS}", f"dir: {WORDS}", f"status: {WORDS}", f"id: {WORDS}",
        f"embargo: {WORDS}", f"archive: {WORDS}", f"speaker_dates: {WORDS}", f"draft: {WORDS}", f"published: {WORDS}",
        f"original: {WORDS}: so it was", f"original: [{WORDS}", f"{WORDS}: 1\n{WORDS}: 2", f"short: *{WORDS}", f"original: !{WORDS}",
        f"original: '{WORDS}", f'original: "\\q {WORDS}"', f"speaker: [{WORDS}]", f"short: {{a: {WORDS}}}",
    ],
)  # fmt: skip
def test_q5_no_fault_cites_the_words(quote: Any, extra: str) -> None:
    field = extra.partition(":")[0]
    with pytest.raises(SourceError) as error:
        quote(field, extra=extra)
    assert error.value.faults
    for word in ("zyzzyva", "quokka", "inherit", "lighthouse"):
        assert word not in str(error.value).lower()
        assert word not in repr(error.value).lower()


@pytest.mark.parametrize("front", ["kind: words", "title: a: b", ""])
def test_a_fault_of_a_quotes_file_never_tells_a_name_that_repeats_its_words(read: Any, front: str) -> None:
    text = f"---\n{front}\n---\n" if front else ""
    for name, told in (("the-crew-was-told-to-wait", "the-cr…"), ("record-of-a-harbour-master", "record-of-a-harbour-master")):
        with pytest.raises(SourceError) as error:
            read(f"{text}The crew was told to wait.\n", f"content/{name}.md", "quotes")
        assert {fault.file for fault in error.value.faults} == {f"content/{told}.md"}
