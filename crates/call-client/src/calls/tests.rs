//! Short stories of one device, each named after its rule.

use std::{sync::Arc, time::Instant};

use wire::{
    Capability, Join, Joined, MediaCredentials, MediaServer, Outcome, Participant, Reason, Ring, Session, SessionId,
    Target,
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
    }
}

fn state(version: u64, ring: Option<Ring>, inside: Option<&[&str]>) -> CallState {
    let mut state = placeholder(cid(), &id("ann"), Now { instant: base(), wall: UnixMillis(WALL) });
    state.own_capabilities = [Capability::SendAudio, Capability::SendVideo].into();
    let call = Arc::make_mut(&mut state.call);
    call.version = version;
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
    slept: Duration,
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
        Self { calls, awake: Duration::ZERO, slept: Duration::ZERO, revision: 1, outputs: Vec::new() }
    }

    fn now(&self) -> Now {
        let wall = UnixMillis(WALL).plus(self.awake + self.slept);
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
        self.slept += Duration::from_secs(seconds);
    }

    fn hears_since(&mut self, opened_at: UnixMillis, state: CallState) {
        self.is_told(opened_at, Event::Call { state });
    }

    fn is_told(&mut self, opened_at: UnixMillis, event: Event) {
        self.revision += 1;
        let (revision, server_time) = (self.revision, self.now().wall);
        self.is(Input::Server { opened_at, message: ServerMessage::Event { revision, server_time, event } });
    }

    fn hears(&mut self, state: CallState) {
        let opened_at = self.now().wall;
        self.hears_since(opened_at, state);
    }

    fn is_shown(&mut self, calls: Vec<CallState>) {
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
            history: Vec::new(),
        };
        self.is(Input::Server { opened_at: now.wall, message: ServerMessage::Snapshot(snapshot) });
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

#[test]
fn s09_the_caller_comes_in_once_also_when_a_snapshot_tells_him() {
    let mut ann = Device::of("ann", "ann1");
    ann.is_shown(vec![state(2, Some(ring("r1", Outcome::Accepted, Some("ben1"))), Some(&["ben1"]))]);
    let (_, join) = ann.join_request();
    assert_eq!(join.ring, Some(id("r1")));
    ann.is_shown(vec![state(2, Some(ring("r1", Outcome::Accepted, Some("ben1"))), Some(&["ben1"]))]);
    assert!(ann.request().is_none());
}

#[test]
fn s14_a_snapshot_does_not_drag_back_who_came_and_left() {
    let mut ann = Device::of("ann", "ann1");
    let came = Ring { caller_came: true, ..ring("r1", Outcome::Accepted, Some("ben1")) };
    ann.is_shown(vec![state(3, Some(came), Some(&["ben1"]))]);
    assert!(ann.request().is_none());
    assert_eq!(ann.stands(), Some((CallingState::Idle, None)));
}

#[test]
fn s13_a_cancel_the_server_does_not_know_of_is_told_again() {
    let mut ann = Device::of("ann", "ann1");
    ann.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    ann.goes();
    let (leave, _) = ann.leave_request();
    ann.is(Input::ErrandDone { id: leave, result: Err(refused(wire::Code::Internal)) });
    ann.after(10);
    ann.is_shown(vec![state(1, Some(ring("r1", Outcome::Ringing, None)), None)]);
    assert_eq!(ann.leave_request().1.ring, Some(id("r1")));
    assert!(!ann.rings());
}

#[test]
fn s13_a_cancel_survives_a_join_that_came_to_nothing() {
    let mut ann = Device::of("ann", "ann1");
    ann.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    ann.goes();
    let (leave, _) = ann.leave_request();
    ann.is(Input::ErrandDone { id: leave, result: Err(refused(wire::Code::Unavailable)) });
    ann.wants(cid());
    let (join, _) = ann.join_request();
    ann.answered(join, Err(refused(wire::Code::Unavailable)));
    assert_eq!(ann.leave_request().1.ring, Some(id("r1")));
}

#[test]
fn r01_ringing_again_is_a_new_ring_for_caller_and_callee() {
    for (user, device) in [("ann", "ann1"), ("ben", "ben1")] {
        let mut story = Device::of(user, device);
        story.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
        story.hears(state(2, Some(ring("r2", Outcome::Ringing, None)), None));
        assert!(story.rings(), "{user}");
        story.goes();
        story.hears(state(3, Some(ring("r3", Outcome::Ringing, None)), None));
        assert!(story.rings(), "{user} after going out of the one before");
    }
}

#[test]
fn r01_a_ring_that_comes_while_the_call_before_it_ends_is_not_lost() {
    let mut ben = Device::of("ben", "ben1");
    ben.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    ben.wants(cid());
    let (join, _) = ben.join_request();
    let inside = state(2, Some(ring("r1", Outcome::Accepted, Some("ben1"))), Some(&["ann1", "ben1"]));
    ben.answered(join, Ok(joined(inside)));
    ben.is(Input::Session { cid: cid(), join, event: SessionEvent::Connected });
    ben.hears(state(4, Some(ring("r2", Outcome::Ringing, None)), None));
    assert!(ben.rings());
}

#[test]
fn r03_a_join_is_tried_again_while_the_server_is_away_and_a_refused_one_rings_again() {
    let mut ben = Device::of("ben", "ben1");
    ben.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    ben.wants(cid());
    let (join, _) = ben.join_request();
    ben.answered(join, Err(away()));
    assert_eq!(ben.stands(), Some((CallingState::Joining, Some(EndReason::Answered))));
    ben.after(2);
    let (again, _) = ben.join_request();
    assert_eq!(again, join);
    ben.answered(join, Err(refused(wire::Code::Internal)));
    assert!(ben.rings());
    // Beyond the deadline it is given up.
    ben.wants(cid());
    let (join, _) = ben.join_request();
    ben.after(60);
    ben.answered(join, Err(away()));
    assert_eq!(ben.stands(), Some((CallingState::Left, Some(EndReason::Timeout))));
}

#[test]
fn r06_a_dismissed_ring_stays_silent_as_long_as_it_lives() {
    let mut ben = Device::of("ben", "ben1");
    ben.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    ben.goes();
    assert!(ben.request().is_none(), "nobody is told");
    ben.after(8);
    assert_eq!(ben.stands(), Some((CallingState::Idle, None)), "it can still be joined");
    ben.hears(state(2, Some(ring("r1", Outcome::Ringing, None)), None));
    ben.is_shown(vec![state(2, Some(ring("r1", Outcome::Ringing, None)), None)]);
    assert!(!ben.rings());
}

#[test]
fn r12_media_that_never_came_up_is_no_end_of_the_call() {
    for (wait, reason) in [(1, EndReason::Ended), (30, EndReason::MediaFailed)] {
        let mut ben = Device::of("ben", "ben1");
        ben.hears(state(1, None, Some(&["cem1"])));
        ben.wants(cid());
        let (join, _) = ben.join_request();
        ben.answered(join, Ok(joined(state(2, None, Some(&["cem1", "ben1"])))));
        ben.after(wait);
        ben.hears(state(3, None, None));
        assert_eq!(ben.stands().and_then(|(_, reason)| reason), Some(reason));
    }
}

#[test]
fn r02_what_another_device_answered_is_not_accepted_here() {
    let mut ben = Device::of("ben", "ben1");
    ben.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    let accept = || Input::Accept { cid: cid(), video: Toggle::Off, ticket: Ticket(3) };
    ben.hears(state(2, Some(ring("r1", Outcome::Accepted, Some("ben2"))), None));
    ben.is(accept());
    assert!(ben.request().is_none(), "a person's second device stays out");
    ben.hears(state(3, Some(ring("r2", Outcome::Ringing, None)), None));
    ben.is(accept());
    assert!(matches!(ben.request(), Some((_, Request::Join { join, .. })) if join.ring == Some(id("r2"))));
}

#[test]
fn r13_busy_when_in_a_call_answers_by_itself() {
    let mut ben = Device::in_call("ben", "ben1");
    ben.is(Input::BusyWhenInCall { to: Toggle::On });
    let mut other = state(1, Some(ring("r9", Outcome::Ringing, None)), None);
    Arc::make_mut(&mut other.call).cid = id("default:y");
    ben.hears(other);
    assert!(matches!(ben.request(), Some((_, Request::Reject { reject, .. })) if reject.reason == Reason::Busy));
    assert_eq!(ben.stands().map(|(state, _)| state), Some(CallingState::Joined));
}

#[test]
fn r14_do_not_disturb_is_silent_and_says_nothing() {
    let mut ben = Device::of("ben", "ben1");
    ben.is(Input::DoNotDisturb { to: Toggle::On });
    ben.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    ben.is(Input::Alerted { cid: cid() });
    assert!(!ben.rings() && ben.outputs.is_empty());
    ben.after(5);
    ben.is(Input::DoNotDisturb { to: Toggle::Off });
    assert!(ben.rings(), "the ring still lives");
    let Phase::RingingIn(ringing) = &ben.calls.calls[0].phase else { panic!() };
    assert_eq!(ringing.until.left(ben.now()), Duration::from_secs(25), "and is no longer than it was");
}

#[test]
fn r16_whose_ring_was_folded_comes_in_by_event() {
    let mut ben = Device::of("ben", "ben1");
    ben.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    ben.hears(state(2, Some(ring("r1", Outcome::Accepted, Some("ben1"))), Some(&[])));
    assert_eq!(ben.join_request().1.ring, Some(id("r1")));
    let mut second = Device::of("ben", "ben2");
    second.hears(state(2, Some(ring("r1", Outcome::Accepted, Some("ben1"))), Some(&[])));
    assert!(second.request().is_none());
}

#[test]
fn r19_what_ended_during_a_sleep_never_sounds() {
    let mut ben = Device::of("ben", "ben1");
    let opened_at = ben.now().wall;
    ben.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    ben.sleeps(600);
    // What waited in the socket comes first.
    ben.hears_since(opened_at, state(2, Some(ring("r2", Outcome::Ringing, None)), None));
    assert!(!ben.rings());
    assert!(ben.outputs.iter().any(|output| matches!(output, Output::Reconnect)));
    ben.is_shown(vec![state(3, Some(ring("r3", Outcome::Ringing, None)), None)]);
    assert!(ben.rings(), "what the new connection tells is true");
}

#[test]
fn let_in_after_hanging_up_it_goes_out_again_with_the_microphone_off() {
    let mut ben = Device::of("ben", "ben1");
    ben.hears(state(1, Some(ring("r1", Outcome::Ringing, None)), None));
    ben.wants(cid());
    let (join, _) = ben.join_request();
    ben.goes();
    ben.after(8);
    let inside = state(2, Some(ring("r1", Outcome::Accepted, Some("ben1"))), Some(&["ben1"]));
    ben.answered(join, Ok(joined(inside)));
    assert!(!ben.opened_media());
    assert_eq!(ben.leave_request().1.session, Some(id::<SessionId>("s1")));
}

#[test]
fn an_older_answer_does_not_overwrite_newer_events() {
    let mut ben = Device::of("ben", "ben1");
    ben.hears(state(1, None, Some(&["cem1"])));
    ben.wants(cid());
    let (join, _) = ben.join_request();
    ben.hears(state(5, None, None));
    ben.answered(join, Ok(joined(state(2, None, Some(&["cem1", "ben1"])))));
    assert_eq!(ben.stands(), Some((CallingState::Ended, Some(EndReason::Ended))));
}

#[test]
fn the_media_of_an_earlier_join_says_nothing() {
    let mut ben = Device::in_call("ben", "ben1");
    ben.goes();
    let (leave, request) = ben.leave_request();
    assert_eq!(request.session, Some(id::<SessionId>("s1")));
    ben.is(Input::ErrandDone { id: leave, result: Ok(()) });
    ben.wants(cid());
    let (join, _) = ben.join_request();
    ben.answered(join, Ok(joined(state(4, None, Some(&["cem1", "ben1"])))));
    ben.is(Input::Session { cid: cid(), join: join - 1, event: SessionEvent::Closed(EndReason::Ended) });
    assert_eq!(ben.stands().map(|(state, _)| state), Some(CallingState::Joining));
}

#[test]
fn coming_in_anew_waits_for_the_going_out_and_stops_its_attempts() {
    let mut ben = Device::in_call("ben", "ben1");
    ben.goes();
    let (leave, _) = ben.leave_request();
    ben.wants(cid());
    assert!(ben.request().is_none(), "one after the other");
    ben.is(Input::ErrandDone { id: leave, result: Err(away()) });
    ben.join_request();
    ben.after(3);
    assert!(ben.request().is_none(), "the leave is not tried again");
}

#[test]
fn a_call_that_is_not_known_yet_is_joining_and_can_be_left() {
    let mut ben = Device::of("ben", "ben1");
    ben.wants(cid());
    assert_eq!(ben.stands(), Some((CallingState::Joining, None)));
    let (join, _) = ben.join_request();
    ben.answered(join, Err(refused(wire::Code::CallNotFound)));
    assert_eq!(ben.stands(), None, "the error says it all");
    ben.wants(cid());
    ben.goes();
    assert_eq!(ben.stands(), Some((CallingState::Left, Some(EndReason::Left))));
}

#[test]
fn what_the_settings_switch_off_is_off_at_the_start() {
    let mut ben = Device::of("ben", "ben1");
    ben.wants(cid());
    let (join, _) = ben.join_request();
    let mut inside = state(2, None, Some(&["ben1"]));
    Arc::make_mut(&mut inside.call).settings.audio.mic_default_on = false;
    ben.answered(join, Ok(joined(inside)));
    let is_muted = |output: &Output| matches!(output, Output::OpenSession { microphone: Toggle::Off, .. });
    assert!(ben.outputs.iter().any(is_muted));
}

#[test]
fn who_may_only_listen_comes_in_muted_and_cannot_switch_anything_on() {
    let mut ben = Device::of("ben", "ben1");
    ben.wants(cid());
    let (join, _) = ben.join_request();
    let mut inside = state(2, None, Some(&["ben1"]));
    inside.own_capabilities.clear();
    ben.answered(join, Ok(joined(inside.clone())));
    let is_muted = |output: &Output| matches!(output, Output::OpenSession { microphone: Toggle::Off, .. });
    assert!(ben.outputs.iter().any(is_muted));
    let switches = |ben: &Device| ben.outputs.iter().filter(|output| matches!(output, Output::Switch { .. })).count();
    for device in [super::Device::Microphone, super::Device::Camera] {
        ben.is(Input::Toggle { cid: cid(), device, to: Toggle::On });
    }
    assert_eq!(switches(&ben), 0);
    Arc::make_mut(&mut inside.call).version = 3;
    inside.own_capabilities.insert(Capability::SendAudio);
    ben.hears(inside);
    ben.is(Input::Toggle { cid: cid(), device: super::Device::Microphone, to: Toggle::On });
    assert_eq!(switches(&ben), 1, "somebody let him speak");
}

#[test]
fn an_admin_asks_who_waits_at_the_door_and_hears_who_comes_and_goes() {
    let mut ann = Device::of("ann", "ann1");
    let ask = |id, seconds: i64| WaitingAsk {
        id: wire::AskId(id),
        name: format!("Person {id}"),
        device_name: "desk".to_owned(),
        code: "123 456".to_owned(),
        expires_at: UnixMillis(WALL + seconds * 1_000),
    };
    let ids = |ann: &Device| ann.calls.view(ann.now()).asks.iter().map(|ask| ask.id.0).collect::<Vec<_>>();
    ann.calls.person.role = Role::Admin;
    ann.is_shown(Vec::new());
    assert!(ann.outputs.iter().any(|output| matches!(output, Output::FetchAsks)));
    ann.is(Input::Asks { waiting: vec![ask(1, 60)] });
    ann.is_told(UnixMillis(WALL), Event::AskedIn { ask: ask(2, 90) });
    assert_eq!(ids(&ann), [1, 2]);
    ann.after(60);
    assert_eq!(ids(&ann), [2], "1 was let to wait no longer");
    ann.is_told(UnixMillis(WALL), Event::AskOver { id: wire::AskId(2) });
    assert!(ids(&ann).is_empty());
}

#[test]
fn shutting_down_leaves_what_is_still_joining() {
    let mut ben = Device::of("ben", "ben1");
    ben.wants(cid());
    let (join, _) = ben.join_request();
    ben.is(Input::ShutDown);
    assert!(!ben.calls.is_quiet());
    ben.answered(join, Ok(joined(state(2, None, Some(&["ben1"])))));
    let (leave, _) = ben.leave_request();
    ben.is(Input::ErrandDone { id: leave, result: Ok(()) });
    assert!(ben.calls.is_quiet());
}

#[test]
fn who_the_server_took_out_during_a_sleep_asks_to_be_let_in_again() {
    let mut ben = Device::of("ben", "ben1");
    ben.hears(state(1, None, Some(&["cem1"])));
    ben.wants(cid());
    let (join, _) = ben.join_request();
    ben.answered(join, Ok(joined(state(2, None, Some(&["cem1", "ben1"])))));
    ben.sleeps(60);
    ben.is_shown(vec![state(3, None, Some(&["cem1"]))]);
    let (again, join) = ben.join_request();
    assert_eq!(join.session, Some(id::<SessionId>("s1")));
    // Let in, and the news of it got lost: it asks once more.
    ben.is(Input::JoinDone { id: again, cid: cid(), result: Box::new(Ok(joined(state(3, None, Some(&["cem1"]))))) });
    ben.after(6);
    ben.join_request();
}
