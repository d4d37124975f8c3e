//! Calls, rings and call types in SQLite.

use sqlx::{QueryBuilder, Row as _, Sqlite as SqliteDb, sqlite::SqliteRow};
use wire::{Call, CallFilter, CallId, CallOrder, CallTypeData};

use super::{Sqlite, document, readable};
use crate::{
    kept::Kept,
    store::{Listed, Place, StoreError},
};

impl Sqlite {
    /// A call, with its rings; what cannot be read of these is left out, and the call goes on without it.
    pub(in crate::store) async fn call(&self, cid: &CallId) -> Result<Option<(Call, Kept)>, StoreError> {
        if !self.known.may_have(cid) {
            return Ok(None);
        }
        let query = sqlx::query("SELECT document, ring FROM calls WHERE cid = ?");
        let Some(row) = query.bind(cid.as_str()).fetch_optional(&self.pool).await? else { return Ok(None) };
        let kept = readable(document::<Option<Kept>>(&row, 1)).flatten();
        let call = document(&row, 0);
        if let Err(error) = &call {
            tracing::error!(%cid, %error, "a stored call cannot be read");
        }
        Ok(Some((call?, kept.unwrap_or_default())))
    }

    pub(in crate::store) async fn set_call_type(&self, name: &str, data: &CallTypeData) -> Result<(), StoreError> {
        let query = sqlx::query(
            "INSERT INTO call_types (name, document) VALUES (?, ?) \
             ON CONFLICT (name) DO UPDATE SET document = excluded.document",
        );
        query.bind(name).bind(serde_json::to_string(data)?).execute(&self.pool).await?;
        Ok(())
    }

    pub(in crate::store) async fn forget_call_type(&self, name: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM call_types WHERE name = ?").bind(name).execute(&self.pool).await?;
        Ok(())
    }

    /// Calls in the order of a filter, of its type and planned time, behind a place. What else it wants is not looked at: how
    /// much is read is bounded by `most` alone.
    pub(in crate::store) async fn list(
        &self,
        filter: &CallFilter,
        behind: Option<&Place>,
        most: i64,
    ) -> Result<Vec<Listed>, StoreError> {
        let mut query = page(filter, behind, most);
        let rows = query.build().fetch_all(&self.pool).await?;
        Ok(rows.iter().filter_map(|row| readable(listed(row))).collect())
    }
}

/// The statement that reads a page.
fn page(filter: &CallFilter, behind: Option<&Place>, most: i64) -> QueryBuilder<SqliteDb> {
    let (column, direction, beyond) = match filter.sort {
        CallOrder::Newest => ("created_at", "DESC", "<"),
        CallOrder::Oldest => ("created_at", "ASC", ">"),
        CallOrder::StartsAt => ("starts_at", "ASC", ">"),
    };
    let mut query = QueryBuilder::new(format!("SELECT {column}, cid, document FROM calls WHERE {column} IS NOT NULL"));
    if let Some(place) = behind {
        query.push(format!(" AND ({column}, cid) {beyond} (")).push_bind(place.at);
        query.push(", ").push_bind(place.cid.clone()).push(")");
    }
    if let Some(call_type) = &filter.call_type {
        // Between `type:` and `type;`: every id of the type. By `+` its index stays out of it: SQLite would read and sort
        // all calls of the type for one page.
        query.push(" AND +cid >= ").push_bind(format!("{call_type}:"));
        query.push(" AND +cid < ").push_bind(format!("{call_type};"));
    }
    if let Some(from) = filter.starts_from {
        query.push(" AND starts_at >= ").push_bind(from.0);
    }
    if let Some(before) = filter.starts_before {
        query.push(" AND starts_at < ").push_bind(before.0);
    }
    query.push(format!(" ORDER BY {column} {direction}, cid {direction} LIMIT ")).push_bind(most);
    query
}

fn listed(row: &SqliteRow) -> Result<Listed, StoreError> {
    // An id that is no text any more still has its place.
    let cid = String::from_utf8_lossy(row.try_get::<&[u8], _>(1)?).into_owned();
    let place = Place { at: row.try_get(0)?, cid };
    Ok(Listed { place, call: readable(document(row, 2)) })
}

#[cfg(test)]
mod tests {
    use sqlx::AssertSqlSafe;
    use wire::UnixMillis;

    use super::*;

    #[tokio::test]
    async fn a_page_of_any_list_is_read_in_its_order_and_sorts_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&folder.path().join("bellbird.db")).await.unwrap();
        let place = Place { at: 5, cid: "default:x".to_owned() };
        for sort in [CallOrder::Newest, CallOrder::Oldest, CallOrder::StartsAt] {
            for call_type in [None, Some("default".to_owned())] {
                for starts_from in [None, Some(UnixMillis(1))] {
                    let filter =
                        CallFilter { sort, call_type: call_type.clone(), starts_from, ..CallFilter::default() };
                    for behind in [None, Some(&place)] {
                        let plan = format!("EXPLAIN QUERY PLAN {}", page(&filter, behind, 100).into_string());
                        let rows = sqlx::query(AssertSqlSafe(plan)).fetch_all(&store.pool).await.unwrap();
                        let steps: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
                        let is_in_order = steps.len() == 1 && steps[0].contains("USING INDEX calls_by_");
                        assert!(is_in_order, "{filter:?} {behind:?}: {steps:?}");
                    }
                }
            }
        }
    }
}
