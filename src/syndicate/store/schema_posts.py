"""The tables of posts that are corrected, watched and paid for. Part of ``schema``, which names them all."""

from __future__ import annotations

import sqlalchemy as sa

from syndicate.store.columns import at, integer, ref, table, text

# What ``correct`` was told: one line for each revision of an item that readers are to hear of.
correction = table(
    "correction",
    ref("item", "item.key"),
    integer("revision", None),
    text("severity", None),  # minor | significant
    text("text", None),  # what was wrong and what is right, our own words
    text("day", None),  # civil day in the site's zone
    at("at"),
    text("who", None),
    integer("told"),  # 1: by `--text`, so that the item's file may not say it
    at("planned", null=True),  # what was made before has the wrong version; NULL: its duties are not recorded yet
    integer("open", 1),  # 1: something that has the wrong version may still turn up
    sa.PrimaryKeyConstraint("item", "revision"),
    sa.Index("ix_correction_open", "open", sqlite_where=sa.text("open = 1")),
    rowid=False,
)
# A notice as its readers of one language get it, rendered once.
rendition = table(
    "rendition",
    integer("sending", None),
    text("lang", None),
    text("frozen", None),
    sa.PrimaryKeyConstraint("sending", "lang"),
    rowid=False,
)
# Whether a quote's post still stood when it was looked at, an hour and a day after (Q19).
look = table(
    "look",
    integer("sending", None),
    integer("place", None),
    integer("hours", None),  # after the post
    at("at"),
    integer("stands", None),  # 1: it stood, 0: it was gone
    sa.PrimaryKeyConstraint("sending", "place", "hours"),
    rowid=False,
)
# What a network charges, by account and calendar month UTC: posts are reserved before they leave, reads are added up.
charge = table(
    "charge",
    text("channel", None),
    text("month", None),  # 2026-11
    text("what", None),  # post | edit | delete | read
    integer("sending", None),  # 0: of no delivery
    integer("place", None),
    integer("n", None),
    integer("micros", None),  # millionths of a US dollar
    sa.PrimaryKeyConstraint("channel", "month", "what", "sending", "place"),
    rowid=False,
)
