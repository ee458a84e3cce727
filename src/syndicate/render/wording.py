"""Our words in a reader's language: the publication's catalogues (``templates/locale/LANG.po``) and dates. Babel's door. Pure.

Catalogues are read as they are, without a step that compiles them: an editor saves the file and starts again. What a
catalogue lacks is said in English.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date as civil_date
from datetime import datetime
from functools import lru_cache
from io import StringIO
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from syndicate.errors import Fault, RenderError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from babel.messages.catalog import Catalog

_ENGLISH: Final = ("d MMMM y", "EEEE, d MMMM y")  # as we write them on every page
_PLACE: Final = re.compile(r"%\((\w+)\)s")
_RIGHT_TO_LEFT: Final = frozenset(
    {"ar", "arc", "ckb", "dv", "fa", "he", "ku-arab", "nqo", "pa-arab", "ps", "sd", "syr", "ug", "ur", "yi"}
)
_SMALL: Final = (
    *("no", "one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
)


def direction(lang: str) -> str:
    """``rtl`` or ``ltr``: how text in that language (BCP 47) runs."""
    tag = lang.lower()
    return "rtl" if tag in _RIGHT_TO_LEFT or tag.partition("-")[0] in _RIGHT_TO_LEFT else "ltr"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Wording:
    """How one language says what our templates say in English."""

    lang: str = "en"  # BCP 47
    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # English -> its forms
    form: Callable[[int], int] = lambda number: int(number != 1)  # which form a number takes

    def say(self, text: str) -> str:
        """``text`` in this language, or as it is."""
        return self.texts.get(text, (text,))[0]

    def count(self, one: str, many: str, number: int) -> str:
        """The form of a text that a number takes."""
        forms = self.texts.get(one)
        if forms is None:
            return one if number == 1 else many
        return forms[min(self.form(number), len(forms) - 1)]

    def spelled(self, number: int) -> str:
        """``three``, ``14``: in English, numbers up to twelve are words."""
        return _SMALL[number] if 0 <= number < len(_SMALL) and self.lang.partition("-")[0].lower() == "en" else str(number)

    def day(self, when: datetime | civil_date, zone: str = "UTC") -> str:
        """``23 November 2026``: the civil day of an instant in ``zone``; a civil date stays as it is."""
        return _drawn(civil(when, zone), self.lang, full=False)

    def date_long(self, when: datetime | civil_date, zone: str = "UTC") -> str:
        """``Monday, 23 November 2026``."""
        return _drawn(civil(when, zone), self.lang, full=True)


ENGLISH: Final = Wording()


def civil(when: datetime | civil_date, zone: str) -> civil_date:
    """The day of ``when`` in ``zone``, an IANA name; a civil date is its own.

    Raises
    ------
    ValueError
        ``when`` is naive.
    """
    if not isinstance(when, datetime):
        return when
    if when.tzinfo is None:
        msg = "a date in a template must be an aware datetime or a civil date"
        raise ValueError(msg)
    return when.astimezone(ZoneInfo(zone)).date()


@lru_cache(maxsize=4096)  # the same few days stand in every message of an edition
def _drawn(day: civil_date, lang: str, *, full: bool) -> str:
    from babel import Locale, UnknownLocaleError
    from babel.dates import format_date

    try:
        locale = Locale.parse(lang, sep="-")
    except (UnknownLocaleError, ValueError):
        locale = Locale("en")
    if locale.language == "en":
        return format_date(day, _ENGLISH[full], locale=locale)
    return format_date(day, "full" if full else "long", locale=locale)


@lru_cache(maxsize=64)
def named(lang: str) -> str:
    """A language by its own name: ``العربية``; its tag where nobody wrote the name down."""
    from babel import Locale, UnknownLocaleError

    try:
        found = Locale.parse(lang, sep="-").get_display_name(lang.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return lang
    return found[:1].upper() + found[1:] if found else lang


@lru_cache(maxsize=64)
def weekdays(lang: str) -> tuple[str, ...]:
    """Monday to Sunday as ``lang`` calls them, standing alone."""
    from babel import Locale, UnknownLocaleError

    try:
        locale = Locale.parse(lang, sep="-")
    except (UnknownLocaleError, ValueError):
        locale = Locale("en")
    names = locale.days["stand-alone"]["wide"]
    return tuple(str(names[number]) for number in range(7))


# -- catalogues -----------------------------------------------------------------------------------


@lru_cache(maxsize=16)  # a publication is opened more than once in a process, and its catalogues seldom change
def read(text: str, *, lang: str, file: str) -> Wording:
    """The wording of one catalogue, the text of a ``.po`` file.

    Raises
    ------
    RenderError
        It is no catalogue; names file and line.
    """
    catalogue = _parsed(text, lang, file)
    known = {
        str(_first(message.id)): tuple(str(form) for form in _all(message.string))
        for message in catalogue
        if message.id and not message.fuzzy and all(_all(message.string))
    }
    rule = _rule(catalogue.plural_expr)
    return Wording(lang=lang, texts=known, form=rule)


def faults(text: str, *, lang: str, file: str) -> Iterator[Fault]:
    """Every fault of a catalogue: what cannot be read, and translations that name other values than the English does."""
    try:
        catalogue = _parsed(text, lang, file)
    except RenderError as error:
        yield from error.faults
        return
    for message in catalogue:
        if not message.id:
            continue
        allowed = {name for one in _all(message.id) for name in _PLACE.findall(str(one))}
        for one in _all(message.string):
            strange = sorted(set(_PLACE.findall(str(one))) - allowed) or ["%"] * _broken(str(one), allowed)
            if strange:
                what = f"the translation of “{_first(message.id)}” names {', '.join(strange)}, which the English does not"
                right = "use the names of the English text"
                yield Fault(file=file, line=message.lineno or 0, rule="catalogue", what=what, right=right)


def _broken(text: str, names: set[str]) -> bool:
    """Whether a text cannot be filled in, as with a lone ``%``."""
    try:
        text % dict.fromkeys(names, "")
    except (ValueError, TypeError, KeyError):
        return True
    return False


def _parsed(text: str, lang: str, file: str) -> Catalog:
    from babel.messages.pofile import PoFileError, read_po

    try:
        return read_po(StringIO(text), locale=lang.replace("-", "_"), abort_invalid=True)
    except (PoFileError, ValueError) as error:
        line = int(getattr(error, "lineno", -1)) + 1  # Babel counts from 0
        fault = Fault(file=file, line=line, rule="catalogue", what=f"this catalogue cannot be read: {error}")
        raise RenderError(fault) from error
    except Exception as error:  # an unknown locale, and whatever else a file can cause
        fault = Fault(file=file, rule="catalogue", what=f"this catalogue cannot be read ({type(error).__name__})")
        raise RenderError(fault) from error


def _rule(expression: str) -> Callable[[int], int]:
    """A catalogue's own rule for plurals (``Plural-Forms``)."""
    from gettext import c2py  # as `gettext` itself reads the header

    rule: Callable[[int], int] = c2py(expression)
    return rule


def _all(texts: Any) -> tuple[Any, ...]:  # noqa: ANN401 - one text or its forms, as Babel keeps them
    return tuple(texts) if isinstance(texts, (tuple, list)) else (texts,)


def _first(texts: Any) -> Any:  # noqa: ANN401 - as above
    return _all(texts)[0]
