-- What lists of people are ordered and searched by: the name without the difference of small and capital letters. Only ASCII's
-- are the same to SQLite; the server writes it, and at its start for those who have none yet.
ALTER TABLE people ADD COLUMN folded TEXT;
CREATE INDEX people_by_name ON people (folded, id);
