"""Several accounts on one network: X forbids the same words on two of them (X's developer guidelines)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import combinations
from typing import TYPE_CHECKING, Final

from syndicate.errors import Fault, Held, SyndicateError
from syndicate.model import Item, Post, Quote
from syndicate.publish import dailyquote, parcels, rhythm
from syndicate.render import counting
from syndicate.store import duties
from syndicate.store.database import Connection

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.channels import Channel

_FORBIDS: Final = frozenset({"x"})
_FILE: Final = "config/syndicate.toml"


def words(post: Post) -> str:
    """A post's text without its links, which differ by account."""
    text, at, kept = post.text, 0, []
    for start, end in counting.urls(text):
        kept.append(text[at:start])
        at = end
    kept.append(text[at:].replace(post.link, ""))
    return " ".join("".join(kept).split())


def faults(app: App, now: datetime, render: Callable[[Item, Channel], Post]) -> list[Fault]:
    """Accounts of one network that would say the same of the newest brief, or of a quote."""
    quotes, _ = dailyquote.admissible(app, now)
    found = []
    samples: list[Item] = [*app.content.briefs(now=now, limit=1, with_body=True), *quotes[:1]]
    for item in samples:
        quote = isinstance(item, Quote)
        said = {name: said for name in _accounts(app, quotes=quote) if (said := _said(app, item, name, render))}
        found += [_fault(one, other, quote=quote) for one, other in combinations(said, 2) if said[one] == said[other]]
    return found


def refuse(connection: Connection, app: App, name: str, made: Post) -> None:
    """Refuse words of an item that another account of the network was given first; in the transaction that keeps ours.

    Raises
    ------
    Held
        They are the same.
    """
    for other in _accounts(app, quotes=False):
        if name != other and app.channels[name].network == app.channels[other].network:
            for kept in duties.payloads(connection, made.item, other):
                if words(parcels.load(kept)) == words(made):
                    msg = f"{other} posts it in the same words, which X forbids: write `social.{name}`, or `quotes = false`"
                    raise Held(msg, rule="X")


def _accounts(app: App, *, quotes: bool) -> list[str]:
    found = rhythm.accounts(app, quotes=quotes)
    return [name for name, channel in found.items() if channel.network in _FORBIDS]


def _said(app: App, item: Item, name: str, render: Callable[[Item, Channel], Post]) -> str:
    """What an account would say; ``""`` where it cannot be rendered, which is another fault."""
    try:
        return words(render(item, app.channels[name]))
    except SyndicateError:
        return ""


def _fault(one: str, other: str, *, quote: bool) -> Fault:
    each = "a quote" if quote else "each brief"
    what = f"{one} and {other} are accounts of X and would post {each} in the same words, which X forbids"
    right = (
        f"write `quotes = false` in [channels.{other}]"
        if quote
        else f"write `social.{other}` in each brief; until then only one of the two posts it"
    )
    return Fault(file=_FILE, rule=f"channels.{other}", what=what, right=right)
