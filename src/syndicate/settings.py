"""``config/syndicate.toml`` and the environment become one frozen ``Settings``; unknown keys are errors."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A table of the settings file: frozen, and an unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ScheduleSettings(Section):
    """When something is due. A bare string is short for ``{at = "…"}``."""

    at: str  # "daily at 07:00", a cron line, or "when published"
    zone: str = ""  # IANA name; "" means the site's
    catchup: Literal["latest", "coalesce", "all", "skip", ""] = ""  # "" means the default of its place
    window: timedelta | None = None  # the most lateness; None means the default of its place


class SiteSettings(Section):
    """[site]: who publishes."""

    title: str
    url: str  # the organisation's own site
    description: str = ""
    language: str = "en"  # BCP 47
    zone: str = "UTC"  # IANA name
    organisation: str = ""
    postal_address: str = ""  # stands in every mail; unset: no mail leaves
    contact: str = ""  # an address that people answer
    profiles: tuple[str, ...] = ()  # our accounts, as links
    tag_authority: str  # "example.org,2015": a host and the date on which we held it (RFC 4151)


class DatabaseSettings(Section):
    """[database]."""

    url: str = "sqlite:///var/syndicate.db"


class SourceSettings(Section):
    """[sources.NAME]."""

    kind: Literal["markdown", "quotes"]
    path: str


class FeedSettings(Section):
    """[feeds.NAME]."""

    items: Literal["briefs", "quotes"] = "briefs"
    title: str = ""  # "" means the site's title, and the feed's name where it is not all briefs
    topic: str = ""  # only briefs of this topic
    author: str = ""
    series: str = ""
    window: Annotated[int, Field(ge=1, le=1000)] = 50  # entries in the subscription document
    formats: tuple[Literal["rss", "atom", "json"], ...] = ("rss", "atom", "json")
    hub: str = ""  # a WebSub hub


class NewsletterSettings(Section):
    """[newsletters.NAME]."""

    title: str
    sender: str = Field(alias="from")  # "Name <news@example.org>"
    reply_to: str = ""
    channel: str = "mail"
    daily: ScheduleSettings | None = ScheduleSettings(at="weekdays at 07:00")
    weekly: ScheduleSettings | None = ScheduleSettings(at="weekly on Mon at 07:00")
    instant: bool = True
    quote: Literal["inline", "link", "none"] = "inline"
    on_uncertain: Literal["hold", "resend"] = "hold"


class LabelSettings(Section):
    """[quotes.labels]: the label of each kind."""

    words: str = "In their own words"
    actions: str = "Their actions"
    post: str = "Posted by an extremist"


class SpacingSettings(Section):
    """[quotes.spacing]: Q13."""

    item: int = 365  # days between two showings of one quote
    speaker: int = 14  # days between two quotes of one speaker
    ideology: int = 12  # quotes of one ideology in any 30 consecutive slots


class QuoteSettings(Section):
    """[quotes]."""

    schedule: ScheduleSettings = ScheduleSettings(at="daily at 06:00")
    approval: Literal["four-eyes", "solo"] = "four-eyes"
    hold_days: tuple[str, ...] = ()  # "2026-07-22" or "07-22"
    title: str = "The daily dose"
    tagline: str = "Extremists: their words, their actions."
    labels: LabelSettings = LabelSettings()
    archive_hosts: tuple[str, ...] = ()  # hosts, beside our own pages, to which archive links may lead (Q8)
    seed: str = ""  # "" means the tag authority
    spacing: SpacingSettings = SpacingSettings()


class PostSettings(Section):
    """[posts]."""

    briefs: ScheduleSettings = ScheduleSettings(at="when published")


class WebSettings(Section):
    """[web]."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    public_url: str = "http://127.0.0.1:8000"  # the address that mails and feeds carry


class PrivacySettings(Section):
    """[privacy]."""

    keep_details_days: Annotated[int, Field(ge=1)] = 90


class BrandSettings(Section):
    """[brand]: colours, fonts and logo of the mail."""

    ink: str = "#1b1f24"
    link: str = "#124b7c"


class Settings(Section):
    """The whole of ``config/syndicate.toml``."""

    site: SiteSettings
    database: DatabaseSettings = DatabaseSettings()
    sources: dict[str, SourceSettings] = {}
    feeds: dict[str, FeedSettings] = {}
    newsletters: dict[str, NewsletterSettings] = {}
    quotes: QuoteSettings = QuoteSettings()
    posts: PostSettings = PostSettings()
    channels: dict[str, dict[str, Any]] = {}  # each validated by the settings class of its kind
    web: WebSettings = WebSettings()
    privacy: PrivacySettings = PrivacySettings()
