//! Events out to other programs: stored with the change they tell of, signed, tried until they are taken.

mod courier;
mod outbox;
mod reach;
mod schedule;
mod signature;

pub(crate) use courier::Courier;
pub(crate) use outbox::Outbox;
pub use reach::Reach;
pub(crate) use reach::check_url;
pub(crate) use schedule::Outcome;
pub(crate) use signature::{fresh_secret, read_secret};

use std::collections::BTreeSet;

use wire::{EventId, UnixMillis, UserId, WebhookDisabled, WebhookEntry, WebhookId, WebhookKind};

/// A hook as stored.
#[derive(Debug, Clone)]
pub(crate) struct StoredHook {
    pub(crate) id: WebhookId,
    pub(crate) person: UserId,
    /// The API key it was registered with, or an admin's device.
    pub(crate) registered_by: String,
    pub(crate) url: String,
    pub(crate) events: BTreeSet<WebhookKind>,
    pub(crate) secret: String,
    pub(crate) created_at: UnixMillis,
    pub(crate) failing_since: Option<UnixMillis>,
    pub(crate) disabled: Option<WebhookDisabled>,
}

/// Most hooks of a server: each event is looked at for each of them.
pub(crate) const MOST_HOOKS: i64 = 100;

/// What became of a new hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Added {
    Stored,
    /// There are as many as there may be.
    TooMany,
    /// What it is registered with, a device or a key, is good no longer.
    NotSignedIn,
}

/// Whether a hook takes what it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    Well,
    Failing,
}

/// How many deliveries may be begun: all together, and to hooks that fail.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places {
    pub(crate) all: usize,
    pub(crate) failing: usize,
}

impl StoredHook {
    pub(crate) fn health(&self) -> Health {
        if self.failing_since.is_some() { Health::Failing } else { Health::Well }
    }

    pub(crate) fn entry(self) -> WebhookEntry {
        WebhookEntry {
            id: self.id,
            url: self.url,
            events: self.events,
            user: self.person,
            created_at: self.created_at,
            failing_since: self.failing_since,
            disabled: self.disabled,
        }
    }
}

/// An event whose turn it is at one hook.
#[derive(Debug, Clone)]
pub(crate) struct Due {
    /// Names the delivery.
    pub(crate) seq: i64,
    pub(crate) event: EventId,
    pub(crate) body: String,
    pub(crate) attempts: u32,
    pub(crate) created_at: UnixMillis,
}

/// What a look at the deliveries has found.
#[derive(Debug, Default)]
pub(crate) struct Round {
    /// The next of each hook, and the hook.
    pub(crate) due: Vec<(StoredHook, Due)>,
    /// When there is more to do, if nothing happens before.
    pub(crate) next_at: Option<UnixMillis>,
}
