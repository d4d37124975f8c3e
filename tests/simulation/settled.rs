//! What must be so once the network has been quiet for a while, and once every time limit has passed.

use std::collections::BTreeSet;

use call_client::simulation::Seen;
use wire::{Outcome, Ring, Session};

use super::{check::short, device::Device, world::World};

/// Everybody alone in a call for two, or awaited, has been let go of after this.
const PATIENCE: i64 = 45_000;
/// So long an answered call waits for who has yet to come in: his word that he will not may have been lost.
const AWAITED: u64 = 32_000;

impl World {
    /// The network has been quiet for a moment: who is rung hears it on every device that is connected.
    pub(super) fn check_heard(&mut self) {
        let now = self.server_now();
        let mut broken = None;
        for (ring, deadline) in self.server.stored_rings(now) {
            // A clock that was set by less than what a device notices ends it by as much too early.
            let is_over = deadline.0 < now.0 + 2_500;
            let rings = |device: &Device| {
                ring.target(&device.user).is_some_and(|target| target.outcome == Outcome::Ringing) && !is_over
            };
            for (d, device) in self.devices.iter().enumerate().filter(|(_, device)| rings(device)) {
                let hears = device.connection.as_ref().is_some_and(|connection| {
                    device.served == Some(connection.epoch) && connection.last_down.saturating_add(500) < self.now
                });
                let is_silenced = device.is_silent
                    || self.checks.is_over(d, device.life, &ring.id)
                    || self.checks.gone.contains(&(d, device.life, ring.cid.clone()));
                let is_silent = matches!(device.seen(&ring.cid), Seen::Idle | Seen::Left(_) | Seen::Ended(_));
                if hears && is_silent && !is_silenced && device.is_quiet() && !device.machine_is_busy(&ring.cid) {
                    broken.get_or_insert(format!("device {d} does not ring in {}, and should", ring.cid));
                }
            }
        }
        if let Some(broken) = broken {
            self.checks.fail(broken);
        }
    }

    /// The network has been quiet for a while: the devices agree with the server.
    pub(super) fn check_settled(&mut self) {
        let now = self.server_now();
        self.say(|| "— settled —".to_owned());
        let mut broken: Option<String> = None;
        for (ring, deadline) in self.server.stored_rings(now) {
            if ring.is_live() && deadline.0 + 1_500 < now.0 {
                broken.get_or_insert(format!(
                    "{} is live {} ms after its deadline",
                    short(&ring.id),
                    now.0 - deadline.0
                ));
            }
        }
        for call in self.server.stored_calls() {
            let rings: Vec<Ring> =
                self.server.stored_rings(now).map(|(ring, _)| ring).filter(|ring| ring.cid == call.cid).collect();
            for (d, device) in self.devices.iter().enumerate() {
                // Something that time alone has just brought is on its way to it.
                if device.connection.as_ref().is_some_and(|connection| connection.last_down >= self.now) {
                    continue;
                }
                // Who hears that he is not in waits a moment before he asks to be let in again: he may have been put out.
                let hears_news =
                    device.connection.as_ref().is_some_and(|connection| connection.last_down + 3_000 > self.now);
                let (cid, life) = (&call.cid, device.life);
                let seen = device.seen(cid);
                let participants = call.session.iter().flat_map(|session| &session.participants);
                let is_participant = participants.map(|there| &there.device).any(|there| *there == device.id);
                let is_ringing =
                    |ring: &Ring| ring.target(&device.user).is_some_and(|target| target.outcome == Outcome::Ringing);
                match &seen {
                    Seen::RingingIn(id) if !rings.iter().any(|ring| ring.id == *id && is_ringing(ring)) => {
                        broken.get_or_insert(format!("device {d} rings in {cid}, and the server knows nothing of it"));
                    }
                    Seen::RingingOut(id)
                        if !rings.iter().any(|ring| ring.id == *id && ring.is_live() && !ring.is_answered()) =>
                    {
                        broken.get_or_insert(format!(
                            "device {d} rings out in {cid}, and the server knows nothing of it"
                        ));
                    }
                    // Unless it is asking to be let in again just now; for how long is looked at by `check_patience`.
                    Seen::Joined | Seen::Joining { is_let_in: true, .. }
                        if !is_participant && device.is_quiet() && !hears_news =>
                    {
                        broken.get_or_insert(format!("device {d} is in {cid}, and the server says it is not"));
                    }
                    Seen::Idle | Seen::Left(_) | Seen::Ended(_) => {
                        let is_due = |ring: &&Ring| {
                            let answered = self.checks.answered.get(&ring.id);
                            answered.is_some_and(|(_, at)| at + AWAITED < self.now)
                        };
                        let newest = rings.last().filter(is_due);
                        if newest.is_some_and(|ring| awaits(ring, device, call.session.as_ref())) {
                            broken.get_or_insert(format!("device {d} does not come into {cid}, which was answered"));
                        }
                    }
                    Seen::RingingIn(_) | Seen::RingingOut(_) | Seen::Joined | Seen::Joining { .. } => {}
                }
                let is_here = matches!(seen, Seen::Joined | Seen::Joining { .. });
                // Unless something between the two sent his request a second time.
                let went_out = self.checks.gone.contains(&(d, life, cid.clone())) && self.faults.doubles == 0;
                if is_participant && !is_here && went_out && device.is_quiet() {
                    broken.get_or_insert(format!("the server has {} in {cid}, who went out", device.id));
                }
            }
        }
        if let Some(broken) = broken {
            self.checks.fail(broken);
        }
    }

    /// Every time limit has passed: nothing is half done, and what was missed is in the history.
    pub(super) fn check_over(&mut self) {
        let now = self.server_now();
        let mut broken = self.unanswered();
        let rings: Vec<Ring> = self.server.stored_rings(now).map(|(ring, _)| ring).collect();
        for ring in &rings {
            if ring.is_live() {
                broken.get_or_insert(format!("{} is still live at the end", short(&ring.id)));
            }
            for target in &ring.targets {
                let line = self.server.stored_history(&target.user, &ring.id);
                let is_missed = line.is_some_and(|line| line.outcome == wire::HistoryOutcome::Missed);
                // A ring that was folded into its mirror was not missed by anybody.
                let mirrors = |other: &Ring| other.caller == target.user && other.target(&ring.caller).is_some();
                let must_be = match target.outcome {
                    Outcome::Missed | Outcome::Busy => true,
                    Outcome::Cancelled => !rings.iter().any(mirrors),
                    Outcome::Ringing | Outcome::Accepted | Outcome::Declined => false,
                };
                if must_be && !is_missed {
                    broken.get_or_insert(format!(
                        "{} missed {} and will not learn of it",
                        target.user,
                        short(&ring.id)
                    ));
                }
            }
        }
        for call in self.server.stored_calls() {
            let Some(session) = &call.session else { continue };
            for there in &session.participants {
                let device = self.devices.iter().position(|device| device.id == there.device);
                let seen = device.map(|d| self.devices[d].seen(&call.cid));
                if !matches!(seen, Some(Seen::Joined | Seen::Joining { .. })) {
                    broken.get_or_insert(format!("the server has {} in {}, who is not there", there.device, call.cid));
                }
            }
            let people: BTreeSet<_> = session.participants.iter().map(|there| &there.user).collect();
            let is_rung = rings.iter().any(|ring| ring.session.as_ref() == Some(&session.id));
            if is_rung && call.members.len() == 2 && people.len() < 2 && session.started_at.0 + PATIENCE < now.0 {
                broken.get_or_insert(format!("somebody is left alone in {}", call.cid));
            }
            if people.is_empty() {
                broken.get_or_insert(format!("the session of {} goes on without anybody", call.cid));
            }
        }
        if let Some(broken) = broken {
            self.checks.fail(broken);
        }
    }
}

/// The ring was answered into this session, and this device has yet to come in: as the caller's, or as the one that
/// accepted.
fn awaits(ring: &Ring, device: &Device, session: Option<&Session>) -> bool {
    let as_caller = ring.caller_device == device.id && ring.is_answered() && !ring.caller_came;
    let accepted_here =
        |target: &&wire::Target| target.outcome == Outcome::Accepted && target.answered_on.as_ref() == Some(&device.id);
    let as_callee = ring.target(&device.user).filter(accepted_here).is_some_and(|target| !target.came);
    let is_of_session = session.is_some_and(|session| ring.session.as_ref() == Some(&session.id));
    is_of_session && (as_caller || as_callee)
}
