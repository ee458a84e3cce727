"""The plan as an iCalendar file (RFC 5545). Pure; knows neither the desk nor the ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

_OCTETS: Final = 75  # of a line without its end (RFC 5545 §3.1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One thing that is due."""

    at: datetime  # aware
    summary: str  # our own words
    about: str = ""
    cancelled: bool = False  # it will not happen: programs that know it strike it out
    key: str  # what makes it the same event in the next export


def written(events: Sequence[Event], *, name: str, host: str, now: datetime) -> bytes:
    """A calendar of events without length, UTF-8 with CRLF; ``host`` makes their names unique in the world."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//syndicate//plan//EN",
        "CALSCALE:GREGORIAN",
        f"X-WR-CALNAME:{_text(name)}",
    ]
    for event in events:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{hashlib.sha256(event.key.encode()).hexdigest()[:32]}@{host}",
            f"DTSTAMP:{_instant(now)}",
            f"DTSTART:{_instant(event.at)}",
            f"SUMMARY:{_text(event.summary)}",
            *([f"DESCRIPTION:{_text(event.about)}"] if event.about else []),
            *(["STATUS:CANCELLED"] if event.cancelled else []),
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return b"".join(part + b"\r\n" for line in lines for part in _folded(line))


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(words: str) -> str:
    """RFC 5545 §3.3.11."""
    plain = "".join(sign if sign >= " " or sign == "\n" else " " for sign in words.replace("\r\n", "\n"))
    return plain.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _folded(line: str) -> Iterator[bytes]:
    """A line in parts of at most 75 octets, none of which cuts a character."""
    part = b""
    for sign in line:
        octets = sign.encode()
        if len(part) + len(octets) > _OCTETS:
            yield part
            part = b" "
        part += octets
    yield part
