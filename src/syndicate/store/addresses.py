"""Mail addresses: as written, as compared, and as counted; and the names beside them. Knows no table."""

from __future__ import annotations

import re
from typing import Final, NoReturn

_DOT_ATOM: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")  # RFC 5321 §4.1.2
_LOCAL_OCTETS: Final = 64  # RFC 5321 §4.5.3.1.1
_ADDRESS_OCTETS: Final = 254  # a path of 256 octets (RFC 5321 §4.5.3.1.3) less its brackets
_COMMENT: Final = re.compile(r"\((?:[^()\\]|\\.)*\)")  # RFC 5322 §3.2.2, one within the other from the inside out
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')  # RFC 5321 §4.1.2, Quoted-string
_INVISIBLE: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_RIGHT: Final = "write it like name@example.org"
# What stands in a name: the first may not, the second comes along from other programs and is nothing that anybody meant.
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_UNSEEN: Final = re.compile(r"[\u061c\u200b-\u200f\u2060\ufeff]")


def normalised(address: str) -> tuple[str, str, str]:
    """An address as written, as compared, and its domain: the domain in IDNA 2008 lower case, the rest case-folded.

    Comments and needless quotation marks are no part of it and go: ``"anna"@example.org`` and
    ``anna(home)@example.org`` are Anna's. What follows a plus is a part of it: only the mailbox's host knows better.

    Raises
    ------
    ValueError
        Not an address; the message says what is missing, and never the address.
    """
    import idna

    text = address.strip()
    if _INVISIBLE.search(text):
        _refuse("it holds a control or an invisible character")
    local, at, domain = _without_comments(text).rpartition("@")
    if not at or not local.strip():
        _refuse("the part before @ is missing" if at else "the @ is missing")
    if not domain.strip(" ."):
        _refuse("the part after @ is missing")
    try:
        host = idna.encode(domain.strip().rstrip("."), uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        msg = f"the part after @ is not a domain; {_RIGHT}"
        raise ValueError(msg) from error
    if "." not in host:
        _refuse("the part after @ needs a dot")
    if host.rpartition(".")[2].isdigit():
        _refuse("the part after @ ends in a number, as no domain does")
    local = _plain(local.strip())
    if len(local) > _LOCAL_OCTETS or len(local) + 1 + len(host) > _ADDRESS_OCTETS:
        _refuse("it is longer than mail servers take")
    return f"{local}@{host}", f"{local.casefold()}@{host}", host


def called(name: str) -> str:
    """A reader's name as the header of a mail can hold it: without invisible characters.

    Raises
    ------
    ValueError
        It holds a control character, or one that turns the direction of writing.
    """
    if _CONTROL.search(name):
        msg = "the name holds a control character; take it out"
        raise ValueError(msg)
    return _UNSEEN.sub("", name)


def mailbox(key: str) -> str:
    """The mailbox that a compared address most likely leads to: what follows a plus is left out (RFC 5233).

    For counting alone: so that ``anna+1@…`` and ``anna+2@…`` fill Anna's one mailbox no faster.
    """
    local, _, host = key.rpartition("@")
    return f"{local.partition('+')[0] or local}@{host}"


def masked(address: str) -> str:
    """``m•••••@e•••••.org``: enough for its owner, too little for anybody else."""
    local, _, host = address.rpartition("@")
    name, _, top = host.rpartition(".")
    return f"{local[:1]}•••••@{name[:1]}•••••.{top}"


def _without_comments(text: str) -> str:
    while (shorter := _COMMENT.sub("", text)) != text:
        text = shorter
    return text


def _plain(local: str) -> str:
    """The part before @ as most servers write it, without quotation marks that it does not need."""
    quoted = _QUOTED.fullmatch(local)
    if quoted:
        local = re.sub(r"\\(.)", r"\1", quoted[1])
    if not local.isascii():
        msg = "the part before @ has letters that most mail servers refuse; use an address of plain letters and digits"
        raise ValueError(msg)
    if not _DOT_ATOM.fullmatch(local):
        _refuse("the part before @ holds a blank or a sign that mail servers do not take")
    return local


def _refuse(what: str) -> NoReturn:
    msg = f"{what}; {_RIGHT}"
    raise ValueError(msg)
