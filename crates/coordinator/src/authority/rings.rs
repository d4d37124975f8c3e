//! Starting, answering and ending rings: the authority's side of section 3 of the calling model.

use std::{collections::BTreeSet, time::Duration};

use wire::{
    CallId, CallState, Capability, Code, ErrorBody, HistoryOutcome, Outcome, Reject, RingId, Target, UnixMillis, UserId,
};

use super::{
    Authority, Caller,
    batch::Draft,
    call::LiveCall,
    calls::history_line,
    no_such_call,
    sessions::{loneliness, open_session},
};
use crate::{
    ring::{Accept, Ring, Stop, ringing},
    store::Remembered,
};

/// A caller without its connection for this long has vanished (R11).
const CALLER_MAY_BE_GONE: Duration = Duration::from_secs(10);

impl Authority {
    /// Rings everybody on the list but the caller, or those of it who are named.
    pub(super) fn ring(
        &mut self,
        now: UnixMillis,
        who: &Caller,
        mut live: LiveCall,
        video: bool,
        named: Option<&BTreeSet<UserId>>,
    ) -> Result<CallState, ErrorBody> {
        let mut targets: Vec<UserId> = live.call.members.iter().map(|member| member.user.clone()).collect();
        targets.retain(|user| {
            let is_meant = named.is_none_or(|named| named.contains(user));
            let is_reachable = is_meant && *user != who.user && !self.is_program(user);
            is_reachable && !live.is_in_session(user) && !live.call.blocked.contains(user)
        });
        if targets.is_empty() {
            return Err(ErrorBody::invalid("data.members", "there is nobody to ring: name at least one other person"));
        }
        if live.call.ended_at.is_some() {
            return Err(ErrorBody::new(Code::CallEnded, "the call was ended: start a new one"));
        }
        if let Some(answered) = self.answer_back(now, who, &live) {
            return Ok(answered);
        }
        if let [target] = targets.as_slice()
            && let Some(folded) = self.fold(now, who, target, &live)
        {
            return Ok(folded);
        }
        let mut draft = Draft::default();
        self.stop_old_ring(&mut live, &mut draft);
        let targets = targets.into_iter().map(ringing).collect();
        live.ring = Some(self.new_ring(now, who, &live, video, targets));
        let cid = live.call.cid.clone();
        draft.calls.push(live);
        self.commit(draft);
        self.seen_by(&who.user, &cid, now)
    }

    /// Ringing again makes a new ring; what still rang of the old one is over first.
    fn stop_old_ring(&self, live: &mut LiveCall, draft: &mut Draft) {
        let Some(old) = live.ring.as_mut().filter(|ring| ring.is_live()) else { return };
        let stopped = old.stop(Stop::Cancel);
        let old = old.clone();
        self.remember_targets(live, &old, &stopped, draft);
        draft.rings.push(old);
    }

    fn new_ring(&mut self, now: UnixMillis, who: &Caller, live: &LiveCall, video: bool, targets: Vec<Target>) -> Ring {
        let timeout = Duration::from_millis(u64::from(live.call.settings.ring.timeout_ms));
        Ring {
            id: self.ids.ring(now),
            cid: live.call.cid.clone(),
            caller: who.user.clone(),
            caller_device: who.device.clone(),
            video,
            started_at: now,
            deadline: now.plus(timeout),
            targets,
            // Who rings others into a call he is in has nothing to come into; a program never comes.
            caller_came: live.has_device(&who.device) || self.is_program(&who.user),
        }
    }

    /// Who rings back the one by whom this very call rings him has answered (R16, within one call).
    fn answer_back(&mut self, now: UnixMillis, who: &Caller, live: &LiveCall) -> Option<CallState> {
        let mut live = live.clone();
        let ring = live.ring.as_mut().filter(|ring| ring.targets.len() == 1)?;
        if ring.accept(&who.user, &who.device, now) != Accept::Won {
            return None;
        }
        self.admit_answer(now, live, &who.user, Draft::default()).ok()
    }

    /// Two people ring each other at the same moment (R16): the ring of the lower cid wins, and who made the other one
    /// has thereby accepted it.
    fn fold(&mut self, now: UnixMillis, who: &Caller, target: &UserId, live: &LiveCall) -> Option<CallState> {
        let is_mirror = |other: &&LiveCall| {
            other.call.cid != live.call.cid
                && other.ring.as_ref().is_some_and(|ring| {
                    ring.caller == *target
                        && ring.is_live()
                        && ring.deadline > now
                        && ring.targets.len() == 1
                        && ring.targets[0].user == who.user
                })
        };
        let mut calls = self.calls_of.get(target).into_iter().flatten().filter_map(|cid| self.calls.get(cid));
        let mut other = calls.find(is_mirror).cloned()?;
        if other.call.cid < live.call.cid {
            // Theirs wins: mine was never made, and this device has accepted theirs.
            other.ring.as_mut()?.accept(&who.user, &who.device, now);
            return self.admit_answer(now, other, &who.user, Draft::default()).ok();
        }
        // Mine wins: their device has accepted it, and their own ring is over without a missed call.
        let mut mine = live.clone();
        let theirs = other.ring.as_mut()?;
        theirs.stop(Stop::Cancel);
        let mut ring = self.new_ring(now, who, &mine, theirs.video, vec![ringing(target.clone())]);
        ring.accept(target, &theirs.caller_device, now);
        let mut draft = Draft::of(other);
        self.stop_old_ring(&mut mine, &mut draft);
        mine.ring = Some(ring);
        self.admit_answer(now, mine, &who.user, draft).ok()
    }

    /// Stores a ring that was answered without a join, together with what else that changes; both devices come in by
    /// themselves.
    fn admit_answer(
        &mut self,
        now: UnixMillis,
        mut live: LiveCall,
        reader: &UserId,
        mut draft: Draft,
    ) -> Result<CallState, ErrorBody> {
        open_session(&mut live, now, &mut self.ids);
        live.lonely_since = loneliness(&live, now);
        if let Some(ring) = live.ring.clone() {
            let everybody: Vec<UserId> = ring.targets.iter().map(|target| target.user.clone()).collect();
            self.remember_targets(&live, &ring, &everybody, &mut draft);
            self.remember_caller(&live, &ring, &mut draft);
        }
        let cid = live.call.cid.clone();
        draft.calls.push(live);
        self.commit(draft);
        self.seen_by(reader, &cid, now)
    }

    /// A person says no.
    pub(crate) fn reject(
        &mut self,
        now: UnixMillis,
        who: &Caller,
        cid: &CallId,
        reject: Reject,
    ) -> Result<CallState, ErrorBody> {
        let message = match reject.message.as_deref() {
            Some(text) => Some(wire::MESSAGE.check(text).map(str::to_owned).ok_or_else(|| {
                ErrorBody::invalid("message", "a message has 1 to 500 characters, without control characters")
            })?),
            None => None,
        };
        let Some(mut live) = self.call(cid) else { return Err(no_such_call()) };
        let Some(ring) = live.ring.as_mut().filter(|ring| ring.id == reject.ring && ring.concerns(&who.user)) else {
            // An older ring: it ended long ago, which is what was wanted (R5).
            self.allow(&live, &who.user, Capability::ReadCall)?;
            return Ok(self.view(&live, &who.user, now));
        };
        if planted!(self, LateRejectCounts)
            && let Some(target) = ring.targets.iter_mut().find(|target| target.user == who.user)
        {
            target.outcome = Outcome::Ringing;
        }
        if ring.reject(&who.user, &who.device, reject.reason, message).is_none() {
            return Ok(self.view(&live, &who.user, now));
        }
        let mut draft = Draft::default();
        let ring = ring.clone();
        self.remember_targets(&live, &ring, std::slice::from_ref(&who.user), &mut draft);
        self.remember_caller(&live, &ring, &mut draft);
        self.leave_nobody_waiting(now, &mut live, &mut draft);
        draft.calls.push(live);
        self.commit(draft);
        self.seen_by(&who.user, cid, now)
    }

    /// A device says that it alerts its person.
    pub(crate) fn alerted(&mut self, who: &Caller, cid: &CallId, ring: &RingId) {
        let Some(mut live) = self.call(cid) else { return };
        let is_news = live.ring.as_mut().is_some_and(|known| known.id == *ring && known.alerted(&who.user));
        if is_news {
            self.commit(Draft::of(live));
        }
    }

    /// One person stops ringing; the others ring on.
    pub(super) fn stop_ringing(&self, live: &mut LiveCall, user: &UserId, draft: &mut Draft) {
        let Some(ring) = live.ring.as_mut() else { return };
        if ring.stop_one(user) {
            let ring = ring.clone();
            self.remember_targets(live, &ring, std::slice::from_ref(user), draft);
            self.remember_caller(live, &ring, draft);
        }
    }

    /// Ends what still rings of a call's newest ring.
    pub(super) fn stop_ring(&self, live: &mut LiveCall, stop: Stop, draft: &mut Draft) {
        let Some(ring) = live.ring.as_mut().filter(|ring| ring.is_live()) else { return };
        let stopped = ring.stop(stop);
        let ring = ring.clone();
        self.remember_targets(live, &ring, &stopped, draft);
        self.remember_caller(live, &ring, draft);
    }

    /// When time alone changes the ring: its deadline, or that its caller has vanished.
    pub(super) fn ring_deadline(&self, live: &LiveCall) -> Option<UnixMillis> {
        let ring = live.ring.as_ref().filter(|ring| ring.is_live())?;
        if self.is_program(&ring.caller) {
            return Some(ring.deadline);
        }
        // Who rings without ever connecting has as long from the ring on.
        let gone = self.connections.gone_since(&ring.caller_device).map(|gone| gone.max(ring.started_at));
        let vanished = gone.map(|gone| gone.plus(CALLER_MAY_BE_GONE));
        if planted!(self, NoDeadline) {
            return None;
        }
        let vanished = vanished.filter(|_| !planted!(self, VanishedCallerRings));
        // A caller who is in the call needs no connection of his own for the others to be rung on.
        let vanished = vanished.filter(|_| !ring.is_answered());
        Some(vanished.map_or(ring.deadline, |vanished| vanished.min(ring.deadline)))
    }

    pub(super) fn expire_ring(&self, now: UnixMillis, mut live: LiveCall, draft: &mut Draft) -> LiveCall {
        let Some(ring) = live.ring.as_ref() else { return live };
        if self.ring_deadline(&live).is_none_or(|at| at > now) {
            return live;
        }
        let stop = if ring.deadline <= now { Stop::Deadline } else { Stop::Cancel };
        self.stop_ring(&mut live, stop, draft);
        self.leave_nobody_waiting(now, &mut live, draft);
        live
    }

    /// A line in the history of each of these targets, by where the ring left them.
    pub(super) fn remember_targets(&self, live: &LiveCall, ring: &Ring, users: &[UserId], draft: &mut Draft) {
        for target in ring.targets.iter().filter(|target| users.contains(&target.user)) {
            let mut entry = history_line(live, ring, &target.user);
            entry.outcome = match target.outcome {
                Outcome::Ringing | Outcome::Accepted => HistoryOutcome::Ongoing,
                Outcome::Declined => HistoryOutcome::Declined,
                // For the callee, "busy" was a call he did not get.
                Outcome::Busy | Outcome::Missed | Outcome::Cancelled => HistoryOutcome::Missed,
            };
            entry.reason = target.reason;
            entry.message.clone_from(&target.message);
            entry.unseen = entry.outcome == HistoryOutcome::Missed;
            draft.history.push(Remembered { person: target.user.clone(), occasion: ring.id.to_string(), entry });
        }
    }

    /// The caller's line: when somebody accepted, or when nobody is left to.
    pub(super) fn remember_caller(&self, live: &LiveCall, ring: &Ring, draft: &mut Draft) {
        let reached = ring.targets.iter().filter(|target| target.outcome == Outcome::Accepted).count();
        if ring.is_live() && reached == 0 {
            return;
        }
        if reached > 0 && live.is_in_session(&ring.caller) {
            // Written when the caller came in; the duration is written when he leaves.
            return;
        }
        let mut entry = history_line(live, ring, &ring.caller);
        let refusal = ring.targets.iter().find(|target| matches!(target.outcome, Outcome::Declined | Outcome::Busy));
        let last = refusal.or(ring.targets.last());
        if reached == 0
            && let Some(target) = last
        {
            entry.outcome = target.outcome.into();
            entry.reason = target.reason;
            entry.message.clone_from(&target.message);
        }
        draft.history.push(Remembered { person: ring.caller.clone(), occasion: ring.id.to_string(), entry });
    }
}
