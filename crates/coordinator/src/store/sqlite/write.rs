//! Writing a batch of changes: one statement of many parts, so that a batch of one ring and one of a hundred both cost one
//! way to the database's thread and back.

use std::collections::BTreeMap;

use sqlx::Row as _;
use wire::{CallId, HistoryEntry};

use super::Sqlite;
use crate::{
    ring::Ring,
    store::{Change, StoreError},
};

/// The rows come as JSON lists: the text of the statement is always the same, and is prepared once.
const WRITE: &str = "BEGIN IMMEDIATE; \
    INSERT INTO calls (cid, is_live, document, ring) \
    SELECT value ->> 0, value ->> 1, value -> 2, nullif(value -> 3, 'null') FROM json_each(?) WHERE true \
    ON CONFLICT (cid) DO UPDATE SET is_live = excluded.is_live, document = excluded.document, \
    ring = coalesce(excluded.ring, ring); \
    INSERT INTO history (person, occasion, unseen, document) \
    SELECT value ->> 0, value ->> 1, value ->> 2, value -> 3 FROM json_each(?) WHERE true \
    ON CONFLICT (person, occasion) DO UPDATE SET unseen = excluded.unseen, document = excluded.document \
    RETURNING id, person, occasion; \
    COMMIT";

impl Sqlite {
    /// Writes a change in one transaction; answers with the history entries as they now stand, in the change's order.
    pub(in crate::store) async fn write(&self, change: &Change) -> Result<Vec<HistoryEntry>, StoreError> {
        // In the order of their ids, which is that of time: the newest of each call is left.
        let rings: BTreeMap<&CallId, &Ring> = change.rings.values().map(|ring| (&ring.cid, ring)).collect();
        let calls = change.calls.iter().map(|(cid, stored)| {
            (cid, u8::from(stored.is_live), &stored.call, rings.get(cid)) //
        });
        let history = change.history.iter().map(|((person, occasion), entry)| {
            (person, occasion, u8::from(entry.unseen), entry) //
        });
        let query = sqlx::query(WRITE).bind(json(calls)?).bind(json(history)?);
        let mut connection = self.writer.acquire().await?;
        let rows = match query.fetch_all(&mut *connection).await {
            Ok(rows) => rows,
            Err(error) => {
                // Fails when the database has gone back by itself; then that is done.
                _ = sqlx::query("ROLLBACK").execute(&mut *connection).await;
                return Err(error.into());
            }
        };
        let mut ids = BTreeMap::new();
        for row in &rows {
            ids.insert((row.try_get::<&str, _>(1)?, row.try_get::<&str, _>(2)?), row.try_get::<i64, _>(0)?);
        }
        let numbered = change.history.iter().filter_map(|((person, occasion), entry)| {
            let id = *ids.get(&(person.as_str(), occasion.as_str()))?;
            Some(HistoryEntry { id, ..entry.clone() })
        });
        Ok(numbered.collect())
    }
}

fn json(rows: impl Iterator<Item = impl serde::Serialize>) -> Result<String, serde_json::Error> {
    serde_json::to_string(&rows.collect::<Vec<_>>())
}
