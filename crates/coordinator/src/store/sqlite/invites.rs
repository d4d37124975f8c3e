//! Invites in SQLite: made by somebody, good for a while, gone with who made them.

use sqlx::{Row as _, sqlite::SqliteRow};
use wire::{InviteEntry, InviteId, Role, UnixMillis, UserId};

use super::{Sqlite, document, enrol::insert_device, pieces::PIECE, readable};
use crate::store::{InviteGrant, MadeBy, NewDevice, NewInvite, StoreError, folded};

/// What makes an invite good at a moment: it has uses left, neither it nor the key it was made with is too old, and who made
/// it may still make such a one. If it is the first admin's, nobody is there yet.
macro_rules! good {
    ($query:literal $(, $rest:literal)?) => {
        concat!(
            $query,
            " uses_left > 0 AND min(invites.expires_at, coalesce((SELECT keys.expires_at FROM api_keys AS keys \
             WHERE keys.id = made_with), invites.expires_at)) > ? \
             AND (NOT is_first OR NOT EXISTS (SELECT 1 FROM people)) \
             AND (made_by IS NULL OR (invites.role <> '\"admin\"' AND team IS NULL) OR EXISTS (SELECT 1 FROM people \
             WHERE people.id = made_by AND people.role = '\"admin\"'))"
            $(, $rest)?
        )
    };
}

/// Codes by how their hashes begin: from one to another, by their index.
const BEGINS_SO: &str = good!("SELECT code_hash FROM invites WHERE code_hash BETWEEN ? AND ? AND");

/// Most invites of a list.
const LISTED: i64 = 1_000;

impl Sqlite {
    /// Stores an invite; `false` when what it is made with, a device or a key, is good no longer. That of the first
    /// admin takes the place of those that were made for him before.
    pub(in crate::store) async fn add_invite(&self, invite: &NewInvite) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let is_first = matches!(invite.made_by, MadeBy::ServerForTheFirst);
        if is_first {
            sqlx::query("DELETE FROM invites WHERE is_first").execute(&mut *transaction).await?;
        }
        let (made_by, made_with) = match &invite.made_by {
            MadeBy::Server | MadeBy::ServerForTheFirst => (None, None),
            MadeBy::Somebody(who) => (Some(who.user.as_str()), Some(who.device.as_str())),
        };
        let query = sqlx::query(
            "INSERT INTO invites (id, code_hash, uses_left, expires_at, role, team, person, made_by, made_with, \
             is_first, created_at) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11 WHERE ?9 IS NULL \
             OR EXISTS (SELECT 1 FROM devices WHERE id = ?9 AND signed_out_at IS NULL) \
             OR EXISTS (SELECT 1 FROM api_keys WHERE id = ?9)",
        );
        let query = query.bind(invite.id.as_str()).bind(&invite.code_hash).bind(i64::from(invite.uses));
        let query = query.bind(invite.expires_at.0).bind(serde_json::to_string(&invite.role)?).bind(&invite.team);
        let query = query.bind(invite.person.as_ref().map(UserId::as_str)).bind(made_by).bind(made_with);
        let query = query.bind(is_first).bind(invite.created_at.0);
        let is_made = query.execute(&mut *transaction).await?.rows_affected() == 1;
        transaction.commit().await?;
        Ok(is_made)
    }

    /// Invites that are good, newest first: of one person, or of everybody.
    pub(in crate::store) async fn invites(
        &self,
        made_by: Option<&UserId>,
        now: UnixMillis,
    ) -> Result<Vec<InviteEntry>, StoreError> {
        let query = good!(
            "SELECT id, made_by, role, team, person, uses_left, created_at, expires_at FROM invites \
             WHERE (? IS NULL OR made_by = ?) AND",
            " ORDER BY created_at DESC, id DESC LIMIT ?"
        );
        let made_by = made_by.map(UserId::as_str);
        let query = sqlx::query(query).bind(made_by).bind(made_by).bind(now.0).bind(LISTED);
        let rows = query.fetch_all(&self.pool).await?;
        Ok(rows.iter().filter_map(|row| readable(entry(row))).collect())
    }

    /// Nobody comes in by it any more; `false` when there is none, or it is somebody else's.
    pub(in crate::store) async fn remove_invite(
        &self,
        id: &InviteId,
        made_by: Option<&UserId>,
    ) -> Result<bool, StoreError> {
        let query = sqlx::query("DELETE FROM invites WHERE id = ?1 AND (?2 IS NULL OR made_by = ?2)");
        let query = query.bind(id.as_str()).bind(made_by.map(UserId::as_str));
        Ok(query.execute(&self.pool).await?.rows_affected() == 1)
    }

    /// What nobody can use any more.
    pub(in crate::store) async fn tidy_invites(&self, now: UnixMillis) -> Result<(), StoreError> {
        let piece = "DELETE FROM invites WHERE id IN \
                     (SELECT id FROM invites WHERE uses_left = 0 OR expires_at <= ? LIMIT ?)";
        self.delete_in_pieces(|| sqlx::query(piece).bind(now.0).bind(PIECE)).await
    }

    pub(in crate::store) async fn peek_invite(
        &self,
        code_hash: &[u8],
        now: UnixMillis,
    ) -> Result<Option<InviteGrant>, StoreError> {
        let query = good!("SELECT role, person, team FROM invites WHERE code_hash = ? AND");
        let row = sqlx::query(query).bind(code_hash).bind(now.0).fetch_optional(&self.pool).await?;
        let Some(row) = row else { return Ok(None) };
        let role: Role = document(&row, 0)?;
        let person = row.try_get::<Option<&str>, _>(1)?.map(str::parse).transpose()?;
        Ok(Some(InviteGrant { role, team: row.try_get(2)?, person }))
    }

    /// The hash of a good invite's code, by how it begins.
    pub(in crate::store) async fn invite_hash(
        &self,
        begins: &[u8],
        now: UnixMillis,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        // Longer than any hash, and above all that begin so.
        let last = [begins, &[0xff; 64]].concat();
        let query = sqlx::query(BEGINS_SO).bind(begins).bind(last).bind(now.0);
        query.fetch_optional(&self.pool).await?.map(|row| Ok(row.try_get(0)?)).transpose()
    }

    /// Uses the invite up and signs the device in, both or neither; `false` when somebody else was faster.
    pub(in crate::store) async fn redeem(&self, code_hash: &[u8], device: &NewDevice) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let used = sqlx::query(good!("UPDATE invites SET uses_left = uses_left - 1 WHERE code_hash = ? AND"));
        let used = used.bind(code_hash).bind(device.created_at.0).execute(&mut *transaction).await?;
        if used.rows_affected() != 1 {
            return Ok(false);
        }
        let person = &device.person;
        if device.is_new_person {
            let insert = sqlx::query(
                "INSERT INTO people (id, name, folded, role, teams, created_at) VALUES (?, ?, ?, ?, ?, ?) \
                 ON CONFLICT (id) DO NOTHING",
            );
            let role = serde_json::to_string(&person.role)?;
            let teams = serde_json::to_string(&person.teams)?;
            let insert = insert.bind(person.id.as_str()).bind(&person.name).bind(folded(&person.name));
            let insert = insert.bind(role).bind(teams).bind(device.created_at.0);
            if insert.execute(&mut *transaction).await?.rows_affected() != 1 {
                return Ok(false);
            }
        }
        insert_device(&mut transaction, device).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

fn entry(row: &SqliteRow) -> Result<InviteEntry, StoreError> {
    let user =
        |column: usize| row.try_get::<Option<&str>, _>(column)?.map(str::parse).transpose().map_err(StoreError::from);
    Ok(InviteEntry {
        id: row.try_get::<&str, _>(0)?.parse()?,
        made_by: user(1)?,
        role: document(row, 2)?,
        team: row.try_get(3)?,
        person: user(4)?,
        uses_left: row.try_get(5)?,
        created_at: UnixMillis(row.try_get(6)?),
        expires_at: UnixMillis(row.try_get(7)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_code_is_found_by_how_its_hash_begins_without_looking_at_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&folder.path().join("bellbird.db")).await.unwrap();
        let plan = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {BEGINS_SO}"));
        let rows = sqlx::query(plan).fetch_all(&store.pool).await.unwrap();
        let steps: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        assert!(steps.iter().any(|step| step.starts_with("SEARCH invites USING")), "{steps:?}");
        assert!(!steps.iter().any(|step| step.starts_with("SCAN invites")), "{steps:?}");

        for (number, hash) in [[7, 1, 0, 9], [7, 1, 255, 255], [7, 2, 0, 0]].into_iter().enumerate() {
            let invite = NewInvite {
                id: InviteId::mint(ulid::Ulid::from_parts(0, number as u128)),
                code_hash: hash.to_vec(),
                uses: 1,
                expires_at: UnixMillis(100),
                role: Role::User,
                team: None,
                person: None,
                made_by: MadeBy::Server,
                created_at: UnixMillis(0),
            };
            assert!(store.add_invite(&invite).await.unwrap());
        }
        let found = async |begins: &[u8], now: i64| store.invite_hash(begins, UnixMillis(now)).await.unwrap();
        for (begins, hash) in
            [(&[7, 1, 0][..], [7, 1, 0, 9]), (&[7, 1, 255], [7, 1, 255, 255]), (&[7, 2], [7, 2, 0, 0])]
        {
            assert_eq!(found(begins, 50).await.as_deref(), Some(&hash[..]));
        }
        for begins in [&[7, 1, 1][..], &[8], &[7, 2, 0, 1]] {
            assert_eq!(found(begins, 50).await, None, "{begins:?}");
        }
        assert_eq!(found(&[7, 2], 100).await, None, "its time is over");
    }
}
