"""Documents on a real disk: whole or not at all, never rewritten without need."""

from __future__ import annotations

import errno
import gzip
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import brotli
import pytest

from syndicate.channels import files
from syndicate.channels.files import Files
from syndicate.errors import Unreachable
from syndicate.model import Document

NOW = datetime(2026, 11, 22, 12, 0, 0, 250_000, tzinfo=UTC)


def document(**contents: str) -> Document:
    files = {name.replace("__", "/").replace("_", "."): text.encode() for name, text in contents.items()}
    return Document(name="briefs", files=files, updated=NOW)


def channel(folder: Path, now: datetime = NOW) -> Files:
    return Files(folder, now=lambda: now)


def state(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            facts = path.stat()
            found[path.relative_to(folder).as_posix()] = (path.read_bytes(), facts.st_mtime_ns, facts.st_ino)
    return found


def test_a_document_stands_plain_and_compressed_with_one_time_of_change(tmp_path: Path) -> None:
    assert channel(tmp_path).write(document(briefs_rss="<rss/>", briefs_atom="<feed/>")) == ["briefs.rss", "briefs.atom"]
    files = state(tmp_path)
    assert set(files) == {f"briefs.{form}{suffix}" for form in ("rss", "atom") for suffix in ("", ".gz", ".br")}
    assert gzip.decompress(files["briefs.rss.gz"][0]) == b"<rss/>"
    assert brotli.decompress(files["briefs.rss.br"][0]) == b"<rss/>"
    assert files["briefs.rss.gz"][0][4:8] == bytes(4), "gzip must hold no time"
    assert {changed for _, changed, _ in files.values()} == {int(NOW.timestamp()) * 10**9}
    assert all(stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o644 for name in files)


def test_unchanged_bytes_are_never_written_again(tmp_path: Path) -> None:
    channel(tmp_path).write(document(briefs_rss="<rss/>"))
    before = state(tmp_path)
    assert channel(tmp_path, NOW + timedelta(days=3)).write(document(briefs_rss="<rss/>")) == []
    assert state(tmp_path) == before


@pytest.mark.parametrize("later", [timedelta(0), timedelta(days=-5), timedelta(hours=1)])
def test_new_bytes_of_the_same_size_are_strictly_later(tmp_path: Path, later: timedelta) -> None:
    channel(tmp_path).write(document(briefs_rss="<rss>1</rss>"))
    before = (tmp_path / "briefs.rss").stat().st_mtime_ns
    assert channel(tmp_path, NOW + later).write(document(briefs_rss="<rss>2</rss>")) == ["briefs.rss"]
    times = {(tmp_path / f"briefs.rss{suffix}").stat().st_mtime_ns for suffix in ("", ".gz", ".br")}
    assert len(times) == 1
    assert times.pop() >= before + 10**9


def test_a_missing_variant_is_made_again_without_a_new_time(tmp_path: Path) -> None:
    channel(tmp_path).write(document(briefs_rss="<rss/>"))
    before = state(tmp_path)["briefs.rss"]
    (tmp_path / "briefs.rss.br").unlink()
    assert not channel(tmp_path).holds(["briefs.rss"])
    assert channel(tmp_path, NOW + timedelta(days=1)).write(document(briefs_rss="<rss/>")) == []
    assert state(tmp_path)["briefs.rss"] == before
    assert brotli.decompress((tmp_path / "briefs.rss.br").read_bytes()) == b"<rss/>"
    assert channel(tmp_path).holds(["briefs.rss"])


def test_a_variant_of_another_version_is_not_trusted(tmp_path: Path) -> None:
    channel(tmp_path).write(document(briefs_rss="<rss/>"))
    stale = tmp_path / "briefs.rss.gz"
    stale.write_bytes(gzip.compress(b"old"))
    channel(tmp_path).write(document(briefs_rss="<rss/>"))
    assert gzip.decompress(stale.read_bytes()) == b"<rss/>"


def failing(monkeypatch: pytest.MonkeyPatch, name: str, after: int, code: int = errno.ENOSPC) -> None:
    """Let ``os.NAME`` succeed ``after`` times and fail from then on."""
    real: Any = getattr(os, name)
    calls = 0

    def stand_in(*args: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > after:
            raise OSError(code, os.strerror(code))
        return real(*args, **more)

    monkeypatch.setattr(os, name, stand_in)


@pytest.mark.parametrize("name", ["write", "fsync"])
@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_full_disk_leaves_the_old_set_whole_and_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, after: int
) -> None:
    channel(tmp_path).write(document(briefs_rss="<rss>old</rss>"))
    before = state(tmp_path)
    failing(monkeypatch, name, after)
    with pytest.raises(Unreachable, match=r"feeds/briefs\.rss could not be written: No space left on device") as told:
        channel(tmp_path).write(document(briefs_rss="<rss>new</rss>"))
    assert told.value.code == "ENOSPC"
    assert told.value.advice == "free some room on the disk; nothing was changed"
    assert state(tmp_path) == before


def test_a_write_that_the_disk_takes_in_parts_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: real(handle, bytes(data)[:3]))
    channel(tmp_path).write(document(briefs_rss="<rss>whole</rss>"))
    assert (tmp_path / "briefs.rss").read_bytes() == b"<rss>whole</rss>"


def test_no_mixed_set_can_be_seen_at_any_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    channel(tmp_path).write(document(briefs_rss="<rss>old</rss>"))
    seen: list[set[bytes]] = []

    def look() -> None:
        contents = set()
        if (tmp_path / "briefs.rss").exists():
            contents.add((tmp_path / "briefs.rss").read_bytes())
        for suffix, unpack in ((".gz", gzip.decompress), (".br", brotli.decompress)):
            path = tmp_path / f"briefs.rss{suffix}"
            if path.exists():
                contents.add(unpack(path.read_bytes()))
        seen.append(contents)

    for name in ("replace", "unlink"):
        real = getattr(Path, name)

        def watched(self: Path, *args: Any, real: Any = real, **more: Any) -> Any:
            look()
            result = real(self, *args, **more)
            look()
            return result

        monkeypatch.setattr(Path, name, watched)
    channel(tmp_path).write(document(briefs_rss="<rss>new</rss>"))
    assert len(seen) >= 10
    assert all(len(contents) == 1 for contents in seen), "one version, and always one"
    assert seen[-1] == {b"<rss>new</rss>"}


def test_what_a_killed_run_left_behind_is_swept_away(tmp_path: Path) -> None:
    left, fresh, other = (tmp_path / name for name in (".briefs.rss.abc.new", ".briefs.rss.def.new", ".notes.new"))
    for path in (left, fresh, other):
        path.write_bytes(b"x")
        os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    os.utime(left, (NOW.timestamp() - 7200, NOW.timestamp() - 7200))
    channel(tmp_path).write(document(briefs_rss="<rss/>"))
    assert (left.exists(), fresh.exists(), other.exists()) == (False, True, True)


@pytest.mark.parametrize("path", ["../briefs.rss", "/etc/briefs.rss", ".hidden", "a/../b", ""])
def test_nothing_is_written_outside_the_folder(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="not a path below the feeds folder"):
        channel(tmp_path / "feeds").write(Document(name="x", files={path: b"x"}, updated=NOW))
    assert state(tmp_path) == {}


def test_folders_below_are_made_so_that_a_web_server_may_enter_them(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        assert channel(tmp_path / "feeds").write(document(archive__old__briefs_rss="<rss/>")) == ["archive/old/briefs.rss"]
    finally:
        os.umask(before)
    for path in ("feeds", "feeds/archive", "feeds/archive/old"):
        assert stat.S_IMODE((tmp_path / path).stat().st_mode) == 0o755


def test_no_two_files_of_a_set_have_one_size(tmp_path: Path) -> None:
    # nginx makes its ETag of time and size: with one time, two encodings of one size would share it.
    texts = ["", *("a" * length for length in range(1, 60)), *("".join(map(chr, range(33, 33 + n))) * 2 for n in range(1, 90))]
    for text in texts:
        variants = files.packed(text.encode())
        assert gzip.decompress(variants[".gz"]) == brotli.decompress(variants[".br"]) == text.encode()
        assert len({len(text.encode()), *map(len, variants.values())}) == 3, text


def test_files_that_nothing_makes_are_named_and_kept(tmp_path: Path) -> None:
    channel(tmp_path).write(document(briefs_rss="<rss/>", old_rss="<rss/>"))
    (tmp_path / ".gitkeep").touch()
    assert channel(tmp_path).orphans(["briefs.rss"]) == ["old.rss", "old.rss.br", "old.rss.gz"]
    assert (tmp_path / "old.rss").exists()


def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, "open", 0, errno.EACCES)
    with pytest.raises(Unreachable) as told:
        channel(tmp_path).write(document(briefs_rss="<rss/>"))
    assert told.value.advice == "let this user write to the folder"
