//! The embedded store: one SQLite file in WAL mode.

use std::{path::Path, time::Duration};

use sqlx::{
    QueryBuilder, Row as _, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use wire::{Call, CallFilter, CallId, CallOrder, CallTypeData, DeviceId, HistoryEntry, Role, UnixMillis, UserId};

use super::{Change, InviteGrant, KnownDevice, Live, NewDevice, NewInvite, StoreError, StoredDevice, StoredPerson};
use crate::ring::Ring;

#[derive(Debug, Clone)]
pub(crate) struct Sqlite {
    pool: SqlitePool,
}

impl Sqlite {
    pub(crate) async fn open(file: &Path) -> Result<Self, sqlx::Error> {
        // NORMAL: what is committed survives a crash of the process; a power cut can cost the last moments, never the
        // file (sqlite.org/pragma.html#pragma_synchronous).
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(2));
        // A file does not hang up: asking before each use would only cost a round to its thread.
        let pool = SqlitePoolOptions::new().max_connections(4).test_before_acquire(false).connect_with(options).await?;
        sqlx::migrate!("./migrations").run(&pool).await?;
        Ok(Self { pool })
    }

    pub(super) async fn live(&self) -> Result<Live, StoreError> {
        let mut live = Live::default();
        for row in sqlx::query("SELECT id, name, role, teams FROM people").fetch_all(&self.pool).await? {
            let (id, name, role): (String, String, String) = (row.get(0), row.get(1), row.get(2));
            match (id.parse(), serde_json::from_str(&role), serde_json::from_str(row.get(3))) {
                (Ok(id), Ok(role), Ok(teams)) => live.people.push(StoredPerson { id, name, role, teams }),
                _ => tracing::error!(id, "a stored person cannot be read and is left out"),
            }
        }
        for row in sqlx::query("SELECT document FROM calls WHERE is_live = 1").fetch_all(&self.pool).await? {
            keep_readable(&mut live.calls, row.get(0));
        }
        for row in sqlx::query("SELECT name, document FROM call_types").fetch_all(&self.pool).await? {
            match serde_json::from_str(row.get(1)) {
                Ok(data) => _ = live.call_types.insert(row.get(0), data),
                Err(error) => tracing::error!(%error, "a stored call type cannot be read and is left out"),
            }
        }
        let newest = "SELECT document FROM rings WHERE id IN (SELECT max(rings.id) FROM rings JOIN calls USING (cid) \
                      WHERE calls.is_live = 1 GROUP BY rings.cid)";
        for row in sqlx::query(newest).fetch_all(&self.pool).await? {
            keep_readable(&mut live.rings, row.get(0));
        }
        Ok(live)
    }

    pub(super) async fn device(&self, id: &DeviceId) -> Result<Option<StoredDevice>, StoreError> {
        let query = sqlx::query("SELECT person, secret_hash, signed_out_at FROM devices WHERE id = ?");
        let row = query.bind(id.as_str()).fetch_optional(&self.pool).await?;
        Ok(row.and_then(|row| {
            let person: String = row.get(0);
            let is_signed_out = row.get::<Option<i64>, _>(2).is_some();
            Some(StoredDevice { person: person.parse().ok()?, secret_hash: row.get(1), is_signed_out })
        }))
    }

    pub(super) async fn person_exists(&self, id: &UserId) -> Result<bool, StoreError> {
        let query = sqlx::query("SELECT 1 FROM people WHERE id = ?").bind(id.as_str());
        Ok(query.fetch_optional(&self.pool).await?.is_some())
    }

    pub(super) async fn role(&self, id: &UserId) -> Result<Option<Role>, StoreError> {
        let query = sqlx::query("SELECT role FROM people WHERE id = ?").bind(id.as_str());
        let row = query.fetch_optional(&self.pool).await?;
        row.map(|row| Ok(serde_json::from_str(row.get(0))?)).transpose()
    }

    pub(super) async fn sign_out(&self, id: &DeviceId, now: UnixMillis) -> Result<(), StoreError> {
        let query = sqlx::query("UPDATE devices SET signed_out_at = ? WHERE id = ?");
        query.bind(now.0).bind(id.as_str()).execute(&self.pool).await?;
        Ok(())
    }

    pub(super) async fn add_invite(&self, invite: &NewInvite) -> Result<(), StoreError> {
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

    pub(super) async fn peek_invite(
        &self,
        code_hash: &[u8],
        now: UnixMillis,
    ) -> Result<Option<InviteGrant>, StoreError> {
        let query = "SELECT role, person, team FROM invites WHERE code_hash = ? AND uses_left > 0 AND expires_at > ?";
        let row = sqlx::query(query).bind(code_hash).bind(now.0).fetch_optional(&self.pool).await?;
        let Some(row) = row else { return Ok(None) };
        let role: Role = serde_json::from_str(row.get(0))?;
        let person = row.get::<Option<String>, _>(1).and_then(|id| id.parse().ok());
        Ok(Some(InviteGrant { role, team: row.get(2), person }))
    }

    /// The hash of a good invite's code, by how it begins.
    pub(super) async fn invite_hash(&self, begins: &[u8], now: UnixMillis) -> Result<Option<Vec<u8>>, StoreError> {
        let query =
            "SELECT code_hash FROM invites WHERE substr(code_hash, 1, ?) = ? AND uses_left > 0 AND expires_at > ?";
        let query = sqlx::query(query).bind(begins.len() as i64).bind(begins).bind(now.0);
        Ok(query.fetch_optional(&self.pool).await?.map(|row| row.get(0)))
    }

    /// Uses the invite up and signs the device in, both or neither; `false` when somebody else was faster.
    pub(super) async fn redeem(&self, code_hash: &[u8], device: &NewDevice) -> Result<bool, StoreError> {
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
        let insert =
            sqlx::query("INSERT INTO devices (id, person, name, secret_hash, created_at) VALUES (?, ?, ?, ?, ?)");
        insert
            .bind(device.id.as_str())
            .bind(person.id.as_str())
            .bind(&device.name)
            .bind(&device.secret_hash)
            .bind(device.created_at.0)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(true)
    }

    pub(super) async fn call(&self, cid: &CallId) -> Result<Option<Call>, StoreError> {
        let query = sqlx::query("SELECT document FROM calls WHERE cid = ?").bind(cid.as_str());
        let row = query.fetch_optional(&self.pool).await?;
        row.map(|row| Ok(serde_json::from_str(row.get(0))?)).transpose()
    }

    pub(super) async fn newest_ring(&self, cid: &CallId) -> Result<Option<Ring>, StoreError> {
        let query = sqlx::query("SELECT document FROM rings WHERE cid = ? ORDER BY id DESC LIMIT 1");
        let row = query.bind(cid.as_str()).fetch_optional(&self.pool).await?;
        row.map(|row| Ok(serde_json::from_str(row.get(0))?)).transpose()
    }

    /// Writes a change in one transaction; answers with the history entries as they now stand.
    pub(super) async fn write(&self, change: &Change) -> Result<Vec<HistoryEntry>, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        for (cid, stored) in &change.calls {
            let query = sqlx::query(
                "INSERT INTO calls (cid, is_live, document) VALUES (?, ?, ?) \
                 ON CONFLICT (cid) DO UPDATE SET is_live = excluded.is_live, document = excluded.document",
            );
            let document = serde_json::to_string(&stored.call)?;
            let query = query.bind(cid.as_str()).bind(stored.is_live).bind(document);
            query.execute(&mut *transaction).await?;
        }
        for ring in change.rings.values() {
            let query = sqlx::query(
                "INSERT INTO rings (id, cid, is_live, document) VALUES (?, ?, ?, ?) \
                 ON CONFLICT (id) DO UPDATE SET is_live = excluded.is_live, document = excluded.document",
            );
            let document = serde_json::to_string(ring)?;
            let query = query.bind(ring.id.as_str()).bind(ring.cid.as_str()).bind(ring.is_live()).bind(document);
            query.execute(&mut *transaction).await?;
        }
        let mut entries = Vec::with_capacity(change.history.len());
        for remembered in &change.history {
            let query = sqlx::query(
                "INSERT INTO history (person, occasion, unseen, document) VALUES (?, ?, ?, ?) \
                 ON CONFLICT (person, occasion) DO UPDATE SET unseen = excluded.unseen, document = excluded.document \
                 RETURNING id",
            );
            let document = serde_json::to_string(&remembered.entry)?;
            let query = query.bind(remembered.person.as_str()).bind(&remembered.occasion);
            let row = query.bind(remembered.entry.unseen).bind(document).fetch_one(&mut *transaction).await?;
            entries.push(HistoryEntry { id: row.get(0), ..remembered.entry.clone() });
        }
        transaction.commit().await?;
        Ok(entries)
    }

    /// A page of history, newest first.
    pub(super) async fn history_before(
        &self,
        person: &UserId,
        before: Option<i64>,
        most: u32,
    ) -> Result<Vec<HistoryEntry>, StoreError> {
        let query = "SELECT id, unseen, document FROM history WHERE person = ? AND id < ? ORDER BY id DESC LIMIT ?";
        let query = sqlx::query(query).bind(person.as_str()).bind(before.unwrap_or(i64::MAX)).bind(most);
        let rows = query.fetch_all(&self.pool).await?;
        rows.into_iter().map(|row| entry(row.get(0), row.get(1), row.get(2))).collect()
    }

    pub(super) async fn devices(&self, person: &UserId) -> Result<Vec<KnownDevice>, StoreError> {
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
    pub(super) async fn signed_out_since(&self, since: UnixMillis) -> Result<Vec<(DeviceId, UnixMillis)>, StoreError> {
        let query = sqlx::query("SELECT id, signed_out_at FROM devices WHERE signed_out_at >= ?").bind(since.0);
        let rows = query.fetch_all(&self.pool).await?;
        let devices =
            rows.into_iter().filter_map(|row| Some((row.get::<String, _>(0).parse().ok()?, UnixMillis(row.get(1)))));
        Ok(devices.collect())
    }

    pub(super) async fn set_call_type(&self, name: &str, data: &CallTypeData) -> Result<(), StoreError> {
        let query = sqlx::query(
            "INSERT INTO call_types (name, document) VALUES (?, ?) \
             ON CONFLICT (name) DO UPDATE SET document = excluded.document",
        );
        query.bind(name).bind(serde_json::to_string(data)?).execute(&self.pool).await?;
        Ok(())
    }

    /// Calls that fit a filter, in its order. Who may read them is the authority's matter.
    pub(super) async fn query(&self, filter: &CallFilter, offset: i64, most: i64) -> Result<Vec<Call>, StoreError> {
        let mut query = QueryBuilder::new("SELECT document FROM calls WHERE 1 = 1");
        if let Some(call_type) = &filter.call_type {
            // Between `type:` and `type;`: every id of the type, by the primary key.
            query
                .push(" AND cid >= ")
                .push_bind(format!("{call_type}:"))
                .push(" AND cid < ")
                .push_bind(format!("{call_type};"));
        }
        if let Some(member) = &filter.member {
            query.push(
                " AND EXISTS (SELECT 1 FROM json_each(document, '$.members') WHERE json_extract(value, '$.user') = ",
            );
            query.push_bind(member.as_str().to_owned()).push(")");
        }
        if let Some(team) = &filter.team {
            query.push(" AND json_extract(document, '$.team') = ").push_bind(team.clone());
        }
        if let Some(has_session) = filter.has_session {
            query
                .push(if has_session { " AND" } else { " AND NOT" })
                .push(" json_extract(document, '$.session') IS NOT NULL");
        }
        if let Some(from) = filter.starts_from {
            query.push(" AND json_extract(document, '$.starts_at') >= ").push_bind(from.0);
        }
        if let Some(before) = filter.starts_before {
            query.push(" AND json_extract(document, '$.starts_at') < ").push_bind(before.0);
        }
        for (name, value) in &filter.custom {
            // A path of its own for each name, quoted: names are free text.
            query.push(" AND json_extract(document, '$.custom' || '.' || ").push_bind(serde_json::to_string(name)?);
            query.push(") = json_extract(").push_bind(serde_json::to_string(value)?).push(", '$')");
        }
        query.push(match filter.sort {
            CallOrder::Newest => " ORDER BY json_extract(document, '$.created_at') DESC, cid",
            CallOrder::Oldest => " ORDER BY json_extract(document, '$.created_at'), cid",
            CallOrder::StartsAt => {
                " AND json_extract(document, '$.starts_at') IS NOT NULL ORDER BY json_extract(document, '$.starts_at'), cid"
            }
        });
        query.push(" LIMIT ").push_bind(most).push(" OFFSET ").push_bind(offset);
        let mut calls = Vec::new();
        for row in query.build().fetch_all(&self.pool).await? {
            keep_readable(&mut calls, row.get(0));
        }
        Ok(calls)
    }

    /// A whole copy in a new file, made while everything goes on.
    pub(super) async fn back_up(&self, file: &Path) -> Result<(), StoreError> {
        let query = sqlx::query("VACUUM INTO ?").bind(file.to_string_lossy().into_owned());
        query.execute(&self.pool).await?;
        Ok(())
    }

    pub(super) async fn mark_seen(&self, person: &UserId) -> Result<(), StoreError> {
        let query = sqlx::query("UPDATE history SET unseen = 0 WHERE person = ? AND unseen = 1");
        query.bind(person.as_str()).execute(&self.pool).await?;
        Ok(())
    }
}

fn entry(id: i64, unseen: bool, document: &str) -> Result<HistoryEntry, StoreError> {
    Ok(HistoryEntry { id, unseen, ..serde_json::from_str(document)? })
}

/// A corrupt row costs itself, not the start of the server.
fn keep_readable<T: serde::de::DeserializeOwned>(kept: &mut Vec<T>, document: &str) {
    match serde_json::from_str(document) {
        Ok(value) => kept.push(value),
        Err(error) => tracing::error!(%error, "a stored document cannot be read and is left out"),
    }
}
