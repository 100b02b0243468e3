-- Endpoints that events are sent to, and how far each has come. A row stays when its endpoint leaves the configuration, so
-- that it goes on where it was when it comes back.
CREATE TABLE webhooks (
    name              TEXT PRIMARY KEY,
    url_digest        TEXT NOT NULL,            -- SHA-256 of the URL: another URL is tried afresh
    cursor            INTEGER NOT NULL,         -- up to here everything is delivered, or parked
    state             TEXT NOT NULL,
    failures          INTEGER NOT NULL,
    next_at           INTEGER,
    since             INTEGER,
    reason            TEXT,
    last_status       INTEGER,
    last_delivered_at INTEGER
) STRICT;

-- Events up to a cursor that were not delivered yet: they failed, or stand behind one of the same entity that did.
CREATE TABLE webhook_parked (
    webhook  TEXT NOT NULL,
    seq      INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    next_at  INTEGER,
    PRIMARY KEY (webhook, seq)
) STRICT, WITHOUT ROWID;

-- Tasks of one channel, and which channels have any, without a look at those of all others.
CREATE INDEX tasks_by_channel ON tasks (channel, due_at, id);
