"""What the pool of quotes is made of: who is shown how often. An unbalanced pool shows here before its readers see it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from syndicate.model import UNDATED, Quote
from syndicate.publish import approval

if TYPE_CHECKING:
    from syndicate.app import App

VIEWS: Final[Mapping[str, Callable[[Quote], str]]] = {
    "speaker": lambda quote: quote.speaker,
    "group": lambda quote: quote.group,
    "ideology": lambda quote: quote.ideology,
    "language": lambda quote: quote.original_lang or quote.lang,
    "date": lambda quote: "undated" if quote.date == UNDATED else "dated",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """One speaker, group, ideology, language, or whether there is a date."""

    value: str  # "–" where the quotes name none
    quotes: int  # in the pool
    shown: int  # times that one of them was shown


def mix(app: App, now: datetime) -> dict[str, list[Share]]:
    """The shares of the pool by each of ``VIEWS``, the largest first."""
    pool = app.content.quotes(now=now)
    shown = Counter(quote.id for quote, _ in app.content.shown_quotes(now))
    found: dict[str, list[Share]] = {}
    for name, of in VIEWS.items():
        quotes: Counter[str] = Counter()
        times: Counter[str] = Counter()
        for quote in pool:
            value = approval.told(app, quote, of(quote)) or "–"
            quotes[value] += 1
            times[value] += shown[quote.id]
        shares = [Share(value=value, quotes=n, shown=times[value]) for value, n in quotes.items()]
        found[name] = sorted(shares, key=lambda share: (-share.quotes, share.value))
    return found
