"""Corrections that readers are to hear of: what was put right, where the wrong version went, and who is owed the right one.

Every function works inside a given transaction. What is owed becomes duties like any other; the ledger moves them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from syndicate.model import Severity, State, Way
from syndicate.store import agenda, duties, schema
from syndicate.store.audit import audit
from syndicate.store.clauses import JOINED, LEASED
from syndicate.store.direct import Direct
from syndicate.store.duties import Duty
from syndicate.store.places import newsletter_key, place_key
from syndicate.store.schema import from_micros, to_micros

_PRIORITY: Final = 3  # before new posts and instant editions
_CORRECTION: Final = schema.correction.c
_HOLDING: Final = "instr(' ' || v.targets || ' ', ' ' || :item || ' ')"
# Every delivery of a rendering that carries the item.
_MAILED: Final = f"""variant v JOIN sending s ON s.kind = 'edition' AND s.subject = CAST(v.edition AS TEXT)
    JOIN delivery d ON d.sending = s.key AND d.variant = v.key WHERE {_HOLDING}"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """One correction that somebody gave out."""

    item: str  # the item's id
    revision: int
    severity: Severity
    text: str
    day: str  # civil day in the site's zone
    at: datetime
    planned: datetime | None  # what was made before this instant has the wrong version


@dataclass(frozen=True, kw_only=True, slots=True)
class Stood:
    """One post of an item, and what became of its correction."""

    slot: int
    place: int
    channel: str
    state: State
    url: str
    remote_id: str
    made: datetime  # when its text was made
    done: datetime | None
    amendment: State | None  # None: no duty to put it right
    way: Way | None  # how it was, or is being, put right
    said: str  # what was last said about that


def told(connection: sa.Connection, item: str, revision: int | None = None) -> Told | None:
    """A correction of an item, the newest one where no revision is named."""
    query = (
        sa.select(*schema.correction.c, schema.item.c.id)
        .join(schema.item, schema.item.c.key == _CORRECTION.item)
        .where(schema.item.c.id == item)
        .order_by(_CORRECTION.revision.desc())
        .limit(1)
    )
    if revision is not None:
        query = query.where(_CORRECTION.revision == revision)
    row = connection.execute(query).mappings().first()
    return _told(row) if row else None


def unsettled(connection: sa.Connection) -> list[Told]:
    """Corrections whose wrong version may still turn up somewhere, the oldest first."""
    query = (
        sa.select(*schema.correction.c, schema.item.c.id)
        .join(schema.item, schema.item.c.key == _CORRECTION.item)
        .where(_CORRECTION.open == 1)
        .order_by(_CORRECTION.at)
    )
    return [_told(row) for row in connection.execute(query).mappings()]


def _told(row: sa.RowMapping) -> Told:
    return Told(
        item=row["id"],
        revision=row["revision"],
        severity=Severity(row["severity"]),
        text=row["text"],
        day=row["day"],
        at=row["at"],
        planned=row["planned"],
    )


# -- marking ----------------------------------------------------------------------------------------


def mark(
    connection: sa.Connection, item: str, *, severity: Severity, text: str, day: str, by_hand: bool, who: str, now: datetime
) -> int:
    """Give an item its next revision; what waits is made anew from it. Returns the revision."""
    row = connection.execute(
        sa.text(
            """UPDATE item SET revision = revision + 1, change = (SELECT max(change) + 1 FROM item) WHERE id = :id
            RETURNING key, revision"""
        ),
        {"id": item},
    ).one()
    connection.execute(
        schema.correction.insert().values(
            item=row.key, revision=row.revision, severity=severity.value, text=text, day=day, at=now, who=who, told=int(by_hand)
        )
    )
    if by_hand:
        keep(connection, [row.key])
    connection.execute(
        sa.text(
            """DELETE FROM payload WHERE (sending, place) IN (SELECT d.sending, d.place FROM sending s
            JOIN delivery d ON d.sending = s.key WHERE s.kind = 'post' AND s.subject = :item
            AND d.state IN ('pending', 'claimed', 'deferred'))"""
        ),
        {"item": item},
    )
    stale = sa.text(
        f"SELECT DISTINCT v.key FROM {_MAILED} AND v.state = 'frozen' AND d.state IN ('pending', 'claimed', 'deferred')"  # noqa: S608
    )
    for key in connection.execute(stale, {"item": item}).scalars().all():
        agenda.thaw(connection, key)
    detail = {"revision": row.revision, "severity": severity.value, "text": text}
    audit(connection, who=who, act="correct", subject=item, detail=detail, at=now)
    return int(row.revision)


def keep(connection: sa.Connection, items: Iterable[int] | None = None) -> None:
    """What was told by hand stands in the item whatever its file says: of ``items``, or of all after a sync."""
    if not Direct(connection).value("SELECT EXISTS (SELECT 1 FROM correction WHERE told = 1)"):
        return
    query = sa.select(*schema.correction.c, schema.item.c.kind, schema.item.c.front, schema.item.c.updated).join(
        schema.item, schema.item.c.key == _CORRECTION.item
    )
    query = query.where(_CORRECTION.told == 1).order_by(_CORRECTION.item, _CORRECTION.revision)
    if items is not None:
        query = query.where(_CORRECTION.item.in_(list(items)))
    changed: dict[int, dict[str, Any]] = {}
    for row in connection.execute(query).mappings():
        found = changed.setdefault(row["item"], {"front": json.loads(row["front"]), "updated": row["updated"], "new": False})
        _merge(found, row)
    for key, found in changed.items():
        if found.pop("new"):
            front = json.dumps(found["front"], ensure_ascii=False, sort_keys=True)
            values = {"front": front, "updated": found["updated"]}
            connection.execute(schema.item.update().where(schema.item.c.key == key).values(values))


def _merge(found: dict[str, Any], row: sa.RowMapping) -> None:
    known = found["front"].get("corrections")
    if row["kind"] == "brief" and not any(one["text"] == row["text"] for one in known or ()):
        told = {"date": row["day"], "at": row["at"].isoformat(), "text": row["text"], "severity": row["severity"]}
        found["front"]["corrections"] = [*(known or ()), told]
        found["new"] = True
    if row["severity"] == Severity.SIGNIFICANT and (found["updated"] is None or found["updated"] < row["at"]):
        found["updated"], found["new"] = row["at"], True


# -- where it went ----------------------------------------------------------------------------------


def claimed(connection: sa.Connection, item: str) -> list[Duty]:
    """What a worker has in hand of an item and has not begun: it may hold the wrong version."""
    query = sa.text(
        f"""SELECT d.sending, d.place, p.kind AS place_kind, c.name AS channel, d.variant, s.kind, s.subject, s.revision,
               s.newsletter, s.due, d.attempt, d.epoch, d.priority
        FROM {JOINED.format(index="INDEXED BY ix_delivery_leased")}
        WHERE {LEASED} AND d.state = 'claimed'
        AND ((s.kind = 'post' AND s.subject = :item) OR (v.key IS NOT NULL AND {_HOLDING}))"""  # noqa: S608 - fixed text
    )
    rows = connection.execute(query, {"item": item}).mappings()
    return [duties.duty_of(row, attempt=row["attempt"], epoch=row["epoch"]) for row in rows]


def posted(connection: sa.Connection, item: str, revision: int) -> list[Stood]:
    """Where an item was, or may have been, posted, and whether it was put right at ``revision``."""
    query = sa.text(
        """SELECT s.slot, d.place, c.name AS channel, d.state, d.remote_id, d.remote_url, d.done_at,
             coalesce(k.made, 0) AS made, x.state AS amendment, json_extract(kx.parcel, '$.way') AS way,
             (SELECT a.detail FROM attempt a WHERE a.sending = x.sending AND a.place = x.place
              ORDER BY a.key DESC LIMIT 1) AS said
        FROM sending s JOIN delivery d ON d.sending = s.key JOIN place c ON c.key = d.channel
        LEFT JOIN payload k ON k.sending = d.sending AND k.place = d.place
        LEFT JOIN sending t ON t.kind = 'edit' AND t.subject = s.subject AND t.slot = s.slot AND t.revision = :revision
        LEFT JOIN delivery x ON x.sending = t.key AND x.place = d.place
        LEFT JOIN payload kx ON kx.sending = x.sending AND kx.place = x.place
        WHERE s.kind = 'post' AND s.subject = :item AND s.slot >= 0 ORDER BY c.name, s.due"""  # a thread's first post alone
    )
    return [
        Stood(
            slot=row.slot,
            place=row.place,
            channel=row.channel,
            state=State(row.state),
            url=row.remote_url,
            remote_id=row.remote_id,
            made=from_micros(row.made),
            done=None if row.done_at is None else from_micros(row.done_at),
            amendment=State(row.amendment) if row.amendment else None,
            way=row.way,
            said=row.said or "",
        )
        for row in connection.execute(query, {"item": item, "revision": revision})
    ]


def stands(connection: sa.Connection, duty: Duty) -> tuple[str, datetime | None]:
    """The network's name of the post that an amendment is about (of a changed one the newest), and since when it is out."""
    query = sa.text(
        """SELECT s.kind, d.remote_id, d.done_at, json_extract(k.parcel, '$.way') AS way
        FROM sending x JOIN sending s ON s.subject = x.subject AND s.slot = x.slot AND s.kind IN ('post', 'edit')
        JOIN delivery d ON d.sending = s.key AND d.place = :place AND d.state = 'sent'
        LEFT JOIN payload k ON k.sending = d.sending AND k.place = d.place
        WHERE x.key = :sending AND s.revision < x.revision ORDER BY s.revision"""
    )
    remote, since = "", None
    for row in connection.execute(query, {"sending": duty.sending, "place": duty.place}):
        if row.kind == "post":
            remote, since = row.remote_id, from_micros(row.done_at)
        elif row.way == "edit":
            remote = row.remote_id
    return remote, since


# -- what is owed -----------------------------------------------------------------------------------


def owe_amendment(connection: sa.Connection, one: Told, post: Stood, *, quote: bool, now: datetime) -> int:
    """Record the duty to put one post right, once."""
    made = duties.open_sending(
        connection,
        kind="edit",
        subject=one.item,
        due=now,
        targets=f"all {one.item}" + (" quotes" if quote else ""),
        slot=post.slot,
        revision=one.revision,
    )
    key = made or duties.sending_key(connection, "edit", one.item, post.slot, one.revision)
    return int(duties.owe_once(connection, key, post.place, due=now, priority=_PRIORITY))


def owe_notices(connection: sa.Connection, one: Told, letter: str, channel: str, *, cut: datetime, now: datetime) -> int:
    """Record the duty to tell each reader of a newsletter who was sent the item before ``cut``, once."""
    readers = sa.text(
        f"""SELECT DISTINCT d.place FROM {_MAILED} AND s.newsletter = :letter AND d.state = 'sent'
        AND coalesce(d.intent_at, 0) < :cut
        AND EXISTS (SELECT 1 FROM subscription u WHERE u.subscriber = d.place AND u.newsletter = s.newsletter
            AND u.state = 'active')
        AND NOT EXISTS (SELECT 1 FROM sending t JOIN delivery x ON x.sending = t.key AND x.place = d.place
            WHERE t.kind = 'notice' AND t.subject = :subject AND t.slot = 0 AND t.revision = :revision)"""  # noqa: S608
    )
    subject, key = notice(letter, one.item), newsletter_key(connection, letter)
    values = {"item": one.item, "letter": key, "cut": to_micros(cut), "subject": subject, "revision": one.revision}
    places = list(connection.execute(readers, values).scalars())
    if not places:
        return 0
    targets = f"all {letter} {one.item}"
    made = duties.open_sending(
        connection, kind="notice", subject=subject, due=now, targets=targets, revision=one.revision, newsletter=key
    )
    late = None
    if made is None:  # others were told before
        made, late = duties.sending_key(connection, "notice", subject, 0, one.revision), now
        connection.execute(sa.text("UPDATE sending SET state = 'open' WHERE key = :k"), {"k": made})
    account = place_key(connection, "account", channel)
    duties.owe(connection, made, places, channel=account, priority=_PRIORITY, not_before=late)
    return len(places)


def notice(letter: str, item: str) -> str:
    """The subject of the sending that tells a newsletter's readers."""
    return f"correction:{letter}:{item}"


def close(connection: sa.Connection, one: Told, cut: datetime) -> None:
    """Remember what was planned; it stays open while something of the item is on the wire or in doubt."""
    doubt = sa.text(
        f"""SELECT EXISTS (SELECT 1 FROM sending s JOIN delivery d ON d.sending = s.key WHERE s.kind = 'post'
            AND s.subject = :item AND d.state IN ('sending', 'uncertain'))
        OR EXISTS (SELECT 1 FROM {_MAILED} AND d.state IN ('sending', 'uncertain'))"""  # noqa: S608 - fixed text
    )
    still = connection.execute(doubt, {"item": one.item}).scalar_one()
    connection.execute(
        sa.text(
            """UPDATE correction SET planned = coalesce(planned, :cut), open = :open WHERE revision = :revision
            AND item = (SELECT key FROM item WHERE id = :item)"""
        ),
        {"cut": to_micros(cut), "open": int(bool(still)), "revision": one.revision, "item": one.item},
    )


# -- notices ----------------------------------------------------------------------------------------


def languages(connection: sa.Connection, places: Iterable[int], letter: int) -> Mapping[int, str]:
    """The language that each reader chose; ``""`` for the site's."""
    s = schema.subscription.c
    query = sa.select(s.subscriber, s.lang).where(s.newsletter == letter, s.subscriber.in_(list(places)))
    return {row.subscriber: row.lang for row in connection.execute(query)}


def rendition(connection: sa.Connection, sending: int, lang: str) -> str:
    """A notice as it was rendered for its first reader of this language; ``""`` where it was not yet."""
    r = schema.rendition.c
    return str(connection.execute(sa.select(r.frozen).where(r.sending == sending, r.lang == lang)).scalar() or "")


def keep_rendition(connection: sa.Connection, sending: int, lang: str, frozen: str) -> None:
    """Keep a rendered notice: each reader of this language gets the same."""
    connection.execute(
        sa.text("INSERT INTO rendition (sending, lang, frozen) VALUES (:s, :l, :f) ON CONFLICT DO NOTHING"),
        {"s": sending, "l": lang, "f": frozen},
    )


def notified(connection: sa.Connection, one: Told, letters: Iterable[str]) -> Mapping[State, int]:
    """How many readers are, were or could not be told, by state."""
    query = sa.text(
        """SELECT t.state, sum(t.n) AS n FROM sending s JOIN tally t ON t.sending = s.key
        WHERE s.kind = 'notice' AND s.revision = :revision AND s.subject IN :subjects GROUP BY t.state HAVING sum(t.n) > 0"""
    ).bindparams(sa.bindparam("subjects", expanding=True))
    subjects = [notice(letter, one.item) for letter in letters]
    return {State(row.state): row.n for row in connection.execute(query, {"revision": one.revision, "subjects": subjects})}


def forgotten(connection: sa.Connection, item: str) -> int:
    """How many messages carried an item of whose readers nothing is kept any more."""
    query = sa.text(
        f"""SELECT coalesce(sum(t.n), 0) FROM sending s JOIN tally t ON t.sending = s.key AND t.state = 'sent'
        WHERE s.kind = 'edition' AND s.state = 'forgotten' AND s.subject IN
        (SELECT CAST(v.edition AS TEXT) FROM variant v WHERE {_HOLDING})"""  # noqa: S608 - fixed text
    )
    return int(connection.execute(query, {"item": item}).scalar_one())
