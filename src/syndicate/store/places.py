"""Small keys of newsletters and places, made at first use. Works inside a given transaction."""

from __future__ import annotations

import sqlalchemy as sa

from syndicate.store import schema


def newsletter_key(connection: sa.Connection, name: str) -> int:
    """A newsletter's small key; it stands in reader links for ever."""
    found = connection.execute(sa.select(schema.newsletter.c.key).where(schema.newsletter.c.name == name)).scalar()
    if found is None:
        found = connection.execute(schema.newsletter.insert().values(name=name).returning(schema.newsletter.c.key)).scalar_one()
    return int(found)


def place_key(connection: sa.Connection, kind: str, name: str) -> int:
    """The small key of a place. It is never given to another: reader links carry it."""
    found = connection.execute(
        sa.select(schema.place.c.key).where(schema.place.c.kind == kind, schema.place.c.name == name)
    ).scalar()
    if found is None:
        found = connection.execute(
            schema.place.insert().values(kind=kind, name=name).returning(schema.place.c.key)
        ).scalar_one()
    return int(found)
