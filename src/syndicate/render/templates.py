"""Jinja's door for the renderers: templates come as a mapping, never from the disk; a fault names file and line."""

from __future__ import annotations

import difflib
import textwrap
from dataclasses import replace
from datetime import date as civil_date
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol
from zoneinfo import ZoneInfo

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from syndicate.errors import Fault, RenderError, SyndicateError
from syndicate.model import Words
from syndicate.render import wording
from syndicate.render.wording import ENGLISH, Wording, civil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import CodeType, TracebackType

    from jinja2.bccache import Bucket
    from jinja2.runtime import Context

FOLDER: Final = "templates"  # where a publication keeps them; faults name files below it

_MOST_COMPILED: Final = 500  # templates whose code a process keeps; a publication has about a hundred

_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_SMALL: Final = (
    *("no", "one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
)


def day(when: datetime | civil_date, zone: str = "UTC") -> str:
    """``23 November 2026``: the civil day of an instant in ``zone``; a civil date stays as it is."""
    local = civil(when, zone)
    return f"{local.day} {_MONTHS[local.month - 1]} {local.year}"


def date_long(when: datetime | civil_date, zone: str = "UTC") -> str:
    """``Monday, 23 November 2026``."""
    local = civil(when, zone)
    return f"{_WEEKDAYS[local.weekday()]}, {day(local)}"


def clock(when: datetime, zone: str = "UTC") -> str:
    """``07:00``: the wall time of an instant in ``zone``."""
    return f"{when.astimezone(ZoneInfo(zone)):%H:%M}"


def count(number: int, one: str, many: str) -> str:
    """``three briefs``, ``one brief``, ``14 briefs``: numbers up to twelve are words."""
    words = _SMALL[number] if 0 <= number < len(_SMALL) else str(number)
    return f"{words} {one if number == 1 else many}"


def first_upper(text: str) -> str:
    """The text with its first letter as a capital; the others stay."""
    return text[:1].upper() + text[1:]


def wrap(text: str, width: int = 72) -> str:
    """Paragraphs of plain text in lines of at most ``width`` characters; a longer word keeps its line."""
    lines = (textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) or [""] for line in text.split("\n"))
    return "\n".join("\n".join(part) for part in lines)


def listing(parts: Iterable[str]) -> str:
    """``one, two and three``; empty parts are left out."""
    *rest, last = [part for part in parts if part] or [""]
    return f"{', '.join(rest)} and {last}" if rest else last


@jinja2.pass_context
def _day(context: Context, when: datetime | civil_date, zone: str = "UTC") -> str:
    spoken = context.get("wording")
    return spoken.day(when, zone) if isinstance(spoken, Wording) else day(when, zone)


@jinja2.pass_context
def _date_long(context: Context, when: datetime | civil_date, zone: str = "UTC") -> str:
    spoken = context.get("wording")
    return spoken.date_long(when, zone) if isinstance(spoken, Wording) else date_long(when, zone)


@jinja2.pass_context
def _spelled(context: Context, number: int) -> str:
    return _spoken(context).spelled(number)


def _spoken(context: Context) -> Wording:
    """The language of what is being rendered; English where nobody said."""
    found = context.get("wording")
    return found if isinstance(found, Wording) else ENGLISH


@jinja2.pass_context
def _gettext(context: Context, text: str) -> str:
    return _spoken(context).say(text)


@jinja2.pass_context
def _ngettext(context: Context, one: str, many: str, number: int) -> str:
    return _spoken(context).count(one, many, number)


FILTERS: Final[Mapping[str, Callable[..., str]]] = {
    "day": _day,
    "date_long": _date_long,
    "spelled": _spelled,
    "clock": clock,
    "count": count,
    "first_upper": first_upper,
    "listing": listing,
    "wrap": wrap,
}


class Rendering(Protocol):
    """What the renderers ask of the templates."""

    def __contains__(self, name: object) -> bool:
        """Whether there is a template of that name."""
        ...

    def render(self, name: str, **values: object) -> str:
        """Fill in the template of that name; RenderError where it cannot be."""
        ...


class Templates:
    """The templates of a publication, compiled on first use.

    ``.html.j2`` is escaped, everything else is plain text. An unknown name in a template is an error, not
    an empty string; the sandbox keeps templates away from Python's insides and from sealed words.
    """

    def __init__(self, sources: Mapping[str, str], catalogues: Mapping[str, str] = MappingProxyType({})) -> None:
        """Take the sources by name, POSIX and below ``templates/`` (``email/edition.html.j2``), and catalogues by language."""
        self._sources = dict(sources)
        self._catalogues = dict(catalogues)
        self._wordings: dict[str, Wording] = {}
        self._environment = _Sandbox(
            loader=_Loader(self._sources),
            undefined=jinja2.StrictUndefined,
            autoescape=lambda name: bool(name) and str(name).endswith(".html.j2"),
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            cache_size=-1,
            bytecode_cache=_COMPILED,
            extensions=["jinja2.ext.i18n"],
        )
        self._environment.filters.update(FILTERS)
        # "newstyle": `_("Read %(title)s", title=x)` escapes x where the template is HTML.
        install: Callable[..., None] = self._environment.install_gettext_callables  # type: ignore[attr-defined]
        install(_gettext, _ngettext, newstyle=True)

    def __contains__(self, name: object) -> bool:
        """Whether there is a template of that name."""
        return name in self._sources

    def names(self, folder: str = "") -> list[str]:
        """The names of all templates below ``folder``, sorted."""
        return sorted(name for name in self._sources if name.startswith(folder))

    def source(self, name: str) -> str:
        """The text of a template, for checks that read it; ``KeyError`` where there is none."""
        return self._sources[name]

    def wording(self, lang: str) -> Wording:
        """Our words in ``lang``: by its own catalogue, or that of its language without a region, or in English.

        Raises
        ------
        RenderError
            The catalogue cannot be read.
        """
        if lang not in self._wordings:
            known = next((one for one in (lang, lang.partition("-")[0]) if one in self._catalogues), "")
            self._wordings[lang] = (
                replace(wording.read(self._catalogues[known], lang=known, file=_catalogue(known)), lang=lang)
                if known
                else Wording(lang="en")
            )
        return self._wordings[lang]

    def languages(self) -> list[str]:
        """Every language that there is a catalogue for (BCP 47)."""
        return sorted(self._catalogues)

    def messages(self, folder: str = "") -> Iterator[tuple[str, int, str | tuple[str, str]]]:
        """(template, line, text or its singular and plural) of everything below ``folder`` that can be translated."""
        extract: Callable[[str], Iterable[tuple[int, str, object]]] = self._environment.extract_translations  # type: ignore[attr-defined]
        for name in self.names(folder):
            for line, _, found in extract(self._sources[name]):
                one, many = found[:2] if isinstance(found, tuple) else (found, None)
                if one:
                    yield name, line, (str(one), str(many)) if many else str(one)

    def literals(self, name: str) -> Iterator[tuple[int, str]]:
        """(line, text) of what a template says by itself: the text between its tags, and the strings inside them.

        Raises
        ------
        RenderError
            It cannot be read, or there is none.
        """
        if name not in self._sources:
            raise RenderError(self._missing(name, _file(name), 0))
        try:
            tree = self._environment.parse(self._sources[name], name, _file(name))
        except jinja2.TemplateSyntaxError as error:
            raise RenderError(_syntax_fault(error, name)) from error
        for node in tree.find_all((nodes.TemplateData, nodes.Const)):
            said = node.data if isinstance(node, nodes.TemplateData) else getattr(node, "value", "")
            if isinstance(said, str):
                yield from enumerate(said.split("\n"), start=node.lineno)

    def render(self, name: str, **values: object) -> str:
        """Fill in a template.

        Raises
        ------
        RenderError
            With the file and the line of the template.
        """
        try:
            return self._environment.get_template(name).render(values)
        except SyndicateError:
            raise
        except jinja2.TemplateSyntaxError as error:
            raise RenderError(_syntax_fault(error, name)) from error
        except jinja2.TemplateNotFound as error:
            raise RenderError(self._missing(str(error.name or name), *_place(error, name))) from error
        except Exception as error:  # a template may raise whatever its filters and values raise
            raise RenderError(_runtime_fault(error, name)) from error

    def check(self) -> list[Fault]:
        """Every fault that shows without values: syntax, unknown filters and tests, missing partials."""
        of_templates = (fault for name in self._sources for fault in self._check_one(name))
        of_catalogues = (
            fault for lang, text in self._catalogues.items() for fault in wording.faults(text, lang=lang, file=_catalogue(lang))
        )
        return sorted([*of_templates, *of_catalogues])

    def _check_one(self, name: str) -> Iterator[Fault]:
        try:
            tree = self._environment.parse(self._sources[name], name, _file(name))
        except jinja2.TemplateSyntaxError as error:
            yield _syntax_fault(error, name)
            return
        faults = [*self._unknown_words(tree, name), *self._missing_partials(tree, name)]
        yield from faults
        if not faults:
            try:
                self._environment.compile(tree, name, _file(name))
            except jinja2.TemplateSyntaxError as error:
                yield _syntax_fault(error, name)

    def _unknown_words(self, tree: nodes.Template, name: str) -> Iterator[Fault]:
        for node in tree.find_all((nodes.Filter, nodes.Test)):
            kind, known = (
                ("filter", self._environment.filters) if isinstance(node, nodes.Filter) else ("test", self._environment.tests)
            )
            word = str(getattr(node, "name", ""))
            if word not in known:
                what = f"there is no {kind} `{word}`"
                yield Fault(file=_file(name), line=node.lineno, rule="template", what=what, right=_nearest(word, known))

    def _missing_partials(self, tree: nodes.Template, name: str) -> Iterator[Fault]:
        for node in tree.find_all((nodes.Include, nodes.Extends, nodes.Import, nodes.FromImport)):
            wanted = getattr(node, "template", None)
            optional = isinstance(node, nodes.Include) and node.ignore_missing
            if isinstance(wanted, nodes.Const) and wanted.value not in self._sources and not optional:
                yield self._missing(str(wanted.value), _file(name), node.lineno)

    def _missing(self, wanted: str, file: str, line: int) -> Fault:
        what = f"there is no template `{wanted}`"
        return Fault(file=file, line=line, rule="template", what=what, right=_nearest(wanted, self._sources))


class _Sandbox(ImmutableSandboxedEnvironment):
    def is_safe_attribute(self, obj: object, attr: str, value: object) -> bool:
        """No template opens sealed words: that is the quote gate's alone (Q1)."""
        return not isinstance(obj, Words) and super().is_safe_attribute(obj, attr, value)


class _Compiled(jinja2.BytecodeCache):
    """The code of each template by its name and its whole text: every environment here is made alike, so they share it."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Hand the code over where this very text was compiled before."""
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code; forget all of it once texts that nobody has any more may have gathered."""
        if len(self._codes) >= _MOST_COMPILED:
            self._codes.clear()
        if bucket.code is not None:
            self._codes[bucket.key, bucket.checksum] = bucket.code


_COMPILED: Final = _Compiled()


class _Loader(jinja2.BaseLoader):
    """Gives each source its file name, so that a traceback names file and line."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self._sources = sources

    def get_source(
        self,
        environment: jinja2.Environment,  # noqa: ARG002 - Jinja's signature
        template: str,
    ) -> tuple[str, str, Callable[[], bool]]:
        if template not in self._sources:
            raise jinja2.TemplateNotFound(template)
        return self._sources[template], _file(template), lambda: True


def _file(name: str) -> str:
    return f"{FOLDER}/{name}"


def _catalogue(lang: str) -> str:
    return f"{FOLDER}/locale/{lang}.po"


def _syntax_fault(error: jinja2.TemplateSyntaxError, name: str) -> Fault:
    what = (error.message or "the template cannot be read").rstrip(".")
    return Fault(file=error.filename or _file(name), line=error.lineno, rule="template", what=what)


def _runtime_fault(error: Exception, name: str) -> Fault:
    """Our own words, and Jinja's where it names a template's word; never a value, which may be a quotation (Q5)."""
    file, line = _place(error, name)
    if isinstance(error, jinja2.UndefinedError | SecurityError):
        return Fault(file=file, line=line, rule="template", what=str(error.message or error))
    return Fault(file=file, line=line, rule="template", what=f"this could not be rendered ({type(error).__name__})")


def _place(error: BaseException, name: str) -> tuple[str, int]:
    """File and line of the innermost template that the error passed through."""
    file, line = _file(name), 0
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        path = trace.tb_frame.f_code.co_filename
        if path.startswith(f"{FOLDER}/"):
            file, line = path, trace.tb_lineno
        trace = trace.tb_next
    return file, line


def _nearest(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean `{near[0]}`?" if near else ""
