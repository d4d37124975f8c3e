//! Kept answers in SQLite.

use sqlx::{Row as _, SqliteConnection};
use wire::UnixMillis;

use super::{Sqlite, StoreError};
use crate::programs::{KeptAnswer, RepeatId};

impl Sqlite {
    /// What a request with this key was answered since then.
    pub(super) async fn kept_answer(&self, of: &RepeatId, since: UnixMillis) -> Result<Option<KeptAnswer>, StoreError> {
        let query = "SELECT request_hash, body, created_at FROM kept_answers \
                     WHERE owner = ? AND key = ? AND created_at >= ?";
        let query = sqlx::query(query).bind(&of.owner).bind(&of.key).bind(since.0);
        let row = query.fetch_optional(&self.pool).await?;
        Ok(row.map(|row| KeptAnswer {
            of: of.clone(),
            request_hash: row.get(0),
            body: row.get(1),
            created_at: UnixMillis(row.get(2)),
        }))
    }

    pub(super) async fn forget_answers(&self, before: UnixMillis) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM kept_answers WHERE created_at < ?").bind(before.0).execute(&self.pool).await?;
        Ok(())
    }
}

/// Part of the transaction that stores what they tell of.
pub(super) async fn insert(connection: &mut SqliteConnection, answers: &[KeptAnswer]) -> Result<(), StoreError> {
    for answer in answers {
        let query = sqlx::query(
            "INSERT OR REPLACE INTO kept_answers (owner, key, request_hash, body, created_at) VALUES (?, ?, ?, ?, ?)",
        );
        let query = query.bind(&answer.of.owner).bind(&answer.of.key).bind(&answer.request_hash);
        query.bind(&answer.body).bind(answer.created_at.0).execute(&mut *connection).await?;
    }
    Ok(())
}
