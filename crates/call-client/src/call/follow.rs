//! What the server's word means for a call on this device.

use std::{ops::ControlFlow, time::Duration};

use wire::{CallState, HistoryEntry, HistoryOutcome, Outcome, Reason, Ring};

use super::{Action, Call, Done, How, Manner, Me, Media, Origin, Phase, Ringing, Surroundings};
use crate::{clock::Now, state::EndReason};

/// Media that takes longer than this to come up has a fault: a session that ends then did not just happen to end.
const MEDIA_IS_SLOW: Duration = Duration::from_secs(5);

/// Who is put out on purpose hears it from the media within this time; who does not was lost by mistake.
const MEDIA_SAYS_SO: Duration = Duration::from_secs(2);

impl Call {
    /// The call takes the server's new state, whole; `age` is how long that was on its way.
    pub(crate) fn update(
        &mut self,
        around: Surroundings<'_>,
        state: CallState,
        age: Duration,
        origin: Origin,
    ) -> Option<Action> {
        let left = Duration::from_millis(u64::from(state.ring.as_ref().map_or(0, |ring| ring.remaining_ms)));
        self.until = around.now.after(left.saturating_sub(age));
        let was_live = self.is_live;
        let goes_on_for_me = state.call.session.is_some() && concerns(around.me, &state);
        self.is_live = goes_on_for_me || state.ring.as_ref().is_some_and(Ring::is_live);
        self.over_since = Some(around.now.instant).filter(|_| was_live && !self.is_live);
        self.state = state;
        self.follow(around, origin)
    }

    /// What the state known means for this device.
    pub(crate) fn follow(&mut self, around: Surroundings<'_>, origin: Origin) -> Option<Action> {
        match &self.phase {
            Phase::Idle | Phase::Left(_) | Phase::Ended(_) => self.begin(around, origin),
            Phase::RingingIn(ringing) => {
                let ringing = ringing.clone();
                self.follow_incoming(around, ringing)
            }
            Phase::RingingOut(ringing) => {
                let ringing = ringing.clone();
                self.follow_outgoing(around, ringing)
            }
            Phase::Joining(_) | Phase::Joined(_) => self.follow_session(around),
        }
    }

    /// The server no longer knows a live ring or session of this call (it is not in the snapshot). `line` is what the
    /// person's history has come to say of the call meanwhile.
    pub(crate) fn vanish(&mut self, now: Now, me: &Me, line: Option<&HistoryEntry>) -> Option<Action> {
        self.is_live = false;
        match &self.phase {
            Phase::RingingIn(ringing) | Phase::RingingOut(ringing) => {
                let is_mine = matches!(self.phase, Phase::RingingOut(_));
                let by_time = if ringing.until.is_over(now) { EndReason::Timeout } else { EndReason::Cancelled };
                if let Some(line) = line {
                    self.learn_outcome(me, line);
                }
                self.over(now, line.map_or(by_time, |line| ended_as(outcome_of(line), is_mine)));
                None
            }
            Phase::Joining(in_call) if in_call.media == Media::Requested => None,
            Phase::Joining(_) | Phase::Joined(_) => Some(self.session_is_gone(now)),
            Phase::Idle | Phase::Left(_) | Phase::Ended(_) => None,
        }
    }

    /// A ring that is known no more ended as the person's history says.
    fn learn_outcome(&mut self, me: &Me, line: &HistoryEntry) {
        let Some(ring) = &mut self.state.ring else { return };
        let outcome = outcome_of(line);
        // The caller's line says of one person how it went, of several only what it came to.
        let of_one = ring.targets.len() == 1 && is_caller(me, ring);
        for target in ring.targets.iter_mut().filter(|target| target.outcome == Outcome::Ringing) {
            if of_one || target.user == me.user {
                (target.outcome, target.reason) = (outcome, line.reason);
                target.message.clone_from(&line.message);
            }
        }
    }

    /// Nothing goes on here: does the new state begin something?
    fn begin(&mut self, around: Surroundings<'_>, origin: Origin) -> Option<Action> {
        if self.state.call.ended_at.is_some() || !self.is_live {
            return None;
        }
        let is_done = |ring: &&Ring| {
            let done = self.done.as_ref().filter(|done| done.ring == ring.id);
            done.is_some_and(|done| !done.how.may_be_answered_back() || !self.is_awaited(around.me, ring))
        };
        let begun = match self.state.ring.as_ref().filter(|ring| !is_done(ring)) {
            Some(_) if around.manner != Manner::Hold => self.begin_by_ring(around),
            Some(_) | None => None,
        };
        let stays_out = begun.is_none() && !self.is_ringing();
        if stays_out && origin == Origin::Snapshot { self.remind(around.me) } else { begun }
    }

    /// Does the ring that is known ring here, or is this device awaited by it?
    fn begin_by_ring(&mut self, around: Surroundings<'_>) -> Option<Action> {
        let ring = self.state.ring.as_ref()?;
        if self.is_awaited(around.me, ring) && !self.has_participant(around.me) {
            return Some(Action::JoinAnswered { ring: ring.id.clone() });
        }
        if self.until.is_over(around.now) {
            return None;
        }
        let ringing = Ringing { ring: ring.id.clone(), until: self.until, alerting: false };
        if rings(around.me, ring) {
            match around.manner {
                Manner::Alert => self.phase = Phase::RingingIn(ringing),
                Manner::Hold | Manner::StaySilent => {}
                Manner::AnswerBusy => {
                    let (ring, reason) = (ring.id.clone(), Reason::Busy);
                    self.leave(around.now, EndReason::Busy, How::Refused { reason, message: None });
                    return Some(Action::Refuse { ring, reason, message: None });
                }
            }
        } else if rings_out(around.me, ring) {
            self.phase = Phase::RingingOut(ringing);
        }
        None
    }

    /// What this device has said and the server, by its snapshot, does not know.
    fn remind(&self, me: &Me) -> Option<Action> {
        let session = self.state.call.session.as_ref().map(|session| &session.id);
        if self.went_out_of.is_some() && self.went_out_of.as_ref() == session && self.has_participant(me) {
            return Some(Action::TellLeft { ring: None, session: self.went_out_of.clone() });
        }
        let ring = self.state.ring.as_ref().filter(|ring| self.is_done_with(ring))?;
        match &self.done.as_ref()?.how {
            How::Quietly | How::Dismissed => None,
            // Let in by a join whose answer was lost.
            How::HungUp if self.has_participant(me) => {
                Some(Action::TellLeft { ring: Some(ring.id.clone()), session: session.cloned() })
            }
            How::HungUp => {
                let is_missed = rings_out(me, ring) || self.is_awaited(me, ring);
                is_missed.then(|| Action::TellLeft { ring: Some(ring.id.clone()), session: None })
            }
            How::Refused { reason, message } => {
                let refuse = Action::Refuse { ring: ring.id.clone(), reason: *reason, message: message.clone() };
                rings(me, ring).then_some(refuse)
            }
        }
    }

    /// The ring was answered and runs, and this device has yet to come in: as the caller's, or because its person's own
    /// ring was folded into this one (R16).
    fn is_awaited(&self, me: &Me, ring: &Ring) -> bool {
        let as_caller = is_caller(me, ring) && ring.is_answered() && !ring.caller_came;
        let as_callee = answered_here(me, ring);
        let session = self.state.call.session.as_ref();
        // Into the session of its answer alone: what others begin later is another call.
        let leads_here = session.is_some_and(|session| ring.session.as_ref() == Some(&session.id));
        leads_here && (as_caller || as_callee)
    }

    /// Goes on when the ring that this device knew is still the newest of the call.
    fn is_the_same_ring(&mut self, around: Surroundings<'_>, before: &Ringing) -> ControlFlow<Option<Action>> {
        if self.state.call.ended_at.is_some() {
            self.end(around.now, EndReason::Ended);
            return ControlFlow::Break(None);
        }
        match self.state.ring.as_ref() {
            None => {
                self.leave(around.now, EndReason::Cancelled, How::Quietly);
                ControlFlow::Break(None)
            }
            Some(ring) if ring.id != before.ring => ControlFlow::Break(self.begin_anew(around, before.clone())),
            Some(_) => ControlFlow::Continue(()),
        }
    }

    fn follow_incoming(&mut self, around: Surroundings<'_>, before: Ringing) -> Option<Action> {
        let (me, now) = (around.me, around.now);
        if let ControlFlow::Break(action) = self.is_the_same_ring(around, &before) {
            return action;
        }
        let ring = self.state.ring.as_ref()?;
        let Some(target) = ring.target(&me.user) else {
            self.leave(now, EndReason::Cancelled, How::Quietly);
            return None;
        };
        let elsewhere = target.answered_on.as_ref().is_some_and(|device| *device != me.device);
        let reason = match target.outcome {
            Outcome::Ringing => {
                let again = before.alerting && !target.alerted;
                if around.manner == Manner::Hold {
                    return None;
                }
                self.phase = Phase::RingingIn(Ringing { until: self.until, ..before.clone() });
                if around.manner == Manner::StaySilent {
                    self.phase = Phase::Idle;
                    return None;
                }
                return again.then_some(Action::TellAlerted { ring: before.ring });
            }
            Outcome::Accepted if elsewhere => EndReason::AnsweredElsewhere,
            // Folded (R16), or an accept of this device whose answer was lost.
            Outcome::Accepted if self.is_awaited(me, ring) || self.has_participant(me) => {
                return Some(Action::JoinAnswered { ring: before.ring });
            }
            // Accepted by this device, and over since.
            Outcome::Accepted => EndReason::Answered,
            Outcome::Declined if elsewhere => EndReason::DeclinedElsewhere,
            Outcome::Declined => EndReason::Declined,
            Outcome::Busy => EndReason::Busy,
            Outcome::Missed => match target.reason {
                Some(Reason::Cancel) => EndReason::Cancelled,
                Some(Reason::Decline | Reason::Busy | Reason::Timeout) | None => EndReason::Timeout,
            },
            Outcome::Cancelled => EndReason::Cancelled,
        };
        self.leave(now, reason, How::Quietly);
        None
    }

    fn follow_outgoing(&mut self, around: Surroundings<'_>, before: Ringing) -> Option<Action> {
        let (me, now) = (around.me, around.now);
        if let ControlFlow::Break(action) = self.is_the_same_ring(around, &before) {
            return action;
        }
        let ring = self.state.ring.as_ref()?;
        if ring.is_answered() {
            if self.is_awaited(me, ring) || self.has_participant(me) {
                return Some(Action::JoinAnswered { ring: before.ring });
            }
            // Answered and over again before this device came in, or another life of this device was in.
            self.leave(now, EndReason::Ended, How::Quietly);
        } else if ring.is_live() {
            // How long it still is, is not known from old news.
            if around.manner != Manner::Hold {
                self.phase = Phase::RingingOut(Ringing { until: self.until, ..before });
            }
        } else {
            let reason = nobody_came(ring);
            self.leave(now, reason, How::Quietly);
        }
        None
    }

    /// A newer ring has taken the place of the one this device knew (R1).
    fn begin_anew(&mut self, around: Surroundings<'_>, before: Ringing) -> Option<Action> {
        self.over(around.now, EndReason::Cancelled);
        self.done = Some(Done { ring: before.ring, how: How::Quietly });
        self.begin(around, Origin::Event)
    }

    fn follow_session(&mut self, around: Surroundings<'_>) -> Option<Action> {
        let (me, now) = (around.me, around.now);
        if self.state.call.ended_at.is_some() {
            self.end(now, EndReason::Ended);
            return Some(Action::CloseSession);
        }
        let in_call = self.in_call()?;
        let mine = match &in_call.media {
            // The answer to the join is on its way and newer than this.
            Media::Requested => {
                self.has_rung_further(me);
                return None;
            }
            Media::Up { session, .. } | Media::Reconnecting { session, .. } => session,
        };
        let Some(session) = self.state.call.session.as_ref() else { return Some(self.session_is_gone(now)) };
        if mine.as_ref().is_some_and(|mine| *mine != session.id) {
            return Some(self.session_is_gone(now));
        }
        let session = session.id.clone();
        let is_in = self.has_participant(me);
        let in_call = self.in_call_mut()?;
        if is_in {
            (in_call.look_at, in_call.missing_since) = (None, None);
            return None;
        }
        let asked = in_call.asked.map(|(_, until)| until).filter(|until| !until.is_over(now));
        let waits_until = asked.map(|until| until.instant).or_else(|| {
            let is_up = matches!(in_call.media, Media::Up { .. });
            let since = *in_call.missing_since.get_or_insert(now.instant);
            Some(since + MEDIA_SAYS_SO).filter(|until| is_up && *until > now.instant)
        });
        in_call.look_at = waits_until;
        waits_until.is_none().then_some(Action::Rejoin { session })
    }

    /// It rings further people on its way in: who hangs up then hangs up on all of them.
    fn has_rung_further(&mut self, me: &Me) {
        let newest = self.state.ring.as_ref().filter(|ring| is_caller(me, ring)).map(|ring| ring.id.clone());
        if let Some(in_call) = self.in_call_mut().filter(|in_call| in_call.answering.is_none())
            && let Some(ring) = &mut in_call.ring
            && let Some(newest) = newest
        {
            *ring = newest;
        }
    }

    /// The session this device was in is over: the call ended, unless the media had had its time and never came up.
    fn session_is_gone(&mut self, now: Now) -> Action {
        let has_failed = match &self.phase {
            Phase::Joining(in_call) => match in_call.media {
                Media::Requested => false,
                Media::Up { let_in, .. } | Media::Reconnecting { let_in, .. } => now.instant >= let_in + MEDIA_IS_SLOW,
            },
            Phase::Idle | Phase::RingingIn(_) | Phase::RingingOut(_) | Phase::Joined(_) => false,
            Phase::Left(_) | Phase::Ended(_) => false,
        };
        if has_failed {
            self.leave(now, EndReason::MediaFailed, How::Quietly);
        } else {
            self.end(now, EndReason::Ended);
        }
        Action::CloseSession
    }

    fn has_participant(&self, me: &Me) -> bool {
        let session = self.state.call.session.as_ref();
        session.is_some_and(|session| session.participants.iter().any(|participant| participant.device == me.device))
    }
}

pub(super) fn is_caller(me: &Me, ring: &Ring) -> bool {
    ring.caller == me.user && ring.caller_device == me.device
}

/// It still rings this person.
pub(super) fn rings(me: &Me, ring: &Ring) -> bool {
    ring.target(&me.user).is_some_and(|target| target.outcome == Outcome::Ringing)
}

/// This device rings with it, and nobody has answered yet. Not one by which it rang others into a call it was in: out of
/// that, it leaves them ringing (S14).
pub(super) fn rings_out(me: &Me, ring: &Ring) -> bool {
    is_caller(me, ring) && ring.is_live() && !ring.is_answered() && !ring.caller_came
}

/// This device has accepted it and has yet to come in.
pub(super) fn answered_here(me: &Me, ring: &Ring) -> bool {
    let is_accepted = |target: &wire::Target| target.outcome == Outcome::Accepted && !target.came;
    let is_here = |target: &wire::Target| target.answered_on.as_ref() == Some(&me.device);
    ring.target(&me.user).is_some_and(|target| is_accepted(target) && is_here(target))
}

/// What became of a ring, by the line it left in the person's history.
fn outcome_of(line: &HistoryEntry) -> Outcome {
    match (line.outcome, line.reason) {
        (HistoryOutcome::Ongoing | HistoryOutcome::Answered, _) => Outcome::Accepted,
        (HistoryOutcome::Declined, _) => Outcome::Declined,
        (HistoryOutcome::Busy, _) | (HistoryOutcome::Missed, Some(Reason::Busy)) => Outcome::Busy,
        (HistoryOutcome::Missed, Some(Reason::Cancel)) => Outcome::Cancelled,
        (HistoryOutcome::Missed, _) => Outcome::Missed,
    }
}

/// Why a ring that came to this without this device ended on it.
fn ended_as(outcome: Outcome, is_mine: bool) -> EndReason {
    match outcome {
        Outcome::Accepted if is_mine => EndReason::Ended,
        Outcome::Accepted => EndReason::AnsweredElsewhere,
        Outcome::Declined if is_mine => EndReason::Declined,
        Outcome::Declined => EndReason::DeclinedElsewhere,
        Outcome::Busy => EndReason::Busy,
        Outcome::Cancelled => EndReason::Cancelled,
        Outcome::Missed | Outcome::Ringing => EndReason::Timeout,
    }
}

/// Why an outgoing ring that is over reached nobody: the kindest truth that fits all.
fn nobody_came(ring: &Ring) -> EndReason {
    let all = |outcome: Outcome| ring.targets.iter().all(|target| target.outcome == outcome);
    let any = |outcome: Outcome| ring.targets.iter().any(|target| target.outcome == outcome);
    if all(Outcome::Busy) {
        EndReason::Busy
    } else if any(Outcome::Cancelled) {
        EndReason::Cancelled
    } else if any(Outcome::Missed) {
        EndReason::Timeout
    } else {
        EndReason::Declined
    }
}

/// Whether the server goes on telling this person of the call. Who went out of one without being on its list hears that,
/// and nothing after it.
fn concerns(me: &Me, state: &CallState) -> bool {
    let call = &state.call;
    let mut inside = call.session.iter().flat_map(|session| &session.participants);
    let is_meant = state.ring.is_some() || call.members.iter().any(|member| member.user == me.user);
    !call.blocked.contains(&me.user) && (is_meant || inside.any(|there| there.user == me.user))
}
