-- What lists of calls are ordered by stands beside the document: a page begins where the page before ended, and what is on
-- no page is not read. A document that is none has no place in a list.
ALTER TABLE calls ADD COLUMN created_at INTEGER;
ALTER TABLE calls ADD COLUMN starts_at INTEGER;
UPDATE calls SET created_at = CAST(json_extract(document, '$.created_at') AS INTEGER),
    starts_at = CAST(json_extract(document, '$.starts_at') AS INTEGER) WHERE json_valid(document);
CREATE INDEX calls_by_creation ON calls (created_at, cid);
CREATE INDEX calls_by_start ON calls (starts_at, cid) WHERE starts_at IS NOT NULL;
