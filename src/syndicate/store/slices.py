"""What the messages of one slice of duties are made with. Read for every slice, so by the driver's own statements."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from syndicate.plan.due import EditionKind
from syndicate.store import marks
from syndicate.store.columns import from_micros
from syndicate.store.database import Connection, driver

_READERS: Final = """SELECT r.key, r.id, r.address, r.name, u.since FROM json_each(?) wanted
    JOIN subscriber r ON r.key = wanted.value LEFT JOIN subscription u ON u.subscriber = r.key AND u.newsletter = ?"""
_RENDERINGS: Final = """SELECT v.key, e.key, n.name, e.frequency, v.frozen FROM json_each(?) wanted
    JOIN variant v ON v.key = wanted.value JOIN edition e ON e.key = v.edition JOIN newsletter n ON n.key = e.newsletter"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """What the message of one reader is made with."""

    place: int  # the subscriber's key
    id: str  # the subscriber's random id
    address: str
    name: str
    since: datetime | None  # when the subscription became active


@dataclass(frozen=True, kw_only=True, slots=True)
class Rendering:
    """A variant as far as its messages need it."""

    variant: int  # its key
    edition: int  # the edition's key
    newsletter: str
    frequency: EditionKind
    frozen: str  # "" where it is to be rendered anew


@dataclass(frozen=True, kw_only=True, slots=True)
class Slice:
    """Readers of one newsletter and what they are to get."""

    instance: str  # of this database
    readers: Mapping[int, Reader]  # by place
    renderings: Mapping[int, Rendering]  # by the variant's key


def read(connection: Connection, places: Collection[int], newsletter: int, variants: Collection[int]) -> Slice:
    """What is known of these readers and variants; those that are gone are left out."""
    renderings = driver(connection).execute(_RENDERINGS, (json.dumps(list(variants)),))
    return Slice(
        instance=marks.get(connection, "instance"),
        readers=readers(connection, places, newsletter),
        renderings={
            key: Rendering(variant=key, edition=edition, newsletter=name, frequency=frequency, frozen=frozen)
            for key, edition, name, frequency, frozen in renderings
        },
    )


def readers(connection: Connection, places: Collection[int], newsletter: int) -> dict[int, Reader]:
    """The readers behind ``places``."""
    rows = driver(connection).execute(_READERS, (json.dumps(list(places)), newsletter))
    return {
        key: Reader(place=key, id=name, address=address, name=spoken, since=None if since is None else from_micros(since))
        for key, name, address, spoken, since in rows
    }
