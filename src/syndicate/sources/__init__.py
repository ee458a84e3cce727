"""Where items come from: one file per kind of origin. What is found here is parsed, never minted, stored or sent."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from syndicate.errors import Fault
from syndicate.model import Status, require_aware
from syndicate.settings import SiteSettings, SourceSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """One file of a source, not yet opened."""

    path: str  # relative to the publication, POSIX
    stamp: str  # mtime in ns, size and inode: equal means unchanged
    problem: str = ""  # why it can never be read ("is a folder"); "" where nothing is known against it
    folder: bool = False  # a folder that could not be listed: what lies below it is unknown, not gone


@dataclass(frozen=True, kw_only=True, slots=True)
class Glance:
    """What a source says about a few places alone."""

    found: tuple[Found, ...] = ()  # files that are there
    absent: tuple[str, ...] = ()  # nothing is there: a file or a folder may have been; relative to the publication
    elsewhere: frozenset[str] = frozenset()  # places that are none of this source's


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """One parsed file: its front matter normalised, nothing minted yet.

    Neither the body nor the front matter shows in ``repr``: a quote's words stand there.
    """

    kind: Literal["brief", "quote"]
    path: str  # relative to the publication, POSIX
    stamp: str  # of the bytes that were read; "" where they may still be changing, so that they are read again
    content_sha: str  # SHA-256 hex of the file's bytes
    body: str = field(repr=False)  # Markdown of a brief, the words of a quote
    id: str = ""  # the front matter's: a bare token or an absolute URI; "" where none
    slug: str = ""  # the wished one; "" for quotes and where the file's name gives none
    slug_given: bool = False  # the front matter names the slug, so that it wins over the stored one
    status: Status = Status.PUBLISHED
    date: datetime | None = None  # aware UTC; None for quotes and undated drafts
    date_text: str = ""  # the date as written: part of the minted id
    embargo: datetime | None = None  # aware UTC
    updated: datetime | None = None  # aware UTC, as the author says
    front: Mapping[str, Any] = field(repr=False)  # normalised, JSON-serialisable; every key of its kind is there
    advice: tuple[Fault, ...] = ()  # what is worth mending, although the item passes

    def __post_init__(self) -> None:
        """Refuse naive instants."""
        for name in ("date", "embargo", "updated"):
            require_aware(name, getattr(self, name))


class Source(Protocol):
    """What the content store asks of an origin."""

    name: str  # its key in [sources]

    def scan(self) -> Iterator[Found]:
        """Every file there is, in a fixed order, without opening one.

        Raises
        ------
        SourceError
            The origin itself cannot be reached: nothing is known about its items.
        """
        ...

    def fingerprint(self) -> int | None:
        """``fingerprint`` of what ``scan`` would find, in as little time as looking at every file takes.

        ``None`` where that cannot be told without a scan.
        """
        ...

    def glance(self, places: Collection[str]) -> Glance | None:
        """What ``scan`` would find at ``places`` (absolute paths); ``None`` where only a scan can tell."""
        ...

    def read(self, found: Found) -> Draft | None:
        """Parse one file; ``None`` where it is no item and pretends to be none (a README).

        Raises
        ------
        SourceError
            With every fault of the file, each with its line.
        """
        ...


def fingerprint(files: Iterable[Found]) -> int:
    """A number that files in any order have in common while none of them changes. Of use within this process only."""
    return sum(hash((file.path, file.stamp)) for file in files)


def open_source(name: str, settings: SourceSettings, *, root: Path, site: SiteSettings) -> Source:
    """The source that ``[sources.NAME]`` describes; ``root`` is the publication's folder."""
    if settings.kind == "quotes":
        from syndicate.sources.quotes import QuoteFolder

        return QuoteFolder(name, settings, root=root, site=site)
    from syndicate.sources.markdown import MarkdownFolder

    return MarkdownFolder(name, settings, root=root, site=site)
