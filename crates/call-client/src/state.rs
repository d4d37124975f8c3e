//! Everything a screen may show, as one value. It goes out whole, through a `watch`, whenever it changes.

use serde::{Deserialize, Serialize};
use wire::{
    CallId, Capability, Custom, Direction, DoNotDisturb, ErrorBody, HistoryOutcome, MESSAGE, Outcome, Person, Reason,
    RingId, UnixMillis, UserId, WaitingAsk,
};

/// What this device knows. State is what the server's snapshot says; events only bring it forward.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct ClientState {
    /// The way to the server.
    pub connection: Connection,
    /// The server's name, for people; empty before the first snapshot.
    pub server_name: String,
    /// Who this device is signed in as.
    pub me: Person,
    /// On a small server everybody else, on a large one my contacts; by name.
    pub people: Vec<Person>,
    /// How many others there are on the server; more than in `people` where not everybody is shown.
    pub people_total: u32,
    /// Whom I want first in my list.
    pub favourites: Vec<UserId>,
    /// When I do not want to be disturbed, on any device.
    pub do_not_disturb: DoNotDisturb,
    /// Whether no call alerts on this device now.
    pub is_quiet: bool,
    /// Calls that ring, are joined or have just ended, oldest first.
    pub calls: Vec<CallView>,
    /// Newest first.
    pub history: Vec<HistoryView>,
    /// Who waits at the door of the server; told to admins alone.
    pub asks: Vec<WaitingAsk>,
}

impl ClientState {
    /// A call, while it rings, is joined or has just ended.
    #[must_use]
    pub fn call(&self, cid: &CallId) -> Option<&CallView> {
        self.calls.iter().find(|call| call.cid == *cid)
    }

    /// Calls that ring on this device, oldest first.
    pub fn incoming(&self) -> impl Iterator<Item = &CallView> {
        self.calls.iter().filter(|call| call.direction == Direction::Incoming && call.is_ringing())
    }

    /// Calls by which this device rings others, oldest first.
    pub fn outgoing(&self) -> impl Iterator<Item = &CallView> {
        self.calls.iter().filter(|call| call.direction == Direction::Outgoing && call.is_ringing())
    }
}

impl CallView {
    /// It alerts, or waits for an answer.
    #[must_use]
    pub fn is_ringing(&self) -> bool {
        self.state.calling_state == CallingState::Ringing
    }

    /// It is over for this device, whether it was ever in it or not. It is shown for some seconds more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        match self.state.calling_state {
            CallingState::Left | CallingState::Ended => true,
            CallingState::Idle
            | CallingState::Ringing
            | CallingState::Joining
            | CallingState::Joined
            | CallingState::Reconnecting => false,
        }
    }
}

/// The way to the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum Connection {
    /// First attempt since the start.
    Connecting,
    /// The snapshot has come.
    Online,
    /// Lost; trying again by itself.
    Offline {
        /// Why, for people.
        why: String,
    },
    /// Somebody else answers at the server's address; tried again, in case that passes.
    WrongServer {
        /// What it means and what to do, for people.
        why: String,
    },
    /// The server does not know this device any more: a new invite is needed.
    SignedOut,
}

/// One call as this device sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct CallView {
    /// `type:id`.
    pub cid: CallId,
    /// Who made the call object.
    pub is_created_by_me: bool,
    /// From the ring's caller.
    pub direction: Direction,
    /// Where it stands.
    pub state: CallStateView,
    /// Whether the ring wants video.
    pub video: bool,
    /// Who rings; absent without a ring.
    pub caller: Option<UserId>,
    /// What its caller said it is about: the text `message` of its custom data, where that keeps the rule of a message.
    pub about: Option<String>,
    /// Everybody on the call's list but me.
    pub people: Vec<UserId>,
    /// What I may do in it: exactly what the server would let me.
    pub own_capabilities: Vec<Capability>,
    /// The newest ring of this call that concerns me.
    pub ring: Option<RingView>,
    /// Whether a ring or a session goes on in it, here or elsewhere. One that is over is shown a moment longer, for how it ended.
    pub goes_on: bool,
    /// Whether everybody on the list gets in now.
    pub opening: OpeningView,
    /// What exists only while joining, joined or reconnecting.
    pub joined: Option<JoinedView>,
}

/// What its caller said a call is about. Any program may have written it there: only what people can read is shown.
#[must_use]
pub fn about(custom: &Custom) -> Option<&str> {
    MESSAGE.check(custom.get("message")?.as_str()?)
}

/// Whether everybody on the list of a call gets in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum OpeningView {
    /// Always: it has no backstage, or the planned time has come.
    Open,
    /// It has a backstage, and its host has gone live.
    Live,
    /// Not yet: only who may come in backstage.
    Backstage {
        /// When it opens by itself, by this device's clock; absent when only its host opens it.
        opens_at: Option<UnixMillis>,
    },
}

/// Where a call stands on this device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct CallStateView {
    /// The phase.
    pub calling_state: CallingState,
    /// Why ringing ended here, or why the call did; absent before.
    pub reason: Option<EndReason>,
    /// What the server said, where it did not let this device in.
    pub refusal: Option<ErrorBody>,
}

/// Calling state of one call on one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum CallingState {
    /// Known, nothing goes on.
    Idle,
    /// Alerting (incoming) or waiting for an answer (outgoing).
    Ringing,
    /// On the way in.
    Joining,
    /// In.
    Joined,
    /// In, but the media has to find its way again.
    Reconnecting,
    /// Not in any more; the call may go on for others.
    Left,
    /// Over for everyone.
    Ended,
}

/// Why a call is no longer ringing or joined here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum EndReason {
    /// Answered here.
    Answered,
    /// Another device of mine answered.
    AnsweredElsewhere,
    /// Declined here, or (outgoing) by everybody.
    Declined,
    /// Another device of mine declined.
    DeclinedElsewhere,
    /// The caller gave up.
    Cancelled,
    /// Nobody answered in time.
    Timeout,
    /// Everybody is in another call.
    Busy,
    /// The call ended.
    Ended,
    /// I hung up.
    Left,
    /// The media never came up, or was lost for good.
    MediaFailed,
    /// The server did not let this device in: [`CallStateView::refusal`] says why.
    Refused,
    /// Somebody who may do so put this device out; the call goes on for the others.
    PutOut,
}

/// A ring, for screens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct RingView {
    /// Its name.
    pub id: RingId,
    /// The deadline by this device's clock, from the remaining time the server told.
    pub ends_at: UnixMillis,
    /// Everybody it tries to reach.
    pub targets: Vec<TargetView>,
}

/// One target of a ring, for screens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct TargetView {
    /// Who.
    pub user: UserId,
    /// Where it stands.
    pub outcome: Outcome,
    /// "Calling…" turns into "Ringing…" when this is true.
    pub alerted: bool,
    /// Why not.
    pub reason: Option<Reason>,
    /// The words with a decline.
    pub message: Option<String>,
}

/// A call this device is in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct JoinedView {
    /// Since when media flows, by this device's clock; absent while joining.
    pub since: Option<UnixMillis>,
    /// How long the call may last from its first participant on, in milliseconds; absent without a limit.
    pub longest_ms: Option<u32>,
    /// My microphone.
    pub microphone: DeviceView,
    /// My camera.
    pub camera: DeviceView,
    /// Whether the others are heard here; off where the call's settings say so at the start, or the person has said so.
    pub speaker_on: bool,
    /// Why nobody is heard: what happened and what to do, for people. Absent while the speaker works.
    pub speaker_trouble: Option<String>,
    /// Me first, then the others in the order they came.
    pub participants: Vec<ParticipantView>,
}

/// My microphone or camera in a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum DeviceView {
    /// Sends.
    On,
    /// Muted.
    Off,
    /// Wanted, but there is none or it does not work.
    Failed {
        /// What happened and what to do, for people.
        why: String,
    },
}

/// Somebody in the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct ParticipantView {
    /// Media identity: `user/device` for devices of this server, anything for guests of the media server.
    pub identity: String,
    /// The name people read.
    pub name: String,
    /// This device.
    pub is_me: bool,
    /// Whether the microphone sends.
    pub microphone_on: bool,
    /// Whether the camera sends.
    pub camera_on: bool,
    /// The key of the audio track in level events; absent without one.
    pub audio_track: Option<String>,
    /// The key of the picture on the frame socket; absent without one.
    pub video_track: Option<String>,
}

/// One call in the history, for screens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct HistoryView {
    /// Rises with time.
    #[cfg_attr(feature = "bindings", specta(type = u32))]
    pub id: i64,
    /// The call.
    pub cid: CallId,
    /// When, by the server's clock.
    pub at: UnixMillis,
    /// From the ring's caller.
    pub direction: Direction,
    /// How it went.
    pub outcome: HistoryOutcome,
    /// Time in the call, in milliseconds.
    pub duration_ms: u32,
    /// Who rang.
    pub caller: UserId,
    /// Everybody else.
    pub people: Vec<UserId>,
    /// Whether video was wanted.
    pub video: bool,
    /// The words with a decline.
    pub message: Option<String>,
    /// Why it was not answered.
    pub reason: Option<Reason>,
    /// A missed call nobody has looked at.
    pub unseen: bool,
}
