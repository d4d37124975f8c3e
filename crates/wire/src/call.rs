//! Calls, people and history as they travel.

use serde::{Deserialize, Serialize};

use crate::{CallId, DeviceId, Direction, Outcome, Reason, Ring, SessionId, UnixMillis, UserId};

/// Free data that an application hangs on a call or a member: a JSON object.
pub type Custom = serde_json::Map<String, serde_json::Value>;

/// What a person may do on the whole server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum Role {
    /// Runs the server.
    Admin,
    /// Calls and is called.
    User,
    /// Came for one call.
    Guest,
}

/// Whether a person can be reached now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum Presence {
    /// A device is connected.
    Online,
    /// A device is in a call.
    InCall,
    /// No device is connected.
    Offline,
}

/// A person as others on the server see him.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct Person {
    /// Who.
    pub id: UserId,
    /// The name people read.
    pub name: String,
    /// What he may do here.
    pub role: Role,
    /// Whether he can be reached now.
    pub presence: Presence,
}

/// A user on a call's list. May never join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who.
    pub user: UserId,
    /// `host`, `speaker`, `member` or an operator's own.
    pub role: String,
    /// The application's data.
    #[serde(default, skip_serializing_if = "Custom::is_empty")]
    pub custom: Custom,
}

/// One device that is in the session now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// Whose.
    pub user: UserId,
    /// Which; media identity is per device.
    pub device: DeviceId,
    /// Since when.
    pub joined_at: UnixMillis,
}

/// One occurrence of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its name.
    pub id: SessionId,
    /// When the first participant came.
    pub started_at: UnixMillis,
    /// Who is in it now.
    pub participants: Vec<Participant>,
}

/// A call: its lasting part and the session that runs now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Its name.
    pub cid: CallId,
    /// Who made the call object.
    pub created_by: UserId,
    /// When.
    pub created_at: UnixMillis,
    /// The list.
    pub members: Vec<Member>,
    /// The type's settings with this call's overrides.
    pub settings: Settings,
    /// The application's data.
    #[serde(default, skip_serializing_if = "Custom::is_empty")]
    pub custom: Custom,
    /// When it is planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<UnixMillis>,
    /// The only team that sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// When it was ended for everyone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<UnixMillis>,
    /// The session that runs now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Session>,
    /// Rises with every change of the call, its ring and its session: of two states the one with more is newer, whether
    /// it came as event, in a snapshot or as answer.
    #[serde(default)]
    pub version: u64,
}

/// Everything a device needs to know of one call, whole: an event carries the new one in place of the old.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallState {
    /// The call.
    pub call: Call,
    /// The newest ring of the call that concerns the reader, live or just over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ring: Option<Ring>,
}

/// Settings of a call: the type's, overridden whole for one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[derive(Default)]
pub struct Settings {
    /// Sound.
    pub audio: AudioSettings,
    /// Picture.
    pub video: VideoSettings,
    /// Ringing.
    pub ring: RingSettings,
    /// The life of a session.
    pub session: SessionSettings,
}

/// Sound settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AudioSettings {
    /// Microphone on at join.
    pub mic_default_on: bool,
}

impl Default for AudioSettings {
    fn default() -> Self {
        Self { mic_default_on: true }
    }
}

/// Picture settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VideoSettings {
    /// Video allowed at all.
    pub enabled: bool,
    /// Camera on at join.
    pub camera_default_on: bool,
}

impl Default for VideoSettings {
    fn default() -> Self {
        Self { enabled: true, camera_default_on: true }
    }
}

/// Ring settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RingSettings {
    /// How long a ring lasts, 5,000 to 180,000 milliseconds.
    pub timeout_ms: u32,
    /// When one of two leaves, the session ends for the other. `None`: for calls rung with two members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_when_alone: Option<bool>,
}

impl Default for RingSettings {
    fn default() -> Self {
        Self { timeout_ms: 45_000, end_when_alone: None }
    }
}

/// Session settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionSettings {
    /// How long an empty session lasts, in milliseconds.
    pub inactivity_timeout_ms: u32,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self { inactivity_timeout_ms: 30_000 }
    }
}

/// One call in a person's history, from that person's side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct HistoryEntry {
    /// Rises with time; unique per server.
    #[cfg_attr(feature = "bindings", specta(type = u32))]
    pub id: i64,
    /// The call.
    pub cid: CallId,
    /// When the ring (or the session without one) began.
    pub at: UnixMillis,
    /// From the ring's caller.
    pub direction: Direction,
    /// How it went for this person.
    pub outcome: HistoryOutcome,
    /// Time in the call, in milliseconds; 0 if it was not answered.
    pub duration_ms: u32,
    /// Who rang (or made the call).
    pub caller: UserId,
    /// Everybody else on the call.
    pub people: Vec<UserId>,
    /// Whether video was wanted.
    pub video: bool,
    /// The callee's words with a decline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Why it was not answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// A missed call that the person has not looked at yet.
    #[serde(default)]
    pub unseen: bool,
}

/// How a call went, for one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum HistoryOutcome {
    /// It took place and is running.
    Ongoing,
    /// It took place.
    Answered,
    /// The callee (me or the other) said no.
    Declined,
    /// The callee was in another call.
    Busy,
    /// Nobody answered, or the caller gave up before.
    Missed,
}

impl From<Outcome> for HistoryOutcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Ringing => Self::Ongoing,
            Outcome::Accepted => Self::Answered,
            Outcome::Declined => Self::Declined,
            Outcome::Busy => Self::Busy,
            Outcome::Missed | Outcome::Cancelled => Self::Missed,
        }
    }
}
