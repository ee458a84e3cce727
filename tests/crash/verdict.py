"""The judgement of one trial: what the witness saw against what was owed, and against what the ledger says.

The database is read with SQL of its own: nothing here trusts the program that is judged.
"""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syndicate.channels.smtp.sending import GROUP_MOST, GROUP_SECONDS
from syndicate.model import Frequency

if TYPE_CHECKING:
    from crash.trial import Trial

CONNECTIONS = 4  # of the settings
OPEN = ("pending", "claimed", "sending", "deferred")
DUTIES = """SELECT c.name AS channel, r.address, d.state, d.remote_id, v.items, s.subject
    FROM delivery d JOIN sending s ON s.key = d.sending JOIN place c ON c.key = d.channel
    LEFT JOIN subscriber r ON r.key = d.place LEFT JOIN variant v ON v.key = d.variant"""
EXPANDED_ONCE = ("quotes", "digest.daily", "digest.weekly")


def rows(root: Path, query: str) -> list[sqlite3.Row]:
    """What the database says."""
    connection = sqlite3.connect(f"file:{root / 'var' / 'syndicate.db'}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def closed(root: Path) -> bool:
    """Whether nothing is open, and nothing in doubt that its network could be asked about."""
    return not any(
        row["state"] in OPEN or (row["state"] == "uncertain" and row["channel"] != "mail") for row in rows(root, DUTIES)
    )


def judge(trial: Trial) -> None:
    """Add the figures and every complaint to the trial's outcome."""
    outcome, seen = trial.outcome, Counter((line["to"], item) for line in trial.lines for item in line["items"])
    found = rows(trial.root, DUTIES)
    slugs = {row["key"]: f"{row['kind']}s/{row['slug']}" for row in rows(trial.root, "SELECT key, kind, slug FROM item")}
    doubted = {
        (row["address"], slugs[key])
        for row in found
        if row["state"] == "uncertain" and row["address"]
        for key in json.loads(row["items"])
    }
    owed = {(to, item) for to, item in expected(trial) if to not in trial.gone}
    doubles = {place: n for place, n in seen.items() if n > 1}
    lost = owed - set(seen) - doubted
    outcome.witnessed = len(trial.lines)
    outcome.doubles, outcome.losses = sum(n - 1 for n in doubles.values()), len(lost)
    outcome.uncertain = sum(row["state"] == "uncertain" for row in found)
    outcome.gone = len({line["id"] for line in trial.lines if line["where"] == "mail"} - sent_ids(found))
    complaints = [
        *(f"{to} was sent {item} {n} times" for (to, item), n in doubles.items()),
        *(f"{to} was owed {item} and never got it" for to, item in lost),
        *(f"{to} got {item}, which nobody owed" for to, item in set(seen) - owed if to not in trial.gone),
        *ledger(trial, found),
        *feeds(trial),
        *said(trial.root / "program.log"),
    ]
    outcome.complaints += [f"{trial.name}: {complaint}" for complaint in complaints]


def expected(trial: Trial) -> Iterator[tuple[str, str]]:
    """(address or network, item) of all that is owed: who gets what, once."""
    from crash.trial import NETWORKS

    shown = {item for line in trial.lines for item in line["items"] if item.startswith("quotes/")}
    quote = min(shown, default="the day's quote")  # of two, the other is one that nobody owed
    for to in (*NETWORKS, *trial.readers(Frequency.INSTANT)):
        yield from ((to, f"briefs/{brief}") for brief in trial.briefs)
    for frequency in trial.crowd:
        for to in trial.readers(frequency):
            yield to, quote
            yield to, f"briefs/{trial.briefs[0]}"
    yield from ((network, quote) for network in NETWORKS)


def sent_ids(found: list[sqlite3.Row]) -> set[str]:
    """The Message-IDs of mails that the ledger calls sent."""
    return {row["remote_id"] for row in found if row["state"] == "sent" and row["channel"] == "mail"}


def ledger(trial: Trial, found: list[sqlite3.Row]) -> Iterator[str]:
    """What the ledger says against what was witnessed."""
    outcome = trial.outcome
    ids = Counter((line["where"], line["to"], line["id"]) for line in trial.lines)
    yield from (f"{place} was witnessed {n} times" for place, n in ids.items() if n > 1)
    states = Counter((row["channel"], row["state"]) for row in found)
    for (channel, state), n in states.items():
        if state in OPEN:
            yield f"{n} deliveries of {channel} are still {state}"
        elif state == "suppressed" and channel == "mail" and trial.gone:
            continue
        elif state != "sent" and (channel, state) != ("mail", "uncertain"):
            yield f"{n} deliveries of {channel} are {state}"
    posts = Counter(line["where"] for line in trial.lines if line["where"] != "mail")
    outcome.posts = posts.total()
    for channel in posts:
        if posts[channel] != states[channel, "sent"]:
            yield f"{posts[channel]} posts were witnessed on {channel}, and {states[channel, 'sent']} are called sent"
    # One group of intents on each connection; a group of one where a reply takes longer than groups are made for.
    group = 1 if trial.slow >= GROUP_SECONDS else GROUP_MOST
    if outcome.uncertain > outcome.kills * CONNECTIONS * group + trial.cuts:
        yield f"{outcome.uncertain} uncertain after {outcome.kills} kills and {trial.cuts} lost answers"
    for row in found:
        if row["state"] == "sent" and not _witnessed(row, ids):
            yield f"the ledger calls {row['remote_id']} sent on {row['channel']}, and nobody saw it"
    for name, n in Counter(
        row["schedule"] for row in rows(trial.root, "SELECT schedule FROM slot WHERE state = 'expanded'")
    ).items():
        if name in EXPANDED_ONCE and n != 1:
            yield f"the slot of {name} was expanded {n} times"


def _witnessed(row: sqlite3.Row, ids: Counter[tuple[str, str, str]]) -> bool:
    channel = row["channel"]
    remote = row["remote_id"].rpartition("/")[2]  # Bluesky's is an at:// address
    return ids[channel, row["address"] or channel, remote] == 1


def feeds(trial: Trial) -> Iterator[str]:
    """Every feed whole, with every brief, and its packed form the same."""
    folder = trial.root / "feeds"
    for form in ("rss", "atom", "json"):
        plain = folder / f"briefs.{form}"
        data = plain.read_bytes() if plain.exists() else b""
        yield from (f"{plain.name} lacks {brief}" for brief in trial.briefs if f"/briefs/{brief}".encode() not in data)
        packed = folder / f"briefs.{form}.gz"
        if not packed.exists() or gzip.decompress(packed.read_bytes()) != data:
            yield f"{packed.name} is not what {plain.name} is"


def said(log: Path) -> Iterator[str]:
    """What a run must never print."""
    text = log.read_text(encoding="utf-8", errors="replace")
    yield from (
        f"the program printed {word!r}" for word in ("Traceback", "internal error", "step_failed", "on hold") if word in text
    )


def told(found: Any) -> str:
    """Complaints for a person."""
    return "\n".join(found[:40]) + (f"\nand {len(found) - 40} more" if len(found) > 40 else "")
