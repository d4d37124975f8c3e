//! Short stories of one device, each named after its rule.

mod endings;
mod joining;
mod opening;
mod rules;
mod second_thoughts;

use std::{sync::Arc, time::Instant};

use wire::{
    Capability, Event, Join, Joined, MediaCredentials, MediaServer, Member, Outcome, Participant, Reason, Ring,
    ServerMessage, Session, SessionId, Snapshot, Target, UnixMillis,
};

use super::*;
use crate::{
    errands::ErrandId,
    error::ClientError,
    session::SessionEvent,
    state::{CallingState, EndReason},
};

const WALL: i64 = 1_800_000_000_000;

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn cid() -> CallId {
    id("default:x")
}

/// `ann` rings `ben`; the story's device is one of theirs.
fn ring(name: &str, outcome: Outcome, answered_on: Option<&str>) -> Ring {
    let answered_on = answered_on.map(id);
    Ring {
        id: id(name),
        cid: cid(),
        caller: id("ann"),
        caller_device: id("ann1"),
        video: false,
        remaining_ms: if outcome == Outcome::Ringing { 30_000 } else { 0 },
        targets: vec![Target {
            user: id("ben"),
            outcome,
            alerted: false,
            reason: None,
            message: None,
            came: false,
            answered_on,
        }],
        caller_came: false,
        session: (outcome == Outcome::Accepted).then(|| id("s1")),
    }
}

fn state(version: u64, ring: Option<Ring>, inside: Option<&[&str]>) -> CallState {
    let mut state = placeholder(cid(), &id("ann"), Now { instant: base(), wall: UnixMillis(WALL) });
    state.own_capabilities = [Capability::SendAudio, Capability::SendVideo].into();
    let call = Arc::make_mut(&mut state.call);
    call.version = version;
    let member = |user: &str| Member { user: id(user), role: "member".to_owned(), custom: Custom::new() };
    call.members = ["ann", "ben", "cem"].map(member).into();
    state.ring = ring;
    call.session = inside.map(|devices| Session {
        id: id("s1"),
        started_at: UnixMillis(WALL),
        participants: devices
            .iter()
            .map(|device| Participant { user: id(&device[..3]), device: id(device), joined_at: UnixMillis(WALL) })
            .collect(),
    });
    state
}

fn joined(state: CallState) -> Joined {
    let media = MediaCredentials { server: MediaServer::Here, token: String::new() };
    Joined { state, media, revision: 1 }
}

#[expect(clippy::disallowed_methods, reason = "a virtual clock has to begin somewhere")]
fn base() -> Instant {
    static BASE: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    *BASE.get_or_init(Instant::now)
}

struct Device {
    calls: Calls,
    awake: Duration,
    /// By how many milliseconds the wall clock has left the other behind.
    ahead: i64,
    revision: u64,
    outputs: Vec<Output>,
}

impl Device {
    fn of(user: &str, device: &str) -> Self {
        let account = Account {
            server: wire::ServerAddress { host: "localhost".to_owned(), port: 1 },
            pin: None,
            user: id(user),
            name: user.to_owned(),
            device: id(device),
            refresh_secret: String::new(),
        };
        let now = Now { instant: base(), wall: UnixMillis(WALL) };
        let calls = Calls::new(now, &account, 1);
        Self { calls, awake: Duration::ZERO, ahead: 0, revision: 1, outputs: Vec::new() }
    }

    fn now(&self) -> Now {
        let wall = UnixMillis(WALL + self.ahead).plus(self.awake);
        Now { instant: base() + self.awake, wall }
    }

    fn is(&mut self, input: Input) {
        let now = self.now();
        self.calls.handle(now, input);
        loop {
            match self.calls.poll() {
                Output::Timeout(_) => return,
                Output::Changed => {}
                output => self.outputs.push(output),
            }
        }
    }

    fn after(&mut self, seconds: u64) {
        for _ in 0..seconds * 2 {
            self.awake += Duration::from_millis(500);
            self.is(Input::Timeout);
        }
    }

    fn sleeps(&mut self, seconds: u64) {
        self.ahead += i64::try_from(seconds).unwrap() * 1_000;
    }

    fn is_set_back(&mut self, seconds: i64) {
        self.ahead -= seconds * 1_000;
    }

    fn hears_since(&mut self, opened_at: Now, state: CallState) {
        self.is_told(opened_at, Event::Call { state });
    }

    fn is_told(&mut self, opened_at: Now, event: Event) {
        self.revision += 1;
        let (revision, server_time) = (self.revision, self.now().wall);
        self.is(Input::Server { opened_at, message: ServerMessage::Event { revision, server_time, event } });
    }

    fn hears(&mut self, state: CallState) {
        let opened_at = self.now();
        self.hears_since(opened_at, state);
    }

    fn is_shown(&mut self, calls: Vec<CallState>) {
        self.is_shown_with(calls, Vec::new());
    }

    fn is_shown_with(&mut self, calls: Vec<CallState>, history: Vec<HistoryEntry>) {
        let opened_at = self.now();
        self.is_shown_all(opened_at, calls, history);
    }

    fn is_shown_since(&mut self, opened_at: Now, calls: Vec<CallState>) {
        self.is_shown_all(opened_at, calls, Vec::new());
    }

    fn is_shown_all(&mut self, opened_at: Now, calls: Vec<CallState>, history: Vec<HistoryEntry>) {
        self.revision += 1;
        let now = self.now();
        let snapshot = Snapshot {
            revision: self.revision,
            server_time: now.wall,
            server_name: String::new(),
            me: self.calls.person.clone(),
            device: self.calls.me.device.clone(),
            people: Vec::new(),
            people_total: 0,
            favourites: BTreeSet::new(),
            do_not_disturb: DoNotDisturb::default(),
            calls,
            history,
        };
        self.is(Input::Server { opened_at, message: ServerMessage::Snapshot(snapshot) });
    }

    fn wants(&mut self, cid: CallId) {
        self.is(Input::Join { cid, options: JoinOptions { create: false, video: Toggle::Off }, ticket: Ticket(7) });
    }

    fn goes(&mut self) {
        self.is(Input::Leave { cid: cid(), leave: Leave::Plain });
    }

    /// The request that was sent last, and its number; nothing before it counts any more.
    fn request(&mut self) -> Option<(ErrandId, Request)> {
        let outputs = std::mem::take(&mut self.outputs);
        outputs.into_iter().rev().find_map(|output| match output {
            Output::Request { id, request } => Some((id, request)),
            _ => None,
        })
    }

    fn join_request(&mut self) -> (ErrandId, Join) {
        match self.request() {
            Some((id, Request::Join { join, .. })) => (id, join),
            other => panic!("no join was sent, but {other:?}"),
        }
    }

    fn leave_request(&mut self) -> (ErrandId, wire::Leave) {
        match self.request() {
            Some((id, Request::Leave { leave, .. })) => (id, leave),
            other => panic!("no leave was sent, but {other:?}"),
        }
    }

    fn answered(&mut self, join: ErrandId, result: Result<Joined, ClientError>) {
        self.is(Input::JoinDone { id: join, cid: cid(), result: Box::new(result) });
    }

    fn opened_media(&self) -> bool {
        self.outputs.iter().any(|output| matches!(output, Output::OpenSession { .. }))
    }

    fn stands(&self) -> Option<(CallingState, Option<EndReason>)> {
        self.calls.calls.first().map(|call| (call.calling_state(), call.end_reason()))
    }

    fn rings(&self) -> bool {
        self.stands().is_some_and(|(state, _)| state == CallingState::Ringing)
    }

    /// In the call, with media.
    fn in_call(user: &str, device: &str) -> Self {
        let mut story = Self::of(user, device);
        story.hears(state(1, None, Some(&["cem1"])));
        story.wants(cid());
        let (join, _) = story.join_request();
        story.answered(join, Ok(joined(state(2, None, Some(&["cem1", device])))));
        story.is(Input::Session { cid: cid(), join, event: SessionEvent::Connected });
        story
    }
}

fn away() -> ClientError {
    ClientError::Unreachable { why: "away".to_owned() }
}

fn refused(code: wire::Code) -> ClientError {
    ClientError::Refused(wire::ErrorBody::new(code, "no"))
}
