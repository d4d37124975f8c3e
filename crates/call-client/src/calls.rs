//! All calls of this device, sans-IO: the server's messages and the person's wishes in, requests and a view out.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use wire::{
    CallId, CallState, Code, Direction, Event, HistoryEntry, Join, Joined, MediaCredentials, Person, Presence, Reason,
    Reject, RingId, Role, ServerMessage, Snapshot, UnixMillis,
};

use crate::{
    account::Account,
    call::{Action, Call, InCall, Me, Media, Origin, Phase},
    error::ClientError,
    session::SessionEvent,
    state::{
        CallStateView, CallView, CallingState, ClientState, Connection, DeviceView, EndReason, HistoryView, JoinedView,
        RingView, TargetView,
    },
};

/// Most history entries that are kept for screens.
const HISTORY_SHOWN: usize = 200;

/// Names a wish until it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Ticket(pub(crate) u64);

/// Whether something is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toggle {
    /// It is sent.
    On,
    /// It is not.
    Off,
}

impl From<bool> for Toggle {
    fn from(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }
}

/// How to come into a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JoinOptions {
    /// Make the call if it does not exist.
    pub create: bool,
    /// Whether the camera is on at the start.
    pub video: Toggle,
}

/// How to go out of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leave {
    /// Hang up; while my own ring is unanswered: cancel it; while I am rung: dismiss it on this device alone.
    Plain,
    /// Refuse the ring.
    Reject {
        /// `Decline` or `Busy`.
        reason: Reason,
        /// A short word for the caller.
        message: Option<String>,
    },
}

/// What happens to the calls of this device.
#[derive(Debug)]
pub(crate) enum Input {
    Server(ServerMessage),
    Disconnected {
        why: String,
    },
    SignedOut,
    /// An answer that carries a call's new state, ahead of the event.
    State(CallState),
    Join {
        cid: CallId,
        options: JoinOptions,
        ticket: Ticket,
    },
    Leave {
        cid: CallId,
        leave: Leave,
    },
    Alerted {
        cid: CallId,
    },
    Toggle {
        cid: CallId,
        device: Device,
        to: Toggle,
    },
    JoinDone {
        cid: CallId,
        result: Box<Result<Joined, ClientError>>,
        ticket: Option<Ticket>,
    },
    Session {
        cid: CallId,
        event: SessionEvent,
    },
    Timeout,
}

/// A device a person switches during a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Device {
    Microphone,
    Camera,
}

/// What has to be done outside.
#[derive(Debug)]
pub(crate) enum Output {
    /// Sleep until then (or for ever), then say so.
    Timeout(Option<Instant>),
    /// The view changed.
    Changed,
    Request(Request),
    /// Something that is told and not kept.
    Notice(Event),
    OpenSession {
        cid: CallId,
        media: MediaCredentials,
        microphone: Toggle,
        camera: Toggle,
    },
    CloseSession {
        cid: CallId,
    },
    Switch {
        cid: CallId,
        device: Device,
        to: Toggle,
    },
    TellAlerted {
        cid: CallId,
        ring: RingId,
    },
    Reply {
        ticket: Ticket,
        result: Result<(), ClientError>,
    },
}

/// A request whose answer (if anybody waits for it) comes back as input.
#[derive(Debug)]
pub(crate) enum Request {
    Join { cid: CallId, join: Join, ticket: Option<Ticket> },
    Reject { cid: CallId, reject: Reject },
    Leave { cid: CallId },
}

#[derive(Debug)]
pub(crate) struct Calls {
    me: Me,
    person: Person,
    server_name: String,
    connection: Connection,
    revision: u64,
    people: BTreeMap<wire::UserId, Person>,
    calls: Vec<Call>,
    history: Vec<HistoryEntry>,
    outputs: VecDeque<Output>,
    changed: bool,
}

impl Calls {
    pub(crate) fn new(account: &Account) -> Self {
        Self {
            me: Me { user: account.user.clone(), device: account.device.clone() },
            person: Person {
                id: account.user.clone(),
                name: account.name.clone(),
                role: Role::User,
                presence: Presence::Offline,
            },
            server_name: String::new(),
            connection: Connection::Connecting,
            revision: 0,
            people: BTreeMap::new(),
            calls: Vec::new(),
            history: Vec::new(),
            outputs: VecDeque::new(),
            changed: true,
        }
    }

    /// What to do next; ends with `Timeout`.
    pub(crate) fn poll(&mut self) -> Output {
        if let Some(output) = self.outputs.pop_front() {
            return output;
        }
        if std::mem::take(&mut self.changed) {
            return Output::Changed;
        }
        Output::Timeout(self.calls.iter().filter_map(Call::deadline).min())
    }

    pub(crate) fn handle(&mut self, now: Instant, input: Input) {
        self.changed = true;
        match input {
            Input::Server(message) => self.on_message(now, message),
            Input::Disconnected { why } => self.connection = Connection::Offline { why },
            Input::SignedOut => self.on_signed_out(now),
            Input::State(state) => self.on_answer(now, state),
            Input::Join { cid, options, ticket } => self.join(now, cid, options, ticket),
            Input::Leave { cid, leave } => self.leave(now, &cid, leave),
            Input::Alerted { cid } => self.on_alerted(&cid),
            Input::Toggle { cid, device, to } => self.toggle(&cid, device, to),
            Input::JoinDone { cid, result, ticket } => self.on_join_done(now, &cid, *result, ticket),
            Input::Session { cid, event } => self.on_session(now, &cid, event),
            Input::Timeout => {
                for call in &mut self.calls {
                    call.on_time(now);
                }
            }
        }
        self.calls.retain(|call| !call.is_forgettable(now));
    }

    fn on_message(&mut self, now: Instant, message: ServerMessage) {
        match message {
            ServerMessage::Snapshot(snapshot) => self.on_snapshot(now, snapshot),
            ServerMessage::Event { revision, event, server_time: _ } => {
                if revision > self.revision {
                    self.revision = revision;
                    self.on_event(now, event);
                } else {
                    tracing::debug!(revision, newest = self.revision, "an event older than what is known is dropped");
                }
            }
            ServerMessage::Pong => self.changed = false,
        }
    }

    fn on_snapshot(&mut self, now: Instant, snapshot: Snapshot) {
        self.connection = Connection::Online;
        self.revision = snapshot.revision;
        self.server_name = snapshot.server_name;
        self.person = snapshot.me;
        self.people = snapshot.people.into_iter().map(|person| (person.id.clone(), person)).collect();
        self.history = snapshot.history;
        let known: Vec<CallId> = snapshot.calls.iter().map(|state| state.call.cid.clone()).collect();
        for index in 0..self.calls.len() {
            if !known.contains(&self.calls[index].cid) {
                let action = self.calls[index].vanish(now);
                self.act(index, action);
            }
        }
        for state in snapshot.calls {
            self.on_state(now, state, Origin::Snapshot);
        }
    }

    fn on_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Call { state } => self.on_state(now, state, Origin::Event),
            Event::Person { person } if person.id == self.me.user => self.person = person,
            Event::Person { person } => _ = self.people.insert(person.id.clone(), person),
            Event::History { entry } => {
                self.history.retain(|known| known.id != entry.id);
                let place = self.history.partition_point(|known| known.id > entry.id);
                self.history.insert(place, entry);
                self.history.truncate(HISTORY_SHOWN);
            }
            Event::MissedSeen => self.history.iter_mut().for_each(|entry| entry.unseen = false),
            Event::SignedOut => self.on_signed_out(now),
            Event::Unknown => self.changed = false,
            event @ (Event::Reaction { .. }
            | Event::Custom { .. }
            | Event::PermissionAsked { .. }
            | Event::Notified { .. }
            | Event::EndsSoon { .. }) => {
                self.changed = false;
                self.outputs.push_back(Output::Notice(event));
            }
        }
    }

    fn on_signed_out(&mut self, now: Instant) {
        self.connection = Connection::SignedOut;
        for index in 0..self.calls.len() {
            let action = self.calls[index].vanish(now);
            self.act(index, action);
        }
    }

    fn on_state(&mut self, now: Instant, state: CallState, origin: Origin) {
        let index = self.place(&state);
        let action = self.calls[index].update(now, &self.me, state, origin);
        self.act(index, action);
    }

    /// An answer may be overtaken by events: it only counts where it tells of a ring not known yet. Ring ids rise with
    /// time.
    fn on_answer(&mut self, now: Instant, state: CallState) {
        let known = self.position(&state.call.cid).and_then(|index| self.calls[index].state.ring.as_ref());
        let told = state.ring.as_ref();
        if known.map(|ring| &ring.id) < told.map(|ring| &ring.id) {
            self.on_state(now, state, Origin::Event);
        }
    }

    fn place(&mut self, state: &CallState) -> usize {
        self.position(&state.call.cid).unwrap_or_else(|| {
            self.calls.push(Call::new(state.clone()));
            self.calls.len() - 1
        })
    }

    fn position(&self, cid: &CallId) -> Option<usize> {
        self.calls.iter().position(|call| call.cid == *cid)
    }

    fn act(&mut self, index: usize, action: Option<Action>) {
        let cid = self.calls[index].cid.clone();
        match action {
            None => {}
            Some(Action::JoinAnswered { ring }) => {
                let video = self.calls[index].state.ring.as_ref().is_some_and(|ring| ring.video);
                self.calls[index].phase = Phase::Joining(in_call(None, Toggle::On, video.into()));
                self.request_join(cid, Join { create: false, ring: Some(ring) }, None);
            }
            Some(Action::CloseSession) => self.outputs.push_back(Output::CloseSession { cid }),
            Some(Action::Rejoin) => self.request_join(cid, Join::default(), None),
            Some(Action::TellAlerted { ring }) => self.outputs.push_back(Output::TellAlerted { cid, ring }),
        }
    }

    fn request_join(&mut self, cid: CallId, join: Join, ticket: Option<Ticket>) {
        self.outputs.push_back(Output::Request(Request::Join { cid, join, ticket }));
    }

    fn join(&mut self, now: Instant, cid: CallId, options: JoinOptions, ticket: Ticket) {
        let Some(index) = self.position(&cid) else {
            // Not known here yet: the answer brings the state along.
            return self.request_join(cid, Join { create: options.create, ring: None }, Some(ticket));
        };
        let answering = match &self.calls[index].phase {
            Phase::RingingIn(ringing) => Some(ringing.clone()),
            Phase::Joining(_) | Phase::Joined(_) => {
                return self.outputs.push_back(Output::Reply { ticket, result: Ok(()) });
            }
            Phase::RingingOut(_) | Phase::Idle | Phase::Left(_) | Phase::Ended(_) => None,
        };
        if answering.as_ref().is_some_and(|ringing| ringing.until + crate::call::DEADLINE_GRACE <= now) {
            self.calls[index].leave(now, EndReason::Timeout);
            return self.outputs.push_back(Output::Reply { ticket, result: Ok(()) });
        }
        let ring = answering.as_ref().map(|ringing| ringing.ring.clone());
        self.calls[index].phase = Phase::Joining(in_call(answering, Toggle::On, options.video));
        self.request_join(cid, Join { create: options.create, ring }, Some(ticket));
    }

    fn on_join_done(&mut self, now: Instant, cid: &CallId, done: Result<Joined, ClientError>, ticket: Option<Ticket>) {
        let result = match done {
            Ok(joined) => {
                self.come_in(now, joined);
                Ok(())
            }
            Err(error) => self.stay_out(now, cid, error),
        };
        if let Some(ticket) = ticket {
            self.outputs.push_back(Output::Reply { ticket, result });
        }
    }

    /// The server let this device in: the media may be set up.
    fn come_in(&mut self, now: Instant, joined: Joined) {
        let cid = joined.state.call.cid.clone();
        // Events that show this device in have overtaken the answer: they are as new or newer.
        let is_shown = self.position(&cid).is_some_and(|index| self.calls[index].is_shown_in(&self.me));
        let index = self.place(&joined.state);
        let call = &mut self.calls[index];
        if !is_shown {
            call.state = joined.state;
        }
        match &mut call.phase {
            Phase::Joining(in_call) | Phase::Joined(in_call) if in_call.media != Media::Requested => {
                // Asked again because the server had lost us (`Rejoin`): the running session goes on.
                return;
            }
            Phase::Joining(in_call) | Phase::Joined(in_call) => in_call.media = Media::Up,
            Phase::Left(_) | Phase::Ended(_) => {
                // Hung up while the answer was on its way.
                return self.outputs.push_back(Output::Request(Request::Leave { cid }));
            }
            Phase::Idle | Phase::RingingIn(_) | Phase::RingingOut(_) => {
                let mut in_call = in_call(None, Toggle::On, Toggle::Off);
                in_call.media = Media::Up;
                in_call.is_shown = is_shown;
                call.phase = Phase::Joining(in_call);
            }
        }
        let (Phase::Joining(in_call) | Phase::Joined(in_call)) = &call.phase else { return };
        let camera = Toggle::from(in_call.camera == DeviceView::On);
        let microphone = Toggle::from(in_call.microphone == DeviceView::On);
        self.outputs.push_back(Output::OpenSession { cid, media: joined.media, microphone, camera });
        if !is_shown {
            return;
        }
        // What came between the request and its answer may already have ended the call.
        let state = self.calls[index].state.clone();
        let action = self.calls[index].update(now, &self.me, state, Origin::Event);
        if action == Some(Action::CloseSession) {
            self.act(index, action);
        }
    }

    /// A join failed. While the ring lives the device rings again (R3); a ring that is over is a missed call, never an
    /// error (R4).
    fn stay_out(&mut self, now: Instant, cid: &CallId, error: ClientError) -> Result<(), ClientError> {
        let Some(index) = self.position(cid) else { return Err(error) };
        let call = &mut self.calls[index];
        let (Phase::Joining(in_call) | Phase::Joined(in_call)) = &call.phase else { return Err(error) };
        if in_call.media != Media::Requested {
            if matches!(error.code(), Some(Code::CallEnded | Code::CallNotFound | Code::RingOver)) {
                call.end(now, EndReason::Ended);
                self.outputs.push_back(Output::CloseSession { cid: cid.clone() });
            }
            return Err(error);
        }
        let answering = in_call.answering.clone();
        match error.code() {
            Some(Code::AnsweredElsewhere) => {
                call.leave(now, EndReason::AnsweredElsewhere);
                Ok(())
            }
            Some(Code::RingOver) => {
                call.leave(now, EndReason::Cancelled);
                Ok(())
            }
            Some(Code::CallEnded) => {
                call.end(now, EndReason::Ended);
                Ok(())
            }
            _ => {
                match answering {
                    Some(ringing) if ringing.until > now => {
                        call.phase = Phase::RingingIn(ringing);
                        // The ring may have ended meanwhile.
                        let state = call.state.clone();
                        let action = call.update(now, &self.me, state, Origin::Event);
                        self.act(index, action);
                    }
                    Some(_) => call.leave(now, EndReason::Timeout),
                    None => call.leave(now, EndReason::MediaFailed),
                }
                Err(error)
            }
        }
    }

    fn leave(&mut self, now: Instant, cid: &CallId, leave: Leave) {
        let Some(index) = self.position(cid) else { return };
        let call = &mut self.calls[index];
        let cid = cid.clone();
        match (&call.phase, leave) {
            (Phase::RingingIn(ringing), Leave::Reject { reason, message }) => {
                let reject = Reject { ring: ringing.ring.clone(), reason, message };
                call.leave(now, EndReason::Declined);
                self.outputs.push_back(Output::Request(Request::Reject { cid, reject }));
            }
            // R6: dismissed on this device alone; nobody is told.
            (Phase::RingingIn(_), Leave::Plain) => call.leave(now, EndReason::Left),
            (Phase::RingingOut(_), _) => {
                call.leave(now, EndReason::Cancelled);
                self.outputs.push_back(Output::Request(Request::Leave { cid }));
            }
            (Phase::Joining(_) | Phase::Joined(_), _) => {
                call.leave(now, EndReason::Left);
                self.outputs.push_back(Output::CloseSession { cid: cid.clone() });
                self.outputs.push_back(Output::Request(Request::Leave { cid }));
            }
            (Phase::Idle | Phase::Left(_) | Phase::Ended(_), _) => {}
        }
    }

    fn on_alerted(&mut self, cid: &CallId) {
        let Some(index) = self.position(cid) else { return };
        if let Phase::RingingIn(ringing) = &mut self.calls[index].phase
            && !ringing.alerting
        {
            ringing.alerting = true;
            let ring = ringing.ring.clone();
            self.outputs.push_back(Output::TellAlerted { cid: cid.clone(), ring });
        }
    }

    fn toggle(&mut self, cid: &CallId, device: Device, to: Toggle) {
        let Some(index) = self.position(cid) else { return };
        let (Phase::Joining(in_call) | Phase::Joined(in_call)) = &mut self.calls[index].phase else { return };
        let view = match device {
            Device::Microphone => &mut in_call.microphone,
            Device::Camera => &mut in_call.camera,
        };
        *view = shown(to);
        self.outputs.push_back(Output::Switch { cid: cid.clone(), device, to });
    }

    fn on_session(&mut self, now: Instant, cid: &CallId, event: SessionEvent) {
        let Some(index) = self.position(cid) else { return };
        let call = &mut self.calls[index];
        match event {
            SessionEvent::Connected => {
                if let Phase::Joining(in_call) | Phase::Joined(in_call) = &mut call.phase {
                    in_call.media = Media::Up;
                    _ = in_call.since.get_or_insert(now);
                    call.phase = Phase::Joined(in_call.clone());
                }
            }
            SessionEvent::Reconnecting => {
                if let Phase::Joined(in_call) = &mut call.phase {
                    in_call.media = Media::Reconnecting;
                }
            }
            SessionEvent::Participants(participants) => {
                if let Phase::Joining(in_call) | Phase::Joined(in_call) = &mut call.phase {
                    in_call.participants = participants;
                }
            }
            SessionEvent::Device { device, view } => {
                if let Phase::Joining(in_call) | Phase::Joined(in_call) = &mut call.phase {
                    match device {
                        Device::Microphone => in_call.microphone = view,
                        Device::Camera => in_call.camera = view,
                    }
                }
            }
            SessionEvent::Closed(reason) => {
                if let Phase::Joining(_) | Phase::Joined(_) = &call.phase {
                    match reason {
                        EndReason::Ended => call.end(now, reason),
                        _ => call.leave(now, reason),
                    }
                    let cid = cid.clone();
                    self.outputs.push_back(Output::CloseSession { cid: cid.clone() });
                    self.outputs.push_back(Output::Request(Request::Leave { cid }));
                }
            }
        }
    }

    /// The view, with this device's clock: `now` is `unix`.
    pub(crate) fn view(&self, now: Instant, unix: UnixMillis) -> ClientState {
        let mut people: Vec<Person> = self.people.values().cloned().collect();
        people.sort_by_cached_key(|person| (person.name.to_lowercase(), person.id.clone()));
        ClientState {
            connection: self.connection.clone(),
            server_name: self.server_name.clone(),
            me: self.person.clone(),
            people,
            calls: self.calls.iter().map(|call| self.view_call(call, now, unix)).collect(),
            history: self.history.iter().map(view_history).collect(),
        }
    }

    fn view_call(&self, call: &Call, now: Instant, unix: UnixMillis) -> CallView {
        let state = &call.state;
        let mut people: Vec<_> = state.call.members.iter().map(|member| member.user.clone()).collect();
        people.retain(|user| *user != self.me.user);
        let ring = state.ring.as_ref();
        let direction = match ring {
            Some(ring) if ring.caller == self.me.user => Direction::Outgoing,
            Some(ring) if ring.target(&self.me.user).is_some() => Direction::Incoming,
            Some(_) | None => Direction::None,
        };
        let until = match &call.phase {
            Phase::RingingIn(ringing) | Phase::RingingOut(ringing) => ringing.until,
            Phase::Idle | Phase::Joining(_) | Phase::Joined(_) | Phase::Left(_) | Phase::Ended(_) => now,
        };
        let ring_view = ring.map(|ring| RingView {
            id: ring.id.clone(),
            ends_at: unix.plus(until.saturating_duration_since(now)),
            targets: ring.targets.iter().map(view_target).collect(),
        });
        CallView {
            cid: call.cid.clone(),
            is_created_by_me: state.call.created_by == self.me.user,
            direction,
            state: CallStateView { calling_state: call.calling_state(), reason: call.end_reason() },
            video: ring.is_some_and(|ring| ring.video),
            caller: ring.map(|ring| ring.caller.clone()),
            people,
            own_capabilities: state.own_capabilities.iter().copied().collect(),
            ring: ring_view,
            joined: view_joined(call, now, unix),
        }
    }

    /// The calls by which this device rings somebody.
    pub(crate) fn outgoing(&self) -> impl Iterator<Item = &CallId> {
        self.calls.iter().filter(|call| matches!(call.phase, Phase::RingingOut(_))).map(|call| &call.cid)
    }
}

fn in_call(answering: Option<crate::call::Ringing>, microphone: Toggle, camera: Toggle) -> InCall {
    InCall {
        answering,
        since: None,
        media: Media::Requested,
        is_shown: false,
        asked_again: None,
        microphone: shown(microphone),
        camera: shown(camera),
        participants: Vec::new(),
    }
}

fn shown(toggle: Toggle) -> DeviceView {
    match toggle {
        Toggle::On => DeviceView::On,
        Toggle::Off => DeviceView::Off,
    }
}

fn view_joined(call: &Call, now: Instant, unix: UnixMillis) -> Option<JoinedView> {
    let (Phase::Joining(in_call) | Phase::Joined(in_call)) = &call.phase else { return None };
    debug_assert_ne!(call.calling_state(), CallingState::Ringing);
    let ago = |since: Instant| i64::try_from(now.saturating_duration_since(since).as_millis()).unwrap_or(0);
    Some(JoinedView {
        since: in_call.since.map(|since| UnixMillis(unix.0 - ago(since))),
        microphone: in_call.microphone.clone(),
        camera: in_call.camera.clone(),
        participants: in_call.participants.clone(),
    })
}

fn view_target(target: &wire::Target) -> TargetView {
    TargetView {
        user: target.user.clone(),
        outcome: target.outcome,
        alerted: target.alerted,
        reason: target.reason,
        message: target.message.clone(),
    }
}

fn view_history(entry: &HistoryEntry) -> HistoryView {
    HistoryView {
        id: entry.id,
        cid: entry.cid.clone(),
        at: entry.at,
        direction: entry.direction,
        outcome: entry.outcome,
        duration_ms: entry.duration_ms,
        caller: entry.caller.clone(),
        people: entry.people.clone(),
        video: entry.video,
        message: entry.message.clone(),
        reason: entry.reason,
        unseen: entry.unseen,
    }
}

/// How long a request that must reach the server is tried again while the server is away.
pub(crate) const INSIST_FOR: Duration = Duration::from_secs(20);
