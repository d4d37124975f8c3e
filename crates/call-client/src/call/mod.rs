//! The phases of one call on this device, sans-IO. The server decides; this follows and never disagrees for long.

mod follow;

use std::time::{Duration, Instant};

use wire::{CallId, CallState, DeviceId, ErrorBody, Reason, Ring, RingId, SessionId, UserId};

use crate::{
    calls::Toggle,
    clock::{Deadline, Now},
    errands::ErrandId,
    state::{CallingState, DeviceView, EndReason, ParticipantView},
};

/// How long the end of what went on elsewhere is shown.
const OVER_SHOWN: Duration = Duration::from_secs(1);
/// How long a call that is over stays on the screens.
const SHOWN_AFTER_END: Duration = Duration::from_secs(6);
/// How long the server may be silent after a deadline before this device stops ringing by itself.
pub(crate) const DEADLINE_GRACE: Duration = Duration::from_millis(900);

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
    pub(crate) until: Deadline,
    /// This device has told that it alerts; told again after a reconnect, until the server shows it.
    pub(crate) alerting: bool,
}

/// What exists only on the way in and while in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct InCall {
    /// The join this is, by which the events of its media session are known.
    pub(crate) join: ErrandId,
    /// The ring by which this device comes in.
    pub(crate) ring: Option<RingId>,
    /// The ring that is being answered: where a failed join falls back to.
    pub(crate) answering: Option<Ringing>,
    /// Since when media flows.
    pub(crate) since: Option<Instant>,
    pub(crate) media: Media,
    /// The errand by which this device asked last to be let in, and how long what the server says may be older.
    pub(crate) asked: Option<(ErrandId, Deadline)>,
    /// Since when the server's word is that this device is not in, while its media is up.
    pub(crate) missing_since: Option<Instant>,
    /// The server's last word was that this device is not in: looked at again then, if it says no more.
    pub(crate) look_at: Option<Instant>,
    pub(crate) microphone: DeviceView,
    pub(crate) camera: DeviceView,
    /// Whether the others are heard here.
    pub(crate) speaker: Toggle,
    pub(crate) speaker_trouble: Option<String>,
    pub(crate) participants: Vec<ParticipantView>,
}

/// The way of the media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Media {
    /// The server has not let us in yet.
    Requested,
    /// Credentials are there, the session is being set up or runs.
    Up { session: Option<SessionId>, let_in: Instant },
    /// Was up, finds its way again.
    Reconnecting { session: Option<SessionId>, let_in: Instant },
}

/// What is left of a call that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Over {
    pub(crate) reason: EndReason,
    /// What the server said, where it did not let this device in.
    pub(crate) refusal: Option<ErrorBody>,
    pub(crate) forget_at: Instant,
}

/// A ring this device is done with: never alerted for or joined again.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Done {
    ring: RingId,
    how: How,
}

/// How this device was done with a ring: what the server must know, and is told again if it shows that it does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum How {
    /// Answered or over: nobody needs to be told.
    Quietly,
    /// Dismissed on this device alone (R6): nobody is told.
    Dismissed,
    /// Hung up or cancelled.
    HungUp,
    /// Refused.
    Refused { reason: Reason, message: Option<String> },
}

impl How {
    /// Its person may still have answered it, by ringing back while his refusal was on its way.
    fn may_be_answered_back(&self) -> bool {
        match self {
            Self::Dismissed | Self::Refused { .. } => true,
            Self::Quietly | Self::HungUp => false,
        }
    }
}

/// What a change of one call asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// This device is awaited in a call that was answered: come in by itself.
    JoinAnswered { ring: RingId },
    /// The media of this call is not wanted any more.
    CloseSession,
    /// The server lost this device from the session although it is in: ask to be let in again.
    Rejoin { session: SessionId },
    /// Say (again) that this device alerts.
    TellAlerted { ring: RingId },
    /// Say (again) that this device has hung up.
    TellLeft { ring: Option<RingId>, session: Option<SessionId> },
    /// Say (again, or by itself) that this person does not come.
    Refuse { ring: RingId, reason: Reason, message: Option<String> },
}

/// Where a new state came from: absence means something else in a snapshot than in an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Event,
    Snapshot,
}

/// What a device does with new rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    Alert,
    /// The news is old: it begins nothing, and what alerts goes on until there is fresher.
    Hold,
    /// Do not disturb (R14): silent, ends as missed.
    StaySilent,
    /// In another call, and set to say so (R13).
    AnswerBusy,
}

/// Everything outside a call that bears on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    pub(crate) me: &'a Me,
    pub(crate) now: Now,
    pub(crate) manner: Manner,
}

#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) cid: CallId,
    pub(crate) state: CallState,
    pub(crate) phase: Phase,
    /// The deadline of the newest ring, by this device's clocks.
    until: Deadline,
    /// A ring or a session goes on, as far as the server has told.
    is_live: bool,
    /// When that was told to be over, if something went on: how it ended is shown for a moment.
    over_since: Option<Instant>,
    done: Option<Done>,
    /// The session this device went out of.
    went_out_of: Option<SessionId>,
    hung_up_at: Option<Instant>,
    /// The newest snapshot that knew nothing of it.
    pub(crate) vanished_at: Option<u64>,
}

impl Call {
    pub(crate) fn new(now: Now, state: CallState) -> Self {
        Self {
            cid: state.call.cid.clone(),
            state,
            phase: Phase::Idle,
            until: now.after(Duration::ZERO),
            is_live: false,
            over_since: None,
            done: None,
            went_out_of: None,
            hung_up_at: None,
            vanished_at: None,
        }
    }

    pub(crate) fn calling_state(&self) -> CallingState {
        match &self.phase {
            Phase::Idle => CallingState::Idle,
            Phase::RingingIn(_) | Phase::RingingOut(_) => CallingState::Ringing,
            Phase::Joining(_) => CallingState::Joining,
            Phase::Joined(in_call) => match in_call.media {
                Media::Requested | Media::Up { .. } => CallingState::Joined,
                Media::Reconnecting { .. } => CallingState::Reconnecting,
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

    pub(crate) fn refusal(&self) -> Option<&ErrorBody> {
        match &self.phase {
            Phase::Left(over) | Phase::Ended(over) => over.refusal.as_ref(),
            Phase::Idle | Phase::RingingIn(_) | Phase::RingingOut(_) | Phase::Joining(_) | Phase::Joined(_) => None,
        }
    }

    pub(crate) fn in_call(&self) -> Option<&InCall> {
        match &self.phase {
            Phase::Joining(in_call) | Phase::Joined(in_call) => Some(in_call),
            Phase::Idle | Phase::RingingIn(_) | Phase::RingingOut(_) | Phase::Left(_) | Phase::Ended(_) => None,
        }
    }

    pub(crate) fn in_call_mut(&mut self) -> Option<&mut InCall> {
        match &mut self.phase {
            Phase::Joining(in_call) | Phase::Joined(in_call) => Some(in_call),
            Phase::Idle | Phase::RingingIn(_) | Phase::RingingOut(_) | Phase::Left(_) | Phase::Ended(_) => None,
        }
    }

    pub(crate) fn is_ringing(&self) -> bool {
        matches!(self.phase, Phase::RingingIn(_) | Phase::RingingOut(_))
    }

    pub(crate) fn rings_in(&self) -> bool {
        matches!(self.phase, Phase::RingingIn(_))
    }

    /// The next moment at which time alone changes something.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match &self.phase {
            Phase::RingingIn(ringing) | Phase::RingingOut(ringing) => Some(ringing.until.plus(DEADLINE_GRACE).instant),
            Phase::Left(over) | Phase::Ended(over) => Some(over.forget_at),
            Phase::Joining(in_call) | Phase::Joined(in_call) => in_call.look_at,
            Phase::Idle => self.over_since.map(|since| since + OVER_SHOWN),
        }
    }

    /// Nothing more to show.
    pub(crate) fn is_forgettable(&self, now: Now) -> bool {
        match &self.phase {
            Phase::Left(over) | Phase::Ended(over) => over.forget_at <= now.instant && !self.is_live,
            Phase::Idle => !self.is_live && self.over_since.is_none_or(|since| since + OVER_SHOWN <= now.instant),
            Phase::RingingIn(_) | Phase::RingingOut(_) | Phase::Joining(_) | Phase::Joined(_) => false,
        }
    }

    /// A ring or a session goes on, as far as the server has told.
    pub(crate) fn goes_on(&self) -> bool {
        self.is_live
    }

    /// What time alone brings; says whether that was anything. The server's deadline may pass without a word of the
    /// server: it is gone, and this must not ring for ever. And while a call goes on for others, its end on this device
    /// gives way to the news that one could join.
    pub(crate) fn on_time(&mut self, now: Now) -> bool {
        self.agree(now);
        match &self.phase {
            Phase::RingingIn(ringing) | Phase::RingingOut(ringing)
                if ringing.until.plus(DEADLINE_GRACE).is_over(now) =>
            {
                self.over(now, EndReason::Timeout);
                true
            }
            Phase::Left(over) | Phase::Ended(over) if over.forget_at <= now.instant => {
                self.phase = Phase::Idle;
                true
            }
            Phase::RingingIn(_) | Phase::RingingOut(_) | Phase::Left(_) | Phase::Ended(_) => false,
            Phase::Idle | Phase::Joining(_) | Phase::Joined(_) => false,
        }
    }

    /// Whatever may ring ends by the clock that says sooner, also when that one is set back later.
    fn agree(&mut self, now: Now) {
        self.until = self.until.agreed(now);
        match &mut self.phase {
            Phase::RingingIn(ringing) | Phase::RingingOut(ringing) => ringing.until = ringing.until.agreed(now),
            Phase::Joining(in_call) | Phase::Joined(in_call) => {
                if let Some(ringing) = &mut in_call.answering {
                    ringing.until = ringing.until.agreed(now);
                }
            }
            Phase::Idle | Phase::Left(_) | Phase::Ended(_) => {}
        }
    }

    /// Not in any more, for this reason.
    fn over(&mut self, now: Now, reason: EndReason) {
        self.phase = Phase::Left(Over { reason, refusal: None, forget_at: now.instant + SHOWN_AFTER_END });
    }

    /// The server does not let this device in, and nobody but the screens can be told.
    pub(crate) fn be_refused(&mut self, now: Now, refusal: ErrorBody) {
        self.leave(now, EndReason::Refused, How::HungUp);
        if let Phase::Left(over) = &mut self.phase {
            over.refusal = Some(refusal);
        }
    }

    /// Rings again, in or out, what as far as is known still does and has only fallen silent here; says whether there is such
    /// a ring. Not one that this device is done with.
    pub(crate) fn ring_on(&mut self, me: &Me) -> bool {
        let Some(ring) = self.state.ring.as_ref().filter(|ring| !self.is_done_with(ring)) else { return false };
        let ringing = Ringing { ring: ring.id.clone(), until: self.until, alerting: false };
        if follow::rings(me, ring) {
            self.phase = Phase::RingingIn(ringing);
        } else if follow::rings_out(me, ring) {
            self.phase = Phase::RingingOut(ringing);
        } else {
            return false;
        }
        true
    }

    fn is_done_with(&self, ring: &Ring) -> bool {
        self.done.as_ref().is_some_and(|done| done.ring == ring.id)
    }

    /// Its person rings, and has answered a ring by that: then this device is not done with it, whatever was before.
    pub(crate) fn has_rung(&mut self, me: &Me, state: &CallState) {
        let answers = |ring: &Ring| follow::answered_here(me, ring) && self.is_done_with(ring);
        if state.ring.as_ref().is_some_and(answers) {
            self.done = None;
        }
    }

    /// The ring that comes of what its person asked for before he hung up: he is done with that, too.
    pub(crate) fn has_hung_up_on(&mut self, me: &Me, asked_at: Now, state: &CallState) -> Option<RingId> {
        let has_hung_up = self.hung_up_at.is_some_and(|at| at > asked_at.instant);
        let is_own = |ring: &&Ring| follow::is_caller(me, ring) || follow::answered_here(me, ring);
        let ring = state.ring.as_ref().filter(is_own).filter(|_| has_hung_up)?.id.clone();
        // An answer that a newer one has overtaken says nothing about the ring that has taken its place.
        let is_newest = self.state.ring.as_ref().is_some_and(|known| known.id == ring);
        if is_newest || state.call.version >= self.state.call.version {
            self.done = Some(Done { ring: ring.clone(), how: How::HungUp });
        }
        Some(ring)
    }

    /// This device is out of the call and done with the ring, if there is one.
    pub(crate) fn leave(&mut self, now: Now, reason: EndReason, how: How) {
        self.hung_up_at = Some(now.instant).filter(|_| how == How::HungUp);
        let ring = match &self.phase {
            Phase::RingingIn(ringing) | Phase::RingingOut(ringing) => Some(ringing.ring.clone()),
            // A call that is over by itself says nothing about a ring that came meanwhile (R1).
            Phase::Joining(in_call) | Phase::Joined(in_call) if how == How::Quietly => in_call.ring.clone(),
            Phase::Joining(in_call) if in_call.media == Media::Requested && in_call.ring.is_some() => {
                in_call.ring.clone()
            }
            Phase::Idle | Phase::Joining(_) | Phase::Joined(_) | Phase::Left(_) | Phase::Ended(_) => {
                self.state.ring.as_ref().map(|ring| ring.id.clone())
            }
        };
        if let Some(in_call) = self.in_call() {
            self.went_out_of = in_call.session().cloned();
        }
        self.done = ring.map(|ring| Done { ring, how }).or(self.done.take());
        self.over(now, reason);
    }

    #[cfg(feature = "simulation")]
    pub(crate) fn forget_done(&mut self) {
        self.done = None;
    }

    #[cfg(not(feature = "simulation"))]
    pub(crate) fn forget_done(&mut self) {}

    /// Let in after it had gone out: should the word of that be lost, a snapshot that still has it in reminds of it.
    pub(crate) fn is_out_of(&mut self, session: Option<SessionId>) {
        self.went_out_of = session;
    }

    /// The call is over for everyone.
    pub(crate) fn end(&mut self, now: Now, reason: EndReason) {
        self.leave(now, reason, How::Quietly);
        self.phase = Phase::Ended(Over { reason, refusal: None, forget_at: now.instant + SHOWN_AFTER_END });
    }

    /// Its person wants to be in it, whatever he hung up on before.
    pub(crate) fn is_wanted(&mut self) {
        self.hung_up_at = None;
    }

    /// This device comes in: what it went out of does not matter any more. A ring that still rings its person is one to
    /// answer again, whatever was said of it before: it rings on where this join fails.
    pub(crate) fn come(&mut self, me: &Me, in_call: InCall) {
        self.went_out_of = None;
        if self.state.ring.as_ref().is_some_and(|ring| follow::rings(me, ring)) {
            self.done = None;
        }
        self.phase = Phase::Joining(in_call);
    }
}

impl InCall {
    /// The session this device is in, once it was let in.
    pub(crate) fn session(&self) -> Option<&SessionId> {
        match &self.media {
            Media::Requested => None,
            Media::Up { session, .. } | Media::Reconnecting { session, .. } => session.as_ref(),
        }
    }
}
