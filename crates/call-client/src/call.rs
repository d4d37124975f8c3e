//! The phases of one call on this device, sans-IO. The server decides; this follows and never disagrees for long.

use std::time::{Duration, Instant};

use wire::{CallId, CallState, DeviceId, Outcome, Reason, Ring, RingId, UserId};

use crate::state::{CallingState, DeviceView, EndReason, ParticipantView};

/// How long a call that is over stays on the screens.
const SHOWN_AFTER_END: Duration = Duration::from_secs(6);
/// How long the server may be silent after a deadline before this device stops ringing by itself.
pub(crate) const DEADLINE_GRACE: Duration = Duration::from_millis(900);

/// How long an answer to being let in again is waited for before asking once more.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// Who this device is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Me {
    pub(crate) user: UserId,
    pub(crate) device: DeviceId,
}

/// One call as this device sees it.
///
/// ```text
///   Idle ──ring──► RingingIn ──join──► Joining ──media up──► Joined ◄──► (media reconnecting)
///    └─I ring─► RingingOut ─answered──►  │                     │
///                  └─ declined · cancelled · missed · elsewhere ┴──► Left | Ended
/// ```
///
/// `Left` is this device's own end of it, `Ended` the end for everyone; a new ring leads out of both.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Phase {
    /// Known, nothing goes on here.
    Idle,
    /// Somebody rings; this device alerts.
    RingingIn(Ringing),
    /// This device rings somebody.
    RingingOut(Ringing),
    /// Accept (or join) is on its way, or the media is.
    Joining(InCall),
    /// In.
    Joined(InCall),
    /// Not in any more.
    Left(Over),
    /// Over for everyone.
    Ended(Over),
}

/// What exists only while ringing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ringing {
    pub(crate) ring: RingId,
    pub(crate) until: Instant,
    /// This device has told that it alerts; told again after a reconnect, until the server shows it.
    pub(crate) alerting: bool,
}

/// What exists only on the way in and while in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct InCall {
    /// The ring that is being answered: where a failed join falls back to.
    pub(crate) answering: Option<Ringing>,
    /// Since when media flows.
    pub(crate) since: Option<Instant>,
    pub(crate) media: Media,
    /// The server's events have shown this device in the session; before that they are older than the answer that lets
    /// it in, which may overtake them.
    pub(crate) is_shown: bool,
    /// When this device last asked to be let in again; not asked twice for one loss.
    pub(crate) asked_again: Option<Instant>,
    pub(crate) microphone: DeviceView,
    pub(crate) camera: DeviceView,
    pub(crate) participants: Vec<ParticipantView>,
}

/// The way of the media.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Media {
    /// The server has not let us in yet.
    Requested,
    /// Credentials are there, the session is being set up or runs.
    Up,
    /// Was up, finds its way again.
    Reconnecting,
}

/// What is left of a call that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Over {
    pub(crate) reason: EndReason,
    pub(crate) forget_at: Instant,
}

/// What a change of one call asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// The ring this device started was answered: come in by itself.
    JoinAnswered { ring: RingId },
    /// The media of this call is not wanted any more.
    CloseSession,
    /// The server lost this device from the session although it is in: ask to be let in again.
    Rejoin,
    /// Say (again) that this device alerts.
    TellAlerted { ring: RingId },
}

/// Where a new state came from: absence means something else in a snapshot than in an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Event,
    Snapshot,
}

#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) cid: CallId,
    pub(crate) state: CallState,
    pub(crate) phase: Phase,
    /// The newest ring this device is done with (answered, refused or dismissed): never alerted for or joined again.
    done_with: Option<RingId>,
}

impl Call {
    pub(crate) fn new(state: CallState) -> Self {
        Self { cid: state.call.cid.clone(), state, phase: Phase::Idle, done_with: None }
    }

    pub(crate) fn calling_state(&self) -> CallingState {
        match &self.phase {
            Phase::Idle => CallingState::Idle,
            Phase::RingingIn(_) | Phase::RingingOut(_) => CallingState::Ringing,
            Phase::Joining(_) => CallingState::Joining,
            Phase::Joined(in_call) => match in_call.media {
                Media::Requested | Media::Up => CallingState::Joined,
                Media::Reconnecting => CallingState::Reconnecting,
            },
            Phase::Left(_) => CallingState::Left,
            Phase::Ended(_) => CallingState::Ended,
        }
    }

    pub(crate) fn end_reason(&self) -> Option<EndReason> {
        match &self.phase {
            Phase::Idle | Phase::RingingIn(_) | Phase::RingingOut(_) => None,
            Phase::Joining(in_call) | Phase::Joined(in_call) => in_call.answering.as_ref().map(|_| EndReason::Answered),
            Phase::Left(over) | Phase::Ended(over) => Some(over.reason),
        }
    }

    /// The next moment at which time alone changes something.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match &self.phase {
            Phase::RingingIn(ringing) | Phase::RingingOut(ringing) => Some(ringing.until + DEADLINE_GRACE),
            Phase::Left(over) | Phase::Ended(over) => Some(over.forget_at),
            Phase::Idle | Phase::Joining(_) | Phase::Joined(_) => None,
        }
    }

    /// Nothing more to show.
    pub(crate) fn is_forgettable(&self, now: Instant) -> bool {
        match &self.phase {
            Phase::Left(over) | Phase::Ended(over) => over.forget_at <= now,
            Phase::Idle => !self.state.ring.as_ref().is_some_and(Ring::is_live) && self.state.call.session.is_none(),
            Phase::RingingIn(_) | Phase::RingingOut(_) | Phase::Joining(_) | Phase::Joined(_) => false,
        }
    }

    /// The server's deadline passed and the server said nothing: it is gone, and this must not ring for ever.
    pub(crate) fn on_time(&mut self, now: Instant) {
        let due = match &self.phase {
            Phase::RingingIn(ringing) | Phase::RingingOut(ringing) => ringing.until + DEADLINE_GRACE <= now,
            Phase::Idle | Phase::Joining(_) | Phase::Joined(_) | Phase::Left(_) | Phase::Ended(_) => false,
        };
        if due {
            self.leave(now, EndReason::Timeout);
        }
    }

    /// This device is out of the call; the ring, if any, is done with.
    pub(crate) fn leave(&mut self, now: Instant, reason: EndReason) {
        self.done_with = self.state.ring.as_ref().map(|ring| ring.id.clone()).or(self.done_with.take());
        self.phase = Phase::Left(Over { reason, forget_at: now + SHOWN_AFTER_END });
    }

    /// The call is over for everyone.
    pub(crate) fn end(&mut self, now: Instant, reason: EndReason) {
        self.leave(now, reason);
        self.phase = Phase::Ended(Over { reason, forget_at: now + SHOWN_AFTER_END });
    }

    /// The call takes the server's new state, whole.
    pub(crate) fn update(&mut self, now: Instant, me: &Me, state: CallState, origin: Origin) -> Option<Action> {
        if self.is_overtaken(me, &state, origin) {
            return None;
        }
        self.state = state;
        match &self.phase {
            Phase::Idle | Phase::Left(_) | Phase::Ended(_) => self.begin(now, me, origin),
            Phase::RingingIn(ringing) => {
                let ringing = ringing.clone();
                self.follow_incoming(now, me, ringing)
            }
            Phase::RingingOut(ringing) => {
                let ringing = ringing.clone();
                self.follow_outgoing(now, ringing)
            }
            Phase::Joining(_) | Phase::Joined(_) => self.follow_session(now, me),
        }
    }

    /// The server no longer knows a live ring or session of this call (it is not in the snapshot).
    pub(crate) fn vanish(&mut self, now: Instant) -> Option<Action> {
        match &self.phase {
            Phase::RingingIn(ringing) | Phase::RingingOut(ringing) => {
                let reason = if ringing.until <= now { EndReason::Timeout } else { EndReason::Cancelled };
                self.leave(now, reason);
                None
            }
            Phase::Joining(in_call) if in_call.media == Media::Requested => None,
            Phase::Joining(_) | Phase::Joined(_) => {
                self.end(now, EndReason::Ended);
                Some(Action::CloseSession)
            }
            Phase::Idle | Phase::Left(_) | Phase::Ended(_) => None,
        }
    }

    /// The server's events show this device in the session.
    pub(crate) fn is_shown_in(&self, me: &Me) -> bool {
        match &self.phase {
            Phase::Joining(in_call) | Phase::Joined(in_call) => in_call.is_shown,
            Phase::Idle | Phase::RingingIn(_) | Phase::RingingOut(_) => has_participant(&self.state, me),
            Phase::Left(_) | Phase::Ended(_) => false,
        }
    }

    /// An event that was under way when the server let this device in tells of the time before.
    fn is_overtaken(&mut self, me: &Me, state: &CallState, origin: Origin) -> bool {
        let (Phase::Joining(in_call) | Phase::Joined(in_call)) = &mut self.phase else { return false };
        in_call.is_shown |= has_participant(state, me);
        let is_final = state.call.ended_at.is_some() || origin == Origin::Snapshot;
        in_call.media != Media::Requested && !in_call.is_shown && !is_final
    }

    /// Nothing goes on here: does the new state begin something?
    fn begin(&mut self, now: Instant, me: &Me, origin: Origin) -> Option<Action> {
        let ring = self.state.ring.as_ref().filter(|ring| self.done_with.as_ref() != Some(&ring.id))?;
        if self.state.call.ended_at.is_some() {
            return None;
        }
        let ringing = ringing(now, ring);
        if ring.target(&me.user).is_some_and(|target| target.outcome == Outcome::Ringing) {
            self.phase = Phase::RingingIn(ringing);
        } else if ring.caller == me.user && ring.caller_device == me.device {
            if ring.is_answered() {
                // Learned late: answered while this device was away. Only while the call still runs, and a device
                // that is in already (a crash during the call) does not walk in again by itself.
                let is_in = has_participant(&self.state, me);
                if self.state.call.session.is_some() && !is_in && origin == Origin::Snapshot {
                    self.phase = Phase::RingingOut(ringing.clone());
                    return Some(Action::JoinAnswered { ring: ringing.ring });
                }
            } else if ring.is_live() {
                self.phase = Phase::RingingOut(ringing);
            }
        }
        None
    }

    fn follow_incoming(&mut self, now: Instant, me: &Me, before: Ringing) -> Option<Action> {
        if self.state.call.ended_at.is_some() {
            self.end(now, EndReason::Ended);
            return None;
        }
        let Some(ring) = self.state.ring.as_ref() else {
            self.leave(now, EndReason::Cancelled);
            return None;
        };
        if ring.id != before.ring {
            self.phase = Phase::Idle;
            self.done_with = Some(before.ring);
            return self.begin(now, me, Origin::Event);
        }
        let target = ring.target(&me.user)?;
        let elsewhere = target.answered_on.as_ref().is_some_and(|device| *device != me.device);
        let reason = match target.outcome {
            Outcome::Ringing => {
                let again = before.alerting && !target.alerted;
                self.phase = Phase::RingingIn(Ringing { alerting: before.alerting, ..ringing(now, ring) });
                return again.then_some(Action::TellAlerted { ring: before.ring });
            }
            Outcome::Accepted if elsewhere => EndReason::AnsweredElsewhere,
            // Accepted by this device in a life before this one: the call runs without it.
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
        self.leave(now, reason);
        None
    }

    fn follow_outgoing(&mut self, now: Instant, before: Ringing) -> Option<Action> {
        if self.state.call.ended_at.is_some() {
            self.end(now, EndReason::Ended);
            return None;
        }
        let Some(ring) = self.state.ring.as_ref().filter(|ring| ring.id == before.ring) else {
            self.leave(now, EndReason::Cancelled);
            return None;
        };
        if ring.is_answered() {
            return Some(Action::JoinAnswered { ring: before.ring });
        }
        if ring.is_live() {
            self.phase = Phase::RingingOut(ringing(now, ring));
            return None;
        }
        let reason = nobody_came(ring);
        self.leave(now, reason);
        None
    }

    fn follow_session(&mut self, now: Instant, me: &Me) -> Option<Action> {
        let is_in = has_participant(&self.state, me);
        let (Phase::Joining(in_call) | Phase::Joined(in_call)) = &mut self.phase else { return None };
        if self.state.call.ended_at.is_some() {
            self.end(now, EndReason::Ended);
            return Some(Action::CloseSession);
        }
        if in_call.media == Media::Requested {
            // The answer to the join is on its way and newer than this.
            return None;
        }
        if self.state.call.session.is_none() {
            self.end(now, EndReason::Ended);
            return Some(Action::CloseSession);
        }
        if is_in || in_call.asked_again.is_some_and(|asked| now < asked + ASK_AGAIN_AFTER) {
            return None;
        }
        in_call.asked_again = Some(now);
        Some(Action::Rejoin)
    }
}

fn has_participant(state: &CallState, me: &Me) -> bool {
    let session = state.call.session.as_ref();
    session.is_some_and(|session| session.participants.iter().any(|participant| participant.device == me.device))
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

fn ringing(now: Instant, ring: &Ring) -> Ringing {
    let left = Duration::from_millis(u64::from(ring.remaining_ms));
    Ringing { ring: ring.id.clone(), until: now + left, alerting: false }
}
