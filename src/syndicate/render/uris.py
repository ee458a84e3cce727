"""Text that XML and HTML can carry, and links that every reader can follow. Pure."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

import idna

# What XML 1.0 §2.2 excludes, the noncharacters that HTML's parser reports, and U+FFFD, the scar of text
# that was decoded wrongly: feed validators warn of it (w3c/feedvalidator, BadCharacters).
_ILLEGAL: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufdd0-\ufdef\ufffd-\uffff"
    + "".join(f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(1, 17))
    + "]"
)
# What ``clean`` may have to change: one cheap class, in which everything beyond the first plane counts as doubtful.
_DOUBTFUL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffd-\U0010ffff]")
_C1: Final = re.compile("[\x80-\x9f]")
_BIDI: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
_STRAY_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?\.?|\[[0-9a-f:.]+\]")
_PATH: Final = "/;:@&=+$,-_.!~*'()%"  # RFC 2396's unreserved and reserved characters that a path may hold
_SCHEMES: Final = frozenset({"http", "https", "mailto"})


def clean(text: str) -> str:
    """Leave out the characters that no feed can carry; line ends become line feeds.

    The C1 range is read as Windows-1252, as HTML does with numeric references, so that the apostrophes of
    wrongly saved files survive.
    """
    if _DOUBTFUL.search(text) is None:
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _C1.sub(lambda match: bytes([ord(match[0])]).decode("cp1252", "ignore"), text)
    return _ILLEGAL.sub("", text)


def one_line(text: str) -> str:
    """Plain text for a title or a name: clean, on one line, without marks that turn the writing's direction."""
    return " ".join(_BIDI.sub("", clean(text)).split())


def without_bidi(text: str) -> str:
    """``text`` without directional embeddings, overrides and isolates (U+202A-202E, U+2066-2069)."""
    return _BIDI.sub("", text)


def to_uri(iri: str) -> str:
    """The URI of an IRI (RFC 3987 §3.1), its host in IDNA 2008 form (UTS 46).

    Raises
    ------
    ValueError
        It has no usable host, or its port is no number.
    """
    parts = urlsplit(clean(iri).strip())
    netloc = parts.netloc
    if netloc:
        host = _host(parts.hostname or "")
        userinfo = f"{quote(netloc.rpartition('@')[0], safe=_PATH)}@" if "@" in netloc else ""
        port = "" if parts.port is None else f":{parts.port}"
        netloc = f"{userinfo}{host}{port}"
    path, query, fragment = (
        _STRAY_PERCENT.sub("%25", quote(part, safe=safe))
        for part, safe in ((parts.path, _PATH), (parts.query, _PATH + "?"), (parts.fragment, _PATH + "?"))
    )
    return urlunsplit((parts.scheme.lower(), netloc, path, query, fragment))


def _host(host: str) -> str:
    if ":" in host:
        host = f"[{host}]"
    elif not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode("ascii")
        except idna.IDNAError as error:
            msg = f"{host!r} is not a host name"
            raise ValueError(msg) from error
    if not _HOST.fullmatch(host.lower()):
        msg = f"{host!r} is not a host name"
        raise ValueError(msg)
    return host.lower()


def absolute(href: str, base: str) -> str:
    """``href`` against ``base`` as an absolute http, https or mailto URI; ``""`` where it is none of these."""
    try:
        joined = urljoin(base, clean(href).strip())
        parts = urlsplit(joined)
        if parts.scheme.lower() not in _SCHEMES or (parts.scheme.lower() != "mailto" and not parts.netloc):
            return ""
        return to_uri(joined)
    except ValueError:
        return ""
