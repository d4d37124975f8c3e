-- An invite knows who made it, and with which device or key: it can be listed and revoked, and goes with them. Of those
-- that there are nobody knows: what signs in one more device of somebody is not good any longer, nor is what was made for
-- the first admin once somebody is there.
CREATE TABLE known_invites (
    id TEXT PRIMARY KEY,
    code_hash BLOB NOT NULL UNIQUE,
    uses_left INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    role TEXT NOT NULL,
    team TEXT,
    person TEXT REFERENCES people (id),
    -- Null for the server itself.
    made_by TEXT REFERENCES people (id),
    -- A device, or an API key.
    made_with TEXT,
    -- Good only while nobody is there.
    is_first INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
INSERT INTO known_invites
SELECT 'i' || lower(hex(randomblob(13))), code_hash, uses_left, expires_at, role, team, NULL, NULL, NULL,
    NOT EXISTS (SELECT 1 FROM people), created_at
FROM invites
WHERE person IS NULL AND created_at >= coalesce((SELECT min(created_at) FROM people), -1);
DROP TABLE invites;
ALTER TABLE known_invites RENAME TO invites;
CREATE INDEX invites_by_maker ON invites (made_by);
