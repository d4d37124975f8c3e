//! Which calls there may be: a call that was never made needs no look into the file, and most that are rung are new.

use std::sync::Arc;

use fastbloom::AtomicBloomFilter;
use sqlx::{Row as _, SqlitePool};
use wire::CallId;

/// One look in so many at a call that was never made goes into the file all the same.
const WRONG: f64 = 0.001;
/// Calls beyond those that there are at the start. With more, the looks into the file become more, and nothing else.
const ROOM: usize = 100_000;

/// A Bloom filter over the ids of all calls.
#[derive(Debug, Clone)]
pub(super) struct Known(Arc<AtomicBloomFilter>);

impl Known {
    pub(super) async fn read(pool: &SqlitePool) -> Result<Self, sqlx::Error> {
        let rows = sqlx::query("SELECT cid FROM calls").fetch_all(pool).await?;
        let filter = AtomicBloomFilter::with_false_pos(WRONG).expected_items(rows.len() + ROOM);
        for row in &rows {
            // Damage of the file may have left anything there; it is no id then.
            if let Ok(cid) = row.try_get::<&str, _>(0) {
                filter.insert(cid);
            }
        }
        Ok(Self(Arc::new(filter)))
    }

    /// `false` for a call that is certainly not in the file.
    pub(super) fn may_have(&self, cid: &CallId) -> bool {
        self.0.contains(cid.as_str())
    }

    pub(super) fn extend<'a>(&self, calls: impl Iterator<Item = &'a CallId>) {
        calls.for_each(|cid| _ = self.0.insert(cid.as_str()));
    }
}
