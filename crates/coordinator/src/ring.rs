//! The rules of one ring, sans-IO: who is reached, until when, and how each ends. Times are the server's clock.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use wire::{CallId, DeviceId, Direction, Outcome, Reason, RingId, SessionId, Target, UnixMillis, UserId};

/// One attempt to reach people, as the authority keeps it.
///
/// ```text
///   per target:  ringing ──► accepted | declined | busy | missed | cancelled     (and never again changes)
/// ```
///
/// The ring is over when no target is `ringing`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ring {
    pub(crate) id: RingId,
    pub(crate) cid: CallId,
    pub(crate) caller: UserId,
    pub(crate) caller_device: DeviceId,
    pub(crate) video: bool,
    pub(crate) started_at: UnixMillis,
    pub(crate) deadline: UnixMillis,
    pub(crate) targets: Vec<Target>,
    /// The caller's device has come in, or has said that it will not.
    #[serde(default)]
    pub(crate) caller_came: bool,
    /// The session that its first answer led into: nobody comes into a later one by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) session: Option<SessionId>,
    /// How many people were on the call's list when it began.
    #[serde(default)]
    pub(crate) members: usize,
}

/// What an accept came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accept {
    /// This device is the first of its person.
    Won,
    /// It had won before: a success without effect.
    Again,
    /// Another device of the person was first.
    Elsewhere,
    /// Too late, or not for this person.
    Over,
}

/// Why the authority ends what still rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The caller gave up (or vanished, or ended the call).
    Cancel,
    /// The deadline passed.
    Deadline,
}

impl Ring {
    pub(crate) fn is_live(&self) -> bool {
        self.targets.iter().any(|target| target.outcome == Outcome::Ringing)
    }

    pub(crate) fn is_answered(&self) -> bool {
        self.targets.iter().any(|target| target.outcome == Outcome::Accepted)
    }

    /// Everybody whom it has rung.
    pub(crate) fn target_users(&self) -> impl Iterator<Item = &UserId> {
        self.targets.iter().map(|target| &target.user)
    }

    /// The same, each with the device that rang him.
    pub(crate) fn rung_by(&self) -> impl Iterator<Item = (&DeviceId, &UserId)> {
        self.target_users().map(|user| (&self.caller_device, user))
    }

    /// Everybody whom it concerns.
    pub(crate) fn people(&self) -> impl Iterator<Item = &UserId> {
        self.target_users().chain([&self.caller])
    }

    pub(crate) fn concerns(&self, user: &UserId) -> bool {
        self.people().any(|known| known == user)
    }

    /// Whose device this is of those whom it concerns: who answered on it, or the caller.
    pub(crate) fn user_of(&self, device: &DeviceId) -> &UserId {
        let answered = self.targets.iter().find(|target| target.answered_on.as_ref() == Some(device));
        answered.map_or(&self.caller, |target| &target.user)
    }

    /// From the side of somebody whom it concerns.
    pub(crate) fn direction_for(&self, person: &UserId) -> Direction {
        if self.caller == *person { Direction::Outgoing } else { Direction::Incoming }
    }

    /// Compare-and-set: the first device of a person wins.
    pub(crate) fn accept(&mut self, user: &UserId, device: &DeviceId, now: UnixMillis) -> Accept {
        let is_late = self.deadline <= now;
        let Some(target) = self.targets.iter_mut().find(|target| target.user == *user) else { return Accept::Over };
        match target.outcome {
            Outcome::Ringing if is_late => Accept::Over,
            Outcome::Ringing => {
                target.outcome = Outcome::Accepted;
                target.answered_on = Some(device.clone());
                Accept::Won
            }
            Outcome::Accepted if target.answered_on.as_ref() == Some(device) => Accept::Again,
            Outcome::Accepted => Accept::Elsewhere,
            Outcome::Declined | Outcome::Busy | Outcome::Missed | Outcome::Cancelled => Accept::Over,
        }
    }

    /// A device is in the call now: it does not come by itself again.
    pub(crate) fn came(&mut self, device: &DeviceId) {
        if self.caller_device == *device {
            self.caller_came = true;
        }
        for target in self.targets.iter_mut().filter(|target| accepted_on(target, device)) {
            target.came = true;
        }
    }

    /// Whether somebody has accepted and this device has yet to come in.
    pub(crate) fn awaits(&self, device: &DeviceId) -> bool {
        let awaits_caller = self.caller_device == *device && !self.caller_came && self.is_answered();
        awaits_caller || self.targets.iter().any(|target| accepted_on(target, device) && !target.came)
    }

    /// Whether this person has yet to come in by it.
    pub(crate) fn awaits_person(&self, user: &UserId) -> bool {
        let awaits = |target: &Target| target.user == *user && target.outcome == Outcome::Accepted && !target.came;
        (self.caller == *user && !self.caller_came && self.is_answered()) || self.targets.iter().any(awaits)
    }

    /// Whether anybody has yet to come in by it.
    pub(crate) fn awaits_somebody(&self) -> bool {
        let awaits_target = |target: &Target| target.outcome == Outcome::Accepted && !target.came;
        self.is_answered() && (!self.caller_came || self.targets.iter().any(awaits_target))
    }

    /// Whom it still rings.
    pub(crate) fn still_rung(&self) -> impl Iterator<Item = &UserId> {
        self.targets.iter().filter(|target| target.outcome == Outcome::Ringing).map(|target| &target.user)
    }

    /// Whether it rings this person now.
    pub(crate) fn rings(&self, user: &UserId) -> bool {
        self.targets.iter().any(|target| target.user == *user && target.outcome == Outcome::Ringing)
    }

    /// Whether this device has come in by this ring before, or has said that it will not.
    pub(crate) fn has_seen(&self, device: &DeviceId) -> bool {
        (self.caller_device == *device && self.caller_came)
            || self.targets.iter().any(|target| accepted_on(target, device) && target.came)
    }

    /// A person says no; says whether that changed anything.
    pub(crate) fn reject(
        &mut self,
        user: &UserId,
        device: &DeviceId,
        reason: Reason,
        message: Option<String>,
    ) -> Option<Outcome> {
        let target = self.ringing_target(user)?;
        target.outcome = match reason {
            Reason::Busy => Outcome::Busy,
            Reason::Decline | Reason::Timeout | Reason::Cancel => Outcome::Declined,
        };
        target.reason = Some(reason);
        target.message = message;
        target.answered_on = Some(device.clone());
        Some(target.outcome)
    }

    /// A device of the person alerts; says whether that is news.
    pub(crate) fn alerted(&mut self, user: &UserId) -> bool {
        self.ringing_target(user).is_some_and(|target| !std::mem::replace(&mut target.alerted, true))
    }

    /// Ends what still rings; names whom it stopped ringing for.
    pub(crate) fn stop(&mut self, stop: Stop) -> Vec<UserId> {
        let (outcome, reason) = match stop {
            Stop::Cancel => (Outcome::Cancelled, Reason::Cancel),
            Stop::Deadline => (Outcome::Missed, Reason::Timeout),
        };
        let ringing = self.targets.iter_mut().filter(|target| target.outcome == Outcome::Ringing);
        ringing
            .map(|target| {
                target.outcome = outcome;
                target.reason = Some(reason);
                target.user.clone()
            })
            .collect()
    }

    /// One person is no longer reached: removed or blocked (R15); says whether he rang.
    pub(crate) fn stop_one(&mut self, user: &UserId) -> bool {
        let Some(target) = self.ringing_target(user) else { return false };
        target.outcome = Outcome::Cancelled;
        target.reason = Some(Reason::Cancel);
        true
    }

    /// The ring as it travels.
    pub(crate) fn view(&self, now: UnixMillis) -> wire::Ring {
        let left = if self.is_live() { self.deadline.since(now) } else { Duration::ZERO };
        wire::Ring {
            id: self.id.clone(),
            cid: self.cid.clone(),
            caller: self.caller.clone(),
            caller_device: self.caller_device.clone(),
            video: self.video,
            remaining_ms: u32::try_from(left.as_millis()).unwrap_or(u32::MAX),
            targets: self.targets.clone(),
            caller_came: self.caller_came,
            session: self.session.clone(),
        }
    }

    fn ringing_target(&mut self, user: &UserId) -> Option<&mut Target> {
        self.targets.iter_mut().find(|target| target.user == *user && target.outcome == Outcome::Ringing)
    }
}

fn accepted_on(target: &Target, device: &DeviceId) -> bool {
    target.outcome == Outcome::Accepted && target.answered_on.as_ref() == Some(device)
}

/// A person who is being reached from now on.
pub(crate) fn ringing(user: UserId) -> Target {
    Target {
        user,
        outcome: Outcome::Ringing,
        alerted: false,
        reason: None,
        message: None,
        answered_on: None,
        came: false,
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

    use super::*;

    const START: UnixMillis = UnixMillis(1_000_000);

    fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
        text.parse().unwrap()
    }

    fn ring_of(people: &[&str]) -> Ring {
        Ring {
            id: id("r1"),
            cid: id("default:x"),
            caller: id("ann"),
            caller_device: id("ann1"),
            video: false,
            started_at: START,
            deadline: START.plus(Duration::from_secs(45)),
            targets: people.iter().map(|person| ringing(id(person))).collect(),
            caller_came: false,
            session: None,
            members: people.len() + 1,
        }
    }

    #[test]
    fn r02_first_device_wins_and_its_second_accept_changes_nothing() {
        let mut ring = ring_of(&["ben"]);
        assert_eq!(ring.accept(&id("ben"), &id("ben1"), START), Accept::Won);
        assert_eq!(ring.accept(&id("ben"), &id("ben2"), START), Accept::Elsewhere);
        assert_eq!(ring.accept(&id("ben"), &id("ben1"), START), Accept::Again);
    }

    #[test]
    fn r04_accept_after_cancel_deadline_or_by_a_stranger_is_over() {
        let mut ring = ring_of(&["ben", "cem"]);
        assert_eq!(ring.accept(&id("eve"), &id("eve1"), START), Accept::Over);
        assert_eq!(ring.accept(&id("ben"), &id("ben1"), ring.deadline), Accept::Over);
        ring.stop(Stop::Cancel);
        assert_eq!(ring.accept(&id("cem"), &id("cem1"), START), Accept::Over);
    }

    #[test]
    fn r07_one_answer_never_changes_the_others() {
        let mut ring = ring_of(&["ben", "cem", "dee"]);
        ring.reject(&id("ben"), &id("ben1"), Reason::Decline, None);
        assert_eq!(ring.accept(&id("cem"), &id("cem1"), START), Accept::Won);
        let outcomes: Vec<_> = ring.targets.iter().map(|target| target.outcome).collect();
        assert_eq!(outcomes, [Outcome::Declined, Outcome::Accepted, Outcome::Ringing]);
        assert!(ring.is_live());
    }

    /// Whatever happens in whatever order: an outcome, once there, stays; a stopped ring is silent.
    #[test]
    fn an_outcome_never_changes_under_random_orders() {
        let people = ["ben", "cem", "dee"];
        for seed in 0..2_000 {
            let mut random = StdRng::seed_from_u64(seed);
            let mut ring = ring_of(&people);
            for _ in 0..30 {
                let before = ring.clone();
                let user: UserId = id(people[random.random_range(0..3)]);
                let device: DeviceId = id(&format!("{user}{}", random.random_range(1..3)));
                let now = START.plus(Duration::from_millis(random.random_range(0..50_000)));
                match random.random_range(0..20) {
                    0..6 => _ = ring.accept(&user, &device, now),
                    6..12 => _ = ring.reject(&user, &device, Reason::Decline, None),
                    12..18 => _ = ring.alerted(&user),
                    18 => _ = ring.stop(Stop::Cancel),
                    _ => _ = ring.stop(Stop::Deadline),
                }
                for (before, after) in before.targets.iter().zip(&ring.targets) {
                    if before.outcome != Outcome::Ringing {
                        assert_eq!(before, after, "seed {seed}");
                    }
                }
                assert_eq!(ring.view(now).is_live(), ring.is_live());
            }
        }
    }
}
