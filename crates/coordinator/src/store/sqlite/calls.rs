//! Calls, rings and call types in SQLite.

use sqlx::QueryBuilder;
use wire::{Call, CallFilter, CallId, CallOrder, CallTypeData};

use super::{Sqlite, document, readable};
use crate::{kept::Kept, store::StoreError};

impl Sqlite {
    /// A call, with its rings; what cannot be read of these is left out, and the call goes on without it.
    pub(in crate::store) async fn call(&self, cid: &CallId) -> Result<Option<(Call, Kept)>, StoreError> {
        if !self.known.may_have(cid) {
            return Ok(None);
        }
        let query = sqlx::query("SELECT document, ring FROM calls WHERE cid = ?");
        let Some(row) = query.bind(cid.as_str()).fetch_optional(&self.pool).await? else { return Ok(None) };
        let kept = readable(document::<Option<Kept>>(&row, 1)).flatten();
        Ok(Some((document(&row, 0)?, kept.unwrap_or_default())))
    }

    pub(in crate::store) async fn set_call_type(&self, name: &str, data: &CallTypeData) -> Result<(), StoreError> {
        let query = sqlx::query(
            "INSERT INTO call_types (name, document) VALUES (?, ?) \
             ON CONFLICT (name) DO UPDATE SET document = excluded.document",
        );
        query.bind(name).bind(serde_json::to_string(data)?).execute(&self.pool).await?;
        Ok(())
    }

    /// Calls that fit a filter, in its order. Who may read them is the authority's matter.
    pub(in crate::store) async fn query(
        &self,
        filter: &CallFilter,
        offset: i64,
        most: i64,
    ) -> Result<Vec<Call>, StoreError> {
        // SQLite ends a whole list at a document that is no JSON: such a row is as if it were not there.
        let mut query = QueryBuilder::new(
            "SELECT document FROM (SELECT cid, iif(json_valid(document), document, NULL) AS document FROM calls) \
             WHERE document IS NOT NULL",
        );
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
        let rows = query.build().fetch_all(&self.pool).await?;
        Ok(rows.iter().filter_map(|row| readable(document(row, 0))).collect())
    }
}
