//! What people change about themselves: names, favourites, missed calls they have looked at, devices they sign out. It is
//! true, and told, once it is stored.

use std::collections::BTreeMap;

use wire::{CallId, DeviceId, ErrorBody, Event, HistoryEntry, Leave, RingId, UnixMillis, UserId};

use super::{Authority, Caller, Out, batch::Draft, call::LiveCall};
use crate::{
    access,
    ring::Ring,
    store::{PersonChange, Personal, StoredPerson},
};

/// What of it is known here.
#[derive(Debug)]
pub(super) struct Known {
    /// Of the batch that is being stored.
    being_stored: BTreeMap<UserId, PersonChange>,
    /// The newest line of all histories that anybody was told of.
    newest_line: i64,
}

impl Known {
    pub(super) fn new(newest_line: i64) -> Self {
        Self { being_stored: BTreeMap::new(), newest_line }
    }

    pub(super) fn is_being_stored(&mut self, personal: &Personal) {
        self.being_stored.extend(personal.people.clone());
    }

    pub(super) fn taken_back(&mut self) {
        self.being_stored.clear();
    }
}

impl Authority {
    /// Something a person changes about himself.
    pub(crate) fn change_person(
        &mut self,
        who: &Caller,
        change: impl FnOnce(&mut StoredPerson) -> Result<(), ErrorBody>,
    ) -> Result<(), ErrorBody> {
        let mut before = self.people.get(&who.user).cloned().ok_or_else(access::not_signed_in)?;
        let unstored = [self.personal.being_stored.get(&who.user), self.batch.change.personal.people.get(&who.user)];
        for decided in unstored.into_iter().flatten() {
            decided.clone().apply(&mut before);
        }
        let mut after = before.clone();
        change(&mut after)?;
        let change = PersonChange::between(&before, after);
        self.batch.change.personal.people.entry(who.user.clone()).or_default().then(change);
        self.batch.people.insert(who.user.clone());
        Ok(())
    }

    /// The person has looked at his missed calls, up to a line of his history or all that he was told of: what was missed
    /// since stays to be looked at.
    pub(crate) fn see_missed(&mut self, who: &Caller, up_to: Option<i64>) {
        let up_to = up_to.unwrap_or(i64::MAX).min(self.personal.newest_line);
        let seen = self.batch.change.personal.seen.entry(who.user.clone()).or_insert(up_to);
        *seen = up_to.max(*seen);
    }

    /// A device is signed out, and out of every call.
    pub(crate) fn sign_out(&mut self, now: UnixMillis, device: &DeviceId) {
        let is_in: Vec<LiveCall> = self.calls.values().filter(|live| live.has_device(device)).cloned().collect();
        for mut live in is_in {
            let mut draft = Draft::default();
            let there = live.participants().find(|there| there.device == *device);
            let Some(user) = there.map(|there| there.user.clone()) else { continue };
            self.put_device_out(now, &mut live, &user, device.clone(), &mut draft);
            draft.calls.push(live);
            self.commit(draft);
        }
        // Who answers what it rings would wait for nobody, and so would who was answered on it.
        for (who, cid, ring) in self.rung_or_awaited(device) {
            let leave = Leave { ring: Some(ring), session: None };
            // A call that this person may not see any more has dropped him already.
            _ = self.leave(now, &who, &cid, &leave);
        }
        self.batch.change.personal.signed_out.entry(device.clone()).or_insert(now);
    }

    /// By what this device rings, or is awaited in a call, without being in it.
    fn rung_or_awaited(&self, device: &DeviceId) -> Vec<(Caller, CallId, RingId)> {
        let rings = self.calls.values().filter(|live| !live.has_device(device)).flat_map(LiveCall::rings);
        let is_its = |ring: &&Ring| ring.awaits(device) || (ring.caller_device == *device && ring.is_live());
        let found = |ring: &Ring| {
            let who = Caller { user: ring.user_of(device).clone(), device: device.clone() };
            (who, ring.cid.clone(), ring.id.clone())
        };
        rings.filter(is_its).map(found).collect()
    }

    /// It is stored, and so are these lines of histories.
    pub(super) fn deliver_personal(
        &mut self,
        now: UnixMillis,
        personal: Personal,
        entries: &[HistoryEntry],
        outs: &mut Vec<Out>,
    ) {
        self.personal.being_stored.clear();
        let newest = entries.iter().map(|entry| entry.id).max();
        self.personal.newest_line = self.personal.newest_line.max(newest.unwrap_or(0));
        for (user, change) in personal.people {
            if let Some(favourites) = change.favourites.clone() {
                self.introduce_favourites(now, &user, &favourites, outs);
                self.connections.tell(now, &user, Event::Favourites { favourites }, outs);
            }
            if let Some(do_not_disturb) = change.do_not_disturb.clone() {
                self.connections.tell(now, &user, Event::DoNotDisturb { do_not_disturb }, outs);
            }
            if let Some(person) = self.people.get_mut(&user) {
                change.apply(person);
            }
        }
        for (user, up_to) in personal.seen {
            self.connections.tell(now, &user, Event::MissedSeen { up_to }, outs);
        }
        for device in personal.signed_out.into_keys() {
            outs.extend(self.signed_out(now, &device));
        }
    }
}
