"""The quote gate: the only way from a Quote to any parcel or page (docs/quote-gate.md has the rules Q1 to Q23).

Here alone sealed words are opened for a reader, and nothing leaves but a ``FramedBlock`` or a ``FramedPost``, which
nobody else can make. Error messages name a rule, a field and a template, never the words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Final, Literal, NoReturn, TypeAlias, final

from syndicate.model import Limits, Quote, Status, Words, require_aware
from syndicate.render.gate import artefacts, provenance
from syndicate.render.gate.artefacts import LinkOnly, fingerprint
from syndicate.render.gate.defuse import Defusal, defuse
from syndicate.render.gate.frame import Finished, Form, Frame, Part, inspect
from syndicate.render.gate.house_style import Phrases, Style, style
from syndicate.render.gate.parts import CUT, Material, Rung, block_parts, html_values, own, post_parts, post_values, text_values
from syndicate.render.gate.refusal import refuse
from syndicate.render.gate.short import shortened
from syndicate.render.gate.spans import Watch
from syndicate.render.gate.visible import Source, tidy
from syndicate.render.templates import Rendering

__all__ = [
    "CATEGORY", "PARTIALS", "Admitted", "BlockForm", "FramedBlock", "FramedPost", "LinkOnly", "Phrases", "Rendering", "Rung",
    "Style", "Watch", "admit", "block", "fingerprint", "fit", "guard", "guard_outside", "link_only", "style",
]  # fmt: skip

BlockForm: TypeAlias = Literal["mail", "page", "feed", "text"]

CATEGORY: Final = "quoted-extremist-speech"  # of every entry that holds a quote (Q20)
PARTIALS: Final[Mapping[BlockForm, str]] = {
    "mail": "email/_quote.html.j2",
    "text": "email/_quote.txt.j2",
    "page": "pages/_quote.html.j2",
    "feed": "pages/_quote_feed.html.j2",
}
_POSTS: Final[Mapping[Rung, str]] = {rung: f"posts/quote_{rung}.txt.j2" for rung in ("full", "short", "paraphrase", "card")}
_KEY: Final = object()  # in nobody else's hands


class _Guarded:
    """Nobody but the gate makes one, changes one or derives from one."""

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        if cls.__module__ != __name__ or cls.__mro__[1] is not _Guarded:
            msg = "only the quote gate makes framed things"
            raise TypeError(msg)

    def __reduce__(self) -> NoReturn:
        msg = "framed things do not leave the process as objects"
        raise TypeError(msg)


def _require_key(key: object) -> None:
    if key is not _KEY:
        msg = "only the quote gate makes this"
        raise TypeError(msg)


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class Admitted(_Guarded):
    """A quote that may be framed: complete, defused, approved. Its words stay sealed."""

    key: InitVar[object]
    quote: Quote
    style: Style
    words: Words  # defused, paragraphs parted by an empty line
    original: Words  # defused; empty where there is no translation
    short: Words  # defused, gaps shown; empty where there is none
    label: str
    contains: str  # the kind of content
    defusals: tuple[Defusal, ...]  # what was taken out of the words, for the approver (Q9)
    original_defusals: tuple[Defusal, ...]
    rehearsal: bool  # for the eyes of editors only: nothing made from it may leave

    def __post_init__(self, key: object) -> None:
        """Refuse every maker but the gate."""
        _require_key(key)

    @property
    def warning(self) -> str:
        """The content warning of a post: names the kind of content, never the words (Q10)."""
        return self.contains


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class FramedBlock(_Guarded):
    """A complete block: label, context, words, attribution and archive link, checked as a reader sees them."""

    key: InitVar[object]
    quote_id: str
    slug: str
    link: str  # the quote's reader page
    title: str  # our own words, safe for a subject or an entry's title
    context: str  # our own line
    label: str
    contains: str
    lang: str  # BCP 47 of the words
    form: BlockForm
    content: str = field(repr=False)  # HTML, or text for the form "text"
    visible: str = field(repr=False)  # what a reader sees of it, one space where there is any
    links: tuple[str, ...] = field(repr=False)
    category: str = CATEGORY
    rehearsal: bool = False

    def __post_init__(self, key: object) -> None:
        """Refuse every maker but the gate."""
        _require_key(key)

    def __html__(self) -> str:
        """The block as it stands in a page or mail; a text block is no HTML."""
        if self.form == "text":
            msg = "a text block cannot stand in HTML"
            raise TypeError(msg)
        return self.content


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class FramedPost(_Guarded):
    """The whole text of one post, on one rung of the ladder (Q3)."""

    key: InitVar[object]
    quote_id: str
    rung: Rung
    text: str = field(repr=False)
    visible: str = field(repr=False)
    quoted: tuple[int, int] | None  # where quoted words stand in ``text``: no facet, tag or mention is computed there (Q9)
    link: str  # the post's own link to the quote's page; in the text unless the network carries cards
    links: tuple[str, ...] = field(repr=False)
    title: str  # of a card: our own words
    description: str  # of a card: our own words
    warning: str  # names the kind of content; "" where the channel has no such field
    labels: tuple[str, ...]
    lang: str
    cut: str  # what fitting left out, for the preview
    form: Literal["post"] = "post"
    rehearsal: bool = False

    def __post_init__(self, key: object) -> None:
        """Refuse every maker but the gate."""
        _require_key(key)


# -- in -----------------------------------------------------------------------------------------


def admit(quote: Quote, style: Style, *, approved: bool, now: datetime, rehearsal: bool = False) -> Admitted:
    """Let a quote in, or refuse by rule.

    ``approved`` tells whether people have approved this content and these renderings (``fingerprint``); a lone
    editor's publication (approval ``solo``) does not ask. ``rehearsal`` admits drafts and unapproved quotes for
    editors to look at; ``guard`` refuses what is made from them.

    Raises
    ------
    Held
        With the rule: Q2, Q3, Q5, Q7, Q8, Q11, Q12, Q18, Q21, or Q22 for a withdrawn quote.
    """
    require_aware("now", now)
    if not rehearsal:
        _require_leave(quote, style, approved=approved, now=now)
    words, defusals = _prepare(quote.words)
    original, original_defusals = _prepare(quote.original)
    provenance.require_provenance(quote, style)
    provenance.require_links(quote, style)
    provenance.require_plain(words)
    provenance.require_own_words(quote, style, _watch(quote, style), words)
    provenance.require_victims_first(quote, words)
    return Admitted(
        key=_KEY,
        quote=quote,
        style=style,
        words=Words(words),
        original=Words(original),
        short=Words(shortened(words, _prepare(quote.short)[0]) if quote.short else ""),
        label=own(provenance.label_of(quote, style)),
        contains=own(quote.contains).rstrip(".") or style.notices[quote.kind],
        defusals=defusals,
        original_defusals=original_defusals,
        rehearsal=rehearsal,
    )


def _require_leave(quote: Quote, style: Style, *, approved: bool, now: datetime) -> None:
    if quote.status is Status.WITHDRAWN:
        refuse("Q22", "it was withdrawn")
    if quote.status is Status.DRAFT:
        refuse("Q11", "it is a draft")
    if any(instant is not None and instant > now for instant in (quote.release, quote.first_date)):
        refuse("Q23", "it is not due yet")
    if style.approval == "four-eyes" and not approved:
        refuse("Q11", "it waits for a verifier and an approver, two different people")


def _prepare(words: Words) -> tuple[str, tuple[Defusal, ...]]:
    """The words defused and in paragraphs, and what was changed."""
    text, changes = defuse(words.reveal().replace("\r\n", "\n").replace("\r", "\n"))
    return "\n\n".join(tidy(part) for part in re.split(r"\n[ \t]*\n", text) if part.strip()), changes


@lru_cache(maxsize=4096)
def _runs(words: Words, original: Words, ours: tuple[str, ...]) -> Watch:
    return Watch.over((words.reveal(), _prepare(words)[0], original.reveal(), _prepare(original)[0]), ours)


def _watch(quote: Quote, style: Style | None) -> Watch:
    label = provenance.label_of(quote, style) if style else quote.label
    return _runs(quote.words, quote.original, (label, quote.context))


# -- blocks -------------------------------------------------------------------------------------


def block(admitted: Admitted, form: BlockForm, templates: Rendering) -> FramedBlock:
    """The complete block of a quote, rendered by its partial and then checked as a reader would see it.

    Raises
    ------
    Held
        The rendered block is not complete, in order and alone (Q1, Q2, Q5, Q7, Q8); names the template.
    RenderError
        The template cannot be filled in.
    """
    quote, template = admitted.quote, PARTIALS[form]
    material = _material(admitted, admitted.words)
    values = text_values(material) if form == "text" else html_values(material)
    finished = _finish(admitted, templates, template, values, block_parts(material, linked=form != "text"), form)
    return FramedBlock(
        key=_KEY,
        quote_id=quote.id,
        slug=quote.slug,
        link=quote.link,
        title=own(quote.title),
        context=own(quote.context),
        label=admitted.label,
        contains=admitted.contains,
        lang=quote.lang,
        form=form,
        content=finished.content,
        visible=finished.visible,
        links=finished.links,
        rehearsal=admitted.rehearsal,
    )


def link_only(admitted: Admitted) -> LinkOnly:
    """Our own words and the link, for a reader who opens the quotation only if they wish."""
    quote = admitted.quote
    return LinkOnly(
        quote_id=quote.id,
        title=own(quote.title),
        context=own(quote.context),
        contains=admitted.contains,
        label=admitted.label,
        link=quote.link,
    )


def _material(admitted: Admitted, words: Words) -> Material:
    return Material(
        quote=admitted.quote,
        style=admitted.style,
        label=admitted.label,
        contains=admitted.contains,
        words=words.reveal(),
        original=admitted.original.reveal(),
    )


def _finish(
    admitted: Admitted, templates: Rendering, template: str, values: Mapping[str, object], parts: Mapping[Part, str], form: Form
) -> Finished:
    rendered = templates.render(template, **values)
    archive = admitted.quote.archive if Part.WORDS in parts else ""
    frame = Frame(parts=parts, archive=archive, allows=admitted.style.allows, watch=_watch(admitted.quote, admitted.style))
    return inspect(rendered, frame, form=form, template=template)


# -- posts --------------------------------------------------------------------------------------


def fit(
    admitted: Admitted, *, fits: Callable[[str], bool], templates: Rendering, channel_link: str, limits: Limits
) -> FramedPost:
    """The highest rung of the ladder that fits one post: full, short, paraphrase, link card (Q3). Never a thread (Q4).

    ``fits`` tells whether a text fits the channel, where it counts ``admitted.warning`` too if the network does.
    ``channel_link`` is the post's own link to the quote's page.

    Raises
    ------
    Held
        Not even the link card fits (Q3), or a template breaks a rule.
    """
    quote = admitted.quote
    if not admitted.style.ours(channel_link):
        refuse("Q8", "the post's link does not lead to our own pages")
    rungs: dict[Rung, bool] = {"full": True, "short": bool(admitted.short), "paraphrase": bool(quote.paraphrase), "card": True}
    for rung in (rung for rung, written in rungs.items() if written):
        framed = _post(admitted, rung, templates, channel_link, limits)
        if fits(framed.text):
            return framed
    return refuse("Q3", "not even a link with our own words fits this channel: shorten `title` or `context`")


def _post(admitted: Admitted, rung: Rung, templates: Rendering, channel_link: str, limits: Limits) -> FramedPost:
    quote, template = admitted.quote, _POSTS[rung]
    material = _material(admitted, admitted.short if rung == "short" else admitted.words)
    parts = post_parts(material, rung, channel_link, limits)
    finished = _finish(admitted, templates, template, post_values(material, parts, channel_link, limits), parts, "post")
    text = re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+$", "", finished.content, flags=re.MULTILINE)).strip()
    words = parts.get(Part.WORDS, "")
    start = text.find(words) if words else -1
    return FramedPost(
        key=_KEY,
        quote_id=quote.id,
        rung=rung,
        text=text,
        visible=finished.visible,
        quoted=(start, start + len(words)) if start >= 0 else None,
        link=channel_link,
        links=finished.links,
        title=own(quote.title),
        description=own(quote.context),
        warning=admitted.warning if limits.warning else "",
        labels=admitted.style.self_labels,
        lang=quote.lang,
        cut=CUT[rung],
        rehearsal=admitted.rehearsal,
    )


# -- out ----------------------------------------------------------------------------------------


def guard_outside(text: str, quotes: Iterable[Quote], *, style: Style | None = None) -> None:
    """Refuse a subject, title, summary, slug, file name, card, alt text or id that repeats a quote (Q5).

    A run that stands in the quote's label or context too is ours; ``style`` tells the labels of the kinds.

    Raises
    ------
    Held
        Q5; names the quote by its slug.
    """
    pool = tuple(quotes)
    if _union(tuple(_watch(quote, style) for quote in pool)).finds(text):
        slug = next((quote.slug for quote in pool if _watch(quote, style).finds(text)), "")
        refuse("Q5", f"words of the quote {slug} stand outside its block")


def guard(
    artefact: str,
    source: Source,
    blocks: Sequence[FramedBlock],
    quotes: Iterable[Quote],
    *,
    style: Style | None = None,
    preview: bool = True,
) -> None:
    """Refuse a whole finished artefact in which words of a quote stand anywhere but in a complete, intact block.

    ``quotes`` are those that the artefact carries or was made beside (an edition: the day's; a feed: its entries').
    ``preview``: its first 200 visible characters hold no quoted run (Q6); pages and feeds make no preview of these.

    Raises
    ------
    Held
        Q1, Q5, Q6 or Q11.
    """
    pool = tuple(quotes)
    for one in blocks:
        if one.rehearsal:
            refuse("Q11", f"the block of the quote {one.slug} is a rehearsal")
    outside, opening = artefacts.outside(artefact, source, [(one.slug, one.visible) for one in blocks])
    for piece in outside:
        guard_outside(piece, pool, style=style)
    if preview and source in {"html", "text"} and _union(tuple(_watch(quote, style) for quote in pool)).finds(opening):
        refuse(
            "Q6", f"quoted words stand among the first {artefacts.PREVIEW} characters, from which mail clients make previews"
        )


@lru_cache(maxsize=64)
def _union(watches: tuple[Watch, ...]) -> Watch:
    return Watch.union(watches)
