"""A quotation's words under seal, so that nothing shows them by mistake. Pure; knows nothing of what is quoted."""

from __future__ import annotations


class Words:
    """A speaker's own words, sealed: only the quote gate (``render/framing.py``) opens them.

    ``str``, ``repr``, ``format`` and a template all see a notice in their place, so that a log line,
    an error message or a template that is handed one by mistake cannot leak it (quotes.md Q5).
    """

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        """Seal ``text``."""
        self.__text = text

    def __repr__(self) -> str:
        """Never the words."""
        return "[words withheld]"

    __str__ = __repr__

    def __bool__(self) -> bool:
        """Whether there are any words."""
        return bool(self.__text)

    def __eq__(self, other: object) -> bool:
        """Equal when the words are."""
        return isinstance(other, Words) and self.__text == other.__text

    def __hash__(self) -> int:
        """Hash as the words do."""
        return hash(self.__text)

    def __reduce__(self) -> str:
        """Refuse to be pickled or copied out of the process."""
        msg = "sealed words cannot be serialised"
        raise TypeError(msg)

    def reveal(self) -> str:
        """The words themselves. A test allows this call in the gate and the content store alone."""
        return self.__text
