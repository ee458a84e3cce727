"""The nouns of the trade as frozen values. Pure: no clock, disk, network or log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date as civil_date
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from syndicate.words import Words as Words

NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


class Status(StrEnum):
    """Where an item stands in its life, as its author declares it."""

    DRAFT = "draft"
    EMBARGOED = "embargoed"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class QuoteKind(StrEnum):
    """What a quotation shows: a speaker's words, an event, or the text of a post."""

    WORDS = "words"
    ACTIONS = "actions"
    POST = "post"


class Frequency(StrEnum):
    """How often a reader wants an edition."""

    INSTANT = "instant"
    DAILY = "daily"
    WEEKLY = "weekly"


class QuoteDisplay(StrEnum):
    """How an edition shows the day's quote."""

    INLINE = "inline"
    LINK = "link"
    NONE = "none"


class State(StrEnum):
    """The states of a delivery. Only ``sending`` rows can be ambiguous after a crash."""

    PENDING = "pending"
    CLAIMED = "claimed"
    SENDING = "sending"
    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    UNCERTAIN = "uncertain"
    CANCELLED = "cancelled"


OPEN_STATES: Final = (State.PENDING, State.CLAIMED, State.SENDING, State.DEFERRED)

UNDATED: Final = "Undated"  # a value, not a gap: the date of a quotation that carries none


class Severity(StrEnum):
    """Whether a correction moves an item's ``updated``."""

    MINOR = "minor"
    SIGNIFICANT = "significant"


def require_aware(name: str, instant: datetime | None) -> None:
    """Refuse a naive datetime: everything inside is aware UTC.

    Raises
    ------
    ValueError
        ``instant`` has no zone.
    """
    if instant is not None and instant.tzinfo is None:
        msg = f"{name} must be an aware datetime, not {instant!r}"
        raise ValueError(msg)


@dataclass(frozen=True, kw_only=True, slots=True)
class Author:
    """A person who signs a brief."""

    name: str  # as printed
    role: str = ""  # "Senior Research Analyst"
    url: str = ""  # the person's page, http(s)


@dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """A picture that stands with a brief."""

    src: str  # absolute http(s) URL, or a path below the public address
    alt: str  # what the picture shows, in words
    width: int = 0  # px; 0 where unknown
    height: int = 0  # px; 0 where unknown


@dataclass(frozen=True, kw_only=True, slots=True)
class Correction:
    """A mistake that was put right, told to readers."""

    date: civil_date  # the civil day of the correction in the site's zone
    text: str  # what was wrong and what is right, plain text
    severity: Severity = Severity.SIGNIFICANT


@dataclass(frozen=True, kw_only=True, slots=True)
class Brief:
    """A published piece of research (schema.org ``Report``)."""

    id: str  # permanent tag URI (RFC 4151)
    slug: str  # the last part of its reader page's path
    link: str  # canonical absolute URL
    title: str  # plain text
    published: datetime  # aware UTC; never moves
    updated: datetime  # aware UTC; the last significant change
    authors: tuple[Author, ...] = ()
    summary: str = ""  # the author's own, plain text; "" where none was written
    topics: tuple[str, ...] = ()
    series: str = ""
    status: Status = Status.PUBLISHED
    image: Image | None = None
    lang: str = ""  # BCP 47; "" means the site's
    corrections: tuple[Correction, ...] = ()
    social: Mapping[str, str] = field(default_factory=lambda: NOTHING)  # channel or network -> our text; "warning"; "thread/2"
    body: str = ""  # Markdown
    path: str = ""  # the file it came from, relative to the publication
    content_sha: str = ""  # SHA-256 hex of the file's bytes
    release: datetime | None = None  # aware UTC; when it became owed to readers; None: not released
    revision: int = 0  # counts ``correct`` and ``withdraw``
    guid: str = ""  # what names it in RSS, where a former publisher's feed named it by something that is no URI
    twin: int = 0  # how many of the same ``published`` were released before it, or with it under a smaller id

    def __post_init__(self) -> None:
        """Refuse what no brief can be."""
        if not self.id or not self.title:
            msg = "a brief needs an id and a title"
            raise ValueError(msg)
        for name in ("published", "updated", "release"):
            require_aware(name, getattr(self, name))


@dataclass(frozen=True, kw_only=True, slots=True)
class Quote:
    """A quotation shown critically (schema.org ``Quotation``)."""

    id: str  # permanent tag URI
    slug: str  # the opaque part of the id: never made from the words
    link: str  # its reader page, absolute URL
    kind: QuoteKind
    title: str  # our own words; never a run of the quote's
    words: Words  # the quotation in the publication's language, or the event's description for *actions*
    context: str  # one line in our words, shown before the words
    source: str  # where it was found; stored, never rendered (Q8)
    archive: str  # archive link, http(s), on the allow-list (Q8)
    date: str  # ISO date, a year, or ``Undated``
    lang: str  # BCP 47 of ``words``
    contains: str = ""  # the kind of content, for the notice (Q10)
    label: str = ""  # overrides the label of its kind
    speaker: str = ""
    role: str = ""
    role_source: str = ""
    dir: Literal["ltr", "rtl"] = "ltr"  # of ``words``
    original: Words = field(default_factory=lambda: Words(""))  # before translation
    original_lang: str = ""
    translator: str = ""
    short: Words = field(default_factory=lambda: Words(""))  # the editor-approved short form (Q3)
    paraphrase: str = ""  # the editor-approved paraphrase, our words (Q3)
    ideology: str = ""
    group: str = ""
    speaker_dates: tuple[str, ...] = ()  # birth, death, attack: MM-DD or ISO (Q14)
    place: str = ""  # of an *actions* item
    victims: str = ""  # of an *actions* item, named before any perpetrator (Q21)
    status: Status = Status.PUBLISHED
    first_date: datetime | None = None  # aware UTC; not before this instant
    updated: datetime | None = None  # aware UTC; the last significant change: of a withdrawn quote, its withdrawal
    path: str = ""
    content_sha: str = ""
    release: datetime | None = None
    revision: int = 0

    def __post_init__(self) -> None:
        """Refuse what no quote can be."""
        if not self.id or not self.words:
            msg = "a quote needs an id and words"
            raise ValueError(msg)
        require_aware("release", self.release)


Item: TypeAlias = Brief | Quote


@dataclass(frozen=True, kw_only=True, slots=True)
class Slot:
    """One due time of one schedule. Its identity is (schedule, zone, local)."""

    schedule: str  # "quotes", "digest.daily"
    zone: str  # IANA name
    local: datetime  # naive civil date and time in ``zone``
    due: datetime  # the instant, aware UTC
    note: Literal["", "gap", "overlap"] = ""  # where the local time is skipped or doubled by a DST change


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What a channel can carry, as data. One shared function obeys them (``render/counting.py``)."""

    counting: Literal["none", "x", "mastodon", "codepoints", "bluesky", "slack", "discord"] = "none"
    text: int = 0  # units of ``counting``; 0: no limit
    text_bytes: int = 0  # UTF-8 bytes; 0: no limit
    url: int = 0  # units that one URL counts; 0: its own length
    warning: bool = False  # a content warning field exists (Mastodon)
    cards: bool = False  # the post itself carries a link card (Bluesky)
    edits: bool = False
    deletes: bool = False
    picture_bytes: int = 0  # of one picture; 0: it takes none
    alt: int = 1000  # characters of what it shows, in words
    thumbs: bool = False  # a picture belongs to the card, not to the post (Bluesky)
    price_link: float = 0.0  # US dollars for a post with a link
    price_plain: float = 0.0  # US dollars for a post without one
    checked: str = ""  # ISO date on which the figures were read, and where


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A parcel: the rendered files of one feed."""

    name: str  # "briefs"
    files: Mapping[str, bytes]  # path below the feeds folder -> bytes
    updated: datetime  # aware UTC, whole seconds: the newest entry's


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """A parcel: the email of one edition to one subscriber, as RFC 5322 bytes with CRLF."""

    sender: str  # envelope MAIL FROM, addr-spec
    recipient: str  # envelope RCPT TO, addr-spec
    data: bytes
    message_id: str  # without angle brackets
    undotted: bool = False  # whoever made it has seen that no line begins with a dot: none is to be doubled (RFC 5321 §4.5.2)


@dataclass(frozen=True, kw_only=True, slots=True)
class Facet:
    """A link or a hashtag inside a post's text, as UTF-8 byte offsets, end exclusive (Bluesky's ``richtext.facet``)."""

    start: int
    end: int
    uri: str  # of a hashtag: itself, with its sign


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A brief's picture as one network takes it, its bytes in a file of the publication."""

    file: str  # relative to the publication: "var/pictures/….jpg"
    sha: str  # SHA-256 of the bytes, hex
    type: str  # "image/jpeg" or "image/png"
    size: int  # bytes
    width: int  # px
    height: int  # px
    alt: str  # what it shows, in words


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """A link card: our words only, never a quote's (Q5)."""

    uri: str
    title: str
    description: str
    thumb: Picture | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Post:
    """A parcel: an Item fitted to one social channel by ``render/post.py`` alone; a quote's text is ``render/framing.py``'s."""

    item: str  # the item's id
    text: str = field(repr=False)
    link: str  # the unique link of (item, channel, revision), inside ``text`` or the card
    lang: str  # BCP 47
    created: datetime  # aware UTC, frozen at planning, so that a retry has the same bytes
    warning: str = ""  # content warning; "" for none
    labels: tuple[str, ...] = ()  # self-labels (Bluesky)
    facets: tuple[Facet, ...] = ()
    card: Card | None = None
    picture: Picture | None = None  # never of a quote (Q7)
    answers: tuple[str, ...] = ()  # in a thread: the network's names of its first post and of the one before this
    count: int = 0  # in the channel's units
    rung: Literal["", "full", "short", "paraphrase", "card"] = ""  # the fit ladder's rung of a quote (Q3)
    cut: str = ""  # what fitting left out, for the preview


Parcel: TypeAlias = Document | Message | Post


@dataclass(frozen=True, kw_only=True, slots=True)
class Removal:
    """A post that is to be deleted where it stands. No parcel: nothing of it is sent."""

    item: str  # the item's id
    remote_id: str  # as the network calls the post


Way: TypeAlias = Literal["edit", "reply", "post"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Amendment:
    """How a post that stands is put right: changed in place, or followed by a reply or a post of its own."""

    item: str  # the item's id
    remote_id: str  # of the post that stands, as the network calls it
    way: Way
    post: Post  # the whole post as it should read, or the words that follow it
    note: Post | None = None  # what follows where the network does not let the post be changed after all


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """The exact bytes that a channel would put on the wire for one parcel."""

    method: str  # "POST", "PUT", or "MAIL" for SMTP
    url: str
    headers: Mapping[str, str]  # without secrets
    body: bytes
    suffix: str = ".json"  # the file name's ending in the outbox


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """What a channel hands back when a parcel has left."""

    remote_id: str
    url: str = ""
    at: datetime | None = None  # aware UTC, where the far side tells it
    note: str = ""  # what it left without: a picture that the network did not take


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One line of a channel's ``doctor``."""

    ok: bool
    what: str
    advice: str = ""
