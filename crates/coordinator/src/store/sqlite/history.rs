//! The history of people in SQLite.

use sqlx::{Row as _, sqlite::SqliteRow};
use wire::{HistoryEntry, HistoryPage, Snapshot, UserId};

use super::{Sqlite, document, readable};
use crate::store::{Lines, StoreError};

impl Sqlite {
    /// A page of history, newest first; a line that cannot be read is left out, and the next page begins behind it.
    pub(in crate::store) async fn history_before(
        &self,
        person: &UserId,
        which: Lines,
        before: Option<i64>,
        most: u32,
    ) -> Result<HistoryPage, StoreError> {
        let query = match which {
            Lines::All => {
                "SELECT id, unseen, document FROM history WHERE person = ? AND id < ? ORDER BY id DESC LIMIT ?"
            }
            Lines::Unseen => {
                "SELECT id, unseen, document FROM history WHERE person = ? AND id < ? AND unseen = 1 \
                 ORDER BY id DESC LIMIT ?"
            }
        };
        let query = sqlx::query(query).bind(person.as_str()).bind(before.unwrap_or(i64::MAX));
        // One more than is asked for says whether there is a next page.
        let mut rows = query.bind(i64::from(most) + 1).fetch_all(&self.pool).await?;
        let is_last = rows.len() <= most as usize;
        rows.truncate(most as usize);
        let end = rows.last().filter(|_| !is_last).map(|row| row.try_get(0)).transpose()?;
        Ok(HistoryPage { entries: rows.iter().filter_map(|row| readable(entry(row))).collect(), next: end })
    }

    /// What a device shows of a history, newest first: the newest calls, and every missed one that was not looked at.
    pub(in crate::store) async fn shown_history(&self, person: &UserId) -> Result<Vec<HistoryEntry>, StoreError> {
        let query = "SELECT id, unseen, document FROM history WHERE id IN \
             (SELECT id FROM (SELECT id FROM history WHERE person = ?1 ORDER BY id DESC LIMIT ?2) \
             UNION SELECT id FROM (SELECT id FROM history WHERE person = ?1 AND unseen = 1 ORDER BY id DESC LIMIT ?3)) \
             ORDER BY id DESC LIMIT ?3";
        let query = sqlx::query(query).bind(person.as_str()).bind(Snapshot::NEWEST as i64).bind(Snapshot::MOST as i64);
        let rows = query.fetch_all(&self.pool).await?;
        Ok(rows.iter().filter_map(|row| readable(entry(row))).collect())
    }
}

fn entry(row: &SqliteRow) -> Result<HistoryEntry, StoreError> {
    Ok(HistoryEntry { id: row.try_get(0)?, unseen: row.try_get(1)?, ..document(row, 2)? })
}
