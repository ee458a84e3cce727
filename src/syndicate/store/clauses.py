"""Conditions over a delivery ``d`` with its sending ``s``, channel ``c``, place ``p`` and variant ``v``, as SQL."""

from __future__ import annotations

from typing import Final

# The partial index serves only a statement that says its condition word for word.
OPEN: Final = "('pending', 'claimed', 'sending', 'deferred')"
JOINED: Final = """delivery d {index}
    JOIN sending s ON s.key = d.sending
    JOIN place c ON c.key = d.channel
    JOIN place p ON p.key = d.place
    LEFT JOIN variant v ON v.key = d.variant"""
CONSENTED: Final = """(s.newsletter IS NULL OR EXISTS (SELECT 1 FROM subscription u
    WHERE u.subscriber = d.place AND u.newsletter = s.newsletter AND u.state = 'active'))"""
_TARGETS: Final = "' ' || s.targets || ' ' || coalesce(v.targets, '') || ' '"
# Whether it is stopped. What a hold can name: all, quotes, a channel, quotes:CHANNEL, a newsletter, edition:N, an item's
# id. A withdrawn item is held for good.
HELD: Final = f"""(EXISTS (SELECT 1 FROM hold h WHERE h.target = c.name OR instr({_TARGETS}, ' ' || h.target || ' ')
    OR (h.target = 'quotes:' || c.name AND instr({_TARGETS}, ' quotes ')))
    OR EXISTS (SELECT 1 FROM item i WHERE i.withdrawn IS NOT NULL AND s.kind <> 'delete'
    AND instr({_TARGETS}, ' ' || i.id || ' ')))"""  # noqa: S608 - fixed text
# Whether a hold on the target ``:t`` would stop it.
AIMED: Final = f"""(c.name = :t OR instr({_TARGETS}, ' ' || :t || ' ')
    OR (:t = 'quotes:' || c.name AND instr({_TARGETS}, ' quotes ')))"""
# Of one edition or item alone, or of all; deletions apart.
ONE: Final = "s.kind <> 'delete' AND :kind IN ('', s.kind) AND :subject IN ('', s.subject)"
