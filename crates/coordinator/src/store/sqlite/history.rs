//! The history of people in SQLite.

use sqlx::{Row as _, sqlite::SqliteRow};
use wire::{HistoryEntry, UserId};

use super::{Sqlite, document, readable};
use crate::store::StoreError;

impl Sqlite {
    /// A page of history, newest first; a line that cannot be read is left out.
    pub(in crate::store) async fn history_before(
        &self,
        person: &UserId,
        before: Option<i64>,
        most: u32,
    ) -> Result<Vec<HistoryEntry>, StoreError> {
        let query = "SELECT id, unseen, document FROM history WHERE person = ? AND id < ? ORDER BY id DESC LIMIT ?";
        let query = sqlx::query(query).bind(person.as_str()).bind(before.unwrap_or(i64::MAX)).bind(most);
        let rows = query.fetch_all(&self.pool).await?;
        Ok(rows.iter().filter_map(|row| readable(entry(row))).collect())
    }

    pub(in crate::store) async fn mark_seen(&self, person: &UserId) -> Result<(), StoreError> {
        let query = sqlx::query("UPDATE history SET unseen = 0 WHERE person = ? AND unseen = 1");
        query.bind(person.as_str()).execute(&self.pool).await?;
        Ok(())
    }
}

fn entry(row: &SqliteRow) -> Result<HistoryEntry, StoreError> {
    Ok(HistoryEntry { id: row.try_get(0)?, unseen: row.try_get(1)?, ..document(row, 2)? })
}
