//! Kept answers in SQLite; they are written with the change they tell of.

use sqlx::{Row as _, sqlite::SqliteRow};
use wire::UnixMillis;

use super::{Sqlite, pieces::PIECE};
use crate::{
    programs::{KeptAnswer, RepeatId},
    store::StoreError,
};

impl Sqlite {
    /// What a request with this key was answered since then.
    pub(in crate::store) async fn kept_answer(
        &self,
        of: &RepeatId,
        since: UnixMillis,
    ) -> Result<Option<KeptAnswer>, StoreError> {
        let query = "SELECT request_hash, body, created_at FROM kept_answers \
                     WHERE owner = ? AND key = ? AND created_at >= ?";
        let query = sqlx::query(query).bind(&of.owner).bind(&of.key).bind(since.0);
        let row = query.fetch_optional(&self.pool).await?;
        let answer = |row: SqliteRow| {
            Ok(KeptAnswer {
                of: of.clone(),
                request_hash: row.try_get(0)?,
                body: row.try_get(1)?,
                created_at: UnixMillis(row.try_get(2)?),
            })
        };
        row.map(answer).transpose()
    }

    pub(in crate::store) async fn forget_answers(&self, before: UnixMillis) -> Result<(), StoreError> {
        let piece = "DELETE FROM kept_answers WHERE (owner, key) IN \
                     (SELECT owner, key FROM kept_answers WHERE created_at < ? LIMIT ?)";
        self.delete_in_pieces(|| sqlx::query(piece).bind(before.0).bind(PIECE)).await
    }
}
