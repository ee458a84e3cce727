"""Plain text as Slack and Discord want it written: what would be formatting, a mention or a link preview is escaped. Pure."""

from __future__ import annotations

import re
from typing import Final

_SLACK: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_ADDRESS: Final = re.compile(r"(https?://[^\s<>]*[^\s<>.,;:!?\"'”»’)\]}])")
_FORMATTING: Final = re.compile(r"[\\*_~`|<>\[]")
_LINE_START: Final = re.compile(r"^([ \t]*)([#+-])", re.MULTILINE)


def slack(text: str) -> str:
    """``text`` with the three characters of Slack's own markup escaped; formatting is turned off in the request."""
    return text.translate(_SLACK)


def discord(text: str) -> str:
    """``text`` with Discord's Markdown escaped, and each web address between ``<`` and ``>``: it gets no second preview."""
    parts = _ADDRESS.split(text)  # the odd ones are links
    joined = "".join(f"<{part}>" if number % 2 else _escaped(part) for number, part in enumerate(parts))
    return _LINE_START.sub(r"\1\\\2", joined)


def _escaped(text: str) -> str:
    return _FORMATTING.sub(lambda sign: "\\" + sign[0], text)
