-- Devices that came by a token of the operator's own, and what they must show for new access tokens; null for others.
ALTER TABLE devices ADD COLUMN renewal TEXT;

-- Other programs: each acts as a person that has no devices.
ALTER TABLE people ADD COLUMN is_program INTEGER NOT NULL DEFAULT 0;

CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL REFERENCES people (id),
    name TEXT NOT NULL,
    secret_hash BLOB NOT NULL,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    last_used_at INTEGER
) STRICT;

-- What requests with an Idempotency-Key were answered, so that one that comes again is answered the same.
CREATE TABLE kept_answers (
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (owner, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX kept_answers_by_age ON kept_answers (created_at);

-- Where events go; what happened; and who has yet to hear of it. Events are stored with the change they tell of.
CREATE TABLE webhooks (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL REFERENCES people (id),
    -- The key it was registered with, or the admin's device.
    registered_by TEXT NOT NULL,
    url TEXT NOT NULL,
    events TEXT NOT NULL,
    secret TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    failing_since INTEGER,
    disabled_at INTEGER,
    disabled_reason TEXT
) STRICT;

CREATE TABLE webhook_events (
    id TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;

CREATE TABLE deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    hook TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    event TEXT NOT NULL REFERENCES webhook_events (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending',
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER,
    last_result TEXT
) STRICT;
CREATE INDEX due_deliveries ON deliveries (hook, next_at, seq) WHERE state = 'pending';
CREATE INDEX deliveries_by_hook ON deliveries (hook, seq DESC);
CREATE INDEX deliveries_by_event ON deliveries (event);
CREATE INDEX webhook_events_by_age ON webhook_events (at);

-- One row, written by who asks whether the server is well.
CREATE TABLE beats (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT;
