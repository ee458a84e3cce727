"""What is kept of a rendered edition, and how one reader's own values fill its gaps. No template is seen here. Pure."""

from __future__ import annotations

import html as markup_escape
import json
import re
from dataclasses import asdict, dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from syndicate.errors import Refused
from syndicate.render.wording import Wording

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date as civil_date

# The gaps and the most characters that each takes, as the size gate counts them.
GAPS: Final[Mapping[str, int]] = MappingProxyType(
    {"unsubscribe": 160, "preferences": 160, "confirm": 160, "address": 254, "since": 40}
)
URL_GAPS: Final = ("unsubscribe", "preferences", "confirm")

# What no header may hold: control characters, lone surrogates, bidi controls and zero-width characters.
_UNSPEAKABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200b-\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]")
_WEB_URL: Final = re.compile(r"(?:https://|http://(?:127\.0\.0\.1|localhost)(?::\d+)?/)[\x21-\x7e]*")
PLAIN_LINK: Final = re.compile(r"https://[a-z0-9.-]+/[A-Za-z0-9_/-]*")  # nearly every one: asked first
_PERSONAL: Final = re.compile(r"<!--personal-->.*?<!--/personal-->", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Token:
    """A gap for one reader's own value."""

    name: str  # a key of ``GAPS``


Parts = tuple[str | Token, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipient:
    """One reader, as far as a mail names them."""

    address: str  # addr-spec
    unsubscribe_url: str = ""  # "" where there is nothing to end yet: the confirmation of a wish
    preferences_url: str = ""
    confirm_url: str = ""  # of a confirmation alone
    subscribed_on: civil_date  # in the reader's or the site's zone
    name: str = ""  # display name for the To header


@dataclass(frozen=True, kw_only=True, slots=True)
class Frozen:
    """One edition and variant, rendered once: what stays the same for every reader, and the gaps between."""

    subject: str
    preheader: str
    html: Parts
    text: Parts
    nonce: str  # marks the gaps; the same edition has the same one
    size: int  # bytes of the HTML with the longest values
    lang: str = "en"  # BCP 47: in which a reader's own date is written
    cut: str = ""  # what was left out so that mail clients show all of it, for the editor; "" where nothing was

    def __hash__(self) -> int:
        """Of what tells editions apart: it is asked for once for every message."""
        return hash((self.nonce, self.size, self.lang))

    def to_json(self) -> str:
        """One JSON document, for the store; ``from_json`` gives back an equal value."""
        values = asdict(self)
        for part in ("html", "text"):
            values[part] = [piece if isinstance(piece, str) else {"token": piece.name} for piece in getattr(self, part)]
        return json.dumps(values, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Frozen:
        """Back from ``to_json``."""
        return _thawed(text)

    def page(self) -> str:
        """The edition for the browser: the HTML without what is said to one reader alone."""
        whole = "".join(piece if isinstance(piece, str) else f"<{piece.name}>" for piece in self.html)
        return _PERSONAL.sub("", whole)


@lru_cache(maxsize=64)  # one edition goes to very many readers: the store's text is read once
def _thawed(text: str) -> Frozen:
    found: dict[str, Any] = json.loads(text)
    for part in ("html", "text"):
        found[part] = tuple(piece if isinstance(piece, str) else Token(piece["token"]) for piece in found[part])
    return Frozen(**found)


@lru_cache(maxsize=4096)  # readers who came on one day share it
def since(day: civil_date, lang: str) -> str:
    """The day on which a reader subscribed, as their language writes it."""
    return Wording(lang=lang).day(day)


def values(recipient: Recipient, lang: str = "en") -> dict[str, str]:
    """What fills the gaps for one reader, checked; a link that they have not is left out.

    Raises
    ------
    Refused
        A value that would break out of its place, or is longer than the size gate allowed for. The message
        names the gap, never the value.
    """
    found = {"address": recipient.address, "since": since(recipient.subscribed_on, lang)}
    for name, url in zip(URL_GAPS, (recipient.unsubscribe_url, recipient.preferences_url, recipient.confirm_url), strict=True):
        if not url:
            continue
        if not PLAIN_LINK.fullmatch(url) and not is_web_url(url):
            msg = f"the {name} link of this reader is not an https address"
            raise Refused(msg, code="link")
        found[name] = url
    for name, value in found.items():
        if len(value) > GAPS[name] or (not (value.isascii() and value.isprintable()) and _UNSPEAKABLE.search(value)):
            msg = f"the {name} of this reader is too long or holds control characters"
            raise Refused(msg, code=name)
    return found


def splice(parts: Parts, filling: Mapping[str, str], *, html: bool) -> str:
    """One part for one reader: a single join, no search in the text, so that a value cannot hold a gap."""
    if html:
        filling = {name: markup_escape.escape(value, quote=True) for name, value in filling.items()}
    return "".join(piece if isinstance(piece, str) else filling[piece.name] for piece in parts)


def is_web_url(url: str) -> bool:
    """Whether a link may stand in a mail: https (http on loopback), ASCII, nothing that ends an attribute or a header."""
    return bool(_WEB_URL.fullmatch(url)) and not set(url) & set('"<>')


def unspeakable(text: str) -> str:
    """The first character of ``text`` that no header may hold, as ``U+202E``; "" where all is well."""
    found = _UNSPEAKABLE.search(text)
    return f"U+{ord(found.group()):04X}" if found else ""
