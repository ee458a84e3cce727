"""A mail taken apart, however broken, in time that grows with its length alone. Pure; refuses nothing.

The standard library's parser keeps a list of open boundaries and asks each of them about every line; a hostile mail
makes that slow, or deeper than Python's stack. Here depth, parts and headers have a most, and each byte is looked at
a fixed number of times.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

MOST_BYTES: Final = 25_000_000  # of one mail; what is longer is cut, and its end not looked at
_MOST_HEADER: Final = 262_144  # bytes of one header block
_MOST_LINES: Final = 2_000  # header lines of one block
_MOST_VALUE: Final = 8_192  # characters of one header
_MOST_PARTS: Final = 64  # of one multipart
_MOST_DEPTH: Final = 5
_MOST_TEXT: Final = 65_536  # characters of a part's text that are looked at
_MOST_ENCODED: Final = 4 * _MOST_TEXT
_PARAMETER: Final = re.compile(r';[ \t]*([A-Za-z-]{1,40})(?:\*\d?\*?)?=(?:"((?:[^"\\]|\\.){0,300})"|([^\s;"]{0,300}))')
_BLANK: Final = re.compile(rb"\n\r?\n")
_TAG: Final = re.compile(r"<[^<>]{0,1000}>")


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One part of a mail, or the whole of it."""

    headers: tuple[tuple[str, str], ...]  # names in lower case, values on one line
    type: str = "text/plain"  # in lower case
    parameters: Mapping[str, str] = field(default_factory=dict)  # of the content type, names in lower case
    body: bytes = field(default=b"", repr=False)  # as it came, encoded
    parts: tuple[Part, ...] = ()  # of a multipart

    def header(self, name: str) -> str:
        """The first header of that name, or ``""``."""
        return next((value for known, value in self.headers if known == name), "")

    def decoded(self) -> bytes:
        """The body without its transfer encoding, at most as much as is looked at."""
        body, way = self.body[:_MOST_ENCODED], self.header("content-transfer-encoding").strip().lower()
        try:
            if way == "base64":
                return binascii.a2b_base64(body[: len(body) // 4 * 4 if len(body) == _MOST_ENCODED else None])
            return binascii.a2b_qp(body) if way == "quoted-printable" else body
        except (binascii.Error, ValueError):
            return body

    def text(self) -> str:
        """The words, from UTF-8 or any charset that holds ASCII; HTML without its tags."""
        words = self.decoded().decode("utf-8", "replace")[:_MOST_TEXT].replace("\r\n", "\n")
        return _TAG.sub(" ", words) if self.type == "text/html" else words

    def walk(self) -> Iterator[Part]:
        """This part and those inside it, in order; a mail that is carried inside stays closed."""
        yield self
        for part in self.parts:
            yield from part.walk()


def taken_apart(data: bytes) -> Part:
    """The mail in ``data``, with or without the ``From `` line that a pipe may put above it."""
    data = data[:MOST_BYTES].lstrip(b"\r\n")
    if data.startswith(b"From "):
        data = data.partition(b"\n")[2]
    return _part(data, 0)


def headers_of(data: bytes) -> tuple[tuple[str, str], ...]:
    """The header block at the beginning of ``data``."""
    return _headers(_split(data)[0])


def blocks_of(data: bytes) -> list[dict[str, str]]:
    """Header blocks parted by blank lines, as in a delivery status (RFC 3464 §2.1); the first of a name counts."""
    found = []
    for block in re.split(rb"\r?\n(?:[ \t]*\r?\n)+", data.strip())[:_MOST_PARTS]:
        fields: dict[str, str] = {}
        for name, value in _headers(block):
            fields.setdefault(name, value)
        found.append(fields)
    return found


def _part(data: bytes, depth: int) -> Part:
    block, body = _split(data)
    headers = _headers(block)
    kind = next((value for name, value in headers if name == "content-type"), "")
    name = kind.partition(";")[0].strip().lower() or "text/plain"
    parameters: dict[str, str] = {}
    for found in _PARAMETER.finditer(kind):
        parameters.setdefault(found[1].lower(), (found[2] or found[3] or "").replace("\\", ""))
    boundary = parameters.get("boundary", "").encode("utf-8", "replace")
    parts: tuple[Part, ...] = ()
    if name.startswith("multipart/") and boundary and depth < _MOST_DEPTH:
        parts = tuple(_part(piece, depth + 1) for piece in _pieces(body, boundary))
    return Part(headers=headers, type=name, parameters=parameters, body=body, parts=parts)


def _split(data: bytes) -> tuple[bytes, bytes]:
    """Header block and body; without headers where the first line is blank."""
    if data.startswith((b"\n", b"\r\n")):
        return b"", data.lstrip(b"\r\n")
    end = _BLANK.search(data, 0, _MOST_HEADER)
    return (data[: end.start()], data[end.end() :]) if end else (data[:_MOST_HEADER], b"")


def _headers(block: bytes) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, list[str]]] = []
    for line in block[:_MOST_HEADER].split(b"\n", _MOST_LINES)[:_MOST_LINES]:
        text = line[:_MOST_VALUE].decode("utf-8", "replace").rstrip("\r")
        if text[:1] in {" ", "\t"}:
            if found and len(found[-1][1]) < _MOST_PARTS:
                found[-1][1].append(text.strip())
            continue
        name, colon, value = text.partition(":")
        if colon and name.strip():
            found.append((name.strip().lower(), [value.strip()]))
    return tuple((name, " ".join(values)[:_MOST_VALUE]) for name, values in found)


def _pieces(body: bytes, boundary: bytes) -> Iterator[bytes]:
    """What stands between the boundaries; a closing one that is missing ends with the mail."""
    mark = b"\n--" + boundary
    whole = b"\n" + body
    begin, count = -1, 0
    at = whole.find(mark)
    while at >= 0 and count < _MOST_PARTS:
        after = at + len(mark)
        line_end = whole.find(b"\n", after)
        rest = whole[after : after + 80 if line_end < 0 else min(line_end, after + 80)].strip()
        if rest in {b"", b"--"}:
            if begin >= 0:
                yield whole[begin:at].removesuffix(b"\r")
                count += 1
            begin = line_end + 1 if line_end >= 0 else len(whole)
            if rest == b"--":
                return
        at = whole.find(mark, after)
    if begin >= 0 and count < _MOST_PARTS:
        yield whole[begin:]
