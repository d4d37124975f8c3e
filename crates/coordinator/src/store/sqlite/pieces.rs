//! Deleting much, piece by piece: others write meanwhile.

use std::time::Duration;

use sqlx::{Sqlite as Database, query::Query, sqlite::SqliteArguments};

use super::Sqlite;
use crate::store::StoreError;

/// Rows that go at once, some milliseconds' work.
pub(super) const PIECE: i64 = 500;
/// The file is left alone between two pieces: who waits for it looks again in shorter steps than he gives up in.
const PAUSE: Duration = Duration::from_millis(20);

impl Sqlite {
    /// Deletes by a statement that takes a few rows at a time, until it finds none.
    pub(super) async fn delete_in_pieces<'q>(
        &self,
        piece: impl Fn() -> Query<'q, Database, SqliteArguments>,
    ) -> Result<(), StoreError> {
        while piece().execute(&self.pool).await?.rows_affected() > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Row as _;
    use wire::{UnixMillis, WebhookId};

    use super::*;

    const OLD: UnixMillis = UnixMillis(1_000);
    const NOW: UnixMillis = UnixMillis(1_001);

    /// Old rows of everything, 4,000 each, and a new one of each.
    async fn filled(folder: &tempfile::TempDir) -> Sqlite {
        let store = Sqlite::open(&folder.path().join("bellbird.db")).await.unwrap();
        let fill = "CREATE TEMP TABLE lines AS WITH RECURSIVE lines (n) AS \
                    (SELECT 1 UNION ALL SELECT n + 1 FROM lines WHERE n <= 4000) \
                    SELECT n, iif(n <= 4000, 0, 2000) AS at FROM lines; \
                    INSERT INTO people (id, name, role, created_at) VALUES ('ann', 'Ann', '\"user\"', 0); \
                    INSERT INTO webhooks (id, person, registered_by, url, events, secret, created_at) \
                    VALUES ('h1', 'ann', 'k1', '', '[]', '', 0), ('h2', 'ann', 'k1', '', '[]', '', 0); \
                    INSERT INTO webhook_events (id, at, body) SELECT 'e' || n, at, '{}' FROM lines; \
                    INSERT INTO deliveries (hook, event, created_at, next_at) \
                    SELECT webhooks.id, 'e' || n, at, at FROM lines, webhooks; \
                    INSERT INTO kept_answers (owner, key, request_hash, body, created_at) \
                    SELECT 'ann', n, '', '', at FROM lines; \
                    INSERT INTO invites (id, code_hash, uses_left, expires_at, role, is_first, created_at) \
                    SELECT 'i' || n, CAST(n AS BLOB), 1, at, '\"user\"', 0, 0 FROM lines;";
        sqlx::raw_sql(fill).execute(&store.pool).await.unwrap();
        store
    }

    async fn count(store: &Sqlite, table: &str) -> i64 {
        let query = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        sqlx::query(query).fetch_one(&store.pool).await.unwrap().get(0)
    }

    /// Others have the file while some are gone and some are not.
    async fn goes_in_pieces(
        store: &Sqlite,
        table: &str,
        deletes: impl Future<Output = Result<(), StoreError>>,
    ) -> (i64, i64) {
        let before = count(store, table).await;
        let others = async {
            loop {
                store.beat(NOW).await.unwrap();
                let left = count(store, table).await;
                if left < before {
                    return left;
                }
            }
        };
        let (done, meanwhile) = tokio::join!(deletes, others);
        done.unwrap();
        (meanwhile, count(store, table).await)
    }

    #[tokio::test]
    async fn what_is_old_goes_in_pieces_and_what_is_new_stays() {
        let folder = tempfile::tempdir().unwrap();
        let store = filled(&folder).await;
        let tidied = goes_in_pieces(&store, "webhook_events", store.tidy_webhooks(OLD, NOW)).await;
        assert!(tidied.0 > 1 && tidied.1 == 1, "{tidied:?}");
        assert_eq!(count(&store, "deliveries").await, 2, "they go with their events");
        let forgotten = goes_in_pieces(&store, "kept_answers", store.forget_answers(OLD)).await;
        assert!(forgotten.0 > 1 && forgotten.1 == 1, "{forgotten:?}");
        let void = goes_in_pieces(&store, "invites", store.tidy_invites(NOW)).await;
        assert!(void.0 > 1 && void.1 == 1, "{void:?}");
    }

    #[tokio::test]
    async fn a_hook_that_is_removed_takes_what_waits_for_it_with_it_in_pieces() {
        let folder = tempfile::tempdir().unwrap();
        let store = filled(&folder).await;
        let hook: WebhookId = "h1".parse().unwrap();
        let removed = goes_in_pieces(&store, "deliveries", store.remove_hook(&hook)).await;
        assert!(removed.0 > 4001 && removed.1 == 4001, "{removed:?}");
        assert_eq!(store.hooks().await.unwrap().len(), 1);
    }
}
