//! Calls that another program begins: it has no device that could vanish or come in, so a ring of its own lasts until its
//! deadline, and those it rings are the call.

use wire::{CallId, Code, DeviceId, ErrorBody, Outcome, UnixMillis, UserId};

use super::{Authority, batch::Draft, call::LiveCall, sessions::people_in};
use crate::{
    ring::{Ring, Stop},
    store::PersonKind,
};

impl Authority {
    pub(super) fn is_program(&self, user: &UserId) -> bool {
        self.people.get(user).is_some_and(|person| person.kind == PersonKind::Program)
    }

    /// The device that comes in when a ring is answered that a program starts for somebody (S9): the one that is in the
    /// call, and if none is, the one that connected last.
    pub(crate) fn device_for(&self, user: &UserId, cid: &CallId) -> Result<DeviceId, ErrorBody> {
        let mut there = self.calls.get(cid).into_iter().flat_map(LiveCall::participants);
        let device = there.find(|there| there.user == *user).map(|there| there.device.clone());
        device.or_else(|| self.connections.newest_device(user)).ok_or_else(|| {
            let message = format!("{user} has no device connected that could come into the call: ring {user}, too");
            ErrorBody::new(Code::Conflict, message)
        })
    }

    /// Of those whom a program rang together only one is left who is in or may come: there is nobody for him to talk to,
    /// and he is neither rung nor left waiting.
    pub(super) fn leave_nobody_waiting(&self, now: UnixMillis, live: &mut LiveCall, draft: &mut Draft) {
        let goes_on = |ring: &&Ring| ring.is_live() || live.leads_here(ring);
        let mut of_programs = live.rings().iter().filter(goes_on).filter(|ring| self.is_program(&ring.caller));
        let Some(ring) = of_programs.next() else { return };
        let ringing = ring.targets.iter().filter(|target| target.outcome == Outcome::Ringing).count();
        if ring.targets.len() < 2 || ringing + people_in(live) > 1 {
            return;
        }
        let id = ring.id.clone();
        // Whom one of them has rung in may come: the end of that ring decides.
        if live.rings().iter().any(|other| other.id != id && other.is_live()) {
            return;
        }
        self.stop_rings(now, live, Stop::Cancel, draft, |_, ring| ring.id == id);
        if live.call.settings.ring.end_when_alone != Some(false) {
            self.close_session(now, live, draft);
        }
    }
}
