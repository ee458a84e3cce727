"""A picture on its way to X: uploaded by v2, told in words, and named for the post (docs.x.com, media)."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from syndicate.channels.pictures import read
from syndicate.errors import Unreachable
from syndicate.model import Picture

if TYPE_CHECKING:
    from pathlib import Path

    from syndicate.channels.x.asking import Asking

_UPLOAD: Final = "/2/media/upload"
_WORDS: Final = "/2/media/metadata"
_LOOKS: Final = 10
_LONGEST_WAIT: Final = 3.0  # seconds between looks at one that X still works on


def upload(asking: Asking, folder: Path, picture: Picture) -> list[str]:
    """X's ids of the uploaded picture, which the post names. Nothing is seen before the post stands.

    Raises
    ------
    Refused, Throttled, Unreachable
        It cannot be used, or not now.
    """
    media = base64.b64encode(read(folder, picture)).decode()
    told = _ask(asking, "POST", _UPLOAD, {"media": media, "media_category": "tweet_image", "media_type": picture.type})
    number = str(told.get("id", ""))
    if not number:
        msg = "X took the picture and did not name it."
        raise Unreachable(msg, code="media")
    _await(asking, number, told)
    _ask(asking, "POST", _WORDS, {"id": number, "metadata": {"alt_text": {"text": picture.alt}}})
    return [number]


def _await(asking: Asking, number: str, told: Mapping[str, Any]) -> None:
    """Until X has worked through the picture, where it says that it has to."""
    for _ in range(_LOOKS):
        state = _mapping(told.get("processing_info"))
        if state.get("state") in {None, "succeeded"}:
            return
        if state.get("state") == "failed":
            break
        time.sleep(min(float(state.get("check_after_secs", 1)), _LONGEST_WAIT))
        told = _ask(asking, "GET", _UPLOAD, None, {"command": "STATUS", "media_id": number})
    msg = "X could not work through the picture."
    raise Unreachable(msg, code="media")


def _ask(
    asking: Asking, method: str, path: str, body: Mapping[str, Any] | None, params: Mapping[str, str] | None = None
) -> Mapping[str, Any]:
    answer = asking.ask(lambda client: client.request(method, path, params=params, json=body, user_auth=True), effect=False)
    return _mapping(_mapping(answer.json()).get("data"))


def _mapping(data: object) -> Mapping[str, Any]:
    return data if isinstance(data, dict) else {}
