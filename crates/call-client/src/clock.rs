//! Time as a device has it: a clock that never jumps but stands still while the machine sleeps, and the wall clock,
//! which goes on. Each corrects the other.

use std::time::{Duration, Instant};

use wire::UnixMillis;

/// The wall clock running ahead by more than this means that the machine slept (or that the clock was set).
const SLEPT: i64 = 2_000;

/// One moment, by both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Now {
    pub(crate) instant: Instant,
    pub(crate) wall: UnixMillis,
}

/// A moment to come; it is there as soon as one of the clocks says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deadline {
    pub(crate) instant: Instant,
    wall: UnixMillis,
}

impl Now {
    pub(crate) fn after(self, wait: Duration) -> Deadline {
        Deadline { instant: self.instant + wait, wall: self.wall.plus(wait) }
    }
}

impl Deadline {
    pub(crate) fn is_over(self, now: Now) -> bool {
        self.instant <= now.instant || self.wall <= now.wall
    }

    pub(crate) fn plus(self, wait: Duration) -> Self {
        Self { instant: self.instant + wait, wall: self.wall.plus(wait) }
    }

    /// How long it still is.
    pub(crate) fn left(self, now: Now) -> Duration {
        self.instant.saturating_duration_since(now.instant).min(self.wall.since(now.wall))
    }
}

/// Notices sleep, and how old a message is.
#[derive(Debug)]
pub(crate) struct Clock {
    last: Now,
    /// Connections opened before this moment may still hold messages from before a sleep.
    woke_at: Option<UnixMillis>,
    /// Smallest difference seen between this wall clock and the server's, on this connection.
    offset: Option<i64>,
}

impl Clock {
    pub(crate) fn new(now: Now) -> Self {
        Self { last: now, woke_at: None, offset: None }
    }

    /// Whether the machine has slept since the last time.
    pub(crate) fn has_slept(&mut self, now: Now) -> bool {
        let last = std::mem::replace(&mut self.last, now);
        let awake = i64::try_from(now.instant.saturating_duration_since(last.instant).as_millis()).unwrap_or(i64::MAX);
        let slept = now.wall.0.saturating_sub(last.wall.0).saturating_sub(awake) > SLEPT;
        if slept {
            self.woke_at = Some(now.wall);
        }
        slept
    }

    /// Whether a connection was opened before the machine slept: what it says is old.
    pub(crate) fn is_stale(&self, opened_at: UnixMillis) -> bool {
        self.woke_at.is_some_and(|woke_at| opened_at < woke_at)
    }

    /// A new connection: its snapshot is as fresh as can be.
    pub(crate) fn connected(&mut self, now: Now, server_time: UnixMillis) {
        self.offset = Some(now.wall.0.saturating_sub(server_time.0));
    }

    /// A moment by the server's clock as one of this device's.
    pub(crate) fn until(&self, now: Now, server_time: UnixMillis) -> Deadline {
        let offset = self.offset.unwrap_or_default();
        now.after(UnixMillis(server_time.0.saturating_add(offset)).since(now.wall))
    }

    /// How long a message has been on its way, compared to the fastest one of this connection.
    pub(crate) fn age(&mut self, now: Now, server_time: UnixMillis) -> Duration {
        let sample = now.wall.0.saturating_sub(server_time.0);
        let offset = self.offset.map_or(sample, |offset| offset.min(sample));
        self.offset = Some(offset);
        Duration::from_millis(u64::try_from(sample - offset).unwrap_or(0))
    }
}
