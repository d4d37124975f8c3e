//! Writing a batch of changes: one statement of many parts, so that a batch of one ring and one of a hundred both cost one
//! way to the database's thread and back.

use std::collections::BTreeMap;

use serde::Serialize;
use sqlx::{Arguments as _, AssertSqlSafe, Encode, Row as _, Type, sqlite::SqliteArguments};
use wire::HistoryEntry;

use super::Sqlite;
use crate::store::{Change, StoreError};

/// How many rows a statement has room for: of few sizes, so that each is prepared once. Empty places are passed over.
const ROOMS: [usize; 5] = [1, 4, 16, 64, 256];

/// What webhooks are told and programs were answered comes as JSON lists. An event that nobody wants to hear is not kept,
/// and a hook whose list cannot be read any more wants none.
const TELL: &str = "INSERT OR REPLACE INTO kept_answers (owner, key, request_hash, body, created_at) \
     SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?); \
     INSERT INTO webhook_events (id, at, body) \
     SELECT value ->> 0, value ->> 1, value -> 3 FROM json_each(?) AS told WHERE EXISTS (SELECT 1 FROM webhooks \
     WHERE disabled_at IS NULL AND EXISTS (SELECT 1 FROM json_each(CASE WHEN json_valid(events) THEN events ELSE '[]' END) \
     WHERE value = told.value ->> 2)); \
     INSERT INTO deliveries (hook, event, created_at, next_at) \
     SELECT webhooks.id, told.value ->> 0, told.value ->> 1, told.value ->> 1 FROM json_each(?) AS told, webhooks \
     WHERE disabled_at IS NULL AND EXISTS (SELECT 1 FROM json_each(CASE WHEN json_valid(events) THEN events ELSE '[]' END) \
     WHERE value = told.value ->> 2) \
     ORDER BY told.key, webhooks.id; ";

impl Sqlite {
    /// Writes a change in one transaction; answers with the history entries as they now stand, in the change's order.
    pub(in crate::store) async fn write(&self, change: &Change) -> Result<Vec<HistoryEntry>, StoreError> {
        let mut statement = Statement { sql: String::from("BEGIN IMMEDIATE; "), ..Statement::default() };
        statement.put_personal(&change.personal)?;
        statement.put_calls(change)?;
        statement.put_history(change)?;
        if !change.answers.is_empty() || !change.events.is_empty() {
            let answers = change.answers.iter().map(|answer| {
                (&answer.of.owner, &answer.of.key, &answer.request_hash, &answer.body, answer.created_at) //
            });
            let events = json(change.events.iter().map(|event| (&event.id, event.at, event.kind, event)))?;
            statement.sql.push_str(TELL);
            statement.bind(json(answers)?)?;
            statement.bind(events.clone())?;
            statement.bind(events)?;
        }
        let Statement { mut sql, values, .. } = statement;
        sql.push_str("COMMIT");
        let mut connection = self.writer.acquire().await?;
        let rows = match sqlx::query_with(AssertSqlSafe(sql), values).fetch_all(&mut *connection).await {
            Ok(rows) => rows,
            Err(error) => {
                // Fails when the database has gone back by itself; then that is done.
                _ = sqlx::query("ROLLBACK").execute(&mut *connection).await;
                return Err(error.into());
            }
        };
        self.known.extend(change.calls.keys());
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

/// Text and values, in step.
#[derive(Default)]
pub(super) struct Statement {
    pub(super) sql: String,
    values: SqliteArguments,
    /// Where documents are written before they are bound: it grows once.
    document: Vec<u8>,
}

/// A table that rows are put into, in place of those that are the same by their key.
struct Table {
    into: &'static str,
    row: &'static str,
    columns: usize,
    on_conflict: &'static str,
}

impl Statement {
    fn put_calls(&mut self, change: &Change) -> Result<(), StoreError> {
        for (cid, stored) in &change.calls {
            self.bind(cid.as_str())?;
            self.bind(stored.is_live)?;
            self.bind_document(&stored.call)?;
            match &stored.kept {
                Some(kept) => self.bind_document(kept)?,
                None => self.bind(None::<&str>)?,
            }
            self.bind(stored.call.created_at.0)?;
            self.bind(stored.call.starts_at.map(|at| at.0))?;
        }
        let calls = Table {
            into: "calls (cid, is_live, document, ring, created_at, starts_at)",
            row: "(?, ?, ?, ?, ?, ?)",
            columns: 6,
            on_conflict: "(cid) DO UPDATE SET is_live = excluded.is_live, document = excluded.document, \
                          ring = coalesce(excluded.ring, ring), starts_at = excluded.starts_at",
        };
        self.put(change.calls.len(), &calls)
    }

    fn put_history(&mut self, change: &Change) -> Result<(), StoreError> {
        for ((person, occasion), entry) in &change.history {
            self.bind(person.as_str())?;
            self.bind(occasion.as_str())?;
            self.bind(entry.unseen)?;
            self.bind_document(entry)?;
        }
        let history = Table {
            into: "history (person, occasion, unseen, document)",
            row: "(?, ?, ?, ?)",
            columns: 4,
            on_conflict: "(person, occasion) DO UPDATE SET unseen = excluded.unseen, document = excluded.document \
                          RETURNING id, person, occasion",
        };
        self.put(change.history.len(), &history)
    }

    pub(super) fn bind<'q>(
        &mut self,
        value: impl Encode<'q, sqlx::Sqlite> + Type<sqlx::Sqlite>,
    ) -> Result<(), StoreError> {
        self.values.add(value).map_err(|error| sqlx::Error::Encode(error).into())
    }

    fn bind_document(&mut self, value: &impl Serialize) -> Result<(), StoreError> {
        let mut document = std::mem::take(&mut self.document);
        document.clear();
        serde_json::to_writer(&mut document, value)?;
        let bound = self.bind(str::from_utf8(&document).expect("JSON is text"));
        self.document = document;
        bound
    }

    /// Adds the text for so many rows, whose values are bound, and values for the places that stay empty.
    fn put(&mut self, mut count: usize, table: &Table) -> Result<(), StoreError> {
        let Table { into, row, columns, on_conflict } = table;
        while count > 0 {
            let room = ROOMS.into_iter().find(|room| *room >= count).unwrap_or(ROOMS[ROOMS.len() - 1]);
            let rows = vec![*row; room].join(", ");
            self.sql.push_str(&format!(
                "INSERT INTO {into} SELECT * FROM (VALUES {rows}) WHERE column1 IS NOT NULL ON CONFLICT {on_conflict}; "
            ));
            for _ in 0..room.saturating_sub(count) * columns {
                self.bind(None::<i64>)?;
            }
            count = count.saturating_sub(room);
        }
        Ok(())
    }
}

pub(super) fn json(rows: impl Iterator<Item = impl Serialize>) -> Result<String, serde_json::Error> {
    serde_json::to_string(&rows.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_come_in_few_sizes_and_empty_places_are_filled() {
        let table = Table { into: "t (a, b)", row: "(?, ?)", columns: 2, on_conflict: "(a) DO NOTHING" };
        for (count, parts, rows) in [(0, 0, 0), (1, 1, 1), (2, 1, 4), (5, 1, 16), (256, 1, 256), (300, 2, 320)] {
            let mut statement = Statement::default();
            for _ in 0..count * 2 {
                statement.bind(1).unwrap();
            }
            statement.put(count, &table).unwrap();
            assert_eq!(statement.sql.matches("INSERT").count(), parts, "{count}");
            assert_eq!((statement.sql.matches('?').count(), statement.values.len()), (rows * 2, rows * 2), "{count}");
        }
    }
}
