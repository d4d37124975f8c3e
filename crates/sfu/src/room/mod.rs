//! Rooms and what happens in them: joining, signalling, tracks, forwarding. Sans-IO; the shard carries out the work.

mod layers;
mod media;
mod permission;
mod publishing;
mod signalling;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    net::SocketAddr,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use livekit_protocol::{self as proto, DisconnectReason, leave_request::Action, participant_info::State};
use rand::Rng as _;
use str0m::{Event, Input, Output, net::Transmit};
use tokio::sync::mpsc;

use crate::{
    participant::{Channels, Connection, ConnectionKey, Participant, ParticipantKey, Side},
    query::JoinQuery,
    sfu::{REFRESHED_TOKEN, SfuEvent},
    signal::{self, SignalOut},
    token::{self, Admission, ApiKey},
};

/// Who reaches no media within this time is let go (LiveKit waits a minute as well).
const BECOME_ACTIVE: Duration = Duration::from_secs(60);
/// Whose datagrams have stopped for this long is gone: ICE checks come every few seconds.
const SILENT: Duration = Duration::from_secs(10);
/// The same, when the signalling connection is gone too.
const ALL_GONE: Duration = Duration::from_secs(3);

/// How often participants get a fresh token (LiveKit's servers do so as often): the last one lets in for longer than
/// the next takes to come, so that whoever loses its connection can come back, however long the call has been.
const FRESH_TOKEN: Duration = Duration::from_secs(5 * 60);

/// What the shard has to do.
pub(crate) enum Work {
    Transmit(Transmit),
    Wake { connection: ConnectionKey, before: Option<Instant>, at: Instant },
    Forget(ParticipantKey),
    Tell(SfuEvent),
}

#[derive(Debug)]
struct Room {
    sid: String,
    created_at: i64,
    participants: Vec<ParticipantKey>,
}

pub(crate) struct Rooms {
    key: ApiKey,
    addresses: Vec<SocketAddr>,
    next_key: u64,
    next_track_key: u64,
    rooms: HashMap<String, Room>,
    participants: BTreeMap<ParticipantKey, Participant>,
    work: VecDeque<Work>,
    dirty: VecDeque<ConnectionKey>,
    /// Reused for what one connection has to tell.
    events: Vec<Event>,
}

impl Rooms {
    pub(crate) fn new(key: ApiKey, addresses: Vec<SocketAddr>) -> Self {
        Self {
            key,
            addresses,
            next_key: 1,
            next_track_key: 1,
            rooms: HashMap::new(),
            participants: BTreeMap::new(),
            work: VecDeque::new(),
            dirty: VecDeque::new(),
            events: Vec::new(),
        }
    }

    /// This machine has other addresses than before: who comes now is told all of them, who is there those that came.
    pub(crate) fn follow_addresses(&mut self, addresses: Vec<SocketAddr>, come: &[SocketAddr]) {
        self.addresses = addresses;
        let keys: Vec<ParticipantKey> = self.participants.keys().copied().collect();
        for (key, side) in keys.into_iter().flat_map(|key| [(key, Side::Publisher), (key, Side::Subscriber)]) {
            let Some(participant) = self.participants.get_mut(&key) else { continue };
            for candidate in participant.connection(side).add_addresses(come) {
                participant.signal.send(signal::trickle(side, &candidate));
            }
            self.touch(ConnectionKey { participant: key, side });
        }
    }

    pub(crate) fn join(
        &mut self,
        now: Instant,
        admission: Admission,
        query: &JoinQuery,
        responses: mpsc::Sender<Bytes>,
    ) -> ParticipantKey {
        let key = ParticipantKey(self.next_key);
        self.next_key += 1;
        let mut signal = SignalOut::new(responses);
        if query.is_reconnect {
            // Resuming is not offered; a full reconnect costs a second and always works.
            signal.send(signal::leave(DisconnectReason::StateMismatch, Action::Reconnect));
            return key;
        }
        self.remove_duplicate(&admission);
        let room_name = admission.room.clone();
        let participant = Participant {
            sid: fresh_sid("PA_"),
            room: room_name.clone(),
            signal,
            publisher: Connection::new(now, &self.addresses),
            subscriber: Connection::new(now, &self.addresses),
            is_active: false,
            joined_at_ms: unix_millis(),
            version: 1,
            client_protocol: query.client_protocol,
            auto_subscribe: query.auto_subscribe,
            exceptions: Vec::new(),
            tracks: Vec::new(),
            announced: Vec::new(),
            unclaimed: Vec::new(),
            downs: Vec::new(),
            pending_offer: None,
            offer_id: 0,
            channels: Channels::default(),
            joined: now,
            heard: now,
            token_at: now,
            admission,
        };
        let room = self.rooms.entry(room_name.clone()).or_insert_with(|| Room {
            sid: fresh_sid("RM_"),
            created_at: unix_millis() / 1000,
            participants: Vec::new(),
        });
        room.participants.push(key);
        let room_info = proto::Room {
            sid: room.sid.clone(),
            name: room_name,
            creation_time: room.created_at,
            ..proto::Room::default()
        };
        self.participants.insert(key, participant);
        self.greet(key, room_info);
        self.tell_others(key, None);
        self.negotiate(now, key);
        key
    }

    fn greet(&mut self, key: ParticipantKey, room: proto::Room) {
        let others: Vec<_> = self.others(key).map(|other| other.info(other.state())).collect();
        let Some(participant) = self.participants.get_mut(&key) else { return };
        let greeting = signal::Greeting {
            room,
            participant: participant.info(State::Joined),
            others,
            can_publish: !participant.admission.sources.is_empty(),
        };
        participant.signal.send(signal::join(greeting));
        give_token(&self.key, participant);
    }

    fn others(&self, key: ParticipantKey) -> impl Iterator<Item = &Participant> {
        let room = self.participants.get(&key).and_then(|participant| self.rooms.get(&participant.room));
        let keys = room.map(|room| room.participants.as_slice()).unwrap_or_default();
        keys.iter().filter(move |other| **other != key).filter_map(|other| self.participants.get(other))
    }

    fn other_keys(&self, key: ParticipantKey) -> Vec<ParticipantKey> {
        let room = self.participants.get(&key).and_then(|participant| self.rooms.get(&participant.room));
        let keys = room.map(|room| room.participants.clone()).unwrap_or_default();
        keys.into_iter().filter(|other| *other != key).collect()
    }

    /// Tells the others (and itself) how it stands; `gone` says that it has left.
    fn tell_others(&mut self, key: ParticipantKey, gone: Option<DisconnectReason>) {
        let Some(participant) = self.participants.get_mut(&key) else { return };
        participant.version += 1;
        let state = if gone.is_some() { State::Disconnected } else { participant.state() };
        let mut info = participant.info(state);
        if let Some(reason) = gone {
            info.disconnect_reason = reason as i32;
            info.tracks.clear();
        } else {
            participant.signal.send(signal::update(vec![info.clone()]));
        }
        for other in self.other_keys(key) {
            if let Some(other) = self.participants.get_mut(&other) {
                other.signal.send(signal::update(vec![info.clone()]));
            }
        }
    }

    fn remove_duplicate(&mut self, admission: &Admission) {
        if let Some(old) = self.find_identity(&admission.room, &admission.identity) {
            self.take_out(old, DisconnectReason::DuplicateIdentity);
        }
    }

    pub(crate) fn remove(&mut self, room: &str, identity: &str, reason: DisconnectReason) {
        if let Some(key) = self.find_identity(room, identity) {
            self.take_out(key, reason);
        }
    }

    fn find_identity(&self, room: &str, identity: &str) -> Option<ParticipantKey> {
        let keys = &self.rooms.get(room)?.participants;
        let is_it = |key: &&ParticipantKey| {
            self.participants.get(key).is_some_and(|participant| participant.admission.identity == identity)
        };
        keys.iter().find(is_it).copied()
    }

    pub(crate) fn close(&mut self, room: &str) {
        let keys = self.rooms.get(room).map(|room| room.participants.clone()).unwrap_or_default();
        for key in keys {
            self.take_out(key, DisconnectReason::RoomDeleted);
        }
    }

    /// The client's signalling socket is closed. Its media goes on: it may come back.
    pub(crate) fn signal_closed(&mut self, _now: Instant, key: ParticipantKey) {
        if let Some(participant) = self.participants.get_mut(&key) {
            participant.signal.close();
        }
    }

    fn take_out(&mut self, key: ParticipantKey, reason: DisconnectReason) {
        self.tell_others(key, Some(reason));
        let others = self.other_keys(key);
        let Some(mut participant) = self.participants.remove(&key) else { return };
        // Who was lost on the way is asked to come again; the others are meant to stay away.
        let action = if reason == DisconnectReason::ConnectionTimeout { Action::Reconnect } else { Action::Disconnect };
        participant.signal.send(signal::leave(reason, action));
        participant.signal.close();
        if let Some(room) = self.rooms.get_mut(&participant.room) {
            room.participants.retain(|other| *other != key);
            if room.participants.is_empty() {
                self.rooms.remove(&participant.room);
            }
        }
        self.work.push_back(Work::Forget(key));
        tracing::info!(room = participant.room, identity = participant.admission.identity, ?reason, "left the room");
        if participant.is_active {
            let (room, identity) = (participant.room, participant.admission.identity);
            self.work.push_back(Work::Tell(SfuEvent::ParticipantLeft { room, identity }));
        }
        let now = participant.heard;
        for other in others {
            self.negotiate(now, other);
        }
    }

    /// Lets go who has gone silent, and does what else comes with time.
    pub(crate) fn sweep(&mut self, now: Instant) {
        let mut gone = Vec::new();
        for (key, participant) in &self.participants {
            let silent = now.saturating_duration_since(participant.heard);
            let age = now.saturating_duration_since(participant.joined);
            if participant.is_active && silent > SILENT {
                gone.push((*key, DisconnectReason::ConnectionTimeout));
            } else if !participant.signal.is_open() && silent > ALL_GONE {
                gone.push((*key, DisconnectReason::SignalClose));
            } else if !participant.is_active && age > BECOME_ACTIVE {
                gone.push((*key, DisconnectReason::JoinFailure));
            }
        }
        for (key, reason) in gone {
            self.take_out(key, reason);
        }
        for participant in self.participants.values_mut() {
            if now.saturating_duration_since(participant.token_at) >= FRESH_TOKEN {
                participant.token_at = now;
                give_token(&self.key, participant);
            }
        }
        self.expire_announced(now);
    }

    pub(crate) fn accepts(&self, connection: ConnectionKey, input: &Input<'_>) -> bool {
        self.participants.get(&connection.participant).is_some_and(|participant| match connection.side {
            Side::Publisher => participant.publisher.rtc.accepts(input),
            Side::Subscriber => participant.subscriber.rtc.accepts(input),
        })
    }

    /// Whom a STUN message from a new address is for.
    pub(crate) fn find(&self, input: &Input<'_>) -> Option<ConnectionKey> {
        self.participants.iter().find_map(|(key, participant)| {
            let sides = [(Side::Publisher, &participant.publisher), (Side::Subscriber, &participant.subscriber)];
            let found = sides.into_iter().find(|(_, connection)| connection.rtc.accepts(input));
            found.map(|(side, _)| ConnectionKey { participant: *key, side })
        })
    }

    pub(crate) fn receive(&mut self, now: Instant, key: ConnectionKey, input: Input<'_>) {
        let Some(participant) = self.participants.get_mut(&key.participant) else { return };
        participant.heard = now;
        let connection = participant.connection(key.side);
        if let Err(error) = connection.rtc.handle_input(input) {
            tracing::debug!(%error, "a datagram could not be taken");
        }
        self.touch(key);
    }

    pub(crate) fn timeout(&mut self, now: Instant, key: ConnectionKey) {
        let Some(participant) = self.participants.get_mut(&key.participant) else { return };
        let connection = participant.connection(key.side);
        connection.wake = None;
        if let Err(error) = connection.rtc.handle_input(Input::Timeout(now)) {
            tracing::debug!(%error, "a connection failed");
        }
        self.touch(key);
    }

    /// The connection changed: it has to be asked what it wants before anything else happens to it.
    fn touch(&mut self, key: ConnectionKey) {
        let Some(participant) = self.participants.get_mut(&key.participant) else { return };
        if !std::mem::replace(&mut participant.connection(key.side).is_dirty, true) {
            self.dirty.push_back(key);
        }
    }

    /// The next thing to do; `None` when there is nothing until something happens.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<Work> {
        loop {
            if let Some(work) = self.work.pop_front() {
                return Some(work);
            }
            let key = self.dirty.pop_front()?;
            self.drain(now, key);
        }
    }

    fn drain(&mut self, now: Instant, key: ConnectionKey) {
        let mut events = std::mem::take(&mut self.events);
        let Some(participant) = self.participants.get_mut(&key.participant) else {
            self.events = events;
            return;
        };
        let connection = participant.connection(key.side);
        connection.is_dirty = false;
        loop {
            match connection.rtc.poll_output() {
                Ok(Output::Transmit(transmit)) => self.work.push_back(Work::Transmit(transmit)),
                Ok(Output::Event(event)) => events.push(event),
                Ok(Output::Timeout(at)) if at <= now => {
                    if connection.rtc.handle_input(Input::Timeout(now)).is_err() {
                        break;
                    }
                }
                Ok(Output::Timeout(at)) => {
                    if connection.wake != Some(at) {
                        let before = connection.wake.replace(at);
                        self.work.push_back(Work::Wake { connection: key, before, at });
                    }
                    break;
                }
                Err(error) => {
                    tracing::debug!(%error, "a connection failed");
                    break;
                }
            }
        }
        for event in events.drain(..) {
            self.on_event(now, key, event);
        }
        self.events = events;
    }
}

fn give_token(key: &ApiKey, participant: &mut Participant) {
    let token = token::refreshed(key, &participant.admission, REFRESHED_TOKEN);
    participant.signal.send(proto::signal_response::Message::RefreshToken(token));
}

/// LiveKit's ids: a prefix and twelve letters or digits.
fn fresh_sid(prefix: &str) -> String {
    let mut random = rand::rng();
    let letters: String = (0..12).map(|_| char::from(random.sample(rand::distr::Alphanumeric))).collect();
    format!("{prefix}{letters}")
}

#[expect(clippy::disallowed_methods, reason = "participants are stamped with the time they came")]
fn unix_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
