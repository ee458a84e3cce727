"""What the templates of a publication were copied from, so that ``check`` can tell those that an upgrade left behind.

``init`` writes ``templates/.originals``: a line ``HASH  NAME`` for each. Writes nothing itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from syndicate import starter
from syndicate.errors import Fault

RECORD: Final = "templates/.originals"
_FOLDER: Final = "templates/"
_DIGITS: Final = 16  # of a SHA-256: enough to tell two versions of a file, few enough to copy by hand
_NAMED: Final = 5  # templates that one sentence names


def record(files: Mapping[str, bytes]) -> bytes:
    """The record of a new publication, whose ``files`` stand at these paths."""
    lines = (f"{_hash(data)}  {path.removeprefix(_FOLDER)}" for path, data in files.items() if path.startswith(_FOLDER))
    return "".join(f"{line}\n" for line in sorted(lines, key=lambda line: line[_DIGITS:])).encode()


def outdated(root: Path) -> Iterator[Fault]:
    """Advice on each template of the publication in ``root`` that was made from an older one of the program's."""
    known = _read(root / RECORD)
    unknown: list[str] = []
    for path, place in starter.files():
        if not path.startswith(_FOLDER) or not (root / path).is_file():
            continue
        now, own = _hash(place.read_bytes()), _hash((root / path).read_bytes())
        copied = known.get(path.removeprefix(_FOLDER), "")
        if now in (own, copied):
            continue
        if not copied:
            unknown.append(path.removeprefix(_FOLDER))
        elif own == copied:
            what = "the program has a newer one, and you never changed this"
            yield Fault(file=path, rule="template", what=what, right="delete it: the program's own is used then")
        else:
            right = f"compare it with {place}, then write {now} before its name in {RECORD}"
            yield Fault(file=path, rule="template", what="the program has a newer one than yours was made from", right=right)
    if unknown:
        more = f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
        what = f"nothing says which version these were made from: {', '.join(unknown[:_NAMED])}{more}"
        right = "delete those that you never changed; for the others copy the lines from the record of a new `syndicate init`"
        yield Fault(file=RECORD, rule="template", what=what, right=right)


def _read(path: Path) -> dict[str, str]:
    """Hash by name; a line that is none says nothing."""
    if not path.is_file():
        return {}
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return {name.strip(): found for found, _, name in (line.partition(" ") for line in lines) if name}


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:_DIGITS]
