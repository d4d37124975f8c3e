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
macro_rules! changes {
    () => {
        "INSERT INTO calls (cid, is_live, document, ring) \
         SELECT value ->> 0, value ->> 1, value -> 2, nullif(value -> 3, 'null') FROM json_each(?) WHERE true \
         ON CONFLICT (cid) DO UPDATE SET is_live = excluded.is_live, document = excluded.document, \
         ring = coalesce(excluded.ring, ring); \
         INSERT INTO history (person, occasion, unseen, document) \
         SELECT value ->> 0, value ->> 1, value ->> 2, value -> 3 FROM json_each(?) WHERE true \
         ON CONFLICT (person, occasion) DO UPDATE SET unseen = excluded.unseen, document = excluded.document \
         RETURNING id, person, occasion; "
    };
}

const WRITE: &str = concat!("BEGIN IMMEDIATE; ", changes!(), "COMMIT");

/// With what other programs were answered and are to be told. An event that nobody wants to hear is not kept.
const WRITE_AND_TELL: &str = concat!(
    "BEGIN IMMEDIATE; ",
    changes!(),
    "INSERT OR REPLACE INTO kept_answers (owner, key, request_hash, body, created_at) \
     SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?); \
     INSERT INTO webhook_events (id, at, body) \
     SELECT value ->> 0, value ->> 1, value -> 3 FROM json_each(?) AS told WHERE EXISTS (SELECT 1 FROM webhooks \
     WHERE disabled_at IS NULL AND EXISTS (SELECT 1 FROM json_each(events) WHERE value = told.value ->> 2)); \
     INSERT INTO deliveries (hook, event, created_at, next_at) \
     SELECT webhooks.id, told.value ->> 0, told.value ->> 1, told.value ->> 1 FROM json_each(?) AS told, webhooks \
     WHERE disabled_at IS NULL AND EXISTS (SELECT 1 FROM json_each(events) WHERE value = told.value ->> 2) \
     ORDER BY told.key, webhooks.id; ",
    "COMMIT",
);

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
        let (calls, history) = (json(calls)?, json(history)?);
        let query = if change.answers.is_empty() && change.events.is_empty() {
            sqlx::query(WRITE).bind(calls).bind(history)
        } else {
            let answers = change.answers.iter().map(|answer| {
                (&answer.of.owner, &answer.of.key, &answer.request_hash, &answer.body, answer.created_at) //
            });
            let events = json(change.events.iter().map(|event| (&event.id, event.at, event.kind, event)))?;
            let query = sqlx::query(WRITE_AND_TELL).bind(calls).bind(history).bind(json(answers)?);
            query.bind(events.clone()).bind(events)
        };
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
