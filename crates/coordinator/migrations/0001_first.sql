-- Everything that must survive a restart. Documents are JSON of the wire types; columns are what is searched for.
CREATE TABLE people (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE devices (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL REFERENCES people (id),
    name TEXT NOT NULL,
    secret_hash BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    signed_out_at INTEGER
) STRICT;

CREATE TABLE invites (
    code_hash BLOB PRIMARY KEY,
    uses_left INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    role TEXT NOT NULL,
    person TEXT REFERENCES people (id),
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE calls (
    cid TEXT PRIMARY KEY,
    is_live INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT;
CREATE INDEX live_calls ON calls (is_live) WHERE is_live = 1;

CREATE TABLE rings (
    id TEXT PRIMARY KEY,
    cid TEXT NOT NULL REFERENCES calls (cid),
    is_live INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT;
CREATE INDEX rings_by_call ON rings (cid, id);

CREATE TABLE history (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    person TEXT NOT NULL REFERENCES people (id),
    occasion TEXT NOT NULL,
    unseen INTEGER NOT NULL,
    document TEXT NOT NULL,
    UNIQUE (person, occasion)
) STRICT;
CREATE INDEX history_by_person ON history (person, id DESC);
