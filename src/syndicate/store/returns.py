"""What came back, remembered: which message, what was said, and what followed from it in the same transaction.

Holds no address and none of the far side's words; single rows are forgotten as ``[privacy]`` says, their numbers stay.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from syndicate.model import State
from syndicate.returns.verdict import judge
from syndicate.store import schema
from syndicate.store.addresses import normalised
from syndicate.store.audit import audit
from syndicate.store.database import Store
from syndicate.store.duties import Duty, Result, duty_of
from syndicate.store.ledger import suppress_open
from syndicate.store.schema import to_micros
from syndicate.store.suppression import suppress

BRAKE: Final = "syndicate"  # who places the hold
_RECENT: Final = timedelta(days=15)  # how old the mail may be that a report means which names only its reader
_REMEMBERED: Final = timedelta(days=30)  # what was seen before; far longer than any provider repeats itself
_PROVES: Final = {"hard": State.FAILED, "soft": State.FAILED, "complaint": State.SENT, "delivered": State.SENT}


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What follows from what."""

    hard: bool  # a hard bounce suppresses
    complaint: bool  # a complaint does
    soft_limit: int  # soft bounces of so many messages …
    soft_within: timedelta  # … within this time do


@dataclass(frozen=True, kw_only=True, slots=True)
class Came:
    """One report on one message."""

    sending: int  # 0: not known, the newest to this reader
    place: int
    kind: str  # hard | soft | complaint | delayed | delivered
    status: str = ""
    reason: str = ""
    form: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of a report."""

    new: bool = False  # it told something that was not known
    known: bool = False  # its message is one of ours that is not forgotten yet
    edition: int = 0
    suppressed: str = ""  # why its reader gets no more mail; "" where nothing followed


@dataclass(frozen=True, kw_only=True, slots=True)
class Count:
    """How often something came back."""

    kind: str
    domain: str  # "" once the details are forgotten
    reason: str
    n: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """What came back from one reader."""

    at: datetime
    edition: int  # 0: of a notice
    kind: str
    status: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """How an edition that is still being sent is received."""

    edition: int
    kind: str  # hard | complaint
    reports: int
    messages: int  # that have left

    @property
    def percent(self) -> float:
        """Of the messages that have left."""
        return 100 * self.reports / self.messages if self.messages else 0.0


class Returns:
    """The shelf of what came back."""

    def __init__(self, store: Store) -> None:
        """Use ``store``."""
        self._store = store

    def take(self, came: Came, *, rules: Rules, now: datetime) -> Outcome:
        """Record a report and do what follows from it, once; the second time nothing happens.

        A report on a mail that left before its reader last agreed to mail is recorded and does no more: whoever has
        confirmed since then has shown that the address takes mail, and wants it.
        """

        def work(connection: sa.Connection) -> Outcome:
            sent = _sent(connection, came, now)
            if sent is None:
                return Outcome()
            reader = connection.execute(_READER, {"p": came.place}).first()
            edition = int(sent.subject) if sent.kind == "edition" else 0
            made = connection.execute(
                _KEEP,
                {
                    "sending": sent.key, "place": came.place, "kind": came.kind, "at": to_micros(now), "edition": edition,
                    "domain": reader.domain if reader else "", "status": came.status, "reason": came.reason, "form": came.form,
                },
            ).rowcount  # fmt: skip
            if not made:
                return Outcome(known=True, edition=edition)
            agreed = reader is not None and (reader.since is None or reader.since <= sent.left)
            why = _consequence(connection, came, rules, now) if agreed else ""
            if why and reader is not None:
                _silence(connection, came.place, reader.address, why, now)
            return Outcome(new=True, known=True, edition=edition, suppressed=why if reader is not None else "")

        return self._store.write(work)

    def place_of(self, address: str) -> int:
        """The place of the reader with this address; 0 where there is none."""
        try:
            compared = normalised(address)[1]
        except ValueError:
            return 0
        query = sa.select(schema.subscriber.c.key).where(schema.subscriber.c.address_key == compared)
        with self._store.read() as connection:
            return int(connection.execute(query).scalar() or 0)

    def refusals(self, after: int) -> tuple[list[Came], int]:
        """What servers refused at once with a status about the address (X.1.Y), from attempt ``after`` on, and the newest."""
        with self._store.read() as connection:
            newest = int(connection.execute(sa.text("SELECT coalesce(max(key), 0) FROM attempt")).scalar_one())
            rows = connection.execute(_REFUSED, {"after": after if after <= newest else 0}).all()
        return [_refused(row) for row in rows], newest

    def doubts(self) -> list[Result]:
        """Uncertain deliveries of which something came back, and what that proves."""
        with self._store.read() as connection:
            rows = connection.execute(_DOUBTS).mappings().all()
        found: dict[tuple[int, int], Result] = {}
        for row in rows:
            state = _PROVES[row["proof"]]
            if state is State.SENT or (row["sending"], row["place"]) not in found:
                found[row["sending"], row["place"]] = _settled(row, state)
        return list(found.values())

    # -- the brake ----------------------------------------------------------------------------------
    def rates(self) -> list[Rate]:
        """How editions are received that still have messages to send and have not stopped themselves for this."""
        with self._store.read() as connection:
            rows = connection.execute(_RATES).all()
        return [Rate(edition=row.edition, kind=row.kind, reports=row.reports, messages=row.messages) for row in rows]

    def brake(self, rate: Rate, reason: str, now: datetime) -> bool:
        """Hold an edition back; ``False`` where it did so before for this."""

        def work(connection: sa.Connection) -> bool:
            made = connection.execute(
                sa.text("INSERT INTO braked VALUES (:e, :k, :at) ON CONFLICT DO NOTHING"),
                {"e": rate.edition, "k": rate.kind, "at": to_micros(now)},
            ).rowcount
            target = f"edition:{rate.edition}"
            if made:
                connection.execute(
                    sa.text("INSERT INTO hold VALUES (:t, :r, :w, :at) ON CONFLICT DO NOTHING"),
                    {"t": target, "r": reason, "w": BRAKE, "at": to_micros(now)},
                )
                audit(connection, who=BRAKE, act="hold", subject=target, detail={"reason": reason}, at=now)
            return bool(made)

        return self._store.write(work)

    # -- telling ------------------------------------------------------------------------------------
    def breakdown(self, edition: int) -> list[Count]:
        """What came back of an edition, by kind, domain and reason; most first."""
        with self._store.read() as connection:
            rows = connection.execute(_BREAKDOWN, {"e": edition}).all()
        return [Count(kind=row.kind, domain=row.domain, reason=row.reason, n=row.n) for row in rows]

    def of_reader(self, place: int) -> list[Line]:
        """What came back from one reader, newest first."""
        with self._store.read() as connection:
            return lines_of(connection, place)

    # -- what was read before -----------------------------------------------------------------------
    def unseen(self, source: str, ids: Collection[str]) -> set[str]:
        """Which of these a source has not shown before."""
        query = sa.select(schema.seen_return.c.id).where(schema.seen_return.c.source == source)
        with self._store.read() as connection:
            return set(ids) - set(connection.execute(query).scalars())

    def was_seen(self, source: str, one: str) -> bool:
        """Whether a source has shown this before."""
        query = sa.select(schema.seen_return.c.id).where(schema.seen_return.c.source == source, schema.seen_return.c.id == one)
        with self._store.read() as connection:
            return connection.execute(query).first() is not None

    def see(self, source: str, ids: Iterable[str], now: datetime) -> int:
        """Remember what a source has shown; how many were new."""
        rows = [{"source": source, "id": one, "at": to_micros(now)} for one in ids]
        statement = sa.text("INSERT INTO seen_return VALUES (:source, :id, :at) ON CONFLICT DO NOTHING")
        return (
            self._store.write(lambda connection: sum(connection.execute(statement, row).rowcount for row in rows))
            if rows
            else 0
        )

    def keep_seen(self, source: str, present: Sequence[str]) -> None:
        """Forget what a Maildir has no more, so that the memory grows no larger than it."""
        gone = self._seen(source) - set(present)
        statement = sa.text("DELETE FROM seen_return WHERE source = :source AND id = :id")
        if gone:
            rows = [{"source": source, "id": one} for one in gone]
            self._store.write(lambda connection: connection.execute(statement, rows).close())

    def _seen(self, source: str) -> set[str]:
        query = sa.select(schema.seen_return.c.id).where(schema.seen_return.c.source == source)
        with self._store.read() as connection:
            return set(connection.execute(query).scalars())

    def forget(self, before: datetime, now: datetime) -> None:
        """Drop what is known of single readers from before; the numbers stay. Also what providers told long ago."""
        old = sa.select(schema.returned.c.at).where(schema.returned.c.at < before).limit(1)
        events = sa.select(schema.seen_return.c.at).where(
            schema.seen_return.c.at < now - _REMEMBERED, schema.seen_return.c.source.like("hook:%")
        )
        with self._store.read() as connection:
            due = connection.execute(old).first(), connection.execute(events.limit(1)).first()
        if due[0]:
            self._store.write(lambda connection: fold(connection, "at < :at", {"at": to_micros(before)}))
        if due[1]:
            drop = sa.text("DELETE FROM seen_return WHERE at < :at AND source LIKE 'hook:%'")
            self._store.write(lambda connection: connection.execute(drop, {"at": to_micros(now - _REMEMBERED)}).close())


def lines_of(connection: sa.Connection, place: int) -> list[Line]:
    """What came back from one reader, newest first."""
    query = sa.select(schema.returned).where(schema.returned.c.place == place).order_by(schema.returned.c.at.desc())
    return [
        Line(at=row.at, edition=row.edition, kind=row.kind, status=row.status, reason=row.reason)
        for row in connection.execute(query)
    ]


def fold(connection: sa.Connection, condition: str, values: dict[str, int]) -> None:
    """Turn single rows into numbers: where details are forgotten, and where a reader is erased (``place = :place``)."""
    connection.execute(
        sa.text(
            f"""INSERT INTO returned_total (edition, kind, reason, n)
            SELECT edition, kind, reason, count(*) FROM returned WHERE {condition} GROUP BY edition, kind, reason
            ON CONFLICT (edition, kind, reason) DO UPDATE SET n = n + excluded.n"""  # noqa: S608 - fixed text
        ),
        values,
    )
    connection.execute(sa.text(f"DELETE FROM returned WHERE {condition}"), values)  # noqa: S608 - fixed text


def _sent(connection: sa.Connection, came: Came, now: datetime) -> sa.Row[tuple[int, str, str, int]] | None:
    """The sending that a report means, and when it left; ``None`` where it is forgotten or never was."""
    found: sa.Row[tuple[int, str, str, int]] | None
    if came.sending:
        found = connection.execute(_ONE, {"s": came.sending, "p": came.place}).first()
    else:
        found = connection.execute(_NEWEST, {"p": came.place, "after": to_micros(now - _RECENT)}).first()
    return found


def _consequence(connection: sa.Connection, came: Came, rules: Rules, now: datetime) -> str:
    """Why the reader is not written to any more, or ``""``."""
    if came.kind == "hard" and rules.hard:
        return " ".join(part for part in ("hard bounce", came.status, f"({came.reason})" if came.reason else "") if part)
    if came.kind == "complaint" and rules.complaint:
        return "complaint"
    if came.kind == "soft":
        after = to_micros(now - rules.soft_within)
        count = int(connection.execute(_SOFT, {"p": came.place, "after": after}).scalar_one())
        if count >= rules.soft_limit:
            return f"{count} soft bounces in {rules.soft_within.days or 1} days"
    return ""


def _silence(connection: sa.Connection, place: int, address: str, why: str, now: datetime) -> None:
    """Nobody writes to this address any more: list, subscriptions, and what is on its way, in one transaction."""
    suppress(connection, address, why, now)
    connection.execute(_END, {"p": place, "at": to_micros(now), "why": f"{now.isoformat(timespec='seconds')} {why}"})
    suppress_open(connection, place, None, now, why)


def _refused(row: sa.Row[tuple[int, int, str, str]]) -> Came:
    verdict = judge(action="failed", status=row.code, said=row.detail)
    return Came(
        sending=row.sending, place=row.place, kind=verdict.kind, status=verdict.status, reason=verdict.reason, form="smtp"
    )


def _settled(row: sa.RowMapping, state: State) -> Result:
    duty: Duty = duty_of(row, attempt=row["attempt"], epoch=row["epoch"])
    told = f"{row['status']} {row['reason']}".strip()
    detail = f"It came back: {told}." if state is State.FAILED else "Its reader has it: a report on it came back."
    return Result(duty=duty, state=state, remote_id=row["remote_id"], code=row["status"] or row["proof"], detail=detail)


_KEEP: Final = sa.text(
    """INSERT INTO returned (sending, place, kind, at, edition, domain, status, reason, form)
    VALUES (:sending, :place, :kind, :at, :edition, :domain, :status, :reason, :form) ON CONFLICT DO NOTHING"""
)
_READER: Final = sa.text(
    """SELECT address, domain,
    (SELECT max(u.since) FROM subscription u WHERE u.subscriber = subscriber.key AND u.state = 'active') AS since
    FROM subscriber WHERE key = :p"""
)
_LEFT: Final = "coalesce(d.intent_at, d.done_at, s.due)"
_ONE: Final = sa.text(
    f"""SELECT s.key, s.kind, s.subject, {_LEFT} AS left FROM delivery d JOIN sending s ON s.key = d.sending
    JOIN place p ON p.key = d.place WHERE d.sending = :s AND d.place = :p AND p.kind = 'subscriber'"""  # noqa: S608 - fixed text
)
_NEWEST: Final = sa.text(
    f"""SELECT s.key, s.kind, s.subject, {_LEFT} AS left
    FROM sending s CROSS JOIN delivery d ON d.sending = s.key AND d.place = :p
    JOIN place p ON p.key = d.place
    WHERE p.kind = 'subscriber' AND d.state IN ('sent', 'failed', 'uncertain', 'sending') AND {_LEFT} > :after
    ORDER BY {_LEFT} DESC, s.key DESC LIMIT 1"""  # noqa: S608 - fixed text
)
# What is about our server, our sender or our text says nothing about an address, however often it is said.
_SOFT: Final = sa.text(
    """SELECT count(*) FROM returned WHERE place = :p AND kind = 'soft' AND at > :after
    AND reason NOT IN ('blocked', 'content', 'too large')"""
)
_END: Final = sa.text(
    """UPDATE subscription SET state = 'suppressed', changed = :at,
    consent = json_set(CASE consent WHEN '' THEN '{}' ELSE consent END, '$.suppressed', :why)
    WHERE subscriber = :p AND state IN ('active', 'pending')"""
)
_REFUSED: Final = sa.text(
    """SELECT a.sending, a.place, a.code, a.detail FROM attempt a JOIN place p ON p.key = a.place AND p.kind = 'subscriber'
    WHERE a.key > :after AND a.outcome = 'failed' AND a.code LIKE '5.1.%' ORDER BY a.key"""
)
_DOUBTS: Final = sa.text(
    """SELECT d.sending, d.place, p.kind AS place_kind, c.name AS channel, d.variant, s.kind, s.subject, s.revision,
        s.newsletter, s.due, d.attempt, d.epoch, d.remote_id, r.kind AS proof, r.status, r.reason
    FROM delivery d JOIN returned r ON r.sending = d.sending AND r.place = d.place
    JOIN sending s ON s.key = d.sending JOIN place c ON c.key = d.channel JOIN place p ON p.key = d.place
    WHERE d.state = 'uncertain' AND r.kind IN ('hard', 'soft', 'complaint', 'delivered')"""
)
_RATES: Final = sa.text(
    """SELECT e.key AS edition, r.kind, count(*) AS reports,
        (SELECT coalesce(sum(t.n), 0) FROM tally t JOIN sending s ON s.key = t.sending
         WHERE s.kind = 'edition' AND s.subject = CAST(e.key AS TEXT)
         AND t.state IN ('sent', 'failed', 'uncertain')) AS messages
    FROM edition e JOIN returned r ON r.edition = e.key AND r.kind IN ('hard', 'complaint')
    WHERE e.state = 'sending' AND NOT EXISTS (SELECT 1 FROM braked b WHERE b.edition = e.key AND b.kind = r.kind)
    GROUP BY e.key, r.kind"""
)
_BREAKDOWN: Final = sa.text(
    """SELECT kind, domain, reason, sum(n) AS n FROM (
        SELECT kind, domain, reason, 1 AS n FROM returned WHERE edition = :e
        UNION ALL SELECT kind, '', reason, n FROM returned_total WHERE edition = :e)
    GROUP BY kind, domain, reason ORDER BY n DESC, kind, domain, reason"""
)
