"""What a quote must bring before it may be framed: provenance (Q12), a good archive link (Q8), our own fields clean (Q5, Q18).

Each check refuses by rule with the name of the field, and never with the words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date as civil_date
from typing import Final

from syndicate.model import UNDATED, Quote, QuoteKind
from syndicate.render.gate import spans
from syndicate.render.gate.defuse import reaches
from syndicate.render.gate.house_style import Style
from syndicate.render.gate.refusal import refuse

_DATE: Final = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")
_PICTURE: Final = re.compile(
    r"!\[[^\]]*\]\s*[(\[]|<\s*(?:img|image|picture|svg|video|object|embed|iframe)\b|data:image/", re.IGNORECASE
)
_ARTICLES: Final = frozenset({"the", "a", "an"})
_TELLING: Final = 3  # letters: shorter words do not name anybody


def label_of(quote: Quote, style: Style) -> str:
    """The framing label: the quote's own, or that of its kind."""
    return (quote.label or style.labels[quote.kind]).strip()


def fields_of(quote: Quote) -> Mapping[str, str]:
    """Our own texts about a quote, by the names of its file."""
    return {
        name: getattr(quote, name)
        for name in ("title", "label", "context", "contains", "speaker", "role", "place", "translator", "paraphrase")
    }


def require_provenance(quote: Quote, style: Style) -> None:
    """Q12, and the frame's own parts of Q2: nothing is missing.

    Raises
    ------
    Held
        With the field's name.
    """
    needed = {
        "source": quote.source,
        "archive": quote.archive,
        "lang": quote.lang,
        "title": quote.title,
        "context": quote.context,
    }
    if quote.kind is QuoteKind.ACTIONS:
        needed["place"] = quote.place
    else:
        needed |= {"speaker": quote.speaker, "role": quote.role}
    for name, value in needed.items():
        if not value.strip():
            refuse("Q12", f"`{name}` is missing")
    if quote.date != UNDATED and not _is_date(quote.date):
        refuse("Q12", f"`date` is neither a date, a year nor {UNDATED}: write 2021-09-05, 2021-09, 2021 or {UNDATED}")
    if quote.original and not (quote.original_lang and quote.translator):
        refuse("Q12", "a translation needs `original_lang` and `translator`")
    if not label_of(quote, style):
        refuse("Q2", "the framing label is empty")


def _is_date(text: str) -> bool:
    """A day that exists, a month or a year."""
    if not _DATE.fullmatch(text):
        return False
    try:
        civil_date.fromisoformat(text + "-01-01"[len(text) - len("2021") :])
    except ValueError:
        return False
    return True


def require_links(quote: Quote, style: Style) -> None:
    """Q8: the archive link leads to an archive that we name, our own link to our own pages."""
    if not style.allows(quote.archive):
        right = "use https and a host of [quotes] archive_hosts, our own pages, or a known web archive"
        refuse("Q8", f"`archive` leads to a place that is not on the list; {right}")
    if not style.ours(quote.link):
        refuse("Q8", "the quote's own page is not below the public address")


def require_plain(text: str) -> None:
    """Q7: no picture comes in as markup; and there are words that can be guarded."""
    if _PICTURE.search(text):
        refuse("Q7", "the words hold markup of a picture: take it out")
    if not spans.words(text):
        refuse("Q5", "the words hold no letter or digit, so that nothing could guard them")


def require_own_words(quote: Quote, style: Style, watch: spans.Watch, text: str) -> None:
    """Q5, Q18, Q8: what we write about a quote neither repeats it nor calls, tags or links."""
    for name, value in fields_of(quote).items():
        if value and watch.finds(value):
            refuse("Q5", f"`{name}` repeats the quoted words: say it in our own")
        for change in reaches(value):
            rule = "Q18" if change.kind in {"handle", "hashtag"} else "Q8"
            refuse(rule, f"`{name}` holds a {change.kind} at character {change.position + 1}: take it out")
    for name, value in {"slug": quote.slug, "link": quote.link, "archive": quote.archive}.items():
        if watch.finds(value):
            refuse("Q5", f"`{name}` repeats the quoted words")
    if watch.finds(quote.path.rpartition("/")[2]):
        refuse("Q5", "the name of its file repeats the quoted words: rename it")
    whole, context = spans.words(text), spans.words(label_of(quote, style) + " " + quote.context)
    if len(whole) >= spans.RUN and whole in _windows(context, len(whole)):
        refuse("Q2", "`context` holds the whole of the quoted words, before their frame")


def require_victims_first(quote: Quote, text: str) -> None:
    """Q21: the event first, victims before perpetrators, the perpetrator at most once and never before the event."""
    if quote.kind is not QuoteKind.ACTIONS:
        return
    account = spans.words(text)
    for name in _names(quote):
        for place, value in (("title", quote.title), ("label", quote.label), ("context", quote.context)):
            if name in _windows(spans.words(value), len(name)):
                refuse("Q21", f"`{place}` names the perpetrator: the event comes first")
        at = [place for place, window in enumerate(_windows(account, len(name))) if window == name]
        if len(at) > 1:
            refuse("Q21", "the perpetrator is named more than once")
        victims = {word for word in spans.words(quote.victims) if len(word) >= _TELLING} - _ARTICLES
        if at and victims and victims.isdisjoint(account[: at[0]]):
            refuse("Q21", "the perpetrator is named before the victims")


def _names(quote: Quote) -> Iterator[list[str]]:
    """Perpetrators' names as words, without an article."""
    for name in (quote.speaker, quote.group):
        found = spans.words(name)
        if found and found[0] in _ARTICLES:
            found = found[1:]
        if found:
            yield found


def _windows(tokens: list[str], length: int) -> list[list[str]]:
    return [tokens[start : start + length] for start in range(len(tokens) - length + 1)]
