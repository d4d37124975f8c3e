//! Deliveries in SQLite: which hook has yet to hear of what; events are written with what they tell of.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use sqlx::{Row as _, sqlite::SqliteRow};
use wire::{DeliveryState, UnixMillis, WebhookDelivery, WebhookId};

use super::{Sqlite, document, pieces::PIECE, readable};
use crate::{
    store::StoreError,
    webhooks::{Due, Health, Outcome, Places, Round, StoredHook},
};

/// More waiting deliveries than this mean that a hook cannot keep up.
const MOST_PENDING: i64 = 100_000;

impl Sqlite {
    /// The next delivery of each hook that is not busy, and when the next one of those is due that are left. Hooks take
    /// their turns, beginning behind the one that had the last.
    pub(in crate::store) async fn due_deliveries(
        &self,
        now: UnixMillis,
        busy: &BTreeMap<WebhookId, Health>,
        last: Option<&WebhookId>,
        places: Places,
    ) -> Result<Round, StoreError> {
        let mut round = Round::default();
        let (mut free, mut free_for_failing) = (places.all, places.failing);
        let is_free = |hook: &StoredHook| hook.disabled.is_none() && !busy.contains_key(&hook.id);
        let hooks: Vec<StoredHook> = self.hooks().await?.into_iter().filter(is_free).collect();
        let (before, behind): (Vec<_>, Vec<_>) = hooks.into_iter().partition(|hook| last >= Some(&hook.id));
        for hook in behind.into_iter().chain(before) {
            let Some((at, due)) = self.next_delivery(&hook.id).await? else { continue };
            if at > now {
                round.next_at = Some(round.next_at.map_or(at, |next| next.min(at)));
                continue;
            }
            let free_for_it = match hook.health() {
                Health::Well => free,
                Health::Failing => free.min(free_for_failing),
            };
            if free_for_it > 0 {
                free -= 1;
                free_for_failing -= usize::from(hook.health() == Health::Failing);
                round.due.push((hook, due));
            }
        }
        Ok(round)
    }

    /// What a hook is to be told next, and when. What cannot be read any more is given up: it would hold up what comes
    /// behind it.
    async fn next_delivery(&self, hook: &WebhookId) -> Result<Option<(UnixMillis, Due)>, StoreError> {
        let query = "SELECT seq, event, body, attempts, created_at, next_at FROM deliveries \
                     LEFT JOIN webhook_events ON webhook_events.id = event \
                     WHERE hook = ? AND state = 'pending' ORDER BY next_at, seq LIMIT 1";
        while let Some(row) = sqlx::query(query).bind(hook.as_str()).fetch_optional(&self.pool).await? {
            if let Some(next) = readable(due(&row)) {
                return Ok(Some(next));
            }
            let give_up = "UPDATE deliveries SET state = 'failed', next_at = NULL, last_result = ? WHERE seq = ?";
            let give_up = sqlx::query(give_up).bind("what is stored of it cannot be read");
            give_up.bind(row.try_get::<i64, _>(0)?).execute(&self.pool).await?;
        }
        Ok(None)
    }

    /// What became of a delivery, and of its hook by that.
    pub(in crate::store) async fn finish_delivery(
        &self,
        hook: &WebhookId,
        seq: i64,
        outcome: &Outcome,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let (state, next_at, result) = match outcome {
            Outcome::Delivered { result } => ("delivered", None, result),
            Outcome::Retry { result, at } => ("pending", Some(at.0), result),
            Outcome::GivenUp { result } => ("failed", None, result),
            // It was not taken: it goes out if the hook is enabled again in time.
            Outcome::Disable { result, .. } => ("pending", Some(now.0), result),
        };
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let update =
            "UPDATE deliveries SET state = ?, attempts = attempts + 1, next_at = ?, last_result = ? WHERE seq = ?";
        sqlx::query(update).bind(state).bind(next_at).bind(result).bind(seq).execute(&mut *transaction).await?;
        let failing = match outcome {
            Outcome::Delivered { .. } => "UPDATE webhooks SET failing_since = NULL WHERE id = ?2 AND ?1 IS NOT NULL",
            _ => "UPDATE webhooks SET failing_since = coalesce(failing_since, ?1) WHERE id = ?2",
        };
        sqlx::query(failing).bind(now.0).bind(hook.as_str()).execute(&mut *transaction).await?;
        if let Outcome::Disable { reason, .. } = outcome {
            let query = sqlx::query("UPDATE webhooks SET disabled_at = ?, disabled_reason = ? WHERE id = ?");
            query.bind(now.0).bind(reason).bind(hook.as_str()).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// A page of one hook's deliveries, newest first, each with its place in the order; what cannot be read is left out.
    pub(in crate::store) async fn deliveries(
        &self,
        hook: &WebhookId,
        before: Option<i64>,
        most: u32,
    ) -> Result<Vec<(i64, WebhookDelivery)>, StoreError> {
        let query = "SELECT seq, body, state, attempts, next_at, last_result FROM deliveries \
                     JOIN webhook_events ON webhook_events.id = event \
                     WHERE hook = ? AND seq < ? ORDER BY seq DESC LIMIT ?";
        let (mut before, mut page) = (before.unwrap_or(i64::MAX), Vec::new());
        loop {
            let rows = sqlx::query(query).bind(hook.as_str()).bind(before).bind(most).fetch_all(&self.pool).await?;
            for row in &rows {
                before = row.try_get(0)?;
                page.extend(readable(delivery(row)).map(|delivery| (before, delivery)));
            }
            // A page that is not full is the last: what was left out of it is made up for.
            if rows.len() < most as usize || page.len() >= most as usize {
                page.truncate(most as usize);
                return Ok(page);
            }
        }
    }

    /// Lets old events go, and disables hooks that cannot keep up.
    pub(in crate::store) async fn tidy_webhooks(&self, before: UnixMillis, now: UnixMillis) -> Result<(), StoreError> {
        // With each event go its deliveries, of which there is one for each hook at most.
        let piece = "DELETE FROM webhook_events WHERE id IN (SELECT id FROM webhook_events WHERE at < ? \
                     LIMIT max(1, ? / max(1, (SELECT count(*) FROM webhooks))))";
        self.delete_in_pieces(|| sqlx::query(piece).bind(before.0).bind(PIECE)).await?;
        // Counted before anything is written: that takes a while, and others may write meanwhile.
        let slow = "SELECT rowid FROM webhooks WHERE disabled_at IS NULL AND \
                    (SELECT count(*) FROM deliveries WHERE hook = webhooks.id AND state = 'pending') > ?";
        for row in sqlx::query(slow).bind(MOST_PENDING).fetch_all(&self.pool).await? {
            let query = sqlx::query("UPDATE webhooks SET disabled_at = ?, disabled_reason = ? WHERE rowid = ?");
            let query = query.bind(now.0).bind("more than 100,000 events wait: the receiver is too slow");
            query.bind(row.try_get::<i64, _>(0)?).execute(&self.pool).await?;
        }
        Ok(())
    }

    /// How many deliveries wait.
    pub(in crate::store) async fn pending_deliveries(&self) -> Result<i64, StoreError> {
        let query = "SELECT count(*) FROM deliveries JOIN webhooks ON webhooks.id = hook \
                     WHERE state = 'pending' AND disabled_at IS NULL";
        Ok(sqlx::query(query).fetch_one(&self.pool).await?.try_get(0)?)
    }
}

fn due(row: &SqliteRow) -> Result<(UnixMillis, Due), StoreError> {
    let due = Due {
        seq: row.try_get(0)?,
        event: row.try_get::<&str, _>(1)?.parse()?,
        body: row.try_get(2)?,
        attempts: row.try_get(3)?,
        created_at: UnixMillis(row.try_get(4)?),
    };
    // It is sent as it is stored, and receivers are promised JSON.
    serde_json::from_str::<IgnoredAny>(&due.body)?;
    Ok((UnixMillis(row.try_get(5)?), due))
}

fn delivery(row: &SqliteRow) -> Result<WebhookDelivery, StoreError> {
    Ok(WebhookDelivery {
        event: document(row, 1)?,
        state: match row.try_get(2)? {
            "delivered" => DeliveryState::Delivered,
            "failed" => DeliveryState::Failed,
            _ => DeliveryState::Pending,
        },
        attempts: row.try_get(3)?,
        next_attempt_at: row.try_get::<Option<i64>, _>(4)?.map(UnixMillis),
        last_result: row.try_get(5)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_000_000);

    #[tokio::test]
    async fn hooks_that_fail_take_turns_in_half_of_the_places_and_keep_nobody_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&folder.path().join("bellbird.db")).await.unwrap();
        let fill = "INSERT INTO people (id, name, role, created_at) VALUES ('shop', 'Shop', '\"user\"', 0); \
                    INSERT INTO webhook_events (id, at, body) VALUES ('e1', 0, '{}');";
        sqlx::raw_sql(fill).execute(&store.pool).await.unwrap();
        // Twelve that hang, and one behind them.
        for hook in 10..23 {
            let insert = "INSERT INTO webhooks (id, person, registered_by, url, events, secret, created_at, failing_since) \
                          VALUES (?, 'shop', 'k1', 'https://shop.example', '[]', '', 0, ?)";
            let id = format!("h{hook}");
            let insert = sqlx::query(insert).bind(&id).bind((hook < 22).then_some(1));
            insert.execute(&store.pool).await.unwrap();
            let due = "INSERT INTO deliveries (hook, event, created_at, next_at) VALUES (?, 'e1', 0, 0)";
            sqlx::query(due).bind(&id).execute(&store.pool).await.unwrap();
        }
        let places = Places { all: 8, failing: 4 };
        let mut busy = BTreeMap::new();
        let begun = async |busy: &BTreeMap<_, _>, last: Option<&WebhookId>| {
            let round = store.due_deliveries(NOW, busy, last, places).await.unwrap();
            round.due.iter().map(|(hook, _)| hook.id.as_str().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(begun(&busy, None).await, ["h10", "h11", "h12", "h13", "h22"]);
        let last: WebhookId = "h13".parse().unwrap();
        assert_eq!(begun(&busy, Some(&last)).await, ["h14", "h15", "h16", "h17", "h22"]);
        busy.insert("h22".parse().unwrap(), Health::Well);
        let last: WebhookId = "h20".parse().unwrap();
        assert_eq!(begun(&busy, Some(&last)).await, ["h21", "h10", "h11", "h12"]);
    }
}
