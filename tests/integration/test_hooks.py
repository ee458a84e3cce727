"""Reports of mail services: taken once, from whoever has proved who they are, and from nobody else."""

from __future__ import annotations

import base64
import email
import email.policy
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from publication import SETTINGS, Publication, instant
from served import served
from syndicate.app import App
from syndicate.errors import Unreachable
from syndicate.model import Frequency
from syndicate.returns import amazon
from syndicate.store.subscribers import Wishes
from syndicate.web import hooks

TOPIC = "arn:aws:sns:eu-west-1:123456789012:returns"
URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123.pem"
KEY, PASSWORD = "mailgun-signing-key", "postmark-password"
NOW = instant("2026-11-23 08:00")
NAMES = ("ann", "ben", "cleo", "dan")
FIELDS = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}


def certified(name: str) -> tuple[rsa.RSAPrivateKey, bytes]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key()).serial_number(7)
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    return key, made.not_valid_before(begin).not_valid_after(begin + timedelta(days=900)).sign(
        key, hashes.SHA256()
    ).public_bytes(serialization.Encoding.PEM)


AMAZON, CERTIFICATE = certified("sns.amazonaws.com")
STRANGER, _ = certified("stranger.example")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """A publication that has sent one edition to four readers."""
    environ = {"SYNDICATE_RETURNS__MAILGUN__SIGNING_KEY": KEY, "SYNDICATE_RETURNS__POSTMARK__PASSWORD": PASSWORD}
    letter = Publication(
        root=tmp_path_factory.mktemp("hooks") / "letter",
        settings=f'{SETTINGS}\n[returns]\naddress = "bounces@test.example"\n[returns.ses]\ntopic = "{TOPIC}"\n',
        environ=environ,
    )
    letter.begin("2026-11-22 12:00")
    letter.subscribe("2026-11-22 12:00", **dict.fromkeys(NAMES, Wishes(frequency=Frequency.DAILY)))
    letter.brief("news", "2026-11-22T18:00:00+00:00")
    letter.run("2026-11-23 06:00")
    with letter.opened(NOW.isoformat()) as opened:
        yield opened


@pytest.fixture(scope="module")
def client(app: App) -> Iterator[httpx.Client]:
    with served(app) as serving, httpx.Client(base_url=serving.url, trust_env=False) as made:
        yield made


@pytest.fixture(autouse=True)
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was asked of Amazon's host; nothing leaves this machine."""
    asked: list[str] = []

    def get(host: str, path: str) -> bytes:
        asked.append(f"https://{host}{path}")
        if f"https://{host}{path}" == URL or path.startswith("/?"):
            return CERTIFICATE
        raise Unreachable("404")

    monkeypatch.setattr(amazon, "get", get)
    monkeypatch.setattr(hooks, "_CERTIFICATES", amazon.Certificates())
    return asked


def state(app: App, name: str) -> str:
    return next(one.state for one in app.subscribers.listed() if one.address.startswith(name))


def message_id(app: App, name: str) -> str:
    for path in (app.root / "var/outbox/mail").rglob("*.eml"):
        mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        if f"{name}@" in str(mail["To"]):
            return str(mail["Message-ID"]).strip("<>")
    raise AssertionError(name)


def mark(app: App, name: str) -> str:
    return message_id(app, name).partition(".")[2].partition("@")[0]


# -- Mailgun ------------------------------------------------------------------------------------
def mailgun(app: App, name: str, *, key: str = KEY, at: datetime = NOW, token: str = "t1", **data: object) -> dict[str, object]:
    stamp = str(int(at.timestamp()))
    signature = hmac.new(key.encode(), f"{stamp}{token}".encode(), "sha256").hexdigest()
    event = {"event": "failed", "severity": "permanent", "message": {"headers": {"message-id": message_id(app, name)}}, **data}
    return {"signature": {"timestamp": stamp, "token": token, "signature": signature}, "event-data": event}


GONE = {"delivery-status": {"code": 550, "message": "5.1.1 user unknown"}}


def test_mailgun_is_believed_once_and_only_with_its_signature(app: App, client: httpx.Client) -> None:
    for wrong in (
        mailgun(app, "ann", key="other", **GONE),
        {"event-data": mailgun(app, "ann", **GONE)["event-data"]},
        {**mailgun(app, "ann", **GONE), "signature": {"timestamp": "1", "token": "", "signature": ""}},
        {**mailgun(app, "ann", **GONE), "signature": "ü"},
        [],
        None,
    ):
        assert client.post("/hooks/mailgun", json=wrong).status_code == 403
    for late in (NOW - timedelta(days=2), NOW + timedelta(days=2)):
        assert client.post("/hooks/mailgun", json=mailgun(app, "ann", at=late, **GONE)).status_code == 406
    assert state(app, "ann") == "active"
    told = mailgun(app, "ann", **GONE)
    assert [client.post("/hooks/mailgun", json=told).text for _ in range(2)] == ["taken", "known already"]
    assert state(app, "ann") == "suppressed"
    assert client.get("/hooks/mailgun").status_code == 405
    assert client.post("/hooks/mailgun", content=b"x" * 400_000).status_code == 413
    assert client.post("/hooks/mailgun", content=b"[" * 100_000).status_code == 403


# -- Postmark -----------------------------------------------------------------------------------
def test_postmark_is_believed_with_its_password(app: App, client: httpx.Client) -> None:
    body = {
        "RecordType": "SpamComplaint",
        "Type": "SpamComplaint",
        "ID": 42,
        "Email": "Ben@readers.example",
        "BouncedAt": NOW.isoformat(),
    }
    for auth in (None, ("postmark", "wrong"), ("other", PASSWORD), ("", "")):
        assert client.post("/hooks/postmark", json=body, auth=auth).status_code == 401
    assert client.post("/hooks/postmark", json=body, headers={"Authorization": f"Bearer {PASSWORD}"}).status_code == 401
    assert state(app, "ben") == "active"
    right = ("postmark", PASSWORD)
    assert (
        client.post("/hooks/postmark", json={**body, "ID": 1, "Email": "nobody@readers.example"}, auth=right).text
        == "nothing of ours"
    )
    assert client.post("/hooks/postmark", json={**body, "BouncedAt": "2026-01-01T00:00:00Z"}, auth=right).status_code == 406
    assert [client.post("/hooks/postmark", json=body, auth=right).text for _ in range(2)] == ["taken", "known already"]
    assert state(app, "ben") == "suppressed"


# -- Amazon SES ---------------------------------------------------------------------------------
def amazons(
    message: object,
    *,
    key: rsa.RSAPrivateKey = AMAZON,
    version: str = "2",
    sign: bool = True,
    kind: str = "Notification",
    **over: str,
) -> dict[str, str]:
    body = {
        "Type": kind, "MessageId": "m1", "TopicArn": TOPIC, "Message": json.dumps(message), "Timestamp": "2026-11-23T07:59:00.000Z",
        "SignatureVersion": version, "SigningCertURL": URL, **over,
    }  # fmt: skip
    text = "".join(f"{name}\n{body[name]}\n" for name in FIELDS.get(kind, ()) if name in body)
    digest = hashes.SHA1() if version == "1" else hashes.SHA256()
    body["Signature"] = base64.b64encode(key.sign(text.encode(), padding.PKCS1v15(), digest)).decode() if sign else "AAAA"
    return body


def bounced(app: App, name: str) -> dict[str, object]:
    return {
        "notificationType": "Bounce",
        "mail": {"source": f"bounces+{mark(app, name)}@test.example", "destination": [f"{name}@readers.example"]},
        "bounce": {"bounceType": "Permanent", "bounceSubType": "NoEmail", "bouncedRecipients": [{"status": "5.1.1"}]},
    }


def test_amazon_is_believed_once_by_its_own_certificate_for_our_topic_alone(
    app: App, client: httpx.Client, fetched: list[str]
) -> None:
    told = bounced(app, "cleo")
    elsewhere = "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0123456789abcdef0123.pem"
    for wrong in (
        amazons(told, SigningCertURL=elsewhere),
        amazons(told, SigningCertURL="https://evil.example/SimpleNotificationService-0123456789abcdef0123.pem"),
        amazons(told, SigningCertURL=URL.replace("https", "http")),
        amazons(told, SigningCertURL="https://sns.eu-west-1.amazonaws.com/evil/../key.pem"),
        amazons(told, SigningCertURL=URL.replace("https://", "https://user@")),
        amazons(told, SigningCertURL=URL.replace("eu-west-1", "us-east-1")),
        amazons(told, TopicArn=TOPIC.replace("returns", "other")),
        amazons(told, SignatureVersion="3"),
        amazons(told, kind="UnsubscribeConfirmation"),
        {},
    ):
        assert client.post("/hooks/ses", content=json.dumps(wrong)).status_code == 403
    assert fetched == []  # nothing was even asked for
    for wrong in (
        amazons(told, key=STRANGER),
        amazons(told, sign=False),
        {**amazons(told), "Message": json.dumps(bounced(app, "dan"))},
    ):
        assert client.post("/hooks/ses", content=json.dumps(wrong)).status_code == 403
    assert client.post("/hooks/ses", content=json.dumps(amazons(told, Timestamp="2026-11-20T00:00:00Z"))).status_code == 406
    assert state(app, "cleo") == "active"
    right = json.dumps(amazons(told, version="1", Subject="Amazon SES"))
    assert [client.post("/hooks/ses", content=right).text for _ in range(2)] == ["taken", "known already"]
    assert (state(app, "cleo"), fetched) == ("suppressed", [URL])
    unknown = amazons(told, SigningCertURL=URL.replace("0123456789abcdef", "fedcba9876543210"))
    assert client.post("/hooks/ses", content=json.dumps(unknown)).status_code == 503
    assert fetched == [URL]  # not a second one at once


def test_a_subscription_is_confirmed_at_amazon_and_not_where_the_body_says(client: httpx.Client, fetched: list[str]) -> None:
    kind = "SubscriptionConfirmation"
    more = {"Token": "abc&Action=Delete", "SubscribeURL": "https://evil.example/?Action=ConfirmSubscription"}
    forged = amazons("", key=STRANGER, kind=kind, **more)
    assert client.post("/hooks/ses", content=json.dumps(forged)).status_code == 403
    assert client.post("/hooks/ses", content=json.dumps(amazons("", kind=kind, **more))).text == "confirmed"
    certificate, confirmed = fetched
    assert certificate == URL
    assert urlsplit(confirmed).netloc == "sns.eu-west-1.amazonaws.com"
    assert parse_qs(urlsplit(confirmed).query) == {
        "Action": ["ConfirmSubscription"], "TopicArn": [TOPIC], "Token": ["abc&Action=Delete"]
    }  # fmt: skip


def test_an_address_without_its_secret_does_not_exist(tmp_path: Path) -> None:
    with Publication(root=tmp_path / "letter").opened("2026-11-23 08:00") as bare, served(bare) as serving:
        for name in ("ses", "mailgun", "postmark"):
            assert httpx.post(f"{serving.url}/hooks/{name}", json={}, trust_env=False).status_code == 404
