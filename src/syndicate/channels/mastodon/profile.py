"""What a server of Mastodon's API said of itself: its own limits count (``/api/v2/instance``).

They are kept in ``var/profiles`` so that rendering needs no network.
"""

from __future__ import annotations

import contextlib
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from syndicate.channels.http import instant
from syndicate.model import Limits

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from syndicate.channels.mastodon import MastodonSettings

_DEFAULT_TEXT: Final = 500
_URL: Final = 23
_DEFAULT_PICTURE: Final = 8_000_000  # bytes: half of what Mastodon takes, and more than any of ours needs
_DEFAULT_ALT: Final = 1500
_CHECKED: Final = "2026-11-22, Mastodon's status_length_validator.rb"
_STALE: Final = timedelta(days=1)  # limits are asked for again after


class Profile:
    """The limits and the make of one server."""

    def __init__(self, settings: MastodonSettings, file: Path) -> None:
        """Read what the server said last time."""
        self._settings = settings
        self._file = file
        self._told = self._read()

    @property
    def software(self) -> str:
        """``mastodon``, ``gotosocial``, …; "" where it is not known."""
        return self._settings.software.lower() or str(self._told.get("software", ""))

    def is_stale(self, now: datetime) -> bool:
        """Whether the server is to be asked again."""
        at = instant(str(self._told.get("at", "")))
        return at is None or now - at > _STALE

    def learn(self, told: Mapping[str, Any], software: str, now: datetime) -> None:
        """Keep what the server's ``/api/v2/instance`` tells."""
        statuses = mapping(mapping(told.get("configuration")).get("statuses"))
        media = mapping(mapping(told.get("configuration")).get("media_attachments"))
        self._told = {
            "url": self._settings.url,
            "software": software,
            "text": _positive(statuses.get("max_characters"), _DEFAULT_TEXT),
            "link": _positive(statuses.get("characters_reserved_per_url"), _URL),
            "picture": _positive(media.get("image_size_limit"), _DEFAULT_PICTURE),
            "alt": _positive(media.get("description_limit"), _DEFAULT_ALT),
            "at": now.isoformat(),
        }
        self._write()

    def limits(self) -> Limits:
        """By what the server told; before it has, a Mastodon server's defaults."""
        proper = self.software == "mastodon" or (not self._told and not self._settings.software)
        return Limits(
            counting="mastodon" if proper else "codepoints",
            text=_positive(self._told.get("text"), _DEFAULT_TEXT),
            url=_positive(self._told.get("link"), _URL),
            warning=True,
            picture_bytes=min(_positive(self._told.get("picture"), _DEFAULT_PICTURE), _DEFAULT_PICTURE),
            alt=_positive(self._told.get("alt"), _DEFAULT_ALT),
            edits=True,
            deletes=True,
            checked=str(self._told.get("at", "")) or _CHECKED,
        )

    def _read(self) -> Mapping[str, Any]:
        try:
            found = mapping(json.loads(self._file.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return {}
        return found if found.get("url") == self._settings.url else {}

    def _write(self) -> None:
        with contextlib.suppress(OSError):  # it is asked for again next time
            self._file.parent.mkdir(parents=True, exist_ok=True)
            part = self._file.with_suffix(".part")
            part.write_text(json.dumps(self._told), encoding="utf-8")
            part.replace(self._file)


def mapping(data: object) -> Mapping[str, Any]:
    """``data`` where it is a JSON object; else an empty one."""
    return data if isinstance(data, dict) else {}


def _positive(number: object, default: int) -> int:
    return number if isinstance(number, int) and number > 0 else default
