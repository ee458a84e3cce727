"""Signatures of mail by DKIM (RFC 6376): making one, and saying what a delivered one covers. The door of ``cryptography``.

RSA-2048 or longer with SHA-256, headers relaxed, body simple. No time is written into it: the same message and key give
the same bytes, so that a retry is the same mail.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from syndicate.errors import Fault, RenderError
from syndicate.model import Finding

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

# Both must be signed for one-click unsubscribing to be honoured (RFC 8058 §4).
ONE_CLICK: Final = ("list-unsubscribe", "list-unsubscribe-post")
LEAST_BITS: Final = 2048
_SIGNED: Final = (
    *("from", "reply-to", "subject", "to", "date", "message-id", *ONE_CLICK, "list-id", "list-archive", "list-help"),
    *("precedence", "feedback-id", "mime-version", "content-type"),
)
_LINE: Final = 72
_TAG: Final = re.compile(r"\s*([a-zA-Z][a-zA-Z0-9_]*)\s*=\s*(.*?)\s*", re.DOTALL)
_VALUE_OF_B: Final = re.compile(rb"(?<=[;\s])(b\s*=)[^;]*")
_BLANKS: Final = re.compile(rb"[ \t]+")
_FIELD: Final = re.compile(rb"([!-9;-~]+)[ \t]*:")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Signer:
    """A key and the name under which its public half stands in the domain system."""

    domain: str  # "example.org", as in the From address
    selector: str  # "letter2026": the key stands at letter2026._domainkey.example.org
    key: RSAPrivateKey

    def sign(self, data: bytes) -> bytes:
        """The message with a DKIM-Signature in front. ``data`` has CRLF, as mail does."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        head, body = _parted(data)
        fields = _fields(head)
        present = {name for name, _ in fields}
        # From twice: a second one, added on the way, breaks the signature (RFC 6376 §8.15).
        covered: list[str] = ["from", *(name for name in _SIGNED if name in present)]
        unsigned = _unsigned(self.domain, self.selector, covered, _body_hash(body))
        signed = self.key.sign(_signed_bytes(fields, covered, unsigned), padding.PKCS1v15(), hashes.SHA256())
        return b"DKIM-Signature: " + unsigned + _folded(base64.b64encode(signed)) + b"\r\n" + data

    def record(self) -> tuple[str, str]:
        """Name and text of the TXT record that tells the world of the key."""
        from cryptography.hazmat.primitives import serialization

        raw = self.key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return f"{self.selector}._domainkey.{self.domain}", f"v=DKIM1; k=rsa; p={base64.b64encode(raw).decode()}"


def signer(pem: bytes, *, domain: str, selector: str, file: str) -> Signer:
    """Read a private key in PEM.

    Raises
    ------
    RenderError
        It is no RSA key of 2048 bits or more, or the extra that signs is not installed; names ``file``.
    """
    try:
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError as error:
        right = "install it: pip install 'syndicate-publisher[dkim]'"
        raise RenderError(Fault(file=file, rule="dkim", what="signing needs `cryptography`", right=right)) from error
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:  # TypeError: it wants a password
        right = "write one with: openssl genrsa -out FILE 2048"
        raise RenderError(
            Fault(file=file, rule="dkim", what="this is no private key in PEM without a password", right=right)
        ) from error
    if not isinstance(key, RSAPrivateKey) or key.key_size < LEAST_BITS:
        what = f"this is no RSA key of {LEAST_BITS} bits or more"
        raise RenderError(Fault(file=file, rule="dkim", what=what, right=f"openssl genrsa -out FILE {LEAST_BITS}"))
    return Signer(domain=domain, selector=selector, key=key)


# -- what a delivered message's signatures say ------------------------------------------------------


def examine(data: bytes, known: Signer | None = None) -> list[Finding]:
    """Whether a delivered message is signed so that one-click unsubscribing is honoured; with our key, whether it holds."""
    head, body = _parted(re.sub(rb"\r?\n", b"\r\n", data))
    fields = _fields(head)
    findings = [_stands_once(fields, name) for name in ONE_CLICK]
    signatures = [field for name, field in fields if name == "dkim-signature"]
    if not signatures:
        advice = "Let the relay sign, or set dkim_selector and dkim_key_file of this channel."
        return [*findings, Finding(ok=False, what="the message has no DKIM-Signature", advice=advice)]
    covering = [signature for signature in signatures if set(ONE_CLICK) <= set(_covered(signature))]
    for signature in signatures:
        tags = _tags(signature)
        lacks = [name for name in ONE_CLICK if name not in _covered(signature)]
        told = f"signature of {tags.get('d', '?')}, selector {tags.get('s', '?')}: "
        told += f"leaves out {' and '.join(lacks)}" if lacks else "covers both headers for unsubscribing"
        advice = "Add them to what the relay signs (OpenDKIM: SignHeaders; its own list lacks the second)." if lacks else ""
        findings.append(Finding(ok=not lacks or bool(covering), what=told, advice=advice))
        if known is not None and (tags.get("d", "").lower(), tags.get("s")) == (known.domain, known.selector):
            holds = _holds(fields, body, signature, known.key.public_key())
            what = "our own signature " + ("holds" if holds else "does not hold: the message was changed on its way")
            findings.append(Finding(ok=holds, what=what))
    return findings


def _stands_once(fields: list[tuple[str, bytes]], name: str) -> Finding:
    times = sum(1 for one, _ in fields if one == name)
    return Finding(ok=times == 1, what=f"{name} stands in it {'once' if times == 1 else f'{times} times'}")


def _holds(fields: list[tuple[str, bytes]], body: bytes, signature: bytes, key: RSAPublicKey) -> bool:
    """Whether one relaxed/simple signature fits the message and the key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    tags = _tags(signature)
    if tags.get("c") != "relaxed/simple" or tags.get("a") != "rsa-sha256" or tags.get("bh") != _body_hash(body).decode():
        return False
    others = [(name, field) for name, field in fields if field != signature]
    unsigned = _VALUE_OF_B.sub(rb"\1", signature.partition(b":")[2])
    try:
        given = base64.b64decode(re.sub(r"\s", "", tags.get("b", "")))
        key.verify(given, _signed_bytes(others, _covered(signature), unsigned), padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


# -- RFC 6376 §3.4 and §3.5 ---------------------------------------------------------------------------


def _parted(data: bytes) -> tuple[bytes, bytes]:
    head, _, body = data.partition(b"\r\n\r\n")
    return head, body


def _fields(head: bytes) -> list[tuple[str, bytes]]:
    """(name in lower case, the field as it stands) in order."""
    found = []
    for field in re.split(rb"\r\n(?![ \t])", head):
        named = _FIELD.match(field)
        if named:
            found.append((named[1].decode("ascii").lower(), field))
    return found


def _relaxed(field: bytes) -> bytes:
    name, _, value = field.partition(b":")
    if b"\r" in value or b"\t" in value or b"  " in value:  # few are: asked first, for this is done for every message
        value = _BLANKS.sub(b" ", value.replace(b"\r\n", b""))
    return name.strip().lower() + b":" + value.strip()


def _signed_bytes(fields: list[tuple[str, bytes]], covered: list[str], unsigned: bytes) -> bytes:
    """The headers in the order of ``h=``, the last of a name first, then the signature's own without its value."""
    left: dict[str, list[bytes]] = {}
    for name, field in fields:
        left.setdefault(name, []).append(field)
    lines = [_relaxed(left[name].pop()) + b"\r\n" for name in covered if left.get(name)]
    return b"".join(lines) + _relaxed(b"dkim-signature:" + unsigned)


def _body_hash(body: bytes) -> bytes:
    """Of the body with its empty lines at the end taken off (simple)."""
    end = len(body)
    while body.endswith(b"\r\n", 0, end):
        end -= 2
    found = hashlib.sha256(memoryview(body)[:end])
    found.update(b"\r\n")
    return base64.b64encode(found.digest())


def _unsigned(domain: str, selector: str, covered: list[str], body_hash: bytes) -> bytes:
    names = ""
    for name in covered:
        names += ("" if not names else ":") + ("\r\n " if len(names.rpartition("\n")[2]) + len(name) > _LINE - 8 else "") + name
    first = f"v=1; a=rsa-sha256; c=relaxed/simple; d={domain};\r\n s={selector}; h={names};\r\n bh="
    return first.encode("ascii") + body_hash + b";\r\n b="


def _folded(text: bytes) -> bytes:
    return b"\r\n ".join(text[start : start + _LINE] for start in range(0, len(text), _LINE))


def _tags(signature: bytes) -> dict[str, str]:
    text = signature.partition(b":")[2].decode("ascii", "replace")
    found: dict[str, Any] = {}
    for part in text.split(";"):
        match = _TAG.fullmatch(part)
        if match:
            found[match[1]] = match[2]
    return found


def _covered(signature: bytes) -> list[str]:
    return [name.strip().lower() for name in _tags(signature).get("h", "").split(":")]
