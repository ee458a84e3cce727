"""Briefs on pages: the front page, one brief, and lists by topic and series. What is not yet due does not exist here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date as civil_date
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.exceptions import HTTPException

from syndicate import links
from syndicate.model import Author, Brief, Image, Status
from syndicate.publish import catalogue
from syndicate.render import markup
from syndicate.render.templates import day, listing
from syndicate.web import quotes
from syndicate.web.layout import page, publication

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from syndicate.app import App
    from syndicate.publish.catalogue import Planned

_PER_PAGE: Final = 20
_LONGEST_PAGE: Final = len("99999")  # more pages than anybody has
_RECENT: Final = 60  # briefs among which the front page looks for corrections
_MORE: Final = 3  # the lead and two beside it
_EARLIER: Final = 9  # briefs on the front page altogether
_NOTES: Final = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A brief as lists show it."""

    brief: Brief
    path: str
    summary: str
    authors: str  # "Ysolde Tarrant and Imre Valdane"
    signed: str  # with their roles
    corrected: civil_date | None
    image: Image | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """A correction or a withdrawal, as the front page tells it."""

    date: civil_date
    title: str
    path: str
    text: str
    withdrawn: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """A topic or a series with its page."""

    name: str
    slug: str


def front(request: Request) -> Response:
    """``/``: the newest brief, more of them, and what else there is today."""
    app = publication(request)
    newest = app.content.briefs(now=app.now(), limit=_EARLIER, with_body=True)
    rows = [_row(app, brief) for brief in newest if brief.status is not Status.WITHDRAWN]
    return page(
        request,
        "front",
        here="briefs",
        canonical=app.public("/"),
        description=app.settings.site.description,
        lead=rows[0] if rows else None,
        more=rows[1:_MORE],
        earlier=rows[_MORE:],
        quote=quotes.of_today(app),
        corrections=_notes(app, app.content.briefs(now=app.now(), limit=_RECENT))[:_NOTES],
        mail_times=next((n.daily.at for n in app.settings.newsletters.values() if n.daily), ""),
    )


def brief(request: Request) -> Response:
    """``/briefs/{slug}``: one brief with its record; 410 with a notice where it was withdrawn.

    Raises
    ------
    HTTPException
        404 where there is no such brief, or not yet.
    """
    app = publication(request)
    found = app.content.brief(request.path_params["slug"], now=app.now())
    if found is None:
        raise HTTPException(404)
    if found.status is Status.WITHDRAWN:
        return _withdrawn(request, found)
    row = _row(app, found)
    return page(
        request,
        "brief",
        here="briefs",
        canonical=found.link,
        description=row.summary,
        brief=found,
        standfirst=found.summary,
        corrected=row.corrected,
        topics=[_subject(name) for name in found.topics],
        series=_subject(found.series) if found.series else None,
        citation=_citation(app, found),
        image=row.image,
        content=_in_scroll_regions(markup.to_html(found.body, base=found.link)),
    )


def everything(request: Request) -> Response:
    """``/briefs/``: all of them, newest first."""
    site = publication(request).settings.site
    return _list(request, "", "All briefs", f"Everything that {site.title} has published, newest first.")


def topic(request: Request) -> Response:
    """``/topics/{slug}``."""
    app, slug = publication(request), request.path_params["slug"]
    name = next((name for known, name, _ in app.content.topics(app.now()) if known == slug), "")
    if not name:
        raise HTTPException(404)
    return _list(request, "Topic", name, "Briefs on this topic, newest first.", topic=slug)


def series(request: Request) -> Response:
    """``/series/{slug}``: named as the briefs of that series name it."""
    app, slug = publication(request), request.path_params["slug"]
    newest = app.content.briefs(now=app.now(), limit=1, series=slug)
    if not newest:
        raise HTTPException(404)
    return _list(request, "Series", newest[0].series, "The briefs of this series, newest first.", series=slug)


def _list(request: Request, kind: str, heading: str, standfirst: str, **by: str) -> Response:
    app, number = publication(request), _page_number(request)
    found = app.content.briefs(now=app.now(), limit=_PER_PAGE + 1, offset=(number - 1) * _PER_PAGE, with_body=True, **by)
    if not found and number > 1:
        raise HTTPException(404)
    return page(
        request,
        "listing",
        here="" if by else "briefs",
        kind=kind,
        heading=heading,
        standfirst=standfirst,
        rows=[_row(app, brief) for brief in found[:_PER_PAGE] if brief.status is not Status.WITHDRAWN],
        also=_feed_of(app, **by),
        newer=_turned(number - 1) if number > 1 else "",
        older=_turned(number + 1) if len(found) > _PER_PAGE else "",
    )


def _feed_of(app: App, **by: str) -> list[Planned]:
    """The feed of a topic or series, where the settings ask for one."""
    names = {f"{catalogue.FOLDERS[kind]}/{slug}" for kind, slug in by.items()}  # type: ignore[index]
    return [one for one in catalogue.planned(app, app.now()) if one.name in names]


def _page_number(request: Request) -> int:
    text = request.query_params.get("page", "1")
    if not text.isascii() or not text.isdigit() or len(text) > _LONGEST_PAGE or not int(text):
        raise HTTPException(404)
    return int(text)


def _turned(number: int) -> str:
    return "?" + urlencode({"page": number})


def _withdrawn(request: Request, found: Brief) -> Response:
    zone = publication(request).settings.site.zone
    why = found.corrections[-1].text if found.corrections else ""
    said = f"We have withdrawn “{found.title}” ({day(found.published, zone)}). {why}".rstrip()
    return page(
        request,
        "notice",
        status=HTTPStatus.GONE,
        here="briefs",
        heading=found.title,
        standfirst="",
        notice={"kind": "gone", "title": f"Withdrawn, {day(found.updated, zone)}", "text": f"{said} Please do not cite it."},
    )


def _row(app: App, brief: Brief) -> Row:
    return Row(
        brief=brief,
        path=f"/briefs/{brief.slug}",
        summary=markup.summary(brief),
        authors=listing(author.name for author in brief.authors),
        signed="; ".join(_with_role(author) for author in brief.authors),
        corrected=max((note.date for note in brief.corrections), default=None),
        image=_placed(app, brief.image),
    )


def _with_role(author: Author) -> str:
    return f"{author.name}, {author.role}" if author.role else author.name


def _placed(app: App, image: Image | None) -> Image | None:
    """The picture with an absolute address, so that the same one serves pages and cards."""
    if image is None or image.src.startswith(("https://", "http://")):
        return image
    return Image(src=app.public(f"/{image.src.lstrip('/')}"), alt=image.alt, width=image.width, height=image.height)


def _notes(app: App, recent: Iterable[Brief]) -> list[Note]:
    """What was put right lately, newest first."""
    zone = ZoneInfo(app.settings.site.zone)
    notes = []
    for found in recent:
        path = f"/briefs/{found.slug}"
        if found.status is Status.WITHDRAWN:
            on = found.updated.astimezone(zone).date()
            notes.append(Note(date=on, title=found.title, path=path, text="", withdrawn=True))
            continue
        notes += [
            Note(date=note.date, title=found.title, path=path, text=note.text, withdrawn=False) for note in found.corrections
        ]
    return sorted(notes, key=lambda note: (note.date, note.title), reverse=True)


def _subject(name: str) -> Subject:
    return Subject(name=name, slug=links.name_slug(name))


def _citation(app: App, found: Brief) -> str:
    site = app.settings.site
    parts: Sequence[str] = (
        listing(author.name for author in found.authors),
        f"“{found.title}”",
        site.title,
        day(found.published, site.zone),
    )
    return ", ".join(part for part in parts if part)


def _in_scroll_regions(html: str) -> str:
    """Let a wide table scroll by itself, also by keyboard. Safe HTML holds no other ``<table>`` than a real one."""
    region = '<div class="scroll" role="region" aria-label="Table" tabindex="0"><table>'
    return html.replace("<table>", region).replace("</table>", "</table></div>")
