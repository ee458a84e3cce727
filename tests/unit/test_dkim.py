"""Signatures: made like any other's, checked by a stranger's verifier, and found wanting where they cover too little."""

from __future__ import annotations

import re
from pathlib import Path

import dkim as dkimpy
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.errors import RenderError
from syndicate.render import dkim
from syndicate.render.dkim import Signer, examine, signer

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SIGNER = Signer(domain="letter.example", selector="l2026", key=KEY)
HEAD = (
    b"From: The Letter <news@letter.example>\r\nReply-To: editors@letter.example\r\n"
    b"Subject: =?utf-8?q?N=C3=A4chste?=\r\n =?utf-8?q?_Seite?=\r\nTo: m.arden@example.org\r\n"
    b"Date: Mon, 23 Nov 2026 06:00:00 +0000\r\nMessage-ID: <a@letter.example>\r\n"
    b"List-Id: <digest.letter.example>\r\nList-Unsubscribe: <https://letter.example/u/x>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/alternative; boundary="=_a"\r\n'
)
MAIL = HEAD + b"\r\n--=_a\r\n\r\nText  \r\n\r\n--=_a--\r\n\r\n\r\n"


def pem(key: object) -> bytes:
    return key.private_bytes(  # type: ignore[attr-defined, no-any-return]
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def verified(data: bytes) -> bool:
    name, text = SIGNER.record()
    return bool(
        dkimpy.verify(data, dnsfunc=lambda asked, timeout=5: text.encode() if asked.rstrip(b".") == name.encode() else None)
    )


def test_a_stranger_s_verifier_accepts_it() -> None:
    assert verified(SIGNER.sign(MAIL))


@settings(max_examples=40)
@given(
    subject=st.text(st.characters(codec="ascii", exclude_categories=("Cc",)), max_size=60),
    body=st.text(st.sampled_from("ab \t\r\n.="), max_size=80),
)
def test_any_message_verifies(subject: str, body: str) -> None:
    text = re.sub(r"\r\n|\r|\n", "\r\n", body)
    data = (
        MAIL.partition(b"\r\n\r\n")[0].replace(b"Reply-To: ", f"X-Note: {subject}\r\nReply-To: ".encode())
        + b"\r\n\r\n"
        + text.encode()
    )
    assert verified(SIGNER.sign(data))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"https://letter.example/u/x", b"https://evil.example/u/x"),
        (b"One-Click", b"Two-Click"),
        (b"Text", b"Next"),
        (b"To: m.arden", b"To: n.arden"),
        (b"From: The Letter", b"From: Sombody <x@evil.example>\r\nFrom: The Letter"),
    ],
)
def test_a_changed_message_does_not_verify(old: bytes, new: bytes) -> None:
    signed = SIGNER.sign(MAIL)
    changed = signed.replace(old, new, 1)
    assert changed != signed
    assert not verified(changed)
    assert not all(finding.ok for finding in examine(changed, SIGNER))


def test_it_covers_both_headers_for_unsubscribing_and_from_twice() -> None:
    covered = re.search(rb"h=([^;]*)", SIGNER.sign(MAIL))
    assert covered
    names = re.sub(rb"\s", b"", covered[1]).decode().split(":")
    assert set(dkim.ONE_CLICK) <= set(names)
    assert names.count("from") == 2
    assert "reply-to" in names
    assert "precedence" not in names  # not there


def test_the_same_message_has_the_same_signature_and_no_line_is_long() -> None:
    signed = SIGNER.sign(MAIL)
    assert signed == SIGNER.sign(MAIL)
    assert max(map(len, signed.partition(b"From:")[0].split(b"\r\n"))) <= 78


def test_a_delivered_message_is_examined() -> None:
    delivered = b"Received: by mx.example.org; Mon\r\n" + SIGNER.sign(MAIL)
    assert all(finding.ok for finding in examine(delivered, SIGNER))
    assert all(finding.ok for finding in examine(delivered.replace(b"\r\n", b"\n"), SIGNER))
    assert any("holds" in finding.what for finding in examine(delivered, SIGNER))


def relayed(covered: str) -> bytes:
    return f"DKIM-Signature: v=1; a=rsa-sha256; d=relay.example; s=r1;\r\n\th={covered};\r\n\tbh=x; b=y\r\n".encode() + MAIL


def test_a_relay_s_signature_that_leaves_one_out_is_named() -> None:
    findings = examine(relayed("From:Subject:List-Unsubscribe"))
    assert not all(finding.ok for finding in findings)
    assert any("leaves out list-unsubscribe-post" in finding.what and "OpenDKIM" in finding.advice for finding in findings)
    assert all(finding.ok for finding in examine(relayed("From:List-Unsubscribe-Post :\r\n\t List-Unsubscribe")))


def test_one_signature_that_covers_both_is_enough() -> None:
    both = relayed("From:List-Unsubscribe:List-Unsubscribe-Post")
    assert all(finding.ok for finding in examine(b"DKIM-Signature: d=a.example; s=b; h=from; b=z\r\n" + both))


@pytest.mark.parametrize(
    "data", [MAIL, SIGNER.sign(MAIL.replace(b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", b"")), b"", b"no header"]
)
def test_a_message_without_signature_or_header_fails(data: bytes) -> None:
    assert not all(finding.ok for finding in examine(data))


@pytest.mark.parametrize(
    "key",
    [
        b"not a key",
        pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)),
        pem(ec.generate_private_key(ec.SECP256R1())),
        KEY.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"secret")
        ),
    ],
    ids=["no key", "short", "other kind", "locked"],
)
def test_a_key_that_cannot_sign_is_named(key: bytes) -> None:
    with pytest.raises(RenderError, match=r"keys/mail\.pem"):
        signer(key, domain="letter.example", selector="l", file="keys/mail.pem")


def test_a_key_is_read() -> None:
    made = signer(pem(KEY), domain="letter.example", selector="l2026", file=str(Path("keys/mail.pem")))
    assert made.sign(MAIL) == SIGNER.sign(MAIL)
