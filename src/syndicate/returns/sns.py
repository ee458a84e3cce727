"""Messages of Amazon SNS: who signed them, and what they ask. The one use of cryptography beside DKIM.

A message is believed when it names the topic of the settings and is signed by a certificate of Amazon's own host in
that topic's region. Which address it would have us fetch is never followed: both addresses are built from the topic.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode, urlsplit

from syndicate.errors import ConfigError, Fault
from syndicate.returns.providers import iso

NOTIFICATION: Final = "Notification"
CONFIRMATION: Final = "SubscriptionConfirmation"
# What is signed, in this order ("Verifying the signatures of Amazon SNS messages").
_SIGNED: Final = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    CONFIRMATION: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_CERTIFICATE: Final = re.compile(r"/SimpleNotificationService-[0-9a-f]{16,64}\.pem")


@dataclass(frozen=True, kw_only=True, slots=True)
class Signed:
    """A message that Amazon signed."""

    type: str  # Notification | SubscriptionConfirmation
    id: str  # the same for each repetition
    at: datetime | None
    message: str  # the JSON of a notification
    confirm: str  # where a subscription is confirmed, built by us; "" for a notification


def host(topic: str) -> str:
    """Amazon's host for a topic's region: ``sns.eu-west-1.amazonaws.com``."""
    partition, region = topic.split(":")[1], topic.split(":")[3]
    return f"sns.{region}.amazonaws.com{'.cn' if partition == 'aws-cn' else ''}"


def checked(body: object, topic: str, certificate: Callable[[str], bytes]) -> Signed | None:
    """The message, or ``None`` where Amazon did not sign it for this topic.

    ``certificate`` gives the PEM of a path on Amazon's host; it is asked for nothing else.

    Raises
    ------
    ConfigError
        The package that checks signatures is not installed.
    """
    told = {name: value for name, value in body.items() if isinstance(value, str)} if isinstance(body, dict) else {}
    names = _SIGNED.get(told.get("Type", ""))
    if names is None or not topic or told.get("TopicArn") != topic or told.get("SignatureVersion") not in {"1", "2"}:
        return None
    place = urlsplit(told.get("SigningCertURL", ""))
    if place.scheme != "https" or place.netloc != host(topic) or not _CERTIFICATE.fullmatch(place.path):
        return None
    try:
        signature = base64.b64decode(told.get("Signature", ""), validate=True)
    except binascii.Error:
        return None
    text = "".join(f"{name}\n{told[name]}\n" for name in names if name in told)
    if not _verified(certificate(place.path), signature, text.encode(), told["SignatureVersion"]):
        return None
    return Signed(
        type=told["Type"],
        id=told.get("MessageId", ""),
        at=iso(told.get("Timestamp", "")),
        message=told.get("Message", ""),
        confirm=_confirm(topic, told),
    )


def _confirm(topic: str, told: Mapping[str, str]) -> str:
    if told["Type"] != CONFIRMATION:
        return ""
    return "/?" + urlencode({"Action": "ConfirmSubscription", "TopicArn": topic, "Token": told.get("Token", "")})


def _verified(pem: bytes, signature: bytes, text: bytes, version: str) -> bool:
    try:
        from cryptography import x509
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding, rsa
    except ImportError as error:
        raise ConfigError(
            Fault(
                file="config/syndicate.toml",
                rule="returns.ses",
                what="the package `cryptography` is missing, and reports of Amazon SES cannot be checked",
                right="run `pip install 'syndicate-publisher[ses]'`",
            )
        ) from error
    digest = hashes.SHA1() if version == "1" else hashes.SHA256()  # noqa: S303 - version 1 is defined so; the topic chooses
    try:
        key = x509.load_pem_x509_certificate(pem).public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            return False
        key.verify(signature, text, padding.PKCS1v15(), digest)
    except (InvalidSignature, ValueError):
        return False
    return True
