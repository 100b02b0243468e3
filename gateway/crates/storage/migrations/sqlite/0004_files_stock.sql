-- Files of ERPs: what was handed in, which rows were refused, which stores count; and stock. Nothing older is rewritten.

-- Files that were handed in. The bytes lie beside the database, under their SHA-256.
CREATE TABLE imports (
    position    INTEGER PRIMARY KEY,
    id          TEXT NOT NULL,
    channel     TEXT NOT NULL,
    name        TEXT NOT NULL,
    sha256      TEXT NOT NULL,
    size        INTEGER NOT NULL,
    mapping     TEXT NOT NULL,
    connector   TEXT NOT NULL,
    state       TEXT NOT NULL,
    kind        TEXT,
    reason      TEXT,
    explain     TEXT,
    counts      TEXT,                           -- JSON
    outcome     TEXT,                           -- JSON
    received_at INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX imports_by_id ON imports (id);
CREATE INDEX imports_by_content ON imports (sha256, channel);
CREATE INDEX imports_by_time ON imports (received_at);
CREATE INDEX imports_by_state ON imports (state, received_at);

-- Rows that were refused.
CREATE TABLE import_rejects (
    position   INTEGER PRIMARY KEY,
    import     INTEGER NOT NULL,                -- position of the import
    kind       TEXT NOT NULL,
    store_code TEXT,
    state      TEXT NOT NULL,
    reject     TEXT NOT NULL                    -- JSON
) STRICT;
CREATE INDEX import_rejects_by_import ON import_rejects (import, position);

-- How each store of an import stands.
CREATE TABLE import_stores (
    import       INTEGER NOT NULL,              -- position of the import
    store_code   TEXT NOT NULL,
    state        TEXT NOT NULL,
    reason       TEXT,
    before_skus  INTEGER,
    before_units INTEGER,
    skus         INTEGER NOT NULL,
    units        INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    PRIMARY KEY (import, store_code)
) STRICT, WITHOUT ROWID;

-- Words that levels are made of, once each: a level then is a handful of small numbers.
CREATE TABLE stock_stores (id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE stock_skus (id INTEGER PRIMARY KEY, sku TEXT NOT NULL UNIQUE) STRICT;

-- Channels whose figures or orders levels come from, and what the figures mean.
CREATE TABLE stock_sources (
    id          INTEGER PRIMARY KEY,
    channel     TEXT NOT NULL UNIQUE,
    reports     TEXT NOT NULL,
    tier        INTEGER NOT NULL,
    skew        INTEGER NOT NULL,               -- microseconds
    post_lag    INTEGER NOT NULL,               -- microseconds
    stale_after INTEGER NOT NULL,               -- microseconds
    epoch       INTEGER NOT NULL                -- the latest that was heard of
) STRICT;

-- The last snapshot of each store, for guards, and its sequence.
CREATE TABLE stock_snapshots (
    source    INTEGER NOT NULL,
    store     INTEGER NOT NULL,
    epoch     INTEGER NOT NULL,
    seq       INTEGER,
    as_of     INTEGER NOT NULL,
    span      INTEGER NOT NULL,
    revision  INTEGER NOT NULL,
    skus      INTEGER NOT NULL,
    units     INTEGER NOT NULL,
    first     INTEGER NOT NULL,                 -- as of when the first one is that was ever told
    digest    TEXT NOT NULL,                    -- of its rows
    PRIMARY KEY (source, store)
) STRICT, WITHOUT ROWID;

-- The last snapshot of a bucket that speaks for SKUs that it does not list: a level made later begins there, with zero.
CREATE TABLE stock_zeros (
    store  INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    source INTEGER NOT NULL,
    epoch  INTEGER NOT NULL,
    seq    INTEGER,
    as_of  INTEGER NOT NULL,
    span     INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (store, bucket)
) STRICT, WITHOUT ROWID;

-- Levels. `base` with `epoch`, `seq`, `as_of`, `span`, `revision` is the figure that counts and its watermark; `moved` is
-- the sum of the `movements` movements behind it. `span`: how far from `as_of` the movements reach that it contains, where
-- it is as of a day. `revision`: above zero of a figure that a person confirmed.
CREATE TABLE stock_levels (
    store      INTEGER NOT NULL,
    sku        INTEGER NOT NULL,
    bucket     INTEGER NOT NULL,
    source     INTEGER NOT NULL,
    base       INTEGER,
    epoch      INTEGER NOT NULL,
    seq        INTEGER,
    as_of      INTEGER,
    span       INTEGER NOT NULL,
    revision   INTEGER NOT NULL,
    moved      INTEGER NOT NULL,
    movements  INTEGER NOT NULL,
    committed  INTEGER NOT NULL,
    presumed   INTEGER NOT NULL,                -- pieces that no document names and that were presumed posted
    safety     INTEGER NOT NULL,
    version    INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (store, sku, bucket)
) STRICT, WITHOUT ROWID;

-- Ids of levels, in runs: each is a list of 16 bytes a level, the first half of the id's hash and the level's numbers,
-- sorted. An index would cost a page a level.
CREATE TABLE stock_ids (position INTEGER PRIMARY KEY, run BLOB NOT NULL) STRICT;

-- What does not add up at a level.
CREATE TABLE stock_anomalies (
    store         INTEGER NOT NULL,
    sku           INTEGER NOT NULL,             -- 0: the whole store
    bucket        INTEGER NOT NULL,
    code          TEXT NOT NULL,
    first_seen_at INTEGER NOT NULL,
    detail        TEXT NOT NULL,
    PRIMARY KEY (store, sku, bucket, code)
) STRICT, WITHOUT ROWID;

-- What went in and out.
CREATE TABLE stock_movements (
    position  INTEGER PRIMARY KEY,
    source    INTEGER NOT NULL,
    doc_no    TEXT NOT NULL,
    line      TEXT NOT NULL,
    store     INTEGER NOT NULL,
    sku       INTEGER NOT NULL,
    bucket    INTEGER NOT NULL,
    delta     INTEGER NOT NULL,
    kind      TEXT,
    at        INTEGER NOT NULL,
    precision TEXT NOT NULL,
    epoch     INTEGER NOT NULL,
    seq       INTEGER,
    rank      INTEGER NOT NULL,                 -- `at`, or just behind it where a movement of a day follows a snapshot of it
    order_no  TEXT,
    digest    BLOB NOT NULL,
    delivery  TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX stock_movements_by_key ON stock_movements (source, doc_no, line);
CREATE INDEX stock_movements_by_level ON stock_movements (store, sku, bucket, rank);
CREATE INDEX stock_movements_by_order ON stock_movements (order_no) WHERE order_no IS NOT NULL;
CREATE INDEX stock_movements_by_seq ON stock_movements (store, source, epoch, seq) WHERE seq IS NOT NULL;

-- What orders take from stores. `open` is what no figure contains yet.
CREATE TABLE stock_commitments (
    order_id TEXT NOT NULL,
    store    INTEGER NOT NULL,
    sku      INTEGER NOT NULL,
    order_no TEXT NOT NULL,
    lots     TEXT NOT NULL,                     -- JSON list of [pieces, when they left or null]
    promised INTEGER,
    open     INTEGER NOT NULL,
    presumed INTEGER NOT NULL,
    PRIMARY KEY (order_id, store, sku)
) STRICT, WITHOUT ROWID;
CREATE INDEX stock_commitments_by_number ON stock_commitments (order_no);
CREATE INDEX stock_commitments_by_level ON stock_commitments (store, sku) WHERE open > 0;

-- Commits that changed levels.
CREATE TABLE stock_commits (
    position INTEGER PRIMARY KEY,
    delivery TEXT NOT NULL,
    at       INTEGER NOT NULL
) STRICT;

-- Events about levels, part of the feed: a level as it is after a commit.
CREATE TABLE stock_events (
    seq       INTEGER PRIMARY KEY,
    commit_no INTEGER NOT NULL,
    kind      INTEGER NOT NULL,                 -- 0 changed, 1 anomaly
    changed   INTEGER NOT NULL,                 -- bits of the members that changed
    store     INTEGER NOT NULL,
    sku       INTEGER NOT NULL,
    bucket    INTEGER NOT NULL,
    source    INTEGER NOT NULL,
    made_of   INTEGER NOT NULL,                 -- 0 snapshot, 1 movements, 2 commitments
    on_hand   INTEGER NOT NULL,
    committed INTEGER NOT NULL,
    safety    INTEGER NOT NULL,
    as_of     INTEGER,
    freshness INTEGER NOT NULL,                 -- 0 fresh, 1 stale, 2 partial
    version   INTEGER NOT NULL,
    anomalies TEXT                              -- JSON list
) STRICT;
CREATE INDEX stock_events_of_anomalies ON stock_events (seq) WHERE kind = 1;

-- Slips of a store, the latest first.
CREATE INDEX entities_by_store ON entities (entity ->> 'store_code', updated_at) WHERE kind = 'slip';
