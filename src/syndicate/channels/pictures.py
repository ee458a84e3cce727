"""A post's picture as a channel reads and uploads it. No channel; each that takes pictures may use it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from syndicate.errors import DeliveryError, Refused, Throttled, Unreachable
from syndicate.model import Picture

T = TypeVar("T")


def read(folder: Path, picture: Picture) -> bytes:
    """The bytes that were kept when the post was made.

    Raises
    ------
    Refused
        They are gone, or others stand there.
    """
    try:
        data = (folder / picture.file).read_bytes()
    except OSError as error:
        msg = f"{picture.file} cannot be read ({error.strerror})"
        raise Refused(msg, code="picture") from error
    if hashlib.sha256(data).hexdigest() != picture.sha:
        msg = f"{picture.file} is not what the post was made with"
        raise Refused(msg, code="picture")
    return data


def tried(upload: Callable[[], T]) -> tuple[T | None, str]:
    """What ``upload`` returns, or why the post leaves without its picture.

    Raises
    ------
    Throttled, Unreachable
        The network asks to wait, or is not there at all: the whole post waits.
    """
    try:
        return upload(), ""
    except Throttled:
        raise
    except Unreachable as error:
        if error.code == "connect":
            raise
        return None, f"sent without its picture: {error}"
    except DeliveryError as error:
        return None, f"sent without its picture: {error}"


def multipart(fields: dict[str, str], picture: Picture, data: bytes) -> tuple[str, bytes]:
    """The type and the body of a form with one file (RFC 7578); the same form gives the same bytes."""
    border = f"syndicate-{picture.sha[:40]}"
    lines = [
        f'--{border}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    name = Path(picture.file).name
    head = (
        f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: {picture.type}\r\n\r\n'
    )
    return f"multipart/form-data; boundary={border}", b"".join([*lines, head.encode(), data, f"\r\n--{border}--\r\n".encode()])
