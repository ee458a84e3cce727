"""Data files that the package carries, as text. Nothing here knows what they mean."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def read(name: str) -> str:
    """The text of a data file; a name that is not there is an error of the installation (``FileNotFoundError``)."""
    return (files(__package__) / name).read_text(encoding="utf-8")
