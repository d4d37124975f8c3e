//! Requests that come again: whoever is not sure that he was heard asks once more with the same key, and is heard once.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::watch;
use wire::UnixMillis;

/// How long an answer is kept.
pub(crate) const KEPT: Duration = Duration::from_secs(24 * 3600);

/// An answer that is kept, stored together with what it tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeptAnswer {
    pub(crate) of: RepeatId,
    /// Of method, path and body: the same key with another request is a mistake.
    pub(crate) request_hash: String,
    pub(crate) body: String,
    pub(crate) created_at: UnixMillis,
}

/// Who asks, and the key he chose.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct RepeatId {
    pub(crate) owner: String,
    pub(crate) key: String,
}

type Busy = Arc<Mutex<HashMap<RepeatId, watch::Receiver<()>>>>;

/// Requests with a key that are being answered now: one at a time for each key.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    busy: Busy,
}

/// The right to answer a request with this key. Held until the answer is stored, also when nobody waits for it any more.
#[derive(Debug)]
pub(crate) struct Turn {
    busy: Busy,
    of: RepeatId,
    /// Who waits for the turn hears of its end by this being dropped.
    _end: watch::Sender<()>,
}

impl Repeats {
    pub(crate) async fn turn(&self, of: &RepeatId) -> Turn {
        loop {
            let mut ended = {
                let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
                match busy.entry(of.clone()) {
                    Entry::Occupied(taken) => taken.get().clone(),
                    Entry::Vacant(free) => {
                        let (end, ended) = watch::channel(());
                        free.insert(ended);
                        return Turn { busy: Arc::clone(&self.busy), of: of.clone(), _end: end };
                    }
                }
            };
            // Never sent to: this ends when the turn is dropped.
            _ = ended.changed().await;
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.of);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::poll;

    use super::*;

    #[tokio::test]
    async fn one_key_has_one_turn_at_a_time() {
        let repeats = Repeats::default();
        let id = |key: &str| RepeatId { owner: "shop".to_owned(), key: key.to_owned() };
        let (first, other) = (repeats.turn(&id("a")).await, repeats.turn(&id("b")).await);
        let (of, mut second) = (id("a"), Box::pin(async { repeats.turn(&id("a")).await }));
        assert!(poll!(&mut second).is_pending());
        drop(other);
        assert!(poll!(&mut second).is_pending());
        drop(first);
        let second = second.await;
        assert_eq!(second.of, of);
        drop(second);
        assert!(repeats.busy.lock().unwrap().is_empty());
    }
}
