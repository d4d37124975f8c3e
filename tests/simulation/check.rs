//! The invariants of ringing (docs: the calling model, section 3), looked at after every step.

use std::collections::{BTreeMap, BTreeSet};

use call_client::simulation::Seen;
use coordinator::simulation::Answer;
use wire::{
    CallId, CallState, ErrorBody, Event as Told, Outcome, Ring, RingId, ServerMessage, SessionId, Target, UserId,
};

use super::{
    patience::Outside,
    wishes::Wishes,
    world::{EPOCH, Event, World},
};

/// A ring may sound this long beyond its deadline: a second, and the network's worst delay.
const MAY_LAST: u64 = 2_000;
/// A caller may be without a connection this long (R11).
const CALLER_MAY_BE_GONE: u64 = 10_000;

/// What must stay true.
#[derive(Debug, Default)]
pub(super) struct Checks {
    pub(super) broken: Option<String>,
    /// How targets ended, wherever that was seen first.
    outcomes: BTreeMap<RingId, BTreeMap<UserId, Outcome>>,
    /// Rings that are over for a device in this life: answered anywhere, or given up by its person.
    silenced: BTreeSet<(usize, u32, RingId)>,
    /// Rings that a device's person did not want to hear any more, and has not come into the call since.
    unwanted: BTreeMap<(usize, u32, RingId), CallId>,
    /// Calls a device's person has gone out of, and not come back into.
    pub(super) gone: BTreeSet<(usize, u32, CallId)>,
    opened: BTreeMap<(usize, RingId), u32>,
    joining: Option<(u64, Option<RingId>)>,
    alerting: BTreeSet<(usize, u32, RingId)>,
    /// How many people were in a session when it was stored last.
    people: BTreeMap<SessionId, usize>,
    /// When a ring was announced, and when it was answered last.
    announced: BTreeMap<RingId, u64>,
    pub(super) answered: BTreeMap<RingId, (usize, u64)>,
    pub(super) outside: Outside,
    pub(super) wishes: Wishes,
    /// When a join was sent for the first time, by device, life and number.
    pub(super) first_asked: BTreeMap<(usize, u32, u64), u64>,
    /// When a device asked last to be out of a call.
    pub(super) left: BTreeMap<(usize, CallId), u64>,
}

impl Checks {
    pub(super) fn fail(&mut self, what: String) {
        self.broken.get_or_insert(what);
    }

    pub(super) fn comes(&mut self, d: usize, cid: &CallId) {
        self.gone.retain(|(device, _, known)| *device != d || known != cid);
        self.unwanted.retain(|(device, ..), known| *device != d || known != cid);
    }

    /// The ring must be silent on this device.
    pub(super) fn is_over(&self, d: usize, life: u32, ring: &RingId) -> bool {
        let here = (d, life, ring.clone());
        self.silenced.contains(&here) || self.unwanted.contains_key(&here)
    }

    pub(super) fn goes(&mut self, d: usize, life: u32, cid: &CallId, seen: &Seen) {
        match seen {
            Seen::RingingIn(ring) => _ = self.unwanted.insert((d, life, ring.clone()), cid.clone()),
            Seen::RingingOut(ring) => _ = self.silenced.insert((d, life, ring.clone())),
            Seen::Joining { .. } | Seen::Joined => _ = self.gone.insert((d, life, cid.clone())),
            Seen::Idle | Seen::Left(_) | Seen::Ended(_) => {}
        }
    }

    pub(super) fn joining(&mut self, id: u64, ring: Option<RingId>) {
        self.joining = Some((id, ring));
    }

    /// Every target ends with exactly one outcome, the same everywhere.
    fn sees(&mut self, ring: &RingId, targets: &[Target]) {
        for target in targets.iter().filter(|target| target.outcome != Outcome::Ringing) {
            if !self.outcomes.contains_key(ring) {
                self.outcomes.insert(ring.clone(), BTreeMap::new());
            }
            let Some(outcomes) = self.outcomes.get_mut(ring) else { continue };
            let known = outcomes.get(&target.user).copied();
            if known.is_none() {
                outcomes.insert(target.user.clone(), target.outcome);
            }
            if let Some(known) = known
                && known != target.outcome
            {
                let (user, now) = (&target.user, target.outcome);
                self.broken.get_or_insert(format!("the outcome of {user} was {known:?} and is now {now:?}"));
            }
        }
    }
}

fn told(message: &ServerMessage) -> Vec<&CallState> {
    match message {
        ServerMessage::Snapshot(snapshot) => snapshot.calls.iter().collect(),
        ServerMessage::Event { event: Told::Call { state }, .. } => vec![state],
        ServerMessage::Event { .. } | ServerMessage::Pong | ServerMessage::ComeBack { .. } | ServerMessage::Unknown => {
            Vec::new()
        }
    }
}

impl World {
    /// Stored before it is announced (R18).
    pub(super) fn check_sent(&mut self, message: &ServerMessage) {
        let now = self.server_now();
        for ring in told(message).into_iter().filter_map(|state| state.ring.as_ref()) {
            self.checks.sees(&ring.id, &ring.targets);
            if !self.checks.announced.contains_key(&ring.id) {
                self.checks.announced.insert(ring.id.clone(), self.now);
            }
            let answers = ring.targets.iter().filter(|target| target.outcome == Outcome::Accepted).count();
            if self.checks.answered.get(&ring.id).map_or(0, |(known, _)| *known) < answers {
                self.checks.answered.insert(ring.id.clone(), (answers, self.now));
            }
            let Some((stored, _)) = self.server.stored_ring(&ring.id, now) else {
                return self.checks.fail("a ring is announced that is not stored".to_owned());
            };
            for (told, stored) in ring.targets.iter().zip(&stored.targets) {
                if told.outcome != Outcome::Ringing && stored.outcome != told.outcome {
                    self.checks.fail(format!("{:?} is announced, {:?} is stored", told.outcome, stored.outcome));
                }
            }
        }
    }

    pub(super) fn check_message(&mut self, d: usize, message: &ServerMessage) {
        for ring in told(message).into_iter().filter_map(|state| state.ring.as_ref()) {
            self.say(|| {
                let outcomes: Vec<_> =
                    ring.targets.iter().map(|target| (target.user.as_str(), target.outcome)).collect();
                format!("device {d} hears of {} in {}: {outcomes:?}", short(&ring.id), ring.cid)
            });
            self.checks.sees(&ring.id, &ring.targets);
        }
    }

    /// What another device (or anybody) has decided for this person is silent here from now on.
    pub(super) fn check_told(&mut self, d: usize, message: &ServerMessage) {
        for state in told(message) {
            self.note_silenced(d, state);
        }
        self.check_device(d);
    }

    /// The same for a state that came as the answer to a request.
    pub(super) fn check_state_told(&mut self, d: usize, state: &CallState) {
        if let Some(ring) = &state.ring {
            self.checks.sees(&ring.id, &ring.targets);
        }
        self.note_silenced(d, state);
        self.check_device(d);
    }

    /// A ring is over for a person who is out of it, and for a caller once it was answered or nobody is left in it.
    fn note_silenced(&mut self, d: usize, state: &CallState) {
        let Some(ring) = &state.ring else { return };
        let device = &self.devices[d];
        let is_over = match ring.target(&device.user) {
            Some(target) => target.outcome != Outcome::Ringing,
            None => !ring.is_live() || ring.is_answered(),
        };
        if is_over {
            self.checks.silenced.insert((d, device.life, ring.id.clone()));
        }
    }

    pub(super) fn check_device(&mut self, d: usize) {
        let device = &self.devices[d];
        let Some(machine) = &device.machine else { return };
        let life = device.life;
        let mut broken = None;
        let mut news = Vec::new();
        for (cid, seen, ring) in machine.seen() {
            match seen {
                Seen::RingingIn(id) | Seen::RingingOut(id) => {
                    let is_in = ring.is_some_and(|ring| ring.caller != device.user);
                    let hears = device.connection.as_ref().is_some_and(|connection| connection.last_down <= self.now);
                    if hears && is_in && ring.is_some_and(|ring| ring.id == id && self.rings_for_nobody(ring)) {
                        broken = Some(format!("device {d} rings for a caller who has vanished"));
                    }
                    let Some(deadline) = self.server.stored_deadline(&id) else {
                        broken = Some(format!("device {d} rings for a ring that is not stored"));
                        continue;
                    };
                    let deadline = u64::try_from(deadline.0 - EPOCH).unwrap_or(0);
                    if self.now > deadline + MAY_LAST {
                        broken = Some(format!("device {d} rings {} ms after the deadline", self.now - deadline));
                    }
                    if self.checks.is_over(d, life, &id) {
                        broken = Some(format!("device {d} rings for {} which is over for it", short(&id)));
                    }
                    if is_in && device.is_silent {
                        broken = Some(format!("device {d} rings although nobody may disturb"));
                    }
                    if is_in && !self.checks.alerting.contains(&(d, life, id.clone())) {
                        news.push((cid.clone(), id));
                    }
                }
                Seen::Joining { is_let_in: false, .. } if machine.is_quiet() => {
                    broken = Some(format!("device {d} waits to be let in and nobody was asked"));
                }
                Seen::Joining { is_let_in: true, .. } | Seen::Joined if !device.media.contains_key(cid) => {
                    broken = Some(format!("device {d} is in {cid} without a media session"));
                }
                Seen::Joining { .. } | Seen::Joined | Seen::Idle | Seen::Left(_) | Seen::Ended(_) => {}
            }
        }
        for cid in device.media.keys() {
            if !matches!(device.seen(cid), Seen::Joining { .. } | Seen::Joined) {
                broken = Some(format!("device {d} has its microphone on in {cid} and is not in it"));
            }
        }
        for (cid, id) in news {
            self.say(|| format!("device {d} rings: {} in {cid}", short(&id)));
            self.checks.alerting.insert((d, life, id));
            self.after(30, Event::Notices { d, life, cid });
        }
        if let Some(broken) = broken {
            self.checks.fail(broken);
        }
    }

    /// A person comes into a call by one ring once, and only if he accepted it; and not after he went out.
    pub(super) fn check_open(&mut self, d: usize, cid: &CallId, join: u64) {
        let life = self.devices[d].life;
        if self.checks.gone.contains(&(d, life, cid.clone())) {
            // A newer ring, answered back by his own ring, brings him in again.
            let ring = self.checks.joining.clone().and_then(|(_, ring)| ring);
            if ring.is_none_or(|ring| self.checks.opened.contains_key(&(d, ring))) {
                return self.checks.fail(format!("device {d} is dragged back into {cid}"));
            }
        }
        let Some((id, Some(ring))) = self.checks.joining.clone() else { return };
        if id != join {
            return;
        }
        let times = self.checks.opened.entry((d, ring.clone())).or_insert(0);
        *times += 1;
        if *times > 1 {
            return self.checks.fail(format!("device {d} comes in twice by {}", short(&ring)));
        }
        let user = self.devices[d].user.clone();
        if let Some((stored, _)) = self.server.stored_ring(&ring, self.server_now())
            && stored.target(&user).is_some_and(|target| target.outcome != Outcome::Accepted)
        {
            self.checks.fail(format!("device {d} comes in by {} without having accepted it", short(&ring)));
        }
    }

    /// Who is let in by a ring has accepted it on this device, as the disk says.
    pub(super) fn check_answer(&mut self, d: usize, key: u64, result: &Result<Answer, ErrorBody>) {
        let asked = self.devices[d].asked.get(&key).cloned();
        let Some(ring) = asked.and_then(|asked| asked.ring) else { return };
        if !matches!(result, Ok(Answer::Joined(_))) {
            return;
        }
        let (user, device) = self.devices[d].who();
        let Some((stored, _)) = self.server.stored_ring(&ring, self.server_now()) else {
            return self.checks.fail("somebody is let in by a ring that is not stored".to_owned());
        };
        if let Some(target) = stored.target(&user)
            && (target.outcome != Outcome::Accepted || target.answered_on.as_ref() != Some(&device))
        {
            self.checks
                .fail(format!("device {d} is let in; stored is {:?} on {:?}", target.outcome, target.answered_on));
        }
    }

    /// Outcomes on the disk never change, and no ring outlives its deadline while the server runs.
    pub(super) fn check_disk(&mut self) {
        for (ring, targets) in self.server.stored_targets() {
            self.checks.sees(ring, targets);
        }
        self.check_alone();
    }

    /// When one of two leaves, the session is over for the other at once (R17).
    fn check_alone(&mut self) {
        let now = self.server_now();
        for call in self.server.stored_calls() {
            let Some(session) = &call.session else { continue };
            let people: BTreeSet<_> = session.participants.iter().map(|there| &there.user).collect();
            let before = self.checks.people.insert(session.id.clone(), people.len());
            let is_left_alone = before.is_some_and(|before| before > 1) && people.len() == 1 && call.members.len() == 2;
            let rings = || self.server.stored_rings(now).map(|(ring, _)| ring).filter(|ring| ring.cid == call.cid);
            let was_rung = || rings().any(|ring| ring.session.as_ref() == Some(&session.id));
            if is_left_alone && was_rung() && !rings().any(|ring| ring.is_live()) {
                return self.checks.fail(format!("one of two has left {} and the other is still in", call.cid));
            }
        }
    }

    /// A caller without a connection for ten seconds rings nobody (R11).
    fn rings_for_nobody(&self, ring: &Ring) -> bool {
        let Some(caller) = self.devices.iter().find(|device| device.id == ring.caller_device) else { return false };
        let Some(gone) = caller.gone_since else { return false };
        let announced = self.checks.announced.get(&ring.id).copied().unwrap_or(self.now);
        let begun = gone.max(announced).max(self.server_since).max(self.store_was_bad);
        let since = begun + CALLER_MAY_BE_GONE + MAY_LAST;
        self.server.is_up() && !self.store_fails && !ring.is_answered() && self.now > since
    }
}

pub(super) fn short(id: &RingId) -> &str {
    &id.as_str()[id.as_str().len().saturating_sub(6)..]
}
