"""A frozen edition and one reader become RFC 5322 bytes, the same ones every time. Our own writer, for two reasons.

Python's ``email`` changes its folding between releases, so that a retry could differ from the first attempt,
and it folds or encodes ``List-Unsubscribe`` beyond 77 characters, which breaks one-click unsubscribing
(python/cpython#85725). Static parts are encoded once for each edition; a message is a join.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.policy import SMTP
from email.utils import format_datetime
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING, Any, Final

import idna

from syndicate.errors import Fault, Refused, RenderError
from syndicate.model import Message, require_aware
from syndicate.render.frozen import PLAIN_LINK, Frozen, Parts, Recipient, Token, is_web_url, since, unspeakable, values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date as civil_date

_LINE: Final = 76  # the longest encoded line, soft break included (RFC 2045 §6.7)
_HEADER_LINE: Final = 998  # the longest line of all (RFC 5322 §2.1.1)
_ENCODED_WORD: Final = 75  # the longest encoded word (RFC 2047 §2)
_UNSAFE: Final = re.compile(rb"[^\t\x20-\x3c\x3e-\x7e]")
_DOTTED: Final = re.compile(rb"\n\.")
_SIMPLE_ADDRESS: Final = re.compile(r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@[a-z0-9]+(?:[.-][a-z0-9]+)*", re.IGNORECASE)
_PLAIN_ADDRESS: Final = re.compile(  # at most 75 characters
    r"[a-z0-9_+-]{1,30}(?:\.[a-z0-9_+-]{1,9})?@[a-z0-9]{1,15}(?:[.-][a-z0-9]{1,9}){1,2}"
)
_LDH: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*")
_ATOM_WORDS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_LIST_ID: Final = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+")
_Q_SAFE: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_MESSAGE_ID: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+")
_FEEDBACK_ID: Final = re.compile(r"[A-Za-z0-9_.-]*:[A-Za-z0-9_.-]*:[A-Za-z0-9_.-]*:[A-Za-z0-9_.-]{5,15}")
_BOUNDARY: Final = re.compile(r"(?=[^\"]*=_)[0-9A-Za-z'()+_,./:=?-]{8,70}")
_PLAIN_PART: Final = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
_HTML_PART: Final = "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
_MOST_ADDRESS: Final = 254  # RFC 5321 §4.5.3.1.3, less the angle brackets
_MOST_LOCAL: Final = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """What a message carries beside its content. The last three differ for each reader; the same key gives the same ones."""

    sender: str  # the From header, "Name <news@example.org>"
    list_id: str = ""  # "digest.example.org" (RFC 2919); "": not to a list, but in answer to one person's wish
    list_archive: str = ""  # where past editions stand, https
    reply_to: str = ""  # "Name <editors@example.org>" or an address
    list_help: str = ""  # https or mailto
    feedback_id: str = ""  # "edition:newsletter:kind:sender" (Gmail's Feedback-ID); no personal data
    bounce: str = ""  # MAIL FROM; "" means the sender's address
    date: datetime  # aware: the sending's due time, so that a retry has the same bytes
    message_id: str  # without angle brackets, from the delivery's key
    boundary: str  # holds "=_", which no quoted-printable text can (RFC 2045 §6.7)

    def __post_init__(self) -> None:
        """Refuse a naive date."""
        require_aware("date", self.date)


def message(frozen: Frozen, recipient: Recipient, envelope: Envelope) -> Message:
    """The bytes for one reader. The same arguments give the same bytes, on every Python.

    Raises
    ------
    Refused
        This reader's address or links cannot stand in a mail: never retry. The message names no address.
    RenderError
        The newsletter's settings or the subject cannot: nobody's message can be built.
    """
    shape = _shape(frozen, *_list_facts(envelope))
    to, text, html, leave = _filling(recipient, frozen.lang)
    if not shape.gaps <= text.keys():
        msg = f"this reader has no {min(shape.gaps - text.keys())} link, which the mail needs"
        raise Refused(msg, code="link")
    mark = _checked("boundary", envelope.boundary, _BOUNDARY)
    pieces = list(shape.pieces)
    pieces[1] = (
        f"To: {_mailbox(recipient.name, to, 'To: ') if recipient.name else to}\r\nDate: {_date(envelope.date)}\r\n"
        f"Message-ID: <{_checked('message id', envelope.message_id, _MESSAGE_ID)}>\r\n{leave}"
        f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="{mark}"\r\n\r\n--{mark}\r\n{_PLAIN_PART}'
    ).encode("ascii")
    for place, name in shape.text:
        pieces[place] = text[name]
    pieces[shape.between] = f"\r\n--{mark}\r\n{_HTML_PART}".encode("ascii")
    for place, name in shape.html:
        pieces[place] = html[name]
    pieces[-1] = f"\r\n--{mark}--\r\n".encode("ascii")
    return Message(
        sender=addr_spec(envelope.bounce) if envelope.bounce else shape.sender,
        recipient=to,
        data=b"".join(pieces),
        message_id=envelope.message_id,
        undotted=shape.undotted and _undotted(pieces[1], *text.values(), *html.values()),
    )


def _filling(recipient: Recipient, lang: str) -> tuple[str, Mapping[str, bytes], Mapping[str, bytes], str]:
    """A reader's address, their values as text part and HTML part take them, and the headers that let them leave."""
    way, choices, address = recipient.unsubscribe_url, recipient.preferences_url, recipient.address
    if (
        PLAIN_LINK.fullmatch(way)
        and PLAIN_LINK.fullmatch(choices)
        and _PLAIN_ADDRESS.fullmatch(address)
        and len(way) < _LINE
        and len(choices) < _LINE
        and not recipient.confirm_url
    ):  # nearly every reader: nothing to escape in either part, nothing to refuse
        plain = {
            "unsubscribe": f"{way}=\r\n".encode("ascii"),
            "preferences": f"{choices}=\r\n".encode("ascii"),
            "address": f"{address}=\r\n".encode("ascii"),
            "since": _since(recipient.subscribed_on, lang),
        }
        return address, plain, plain, _leave(way)
    to, found = addr_spec(address), values(recipient, lang)
    text = {name: quoted_printable(value) for name, value in found.items()}
    html = {name: quoted_printable(escape(value)) for name, value in found.items()}
    return to, text, html, _leave(found["unsubscribe"]) if "unsubscribe" in found else ""


def _leave(url: str) -> str:
    return f"List-Unsubscribe: <{url}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"


@lru_cache(maxsize=4096)  # readers who came on one day share it
def _since(day: civil_date, lang: str) -> bytes:
    """The day since when, which no language writes with a character that HTML escapes."""
    return quoted_printable(since(day, lang))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Shape:
    """What all messages of one edition have in common, encoded, with empty places for the rest."""

    sender: str  # the address of the From header
    pieces: tuple[bytes, ...]  # the second is for a reader's headers, the last for the end
    between: int  # the place between the two parts
    text: tuple[tuple[int, str], ...]  # the places of gaps, and their names
    html: tuple[tuple[int, str], ...]
    gaps: frozenset[str]
    undotted: bool  # none of the pieces begins a line with a dot


@lru_cache(maxsize=64)
def _shape(frozen: Frozen, sender: str, reply_to: str, list_id: str, archive: str, help_url: str, feedback: str) -> _Shape:
    text, html = (tuple(_segments(parts)) for parts in (frozen.text, frozen.html))
    head = _static_headers(frozen.subject, sender, reply_to, list_id, archive, help_url, feedback)
    laid: list[bytes | str] = [head, b"", *text, b"", *html, b""]
    between = 2 + len(text)
    gaps = [(place, piece) for place, piece in enumerate(laid) if isinstance(piece, str)]
    return _Shape(
        sender=_parsed("from", sender)[1],
        pieces=tuple(b"" if isinstance(piece, str) else piece for piece in laid),
        between=between,
        text=tuple(gap for gap in gaps if gap[0] < between),
        html=tuple(gap for gap in gaps if gap[0] > between),
        gaps=frozenset(name for _, name in gaps),
        undotted=_undotted(*(piece for piece in laid if isinstance(piece, bytes))),
    )


def _undotted(*pieces: bytes) -> bool:
    """Whether no line begins with a dot, as far as these can tell: each may begin a line."""
    return not _DOTTED.search(b"\n".join((b"", *pieces)))


@lru_cache(maxsize=256)  # the same for every reader of a sending
def _date(when: datetime) -> str:
    return format_datetime(when.astimezone(UTC))


# -- quoted-printable ---------------------------------------------------------------------------


def quoted_printable(text: str) -> bytes:
    """A reader's value on lines of its own, each ending in a soft break, so that it joins what stands around it."""
    return _encode(text, joined=True)


def _encode(text: str, *, joined: bool) -> bytes:
    """Quoted-printable of ``text``; ``joined``: something follows on the same line, so it ends in a soft break."""
    *lines, last = [_wrapped(line.encode()) for line in text.split("\n")]
    done = b"".join(line + b"\r\n" for line in lines)
    if not last:
        return done
    return done + last + b"=\r\n" if joined else done + last


def _wrapped(line: bytes) -> bytes:
    """One line, encoded, with soft breaks. No line begins with a dot or "From ", which relays change on the way."""
    escaped = _UNSAFE.sub(lambda found: b"=%02X" % found.group()[0], line)
    if escaped.endswith((b" ", b"\t")):
        escaped = escaped[:-1] + b"=%02X" % escaped[-1]
    pieces: list[bytes] = []
    while escaped:
        if escaped.startswith((b".", b"From ")):
            escaped = b"=%02X" % escaped[0] + escaped[1:]
        end = len(escaped) if len(escaped) < _LINE else _LINE - 1
        if end < len(escaped):
            # An escape of three characters stays whole.
            end -= next((back for back in (1, 2) if escaped[end - back : end - back + 1] == b"="), 0)
        pieces.append(escaped[:end])
        escaped = escaped[end:]
    return b"=\r\n".join(pieces)


def _segments(parts: Parts) -> Iterator[bytes | str]:
    """Each static segment, encoded alone: a gap inside finished encoding could be cut. Between them the names of gaps."""
    for index, piece in enumerate(parts):
        yield piece.name if isinstance(piece, Token) else _encode(piece, joined=index + 1 < len(parts))


# -- headers ------------------------------------------------------------------------------------


def _list_facts(envelope: Envelope) -> tuple[str, str, str, str, str, str]:
    facts = envelope
    return facts.sender, facts.reply_to, facts.list_id, facts.list_archive, facts.list_help, facts.feedback_id


def _static_headers(
    subject: str, sender: str, reply_to: str, list_id: str, archive: str, help_url: str, feedback: str
) -> bytes:
    """The headers that every reader of an edition gets alike. List headers stay raw on one line (RFC 2369 §2)."""
    lines = [f"From: {_mailbox(*_parsed('from', sender), 'From: ')}"]
    if reply_to:
        lines.append(f"Reply-To: {_mailbox(*_parsed('reply_to', reply_to), 'Reply-To: ')}")
    lines.append(f"Subject: {_unstructured(subject, 'Subject: ')}")
    if list_id:
        lines.append(f"List-Id: <{_checked('list id', list_id, _LIST_ID)}>")
    if archive:
        lines.append(f"List-Archive: <{_link('list archive', archive)}>")
    if help_url:
        lines.append(f"List-Help: <{_link('list help', help_url)}>")
    lines.append("Precedence: list" if list_id else "Auto-Submitted: auto-generated")  # RFC 3834 §5
    if feedback:
        lines.append(f"Feedback-ID: {_checked('feedback id', feedback, _FEEDBACK_ID)}")
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def _checked(name: str, value: str, right: re.Pattern[str]) -> str:
    if not right.fullmatch(value) or len(value) > _HEADER_LINE - 40:
        raise _unusable(name, f"the {name} cannot stand in a mail's header")
    return value


def _link(name: str, url: str) -> str:
    if not is_web_url(url) and not re.fullmatch(r"mailto:[\x21\x23-\x3b\x3d\x3f-\x7e]+", url):
        raise _unusable(name, f"the {name} is not an https address")
    return url


def _unusable(name: str, what: str) -> RenderError:
    return RenderError(Fault(file="config/syndicate.toml", rule=f"mail {name}", what=what))


def _unstructured(text: str, prefix: str) -> str:
    """A header's text: as it is where it can stand, folded at single spaces, else as encoded words (RFC 2047)."""
    found = unspeakable(text)
    if found or not text:
        msg = "subject"
        raise _unusable(msg, f"a header cannot hold {found}" if found else "a header is empty")
    words = text.split(" ")
    if text.isascii() and "=?" not in text and all(0 < len(word) < _LINE - len(prefix) for word in words):
        lines = [prefix + words[0]]
        for word in words[1:]:
            if len(lines[-1]) + 1 + len(word) > _LINE:
                lines.append("")
            lines[-1] += f" {word}"
        return "\r\n".join(lines)[len(prefix) :]
    return _encoded_words(text, prefix)


def _encoded_words(text: str, prefix: str) -> str:
    """``text`` as encoded words, one on each line, cut between characters, in the shorter of the two encodings."""
    quoted = sum(1 if byte in _Q_SAFE or byte == 0x20 else 3 for byte in text.encode())  # noqa: PLR2004 - "=XX"
    draw = _q_word if quoted <= len(text.encode()) * 4 // 3 else _b_word
    words: list[str] = []
    piece = ""
    for character in text:
        room = _ENCODED_WORD - (len(prefix) if not words else 0)
        if piece and len(draw(piece + character)) > room:
            words.append(draw(piece))
            piece = ""
        piece += character
    return "\r\n ".join([*words, draw(piece)])


def _q_word(text: str) -> str:
    drawn = "".join("_" if byte == 0x20 else chr(byte) if byte in _Q_SAFE else f"={byte:02X}" for byte in text.encode())  # noqa: PLR2004 - a space
    return f"=?utf-8?q?{drawn}?="


def _b_word(text: str) -> str:
    return f"=?utf-8?b?{base64.b64encode(text.encode()).decode()}?="


# -- addresses ----------------------------------------------------------------------------------


def _mailbox(name: str, address: str, prefix: str) -> str:
    """``Name <address>``; a name that is not plain words is quoted or encoded."""
    if not name:
        return address
    found = unspeakable(name)
    if found:
        msg = f"a display name cannot hold {found}"
        raise Refused(msg, code="name")
    name = " ".join(name.split())
    if name.isascii() and "=?" not in name and len(name) < _LINE // 2:
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        drawn = name if _ATOM_WORDS.fullmatch(name) else f'"{escaped}"'
    else:
        drawn = _encoded_words(name, prefix)
    last = len(prefix + drawn) if "\r\n" not in drawn else len(drawn.rpartition("\r\n")[2])
    return f"{drawn}{' ' if last + len(address) + 3 <= _LINE else chr(13) + chr(10) + ' '}<{address}>"


@lru_cache(maxsize=64)
def _parsed(setting: str, text: str) -> tuple[str, str]:
    """Display name and address of a mailbox as the settings write it; exactly one, without defects."""
    header: Any = SMTP.header_factory("from", text) if not unspeakable(text) else None
    if header is None or len(header.addresses) != 1 or any(group.display_name is not None for group in header.groups):
        raise _unusable(setting, f"`{setting}` is not one mailbox")
    found: Address = header.addresses[0]
    try:
        return found.display_name, addr_spec(f"{found.username}@{found.domain}")
    except Refused as error:
        raise _unusable(setting, f"`{setting}` is not usable: {error}") from error


def addr_spec(address: str) -> str:
    """An address as SMTP takes it: its domain in IDNA 2008 form and lower case, its local part as it is.

    Raises
    ------
    Refused
        It is not one address, or its local part is not ASCII (RFC 6531 is not spoken). The message names no address.
    """
    if _SIMPLE_ADDRESS.fullmatch(address) and len(address) <= _MOST_ADDRESS and address.index("@") <= _MOST_LOCAL:
        local, _, domain = address.rpartition("@")
        return f"{local}@{domain.lower()}"
    if unspeakable(address):
        msg = "this address holds control or invisible characters"
        raise Refused(msg, code="address")
    local, _, domain = address.rpartition("@")
    if not local.isascii():
        msg = "this address has letters outside ASCII before the @, which no relay here takes"
        raise Refused(msg, code="address")
    try:
        host = domain.lower() if _LDH.fullmatch(domain.lower()) else idna.encode(domain, uts46=True).decode("ascii")
        found = Address(addr_spec=f"{local}@{host}").addr_spec
    except (ValueError, IndexError, MessageError) as error:  # idna's errors are ValueErrors (UnicodeError)
        msg = "this is not an address"
        raise Refused(msg, code="address") from error
    if len(found) > _MOST_ADDRESS or len(found.rpartition("@")[0]) > _MOST_LOCAL:
        msg = "this address is too long"
        raise Refused(msg, code="address")
    return found
