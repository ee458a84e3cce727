"""Readers and their subscriptions. A reader's wish takes effect in the transaction that records it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from syndicate.store import arrivals, erasure, schema, signups, slices
from syndicate.store import consent as consents
from syndicate.store.addresses import called
from syndicate.store.addresses import normalised as normalised
from syndicate.store.database import Store
from syndicate.store.ledger import suppress_open
from syndicate.store.places import newsletter_key as newsletter_key
from syndicate.store.places import place_key as place_key
from syndicate.store.slices import Reader as Reader
from syndicate.store.suppression import is_suppressed
from syndicate.store.wishes import Wishes as Wishes
from syndicate.store.wishes import columns, of_row

_ACTIVE: Final = "active"


@dataclass(frozen=True, kw_only=True, slots=True)
class SubscriptionView:
    """One subscription as its own reader may see it."""

    subscriber: int  # the subscriber's key
    letter: int  # the newsletter's key
    address: str
    newsletter: str
    state: str
    wishes: Wishes
    since: datetime | None
    paused_to: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """One line of ``subscribers list``."""

    id: str
    address: str
    newsletter: str
    state: str
    wishes: Wishes = field(default_factory=Wishes)


class SubscriberStore:
    """The shelf of readers."""

    def __init__(self, store: Store) -> None:
        """Use ``store``."""
        self._store = store

    def add(
        self,
        address: str,
        newsletter: str,
        wishes: Wishes,
        *,
        at: datetime,
        covered_to: datetime,
        name: str = "",
        consent: Mapping[str, str],
    ) -> bool:
        """Make an active subscription; ``False`` where there was one already, which stays as it is.

        Items released up to ``covered_to`` are not owed. ``consent`` says when, how and to what.

        Raises
        ------
        ValueError
            The address is not one, or it is suppressed; or no header can hold the name.
        """
        written, key, domain = normalised(address)
        name = called(name)

        def work(connection: sa.Connection) -> bool:
            why = is_suppressed(connection, written)
            if why:
                msg = f"this address is on the suppression list ({why}); its owner can come back by signing up"
                raise ValueError(msg)
            place = consents.subscriber_key(connection, written, key, domain, at, name)
            found = connection.execute(
                sa.select(schema.subscription.c.key)
                .join(schema.newsletter, schema.newsletter.c.key == schema.subscription.c.newsletter)
                .where(schema.subscription.c.subscriber == place, schema.newsletter.c.name == newsletter)
            ).first()
            if found:
                return False
            connection.execute(
                schema.subscription.insert().values(
                    subscriber=place,
                    newsletter=newsletter_key(connection, newsletter),
                    state=_ACTIVE,
                    covered_to=covered_to,
                    since=at,
                    consent=json.dumps(dict(consent), ensure_ascii=False),
                    changed=at,
                    **columns(wishes),
                )
            )
            return True

        return self._store.write(work)

    def take(self, readers: Sequence[arrivals.Arrival], now: datetime) -> Counter[arrivals.Count]:
        """Take in readers from elsewhere, all in one transaction (``arrivals.take``)."""
        return self._store.write(lambda connection: arrivals.take(connection, readers, now))

    def end(self, subscriber: int, newsletter: int, at: datetime, how: str) -> bool:
        """End a subscription and suppress what is still open for it, in one transaction (RFC 8058 §3.1).

        ``True`` where it was active; ending it again is harmless.
        """

        def work(connection: sa.Connection) -> bool:
            ended = connection.execute(
                schema.subscription.update()
                .where(
                    schema.subscription.c.subscriber == subscriber,
                    schema.subscription.c.newsletter == newsletter,
                    schema.subscription.c.state.in_((_ACTIVE, "pending")),
                )
                .values(
                    state="ended",
                    changed=at,
                    consent=sa.func.json_set(schema.subscription.c.consent, "$.ended", f"{at.isoformat()} {how}"),
                )
            ).rowcount
            suppress_open(connection, subscriber, newsletter, at, "the reader ended the subscription")
            return bool(ended)

        return self._store.write(work)

    def choose(self, view: SubscriptionView, wishes: Wishes, *, paused_to: datetime | None, at: datetime) -> bool:
        """Save what the reader chose; ``False`` where there is no active subscription.

        What comes out during a pause is not owed afterwards, however the pause ends.
        """
        changed = schema.subscription.c
        missed = min(view.paused_to, at) if view.paused_to else None
        values = {**columns(wishes), "paused_to": paused_to, "changed": at}

        def work(connection: sa.Connection) -> bool:
            mine = sa.and_(changed.subscriber == view.subscriber, changed.newsletter == view.letter, changed.state == _ACTIVE)
            if missed:
                late = schema.subscription.update().where(mine, changed.covered_to < missed)
                connection.execute(late.values(covered_to=missed))
            return bool(connection.execute(schema.subscription.update().where(mine).values(values)).rowcount)

        return self._store.write(work)

    def find(self, address: str) -> int | None:
        """The key of the reader with this address, however it is written; ``None`` where there is none.

        Raises
        ------
        ValueError
            Not an address.
        """
        query = sa.select(schema.subscriber.c.key).where(schema.subscriber.c.address_key == normalised(address)[1])
        with self._store.read() as connection:
            found = connection.execute(query).scalar()
        return None if found is None else int(found)

    def view(self, subscriber: int, newsletter: int) -> SubscriptionView | None:
        """One subscription, or ``None``."""
        return next((view for view in self.views(subscriber) if view.letter == newsletter), None)

    def views(self, subscriber: int) -> list[SubscriptionView]:
        """Every subscription of one reader, by the newsletter's name."""
        query = (
            sa.select(schema.subscription, schema.subscriber.c.address, schema.newsletter.c.name.label("newsletter_name"))
            .join(schema.subscriber, schema.subscriber.c.key == schema.subscription.c.subscriber)
            .join(schema.newsletter, schema.newsletter.c.key == schema.subscription.c.newsletter)
            .where(schema.subscription.c.subscriber == subscriber)
            .order_by(schema.newsletter.c.name)
        )
        with self._store.read() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            SubscriptionView(
                subscriber=row["subscriber"],
                letter=row["newsletter"],
                address=row["address"],
                newsletter=row["newsletter_name"],
                state=row["state"],
                wishes=of_row(row),
                since=row["since"],
                paused_to=row["paused_to"],
            )
            for row in rows
        ]

    def tidy(self, now: datetime, *, asked_before: datetime) -> int:
        """Delete sign-ups that were never confirmed, and what was counted for the limits; returns how many sign-ups."""

        def work(connection: sa.Connection) -> int:
            signups.tidy(connection, now)
            return consents.lapse(connection, asked_before, now)

        with self._store.read() as connection:
            if not signups.untidy(connection, now) and not consents.waiting(connection, asked_before):
                return 0
        return self._store.write(work)

    def erase(self, subscriber: int, now: datetime) -> bool:
        """Leave nothing of a reader but a keyed hash; ``False`` where there is none (``erasure.erase``)."""
        return self._store.write(lambda connection: erasure.erase(connection, subscriber, now))

    def readers(self, places: list[int], newsletter: int) -> dict[int, Reader]:
        """The readers behind ``places``, for making their messages."""
        with self._store.read() as connection:
            return slices.readers(connection, places, newsletter)

    def listed(self, newsletter: str = "") -> Iterator[Listed]:
        """Every subscription, by address."""
        query = (
            sa.select(
                schema.subscription,
                schema.subscriber.c.id,
                schema.subscriber.c.address,
                schema.newsletter.c.name.label("newsletter_name"),
            )
            .join(schema.subscriber, schema.subscriber.c.key == schema.subscription.c.subscriber)
            .join(schema.newsletter, schema.newsletter.c.key == schema.subscription.c.newsletter)
            .order_by(schema.subscriber.c.address_key, schema.newsletter.c.name)
        )
        if newsletter:
            query = query.where(schema.newsletter.c.name == newsletter)
        with self._store.read() as connection:
            rows = connection.execute(query).mappings().all()
        for row in rows:
            yield Listed(
                id=row["id"], address=row["address"], newsletter=row["newsletter_name"], state=row["state"], wishes=of_row(row)
            )

    def counts(self) -> dict[tuple[str, str, str], int]:
        """Subscriptions by (newsletter, state, frequency)."""
        query = (
            sa.select(schema.newsletter.c.name, schema.subscription.c.state, schema.subscription.c.frequency, sa.func.count())
            .join(schema.newsletter, schema.newsletter.c.key == schema.subscription.c.newsletter)
            .group_by(schema.newsletter.c.name, schema.subscription.c.state, schema.subscription.c.frequency)
        )
        with self._store.read() as connection:
            return {(row[0], row[1], row[2]): row[3] for row in connection.execute(query)}
