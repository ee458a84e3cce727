"""The audit log: who did what, append-only and chained by SHA-256, so that one altered byte is located.

Every function works inside a given transaction. What people write here is theirs; a quotation's words never are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from syndicate.store import marks
from syndicate.store.schema import from_micros, to_micros

_GENESIS: Final = "0" * 64
_HEAD: Final = "audit"  # the last line's hash: lines that are cut off at the end are missed too
_TEXTS: Final = ("who", "act", "subject", "detail", "previous", "hash")


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One act."""

    seq: int
    at: datetime
    who: str
    act: str  # hold, release, submit, verify, approve, reject, shown, withdraw …
    subject: str  # an item's id, a hold's target, a person's name
    detail: Mapping[str, object]


def audit(connection: sa.Connection, *, who: str, act: str, subject: str, detail: Mapping[str, object], at: datetime) -> None:
    """Append one line, chained to the one before it."""
    last = connection.execute(sa.text("SELECT hash FROM audit ORDER BY seq DESC LIMIT 1")).scalar()
    line = {
        "at": to_micros(at),
        "who": who,
        "act": act,
        "subject": subject,
        "detail": json.dumps(dict(detail), sort_keys=True, ensure_ascii=False),
    }
    previous = str(last or _GENESIS)
    chained = _chained(previous, line)
    connection.execute(
        sa.text(
            """INSERT INTO audit (at, who, act, subject, detail, previous, hash)
            VALUES (:at, :who, :act, :subject, :detail, :previous, :hash)"""
        ),
        {**line, "previous": previous, "hash": chained},
    )
    marks.put(connection, _HEAD, chained)


def lines(connection: sa.Connection, *, subject: str = "", limit: int = 200) -> list[Line]:
    """The newest acts, of ``subject`` or of all, newest first."""
    query = sa.text(
        """SELECT seq, at, who, act, subject, detail FROM audit WHERE :subject IN ('', subject)
        ORDER BY seq DESC LIMIT :limit"""
    )
    return [
        Line(seq=row.seq, at=from_micros(row.at), who=row.who, act=row.act, subject=row.subject, detail=json.loads(row.detail))
        for row in connection.execute(query, {"subject": subject, "limit": limit})
    ]


def broken_audit(connection: sa.Connection) -> int | None:
    """The number of the first line that was altered, taken out or cut off at the end; ``None`` where all are whole."""
    previous, expected = _GENESIS, 0
    # As bytes: one altered byte may leave a text that is no UTF-8, and must be located all the same.
    columns = ", ".join(f"CAST({name} AS BLOB) AS {name}" for name in _TEXTS)
    for row in connection.execute(sa.text(f"SELECT seq, at, {columns} FROM audit ORDER BY seq")).mappings():  # noqa: S608 - fixed text
        expected += 1
        texts = {name: bytes(row[name]).decode("utf-8", "replace") for name in _TEXTS}
        line = {"at": row["at"], **{name: texts[name] for name in ("who", "act", "subject", "detail")}}
        if row["seq"] != expected or texts["previous"] != previous or texts["hash"] != _chained(previous, line):
            return expected
        previous = texts["hash"]
    head = marks.get(connection, _HEAD)
    return expected + 1 if head and head != previous else None


def unheard_consents(connection: sa.Connection) -> list[tuple[str, str]]:
    """Consents to a quote that no line tells of, as (act, item): nobody gave them through a command."""
    query = sa.text(
        """SELECT a.role, i.id FROM approval a JOIN item i ON i.key = a.item WHERE NOT EXISTS (
            SELECT 1 FROM audit u WHERE u.subject = i.id AND u.at = a.at AND json_valid(u.detail)
            AND u.act = CASE a.role WHEN 'submitter' THEN 'submit' WHEN 'verifier' THEN 'verify'
                WHEN 'approver' THEN 'approve' ELSE 'reject' END
            AND json_extract(u.detail, '$.content') = a.content_sha
            AND json_extract(u.detail, '$.renderings') = a.renderings_sha)
        ORDER BY a.key"""
    )
    return [(row[0], row[1]) for row in connection.execute(query)]


def _chained(previous: str, line: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps([previous, line], sort_keys=True, ensure_ascii=False).encode()).hexdigest()
