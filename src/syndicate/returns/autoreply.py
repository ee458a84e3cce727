"""Answers of machines: out-of-office notes, receipts, tickets. They are known so that they never count. Pure."""

from __future__ import annotations

from typing import Final

from syndicate.returns.parts import Part

_HEADERS: Final = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-mail-autoreply", "x-auto-reply-from", "x-vacation")
_PRECEDENCES: Final = frozenset({"auto_reply", "auto-reply", "junk"})
_SUBJECTS: Final = (
    "automatic reply",
    "auto reply",
    "autoreply",
    "auto-reply",
    "auto:",
    "auto response",
    "out of office",
    "out of the office",
    "abwesenheitsnotiz",
    "automatische antwort",
    "réponse automatique",
    "respuesta automática",
    "risposta automatica",
    "automatisch antwoord",
    "autosvar",
    "away from my mail",
)


def is_automatic(mail: Part) -> bool:
    """Whether a machine wrote this answer (RFC 3834 §5, and what came before it)."""
    if mail.header("auto-submitted").strip().lower().startswith("auto-"):
        return True
    if any(mail.header(name) for name in _HEADERS):
        return True
    precedence = mail.header("precedence").strip().lower()
    return precedence in _PRECEDENCES or mail.header("subject").strip().lower().startswith(_SUBJECTS)
