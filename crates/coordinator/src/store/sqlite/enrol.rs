//! Coming into SQLite otherwise than by an invite: people of a product, programs, their devices.

use sqlx::SqliteConnection;
use wire::UnixMillis;

use super::Sqlite;
use crate::store::{NewDevice, PersonKind, StoreError, StoredPerson, folded};

impl Sqlite {
    /// Signs a device in, and its person as the operator's product names him: both, or neither if the person of that id
    /// is a program.
    pub(in crate::store) async fn enrol(&self, device: &NewDevice) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        if !insert_person(&mut transaction, &device.person, device.created_at).await? {
            return Ok(false);
        }
        insert_device(&mut transaction, device).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Makes a person, or changes one; `false` if the person of that id is a program.
    pub(in crate::store) async fn put_person(
        &self,
        person: &StoredPerson,
        now: UnixMillis,
    ) -> Result<bool, StoreError> {
        let mut connection = self.pool.acquire().await?;
        insert_person(&mut connection, person, now).await
    }
}

/// Inserts a person, or changes the human of that id; `false` if that is a program.
pub(super) async fn insert_person(
    connection: &mut SqliteConnection,
    person: &StoredPerson,
    now: UnixMillis,
) -> Result<bool, StoreError> {
    let query = sqlx::query(
        "INSERT INTO people (id, name, folded, role, teams, is_program, created_at) VALUES (?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, folded = excluded.folded, role = excluded.role, teams = excluded.teams \
         WHERE is_program = 0 AND excluded.is_program = 0",
    );
    let query = query.bind(person.id.as_str()).bind(&person.name).bind(folded(&person.name));
    let query = query
        .bind(serde_json::to_string(&person.role)?)
        .bind(serde_json::to_string(&person.teams)?)
        .bind(person.kind == PersonKind::Program);
    Ok(query.bind(now.0).execute(connection).await?.rows_affected() == 1)
}

/// A device of a person who is there.
pub(super) async fn insert_device(connection: &mut SqliteConnection, device: &NewDevice) -> Result<(), StoreError> {
    let query = sqlx::query(
        "INSERT INTO devices (id, person, name, secret_hash, renewal, created_at) VALUES (?, ?, ?, ?, ?, ?)",
    );
    query
        .bind(device.id.as_str())
        .bind(device.person.id.as_str())
        .bind(&device.name)
        .bind(&device.secret_hash)
        .bind(device.renewal.map(|renewal| serde_json::to_string(&renewal)).transpose()?)
        .bind(device.created_at.0)
        .execute(connection)
        .await?;
    Ok(())
}
