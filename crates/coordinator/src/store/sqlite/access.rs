//! People and their devices in SQLite.

use sqlx::{Row as _, sqlite::SqliteRow};
use wire::{DeviceId, Role, UnixMillis, UserId};

use super::{Sqlite, document, readable};
use crate::store::{KnownDevice, StoreError, StoredDevice};

/// Who was signed out so many milliseconds ago may still be connected.
const JUST_SIGNED_OUT: i64 = 24 * 3_600 * 1_000;

impl Sqlite {
    pub(in crate::store) async fn device(&self, id: &DeviceId) -> Result<Option<StoredDevice>, StoreError> {
        let query = sqlx::query("SELECT person, secret_hash, signed_out_at, renewal FROM devices WHERE id = ?");
        let row = query.bind(id.as_str()).fetch_optional(&self.pool).await?;
        row.map(|row| {
            let is_signed_out = row.try_get::<Option<i64>, _>(2)?.is_some();
            let person = row.try_get::<&str, _>(0)?.parse()?;
            Ok(StoredDevice { person, secret_hash: row.try_get(1)?, is_signed_out, renewal: document(&row, 3)? })
        })
        .transpose()
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

    /// The program of this name; of several, the one that is there for the longest time.
    pub(in crate::store) async fn program_named(&self, name: &str) -> Result<Option<UserId>, StoreError> {
        let query = "SELECT id FROM people WHERE is_program AND name = ? ORDER BY created_at, rowid LIMIT 1";
        let row = sqlx::query(query).bind(name).fetch_optional(&self.pool).await?;
        row.map(|row| row.try_get::<&str, _>(0)?.parse().map_err(StoreError::from)).transpose()
    }

    /// How many people are admins.
    pub(in crate::store) async fn admins(&self) -> Result<i64, StoreError> {
        let query = "SELECT count(*) FROM people WHERE role = ? AND NOT is_program";
        let row = sqlx::query(query).bind(serde_json::to_string(&Role::Admin)?).fetch_one(&self.pool).await?;
        Ok(row.try_get(0)?)
    }

    /// Signs every device of a person out, and with them every invite of his: which devices they were. Those that were signed
    /// out a short while ago are among them: who asked for that may not have been heard to the end.
    pub(in crate::store) async fn sign_out_person(
        &self,
        person: &UserId,
        now: UnixMillis,
    ) -> Result<Vec<DeviceId>, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let query = "UPDATE devices SET signed_out_at = ?1 WHERE person = ?2 \
                     AND (signed_out_at IS NULL OR signed_out_at > ?1 - ?3) RETURNING id";
        let query = sqlx::query(query).bind(now.0).bind(person.as_str()).bind(JUST_SIGNED_OUT);
        let rows = query.fetch_all(&mut *transaction).await?;
        let query = sqlx::query("DELETE FROM invites WHERE made_by = ?1 OR person = ?1").bind(person.as_str());
        query.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(rows.into_iter().filter_map(|row| row.try_get::<&str, _>(0).ok()?.parse().ok()).collect())
    }

    pub(in crate::store) async fn devices(&self, person: &UserId) -> Result<Vec<KnownDevice>, StoreError> {
        let query =
            "SELECT id, name, created_at FROM devices WHERE person = ? AND signed_out_at IS NULL ORDER BY created_at";
        let rows = sqlx::query(query).bind(person.as_str()).fetch_all(&self.pool).await?;
        let device = |row: &SqliteRow| -> Result<KnownDevice, StoreError> {
            let id = row.try_get::<&str, _>(0)?.parse()?;
            Ok(KnownDevice { id, name: row.try_get(1)?, created_at: UnixMillis(row.try_get(2)?) })
        };
        Ok(rows.iter().filter_map(|row| readable(device(row))).collect())
    }

    /// Devices whose access tokens may still be good although they were signed out.
    pub(in crate::store) async fn signed_out_since(
        &self,
        since: UnixMillis,
    ) -> Result<Vec<(DeviceId, UnixMillis)>, StoreError> {
        let query = sqlx::query("SELECT id, signed_out_at FROM devices WHERE signed_out_at >= ?").bind(since.0);
        let rows = query.fetch_all(&self.pool).await?;
        let device = |row: &SqliteRow| -> Result<(DeviceId, UnixMillis), StoreError> {
            Ok((row.try_get::<&str, _>(0)?.parse()?, UnixMillis(row.try_get(1)?)))
        };
        Ok(rows.iter().filter_map(|row| readable(device(row))).collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::store::{NewDevice, StoredPerson};

    use super::*;

    #[tokio::test]
    async fn who_is_signed_out_once_more_a_moment_later_is_signed_out_whole() {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&folder.path().join("x.db")).await.unwrap();
        let (ann, now): (UserId, _) = ("ann".parse().unwrap(), UnixMillis(1_000_000_000));
        let device = NewDevice {
            id: "ann1".parse().unwrap(),
            person: StoredPerson::new(ann.clone(), "Ann".to_owned(), Role::User, Default::default()),
            is_new_person: true,
            name: "laptop".to_owned(),
            secret_hash: Vec::new(),
            renewal: None,
            created_at: UnixMillis(0),
        };
        assert!(store.enrol(&device).await.unwrap());
        let moment = UnixMillis(now.0 + 1_000);
        let next_week = UnixMillis(now.0 + 7 * JUST_SIGNED_OUT);
        assert_eq!(store.sign_out_person(&ann, now).await.unwrap().len(), 1);
        assert_eq!(store.sign_out_person(&ann, moment).await.unwrap(), [device.id]);
        assert!(store.sign_out_person(&ann, next_week).await.unwrap().is_empty());
    }
}
