"""A picture on its way to a server of Mastodon's API: uploaded with its words, and waited for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from syndicate.channels.http import Answer
from syndicate.channels.mastodon.profile import mapping
from syndicate.channels.pictures import multipart, read
from syndicate.errors import Unreachable
from syndicate.model import Picture

if TYPE_CHECKING:
    from pathlib import Path

_WAITS: Final = (0.2, 0.5, 1.0, 2.0, 3.0, 5.0)  # seconds
_READY: Final = 200


def upload(ask: Callable[..., Answer], folder: Path, picture: Picture) -> list[str]:
    """The server's ids of the uploaded picture, which the status names. Nothing is seen before the status stands.

    Raises
    ------
    Refused, Throttled, Unreachable
        It cannot be used, or not now.
    """
    kind, body = multipart({"description": picture.alt}, picture, read(folder, picture))
    answer = ask("POST", "/api/v2/media", headers={"Content-Type": kind}, content=body)
    number = str(mapping(answer.data).get("id", ""))
    if not number:
        msg = "The server took the picture and did not name it."
        raise Unreachable(msg, code="media")
    for seconds in () if answer.status == _READY else _WAITS:
        time.sleep(seconds)
        answer = ask("GET", f"/api/v1/media/{number}")
        if answer.status == _READY:
            break
    if answer.status != _READY:
        msg = "The server is still at work on the picture."
        raise Unreachable(msg, code="media")
    return [number]
