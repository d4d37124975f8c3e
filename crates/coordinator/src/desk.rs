//! The order of things, sans-IO: what is decided is stored, then answered, then announced; who arrives is shown what is
//! announced already and hears of everything after.

use std::time::Duration;

use wire::{HistoryEntry, UnixMillis};

use crate::authority::{Authority, Batch, Out};

/// How long everything waits after the store has failed.
const STORE_PAUSE: Duration = Duration::from_millis(100);

/// The authority and what rests on its decisions. `W` is an answer that waits for them to be stored.
pub(crate) struct Desk<W> {
    pub(crate) authority: Authority,
    /// Rest on what was decided since the last batch.
    waiting: Vec<W>,
    is_writing: bool,
    /// After a failure of the store: nothing is done before.
    paused_until: Option<UnixMillis>,
}

impl<W> Desk<W> {
    pub(crate) fn new(authority: Authority) -> Self {
        Self { authority, waiting: Vec::new(), is_writing: false, paused_until: None }
    }

    /// An answer rests on everything that was decided before it.
    pub(crate) fn answer(&mut self, answer: W) {
        self.waiting.push(answer);
    }

    /// What time alone brings.
    pub(crate) fn on_time(&mut self, now: UnixMillis) {
        if self.paused_until.is_some_and(|until| until <= now) {
            self.paused_until = None;
        }
        if self.paused_until.is_none() {
            self.authority.on_time(now);
        }
    }

    /// When time alone brings something.
    pub(crate) fn next_deadline(&self) -> Option<UnixMillis> {
        self.paused_until.or(self.authority.next_deadline())
    }

    /// Everything decided is announced or held back: who arrives now may be shown [`Authority::greeting`].
    pub(crate) fn may_greet(&self) -> bool {
        !self.is_writing
    }

    /// The next batch to store, with the answers that rest on it; one at a time.
    pub(crate) fn next_batch(&mut self) -> Option<(Batch, Vec<W>)> {
        let has_something = self.authority.has_undelivered() || !self.waiting.is_empty();
        if self.is_writing || self.paused_until.is_some() || !has_something {
            return None;
        }
        self.is_writing = true;
        Some((self.authority.take_batch(), std::mem::take(&mut self.waiting)))
    }

    /// The store has the batch. The answers go out first: who accepted learns it before the event that tells everybody.
    pub(crate) fn stored(&mut self, now: UnixMillis, batch: Batch, entries: Vec<HistoryEntry>) -> Vec<Out> {
        self.is_writing = false;
        self.authority.deliver(now, batch, entries)
    }

    /// The store has failed. Everything that rests on the batch, and on what was decided after it, is as if it had never
    /// been asked for; whose answers waited for the latter is handed back.
    pub(crate) fn failed(&mut self, now: UnixMillis, batch: Batch) -> Vec<W> {
        self.is_writing = false;
        let newer = self.authority.take_batch();
        let later = self.authority.take_back(newer);
        let remains = self.authority.take_back(batch).and(later);
        self.authority.learn(now, remains);
        self.paused_until = Some(now.plus(STORE_PAUSE));
        std::mem::take(&mut self.waiting)
    }
}
