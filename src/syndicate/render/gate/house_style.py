"""How this publication frames a quotation, as plain values: labels, fixed phrases, and where links may lead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import SplitResult, urlsplit

from syndicate.model import QuoteKind

if TYPE_CHECKING:
    from syndicate.settings import Settings

# Archives of the web that anybody can look into (Q8).
WEB_ARCHIVES: Final = frozenset(
    {"web.archive.org", "archive.org", "www.archive.org", "archive.ph", "archive.today", "archive.is", "perma.cc"}
)
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Phrases:
    """The fixed phrases of a block, in the publication's language."""

    contains: str = "Contains"
    opening: str = "Quoted text, not our words"
    closing: str = "End of quoted text"
    account_opening: str = "What was done, in our words"  # of an *actions* item
    account_closing: str = "End of the account"
    translation: str = "Our translation"
    paraphrase: str = "What an extremist said, in our words"  # the label where a paraphrase stands for the words
    speaker: str = "Speaker"
    role: str = "Role"
    place: str = "Place"
    date: str = "Date"
    undated: str = "Undated"
    translator: str = "Translator"
    archive: str = "Archive"
    record: str = "Record {slug} in our archive"
    copy: str = "Archived copy at {host}"
    facts: str = "Source of the quotation"
    more: str = "Read what this passage does, and how we know"
    account_more: str = "Read about this action, and how we know"


_NOTICES: Final[Mapping[QuoteKind, str]] = MappingProxyType(
    {
        QuoteKind.WORDS: "extremist speech",
        QuoteKind.ACTIONS: "an account of an extremist action",
        QuoteKind.POST: "extremist speech",
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Style:
    """What the quote gate needs to know of a publication."""

    title: str  # "The daily dose"
    tagline: str  # "Extremists: their words, their actions."
    labels: Mapping[QuoteKind, str]  # the framing label of each kind
    archive_hosts: frozenset[str]  # lower-case hosts, beside our own pages and known web archives
    public_url: str  # without a slash at its end
    language: str  # BCP 47
    approval: Literal["four-eyes", "solo"] = "four-eyes"
    self_labels: tuple[str, ...] = ()  # on posts, where a network has such labels (Q10)
    notices: Mapping[QuoteKind, str] = field(
        default_factory=lambda: _NOTICES
    )  # the kind of content, where a quote does not say
    phrases: Phrases = field(default_factory=Phrases)

    def ours(self, url: str) -> bool:
        """Whether ``url`` is a page of this publication."""
        mine, theirs = urlsplit(self.public_url), _split(url)
        if theirs is None or (theirs.scheme, theirs.netloc.lower()) != (mine.scheme, mine.netloc.lower()):
            return False
        return mine.scheme == "https" or (mine.scheme == "http" and mine.hostname in _LOOPBACK)

    def allows(self, url: str) -> bool:
        """Whether a quote's link may lead to ``url``: our own pages and archives, over https (Q8)."""
        parts = _split(url)
        if parts is None:
            return False
        return self.ours(url) or (parts.scheme == "https" and (parts.hostname or "") in self.archive_hosts | WEB_ARCHIVES)


def style(settings: Settings, say: Callable[[str], str] = str) -> Style:
    """The style of a publication, from its settings; ``say`` puts our fixed phrases into its language."""
    quotes = settings.quotes
    return Style(
        title=quotes.title,
        tagline=quotes.tagline,
        labels={
            QuoteKind.WORDS: quotes.labels.words,
            QuoteKind.ACTIONS: quotes.labels.actions,
            QuoteKind.POST: quotes.labels.post,
        },
        archive_hosts=frozenset(host.strip().lower() for host in quotes.archive_hosts),
        public_url=settings.web.public_url.rstrip("/"),
        language=settings.site.language,
        approval=quotes.approval,
        self_labels=quotes.self_labels,
        notices={kind: say(text) for kind, text in _NOTICES.items()},
        phrases=Phrases(**{phrase.name: say(str(phrase.default)) for phrase in fields(Phrases)}),
    )


def _split(url: str) -> SplitResult | None:
    """The parts of an absolute URL without tricks: plain ASCII, no user, no backslash; else ``None``."""
    if not all("!" <= character <= "~" for character in url) or any(character in url for character in '"<>\\^`{|}'):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    return None if "@" in parts.netloc or not parts.hostname or port == 0 else parts
