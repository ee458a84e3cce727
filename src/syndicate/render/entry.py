"""Items as they stand in a feed. A brief enters whole; a quote enters only as the gate's framed block. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from html import escape
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from syndicate.errors import Fault, RenderError
from syndicate.links import is_tag_uri
from syndicate.model import Author, Brief, Correction, Image, Status, require_aware
from syndicate.render.markup import Html, absolute, one_line, sanitise, summary, to_html
from syndicate.render.templates import day

if TYPE_CHECKING:
    from syndicate.render.framing import FramedBlock

EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)  # feed validators call an earlier time implausible (ImplausibleDate)
FULL_TEXT_LIMIT: Final = 3_000_000  # bytes of one entry's HTML as a feed escapes it; above, readers get the summary and a link

_RIGHT_TO_LEFT: Final = frozenset({"ar", "arc", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"})
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_URI: Final = re.compile(
    r"[a-z][a-z0-9+.\-]*:[0-9a-zA-Z;/?:@&=+$.\-_!~*'()%,#]+"
)  # RFC 2396's characters: every validator's floor
_TAG_LIKE: Final = re.compile(r"</?[A-Za-z][A-Za-z0-9]*(\s[^<>]*)?/?>")
_END_TAG: Final = re.compile(r"</\w+>")
_ADDRESS: Final = re.compile(r"<[^<>\s]+@[^<>\s]+>")


@dataclass(frozen=True, kw_only=True, slots=True)
class Category:
    """What an entry is about."""

    term: str  # as written; the quote feed's is ``quoted-extremist-speech``
    scheme: str = ""  # URI


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """An item as it stands in a feed (RFC 4287 ``atom:entry``, RSS ``item``)."""

    id: str  # permanent; the same string in every format, but for an RSS entry with a guid of its own
    title: str  # plain text on one line
    link: str  # absolute http(s) URI
    published: datetime  # aware UTC, whole seconds; never moves
    updated: datetime  # aware UTC, whole seconds; the last significant change
    content: Html
    summary: str = ""  # plain text on one line
    authors: tuple[Author, ...] = ()
    categories: tuple[Category, ...] = ()
    image: Image | None = None
    lang: str = ""  # BCP 47; "" means the feed's
    withdrawn: bool = False  # the content is a notice; Atom carries a tombstone instead (RFC 6721)
    framed: bool = False  # the content is a quotation in its frame, which stands whole or not at all
    guid: str = ""  # what names it in RSS, where a former feed named it so; "" means the id

    def __post_init__(self) -> None:
        """Refuse naive instants."""
        require_aware("published", self.published)
        require_aware("updated", self.updated)


def document_path(name: str, form: str, page: int) -> str:
    """Where a document of a feed stands below the feeds folder: ``briefs.rss``, ``archive/briefs-0001.rss``."""
    return f"archive/{name}-{page:04}.{form}" if page else f"{name}.{form}"


# Entries that stood in a document already, by format and id: what one looks like depends on nothing beside it.
Fragments: TypeAlias = MutableMapping[tuple[str, str], tuple[Entry, bytes]]


def remembered(known: Fragments | None, form: str, entry: Entry) -> bytes | None:
    """The text of this very entry in a document of ``form``; ``None`` where it is not known."""
    found = known.get((form, entry.id)) if known is not None else None
    return found[1] if found is not None and (found[0] is entry or found[0] == entry) else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Feed:
    """A named, ordered window of entries with its own id and link; or one of its archives (RFC 5005 §4).

    Archives are counted from the oldest, which is 1. A feed without archives is complete as it is.
    """

    name: str  # "briefs", "topics/leaving"
    kind: Literal["briefs", "quotes"] = "briefs"
    title: str
    subtitle: str = ""
    id: str  # tag URI
    language: str  # BCP 47
    home_url: str  # the HTML page that the feed belongs to
    urls: Mapping[str, str]  # format ("rss", "atom", "json") -> the address it is served at
    organisation: str  # the author of every entry that names none
    organisation_url: str = ""
    hub: str = ""  # WebSub
    stylesheet: str = "/feeds/feed.css"
    entries: tuple[Entry, ...] = ()  # newest first
    epoch: datetime  # aware UTC: ``updated`` of a feed without entries
    page: int = 0  # which archive this is; 0 is the document that readers subscribe to
    pages: int = 0  # archives there are
    linked: bool = True  # the newest archive stands already, so that the subscription document may lead to it

    @property
    def older(self) -> int:
        """The archive that this document leads back to; 0 where there is none, or none yet."""
        return self.page - 1 if self.page else self.pages if self.linked else 0

    def path(self, form: str, page: int | None = None) -> str:
        """The file of this document, or of another ``page``, below the feeds folder."""
        return document_path(self.name, form, self.page if page is None else page)

    def url(self, form: str, page: int | None = None) -> str:
        """The address of this document, or of another ``page``."""
        return self.urls[form].removesuffix(document_path(self.name, form, 0)) + self.path(form, page)

    @property
    def updated(self) -> datetime:
        """The newest entry's ``updated``: never the time of the build (RFC 4287 §4.2.15)."""
        return max((entry.updated for entry in self.entries), default=whole(self.epoch))


def whole(instant: datetime) -> datetime:
    """``instant`` in UTC without fractions of a second."""
    return instant.astimezone(UTC).replace(microsecond=0)


def brief_entry(brief: Brief, *, public_url: str) -> Entry:
    """A brief as it stands in a feed: corrections, byline, picture and full text, in this order.

    Raises
    ------
    RenderError
        Its title is empty, its id is no URI, its link leads nowhere, or its text cannot be rendered.
    """
    withdrawn = brief.status is Status.WITHDRAWN
    title = _title(brief.title, brief.path)
    link = _checked_link(brief.link, brief.path)
    published = whole(brief.published)
    updated = max(published, whole(brief.updated))
    if withdrawn:
        about = "This brief has been withdrawn. Please do not cite it."
        content = f"<p><strong>Withdrawn.</strong> {about}</p>{_corrections(brief.corrections)}"
        title = f"Withdrawn: {title}"
    else:
        about = plain(summary(brief))
        content = _content(replace(brief, title=title, link=link), about, public_url)
    return Entry(
        id=_checked_id(brief.id, brief.path),
        title=title,
        link=link,
        published=published,
        # Briefs of one instant are told apart by seconds that never change, in whatever feed they stand.
        updated=updated if withdrawn else updated + timedelta(seconds=brief.twin),
        content=_wrapped(content, brief.lang),
        summary=about,
        authors=tuple(_authors(brief.authors)),
        categories=tuple(Category(term=term) for term in dict.fromkeys(map(plain, brief.topics)) if term),
        image=None if withdrawn else _picture(brief.image, public_url),
        lang=brief.lang if _LANGUAGE.fullmatch(brief.lang) else "",
        withdrawn=withdrawn,
        guid=brief.guid,
    )


def quote_entry(block: FramedBlock, *, shown_at: datetime, category: Category) -> Entry:
    """A quote as it stands in a feed. Title and summary are our own words; the quotation stands in its frame only.

    Raises
    ------
    RenderError
        Its title is empty, its id is no URI, or its link leads nowhere.
    ValueError
        ``block`` was framed for another place.
    """
    if block.form != "feed":
        msg = f"a feed shows a quote framed for a feed, not for a {block.form}"
        raise ValueError(msg)
    entry = _quote(
        id=block.quote_id,
        title=block.title,
        link=block.link,
        published=shown_at,
        updated=shown_at,
        content=sanitise(block.content),
        summary=plain(block.context),
        category=category,
    )
    return replace(entry, framed=True)


def quote_notice(*, id: str, title: str, link: str, shown_at: datetime, withdrawn_at: datetime, category: Category) -> Entry:  # noqa: A002
    """What stands where a quote was withdrawn: a notice under the same id, and none of the words.

    ``title`` is our own. Raises ``RenderError`` as ``quote_entry`` does.
    """
    about = "This quotation has been withdrawn. Please do not cite it."
    entry = _quote(
        id=id,
        title=f"Withdrawn: {title}",
        link=link,
        published=shown_at,
        updated=withdrawn_at,
        content=sanitise(f"<p><strong>Withdrawn.</strong> {about}</p>"),
        summary=about,
        category=category,
    )
    return replace(entry, withdrawn=True)


def _quote(
    *,
    id: str,  # noqa: A002 - the noun's own word
    title: str,
    link: str,
    published: datetime,
    updated: datetime,
    content: Html,
    summary: str,
    category: Category,
) -> Entry:
    return Entry(
        id=_checked_id(id, id),
        title=_title(title, id),
        link=_checked_link(link, id),
        published=whole(published),
        updated=max(whole(published), whole(updated)),
        content=content,
        summary=summary,
        categories=(category,),
    )


def shortened(entry: Entry) -> Entry:
    """``entry`` with its summary and a link for its text. A withdrawn one, and a quote in its frame, stay whole."""
    if entry.withdrawn or entry.framed:
        return entry
    text = f"<p>{escape(entry.summary)}</p>" if entry.summary else ""
    return replace(entry, content=sanitise(f'{text}<p><a href="{escape(entry.link)}">{escape(entry.title)}</a></p>'))


def in_order(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Newest first by ``published``, ties by id; each id, each guid and each ``updated`` once.

    Readers that track changes by time need distinct times (w3c/feedvalidator, DuplicateUpdated): entries of
    one instant are moved apart by whole seconds, in a fixed order. The newest keeps its time, so that none
    changes when an older one leaves the window; so does a withdrawn one, whose tombstone tells the true
    time. No ``updated`` is before 1990.
    """
    ordered = sorted({entry.id: entry for entry in entries}.values(), key=lambda entry: entry.id)
    ordered.sort(key=lambda entry: entry.published, reverse=True)
    taken: set[datetime] = set()
    names = Counter(entry.guid or entry.id for entry in ordered)
    apart = []
    for entry in ordered:
        updated = max(entry.updated, EARLIEST)
        while updated in taken and not entry.withdrawn:
            updated += timedelta(seconds=1)
        if not entry.withdrawn:
            taken.add(updated)
        guid = entry.guid if names[entry.guid] == 1 else ""
        same = updated == entry.updated and guid == entry.guid
        apart.append(entry if same else replace(entry, updated=updated, guid=guid))
    return tuple(apart)


def plain(text: str) -> str:
    """Plain text for a field whose readers and validators expect no markup: on one line, without tags."""
    text = one_line(text)
    return one_line(_TAG_LIKE.sub("", text)) if _END_TAG.search(text) else text


def _title(text: str, file: str) -> str:
    title = plain(text)
    if not title:
        raise RenderError(Fault(file=file, rule="feed", what="the title is empty", right="give it a title in plain text"))
    return title


def _checked_id(text: str, file: str) -> str:
    if is_tag_uri(text) or (not text.startswith("tag:") and _URI.fullmatch(text)):
        return text
    fault = Fault(file=file, rule="feed", what="the id is no URI", right="`tag:example.org,2015:brief/…` (RFC 4151)")
    raise RenderError(fault)


def _checked_link(text: str, file: str) -> str:
    link = absolute(text, "")
    if link.startswith(("http:", "https:")):
        return link
    raise RenderError(Fault(file=file, rule="feed", what="the link is no web address", right="https://… with a host"))


def _authors(authors: Iterable[Author]) -> Iterable[Author]:
    for author in authors:
        name = plain(_ADDRESS.sub("", author.name))
        if name:
            url = absolute(author.url, "") if author.url else ""
            yield Author(name=name, role=plain(author.role), url=url if url.startswith("http") else "")


def _picture(image: Image | None, public_url: str) -> Image | None:
    src = absolute(image.src, f"{public_url}/") if image and image.src else ""
    if image is None or not src.startswith("http"):
        return None
    return replace(image, src=src, alt=one_line(image.alt))


def _content(brief: Brief, about: str, public_url: str) -> str:
    """Corrections, byline, picture, text. Never empty: an entry without content is nobody's."""
    body = str(to_html(brief.body, base=brief.link))
    complete = len(escape(body, quote=False).encode()) <= FULL_TEXT_LIMIT
    if not complete:
        body = f"<p>{escape(about)}</p>"
    image = _picture(brief.image, public_url)
    parts = [_corrections(brief.corrections), _byline(tuple(_authors(brief.authors)))]
    if image is not None and image.src not in body:
        size = f' width="{image.width}" height="{image.height}"' if image.width and image.height else ""
        parts.append(f'<p><img src="{escape(image.src)}" alt="{escape(image.alt)}"{size}></p>')
    parts.append(body)
    if not complete or not body.strip():
        parts.append(f'<p><a href="{escape(brief.link)}">{escape(brief.title)}</a></p>')
    return "".join(parts)


def _byline(authors: Sequence[Author]) -> str:
    if not authors:
        return ""
    people = (f"{author.name}, {author.role}" if author.role else author.name for author in authors)
    return f"<p>{escape('; '.join(people))}</p>"


def _corrections(corrections: Sequence[Correction]) -> str:
    """A visible note for each correction, the newest first."""
    newest = sorted(corrections, key=lambda correction: correction.date, reverse=True)
    return "".join(
        f"<p><strong>Correction, {day(correction.date)}:</strong> {escape(one_line(correction.text))}</p>"
        for correction in newest
    )


def _wrapped(content: str, lang: str) -> Html:
    """Name the language of a text that is not in the feed's, and its direction: readers show content alone."""
    if not _LANGUAGE.fullmatch(lang):
        return sanitise(content)
    direction = "rtl" if lang.partition("-")[0].lower() in _RIGHT_TO_LEFT else "ltr"
    return sanitise(f'<div lang="{lang}" dir="{direction}">{content}</div>')
