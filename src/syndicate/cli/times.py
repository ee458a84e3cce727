"""Times as arguments. Imports nothing until there is one to read."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime


def instant(text: str) -> datetime:
    """``--at``: an ISO date and time with a zone, for argparse.

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
