"""What two readers of one edition get, compared byte for byte: the proof that a mail tells nobody who reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from html import escape
from typing import TYPE_CHECKING, Final

from syndicate import links
from syndicate.publish import messages
from syndicate.render import mime
from syndicate.render.frozen import Frozen, Recipient, values

if TYPE_CHECKING:
    from datetime import datetime

    from syndicate.app import App
    from syndicate.store.agenda import Variant

# Two readers who are not: of the same length, so that every line of one stands beside the same line of the other.
_READERS: Final = ("one@readers.example", "two@readers.example")
_OWN_HEADERS: Final = ("To", "Message-ID", "List-Unsubscribe")


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One place where two readers' mails differ."""

    what: str  # "address", "unsubscribe", "header To"; "" where nothing may differ
    one: str  # the line in the first mail, as it is sent
    two: str


def differences(app: App, variant: Variant, now: datetime) -> list[Difference]:
    """Every line that differs between two readers' mails of one variant."""
    frozen = Frozen.from_json(variant.frozen)
    first, second = (_mail(app, variant, frozen, place, address, now) for place, address in enumerate(_READERS, start=1))
    one, two = first[1].split(b"\r\n"), second[1].split(b"\r\n")
    found: list[Difference] = []
    for kind, start, end, begin, stop in SequenceMatcher(None, one, two, autojunk=False).get_opcodes():
        if kind != "equal":
            found += _pairs(one[start:end], two[begin:stop], first[0], second[0])
    return found


def _mail(
    app: App, variant: Variant, frozen: Frozen, place: int, address: str, now: datetime
) -> tuple[Mapping[bytes, str], bytes]:
    """The lines that may be this reader's own, and the mail."""
    edition = variant.edition
    token = links.sign(links.ReaderToken(subscriber=place, newsletter=0), app.token_keys)
    reader = Recipient(
        address=address,
        unsubscribe_url=app.public(f"u/{token}"),
        preferences_url=app.public(f"p/{token}"),
        subscribed_on=now.date(),
    )
    key = links.delivery_key("privacy", str(edition.key), "", address, str(variant.key), 0)
    letter = app.settings.newsletters[edition.newsletter]
    head = messages.envelope(
        app, edition.newsletter, letter, f"{edition.newsletter}-{edition.frequency}", date=edition.at, key=key
    )
    data = mime.message(frozen, reader, head).data
    return dict(_own(reader, head, data)), data


def _own(reader: Recipient, head: mime.Envelope, data: bytes) -> Iterator[tuple[bytes, str]]:
    for name, value in values(reader).items():
        for form in (value, escape(value, quote=True)):
            yield mime.quoted_printable(form).removesuffix(b"\r\n"), name
    mark = head.boundary.encode()
    for line in data.partition(b"\r\n\r\n")[0].split(b"\r\n"):
        name = line.partition(b":")[0].decode()
        if name in _OWN_HEADERS or mark in line:
            yield line, f"header {name}"
    yield b"--" + mark, "boundary"
    yield b"--" + mark + b"--", "boundary"


def _pairs(one: list[bytes], two: list[bytes], first: Mapping[bytes, str], second: Mapping[bytes, str]) -> Iterator[Difference]:
    for place in range(max(len(one), len(two))):
        here, there = (lines[place] if place < len(lines) else b"" for lines in (one, two))
        name = first.get(here, "")
        yield Difference(what=name if name == second.get(there) else "", one=here.decode("ascii"), two=there.decode("ascii"))
