"""Arguments that are more than text, for argparse. Imports nothing heavy until there is one to read."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime


def filled(text: str) -> str:
    """A reason or a name: something stands there.

    Raises
    ------
    argparse.ArgumentTypeError
        It is blank.
    """
    from argparse import ArgumentTypeError

    if not text.strip():
        msg = "it is empty; write something"
        raise ArgumentTypeError(msg)
    return text


def at_least_one(text: str) -> int:
    """``--limit``: a whole number from 1.

    Raises
    ------
    argparse.ArgumentTypeError
        It is none.
    """
    from argparse import ArgumentTypeError

    if not (text.isascii() and text.isdecimal() and len(text) < len("1000000000") and int(text)):
        msg = f"{text!r} is not a whole number from 1 to 999999999"
        raise ArgumentTypeError(msg)
    return int(text)


def instant(text: str) -> datetime:
    """``--at``: an ISO date and time with a zone.

    Raises
    ------
    argparse.ArgumentTypeError
        With what would be right.
    """
    from argparse import ArgumentTypeError
    from datetime import datetime

    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        msg = f"{text!r} is not a time; write it like 2026-11-22T07:00+01:00 or 2026-11-22T06:00Z"
        raise ArgumentTypeError(msg) from error
    if found.tzinfo is None:
        msg = f"{text!r} has no zone; add one, like {text}Z for UTC or {text}+01:00"
        raise ArgumentTypeError(msg)
    return found
