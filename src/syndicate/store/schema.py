"""The tables, as the migrations make them (delivery.md C). Instants are integer microseconds UTC."""

from __future__ import annotations

import sqlalchemy as sa

from syndicate.store.columns import Instant as Instant
from syndicate.store.columns import at as _at
from syndicate.store.columns import from_micros as from_micros
from syndicate.store.columns import integer as _int
from syndicate.store.columns import key as _key
from syndicate.store.columns import metadata as metadata
from syndicate.store.columns import ref as _ref
from syndicate.store.columns import table as _table
from syndicate.store.columns import text as _text
from syndicate.store.columns import to_micros as to_micros
from syndicate.store.schema_posts import charge as charge
from syndicate.store.schema_posts import correction as correction
from syndicate.store.schema_posts import look as look
from syndicate.store.schema_posts import rendition as rendition
from syndicate.store.schema_returns import braked as braked
from syndicate.store.schema_returns import returned as returned
from syndicate.store.schema_returns import returned_total as returned_total
from syndicate.store.schema_returns import seen_return as seen_return

# What this database is: instance id, run counter, start mark, schema of keys.
meta = _table("meta", sa.Column("name", sa.Text, primary_key=True), _text("value"), rowid=False)

# When a source, schedule, channel or newsletter was first seen: nothing older goes out through it.
start = _table("start", sa.Column("subject", sa.Text, primary_key=True), _at("at"), rowid=False)

# Keys that sign reader links and hash suppressed addresses; old ones keep verifying.
token_key = _table(
    "token_key",
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("secret", sa.LargeBinary, nullable=False),
    _at("at"),
)

# -- content ------------------------------------------------------------------------------------
item = _table(
    "item",
    _key(),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    _text("kind", None),  # brief | quote
    _text("source", None),
    _text("path", None),  # relative to the publication
    _text("first_path", None),  # at first sight: part of the minted id
    _text("slug", None),
    _text("stamp"),  # mtime, size and inode: an unchanged file is not parsed again
    _text("content_sha", None),
    _text("status", None),
    _at("date", null=True),  # published
    _at("embargo", null=True),
    _at("updated", null=True),
    _at("first_seen"),
    _at("release", null=True),  # delivery.md B; NULL: not released
    sa.Column("late", sa.Integer, nullable=False, server_default=sa.text("0")),  # 1: a person sends it or lets it be
    _int("gone"),  # 1: the file has vanished
    _int("revision"),
    _at("withdrawn", null=True),  # a person's word, which wins over what the file says; NULL: none
    _int("change"),  # rises with each sync that wrote something: what was read up to 7 is told apart from what came after
    _text("front", None),  # the normalised front matter, JSON
    _text("body", None),  # Markdown of a brief, the words of a quote
    sa.UniqueConstraint("kind", "slug"),
    sa.Index("ix_item_release", "kind", "status", "release"),
    sa.Index("ix_item_date", "kind", "gone", "date"),  # the newest fifty without reading the rest
    sa.Index("ix_item_path", "source", "path"),
    sa.Index("ix_item_withdrawn", "withdrawn", sqlite_where=sa.text("withdrawn IS NOT NULL")),  # asked before each message
    sa.Index("ix_item_change", "change"),
    sa.Index("ix_item_updated", "updated"),
    sa.Index("ix_item_gone", "content_sha", sqlite_where=sa.text("gone = 1")),  # a file that comes back under another name
)
# Topics, authors and series of a brief, for the feeds by them.
facet = _table(
    "facet",
    _ref("item", "item.key"),
    _text("kind", None),  # topic | author | series
    _text("slug", None),
    _text("name", None),
    sa.PrimaryKeyConstraint("item", "kind", "slug"),
    sa.Index("ix_facet_slug", "kind", "slug", "item"),
    rowid=False,
)
# Which archive of a feed holds an item (RFC 5005): decided once, in the order of release, and never changed.
shelf = _table(
    "shelf",
    _text("feed", None),
    _ref("item", "item.key"),
    _int("page"),  # 1 for the oldest archive; 0 while the item is in no archive yet
    _at("at"),  # when it came out, or was first shown: the order of the archives
    sa.PrimaryKeyConstraint("feed", "item"),
    sa.Index("ix_shelf_page", "feed", "page", "at"),
    sa.Index("ix_shelf_item", "item"),
    rowid=False,
)
# How far the archives of each feed are written: up to which change and due time, how many, and a digest of the settings.
_feed = sa.Column("feed", sa.Text, primary_key=True)
shelf_mark = _table("shelf_mark", _feed, _int("change"), _at("at"), _int("pages"), _text("made"), rowid=False)
# What each WebSub hub was last told of each feed: a file that differs is a duty to ping.
ping = _table(
    "ping",
    _text("hub", None),
    _text("url", None),
    _text("stamp"),  # of the file that the hub knows: time of change and size
    _text("sha"),  # SHA-256 of its bytes
    _at("told", null=True),
    _int("attempts"),  # that failed since; 0 after a success
    _at("since", null=True),  # of the first of them
    _at("not_before", null=True),
    _text("detail"),  # the hub's own words
    sa.PrimaryKeyConstraint("hub", "url"),
    rowid=False,
)
# Faulty files: known by their stamp, so that an unchanged faulty file is reported and not parsed again.
fault = _table(
    "fault",
    _text("source", None),
    _text("path", None),
    _text("stamp", None),
    _text("detail", None),
    sa.PrimaryKeyConstraint("source", "path"),
    rowid=False,
)
# The quote of each civil day of the site's zone, frozen when the day begins (Q23).
day_quote = _table(
    "day_quote",
    sa.Column("day", sa.Text, primary_key=True),  # 2026-11-22
    _ref("item", "item.key", null=True),  # NULL: no quote that day
    _at("shown_at", null=True),  # the quote slot's due time
    _text("state"),  # chosen | shown | skipped | none
    _text("reason"),
    rowid=False,
)

# -- people -------------------------------------------------------------------------------------
person = _table(
    "person",
    _key(),
    _text("id", None),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    _text("roles"),
    _text("passphrase"),
    _at("at"),
)
approval = _table(
    "approval",
    _key(),
    _ref("item", "item.key", index=True),
    _text("content_sha", None),
    _text("renderings_sha", None),
    _ref("person", "person.key"),
    _text("role", None),  # submitter | verifier | approver | rejection
    _at("at"),
    _text("renderings"),  # JSON: what this person saw, by place, so that a later change can be shown
)
# Append-only and hash-chained: one altered byte is located by `db check`.
audit = _table(
    "audit",
    sa.Column("seq", sa.Integer, primary_key=True),
    _at("at"),
    _text("who", None),
    _text("act", None),
    _text("subject"),
    _text("detail"),
    _text("previous", None),
    _text("hash", None),
)

# -- places, readers ----------------------------------------------------------------------------
place = _table(
    "place",
    _key(),
    _text("kind", None),  # subscriber | account
    _text("name", None),  # a subscriber's random id, or a channel's name
    sa.UniqueConstraint("kind", "name"),
)
newsletter = _table("newsletter", _key(), sa.Column("name", sa.Text, nullable=False, unique=True), _int("last_number"))
subscriber = _table(
    "subscriber",
    _ref("key", "place.key", primary_key=True),  # a subscriber is a place
    sa.Column("id", sa.Text, nullable=False, unique=True),
    _text("address", None),  # as written
    sa.Column("address_key", sa.Text, nullable=False, unique=True),  # the same person is not two
    _text("domain", None),
    _text("name"),
    _text("lang"),
    _at("at"),
)
subscription = _table(
    "subscription",
    _key(),
    _ref("subscriber", "subscriber.key"),
    _ref("newsletter", "newsletter.key"),
    _text("state", None),  # pending | active | ended | suppressed
    _text("topics"),  # JSON list of topic slugs; '' for all
    _text("frequency", None),
    sa.Column("weekday", sa.Integer),  # 0 Monday … 6; NULL: the newsletter's
    sa.Column("hour", sa.Integer),  # 0 … 23; NULL: the newsletter's
    _text("zone"),  # IANA name; '' for the newsletter's
    _text("quote_display"),  # '' for the newsletter's
    _text("lang"),  # '' for the site's
    _at("covered_to"),  # items released in (covered_to, due] are owed
    _text("quoted_to"),  # the civil day of the last quote carried; '' for none
    _at("since", null=True),  # when it became active
    _text("consent"),  # JSON: when, wording, form, confirmation
    _at("paused_to", null=True),
    _at("changed"),
    sa.UniqueConstraint("subscriber", "newsletter"),
    sa.Index("ix_subscription_due", "newsletter", "state", "frequency", "zone", "hour", "weekday"),
    sa.Index("ix_subscription_pending", "changed", sqlite_where=sa.text("state = 'pending'")),  # what lapses
)
_hash = sa.Column("address_hash", sa.Text, primary_key=True)
suppression = _table("suppression", _hash, _text("reason", None), _at("at"), rowid=False)
# Sign-ups of the last day, for their limits: keyed hashes of mailboxes and networks, nothing else.
signup = _table(
    "signup", _key(), _text("hash", None), _at("at"), sa.Index("ix_signup_hash", "hash", "at"), sa.Index("ix_signup_at", "at")
)

# -- the ledger: store/ledger.py is the only writer of delivery states ----------------------------
slot = _table(
    "slot",
    _key(),
    _text("schedule", None),
    _text("zone", None),
    _text("local_time", None),  # 2026-11-22T07:00, naive civil
    _at("due"),
    _text("state", None),  # expanded | skipped | cancelled; of one ahead: moved | skipped
    _text("reason"),
    sa.UniqueConstraint("schedule", "zone", "local_time"),
    sa.Index("ix_slot_due", "due"),
)
edition = _table(
    "edition",
    _key(),
    _ref("newsletter", "newsletter.key"),
    _int("number", None),
    _text("frequency", None),  # instant | daily | weekly | quote | now
    _text("period", None),  # local civil date | ISO week | item id | time of the command
    _text("state", None),  # sending | finished | cancelled
    _at("at"),
    sa.UniqueConstraint("newsletter", "frequency", "period"),
    sa.UniqueConstraint("newsletter", "number"),
    sa.Index("ix_edition_now", "at", sqlite_where=sa.text("frequency = 'now'")),
)
variant = _table(
    "variant",
    _key(),
    _ref("edition", "edition.key"),
    _text("item_set_sha", None),
    _text("quote_display", None),
    _text("lang", None),
    _text("items", None),  # JSON list of item keys, in order, the quote's last; then an object for each correction told
    _text("state", None),  # planned | frozen | dropped
    _text("targets"),  # what a hold can name, blank-separated: "quotes" and the items' ids
    _text("frozen"),  # JSON: subject, HTML and text segments, nonce (render/email.py)
    _text("fault"),  # why it could not be frozen; '' where it could
    sa.UniqueConstraint("edition", "item_set_sha", "quote_display", "lang"),
)
sending = _table(
    "sending",
    _key(),
    _text("kind", None),  # edition | post | edit | delete | notice
    _text("subject", None),  # an edition's key or an item's id
    _int("slot"),  # slot.key; 0: no slot; -2, -3 …: that post of a thread
    _int("revision"),
    _ref("newsletter", "newsletter.key", null=True),  # whose consent it needs; NULL for posts
    _text("targets", None),  # what a hold can name, blank-separated: "all digest edition:12"
    _at("due"),
    _text("state", None),  # open | finished | forgotten: only its tallies are kept
    sa.UniqueConstraint("kind", "subject", "slot", "revision"),
    sa.Index("ix_sending_due", "due"),
    sa.Index("ix_sending_open", "state", sqlite_where=sa.text("state = 'open'")),
)
delivery = _table(
    "delivery",
    _ref("sending", "sending.key"),
    _ref("place", "place.key"),
    _ref("channel", "place.key"),  # the account or mail channel that carries it
    _ref("variant", "variant.key", null=True),
    _text("state", None),
    _int("attempt"),
    _int("epoch"),  # counts claims; a result of an older claim changes nothing
    _at("lease_until", null=True),  # of what is claimed or sending; of what is uncertain: its next look
    _int("priority"),  # higher first
    _at("not_before"),  # 0: when its sending is due
    _at("intent_at", null=True),
    _at("done_at", null=True),
    _text("remote_id"),
    _text("remote_url"),
    sa.PrimaryKeyConstraint("sending", "place"),
    rowid=False,
)
# Each state that a duty passes asks every condition below: `=` and `OR` cost next to nothing there, `IN` makes a table.
sa.Index(
    "ix_delivery_waiting",
    delivery.c.channel,
    delivery.c.priority.desc(),
    delivery.c.not_before,
    sqlite_where=sa.text("state = 'pending' OR state = 'deferred'"),
)
sa.Index("ix_delivery_leased", delivery.c.channel, sqlite_where=sa.text("lease_until IS NOT NULL"))
sa.Index("ix_delivery_uncertain", delivery.c.channel, sqlite_where=sa.text("state = 'uncertain'"))
attempt = _table(
    "attempt",
    _key(),
    _int("sending", None),
    _int("place", None),
    _at("at"),
    _text("outcome", None),
    _text("code"),
    _text("detail"),  # the far side's words and our advice; never an address or a body
    sa.Index("ix_attempt_delivery", "sending", "place"),
)
# The bytes of a post, kept from before the socket opens: a retry sends the same.
payload = _table(
    "payload",
    _int("sending", None),
    _int("place", None),
    _text("key", None),
    _text("parcel", None),  # JSON of the Post
    sa.Column("made", Instant, nullable=False, server_default=sa.text("0")),  # when it was rendered
    _text("sha"),  # SHA-256 of the request that carries it
    sa.PrimaryKeyConstraint("sending", "place"),
)
tally = _table(
    "tally",
    _int("sending", None),
    _text("place_kind", None),
    _text("state", None),
    _int("n"),
    sa.PrimaryKeyConstraint("sending", "place_kind", "state"),
    rowid=False,
)
hold = _table(
    "hold", sa.Column("target", sa.Text, primary_key=True), _text("reason", None), _text("who"), _at("at"), rowid=False
)

# -- channels -----------------------------------------------------------------------------------
breaker = _table(
    "breaker",
    sa.Column("host", sa.Text, primary_key=True),
    _int("failures"),
    _int("opened"),
    _at("open_until", null=True),
    rowid=False,
)
bucket = _table(
    "bucket",
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("tokens", sa.REAL, nullable=False),
    _at("at"),
    rowid=False,
)
# Sessions and tokens that a network rotates, replaced atomically before use.
session = _table("session", sa.Column("channel", sa.Text, primary_key=True), _text("data", None), _at("at"), rowid=False)

# -- the desk -----------------------------------------------------------------------------------
# Who is signed in at the desk, by the SHA-256 of what their browser holds.
_sha = sa.Column("token_sha", sa.Text, primary_key=True)
desk_session = _table("desk_session", _sha, _ref("person", "person.key"), _at("at"), _at("seen"), _at("until"), rowid=False)
# Sign-ins tried in vain, by name and network.
desk_try = _table("desk_try", sa.Column("scope", sa.Text, primary_key=True), _int("n"), _at("since"), rowid=False)
# The link with which the first person begins.
_sha = sa.Column("token_sha", sa.Text, primary_key=True)
desk_link = _table("desk_link", _sha, _at("until"), rowid=False)
# What the desk looks for in a million rows: the sendings of a state, and the rows that went another way than most.
sa.Index("ix_tally_state", tally.c.state, tally.c.sending, sqlite_where=sa.text("n > 0"))
sa.Index(
    "ix_delivery_astray",
    delivery.c.state,
    delivery.c.sending,
    delivery.c.place,
    sqlite_where=sa.text(
        "state = 'deferred' OR state = 'failed' OR state = 'suppressed' OR state = 'uncertain' OR state = 'cancelled'"
    ),
)
