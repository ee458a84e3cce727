"""Two requests to Amazon's own host: for the certificate that signs, and to confirm a subscription. No redirect is followed."""

from __future__ import annotations

import http.client
import ssl
import threading
import time
from typing import Final

from syndicate.errors import Unreachable

_WITHIN: Final = 10.0  # seconds
_MOST: Final = 65_536  # bytes; a certificate has two thousand
_APART: Final = 5.0  # seconds between two certificates that are asked for: nobody can make us ask all the time
_KEPT: Final = 8


def get(host: str, path: str) -> bytes:
    """What ``https://host/path`` answers with 200.

    Raises
    ------
    Unreachable
        It does not.
    """
    line = http.client.HTTPSConnection(host, timeout=_WITHIN, context=ssl.create_default_context())
    try:
        line.request("GET", path, headers={"User-Agent": "syndicate"})
        answer = line.getresponse()
        data = answer.read(_MOST)
    except (OSError, http.client.HTTPException) as error:
        msg = f"{host} could not be asked ({type(error).__name__})."
        raise Unreachable(msg) from error
    finally:
        line.close()
    if answer.status != http.client.OK:
        msg = f"{host} answered {answer.status}."
        raise Unreachable(msg)
    return data


class Certificates:
    """The certificates of one host, each fetched once."""

    def __init__(self) -> None:
        """Know none yet."""
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], bytes] = {}
        self._asked = -_APART

    def get(self, host: str, path: str) -> bytes:
        """The PEM at a path.

        Raises
        ------
        Unreachable
            The host does not give it, or another was asked for a moment ago.
        """
        with self._lock:
            if (host, path) in self._known:
                return self._known[host, path]
            if time.monotonic() - self._asked < _APART:
                msg = "Another certificate was asked for a moment ago."
                raise Unreachable(msg)
            self._asked = time.monotonic()
            found = get(host, path)
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[host, path] = found
            return found
