"""``config/syndicate.toml`` and the environment become one frozen ``Settings``; unknown keys are errors."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from syndicate.config import values
from syndicate.config.returns import ReturnPath, ReturnsSettings
from syndicate.config.schedules import DailyOrNone, OnceADay, WeeklyOrNone
from syndicate.config.schedules import Lateness as Lateness
from syndicate.config.schedules import ScheduleSettings as ScheduleSettings

QUOTE_LATENESS: Final = Lateness(catchup="latest", window=timedelta(hours=12))
DIGEST_LATENESS: Final = Lateness(catchup="coalesce", window=timedelta(hours=24))
BRIEF_LATENESS: Final = Lateness(catchup="all", window=timedelta(hours=72))  # posts and instant editions


class Section(BaseModel):
    """A table of the settings file: frozen, and an unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SiteSettings(Section):
    """[site]: who publishes."""

    title: values.Filled
    url: values.Url  # the organisation's own site
    description: values.Line = ""
    language: values.Language = "en"  # BCP 47
    zone: values.Zone = "UTC"  # IANA name
    organisation: values.Line = ""
    postal_address: values.Lines = ""  # stands in every mail; unset: no mail leaves
    contact: values.OptionalMailbox = ""  # an address that people answer
    profiles: values.Once[values.Url] = ()  # our accounts, as links
    tag_authority: values.TagAuthority  # "example.org,2015": a host and the date on which we held it (RFC 4151)


class DatabaseSettings(Section):
    """[database]."""

    url: values.DatabaseUrl = "sqlite:///var/syndicate.db"


class SourceSettings(Section):
    """[sources.NAME]."""

    kind: Literal["markdown", "quotes"]
    path: values.Filled


class FeedSettings(Section):
    """[feeds.NAME]."""

    items: Literal["briefs", "quotes"] = "briefs"
    title: values.Line = ""  # "" means the site's title, and the feed's name where it is not all briefs
    topic: values.Line = ""  # only briefs of this topic
    author: values.Line = ""
    series: values.Line = ""
    by: values.Once[Literal["topic", "author", "series"]] = ()  # also a feed for each topic, author or series
    window: Annotated[values.Whole, Field(ge=1, le=1000)] = 50  # entries in the subscription document
    formats: Annotated[values.Once[Literal["rss", "atom", "json"]], Field(min_length=1)] = ("rss", "atom", "json")
    hub: values.OptionalUrl = ""  # a WebSub hub


class NewsletterSettings(Section):
    """[newsletters.NAME]."""

    title: values.Filled
    sender: values.Mailbox = Field(alias="from")  # "Name <news@example.org>"
    reply_to: values.OptionalMailbox = ""
    channel: str = "mail"
    daily: DailyOrNone = Field(default_factory=lambda: ScheduleSettings(at="weekdays at 07:00"))  # false: none
    weekly: WeeklyOrNone = Field(default_factory=lambda: ScheduleSettings(at="weekly on Mon at 07:00"))  # false: none
    instant: bool = True
    quote: Literal["inline", "link", "none"] = "inline"
    on_uncertain: Literal["hold", "resend"] = "hold"
    return_path: ReturnPath = ""  # "bounces@example.org"; "" means that of [returns]


class LabelSettings(Section):
    """[quotes.labels]: the label of each kind."""

    words: values.Filled = "In their own words"
    actions: values.Filled = "Their actions"
    post: values.Filled = "Posted by an extremist"


class SpacingSettings(Section):
    """[quotes.spacing]: Q13."""

    item: Annotated[values.Whole, Field(ge=1)] = 365  # days between two showings of one quote
    speaker: Annotated[values.Whole, Field(ge=0)] = 14  # days between two quotes of one speaker
    ideology: Annotated[values.Whole, Field(ge=1, le=30)] = 12  # quotes of one ideology in any 30 consecutive slots


class QuoteSettings(Section):
    """[quotes]."""

    schedule: OnceADay = Field(default_factory=lambda: ScheduleSettings(at="daily at 06:00"))
    approval: Literal["four-eyes", "solo"] = "four-eyes"
    hold_days: values.Once[values.HoldDay] = ()  # "2026-07-22" or "07-22"
    hold_calendar: str = ""  # an iCalendar file below the publication, whose events are hold days too
    title: values.Filled = "The daily dose"
    tagline: values.Line = "Extremists: their words, their actions."
    labels: LabelSettings = Field(default_factory=LabelSettings)
    archive_hosts: values.Once[values.Host] = ()  # hosts, beside our own pages, to which archive links may lead (Q8)
    self_labels: values.Once[values.Filled] = ()  # on posts of a quote, where a network has such labels (Q10)
    seed: str = ""  # "" means the tag authority
    spacing: SpacingSettings = Field(default_factory=SpacingSettings)


class PostSettings(Section):
    """[posts]."""

    briefs: ScheduleSettings = Field(default_factory=lambda: ScheduleSettings(at="when published"))


class SignupSettings(Section):
    """[signup]: how often the sign-up page may be used. Counted by keyed hashes, kept for a day."""

    per_address: Annotated[values.Whole, Field(ge=1)] = 3  # mails that one mailbox is sent in a day
    per_network: Annotated[values.Whole, Field(ge=1)] = 20  # sign-ups an hour from one network, /24 or /48
    ceiling: Annotated[values.Whole, Field(ge=1)] = 500  # sign-ups an hour altogether
    fill_seconds: Annotated[values.Whole, Field(ge=0, le=60)] = 2  # a form that is sent back sooner was not read


class WebSettings(Section):
    """[web]."""

    host: values.Listen = "127.0.0.1"
    port: Annotated[values.Whole, Field(ge=0, le=65535)] = 8000  # 0: any free one
    public_url: values.BaseUrl = "http://127.0.0.1:8000"  # the address that mails and feeds carry
    trusted_proxies: values.Once[values.Network] = ()  # whose X-Forwarded-For is believed: "127.0.0.1", "10.0.0.0/8"


class DeskSettings(Section):
    """[desk]: the editors' pages."""

    enabled: bool = True  # whether `run` serves them
    host: values.Listen = "127.0.0.1"
    port: Annotated[values.Whole, Field(ge=0, le=65535)] = 8001  # 0: any free one
    url: values.DeskUrl = ""  # where browsers reach it; "" means http://HOST:PORT. https beyond this machine


class PrivacySettings(Section):
    """[privacy]."""

    keep_details_days: Annotated[values.Whole, Field(ge=1, le=36_500)] = 90
    keep_pending_days: Annotated[values.Whole, Field(ge=1, le=365)] = 7  # a sign-up that nobody confirms is deleted then


class BrandSettings(Section):
    """[brand]: colours, fonts and logo of the mail. The defaults meet WCAG AA on their grounds, light and dark."""

    paper: values.Colour = "#ffffff"
    paper_dark: values.Colour = "#1a1e22"
    desk: values.Colour = "#eef0f1"  # around the paper
    desk_dark: values.Colour = "#121518"
    ink: values.Colour = "#1b1f24"
    ink_dark: values.Colour = "#e7e5e0"
    muted: values.Colour = "#555d66"
    muted_dark: values.Colour = "#aab2ba"
    link: values.Colour = "#124b7c"  # also a button's ground
    link_dark: values.Colour = "#8fc4f0"
    on_link: values.Colour = "#ffffff"  # text on a button
    on_link_dark: values.Colour = "#10202e"
    tray: values.Colour = "#edf0f2"  # the ground of quoted text
    tray_dark: values.Colour = "#242a30"
    frame: values.Colour = "#6f7982"  # the box around a quotation
    frame_dark: values.Colour = "#838e98"
    band: values.Colour = "#36424d"  # the label's ground; its text is white
    band_dark: values.Colour = "#46535f"
    correction: values.Colour = "#7a4a00"
    correction_dark: values.Colour = "#e6b566"
    correction_ground: values.Colour = "#fbf5ea"
    correction_ground_dark: values.Colour = "#2a251b"
    withdrawn: values.Colour = "#8f1d2c"
    withdrawn_dark: values.Colour = "#f29aa5"
    withdrawn_ground: values.Colour = "#fbf0f0"
    withdrawn_ground_dark: values.Colour = "#2d1f22"
    hairline: values.Colour = "#ccd2d7"
    hairline_dark: values.Colour = "#3b434b"
    serif: values.Fonts = "Charter, Georgia, 'Noto Serif', serif"  # our voice
    sans: values.Fonts = "-apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"  # everything else
    arabic: values.Fonts = "'Geeza Pro', 'Noto Naskh Arabic', Amiri, 'Traditional Arabic', serif"
    logo: values.OptionalUrl = ""  # https URL of an image with an opaque ground; "" for the title in type
    logo_width: Annotated[values.Whole, Field(ge=1, le=560)] = 160  # px as shown


class Settings(Section):
    """The whole of ``config/syndicate.toml``."""

    site: SiteSettings
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    sources: dict[values.Name, SourceSettings] = Field(default_factory=dict)
    feeds: dict[values.Name, FeedSettings] = Field(default_factory=dict)
    newsletters: dict[values.Name, NewsletterSettings] = Field(default_factory=dict)
    quotes: QuoteSettings = Field(default_factory=QuoteSettings)
    posts: PostSettings = Field(default_factory=PostSettings)
    channels: dict[values.ChannelName, dict[str, Any]] = Field(default_factory=dict)  # each checked by the class of its kind
    web: WebSettings = Field(default_factory=WebSettings)
    signup: SignupSettings = Field(default_factory=SignupSettings)
    desk: DeskSettings = Field(default_factory=DeskSettings)
    privacy: PrivacySettings = Field(default_factory=PrivacySettings)
    returns: ReturnsSettings = Field(default_factory=ReturnsSettings)
    brand: BrandSettings = Field(default_factory=BrandSettings)

    def served_at(self, *, host: str = "", port: int | None = None) -> Settings:
        """These settings with another address to listen on; what mails and feeds carry stays."""
        web = self.web.model_copy(update={"host": host or self.web.host, "port": self.web.port if port is None else port})
        return self.model_copy(update={"web": web})


def load(root: Path, environ: Mapping[str, str]) -> Settings:
    """Read the publication in ``root``: its file, and what ``SYNDICATE_SECTION__KEY`` or ``…_FILE`` of ``environ`` lay over it.

    Raises
    ------
    ConfigError
        With every fault, each with its file, line and what would be right.
    """
    from syndicate.config.reading import load as read

    return read(Settings, root, environ)
