"""Tells a WebSub hub that a feed has changed (https://www.w3.org/TR/websub/). It carries no parcel."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final
from urllib.parse import urlencode, urlsplit

from syndicate.channels.http import Line, is_loopback

_TIMEOUT: Final = 30.0  # seconds for an answer

__all__ = ["is_loopback", "ping"]


def ping(hub: str, topic: str, *, now: Callable[[], datetime]) -> None:
    """Say once to ``hub`` that ``topic``, the address of a feed, has changed. Saying it again is harmless.

    WebSub leaves open how a publisher tells its hub; this is what public hubs ask for
    (https://pubsubhubbub.appspot.com/, https://websub.superfeedr.com/): a form with ``hub.mode=publish``.

    Raises
    ------
    Refused, Throttled, Unreachable
        By what the caller must do (errors.py). A lost answer counts as unreachable.
    """
    parts = urlsplit(hub)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    line = Line(url=f"{parts.scheme}://{parts.netloc}", now=now, timeout=_TIMEOUT)
    form = urlencode({"hub.mode": "publish", "hub.url": topic}).encode("ascii")
    line.ask("POST", path, headers={"Content-Type": "application/x-www-form-urlencoded"}, content=form, json=False)
