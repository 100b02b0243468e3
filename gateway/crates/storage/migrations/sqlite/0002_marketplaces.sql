-- Marketplaces: how far streams were read, what is to be asked and done, orders and what makes them findable, sealed bytes.
-- Nothing that 0001 wrote is rewritten: new columns are absent in old rows.

-- Of a delivery with personal data `body` is the seal around query, headers and body.
ALTER TABLE inbox ADD COLUMN sealed INTEGER;

ALTER TABLE entities ADD COLUMN aftersale_no TEXT;
ALTER TABLE entities ADD COLUMN without_sku INTEGER;   -- 1: an order with a line whose SKU nobody knows
CREATE INDEX entities_by_aftersale ON entities (aftersale_no) WHERE aftersale_no IS NOT NULL;
CREATE INDEX entities_without_sku ON entities (channel, id) WHERE without_sku = 1;

-- Payments that an order names, now or before; the order itself says which it names now.
CREATE TABLE payment_refs (
    transaction_no TEXT NOT NULL,
    position       INTEGER NOT NULL,            -- of the order in `entities`
    PRIMARY KEY (transaction_no, position)
) STRICT, WITHOUT ROWID;

-- How far each stream was read.
CREATE TABLE cursors (
    channel    TEXT NOT NULL,
    stream     TEXT NOT NULL,
    cursor     TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (channel, stream)
) STRICT, WITHOUT ROWID;

-- Channels that ask nothing for now.
CREATE TABLE pauses (
    channel TEXT PRIMARY KEY,
    reason  TEXT NOT NULL,
    explain TEXT NOT NULL,
    at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What is to be asked or done, not before `due_at`.
CREATE TABLE tasks (
    id         TEXT PRIMARY KEY,
    channel    TEXT NOT NULL,
    kind       TEXT NOT NULL,
    key        TEXT NOT NULL,                   -- JSON list
    due_at     INTEGER NOT NULL,
    attempts   INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    note       TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX tasks_by_due ON tasks (due_at);

-- What somebody wants a platform to do.
CREATE TABLE commands (
    position        INTEGER PRIMARY KEY,
    id              TEXT NOT NULL,
    channel         TEXT NOT NULL,
    kind            TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    payload         TEXT NOT NULL,              -- JSON
    state           TEXT NOT NULL,
    code            TEXT,
    message         TEXT,
    attempts        INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    not_after       INTEGER,
    deliveries      TEXT NOT NULL               -- JSON list of ids
) STRICT;
CREATE UNIQUE INDEX commands_by_id ON commands (id);
CREATE UNIQUE INDEX commands_by_key ON commands (channel, idempotency_key);
CREATE INDEX commands_by_time ON commands (created_at);
CREATE INDEX commands_by_state ON commands (state, created_at);

-- Keys of subjects, sealed by the caller.
CREATE TABLE subject_keys (
    subject TEXT PRIMARY KEY,
    key     BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Who looked at personal data, and why.
CREATE TABLE audit (
    position INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    actor    TEXT NOT NULL,
    action   TEXT NOT NULL,
    subject  TEXT NOT NULL,
    purpose  TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_time ON audit (at);
