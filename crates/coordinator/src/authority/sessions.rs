//! Coming into calls and going out of them: who is in, whether the media agrees, and when a session is over.

use std::collections::BTreeSet;

use sfu::SfuEvent;
use wire::{
    CallId, CallState, Capability, Code, DeviceId, ErrorBody, GetOrCreate, Join, Leave, Outcome, Participant, RingId,
    Session, SessionId, UnixMillis, UserId,
};

use super::{
    Authority, Caller, Sending,
    batch::{Draft, Effect, Fact},
    call::LiveCall,
    ids::Ids,
    no_such_call,
    stays::{begin_stay, remember_absent, remember_stay},
    waiting::{awaited_until, ends_when_alone, give_up_at, lonely_until, wait_on},
};
use crate::{
    media_plane,
    ring::{Accept, Ring, Stop},
};

/// How the media of a participant stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MediaPresence {
    /// Let in; not there yet.
    Awaited { since: UnixMillis },
    /// There.
    Up,
    /// Was there.
    Lost { since: UnixMillis },
}

impl Authority {
    /// Comes into a call; while it rings this person, that is the accept (R2, R3).
    pub(crate) fn join(
        &mut self,
        now: UnixMillis,
        who: &Caller,
        cid: &CallId,
        join: Join,
    ) -> Result<(CallState, Sending), ErrorBody> {
        let mut live = if join.create {
            self.found_or_new(now, who, cid, &GetOrCreate::default())?.0
        } else {
            self.call_of(who, cid)?
        };
        let mut draft = Draft::default();
        if live.call.ended_at.is_some() && join.ring.is_some() {
            return Err(ErrorBody::new(Code::RingOver, "the call is over: call back"));
        }
        let runs = live.call.session.as_ref().map(|session| &session.id);
        if join.session.is_some() && join.session.as_ref() != runs {
            return Err(ErrorBody::new(Code::CallEnded, "the call you were in is over"));
        }
        if join.session.is_some() && live.put_out.contains(&who.device) {
            let message = "you were put out of this call: join again if that was not meant";
            return Err(ErrorBody::new(Code::PermissionDenied, message));
        }
        self.admit(now, &live, who)?;
        live.put_out.remove(&who.device);
        // Somebody who may comes into a call that was ended: it goes on.
        live.edit().ended_at = None;
        let accepted = self.accept_by_joining(now, who, &mut live, &join, &mut draft)?;
        match accepted {
            Some(index) => _ = self.lead_in(now, &mut live, index),
            None => _ = open_session(&mut live, now, &mut self.ids),
        }
        live.keep().rings.iter_mut().for_each(|ring| ring.came(&who.device));
        begin_stay(now, who, &mut live, &mut draft);
        let participant = Participant { user: who.user.clone(), device: who.device.clone(), joined_at: now };
        if let Some(session) = live.edit().session.as_mut()
            && !session.participants.iter().any(|there| there.device == who.device)
        {
            session.participants.push(participant);
            live.media.insert(who.device.clone(), MediaPresence::Awaited { since: now });
        }
        wait_on(&mut live, now);
        let sending = self.sending(&live, &who.user);
        draft.calls.push(live);
        self.commit(draft);
        Ok((self.seen_by(&who.user, cid, now)?, sending))
    }

    /// Answers where in the call's rings the one is that this join accepts.
    fn accept_by_joining(
        &self,
        now: UnixMillis,
        who: &Caller,
        live: &mut LiveCall,
        join: &Join,
        draft: &mut Draft,
    ) -> Result<Option<usize>, ErrorBody> {
        let over = || ErrorBody::new(Code::RingOver, "the caller has given up or the time was over: call back");
        let meant = match &join.ring {
            Some(wanted) if live.ring(wanted).is_some() => Some(wanted.clone()),
            // A ring of which nothing was to come any more: who is in asks only because he has not heard that he is.
            Some(_) if live.has_device(&who.device) => return Ok(None),
            Some(_) => return Err(over()),
            None => live.ring_of(&who.user).map(|ring| ring.id.clone()),
        };
        let Some(index) = meant.and_then(|id| live.rings().iter().position(|ring| ring.id == id)) else {
            return Ok(None);
        };
        let is_in = live.has_device(&who.device);
        // By one ring a device comes in once, into the session that began with its answer, however often it asks.
        let ring = &live.rings()[index];
        let leads_in = |ring: &Ring| live.leads_here(ring) && !ring.has_seen(&who.device);
        if ring.caller == who.user {
            // A caller is shown all his rings of a call as one.
            let may_come = live.rings().iter().any(|ring| ring.caller == who.user && leads_in(ring));
            return if join.ring.is_some() && !is_in && !may_come { Err(over()) } else { Ok(None) };
        }
        let is_too_late = join.ring.is_some() && !is_in && !leads_in(ring);
        let is_target = ring.targets.iter().any(|target| target.user == who.user);
        let ring = &mut live.keep().rings[index];
        if planted!(self, AcceptTwice)
            && let Some(target) = ring.targets.iter_mut().find(|target| target.user == who.user)
            && target.outcome == Outcome::Accepted
        {
            target.outcome = Outcome::Ringing;
        }
        let answer = ring.accept(&who.user, &who.device, now);
        match answer {
            Accept::Won => {
                let ring = ring.clone();
                self.remember_targets(live, &ring, std::slice::from_ref(&who.user), draft);
                self.remember_caller(now, live, &ring, draft);
                Ok(Some(index))
            }
            Accept::Again if is_too_late => Err(over()),
            Accept::Again => Ok(None),
            // Without naming a ring, a person may come into a running call from a second device, or late.
            Accept::Elsewhere | Accept::Over if join.ring.is_none() => Ok(None),
            Accept::Elsewhere => {
                Err(ErrorBody::new(Code::AnsweredElsewhere, "another device of yours has answered this call"))
            }
            Accept::Over if is_target => Err(over()),
            Accept::Over => Err(no_such_call()),
        }
    }

    /// Hangs up; a caller whose ring nobody has answered cancels it; who is awaited after an answer will not come;
    /// anybody else only dismisses, which is his own device's matter (R6).
    pub(crate) fn leave(
        &mut self,
        now: UnixMillis,
        who: &Caller,
        cid: &CallId,
        leave: &Leave,
    ) -> Result<(), ErrorBody> {
        let mut live = self.call_of(who, cid)?;
        let mut draft = Draft::default();
        let runs = live.call.session.as_ref().map(|session| &session.id);
        let is_in = live.has_device(&who.device) && (leave.session.is_none() || leave.session.as_ref() == runs);
        let meant = match (&leave.ring, &leave.session) {
            (Some(id), _) => live.ring(id),
            (None, session) => live.ring_of(&who.user).filter(|_| session.is_none() || is_in),
        };
        // What one device has rung in several goes is cancelled as one.
        let from = meant.filter(|ring| ring.caller == who.user).map(|ring| ring.caller_device.clone());
        let mine = || live.rings().iter().filter(|ring| from.as_ref() == Some(&ring.caller_device));
        // By which he came and went again, others may still come (S14).
        let cancels = |ring: &Ring| ring.is_live() && self.waits_outside(ring);
        let cancels = mine().any(cancels) && !mine().any(|ring| ring.is_answered() && live.leads_here(ring));
        let awaits = |ring: &Ring| live.leads_here(ring) && ring.awaits(&who.device);
        let was_awaited = meant.is_some_and(awaits) && !planted!(self, CrossedCancelLost);
        if is_in {
            self.remove_participant(now, &mut live, &who.device, &mut draft);
            // With the session the room is closed, which puts everybody out.
            if live.call.session.is_some() {
                draft.effects.push(Effect::RemoveParticipant {
                    cid: cid.clone(),
                    user: who.user.clone(),
                    device: who.device.clone(),
                });
            }
        }
        let is_empty = live.call.session.as_ref().is_none_or(|session| session.participants.is_empty());
        // Who rang further people into a call that goes on and goes out of it leaves them ringing (S14).
        if cancels && (!is_in || is_empty) {
            self.stop_rings(now, &mut live, Stop::Cancel, &mut draft, |authority, ring| {
                from.as_ref() == Some(&ring.caller_device) && authority.waits_outside(ring)
            });
        } else if was_awaited && !is_in {
            self.stay_away(now, &mut live, &who.device, &mut draft);
        } else if !is_in {
            return Ok(());
        }
        draft.calls.push(live);
        self.commit(draft);
        Ok(())
    }

    /// A cancel that crossed the accept (or a hang-up before coming in): the other is not left to wait (R17).
    fn stay_away(&self, now: UnixMillis, live: &mut LiveCall, device: &DeviceId, draft: &mut Draft) {
        for index in 0..live.rings().len() {
            if !live.rings()[index].awaits(device) {
                continue;
            }
            let ring = &mut live.keep().rings[index];
            let user = ring.user_of(device).clone();
            ring.came(device);
            let ring = ring.clone();
            remember_absent(live, &ring, &user, draft);
        }
        if people_in(live) == 0 && !live.awaits_somebody() {
            // Whom else he rings would come to nobody.
            self.stop_rings(now, live, Stop::Cancel, draft, |_, ring| ring.caller_device == *device);
        }
        self.leave_nobody_behind(now, live, draft);
    }

    /// Its caller is not in the call yet: whoever answers meets him there when he comes. A program only brings others
    /// together.
    fn waits_outside(&self, ring: &Ring) -> bool {
        !ring.caller_came || self.is_program(&ring.caller)
    }

    /// Ends a call for everyone.
    pub(crate) fn end(&mut self, now: UnixMillis, who: &Caller, cid: &CallId) -> Result<(), ErrorBody> {
        let mut live = self.call_of(who, cid)?;
        self.allow(&live, &who.user, Capability::EndCall)?;
        if live.call.ended_at.is_some() {
            return Ok(());
        }
        let mut draft = Draft::default();
        self.stop_rings(now, &mut live, Stop::Cancel, &mut draft, |_, _| true);
        self.close_session(now, &mut live, &mut draft);
        live.edit().ended_at = Some(now);
        draft.calls.push(live);
        self.commit(draft);
        Ok(())
    }

    /// Somebody came to the media server, or left it. A token lets in for minutes, whatever became of its bearer since:
    /// who is not in the call now is put out, and who is may send what he may now.
    pub(crate) fn on_media(&mut self, now: UnixMillis, event: SfuEvent) {
        let (room, identity, presence) = match event {
            SfuEvent::ParticipantJoined { room, identity } => (room, identity, MediaPresence::Up),
            SfuEvent::ParticipantLeft { room, identity } => (room, identity, MediaPresence::Lost { since: now }),
        };
        let (Ok(cid), Some((user, device))) = (room.parse::<CallId>(), media_plane::bearer_of(&identity)) else {
            return;
        };
        if self.batch.before.contains_key(&cid) || self.being_stored.contains(&cid) {
            self.media_news.insert((cid.clone(), device.clone()), (now, presence));
        } else {
            self.media_news.remove(&(cid.clone(), device.clone()));
        }
        if presence == MediaPresence::Up {
            self.permit_arrived(now, cid.clone(), user, device.clone());
        }
        if let Some(live) = self.calls.get_mut(&cid)
            && let Some(known) = live.media.get_mut(&device)
        {
            *known = presence;
            let at = self.deadline_of(&self.calls[&cid]);
            self.timers.set(&cid, at);
        }
    }

    /// Who is in the call may send what he may now. Who is not goes out of its media: for good if he may not come in. Whom
    /// the call has lost on the way (his machine slept) may have found back to the media first: he comes again once he is
    /// in. Where nothing goes on any more, it is over.
    pub(super) fn permit_arrived(&mut self, now: UnixMillis, cid: CallId, user: UserId, device: DeviceId) {
        let fact = Fact::CameToMedia { cid: cid.clone(), user: user.clone(), device: device.clone() };
        self.batch.facts.push(fact);
        let live = self.calls.get(&cid).filter(|live| live.call.session.is_some());
        self.batch.effects.push(match live {
            Some(live) if live.has_device(&device) => {
                let sending = self.sending(live, &user);
                Effect::PermitMedia { cid, user, device, sending }
            }
            Some(live) => {
                let who = Caller { user: user.clone(), device: device.clone() };
                if !live.put_out.contains(&device) && self.admit(now, live, &who).is_ok() {
                    Effect::AskAgain { cid, user, device }
                } else {
                    Effect::RemoveParticipant { cid, user, device }
                }
            }
            None => Effect::TellOver { cid, user, device },
        });
    }

    /// Takes out who has lost the way, waits no longer for who does not come, and ends a session that has been empty (or for
    /// one alone) for too long.
    pub(super) fn expire_session(&self, now: UnixMillis, mut live: LiveCall, draft: &mut Draft) -> LiveCall {
        let lost: Vec<DeviceId> = live
            .media
            .iter()
            .filter(|(device, presence)| give_up_at(device, presence, &self.connections).is_some_and(|at| at <= now))
            .map(|(device, _)| device.clone())
            .collect();
        for device in lost {
            tracing::info!(cid = %live.call.cid, %device, "a participant has lost the way to the call and is taken out");
            self.remove_participant(now, &mut live, &device, draft);
        }
        if awaited_until(&live).is_some_and(|until| until <= now) {
            for device in live.awaited() {
                if live.call.session.is_some() {
                    self.stay_away(now, &mut live, &device, draft);
                }
            }
        }
        if lonely_until(&live).is_some_and(|until| until <= now) {
            self.close_session(now, &mut live, draft);
        }
        live
    }

    pub(super) fn remove_participant(
        &self,
        now: UnixMillis,
        live: &mut LiveCall,
        device: &DeviceId,
        draft: &mut Draft,
    ) {
        live.media.remove(device);
        let Some(session) = live.edit().session.as_mut() else { return };
        let Some(index) = session.participants.iter().position(|there| there.device == *device) else { return };
        let gone = session.participants.remove(index);
        remember_stay(now, live, &gone, draft);
        if live.is_in_session(&gone.user) {
            wait_on(live, now);
        } else {
            self.leave_nobody_behind(now, live, draft);
        }
    }

    /// Somebody has gone, or will not come: who is rung or alone is not left to wait for him.
    fn leave_nobody_behind(&self, now: UnixMillis, live: &mut LiveCall, draft: &mut Draft) {
        if people_in(live) == 0 && !live.awaits_somebody() {
            // Nobody is left whom the others could come to: also who rang them from within is gone.
            let leads_here: BTreeSet<RingId> =
                live.rings().iter().filter(|ring| live.leads_here(ring)).map(|ring| ring.id.clone()).collect();
            self.stop_rings(now, live, Stop::Cancel, draft, |authority, ring| {
                (ring.is_answered() && leads_here.contains(&ring.id)) || !authority.waits_outside(ring)
            });
        }
        let still_rings = live.rings_somebody();
        if !planted!(self, AloneGoesOn) && !still_rings && ends_when_alone(live) && people_in(live) <= 1 {
            self.close_session(now, live, draft);
        } else {
            wait_on(live, now);
        }
        if still_rings {
            self.leave_nobody_waiting(now, live, draft);
        }
    }

    /// The session is over: everybody in it is out, and the history says how long it was.
    pub(super) fn close_session(&self, now: UnixMillis, live: &mut LiveCall, draft: &mut Draft) {
        let Some(session) = live.edit().session.take() else { return };
        for gone in &session.participants {
            remember_stay(now, live, gone, draft);
        }
        let leads_here = |ring: &&Ring| ring.session.as_ref() == Some(&session.id);
        for ring in live.rings().iter().filter(leads_here).cloned().collect::<Vec<_>>() {
            let accepted = ring.targets.iter().filter(|target| target.outcome == Outcome::Accepted);
            let awaited = accepted.filter(|target| !target.came).map(|target| &target.user);
            let is_absent = !ring.caller_came || self.is_program(&ring.caller);
            for absent in awaited.chain(is_absent.then_some(&ring.caller)) {
                remember_absent(live, &ring, absent, draft);
            }
        }
        let kept = live.keep();
        kept.stays.clear();
        kept.rung_with = None;
        live.media.clear();
        live.put_out.clear();
        (live.lonely_since, live.awaited_since) = (None, None);
        draft.effects.push(Effect::CloseRoom { cid: live.call.cid.clone() });
    }
}

/// Begins a session, if none runs; names it.
pub(super) fn open_session(live: &mut LiveCall, now: UnixMillis, ids: &mut Ids) -> SessionId {
    let fresh = || Session { id: ids.session(now), started_at: now, participants: Vec::new() };
    live.edit().session.get_or_insert_with(fresh).id.clone()
}

/// How many people (not devices) are in.
pub(super) fn people_in(live: &LiveCall) -> usize {
    live.participants().map(|there| &there.user).collect::<BTreeSet<_>>().len()
}

/// Who comes or goes by a change of a call: their presence is announced.
pub(super) fn presence_changes(before: Option<&LiveCall>, after: &LiveCall) -> Vec<UserId> {
    let users = |live: &LiveCall| -> Vec<UserId> { live.participants().map(|there| there.user.clone()).collect() };
    let (before, after) = (before.map(users).unwrap_or_default(), users(after));
    let gone = before.iter().filter(|user| !after.contains(user));
    let came = after.iter().filter(|user| !before.contains(user));
    gone.chain(came).cloned().collect()
}
