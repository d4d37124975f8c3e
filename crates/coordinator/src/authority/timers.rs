//! When each call wants to be looked at again.

use std::collections::{BTreeMap, BTreeSet};

use wire::{CallId, UnixMillis};

#[derive(Debug, Default)]
pub(super) struct Timers {
    by_time: BTreeSet<(UnixMillis, CallId)>,
    by_call: BTreeMap<CallId, UnixMillis>,
}

impl Timers {
    pub(super) fn set(&mut self, cid: &CallId, at: Option<UnixMillis>) {
        if self.by_call.get(cid).copied() == at {
            return;
        }
        if let Some(old) = self.by_call.remove(cid) {
            self.by_time.remove(&(old, cid.clone()));
        }
        if let Some(at) = at {
            self.by_call.insert(cid.clone(), at);
            self.by_time.insert((at, cid.clone()));
        }
    }

    pub(super) fn next(&self) -> Option<UnixMillis> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes the first call whose time has come.
    pub(super) fn due(&mut self, now: UnixMillis) -> Option<CallId> {
        let (at, _) = self.by_time.first()?;
        if *at > now {
            return None;
        }
        let (_, cid) = self.by_time.pop_first()?;
        self.by_call.remove(&cid);
        Some(cid)
    }
}
