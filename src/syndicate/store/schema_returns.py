"""The tables of what comes back. Part of ``schema``, which names them all."""

from __future__ import annotations

import sqlalchemy as sa

from syndicate.store.columns import at, integer, table, text

# What came back for one message, once for each kind: doing it again changes nothing. Forgotten with the details.
returned = table(
    "returned",
    integer("sending", None),
    integer("place", None),
    text("kind", None),  # hard | soft | complaint | delayed | delivered
    at("at"),
    integer("edition"),  # 0: of a notice
    text("domain"),  # of the reader's address
    text("status"),  # RFC 3463
    text("reason"),  # a few words of our own
    text("form"),  # what it was read from
    sa.PrimaryKeyConstraint("sending", "place", "kind"),
    sa.Index("ix_returned_place", "place", "kind", "at"),
    sa.Index("ix_returned_edition", "edition", "kind"),
    sa.Index("ix_returned_at", "at"),
    rowid=False,
)
# What stays of it: numbers by edition and reason.
returned_total = table(
    "returned_total",
    integer("edition", None),
    text("kind", None),
    text("reason", None),
    integer("n"),
    sa.PrimaryKeyConstraint("edition", "kind", "reason"),
    rowid=False,
)
# What was read before, by the name that its source gives it: a Maildir's file, a provider's event.
seen_return = table(
    "seen_return",
    text("source", None),
    text("id", None),
    at("at"),
    sa.PrimaryKeyConstraint("source", "id"),
    sa.Index("ix_seen_return_at", "at"),
    rowid=False,
)
# Editions that stopped themselves, once for each reason: one that a person lets go on stops no more.
braked = table(
    "braked", integer("edition", None), text("kind", None), at("at"), sa.PrimaryKeyConstraint("edition", "kind"), rowid=False
)
