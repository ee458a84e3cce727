"""Slots, editions and variants: what was due and what was made of it. Every function works inside a given transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from syndicate.model import Frequency, QuoteDisplay, Slot, Status
from syndicate.plan.due import EditionKind
from syndicate.store import schema
from syndicate.store.clocks import Clock as Clock
from syndicate.store.clocks import clocks as clocks
from syndicate.store.database import driver
from syndicate.store.schema import to_micros


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Readers of one slot who are owed the same."""

    covered_to: datetime
    topics: tuple[str, ...]
    quote_display: QuoteDisplay | None
    lang: str
    quoted_to: str  # civil day
    extras: tuple[int, ...]  # keys of `now` editions that these readers got
    places: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Edition:
    """One numbered sending of a newsletter."""

    key: int
    newsletter: str
    number: int
    frequency: EditionKind
    period: str
    state: str
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    """One rendering of an edition."""

    key: int
    edition: Edition
    quote_display: QuoteDisplay
    lang: str
    items: tuple[int, ...]
    corrections: tuple[tuple[int, str], ...]  # (a brief's key, a correction's mark) of what its section tells
    state: str
    frozen: str
    fault: str


def ticked(connection: sa.Connection, schedule: str) -> datetime | None:
    """Up to when the slots of ``schedule`` have been dealt with."""
    return connection.execute(sa.select(schema.start.c.at).where(schema.start.c.subject == f"ticked:{schedule}")).scalar()


def tick_to(connection: sa.Connection, schedule: str, now: datetime) -> None:
    """Remember that every slot of ``schedule`` up to ``now`` has been dealt with."""
    connection.execute(
        sa.text("INSERT INTO start VALUES (:s, :at) ON CONFLICT (subject) DO UPDATE SET at = max(at, excluded.at)"),
        {"s": f"ticked:{schedule}", "at": to_micros(now)},
    )


def record_slot(connection: sa.Connection, slot: Slot, state: str, reason: str = "") -> int | None:
    """Record what became of a slot; ``None`` where that was done before, or an editor has moved it elsewhere since."""
    return connection.execute(
        sa.text(
            """INSERT INTO slot (schedule, zone, local_time, due, state, reason)
            VALUES (:schedule, :zone, :local, :due, :state, :reason)
            ON CONFLICT (schedule, zone, local_time) DO UPDATE SET state = excluded.state,
            reason = CASE WHEN excluded.reason = '' THEN slot.reason ELSE slot.reason || '; ' || excluded.reason END
            WHERE slot.state = 'moved' AND slot.due = excluded.due RETURNING key"""
        ),
        {
            "schedule": slot.schedule,
            "zone": slot.zone,
            "local": civil(slot),
            "due": to_micros(slot.due),
            "state": state,
            "reason": reason,
        },
    ).scalar()


def civil(slot: Slot) -> str:
    """A slot's civil time as its row has it: ``2026-11-22T07:00``."""
    return slot.local.isoformat(timespec="minutes" if not slot.local.second else "microseconds")


def slots(connection: sa.Connection, *, since: datetime, states: Sequence[str] = ()) -> list[sa.RowMapping]:
    """Recorded slots due after ``since``, newest first."""
    query = sa.select(schema.slot).where(schema.slot.c.due > since).order_by(schema.slot.c.due.desc())
    if states:
        query = query.where(schema.slot.c.state.in_(states))
    return list(connection.execute(query).mappings())


# Which `now` editions a subscriber got since. There are few of them, and mostly none: they are looked through first.
_COVERED: Final = "max(subscription.covered_to, coalesce(subscription.paused_to, subscription.covered_to))"
_EXTRAS: Final = f"""CASE WHEN {_COVERED} < (SELECT max(at) FROM edition WHERE frequency = 'now') THEN (
    SELECT group_concat(e.key) FROM edition e INDEXED BY ix_edition_now
    CROSS JOIN sending s ON s.kind = 'edition' AND s.subject = CAST(e.key AS TEXT)
    CROSS JOIN delivery d ON d.sending = s.key AND d.place = subscription.subscriber
    WHERE e.frequency = 'now' AND e.at > {_COVERED}) END"""  # noqa: S608 - fixed text


def groups(
    connection: sa.Connection,
    newsletter: str,
    frequency: Frequency | None,
    *,
    clocks: Sequence[Clock] | None,
    before: datetime | None,
    now: datetime,
) -> list[Group]:
    """Active readers by what they are owed: of ``frequency`` and ``clocks``, not covered up to ``before`` (``None``: all)."""
    u = schema.subscription.c
    # What came out during a pause is not owed once it is over.
    covered = sa.func.max(u.covered_to, sa.func.coalesce(u.paused_to, u.covered_to), type_=schema.Instant)
    extras = sa.literal_column(_EXTRAS, sa.Text).label("extras")
    query = sa.select(u.subscriber, covered.label("covered_to"), u.topics, u.quote_display, u.lang, u.quoted_to, extras).where(
        u.newsletter == _letter(newsletter), u.state == "active", sa.or_(u.paused_to.is_(None), u.paused_to <= now)
    )
    if frequency is not None:
        query = query.where(u.frequency == frequency)
    if before is not None:
        query = query.where(covered < before)
    if clocks is not None:
        query = query.where(sa.or_(*(_at_clock(clock) for clock in clocks)))
    # Gathered where the rows are: a million of them never stand in memory one by one.
    reader = query.subquery().c
    wants = (reader.covered_to, reader.topics, reader.quote_display, reader.lang, reader.quoted_to, reader.extras)
    places = sa.func.json_group_array(reader.subscriber).label("places")
    found = connection.execute(sa.select(*wants, places).group_by(*wants).order_by(sa.func.min(reader.subscriber)))
    return [
        Group(
            covered_to=row.covered_to,
            topics=tuple(json.loads(row.topics)) if row.topics else (),
            quote_display=QuoteDisplay(row.quote_display) if row.quote_display else None,
            lang=row.lang,
            quoted_to=row.quoted_to,
            extras=tuple(int(part) for part in (row.extras or "").split(",") if part),
            places=tuple(sorted(json.loads(row.places))),
        )
        for row in found
    ]


def awaiting(connection: sa.Connection, newsletter: str, frequency: Frequency, clock: Clock, at: datetime) -> int:
    """How many active readers of ``frequency`` want an edition by ``clock`` and have no pause left at an instant."""
    u = schema.subscription.c
    mine = (u.newsletter == _letter(newsletter), u.state == "active", u.frequency == frequency, _at_clock(clock))
    awake = sa.or_(u.paused_to.is_(None), u.paused_to <= at)
    return int(connection.execute(sa.select(sa.func.count()).where(*mine, awake)).scalar_one())


def _letter(name: str) -> sa.ScalarSelect[int]:
    """A newsletter's key by its name; no row where nobody ever subscribed."""
    return sa.select(schema.newsletter.c.key).where(schema.newsletter.c.name == name).scalar_subquery()


def _at_clock(clock: Clock) -> sa.ColumnElement[bool]:
    u = schema.subscription.c
    return sa.and_(u.zone == clock.zone, u.hour.is_not_distinct_from(clock.hour), u.weekday.is_not_distinct_from(clock.weekday))


def cover(
    connection: sa.Connection, newsletter: int, places: Iterable[int], *, to: datetime | None, quoted_to: str = ""
) -> None:
    """Move ``covered_to`` (never back) and, where a quote was carried, ``quoted_to``."""
    connection.execute(
        sa.text(
            """UPDATE subscription SET covered_to = max(covered_to, coalesce(:to, covered_to)), quoted_to = max(quoted_to, :q)
            WHERE newsletter = :n AND subscriber IN (SELECT value FROM json_each(:places))"""
        ),
        {
            "to": None if to is None else to_micros(to),
            "q": quoted_to,
            "n": newsletter,
            "places": json.dumps(list(places)),
        },
    )


def carry_day(connection: sa.Connection, day: str) -> None:
    """Record that an edition carries the quote of a civil day, where its slot has not shown it yet (Q23)."""
    connection.execute(sa.text("UPDATE day_quote SET state = 'carried' WHERE day = :day AND state = 'chosen'"), {"day": day})


def open_edition(connection: sa.Connection, newsletter: int, frequency: str, period: str, at: datetime) -> int:
    """The key of the edition of one period, numbered at first use."""
    found = connection.execute(
        sa.select(schema.edition.c.key).where(
            schema.edition.c.newsletter == newsletter,
            schema.edition.c.frequency == frequency,
            schema.edition.c.period == period,
        )
    ).scalar()
    if found is not None:
        connection.execute(schema.edition.update().where(schema.edition.c.key == found).values(state="sending"))
        return int(found)
    number = connection.execute(
        sa.text("UPDATE newsletter SET last_number = last_number + 1 WHERE key = :k RETURNING last_number"), {"k": newsletter}
    ).scalar_one()
    return int(
        connection.execute(
            schema.edition.insert()
            .values(newsletter=newsletter, number=number, frequency=frequency, period=period, state="sending", at=at)
            .returning(schema.edition.c.key)
        ).scalar_one()
    )


def open_variant(
    connection: sa.Connection,
    edition: int,
    items: Sequence[int],
    display: QuoteDisplay,
    lang: str,
    targets: str,
    corrections: Sequence[tuple[int, str]] = (),
) -> int:
    """The key of one rendering of an edition; two groups that are owed the same, corrections included, share it."""
    held = json.dumps([*items, *({"corrected": key, "mark": mark} for key, mark in corrections)])
    sha = hashlib.sha256(held.encode()).hexdigest()
    v = schema.variant.c
    found = connection.execute(
        sa.select(v.key).where(v.edition == edition, v.item_set_sha == sha, v.quote_display == display, v.lang == lang)
    ).scalar()
    if found is not None:
        return int(found)
    return int(
        connection.execute(
            schema.variant.insert()
            .values(
                edition=edition,
                item_set_sha=sha,
                quote_display=display,
                lang=lang,
                items=held,
                state="planned",
                targets=targets,
            )
            .returning(schema.variant.c.key)
        ).scalar_one()
    )


def carried(connection: sa.Connection, newsletter: str, editions: Sequence[int] = ()) -> set[int]:
    """Keys of the items that editions of a newsletter carried: of the given ones, or of all."""
    query = (
        sa.select(schema.variant.c["items"])
        .join(schema.edition, schema.edition.c.key == schema.variant.c.edition)
        .where(schema.edition.c.newsletter == _letter(newsletter))
    )
    if editions:
        query = query.where(schema.edition.c.key.in_(editions))
    return {key for row in connection.execute(query) for key in json.loads(row[0]) if isinstance(key, int)}


def newsletter_name(connection: sa.Connection, key: int | None) -> str:
    """A newsletter's name by its key; "" where there is none."""
    return str(connection.execute(sa.select(schema.newsletter.c.name).where(schema.newsletter.c.key == key)).scalar() or "")


def variants(
    connection: sa.Connection,
    *,
    state: str = "",
    edition: int | None = None,
    key: int | None = None,
    newsletter: str = "",
    number: int | None = None,
) -> list[Variant]:
    """Variants with their editions."""
    query = (
        sa.select(*schema.variant.c, *schema.edition.c, schema.newsletter.c.name)
        .join(schema.edition, schema.edition.c.key == schema.variant.c.edition)
        .join(schema.newsletter, schema.newsletter.c.key == schema.edition.c.newsletter)
        .set_label_style(sa.LABEL_STYLE_TABLENAME_PLUS_COL)
        .order_by(schema.variant.c.key)
    )
    if state:
        query = query.where(schema.variant.c.state == state)
    if edition is not None:
        query = query.where(schema.variant.c.edition == edition)
    if key is not None:
        query = query.where(schema.variant.c.key == key)
    if newsletter:
        query = query.where(schema.newsletter.c.name == newsletter)
    if number is not None:
        query = query.where(schema.edition.c.number == number)
    return [_variant(row) for row in connection.execute(query).mappings()]


def freeze(connection: sa.Connection, variant: int, frozen: str, fault: str = "") -> None:
    """Keep a variant's rendering: from now on its messages may leave."""
    connection.execute(
        schema.variant.update().where(schema.variant.c.key == variant).values(state="frozen", frozen=frozen, fault=fault)
    )


def holding_any(connection: sa.Connection, variants: Collection[int], statuses: Collection[Status]) -> set[int]:
    """Which of ``variants`` hold an item of one of ``statuses``."""
    query = """SELECT v.key FROM variant v, json_each(v.items) held JOIN item i ON i.key = held.value
        WHERE v.key IN (SELECT value FROM json_each(?)) AND i.status IN (SELECT value FROM json_each(?))"""
    wanted = (json.dumps(list(variants)), json.dumps([str(status) for status in statuses]))
    return {row[0] for row in driver(connection).execute(query, wanted)}


def prune(connection: sa.Connection, variant: int, statuses: Collection[Status]) -> None:
    """Take the items of these statuses out of a rendering: it does not carry them, and no hold on them stops it."""
    v, i = schema.variant.c, schema.item.c
    row = connection.execute(sa.select(v["items"], v.targets).where(v.key == variant)).one()
    held = [(item if isinstance(item, int) else item["corrected"], item) for item in json.loads(row[0])]
    wanted = sa.and_(i.key.in_([key for key, _ in held]), i.status.in_(statuses))
    gone = connection.execute(sa.select(i.key, i.id).where(wanted)).all()
    left = json.dumps([item for key, item in held if key not in {one.key for one in gone}])
    targets = " ".join(target for target in row[1].split() if target not in {one.id for one in gone})
    connection.execute(schema.variant.update().where(v.key == variant).values(items=left, targets=targets))


def thaw(connection: sa.Connection, variant: int) -> None:
    """Let a rendering be made anew: until then none of its messages leaves."""
    connection.execute(schema.variant.update().where(schema.variant.c.key == variant).values(state="planned", frozen=""))


def drop(connection: sa.Connection, variant: int, why: str) -> None:
    """Say that a rendering will never be made."""
    connection.execute(schema.variant.update().where(schema.variant.c.key == variant).values(state="dropped", fault=why))


def fail(connection: sa.Connection, variant: int, fault: str) -> None:
    """Say why a variant cannot be rendered; its messages wait."""
    connection.execute(schema.variant.update().where(schema.variant.c.key == variant).values(fault=fault))


def editions(connection: sa.Connection, *, newsletter: str = "", limit: int = 100) -> list[Edition]:
    """Editions, newest first."""
    query = (
        sa.select(*schema.edition.c, schema.newsletter.c.name)
        .join(schema.newsletter, schema.newsletter.c.key == schema.edition.c.newsletter)
        .set_label_style(sa.LABEL_STYLE_TABLENAME_PLUS_COL)
        .order_by(schema.edition.c.key.desc())
        .limit(limit)
    )
    if newsletter:
        query = query.where(schema.newsletter.c.name == newsletter)
    return [_edition(row) for row in connection.execute(query).mappings()]


def _edition(row: sa.RowMapping) -> Edition:
    return Edition(
        key=row["edition_key"],
        newsletter=row["newsletter_name"],
        number=row["edition_number"],
        frequency=row["edition_frequency"],
        period=row["edition_period"],
        state=row["edition_state"],
        at=row["edition_at"],
    )


def _variant(row: sa.RowMapping) -> Variant:
    held = json.loads(row["variant_items"])
    return Variant(
        key=row["variant_key"],
        edition=_edition(row),
        quote_display=QuoteDisplay(row["variant_quote_display"]),
        lang=row["variant_lang"],
        items=tuple(item for item in held if isinstance(item, int)),
        corrections=tuple((item["corrected"], item["mark"]) for item in held if not isinstance(item, int)),
        state=row["variant_state"],
        frozen=row["variant_frozen"],
        fault=row["variant_fault"],
    )
