"""One item becomes one post: what gives way, what never does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import quotations
from syndicate import links
from syndicate.errors import RenderError
from syndicate.model import Author, Brief, Limits, Post
from syndicate.render import counting, excerpt, framing, post, tags
from syndicate.render.post import brief_post, quote_post
from syndicate.render.templates import Templates
from syndicate.settings import SiteSettings
from syndicate.testing.samples import MOMENT, make_brief

X = Limits(counting="x", text=280, url=23)
MASTODON = Limits(counting="mastodon", text=500, url=23, warning=True)
BLUESKY = Limits(counting="bluesky", text=300, text_bytes=3000, cards=True)
NETWORKS = {"x": X, "mastodon": MASTODON, "bluesky": BLUESKY}
SITE = SiteSettings(title="Sample", url="https://example.org", tag_authority="example.org,2015", language="en-GB")
TEMPLATES = Templates(
    {
        "posts/brief.txt.j2": "{{ title }}\n{% if authors %}\n{{ authors }}\n{% endif %}\n\n{{ summary }}\n\n{{ link }}\n",
        "posts/brief.x.txt.j2": "{{ title }}\n\n{{ summary }}\n\n{{ link }}",
    }
)
LONG = " ".join(f"Sentence number {number} tells of one more meeting in the club house." for number in range(1, 40))


def made(
    brief: Brief, network: str = "x", *, channel: str = "", limits: Limits | None = None, revision: int = 0, **more: Any
) -> Post:
    return brief_post(
        brief,
        channel=channel or network,
        network=network,
        limits=limits or NETWORKS[network],
        templates=more.get("templates", TEMPLATES),
        site=SITE,
        created=MOMENT,
        revision=revision,
        hashtags=more.get("hashtags", ()),
    )


def test_a_short_brief_stands_whole() -> None:
    post = made(make_brief(), "mastodon")
    assert post.text.split("\n\n") == [
        "The harbour papers\nInes Okafor and Tomas Brandt",
        "Four years of minutes show how a sailing club became a recruiting ground. We read all of them.",
        "https://example.org/briefs/the-harbour-papers/?s=mastodon",
    ]
    assert (post.cut, post.lang, post.warning, post.labels, post.rung) == ("", "en", "", (), "")
    assert post.count == counting.count(post.text, MASTODON)


def test_a_network_has_its_own_template_where_there_is_one() -> None:
    assert "Okafor" not in made(make_brief(), "x").text


def test_the_link_is_unique_for_each_channel_and_revision() -> None:
    found = {
        made(make_brief(), "x", channel=channel, revision=revision).link for channel in ("x", "x_en") for revision in (0, 1)
    }
    assert len(found) == 4
    assert made(make_brief(), "x", revision=1).link == links.marked(make_brief().link, "x", 1)


def test_a_language_of_its_own_wins_over_the_site() -> None:
    assert made(make_brief(lang="de")).lang == "de"
    assert made(make_brief(lang="")).lang == "en-GB"


@pytest.mark.parametrize("network", NETWORKS)
def test_a_long_summary_gives_way_at_a_sentence(network: str) -> None:
    post = made(make_brief(summary=LONG), network)
    assert counting.fits(post.text, NETWORKS[network])
    assert "club house.\n\n" in post.text
    assert "The harbour papers" in post.text
    assert "characters kept" in post.cut
    # One more sentence would not have fitted.
    more = excerpt.shorten([LONG], len(post.text.split("\n\n")[1]) + 80)
    assert not counting.fits(post.text.replace(post.text.split("\n\n")[1], more), NETWORKS[network])


def test_a_summary_of_one_long_sentence_gives_way_at_a_word() -> None:
    post = made(make_brief(summary="and so it went on " * 40))
    assert post.text.split("\n\n")[1].endswith("…")
    assert counting.fits(post.text, X)


def test_authors_give_way_before_the_summary_is_gone() -> None:
    many = tuple(Author(name=f"Analyst Number {number}") for number in range(14))
    post = made(make_brief(authors=many, summary=LONG), "bluesky")
    assert "Analyst" not in post.text
    assert "Sentence number 1" in post.text
    assert "the authors" in post.cut


def test_a_title_that_is_too_long_is_cut_at_a_word() -> None:
    post = made(make_brief(title="A word and another one " * 30))
    assert counting.fits(post.text, X)
    assert post.text.split("\n\n")[0].endswith("…")
    assert post.text.endswith(post.link)
    assert "title" in post.cut


def test_a_title_without_spaces_is_cut_between_characters() -> None:
    post = made(make_brief(title="港" * 400, summary=""))
    assert counting.fits(post.text, X)
    assert post.count > 270


def test_a_title_is_not_cut_inside_a_quotation() -> None:
    post = made(make_brief(title="What they meant by “" + "the long and winding road " * 20 + "”", summary=""))
    assert post.text.split("\n\n")[0] == "What they meant by…"


def test_what_cannot_fit_is_a_fault_that_names_the_file() -> None:
    with pytest.raises(RenderError, match=r"the-harbour-papers\.md.*not even the shortest text"):
        made(make_brief(link="http://127.0.0.1:8000/briefs/" + "x" * 300))


def test_the_editors_own_text_wins_and_gets_the_link_it_lacks() -> None:
    brief = make_brief(social={"x": "Read how it began."})
    assert made(brief).text == "Read how it began.\n\nhttps://example.org/briefs/the-harbour-papers/?s=x"
    assert "Four years" in made(brief, "mastodon").text


def test_a_channels_own_text_wins_over_its_networks() -> None:
    brief = make_brief(social={"x": "For X.", "x_de": "Für X."})
    assert made(brief, channel="x_de").text.startswith("Für X.")


def test_a_link_in_the_editors_text_becomes_the_unique_one() -> None:
    brief = make_brief(
        link="https://example.org/a", social={"x": "See https://example.org/a and https://example.org/a-b first."}
    )
    assert made(brief).text == "See https://example.org/a?s=x and https://example.org/a-b first."


def test_the_editors_text_is_fitted_too_and_keeps_its_link() -> None:
    brief = make_brief(social={"x": f"https://example.org/briefs/the-harbour-papers/ {LONG}"})
    post = made(brief)
    assert counting.fits(post.text, X)
    assert post.text.endswith(f"\n\n{post.link}")
    assert post.text.startswith("Sentence number 1")
    assert "your text" in post.cut


def test_a_bluesky_post_shows_a_short_link_that_leads_to_the_unique_one() -> None:
    post = made(make_brief(), "bluesky")
    (facet,) = post.facets
    shown = post.text.encode()[facet.start : facet.end].decode()
    assert shown == "example.org/briefs/the-harbour-papers"
    assert facet.uri == post.link == "https://example.org/briefs/the-harbour-papers/?s=bluesky"
    assert post.card is not None
    assert (post.card.uri, post.card.title) == (post.link, "The harbour papers")
    assert post.card.description.startswith("Four years")


def test_a_bluesky_post_links_other_addresses_in_the_editors_text() -> None:
    brief = make_brief(social={"bluesky": "Grüße: https://example.net/x und mehr."})
    post = made(brief, "bluesky")
    assert [facet.uri for facet in post.facets] == ["https://example.net/x", post.link]
    assert counting.facet_fault(post.text, post.facets) == ""


def test_characters_that_a_network_refuses_are_left_out() -> None:
    post = made(make_brief(title="A\ufefftitle\ufffe with\x07 marks"))
    assert post.text.startswith("Atitle with marks")


def test_the_same_brief_gives_the_same_post() -> None:
    assert made(make_brief(summary=LONG)) == made(make_brief(summary=LONG))


PIECES = st.lists(
    st.sampled_from(
        [
            "The chair said “we will not have them here” in May.",
            "Read https://example.org/a/long/address/that/must/stay/whole first.",
            "Nobody laughed.",
            "He called it ‘the only way that is left to people like us’, and left.",
            "👨\u200d👩\u200d👧\u200d👦 came.",
            "مرحبا بالعالم.",
            "A word " * 30 + "and an end.",
        ]
    ),
    max_size=14,
)


@settings(max_examples=50)
@given(PIECES, PIECES, st.sampled_from(sorted(NETWORKS)), st.integers(min_value=60, max_value=600))
def test_every_fitted_post_fits_keeps_its_link_and_tears_no_quotation(
    title: list[str], summary: list[str], network: str, size: int
) -> None:
    limits = Limits(counting=NETWORKS[network].counting, text=size, url=23, text_bytes=3000, cards=network == "bluesky")
    brief = make_brief(title=" ".join(["Notes", *title]), summary=" ".join(summary), link="https://example.org/b")
    post = made(brief, network, limits=limits)
    assert counting.fits(post.text, limits)
    assert counting.facet_fault(post.text, post.facets) == ""
    shown = "example.org/b" if network == "bluesky" else post.link
    assert post.text.endswith(shown)
    assert post.text.count("“") == post.text.count("”")
    assert post.text.count("https://example.org/a") == post.text.count(
        "https://example.org/a/long/address/that/must/stay/whole"
    )
    post.text.encode()


# -- names and tags -------------------------------------------------------------------------------


def test_nobody_is_called_and_nothing_tagged_by_a_title() -> None:
    brief = make_brief(
        title="What @sample and #harbour cost: $AB, or a@b.example", summary="See https://example.net/@sample first."
    )
    for network in ("x", "mastodon"):
        text = made(brief, network).text
        assert "@sample and" not in text
        assert "#harbour" not in text
        assert "https://example.net/@sample" in text
        assert "a@b.example" in text
        assert text.replace("\u200b", "").startswith(brief.title)
    assert ("$AB" in made(brief, "mastodon").text, "$AB" in made(brief, "x").text) == (True, False)
    assert made(brief, "bluesky").text.startswith(brief.title)
    assert "@sample" in made(make_brief(social={"x": "With @sample."})).text


TAGS = ("#Recruitment", "#FarRightNetworks", "#Öffentlichkeit")


@pytest.mark.parametrize("network", NETWORKS)
def test_hashtags_stand_at_the_end_and_give_way_first(network: str) -> None:
    templates = quotations.templates()
    post = made(make_brief(), network, templates=templates, hashtags=TAGS)
    assert post.text.endswith("\n\n" + " ".join(TAGS))
    assert post.count == counting.count(post.text, NETWORKS[network])
    room = Limits(counting=NETWORKS[network].counting, text=post.count - 3, url=23)
    fitted = made(make_brief(), network, templates=templates, hashtags=TAGS, limits=room)
    assert fitted.cut == "hashtags: #Öffentlichkeit"
    assert "We read all of them." in fitted.text
    long = made(make_brief(summary=LONG), network, templates=templates, hashtags=TAGS)
    assert "#" not in long.text
    assert long.cut.startswith("the hashtags; ")


def test_hashtags_are_links_on_bluesky() -> None:
    post = made(make_brief(), "bluesky", templates=quotations.templates(), hashtags=TAGS)
    assert [facet.uri for facet in post.facets][1:] == list(TAGS)
    assert post.text.encode()[post.facets[-1].start : post.facets[-1].end].decode() == TAGS[-1]
    assert counting.facet_fault(post.text, post.facets) == ""


def test_a_topic_becomes_one_word_that_can_be_read_aloud() -> None:
    topics = ("Far-right networks", "Öffentlichkeit & Presse", "2024", "Far right networks", "الدعاية", "internal")
    assert tags.hashtags(topics, {"internal": ""}, 8) == (
        "#FarRightNetworks",
        "#ÖffentlichkeitAndPresse",
        "#الدعاية",
    )
    assert tags.hashtags(topics, {"Far-right networks": "FarRight"}, 1) == ("#FarRight",)
    assert tags.hashtags(topics, {}, 0) == ()


def test_a_briefs_warning_stands_in_its_field_or_first_and_counts() -> None:
    brief = make_brief(social={"warning": "Names a killing", "x_own": "Read it."})
    post = made(brief, "mastodon", templates=quotations.templates())
    assert (post.warning, post.text[:6]) == ("Names a killing", "The ha")
    assert post.count == counting.count(post.text, MASTODON, warning=post.warning)
    for channel in ("x", "x_own"):
        post = made(brief, "x", channel=channel, templates=quotations.templates())
        assert (post.warning, post.text.split("\n\n")[0]) == ("", "Names a killing")


# -- quotes ---------------------------------------------------------------------------------------


def quoted(network: str, *, approved: bool = True, **over: Any) -> Post:
    admitted = framing.admit(
        quotations.make_quote(**over), quotations.make_style(self_labels=("graphic-media",)), approved=approved, now=MOMENT
    )
    return quote_post(
        admitted,
        channel=network,
        network=network,
        limits=NETWORKS[network],
        templates=quotations.templates(),
        site=SITE,
        created=MOMENT,
    )


@pytest.mark.parametrize("network", NETWORKS)
def test_a_quote_stands_whole_or_behind_a_link_and_always_fits(network: str) -> None:
    for words in ("Bring your letters.", "Bring your letters to the table. " * 200):
        post = quoted(network, words=words, context="From a letter.", contains="pressure", role="Founder")
        assert counting.fits(post.text, NETWORKS[network], warning=post.warning)
        assert (words in post.text) == (post.rung == "full")
        assert post.rung == ("full" if len(words) < 100 else "card")
        assert post.count == counting.count(post.text, NETWORKS[network], warning=post.warning)
        # A lost answer is found out about by the post's own link.
        assert post.link == links.marked(quotations.LINK, network, 0)
        assert post.link in post.text or (post.card is not None and post.card.uri == post.link)


def test_a_quotes_warning_and_labels_go_where_the_network_has_them() -> None:
    assert quoted("mastodon", words="Bring your letters.").warning == "pressure to cut contact with outsiders"
    assert quoted("x", words="Bring your letters.").warning == ""
    assert quoted("bluesky", words="Bring your letters.").labels == ("graphic-media",)


def test_a_quotes_card_is_in_our_own_words() -> None:
    card = quoted("bluesky", words="Bring your letters.").card
    assert card is not None
    assert card.title == "An invitation to share the post"
    assert "Bring your letters" not in card.title + card.description


def test_a_warning_that_takes_the_room_pushes_the_quote_down_the_ladder() -> None:
    words = "Bring your letters to the table, each of you. " * 2
    assert quoted("mastodon", words=words).rung == "full"
    assert quoted("mastodon", words=words, contains="pressure " * 30).rung == "card"


@given(st.integers(min_value=1, max_value=80), st.sampled_from(sorted(NETWORKS)))
@settings(max_examples=40)
def test_links_on_bluesky_are_computed_from_our_words_only(length: int, network: str) -> None:
    words = "See https://bad.example/join now. " + "Bring letters. " * length
    post = quoted(network, words=words)
    assert "bad.example" not in post.text
    assert all("bad.example" not in facet.uri for facet in post.facets)
    assert counting.facet_fault(post.text, post.facets) == ""


# -- the starter publication's own templates ------------------------------------------------------


@pytest.mark.parametrize("network", NETWORKS)
def test_the_starters_templates_render(network: str) -> None:
    post = made(make_brief(), network, templates=quotations.templates())
    assert post.text.startswith("The harbour papers\n")
    assert "\n\n\n" not in post.text
    assert ("Ines Okafor and Tomas Brandt" in post.text) == (network != "x")
    assert "\n\nFour years" in post.text
    assert post.cut == ""


@pytest.mark.parametrize("own", ["a.b/" * 20_000, "w" * 80_000, "漢" * 60_000])
def test_a_text_without_spaces_is_cut_by_halving(own: str) -> None:
    asked: list[int] = []

    def fits(text: str) -> bool:
        asked.append(len(text))
        return len(text) <= 300

    assert 290 < len(post.beginning(own, fits)) <= 300 or own.startswith("a.b")
    assert len(asked) < 20
