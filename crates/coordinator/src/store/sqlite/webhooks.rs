//! Webhooks in SQLite: where events go, and of which kinds.

use sqlx::{Row as _, sqlite::SqliteRow};
use wire::{UnixMillis, WebhookDisabled, WebhookId};

use super::{Sqlite, document, pieces::PIECE, readable};
use crate::{
    store::StoreError,
    webhooks::{Added, MOST_HOOKS, StoredHook},
};

/// Every hook, oldest first.
const HOOKS: &str = "SELECT id, person, registered_by, url, events, secret, created_at, failing_since, disabled_at, \
                     disabled_reason FROM webhooks ORDER BY id";

impl Sqlite {
    /// Oldest first.
    pub(in crate::store) async fn hooks(&self) -> Result<Vec<StoredHook>, StoreError> {
        let rows = sqlx::query(HOOKS).fetch_all(&self.pool).await?;
        Ok(rows.iter().filter_map(|row| readable(hook(row))).collect())
    }

    /// Whether anybody wants to be told of anything.
    pub(in crate::store) async fn has_hooks(&self) -> Result<bool, StoreError> {
        let query = sqlx::query("SELECT 1 FROM webhooks WHERE disabled_at IS NULL LIMIT 1");
        Ok(query.fetch_optional(&self.pool).await?.is_some())
    }

    /// Stores a hook, one after the other: the last place is taken once.
    pub(in crate::store) async fn add_hook(&self, hook: &StoredHook) -> Result<Added, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let count = sqlx::query("SELECT count(*) FROM webhooks").fetch_one(&mut *transaction).await?;
        if count.try_get::<i64, _>(0)? >= MOST_HOOKS {
            return Ok(Added::TooMany);
        }
        let query = sqlx::query(
            "INSERT INTO webhooks (id, person, registered_by, url, events, secret, created_at) \
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE EXISTS (SELECT 1 FROM api_keys WHERE id = ?3) \
             OR EXISTS (SELECT 1 FROM devices WHERE id = ?3 AND signed_out_at IS NULL)",
        );
        let done = query
            .bind(hook.id.as_str())
            .bind(hook.person.as_str())
            .bind(&hook.registered_by)
            .bind(&hook.url)
            .bind(serde_json::to_string(&hook.events)?)
            .bind(&hook.secret)
            .bind(hook.created_at.0)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(if done.rows_affected() == 1 { Added::Stored } else { Added::NotSignedIn })
    }

    /// It is told of nothing from now on; who asks waits until everything is gone that it was told of.
    pub(in crate::store) async fn remove_hook(&self, id: &WebhookId) -> Result<(), StoreError> {
        // Whoever asks may hang up in between: it is asked for again then.
        let query = "UPDATE webhooks SET disabled_at = coalesce(disabled_at, 0), disabled_reason = ? WHERE id = ?";
        sqlx::query(query).bind("it is being removed").bind(id.as_str()).execute(&self.pool).await?;
        let piece = "DELETE FROM deliveries WHERE seq IN (SELECT seq FROM deliveries WHERE hook = ? LIMIT ?)";
        self.delete_in_pieces(|| sqlx::query(piece).bind(id.as_str()).bind(PIECE)).await?;
        sqlx::query("DELETE FROM webhooks WHERE id = ?").bind(id.as_str()).execute(&self.pool).await?;
        Ok(())
    }

    /// What still waits for it goes out from now on.
    pub(in crate::store) async fn enable_hook(&self, id: &WebhookId) -> Result<(), StoreError> {
        let query = "UPDATE webhooks SET disabled_at = NULL, disabled_reason = NULL, failing_since = NULL WHERE id = ?";
        sqlx::query(query).bind(id.as_str()).execute(&self.pool).await?;
        Ok(())
    }

    /// Hooks of keys that have expired: their program may not be told any more.
    pub(in crate::store) async fn disable_hooks_of_old_keys(&self, now: UnixMillis) -> Result<(), StoreError> {
        let old = "SELECT webhooks.rowid FROM webhooks JOIN api_keys ON api_keys.id = registered_by \
                   WHERE disabled_at IS NULL AND expires_at <= ?";
        for row in sqlx::query(old).bind(now.0).fetch_all(&self.pool).await? {
            let query = sqlx::query("UPDATE webhooks SET disabled_at = ?, disabled_reason = ? WHERE rowid = ?");
            let query = query.bind(now.0).bind("the API key it was registered with has expired");
            query.bind(row.try_get::<i64, _>(0)?).execute(&self.pool).await?;
        }
        Ok(())
    }
}

fn hook(row: &SqliteRow) -> Result<StoredHook, StoreError> {
    let disabled = |at| Ok::<_, StoreError>(WebhookDisabled { at: UnixMillis(at), reason: row.try_get(9)? });
    Ok(StoredHook {
        id: row.try_get::<&str, _>(0)?.parse()?,
        person: row.try_get::<&str, _>(1)?.parse()?,
        registered_by: row.try_get(2)?,
        url: row.try_get(3)?,
        events: document(row, 4)?,
        secret: row.try_get(5)?,
        created_at: UnixMillis(row.try_get(6)?),
        failing_since: row.try_get::<Option<i64>, _>(7)?.map(UnixMillis),
        disabled: row.try_get::<Option<i64>, _>(8)?.map(disabled).transpose()?,
    })
}
