"""The kinds of value that the settings hold. Each refuses with ``what is wrong; what would be right``."""

from __future__ import annotations

import re
from datetime import date, timedelta
from email.headerregistry import HeaderRegistry
from ipaddress import ip_address, ip_network
from typing import Annotated, Any, Final, NoReturn, TypeVar
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator

from syndicate.plan import slots

_HOST: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*")
_TAG_AUTHORITY: Final = re.compile(r"(?:[a-z0-9._-]+@)?(?P<host>[a-z0-9.-]+),(?P<date>\d{4}(?:-\d\d){0,2})")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*(?:-x(?:-[A-Za-z0-9]{1,8})+)?")
_NAME: Final = re.compile(r"[a-z0-9]+(?:[_-][a-z0-9]+)*")
_CHANNEL_NAME: Final = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*")
_COLOUR: Final = re.compile(r"#[0-9A-Fa-f]{6}")
_FONTS: Final = re.compile(r"[\w ,.'-]+")
_UNCARRIED: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2060\u2066-\u2069\ufeff]")
_HEADERS: Final = HeaderRegistry()


def _refuse(what: str, right: str) -> NoReturn:
    msg = f"{what}; {right}"
    raise ValueError(msg)


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        _refuse(f'"{text}" cannot be a name', 'use small letters, digits and single "_" or "-"')
    return text


def _channel_name(text: str) -> str:
    if not _CHANNEL_NAME.fullmatch(text):
        # Two underscores together part the words of an environment variable.
        _refuse(f'"{text}" cannot be a channel\'s name', 'use small letters, digits and single "_"')
    return text


def _schedule(text: str) -> str:
    slots.parse(text, "UTC")
    return text


def _zone(text: str) -> str:
    slots.parse("daily at 00:00", text)
    return text


def _duration(value: Any) -> Any:  # noqa: ANN401 - whatever the file holds
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        _refuse(f'"{value}" has no unit', 'write a length of time such as "12h", "90m" or "3 days"')
    try:
        return slots.parse_duration(value)
    except OverflowError:
        _refuse(f'"{value}" is longer than any calendar', 'write such as "12h" or "3 days"')


def _positive(span: timedelta) -> timedelta:
    if span <= timedelta(0):
        _refuse("a length of time must be longer than nothing", 'write such as "12h" or "3 days"')
    return span


def _language(text: str) -> str:
    if not _LANGUAGE.fullmatch(text):
        _refuse(f'"{text}" is not a language tag (BCP 47)', 'write such as "en", "de-CH" or "zh-Hant"')
    return text


def _split(text: str) -> SplitResult | None:
    """The parts of an absolute http(s) URL, or ``None``."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        return None
    if not usable or parts.username or parts.password or re.search(r"[\s<>\"\\^`{|}\x00-\x1f]", text):
        return None
    return parts


def _url(text: str) -> str:
    if _split(text) is None:
        _refuse(f'"{text}" is not a web address', 'write it whole, such as "https://example.org"')
    return text


def _base_url(text: str) -> str:
    parts = _split(text)
    if parts is None or parts.query or parts.fragment:
        _refuse(f'"{text}" is not an address to which paths can be added', 'write such as "https://letter.example.org"')
    if parts.scheme != "https" and parts.hostname != "127.0.0.1":
        _refuse(f'"{text}" is not https', 'write "https://…"; http is for "http://127.0.0.1:PORT" alone')
    return text.rstrip("/")


def _desk_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.path.strip("/"):
        _refuse(f'"{text}" has a path', 'write the host alone, such as "https://desk.example.org"; /desk is added')
    return _base_url(text)


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        _refuse(f'"{text}" is not a host name', 'write it alone and in small letters, such as "archive.example.org"')
    return text


def _listen(text: str) -> str:
    try:
        ip_address(text)
    except ValueError:
        if not _HOST.fullmatch(text):
            _refuse(f'"{text}" is not an address to listen on', 'write such as "127.0.0.1" or "0.0.0.0"')
    return text


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError:
        _refuse(f'"{text}" is not an IP address or network', 'write such as "127.0.0.1" or "10.0.0.0/8"')


def _tag_authority(text: str) -> str:
    found = _TAG_AUTHORITY.fullmatch(text)
    if found is None or not _HOST.fullmatch(found["host"]) or not _is_date(found["date"]):
        _refuse(
            f'"{text}" is not a tagging authority (RFC 4151)',
            'write a host or mail address in small letters, a comma, and a date on which you held it: "example.org,2015"',
        )
    return text


def _is_date(text: str) -> bool:
    """Whether ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD`` is a real date."""
    try:
        date.fromisoformat(f"{text}-01-01"[:10])
    except ValueError:
        return False
    return True


def _mailbox(text: str) -> str:
    """One RFC 5322 mailbox, with or without a name."""
    sentence = f'"{text}" is not a sender'.replace("\r", " ").replace("\n", " ")
    right = 'write such as "Example Letter <news@example.org>"'
    if _UNCARRIED.search(text):
        _refuse(sentence, right)
    header = _HEADERS("From", text)
    found: tuple[Any, ...] = getattr(header, "addresses", ())
    if header.defects or len(found) != 1 or not found[0].username or not _is_domain(found[0].domain):
        _refuse(sentence, right)
    return text


def _is_domain(text: str) -> bool:
    """Whether ``text`` could be a mail domain; letters beyond ASCII are encoded at the door (RFC 5890)."""
    return bool(text) and _HOST.fullmatch(re.sub(r"[^\x00-\x7f]", "x", text.lower())) is not None


def _hold_day(text: str) -> str:
    try:
        # 2000 is a leap year: the 29th of February is a day that can be held.
        date.fromisoformat(f"2000-{text}" if re.fullmatch(r"\d\d-\d\d", text) else text)
    except ValueError:
        _refuse(f'"{text}" is not a day', 'write "07-22" for every year, or "2027-01-27" for one')
    return text


def _database_url(text: str) -> str:
    if not text.startswith("sqlite:///") or len(text) == len("sqlite:///"):
        _refuse("this database cannot be used", 'write "sqlite:///" and a path, such as "sqlite:///var/syndicate.db"')
    return text


def _colour(text: str) -> str:
    if not _COLOUR.fullmatch(text):
        _refuse(f'"{text}" is not a colour', 'write six hexadecimal digits, such as "#1b1f24"')
    return text


def _fonts(text: str) -> str:
    if not _FONTS.fullmatch(text):
        _refuse(f'"{text}" is not a list of fonts', 'write such as "Charter, Georgia, serif"')
    return text


def _filled(text: str) -> str:
    if not text.strip():
        _refuse("nothing stands here", "write some words")
    return _line(text)


def _line(text: str) -> str:
    if found := _UNCARRIED.search(text):
        what = "a line break" if found[0] in "\r\n" else f"U+{ord(found[0]):04X}"
        _refuse(f"{what} stands in it, which no mail or feed can carry", "write plain words, on one line")
    return text


def _lines(text: str) -> str:
    for row in re.split(r"\r?\n", text):
        _line(row)
    return text


def _whole(value: Any) -> Any:  # noqa: ANN401 - whatever the file holds
    if isinstance(value, bool):
        _refuse(f'"{str(value).lower()}" is not a whole number', "write a whole number, without quotation marks")
    return value


def _absent(value: Any) -> Any:  # noqa: ANN401 - whatever the file holds
    """TOML has no null: ``daily = false`` says that there is none."""
    return None if value is False else value


def _once(items: tuple[Any, ...]) -> tuple[Any, ...]:
    twice = next((item for number, item in enumerate(items) if item in items[:number]), None)
    if twice is not None:
        _refuse(f'"{twice}" stands here twice', "keep one of the two")
    return items


T = TypeVar("T")
Once = Annotated[tuple[T, ...], AfterValidator(_once)]
Name = Annotated[str, AfterValidator(_name)]
ChannelName = Annotated[str, AfterValidator(_channel_name)]
ScheduleText = Annotated[str, AfterValidator(_schedule)]
Zone = Annotated[str, AfterValidator(_zone)]
ZoneOrSites = Annotated[str, AfterValidator(lambda text: _zone(text) if text else text)]  # "" means the site's
Duration = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_positive)]
Language = Annotated[str, AfterValidator(_language)]
Url = Annotated[str, AfterValidator(_url)]
OptionalUrl = Annotated[str, AfterValidator(lambda text: _url(text) if text else text)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
DeskUrl = Annotated[str, AfterValidator(lambda text: _desk_url(text) if text else text)]
Host = Annotated[str, AfterValidator(_host)]
Listen = Annotated[str, AfterValidator(_listen)]
Network = Annotated[str, AfterValidator(_network)]
TagAuthority = Annotated[str, AfterValidator(_tag_authority)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]
OptionalMailbox = Annotated[str, AfterValidator(lambda text: _mailbox(text) if text else text)]
HoldDay = Annotated[str, AfterValidator(_hold_day)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
Colour = Annotated[str, AfterValidator(_colour)]
Fonts = Annotated[str, AfterValidator(_fonts)]
Filled = Annotated[str, AfterValidator(_filled)]
Line = Annotated[str, AfterValidator(_line)]  # may be empty
Lines = Annotated[str, AfterValidator(_lines)]
Whole = Annotated[int, BeforeValidator(_whole)]
Absent = BeforeValidator(_absent)
