"""Jinja's door for the desk: the templates that the package carries, filled in. Knows no page and no ledger."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import jinja2

from syndicate.errors import Fault, RenderError

_HERE: Final = Path(__file__).parent
FILES: Final = {"desk.css": "text/css; charset=utf-8", "desk.js": "text/javascript; charset=utf-8"}


class Sheets:
    """The desk's templates, compiled once in a process."""

    def warm(self) -> None:
        """Compile all of them before somebody looks."""
        for name in _environment().list_templates():
            _environment().get_template(name)

    def render(self, template: str, **values: object) -> str:
        """Fill in ``paper/TEMPLATE.html.j2``.

        Raises
        ------
        RenderError
            The template is faulty, or wants a value that it was not given.
        """
        try:
            return _environment().get_template(f"{template}.html.j2").render(**values)
        except jinja2.TemplateError as error:
            raise RenderError(Fault(file=f"desk/{template}.html.j2", what=str(error))) from error


@cache
def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "paper"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters.update(
        number=number, clock=clock, seconds=seconds, day=day, short_day=short_day, when=when, span=span, iso=iso
    )
    made.globals["file"] = address_of
    return made


@cache
def file(name: str) -> tuple[bytes, str]:
    """A static file's bytes and a digest of them."""
    data = (_HERE / "static" / name).read_bytes()
    return data, hashlib.sha256(data).hexdigest()[:16]


def address_of(name: str) -> str:
    """Where a static file is served: another address with other bytes, so that browsers keep it for ever."""
    return f"/desk/static/{file(name)[1]}/{name}"


# -- how the desk writes numbers and times ----------------------------------------------------------


def number(n: int) -> str:
    """``24,318``."""
    return f"{n:,}"


def clock(at: datetime, zone: ZoneInfo) -> str:
    """``09:30``: the wall time in ``zone``."""
    return f"{at.astimezone(zone):%H:%M}"


def seconds(at: datetime, zone: ZoneInfo) -> str:
    """``09:30:02``."""
    return f"{at.astimezone(zone):%H:%M:%S}"


def day(at: datetime, zone: ZoneInfo) -> str:
    """``Monday 23 November``."""
    local = at.astimezone(zone)
    return f"{local:%A} {local.day} {local:%B}"


def short_day(at: datetime, zone: ZoneInfo) -> str:
    """``Mon 23 Nov``."""
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b}"


def when(at: datetime, zone: ZoneInfo, now: datetime) -> str:
    """``09:30`` today, ``Sun 22 Nov, 09:30`` on another day, with the year where it is another one."""
    local, today = at.astimezone(zone), now.astimezone(zone)
    if local.date() == today.date():
        return f"{local:%H:%M}"
    year = "" if local.year == today.year else f" {local.year}"
    return f"{local:%a} {local.day} {local:%b}{year}, {local:%H:%M}"


def span(length: timedelta) -> str:
    """``18 min``, ``40 s``, ``2 h 5 min``."""
    whole = max(0, round(length.total_seconds()))
    if whole < 90:  # noqa: PLR2004 - up to a minute and a half, seconds say more
        return f"{whole} s"
    hours, minutes = divmod(round(whole / 60), 60)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{minutes} min" if minutes or not hours else "") if part)


def iso(at: datetime, zone: ZoneInfo) -> str:
    """What a ``time`` element's ``datetime`` says."""
    return at.astimezone(zone).isoformat(timespec="seconds")
