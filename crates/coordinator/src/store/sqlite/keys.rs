//! API keys in SQLite.

use sqlx::Row as _;
use wire::{ApiKeyId, UnixMillis};

use super::{Sqlite, document, enrol::insert_person, readable};
use crate::{
    programs::StoredKey,
    store::{StoreError, StoredPerson},
};

impl Sqlite {
    /// Every key that was not revoked.
    pub(in crate::store) async fn keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        let query = "SELECT id, person, name, secret_hash, scopes, created_at, expires_at, last_used_at FROM api_keys";
        let rows = sqlx::query(query).fetch_all(&self.pool).await?;
        let key = |row: &sqlx::sqlite::SqliteRow| {
            Ok(StoredKey {
                id: row.try_get::<&str, _>(0)?.parse()?,
                person: row.try_get::<&str, _>(1)?.parse()?,
                name: row.try_get(2)?,
                secret_hash: row.try_get(3)?,
                scopes: document(row, 4)?,
                created_at: UnixMillis(row.try_get(5)?),
                expires_at: row.try_get::<Option<i64>, _>(6)?.map(UnixMillis),
                last_used_at: row.try_get::<Option<i64>, _>(7)?.map(UnixMillis),
            })
        };
        Ok(rows.iter().filter_map(|row| readable(key(row))).collect())
    }

    /// Stores a key and, if there is none yet, its program's person; `false` when a person of that id is no program.
    pub(in crate::store) async fn add_key(&self, key: &StoredKey, person: &StoredPerson) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let known = sqlx::query("SELECT is_program FROM people WHERE id = ?").bind(person.id.as_str());
        match known.fetch_optional(&mut *transaction).await? {
            Some(row) if row.get::<bool, _>(0) => {}
            Some(_) => return Ok(false),
            None => _ = insert_person(&mut transaction, person, key.created_at).await?,
        }
        let query = sqlx::query(
            "INSERT INTO api_keys (id, person, name, secret_hash, scopes, created_at, expires_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        );
        query
            .bind(key.id.as_str())
            .bind(key.person.as_str())
            .bind(&key.name)
            .bind(&key.secret_hash)
            .bind(serde_json::to_string(&key.scopes)?)
            .bind(key.created_at.0)
            .bind(key.expires_at.map(|at| at.0))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// A key that is gone opens nothing, also by the invites that were made with it, and nothing is told to the hooks that
    /// were registered with it.
    pub(in crate::store) async fn remove_key(&self, id: &ApiKeyId, now: UnixMillis) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("DELETE FROM api_keys WHERE id = ?").bind(id.as_str()).execute(&mut *transaction).await?;
        sqlx::query("DELETE FROM invites WHERE made_with = ?").bind(id.as_str()).execute(&mut *transaction).await?;
        let query = "UPDATE webhooks SET disabled_at = ?, disabled_reason = ? \
                     WHERE registered_by = ? AND disabled_at IS NULL";
        let query = sqlx::query(query).bind(now.0).bind("the API key it was registered with was revoked");
        query.bind(id.as_str()).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    pub(in crate::store) async fn key_was_used(&self, id: &ApiKeyId, now: UnixMillis) -> Result<(), StoreError> {
        let query = sqlx::query("UPDATE api_keys SET last_used_at = ? WHERE id = ?");
        query.bind(now.0).bind(id.as_str()).execute(&self.pool).await?;
        Ok(())
    }
}
