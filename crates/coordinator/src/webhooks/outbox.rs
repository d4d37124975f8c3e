//! Between the hub, which stores events with what they tell of, and the courier, which brings them out.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, UNIX_EPOCH},
};

use tokio::sync::Notify;
use ulid::Ulid;
use wire::{EventId, UnixMillis, WebhookEvent};

use crate::authority::Batch;

/// Whether anybody wants to hear, and a bell for when there is something to bring out.
#[derive(Debug)]
pub(crate) struct Outbox {
    is_wanted: AtomicBool,
    bell: Notify,
}

impl Outbox {
    pub(crate) fn new(has_hooks: bool) -> Self {
        Self { is_wanted: AtomicBool::new(has_hooks), bell: Notify::new() }
    }

    /// Hooks came, went, or are to be tried now.
    pub(crate) fn hooks_changed(&self, has_hooks: bool) {
        self.is_wanted.store(has_hooks, Ordering::Relaxed);
        self.bell.notify_one();
    }

    /// What a batch tells of, to be stored with it; nothing while nobody wants to hear.
    pub(crate) fn events(&self, now: UnixMillis, batch: &Batch) -> Vec<WebhookEvent> {
        if !self.is_wanted.load(Ordering::Relaxed) {
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
