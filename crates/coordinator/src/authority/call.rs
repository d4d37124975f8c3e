//! A call that is held in memory because something goes on in it, and who sees what of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use wire::{Call, DeviceId, Participant, RingId, SessionId, UnixMillis, UserId};

use super::{planned, sessions::MediaPresence};
use crate::{kept::Kept, ring::Ring};

/// What of a call's rings somebody sees: the same for all who see the same ring, but for its caller.
pub(super) type RingSeen<'a> = (&'a RingId, bool);

#[derive(Debug, Clone)]
pub(super) struct LiveCall {
    /// Shared with whoever is told of it and with the store: a change makes a new one.
    pub(super) call: Arc<Call>,
    /// What does not travel; shared with the store likewise.
    pub(super) kept: Arc<Kept>,
    pub(super) media: BTreeMap<DeviceId, MediaPresence>,
    /// Since when the session has been empty, or one has been alone in a call for two.
    pub(super) lonely_since: Option<UnixMillis>,
    /// Since when somebody who was answered, or has answered, has yet to come in.
    pub(super) awaited_since: Option<UnixMillis>,
    /// Devices that were put out of the session that runs: they do not come back by themselves.
    pub(super) put_out: BTreeSet<DeviceId>,
    /// The session whose participants were warned that its time is over soon, and of which end.
    pub(super) warned: Option<(SessionId, UnixMillis)>,
}

impl LiveCall {
    pub(super) fn new(call: impl Into<Arc<Call>>, kept: impl Into<Arc<Kept>>) -> Self {
        Self {
            call: call.into(),
            kept: kept.into(),
            media: BTreeMap::new(),
            lonely_since: None,
            awaited_since: None,
            put_out: BTreeSet::new(),
            warned: None,
        }
    }

    /// The call, to be changed.
    pub(super) fn edit(&mut self) -> &mut Call {
        Arc::make_mut(&mut self.call)
    }

    /// What does not travel, to be changed.
    pub(super) fn keep(&mut self) -> &mut Kept {
        Arc::make_mut(&mut self.kept)
    }

    pub(super) fn rings(&self) -> &[Ring] {
        &self.kept.rings
    }

    pub(super) fn ring(&self, id: &RingId) -> Option<&Ring> {
        self.rings().iter().find(|ring| ring.id == *id)
    }

    pub(super) fn ring_mut(&mut self, id: &RingId) -> Option<&mut Ring> {
        self.keep().rings.iter_mut().find(|ring| ring.id == *id)
    }

    /// The ring that a person is told of: the one that rings him, the one by which he is awaited, or the newest that
    /// concerns him.
    pub(super) fn ring_of(&self, user: &UserId) -> Option<&Ring> {
        let newest_first = || self.rings().iter().rev();
        let awaits = |ring: &&Ring| self.leads_here(ring) && ring.awaits_person(user);
        let concerns = |ring: &&Ring| ring.concerns(user);
        let rings = newest_first().find(|ring| ring.rings(user));
        rings.or_else(|| newest_first().find(awaits)).or_else(|| newest_first().find(concerns))
    }

    /// Which ring that is, and whether this person rings by it.
    pub(super) fn ring_seen_by(&self, user: &UserId) -> Option<RingSeen<'_>> {
        self.ring_of(user).map(|ring| (&ring.id, ring.caller == *user))
    }

    /// That ring as it travels to a person. A caller is shown all open rings of his device as one: whom he has rung in
    /// several goes are the people he waits for.
    pub(super) fn ring_as_seen_by(&self, user: &UserId, now: UnixMillis) -> Option<wire::Ring> {
        let ring = self.ring_of(user)?;
        if ring.caller != *user {
            return Some(ring.view(now));
        }
        let is_open = |ring: &&Ring| ring.is_live() || self.leads_here(ring);
        let mut own = self.rings().iter().rev().filter(|other| other.caller_device == ring.caller_device);
        let newest = own.next().unwrap_or(ring);
        let mut seen = newest.view(now);
        // By which he came and went again, he waits for nobody.
        let has_come = seen.caller_came;
        let waits = |other: &Ring| is_open(&other) && other.caller_came == has_come;
        // How an older ring ended for somebody who was rung again since is not how it stands (R1).
        let mut told: BTreeSet<&UserId> = newest.target_users().collect();
        for ring in own {
            if waits(ring) {
                let other = ring.view(now);
                seen.targets.extend(other.targets.into_iter().filter(|target| !told.contains(&target.user)));
                seen.remaining_ms = seen.remaining_ms.max(other.remaining_ms);
                seen.session = seen.session.or(other.session);
            }
            told.extend(ring.target_users());
        }
        Some(seen)
    }

    /// Somebody is being rung.
    pub(super) fn rings_somebody(&self) -> bool {
        self.rings().iter().any(Ring::is_live)
    }

    /// Somebody was answered, or has answered, and has yet to come into the session that runs.
    pub(super) fn awaits_somebody(&self) -> bool {
        self.rings().iter().any(|ring| self.leads_here(ring) && ring.awaits_somebody())
    }

    /// The devices for which it waits.
    pub(super) fn awaited(&self) -> BTreeSet<DeviceId> {
        let rings = || self.rings().iter().filter(|ring| self.leads_here(ring));
        let answered_on = rings().flat_map(|ring| &ring.targets).filter_map(|target| target.answered_on.as_ref());
        let devices = rings().map(|ring| &ring.caller_device).chain(answered_on);
        devices.filter(|device| rings().any(|ring| ring.awaits(device))).cloned().collect()
    }

    /// Whether the session that runs is the one this ring's answer led into.
    pub(super) fn leads_here(&self, ring: &Ring) -> bool {
        let session = self.call.session.as_ref();
        session.is_some_and(|session| ring.session.as_ref() == Some(&session.id))
    }

    /// Whether a ring is not over for somebody: he rings, or is rung, or is awaited by it.
    pub(super) fn goes_on_for(&self, ring: &Ring, user: &UserId) -> bool {
        let rings = ring.is_live() && ring.caller == *user;
        rings || ring.rings(user) || (self.leads_here(ring) && ring.awaits_person(user))
    }

    /// Adds a ring, and lets those go of which nothing will come any more, unless one is the newest of somebody who is in the
    /// call, or whom an older one that goes on concerns as well: he would be told of that. So would its caller, of how an
    /// older one of his ended for somebody whom it rang again.
    pub(super) fn add_ring(&mut self, ring: Ring) {
        let is_open = |ring: &Ring| ring.is_live() || (self.leads_here(ring) && ring.awaits_somebody());
        let mut told: BTreeSet<&UserId> = ring.people().collect();
        let mut rung_since: BTreeSet<(&DeviceId, &UserId)> = ring.rung_by().collect();
        let mut rings = vec![ring.clone()];
        for (index, older) in self.rings().iter().enumerate().rev() {
            let is_told_of = |user: &UserId| {
                let concerns = |ring: &Ring| is_open(ring) && ring.concerns(user);
                self.is_in_session(user) || self.rings()[..index].iter().any(concerns)
            };
            let has_rung_again = |pair| {
                !rung_since.contains(&pair)
                    && self.rings()[..index].iter().flat_map(Ring::rung_by).any(|older| older == pair)
            };
            let is_newest_of_somebody = older.people().any(|user| !told.contains(user) && is_told_of(user));
            if is_open(older) || is_newest_of_somebody || older.rung_by().any(has_rung_again) {
                rings.push(older.clone());
            }
            told.extend(older.people());
            rung_since.extend(older.rung_by());
        }
        rings.reverse();
        self.keep().rings = rings;
    }

    pub(super) fn is_live(&self) -> bool {
        self.call.session.is_some() || self.rings_somebody()
    }

    /// Something goes on, or is to happen at a planned time: it is kept in memory.
    pub(super) fn is_held(&self) -> bool {
        self.is_live() || planned::is_awaited(self)
    }

    /// Every device in the session that runs.
    pub(super) fn participants(&self) -> impl Iterator<Item = &Participant> {
        self.call.session.iter().flat_map(|session| &session.participants)
    }

    pub(super) fn is_in_session(&self, user: &UserId) -> bool {
        self.participants().any(|there| there.user == *user)
    }

    pub(super) fn has_device(&self, device: &DeviceId) -> bool {
        self.participants().any(|there| there.device == *device)
    }

    /// Everybody a change of this call concerns; not who was put out for good.
    pub(super) fn audience(&self) -> BTreeSet<UserId> {
        let members = self.call.members.iter().map(|member| &member.user);
        let targets = self.rings().iter().flat_map(|ring| ring.targets.iter().map(|target| &target.user));
        let callers = self.rings().iter().map(|ring| &ring.caller);
        let participants = self.participants().map(|there| &there.user);
        let everybody = members.chain(targets).chain(callers).chain(participants);
        everybody.filter(|user| !self.call.blocked.contains(*user)).cloned().collect()
    }
}
