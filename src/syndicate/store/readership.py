"""Readers in numbers: who joined and left by week, what they chose, and an edition by domain. Nothing about one person.

These count rows, so pages ask for them beside themselves. Every function works on a given connection.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from syndicate.model import OPEN_STATES, State
from syndicate.store.database import Connection
from syndicate.store.schema import from_micros, to_micros

FEWEST: Final = 20  # readers of a domain that is named: of fewer, one could be read off
_WEEK: Final = timedelta(weeks=1)
_MINUTE: Final = 60_000_000  # microseconds
_JOINED: Final = """SELECT (since - :first) / :week, count(*) FROM subscription
    WHERE newsletter = (SELECT key FROM newsletter WHERE name = :name) AND since >= :first GROUP BY 1"""
_LEFT: Final = """SELECT (changed - :first) / :week, count(*) FROM subscription
    WHERE newsletter = (SELECT key FROM newsletter WHERE name = :name) AND state IN ('ended', 'suppressed')
    AND changed >= :first GROUP BY 1"""
_CHOSEN: Final = """SELECT frequency, quote_display, count(*) FROM subscription
    WHERE newsletter = (SELECT key FROM newsletter WHERE name = :name) AND state = 'active' GROUP BY 1, 2"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Week:
    """One week of a newsletter."""

    begins: datetime
    joined: int
    left: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Readers:
    """A newsletter's readers."""

    active: int
    weeks: tuple[Week, ...]  # oldest first
    frequencies: tuple[tuple[str, int], ...]  # most first
    quotes: tuple[tuple[str, int], ...]  # "" is the newsletter's own


@dataclass(frozen=True, kw_only=True, slots=True)
class Domain:
    """An edition at one mail domain, or at all small ones together."""

    name: str  # "" for those with too few readers to be named
    domains: int
    audience: int
    sent: int
    deferred: int
    failed: int
    open: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Details:
    """What the single deliveries of an edition add up to."""

    minutes: tuple[tuple[datetime, int], ...]  # how many were sent in each minute, ascending; empty minutes are left out
    domains: tuple[Domain, ...]  # largest first, small ones last
    reasons: tuple[tuple[State, str, int], ...]  # why not sent: state, what was said, how many


def readers(connection: Connection, newsletter: str, first: datetime, weeks: int) -> Readers:
    """The readers of one newsletter, and the weeks from ``first``."""
    values = {"name": newsletter, "first": to_micros(first), "week": _WEEK // timedelta(microseconds=1)}
    joined, left = (
        Counter({row[0]: row[1] for row in connection.execute(sa.text(query), values)}) for query in (_JOINED, _LEFT)
    )
    frequencies: Counter[str] = Counter()
    quotes: Counter[str] = Counter()
    for frequency, display, n in connection.execute(sa.text(_CHOSEN), {"name": newsletter}):
        frequencies[frequency] += n
        quotes[display] += n
    return Readers(
        active=frequencies.total(),
        weeks=tuple(Week(begins=first + number * _WEEK, joined=joined[number], left=left[number]) for number in range(weeks)),
        frequencies=tuple(frequencies.most_common()),
        quotes=tuple(quotes.most_common()),
    )


def details(connection: Connection, sendings: Sequence[int]) -> Details:
    """What the deliveries of an edition's sendings add up to; nothing where they were forgotten."""
    return Details(
        minutes=_minutes(connection, sendings), domains=_domains(connection, sendings), reasons=_reasons(connection, sendings)
    )


def _minutes(connection: Connection, sendings: Sequence[int]) -> tuple[tuple[datetime, int], ...]:
    query = sa.text(
        """SELECT done_at / :minute AS at, count(*) AS n FROM delivery
        WHERE sending IN :keys AND state = 'sent' AND done_at IS NOT NULL GROUP BY 1 ORDER BY 1"""
    ).bindparams(sa.bindparam("keys", expanding=True))
    rows = connection.execute(query, {"keys": list(sendings), "minute": _MINUTE})
    return tuple((from_micros(row.at * _MINUTE), row.n) for row in rows)


def _domains(connection: Connection, sendings: Sequence[int]) -> tuple[Domain, ...]:
    query = sa.text(
        """SELECT r.domain, d.state, count(*) AS n FROM delivery d JOIN subscriber r ON r.key = d.place
        WHERE d.sending IN :keys GROUP BY 1, 2"""
    ).bindparams(sa.bindparam("keys", expanding=True))
    found: dict[str, Counter[State]] = {}
    for row in connection.execute(query, {"keys": list(sendings)}):
        found.setdefault(row.domain, Counter())[State(row.state)] += row.n
    small: Counter[State] = Counter()
    few = [name for name, states in found.items() if states.total() < FEWEST]
    for name in few:
        small.update(found.pop(name))
    named = sorted((_domain(name, 1, states) for name, states in found.items()), key=lambda one: (-one.audience, one.name))
    return (*named, *([_domain("", len(few), small)] if few else []))


def _domain(name: str, domains: int, states: Counter[State]) -> Domain:
    return Domain(
        name=name,
        domains=domains,
        audience=states.total(),
        sent=states[State.SENT],
        deferred=states[State.DEFERRED],
        failed=states[State.FAILED],
        open=sum(states[state] for state in OPEN_STATES),
    )


def _reasons(connection: Connection, sendings: Sequence[int]) -> tuple[tuple[State, str, int], ...]:
    query = sa.text(
        """SELECT state, said, count(*) AS n FROM (SELECT d.state, (
            SELECT CASE WHEN a.detail = '' THEN a.code ELSE a.detail END FROM attempt a
            WHERE a.sending = d.sending AND a.place = d.place ORDER BY a.key DESC LIMIT 1) AS said
          FROM delivery d WHERE d.sending IN :keys
          AND d.state IN ('deferred', 'failed', 'suppressed', 'uncertain', 'cancelled'))
        GROUP BY 1, 2 ORDER BY n DESC LIMIT 12"""
    ).bindparams(sa.bindparam("keys", expanding=True))
    rows = connection.execute(query, {"keys": list(sendings)})
    return tuple((State(row.state), row.said or "", row.n) for row in rows)
