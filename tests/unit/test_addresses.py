"""Addresses as they are written, compared, counted and shown: the same person is not two."""

from __future__ import annotations

import pytest

from syndicate.store.addresses import called, mailbox, masked, normalised


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        ("Anna@Readers.Example", "anna@readers.example"),
        (" ANNA@READERS.EXAMPLE. ", "anna@readers.example"),
        ("a@bücher.example", "a@xn--bcher-kva.example"),
        ("a@BÜCHER.example", "a@xn--bcher-kva.example"),
        ("a@bu\u0308cher.example", "a@xn--bcher-kva.example"),
        ("a@xn--bcher-kva.example", "a@xn--bcher-kva.example"),
        ("a@straße.example", "a@xn--strae-oqa.example"),
        ("a@ｒeaders．example", "a@readers.example"),
        ("a@例え。example", "a@xn--r8jz45g.example"),
        ("o'neil+news@r.example", "o'neil+news@r.example"),
        ('"anna"@readers.example', "anna@readers.example"),
        (r'"an\na"@readers.example', "anna@readers.example"),
        ("anna(at home)@readers.example", "anna@readers.example"),
        ("(my (own) one)anna@readers.example(work)", "anna@readers.example"),
        ("a.b_c-d/e=f@r-s.example", "a.b_c-d/e=f@r-s.example"),
    ],
)
def test_odd_spellings_of_one_address_compare_equal(written: str, compared: str) -> None:
    assert normalised(written)[1] == compared
    assert normalised(normalised(written)[0])[1] == compared


def test_what_follows_a_plus_is_another_address_and_the_same_mailbox() -> None:
    anna, news = (normalised(one)[1] for one in ("anna@r.example", "Anna+News@r.example"))
    assert anna != news
    assert mailbox(anna) == mailbox(news) == "anna@r.example"
    assert mailbox("+x@r.example") == "+x@r.example"


def test_what_is_written_keeps_its_capitals() -> None:
    assert normalised("Anna.Marrow@Readers.Example")[::2] == ("Anna.Marrow@readers.example", "readers.example")


@pytest.mark.parametrize(
    "written",
    [
        "a@@b.example", "a..b@b.example", ".a@b.example", "a.@b.example", "a" * 65 + "@b.example", "", "@", "a@", "@b.example", "a@.",
        "a" * 20 + "@" + ".".join(["b" * 60] * 4) + ".example", "a@127.0.0.1", "a@[127.0.0.1]", "a@b", "a b@c.example", '"a b"@c.example',
        '"a@b"@c.example', "a@b.example, c@d.example", "Anna <a@b.example>", "a@b_c.example", "a@-b.example", "(a)@b.example", "a@(b.example)",
    ],
)  # fmt: skip
def test_what_no_mail_server_takes_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"name@example\.org"):
        normalised(written)


@pytest.mark.parametrize(
    "hidden", ["\r\nBcc: c@d.example", "\x00", "\x7f", "\x85", "\u202e", "\u200b", "\u2066", "\ufeff", "\u00ad", "\udc80"]
)
def test_control_and_invisible_characters_are_refused_wherever_they_stand(hidden: str) -> None:
    for written in (f"a{hidden}b@c.example", f"ab@c{hidden}d.example", f'"a{hidden}b"@c.example', f"ab({hidden})@c.example"):
        with pytest.raises(ValueError, match="control or an invisible"):
            normalised(written)


def test_letters_beyond_ascii_before_the_at_are_refused_in_plain_words() -> None:
    for written in (
        "jürgen@r.example",
        "用户@r.example",
        '"jürgen"@r.example',
        "аnna@r.example",
    ):  # the last begins in Cyrillic
        with pytest.raises(ValueError, match="plain letters and digits"):
            normalised(written)


def test_no_refusal_repeats_the_address() -> None:
    for written in (
        "marrow.kelp",
        "marrow.kelp@",
        "marrow.kelp@kelp",
        "marrow..kelp@kelp.example",
        "marrow.kelp@ke_lp.example",
    ):
        with pytest.raises(ValueError) as refusal:  # noqa: PT011 - any of the sentences
            normalised(written)
        assert "kelp" not in str(refusal.value)


def test_a_masked_address_is_known_to_its_owner_alone() -> None:
    assert masked("marrow.kelp@tolland.example.org") == "m•••••@t•••••.org"


def test_a_name_is_what_a_header_can_hold() -> None:
    for name in ("Anna\u200b", "\ufeffAnna", "Anna\u200e", "An\u2060na"):
        assert called(name) == "Anna"
    assert called("Zoë von der Straße, M.A.") == "Zoë von der Straße, M.A."


@pytest.mark.parametrize("name", ["Anna\r\nBcc: ben@r.example", "An\x00na", "An\u202ena", "An\u2066na", "An\ud800na"])
def test_a_name_that_would_move_a_header_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="control character; take it out"):
        called(name)
