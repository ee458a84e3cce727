"""The composition root: a publication's folder becomes settings, stores, channels and templates."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from syndicate.errors import ConfigError, Fault
from syndicate.settings import BRIEF_LATENESS, QUOTE_LATENESS, Settings, load

if TYPE_CHECKING:
    from syndicate.channels import Channel
    from syndicate.render.framing import Style
    from syndicate.render.templates import Templates
    from syndicate.sources import Source
    from syndicate.store.books import Books
    from syndicate.store.content import ContentStore
    from syndicate.store.database import Store
    from syndicate.store.holds import Holds
    from syndicate.store.ledger import Ledger
    from syndicate.store.people import People
    from syndicate.store.subscribers import SubscriberStore

TEMPLATE_SUFFIX = ".j2"
CATALOGUE_SUFFIX = ".po"  # templates/locale/ar.po
_BY_CHOICE = re.compile(r"locale/.+|posts/brief\.[^.]+\.txt\.j2|email/subject\.[^.]+\.txt\.j2")


@dataclass(frozen=True, kw_only=True)
class App:
    """Everything that the shell works with. Made by ``open_app`` alone."""

    root: Path  # the publication
    settings: Settings
    now: Callable[[], datetime]  # the clock, aware UTC; one reading per run
    store: Store
    content: ContentStore
    subscribers: SubscriberStore
    ledger: Ledger
    books: Books
    holds: Holds
    people: People
    channels: Mapping[str, Channel]
    templates: Templates
    sources: tuple[Source, ...]
    style: Style
    token_keys: Mapping[int, bytes]

    @property
    def feeds_folder(self) -> Path:
        """Where rendered feeds stand, ready for any static host."""
        return self.root / "feeds"

    @property
    def var(self) -> Path:
        """Private state: database, outbox, lock. Never served."""
        return self.root / "var"

    @property
    def style_sheet(self) -> Path:
        """``site.css`` of the reader pages: the publication's own, or else the program's."""
        from syndicate import starter

        name = "templates/pages/site.css"
        return self.root / name if (self.root / name).exists() else starter.folder() / name

    def public(self, path: str) -> str:
        """The absolute URL of ``path`` below the public address."""
        return f"{self.settings.web.public_url.rstrip('/')}/{path.lstrip('/')}"


@contextmanager
def open_app(root: Path, *, at: datetime | None = None, environ: Mapping[str, str] | None = None) -> Iterator[App]:
    """Open the publication in ``root``; ``at`` replaces the clock.

    Raises
    ------
    ConfigError
        The settings are not usable.
    StoreError
        The database is not usable.
    """
    from syndicate.render import framing
    from syndicate.sources import open_source
    from syndicate.store import marks, migrate
    from syndicate.store.books import Books
    from syndicate.store.content import ContentStore
    from syndicate.store.database import Store, database_path
    from syndicate.store.holds import Holds
    from syndicate.store.keys import TokenKeys
    from syndicate.store.ledger import Ledger
    from syndicate.store.people import People
    from syndicate.store.subscribers import SubscriberStore

    environ = os.environ if environ is None else environ
    settings = load(root, environ)

    def clock() -> datetime:
        return datetime.now(UTC) if at is None else at

    store = Store(database_path(settings.database.url, root))
    channels: dict[str, Channel] = {}
    try:
        migrate.ensure(store)
        marks.begin(store, clock())
        channels.update(open_channels(settings, root, clock))
        templates = open_templates(root)
        yield App(
            root=root,
            settings=settings,
            now=clock,
            store=store,
            content=ContentStore(store, site=settings.site, public_url=settings.web.public_url, windows=windows(settings)),
            subscribers=SubscriberStore(store),
            ledger=Ledger(store),
            books=Books(store),
            holds=Holds(store),
            people=People(store),
            channels=channels,
            templates=templates,
            sources=tuple(
                open_source(name, source, root=root, site=settings.site) for name, source in settings.sources.items()
            ),
            style=framing.style(settings, templates.wording(settings.site.language).say),
            token_keys=TokenKeys(store),
        )
    finally:
        for channel in channels.values():
            channel.close()
        store.close()


def windows(settings: Settings) -> Mapping[str, timedelta]:
    """How far back an item first seen late may be dated and still go out by itself, by kind."""
    return {
        "brief": settings.posts.briefs.policy(BRIEF_LATENESS).window,
        "quote": settings.quotes.schedule.policy(QUOTE_LATENESS).window,
    }


def open_channels(settings: Settings, root: Path, now: Callable[[], datetime]) -> dict[str, Channel]:
    """Build every configured channel from the settings class of its kind. Opens no connection.

    Raises
    ------
    ConfigError
        An unknown kind.
    """
    from syndicate.channels import kinds

    known = kinds()
    built: dict[str, Channel] = {}
    for name, raw in settings.channels.items():
        kind = str(raw.get("kind", ""))
        if kind not in known:
            fault = Fault(
                file="config/syndicate.toml",
                rule=f"channels.{name}",
                what=f"unknown kind {kind!r}",
                right=f"use one of {', '.join(sorted(known))}",
            )
            raise ConfigError(fault)
        factory = known[kind]
        built[name] = factory(
            name, factory.Settings(**{key: value for key, value in raw.items() if key != "kind"}), folder=root, now=now
        )
    return built


def open_templates(root: Path) -> Templates:
    """Read the publication's templates, ``email/edition.html.j2`` and its kin, and its catalogues, ``locale/ar.po``.

    One that is missing is the program's own, so that a publication made by an earlier version shows what came since.
    What may be left out on purpose, a language or the words for one account, is so only where its whole folder is missing.
    """
    from syndicate import starter
    from syndicate.render.templates import Templates

    folder = root / "templates"
    found = {path.relative_to(folder).as_posix(): _template(path, root) for path in _template_files(folder)}
    ours = starter.folder() / "templates"
    for path in _template_files(ours):
        name = path.relative_to(ours).as_posix()
        if name not in found and not (_BY_CHOICE.fullmatch(name) and (folder / name).parent.is_dir()):
            found[name] = _packaged(path)
    return Templates(
        {name: text for name, text in found.items() if name.endswith(TEMPLATE_SUFFIX)},
        {Path(name).stem: text for name, text in found.items() if name.endswith(CATALOGUE_SUFFIX)},
    )


def _template_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted([*folder.rglob(f"*{TEMPLATE_SUFFIX}"), *(folder / "locale").glob(f"*{CATALOGUE_SUFFIX}")])


@cache
def _packaged(path: Path) -> str:
    """A template that the installation carries; it never changes under a process."""
    return _template(path, path.parents[1])


def _template(path: Path, root: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fault = Fault(
            file=path.relative_to(root).as_posix(),
            rule="template",
            what=f"it cannot be read: {error}",
            right="save it as UTF-8 text that this user may read",
        )
        raise ConfigError(fault) from error
