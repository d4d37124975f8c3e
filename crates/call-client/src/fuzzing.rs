//! What reads bytes from outside, for the targets in fuzz/: it may refuse them and must not fall over.

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use livekit_protocol::{self as proto, signal_response::Message};
use prost::Message as _;
use wire::{
    AccessToken, CallId, CallPage, ErrorBody, GetOrCreated, HistoryPage, Invite, InviteCode, Joined, PeoplePage, Pin,
    ServerAddress, ServerMessage, UnixMillis,
};

use crate::{
    account::Account,
    calls::{Calls, Input, JoinOptions, Output, Ticket, Toggle},
    clock::Now,
    error::ClientError,
    http::unreadable,
    roster::Roster,
};

/// Every target of this crate: its name in fuzz/, and what is done with the bytes.
#[expect(clippy::type_complexity, reason = "a list of names and of what they name")]
pub const TARGETS: &[(&str, fn(&[u8]))] =
    &[("server_messages", server_messages), ("invite", invite), ("roster", roster), ("http_answers", http_answers)];

#[expect(clippy::disallowed_methods, reason = "a virtual clock has to begin somewhere")]
static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
const WALL: i64 = 1_800_000_000_000;

/// Messages of the server, a line each, to ben's device; after each of them half a second passes, and he answers what
/// rings.
pub fn server_messages(data: &[u8]) {
    let at = |half_seconds: u32| Now {
        instant: *BEGIN + Duration::from_millis(500) * half_seconds,
        wall: UnixMillis(WALL + 500 * i64::from(half_seconds)),
    };
    let mut calls = Calls::new(at(0), &account(), 1);
    let mut now = 0;
    for line in data.split(|byte| *byte == b'\n') {
        let Ok(message) = serde_json::from_slice::<ServerMessage>(line) else { continue };
        now += 1;
        let cids: Vec<_> = match &message {
            ServerMessage::Snapshot(snapshot) => snapshot.calls.iter().map(|state| state.call.cid.clone()).collect(),
            ServerMessage::Event { .. }
            | ServerMessage::ComeBack { .. }
            | ServerMessage::Pong
            | ServerMessage::Unknown => Vec::new(),
        };
        calls.handle(at(now), Input::Server { opened_at: at(0), message });
        drain(&mut calls);
        for cid in cids {
            let options = JoinOptions { create: false, video: Toggle::On };
            calls.handle(at(now), Input::Join { cid, options, ticket: Ticket(0) });
            drain(&mut calls);
        }
        calls.handle(at(now + 1), Input::Timeout);
        drain(&mut calls);
        _ = calls.view(at(now + 1));
    }
}

fn account() -> Account {
    Account {
        server: ServerAddress { host: "localhost".to_owned(), port: 1 },
        pin: None,
        user: "ben".parse().expect("an id"),
        name: "Ben".to_owned(),
        device: "ben1".parse().expect("an id"),
        refresh_secret: String::new(),
    }
}

fn drain(calls: &mut Calls) {
    while !matches!(calls.poll(), Output::Timeout(_)) {}
}

/// An invite as link, a bare code, a server's address: what is taken is the same when it is read again.
pub fn invite(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(invite) = text.parse::<Invite>() {
        assert_eq!(invite.to_string().parse(), Ok(invite));
    }
    if let Ok(code) = text.parse::<InviteCode>() {
        assert_eq!(code.as_str(), text);
    }
    if let Ok(pin) = text.parse::<Pin>() {
        assert_eq!(pin.to_string().parse(), Ok(pin));
    }
    if let Ok(address) = text.parse::<ServerAddress>() {
        assert_eq!(address.to_string().parse(), Ok(address));
    }
}

/// Messages of the media server, each with its length before it in two bytes, and what they make of who is in the room.
pub fn roster(mut data: &[u8]) {
    let mut roster = Roster::new(&proto::JoinResponse::default());
    while let Some((length, rest)) = data.split_first_chunk::<2>() {
        let (message, after) = rest.split_at(rest.len().min(usize::from(u16::from_be_bytes(*length))));
        data = after;
        match proto::SignalResponse::decode(message).ok().and_then(|response| response.message) {
            Some(Message::Join(join)) => roster = Roster::new(&join),
            Some(Message::Update(update)) => roster.update(update.participants),
            _ => {}
        }
        let view = roster.view(Toggle::On, Toggle::Off);
        assert!(view.first().is_some_and(|first| first.is_me) && view.iter().filter(|one| one.is_me).count() == 1);
    }
}

/// What the server answers to a request, which the first byte chooses: to a ring, to a join, and what screens list.
pub fn http_answers(data: &[u8]) {
    let Some((kind, body)) = data.split_first() else { return };
    let now = Now { instant: *BEGIN, wall: UnixMillis(WALL) };
    let mut calls = Calls::new(now, &account(), 1);
    match kind {
        b'a' => {
            let Ok(GetOrCreated { state, revision, .. }) = serde_json::from_slice(body) else { return };
            calls.handle(now, Input::State { asked_at: now, state, revision });
        }
        b'b' => answer_a_join(&mut calls, now, serde_json::from_slice::<Joined>(body).map_err(unreadable)),
        b'c' => {
            let Ok(refusal) = serde_json::from_slice::<ErrorBody>(body) else { return };
            answer_a_join(&mut calls, now, Err(ClientError::Refused(refusal)));
        }
        b'd' => _ = serde_json::from_slice::<CallPage>(body),
        b'e' => _ = serde_json::from_slice::<HistoryPage>(body),
        b'f' => _ = serde_json::from_slice::<PeoplePage>(body),
        b'g' => _ = serde_json::from_slice::<AccessToken>(body),
        _ => {}
    }
    drain(&mut calls);
    calls.handle(now, Input::Timeout);
    _ = calls.view(now);
}

/// Somebody comes into a call, and this is what the server says to it.
fn answer_a_join(calls: &mut Calls, now: Now, result: Result<Joined, ClientError>) {
    let cid: CallId = "default:x".parse().expect("a cid");
    let options = JoinOptions { create: true, video: Toggle::On };
    calls.handle(now, Input::Join { cid: cid.clone(), options, ticket: Ticket(0) });
    let id = loop {
        match calls.poll() {
            Output::Request { id, .. } => break id,
            Output::Timeout(_) => return,
            _ => {}
        }
    };
    calls.handle(now, Input::JoinDone { id, cid, result: Box::new(result) });
}
