//! What reads bytes from outside, for the targets in fuzz/: it may refuse them and must not fall over.

use std::{
    net::SocketAddr,
    sync::LazyLock,
    time::{Duration, Instant},
};

use bytes::Bytes;
use str0m::{
    Input,
    net::{Protocol, Receive},
};
use tokio::sync::mpsc;

use crate::{
    demux::is_stun,
    participant::{ConnectionKey, ParticipantKey, Side},
    query::JoinQuery,
    room::Rooms,
    sdp::offered_media,
    token::{self, Admission, ApiKey, Source},
};

/// Every target of this crate: its name in fuzz/, and what is done with the bytes.
#[expect(clippy::type_complexity, reason = "a list of names and of what they name")]
pub const TARGETS: &[(&str, fn(&[u8]))] =
    &[("knock", knock), ("offered_media", offered), ("client_signals", client_signals), ("datagrams", datagrams)];

#[expect(clippy::disallowed_methods, reason = "a virtual clock has to begin somewhere")]
static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

fn key() -> ApiKey {
    ApiKey { key: "devkey".to_owned(), secret: "a secret of thirty-two characters".to_owned() }
}

/// The query with which a client knocks, and the token in it.
pub fn knock(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if text.starts_with('{') {
        // Claims, which nobody but the harness can sign.
        _ = token::signed(&key(), text).map(|token| token::check(&key(), &token, Some("room")));
        return;
    }
    let (query, header) = text.split_once('\n').map_or((text, None), |(query, header)| (query, Some(header)));
    if let Ok(query) = JoinQuery::parse(query, header) {
        _ = token::check(&key(), &query.token, query.room.as_deref());
    }
}

/// What is read from an offer besides what str0m reads.
pub fn offered(data: &[u8]) {
    if let Ok(sdp) = std::str::from_utf8(data) {
        _ = offered_media(sdp);
    }
}

/// Signals of a client that is in a room with another one: each with its length before it, in two bytes.
pub fn client_signals(mut data: &[u8]) {
    let mut world = World::with(&["ben"]);
    while let Some((length, rest)) = data.split_first_chunk::<2>() {
        let (signal, after) = rest.split_at(rest.len().min(usize::from(u16::from_be_bytes(*length))));
        data = after;
        world.rooms.signal(world.now, world.ann, Bytes::copy_from_slice(signal));
        world.settle();
    }
    world.later(Duration::from_secs(1));
}

/// Datagrams from the address of a client, each with its length before it, in two bytes.
pub fn datagrams(mut data: &[u8]) {
    // Nobody without her keys gets so far that another one in the room would hear of it.
    let mut world = World::with(&[]);
    let (source, server) = (SocketAddr::from(([10, 0, 0, 2], 5000)), World::server());
    while let Some((length, rest)) = data.split_first_chunk::<2>() {
        let (datagram, after) = rest.split_at(rest.len().min(usize::from(u16::from_be_bytes(*length))));
        data = after;
        _ = is_stun(datagram);
        for side in [Side::Publisher, Side::Subscriber] {
            let Ok(receive) = Receive::new(Protocol::Udp, source, server, datagram) else { continue };
            let (input, connection) =
                (Input::Receive(world.now, receive), ConnectionKey { participant: world.ann, side });
            _ = (world.rooms.find(&input), world.rooms.accepts(connection, &input));
            world.rooms.receive(world.now, connection, input);
            world.settle();
        }
    }
    world.later(Duration::from_secs(1));
}

/// A room with ann in it, and with others, who read what they are sent.
struct World {
    rooms: Rooms,
    now: Instant,
    ann: ParticipantKey,
    heard: Vec<mpsc::Receiver<Bytes>>,
}

impl World {
    fn server() -> SocketAddr {
        SocketAddr::from(([10, 0, 0, 1], 7882))
    }

    fn with(others: &[&str]) -> Self {
        let now = *BEGIN;
        let mut rooms = Rooms::new(key(), vec![Self::server()]);
        let mut heard = Vec::new();
        let mut join = |identity: &str| {
            let admission = Admission {
                room: "room".to_owned(),
                identity: identity.to_owned(),
                name: identity.to_owned(),
                metadata: String::new(),
                sources: Source::ALL.to_vec(),
                can_subscribe: true,
                can_publish_data: true,
            };
            let query = JoinQuery::parse("access_token=x", None).expect("a token");
            let (sender, receiver) = mpsc::channel(64);
            heard.push(receiver);
            rooms.join(now, admission, &query, sender)
        };
        let ann = join("ann");
        for other in others {
            join(other);
        }
        Self { rooms, now, ann, heard }
    }

    fn settle(&mut self) {
        while self.rooms.poll(self.now).is_some() {}
        for heard in &mut self.heard {
            while heard.try_recv().is_ok() {}
        }
    }

    fn later(&mut self, time: Duration) {
        self.now += time;
        for side in [Side::Publisher, Side::Subscriber] {
            self.rooms.timeout(self.now, ConnectionKey { participant: self.ann, side });
        }
        self.rooms.sweep(self.now);
        self.settle();
    }
}
