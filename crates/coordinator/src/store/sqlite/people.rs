//! People in SQLite: who they are, what they chose for themselves, and how they are found.

use sqlx::{QueryBuilder, Row as _, SqlitePool, sqlite::SqliteRow};
use wire::UserId;

use super::{Sqlite, readable, write::json};
use crate::store::{FoundPerson, PersonKind, PersonPlace, StoreError, StoredPerson, folded};

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

    /// By name and id, behind a place.
    pub(in crate::store) async fn find_people(
        &self,
        search: Option<&str>,
        behind: Option<&PersonPlace>,
        most: i64,
    ) -> Result<Vec<FoundPerson>, StoreError> {
        let mut find = QueryBuilder::new("SELECT folded, id FROM people WHERE folded IS NOT NULL");
        if let Some(search) = search {
            // Of the text itself: `%` and `_` are letters here. Ids have ASCII's letters alone.
            let part = folded(search);
            find.push(" AND (instr(folded, ").push_bind(part.clone()).push(") > 0");
            find.push(" OR instr(lower(id), ").push_bind(part).push(") > 0)");
        }
        if let Some(place) = behind {
            find.push(" AND (folded, id) > (").push_bind(place.folded.clone());
            find.push(", ").push_bind(place.id.clone()).push(")");
        }
        find.push(" ORDER BY folded, id LIMIT ").push_bind(most);
        let rows = find.build().fetch_all(&self.pool).await?;
        Ok(rows.iter().filter_map(|row| readable(found(row))).collect())
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

/// For those who were there before names were folded, and whoever was put in by hand.
pub(super) async fn fold_names(pool: &SqlitePool) -> Result<(), sqlx::Error> {
    let rows = sqlx::query("SELECT rowid, name FROM people WHERE folded IS NULL").fetch_all(pool).await?;
    if rows.is_empty() {
        return Ok(());
    }
    // A name that is no text any more is nobody's: its person is left out elsewhere, too.
    let names = rows.iter().filter_map(|row| Some((row.try_get::<i64, _>(0).ok()?, folded(row.try_get(1).ok()?))));
    let names = json(names).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let query = "UPDATE people SET folded = told.value ->> 1 FROM json_each(?) AS told \
                 WHERE people.rowid = told.value ->> 0";
    sqlx::query(query).bind(names).execute(pool).await?;
    Ok(())
}

fn found(row: &SqliteRow) -> Result<FoundPerson, StoreError> {
    // What is no text any more still has its place.
    let text = |column| Ok::<_, StoreError>(String::from_utf8_lossy(row.try_get::<&[u8], _>(column)?).into_owned());
    let place = PersonPlace { folded: text(0)?, id: text(1)? };
    Ok(FoundPerson { user: place.id.parse().ok(), place })
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

#[cfg(test)]
mod tests {
    use wire::{Role, UnixMillis};

    use super::*;

    async fn is_called(store: &Sqlite, id: &str, name: &str) {
        let person = StoredPerson::new(id.parse().unwrap(), name.to_owned(), Role::User, Default::default());
        assert!(store.put_person(&person, UnixMillis(0)).await.unwrap());
    }

    async fn found(store: &Sqlite, search: Option<&str>, behind: Option<&PersonPlace>) -> (Vec<String>, PersonPlace) {
        let found = store.find_people(search, behind, 2).await.unwrap();
        let end = found.last().unwrap().place.clone();
        (found.into_iter().map(|found| found.user.unwrap().to_string()).collect(), end)
    }

    #[tokio::test]
    async fn names_are_found_in_small_and_capital_letters_also_those_of_an_older_server() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bellbird.db");
        let store = Sqlite::open(&file).await.unwrap();
        for (id, name) in [("ivan", "Иван"), ("ozgur", "Özgür"), ("zoe", "zoë")] {
            is_called(&store, id, name).await;
        }
        sqlx::query("UPDATE people SET folded = NULL WHERE id <> 'ozgur'").execute(&store.pool).await.unwrap();
        let damage =
            "INSERT INTO people (id, name, role, created_at) VALUES ('x', CAST(X'fffe00' AS TEXT), '\"user\"', 0)";
        sqlx::query(damage).execute(&store.pool).await.unwrap();
        let store = Sqlite::open(&file).await.unwrap();
        for (search, id) in [("иван", "ivan"), ("ВАН", "ivan"), ("ÖZGÜR", "ozgur"), ("ZOË", "zoe"), ("Ivan", "ivan")]
        {
            assert_eq!(found(&store, Some(search), None).await.0, [id], "{search}");
        }
        assert_eq!(found(&store, None, None).await.0, ["zoe", "ozgur"]);
    }

    #[tokio::test]
    async fn the_next_page_begins_where_the_last_one_ended_whatever_people_are_called_by_then() {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&folder.path().join("bellbird.db")).await.unwrap();
        for (id, name) in [("a", "Ann"), ("b", "Ben"), ("c", "Cem"), ("d", "Dan"), ("e", "Dan")] {
            is_called(&store, id, name).await;
        }
        let (first, end) = found(&store, None, None).await;
        assert_eq!(first, ["a", "b"]);
        // Behind everybody, and before everybody: neither takes the others along.
        is_called(&store, "b", "Zoe").await;
        let (second, end) = found(&store, None, Some(&end)).await;
        assert_eq!(second, ["c", "d"]);
        is_called(&store, "d", "Abe").await;
        assert_eq!(found(&store, None, Some(&end)).await.0, ["e", "b"]);
    }
}
