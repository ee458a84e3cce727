"""What comes back is read right: a labelled corpus of every form, and no wrong suppression in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import returned
from syndicate import links
from syndicate.returns import parts, providers, reading
from syndicate.returns.verdict import judge

SUPPRESSING = {"hard", "complaint"}
READ = [(one, reading.read(one.data, returned.KEYS)) for one in returned.corpus()]


def test_the_corpus_is_read_right_and_suppresses_nobody_wrongly() -> None:
    wrong = [
        f"{one.name}: {one.kind} was read as {got.kind} {got.status} {got.reason}" for one, got in READ if got.kind != one.kind
    ]
    harmful = [one.name for one, got in READ if got.kind in SUPPRESSING and got.ours and one.kind not in SUPPRESSING]
    assert len(READ) >= 200
    assert not harmful
    assert not wrong, "\n".join(wrong)  # 99 in 100 are asked for


def test_whatever_counts_says_by_our_signature_whose_it_is() -> None:
    for one, got in READ:
        assert got.ours == (got.kind not in {"foreign", "answer"}), one.name
        assert got.delivery in {None, returned.TOKEN}, one.name
        assert got.reader is None or got.reader.subscriber == returned.TOKEN.place, one.name


def test_nothing_of_the_far_side_and_no_address_is_kept() -> None:
    for one, got in READ:
        assert "@" not in f"{got.status}{got.reason}{got.form}{got.address}", one.name
        assert len(got.reason) < 30, one.name


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**40 - 1), st.integers(0, 159), st.integers(1, 31))
def test_one_altered_bit_of_a_return_path_is_noticed(sending: int, place: int, bit: int, flip: int) -> None:
    token = links.ReturnToken(sending=sending, place=place)
    text = links.sign_return(token, returned.KEYS)
    path = links.return_path("bounces.of.the.letter-2026.x@a.example", text)
    assert links.verify_return(text.upper(), returned.KEYS) == token == links.verify_return(text, {3: returned.KEYS[3]})
    assert text == links.sign_return(token, returned.KEYS)  # the same for every retry
    assert links.verify_return(text, {1: returned.KEYS[1]}) is None  # the key is gone
    assert len(path.rpartition("@")[0]) <= 64
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    where = bit % 32
    other = letters[(letters.index(text[where]) + flip) % 32]
    assert links.verify_return(text[:where] + other + text[where + 1 :], returned.KEYS) is None


def test_an_old_key_still_verifies_after_a_new_one_has_come() -> None:
    token = links.ReturnToken(sending=7, place=8)
    old = links.sign_return(token, {1: returned.KEYS[1]})
    assert old != links.sign_return(token, returned.KEYS)
    assert links.verify_return(old, returned.KEYS) == token


@given(st.binary(max_size=400), st.sampled_from(returned.corpus()[:40]), st.integers(0, 3000))
def test_no_damage_to_a_mail_makes_the_reading_fail(noise: bytes, one: returned.Labelled, at: int) -> None:
    report = reading.read(one.data[:at] + noise + one.data[at + len(noise) :], returned.KEYS)
    assert report.delivery in {None, returned.TOKEN}


def test_a_mail_is_taken_apart_to_a_certain_depth_and_number_of_parts() -> None:
    deep = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(50))
    assert len(list(parts.taken_apart(deep.encode()).walk())) == 6
    wide = b"Content-Type: multipart/mixed; boundary=a\n\n" + b"--a\n\nx\n" * 5000
    assert len(parts.taken_apart(wide).parts) == 64


@pytest.mark.parametrize(
    ("action", "status", "said", "kind"),
    [
        ("failed", "5.1.1", "", "hard"),
        ("Failed", "", "550 user unknown", "hard"),
        ("failed", "", "", "soft"),
        ("failed", "5.1.1", "550 5.1.1 mailbox is full", "soft"),
        ("failed", "2.0.0", "", "soft"),
        ("", "2.0.0", "", "foreign"),
        ("delayed", "5.1.1", "user unknown", "delayed"),
        ("failed", "5.999.999", "user unknown", "soft"),
        ("failed", "5.1.1.1", "", "soft"),
    ],
)
def test_a_status_means_what_the_standard_says(action: str, status: str, said: str, kind: str) -> None:
    assert judge(action=action, status=status, said=said).kind == kind


# -- providers ----------------------------------------------------------------------------------
SOURCE = {"source": returned.HOME, "destination": [returned.READER]}


def bounced(kind: str, why: str, **recipient: str) -> dict[str, object]:
    return {
        "notificationType": "Bounce",
        "mail": SOURCE,
        "bounce": {
            "bounceType": kind,
            "bounceSubType": why,
            "bouncedRecipients": [{"emailAddress": returned.READER, **recipient}],
        },
    }


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (bounced("Permanent", "NoEmail"), "hard"),
        (bounced("Permanent", "General", status="5.1.1", diagnosticCode="smtp; 550 5.1.1 user unknown"), "hard"),
        (bounced("Permanent", "General", status="5.7.1", diagnosticCode="smtp; 550 5.7.1 blocked"), "soft"),
        (bounced("Transient", "MailboxFull", status="4.2.2", diagnosticCode="smtp; 452 full"), "soft"),
        (bounced("Transient", "General"), "answer"),
        ({"eventType": "Complaint", "mail": SOURCE, "complaint": {"complaintFeedbackType": "abuse"}}, "complaint"),
        ({"eventType": "Complaint", "mail": SOURCE, "complaint": {}}, "complaint"),
        ({"eventType": "Complaint", "mail": SOURCE, "complaint": {"complaintFeedbackType": "not-spam"}}, "foreign"),
        ({"eventType": "Delivery", "mail": SOURCE}, "delivered"),
        ({"eventType": "DeliveryDelay", "mail": SOURCE}, "delayed"),
        ({"eventType": "Open", "mail": SOURCE}, "foreign"),
        ({"eventType": ["Bounce"], "mail": "x", "bounce": 7}, "foreign"),
        ([], "foreign"),
    ],
)
def test_what_amazon_tells_is_read(message: object, kind: str) -> None:
    assert providers.ses(message, returned.KEYS).kind == kind


def mailgun(**data: object) -> dict[str, object]:
    headers = {"message-id": f"0a1b.{returned.MARK}@letter.example"}
    return {"signature": {"timestamp": "1795413600", "token": "t"}, "event-data": {"message": {"headers": headers}, **data}}


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (
            mailgun(
                event="failed", severity="permanent", **{"delivery-status": {"code": 550, "message": "5.1.1 user unknown"}}
            ),
            "hard",
        ),
        (mailgun(event="failed", severity="permanent", reason="suppress-bounce"), "hard"),
        (mailgun(event="failed", severity="permanent", reason="old", **{"delivery-status": {"code": 602}}), "soft"),
        (mailgun(event="failed", severity="temporary", **{"delivery-status": {"code": 550}}), "delayed"),
        (mailgun(event="complained"), "complaint"),
        (mailgun(event="delivered"), "delivered"),
        (mailgun(event="opened"), "foreign"),
    ],
)
def test_what_mailgun_tells_is_read(event: object, kind: str) -> None:
    told = providers.mailgun(event, returned.KEYS)
    assert (told.report.kind, told.report.delivery) == (kind, returned.TOKEN)


@pytest.mark.parametrize(
    ("kind", "read"),
    [
        ("HardBounce", "hard"),
        ("SoftBounce", "soft"),
        ("SpamComplaint", "complaint"),
        ("AutoResponder", "answer"),
        ("Transient", "delayed"),
        ("New", "foreign"),
    ],
)
def test_what_postmark_tells_is_read(kind: str, read: str) -> None:
    told = providers.postmark({"RecordType": "Bounce", "Type": kind, "ID": 7, "Email": returned.READER}, returned.KEYS)
    assert (told.report.kind, told.report.address, told.id) == (read, returned.READER, "Bounce:7")
