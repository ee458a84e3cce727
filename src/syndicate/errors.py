"""The error tree, sorted by what the caller must do, not by what broke.

::

    SyndicateError
    ├─ ConfigError     stop at start; names file, key and what would be right
    ├─ SourceError     skip the item, report it with file and line
    ├─ RenderError     skip the artefact, report the template or item with file and line
    ├─ Held            the quote gate or an editor's hold refused: nothing leaves
    ├─ StoreError      the database could not be used; says what to do
    └─ DeliveryError
       ├─ Refused      never retry                    -> failed
       ├─ Throttled    .retry_at                      -> deferred
       ├─ Unreachable  nothing was accepted           -> deferred, back off
       └─ Uncertain    may have been accepted         -> uncertain
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


class SyndicateError(Exception):
    """Something that syndicate knows how to explain."""

    def __init__(self, message: str | None = None) -> None:
        """Take the class docstring as the message where none is given."""
        super().__init__(message or (self.__doc__ or "").strip())


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Fault:
    """One mistake in a file: where it is, which rule it breaks, what was wrong and what would be right."""

    file: str  # path relative to the publication
    line: int = 0  # 1-based; 0 where the fault has no line
    rule: str = ""  # a rule's id ("Q12") or a short word ("front-matter")
    what: str = ""  # what was wrong, one sentence
    right: str = ""  # what would be right, one sentence

    def __str__(self) -> str:
        """``FILE:LINE: RULE: what; what would be right``."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        text = f"{self.what}; {self.right}" if self.right else self.what
        return ": ".join(part for part in (place, self.rule, text) if part)


class FaultyError(SyndicateError):
    """A file has mistakes."""

    def __init__(self, *faults: Fault) -> None:
        """Carry every fault; the message is one line for each."""
        super().__init__("\n".join(str(fault) for fault in faults) or None)
        self.faults = faults


class ConfigError(FaultyError):
    """The settings are not usable: stop at start."""


class SourceError(FaultyError):
    """An item's file is not usable: skip the item, report it."""


class RenderError(FaultyError):
    """A template or an item could not be rendered: skip the artefact, report it."""


class Held(SyndicateError):
    """The quote gate or an editor's hold refused: nothing leaves."""

    def __init__(self, reason: str, *, rule: str = "") -> None:
        """Name the rule (``Q1``) or the hold's target beside the reason."""
        super().__init__(reason)
        self.rule = rule


class StoreError(SyndicateError):
    """The database could not be used."""


class DeliveryError(SyndicateError):
    """A channel did not deliver."""

    def __init__(self, message: str | None = None, *, code: str = "", advice: str = "") -> None:
        """Keep the far side's own words, its code, and our sentence on what to do."""
        super().__init__(message)
        self.code = code
        self.advice = advice


class Refused(DeliveryError):
    """The far side refused for good: never retry."""


class Throttled(DeliveryError):
    """The far side asked us to wait."""

    def __init__(self, message: str | None = None, *, retry_at: datetime, code: str = "", advice: str = "") -> None:
        """Carry the instant (aware UTC) from which a retry is welcome."""
        super().__init__(message, code=code, advice=advice)
        self.retry_at = retry_at


class Unreachable(DeliveryError):
    """Nothing was accepted: back off and try again."""


class Uncertain(DeliveryError):
    """The far side may have accepted it: reconcile, never re-send blindly."""
