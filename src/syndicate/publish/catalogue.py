"""Which feeds there are: those of the settings, and one for each topic, author or series where the settings ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from syndicate import links
from syndicate.render.feed import Feed
from syndicate.store import facets
from syndicate.store.facets import Facet, Kind
from syndicate.store.shelves import Mark, Members, feeds, touched

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.settings import FeedSettings

FOLDERS: Final[Mapping[Kind, str]] = MappingProxyType({"topic": "topics", "author": "authors", "series": "series"})
STYLE: Final = "feed.css"


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """One feed of the publication."""

    name: str  # "briefs", "topics/leaving"
    setting: FeedSettings
    part: str = ""  # the topic, author or series that made it; "" where the settings name it themselves
    bare: bool = False  # nothing names that part any more: who subscribed is still told so, nobody else

    @property
    def members(self) -> Members:
        """Its items, as the store is asked for them."""
        setting = self.setting
        return Members(
            feed=self.name,
            kind="quote" if setting.items == "quotes" else "brief",
            topic=setting.topic,
            author=setting.author,
            series=setting.series,
        )


def planned(app: App, now: datetime) -> list[Planned]:
    """Every feed, briefs before quotes (Q20), those of the settings before those made from them."""
    made: list[Planned] = []
    with app.store.read() as connection:
        once = set(feeds(connection))
        for setting in app.settings.feeds.values():
            for kind in setting.by:
                parts = [_part(setting, facet) for facet in facets.facets(connection, kind, now)]
                slugs = {name.partition("/")[2] for name in once if name.startswith(f"{FOLDERS[kind]}/")}
                gone = slugs - {one.name.partition("/")[2] for one in parts}
                made += parts
                made += (_part(setting, Facet(kind=kind, slug=slug, name=slug), bare=True) for slug in sorted(gone))
    return sorted([*configured(app), *made], key=lambda one: (one.setting.items != "briefs", bool(one.part)))


def configured(app: App) -> list[Planned]:
    """The feeds that the settings name."""
    return [Planned(name=name, setting=setting) for name, setting in app.settings.feeds.items()]


def setting_of(app: App, name: str) -> FeedSettings | None:
    """The settings behind the feed of this name, also of one that is made from them; ``None`` where there is none."""
    if name in app.settings.feeds:
        return app.settings.feeds[name]
    kind = next((kind for kind, folder in FOLDERS.items() if name.startswith(f"{folder}/")), None)
    return next((setting for setting in app.settings.feeds.values() if kind in setting.by), None)


def affected(app: App, since: Mark, now: datetime) -> set[str] | None:
    """Names of the feeds made from settings that a change since ``since`` may touch; ``None``: any of them."""
    with app.store.read() as connection:
        keys = touched(connection, "brief", since, now)
        if keys is None:
            return None
        named = facets.named_by(connection, keys)
        return facets.shelved_in(connection, keys) | {f"{FOLDERS[kind]}/{slug}" for kind, slug in named}  # type: ignore[index]


def feed(app: App, one: Planned) -> Feed:
    """A feed with everything but its entries."""
    site, setting, name = app.settings.site, one.setting, one.name
    quotes = setting.items == "quotes"
    whole = not quotes and not (setting.topic or setting.author or setting.series)
    part = app.settings.quotes.title if quotes else one.part or setting.topic or setting.author or setting.series or name
    return Feed(
        name=name,
        kind=setting.items,
        title=setting.title or (site.title if whole else f"{site.title}: {part}"),
        subtitle=app.settings.quotes.tagline if quotes else site.description,
        id=links.tag_uri(site.tag_authority, "feed", name),
        language=site.language,
        home_url=app.public(_home(setting)),
        urls={form: app.public(f"feeds/{name}.{form}") for form in setting.formats},
        organisation=site.organisation or site.title,
        organisation_url=site.url,
        hub=setting.hub,
        stylesheet=urlsplit(app.public(f"feeds/{STYLE}")).path,
        epoch=held_since(site.tag_authority),
    )


def held_since(authority: str) -> datetime:
    """The day on which the tag authority was held: a fixed ``updated`` for a feed without entries."""
    text = authority.rpartition(",")[2]
    return datetime.fromisoformat(f"{text}-01-01"[:10] + "T00:00:00+00:00")


def _part(setting: FeedSettings, facet: Facet, *, bare: bool = False) -> Planned:
    only = {"by": (), "title": "", facet.kind: facet.slug}
    return Planned(
        name=f"{FOLDERS[facet.kind]}/{facet.slug}", setting=setting.model_copy(update=only), part=facet.name, bare=bare
    )


def _home(setting: FeedSettings) -> str:
    """The page that a feed belongs to."""
    if setting.items == "quotes":
        return "quotes/"
    if setting.topic and not (setting.author or setting.series):
        return f"topics/{links.name_slug(setting.topic)}"
    if setting.series and not (setting.author or setting.topic):
        return f"series/{links.name_slug(setting.series)}"
    return ""
