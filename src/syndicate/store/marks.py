"""What this database is and since when: instance, run counter, start marks, signing keys, the fence.

A copied or restored database must not send what the original already sent (or will send). The
database, ``var/instance`` and the user's state folder each hold the instance id and the run
counter; any disagreement puts everything on hold until a person runs ``syndicate claim``.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from syndicate.failpoint import fail_at
from syndicate.store import schema
from syndicate.store.database import Store, driver

FENCE: Final = "fence"  # who placed the hold
_AGREEING: Final = (0, 1)  # a crash while counting leaves a witness one run behind
_MACHINE_ID_FILES: Final = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))


def get(connection: sa.Connection, name: str) -> str:
    """One fact about this database; ``""`` where it is not known."""
    row = driver(connection).execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return str(row[0]) if row else ""


def put(connection: sa.Connection, name: str, value: str) -> None:
    """Record one fact."""
    connection.exec_driver_sql(
        "INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value)
    )


def begin(store: Store, now: datetime) -> None:
    """Mint what a new database needs: its instance id, its start mark and its first signing key.

    The start mark is the instant before which nothing is owed to anybody.
    """

    def work(connection: sa.Connection) -> None:
        if get(connection, "instance"):
            return
        put(connection, "instance", secrets.token_hex(16))
        put(connection, "runs", "0")
        put(connection, "start", now.isoformat())
        connection.execute(schema.token_key.insert().values(number=1, secret=secrets.token_bytes(32), at=now))

    store.write(work)


def started(store: Store) -> datetime:
    """The publication's start mark, aware UTC."""
    with store.read() as connection:
        return datetime.fromisoformat(get(connection, "start"))


def starts(store: Store, subjects: Iterable[str], now: datetime) -> dict[str, datetime]:
    """When each of ``subjects`` (``channel:x``, ``schedule:quotes``) was first seen; new ones start at ``now``.

    What is first seen in the publication's first tick starts with the publication itself.
    """
    wanted = list(subjects)
    with store.read() as connection:
        known = {row.subject: row.at for row in connection.execute(sa.select(schema.start))}
        first = datetime.fromisoformat(get(connection, "start")) if not known else now
    missing = [subject for subject in wanted if subject not in known]
    if missing:
        store.write(
            lambda connection: connection.execute(
                sa.text("INSERT OR IGNORE INTO start VALUES (:subject, :at)"),
                [{"subject": subject, "at": schema.to_micros(first)} for subject in missing],
            ).close()
        )
    return {subject: known.get(subject, first) for subject in wanted}


def enter(store: Store, var: Path, *, environ: Mapping[str, str], now: datetime) -> str:
    """Pass the fence at the start of a run; return why everything is on hold, or ``""``.

    Counts the run, and compares database, ``var/instance`` and the state folder. An absent state
    folder or machine id is no disagreement.
    """
    with store.read() as connection:
        instance, runs, copied = get(connection, "instance"), int(get(connection, "runs")), get(connection, "copied")
    witnesses = [_read(var / "instance"), _read(_state_file(environ, instance))]
    reason = (
        "this database is a copy made by `db backup`"
        if copied
        else _disagreement(instance, runs, _machine(environ), [w for w in witnesses if w])
    )
    if reason:
        _hold(store, reason, now)
        return reason
    _attest(var, environ, instance, runs)  # a run killed while counting left them behind; two would look like a copy
    _advance(store, var, environ, instance, runs + 1)
    return ""


def claim(store: Store, var: Path, *, environ: Mapping[str, str], who: str, now: datetime) -> None:
    """Say that this database is the one that sends: lift the fence's hold and count past every witness."""
    with store.read() as connection:
        instance, runs = get(connection, "instance"), int(get(connection, "runs"))
    seen = [w["runs"] for w in (_read(var / "instance"), _read(_state_file(environ, instance))) if w]

    def work(connection: sa.Connection) -> None:
        connection.execute(schema.meta.delete().where(schema.meta.c.name == "copied"))
        connection.execute(schema.hold.delete().where(schema.hold.c.target == "all", schema.hold.c.who == FENCE))
        put(connection, "claimed", f"{now.isoformat()} {who}")

    store.write(work)
    _advance(store, var, environ, instance, max([runs, *seen]) + 1)
    forget(var, environ=environ, instance=instance)


def forgotten(store: Store, var: Path, *, environ: Mapping[str, str]) -> int:
    """How many runs of this folder another database has counted, which is not there any more; 0 where there is no trace of one.

    The state folder remembers it until a person says by ``claim`` that this database is the one.
    """
    with store.read() as connection:
        instance = get(connection, "instance")
    return max((int(record["runs"]) for record in _others(var, environ, instance).values()), default=0)


def forget(var: Path, *, environ: Mapping[str, str], instance: str = "") -> None:
    """Let nobody miss the databases that stood in this folder, save that of ``instance``."""
    for path in _others(var, environ, instance):
        path.unlink(missing_ok=True)


def mark_copy(path: Path) -> None:
    """Mark the file of a finished backup: a run on it starts on hold."""
    copy = Store(path)
    try:
        copy.write(lambda connection: put(connection, "copied", "1"))
    finally:
        copy.close()


def _disagreement(instance: str, runs: int, here: str, witnesses: list[dict[str, Any]]) -> str:
    for witness in witnesses:
        if witness["id"] != instance:
            return "this database belongs to another publication's folder"
        if runs - int(witness["runs"]) not in _AGREEING:
            return f"this database has counted {runs} runs and its folder {witness['runs']}: it was restored or copied"
        if here and witness["machine"] and witness["machine"] != here:
            return "this publication was copied from another machine"
    return ""


def _hold(store: Store, reason: str, now: datetime) -> None:
    store.write(
        lambda connection: connection.execute(
            sa.text("INSERT OR IGNORE INTO hold VALUES ('all', :reason, :who, :at)"),
            {
                "reason": f"{reason}; if it is the one that sends, run `syndicate claim`",
                "who": FENCE,
                "at": schema.to_micros(now),
            },
        ).close()
    )


def _advance(store: Store, var: Path, environ: Mapping[str, str], instance: str, runs: int) -> None:
    """Database first: a crash in between leaves witnesses that are behind by one, which is forgiven."""
    store.write(lambda connection: put(connection, "runs", str(runs)))
    fail_at("marks.between_witnesses")
    _attest(var, environ, instance, runs)


def _attest(var: Path, environ: Mapping[str, str], instance: str, runs: int) -> None:
    """Let both witnesses say what the database says."""
    record = {"id": instance, "runs": runs, "machine": _machine(environ)}
    _write(var / "instance", record)
    state = _state_file(environ, instance)
    if state is not None:
        _write(state, {**record, "place": str(var)})


def _others(var: Path, environ: Mapping[str, str], instance: str) -> dict[Path, dict[str, Any]]:
    """What the state folder knows of other databases that stood in this folder."""
    folder = _state_folder(environ)
    found = {path: _read(path) for path in folder.glob("*.json")} if folder else {}
    return {path: one for path, one in found.items() if one and one["id"] != instance and one.get("place") == str(var)}


def _read(path: Path | None) -> dict[str, Any] | None:
    """A witness, or ``None`` where it is absent or unreadable."""
    if path is None:
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    complete = isinstance(found, dict) and isinstance(found.get("runs"), int) and {"id", "machine"} <= found.keys()
    return found if complete else None


def _write(path: Path, record: Mapping[str, object]) -> None:
    """Replace atomically; a state folder that cannot be written is no witness."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(path.name + ".new")
        fresh.write_text(json.dumps(record), encoding="utf-8")
        fresh.replace(path)
    except OSError:
        return


def _state_file(environ: Mapping[str, str], instance: str) -> Path | None:
    folder = _state_folder(environ)
    return folder / f"{instance}.json" if folder else None


def _state_folder(environ: Mapping[str, str]) -> Path | None:
    home = environ.get("HOME", "")
    folder = environ.get("XDG_STATE_HOME") or (f"{home}/.local/state" if home else "")
    return Path(folder) / "syndicate" if folder else None


def _machine(environ: Mapping[str, str]) -> str:
    """This machine's id; ``SYNDICATE_MACHINE_ID`` names another, or with "" says that there is none that lasts."""
    if "SYNDICATE_MACHINE_ID" in environ:
        return environ["SYNDICATE_MACHINE_ID"]
    for path in _MACHINE_ID_FILES:
        try:
            return path.read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            continue
    return ""
