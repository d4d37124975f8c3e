//! What reads bytes from outside, for the targets in fuzz/: it may refuse them and must not fall over.

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use livekit_protocol as proto;
use prost::Message as _;
use wire::{Invite, InviteCode, ServerAddress, ServerMessage, UnixMillis};

use crate::{
    account::Account,
    calls::{Calls, Input, JoinOptions, Output, Ticket, Toggle},
    clock::Now,
};

/// Every target of this crate: its name in fuzz/, and what is done with the bytes.
#[expect(clippy::type_complexity, reason = "a list of names and of what they name")]
pub const TARGETS: &[(&str, fn(&[u8]))] =
    &[("server_messages", server_messages), ("invite", invite), ("media_signal", media_signal)];

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
    let account = Account {
        server: ServerAddress { host: "localhost".to_owned(), port: 1 },
        pin: None,
        user: "ben".parse().expect("an id"),
        name: "Ben".to_owned(),
        device: "ben1".parse().expect("an id"),
        refresh_secret: String::new(),
    };
    let mut calls = Calls::new(at(0), &account, 1);
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
    if let Ok(address) = text.parse::<ServerAddress>() {
        assert_eq!(address.to_string().parse(), Ok(address));
    }
}

/// A message of the media server.
pub fn media_signal(data: &[u8]) {
    _ = proto::SignalResponse::decode(data);
}
