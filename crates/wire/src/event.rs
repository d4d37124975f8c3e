//! What goes over the one WebSocket of a device (`GET /v1/socket`), as JSON text messages.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    AskId, CallId, CallState, Capability, Custom, DeviceId, DoNotDisturb, HistoryEntry, Person, RingId, Standing,
    UnixMillis, UserId, WaitingAsk,
};

/// Server to device. The first message of a connection is always the snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// Everything, at the start of each connection. State is what the snapshot says.
    Snapshot(Snapshot),
    /// One change after it.
    Event {
        /// Rises with every event; older than what the client has is dropped.
        revision: u64,
        /// The server's clock.
        server_time: UnixMillis,
        /// The change.
        event: Event,
    },
    /// Answer to a ping.
    Pong,
    /// The server is about to stop and expects to be back: connect again after this wait, not before. Each device is told
    /// another one, so that they do not all come at once.
    ComeBack {
        /// In how many milliseconds.
        in_ms: u32,
    },
    /// A message this version does not know. Counted, otherwise ignored.
    #[serde(other)]
    Unknown,
}

impl ServerMessage {
    /// Whether it is, or brings, something of a newer version.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        match self {
            Self::Unknown | Self::Event { event: Event::Unknown, .. } => true,
            Self::Snapshot(_) | Self::Event { .. } | Self::Pong | Self::ComeBack { .. } => false,
        }
    }
}

/// Everything a device shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Snapshot {
    /// What events must rise above.
    pub revision: u64,
    /// The server's clock.
    pub server_time: UnixMillis,
    /// The server's name, for people.
    pub server_name: String,
    /// Who this device is signed in as.
    pub me: Person,
    /// This device.
    pub device: DeviceId,
    /// On a small server everybody else; otherwise my contacts: favourites, and who is in my calls and my history.
    pub people: Vec<Person>,
    /// How many others there are on the server.
    #[serde(default)]
    pub people_total: u32,
    /// Whom I want first in my list.
    #[serde(default)]
    pub favourites: BTreeSet<UserId>,
    /// When I do not want to be disturbed, on any device.
    #[serde(default)]
    pub do_not_disturb: DoNotDisturb,
    /// Calls with a live ring or a running session that concern me.
    pub calls: Vec<CallState>,
    /// The newest calls of my history, newest first; unseen missed ones are always among them.
    pub history: Vec<HistoryEntry>,
}

impl Snapshot {
    /// How many of the newest calls a snapshot has of a history.
    pub const NEWEST: usize = 100;
    /// How many lines of a history a device ever holds.
    pub const MOST: usize = 1_000;

    /// Leaves of a history, newest first, what a device holds: so many of the newest calls, and every missed one that nobody
    /// has looked at, however old.
    pub fn keep_shown(history: &mut Vec<HistoryEntry>, newest: usize) {
        let mut before = 0..newest;
        history.retain(|entry| before.next().is_some() || entry.unseen);
        history.truncate(Self::MOST);
    }
}

/// What an event without a line means.
fn every_line() -> i64 {
    i64::MAX
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// A call changed: the new state, whole. A call without live ring and session is forgotten after this.
    Call {
        /// The new state.
        state: CallState,
    },
    /// A person came, went or was renamed.
    Person {
        /// The new state.
        person: Person,
    },
    /// A history entry came or changed.
    History {
        /// The new state.
        entry: HistoryEntry,
    },
    /// Somebody in a call I am in reacted.
    Reaction {
        /// The call.
        cid: CallId,
        /// Who.
        user: UserId,
        /// The sign.
        reaction: String,
    },
    /// The application's own event in a call I am in.
    Custom {
        /// The call.
        cid: CallId,
        /// Who sent it.
        user: UserId,
        /// Its data.
        #[cfg_attr(feature = "openapi", schema(value_type = Object))]
        data: Custom,
    },
    /// Somebody asks for what I may give.
    PermissionAsked {
        /// The call.
        cid: CallId,
        /// Who.
        user: UserId,
        /// What.
        capabilities: BTreeSet<Capability>,
    },
    /// A call I am a member of exists, begins soon, or begins now: told natively, without ringing.
    Notified {
        /// The call.
        cid: CallId,
        /// Who told; absent for the server's own reminders.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<UserId>,
        /// When it is planned.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        starts_at: Option<UnixMillis>,
    },
    /// The session I am in ends soon, by its limit.
    EndsSoon {
        /// The call.
        cid: CallId,
        /// In how many milliseconds.
        in_ms: u32,
    },
    /// Missed calls were looked at on one of my devices.
    MissedSeen {
        /// The newest line of my history that was looked at.
        #[serde(default = "every_line")]
        up_to: i64,
    },
    /// Somebody waits at the door of the server: told to admins.
    AskedIn {
        /// Who, and what to compare.
        ask: WaitingAsk,
    },
    /// An admin has answered somebody who waited at the door.
    AskOver {
        /// Which question.
        id: AskId,
    },
    /// My favourites changed, on one of my devices.
    Favourites {
        /// All of them.
        favourites: BTreeSet<UserId>,
    },
    /// When I do not want to be disturbed was changed, on one of my devices.
    DoNotDisturb {
        /// The new wish.
        do_not_disturb: DoNotDisturb,
    },
    /// This device was signed out; the connection ends.
    SignedOut,
    /// An event this version does not know. Counted, otherwise ignored.
    #[serde(other)]
    Unknown,
}

/// Device to server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    /// Heartbeat, every 5 s.
    Ping,
    /// This device now alerts its person.
    Alerted {
        /// The call.
        cid: CallId,
        /// The ring.
        ring: RingId,
    },
    /// What a person finds who wants to reach this device now; sent after each snapshot, and when it changes.
    Standing {
        /// What.
        standing: Standing,
    },
    /// A message this version does not know. Counted, otherwise ignored.
    #[serde(other)]
    Unknown,
}
