"""The first tables: content, people, readers, ledger, channels."""

from typing import Final

from alembic import op

revision = "0001"
down_revision = None

# Frozen as it was made: the tables of today stand in store/schema.py.
_STATEMENTS: Final = (
    """
CREATE TABLE attempt (
    "key" INTEGER NOT NULL,
    sending INTEGER NOT NULL,
    place INTEGER NOT NULL,
    at INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    code TEXT DEFAULT '' NOT NULL,
    detail TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_attempt PRIMARY KEY ("key")
)
 STRICT
""",
    """
CREATE INDEX ix_attempt_delivery ON attempt (sending, place)
""",
    """
CREATE TABLE audit (
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    act TEXT NOT NULL,
    subject TEXT DEFAULT '' NOT NULL,
    detail TEXT DEFAULT '' NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL,
    CONSTRAINT pk_audit PRIMARY KEY (seq)
)
 STRICT
""",
    """
CREATE TABLE breaker (
    host TEXT NOT NULL,
    failures INTEGER DEFAULT 0 NOT NULL,
    opened INTEGER DEFAULT 0 NOT NULL,
    open_until INTEGER,
    CONSTRAINT pk_breaker PRIMARY KEY (host)
)
 WITHOUT ROWID,
 STRICT
""",
    """
CREATE TABLE bucket (
    scope TEXT NOT NULL,
    tokens REAL NOT NULL,
    at INTEGER NOT NULL,
    CONSTRAINT pk_bucket PRIMARY KEY (scope)
)
 WITHOUT ROWID,
 STRICT
""",
    """
CREATE TABLE fault (
    source TEXT NOT NULL,
    path TEXT NOT NULL,
    stamp TEXT NOT NULL,
    detail TEXT NOT NULL,
    CONSTRAINT pk_fault PRIMARY KEY (source, path)
)
 WITHOUT ROWID,
 STRICT
""",
    """
CREATE TABLE hold (
    target TEXT NOT NULL,
    reason TEXT NOT NULL,
    who TEXT DEFAULT '' NOT NULL,
    at INTEGER NOT NULL,
    CONSTRAINT pk_hold PRIMARY KEY (target)
)
 WITHOUT ROWID,
 STRICT
""",
    """
CREATE TABLE item (
    "key" INTEGER NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    source TEXT NOT NULL,
    path TEXT NOT NULL,
    first_path TEXT NOT NULL,
    slug TEXT NOT NULL,
    stamp TEXT DEFAULT '' NOT NULL,
    content_sha TEXT NOT NULL,
    status TEXT NOT NULL,
    date INTEGER,
    embargo INTEGER,
    updated INTEGER,
    first_seen INTEGER NOT NULL,
    release INTEGER,
    late INTEGER DEFAULT 0 NOT NULL,
    gone INTEGER DEFAULT 0 NOT NULL,
    revision INTEGER DEFAULT 0 NOT NULL,
    front TEXT NOT NULL,
    body TEXT NOT NULL,
    CONSTRAINT pk_item PRIMARY KEY ("key"),
    CONSTRAINT uq_item_kind UNIQUE (kind, slug),
    CONSTRAINT uq_item_id UNIQUE (id)
)
 STRICT
""",
    """
CREATE INDEX ix_item_date ON item (kind, gone, date)
""",
    """
CREATE INDEX ix_item_gone ON item (content_sha) WHERE gone = 1
""",
    """
CREATE INDEX ix_item_path ON item (source, path)
""",
    """
CREATE INDEX ix_item_release ON item (kind, status, release)
""",
    """
CREATE TABLE meta (
    name TEXT NOT NULL,
    value TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_meta PRIMARY KEY (name)
)
 WITHOUT ROWID,
 STRICT
""",
    """
CREATE TABLE newsletter (
    "key" INTEGER NOT NULL,
    name TEXT NOT NULL,
    last_number INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT pk_newsletter PRIMARY KEY ("key"),
    CONSTRAINT uq_newsletter_name UNIQUE (name)
)
 STRICT
""",
    """
CREATE TABLE payload (
    sending INTEGER NOT NULL,
    place INTEGER NOT NULL,
    "key" TEXT NOT NULL,
    parcel TEXT NOT NULL,
    CONSTRAINT pk_payload PRIMARY KEY (sending, place)
)
 STRICT
""",
    """
CREATE TABLE person (
    "key" INTEGER NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    roles TEXT DEFAULT '' NOT NULL,
    passphrase TEXT DEFAULT '' NOT NULL,
    at INTEGER NOT NULL,
    CONSTRAINT pk_person PRIMARY KEY ("key"),
    CONSTRAINT uq_person_name UNIQUE (name)
)
 STRICT
""",
    """
CREATE TABLE place (
    "key" INTEGER NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    CONSTRAINT pk_place PRIMARY KEY ("key"),
    CONSTRAINT uq_place_kind UNIQUE (kind, name)
)
 STRICT
""",
    """
CREATE TABLE session (
    channel TEXT NOT NULL,
    data TEXT NOT NULL,
    at INTEGER NOT NULL,
    CONSTRAINT pk_session PRIMARY KEY (channel)
)
 WITHOUT ROWID,
 STRICT
""",
    """
CREATE TABLE slot (
    "key" INTEGER NOT NULL,
    schedule TEXT NOT NULL,
    zone TEXT NOT NULL,
    local_time TEXT NOT NULL,
    due INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_slot PRIMARY KEY ("key"),
    CONSTRAINT uq_slot_schedule UNIQUE (schedule, zone, local_time)
)
 STRICT
""",
    """
CREATE INDEX ix_slot_due ON slot (due)
""",
    """
CREATE TABLE start (
    subject TEXT NOT NULL,
    at INTEGER NOT NULL,
    CONSTRAINT pk_start PRIMARY KEY (subject)
)
 WITHOUT ROWID,
 STRICT
""",
    """
CREATE TABLE suppression (
    address_hash TEXT NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL,
    CONSTRAINT pk_suppression PRIMARY KEY (address_hash)
)
 WITHOUT ROWID,
 STRICT
""",
    """
CREATE TABLE tally (
    sending INTEGER NOT NULL,
    place_kind TEXT NOT NULL,
    state TEXT NOT NULL,
    n INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT pk_tally PRIMARY KEY (sending, place_kind, state)
)
 WITHOUT ROWID,
 STRICT
""",
    """
CREATE TABLE token_key (
    number INTEGER NOT NULL,
    secret BLOB NOT NULL,
    at INTEGER NOT NULL,
    CONSTRAINT pk_token_key PRIMARY KEY (number)
)
 STRICT
""",
    """
CREATE TABLE approval (
    "key" INTEGER NOT NULL,
    item INTEGER NOT NULL,
    content_sha TEXT NOT NULL,
    renderings_sha TEXT NOT NULL,
    person INTEGER NOT NULL,
    role TEXT NOT NULL,
    at INTEGER NOT NULL,
    CONSTRAINT pk_approval PRIMARY KEY ("key"),
    CONSTRAINT fk_approval_item_item FOREIGN KEY(item) REFERENCES item ("key"),
    CONSTRAINT fk_approval_person_person FOREIGN KEY(person) REFERENCES person ("key")
)
 STRICT
""",
    """
CREATE INDEX ix_approval_item ON approval (item)
""",
    """
CREATE TABLE day_quote (
    day TEXT NOT NULL,
    item INTEGER,
    shown_at INTEGER,
    state TEXT DEFAULT '' NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_day_quote PRIMARY KEY (day),
    CONSTRAINT fk_day_quote_item_item FOREIGN KEY(item) REFERENCES item ("key")
)
 WITHOUT ROWID,
 STRICT
""",
    """
CREATE TABLE edition (
    "key" INTEGER NOT NULL,
    newsletter INTEGER NOT NULL,
    number INTEGER NOT NULL,
    frequency TEXT NOT NULL,
    period TEXT NOT NULL,
    state TEXT NOT NULL,
    at INTEGER NOT NULL,
    CONSTRAINT pk_edition PRIMARY KEY ("key"),
    CONSTRAINT uq_edition_newsletter UNIQUE (newsletter, frequency, period),
    CONSTRAINT uq_edition_newsletter UNIQUE (newsletter, number),
    CONSTRAINT fk_edition_newsletter_newsletter FOREIGN KEY(newsletter) REFERENCES newsletter ("key")
)
 STRICT
""",
    """
CREATE TABLE facet (
    item INTEGER NOT NULL,
    kind TEXT NOT NULL,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    CONSTRAINT pk_facet PRIMARY KEY (item, kind, slug),
    CONSTRAINT fk_facet_item_item FOREIGN KEY(item) REFERENCES item ("key")
)
 WITHOUT ROWID,
 STRICT
""",
    """
CREATE INDEX ix_facet_slug ON facet (kind, slug, item)
""",
    """
CREATE TABLE sending (
    "key" INTEGER NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    slot INTEGER DEFAULT 0 NOT NULL,
    revision INTEGER DEFAULT 0 NOT NULL,
    newsletter INTEGER,
    targets TEXT NOT NULL,
    due INTEGER NOT NULL,
    state TEXT NOT NULL,
    CONSTRAINT pk_sending PRIMARY KEY ("key"),
    CONSTRAINT uq_sending_kind UNIQUE (kind, subject, slot, revision),
    CONSTRAINT fk_sending_newsletter_newsletter FOREIGN KEY(newsletter) REFERENCES newsletter ("key")
)
 STRICT
""",
    """
CREATE INDEX ix_sending_due ON sending (due)
""",
    """
CREATE INDEX ix_sending_open ON sending (state) WHERE state = 'open'
""",
    """
CREATE TABLE subscriber (
    "key" INTEGER NOT NULL,
    id TEXT NOT NULL,
    address TEXT NOT NULL,
    address_key TEXT NOT NULL,
    domain TEXT NOT NULL,
    name TEXT DEFAULT '' NOT NULL,
    lang TEXT DEFAULT '' NOT NULL,
    at INTEGER NOT NULL,
    CONSTRAINT pk_subscriber PRIMARY KEY ("key"),
    CONSTRAINT fk_subscriber_key_place FOREIGN KEY("key") REFERENCES place ("key"),
    CONSTRAINT uq_subscriber_id UNIQUE (id),
    CONSTRAINT uq_subscriber_address_key UNIQUE (address_key)
)
 STRICT
""",
    """
CREATE TABLE subscription (
    "key" INTEGER NOT NULL,
    subscriber INTEGER NOT NULL,
    newsletter INTEGER NOT NULL,
    state TEXT NOT NULL,
    topics TEXT DEFAULT '' NOT NULL,
    frequency TEXT NOT NULL,
    weekday INTEGER,
    hour INTEGER,
    zone TEXT DEFAULT '' NOT NULL,
    quote_display TEXT DEFAULT '' NOT NULL,
    lang TEXT DEFAULT '' NOT NULL,
    covered_to INTEGER NOT NULL,
    quoted_to TEXT DEFAULT '' NOT NULL,
    since INTEGER,
    consent TEXT DEFAULT '' NOT NULL,
    paused_to INTEGER,
    changed INTEGER NOT NULL,
    CONSTRAINT pk_subscription PRIMARY KEY ("key"),
    CONSTRAINT uq_subscription_subscriber UNIQUE (subscriber, newsletter),
    CONSTRAINT fk_subscription_subscriber_subscriber FOREIGN KEY(subscriber) REFERENCES subscriber ("key"),
    CONSTRAINT fk_subscription_newsletter_newsletter FOREIGN KEY(newsletter) REFERENCES newsletter ("key")
)
 STRICT
""",
    """
CREATE INDEX ix_subscription_due ON subscription (newsletter, state, frequency, zone, hour, weekday)
""",
    """
CREATE TABLE variant (
    "key" INTEGER NOT NULL,
    edition INTEGER NOT NULL,
    item_set_sha TEXT NOT NULL,
    quote_display TEXT NOT NULL,
    lang TEXT NOT NULL,
    items TEXT NOT NULL,
    state TEXT NOT NULL,
    targets TEXT DEFAULT '' NOT NULL,
    frozen TEXT DEFAULT '' NOT NULL,
    fault TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_variant PRIMARY KEY ("key"),
    CONSTRAINT uq_variant_edition UNIQUE (edition, item_set_sha, quote_display, lang),
    CONSTRAINT fk_variant_edition_edition FOREIGN KEY(edition) REFERENCES edition ("key")
)
 STRICT
""",
    """
CREATE TABLE delivery (
    sending INTEGER NOT NULL,
    place INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    variant INTEGER,
    state TEXT NOT NULL,
    attempt INTEGER DEFAULT 0 NOT NULL,
    epoch INTEGER DEFAULT 0 NOT NULL,
    lease_until INTEGER,
    priority INTEGER DEFAULT 0 NOT NULL,
    not_before INTEGER NOT NULL,
    intent_at INTEGER,
    done_at INTEGER,
    remote_id TEXT DEFAULT '' NOT NULL,
    remote_url TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_delivery PRIMARY KEY (sending, place),
    CONSTRAINT fk_delivery_sending_sending FOREIGN KEY(sending) REFERENCES sending ("key"),
    CONSTRAINT fk_delivery_place_place FOREIGN KEY(place) REFERENCES place ("key"),
    CONSTRAINT fk_delivery_channel_place FOREIGN KEY(channel) REFERENCES place ("key"),
    CONSTRAINT fk_delivery_variant_variant FOREIGN KEY(variant) REFERENCES variant ("key")
)
 WITHOUT ROWID,
 STRICT
""",
    """
CREATE INDEX ix_delivery_open ON delivery
    (channel, state, priority DESC, not_before)
    WHERE state IN ('pending', 'claimed', 'sending', 'deferred')
""",
    """
CREATE INDEX ix_delivery_place ON delivery (place)
""",
    """
CREATE INDEX ix_delivery_uncertain ON delivery (channel) WHERE state = 'uncertain'
""",
)


def upgrade() -> None:
    """Make every table."""
    for statement in _STATEMENTS:
        op.execute(statement)
