//! Coming into calls and going out of them: the person's wishes, the server's answers, the media's fate.

use std::time::Duration;

use wire::{CallId, Capability, Code, Join, Joined, Outcome, Reject, Ring, RingId, SessionId};

use super::{Calls, Device, INSIST_FOR, JoinOptions, Leave, Output, Ticket, Toggle, placeholder, shown};
use crate::{
    call::{Action, Call, DEADLINE_GRACE, How, InCall, Me, Media, Origin, Phase, Ringing, Surroundings},
    clock::Now,
    errands::{ErrandId, Request, Settled},
    error::ClientError,
    session::SessionEvent,
    state::{DeviceView, EndReason},
};

/// An answered ring is not let go of at once when the server is away: this long beyond its deadline.
const ANSWERED: Duration = Duration::from_secs(5);
/// How long after asking to be let in the server's word that this device is not in may be older than its answer.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(5);
/// How long the device that is awaited in an answered call tries to come in.
const AWAITED: Duration = Duration::from_secs(30);

impl Calls {
    pub(super) fn join(&mut self, now: Now, cid: CallId, options: JoinOptions, ticket: Ticket) {
        let state = placeholder(cid.clone(), &self.me.user, now);
        let index = self.place(now, &state);
        let call = &mut self.calls[index];
        call.is_wanted();
        let answering = match &call.phase {
            Phase::RingingIn(ringing) => Some(ringing.clone()),
            Phase::Joining(_) | Phase::Joined(_) => {
                return self.outputs.push_back(Output::Reply { ticket, result: Ok(()) });
            }
            Phase::RingingOut(_) | Phase::Idle | Phase::Left(_) | Phase::Ended(_) => None,
        };
        if answering.as_ref().is_some_and(|ringing| ringing.until.plus(DEADLINE_GRACE).is_over(now)) {
            call.leave(now, EndReason::Timeout, How::Quietly);
            return self.outputs.push_back(Output::Reply { ticket, result: Ok(()) });
        }
        let ring = answering.as_ref().map(|ringing| ringing.ring.clone());
        // Without a ring somebody waits for the answer and can ask again himself.
        let within = answering.as_ref().map_or(Duration::ZERO, |ringing| ringing.until.left(now) + ANSWERED);
        let join = Join { create: options.create, ring, session: None };
        self.come(now, index, join, within, answering, options.video, Some(ticket));
    }

    /// Comes in only while it rings here: what another device has answered meanwhile is not joined by a second one.
    pub(super) fn accept(&mut self, now: Now, cid: CallId, video: Toggle, ticket: Ticket) {
        let rings = |call: &Call| call.cid == cid && matches!(call.phase, Phase::RingingIn(_));
        if self.calls.iter().any(rings) {
            self.join(now, cid, JoinOptions { create: false, video }, ticket);
        } else {
            self.outputs.push_back(Output::Reply { ticket, result: Ok(()) });
        }
    }

    /// This device is awaited: it comes in by itself.
    pub(super) fn join_answered(&mut self, now: Now, index: usize, ring: RingId) {
        let video = self.calls[index].state.ring.as_ref().is_some_and(|ring| ring.video);
        let join = Join { create: false, ring: Some(ring), session: None };
        self.come(now, index, join, AWAITED, None, video.into(), None);
    }

    #[expect(clippy::too_many_arguments, reason = "everything a join is made of, from its two callers")]
    fn come(
        &mut self,
        now: Now,
        index: usize,
        join: Join,
        within: Duration,
        answering: Option<Ringing>,
        camera: Toggle,
        ticket: Option<Ticket>,
    ) {
        let call = &mut self.calls[index];
        let settings = &call.state.call.settings;
        let may_film = settings.video.enabled && settings.video.camera_default_on;
        let camera = Toggle::from(camera == Toggle::On && may_film);
        let microphone = shown(Toggle::from(settings.audio.mic_default_on));
        let speaker = Toggle::from(settings.audio.speaker_default_on);
        self.errands.forget_leaving(&call.cid);
        let within = if planted!(self, JoinsOnce) { Duration::ZERO } else { within };
        let ring = join.ring.clone();
        let request = Request::Join { cid: call.cid.clone(), join };
        let join = self.errands.add(now.instant, request, within, ticket);
        let in_call = InCall {
            join,
            ring,
            answering,
            since: None,
            media: Media::Requested,
            asked: None,
            look_at: None,
            microphone,
            camera: shown(camera),
            speaker,
            speaker_trouble: None,
            missing_since: None,
            participants: Vec::new(),
        };
        call.come(&self.me, in_call);
    }

    /// The server lost this device from the session although it is in.
    pub(super) fn rejoin(&mut self, now: Now, index: usize, session: SessionId) {
        let cid = self.calls[index].cid.clone();
        let join = Join { create: false, ring: None, session: Some(session) };
        let request = Request::Join { cid, join };
        let is_under_way = self.errands.has(&request);
        let until = now.after(ASK_AGAIN_AFTER);
        let Some(in_call) = self.calls[index].in_call_mut() else { return };
        (in_call.look_at, in_call.missing_since) = (Some(until.instant), None);
        if !is_under_way {
            let id = self.errands.add(now.instant, request, INSIST_FOR, None);
            in_call.asked = Some((id, until));
        }
    }

    pub(super) fn on_join_done(&mut self, now: Now, id: ErrandId, cid: &CallId, result: Result<Joined, ClientError>) {
        let (ticket, may_be_heard, sent_at) = match self.errands.settle(now.instant, id, result.as_ref().err()) {
            Settled::Again => return,
            Settled::Done { ticket, may_be_heard, sent_at } => (ticket, may_be_heard, sent_at.unwrap_or(now)),
            Settled::Forgotten => (None, false, now),
        };
        let index = self.position(cid);
        let in_call = index.and_then(|index| self.calls[index].in_call());
        let is_current = in_call.is_some_and(|in_call| in_call.join == id && in_call.media == Media::Requested);
        let is_again = in_call.is_some_and(|in_call| in_call.asked.is_some_and(|(asked, _)| asked == id));
        let result = match (result, index) {
            (Ok(joined), Some(index)) if is_current => {
                self.come_in(now, sent_at, index, joined);
                Ok(())
            }
            // The session goes on as it was, with what lets it in again.
            (Ok(joined), Some(_)) if is_again => {
                self.outputs.push_back(Output::RefreshSession { cid: cid.clone(), media: joined.media });
                self.on_answer(now, sent_at, joined.state, joined.revision);
                Ok(())
            }
            (Ok(joined), _) => {
                self.go_out_again(now, sent_at, cid, joined);
                Ok(())
            }
            (Err(error), Some(index)) if is_current => {
                let ring = self.calls[index].in_call().and_then(|in_call| in_call.ring.clone());
                let result = self.stay_out(now, index, error, ticket);
                if may_be_heard {
                    self.be_out(now, cid, ring);
                }
                result
            }
            (Err(error), Some(index)) if is_again => {
                self.lose(now, index, &error);
                Err(error)
            }
            (Err(error), _) => Err(error),
        };
        if let Some(ticket) = ticket
            && !planted!(self, NeverReplies)
        {
            self.outputs.push_back(Output::Reply { ticket, result });
        }
    }

    /// The server let this device in: the media may be set up.
    fn come_in(&mut self, now: Now, sent_at: Now, index: usize, joined: Joined) {
        if self.calls[index].vanished_at.is_some_and(|revision| revision > joined.revision) {
            // Over since, as a snapshot says that came before this answer.
            return self.calls[index].leave(now, EndReason::Ended, How::Quietly);
        }
        let cid = self.calls[index].cid.clone();
        self.answered.insert(cid.clone(), joined.revision);
        let is_first = self.calls[index].state.call.version == 0;
        let session = joined.state.call.session.as_ref().map(|session| session.id.clone());
        let settings = joined.state.call.settings.clone();
        if let Some(in_call) = self.calls[index].in_call_mut() {
            in_call.media = Media::Up { session, let_in: now.instant };
            in_call.asked = Some((in_call.join, now.after(ASK_AGAIN_AFTER)));
            // What the call's settings say could not be known before.
            if is_first {
                if !settings.audio.mic_default_on {
                    in_call.microphone = DeviceView::Off;
                }
                if !settings.video.camera_default_on {
                    in_call.camera = DeviceView::Off;
                }
                in_call.speaker = Toggle::from(settings.audio.speaker_default_on);
            }
            let may = |capability| joined.state.own_capabilities.contains(&capability);
            if !may(Capability::SendAudio) {
                in_call.microphone = DeviceView::Off;
            }
            if !settings.video.enabled || !may(Capability::SendVideo) {
                in_call.camera = DeviceView::Off;
            }
            let join = in_call.join;
            let microphone = Toggle::from(in_call.microphone == DeviceView::On);
            let camera = Toggle::from(in_call.camera == DeviceView::On);
            let (speaker, settings, media) = (in_call.speaker, Box::new(settings), joined.media);
            let open = Output::OpenSession { cid, join, media, microphone, camera, speaker, settings };
            self.outputs.push_back(open);
        }
        if joined.state.call.version < self.calls[index].state.call.version {
            // What came between the request and its answer may already have ended the call.
            let around = Surroundings { me: &self.me, now, manner: self.manner(&joined.state.call.cid) };
            let action = self.calls[index].follow(around, Origin::Event);
            self.act(now, index, action);
        } else {
            self.on_answer(now, sent_at, joined.state, joined.revision);
        }
    }

    /// Let in after having hung up (or for a join that a newer one has taken the place of).
    fn go_out_again(&mut self, now: Now, sent_at: Now, cid: &CallId, joined: Joined) {
        if planted!(self, ComesInAfterHangingUp) {
            let (media, settings) = (joined.media.clone(), Box::new(joined.state.call.settings.clone()));
            let (cid, microphone, camera, speaker) = (cid.clone(), Toggle::On, Toggle::Off, Toggle::On);
            let open = Output::OpenSession { cid, join: 0, media, microphone, camera, speaker, settings };
            return self.outputs.push_back(open);
        }
        if planted!(self, GhostStays) {
            return;
        }
        let wants_in = self.position(cid).is_some_and(|index| self.calls[index].in_call().is_some());
        let session = joined.state.call.session.as_ref().map(|session| session.id.clone());
        if let Some(call) = self.position(cid).map(|index| &mut self.calls[index])
            && call.rings_in()
            && joined.state.ring.as_ref().is_some_and(|ring| was_answered_on(&self.me, ring))
        {
            // It was this join that has answered what rings.
            call.leave(now, EndReason::Answered, How::HungUp);
        }
        // News from before the answer, still on their way, are older than it.
        self.on_answer(now, sent_at, joined.state, joined.revision);
        if wants_in {
            return;
        }
        if let Some(index) = self.position(cid) {
            self.calls[index].is_out_of(session.clone());
        }
        if self.errands.leaving(cid, session.as_ref()) {
            return;
        }
        self.insist(now, Request::Leave { cid: cid.clone(), leave: wire::Leave { session, ring: None } });
    }

    /// A join failed. While the ring lives the device rings again (R3); a ring that is over is a missed call, never an
    /// error (R4).
    fn stay_out(
        &mut self,
        now: Now,
        index: usize,
        error: ClientError,
        ticket: Option<Ticket>,
    ) -> Result<(), ClientError> {
        let manner = self.manner(&self.calls[index].cid);
        let around = Surroundings { me: &self.me, now, manner };
        let call = &mut self.calls[index];
        let Some(in_call) = call.in_call() else { return Err(error) };
        let (ring, answering) = (in_call.ring.clone(), in_call.answering.clone());
        let is_unknown = call.state.call.version == 0;
        let result = match error.code() {
            Some(Code::AnsweredElsewhere) => {
                call.leave(now, EndReason::AnsweredElsewhere, How::Quietly);
                Ok(())
            }
            Some(Code::RingOver) => {
                let reason = match answering {
                    Some(ringing) if ringing.until.is_over(now) => EndReason::Timeout,
                    Some(_) => EndReason::Cancelled,
                    None => EndReason::Ended,
                };
                call.leave(now, reason, How::Quietly);
                Ok(())
            }
            Some(Code::CallEnded) if ring.is_some() => {
                call.end(now, EndReason::Ended);
                Ok(())
            }
            _ => {
                match answering {
                    Some(ringing) if !ringing.until.is_over(now) => call.phase = Phase::RingingIn(ringing),
                    Some(_) => call.leave(now, EndReason::Timeout, How::Quietly),
                    // Nothing was ever known of it: the error says all there is to say.
                    None if is_unknown => call.phase = Phase::Idle,
                    None => match &error {
                        // Who asked is told by the answer, and the call goes on without him.
                        _ if ticket.is_some() => call.phase = Phase::Idle,
                        ClientError::Refused(body) => call.be_refused(now, body.clone()),
                        ClientError::Unreachable { .. }
                        | ClientError::WrongServer
                        | ClientError::Unreadable { .. }
                        | ClientError::Stopped => call.leave(now, EndReason::MediaFailed, How::HungUp),
                    },
                }
                Err(error)
            }
        };
        // The ring may have ended meanwhile, or a newer one begun; and a cancel that was taken back for this join is due.
        let action = call.follow(around, Origin::Snapshot);
        self.act(now, index, action);
        result
    }

    /// The server may have let this device in by an attempt whose answer was lost: the others are not left with somebody
    /// who is not there.
    fn be_out(&mut self, now: Now, cid: &CallId, ring: Option<RingId>) {
        let Some(index) = self.position(cid) else { return };
        match &self.calls[index].phase {
            // It rings (again), or comes in by another ring.
            Phase::RingingIn(_) | Phase::RingingOut(_) | Phase::Joining(_) | Phase::Joined(_) => {}
            Phase::Idle | Phase::Left(_) | Phase::Ended(_) => {
                self.insist(now, Request::Leave { cid: cid.clone(), leave: wire::Leave { session: None, ring } });
            }
        }
    }

    /// The server does not let this device in again.
    fn lose(&mut self, now: Now, index: usize, error: &ClientError) {
        if matches!(error.code(), Some(Code::CallEnded | Code::CallNotFound | Code::RingOver)) {
            let cid = self.calls[index].cid.clone();
            self.calls[index].end(now, EndReason::Ended);
            self.outputs.push_back(Output::CloseSession { cid });
        } else if let ClientError::Refused(body) = error
            && error.retry_after().is_none()
        {
            // Another attempt would end alike: it is full by now, or closed, or this person was put out.
            let cid = self.calls[index].cid.clone();
            self.calls[index].be_refused(now, body.clone());
            self.outputs.push_back(Output::CloseSession { cid });
        }
    }

    pub(super) fn leave(&mut self, now: Now, cid: &CallId, leave: Leave) {
        let Some(index) = self.position(cid) else { return };
        let call = &mut self.calls[index];
        let cid = cid.clone();
        match (&call.phase, leave) {
            (Phase::RingingIn(ringing), Leave::Reject { reason, message }) => {
                let reject = Reject { ring: ringing.ring.clone(), reason, message: message.clone() };
                call.leave(now, EndReason::Declined, How::Refused { reason, message });
                self.insist(now, Request::Reject { cid, reject });
            }
            // R6: dismissed on this device alone; nobody is told.
            (Phase::RingingIn(_), Leave::Plain) => call.leave(now, EndReason::Left, How::Dismissed),
            (Phase::RingingOut(ringing), _) => {
                let ring = Some(ringing.ring.clone());
                call.leave(now, EndReason::Cancelled, How::HungUp);
                self.insist(now, Request::Leave { cid, leave: wire::Leave { session: None, ring } });
            }
            (Phase::Joining(in_call) | Phase::Joined(in_call), _) => {
                let leave = wire::Leave { session: in_call.session().cloned(), ring: in_call.ring.clone() };
                call.leave(now, EndReason::Left, How::HungUp);
                self.outputs.push_back(Output::CloseSession { cid: cid.clone() });
                self.go_out(now, cid, leave);
            }
            // It has fallen silent here, by time or by wish, and goes on elsewhere: the person's word counts all the same.
            (Phase::Idle | Phase::Left(_) | Phase::Ended(_), leave) => {
                if call.ring_on(&self.me) {
                    self.leave(now, &cid, leave);
                }
            }
        }
    }

    /// Tells the server that this device is out; who waits for a join that is not wanted any more is let go.
    fn go_out(&mut self, now: Now, cid: CallId, leave: wire::Leave) {
        for ticket in self.errands.forget_joining(&cid) {
            self.outputs.push_back(Output::Reply { ticket, result: Ok(()) });
        }
        if planted!(self, GhostStays) && leave.session.is_none() {
            return;
        }
        self.insist(now, Request::Leave { cid, leave });
    }

    pub(super) fn toggle(&mut self, cid: &CallId, device: Device, to: Toggle) {
        let Some(index) = self.position(cid) else { return };
        let capability = match device {
            Device::Microphone => Capability::SendAudio,
            Device::Camera => Capability::SendVideo,
        };
        let state = &self.calls[index].state;
        // Before the server has told anything (version 0), nothing is known to be forbidden.
        if to == Toggle::On && state.call.version > 0 && !state.own_capabilities.contains(&capability) {
            return;
        }
        let Some(in_call) = self.calls[index].in_call_mut() else { return };
        match device {
            Device::Microphone => in_call.microphone = shown(to),
            Device::Camera => in_call.camera = shown(to),
        }
        self.outputs.push_back(Output::Switch { cid: cid.clone(), device, to });
    }

    pub(super) fn set_speaker(&mut self, cid: CallId, to: Toggle) {
        let Some(index) = self.position(&cid) else { return };
        let Some(in_call) = self.calls[index].in_call_mut() else { return };
        in_call.speaker = to;
        self.outputs.push_back(Output::Hear { cid, to });
    }

    /// What the media session of one join says; one of an earlier join says nothing any more.
    pub(super) fn on_session(&mut self, now: Now, cid: &CallId, join: ErrandId, event: SessionEvent) {
        let Some(index) = self.position(cid) else { return };
        let call = &mut self.calls[index];
        let Some(in_call) = call.in_call_mut().filter(|in_call| in_call.join == join) else { return };
        match event {
            SessionEvent::Connected => {
                if let Media::Up { session, let_in } | Media::Reconnecting { session, let_in } = in_call.media.clone() {
                    in_call.media = Media::Up { session, let_in };
                    _ = in_call.since.get_or_insert(now.instant);
                    call.phase = Phase::Joined(in_call.clone());
                }
            }
            SessionEvent::Reconnecting => {
                if let Media::Up { session, let_in } = in_call.media.clone()
                    && in_call.since.is_some()
                {
                    in_call.media = Media::Reconnecting { session, let_in };
                    // The media agrees that this device is out: nothing more is waited for.
                    if in_call.missing_since.is_some() {
                        let around = Surroundings { me: &self.me, now, manner: self.manner(cid) };
                        let action = self.calls[index].follow(around, Origin::Event);
                        self.act(now, index, action);
                    }
                }
            }
            SessionEvent::Participants(participants) => in_call.participants = participants,
            SessionEvent::Device { device: Device::Microphone, view } => in_call.microphone = view,
            SessionEvent::Device { device: Device::Camera, view } => in_call.camera = view,
            SessionEvent::Speaker { trouble } => in_call.speaker_trouble = trouble,
            SessionEvent::Closed(reason) => {
                let leave = wire::Leave { session: in_call.session().cloned(), ring: in_call.ring.clone() };
                match reason {
                    EndReason::Ended => call.end(now, reason),
                    // Nobody has hung up: a ring that came meanwhile is not done with.
                    _ => call.leave(now, reason, How::Quietly),
                }
                self.go_out(now, cid.clone(), leave);
                self.act(now, index, Some(Action::CloseSession));
            }
        }
    }
}

/// Whether this device has answered a ring, in the call or not.
fn was_answered_on(me: &Me, ring: &Ring) -> bool {
    let target = ring.target(&me.user).filter(|target| target.outcome == Outcome::Accepted);
    target.is_some_and(|target| target.answered_on.as_ref() == Some(&me.device))
}
