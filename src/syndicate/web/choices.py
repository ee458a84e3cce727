"""What a reader may choose of a newsletter, and what a form made of it. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from syndicate.model import Frequency, QuoteDisplay
from syndicate.plan import slots
from syndicate.render.wording import named
from syndicate.store.facets import Facet, facets
from syndicate.store.shelves import newest_change

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from syndicate.app import App
    from syndicate.settings import NewsletterSettings, ScheduleSettings
    from syndicate.store.wishes import Wishes
    from syndicate.web.forms import Form

_RANK: Final = (QuoteDisplay.INLINE, QuoteDisplay.LINK, QuoteDisplay.NONE)  # from more to less
_HOURS: Final = 24
_WEEKDAYS: Final = 7
_LONGEST_PAUSE: Final = timedelta(days=366)


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """What one newsletter offers now."""

    frequencies: tuple[Frequency, ...]
    at: str  # "07:00": when daily readers without an hour of their own get it; "" where readers cannot choose an hour
    days: tuple[int, ...]  # on which the weekly edition comes to readers without a weekday of their own; () as above
    zone: str  # in which those times are meant
    quotes: tuple[QuoteDisplay, ...]  # () where the newsletter carries none
    topics: tuple[Facet, ...]
    languages: tuple[tuple[str, str], ...]  # tag and its own name


def offered(app: App, newsletter: str, topics: tuple[Facet, ...]) -> Offer:
    """What ``newsletter`` offers."""
    letter, site = app.settings.newsletters[newsletter], app.settings.site
    scheduled = [setting for setting in (letter.daily, letter.weekly) if setting]
    movable = bool(scheduled) and all(_movable(setting, site.zone) for setting in scheduled)
    standard = QuoteDisplay(letter.quote)
    at, days, zone = _standard(scheduled[0], letter, site.zone) if movable else ("", (), site.zone)
    return Offer(
        frequencies=_frequencies(letter),
        at=at,
        days=days,
        zone=zone,
        quotes=() if standard is QuoteDisplay.NONE else _RANK[_RANK.index(standard) :],
        topics=topics,
        languages=tuple((tag, named(tag)) for tag in languages(app)),
    )


def languages(app: App) -> list[str]:
    """The site's language, and every one that our words are translated into."""
    return list(dict.fromkeys([app.settings.site.language, *app.templates.languages()]))


class Topics:
    """The topics of all briefs that are out: read again when an item changed, and once a minute."""

    def __init__(self) -> None:
        """Know none yet."""
        self._of: tuple[object, ...] = ()
        self._known: tuple[Facet, ...] = ()

    def of(self, app: App) -> tuple[Facet, ...]:
        """Every topic, by slug."""
        now = app.now()
        with app.store.read() as connection:
            state = (newest_change(connection), now.replace(second=0, microsecond=0))
            if self._of != state:
                self._known, self._of = tuple(facets(connection, "topic", now)), state
        return self._known


def zones(now: datetime, *also: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Time zones by continent: the name of each, and it with its time now; those in ``also`` are among them."""
    return _zones(now.replace(second=0, microsecond=0), also)


@lru_cache(maxsize=16)  # one minute's lists
def _zones(now: datetime, also: tuple[str, ...]) -> list[tuple[str, list[tuple[str, str]]]]:
    parted: dict[str, list[tuple[str, str]]] = {}
    for name in sorted({*_cities(), *(one for one in also if one)}):
        label = f"{name.replace('_', ' ')} ({now.astimezone(ZoneInfo(name)):%H:%M})"
        parted.setdefault(name.partition("/")[0], []).append((name, label))
    return list(parted.items())


@cache
def _cities() -> tuple[str, ...]:
    """The zones that the time zone database keeps for people to choose from (its ``zone.tab``)."""
    table = files("tzdata.zoneinfo").joinpath("zone.tab").read_text(encoding="utf-8")
    return ("UTC", *(line.split("\t")[2].strip() for line in table.splitlines() if line and not line.startswith("#")))


def read(form: Form, offer: Offer, before: Wishes) -> tuple[Wishes, list[str]]:
    """The wishes that a form holds and the fields that hold none; what it does not speak of stays as ``before``."""
    wrong = [*_wrong(form, offer)]
    wishes = before
    if "frequency" not in wrong:
        wishes = replace(wishes, frequency=Frequency(form.one("frequency")))
    if "quote" not in wrong and offer.quotes:
        wishes = replace(wishes, quote_display=QuoteDisplay(form.one("quote")))
    if "hour" in form and "hour" not in wrong and offer.at:
        wishes = replace(wishes, hour=_number(form.one("hour")))
    if "weekday" in form and "weekday" not in wrong and offer.at:
        wishes = replace(wishes, weekday=_number(form.one("weekday")))
    if "zone" in form and "zone" not in wrong:
        wishes = replace(wishes, zone=form.one("zone"))
    if "lang" in form and "lang" not in wrong:
        wishes = replace(wishes, lang=form.one("lang"))
    if "topics" in form:
        known = {topic.slug for topic in offer.topics}
        kept = {slug for slug in before.topics if slug not in known}  # of a topic that no brief names any more
        wishes = replace(wishes, topics=tuple(sorted(kept | (known & set(form.all("topic"))))))
    return wishes, wrong


def _wrong(form: Form, offer: Offer) -> Iterator[str]:
    if form.one("frequency") not in offer.frequencies:
        yield "frequency"
    if offer.quotes and form.one("quote") not in offer.quotes:
        yield "quote"
    if form.one("hour") not in {"", *map(str, range(_HOURS))}:
        yield "hour"
    if form.one("weekday") not in {"", *map(str, range(_WEEKDAYS))}:
        yield "weekday"
    if form.one("zone") and not _is_zone(form.one("zone")):
        yield "zone"
    if form.one("lang") not in {"", *(tag for tag, _ in offer.languages)}:
        yield "lang"


def pause(form: Form, zone: str, now: datetime) -> tuple[datetime | None, bool]:
    """The instant until which a form asks for a pause (the beginning of that day in ``zone``), and whether it is one.

    A day that has come already is no pause; one more than a year away is refused.
    """
    text = form.one("pause")
    if not text:
        return None, True
    try:
        day = date.fromisoformat(text)
        until = slots.instant(datetime.combine(day, time()), zone)[0]
    except (ValueError, OverflowError):
        return None, False
    return (None if until <= now else until), until - now <= _LONGEST_PAUSE


def _number(text: str) -> int | None:
    return int(text) if text else None


def _is_zone(name: str) -> bool:
    try:
        slots.parse("daily at 00:00", name)
    except ValueError:
        return False
    return True


def _frequencies(letter: NewsletterSettings) -> tuple[Frequency, ...]:
    there = {Frequency.INSTANT: letter.instant, Frequency.DAILY: bool(letter.daily), Frequency.WEEKLY: bool(letter.weekly)}
    return tuple(frequency for frequency in there if there[frequency])


def _movable(setting: ScheduleSettings, zone: str) -> bool:
    """Whether readers can move a schedule to their own hour: a cron line has none to move."""
    try:
        setting.parsed(zone).at_hour(0, 0, zone)
    except ValueError:
        return False
    return True


def _standard(setting: ScheduleSettings, letter: NewsletterSettings, zone: str) -> tuple[str, tuple[int, ...], str]:
    """Hour, weekdays and zone of readers who choose none."""
    here = setting.zone or zone
    days: Sequence[int] = ()
    if letter.weekly:
        monday = datetime(2026, 1, 5, tzinfo=ZoneInfo(here))  # any week without a change of the clocks
        found = letter.weekly.parsed(zone).slots("standard", monday - timedelta(seconds=1), monday + timedelta(days=7))
        days = sorted({slot.local.weekday() for slot in found})
    return setting.at.split()[-1], tuple(days), here
