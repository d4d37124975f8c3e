//! A call that is held in memory because something goes on in it, and who sees what of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use wire::{Call, DeviceId, SessionId, UnixMillis, UserId};

use super::{planned, sessions::MediaPresence};
use crate::ring::Ring;

#[derive(Debug, Clone)]
pub(super) struct LiveCall {
    /// Shared with whoever is told of it and with the store: a change makes a new one.
    pub(super) call: Arc<Call>,
    /// The newest ring.
    pub(super) ring: Option<Ring>,
    pub(super) media: BTreeMap<DeviceId, MediaPresence>,
    /// Since when the session has been empty, or one has been alone in a call for two.
    pub(super) lonely_since: Option<UnixMillis>,
    /// The session whose participants were warned that its time is over soon.
    pub(super) warned: Option<SessionId>,
}

impl LiveCall {
    pub(super) fn new(call: impl Into<Arc<Call>>, ring: Option<Ring>) -> Self {
        Self { call: call.into(), ring, media: BTreeMap::new(), lonely_since: None, warned: None }
    }

    /// The call, to be changed.
    pub(super) fn edit(&mut self) -> &mut Call {
        Arc::make_mut(&mut self.call)
    }

    pub(super) fn is_live(&self) -> bool {
        self.call.session.is_some() || self.ring.as_ref().is_some_and(Ring::is_live)
    }

    /// Something goes on, or is to happen at a planned time: it is kept in memory.
    pub(super) fn is_held(&self) -> bool {
        self.is_live() || planned::is_awaited(self)
    }

    pub(super) fn is_in_session(&self, user: &UserId) -> bool {
        let session = self.call.session.as_ref();
        session.is_some_and(|session| session.participants.iter().any(|there| there.user == *user))
    }

    pub(super) fn has_device(&self, device: &DeviceId) -> bool {
        let session = self.call.session.as_ref();
        session.is_some_and(|session| session.participants.iter().any(|there| there.device == *device))
    }

    /// Everybody a change of this call concerns.
    pub(super) fn audience(&self) -> BTreeSet<UserId> {
        let members = self.call.members.iter().map(|member| &member.user);
        let targets = self.ring.iter().flat_map(|ring| ring.targets.iter().map(|target| &target.user));
        let callers = self.ring.iter().map(|ring| &ring.caller);
        let participants = self.call.session.iter().flat_map(|session| &session.participants).map(|there| &there.user);
        members.chain(targets).chain(callers).chain(participants).cloned().collect()
    }
}
