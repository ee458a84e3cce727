"""What was done and what is impossible, place by place: how ``withdraw`` and ``correct`` tell it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from syndicate.cli.output import listing, note

if TYPE_CHECKING:
    from syndicate.publish.withdrawal import Line

_COLUMNS: Final = {"where": "Where", "state": "State", "what": "What", "seconds": "Seconds"}


def told(lines: Sequence[Line], *, as_json: bool) -> None:
    """Print the matrix."""
    rows: list[dict[str, object]] = [
        {
            "where": line.where,
            "state": line.state,
            "what": line.what,
            "seconds": None if line.seconds is None else round(line.seconds, 3),
        }
        for line in lines
    ]
    listing(rows, _COLUMNS, as_json=as_json, empty="it had gone nowhere")


def ended(lines: Sequence[Line], deed: str) -> bool:
    """Say that it is done ("harbour is corrected"), and whether something is not done yet; ``True`` where all is."""
    undone = any(line.state in {"waits", "failed"} for line in lines)
    note(deed + ("; see what is not done yet: the next run goes on with it" if undone else ""))
    return not undone
