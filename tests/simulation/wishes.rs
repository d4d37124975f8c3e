//! A person who wishes to come in is answered: once, and truly. In the call, or told why not.

use std::collections::BTreeMap;

use call_client::{ClientError, simulation::Seen};
use wire::{CallId, RingId};

use super::{
    check::{Checks, short},
    world::World,
};

/// What was wished and is not answered yet, by device, life and ticket: the call, and the ring it rang by.
pub(super) type Wishes = BTreeMap<(usize, u32, u64), (CallId, Option<RingId>)>;

impl Checks {
    pub(super) fn wishes(&mut self, d: usize, life: u32, ticket: u64, cid: CallId, seen: &Seen) {
        let ring = match seen {
            Seen::RingingIn(ring) => Some(ring.clone()),
            Seen::Idle | Seen::RingingOut(_) | Seen::Joining { .. } | Seen::Joined | Seen::Left(_) | Seen::Ended(_) => {
                None
            }
        };
        self.wishes.insert((d, life, ticket), (cid, ring));
    }
}

impl World {
    pub(super) fn check_reply(&mut self, d: usize, ticket: u64, result: &Result<(), ClientError>) {
        let device = &self.devices[d];
        let Some((cid, rang)) = self.checks.wishes.remove(&(d, device.life, ticket)) else {
            return self.checks.fail(format!("device {d} answers a wish that was answered before"));
        };
        let broken = match (result, device.seen(&cid)) {
            (Ok(()), Seen::RingingIn(ring)) if rang.as_ref() == Some(&ring) => {
                format!("device {d} says yes to who answers {} and rings on", short(&ring))
            }
            (Ok(()), Seen::Idle) => format!("device {d} says yes to who comes into {cid} and nothing happens"),
            (Err(error), Seen::Joined | Seen::Joining { is_let_in: true, .. }) => {
                format!("device {d} is in {cid} and says that it is not: {error}")
            }
            (Ok(()), Seen::Joining { .. } | Seen::Joined | Seen::Left(_) | Seen::Ended(_)) => return,
            (Ok(()), Seen::RingingIn(_) | Seen::RingingOut(_)) | (Err(_), _) => return,
        };
        self.checks.fail(broken);
    }

    /// Somebody who still waits to be told, although every time limit has passed.
    pub(super) fn unanswered(&self) -> Option<String> {
        let still_lives = |d: usize, life: u32| self.devices[d].machine.is_some() && self.devices[d].life == life;
        let waits = |(d, life, _): &&(usize, u32, u64)| still_lives(*d, *life);
        let (d, life, ticket) = self.checks.wishes.keys().find(waits)?;
        let (cid, _) = self.checks.wishes.get(&(*d, *life, *ticket))?;
        Some(format!("the person at device {d} was never told whether it came into {cid}"))
    }
}
