"""What networks charge, by account and calendar month: reserved before a post leaves, added up for reads.

Every function works inside a given transaction.
"""

from __future__ import annotations

import sqlalchemy as sa


def spent(connection: sa.Connection, channel: str, month: str) -> int:
    """Millionths of a US dollar of a month; what never left costs nothing."""
    query = sa.text(
        """SELECT coalesce(sum(c.micros), 0) FROM charge c LEFT JOIN delivery d ON d.sending = c.sending AND d.place = c.place
        WHERE c.channel = :channel AND c.month = :month
        AND (d.state IS NULL OR d.state NOT IN ('failed', 'cancelled', 'suppressed'))"""
    )
    return int(connection.execute(query, {"channel": channel, "month": month}).scalar_one())


def reserved(connection: sa.Connection, channel: str, month: str, what: str, sending: int, place: int) -> bool:
    """Whether a delivery's price is reserved in this month."""
    query = sa.text(
        """SELECT 1 FROM charge WHERE channel = :channel AND month = :month AND what = :what
        AND sending = :sending AND place = :place"""
    )
    values = {"channel": channel, "month": month, "what": what, "sending": sending, "place": place}
    return connection.execute(query, values).first() is not None


def reserve(connection: sa.Connection, channel: str, month: str, what: str, sending: int, place: int, micros: int) -> None:
    """Reserve a delivery's price in this month, and in no other."""
    values = {"channel": channel, "month": month, "what": what, "sending": sending, "place": place, "micros": micros}
    connection.execute(
        sa.text("DELETE FROM charge WHERE channel = :channel AND what = :what AND sending = :sending AND place = :place"),
        values,
    )
    connection.execute(
        sa.text(
            """INSERT INTO charge (channel, month, what, sending, place, n, micros)
            VALUES (:channel, :month, :what, :sending, :place, 1, :micros)"""
        ),
        values,
    )


def add(connection: sa.Connection, channel: str, month: str, what: str, n: int, micros: int) -> None:
    """Add up what belongs to no delivery."""
    connection.execute(
        sa.text(
            """INSERT INTO charge (channel, month, what, sending, place, n, micros)
            VALUES (:channel, :month, :what, 0, 0, :n, :micros)
            ON CONFLICT (channel, month, what, sending, place)
            DO UPDATE SET n = n + excluded.n, micros = micros + excluded.micros"""
        ),
        {"channel": channel, "month": month, "what": what, "n": n, "micros": micros},
    )
