"""Files as HTTP serves them, feeds above all: types, validators, pre-compressed variants. Never renders anything.

A file is opened once, and its dates and bytes come from that one opening, so that a rebuild in the middle of an
answer cannot mix two versions. Only names with a known ending below the given folder exist. A range is never served:
the parts of a document that changes would not fit together.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from syndicate.web.layout import publication

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from starlette.requests import Request

FEED_TYPES: Final = {
    "rss": "application/rss+xml; charset=utf-8",
    "atom": "application/atom+xml; charset=utf-8",
    "json": "application/feed+json; charset=utf-8",
    "xml": "application/xml; charset=utf-8",
    "opml": "text/x-opml; charset=utf-8",
    "css": "text/css; charset=utf-8",
}
IMAGE_TYPES: Final = {
    "avif": "image/avif",
    "gif": "image/gif",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "png": "image/png",
    "svg": "image/svg+xml",
    "webp": "image/webp",
}
# Chromium shows RSS and Atom as plain text without their style sheet unless they come as plain XML.
_XML_IN_BROWSERS: Final = frozenset({"rss", "atom"})
_VARIANTS: Final = (("br", ".br"), ("gzip", ".gz"), ("identity", ""))  # in our order of preference
_TAGS: Final = re.compile(r'(W/)?("[^"]*")')
_METHODS: Final = "GET, HEAD, OPTIONS"
_OPEN_TO_ALL: Final = {"Access-Control-Allow-Origin": "*"}
_DAY: Final = 86_400  # s


@dataclass(frozen=True, kw_only=True, slots=True)
class _Opened:
    """One version of one file."""

    data: bytes
    modified: datetime  # aware UTC, whole seconds
    stamp: int  # nanoseconds since 1970: equal in all variants of one version


def answer(
    request: Request, folder: Path, name: str, types: Mapping[str, str], headers: Mapping[str, str] | None = None
) -> Response:
    """``folder/name`` for this request: 200, 304 or 412 (RFC 9110 §8.8, §12.5.3, §13), or 204 for OPTIONS.

    Raises
    ------
    HTTPException
        404 where there is no such file, or its ending is not among ``types``.
    """
    if request.method == "OPTIONS":
        return _preflight()
    kind = name.rpartition(".")[2]
    path = _below(folder, name)
    plain = _open(path) if path and kind in types else None
    if path is None or plain is None:
        raise HTTPException(404)
    encoding, shown = _variant(path, plain, request.headers.get("accept-encoding", ""))
    shape = _type(request, kind, types[kind])
    # One resource, two types of the same bytes: a strong tag tells them apart too (RFC 9110 §8.8.1).
    tag = f'"{hashlib.sha256(shape.encode() + shown.data).hexdigest()[:32]}"'
    # Two versions within one second leave a time of change ahead of the clock, which no answer may tell (§8.8.2.1).
    modified = min(plain.modified, publication(request).now().replace(microsecond=0))
    about = {
        "ETag": tag,
        "Last-Modified": format_datetime(modified, usegmt=True),
        "Cache-Control": "public, max-age=900",
        "Vary": "Accept-Encoding, Sec-Fetch-Dest" if kind in _XML_IN_BROWSERS else "Accept-Encoding",
        "Access-Control-Expose-Headers": "ETag, Link",
        **_OPEN_TO_ALL,
        **(headers or {}),
    }
    if not _met(request, tag, plain.modified):
        return Response(status_code=412, headers=about)
    if _unchanged(request, tag, plain.modified):
        return Response(status_code=304, headers=about)
    if encoding != "identity":
        about["Content-Encoding"] = encoding
    return Response(shown.data, headers={**about, "Accept-Ranges": "none", "Content-Type": shape})


def _preflight() -> Response:
    """What a page of another site may ask for (Fetch §3.2.2): anything that reads."""
    allowed = {
        "Allow": _METHODS,
        "Access-Control-Allow-Methods": _METHODS,
        "Access-Control-Allow-Headers": "If-Modified-Since, If-None-Match, *",
        "Access-Control-Max-Age": str(_DAY),
    }
    return Response(status_code=204, headers={**_OPEN_TO_ALL, **allowed})


def _below(folder: Path, name: str) -> Path | None:
    """The path of ``name`` inside ``folder``; ``None`` where it would lead out of it or to a hidden file."""
    parts = name.split("/")
    if "\0" in name or "\\" in name or any(not part or part.startswith(".") for part in parts):
        return None
    path = folder.joinpath(*parts)
    return path if path.resolve().is_relative_to(folder.resolve()) else None


def _open(path: Path) -> _Opened | None:
    try:
        with path.open("rb") as file:
            facts = os.fstat(file.fileno())
            data = file.read()
    except OSError:
        return None
    return _Opened(data=data, modified=datetime.fromtimestamp(int(facts.st_mtime), UTC), stamp=facts.st_mtime_ns)


def _type(request: Request, kind: str, declared: str) -> str:
    if kind in _XML_IN_BROWSERS and request.headers.get("sec-fetch-dest") == "document":
        return FEED_TYPES["xml"]
    return declared


def _variant(path: Path, plain: _Opened, accepted: str) -> tuple[str, _Opened]:
    """The best encoding that the client takes and that belongs to this version of the file."""
    weights = _weights(accepted)
    wildcard = weights.get("*", 0.0)
    best: tuple[float, str, _Opened] = (0.0, "identity", plain)
    for coding, suffix in _VARIANTS:
        weight = weights.get(coding, wildcard if coding != "identity" or "*" in weights else _UNNAMED_IDENTITY)
        if weight <= best[0]:
            continue
        variant = _open(path.with_name(path.name + suffix)) if suffix else plain
        if variant is not None and variant.stamp == plain.stamp:
            best = (weight, coding, variant)
    return best[1], best[2]


_UNNAMED_IDENTITY: Final = 0.0001  # welcome where nothing named is available (RFC 9110 §12.5.3)


def _weights(accepted: str) -> dict[str, float]:
    """``br;q=0.5, gzip`` as ``{"br": 0.5, "gzip": 1.0}``; a weight that is not one counts as nought."""
    weights: dict[str, float] = {}
    for part in accepted.lower().split(","):
        coding, *parameters = (piece.strip() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                weight = _number(parameter[2:])
        if coding:
            weights["gzip" if coding == "x-gzip" else coding] = weight
    return weights


def _number(text: str) -> float:
    return min(float(text), 1.0) if re.fullmatch(r"\d(\.\d{0,3})?", text) else 0.0


def _met(request: Request, tag: str, modified: datetime) -> bool:
    """Whether the client still wants this version: strong comparison; a date counts only without a tag."""
    tags = ", ".join(request.headers.getlist("if-match")).strip()
    if tags:
        return tags == "*" or ("", tag) in _TAGS.findall(tags)
    until = _date(request.headers.get("if-unmodified-since", ""))
    return until is None or until >= modified


def _unchanged(request: Request, tag: str, modified: datetime) -> bool:
    """Whether the client's copy is good: weak comparison, lists and ``*``; a date counts only without a tag."""
    tags = request.headers.getlist("if-none-match")
    if tags:
        text = ", ".join(tags)
        return text.strip() == "*" or any(tag == known for _, known in _TAGS.findall(text))
    since = _date(request.headers.get("if-modified-since", ""))
    return since is not None and since >= modified


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
