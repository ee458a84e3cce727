"""The picture of a brief on its way to a network: found below ``content/``, made to fit, kept in ``var/pictures``.

Nothing is fetched. A picture that is elsewhere, or that cannot be used, costs the post nothing but itself.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from syndicate.errors import RenderError
from syndicate.model import Brief, Limits, Picture
from syndicate.render import pictures

if TYPE_CHECKING:
    from syndicate.app import App

_LARGEST: Final = 40_000_000  # bytes of a file that is read at all
_LONGEST_SIDE: Final = 2048  # px: more than any network shows
_MOST_KNOWN: Final = 256
_KNOWN: Final[dict[tuple[str, int, int, int, int], Picture]] = {}  # (file, as it was, most bytes) -> what was made of it
_SUFFIXES: Final = {"image/jpeg": ".jpg", "image/png": ".png"}


def chosen(app: App, brief: Brief, limits: Limits) -> tuple[Picture | None, str]:
    """The brief's picture as a channel of these limits takes it, and why it has none where it should."""
    if brief.image is None or not brief.image.src or not limits.picture_bytes:
        return None, ""
    source = _local(app, brief)
    if source is None:
        return None, "the picture: it does not lie below content/media, and nothing is fetched"
    try:
        made = _fitted(app, source, limits.picture_bytes)
    except RenderError as error:
        return None, f"the picture: {error.faults[0].what}"
    except OSError as error:
        return None, f"the picture: {error.strerror or 'it cannot be read'}"
    return replace(made, alt=brief.image.alt[: limits.alt]), ""


def _fitted(app: App, source: Path, most_bytes: int) -> Picture:
    """The picture without its words, made once for each size in a process: that takes seconds of a large photograph."""
    stat = source.stat()
    key = (str(source), stat.st_mtime_ns, stat.st_size, stat.st_ino, most_bytes)
    known = _KNOWN.get(key)
    if known is not None and (app.root / known.file).is_file():
        return known
    name = source.relative_to(app.root).as_posix()
    made = pictures.fit(source.read_bytes(), name=name, most_bytes=most_bytes, longest_side=_LONGEST_SIDE)
    file = _kept(app.root, made)
    found = Picture(
        file=file.relative_to(app.root).as_posix(),
        sha=file.stem,
        type=made.type,
        size=len(made.data),
        width=made.width,
        height=made.height,
        alt="",
    )
    while len(_KNOWN) >= _MOST_KNOWN:
        _KNOWN.pop(next(iter(_KNOWN)), None)
    _KNOWN[key] = found
    return found


def _local(app: App, brief: Brief) -> Path | None:
    """The file behind the picture's address, where it is one of ours."""
    assert brief.image is not None
    address, ours = urlsplit(brief.image.src), urlsplit(app.settings.web.public_url)
    if address.netloc and address.netloc != ours.netloc:
        return None
    path = unquote(address.path.removeprefix(ours.path.rstrip("/")))
    media = (app.root / "content" / "media").resolve()
    found = (app.root / "content" / path.lstrip("/")).resolve()
    inside = found.is_relative_to(media) and found.is_file()
    return found if inside and found.stat().st_size <= _LARGEST else None


def _kept(root: Path, made: pictures.Fitted) -> Path:
    """The file under the name of its own bytes: there whole, or not there."""
    sha = hashlib.sha256(made.data).hexdigest()
    file = root / "var" / "pictures" / f"{sha}{_SUFFIXES[made.type]}"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, part = tempfile.mkstemp(dir=file.parent, prefix=".", suffix=".part")
        with os.fdopen(handle, "wb") as out:
            out.write(made.data)
            out.flush()
            os.fsync(out.fileno())
        Path(part).replace(file)
    return file
