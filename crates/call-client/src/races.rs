//! Answers that overtake events, and events that overtake answers: told as stories.

use std::time::{Duration, Instant};

use wire::{
    Call, CallState, Event, Joined, MediaCredentials, MediaServer, Outcome, Participant, Ring, ServerMessage, Session,
    Settings, Target, UnixMillis,
};

use crate::{
    account::Account,
    calls::{Calls, Input, JoinOptions, Output, Request, Ticket, Toggle},
    state::CallingState,
};

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// Ben's only device, rung by Ann.
struct Ben {
    calls: Calls,
    now: Instant,
    revision: u64,
}

/// The call as the server tells it: who is in, and where Ben's ring stands.
fn told(outcome: Outcome, participants: &[&str]) -> CallState {
    let there = |name: &&str| Participant { user: id(name), device: id(&format!("{name}1")), joined_at: UnixMillis(0) };
    let session =
        Session { id: id("s1"), started_at: UnixMillis(0), participants: participants.iter().map(there).collect() };
    let call = Call {
        cid: id("default:x"),
        created_by: id("ann"),
        created_at: UnixMillis(0),
        members: Vec::new(),
        settings: Settings::default(),
        custom: wire::Custom::new(),
        starts_at: None,
        team: None,
        ended_at: None,
        session: (!participants.is_empty()).then_some(session),
    };
    let answered_on = (outcome == Outcome::Accepted).then(|| id("ben1"));
    let target = Target { user: id("ben"), outcome, alerted: false, reason: None, message: None, answered_on };
    let ring = Ring {
        id: id("r1"),
        cid: id("default:x"),
        caller: id("ann"),
        caller_device: id("ann1"),
        video: false,
        remaining_ms: 45_000,
        targets: vec![target],
    };
    CallState { call, ring: Some(ring) }
}

impl Ben {
    #[expect(clippy::disallowed_methods, reason = "a start to count from")]
    fn rung() -> Self {
        let account = Account {
            server: id("127.0.0.1:1"),
            pin: None,
            user: id("ben"),
            name: "Ben".to_owned(),
            device: id("ben1"),
            refresh_secret: String::new(),
        };
        let mut ben = Self { calls: Calls::new(&account), now: Instant::now(), revision: 0 };
        ben.hears(told(Outcome::Ringing, &[]));
        assert_eq!(ben.state(), CallingState::Ringing);
        ben
    }

    fn hears(&mut self, state: CallState) {
        self.revision += 1;
        let event = Event::Call { state };
        let message = ServerMessage::Event { revision: self.revision, server_time: UnixMillis(0), event };
        self.calls.handle(self.now, Input::Server(message));
    }

    fn accepts(&mut self) {
        let options = JoinOptions { create: false, video: Toggle::Off };
        self.calls.handle(self.now, Input::Join { cid: id("default:x"), options, ticket: Ticket(1) });
    }

    fn is_let_in(&mut self) {
        let media = MediaCredentials { server: MediaServer::Here, token: String::new() };
        let joined = Joined { state: told(Outcome::Accepted, &["ben"]), media };
        let result = Box::new(Ok(joined));
        self.calls.handle(self.now, Input::JoinDone { cid: id("default:x"), result, ticket: Some(Ticket(1)) });
    }

    fn state(&self) -> CallingState {
        self.calls.view(self.now, UnixMillis(0)).calls[0].state.calling_state
    }

    /// What has to be done outside, but for sleeping.
    fn does(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| Some(self.calls.poll()).filter(|output| !matches!(output, Output::Timeout(_)))).collect()
    }
}

#[test]
fn an_event_of_before_the_accept_that_comes_after_its_answer_changes_nothing() {
    let mut ben = Ben::rung();
    ben.accepts();
    ben.is_let_in();
    ben.does();
    // Under way since before: somebody was alerted, and nobody was in.
    ben.hears(told(Outcome::Ringing, &[]));
    assert_eq!(ben.state(), CallingState::Joining);
    assert!(!ben.does().iter().any(|output| matches!(output, Output::CloseSession { .. })));
    // The accept's own event, then a real end.
    ben.hears(told(Outcome::Accepted, &["ben"]));
    assert_eq!(ben.state(), CallingState::Joining);
    ben.hears(told(Outcome::Accepted, &[]));
    assert_eq!(ben.state(), CallingState::Ended);
    assert!(ben.does().iter().any(|output| matches!(output, Output::CloseSession { .. })));
}

#[test]
fn an_end_that_overtakes_the_answer_to_the_accept_is_an_end() {
    let mut ben = Ben::rung();
    ben.accepts();
    ben.hears(told(Outcome::Accepted, &["ben"]));
    ben.hears(told(Outcome::Accepted, &[]));
    assert_eq!(ben.state(), CallingState::Joining, "the answer is on its way");
    ben.is_let_in();
    assert_eq!(ben.state(), CallingState::Ended);
}

#[test]
fn one_who_hangs_up_before_the_answer_comes_is_taken_out_again() {
    let mut ben = Ben::rung();
    ben.accepts();
    ben.calls.handle(ben.now, Input::Leave { cid: id("default:x"), leave: crate::calls::Leave::Plain });
    ben.does();
    ben.now += Duration::from_millis(50);
    ben.is_let_in();
    assert!(ben.does().iter().any(|output| matches!(output, Output::Request(Request::Leave { .. }))));
    assert_eq!(ben.state(), CallingState::Left);
}
