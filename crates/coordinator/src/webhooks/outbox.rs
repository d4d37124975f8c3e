//! Between the hub, which stores events with what they tell of, and the courier, which brings them out.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, UNIX_EPOCH},
};

use tokio::sync::Notify;
use ulid::Ulid;
use wire::{EventId, UnixMillis, WebhookEvent};

use crate::authority::Batch;

/// Whether anybody wants to hear, and a bell for when there is something to bring out.
#[derive(Debug)]
pub(crate) struct Outbox {
    /// Odd while somebody wants to hear; more by two with each hook that comes, so that a look at the store that was
    /// begun before it does not count.
    wanted: AtomicU64,
    bell: Notify,
}

/// How things stood before a look at the store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Before(u64);

impl Outbox {
    pub(crate) fn new(has_hooks: bool) -> Self {
        Self { wanted: AtomicU64::new(u64::from(has_hooks)), bell: Notify::new() }
    }

    /// A hook came, or is to be tried now.
    pub(crate) fn hook_came(&self) {
        let come = |wanted: u64| Some((wanted | 1) + 2);
        _ = self.wanted.fetch_update(Ordering::SeqCst, Ordering::SeqCst, come);
        self.bell.notify_one();
    }

    /// To be had before the store is asked whether there are hooks.
    pub(crate) fn before(&self) -> Before {
        Before(self.wanted.load(Ordering::SeqCst))
    }

    /// There were no hooks; none has come since, or this says nothing.
    pub(crate) fn no_hooks(&self, since: Before) {
        _ = self.wanted.compare_exchange(since.0, since.0 & !1, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// What a batch tells of, to be stored with it; nothing while nobody wants to hear.
    pub(crate) fn events(&self, now: UnixMillis, batch: &Batch) -> Vec<WebhookEvent> {
        if self.wanted.load(Ordering::SeqCst) & 1 == 0 {
            return Vec::new();
        }
        let at = UNIX_EPOCH + Duration::from_millis(u64::try_from(now.0).unwrap_or(0));
        batch.happenings(now, || EventId::mint(Ulid::from_datetime(at)))
    }

    /// Events were stored.
    pub(crate) fn ring(&self) {
        self.bell.notify_one();
    }

    pub(super) async fn rung(&self) {
        self.bell.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_that_comes_while_another_goes_is_wanted() {
        let outbox = Outbox::new(true);
        let is_wanted = || outbox.before().0 & 1 == 1;
        let looked = outbox.before();
        outbox.hook_came();
        outbox.no_hooks(looked);
        assert!(is_wanted(), "it came after the look");
        outbox.no_hooks(outbox.before());
        assert!(!is_wanted());
        outbox.hook_came();
        assert!(is_wanted());
    }
}
