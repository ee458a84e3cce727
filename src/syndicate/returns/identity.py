"""Whose message came back: a token that we signed, wherever it survived. Pure.

Everything else in such a mail can be written by anybody, so nothing else is believed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from syndicate import links
from syndicate.returns.parts import Part, headers_of

# `bounces+TOKEN@`, `KEY.TOKEN@` in a Message-ID, and what SRS, BATV and other rewriting of senders makes of them.
_MARK: Final = re.compile(r"[+.\-=]([A-Za-z2-7]{32})(?=[@=])")
_LINK: Final = re.compile(r"/u/([A-Za-z0-9_-]{22})(?![A-Za-z0-9_-])")
_MOST_TRIES: Final = 200
# Where a bounce itself went to: servers keep the envelope's address in one of these.
_ADDRESSED: Final = frozenset(
    {
        "to",
        "delivered-to",
        "x-delivered-to",
        "x-original-to",
        "envelope-to",
        "x-envelope-to",
        "x-rcpt-to",
        "apparently-to",
        "x-forwarded-to",
    }
)
# What the mail that came back says of itself.
_RETURNED: Final = frozenset(
    {"return-path", "message-id", "x-original-return-path", "x-envelope-from", "envelope-from", "sender"}
)
_ABOUT: Final = frozenset({"in-reply-to", "references", "x-original-message-id", "original-message-id"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Whose:
    """What a signature vouches for: a delivery, or where only the link to leave survived, a reader."""

    delivery: links.ReturnToken | None = None
    reader: links.ReaderToken | None = None

    def __bool__(self) -> bool:
        """Whether it is ours at all."""
        return self.delivery is not None or self.reader is not None


def whose(mail: Part, named: Iterable[str], copy: bytes, keys: Mapping[int, bytes]) -> Whose:
    """The delivery or reader that a returned mail means; empty where nothing in it is signed by us.

    ``named`` are fields of a report, ``copy`` is what a text quotes of the mail that came back.
    """
    inner = [*_carried(mail), headers_of(copy)]
    texts = [
        *(value for name, value in mail.headers if name in _ADDRESSED),
        *named,
        *(value for headers in inner for name, value in headers if name in _RETURNED),
        *(value for name, value in mail.headers if name in _ABOUT),
    ]
    leaving = [value for headers in inner for name, value in headers if name == "list-unsubscribe"]
    return among(texts, leaving, keys)


def among(texts: Iterable[str], leaving: Iterable[str], keys: Mapping[int, bytes]) -> Whose:
    """The first delivery that ``texts`` name by a token of ours, else the reader whose link stands in ``leaving``."""
    for mark in islice(_found(_MARK, texts), _MOST_TRIES):
        delivery = links.verify_return(mark, keys)
        if delivery is not None:
            return Whose(delivery=delivery)
    for mark in islice(_found(_LINK, leaving), _MOST_TRIES):
        reader = links.verify(mark, keys)
        if reader is not None:
            return Whose(reader=reader)
    return Whose()


def _found(pattern: re.Pattern[str], texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        for match in pattern.finditer(text):
            yield match[1]


def _carried(mail: Part) -> Iterator[tuple[tuple[str, str], ...]]:
    """The headers of the mail that came back: the first one carried inside."""
    kinds = {"message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/global", "message/global-headers"}
    found = next((part for part in mail.walk() if part.type in kinds), None)
    if found is not None:
        yield headers_of(found.decoded())
