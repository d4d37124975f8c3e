//! The history of people in SQLite.

use sqlx::Row as _;
use wire::{HistoryEntry, UserId};

use super::Sqlite;
use crate::store::StoreError;

impl Sqlite {
    /// A page of history, newest first.
    pub(in crate::store) async fn history_before(
        &self,
        person: &UserId,
        before: Option<i64>,
        most: u32,
    ) -> Result<Vec<HistoryEntry>, StoreError> {
        let query = "SELECT id, unseen, document FROM history WHERE person = ? AND id < ? ORDER BY id DESC LIMIT ?";
        let query = sqlx::query(query).bind(person.as_str()).bind(before.unwrap_or(i64::MAX)).bind(most);
        let rows = query.fetch_all(&self.pool).await?;
        rows.into_iter().map(|row| entry(row.get(0), row.get(1), row.get(2))).collect()
    }

    pub(in crate::store) async fn mark_seen(&self, person: &UserId) -> Result<(), StoreError> {
        let query = sqlx::query("UPDATE history SET unseen = 0 WHERE person = ? AND unseen = 1");
        query.bind(person.as_str()).execute(&self.pool).await?;
        Ok(())
    }
}

fn entry(id: i64, unseen: bool, document: &str) -> Result<HistoryEntry, StoreError> {
    Ok(HistoryEntry { id, unseen, ..serde_json::from_str(document)? })
}
