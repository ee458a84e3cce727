"""Conditions over a delivery ``d`` with its sending ``s``, channel ``c``, place ``p`` and variant ``v``, as SQL."""

from __future__ import annotations

from typing import Final

OPEN: Final = "('pending', 'claimed', 'sending', 'deferred')"
# A partial index serves only a statement that says its condition word for word, or one of the alternatives in it.
WAITING: Final = "(d.state = 'pending' OR d.state = 'deferred')"
LEASED: Final = "d.lease_until IS NOT NULL"  # claimed, sending, or uncertain and to be looked at again
NOT_BEFORE: Final = "coalesce(nullif(d.not_before, 0), (SELECT x.due FROM sending x WHERE x.key = d.sending))"
JOINED: Final = """delivery d {index}
    JOIN sending s ON s.key = d.sending
    JOIN place c ON c.key = d.channel
    JOIN place p ON p.key = d.place
    LEFT JOIN variant v ON v.key = d.variant"""
# Whether its reader still wants it. A notice says before its colon what it is for: a confirmation is for those who have
# not confirmed yet, and who asks for their own data or to be erased need not be subscribed any more.
_WISHED: Final = """CASE substr(s.subject, 1, instr(s.subject, ':')) WHEN 'confirm:' THEN 'pending'
    WHEN 'export:' THEN 'any' WHEN 'erase:' THEN 'any' ELSE 'active' END"""
CONSENTED: Final = f"""(s.newsletter IS NULL OR EXISTS (SELECT 1 FROM subscription u
    WHERE u.subscriber = d.place AND u.newsletter = s.newsletter AND {_WISHED} IN (u.state, 'any')))"""  # noqa: S608 - fixed text
# The same of the row of ``delivery`` that a statement moves, of the sending ``:s`` to the newsletter ``:n``.
CONSENTED_HERE: Final = f"""(:n IS NULL OR EXISTS (SELECT 1 FROM subscription u
    WHERE u.subscriber = delivery.place AND u.newsletter = :n
    AND (SELECT {_WISHED} FROM sending s WHERE s.key = :s) IN (u.state, 'any')))"""  # noqa: S608 - fixed text
_TARGETS: Final = "' ' || s.targets || ' ' || coalesce(v.targets, '') || ' '"
# Whether a person has taken back what it holds: it is held for good.
WITHDRAWN: Final = f"""EXISTS (SELECT 1 FROM item i WHERE i.withdrawn IS NOT NULL AND s.kind <> 'delete'
    AND instr({_TARGETS}, ' ' || i.id || ' '))"""  # noqa: S608 - fixed text
# Whether it is stopped. What a hold can name: all, quotes, a channel, quotes:CHANNEL, a newsletter, edition:N, an item's id.
HELD: Final = f"""(EXISTS (SELECT 1 FROM hold h WHERE h.target = c.name OR instr({_TARGETS}, ' ' || h.target || ' ')
    OR (h.target = 'quotes:' || c.name AND instr({_TARGETS}, ' quotes ')))
    OR {WITHDRAWN})"""  # noqa: S608 - fixed text
# The same of the sending ``:s``, its variant ``:v`` and the channel named ``:c``, for a statement that moves many rows of them.
HELD_HERE: Final = f"""EXISTS (SELECT 1 FROM sending s JOIN place c ON c.kind = 'account' AND c.name = :c
    LEFT JOIN variant v ON v.key = :v WHERE s.key = :s AND {HELD})"""  # noqa: S608 - fixed text
# Whether a hold on the target ``:t`` would stop it.
AIMED: Final = f"""(c.name = :t OR instr({_TARGETS}, ' ' || :t || ' ')
    OR (:t = 'quotes:' || c.name AND instr({_TARGETS}, ' quotes ')))"""
# Of one edition or item alone, or of all; deletions apart.
ONE: Final = "s.kind <> 'delete' AND :kind IN ('', s.kind) AND :subject IN ('', s.subject)"
