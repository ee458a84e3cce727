"""Today: what leaves today, what went wrong, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from syndicate.web.desk.ways import view

if TYPE_CHECKING:
    from starlette.responses import Response

    from syndicate.web.desk.visit import Visit


def today(visit: Visit) -> Response:
    """The page."""
    return visit.sheet("today")


WAYS: Final = (view("", today),)
