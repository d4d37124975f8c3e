//! People, devices and invites in SQLite.

use sqlx::Row as _;
use wire::{DeviceId, Role, UnixMillis, UserId};

use super::{Sqlite, document, enrol::insert_device};
use crate::store::{InviteGrant, KnownDevice, NewDevice, NewInvite, StoreError, StoredDevice};

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

    pub(in crate::store) async fn add_invite(&self, invite: &NewInvite) -> Result<(), StoreError> {
        let query = sqlx::query(
            "INSERT INTO invites (code_hash, uses_left, expires_at, role, team, person, created_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        );
        query
            .bind(&invite.code_hash)
            .bind(i64::from(invite.uses))
            .bind(invite.expires_at.0)
            .bind(serde_json::to_string(&invite.role)?)
            .bind(&invite.team)
            .bind(invite.person.as_ref().map(UserId::as_str))
            .bind(invite.created_at.0)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    pub(in crate::store) async fn peek_invite(
        &self,
        code_hash: &[u8],
        now: UnixMillis,
    ) -> Result<Option<InviteGrant>, StoreError> {
        let query = "SELECT role, person, team FROM invites WHERE code_hash = ? AND uses_left > 0 AND expires_at > ?";
        let row = sqlx::query(query).bind(code_hash).bind(now.0).fetch_optional(&self.pool).await?;
        let Some(row) = row else { return Ok(None) };
        let role: Role = document(&row, 0)?;
        let person = row.get::<Option<String>, _>(1).and_then(|id| id.parse().ok());
        Ok(Some(InviteGrant { role, team: row.get(2), person }))
    }

    /// The hash of a good invite's code, by how it begins.
    pub(in crate::store) async fn invite_hash(
        &self,
        begins: &[u8],
        now: UnixMillis,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let query =
            "SELECT code_hash FROM invites WHERE substr(code_hash, 1, ?) = ? AND uses_left > 0 AND expires_at > ?";
        let query = sqlx::query(query).bind(begins.len() as i64).bind(begins).bind(now.0);
        Ok(query.fetch_optional(&self.pool).await?.map(|row| row.get(0)))
    }

    /// Uses the invite up and signs the device in, both or neither; `false` when somebody else was faster.
    pub(in crate::store) async fn redeem(&self, code_hash: &[u8], device: &NewDevice) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let used = sqlx::query(
            "UPDATE invites SET uses_left = uses_left - 1 WHERE code_hash = ? AND uses_left > 0 AND expires_at > ?",
        );
        let used = used.bind(code_hash).bind(device.created_at.0).execute(&mut *transaction).await?;
        if used.rows_affected() != 1 {
            return Ok(false);
        }
        let person = &device.person;
        if device.is_new_person {
            let insert = sqlx::query(
                "INSERT INTO people (id, name, role, teams, created_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
            );
            let role = serde_json::to_string(&person.role)?;
            let teams = serde_json::to_string(&person.teams)?;
            let insert = insert.bind(person.id.as_str()).bind(&person.name).bind(role).bind(teams);
            let insert = insert.bind(device.created_at.0);
            if insert.execute(&mut *transaction).await?.rows_affected() != 1 {
                return Ok(false);
            }
        }
        insert_device(&mut transaction, device).await?;
        transaction.commit().await?;
        Ok(true)
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
