"""A message's bytes: the same every time, readable everywhere, and nothing of a reader's can break out."""

from __future__ import annotations

import email.policy
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from email import message_from_bytes
from email.header import decode_header, make_header
from html import escape
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from syndicate.errors import Refused, RenderError
from syndicate.render.email import Frozen, Recipient, Token, splice, values
from syndicate.render.mime import Envelope, addr_spec, message, quoted_printable

if TYPE_CHECKING:
    from email.message import EmailMessage

HTML = '<p dir="rtl" lang="ar">جرائد القرية</p><p>{long}</p>'.replace("{long}", "naïve " * 400)
FROZEN = Frozen(
    subject="How a village paper became a wall",
    preheader="Three briefs.",
    html=(HTML + '<a href="', Token("unsubscribe"), '">Leave</a> <p>.', Token("address"), "</p>\n.dot\n"),
    text=(
        "Dear ",
        Token("address"),
        ",\n\nFrom 3 March = “today”  \n.\n",
        Token("unsubscribe"),
        "\nsince ",
        Token("since"),
        ".",
    ),
    nonce="0123456789abcdef",
    size=3000,
)
READER = Recipient(
    address="m.arden@example.org",
    unsubscribe_url="https://northmere.example/u/AAAAAAAAAAAAAAAAAAAAAA",
    preferences_url="https://northmere.example/p/AAAAAAAAAAAAAAAAAAAAAA",
    subscribed_on=date(2026, 3, 3),
)
ENVELOPE = Envelope(
    sender="The Northmere Record <record@northmere.example>",
    reply_to="editors@northmere.example",
    list_id="digest.northmere.example",
    list_archive="https://northmere.example/editions/",
    list_help="mailto:editors@northmere.example?subject=help",
    feedback_id="214:digest:daily:northmere",
    date=datetime(2026, 11, 23, 6, 0, tzinfo=UTC),
    message_id="0a1b2c3d@northmere.example",
    boundary="=_0123456789abcdef",
)


def parsed(data: bytes) -> EmailMessage:
    found = message_from_bytes(data, policy=email.policy.default)
    for part in found.walk():
        assert not part.defects
    return found  # type: ignore[return-value]


def parts(data: bytes) -> tuple[str, str]:
    plain, html = parsed(data).iter_parts()
    assert (plain.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    for part in (plain, html):
        assert part["Content-Transfer-Encoding"] == "quoted-printable"
        assert part.get_content_charset() == "utf-8"
    return tuple(part.get_payload(decode=True).decode().replace("\r\n", "\n") for part in (plain, html))  # type: ignore[return-value]


def test_both_parts_come_back_as_they_were_spliced() -> None:
    made = message(FROZEN, READER, ENVELOPE)
    filling = values(READER)
    assert parts(made.data) == (splice(FROZEN.text, filling, html=False), splice(FROZEN.html, filling, html=True))
    assert (made.sender, made.recipient, made.message_id) == (
        "record@northmere.example",
        "m.arden@example.org",
        "0a1b2c3d@northmere.example",
    )


def test_no_line_is_too_long_and_every_line_ends_in_crlf() -> None:
    data = message(FROZEN, READER, ENVELOPE).data
    head, _, body = data.partition(b"\r\n\r\n")
    assert max(map(len, body.split(b"\r\n"))) <= 76
    assert max(map(len, head.split(b"\r\n"))) <= 998
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert data.isascii()


def test_no_encoded_line_begins_with_a_dot_or_from() -> None:
    body = message(FROZEN, READER, ENVELOPE).data.partition(b"\r\n\r\n")[2]
    assert not re.search(rb"(?m)^(?:\.|From )", body)


def test_no_encoded_line_ends_in_a_space_that_relays_may_cut() -> None:
    assert not re.search(rb"[ \t]\r\n", message(FROZEN, READER, ENVELOPE).data)


def test_the_same_arguments_give_the_same_bytes() -> None:
    first = message(FROZEN, READER, ENVELOPE)
    again = message(Frozen.from_json(FROZEN.to_json()), replace(READER), replace(ENVELOPE))
    zoned = message(FROZEN, READER, replace(ENVELOPE, date=ENVELOPE.date.astimezone(timezone(timedelta(hours=5)))))
    assert first == again == zoned


def test_the_headers_are_all_there_and_raw() -> None:
    long_id = "digest." + "a" * 60 + ".northmere.example"
    url = "https://a-rather-long-host-name-for-a-list.northmere.example/u/AAAAAAAAAAAAAAAAAAAAAA"
    made = message(
        FROZEN, replace(READER, unsubscribe_url=url), replace(ENVELOPE, list_id=long_id, message_id="a" * 90 + "@b.example")
    )
    head = made.data.partition(b"\r\n\r\n")[0].decode()
    assert head.split("\r\n") == [
        "From: The Northmere Record <record@northmere.example>",
        "Reply-To: editors@northmere.example",
        "Subject: How a village paper became a wall",
        f"List-Id: <{long_id}>",
        "List-Archive: <https://northmere.example/editions/>",
        "List-Help: <mailto:editors@northmere.example?subject=help>",
        "Precedence: list",
        "Feedback-ID: 214:digest:daily:northmere",
        "To: m.arden@example.org",
        "Date: Mon, 23 Nov 2026 06:00:00 +0000",
        f"Message-ID: <{'a' * 90}@b.example>",
        f"List-Unsubscribe: <{url}>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "MIME-Version: 1.0",
        'Content-Type: multipart/alternative; boundary="=_0123456789abcdef"',
    ]


def test_a_value_cannot_hold_a_gap_or_markup() -> None:
    sly = '"<b>@@0123456789abcdef-since@@</b>&"@example.org'
    made = message(FROZEN, replace(READER, address="m.arden@example.org"), ENVELOPE)
    filling = {**values(READER), "address": sly}
    assert splice(FROZEN.html, filling, html=True).count(escape(sly)) == 1
    assert "3 March 2026" not in splice(FROZEN.html, filling, html=True)
    assert made.data


@pytest.mark.parametrize(
    "url",
    [
        "http://northmere.example/u/x",
        "https://northmere.example/u/x y",
        'https://northmere.example/u/"x',
        "https://northmere.example/u/<x>",
        "https://northmere.example/u/x\r\nBcc: a@b",
        "javascript:alert(1)",
        "https://straße.example/",
        "https://northmere.example/" + "x" * 200,
        "http://127.0.0.1.evil.example/u/x",
    ],
)
def test_a_link_that_could_break_out_is_refused(url: str) -> None:
    with pytest.raises(Refused) as caught:
        message(FROZEN, replace(READER, unsubscribe_url=url), ENVELOPE)
    assert "example" not in str(caught.value)


def test_a_loopback_link_is_accepted() -> None:
    made = message(FROZEN, replace(READER, unsubscribe_url="http://127.0.0.1:8000/u/x"), ENVELOPE)
    assert b"List-Unsubscribe: <http://127.0.0.1:8000/u/x>\r\n" in made.data


# -- addresses ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_address", "expected"),
    [
        ("m.arden@example.org", "m.arden@example.org"),
        ("M.Arden+news@EXAMPLE.org", "M.Arden+news@example.org"),
        ("leser@straße.example", "leser@xn--strae-oqa.example"),
        ("o'hara@example.org", "o'hara@example.org"),
        ('"two words"@example.org', '"two words"@example.org'),
        ("a@localhost", "a@localhost"),
    ],
)
def test_an_address_is_written_as_smtp_takes_it(given_address: str, expected: str) -> None:
    assert addr_spec(given_address) == expected


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "a",
        "@example.org",
        "a@",
        "lesér@example.org",
        "a@b\r\nBcc: c@d",
        "a@exa mple.org",
        "a, b@example.org",
        "a@b@example.org",
        "a..b@example.org",
        "a@-.example",
        "a\u202e@example.org",
        "a@exam\u200bple.org",
        "x" * 65 + "@example.org",
        "a@" + "x." * 130 + "org",
        "a@example.org>",
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it(bad: str) -> None:
    with pytest.raises(Refused) as caught:
        message(FROZEN, replace(READER, address=bad), ENVELOPE)
    assert len(bad) < 3 or bad not in str(caught.value)


def test_a_local_part_outside_ascii_says_so() -> None:
    with pytest.raises(Refused, match="outside ASCII"):
        addr_spec("lesér@example.org")


def test_a_domain_with_an_invisible_character_is_no_other_domain() -> None:
    with pytest.raises(Refused):
        addr_spec("a@exam\u200bple.org")


@pytest.mark.parametrize(
    "name",
    ["Maren Dallivar", "Arden, Mill & Co", 'The "Mill"', "=?utf-8?q?x?=", "Zoë Åberg", "قارئ", "back\\slash", "A. B."],
)
def test_a_display_name_comes_back_and_stays_one_mailbox(name: str) -> None:
    to = parsed(message(FROZEN, replace(READER, name=name), ENVELOPE).data)["To"]
    assert [(found.display_name, found.addr_spec) for found in to.addresses] == [(name, "m.arden@example.org")]


def test_a_long_display_name_is_several_encoded_words() -> None:
    data = message(FROZEN, replace(READER, name="長い名前" * 20), ENVELOPE).data
    field = re.search(rb"(?m)^To: (?:.*\r\n(?: .*\r\n)*)", data)
    assert field
    assert max(map(len, field[0].split(b"\r\n"))) <= 76
    assert str(make_header(decode_header(field[0][4:].decode()))).strip() == "長い名前" * 20 + " <m.arden@example.org>"


@pytest.mark.parametrize("bad", ["a\nBcc: b@c", "a\x00", "\u202eevil", "zero\u200bwidth", "\u2066x", "\ud800"])
def test_a_display_name_with_controls_is_refused(bad: str) -> None:
    with pytest.raises(Refused):
        message(FROZEN, replace(READER, name=bad), ENVELOPE)


@given(
    name=st.text(
        st.characters(exclude_categories=("Cc", "Cs", "Cf", "Zl", "Zp", "Zs", "Cn"), include_characters=" "), max_size=80
    )
)
@example(name='",;<>@')
def test_any_display_name_leaves_one_recipient(name: str) -> None:
    to = parsed(message(FROZEN, replace(READER, name=" ".join(name.split())), ENVELOPE).data)["To"]
    assert [found.addr_spec for found in to.addresses] == ["m.arden@example.org"]


# -- subject --------------------------------------------------------------------------------------

_TITLES = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cf", "Zl", "Zp", "Cn")), min_size=1, max_size=200)


@given(subject=_TITLES)
@example(subject="a" * 200)
@example(subject="word " * 40 + "end")
@example(subject=" two  spaces ")
@example(subject="=?utf-8?q?sly?= really")
@example(subject="جرائد القرية: " + "x" * 90)
@example(subject="🗞️" * 60)
def test_any_subject_comes_back_and_keeps_the_line_limits(subject: str) -> None:
    data = message(replace(FROZEN, subject=subject), READER, ENVELOPE).data
    field = re.search(rb"(?m)^Subject: (?:.*\r\n(?: .*\r\n)*)", data)
    assert field
    assert max(map(len, field[0].split(b"\r\n"))) <= 76
    if not subject.isspace() and subject.strip() == subject:
        assert parsed(data)["Subject"] == subject


@pytest.mark.parametrize("bad", ["", "two\nlines", "x\x00", "\u202eevil", "zero\u200bwidth", "\ud83d", "a\u2028b"])
def test_a_subject_with_controls_is_refused(bad: str) -> None:
    with pytest.raises(RenderError):
        message(replace(FROZEN, subject=bad), READER, ENVELOPE)


# -- the body's encoding ----------------------------------------------------------------------------


@given(before=st.text(max_size=200), after=st.text(max_size=200), value=st.text(max_size=120))
@example(before="x" * 75, after="", value="y" * 76)
@example(before="é" * 40, after=".\n.", value=".")
@example(before="a ", after=" ", value="From here ")
@example(before="\n", after="\n", value="=3D")
def test_any_text_survives_the_encoding(before: str, after: str, value: str) -> None:
    def speakable(text: str) -> str:
        return text.encode("utf-8", "replace").decode().replace("\r", "")

    value = "".join(mark for mark in speakable(value) if mark.isprintable())
    frozen = replace(FROZEN, text=(speakable(before), Token("address"), speakable(after)))
    with pytest.MonkeyPatch.context() as patch:
        filling = {name: quoted_printable(text) for name, text in {**values(READER), "address": value}.items()}
        patch.setattr("syndicate.render.mime._filling", lambda *_: (READER.address, filling, filling, ""))
        made = message(frozen, READER, ENVELOPE)
    data = made.data
    assert made.undotted
    assert parts(data)[0] == speakable(before) + value + speakable(after)
    body = data.partition(b"\r\n\r\n")[2]
    assert max(map(len, body.split(b"\r\n"))) <= 76
    assert not re.search(rb"(?m)^\.", body)


@pytest.mark.parametrize(("value", "leave"), [(b".a=\r\n", ""), (b"a=\r\n.b=\r\n", ""), (b"a=\r\n", "X: y\r\n.z\r\n")])
def test_a_line_that_begins_with_a_dot_is_never_called_harmless(
    value: bytes, leave: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The channel looks for one again, and doubles it; it is told that it need not where there is none."""
    filling = {**{name: quoted_printable(text) for name, text in values(READER).items()}, "address": value}
    monkeypatch.setattr("syndicate.render.mime._filling", lambda *_: (READER.address, filling, filling, leave))
    assert not message(FROZEN, READER, ENVELOPE).undotted


# -- the newsletter's own mistakes --------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"sender": "not an address"},
        {"sender": "A <a@example.org>, B <b@example.org>"},
        {"sender": "Evil\nBcc: x <a@example.org>"},
        {"sender": "Lesér <lesér@example.org>"},
        {"reply_to": "x"},
        {"list_id": "digest"},
        {"list_id": "a.b>\r\nBcc: x"},
        {"list_archive": "http://northmere.example/"},
        {"list_help": "ftp://x"},
        {"feedback_id": "a:b:c:x"},
        {"feedback_id": "214:m.arden@example.org:daily:northmere"},
        {"message_id": "<a@b>"},
        {"message_id": "a b@c"},
        {"boundary": "no-mark-in-it"},
        {"boundary": '=_"; x="'},
    ],
)
def test_a_wrong_setting_is_named(wrong: dict[str, str]) -> None:
    with pytest.raises(RenderError, match=r"config/syndicate\.toml"):
        message(FROZEN, READER, replace(ENVELOPE, **wrong))


def test_an_international_sender_is_written_in_ascii() -> None:
    made = message(FROZEN, READER, replace(ENVELOPE, sender="Der Brückenbote <post@brücke.example>"))
    assert made.sender == "post@xn--brcke-lva.example"
    (found,) = parsed(made.data)["From"].addresses
    assert (found.display_name, found.addr_spec) == ("Der Brückenbote", "post@xn--brcke-lva.example")


def test_a_naive_date_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        replace(ENVELOPE, date=datetime(2026, 1, 1))  # noqa: DTZ001 - the mistake under test


# -- the short way that nearly every reader takes --------------------------------------------------


@pytest.mark.parametrize(
    "over",
    [
        {},
        {"address": "o'hara&co@example.org"},
        {"address": "x" * 60 + "@" + "a" * 30 + ".example"},
        {"unsubscribe_url": "https://northmere.example/u/a?b=c&d='e'"},
        {"preferences_url": "https://northmere.example/" + "p" * 90},
        {"subscribed_on": date(2026, 5, 1)},
    ],
)
def test_every_reader_s_parts_come_back_whichever_way_they_are_encoded(over: dict[str, object]) -> None:
    reader = replace(READER, **over)
    filling = values(reader)
    assert parts(message(FROZEN, reader, ENVELOPE).data) == (
        splice(FROZEN.text, filling, html=False),
        splice(FROZEN.html, filling, html=True),
    )
