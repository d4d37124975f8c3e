//! A slot for the newest value: a slow taker skips, nothing queues.

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

struct Slot<T> {
    value: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    newest: Option<T>,
    is_closed: bool,
}

/// Puts values in; dropping it ends the taking.
pub(crate) struct Putter<T>(Arc<Slot<T>>);

/// Takes the newest value out.
pub(crate) struct Taker<T>(Arc<Slot<T>>);

/// What taking came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken<T> {
    Value(T),
    /// Nothing came in time.
    Nothing,
    /// Nothing will come any more.
    Closed,
}

pub(crate) fn slot<T>() -> (Putter<T>, Taker<T>) {
    let state = State { newest: None, is_closed: false };
    let slot = Arc::new(Slot { value: Mutex::new(state), changed: Condvar::new() });
    (Putter(Arc::clone(&slot)), Taker(slot))
}

impl<T> Putter<T> {
    /// Replaces what nobody has taken.
    pub(crate) fn put(&self, value: T) {
        self.0.value.lock().unwrap_or_else(PoisonError::into_inner).newest = Some(value);
        self.0.changed.notify_one();
    }
}

impl<T> Drop for Putter<T> {
    fn drop(&mut self) {
        self.0.value.lock().unwrap_or_else(PoisonError::into_inner).is_closed = true;
        self.0.changed.notify_one();
    }
}

impl<T> Taker<T> {
    /// Waits for a value, but not for ever.
    pub(crate) fn take(&self, patience: Duration) -> Taken<T> {
        let state = self.0.value.lock().unwrap_or_else(PoisonError::into_inner);
        let is_idle = |state: &mut State<T>| state.newest.is_none() && !state.is_closed;
        let waited = self.0.changed.wait_timeout_while(state, patience, is_idle);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match state.newest.take() {
            Some(value) => Taken::Value(value),
            None if state.is_closed => Taken::Closed,
            None => Taken::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_is_taken_and_the_end_is_told() {
        let (putter, taker) = slot();
        putter.put(1);
        putter.put(2);
        assert_eq!(taker.take(Duration::ZERO), Taken::Value(2));
        assert_eq!(taker.take(Duration::ZERO), Taken::Nothing);
        drop(putter);
        assert_eq!(taker.take(Duration::from_secs(5)), Taken::Closed);
    }
}
