"""How the quote gate refuses: by rule, with a reason that never holds the words."""

from __future__ import annotations

from typing import NoReturn

from syndicate.errors import Held


def refuse(rule: str, reason: str) -> NoReturn:
    """Raise Held with the rule's id."""
    raise Held(reason, rule=rule) from None
