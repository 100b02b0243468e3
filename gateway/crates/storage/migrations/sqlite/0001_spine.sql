-- The spine: what came in, what it said, what follows from it, who was told.
-- Times are microseconds since 1970 in UTC. Every index with random keys costs one page a row, so there are few.

-- Deliveries. `ordinal` is the order of decision; a retried delivery takes a new one.
CREATE TABLE inbox (
    ordinal        INTEGER PRIMARY KEY,
    id             TEXT NOT NULL,
    first_id       TEXT,                        -- the id before a retry, which keeps finding the row
    channel        TEXT NOT NULL,
    received_at    INTEGER NOT NULL,
    verdict        TEXT NOT NULL,
    reason         TEXT,
    explain        TEXT,
    dedupe_key     TEXT,
    content_hash   BLOB,
    duplicate_of   TEXT,
    attempts       INTEGER NOT NULL DEFAULT 1,
    connector      TEXT NOT NULL,
    micros         INTEGER NOT NULL,
    method         TEXT NOT NULL,
    path           TEXT NOT NULL,
    query          TEXT,
    sha256         BLOB NOT NULL,
    size           INTEGER NOT NULL,
    observations   TEXT,                        -- JSON list of positions
    notes          TEXT,                        -- JSON list
    status         INTEGER NOT NULL,
    answer_headers TEXT,                        -- JSON list of pairs
    answer_body    BLOB,
    headers        TEXT,                        -- JSON list of pairs; absent when rejected
    body           BLOB                         -- absent when rejected
) STRICT;
CREATE UNIQUE INDEX inbox_by_id ON inbox (id);
CREATE INDEX inbox_by_first_id ON inbox (first_id) WHERE first_id IS NOT NULL;
CREATE INDEX inbox_by_time ON inbox (received_at);
CREATE INDEX inbox_by_channel ON inbox (channel, received_at);
CREATE INDEX inbox_not_accepted ON inbox (verdict, channel, received_at) WHERE verdict <> 'accepted';

-- How often the same came again. Apart from the inbox, so that counting rewrites no raw bytes.
CREATE TABLE duplicates (
    ordinal      INTEGER PRIMARY KEY REFERENCES inbox (ordinal) ON UPDATE CASCADE ON DELETE CASCADE,
    count        INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL
) STRICT;

-- What is folded together, and the one index with random keys that facts and entities share.
CREATE TABLE families (
    position     INTEGER PRIMARY KEY,
    id           TEXT NOT NULL,
    observations TEXT NOT NULL,                 -- JSON list of positions
    entities     TEXT NOT NULL                  -- JSON list of positions
) STRICT;
CREATE UNIQUE INDEX families_by_id ON families (id);

-- Facts, each once for every notice key that told it.
CREATE TABLE observations (
    position    INTEGER PRIMARY KEY,
    family      TEXT NOT NULL,
    dedupe_key  TEXT NOT NULL,
    delivery    TEXT NOT NULL,
    observation TEXT NOT NULL                   -- canonical JSON
) STRICT;

-- What follows from the facts. Everything but `entity` is there to be searched by. An entity that has the id of its
-- family is found by way of the family.
CREATE TABLE entities (
    position       INTEGER PRIMARY KEY,
    id             TEXT NOT NULL,
    family         TEXT NOT NULL,
    kind           TEXT NOT NULL,
    channel        TEXT NOT NULL,
    state          TEXT NOT NULL,
    order_no       TEXT NOT NULL,
    transaction_no TEXT,
    refund_no      TEXT,
    updated_at     INTEGER NOT NULL,
    entity         TEXT NOT NULL                -- canonical JSON
) STRICT;
CREATE UNIQUE INDEX entities_by_id ON entities (id) WHERE id <> family;
CREATE INDEX entities_by_order ON entities (order_no);
CREATE INDEX entities_by_transaction ON entities (transaction_no) WHERE transaction_no IS NOT NULL;
CREATE INDEX entities_by_refund ON entities (refund_no) WHERE refund_no IS NOT NULL;
CREATE INDEX entities_by_time ON entities (kind, updated_at);
CREATE INDEX entities_by_channel ON entities (kind, channel, updated_at);
CREATE INDEX entities_by_state ON entities (kind, state, updated_at);

-- The feed.
CREATE TABLE events (
    seq   INTEGER PRIMARY KEY,
    type  TEXT NOT NULL,
    event TEXT NOT NULL                         -- the CloudEvent as it is served
) STRICT;
CREATE INDEX events_by_type ON events (type, seq);

-- Payments that should exist.
CREATE TABLE expectations (
    channel    TEXT NOT NULL,
    order_no   TEXT NOT NULL,
    amount_fen INTEGER NOT NULL,
    PRIMARY KEY (channel, order_no)
) STRICT, WITHOUT ROWID;
