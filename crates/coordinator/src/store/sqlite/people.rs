//! People in SQLite: who they are, what they chose for themselves, and how they are found.

use sqlx::{QueryBuilder, Row as _, sqlite::SqliteRow};
use wire::{PeopleQuery, UserId};

use super::Sqlite;
use crate::store::{PersonKind, StoreError, StoredPerson};

impl Sqlite {
    pub(super) async fn people(&self) -> Result<Vec<StoredPerson>, StoreError> {
        let query =
            sqlx::query("SELECT id, name, role, teams, avatar, favourites, do_not_disturb, is_program FROM people");
        let mut people = Vec::new();
        for row in query.fetch_all(&self.pool).await? {
            match person(&row) {
                Ok(person) => people.push(person),
                Err(error) => {
                    let id = row.try_get::<String, _>(0).unwrap_or_default();
                    tracing::error!(id, %error, "a stored person cannot be read and is left out");
                }
            }
        }
        Ok(people)
    }

    pub(in crate::store) async fn person(&self, id: &UserId) -> Result<Option<StoredPerson>, StoreError> {
        let query =
            "SELECT id, name, role, teams, avatar, favourites, do_not_disturb, is_program FROM people WHERE id = ?";
        let row = sqlx::query(query).bind(id.as_str()).fetch_optional(&self.pool).await?;
        row.as_ref().map(person).transpose()
    }

    /// By name and id.
    pub(in crate::store) async fn find_people(
        &self,
        query: &PeopleQuery,
        most: i64,
    ) -> Result<Vec<UserId>, StoreError> {
        let mut find = QueryBuilder::new("SELECT id FROM people WHERE 1 = 1");
        if let Some(search) = &query.search {
            // Of the text itself: `%` and `_` are letters here.
            let part = search.to_lowercase();
            find.push(" AND (instr(lower(name), ").push_bind(part.clone()).push(") > 0");
            find.push(" OR instr(lower(id), ").push_bind(part).push(") > 0)");
        }
        if let Some(after) = &query.after {
            find.push(" AND (lower(name), id) > (SELECT lower(name), id FROM people WHERE id = ");
            find.push_bind(after.as_str().to_owned()).push(")");
        }
        find.push(" ORDER BY lower(name), id LIMIT ").push_bind(most);
        let rows = find.build().fetch_all(&self.pool).await?;
        Ok(rows.into_iter().filter_map(|row| row.try_get::<&str, _>(0).ok()?.parse().ok()).collect())
    }

    /// The picture itself; its tag changes with it.
    pub(in crate::store) async fn set_avatar(&self, person: &UserId, image: Option<&[u8]>) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let query = match image {
            Some(image) => {
                let query = sqlx::query(
                    "INSERT INTO avatars (person, image) VALUES (?, ?) \
                     ON CONFLICT (person) DO UPDATE SET image = excluded.image",
                );
                query.bind(person.as_str()).bind(image)
            }
            None => sqlx::query("DELETE FROM avatars WHERE person = ?").bind(person.as_str()),
        };
        query.execute(&mut *transaction).await?;
        let tag = image.map(StoredPerson::avatar_tag);
        let query = sqlx::query("UPDATE people SET avatar = ? WHERE id = ?").bind(tag).bind(person.as_str());
        query.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    pub(in crate::store) async fn avatar(&self, person: &UserId) -> Result<Option<Vec<u8>>, StoreError> {
        let query = sqlx::query("SELECT image FROM avatars WHERE person = ?").bind(person.as_str());
        Ok(query.fetch_optional(&self.pool).await?.map(|row| row.try_get(0)).transpose()?)
    }
}

fn person(row: &SqliteRow) -> Result<StoredPerson, StoreError> {
    Ok(StoredPerson {
        id: row.try_get::<&str, _>(0)?.parse()?,
        name: row.try_get(1)?,
        role: serde_json::from_str(row.try_get(2)?)?,
        teams: serde_json::from_str(row.try_get(3)?)?,
        avatar: row.try_get(4)?,
        favourites: serde_json::from_str(row.try_get(5)?)?,
        do_not_disturb: serde_json::from_str(row.try_get(6)?)?,
        kind: if row.try_get(7)? { PersonKind::Program } else { PersonKind::Human },
    })
}
