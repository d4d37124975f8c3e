//! People and their devices in SQLite.

use sqlx::Row as _;
use wire::{DeviceId, Role, UnixMillis, UserId};

use super::{Sqlite, document};
use crate::store::{KnownDevice, StoreError, StoredDevice};

impl Sqlite {
    pub(in crate::store) async fn device(&self, id: &DeviceId) -> Result<Option<StoredDevice>, StoreError> {
        let query = sqlx::query("SELECT person, secret_hash, signed_out_at, renewal FROM devices WHERE id = ?");
        let row = query.bind(id.as_str()).fetch_optional(&self.pool).await?;
        Ok(row.and_then(|row| {
            let person: String = row.get(0);
            let is_signed_out = row.get::<Option<i64>, _>(2).is_some();
            let renewal = row.get::<Option<String>, _>(3).map(|text| serde_json::from_str(&text)).transpose().ok()?;
            Some(StoredDevice { person: person.parse().ok()?, secret_hash: row.get(1), is_signed_out, renewal })
        }))
    }

    pub(in crate::store) async fn person_exists(&self, id: &UserId) -> Result<bool, StoreError> {
        let query = sqlx::query("SELECT 1 FROM people WHERE id = ?").bind(id.as_str());
        Ok(query.fetch_optional(&self.pool).await?.is_some())
    }

    pub(in crate::store) async fn role(&self, id: &UserId) -> Result<Option<Role>, StoreError> {
        let query = sqlx::query("SELECT role FROM people WHERE id = ?").bind(id.as_str());
        let row = query.fetch_optional(&self.pool).await?;
        row.map(|row| document(&row, 0)).transpose()
    }

    /// Who is an admin for the longest time.
    pub(in crate::store) async fn first_admin(&self) -> Result<Option<UserId>, StoreError> {
        let query = "SELECT id FROM people WHERE role = ? AND NOT is_program ORDER BY created_at, rowid LIMIT 1";
        let row = sqlx::query(query).bind(serde_json::to_string(&Role::Admin)?).fetch_optional(&self.pool).await?;
        row.map(|row| row.try_get::<&str, _>(0)?.parse().map_err(StoreError::from)).transpose()
    }

    /// How many people are admins.
    pub(in crate::store) async fn admins(&self) -> Result<i64, StoreError> {
        let query = "SELECT count(*) FROM people WHERE role = ? AND NOT is_program";
        let row = sqlx::query(query).bind(serde_json::to_string(&Role::Admin)?).fetch_one(&self.pool).await?;
        Ok(row.try_get(0)?)
    }

    /// Signs every device of a person out, and with them every invite of his: which devices they were.
    pub(in crate::store) async fn sign_out_person(
        &self,
        person: &UserId,
        now: UnixMillis,
    ) -> Result<Vec<DeviceId>, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let query = "UPDATE devices SET signed_out_at = ? WHERE person = ? AND signed_out_at IS NULL RETURNING id";
        let rows = sqlx::query(query).bind(now.0).bind(person.as_str()).fetch_all(&mut *transaction).await?;
        let query = sqlx::query("DELETE FROM invites WHERE made_by = ?1 OR person = ?1").bind(person.as_str());
        query.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(rows.into_iter().filter_map(|row| row.try_get::<&str, _>(0).ok()?.parse().ok()).collect())
    }

    pub(in crate::store) async fn devices(&self, person: &UserId) -> Result<Vec<KnownDevice>, StoreError> {
        let query =
            "SELECT id, name, created_at FROM devices WHERE person = ? AND signed_out_at IS NULL ORDER BY created_at";
        let rows = sqlx::query(query).bind(person.as_str()).fetch_all(&self.pool).await?;
        let devices = rows.into_iter().filter_map(|row| {
            let id = row.get::<String, _>(0).parse().ok()?;
            Some(KnownDevice { id, name: row.get(1), created_at: UnixMillis(row.get(2)) })
        });
        Ok(devices.collect())
    }

    /// Devices whose access tokens may still be good although they were signed out.
    pub(in crate::store) async fn signed_out_since(
        &self,
        since: UnixMillis,
    ) -> Result<Vec<(DeviceId, UnixMillis)>, StoreError> {
        let query = sqlx::query("SELECT id, signed_out_at FROM devices WHERE signed_out_at >= ?").bind(since.0);
        let rows = query.fetch_all(&self.pool).await?;
        let devices =
            rows.into_iter().filter_map(|row| Some((row.get::<String, _>(0).parse().ok()?, UnixMillis(row.get(1)))));
        Ok(devices.collect())
    }
}
