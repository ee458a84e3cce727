"""Q9: what calls, tags, links or reaches is taken out of quoted words; years, dates and quantities stay."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.render.gate.defuse import clean, defuse, reaches


@pytest.mark.parametrize(
    ("text", "defused"),
    [
        ("follow @some_one now", "follow [handle removed] now"),
        ("ask @a@mastodon.example today", "ask [handle removed] today"),
        ("＠ｈａｎｄｌｅ in full width", "[handle removed] in full width"),
        ("كلمة@user", "كلمة[handle removed]"),
        ("see u/some_body or /r/their_place", "see [handle removed] or [handle removed]"),
        ("join #OurTide!", "join [hashtag removed]!"),
        ("＃波 and #موجة", "[hashtag removed] and [hashtag removed]"),
        ("buy $TIDE", "buy [hashtag removed]"),
        ("read https://orchard.example/x?y=1. Then rest", "read [link removed]. Then rest"),
        ("read hxxps://orchard[.]example", "read [link removed]"),
        ("h\u200bttps://orch\u200bard.example", "[link removed]"),
        ("at orchard.example, or ORCHARD.ORG, or Orchard.Com", "at [link removed], or [link removed], or [link removed]"),
        ("ｏｒｃｈａｒｄ．ｅｘａｍｐｌｅ", "[link removed]"),
        ("orchard dot org slash", "[link removed] slash"),
        ("“www.orchard.example”", "“[link removed]”"),
        ("сад.рф", "[link removed]"),
        ("go to 192.0.2.7:8000/x", "go to [link removed]"),
        ("magnet:?xt=urn:btih:abc", "[link removed]"),
        ("write to corvin@orchard.example", "write to [address removed]"),
        ("corvin (at) orchard (dot) example", "[address removed]"),
        ("mailto:corvin@orchard.example", "[address removed]"),
        ("call +49 170 1234567 at noon", "call [number removed] at noon"),
        ("call (030) 123 45 67", "call [number removed]"),
        ("call 1-800-555-0199", "call [number removed]"),
        ("come in by t.me/+AbCdEf123", "come in by [invite removed]"),
        ("https://t.me/joinchat/AbC", "[invite removed]"),
        ("discord.gg/orchard", "[invite removed]"),
        ("tg://join?invite=abc", "[invite removed]"),
        ("invite code: AB12CD", "[invite removed]"),
        ("+AbCdEfGh1234", "[invite removed]"),
        ("signal.group/#CjQ", "[invite removed]"),
    ],
)
def test_what_reaches_somebody_is_taken_out(text: str, defused: str) -> None:
    assert defuse(text)[0] == defused


@pytest.mark.parametrize(
    "text",
    [
        "in 1939-1945 and on 12.05.1998, 2015-01-22 and 9/11",
        "from 1.5.1998 - 3.5.1998, 09.00-17.00",
        "10 000 000 and 10,000,000 and 10.000.000 and 6000000 of 340",
        "we are #1 of 88, at 3.5m or $100",
        "U.S. and e.g. this, Ph.D. and a.m.",
        "asleep.It was late.Then we left",
        "St.Louis and/or the rest, 24/7",
        "中国。我们去吧，在12月3日。",
        "connect the dot in the line",
        "at 10.30 we meet at 12 Weighhouse Lane",
        "the invitation code is a secret",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert defuse(text) == (text, ())


def test_each_change_is_told_by_kind_and_place_and_never_repeated() -> None:
    text = "ask @some_one, then corvin@orchard.example"
    changes = defuse(text)[1]
    assert [(change.kind, change.position) for change in changes] == [("handle", 4), ("address", text.index("corvin"))]
    assert "some_one" not in repr(changes)
    assert "corvin" not in repr(changes)


def test_direction_marks_and_noncharacters_are_taken_out_and_told() -> None:
    text, changes = defuse("a\u202eb\u2066c\ufdd6d\x07e")
    assert text == "abcde"
    assert [change.kind for change in changes] == ["control"] * 4
    assert clean("a\ufddf\u202db") == "ab"


def test_joiners_that_scripts_need_stay() -> None:
    persian = "می\u200cروم"
    assert defuse(persian) == (persian, ())


def test_our_own_fields_are_asked_for_the_same_but_for_numbers() -> None:
    assert [change.kind for change in reaches("ask @them at orchard.example, 030 123 45 67")] == ["handle", "link"]


PIECES = st.sampled_from(
    [
        "@",
        "#",
        "a",
        "b.c",
        "example.org",
        "://",
        "https://x.example",
        " ",
        ".",
        "dot",
        "(at)",
        "+",
        "1",
        "555",
        "-",
        "t.me/",
        "\u200b",
        "ｅ",
        "$",
        "é",
        "م",
    ]
)


@given(st.lists(PIECES, max_size=40).map("".join))
def test_defused_text_needs_no_defusing(text: str) -> None:
    once = defuse(text)[0]
    assert not [change for change in defuse(once)[1] if change.kind != "control"]


@given(st.text(max_size=300))
def test_any_text_can_be_defused(text: str) -> None:
    defused, changes = defuse(text)
    assert changes or defused == text
    assert "@" not in defused or not any(
        defused[place + 1 : place + 2].isalnum() for place, sign in enumerate(defused) if sign == "@"
    )


@pytest.mark.parametrize(
    "piece", ["a", "a.", "@", "1 ", "a-", "a dot ", "a@", "a at ", "+", "a(dot)", "x://", "a+", "(", "[ dot ]"]
)
def test_no_text_of_five_thousand_characters_takes_long(piece: str) -> None:
    text = (piece * 5000)[:5000]
    start = time.perf_counter()
    defuse(text)
    assert time.perf_counter() - start < 1.5
