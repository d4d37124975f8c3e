//! Starting, answering and ending rings: the authority's side of section 3 of the calling model.

use std::{collections::BTreeSet, time::Duration};

use wire::{
    CallId, CallState, Capability, Code, ErrorBody, HistoryOutcome, MESSAGE, Outcome, Reject, RingId, Target,
    UnixMillis, UserId,
};

use super::{
    Authority, Caller,
    batch::{Draft, Fact},
    call::LiveCall,
    calls::ring_line,
    no_such_call,
    sessions::open_session,
    stays::{remember, stay_by_ring, takes_place},
    waiting::wait_on,
};
use crate::{
    kept::Stay,
    ring::{Ring, Stop, ringing},
    store::Remembered,
};

/// A caller without its connection for this long has vanished (R11).
const CALLER_MAY_BE_GONE: Duration = Duration::from_secs(10);

impl Authority {
    /// Rings everybody on the list but the caller, or those of it who are named. Who rings already by somebody else's wish
    /// rings on, and so do those whom this device has rung before and does not name. From another device of the caller it
    /// takes them over: he waits for all of them there.
    pub(super) fn ring(
        &mut self,
        now: UnixMillis,
        who: &Caller,
        mut live: LiveCall,
        video: bool,
        named: Option<&BTreeSet<UserId>>,
    ) -> Result<CallState, ErrorBody> {
        let mut targets: Vec<UserId> = live.call.members.iter().map(|member| member.user.clone()).collect();
        let elsewhere = |ring: &&Ring| ring.caller == who.user && ring.caller_device != who.device;
        let taken_over: BTreeSet<&UserId> = live.rings().iter().filter(elsewhere).flat_map(Ring::still_rung).collect();
        targets.retain(|user| {
            let is_meant = named.is_none_or(|named| named.contains(user) || taken_over.contains(user));
            let is_reachable = is_meant && *user != who.user && !self.is_program(user);
            is_reachable && !live.is_in_session(user) && self.capabilities(&live, user).contains(Capability::ReadCall)
        });
        if targets.is_empty() {
            return Err(self.nobody_to_ring(who, &live, named));
        }
        if live.call.ended_at.is_some() {
            return Err(ErrorBody::new(Code::CallEnded, "the call was ended: start a new one"));
        }
        let mut draft = Draft::default();
        if let Some(caller) = self.answer_back(now, who, &mut live, &mut draft) {
            targets.retain(|user| *user != caller);
        }
        // Who has just accepted is on his way in.
        let is_coming = |ring: &Ring, user: &UserId| live.leads_here(ring) && ring.awaits_person(user);
        let is_rung_by_another = |ring: &Ring, user: &UserId| ring.caller != who.user && ring.rings(user);
        // Who is calling somebody in this call waits in it already: he sees who comes.
        let calls_himself = |ring: &Ring, user: &UserId| ring.caller == *user && ring.is_live();
        let rung = live.rings().iter().rev().find(|ring| targets.iter().any(|user| is_rung_by_another(ring, user)));
        let rung = rung.map(|ring| ring.view(now));
        targets.retain(|user| {
            let is_busy_here = |ring: &Ring| is_coming(ring, user) || is_rung_by_another(ring, user);
            !live.rings().iter().any(|ring| is_busy_here(ring) || calls_himself(ring, user))
        });
        if targets.is_empty() {
            let state = self.settle(now, who, live, draft);
            // Who sees no ring of his own is shown the one by which they ring.
            return Ok(CallState { ring: state.ring.or(rung), ..state });
        }
        if let [target] = targets.as_slice()
            && let Some(folded) = self.fold(now, who, target, &live)
        {
            return Ok(folded);
        }
        self.stop_older_rings(now, &mut live, who, &targets, &mut draft);
        let targets = targets.into_iter().map(ringing).collect();
        let ring = self.new_ring(now, who, &live, video, targets);
        live.add_ring(ring);
        let cid = live.call.cid.clone();
        draft.calls.push(live);
        self.commit(draft);
        self.seen_by(&who.user, &cid, now)
    }

    /// Why nobody can be rung.
    fn nobody_to_ring(&self, who: &Caller, live: &LiveCall, named: Option<&BTreeSet<UserId>>) -> ErrorBody {
        let others: Vec<&UserId> = named.into_iter().flatten().filter(|user| **user != who.user).collect();
        let field = if named.is_some() { "members" } else { "data.members" };
        let message = match others.as_slice() {
            [] => "there is nobody to ring: name at least one other person",
            all if all.iter().all(|user| live.is_in_session(user)) => {
                "who is named is in this call already: join it instead of ringing"
            }
            all if all.iter().any(|user| live.call.blocked.contains(*user)) => {
                "who is named is blocked in this call: unblock him first, or call him in another one"
            }
            _ => "none of those named can be rung in this call: they are no people of it who may see it",
        };
        ErrorBody::invalid(field, message)
    }

    /// Ringing somebody again makes a new ring; where he still rang by an older one, that is over for him first (R1).
    fn stop_older_rings(
        &self,
        now: UnixMillis,
        live: &mut LiveCall,
        who: &Caller,
        again: &[UserId],
        draft: &mut Draft,
    ) {
        for index in 0..live.rings().len() {
            let is_again = live.rings()[index].caller == who.user;
            let stopped: Vec<UserId> =
                again.iter().filter(|user| is_again && live.rings()[index].rings(user)).cloned().collect();
            if stopped.is_empty() {
                continue;
            }
            let ring = &mut live.keep().rings[index];
            stopped.iter().for_each(|user| _ = ring.stop_one(user));
            let ring = ring.clone();
            self.remember_targets(live, &ring, &stopped, draft);
            self.remember_caller(now, live, &ring, draft);
            draft.rings.push(ring);
        }
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
            session: None,
            members: live.call.members.len(),
        }
    }

    /// Who rings back the one by whom this very call rings him has answered (R16, within one call); says who that is.
    fn answer_back(&mut self, now: UnixMillis, who: &Caller, live: &mut LiveCall, draft: &mut Draft) -> Option<UserId> {
        let index = live.rings().iter().rposition(|ring| ring.rings(&who.user) && ring.deadline > now)?;
        live.keep().rings[index].accept(&who.user, &who.device, now);
        let ring = self.lead_in(now, live, index);
        self.remember_targets(live, &ring, std::slice::from_ref(&who.user), draft);
        self.remember_caller(now, live, &ring, draft);
        Some(ring.caller)
    }

    /// Two people ring each other at the same moment (R16): the ring of the lower cid wins, and who made the other one
    /// has thereby accepted it. Only calls of the two alone are mirrors: nobody is drawn into what others talk about.
    fn fold(&mut self, now: UnixMillis, who: &Caller, target: &UserId, live: &LiveCall) -> Option<CallState> {
        let is_of_two = |live: &LiveCall| live.call.members.len() == 2 && live.call.session.is_none();
        let mirror = |other: &LiveCall| {
            let mirrors = |ring: &Ring| {
                ring.caller == *target
                    && ring.deadline > now
                    && matches!(ring.targets.as_slice(), [only] if ring.rings(&only.user) && only.user == who.user)
            };
            let is_other = other.call.cid != live.call.cid && is_of_two(other);
            if is_other { other.rings().iter().rposition(mirrors) } else { None }
        };
        if !is_of_two(live) {
            return None;
        }
        let calls = self.calls_of.get(target).into_iter().flatten().filter_map(|cid| self.calls.get(cid));
        let mut mirrors = calls.filter_map(|other| Some((mirror(other)?, other)));
        let (index, mut other) = mirrors.next().map(|(index, other)| (index, other.clone()))?;
        if other.call.cid < live.call.cid {
            // Theirs wins: mine was never made, and this device has accepted theirs.
            other.keep().rings[index].accept(&who.user, &who.device, now);
            return self.admit_answer(now, other, index, &who.user, Draft::default()).ok();
        }
        // Mine wins: their device has accepted it, and their own ring is over without a missed call.
        let mut mine = live.clone();
        let theirs = &mut other.keep().rings[index];
        theirs.stop(Stop::Cancel);
        let mut ring = self.new_ring(now, who, &mine, theirs.video, vec![ringing(target.clone())]);
        ring.accept(target, &theirs.caller_device, now);
        let mut draft = Draft::of(other);
        self.stop_older_rings(now, &mut mine, who, std::slice::from_ref(target), &mut draft);
        mine.add_ring(ring);
        let index = mine.rings().len() - 1;
        self.admit_answer(now, mine, index, &who.user, draft).ok()
    }

    /// The session begins, if none runs, and this ring leads into it.
    pub(super) fn lead_in(&mut self, now: UnixMillis, live: &mut LiveCall, index: usize) -> Ring {
        let session = open_session(live, now, &mut self.ids);
        let kept = live.keep();
        let ring = &mut kept.rings[index];
        ring.session.get_or_insert(session);
        kept.rung_with.get_or_insert(ring.members);
        let ring = ring.clone();
        // From this answer on, whoever was awaited before.
        live.awaited_since = None;
        wait_on(live, now);
        ring
    }

    /// Stores a ring that was answered without a join, together with what else that changes; both devices come in by
    /// themselves.
    fn admit_answer(
        &mut self,
        now: UnixMillis,
        mut live: LiveCall,
        index: usize,
        reader: &UserId,
        mut draft: Draft,
    ) -> Result<CallState, ErrorBody> {
        let ring = self.lead_in(now, &mut live, index);
        let everybody: Vec<UserId> = ring.targets.iter().map(|target| target.user.clone()).collect();
        self.remember_targets(&live, &ring, &everybody, &mut draft);
        self.remember_caller(now, &mut live, &ring, &mut draft);
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
            Some(text) => {
                let broken = || ErrorBody::invalid("message", format!("a message has {MESSAGE}"));
                Some(MESSAGE.check(text).map(str::to_owned).ok_or_else(broken)?)
            }
            None => None,
        };
        let Some(mut live) = self.call(cid) else { return Err(no_such_call()) };
        let Some(ring) = live.ring_mut(&reject.ring).filter(|ring| ring.concerns(&who.user)) else {
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
            // Done is done (R5); who was put out since is not told what goes on.
            self.allow(&live, &who.user, Capability::ReadCall)?;
            return Ok(self.view(&live, &who.user, now));
        }
        let mut draft = Draft::default();
        let ring = ring.clone();
        self.remember_targets(&live, &ring, std::slice::from_ref(&who.user), &mut draft);
        self.remember_caller(now, &mut live, &ring, &mut draft);
        self.leave_nobody_waiting(now, &mut live, &mut draft);
        draft.calls.push(live);
        self.commit(draft);
        self.seen_by(&who.user, cid, now)
    }

    /// A device says that it alerts its person.
    pub(crate) fn alerted(&mut self, who: &Caller, cid: &CallId, ring: &RingId) {
        let Some(mut live) = self.call(cid) else { return };
        if live.ring(ring).is_none() {
            return;
        }
        let is_news = live.ring_mut(ring).is_some_and(|ring| ring.alerted(&who.user));
        if is_news {
            // Devices say it again after a restart: it is told, and not worth a way to the disk.
            self.commit(Draft { is_stored: false, ..Draft::of(live) });
            self.batch.facts.push(Fact::Alerts { who: who.clone(), cid: cid.clone(), ring: ring.clone() });
        }
    }

    /// One person stops ringing; the others ring on.
    pub(super) fn stop_ringing(&self, now: UnixMillis, live: &mut LiveCall, user: &UserId, draft: &mut Draft) {
        for index in 0..live.rings().len() {
            if live.rings()[index].rings(user) {
                let ring = &mut live.keep().rings[index];
                ring.stop_one(user);
                let ring = ring.clone();
                self.remember_targets(live, &ring, std::slice::from_ref(user), draft);
                self.remember_caller(now, live, &ring, draft);
            }
        }
    }

    /// Ends what still rings by those rings of a call that are meant.
    pub(super) fn stop_rings(
        &self,
        now: UnixMillis,
        live: &mut LiveCall,
        stop: Stop,
        draft: &mut Draft,
        is_meant: impl Fn(&Self, &Ring) -> bool,
    ) {
        for index in 0..live.rings().len() {
            let ring = &live.rings()[index];
            if !ring.is_live() || !is_meant(self, ring) {
                continue;
            }
            let ring = &mut live.keep().rings[index];
            let stopped = ring.stop(stop);
            let ring = ring.clone();
            self.remember_targets(live, &ring, &stopped, draft);
            self.remember_caller(now, live, &ring, draft);
        }
    }

    /// When time alone changes a ring: the first deadline, or that a caller has vanished.
    pub(super) fn ring_deadline(&self, live: &LiveCall) -> Option<UnixMillis> {
        live.rings().iter().filter_map(|ring| self.deadline_of_ring(ring)).min()
    }

    fn deadline_of_ring(&self, ring: &Ring) -> Option<UnixMillis> {
        if !ring.is_live() {
            return None;
        }
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

    pub(super) fn expire_rings(&self, now: UnixMillis, mut live: LiveCall, draft: &mut Draft) -> LiveCall {
        if self.ring_deadline(&live).is_none_or(|at| at > now) {
            return live;
        }
        self.stop_rings(now, &mut live, Stop::Deadline, draft, |_, ring| ring.deadline <= now);
        let has_vanished = |authority: &Self, ring: &Ring| authority.deadline_of_ring(ring).is_some_and(|at| at <= now);
        self.stop_rings(now, &mut live, Stop::Cancel, draft, has_vanished);
        self.leave_nobody_waiting(now, &mut live, draft);
        live
    }

    /// A line in the history of each of these targets, by where the ring left them.
    pub(super) fn remember_targets(&self, live: &LiveCall, ring: &Ring, users: &[UserId], draft: &mut Draft) {
        for target in ring.targets.iter().filter(|target| users.contains(&target.user)) {
            let mut entry = ring_line(live, ring, &target.user);
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
    pub(super) fn remember_caller(&self, now: UnixMillis, live: &mut LiveCall, ring: &Ring, draft: &mut Draft) {
        let reached = ring.targets.iter().filter(|target| target.outcome == Outcome::Accepted).count();
        if ring.is_live() && reached == 0 {
            return;
        }
        // Who came by it and went has his line, with the time that he was there.
        let has_been_there = ring.caller_came && !live.is_in_session(&ring.caller) && !self.is_program(&ring.caller);
        if reached > 0 && has_been_there {
            return;
        }
        if reached > 0 && live.is_in_session(&ring.caller) {
            // In a call that goes on this is no call of its own; who was alone in his has one from now on.
            if !takes_place(live)
                && let Some(stay) = live.keep().stays.get_mut(&ring.caller)
            {
                let (spent_ms, counted_until) = (stay.spent_ms, stay.counted_until);
                *stay = Stay { spent_ms, counted_until, ..stay_by_ring(now, ring, &ring.caller) };
                remember(live, &ring.caller, HistoryOutcome::Ongoing, draft);
            }
            return;
        }
        let mut entry = ring_line(live, ring, &ring.caller);
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
