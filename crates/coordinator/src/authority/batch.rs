//! What was decided and is not stored yet: changes, whom to tell of them, and how to take them back.

use std::collections::{BTreeMap, BTreeSet};

use wire::{CallId, DeviceId, Event, RingId, TrackSource, UserId};

use super::{Caller, admission::Sending, call::LiveCall};
use crate::{
    ring::Ring,
    store::{Change, Remembered},
};

/// Decisions on their way to the store. Nobody hears of them before they are there.
#[derive(Debug, Default, Clone)]
pub(crate) struct Batch {
    pub(crate) change: Change,
    /// Calls as they are after each change, in order, and whom they concern no more by it.
    pub(super) calls: Vec<(LiveCall, Vec<UserId>)>,
    /// What is told without being kept, and to whom.
    pub(super) notices: Vec<(Vec<UserId>, Event)>,
    /// People whose presence may have changed.
    pub(super) people: BTreeSet<UserId>,
    pub(super) effects: Vec<Effect>,
    /// Calls as they were before the first change, to go back to when the store fails.
    pub(super) before: BTreeMap<CallId, Option<LiveCall>>,
    /// Learnt meanwhile: still so when the store fails.
    pub(super) facts: Vec<Fact>,
}

/// What is so whatever becomes of a batch, and has to be acted upon again when that is taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fact {
    /// What somebody may do was changed elsewhere.
    Person(UserId),
    /// The same for calls of a type.
    CallType(String),
    /// A device has come to the media server.
    CameToMedia { cid: CallId, user: UserId, device: DeviceId },
    /// A device alerts its person.
    Alerts { who: Caller, cid: CallId, ring: RingId },
}

/// What remains of batches that were taken back.
#[derive(Debug, Default)]
pub(crate) struct Remains {
    /// Whose presence may have changed.
    pub(super) people: BTreeSet<UserId>,
    pub(super) facts: Vec<Fact>,
}

impl Remains {
    /// Of an earlier batch and of a later one.
    pub(crate) fn and(mut self, later: Self) -> Self {
        self.people.extend(later.people);
        self.facts.extend(later.facts);
        self
    }
}

/// What the media server has to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    RemoveParticipant {
        cid: CallId,
        user: UserId,
        device: DeviceId,
    },
    /// The device is out for now, and asked to come again.
    AskAgain {
        cid: CallId,
        user: UserId,
        device: DeviceId,
    },
    /// The device is out, as the call is over.
    TellOver {
        cid: CallId,
        user: UserId,
        device: DeviceId,
    },
    /// The device may send this from now on, and nothing else.
    PermitMedia {
        cid: CallId,
        user: UserId,
        device: DeviceId,
        sending: Sending,
    },
    Mute {
        cid: CallId,
        user: UserId,
        device: DeviceId,
        sources: Vec<TrackSource>,
    },
    CloseRoom {
        cid: CallId,
    },
}

/// One decision.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) calls: Vec<LiveCall>,
    /// Who may not know of them any more, and hears that.
    pub(super) former: Vec<UserId>,
    /// Whether the calls' changes must survive a crash.
    pub(super) is_stored: bool,
    /// Rings that ended because a newer one of the same call took their place.
    pub(super) rings: Vec<Ring>,
    pub(super) history: Vec<Remembered>,
    pub(super) effects: Vec<Effect>,
    /// What is told without being kept, and to whom.
    pub(super) notices: Vec<(Vec<UserId>, Event)>,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            calls: Vec::new(),
            former: Vec::new(),
            is_stored: true,
            rings: Vec::new(),
            history: Vec::new(),
            effects: Vec::new(),
            notices: Vec::new(),
        }
    }
}

impl Draft {
    pub(super) fn of(live: LiveCall) -> Self {
        Self { calls: vec![live], ..Self::default() }
    }
}

/// Each call as it is after the last of its changes, in the order of these, and everybody whom it concerns no more by any
/// of them: what was between was never announced, and need not be.
pub(super) fn last_of_each(calls: Vec<(LiveCall, Vec<UserId>)>) -> Vec<(LiveCall, BTreeSet<UserId>)> {
    let mut last: BTreeMap<CallId, (usize, LiveCall, BTreeSet<UserId>)> = BTreeMap::new();
    for (order, (live, former)) in calls.into_iter().enumerate() {
        let mut former: BTreeSet<UserId> = former.into_iter().collect();
        if let Some((.., earlier)) = last.remove(&live.call.cid) {
            former.extend(earlier);
        }
        last.insert(live.call.cid.clone(), (order, live, former));
    }
    let mut last: Vec<_> = last.into_values().collect();
    last.sort_by_key(|(order, ..)| *order);
    last.into_iter().map(|(_, live, former)| (live, former)).collect()
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.calls.is_empty()
            && self.notices.is_empty()
            && self.people.is_empty()
            && self.effects.is_empty()
            && self.change.is_empty()
    }
}
