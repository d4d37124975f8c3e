-- Teams of people and invites, as JSON lists and names; the operator's own call types; lists by time.
ALTER TABLE people ADD COLUMN teams TEXT NOT NULL DEFAULT '[]';
ALTER TABLE invites ADD COLUMN team TEXT;
CREATE INDEX devices_by_person ON devices (person);

CREATE TABLE call_types (
    name TEXT PRIMARY KEY,
    document TEXT NOT NULL
) STRICT;
