//! What is kept for a while only, and let go every hour.

use std::time::Duration;

use wire::UnixMillis;

use crate::{
    hub::unix_now,
    programs::KEPT,
    store::{Store, StoreError},
};

const EVERY: Duration = Duration::from_secs(3600);
/// How long events and what became of their deliveries can be looked at.
const EVENTS: Duration = Duration::from_secs(3 * 24 * 3600);

/// Until the server ends.
pub(crate) async fn run(store: Store) {
    loop {
        if let Err(error) = tidy(&store, unix_now()).await {
            tracing::error!(%error, "what is old could not be let go; the next attempt is in an hour");
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn tidy(store: &Store, now: UnixMillis) -> Result<(), StoreError> {
    store.forget_answers(before(now, KEPT)).await?;
    store.tidy_invites(now).await?;
    store.tidy_webhooks(before(now, EVENTS), now).await
}

fn before(now: UnixMillis, time: Duration) -> UnixMillis {
    UnixMillis(now.0.saturating_sub(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)))
}
