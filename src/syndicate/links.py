"""Permanent ids, delivery keys, TIDs, slugs, signed reader links and return paths. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from syndicate.model import require_aware

_TAG: Final = re.compile(
    r"tag:(?P<authority>[a-z0-9.@_-]+),(?P<date>\d{4}(?:-\d\d(?:-\d\d)?)?):(?P<specific>[0-9a-zA-Z;/?:@&=+$.\-_!~*'()%,]+)"
)
_TID_ALPHABET: Final = "234567abcdefghijklmnopqrstuvwxyz"
_BASE32: Final = "abcdefghijklmnopqrstuvwxyz234567"  # RFC 4648 §6, in small letters
_RETURN: Final = re.compile(r"[A-Za-z2-7]{32}")  # with its separator it leaves 31 octets of a local part (RFC 5321)
_PAIRS: Final = [one + two for one in _BASE32 for two in _BASE32]  # the library encodes five bytes at a time, in Python
MARK: Final = "s"  # the query parameter that makes a link unique per (item, channel, revision)


def opaque(source: str, path: str, date: str) -> str:
    """The opaque part of an item's id: 16 base32 characters of SHA-256 (feeds.md C2).

    ``path`` is the one at first sight and ``date`` the text of its date then: a lost database with
    unrenamed files gives the same ids again.
    """
    digest = hashlib.sha256("\0".join((source, path, date)).encode()).digest()
    return base64.b32encode(digest[:10]).decode().lower()  # ten bytes are sixteen characters


def tag_uri(authority: str, kind: str, specific: str) -> str:
    """``tag:AUTHORITY,DATE:kind/opaque`` (RFC 4151); ``authority`` is ``example.org,2015``."""
    return f"tag:{authority}:{kind}/{specific}"


def is_tag_uri(text: str) -> bool:
    """Whether ``text`` is a tag URI that feed validators accept (RFC 4151, feeds.md C2)."""
    return _TAG.fullmatch(text) is not None


def slugify(text: str) -> str:
    """A path segment: lower-case ASCII letters, digits and single hyphens; may be empty."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


@lru_cache(maxsize=4_096)  # few names, in many briefs
def name_slug(name: str) -> str:
    """The path segment of a topic, author or series: as ``slugify``, and never empty.

    A name whose letters ASCII cannot hold gets a short digest, so that two such names stay apart.
    Applied to a slug it gives the same slug.
    """
    plain = slugify(name)
    folded = unicodedata.normalize("NFKD", name)
    if plain and not any(sign.isalpha() and not sign.isascii() for sign in folded):
        return plain
    digest = hashlib.sha256(unicodedata.normalize("NFC", name).casefold().encode()).hexdigest()[:8]
    return f"{plain}-{digest}" if plain else f"n{digest}"


def delivery_key(kind: str, subject: str, channel: str, place: str, variant: str, revision: int) -> str:
    """A delivery's key for every network: SHA-256 hex (delivery.md C)."""
    return hashlib.sha256("\0".join((kind, subject, channel, place, variant, str(revision))).encode()).hexdigest()


def tid(key: str, due: datetime) -> str:
    """A deterministic AT-protocol TID from a delivery's key and its frozen due time (social.md 3).

    The milliseconds come from ``due``; the low microsecond digits and the clock id from the key, so
    that two posts due in one millisecond do not collide.
    """
    digest = hashlib.sha256(key.encode()).digest()
    millis = round(due.astimezone(UTC).timestamp() * 1000)
    micros = millis * 1000 + int.from_bytes(digest[2:4], "big") % 1000
    number = micros << 10 | int.from_bytes(digest[:2], "big") & 1023
    return "".join(_TID_ALPHABET[number >> shift & 31] for shift in range(60, -1, -5))


def marked(link: str, channel: str, revision: int) -> str:
    """The link of one item on one channel and revision: campaign tag, reconciliation mark and dedupe key in one."""
    parts = urlsplit(link)
    mark = f"{channel}.{revision}" if revision else channel
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != MARK]
    return urlunsplit(parts._replace(query=urlencode([*query, (MARK, mark)])))


@dataclass(frozen=True, kw_only=True, slots=True)
class ReaderToken:
    """Whose subscription a reader link means: 16 bytes, 22 base64url characters (email.md 30)."""

    subscriber: int  # the subscriber's key, below 2**40
    newsletter: int  # the newsletter's key, below 2**16


def sign(token: ReaderToken, keys: Mapping[int, bytes], purpose: str = "link") -> str:
    """Sign with the newest key: number (1 byte), subscriber (5), newsletter (2), 64-bit MAC (8)."""
    return _seal(purpose, token.subscriber.to_bytes(5, "big") + token.newsletter.to_bytes(2, "big"), keys)


def verify(text: str, keys: Mapping[int, bytes], purpose: str = "link") -> ReaderToken | None:
    """The token that ``text`` signs for ``purpose``, or ``None`` where it is not ours. Old keys keep verifying."""
    held = _unseal(purpose, text, 7, keys)
    if held is None:
        return None
    return ReaderToken(subscriber=int.from_bytes(held[:5], "big"), newsletter=int.from_bytes(held[5:], "big"))


@dataclass(frozen=True, kw_only=True, slots=True)
class FreshToken:
    """A reader link for one purpose that ends: to a reader's own data, or to erase them."""

    token: ReaderToken
    until: datetime  # aware, whole minutes: when it stops working

    def __post_init__(self) -> None:
        """Refuse a naive time."""
        require_aware("until", self.until)


def sign_fresh(fresh: FreshToken, keys: Mapping[int, bytes], purpose: str) -> str:
    """Sign with the newest key; the end stands in the link, in minutes since 1970."""
    token, minutes = fresh.token, int(fresh.until.timestamp()) // 60
    held = token.subscriber.to_bytes(5, "big") + token.newsletter.to_bytes(2, "big") + minutes.to_bytes(4, "big")
    return _seal(f"fresh-{purpose}", held, keys)


def verify_fresh(text: str, keys: Mapping[int, bytes], purpose: str) -> FreshToken | None:
    """What ``sign_fresh`` signed for ``purpose``, or ``None``; whether it has ended is the caller's to see."""
    held = _unseal(f"fresh-{purpose}", text, 11, keys)
    if held is None:
        return None
    token = ReaderToken(subscriber=int.from_bytes(held[:5], "big"), newsletter=int.from_bytes(held[5:7], "big"))
    return FreshToken(token=token, until=datetime.fromtimestamp(int.from_bytes(held[7:], "big") * 60, UTC))


def stamp(at: datetime, keys: Mapping[int, bytes]) -> str:
    """A signed time, for a form that says when it was given out."""
    require_aware("at", at)
    return _seal("form", int(at.timestamp()).to_bytes(5, "big"), keys)


def stamped(text: str, keys: Mapping[int, bytes]) -> datetime | None:
    """The time that ``stamp`` signed, to the second, or ``None`` where it is not ours."""
    held = _unseal("form", text, 5, keys)
    return None if held is None else datetime.fromtimestamp(int.from_bytes(held, "big"), UTC)


def _seal(purpose: str, held: bytes, keys: Mapping[int, bytes]) -> str:
    number = max(keys)
    head = bytes([number]) + held
    return base64.urlsafe_b64encode(head + _mac(purpose, head, keys[number])).rstrip(b"=").decode()


def _unseal(purpose: str, text: str, size: int, keys: Mapping[int, bytes]) -> bytes | None:
    """What was sealed: ``size`` bytes; ``None`` for anything that we did not write exactly so."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    if len(raw) != 1 + size + 8 or raw[0] not in keys or base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != text:
        return None
    head, mac = raw[:-8], raw[-8:]
    return head[1:] if hmac.compare_digest(mac, _mac(purpose, head, keys[raw[0]])) else None


def _mac(purpose: str, head: bytes, key: bytes) -> bytes:
    return _hmac(key, f"reader-{purpose}".encode() + head)[:8]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReturnToken:
    """Which delivery a mail that comes back means: 20 bytes, 32 base32 letters, which no mail server's case folding harms."""

    sending: int  # the sending's key, below 2**32
    place: int  # the subscriber's key, below 2**40


def sign_return(token: ReturnToken, keys: Mapping[int, bytes]) -> str:
    """Sign with the newest key: number (1 byte), sending (4), place (5), 80-bit MAC (10). The same for every retry."""
    number = max(keys)
    head = bytes([number]) + token.sending.to_bytes(4, "big") + token.place.to_bytes(5, "big")
    whole = int.from_bytes(head + _return_mac(head, keys[number]), "big")
    return "".join([_PAIRS[whole >> shift & 1023] for shift in range(150, -1, -10)])


def verify_return(text: str, keys: Mapping[int, bytes]) -> ReturnToken | None:
    """The token that ``text`` signs, in whatever case it came back, or ``None`` where it is not ours."""
    if not _RETURN.fullmatch(text):
        return None
    raw = base64.b32decode(text.upper())
    head, mac = raw[:10], raw[10:]
    if raw[0] not in keys or not hmac.compare_digest(mac, _return_mac(head, keys[raw[0]])):
        return None
    return ReturnToken(sending=int.from_bytes(head[1:5], "big"), place=int.from_bytes(head[5:], "big"))


def return_path(address: str, token: str, separator: str = "+") -> str:
    """``bounces@example.org`` with a token in its local part: ``bounces+TOKEN@example.org`` (VERP, RFC 5233 sub-address)."""
    local, _, domain = address.rpartition("@")
    return f"{local}{separator}{token}@{domain}"


def _return_mac(head: bytes, key: bytes) -> bytes:
    return _hmac(key, b"return-path" + head)[:10]


def _hmac(key: bytes, words: bytes) -> bytes:
    """HMAC-SHA-256 (RFC 2104).

    ``hmac.digest`` lets go of the interpreter's lock, and where many threads send, getting that back takes longer
    than the digest.
    """
    pads = _pads(key)
    inner, outer = pads[0].copy(), pads[1].copy()
    inner.update(words)
    outer.update(inner.digest())
    return outer.digest()


@lru_cache(maxsize=16)  # the keys that sign
def _pads(key: bytes) -> tuple[hashlib._Hash, hashlib._Hash]:
    block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")  # noqa: PLR2004 - SHA-256's block
    return hashlib.sha256(bytes(byte ^ 0x36 for byte in block)), hashlib.sha256(bytes(byte ^ 0x5C for byte in block))
