"""What each hub was last told of each feed, and how often telling it has failed since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from syndicate.store import schema
from syndicate.store.database import Store
from syndicate.store.schema import to_micros

_TOLD: Final = sa.text(
    "INSERT INTO ping (hub, url, stamp, sha, told) VALUES (:hub, :url, :stamp, :sha, :told) "
    "ON CONFLICT (hub, url) DO UPDATE SET stamp = excluded.stamp, sha = excluded.sha, told = excluded.told, "
    "attempts = 0, since = NULL, not_before = NULL, detail = ''"
)
_FAILED: Final = sa.text(
    "INSERT INTO ping (hub, url, attempts, since, not_before, detail) VALUES (:hub, :url, 1, :at, :not_before, :detail) "
    "ON CONFLICT (hub, url) DO UPDATE SET attempts = attempts + 1, since = coalesce(since, excluded.since), "
    "not_before = excluded.not_before, detail = excluded.detail"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What a hub knows of one feed's file."""

    stamp: str = ""  # the file's time of change and size then; "" where it was never told
    sha: str = ""  # SHA-256 hex of the bytes
    told: datetime | None = None  # aware UTC
    attempts: int = 0  # that failed since
    not_before: datetime | None = None  # aware UTC: when the next one is due
    detail: str = ""  # what went wrong the last time


class Pings:
    """Every hub and every feed."""

    def __init__(self, store: Store) -> None:
        """Use ``store``."""
        self._store = store

    def all(self) -> Mapping[tuple[str, str], Told]:
        """By hub and by the feed's address."""
        with self._store.read() as connection:
            return {
                (row.hub, row.url): Told(
                    stamp=row.stamp,
                    sha=row.sha,
                    told=row.told,
                    attempts=row.attempts,
                    not_before=row.not_before,
                    detail=row.detail,
                )
                for row in connection.execute(sa.select(schema.ping))
            }

    def tell(self, hub: str, url: str, *, stamp: str, sha: str, at: datetime) -> None:
        """Record that ``hub`` knows of these bytes."""
        values = {"hub": hub, "url": url, "stamp": stamp, "sha": sha, "told": to_micros(at)}
        self._store.write(lambda connection: connection.execute(_TOLD, values).close())

    def fail(self, hub: str, url: str, *, at: datetime, not_before: datetime, detail: str) -> None:
        """Record that ``hub`` did not take it."""
        values = {"hub": hub, "url": url, "at": to_micros(at), "not_before": to_micros(not_before), "detail": detail}
        self._store.write(lambda connection: connection.execute(_FAILED, values).close())
