"""What the sources hold now, beside what the store knows of them. Reads only; an unchanged file is never opened."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Final

import sqlalchemy as sa

from syndicate.errors import Fault, SourceError
from syndicate.sources import Draft, Found, Source, fingerprint
from syndicate.store import marks
from syndicate.store.direct import Direct

PASSING: Final = "disk"  # the rule of faults that may pass without the file being touched: looked at each time
_KNOWN_OF: Final = (
    "SELECT item.stamp, fault.stamp, fault.detail FROM item LEFT JOIN fault ON fault.source = item.source "
    "AND fault.path = item.path WHERE item.source = ? AND item.path = ? AND item.gone = 0"
)
_BELOW: Final = "source = ?1 AND (path = ?2 OR (path >= ?2 || '/' AND path < ?2 || '0'))"  # 0 follows /
_AT_OR_BELOW: Final = f"SELECT EXISTS (SELECT 1 FROM item WHERE {_BELOW}) OR EXISTS (SELECT 1 FROM fault WHERE {_BELOW})"  # noqa: S608 - our words
_TURN: Final = "syncs"  # the name under which the database counts them
_TAKE_TURN: Final = "INSERT INTO meta VALUES (?, '1') ON CONFLICT (name) DO UPDATE SET value = CAST(value + 1 AS TEXT)"
_SUSPICIOUS: Final = 2  # so many items that vanish all at once look like a disk that is not mounted


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """What is wrong with a file, kept so that an unchanged one is reported and not parsed again."""

    path: str
    stamp: str  # "" where it is to be read again in any case
    faults: tuple[Fault, ...] = ()
    advice: tuple[Fault, ...] = ()

    @property
    def detail(self) -> str:
        """As the fault table holds it."""
        return json.dumps({"faults": [asdict(f) for f in self.faults], "advice": [asdict(f) for f in self.advice]})


@dataclass(kw_only=True, slots=True)
class Gathered:
    """What a scan of one source found that is not known yet."""

    source: str
    first: bool  # the source has never been reached before
    reached: bool = True
    more: bool = False  # the rest of the source follows
    drafts: list[Draft] = field(default_factory=list)
    notes: dict[str, Note] = field(default_factory=dict)  # by path
    vanished: set[str] = field(default_factory=set)  # paths of items
    settled: set[str] = field(default_factory=set)  # paths whose note no longer holds
    elsewhere: frozenset[str] = frozenset()  # places that were asked for and are none of this source's
    fingerprint: int | None = None  # of the files, where every one of them is known as it is

    @property
    def news(self) -> bool:
        """Whether anything is to be written."""
        return bool((self.first and self.reached) or self.drafts or self.notes or self.vanished or self.settled)


def batches(source: Source, many: int) -> Iterator[Gathered]:
    """A source of which nothing is known, ``many`` files at a time; nothing where they are no more than that.

    A source that cannot be reached gives nothing either: ``gather`` is to follow in any case, and tells why.
    """
    try:
        files = list(source.scan())
    except SourceError:
        return
    for at in range(0, len(files) if len(files) > many else 0, many):
        found = Gathered(source=source.name, first=True, more=True)
        for file in files[at : at + many]:
            _read(source, file, found)
        yield found


def gather(connection: sa.Connection, source: Source) -> Gathered:
    """Scan a source and read what is new or changed."""
    found = Gathered(source=source.name, first=not marks.get(connection, mark(source.name)))
    by_source = {"source": source.name}
    items = sa.text("SELECT path, stamp FROM item WHERE source = :source AND gone = 0")
    stamps: dict[str, str] = {row[0]: row[1] for row in connection.execute(items, by_source)}
    rows = connection.execute(sa.text("SELECT path, stamp, detail FROM fault WHERE source = :source"), by_source)
    noted = {path: (stamp, detail) for path, stamp, detail in rows}
    seen = stamps | {path: stamp for path, (stamp, _) in noted.items()}
    files: list[Found] = []
    try:
        files += source.scan()
        unknown = tuple(f"{file.path}/" for file in files if file.folder)  # what is below them has not vanished
        present = {file.path for file in files}
        news = [file for file in files if seen.get(file.path) != file.stamp]
        for file in news:
            _read(source, file, found)
        if not news and not unknown:
            found.fingerprint = fingerprint(files)
    except SourceError as error:
        # Nothing is known about any of its items, so nothing is taken away.
        found.reached = False
        path = error.faults[0].file
        found.notes = {path: Note(path=path, stamp="", faults=error.faults)}
        present, unknown, found.drafts = {path, *seen}, (), []
    if found.reached and not present and len(stamps) >= _SUSPICIOUS:
        note = _doubt(stamps)
        found.notes[note.path] = note
        present = {note.path, *stamps}
    found.vanished |= {path for path in stamps if path not in present and not path.startswith(unknown)}
    mended = {draft.path for draft in found.drafts} - found.notes.keys()
    found.settled = {path for path in noted if path in mended or (path not in present and not path.startswith(unknown))}
    found.notes = {path: note for path, note in found.notes.items() if noted.get(path) != (note.stamp, note.detail)}
    if found.news:
        found.fingerprint = None
    return found


def gather_at(connection: sa.Connection, source: Source, places: Collection[str]) -> Gathered | None:
    """Read what changed at these places alone; ``None`` where the rest must be looked at too.

    That is so for every file that came, went or moved, and while some file waits for another one to give way:
    which item it is depends on the others.
    """
    glance = source.glance(places)
    if glance is None:
        return None
    found = Gathered(source=source.name, first=False, elsewhere=glance.elsewhere)
    if not glance.found and not glance.absent:
        return found
    direct = Direct(connection)
    ready = "SELECT EXISTS (SELECT 1 FROM meta WHERE name = ?) AND NOT EXISTS (SELECT 1 FROM fault WHERE stamp = '')"
    if not direct.value(ready, (mark(source.name),)):
        return None
    if any(direct.value(_AT_OR_BELOW, (source.name, path)) for path in glance.absent):
        return None
    for file in glance.found:
        known = direct.rows(_KNOWN_OF, (source.name, file.path))
        if not known:
            return None
        stamp, *note = known[0]
        if file.stamp != (stamp if note[0] is None else note[0]):
            _read(source, file, found)
            new = found.notes.get(file.path)
            if new is None and note[0] is not None:
                found.settled.add(file.path)
            elif new is not None and [new.stamp, new.detail] == note:
                del found.notes[file.path]
    return found


def _read(source: Source, file: Found, found: Gathered) -> None:
    try:
        draft = source.read(file)
    except SourceError as error:
        stamp = "" if any(fault.rule == PASSING for fault in error.faults) else file.stamp
        found.notes[file.path] = Note(path=file.path, stamp=stamp, faults=error.faults)
        return
    if draft is None:
        found.notes[file.path] = Note(path=file.path, stamp=file.stamp)
        return
    found.drafts.append(draft)
    if draft.advice:
        found.notes[file.path] = Note(path=file.path, stamp=draft.stamp, advice=draft.advice)


def _doubt(stamps: Mapping[str, str]) -> Note:
    """An unmounted disk must not withdraw everything."""
    folder = posixpath.commonpath([posixpath.dirname(path) for path in stamps])
    what = f"no file is left in it, but {len(stamps)} items came from it; nothing is taken away"
    right = "mount its disk again; if they are meant to go, leave or add one file"
    return Note(path=folder, stamp="", faults=(Fault(file=folder, rule="file", what=what, right=right),))


def standing(connection: sa.Connection) -> tuple[tuple[Fault, ...], tuple[Fault, ...]]:
    """Every fault and every advice that stands now, by file and line."""
    faults: list[Fault] = []
    advice: list[Fault] = []
    for (detail,) in Direct(connection).rows("SELECT detail FROM fault"):
        parts = json.loads(detail)
        faults += (Fault(**part) for part in parts["faults"])
        advice += (Fault(**part) for part in parts["advice"])
    return tuple(sorted(faults)), tuple(sorted(advice))


def turn(connection: sa.Connection) -> str:
    """Another text after each sync that wrote something, whichever process ran it."""
    return marks.get(connection, _TURN)


def take_turn(connection: sa.Connection) -> None:
    """Let every process know that the items are no longer what they were."""
    Direct(connection).rows(_TAKE_TURN, (_TURN,))


def mark(source: str) -> str:
    """The name under which the database records when a source was first reached."""
    return f"source:{source}"
