//! Nobody asks for ever, and nobody gives up too soon: once all is quiet, a device on its way in, or one the server has
//! lost, is soon let in or told why not; and one request that is lost keeps nobody out of an answered call.

use std::collections::BTreeMap;

use call_client::simulation::Seen;
use wire::CallId;

use super::{device::Asked, world::World};

/// A request may be lost once (10 s), and the device waits a little between two attempts.
const LET_IN_WITHIN: u64 = 20_000;

/// Who answers, or was answered, keeps trying to come in at least this long.
const PERSEVERES: u64 = 15_000;

/// The calls devices want to be in and are not, and since when.
pub(super) type Outside = BTreeMap<(usize, CallId), u64>;

impl World {
    pub(super) fn check_patience(&mut self, d: usize) {
        let device = &self.devices[d];
        let Some(machine) = &device.machine else { return };
        if !self.is_calm {
            return;
        }
        let (now, server) = (self.now, &self.server);
        let outside = &mut self.checks.outside;
        let mut broken = None;
        for (cid, seen, _) in machine.seen() {
            let is_outside = match seen {
                Seen::Joining { is_let_in: false, .. } => true,
                Seen::Joining { is_let_in: true, .. } | Seen::Joined => !server.is_stored_in(cid, &device.id),
                Seen::Idle | Seen::RingingIn(_) | Seen::RingingOut(_) | Seen::Left(_) | Seen::Ended(_) => false,
            };
            if !is_outside {
                outside.remove(&(d, cid.clone()));
                continue;
            }
            let since = *outside.entry((d, cid.clone())).or_insert(now);
            if now - since > LET_IN_WITHIN {
                broken = Some(format!("device {d} asks for {} ms to be let into {cid}", now - since));
            }
        }
        if let Some(broken) = broken {
            self.checks.fail(broken);
        }
    }
    /// On the way into a call, and not let in yet.
    pub(super) fn is_coming(&self, d: usize, cid: &CallId) -> bool {
        matches!(self.devices[d].seen(cid), Seen::Joining { is_let_in: false, .. })
    }

    /// An attempt to come in by a ring has failed for no reason of its own: there will be another.
    pub(super) fn check_perseverance(&mut self, d: usize, id: u64, asked: &Asked) {
        let device = &self.devices[d];
        let Some(ring) = asked.ring.as_ref().filter(|_| !self.is_coming(d, &asked.cid)) else { return };
        let Some((ring, deadline)) = self.server.stored_ring(ring, self.server_now()) else { return };
        let first = self.checks.first_asked.get(&(d, device.life, id)).copied().unwrap_or(self.now);
        let is_worth_it = ring.caller == device.user || deadline > self.server_now();
        if is_worth_it && self.now - first < PERSEVERES {
            let asked_for = self.now - first;
            self.checks.fail(format!("device {d} gives up coming into {} after {asked_for} ms", asked.cid));
        }
    }
}
