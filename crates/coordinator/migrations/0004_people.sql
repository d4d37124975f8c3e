-- What people choose for themselves: a picture, favourites, quiet hours.
ALTER TABLE people ADD COLUMN avatar TEXT;
ALTER TABLE people ADD COLUMN favourites TEXT NOT NULL DEFAULT '[]';
ALTER TABLE people ADD COLUMN do_not_disturb TEXT NOT NULL DEFAULT '{}';

CREATE TABLE avatars (
    person TEXT PRIMARY KEY REFERENCES people (id),
    image BLOB NOT NULL
) STRICT;
