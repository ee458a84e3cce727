"""The judgement of one trial: what the witness saw against what was owed, and against what the ledger says.

The database is read with SQL of its own: nothing here trusts the program that is judged.
"""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syndicate.channels.smtp.sending import GROUP_MOST, SLOW_SECONDS
from syndicate.model import Frequency

if TYPE_CHECKING:
    from crash.trial import Trial

CONNECTIONS = 4  # of the settings
OPEN = ("pending", "claimed", "sending", "deferred")
DUTIES = """SELECT c.name AS channel, r.address, d.state, d.remote_id, v.items, s.kind, s.subject
    FROM delivery d JOIN sending s ON s.key = d.sending JOIN place c ON c.key = d.channel
    LEFT JOIN subscriber r ON r.key = d.place LEFT JOIN variant v ON v.key = d.variant"""
PLANNED = "SELECT i.slug, c.planned FROM correction c JOIN item i ON i.key = c.item WHERE c.planned IS NOT NULL"
EXPANDED_ONCE = ("quotes", "digest.daily", "digest.weekly")


def rows(root: Path, query: str) -> list[sqlite3.Row]:
    """What the database says."""
    connection = sqlite3.connect(f"file:{root / 'var' / 'syndicate.db'}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


class Row:
    """One delivery, as the database has it."""

    def __init__(self, row: sqlite3.Row, names: Mapping[str, str]) -> None:
        """``names``: what items are called here, by their keys and by their ids."""
        self.channel, self.state, self.kind = row["channel"], row["state"], row["kind"]
        self.to: str = row["address"] or self.channel
        self.remote = row["remote_id"].rpartition("/")[2]  # Bluesky's is an at:// address
        keys = (
            json.loads(row["items"]) if row["items"] else [row["subject"].partition("correction:digest:")[2] or row["subject"]]
        )
        found = [names[str(key)] for key in keys if isinstance(key, int | str)]  # not what an edition says of an older brief
        self.items = [f"{item.removeprefix('briefs/')}_corrected" for item in found] if self.kind == "notice" else found
        # Whether it makes a post of its own: a status is changed where it stands, and a deletion makes none.
        self.posted = self.channel != "mail" and (self.kind == "post" or (self.kind == "edit" and self.channel != "mastodon"))


def duties(root: Path) -> list[Row]:
    """Every delivery."""
    names: dict[str, str] = {}
    for row in rows(root, "SELECT key, id, kind, slug FROM item"):
        names |= dict.fromkeys((str(row["key"]), row["id"]), f"{row['kind']}s/{row['slug']}")
    return [Row(row, names) for row in rows(root, DUTIES)]


def closed(root: Path) -> bool:
    """Whether nothing is open, and nothing in doubt that its network could be asked about."""
    return not any(row.state in OPEN or (row.state == "uncertain" and row.channel != "mail") for row in duties(root))


def judge(trial: Trial) -> None:
    """Add the figures and every complaint to the trial's outcome."""
    outcome, seen = trial.outcome, Counter((line["to"], item) for line in trial.lines for item in line["items"])
    found = duties(trial.root)
    doubted = {(row.to, item) for row in found if row.state == "uncertain" and row.channel == "mail" for item in row.items}
    owed = {(to, item) for to, item in expected(trial, doubted) if to not in trial.gone}
    doubles = {place: n for place, n in seen.items() if n > 1}
    lost = owed - set(seen) - doubted
    outcome.witnessed = len(trial.lines)
    outcome.doubles, outcome.losses = sum(n - 1 for n in doubles.values()), len(lost)
    outcome.uncertain = sum(row.state == "uncertain" for row in found)
    outcome.gone = len({line["id"] for line in trial.lines if line["where"] == "mail"} - sent_ids(found))
    complaints = [
        *(f"{to} was sent {item} {n} times" for (to, item), n in doubles.items()),
        *(f"{to} was owed {item} and never got it" for to, item in lost),
        *(f"{to} got {item}, which nobody owed" for to, item in set(seen) - owed if not _welcome(trial, seen, to, item)),
        *ledger(trial, found),
        *posts(trial, untold(trial, found)),
        *feeds(trial),
        *said(trial.root / "program.log"),
    ]
    outcome.complaints += [f"{trial.name}: {complaint}" for complaint in complaints]


def expected(trial: Trial, doubted: set[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """(address or network, item) of all that is owed: who gets what, once."""
    from crash.trial import NETWORKS

    shown = {item for line in trial.lines for item in line["items"] if item.startswith("quotes/")}
    quote = min(shown, default="the day's quote")  # of two, the other is one that nobody owed
    standing = [brief for brief in trial.briefs if brief not in trial.editor.withdrawn]
    for to in (*NETWORKS, *trial.readers(Frequency.INSTANT)):
        yield from ((to, f"briefs/{brief}") for brief in standing)
    for frequency in trial.crowd:
        for to in trial.readers(frequency):
            yield to, quote
            yield from ((to, f"briefs/{brief}") for brief in trial.briefs[:1] if brief in standing)
    for network in NETWORKS:
        yield network, quote
        for brief in standing:
            yield from ((network, f"{brief}_part{number + 2}") for number in range(trial.editor.parts[brief]))
    for line, brief in misled(trial):
        if (
            line["where"] != "mastodon" and (line["to"], f"briefs/{brief}") not in doubted
        ):  # there it is changed where it stands
            yield line["to"], f"{brief}_corrected"


def misled(trial: Trial) -> Iterator[tuple[dict[str, Any], str]]:
    """What was surely the wrong version of a brief, and of which: it was out before the correction was planned."""
    planned = {row["slug"]: row["planned"] / 1e6 for row in rows(trial.root, PLANNED)}
    for brief in planned.keys() - set(trial.editor.withdrawn):
        for line in trial.lines:
            if f"briefs/{brief}" in line["items"] and line["at"] < planned[brief]:
                yield line, brief


def _welcome(trial: Trial, seen: Counter[tuple[str, str]], to: str, item: str) -> bool:
    """Whether it is no fault that somebody got what was not owed: they left, it was taken back, or they had the wrong version."""
    brief = item.removeprefix("briefs/").partition("_")[0]
    corrected = item.endswith("_corrected") and seen[to, f"briefs/{brief}"]
    return to in trial.gone or brief in trial.editor.withdrawn or bool(corrected)


def sent_ids(found: list[Row]) -> set[str]:
    """The Message-IDs of mails that the ledger calls sent."""
    return {row.remote for row in found if row.state == "sent" and row.channel == "mail"}


def ledger(trial: Trial, found: list[Row]) -> Iterator[str]:
    """What the ledger says against what was witnessed."""
    outcome = trial.outcome
    ids = Counter((line["where"], line["to"], line["id"]) for line in trial.lines)
    yield from (f"{place} was witnessed {n} times" for place, n in ids.items() if n > 1)
    states = Counter((row.channel, row.kind, row.state) for row in found if not _excused(trial, row))
    for (channel, kind, state), n in states.items():
        if state in OPEN:
            yield f"{n} deliveries ({kind}) of {channel} are still {state}"
        elif state != "sent" and (channel, state) != ("mail", "uncertain"):
            yield f"{n} deliveries ({kind}) of {channel} are {state}"
    posted = Counter(line["where"] for line in trial.lines if line["where"] != "mail")
    outcome.posts = posted.total()
    sent = Counter(row.channel for row in found if row.state == "sent" and row.posted)
    unsure = Counter(network for network, _ in untold(trial, found))
    for channel in posted:
        if not sent[channel] <= posted[channel] <= sent[channel] + unsure[channel]:
            yield f"{posted[channel]} posts were witnessed on {channel}, and {sent[channel]} are called sent"
    # One group of intents on each connection; a group of one where a reply takes longer than groups are made for.
    group = 1 if trial.slow >= SLOW_SECONDS else GROUP_MOST
    if outcome.uncertain > outcome.kills * CONNECTIONS * group + trial.cuts:
        yield f"{outcome.uncertain} uncertain after {outcome.kills} kills and {trial.cuts} lost answers"
    for row in found:
        if row.state == "sent" and not _witnessed(trial, row, ids):
            yield f"the ledger calls {row.kind} {row.remote} sent on {row.channel}, and nobody saw it"
    for name, n in Counter(
        row["schedule"] for row in rows(trial.root, "SELECT schedule FROM slot WHERE state = 'expanded'")
    ).items():
        if name in EXPANDED_ONCE and n != 1:
            yield f"the slot of {name} was expanded {n} times"


def untold(trial: Trial, found: list[Row]) -> set[tuple[str, str]]:
    """(network, item) of what was taken back while nobody knew whether it had left: a person is told to look there."""
    return {
        (row.channel, item)
        for row in found
        if row.posted and row.state == "uncertain"
        for item in row.items
        if _excused(trial, row)
    }


def _excused(trial: Trial, row: Row) -> bool:
    """Whether it need not be sent: its reader has left, or its item was taken back."""
    left = row.channel == "mail" and row.state == "suppressed" and bool(trial.gone)
    taken = {f"briefs/{brief}" for brief in trial.editor.withdrawn} | {f"{brief}_corrected" for brief in trial.editor.withdrawn}
    return left or (row.state in {"cancelled", "uncertain"} and bool(taken & set(row.items)))


def _witnessed(trial: Trial, row: Row, ids: Counter[tuple[str, str, str]]) -> bool:
    if row.kind == "delete":
        return (row.channel, row.remote) in trial.deleted
    if not row.posted and row.channel != "mail":
        return trial.edited[row.channel, row.remote] == 1
    return ids[row.channel, row.to, row.remote] == 1


def posts(trial: Trial, unsure: set[tuple[str, str]]) -> Iterator[str]:
    """Threads in order, pictures with their posts, the wrong put right once, and what was taken back gone."""
    own = {(line["where"], item): line for line in trial.lines if line["where"] != "mail" for item in line["items"]}
    for (network, item), line in own.items():
        brief, _, word = item.removeprefix("briefs/").partition("_")
        if word.startswith("part"):
            number = int(word.removeprefix("part"))
            before = own.get((network, f"{brief}_part{number - 1}" if number > 2 else f"briefs/{brief}"), {})
            if line["answers"] != before.get("id"):
                yield f"{item} on {network} does not answer what stands before it"
        if not word and brief in trial.editor.pictured and not line["pictured"]:
            yield f"{item} on {network} has no picture"
        if trial.edited[network, line["id"]] > (network == "mastodon" and brief in trial.editor.corrected):
            yield f"{item} on {network} was changed {trial.edited[network, line['id']]} times"
        gone = (network, line["id"]) in trial.deleted
        if gone != (brief in trial.editor.withdrawn) and (network, f"briefs/{brief}") not in unsure:
            yield f"{item} on {network} was taken back and stands, or was deleted and nobody took it back"
    for line, brief in misled(trial):
        if line["where"] == "mastodon" and not trial.edited["mastodon", line["id"]]:
            yield f"{brief} on mastodon is wrong, and was never changed"
    for (to, brief), n in Counter((line["to"], brief) for line in trial.lines for brief in line["told"]).items():
        if n > 1:
            yield f"{to} was told {n} times that {brief} was wrong"


def feeds(trial: Trial) -> Iterator[str]:
    """Every feed whole, with every brief, and its packed form the same."""
    folder = trial.root / "feeds"
    standing = [brief for brief in trial.briefs if brief not in trial.editor.withdrawn]
    for form in ("rss", "atom", "json"):
        plain = folder / f"briefs.{form}"
        data = plain.read_bytes() if plain.exists() else b""
        yield from (f"{plain.name} lacks {brief}" for brief in standing if f"/briefs/{brief}".encode() not in data)
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
