"""A folder of text files: which ones there are, and the text of one. Knows nothing of what they say."""

from __future__ import annotations

import errno
import os
import posixpath
import re
import stat
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from syndicate.errors import Fault, SourceError
from syndicate.settings import SiteSettings, SourceSettings
from syndicate.sources import Found, Glance

_SUFFIXES: Final = (".md", ".markdown", ".mdown", ".mkd")
_LARGEST: Final = 5_000_000  # bytes; a feed document may not be larger
# A file saved so shortly before it was read may be saved again within one tick of the file system's clock.
_RACY_NANOSECONDS: Final = 20_000_000
_ASIDE: Final = frozenset({"node_modules", "_site", "_includes", "_layouts", "_sass", "_data", "__pycache__"})
PASSING: Final = "disk"  # the rule of faults that may pass without the file being touched
_IN_THE_WAY: Final = {
    errno.EACCES: ("may not be read", "give this user the right to read it"),
    errno.EPERM: ("may not be read", "give this user the right to read it"),
    errno.ELOOP: ("is a link that leads back to itself", "let it lead to a file"),
    errno.ENOENT: ("is a link that leads nowhere, or has just vanished", "let it lead to a file"),
    errno.EIO: ("could not be read from the disk", "check the disk"),
    errno.ESTALE: ("could not be read from the network disk", "mount it again"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """What a file holds."""

    text: str  # without BOM, lines end with \\n
    sha: str  # SHA-256 hex of the bytes
    stamp: str  # of the very bytes that were read; "" where they may still be changing


class Folder:
    """The Markdown files below one folder of a publication."""

    def __init__(self, root: Path, path: str) -> None:
        """``path`` is relative to ``root`` and stands in front of every file's path."""
        self._root = root
        self.path = posixpath.normpath(path)

    def scan(self) -> Iterator[Found]:
        """Every file, sorted, depth first; linked folders last, so that a folder keeps its own name.

        Raises
        ------
        SourceError
            The folder itself cannot be listed. Nothing is known about its files then.
        """
        top = self._root / self.path
        try:
            known = top.stat()
            if not stat.S_ISDIR(known.st_mode):
                raise _fault(self.path, "is no folder", "name the folder that holds the files")
            entries = _entries(str(top))
        except FileNotFoundError as error:
            raise _fault(self.path, "is not there", "make the folder, mount its disk, or correct its path") from error
        except OSError as error:
            raise _fault(self.path, *_reason(error)) from error
        seen = {(known.st_dev, known.st_ino)}
        linked: list[tuple[str, str]] = []
        yield from self._below(entries, self.path, seen, linked, top=True)
        while linked:
            path, full = linked.pop(0)
            yield from self._linked(path, full, seen, linked)

    def fingerprint(self) -> int | None:
        """The sum over every file that ``scan`` would find; ``None`` where a link or a fault needs its care.

        This runs every few seconds over every file there is: nothing is sorted, no object made.
        """
        total = 0
        folders = [(self.path, str(self._root / self.path), True)]
        try:
            while folders:
                prefix, full, top = folders.pop()
                with os.scandir(full) as entries:
                    for entry in entries:
                        name = entry.name
                        if name[0] in ".#" or name[-1] in "~#" or name in _ASIDE:
                            continue
                        if name.endswith(_SUFFIXES):
                            if _is_item(name, top=top):
                                total += hash((f"{prefix}/{name}", _stamp(entry.stat())))
                        elif entry.is_symlink():
                            return None
                        elif entry.is_dir():
                            folders.append((f"{prefix}/{name}", entry.path, False))
        except OSError:
            return None
        return total

    def glance(self, places: Collection[str]) -> Glance | None:
        """What ``scan`` would find at these absolute paths; ``None`` where a folder or a link is among them."""
        top = str(self._root / self.path)
        found: list[Found] = []
        absent: list[str] = []
        elsewhere: set[str] = set()
        for place in sorted(places, key=lambda place: place.split("/")):  # in the order of a scan
            if place == top or top.startswith(f"{place}/"):
                return None
            if not place.startswith(f"{top}/"):
                elsewhere.add(place)
                continue
            *above, name = place.removeprefix(f"{top}/").split("/")
            if any(_is_passed_over(part) for part in (*above, name)):
                continue
            path = "/".join((self.path, *above, name))
            mode, stamp = _looked_at(place)
            if not mode:
                absent.append(path)
            elif not stat.S_ISREG(mode) or _misnamed(path) or not _is_plain(top, above):
                return None
            elif name.endswith(_SUFFIXES) and _is_item(name, top=not above):
                found.append(Found(path=path, stamp=stamp))
        return Glance(found=tuple(found), absent=tuple(absent), elsewhere=frozenset(elsewhere))

    def read(self, found: Found) -> Text:
        """The text of one file.

        Raises
        ------
        SourceError
            It cannot be read, is too large, or is not UTF-8 text.
        """
        if found.problem:
            what, _, right = found.problem.partition("; ")
            raise _fault(found.path, what, right)
        try:
            data, stamp = _bytes(os.path.join(self._root, found.path))  # noqa: PTH118 - a third of the time of a Path
        except OSError as error:
            raise _fault(found.path, *_reason(error), rule=PASSING) from error
        except ValueError as error:
            what, _, right = str(error).partition("; ")
            raise _fault(found.path, what, right) from error
        return Text(text=_decoded(data, found.path), sha=sha256(data).hexdigest(), stamp=stamp)

    def _below(
        self,
        entries: list[os.DirEntry[str]],
        prefix: str,
        seen: set[tuple[int, int]],
        linked: list[tuple[str, str]],
        *,
        top: bool,
    ) -> Iterator[Found]:
        for entry in entries:
            name = entry.name
            if _is_passed_over(name):
                continue
            path = f"{prefix}/{name}"
            if name.endswith(_SUFFIXES):
                if _is_item(name, top=top):
                    yield _found(entry, path)
            elif entry.is_symlink():
                if entry.is_dir():
                    linked.append((path, entry.path))
            elif entry.is_dir():
                yield from self._folder(path, entry.path, seen, linked)

    def _folder(self, path: str, full: str, seen: set[tuple[int, int]], linked: list[tuple[str, str]]) -> Iterator[Found]:
        try:
            known = Path(full).stat()
            entries = _entries(full)
        except OSError as error:
            what, right = _reason(error)
            yield Found(path=_shown(path), stamp=f"!{error.errno}", problem=f"this folder {what}; {right}", folder=True)
            return
        seen.add((known.st_dev, known.st_ino))
        yield from self._below(entries, path, seen, linked, top=False)

    def _linked(self, path: str, full: str, seen: set[tuple[int, int]], linked: list[tuple[str, str]]) -> Iterator[Found]:
        try:
            known = Path(full).stat()
        except OSError as error:
            what, right = _reason(error)
            yield Found(path=_shown(path), stamp=f"!{error.errno}", problem=f"this folder {what}; {right}", folder=True)
            return
        if (known.st_dev, known.st_ino) in seen:
            problem = "is a link to a folder that is read already; delete the link"
            yield Found(path=_shown(path), stamp="!twice", problem=problem)
            return
        yield from self._folder(path, full, seen, linked)


class FolderSource:
    """What every source of one file an item shares: a name, a folder, and how it is looked through."""

    def __init__(self, name: str, settings: SourceSettings, *, root: Path, site: SiteSettings) -> None:
        """``root`` is the publication's folder."""
        self.name = name
        self._folder = Folder(root, settings.path)
        self._zone = site.zone

    def scan(self) -> Iterator[Found]:
        """Every Markdown file, without opening one."""
        return self._folder.scan()

    def fingerprint(self) -> int | None:
        """What ``scan`` would find, as one number; ``None`` where only a scan can tell."""
        return self._folder.fingerprint()

    def glance(self, places: Collection[str]) -> Glance | None:
        """What stands at ``places`` now; ``None`` where only a scan can tell."""
        return self._folder.glance(places)


def _entries(full: str) -> list[os.DirEntry[str]]:
    with os.scandir(full) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _is_item(name: str, *, top: bool) -> bool:
    """Zola's and Hugo's ``_index.md`` and a folder's own front page are lists, not items."""
    return not name.startswith("_index.") and not (top and name.startswith("index."))


def _is_passed_over(name: str) -> bool:
    return name[0] in ".#" or name[-1] in "~#" or name in _ASIDE


def _looked_at(place: str) -> tuple[int, str]:
    """Mode and stamp; a mode of 0 where nothing is there, and no file's mode where it cannot be looked at."""
    try:
        known = Path(place).lstat()
    except FileNotFoundError:
        return 0, ""
    except (OSError, ValueError):
        return stat.S_IFCHR, ""
    return known.st_mode, _stamp(known)


def _is_plain(top: str, above: list[str]) -> bool:
    """Whether a scan walks through these folders, one below the other: no link, no folder with a file's name."""
    full = top
    for name in above:
        full = f"{full}/{name}"
        if name.endswith(_SUFFIXES) or Path(full).is_symlink():
            return False
    return True


def _found(entry: os.DirEntry[str], path: str) -> Found:
    if not path.isascii() and (problem := _misnamed(path)):
        return Found(path=_shown(path), stamp="!name", problem=problem)
    try:
        known = entry.stat()
    except OSError as error:
        what, right = _reason(error)
        return Found(path=path, stamp=f"!{error.errno}", problem=f"{what}; {right}")
    if stat.S_ISDIR(known.st_mode):
        return Found(path=path, stamp="!folder", problem="is a folder with a file's name; rename it")
    return Found(path=path, stamp=_stamp(known))


def _misnamed(path: str) -> str:
    try:
        path.encode()
    except UnicodeEncodeError:
        return "has a name that is not UTF-8; rename it"
    return ""


def _shown(path: str) -> str:
    """A path that every database and terminal can hold."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _stamp(known: os.stat_result) -> str:
    return f"{known.st_mtime_ns}:{known.st_size}:{known.st_ino}"


def _bytes(path: str) -> tuple[bytes, str]:
    # Not blocking: a pipe with a file's name would wait for a writer for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        known = os.fstat(descriptor)
        if not stat.S_ISREG(known.st_mode):
            msg = "is no ordinary file; let it be one"
            raise ValueError(msg)
        if known.st_size > _LARGEST:
            msg = "is larger than 5 MB; put pictures and data beside it"
            raise ValueError(msg)
        data = file.read()
    settled = abs(time.time_ns() - known.st_mtime_ns) > _RACY_NANOSECONDS
    return data, _stamp(known) if settled else ""


def _decoded(data: bytes, path: str) -> str:
    if not data.strip():
        raise _fault(path, "is empty", "give it front matter and a text")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _fault(path, "is UTF-16", "save it as UTF-8", line=1)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _fault(path, "is not UTF-8 here", "save it as UTF-8", line=line) from error
    if (at := text.find("\0")) >= 0:
        raise _fault(path, "holds a NUL character here", "delete it", line=text.count("\n", 0, at) + 1)
    if "\r" in text:
        text = re.sub(r"\r\n?", "\n", text)
    return text


def _reason(error: OSError) -> tuple[str, str]:
    return _IN_THE_WAY.get(error.errno or 0, ((error.strerror or "cannot be read").lower(), "see that it can be read"))


def _fault(path: str, what: str, right: str, *, line: int = 0, rule: str = "file") -> SourceError:
    return SourceError(Fault(file=path, line=line, rule=rule, what=what, right=right))
