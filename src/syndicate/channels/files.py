"""Documents as files below ``feeds/``, ready for any static host. Knows nothing of what they say.

A file, its ``.gz`` and its ``.br`` change together and never otherwise: unchanged bytes keep their time of
change, so that a web server's ETag and Last-Modified stay true (nginx makes its ETag of time and size).
"""

from __future__ import annotations

import contextlib
import errno
import gzip
import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Final

import brotli

from syndicate.errors import Unreachable
from syndicate.failpoint import fail_at
from syndicate.model import Document

_MODE: Final = 0o644  # a web server reads them
_FOLDER_MODE: Final = 0o755
_TEMPORARY: Final = ".new"
_ABANDONED: Final = 3600  # s: a temporary file this old belongs to a run that was killed
_NANOSECONDS: Final = 1_000_000_000
_ADVICE: Final = {
    errno.ENOSPC: "free some room on the disk; nothing was changed",
    errno.EDQUOT: "the disk quota is used up; nothing was changed",
    errno.EACCES: "let this user write to the folder",
    errno.EROFS: "the folder is mounted read-only",
}


def _gzip(data: bytes, level: int) -> bytes:
    return gzip.compress(data, compresslevel=level, mtime=0)  # no time inside: same bytes, same file


def _brotli(data: bytes, level: int) -> bytes:
    return bytes(brotli.compress(data, mode=brotli.MODE_TEXT, quality=level))


# How each variant is packed, and the levels in our order: Brotli's 11 takes fifty times as long as 6 for 6 % less.
_VARIANTS: Final[Mapping[str, tuple[Callable[[bytes, int], bytes], tuple[int, ...]]]] = {
    ".gz": (_gzip, (9, 6, 1, 0)),
    ".br": (_brotli, (6, 5, 7, 3, 1)),
}


def packed(data: bytes) -> dict[str, bytes]:
    """The compressed variants of ``data`` by their endings.

    All have one time of change, so no two may have one size: nginx makes its ETag of these two alone.
    """
    made: dict[str, bytes] = {}
    for suffix, (pack, levels) in _VARIANTS.items():
        taken = {len(data), *map(len, made.values())}
        for level in levels:
            made[suffix] = pack(data, level)
            if len(made[suffix]) not in taken:
                break
    return made


class Files:
    """The public folder of a publication."""

    def __init__(self, folder: Path, *, now: Callable[[], datetime]) -> None:
        """Write below ``folder``; ``now`` gives the time of change, aware UTC."""
        self._folder = folder
        self._now = now
        self._swept: set[Path] = set()

    def write(self, document: Document, *, pack: bool = True) -> list[str]:
        """Write what differs; the paths below the folder that were written, variants not counted.

        Without ``pack``, a file that differs stands alone until it is written again with it: packing takes longer
        than everything else, and readers are served the plain file meanwhile.

        Raises
        ------
        Unreachable
            The disk refused. A file is then as it was before, or, where the disk failed in the instant of
            replacing, without its compressed variants until the next write.
        """
        changed = []
        touched: set[Path] = set()
        try:
            for path, data in document.files.items():
                target = self._target(path)
                try:
                    self._make_folder(target.parent)
                    if pack:
                        self._sweep(target.parent)
                    if self._replace(target, data, touched, pack=pack):
                        changed.append(path)
                    fail_at("files.between_files")
                except OSError as error:
                    msg = f"feeds/{path} could not be written: {error.strerror}"
                    advice = _ADVICE.get(error.errno or 0, "look at the folder and its disk")
                    raise Unreachable(msg, code=errno.errorcode.get(error.errno or 0, ""), advice=advice) from error
        finally:
            for folder in touched:
                _sync_folder(folder)
        return changed

    def holds(self, paths: Iterable[str]) -> bool:
        """Whether every file is there with its variants; their bytes are not compared."""
        return all(self._complete(self._target(path)) for path in paths)

    def orphans(self, expected: Iterable[str]) -> list[str]:
        """Files below the folder that no document of this publication makes, for a person to look at.

        They are never deleted here: a feed that left the settings may still have readers.
        """
        known = {f"{path}{suffix}" for path in expected for suffix in ("", *_VARIANTS)}
        found = (path.relative_to(self._folder).as_posix() for path in self._folder.rglob("*") if path.is_file())
        return sorted(path for path in found if path not in known and not PurePosixPath(path).name.startswith("."))

    def _target(self, path: str) -> Path:
        parts = PurePosixPath(path)
        if parts.is_absolute() or not parts.parts or any(part.startswith(".") for part in parts.parts):
            msg = f"{path!r} is not a path below the feeds folder"
            raise ValueError(msg)
        return self._folder / parts

    def _make_folder(self, folder: Path) -> None:
        """A folder that a web server may enter, whatever the program's umask is."""
        missing = [made for made in (folder, *folder.parents) if not made.exists()] if not folder.is_dir() else []
        for made in reversed(missing):
            made.mkdir(exist_ok=True)
            if made.is_relative_to(self._folder):
                made.chmod(_FOLDER_MODE)

    def _complete(self, target: Path) -> bool:
        try:
            changed = target.stat().st_mtime_ns
            return all(_variant(target, suffix).stat().st_mtime_ns == changed for suffix in _VARIANTS)
        except FileNotFoundError:
            return False

    def _replace(self, target: Path, data: bytes, touched: set[Path], *, pack: bool) -> bool:
        """Whether the bytes were new. A set that misses a variant is completed without a new time of change."""
        try:
            known = target.stat()
            before, same = known.st_mtime_ns, known.st_size == len(data) and target.read_bytes() == data
        except FileNotFoundError:
            before, same = 0, False
        if same and (not pack or self._complete(target)):
            return False
        # Strictly later than before: two versions of one size within one second would share nginx's ETag.
        moment = before if same else max(int(self._now().timestamp()), before // _NANOSECONDS + 1) * _NANOSECONDS
        contents = {target: data} if not same else {}
        contents |= {_variant(target, suffix): small for suffix, small in packed(data).items()} if pack else {}
        touched.add(target.parent)
        _swap(target, contents, moment)
        return not same

    def _sweep(self, folder: Path) -> None:
        """Remove what a killed run left behind: each folder is looked through once."""
        if folder in self._swept:
            return
        self._swept.add(folder)
        oldest = self._now().timestamp() - _ABANDONED
        for path in folder.glob(f".*.*{_TEMPORARY}"):
            if path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)


def _variant(target: Path, suffix: str) -> Path:
    return target.with_name(target.name + suffix)


def _swap(target: Path, contents: Mapping[Path, bytes], moment: int) -> None:
    """Put ``contents`` in place so that no reader sees a torn file or a mixed set.

    Everything is on the disk before anything changes. The old variants go first, so that every reader gets
    the plain file while it is replaced; the new variants come last.
    """
    ready: dict[Path, Path] = {}
    try:
        for place, data in contents.items():
            ready[place] = _temporary(place, data, moment)
        for suffix in _VARIANTS:
            _variant(target, suffix).unlink(missing_ok=True)
        for place in contents:
            fail_at("files.between_variants")
            ready[place].replace(place)
            del ready[place]
    finally:
        for path in ready.values():
            path.unlink(missing_ok=True)


def _temporary(place: Path, data: bytes, moment: int) -> Path:
    """``data`` in a file beside ``place``, safe on the disk, changed at ``moment`` (ns since 1970)."""
    path = place.with_name(f".{place.name}.{secrets.token_hex(4)}{_TEMPORARY}")
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(handle, rest) :]
            os.fchmod(handle, _MODE)
            os.utime(handle, ns=(moment, moment))
            os.fsync(handle)
        finally:
            os.close(handle)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _sync_folder(folder: Path) -> None:
    """Make the renames last: some file systems cannot, and then there is nothing more to do."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
